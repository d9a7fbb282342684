/* SPDX-License-Identifier: BSD-2-Clause
 * Hostile arguments: every public function with NULL, stale, foreign and forged handles, sizes that
 * overflow, in wrong places, and after the intake has closed.  Each answers a status and changes nothing.
 *
 * A wrong argument is HEIST_EINVAL where NDEBUG is defined.  Elsewhere it is an abort that names the
 * function: then the call is made in a child, which is why all runtimes here are polled: no threads. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/actor.h"
#include "tests/support/runtime.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 8 };
static const heist_type OTHER = { .base = &OTHER, .name = "other", .size = 8, .reply_size = 8 };
static const heist_type LARGE = { .base = &LARGE, .name = "large", .size = 500, .reply_size = 1 };

static heist_system *sys, *foreign, *closed;
static heist_ref live, dead, abroad, shut; /* shut: alive in the closed runtime */
static int handled;

/* ---- what must not change ---- */

static bool same(const heist_stats *a, const heist_stats *b)
{
	return a->accepted == b->accepted && a->handled == b->handled && a->actors == b->actors &&
	       memcmp(a->lost, b->lost, sizeof a->lost) == 0;
}

static heist_stats look(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	return t;
}

static struct {
	heist_stats sys, foreign, closed;
} before;

static void remember(void)
{
	before.sys = look(sys);
	before.foreign = look(foreign);
	before.closed = look(closed);
}

static bool nothing_changed(void)
{
	heist_stats a = look(sys), b = look(foreign), c = look(closed);
	return same(&a, &before.sys) && same(&b, &before.foreign) && same(&c, &before.closed);
}

/* The call answers that, and changes nothing. */
#define ANSWERS(status, call)                                                                      \
	do {                                                                                       \
		remember();                                                                        \
		EXPECT((call) == (status));                                                        \
		EXPECT(nothing_changed());                                                         \
	} while (0)

/* The arguments are wrong. */
#ifdef NDEBUG
#define REFUSES_WITH(answer, name, call) ANSWERS(answer, call)
#else

/* In the child: standard error into the pipe, and no core. */
static void child_begin(int out)
{
	dup2(out, 2);
	signal(SIGABRT, SIG_DFL);
}

static bool aborted_naming(pid_t child, int in, const char *name)
{
	char text[4096];
	size_t n = 0;
	for (ssize_t got; (got = read(in, text + n, sizeof text - 1 - n)) > 0;)
		n += (size_t)got;
	text[n] = '\0';
	int status;
	EXPECT(waitpid(child, &status, 0) == child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(text, name) != NULL;
}

#define REFUSES_WITH(answer, name, call)                                                           \
	do {                                                                                       \
		int fd[2];                                                                         \
		EXPECT(pipe(fd) == 0);                                                             \
		pid_t child = _Fork(); /* no word to the runtimes: they are to look at the call */ \
		if (child == 0) {                                                                  \
			child_begin(fd[1]);                                                        \
			(void)!(call);                                                             \
			_exit(0);                                                                  \
		}                                                                                  \
		close(fd[1]);                                                                      \
		EXPECT(child > 0 && aborted_naming(child, fd[0], name));                           \
		close(fd[0]);                                                                      \
	} while (0)
#endif
#define REFUSES(function, ...) REFUSES_WITH(HEIST_EINVAL, #function, function(__VA_ARGS__))

/* ---- the scene ---- */

static void drop_nothing(void *payload)
{
	(void)payload;
}

static void (*inside)(heist_ctx *); /* run by the next WORD */

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	handled++;
	if (inside)
		inside(ctx);
	return HEIST_CONTINUE;
}
static const heist_class good = { "good", HEIST_ABI, 0, recv, NULL };

static heist_system *start(heist_ref *r)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	c.max_actors = 1000;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, &good, NULL, NULL, r) == HEIST_OK);
	EXPECT(heist_poll(s, 0, 10) == 1);
	return s;
}

static void begin(void)
{
	inside = NULL;
	handled = 0;
	sys = start(&dead);
	EXPECT(heist_kill(dead, HEIST_OK) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) >= 1);
	EXPECT(heist_spawn(sys, &good, NULL, NULL, &live) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) == 1);
	foreign = start(&abroad);
	closed = start(&shut);
	EXPECT(heist_close(closed) == HEIST_OK);
}

static void end(void)
{
	EXPECT(heist_shutdown(closed, 0) == HEIST_OK);
	EXPECT(heist_shutdown(foreign, 0) == HEIST_OK);
	EXPECT(heist_shutdown(sys, 0) == HEIST_OK);
	uint64_t n = 1; /* of runtimes that have gone */
	EXPECT(heist_send(live, &WORD, &n) == HEIST_EDEAD);
	EXPECT(heist_stop(abroad, HEIST_OK) == HEIST_EDEAD);
	EXPECT(heist_kill(shut, HEIST_OK) == HEIST_EDEAD);
	EXPECT(heist_notify(shut, 1) == HEIST_EDEAD);
}

/* Handles to nobody. */
static heist_ref nobody(int i)
{
	uint32_t id = ref_runtime(live), generation = ref_generation(live), slot = ref_slot(live);
	switch (i) {
	case 1:
		return dead;
	case 2:
		return (heist_ref){ UINT64_MAX };
	case 3:
		return ref_make(id, generation + 1, slot); /* the next actor's */
	case 4:
		return ref_make(id, generation, slot + 1); /* a slot that nobody has used */
	case 5:
		return ref_make(id, generation,
				(uint32_t)REF_MASK); /* a slot that does not exist */
	case 6:
		return ref_make(200, generation, slot); /* no such runtime */
	case 7:
		return ref_make(0, 0, 1);
	default:
		return (heist_ref){ 0 };
	}
}
#define NOBODIES 8

/* ---- runtimes ---- */

static bool on_write(void *user, const char *text, size_t size)
{
	(void)user, (void)text, (void)size;
	return true;
}

static void *no_memory(void *user, size_t size, size_t align)
{
	(void)user, (void)size, (void)align;
	return NULL;
}

static void no_dealloc(void *user, void *p, size_t size)
{
	(void)user, (void)p, (void)size;
}

static heist_config config(void)
{
	heist_config c = heist_config_default();
	c.mode = HEIST_POLLED;
	c.log_level = HEIST_LOG_OFF;
	return c;
}

static heist_status start_with(heist_config c)
{
	heist_system *s = (heist_system *)&c; /* must stay */
	heist_status r = heist_start(&c, &s);
	EXPECT(s == (heist_system *)&c);
	return r;
}

TEST(hostile, configurations)
{
	heist_config c;
	begin();
	REFUSES(heist_start, NULL, NULL);
#define CONFIG(status, change)                                                                     \
	do {                                                                                       \
		c = config();                                                                      \
		change;                                                                            \
		ANSWERS(status, start_with(c));                                                    \
	} while (0)
	CONFIG(HEIST_EINVAL, c.struct_size = 0);
	CONFIG(HEIST_EINVAL, c.struct_size = 3);
	CONFIG(HEIST_EINVAL, c.struct_size = UINT32_MAX);
	CONFIG(HEIST_EINVAL, c.mode = (heist_mode)7);
	CONFIG(HEIST_EINVAL, c.pin = (heist_switch)9);
	CONFIG(HEIST_EINVAL, (c.mode = HEIST_THREADS, c.workers = 257));
	CONFIG(HEIST_EINVAL, (c.mode = HEIST_THREADS, c.workers = UINT32_MAX - 1));
	CONFIG(HEIST_EINVAL, c.batch = 65536);
	CONFIG(HEIST_EINVAL, c.max_actors = (1u << 28) + 1);
	CONFIG(HEIST_EINVAL, c.events = (1u << 20) + 1);
	CONFIG(HEIST_EINVAL, c.threads_max = 65);
	CONFIG(HEIST_EINVAL, c.log_lines = 1u << 17);
	CONFIG(HEIST_EINVAL, c.log_format = (heist_log_format)3);
	for (int level = -1; level < 7; level += 7)
		CONFIG(HEIST_EINVAL, c.log_level = (heist_log_level)level);
	CONFIG(HEIST_EINVAL, c.spare_max = 65);
	CONFIG(HEIST_EINVAL, c.contain = (heist_switch)9);
	CONFIG(HEIST_EINVAL, (c.mode = HEIST_THREADS, c.contain = (heist_switch)UINT32_MAX));
	CONFIG(HEIST_EINVAL, c.contain = HEIST_ON); /* polled */
	CONFIG(HEIST_EINVAL, c.file = "/no/such/file");
	CONFIG(HEIST_EINVAL, c.file = "/proc");
	REFUSES(heist_config_load, NULL);
	REFUSES(heist_config_print, NULL, NULL, NULL);
	c = config();
	c.struct_size = 3;
	ANSWERS(HEIST_EINVAL, heist_config_load(&c));
	ANSWERS(HEIST_EINVAL, heist_config_print(&c, on_write, NULL));
	heist_pool none[2] = { heist_pool_default(), heist_pool_default() };
	none[0].name = none[1].name = "twice";
	CONFIG(HEIST_EINVAL, c.pools = none);
	CONFIG(HEIST_EINVAL, c.pool_count = 1);
	CONFIG(HEIST_EINVAL, (c.pools = none, c.pool_count = 1)); /* polled */
#define POOLS(change)                                                                              \
	CONFIG(HEIST_EINVAL, (c.mode = HEIST_THREADS, c.pools = none, c.pool_count = 2, change))
	POOLS(c.pool_count = 2);
	none[1].name = "other";
	POOLS(c.pool_count = 64);
	POOLS(none[1].workers = 257);
	POOLS(none[1].workers = 256);
	none[1].workers = 0;
	POOLS(none[1].batch = 65536);
	none[1].batch = 0;
	POOLS(none[1].struct_size = 4);
	POOLS(none[1].struct_size = sizeof none[1] + 8); /* all have the same */
	none[1].struct_size = sizeof none[1];
	POOLS(none[0].struct_size = 8);
	POOLS(none[0].struct_size = UINT32_MAX);
	none[0].struct_size = sizeof none[0];
	POOLS(none[1].spare_max = 65);
	none[1].spare_max = 0;
	static const char *const no_cpus[] = { "", "x", "1-0", "99999", "0 1", "-1", "all" };
	for (size_t i = 0; i < sizeof no_cpus / sizeof *no_cpus; i++)
		POOLS(none[1].cpus = no_cpus[i]);
	none[1].cpus = NULL;
	POOLS(none[1].name = NULL);
	POOLS(none[1].name = "");
	POOLS(none[1].name = "a name that has one character more than a name may");
	CONFIG(HEIST_EINVAL, c.alloc = no_memory);
	CONFIG(HEIST_EINVAL, c.dealloc = no_dealloc);
	CONFIG(HEIST_ENOMEM, (c.alloc = no_memory, c.dealloc = no_dealloc));
	end();
}

/* Of programs that were compiled when the options were fewer: what lies behind is not read. */
TEST(hostile, shorter_options)
{
	uint32_t *c = malloc(8), *o = malloc(8); /* struct_size and one field */
	heist_ref r;
	begin();
	c[0] = o[0] = 8;
	c[1] = HEIST_POLLED;
	o[1] = 1; /* worker */
	heist_system *s;
	EXPECT(heist_start((heist_config *)(void *)c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, &good, (heist_opts *)(void *)o, NULL, &r) == HEIST_OK);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	free(c);
	free(o);
	end();
}

TEST(hostile, runtimes)
{
	heist_stats t = heist_stats_default();
	begin();
	REFUSES(heist_close, NULL);
	REFUSES(heist_shutdown, NULL, 0);
	REFUSES(heist_get_stats, NULL, &t);
	REFUSES(heist_trim, NULL);
	REFUSES(heist_get_stats, sys, NULL);
	t.struct_size = 0;
	REFUSES(heist_get_stats, sys, &t);
	heist_worker_stats one = heist_worker_stats_default();
	REFUSES(heist_get_worker_stats, NULL, 0, &one);
	REFUSES(heist_get_worker_stats, sys, 0, NULL);
	ANSWERS(HEIST_EINVAL, heist_get_worker_stats(sys, 1, &one));
	ANSWERS(HEIST_EINVAL, heist_get_worker_stats(sys, UINT32_MAX, &one));
	one.struct_size = 0;
	REFUSES(heist_get_worker_stats, sys, 0, &one);
	heist_class_stats *of = calloc(1, sizeof *of);
	EXPECT(of != NULL);
	REFUSES(heist_get_class_stats, sys, 0, of);
	of->struct_size = sizeof *of;
	REFUSES(heist_get_class_stats, NULL, 0, of);
	REFUSES(heist_get_class_stats, sys, 0, NULL);
	ANSWERS(HEIST_EINVAL, heist_get_class_stats(sys, 0, of)); /* nothing is measured */
	ANSWERS(HEIST_EINVAL, heist_get_class_stats(sys, UINT32_MAX, of));
	ANSWERS(0, heist_quantile(&of->run_ns, 1));
	of->run_ns.count = of->run_ns.bucket[3] = UINT64_MAX; /* forged */
	ANSWERS(3, heist_quantile(&of->run_ns, 1));
	of->run_ns.bucket[3] = 0;
	ANSWERS(((uint64_t)1 << 40) - 1, heist_quantile(&of->run_ns, 0));
	REFUSES_WITH(0, "heist_quantile", heist_quantile(&of->run_ns, -0.1));
	REFUSES_WITH(0, "heist_quantile", heist_quantile(&of->run_ns, 1.1));
	REFUSES_WITH(0, "heist_quantile", heist_quantile(&of->run_ns, (double)NAN));
	REFUSES_WITH(0, "heist_quantile", heist_quantile(NULL, 0.5));
	free(of);
	REFUSES_WITH(0, "heist_get_stats", heist_lost_count(NULL, HEIST_LOST_DEAD));
	ANSWERS(0, heist_lost_count(sys, (heist_cause)-1));
	ANSWERS(0, heist_lost_count(sys, HEIST_CAUSES));
	ANSWERS(HEIST_OK, heist_close(closed)); /* twice is as good as once */
	REFUSES_WITH(0, "heist_lost_types", heist_lost_types(NULL, NULL, 0));
	REFUSES(heist_metrics, NULL, on_write, NULL);
	REFUSES(heist_metrics, sys, NULL, NULL);
	REFUSES_WITH(0, "heist_stragglers", heist_stragglers(NULL, NULL, 0));
	REFUSES_WITH(0, "heist_stragglers", heist_stragglers(sys, NULL, 1));
	REFUSES_WITH(0, "heist_lost_types", heist_lost_types(sys, NULL, 1));
	REFUSES(heist_dump_events, NULL, 1);
	REFUSES(heist_log_dump, NULL, 1);
	REFUSES(heist_log, NULL, HEIST_LOG_WARN, "a");
	REFUSES(heist_log_for, NULL, HEIST_LOG_WARN, "a");
	const char *no_text = NULL;
	REFUSES(heist_log_for, sys, HEIST_LOG_WARN, no_text, 1);
	static const int no_levels[] = { -1, HEIST_LOG_DEFAULT, HEIST_LOG_OFF, 6 };
	for (size_t i = 0; i < sizeof no_levels / sizeof *no_levels; i++)
		REFUSES(heist_log_for, sys, (heist_log_level)no_levels[i], "a");
	REFUSES(heist_set_log_level, NULL, HEIST_LOG_WARN);
	REFUSES(heist_set_log_level, sys, HEIST_LOG_DEFAULT);
	REFUSES(heist_set_log_level, sys, (heist_log_level)6);
	REFUSES(heist_blocking_begin, NULL);
	REFUSES(heist_blocking_end, NULL);
	ANSWERS(HEIST_EINVAL, heist_dump_events(sys, -1));
	EXPECT(heist_wall_now(NULL) > 0);
	EXPECT(heist_now(NULL) > 0 && heist_in_ms(NULL, UINT32_MAX) > heist_now(NULL));
	REFUSES(heist_poll, NULL, 0, 1);
	REFUSES(heist_poll, sys, 0, -1);
	REFUSES(heist_poll_fd, NULL);
	ANSWERS(0, heist_poll(sys, 0, 0));
	ANSWERS(0, heist_poll_deadline(NULL));
	for (int i = -2000; i < 100; i += 7)
		EXPECT(heist_strstatus((heist_status)i) && heist_strcause((heist_cause)i));
	end();
}

TEST(hostile, a_runtime_with_threads_is_not_polled)
{
	heist_system *s = test_start(1);
#ifdef NDEBUG
	EXPECT(heist_poll(s, 0, 1) == HEIST_EINVAL && heist_poll_fd(s) == HEIST_EINVAL);
#endif
	EXPECT(heist_poll_deadline(s) == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- actors ---- */

static heist_next begins(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	return HEIST_CONTINUE;
}

static const heist_hooks wants = { .arg_size = 8 };
static const heist_hooks takes = { .arg_size = 8, .init = begins };
static const heist_hooks flagged = { .flags = HEIST_PURE | HEIST_TRAP_LINKS << 30 };
static const heist_hooks pure = { .flags = HEIST_PURE };

TEST(hostile, spawns)
{
	static const heist_class old = { "old", HEIST_ABI + 1, 0, recv, NULL };
	static const heist_class deaf = { "deaf", HEIST_ABI, 0, NULL, NULL };
	static const heist_class eager = { "eager", HEIST_ABI, 0, recv, &wants };
	static const heist_class later = { "later", HEIST_ABI, 0, recv, &flagged };
	static const heist_class taker = { "taker", HEIST_ABI, 0, recv, &takes };
	heist_opts o = heist_opts_default();
	heist_child spec = heist_child_default();
	heist_ref out = { 77 };
	uint64_t n = 1;
	begin();
	REFUSES(heist_spawn, NULL, &good, NULL, NULL, &out);
	REFUSES(heist_spawn, sys, NULL, NULL, NULL, &out);
	REFUSES(heist_spawn, sys, &good, NULL, NULL, NULL);
	REFUSES(heist_spawn, sys, &old, NULL, NULL, &out);
	REFUSES(heist_spawn, sys, &deaf, NULL, NULL, &out);
	REFUSES(heist_spawn, sys, &eager, NULL, NULL, &out);
	REFUSES(heist_spawn, sys, &later, NULL, NULL, &out);
	o.worker = 2; /* it has one */
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o.worker = UINT32_MAX;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.batch = 65536;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.overflow = HEIST_REDIRECT; /* to nobody, and abroad */
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o.redirect = abroad;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.redirect = live; /* without HEIST_REDIRECT */
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.overload_high = o.overload_low = 5;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o.overload_high = 1u << 27;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.struct_size = 3;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.own_thread = HEIST_ON; /* polled: there are no threads */
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o.own_thread = (heist_switch)9;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.priority = (heist_priority)2;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o.priority = HEIST_BACKGROUND;
	o.worker = 1;
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.pool = "nowhere";
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o.worker = 1; /* and a pool */
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	o = heist_opts_default();
	o.arg_type = &WORD; /* without an argument, without init, of a child */
	REFUSES(heist_spawn, sys, &good, &o, NULL, &out);
	REFUSES(heist_spawn, sys, &eager, &o, &n, &out);
	spec.cls = &taker;
	spec.opts = &o;
	spec.arg = &n;
	REFUSES(heist_add_child, sys, live, &spec, &out);
	o.arg_type = &LARGE;
	REFUSES(heist_spawn, sys, &taker, &o, &n, &out);
	ANSWERS(HEIST_ECLOSED, heist_spawn(closed, &good, NULL, NULL, &out));
	EXPECT(out.v == 77);
	end();
}

/* Where nothing is contained a class may say that it could be. */
TEST(hostile, a_pure_class_in_a_runtime_that_contains_nothing)
{
	static const heist_class cls = { "pure", HEIST_ABI, 0, recv, &pure };
	uint64_t n = 1;
	heist_ref r;
	begin();
	EXPECT(heist_spawn(sys, &cls, NULL, NULL, &r) == HEIST_OK);
	EXPECT(heist_send(r, &WORD, &n) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) >= 1 && handled == 1);
	EXPECT(look(sys).faults == 0 && look(sys).quarantined == 0);
	EXPECT(heist_kill(r, HEIST_OK) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) >= 1);
	end();
}

TEST(hostile, handles)
{
	uint64_t n = 1;
	begin();
	for (int i = 0; i < NOBODIES; i++) {
		heist_ref r = nobody(i);
		void *msg = heist_new(sys, &WORD, 0);
		ANSWERS(HEIST_EDEAD, heist_send(r, &WORD, &n));
		ANSWERS(HEIST_EDEAD, heist_stop(r, HEIST_OK));
		ANSWERS(HEIST_EDEAD, heist_kill(r, HEIST_OK));
		ANSWERS(HEIST_EDEAD, heist_notify(r, 1));
		ANSWERS(HEIST_EDEAD, heist_send_urgent(r, &WORD, &n));
		if (r.v == 0 || ref_runtime(r) == ref_runtime(live)) {
			void *kept = msg;
			ANSWERS(HEIST_EDEAD, heist_post(r, &msg));
			EXPECT(msg == kept);
		} else {
			REFUSES(heist_post, r, &msg);
			EXPECT(msg != NULL);
		}
		heist_discard(&msg);
	}
	ANSWERS(HEIST_ECLOSED, heist_send(shut, &WORD, &n));
	end();
}

TEST(hostile, names)
{
	char longest[HEIST_NAME_MAX + 2];
	memset(longest, 'x', sizeof longest);
	longest[HEIST_NAME_MAX + 1] = '\0';
	const char *bad[] = { NULL, "", " ", "two words", "ä", "new\nline", longest };
	begin();
	REFUSES(heist_register, NULL, "name", live);
	for (int i = 0; i < 7; i++)
		REFUSES(heist_register, sys, bad[i], live);
	REFUSES(heist_register, sys, "name", abroad);
	ANSWERS(HEIST_EDEAD, heist_register(sys, "name", dead));
	REFUSES(heist_unregister, NULL, "name");
	REFUSES(heist_unregister, sys, NULL);
	ANSWERS(HEIST_EDEAD, heist_unregister(sys, "name"));
	ANSWERS(HEIST_EDEAD, heist_unregister(sys, longest));
	EXPECT(heist_whereis(NULL, "name").v == 0 && heist_whereis(sys, NULL).v == 0);
	EXPECT(heist_whereis(sys, "name").v == 0 && heist_whereis(sys, longest).v == 0);
	ANSWERS(HEIST_ECLOSED, heist_register(closed, "name", shut));
	end();
}

TEST(hostile, groups)
{
	static const heist_type change = { .base = &change,
					   .name = "change",
					   .size = sizeof(heist_member_event),
					   .reply_size = 1 };
	heist_ref out[1] = { { 77 } };
	begin();
	REFUSES(heist_group_join, NULL, "g", live);
	REFUSES(heist_group_join, sys, NULL, live);
	REFUSES(heist_group_join, sys, "two words", live);
	REFUSES(heist_group_join, sys, "g", abroad);
	REFUSES(heist_group_leave, NULL, "g", live);
	REFUSES(heist_group_leave, sys, "", live);
	REFUSES(heist_subscribe, sys, "g", abroad);
	REFUSES(heist_subscribe, NULL, "g", live);
	REFUSES(heist_unsubscribe, sys, NULL, live);
	REFUSES(heist_group_watch, sys, "g", live, NULL, 0);
	REFUSES(heist_group_watch, sys, "g", live, &WORD, 0);
	REFUSES(heist_group_watch, sys, "g", abroad, &change, 0);
	REFUSES(heist_group_unwatch, sys, "g", abroad);
	for (int i = 0; i < NOBODIES; i++) {
		heist_ref r = nobody(i);
		if (r.v && ref_runtime(r) != ref_runtime(live))
			continue;
		ANSWERS(HEIST_EDEAD, heist_group_join(sys, "g", r));
		ANSWERS(HEIST_EDEAD, heist_group_leave(sys, "g", r));
		ANSWERS(HEIST_EDEAD, heist_group_watch(sys, "g", r, &change, 0));
		ANSWERS(HEIST_EDEAD, heist_group_unwatch(sys, "g", r));
		ANSWERS(HEIST_EDEAD, heist_subscribe(sys, "g", r));
	}
	REFUSES_WITH(0, "heist_group_members", heist_group_members(NULL, "g", out, 1));
	REFUSES_WITH(0, "heist_group_members", heist_group_members(sys, NULL, out, 1));
	REFUSES_WITH(0, "heist_subscribers", heist_subscribers(sys, "g", NULL, 1));
	ANSWERS(0, heist_group_members(sys, "g", out, 1));
	ANSWERS(HEIST_ECLOSED, heist_group_join(closed, "g", shut));
	ANSWERS(HEIST_EDEAD, heist_group_leave(closed, "g", shut));
	EXPECT(out[0].v == 77);
	end();
}

TEST(hostile, pools)
{
	heist_child spec = heist_child_default();
	begin();
	REFUSES_WITH(0, "heist_pick", heist_pick(NULL, "g", HEIST_RANDOM, 0).v);
	REFUSES_WITH(0, "heist_pick", heist_pick(sys, NULL, HEIST_RANDOM, 0).v);
	REFUSES_WITH(0, "heist_pick", heist_pick(sys, "g", (heist_route)4, 0).v);
	ANSWERS(0, heist_pick(sys, "g", HEIST_RANDOM, 0).v);
	REFUSES(heist_resize, NULL, live, "g", &spec, 1);
	REFUSES(heist_resize, sys, abroad, "g", &spec, 1);
	REFUSES(heist_resize, sys, live, NULL, &spec, 1);
	REFUSES(heist_resize, sys, live, "two words", &spec, 1);
	REFUSES(heist_resize, sys, live, "g", NULL, 1);
	REFUSES_WITH(HEIST_EINVAL, "heist_add_child", heist_resize(sys, live, "g", &spec, 1));
	ANSWERS(HEIST_EDEAD, heist_resize(sys, dead, "g", &spec, 1));
	ANSWERS(HEIST_EDEAD, heist_resize(sys, (heist_ref){ 0 }, "g", &spec, 1));
	end();
}

TEST(hostile, paths)
{
	const char *bad[] = { NULL, "", "a", "/", "//a", "/a/", "/a/***", "/a*", "/*a", "/a b" };
	char deep[80] = "";
	heist_child c = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref out = { 77 };
	uint64_t n = 1;
	for (int i = 0; i < 33; i++)
		strcat(deep, "/x");
	begin();
	REFUSES_WITH(0, "heist_select", heist_select(NULL, "/a", NULL, 0));
	REFUSES_WITH(0, "heist_select", heist_select(sys, "/a", NULL, 1));
	for (int i = 0; i < 10; i++) {
		REFUSES_WITH(0, "heist_select", heist_select(sys, bad[i], &out, 1));
		REFUSES(heist_send_path, sys, bad[i], &WORD, &n, NULL);
	}
	REFUSES_WITH(0, "heist_select", heist_select(sys, deep, &out, 1));
	ANSWERS(0, heist_select(sys, deep + 2, &out, 1));
	REFUSES(heist_send_path, NULL, "/a", &WORD, &n, NULL);
	REFUSES(heist_send_path, sys, "/a", NULL, &n, NULL);
	ANSWERS(HEIST_OK, heist_send_path(sys, "/a", &WORD, &n, NULL));
	c.cls = &good;
	c.name = sup.name = "a/b";
	REFUSES(heist_add_child, sys, live, &c, &out);
	REFUSES(heist_supervise, sys, &sup, &out, NULL);
	c.name = sup.name = "";
	REFUSES(heist_add_child, sys, live, &c, &out);
	REFUSES(heist_supervise, sys, &sup, &out, NULL);
	EXPECT(out.v == 77);
	end();
}

static void on_answers(heist_ctx *ctx, void *state, const heist_answer *answers, uint32_t n,
		       uint64_t user)
{
	(void)ctx, (void)state, (void)answers, (void)n, (void)user;
}

static void asks_all(heist_ctx *ctx)
{
	static const heist_drops drops = { drop_nothing, NULL };
	static const heist_type owner = {
		.base = &owner, .name = "owner", .size = 8, .reply_size = 1, .drops = &drops
	};
	uint64_t n = 1;
	REFUSES(heist_ask_all, ctx, NULL, 1, 0, &WORD, &n, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, 0, 0, &WORD, &n, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, UINT32_MAX, 0, &WORD, &n, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, 1, 2, &WORD, &n, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, 1, 0, NULL, &n, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, 1, 0, &WORD, NULL, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, 1, 0, &owner, &n, 0, on_answers, 0);
	REFUSES(heist_ask_all, ctx, &live, 1, 0, &WORD, &n, 0, NULL, 0);
	REFUSES(heist_ask_all, ctx, &abroad, 1, 0, &WORD, &n, 0, on_answers, 0);
}

TEST(hostile, requests_to_many)
{
	uint64_t n = 1;
	begin();
	REFUSES(heist_ask_all, NULL, &live, 1, 0, &WORD, &n, 0, on_answers, 0);
	inside = asks_all;
	EXPECT(heist_send(live, &WORD, &n) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) == 1 && handled == 1);
	inside = NULL;
	end();
}

TEST(hostile, messages_for_many)
{
	static const heist_drops drops = { drop_nothing, NULL };
	static const heist_type owner = {
		.base = &owner, .name = "owner", .size = 8, .reply_size = 1, .drops = &drops
	};
	heist_tally t = heist_tally_default(), unsized = { 0 };
	uint64_t n = 1;
	begin();
	REFUSES(heist_group_send, NULL, "g", &WORD, &n, NULL);
	REFUSES(heist_group_send, sys, NULL, &WORD, &n, NULL);
	REFUSES(heist_group_send, sys, "g", NULL, &n, NULL);
	REFUSES(heist_group_send, sys, "g", &WORD, NULL, NULL);
	REFUSES(heist_group_send, sys, "g", &owner, &n, NULL);
	REFUSES(heist_group_send, sys, "g", &WORD, &n, &unsized);
	REFUSES(heist_publish, sys, NULL, &WORD, &n, NULL);
	REFUSES(heist_publish, sys, "g", &owner, &n, NULL);
	REFUSES(heist_send_all, sys, NULL, 1, &WORD, &n, NULL);
	REFUSES(heist_send_all, sys, &abroad, 1, &WORD, &n, NULL);
	REFUSES(heist_send_all, sys, &live, SIZE_MAX, &WORD, &n, NULL);
	ANSWERS(HEIST_OK, heist_send_all(sys, NULL, 0, &WORD, &n, &t));
	ANSWERS(HEIST_EDEAD, heist_send_all(sys, &dead, 1, &WORD, &n, &t));
	EXPECT(t.tried == 1 && t.dead == 1);
	ANSWERS(HEIST_ECLOSED, heist_send_all(closed, &shut, 1, &WORD, &n, &t));
	EXPECT(t.tried == 1 && t.closed == 1);
	end();
}

/* ---- messages ---- */

TEST(hostile, messages)
{
	uint64_t n = 1;
	void *none = NULL, *small, *large;
	begin();
	REFUSES(heist_send, live, NULL, &n);
	REFUSES(heist_send, live, &WORD, NULL);
	REFUSES(heist_post, live, NULL);
	REFUSES(heist_post, live, &none);
	EXPECT(heist_new(NULL, &WORD, 0) == NULL && heist_new(sys, NULL, 0) == NULL);
	const size_t overflowing[] = { SIZE_MAX, SIZE_MAX - 8, SIZE_MAX - 31, SIZE_MAX - 64 };
	for (int i = 0; i < 4; i++)
		ANSWERS(NULL, heist_new(sys, &WORD, overflowing[i]));
	heist_discard(NULL);
	heist_discard(&none);
	small = heist_new(sys, &WORD, 0);
	large = heist_new(sys, &LARGE, 0);
	EXPECT(small && large);
	REFUSES(heist_post, abroad, &small);
	REFUSES(heist_post, abroad, &large);
	REFUSES(heist_post, shut, &large);
	EXPECT(small && large);
	heist_discard(&small);
	heist_discard(&large);
	small = heist_new(closed, &WORD, 0);
	EXPECT(small != NULL); /* memory is not work */
	ANSWERS(HEIST_ECLOSED, heist_post(shut, &small));
	EXPECT(small != NULL);
	heist_discard(&small);
	end();
}

TEST(hostile, calls_and_tokens)
{
	uint64_t n = 1, out = 77;
	begin();
	REFUSES(heist_call, NULL, live, &WORD, &n, 0, &out);
	REFUSES(heist_call, sys, live, NULL, &n, 0, &out);
	REFUSES(heist_call, sys, live, &WORD, NULL, 0, &out);
	REFUSES(heist_call, sys, abroad, &WORD, &n, 0, &out);
	ANSWERS(HEIST_EDEAD, heist_call(sys, (heist_ref){ 0 }, &WORD, &n, 0, &out));
	ANSWERS(HEIST_ECLOSED, heist_call(closed, shut, &WORD, &n, 0, &out));
	EXPECT(heist_call(sys, dead, &WORD, &n, 0, &out) == HEIST_EDEAD);
	EXPECT(heist_call(sys, live, &WORD, &n, 1, &out) == HEIST_ETIMEOUT);
	EXPECT(out == 77 && handled == 0);
	for (int i = 0; i < NOBODIES; i++) {
		heist_token t = { { nobody(i).v, UINT64_MAX, 0 } };
		uint64_t lost = heist_lost_count(sys, HEIST_LOST_LATE);
		heist_status r = heist_reply_to(t, HEIST_OK, &WORD, &n);
		/* nobody of this runtime: a loss that is counted, as of any late reply */
		EXPECT(r == HEIST_EDEAD || heist_lost_count(sys, HEIST_LOST_LATE) == lost + 1);
	}
	heist_token t = { { live.v, 5, 0 } }; /* never asked: late, too */
	EXPECT(heist_reply_to(t, HEIST_OK, &WORD, &n) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) >= 0 && handled == 0);
	REFUSES(heist_reply_to, t, HEIST_OK, NULL, &n);
	REFUSES(heist_reply_to, t, HEIST_OK, &WORD, NULL);
	REFUSES(heist_reply_to, t, (heist_status)1, &WORD, &n);
	t.v[0] = shut.v;
	ANSWERS(HEIST_ECLOSED, heist_reply_to(t, HEIST_OK, &WORD, &n));
	EXPECT(test_balanced(sys));
	end();
}

/* ---- inside a handler ---- */

static void run_inside(void (*what)(heist_ctx *))
{
	uint64_t n = 1;
	begin();
	inside = what;
	EXPECT(heist_send(live, &WORD, &n) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) == 1 && handled == 1);
	inside = NULL;
	end();
}

static void k(heist_ctx *ctx, void *state, heist_status st, const void *reply, uint64_t user)
{
	(void)ctx, (void)state, (void)st, (void)reply, (void)user;
	EXPECT(!"the continuation of a refused request");
}

static void wrong_places(heist_ctx *ctx)
{
	uint64_t n = 1;
	(void)ctx;
	REFUSES(heist_call, sys, live, &WORD, &n, 0, NULL);
	REFUSES(heist_shutdown, sys, 0);
	REFUSES(heist_shutdown, foreign, 0);
	REFUSES(heist_poll, sys, 0, 1);
	REFUSES(heist_poll, foreign, 0, 1);
}

TEST(hostile, what_waits_is_refused_inside_a_handler)
{
	run_inside(wrong_places);
}

static void wrong_requests(heist_ctx *ctx)
{
	uint64_t n = 1;
	heist_ref none = { 0 };
	REFUSES(heist_ask, NULL, live, &WORD, &n, 0, k, 0);
	REFUSES(heist_ask, ctx, live, NULL, &n, 0, k, 0);
	REFUSES(heist_ask, ctx, live, &WORD, NULL, 0, k, 0);
	REFUSES(heist_ask, ctx, live, &WORD, &n, 0, NULL, 0);
	REFUSES(heist_ask, ctx, abroad, &WORD, &n, 0, k, 0);
	ANSWERS(HEIST_EDEAD, heist_ask(ctx, none, &WORD, &n, 0, k, 0));
	ANSWERS(HEIST_EDEAD, heist_ask(ctx, dead, &WORD, &n, 0, k, 0));
	ANSWERS(HEIST_ETIMEOUT, heist_ask(ctx, live, &WORD, &n, 1, k, 0));
	REFUSES(heist_reply, NULL, HEIST_OK, &WORD, &n);
	REFUSES(heist_reply, ctx, HEIST_OK, NULL, &n);
	REFUSES(heist_reply, ctx, HEIST_OK, &WORD, NULL);
	ANSWERS(HEIST_EINVAL, heist_reply(ctx, HEIST_OK, &WORD, &n)); /* nobody asked */
	ANSWERS(HEIST_EINVAL, heist_reply(ctx, HEIST_OK, &OTHER, &n));
	EXPECT(heist_reply_later(ctx, &WORD).v[0] == 0);
	EXPECT(heist_reply_later(ctx, NULL).v[0] == 0);
	EXPECT(heist_reply_later(NULL, &WORD).v[0] == 0);
}

TEST(hostile, requests)
{
	run_inside(wrong_requests);
}

static void wrong_bonds(heist_ctx *ctx)
{
	heist_ref out = { 77 };
	REFUSES(heist_monitor, NULL, live);
	REFUSES(heist_monitor, ctx, live); /* itself, and it has no signal hook */
	REFUSES(heist_monitor, ctx, abroad);
	REFUSES(heist_demonitor, NULL, live);
	REFUSES(heist_link, NULL, live);
	REFUSES(heist_link, ctx, live);
	REFUSES(heist_link, ctx, abroad);
	REFUSES(heist_unlink, NULL, live);
	REFUSES(heist_spawn_child, NULL, &good, NULL, NULL, &out);
	REFUSES(heist_spawn_child, ctx, NULL, NULL, NULL, &out);
	REFUSES(heist_spawn_child, ctx, &good, NULL, NULL, NULL);
	REFUSES(heist_spawn_monitor, NULL, &good, NULL, NULL, &out);
	REFUSES(heist_spawn_monitor, ctx, &good, NULL, NULL, &out);
	for (int i = 0; i < NOBODIES; i++) {
		ANSWERS(HEIST_EDEAD, heist_demonitor(ctx, nobody(i)));
		ANSWERS(HEIST_EDEAD, heist_unlink(ctx, nobody(i)));
	}
	EXPECT(out.v == 77);
}

TEST(hostile, bonds)
{
	run_inside(wrong_bonds);
}

static void on_drop(void *payload)
{
	(void)payload;
}

static void wrong_timers(heist_ctx *ctx)
{
	static const heist_drops drops = { on_drop, NULL };
	static const heist_type OWNED = {
		.base = &OWNED, .name = "owned", .size = 8, .reply_size = 1, .drops = &drops
	};
	const heist_pace rate = HEIST_FIXED_RATE;
	uint64_t n = 1;
	heist_timer t, forged;
	memset(&forged, 0xff, sizeof forged);
	memset(&t, 0x77, sizeof t);
	heist_timer untouched = t;
	REFUSES(heist_send_after, NULL, live, &WORD, &n, 1, &t);
	REFUSES(heist_send_after, ctx, live, NULL, &n, 1, &t);
	REFUSES(heist_send_after, ctx, live, &WORD, NULL, 1, &t);
	REFUSES(heist_send_after, ctx, (heist_ref){ 0 }, &WORD, &n, 1, &t);
	REFUSES(heist_send_every, NULL, live, &WORD, &n, 1, 1, rate, &t);
	REFUSES(heist_send_every, ctx, live, &WORD, &n, 1, 0, rate, &t);
	REFUSES(heist_send_every, ctx, live, &OWNED, &n, 1, 1, rate, &t);
	REFUSES(heist_send_at, NULL, live, &WORD, &n, 1, &t);
	REFUSES(heist_send_at, ctx, live, NULL, &n, 1, &t);
	REFUSES(heist_cancel, NULL, forged);
	ANSWERS(HEIST_EDEAD, heist_cancel(ctx, forged));
	ANSWERS(HEIST_EDEAD, heist_cancel(ctx, (heist_timer){ 0 }));
	EXPECT(memcmp(&t, &untouched, sizeof t) == 0);
}

TEST(hostile, timers)
{
	run_inside(wrong_timers);
}

static heist_next behaves(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	return HEIST_CONTINUE;
}

static heist_ctx *escaped;

static void wrong_lines(heist_ctx *ctx)
{
	const char *no_text = NULL;
	escaped = ctx;
	REFUSES(heist_log, ctx, HEIST_LOG_WARN, no_text, 1);
	REFUSES(heist_log, ctx, HEIST_LOG_OFF, "a");
	REFUSES(heist_log, ctx, (heist_log_level)6, "a");
}

TEST(hostile, lines)
{
	uint64_t n = 1;
	begin();
	inside = wrong_lines;
	EXPECT(heist_send(live, &WORD, &n) == HEIST_OK);
	EXPECT(heist_poll(sys, 0, 10) == 1 && handled == 1);
	inside = NULL;
	REFUSES(heist_log, escaped, HEIST_LOG_WARN, "from no handler");
	end();
}

static void wrong_lanes(heist_ctx *ctx)
{
	uint64_t n[16] = { 1 };
	REFUSES(heist_stash, NULL, n);
	REFUSES(heist_stash, ctx, NULL);
	REFUSES(heist_stash, ctx, &n[8]); /* not the message */
	EXPECT(heist_unstash(NULL) == 0 && heist_unstash(ctx) == 0);
	EXPECT(heist_stashed(NULL) == 0 && heist_stashed(ctx) == 0);
	REFUSES(heist_push_behaviour, NULL, behaves);
	REFUSES(heist_push_behaviour, ctx, NULL);
	REFUSES(heist_pop_behaviour, NULL);
	ANSWERS(HEIST_EDEAD, heist_pop_behaviour(ctx));
	REFUSES(heist_hold, NULL);
	ANSWERS(HEIST_EDEAD, heist_hold(ctx));
	REFUSES(heist_idle_after, NULL, 1);
	REFUSES(heist_idle_after, ctx, 1); /* no signal hook */
	REFUSES(heist_send_urgent, live, NULL, n);
	REFUSES(heist_send_urgent, live, &WORD, NULL);
}

TEST(hostile, lanes)
{
	run_inside(wrong_lanes);
}

static void wrong_contexts(heist_ctx *ctx)
{
	uint64_t n[4] = { 1, 2, 3, 4 };
	remember();
	EXPECT(heist_self(NULL).v == 0 && heist_system_of(NULL) == NULL);
	EXPECT(heist_deadline(NULL) == 0 && heist_recent(NULL) == 0 && heist_out_of_budget(NULL));
	EXPECT(heist_take(NULL, n) == NULL && heist_take(ctx, NULL) == NULL);
	EXPECT(heist_alloc(NULL, 8) == NULL && heist_allocated(NULL) == 0);
	EXPECT(heist_alloc(ctx, SIZE_MAX) == NULL && heist_alloc(ctx, SIZE_MAX - 100) == NULL);
	EXPECT(heist_allocated(ctx) == 0);
	heist_become(NULL, recv);
	heist_become(ctx, NULL);
	EXPECT(heist_unhandled(NULL, NULL, &WORD, n) == HEIST_CONTINUE);
	EXPECT(heist_unhandled(ctx, NULL, NULL, n) == HEIST_CONTINUE);
	EXPECT(nothing_changed());
}

TEST(hostile, contexts)
{
	run_inside(wrong_contexts);
}
