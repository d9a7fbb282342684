/* SPDX-License-Identifier: BSD-2-Clause
 * Faults of the processor: contained in handlers of pure classes, nowhere else.  What must end the process
 * runs in a child process. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/runtime.h"

enum order {
	WORK,
	NULL_WRITE,
	DIVIDE,
	ILLEGAL,
	BUS,
	OVERFLOW,
	LIBC,
	DEEP,
	PANIC,
	BECOME,
	PUSH,
	KEEP,
	UNKEEP,
	HOLD,
	WATCH,
	BLOCK,
	FLOOD,
	RAISE,
	FORK,
	RUNTIME
};

static const heist_type ORDER = { .base = &ORDER, .name = "order", .size = 8, .reply_size = 8 };

static _Atomic long drops;
static void on_drop(void *payload)
{
	(void)payload;
	atomic_fetch_add(&drops, 1);
}
static const heist_drops big_drops = { on_drop, NULL };
static const heist_type BIG = {
	.base = &BIG, .name = "big", .size = 500, .reply_size = 8, .drops = &big_drops
};

static _Atomic long worked, told, inits, stops;
static heist_ref bounded;
static _Atomic int last_how, last_status;
static volatile int zero;
static int *volatile nowhere;

static __attribute__((noinline)) int overflow(int n)
{
	volatile char room[256];
	memset((char *)(uintptr_t)room, n, sizeof room);
	return zero == n + 1 ? 0 : overflow(n + 1) + room[n % 256];
}

static __attribute__((noinline)) void deep(int n)
{
	volatile int here = n;
	if (here == 0)
		*nowhere = 1;
	else
		deep(here - 1);
	zero = here * 0; /* no tail call */
}

static void bus_error(void)
{
	char *p = MAP_FAILED;
	FILE *f = tmpfile();
	if (f)
		p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(f), 0);
	EXPECT(p != MAP_FAILED);
	*p = 1; /* the file is empty */
}

static heist_next other_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	*nowhere = 1;
	return HEIST_CONTINUE;
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)ctx, (void)state, (void)reply, (void)user;
	EXPECT(status == HEIST_ETIMEOUT);
}

/* The question waits, too, until it is too late for it. */
static void ask_itself_and_hold(heist_ctx *ctx)
{
	uint64_t order = WORK;
	EXPECT(heist_ask(ctx, heist_self(ctx), &ORDER, &order, heist_in_ms(heist_system_of(ctx), 2),
			 on_answer, 0) == HEIST_OK);
	EXPECT(heist_hold(ctx) == HEIST_OK);
}

/* The first time; then it is handled. */
static void keep(heist_ctx *ctx, char *kept, void *msg)
{
	if (*kept)
		*nowhere = 1;
	*kept = 1;
	EXPECT(heist_stash(ctx, msg) == HEIST_OK);
}

static void fault_in_a_forked_child(void)
{
	int status;
	pid_t child = fork();
	if (child == 0)
		*nowhere = 1;
	EXPECT(child > 0 && waitpid(child, &status, 0) == child);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

static heist_next pure_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)type;
	memset(state, 1, 8);
	if (*(uint64_t *)msg != WORK && !heist_alloc(ctx, 5000))
		return HEIST_FAIL;
	switch (*(uint64_t *)msg) {
	case NULL_WRITE:
		*nowhere = 1;
		break;
	case DIVIDE:
		zero = 7 / zero;
		break;
	case ILLEGAL:
		__builtin_trap();
	case BUS:
		bus_error();
		break;
	case OVERFLOW:
		zero = overflow(0) * 0;
		break;
	case LIBC:
		memset(nowhere, zero, 100 + (size_t)zero);
		break;
	case DEEP:
		deep(1000);
		break;
	case PANIC:
		heist_panic(ctx, HEIST_EUSER);
	case BECOME:
		heist_become(ctx, other_recv);
		break;
	case PUSH:
		EXPECT(heist_push_behaviour(ctx, other_recv) == HEIST_OK);
		break;
	case KEEP:
		keep(ctx, (char *)state + 8, msg);
		break;
	case UNKEEP:
		EXPECT(heist_unstash(ctx) == 1);
		break;
	case HOLD:
		ask_itself_and_hold(ctx);
		break;
	case WATCH:
		EXPECT(heist_idle_after(ctx, 3600000000000u) == HEIST_OK);
		break;
	case BLOCK:
		EXPECT(heist_blocking_begin(ctx) == HEIST_OK);
		*nowhere = 1;
		break;
	case FLOOD:
		for (uint64_t i = 0; i < 4; i++)
			(void)heist_send(bounded, &ORDER, &i);
		break;
	case RAISE:
		raise(SIGSEGV);
		break;
	case FORK:
		fault_in_a_forked_child();
		break;
	case RUNTIME: /* the fault is in heist_send, or in what it calls */
		(void)heist_send(heist_self(ctx), &ORDER, (char *)nowhere + 64);
		break;
	default:
		break;
	}
	atomic_fetch_add(&worked, 1);
	return HEIST_CONTINUE;
}

static heist_next pure_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)arg;
	EXPECT(*(uint64_t *)state == 0);
	atomic_fetch_add(&inits, 1);
	return HEIST_CONTINUE;
}

static void pure_stop(heist_ctx *ctx, void *state, heist_status why)
{
	(void)ctx, (void)state, (void)why;
	atomic_fetch_add(&stops, 1);
}

static heist_next watcher_signal(heist_ctx *ctx, void *state, const heist_signal *sig)
{
	(void)ctx, (void)state;
	last_how = sig->how;
	last_status = sig->status;
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}

static heist_next faulty_init(heist_ctx *ctx, void *state, const void *arg)
{
	(void)ctx, (void)state, (void)arg;
	*nowhere = 1;
	return HEIST_CONTINUE;
}

static const heist_hooks pure_hooks = { .flags = HEIST_PURE, .init = pure_init, .stop = pure_stop };
static const heist_hooks told_hooks = { .flags = HEIST_PURE, .signal = watcher_signal };
static const heist_hooks bare_hooks = { .flags = HEIST_PURE };
static const heist_hooks init_hooks = { .flags = HEIST_PURE, .init = faulty_init };
static const heist_hooks watcher_hooks = { .signal = watcher_signal };
static const heist_class pure_class = { "pure", HEIST_ABI, 5000, pure_recv, &pure_hooks };
static const heist_class told_class = { "told", HEIST_ABI, 5000, pure_recv, &told_hooks };
static const heist_class bare_class = { "bare", HEIST_ABI, 8, pure_recv, &bare_hooks };
static const heist_class init_class = { "init", HEIST_ABI, 8, pure_recv, &init_hooks };
static const heist_class plain_class = { "plain", HEIST_ABI, 8, pure_recv, NULL };

static heist_config contain(void)
{
	heist_config c = heist_config_default();
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.events = 8;
	c.contain = HEIST_ON;
	return c;
}

static heist_system *start(void)
{
	heist_config c = contain();
	heist_system *s = NULL;
	worked = told = inits = stops = drops = 0;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static heist_stats stats_of(heist_system *s)
{
	heist_stats t = heist_stats_default();
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	return t;
}

/* An actor that spawns one of a class, monitors it and sends it two orders. */
struct plan {
	const heist_class *cls;
	uint64_t first, second;
};
static const heist_type PLAN = { .base = &PLAN, .name = "plan", .size = sizeof(struct plan) };

static heist_next watcher_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	const struct plan *p = msg;
	heist_ref r;
	(void)state, (void)type;
	EXPECT(heist_spawn_monitor(ctx, p->cls, NULL, NULL, &r) == HEIST_OK);
	EXPECT(heist_send(r, &ORDER, &p->first) == HEIST_OK);
	EXPECT(heist_send(r, &ORDER, &p->second) == HEIST_OK);
	return HEIST_CONTINUE;
}
static const heist_class watcher_class = { "watcher", HEIST_ABI, 0, watcher_recv, &watcher_hooks };

static void carry_out(heist_system *s, const heist_class *cls, uint64_t first, uint64_t second)
{
	struct plan p = { cls, first, second };
	EXPECT(heist_send(test_spawn(s, &watcher_class, NULL), &PLAN, &p) == HEIST_OK);
}

/* ---- contained ---- */

static void expect_contained(const heist_class *cls, uint64_t first, uint64_t second)
{
	heist_system *s = start();
	long n = 0;
	for (; n < 20; n++) {
		carry_out(s, cls, first, second);
		EXPECT(wait_for(&told, n + 1));
		EXPECT(last_how == HEIST_EXIT_CRASHED && last_status == HEIST_EFAULT);
	}
	EXPECT(stats_of(s).faults == (uint64_t)n);
	EXPECT(stats_of(s).quarantined >= (uint64_t)n * 5000);
	EXPECT(stops == 0);
	EXPECT(test_balanced(s));
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

TEST(fault, write_to_null)
{
	expect_contained(&pure_class, NULL_WRITE, WORK);
}

TEST(fault, second_message_of_a_batch)
{
	expect_contained(&pure_class, WORK, NULL_WRITE);
}

TEST(fault, without_init_hook)
{
	expect_contained(&bare_class, WORK, NULL_WRITE);
}

TEST(fault, division_by_zero)
{
	expect_contained(&pure_class, DIVIDE, WORK);
}

TEST(fault, illegal_instruction)
{
	expect_contained(&pure_class, ILLEGAL, WORK);
}

TEST(fault, bus_error)
{
	expect_contained(&pure_class, BUS, WORK);
}

TEST(fault, stack_used_up)
{
	expect_contained(&pure_class, OVERFLOW, WORK);
}

TEST(fault, inside_libc)
{
	expect_contained(&pure_class, LIBC, WORK);
}

TEST(fault, deep_in_calls)
{
	expect_contained(&pure_class, DEEP, WORK);
}

TEST(fault, after_become)
{
	expect_contained(&pure_class, BECOME, WORK);
}

TEST(fault, after_push)
{
	expect_contained(&pure_class, PUSH, WORK);
}

TEST(fault, while_silence_is_watched)
{
	expect_contained(&told_class, WATCH, NULL_WRITE);
}

TEST(fault, message_that_was_stashed)
{
	expect_contained(&pure_class, KEEP, UNKEEP);
}

TEST(fault, message_that_was_postponed)
{
	expect_contained(&pure_class, HOLD, OVERFLOW);
}

TEST(fault, in_a_handler_that_says_it_waits)
{
	expect_contained(&pure_class, BLOCK, WORK);
}

static void tell_big(heist_ref to, uint64_t order)
{
	uint64_t msg[63] = { order };
	EXPECT(heist_send(to, &BIG, msg) == HEIST_OK);
}

/* Of the mailbox, and of a lane. */
TEST(fault, drop_function_of_the_message_does_not_run)
{
	heist_system *s = start();
	tell_big(test_spawn(s, &pure_class, NULL), NULL_WRITE);
	heist_ref r = test_spawn(s, &pure_class, NULL);
	tell_big(r, KEEP);
	EXPECT(test_tell(r, &ORDER, UNKEEP) == HEIST_OK);
	EXPECT(test_balanced(s));
	EXPECT(stats_of(s).faults == 2 && heist_lost_count(s, HEIST_LOST_FAILED) == 2);
	EXPECT(drops == 0 && stops == 0);
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

TEST(fault, asker_is_told)
{
	static const struct {
		uint64_t order;
		heist_status status;
	} all[] = { { NULL_WRITE, HEIST_EFAULT },
		    { OVERFLOW, HEIST_EFAULT },
		    { PANIC, HEIST_ECRASH },
		    { WORK, HEIST_ENOREPLY } };
	heist_system *s = start();
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		EXPECT(heist_call(s, test_spawn(s, &pure_class, NULL), &ORDER, &all[i].order, 0,
				  NULL) == all[i].status);
	EXPECT(test_balanced(s));
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

/* What stood before its behaviour, and was below it, does not outlive the incarnation. */
TEST(fault, next_incarnation_begins_with_the_class_s_behaviour)
{
	static const uint64_t orders[] = {
		PUSH, HOLD, WORK, BECOME, WORK, WATCH, NULL_WRITE, WORK
	};
	heist_system *s = start();
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref who, worker;
	child.cls = &told_class;
	sup.intensity = 1000;
	EXPECT(heist_supervise(s, &sup, &who, NULL) == HEIST_OK);
	EXPECT(heist_add_child(s, who, &child, &worker) == HEIST_OK);
	for (int n = 0; n < 20; n++)
		for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
			EXPECT(test_tell(worker, &ORDER, orders[i]) == HEIST_OK);
	/* PUSH; HOLD has a fault there; WORK, BECOME; WORK, the same; WATCH; the write; WORK */
	EXPECT(wait_for(&worked, 20 * 5));
	EXPECT(test_balanced(s));
	EXPECT(worked == 20 * 5 && stats_of(s).faults == 20 * 3);
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

TEST(fault, a_panic_is_still_a_panic)
{
	heist_system *s = start();
	carry_out(s, &pure_class, PANIC, WORK);
	EXPECT(wait_for(&told, 1));
	EXPECT(last_how == HEIST_EXIT_CRASHED && last_status == HEIST_EUSER);
	EXPECT(stops == 1 && stats_of(s).faults == 0 && stats_of(s).quarantined == 0);
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

TEST(fault, supervised_child_starts_again)
{
	heist_system *s = start();
	heist_child child = heist_child_default();
	heist_sup sup = heist_sup_default();
	heist_ref who, worker;
	child.cls = &pure_class;
	sup.intensity = 1000;
	EXPECT(heist_supervise(s, &sup, &who, NULL) == HEIST_OK);
	EXPECT(heist_add_child(s, who, &child, &worker) == HEIST_OK);
	for (uint64_t n = 0; n < 50; n++) {
		EXPECT(test_tell(worker, &ORDER, n % 2 ? OVERFLOW : NULL_WRITE) == HEIST_OK);
		EXPECT(test_tell(worker, &ORDER, WORK) == HEIST_OK);
	}
	EXPECT(wait_for(&worked, 50));
	EXPECT(inits == 51 && stops == 0 && stats_of(s).faults == 50);
	EXPECT(test_balanced(s));
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

/* ---- not contained: the process ends, with a report ---- */

static char report[65536];

/* What the child process wrote to standard error; answers its wait status. */
static int in_child(void (*body)(void))
{
	int ends[2], status;
	size_t n = 0;
	EXPECT(pipe(ends) == 0);
	pid_t child = fork();
	EXPECT(child >= 0);
	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 });
		dup2(ends[1], STDERR_FILENO);
		for (int i = 1; i < 32; i++) /* whatever the test's runner has set up */
			signal(i, SIG_DFL);
		body();
		_exit(0);
	}
	close(ends[1]);
	for (ssize_t got; (got = read(ends[0], report + n, sizeof report - 1 - n)) > 0;)
		n += (size_t)got;
	report[n] = '\0';
	close(ends[0]);
	EXPECT(waitpid(child, &status, 0) == child);
	return status;
}

static void expect_end(void (*body)(void), int signal, const char *reason)
{
	int status = in_child(body);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == signal);
	EXPECT(strstr(report, "not contained") != NULL);
	EXPECT(strstr(report, reason) != NULL);
	EXPECT(strstr(report, "(+0x") != NULL); /* the backtrace */
}

static void run(const heist_class *cls, uint64_t order)
{
	heist_system *s = start();
	(void)test_tell(test_spawn(s, cls, NULL), &ORDER, order);
	test_sleep_ms(60000);
}

static void plain_faults(void)
{
	run(&plain_class, NULL_WRITE);
}

static void runtime_faults(void)
{
	run(&pure_class, RUNTIME);
}

static void init_faults(void)
{
	run(&init_class, WORK);
}

/* Told of the beginning by the sender's handler; of the end, which may be told first, by the receiver's worker. */
static void on_overload(void *user, heist_ref actor, bool on)
{
	(void)user, (void)actor;
	if (on)
		*nowhere = 1;
}

static void hook_of_the_user_faults(void)
{
	heist_config c = contain();
	heist_opts o = heist_opts_default();
	heist_system *s;
	c.overload = on_overload;
	o.mailbox_cap = 100;
	o.overload_high = 2;
	o.overload_low = 1;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	EXPECT(heist_spawn(s, &plain_class, &o, NULL, &bounded) == HEIST_OK);
	(void)test_tell(test_spawn(s, &pure_class, NULL), &ORDER, FLOOD);
	test_sleep_ms(60000);
}

static void signal_is_raised(void)
{
	run(&pure_class, RAISE);
}

static void other_thread_faults(void)
{
	(void)start();
	*nowhere = 1;
}

static void not_asked_for(void)
{
	heist_system *s = test_start(1), *other = start();
	(void)test_tell(test_spawn(s, &pure_class, NULL), &ORDER, NULL_WRITE);
	(void)other;
	test_sleep_ms(60000);
}

TEST(fault, class_that_is_not_pure)
{
	expect_end(plain_faults, SIGSEGV, "HEIST_PURE");
	EXPECT(strstr(report, "plain, message order") != NULL);
	EXPECT(strstr(report, " start ") != NULL); /* the last events */
}

TEST(fault, in_the_runtime)
{
	expect_end(runtime_faults, SIGSEGV, "in the runtime");
}

TEST(fault, in_what_the_runtime_calls)
{
	expect_end(hook_of_the_user_faults, SIGSEGV, "in the runtime");
}

TEST(fault, in_a_hook)
{
	expect_end(init_faults, SIGSEGV, "no handler");
}

TEST(fault, sent_by_somebody)
{
	expect_end(signal_is_raised, SIGSEGV, "was sent");
}

TEST(fault, in_a_child_that_a_handler_has_forked)
{
	heist_system *s = start();
	heist_ref r = test_spawn(s, &pure_class, NULL);
	EXPECT(test_tell(r, &ORDER, FORK) == HEIST_OK && test_tell(r, &ORDER, WORK) == HEIST_OK);
	EXPECT(wait_for(&worked, 2));
	EXPECT(stats_of(s).faults == 0);
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
}

TEST(fault, in_a_thread_of_somebody_else)
{
	expect_end(other_thread_faults, SIGSEGV, "no worker's");
}

/* Its workers block all signals, as without containment: the kernel ends the process at once. */
TEST(fault, in_a_runtime_that_does_not_contain)
{
	int status = in_child(not_asked_for);
	EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

/* ---- handlers of others ---- */

static void on_signal(int signal)
{
	_exit(signal == SIGSEGV ? 42 : 43);
}

static void handler_was_there(void)
{
	signal(SIGSEGV, on_signal);
	run(&plain_class, NULL_WRITE);
}

TEST(fault, handler_from_before_is_called)
{
	int status = in_child(handler_was_there);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 42);
	EXPECT(strstr(report, "not contained") != NULL);
}

TEST(fault, handler_from_before_is_put_back)
{
	struct sigaction before, during, after;
	sigaction(SIGSEGV, NULL, &before);
	heist_system *s = start(), *second = start();
	sigaction(SIGSEGV, NULL, &during);
	EXPECT(during.sa_flags & SA_ONSTACK && during.sa_sigaction != before.sa_sigaction);
	EXPECT(shut_down_within(s, 1000) == HEIST_OK);
	sigaction(SIGSEGV, NULL, &after);
	EXPECT(after.sa_sigaction == during.sa_sigaction);
	EXPECT(shut_down_within(second, 1000) == HEIST_OK);
	sigaction(SIGSEGV, NULL, &after);
	EXPECT(after.sa_sigaction == before.sa_sigaction);
}

TEST(fault, configuration_is_checked)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.contain = (heist_switch)7;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && !s);
	c.contain = HEIST_ON;
	c.mode = HEIST_POLLED;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && !s);
}
