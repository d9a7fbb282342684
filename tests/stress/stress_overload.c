/* SPDX-License-Identifier: BSD-2-Clause
 * Ten producers against one slow consumer with a bound: memory stays what it was, every message that is not taken
 * is told to its sender, and the rest is handled.  Then a long queue is killed from inside: nothing more runs.
 *
 * usage: stress_overload [HANDLED [QUEUED [SECONDS]]]   messages the consumer handles, or, if SECONDS is given,
 * how long it goes on; messages that are killed */
#define UNIT_PLAIN /* no test framework */

#include <heist/heist.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lockfree/seam.h"
#include "tests/support/runtime.h"

#define PRODUCERS 10
#define CAPACITY  1000
#define SLOW	  2000 /* pauses a message, some microseconds */

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };
static _Atomic long handled, victims;
static _Atomic bool over;
static heist_ref consumer;

static heist_next slow_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	for (int i = 0; i < SLOW; i++)
		heist_relax();
	atomic_fetch_add(&handled, 1);
	return HEIST_CONTINUE;
}
static const heist_class slow = { "slow", HEIST_ABI, 0, slow_recv, NULL };

struct producer {
	pthread_t thread;
	uint64_t taken, refused;
};

static void *produce(void *arg)
{
	struct producer *p = arg;
	for (uint64_t n = 0; !atomic_load(&over); n++) {
		heist_status r = heist_send(consumer, &WORD, &n);
		if (r != HEIST_OK && r != HEIST_EFULL)
			abort();
		*(r == HEIST_OK ? &p->taken : &p->refused) += 1;
		if (r == HEIST_EFULL && n % 64 == 0)
			usleep(50); /* what a sender may do that is told */
	}
	return NULL;
}

static long resident(void) /* KiB */
{
	long size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");
	if (!f || fscanf(f, "%ld %ld", &size, &pages) != 2)
		abort();
	fclose(f);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Until that many have been handled; the most memory there was. */
static long watch(long until, time_t end)
{
	long most = 0;
	while (end ? time(NULL) < end : atomic_load(&handled) < until) {
		long now = resident();
		most = now > most ? now : most;
		test_sleep_ms(end ? 100 : 2);
	}
	return most;
}

static bool overload(long messages, time_t seconds)
{
	heist_system *s = test_start(2);
	heist_opts o = heist_opts_default();
	heist_stats t = heist_stats_default();
	struct producer p[PRODUCERS] = { { .taken = 0 } };
	uint64_t taken = 0, refused = 0;
	o.mailbox_cap = CAPACITY;
	EXPECT(heist_spawn(s, &slow, &o, NULL, &consumer) == HEIST_OK);
	for (int i = 0; i < PRODUCERS; i++)
		EXPECT(pthread_create(&p[i].thread, NULL, produce, &p[i]) == 0);
	long before = watch(2 * CAPACITY, 0); /* everything has been used once */
	long most = watch(messages, seconds ? time(NULL) + seconds : 0);
	atomic_store(&over, true);
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(p[i].thread, NULL);
		taken += p[i].taken;
		refused += p[i].refused;
	}
	EXPECT(test_balanced(s) && heist_get_stats(s, &t) == HEIST_OK);
	printf("taken %" PRIu64 ", handled %ld, refused %" PRIu64
	       "; resident %ld KiB, then at most %ld KiB\n",
	       taken, atomic_load(&handled), refused, before, most);
	bool right = t.accepted == taken && (uint64_t)atomic_load(&handled) == taken &&
		     t.refused == refused && refused > 0 && test_lost(&t) == 0;
#if !defined(HEIST_TSAN) && !defined(__SANITIZE_ADDRESS__) /* their own memory grows */
	right = right && most < before + 2048;
#endif
	return heist_shutdown(s, 0) == HEIST_OK && right;
}

/* ---- a long queue ---- */

static heist_next victim_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	(void)msg;
	if (atomic_fetch_add(&victims, 1) == 99)
		EXPECT(heist_kill(heist_self(ctx), HEIST_EKILLED) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class victim = { "victim", HEIST_ABI, 0, victim_recv, NULL };

static void on_log(void *user, const heist_log_line *line)
{
	(void)user, (void)line;
}

static bool long_queue(long queued)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref a;
	c.mode = HEIST_POLLED;
	c.log = on_log;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	a = test_spawn(s, &victim, NULL);
	for (long i = 1; i <= queued; i++)
		EXPECT(test_tell(a, &WORD, (uint64_t)i) == HEIST_OK);
	while (heist_poll(s, 0, 1000) > 0)
		;
	long lost = (long)heist_lost_count(s, HEIST_LOST_STOPPED);
	printf("%ld queued, killed by the handler of number 100: %ld handled, %ld lost\n", queued,
	       atomic_load(&victims), lost);
	return atomic_load(&victims) == 100 && lost == queued - 100 &&
	       heist_shutdown(s, 0) == HEIST_OK;
}

int main(int argc, char **argv)
{
	long messages = argc > 1 ? strtol(argv[1], NULL, 0) : 20000;
	long queued = argc > 2 ? strtol(argv[2], NULL, 0) : 100000;
	time_t seconds = argc > 3 ? (time_t)strtol(argv[3], NULL, 0) : 0;
	bool right = overload(messages, seconds);
	return long_queue(queued) && right ? 0 : 1;
}
