/* SPDX-License-Identifier: BSD-2-Clause
 * tsan.c - what -fsanitize=thread calls, led to the checker instead of libtsan; and the seam's bodies. */
#include "lockfree/seam.h"
#include "tests/check/engine.h"

static enum order order_of(int o)
{
	static const enum order orders[] = { RELAXED, ACQUIRE, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };
	return orders[o & 7];
}

#define HERE __builtin_return_address(0)

#define PLAIN(N)                                                                                   \
	void __tsan_read##N(void *p);                                                              \
	void __tsan_read##N(void *p)                                                               \
	{                                                                                          \
		if (!on_private_stack(p))                                                          \
			memory_plain(p, N > 8 ? 8 : N, false, HERE);                               \
	}                                                                                          \
	void __tsan_write##N(void *p);                                                             \
	void __tsan_write##N(void *p)                                                              \
	{                                                                                          \
		if (!on_private_stack(p))                                                          \
			memory_plain(p, N > 8 ? 8 : N, true, HERE);                                \
	}
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

static void plain_range(char *p, long n, bool write, void *where)
{
	for (long i = 0; i < n && !on_private_stack(p); i += 8)
		memory_plain(p + i, n - i < 8 ? (int)(n - i) : 8, write, where);
}

void __tsan_read_range(void *p, long n);
void __tsan_read_range(void *p, long n)
{
	plain_range(p, n, false, HERE);
}

void __tsan_write_range(void *p, long n);
void __tsan_write_range(void *p, long n)
{
	plain_range(p, n, true, HERE);
}

#define FETCH(B, T, NAME, OP)                                                                      \
	T __tsan_atomic##B##_fetch_##NAME(volatile T *p, T v, int o);                              \
	T __tsan_atomic##B##_fetch_##NAME(volatile T *p, T v, int o)                               \
	{                                                                                          \
		return (T)memory_rmw((void *)(uintptr_t)p, sizeof(T), OP, v, order_of(o), HERE);   \
	}

#define ATOMIC(B, T)                                                                               \
	T __tsan_atomic##B##_load(const volatile T *p, int o);                                     \
	T __tsan_atomic##B##_load(const volatile T *p, int o)                                      \
	{                                                                                          \
		return (T)memory_load((void *)(uintptr_t)p, sizeof(T), order_of(o), HERE);         \
	}                                                                                          \
	void __tsan_atomic##B##_store(volatile T *p, T v, int o);                                  \
	void __tsan_atomic##B##_store(volatile T *p, T v, int o)                                   \
	{                                                                                          \
		memory_store((void *)(uintptr_t)p, sizeof(T), v, order_of(o), HERE);               \
	}                                                                                          \
	T __tsan_atomic##B##_exchange(volatile T *p, T v, int o);                                  \
	T __tsan_atomic##B##_exchange(volatile T *p, T v, int o)                                   \
	{                                                                                          \
		return (T)memory_rmw((void *)(uintptr_t)p, sizeof(T), '=', v, order_of(o), HERE);  \
	}                                                                                          \
	FETCH(B, T, add, '+')                                                                      \
	FETCH(B, T, sub, '-')                                                                      \
	FETCH(B, T, or, '|')                                                                       \
	FETCH(B, T, and, '&')                                                                      \
	int __tsan_atomic##B##_compare_exchange_strong(volatile T *p, T *e, T v, int s, int f);    \
	int __tsan_atomic##B##_compare_exchange_strong(volatile T *p, T *e, T v, int s, int f)     \
	{                                                                                          \
		uint64_t x = *e;                                                                   \
		bool ok = memory_cas((void *)(uintptr_t)p, sizeof(T), &x, v, order_of(s),          \
				     order_of(f), HERE);                                           \
		*e = (T)x;                                                                         \
		return ok;                                                                         \
	}                                                                                          \
	int __tsan_atomic##B##_compare_exchange_weak(volatile T *p, T *e, T v, int s, int f);      \
	int __tsan_atomic##B##_compare_exchange_weak(volatile T *p, T *e, T v, int s, int f)       \
	{                                                                                          \
		return __tsan_atomic##B##_compare_exchange_strong(p, e, v, s, f);                  \
	}                                                                                          \
	T __tsan_atomic##B##_compare_exchange_val(volatile T *p, T e, T v, int s, int f);          \
	T __tsan_atomic##B##_compare_exchange_val(volatile T *p, T e, T v, int s, int f)           \
	{                                                                                          \
		uint64_t x = e;                                                                    \
		memory_cas((void *)(uintptr_t)p, sizeof(T), &x, v, order_of(s), order_of(f),       \
			   HERE);                                                                  \
		return (T)x;                                                                       \
	}
ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int o);
void __tsan_atomic_thread_fence(int o)
{
	memory_fence(order_of(o), HERE);
}
void __tsan_atomic_signal_fence(int o);
void __tsan_atomic_signal_fence(int o)
{
	(void)o;
}
void __tsan_init(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(void *p);
void __tsan_func_entry(void *p)
{
	(void)p;
}
void __tsan_func_exit(void);
void __tsan_func_exit(void)
{
}

/* ---- the seam ---- */

void heist_check_relax(void)
{
	yielded();
}

void heist_thread_yield(void)
{
	heist_check_relax();
}

void heist_fence_heavy(void)
{
	memory_fence(SEQ_CST, HERE);
}

bool heist_fence_thief(void)
{
	memory_fence(SEQ_CST, HERE);
	return true;
}

enum heist_wait heist_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline)
{
	/* the kernel compares and sleeps in one step, with the newest value */
	if ((uint32_t)memory_rmw((void *)word, 4, '|', 0, RELAXED, HERE) != expected)
		return HEIST_WAIT_WOKEN;
	sleep_on(word, deadline != 0);
	return HEIST_WAIT_WOKEN;
}

int heist_futex_wake(_Atomic uint32_t *word, int count)
{
	step();
	return wake(word, count);
}

void *heist_mem_alloc(size_t size, size_t align)
{
	return check_alloc(size, align);
}

void heist_mem_free(void *p, size_t size)
{
	(void)size;
	check_free(p);
}
