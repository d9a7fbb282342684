/* SPDX-License-Identifier: BSD-2-Clause
 * deque.h - Chase-Lev work-stealing deque of pointers, growable.
 *
 * Used in one of two ways, never both on one deque:
 *   LIFO  the owner pushes and pops the bottom, thieves steal the top;
 *   FIFO  the owner pushes the bottom, everybody, the owner too, takes from the top.
 * Based on: Chase, Lev (SPAA 2005); Le, Pop, Cohen, Zappa Nardelli (PPoPP 2013).  Differences:
 * published by release stores of `bottom`, not by fences, so that ThreadSanitizer sees every edge;
 * unsigned 64-bit indices compared by difference; arrays that growth has left behind are kept until an
 * empty deque shrinks; a pop pays for its fence only while somebody steals, who says so before with a
 * heavy fence; the FIFO use, which has no pop and therefore needs no fence and allows one CAS for
 * several items.
 *
 * Who may call        push, pop, take, shrink: the owner.  steal_some: any thread.  steal: the owner, and
 *                     any thread between enter and leave.
 * Progress            push: wait-free except growth.  pop: wait-free.  take, steal*: lock-free.
 * May overlap         push  pop  take  steal            Linearizes at   (x = never, - = free)
 *   push               x     x    x     -               store DQ1
 *   pop  (LIFO only)   x     x    x     -               CAS DQ3 for the last item, else fence DQ2
 *   take (FIFO only)   x     x    x     -               CAS DQ3
 *   steal, steal_some  -     -    -     -               CAS DQ3
 *   enter, leave       -     -    -     -
 *   shrink             x     x    x     -               store DQ4
 *
 * Edges               DQ1 release store of bottom -> acquire load of bottom: publishes the cell and
 *                         what the item points to.  Every store of bottom is a release, those that
 *                         restore it in pop too.
 *                     DQ2 seq_cst fence in pop <-> in steal: not both the owner's pop without CAS
 *                         and a thief's steal see the last-but-one item as theirs.  FIFO: not needed,
 *                         bottom never decreases.
 *                     DQ5 light fence in pop (bottom, then thieves) <-> heavy fence in enter (thieves,
 *                         then bottom): the pop sees the thief and takes its fence DQ2, or the thief
 *                         sees the lowered bottom
 *                     DQ6 release in leave -> acquire load of thieves: a pop that sees nobody sees the
 *                         top that thieves before left
 *                     DQ3 seq_cst CAS of top -> acquire load of top: who takes a cell last; hands the
 *                         emptied cell to push, which re-uses it
 *                     DQ4 release store of array -> acquire load of array: the copied cells
 * Invariants          I1 top never decreases.  I2 0 <= bottom - top <= capacity outside an operation
 *                     (-1 inside pop).  I3 a cell is read before the CAS that claims it and used
 *                     after.  I4 an array that was ever visible stays readable until every
 *                     steal that began before the shrink that replaced it has returned, or destroy.
 *
 * Proof: lockfree/README.md, "Deque".  Tests: tests/unit/test_deque.c, tests/stress/stress_deque.c,
 * tests/check/models/deque.c. */
#ifndef HEIST_LOCKFREE_DEQUE_H
#define HEIST_LOCKFREE_DEQUE_H

#include "lockfree/cacheline.h"
#include "lockfree/check.h"
#include "lockfree/memory.h"

#ifndef DEQUE_START
#define DEQUE_START ((uint64_t)0) /* tests start just below a wrap */
#endif

/* Memory orders and fences, named so that a mutant can weaken each alone. */
#ifndef DEQUE_ORDER_PUBLISH
#define DEQUE_ORDER_PUBLISH memory_order_release
#endif
#ifndef DEQUE_ORDER_RESTORE
#define DEQUE_ORDER_RESTORE memory_order_release
#endif
#ifndef DEQUE_POP_FENCE
#define DEQUE_POP_FENCE() heist_fence_full()
#endif
#ifndef DEQUE_LIGHT_FENCE
#define DEQUE_LIGHT_FENCE() heist_fence_light()
#endif
#ifndef DEQUE_ENTER_FENCE
#define DEQUE_ENTER_FENCE() heist_fence_heavy()
#endif
#ifndef DEQUE_STEAL_FENCE
#define DEQUE_STEAL_FENCE() heist_fence_full()
#endif

struct deque_array {
	uint64_t mask;		   /* capacity - 1 */
	struct deque_array *older; /* retired before this one */
	_Atomic(void *) cell[];
};

struct deque {
	/* everybody */
	_Alignas(HEIST_ISOLATE) _Atomic uint64_t top;
	_Atomic uint32_t thieves; /* between enter and leave */
	/* the owner writes, thieves read */
	_Alignas(HEIST_ISOLATE) _Atomic uint64_t bottom;
	_Atomic(struct deque_array *) array;
	const struct heist_memory *memory; /* immutable */
};

enum deque_steal { STEAL_EMPTY, STEAL_RETRY, STEAL_OK };

/* Nobody else may hold the deque.  capacity: power of two.  0 or -1 (out of memory). */
int heist_deque_init(struct deque *d, const struct heist_memory *memory, uint64_t capacity);
void heist_deque_destroy(struct deque *d);
/* Owner: double the capacity.  False: out of memory, nothing changed. */
bool heist_deque_grow(struct deque *d);
/* Owner, if the deque is empty and holds more than `capacity` (a power of two): back to that.  Returns
 * the arrays that were replaced, to be given to heist_deque_free by whoever knows that no steal is under
 * way that began before; NULL: nothing has changed. */
struct deque_array *heist_deque_shrink(struct deque *d, uint64_t capacity);
/* A chain of arrays made from `memory`. */
void heist_deque_free(const struct heist_memory *memory, struct deque_array *chain);

static inline _Atomic(void *) *deque_cell(struct deque_array *a, uint64_t i)
{
	return &a->cell[i & a->mask];
}

/* Owner.  False: it is full, the item was not taken. */
__attribute__((warn_unused_result)) HEIST_HOT_INLINE bool deque_try_push(struct deque *d,
									 void *item)
{
	uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed); /* only writer */
	uint64_t t = atomic_load_explicit(&d->top, memory_order_acquire);    /* DQ3 acquire */
	struct deque_array *a =
		atomic_load_explicit(&d->array, memory_order_relaxed); /* only writer */
	if (HEIST_UNLIKELY(b - t > a->mask))
		return false;
	atomic_store_explicit(deque_cell(a, b), item, memory_order_relaxed); /* published by DQ1 */
	atomic_store_explicit(&d->bottom, b + 1, DEQUE_ORDER_PUBLISH);	     /* DQ1 release */
	return true;
}

/* Owner.  False: out of memory, the item was not taken. */
__attribute__((warn_unused_result)) static inline bool deque_push(struct deque *d, void *item)
{
	return HEIST_LIKELY(deque_try_push(d, item)) ||
	       (heist_deque_grow(d) && deque_try_push(d, item));
}

/* Owner, LIFO use.  The youngest item, or NULL. */
HEIST_HOT_INLINE void *deque_pop(struct deque *d)
{
	uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed); /* only writer */
	uint64_t t =
		atomic_load_explicit(&d->top, memory_order_relaxed); /* old is safe: see below */
	if (b == t)
		return NULL; /* top only grows towards bottom: empty stays empty */
	b--;
	struct deque_array *a =
		atomic_load_explicit(&d->array, memory_order_relaxed); /* only writer */
	atomic_store_explicit(&d->bottom, b, DEQUE_ORDER_RESTORE);     /* DQ1 release */
	DEQUE_LIGHT_FENCE();					       /* DQ5 */
	if (HEIST_UNLIKELY(atomic_load_explicit(&d->thieves, memory_order_acquire) != 0)) /* DQ6 */
		DEQUE_POP_FENCE();							  /* DQ2 */
	t = atomic_load_explicit(&d->top, memory_order_relaxed); /* ordered by DQ2, DQ6 */
	void *item = NULL;
	if ((int64_t)(b - t) >= 0) {
		item = atomic_load_explicit(deque_cell(a, b), memory_order_relaxed); /* own store */
		if (b != t)
			return item;
#ifdef DEQUE_MUTANT_POP_NO_CAS
		atomic_store_explicit(&d->top, t + 1, memory_order_seq_cst);
#else
		if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + 1,
							     memory_order_seq_cst, /* DQ3 */
							     memory_order_relaxed))
			item = NULL; /* a thief was faster */
#endif
	}
	atomic_store_explicit(&d->bottom, b + 1, DEQUE_ORDER_RESTORE); /* DQ1 release */
	return item;
}

/* A thief, LIFO use: before its first steal and after its last.  enter is not cheap: see
 * heist_fence_heavy. */
static inline void deque_thief_enter(struct deque *d)
{
	atomic_fetch_add_explicit(&d->thieves, 1, memory_order_relaxed);
	DEQUE_ENTER_FENCE(); /* DQ5 */
}

static inline void deque_thief_leave(struct deque *d)
{
	atomic_fetch_sub_explicit(&d->thieves, 1, memory_order_release); /* DQ6 release */
}

/* The owner or a thief that has entered; FIFO use: any thread.  The oldest item; RETRY: lost a race, there
 * may be more. */
__attribute__((warn_unused_result)) static inline enum deque_steal deque_steal(struct deque *d,
									       void **item)
{
	uint64_t t = atomic_load_explicit(&d->top, memory_order_acquire);    /* DQ3 acquire */
	DEQUE_STEAL_FENCE();						     /* DQ2 */
	uint64_t b = atomic_load_explicit(&d->bottom, memory_order_acquire); /* DQ1 acquire */
	if ((int64_t)(b - t) <= 0)
		return STEAL_EMPTY;
	struct deque_array *a =
		atomic_load_explicit(&d->array, memory_order_acquire); /* DQ4 acquire */
#ifdef DEQUE_MUTANT_READ_AFTER_CAS
	if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + 1, memory_order_seq_cst,
						     memory_order_relaxed))
		return STEAL_RETRY;
	*item = atomic_load_explicit(deque_cell(a, t), memory_order_relaxed);
#else
	*item = atomic_load_explicit(deque_cell(a, t), memory_order_relaxed); /* validated by DQ3 */
#ifdef DEQUE_MUTANT_STEAL_NO_CAS
	atomic_store_explicit(&d->top, t + 1, memory_order_seq_cst);
#else
	if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + 1,
						     memory_order_seq_cst, /* DQ3 */
						     memory_order_relaxed))
		return STEAL_RETRY;
#endif
#endif
	return STEAL_OK;
}

/* Any thread, FIFO use only: up to `max` of the oldest items with one CAS, at most half of what is
 * there, rounded up.  Returns how many; *lost tells a lost race from an empty deque. */
__attribute__((warn_unused_result)) static inline uint64_t
deque_steal_some(struct deque *d, void **items, uint64_t max, bool *lost)
{
	uint64_t t = atomic_load_explicit(&d->top, memory_order_acquire);    /* DQ3 acquire */
	uint64_t b = atomic_load_explicit(&d->bottom, memory_order_acquire); /* DQ1 acquire */
	*lost = false;
	if ((int64_t)(b - t) <= 0)
		return 0;
	struct deque_array *a =
		atomic_load_explicit(&d->array, memory_order_acquire); /* DQ4 acquire */
	uint64_t n = (b - t + 1) / 2;
	if (n > max)
		n = max;
	for (uint64_t i = 0; i < n; i++)
		items[i] = atomic_load_explicit(deque_cell(a, t + i),
						memory_order_relaxed); /* validated by DQ3 */
	if (!atomic_compare_exchange_strong_explicit(&d->top, &t, t + n,
						     memory_order_seq_cst, /* DQ3 */
						     memory_order_relaxed)) {
		*lost = true;
		return 0;
	}
	return n;
}

/* Owner, FIFO use.  The oldest item, or NULL. */
HEIST_HOT_INLINE void *deque_take(struct deque *d)
{
	uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed); /* only writer */
	uint64_t t = atomic_load_explicit(&d->top, memory_order_relaxed);    /* validated by DQ3 */
	while (t != b) {
		struct deque_array *a =
			atomic_load_explicit(&d->array, memory_order_relaxed); /* only writer */
		void *item = atomic_load_explicit(deque_cell(a, t), memory_order_relaxed);
		if (atomic_compare_exchange_weak_explicit(&d->top, &t, t + 1,
							  memory_order_seq_cst, /* DQ3 */
							  memory_order_relaxed))
			return item;
	}
	return NULL;
}

/* Owner. */
static inline uint64_t deque_capacity(struct deque *d)
{
	return atomic_load_explicit(&d->array, memory_order_relaxed)->mask + 1; /* only writer */
}

/* Owner: exact for what it pushed and nobody took; any thread: advisory. */
HEIST_HOT_INLINE uint64_t deque_size(struct deque *d)
{
	uint64_t t = atomic_load_explicit(&d->top, memory_order_relaxed);
	uint64_t b = atomic_load_explicit(&d->bottom, memory_order_relaxed);
	return (int64_t)(b - t) > 0 ? b - t : 0;
}

#endif
