/* SPDX-License-Identifier: BSD-2-Clause
 * seam.c - the seam's bodies: fences, futex, threads, events, a clock that runs as the search likes. */
#include "lockfree/seam.h"

#include "lockfree/check.h"
#include "lockfree/seam_trace.h"
#include "tests/check/engine.h"

#define HERE __builtin_return_address(0)

/* ---- faults: a model has none, the crash of its code is a failure (explore.c) ---- */

int heist_faults_catch(heist_fault_fn *told)
{
	(void)told;
	return -1;
}

void heist_faults_release(void)
{
}

int heist_faults_thread(void *stack, size_t size)
{
	(void)stack, (void)size;
	return -1;
}

void heist_faults_leave(void)
{
}

bool heist_fault_below(const struct heist_fault *f, const void *function)
{
	(void)f, (void)function;
	return false;
}

void heist_fault_backtrace(const struct heist_fault *f, int fd)
{
	(void)f, (void)fd;
}

bool heist_is_library(const void *function)
{
	(void)function;
	return false;
}

/* ---- call chains: nobody answers ---- */

uint32_t heist_trace_allow(void)
{
	return 1;
}

uint32_t heist_trace(uint32_t thread, void **frames)
{
	(void)thread, (void)frames;
	return 0;
}

void heist_trace_tell(void *const *frames, uint32_t n, void (*line)(void *user, const char *text),
		      void *user)
{
	(void)frames, (void)n, (void)line, (void)user;
}

/* ---- fences and waiting ---- */

void heist_seam_init(void)
{
}

void heist_check_relax(void)
{
	yielded();
}

bool membarrier;

void heist_check_fence_light(void)
{
	if (!membarrier)
		memory_fence(SEQ_CST, HERE);
}

void heist_fence_heavy(void)
{
	if (membarrier)
		memory_fence_everywhere(HERE);
	else
		memory_fence(SEQ_CST, HERE);
}

bool heist_fence_thief(void)
{
	heist_fence_heavy();
	return true;
}

/* ---- clock: a microsecond passes at each look, and as much as a sleeper's deadline asks for ---- */

static uint64_t time_now;

uint64_t clock_now(void)
{
	return time_now;
}

void clock_reach(uint64_t t)
{
	if (time_now < t)
		time_now = t;
}

uint64_t heist_clock_ns(void)
{
	return time_now += 1000;
}

uint64_t heist_clock_tick_ns(void)
{
	return time_now;
}

uint64_t heist_clock_wall_ns(void)
{
	return heist_clock_ns();
}

/* ---- futex ---- */

#define NEVER (UINT64_MAX / 2) /* a deadline that does not pass while somebody watches */

enum heist_wait heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	/* the kernel compares and sleeps in one step, with the newest value */
	if ((uint32_t)memory_rmw((void *)word, 4, '|', 0, RELAXED, HERE) != expected || rarely(16))
		return HEIST_WAIT_WOKEN;
	return sleep_on(word, deadline < NEVER ? deadline : 0) ? HEIST_WAIT_TIMEOUT
							       : HEIST_WAIT_WOKEN;
}

int heist_futex_wake(_Atomic uint32_t *word, int count)
{
	step((struct access){ ACT_STORE, false, (void *)word });
	return wake((void *)word, count);
}

/* ---- threads ---- */

int heist_thread_start(heist_thread *t, void (*entry)(void *), void *arg, const char *name)
{
	(void)name;
	t->handle = (uint64_t)fiber_start(entry, arg);
	return 0;
}

void heist_thread_join(heist_thread *t)
{
	fiber_join((int)t->handle);
}

void heist_thread_yield(void)
{
	yielded();
}

/* ---- event descriptors ---- */

#define EVENTS 8

static uint32_t *events[EVENTS]; /* 1: readable */
static int event_count;

int heist_event_open(void)
{
	if (event_count == EVENTS)
		fail(KIND_LIMIT, "too many events", NULL);
	events[event_count] = check_alloc(sizeof **events, 16);
	return event_count++;
}

void heist_event_signal(int fd)
{
	memory_rmw(events[fd], 4, '|', 1, ACQ_REL, HERE);
	wake(events[fd], MAX_THREADS);
}

void heist_event_clear(int fd)
{
	memory_rmw(events[fd], 4, '&', 0, ACQ_REL, HERE);
}

void heist_event_close(int fd)
{
	check_free(events[fd]);
}

void check_event_wait(int fd)
{
	while (!memory_rmw(events[fd], 4, '|', 0, ACQUIRE, HERE))
		sleep_on(events[fd], 0);
}

/* ---- memory ---- */

void *heist_mem_alloc(size_t size, size_t align)
{
	return check_alloc(size, align);
}

void heist_mem_free(void *p, size_t size)
{
	(void)size;
	check_free(p);
}

void heist_check_poison(void *p, size_t size)
{
	check_poison(p, size);
}

void heist_check_unpoison(void *p, size_t size)
{
	check_revive(p, size);
}

void *heist_pages_reserve(size_t size)
{
	return check_reserve(size, 64 * 1024);
}

int heist_pages_commit(void *p, size_t size)
{
	check_revive(p, size);
	__builtin_memset(p, 0, size);
	return 0;
}

void heist_pages_purge(void *p, size_t size)
{
	__builtin_memset(p, 0, size);
}

void heist_pages_huge(void *p, size_t size)
{
	(void)p, (void)size;
}

void heist_pages_release(void *p, size_t size)
{
	check_poison(p, size);
}

int heist_write(int fd, const char *text, size_t size)
{
	(void)fd, (void)text, (void)size;
	return 0;
}

bool heist_is_terminal(int fd)
{
	(void)fd;
	return false;
}

bool heist_peek(void *to, const void *from, size_t size)
{
	(void)to, (void)from, (void)size;
	return false;
}

/* Nobody forks here. */
int heist_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	(void)before, (void)parent, (void)child;
	return 0;
}

uint64_t heist_random_seed(void)
{
	return 1;
}

void seam_reset(void)
{
	time_now = 1000000000;
	event_count = 0;
}
