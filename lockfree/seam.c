/* SPDX-License-Identifier: BSD-2-Clause
 * seam.c - the real bodies of seam.h: Linux system calls, pthreads and libc. */
#define _GNU_SOURCE
#include "lockfree/seam.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef HEIST_COUNT_ATOMICS
_Thread_local uint64_t heist_rmw_count, heist_fence_count;
#endif

/* ---- fences ---- */

#if HEIST_ASYMMETRIC
int heist_has_membarrier;

void heist_seam_init(void)
{
	static _Atomic int done; /* racing initialisations write the same value */
	if (atomic_load_explicit(&done, memory_order_acquire)) /* SM1 acquire */
		return;
	long r = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	__atomic_store_n(&heist_has_membarrier, r == 0, __ATOMIC_RELAXED);
	atomic_store_explicit(&done, 1, memory_order_release); /* SM1 release */
}

bool heist_fence_thief(void)
{
	return heist_has_membarrier &&
	       syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void heist_fence_heavy(void)
{
	if (!heist_fence_thief())
		heist_fence_full();
}
#else
void heist_seam_init(void)
{
}

bool heist_fence_thief(void)
{
	heist_fence_full();
	return true;
}

void heist_fence_heavy(void)
{
	heist_fence_full();
}
#endif

/* ---- futex ---- */

enum heist_wait heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	struct timespec ts, *limit = NULL;
	if (deadline) {
		ts.tv_sec = (time_t)(deadline / 1000000000u);
		ts.tv_nsec = (long)(deadline % 1000000000u);
		limit = &ts;
	}
	/* WAIT_BITSET takes an absolute CLOCK_MONOTONIC time; plain WAIT takes a relative one. */
	long r = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, limit,
			 NULL, FUTEX_BITSET_MATCH_ANY);
	return r < 0 && errno == ETIMEDOUT ? HEIST_WAIT_TIMEOUT : HEIST_WAIT_WOKEN;
}

int heist_futex_wake(_Atomic uint32_t *word, int count)
{
	long r = syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
	return r < 0 ? 0 : (int)r;
}

/* ---- threads ---- */

struct start {
	void (*entry)(void *);
	void *arg;
	char name[16];
};

static void *thread_main(void *p)
{
	struct start s = *(struct start *)p;
	free(p);
	pthread_setname_np(pthread_self(), s.name);
	s.entry(s.arg);
	return NULL;
}

int heist_thread_start(heist_thread *t, void (*entry)(void *), void *arg, const char *name)
{
	struct start *s = malloc(sizeof *s);
	if (!s)
		return -1;
	s->entry = entry;
	s->arg = arg;
	strncpy(s->name, name, sizeof s->name - 1);
	s->name[sizeof s->name - 1] = '\0';
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_t id;
	int r = pthread_create(&id, NULL, thread_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r != 0) {
		free(s);
		return -1;
	}
	t->handle = (uint64_t)id;
	return 0;
}

void heist_thread_join(heist_thread *t)
{
	pthread_join((pthread_t)t->handle, NULL);
}

void heist_thread_yield(void)
{
	sched_yield();
}

int heist_at_fork(void (*before)(void), void (*parent)(void), void (*child)(void))
{
	return pthread_atfork(before, parent, child) == 0 ? 0 : -1;
}

/* ---- event descriptors ---- */

int heist_event_open(void)
{
	return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void heist_event_signal(int fd)
{
	uint64_t one = 1;
	while (write(fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

int heist_write(int fd, const char *text, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, text, size);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			text += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

bool heist_is_terminal(int fd)
{
	return isatty(fd);
}

/* By the kernel, so that a page which has gone is an error and no fault. */
bool heist_peek(void *to, const void *from, size_t size)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = pread(fd, to, size, (off_t)(uintptr_t)from);
	close(fd);
	return n == (ssize_t)size;
}

void heist_event_clear(int fd)
{
	uint64_t n;
	while (read(fd, &n, sizeof n) < 0 && errno == EINTR)
		;
}

void heist_event_close(int fd)
{
	close(fd);
}

/* ---- clock ---- */

uint64_t heist_clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t heist_clock_tick_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t heist_clock_wall_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* ---- memory ---- */

void *heist_mem_alloc(size_t size, size_t align)
{
	void *p = NULL;
	if (align <= _Alignof(max_align_t))
		return malloc(size);
	return posix_memalign(&p, align, size) == 0 ? p : NULL;
}

void heist_mem_free(void *p, size_t size)
{
	(void)size;
	free(p);
}

void *heist_pages_reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

int heist_pages_commit(void *p, size_t size)
{
	return mprotect(p, size, PROT_READ | PROT_WRITE) == 0 ? 0 : -1;
}

/* By words, so that nobody who reads meanwhile finds half of one. */
static void pages_zero(void *p, size_t size)
{
	typedef uint64_t __attribute__((may_alias)) word;
	for (word *w = p, *end = w + size / sizeof *w; w < end; w++)
		__atomic_store_n(w, 0, __ATOMIC_RELAXED);
}

/* The kernel takes whole pages, also where less was asked for, and refuses those that are locked. */
void heist_pages_purge(void *p, size_t size)
{
	bool whole = ((uintptr_t)p | size) % (size_t)sysconf(_SC_PAGESIZE) == 0;
	if (!whole || madvise(p, size, MADV_DONTNEED) != 0)
		pages_zero(p, size);
}

void heist_pages_huge(void *p, size_t size)
{
	(void)madvise(p, size, MADV_HUGEPAGE); /* a hint: refused is fine */
}

void heist_pages_release(void *p, size_t size)
{
	munmap(p, size);
}

/* ---- randomness ---- */

uint64_t heist_random_seed(void)
{
	uint64_t s = 0;
	if (getrandom(&s, sizeof s, GRND_NONBLOCK) != (ssize_t)sizeof s)
		s = heist_clock_ns() * 0x9E3779B97F4A7C15u;
	return s;
}
