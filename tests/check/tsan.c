/* SPDX-License-Identifier: BSD-2-Clause
 * tsan.c - what -fsanitize=thread calls, led to the checker instead of libtsan. */
#include <stdint.h>
#include <string.h>

#include "tests/check/engine.h"

static enum order order_of(int o)
{
	static const enum order orders[] = { RELAXED, ACQUIRE, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };
	return orders[o & 7];
}

#define HERE __builtin_return_address(0)

static void plain(const void *p, long n, bool write, void *where)
{
	const char *c = p;
	for (long i = 0; i < n && !on_private_memory(c); i += 8)
		race_access(c + i, write, where);
}

#define PLAIN(N)                                                                                   \
	void __tsan_read##N(void *p);                                                              \
	void __tsan_read##N(void *p)                                                               \
	{                                                                                          \
		plain(p, N, false, HERE);                                                          \
	}                                                                                          \
	void __tsan_write##N(void *p);                                                             \
	void __tsan_write##N(void *p)                                                              \
	{                                                                                          \
		plain(p, N, true, HERE);                                                           \
	}
#define PLAIN_UNALIGNED(N)                                                                         \
	PLAIN(N)                                                                                   \
	void __tsan_unaligned_read##N(void *p);                                                    \
	void __tsan_unaligned_read##N(void *p)                                                     \
	{                                                                                          \
		plain(p, N, false, HERE);                                                          \
	}                                                                                          \
	void __tsan_unaligned_write##N(void *p);                                                   \
	void __tsan_unaligned_write##N(void *p)                                                    \
	{                                                                                          \
		plain(p, N, true, HERE);                                                           \
	}
PLAIN(1)
PLAIN_UNALIGNED(2)
PLAIN_UNALIGNED(4)
PLAIN_UNALIGNED(8)
PLAIN_UNALIGNED(16)

void __tsan_read_range(void *p, long n);
void __tsan_read_range(void *p, long n)
{
	plain(p, n, false, HERE);
}

void __tsan_write_range(void *p, long n);
void __tsan_write_range(void *p, long n)
{
	plain(p, n, true, HERE);
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

/* The compiler is told to call these instead of what would be built in, or is not instrumented. */
void *check_memcpy(void *to, const void *from, size_t n);
void *check_memcpy(void *to, const void *from, size_t n)
{
	plain(from, (long)n, false, HERE);
	plain(to, (long)n, true, HERE);
	return memcpy(to, from, n);
}

void *check_memset(void *p, int c, size_t n);
void *check_memset(void *p, int c, size_t n)
{
	plain(p, (long)n, true, HERE);
	return memset(p, c, n);
}

/* What clang makes of copies that it has built in. */
void *__tsan_memcpy(void *to, const void *from, size_t n) __attribute__((alias("check_memcpy")));
void *__tsan_memset(void *p, int c, size_t n) __attribute__((alias("check_memset")));
