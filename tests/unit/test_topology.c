/* SPDX-License-Identifier: BSD-2-Clause
 * Placement and victim order on synthetic machines; sharing, affinity and binding on this one. */
#define _GNU_SOURCE
#include "sched/topology.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"

/* ---- memory that counts and fails ---- */

struct counted {
	long bytes, calls, fail_at;
};

static void *counted_alloc(void *user, size_t size, size_t align)
{
	struct counted *c = user;
	void *p = NULL;
	if (++c->calls == c->fail_at || posix_memalign(&p, align, size) != 0)
		return NULL;
	memset(p, 0xA5, size);
	c->bytes += (long)size;
	return p;
}

static void counted_dealloc(void *user, void *p, size_t size)
{
	((struct counted *)user)->bytes -= (long)size;
	free(p);
}

static void *plain_alloc(void *user, size_t size, size_t align)
{
	void *p = NULL;
	(void)user;
	return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

static void plain_dealloc(void *user, void *p, size_t size)
{
	(void)user, (void)size;
	free(p);
}

static const struct heist_memory plain = { plain_alloc, plain_dealloc, NULL };

/* ---- synthetic machines ---- */

static struct heist_topology machine(const char *synthetic, uint32_t workers)
{
	struct heist_topology t;
	EXPECT(heist_topology_init(&t, workers, true, synthetic, &plain) == 0);
	EXPECT(t.machine != NULL);
	return t;
}

static const struct heist_victim *row_of(const struct heist_topology *t, uint32_t w)
{
	return &t->victims[(size_t)w * (t->workers - 1)];
}

/* Every other worker once; every ring ends where the next begins. */
static void check_rows(const struct heist_topology *t)
{
	uint32_t count = t->workers - 1;
	for (uint32_t w = 0; w < t->workers; w++) {
		const struct heist_victim *row = row_of(t, w);
		bool seen[256] = { false };
		seen[w] = true;
		for (uint32_t i = 0; i < count; i++) {
			EXPECT(row[i].worker < t->workers && !seen[row[i].worker]);
			seen[row[i].worker] = true;
			EXPECT(row[i].ring_end > i && row[i].ring_end <= count);
			EXPECT(i + 1 == row[i].ring_end || row[i + 1].ring_end == row[i].ring_end);
		}
	}
}

/* The ends of worker w's rings are exactly those given, the last one being workers - 1. */
static bool ring_ends(const struct heist_topology *t, uint32_t w, const uint32_t *ends)
{
	const struct heist_victim *row = row_of(t, w);
	uint32_t i = 0;
	for (; i < t->workers - 1; i = row[i].ring_end)
		if (row[i].ring_end != *ends++)
			return false;
	return i == t->workers - 1;
}

#define RING_ENDS(t, w, ...) ring_ends(t, w, (const uint32_t[]){ __VA_ARGS__ })

/* The victims in rings, by arithmetic on CPU numbers: CPUs of one domain share cpu / size. */
static uint32_t ring_by_number(uint32_t a, uint32_t b, const uint32_t *sizes)
{
	uint32_t ring = 0;
	while (sizes[ring] && a / sizes[ring] != b / sizes[ring])
		ring++;
	return ring;
}

/* sizes: CPUs of the nested domains from 1 up, ended by 0 for the machine. */
static void check_order(const struct heist_topology *t, const uint32_t *sizes)
{
	check_rows(t);
	for (uint32_t w = 0; w < t->workers; w++) {
		const struct heist_victim *row = row_of(t, w);
		for (uint32_t i = 1; i < t->workers - 1; i++) {
			uint32_t a = ring_by_number(t->places[w].cpu,
						    t->places[row[i - 1].worker].cpu, sizes);
			uint32_t b = ring_by_number(t->places[w].cpu, t->places[row[i].worker].cpu,
						    sizes);
			EXPECT(a <= b);
			EXPECT((a == b) == (row[i - 1].ring_end == row[i].ring_end));
		}
	}
}

#define CHECK_ORDER(t, ...) check_order(t, (const uint32_t[]){ __VA_ARGS__, 0 })

TEST(topology, two_packages_of_sixteen_cores)
{
	struct heist_topology t = machine("package:2 core:16 pu:1", 32);
	for (uint32_t w = 0; w < 32; w++) {
		EXPECT(t.places[w].cpu == w);
		EXPECT(RING_ENDS(&t, w, 15, 31));
	}
	CHECK_ORDER(&t, 1, 16);
	heist_topology_destroy(&t);
}

TEST(topology, sixty_four_threads_in_four_nodes)
{
	struct heist_topology t = machine("package:2 numa:2 l3:1 core:8 pu:2", 64);
	for (uint32_t w = 0; w < 64; w++) {
		EXPECT(t.places[w].cpu == (w < 32 ? 2 * w : 2 * (w - 32) + 1));
		EXPECT(t.places[w].node == t.places[w].cpu / 16);
		EXPECT(row_of(&t, w)[0].worker == (w + 32) % 64);
		EXPECT(RING_ENDS(&t, w, 1, 15, 31, 63));
	}
	CHECK_ORDER(&t, 1, 2, 16, 32);
	heist_topology_destroy(&t);
}

TEST(topology, every_level_is_a_ring)
{
	struct heist_topology t = machine("package:2 numa:2 l3:2 l2:2 core:2 pu:2", 64);
	EXPECT(RING_ENDS(&t, 0, 1, 3, 7, 15, 31, 63));
	EXPECT(RING_ENDS(&t, 63, 1, 3, 7, 15, 31, 63));
	CHECK_ORDER(&t, 1, 2, 4, 8, 16, 32);
	heist_topology_destroy(&t);
}

TEST(topology, nodes_below_a_shared_cache_are_nearer_than_the_cache)
{
	struct heist_topology t = machine("package:2 l3:1 numa:2 core:4 pu:1", 16);
	for (uint32_t w = 0; w < 16; w++) {
		EXPECT(t.places[w].node == w / 4);
		EXPECT(RING_ENDS(&t, w, 3, 7, 15));
	}
	CHECK_ORDER(&t, 1, 4, 8);
	heist_topology_destroy(&t);
}

TEST(topology, cores_come_before_their_second_threads)
{
	struct heist_topology t = machine("package:1 core:4 pu:2", 6);
	static const uint32_t cpus[] = { 0, 2, 4, 6, 1, 3 };
	for (uint32_t w = 0; w < 6; w++)
		EXPECT(t.places[w].cpu == cpus[w]);
	EXPECT(row_of(&t, 0)[0].worker == 4 && row_of(&t, 4)[0].worker == 0);
	EXPECT(RING_ENDS(&t, 0, 1, 5));
	EXPECT(RING_ENDS(&t, 2, 5));
	CHECK_ORDER(&t, 1, 2);
	heist_topology_destroy(&t);
}

TEST(topology, four_threads_a_core)
{
	struct heist_topology t = machine("core:2 pu:4", 8);
	static const uint32_t cpus[] = { 0, 4, 1, 5, 2, 6, 3, 7 };
	for (uint32_t w = 0; w < 8; w++)
		EXPECT(t.places[w].cpu == cpus[w]);
	CHECK_ORDER(&t, 1, 4);
	heist_topology_destroy(&t);
}

TEST(topology, machine_without_cores)
{
	struct heist_topology t = machine("package:2 pu:3", 6);
	for (uint32_t w = 0; w < 6; w++)
		EXPECT(t.places[w].cpu == w && RING_ENDS(&t, w, 2, 5));
	CHECK_ORDER(&t, 1, 3);
	heist_topology_destroy(&t);
}

/* The system numbers threads as it likes: places are its numbers, order is the machine's. */
TEST(topology, numbers_of_the_system_may_be_scattered)
{
	struct heist_topology t = machine("package:2 core:2 pu:2(indexes=0,4,2,6,1,5,3,7)", 8);
	static const uint32_t cpus[] = { 0, 2, 1, 3, 4, 6, 5, 7 };
	for (uint32_t w = 0; w < 8; w++) {
		EXPECT(t.places[w].cpu == cpus[w]);
		EXPECT(row_of(&t, w)[0].worker == (w + 4) % 8);
		EXPECT(RING_ENDS(&t, w, 1, 3, 7));
	}
	check_rows(&t);
	heist_topology_destroy(&t);
}

TEST(topology, single_thread_holds_all_workers)
{
	struct heist_topology t = machine("package:1 core:1 pu:1", 4);
	for (uint32_t w = 0; w < 4; w++)
		EXPECT(t.places[w].cpu == 0 && RING_ENDS(&t, w, 3));
	check_rows(&t);
	heist_topology_destroy(&t);
	t = machine("package:1 core:1 pu:1", 1);
	EXPECT(t.places[0].cpu == 0);
	heist_topology_destroy(&t);
}

TEST(topology, more_workers_than_threads_start_over)
{
	struct heist_topology t = machine("package:2 core:2 pu:1", 10);
	for (uint32_t w = 0; w < 10; w++)
		EXPECT(t.places[w].cpu == w % 4);
	EXPECT(RING_ENDS(&t, 0, 2, 5, 9)); /* 4 and 8 share its CPU; 1, 5, 9 its package */
	EXPECT(RING_ENDS(&t, 2, 1, 3, 9));
	CHECK_ORDER(&t, 1, 2);
	heist_topology_destroy(&t);
}

TEST(topology, fewer_workers_than_threads)
{
	struct heist_topology t = machine("package:2 core:16 pu:1", 18);
	EXPECT(RING_ENDS(&t, 0, 15, 17));
	EXPECT(RING_ENDS(&t, 17, 1, 17));
	CHECK_ORDER(&t, 1, 16);
	heist_topology_destroy(&t);
}

TEST(topology, as_many_workers_as_there_can_be)
{
	struct heist_topology t = machine("package:2 numa:2 l3:4 core:8 pu:2", 256);
	EXPECT(RING_ENDS(&t, 255, 1, 15, 63, 127, 255));
	CHECK_ORDER(&t, 1, 2, 16, 64, 128);
	heist_topology_destroy(&t);
}

/* ---- a thief's way ---- */

TEST(topology, thief_meets_everybody_once_and_nearer_rings_first)
{
	struct heist_topology t = machine("package:2 numa:2 l3:1 core:8 pu:2", 64);
	uint64_t random = 1;
	for (int round = 0; round < 2000; round++) {
		uint32_t w = (uint32_t)round % 64, v, met = 0;
		struct heist_victims it;
		uint64_t seen = (uint64_t)1 << w;
		random = random * 6364136223846793005u + 1442695040888963407u;
		heist_victims_begin(&it, &t, w, random);
		for (; heist_victims_next(&it, &v); met++) {
			uint32_t ring_begin = met < 1 ? 0 : met < 15 ? 1 : met < 31 ? 15 : 31;
			uint32_t at = 0;
			EXPECT(v < 64 && !(seen >> v & 1));
			seen |= (uint64_t)1 << v;
			while (row_of(&t, w)[at].worker != v)
				at++;
			EXPECT(at >= ring_begin && at < row_of(&t, w)[ring_begin].ring_end);
		}
		EXPECT(met == 63 && seen == UINT64_MAX);
		EXPECT(!heist_victims_next(&it, &v));
	}
	heist_topology_destroy(&t);
}

TEST(topology, thief_starts_anywhere_in_a_ring)
{
	struct heist_topology t = machine("package:2 core:16 pu:1", 32);
	uint32_t first = 0, v;
	for (uint64_t random = 0; random < 15; random++) {
		struct heist_victims it;
		heist_victims_begin(&it, &t, 3, random);
		EXPECT(heist_victims_next(&it, &v));
		first |= 1u << v;
	}
	EXPECT(first == (0xFFFFu & ~(1u << 3)));
	heist_topology_destroy(&t);
}

TEST(topology, lone_thief_meets_nobody)
{
	struct heist_topology t;
	struct heist_victims it;
	uint32_t v;
	EXPECT(heist_topology_init(&t, 1, false, NULL, &plain) == 0);
	heist_victims_begin(&it, &t, 0, 12345);
	EXPECT(!heist_victims_next(&it, &v));
	heist_topology_destroy(&t);
}

/* ---- failures ---- */

TEST(topology, unknown_machine_is_flat_and_binds_nobody)
{
	static const char *broken[] = { "", "nonsense", "package:", "package:2 core:0",
					"core:2 package:2" };
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct heist_topology t;
		EXPECT(heist_topology_init(&t, 5, true, broken[i], &plain) == 0);
		EXPECT(t.machine == NULL);
		for (uint32_t w = 0; w < 5; w++) {
			EXPECT(RING_ENDS(&t, w, 4));
			EXPECT(heist_topology_bind(&t, w) == -1);
		}
		check_rows(&t);
		heist_topology_destroy(&t);
	}
}

TEST(topology, out_of_memory_leaves_nothing_behind)
{
	static const char *machines[] = { "package:2 core:4 pu:2", NULL };
	for (int i = 0; i < 2; i++) {
		struct counted c = { .fail_at = 1 };
		struct heist_memory memory = { counted_alloc, counted_dealloc, &c };
		struct heist_topology t;
		while (heist_topology_init(&t, 16, true, machines[i], &memory) != 0) {
			EXPECT(c.bytes == 0 && c.calls == c.fail_at);
			c.calls = 0;
			c.fail_at++;
		}
		EXPECT(c.fail_at > 1 && c.bytes > 0);
		heist_topology_destroy(&t);
		EXPECT(c.bytes == 0);
	}
}

TEST(topology, binding_on_a_synthetic_machine_does_nothing)
{
	cpu_set_t before, after;
	struct heist_topology t = machine("package:2 core:16 pu:1", 32);
	EXPECT(sched_getaffinity(0, sizeof before, &before) == 0);
	EXPECT(heist_topology_bind(&t, 31) == 0);
	EXPECT(sched_getaffinity(0, sizeof after, &after) == 0 && CPU_EQUAL(&before, &after));
	heist_topology_destroy(&t);
}

/* HWLOC_THISSYSTEM makes hwloc take the synthetic machine for this one: the system refuses CPUs that
 * it does not have. */
TEST(topology, refused_binding_is_reported_once)
{
	EXPECT(setenv("HWLOC_THISSYSTEM", "1", 1) == 0);
	struct heist_topology t = machine("core:2 pu:1(indexes=60000,60001)", 2);
	unsetenv("HWLOC_THISSYSTEM");
	EXPECT(t.places[1].cpu == 60001);
	EXPECT(heist_topology_bind(&t, 0) == -1 && heist_topology_bind(&t, 1) == -1);
	EXPECT(heist_topology_first_refusal(&t));
	EXPECT(!heist_topology_first_refusal(&t) && !heist_topology_first_refusal(&t));
	heist_topology_destroy(&t);
}

/* ---- this machine ---- */

static cpu_set_t own_mask(void)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	sched_getaffinity(0, sizeof set, &set);
	return set;
}

/* The calling thread keeps CPU number `rank` of its mask only, counted round. */
static cpu_set_t narrow_to(int rank)
{
	cpu_set_t set = own_mask(), one;
	int left = rank % CPU_COUNT(&set), cpu = 0;
	for (;; cpu++)
		if (CPU_ISSET(cpu, &set) && left-- == 0)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof one, &one);
	return one;
}

/* Runs in a thread of its own, because it changes that thread's mask.  NULL: as expected; else the
 * line that was not.  (A failed EXPECT would leave by the wrong thread.) */
#define HERE ((void *)(intptr_t)__LINE__)
static void *in_thread(void *(*body)(void *), void *arg)
{
	pthread_t t;
	void *wrong = HERE;
	if (pthread_create(&t, NULL, body, arg) == 0)
		pthread_join(t, &wrong);
	return wrong;
}

static void *bind_all(void *arg)
{
	struct heist_topology t;
	cpu_set_t allowed = own_mask();
	void *wrong = NULL;
	(void)arg;
	if (heist_topology_init(&t, 8, true, NULL, &plain) != 0 || !t.machine)
		return HERE;
	for (uint32_t w = 0; w < 8; w++) {
		cpu_set_t bound;
		if (heist_topology_bind(&t, w) != 0)
			wrong = HERE;
		bound = own_mask();
		if (CPU_COUNT(&bound) != 1 || !CPU_ISSET(t.places[w].cpu, &bound) ||
		    !CPU_ISSET(t.places[w].cpu, &allowed))
			wrong = HERE;
	}
	heist_topology_destroy(&t);
	return wrong;
}

TEST(topology, workers_are_bound_inside_the_mask)
{
	EXPECT(in_thread(bind_all, NULL) == NULL);
}

static void *narrowed_start(void *rank)
{
	struct heist_topology t;
	cpu_set_t one = narrow_to((int)(intptr_t)rank);
	void *wrong = NULL;
	if (heist_topology_init(&t, 3, true, NULL, &plain) != 0 || !t.machine)
		return HERE;
	for (uint32_t w = 0; w < 3; w++)
		if (!CPU_ISSET(t.places[w].cpu, &one) || !RING_ENDS(&t, w, 2))
			wrong = HERE;
	heist_topology_destroy(&t);
	return wrong;
}

TEST(topology, mask_of_the_starting_thread_counts)
{
	EXPECT(in_thread(narrowed_start, (void *)(intptr_t)0) == NULL);
	EXPECT(in_thread(narrowed_start, (void *)(intptr_t)1) == NULL);
}

static pthread_barrier_t pinned, done;

static void *pinned_bystander(void *arg)
{
	(void)arg;
	narrow_to(1);
	pthread_barrier_wait(&pinned);
	pthread_barrier_wait(&done);
	return NULL;
}

/* hwloc's own restriction gives up when threads have different masks, and shows all CPUs. */
TEST(topology, mask_counts_beside_threads_pinned_elsewhere)
{
	pthread_t t;
	pthread_barrier_init(&pinned, NULL, 2);
	pthread_barrier_init(&done, NULL, 2);
	EXPECT(pthread_create(&t, NULL, pinned_bystander, NULL) == 0);
	pthread_barrier_wait(&pinned);
	void *wrong = in_thread(narrowed_start, (void *)(intptr_t)0);
	pthread_barrier_wait(&done);
	pthread_join(t, NULL);
	EXPECT(wrong == NULL);
}

TEST(topology, description_is_loaded_once_for_a_mask)
{
	struct heist_topology a, b;
	EXPECT(heist_topology_init(&a, 2, true, NULL, &plain) == 0);
	struct heist_machine *first = a.machine;
	EXPECT(heist_topology_init(&b, 4, true, NULL, &plain) == 0);
	EXPECT(first != NULL && b.machine == first);
	heist_topology_destroy(&b);
	heist_topology_destroy(&a);
	for (int i = 0; i < 10000; i++) {
		EXPECT(heist_topology_init(&a, 2, true, NULL, &plain) == 0);
		EXPECT(a.machine == first);
		heist_topology_destroy(&a);
	}
}

static void *machine_when_narrowed(void *arg)
{
	struct heist_topology t;
	narrow_to(0);
	if (heist_topology_init(&t, 2, true, NULL, &plain) != 0)
		return NULL;
	*(struct heist_topology *)arg = t;
	return NULL;
}

TEST(topology, changed_mask_loads_anew_and_the_old_description_stays_in_use)
{
	struct heist_topology wide, narrow, again;
	cpu_set_t mask = own_mask();
	EXPECT(heist_topology_init(&wide, 2, true, NULL, &plain) == 0);
	memset(&narrow, 0, sizeof narrow);
	EXPECT(in_thread(machine_when_narrowed, &narrow) == NULL && narrow.machine != NULL);
	EXPECT((narrow.machine == wide.machine) == (CPU_COUNT(&mask) == 1));
	EXPECT(narrow.places[0].cpu == narrow.places[1].cpu);
	EXPECT((wide.places[0].cpu == wide.places[1].cpu) == (CPU_COUNT(&mask) == 1));
	EXPECT(heist_topology_init(&again, 2, true, NULL, &plain) == 0);
	EXPECT((again.machine == narrow.machine) == (CPU_COUNT(&mask) == 1));
	heist_topology_destroy(&narrow);
	EXPECT(heist_topology_bind(&wide, 0) ==
	       0); /* by a description that is not the shared one */
	sched_setaffinity(0, sizeof mask, &mask);
	heist_topology_destroy(&wide);
	heist_topology_destroy(&again);
}

/* Threads with different masks take the shared description from each other. */
static void *start_and_stop(void *rank)
{
	for (int i = 0; i < 20; i++) {
		void *wrong = narrowed_start(rank);
		if (wrong)
			return wrong;
	}
	return NULL;
}

TEST(topology, several_runtimes_start_at_once)
{
	pthread_t threads[4];
	bool right = true;
	for (intptr_t i = 0; i < 4; i++)
		EXPECT(pthread_create(&threads[i], NULL, start_and_stop, (void *)i) == 0);
	for (int i = 0; i < 4; i++) {
		void *wrong;
		pthread_join(threads[i], &wrong);
		right &= wrong == NULL;
	}
	EXPECT(right);
}
