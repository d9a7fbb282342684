/* SPDX-License-Identifier: BSD-2-Clause
 * oracle.h - what must come out even, in every test and under every load:
 *
 *   messages   each that was sent is handled, or lost with a cause
 *   order      what one sends to another is handled in the order of the sends
 *   lives      each that begins ends, once
 *   timers     each that is set comes once, or is cancelled
 *   memory     what the pools took they give back: counted_balanced (memory.h)
 *
 * The same is asked of the runtime's counters (heist_stats) and of what a program counts itself (struct
 * oracle).  Nothing here fails a test: the caller does, in its way.  unit/test_oracle.c shows for each that
 * it notices. */
#ifndef HEIST_TESTS_ORACLE_H
#define HEIST_TESTS_ORACLE_H

#include <heist/heist.h>

#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* ---- the runtime's counters ---- */

static inline uint64_t test_lost(const heist_stats *t)
{
	uint64_t lost = 0;
	for (int i = 0; i < HEIST_CAUSES; i++)
		lost += t->lost[i];
	return lost;
}

/* Of the messages nothing is under way, forgotten, or counted twice. */
static inline bool test_conserved(const heist_stats *t)
{
	return t->accepted == t->handled + test_lost(t);
}

/* No timer waits, was forgotten, or came twice. */
static inline bool test_timers_over(const heist_stats *t)
{
	return t->timers_armed == t->timers_fired + t->timers_cancelled;
}

/* Quiescence comes, and all messages are accounted for.  False: not in so many looks, a millisecond apart. */
static inline bool test_balanced_in(heist_system *s, int looks)
{
	heist_stats t = heist_stats_default();
	uint64_t last = 0;
	for (int calm = 0; looks > 0; looks--) {
		if (heist_get_stats(s, &t) != HEIST_OK)
			return false;
		calm = test_conserved(&t) && t.accepted == last ? calm + 1 : 0;
		if (calm == 3) /* what is in a handler may be counted, and have more to send */
			return true;
		last = t.accepted;
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	fprintf(stderr, "accepted %" PRIu64 ", handled %" PRIu64 ", lost %" PRIu64 "\n", t.accepted,
		t.handled, test_lost(&t));
	return false;
}

static inline bool test_balanced(heist_system *s)
{
	return test_balanced_in(s, 20000);
}

/* ---- what a program counts itself ---- */

/* Any thread may count, all relaxed, so that no race of the runtime is hidden; who asks for the verdict has
 * waited for the end, or asks until it is NULL. */
struct oracle {
	_Atomic uint64_t sent, handled, lost[HEIST_CAUSES];
	_Atomic uint64_t begun, ended;	       /* lives ...                    */
	_Atomic uint64_t begun_sum, ended_sum; /* ... and which: sums of mixes */
	_Atomic uint64_t set, came, cancelled; /* timers                       */
	char says[160];
};

static inline void oracle_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static inline uint64_t oracle_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Sums of these are equal only if the same lives are in both (Steele, Lea, Flood: SplitMix). */
static inline uint64_t oracle_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* A life begins: its number, from 1, which it keeps for its end. */
static inline uint64_t oracle_begins(struct oracle *o)
{
	uint64_t life = atomic_fetch_add_explicit(&o->begun, 1, memory_order_relaxed) + 1;
	atomic_fetch_add_explicit(&o->begun_sum, oracle_mix(life), memory_order_relaxed);
	return life;
}

static inline void oracle_ends(struct oracle *o, uint64_t life)
{
	atomic_fetch_add_explicit(&o->ended_sum, oracle_mix(life), memory_order_relaxed);
	oracle_count(&o->ended);
}

static inline uint64_t oracle_lost(const struct oracle *o)
{
	uint64_t lost = 0;
	for (int i = 0; i < HEIST_CAUSES; i++)
		lost += oracle_read(&o->lost[i]);
	return lost;
}

static inline const char *oracle_says(struct oracle *o, const char *what, const uint64_t n[3])
{
	snprintf(o->says, sizeof o->says, "%s: %" PRIu64 " = %" PRIu64 " + %" PRIu64, what, n[0],
		 n[1], n[2]);
	return o->says;
}

/* NULL, or which account does not come out even; so many lives go on. */
static inline const char *oracle_wrong(struct oracle *o, uint64_t living)
{
	uint64_t sent[] = { oracle_read(&o->sent), oracle_read(&o->handled), oracle_lost(o) };
	uint64_t lives[] = { oracle_read(&o->begun), oracle_read(&o->ended), living };
	uint64_t timers[] = { oracle_read(&o->set), oracle_read(&o->came),
			      oracle_read(&o->cancelled) };
	if (sent[0] != sent[1] + sent[2])
		return oracle_says(o, "messages do not add up, sent = handled + lost", sent);
	if (lives[0] != lives[1] + lives[2])
		return oracle_says(o, "lives do not add up, begun = ended + alive", lives);
	if (living == 0 && oracle_read(&o->begun_sum) != oracle_read(&o->ended_sum))
		return oracle_says(o, "one life ended twice, another one never", lives);
	if (timers[0] != timers[1] + timers[2])
		return oracle_says(o, "timers do not add up, set = came + cancelled", timers);
	return NULL;
}

/* Nothing has been counted; nobody counts. */
static inline void oracle_clear(struct oracle *o)
{
	_Atomic uint64_t *all[] = { &o->sent,  &o->handled,   &o->begun,
				    &o->ended, &o->begun_sum, &o->ended_sum,
				    &o->set,   &o->came,      &o->cancelled };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		atomic_store_explicit(all[i], 0, memory_order_relaxed);
	for (int i = 0; i < HEIST_CAUSES; i++)
		atomic_store_explicit(&o->lost[i], 0, memory_order_relaxed);
}

/* ---- order: n, from 1, which the sender gave this one of its messages to this receiver; *last, from 0, the
 * one before, which becomes n ---- */

/* Later; what is between was lost, or went elsewhere. */
static inline bool oracle_later(uint64_t *last, uint64_t n)
{
	bool right = n > *last;
	*last = n;
	return right;
}

/* The next one; nothing is missing. */
static inline bool oracle_next(uint64_t *last, uint64_t n)
{
	bool right = n == *last + 1;
	*last = n;
	return right;
}

/* Later, or the same again: a second go after a failure. */
static inline bool oracle_later_or_again(uint64_t *last, uint64_t n)
{
	bool right = n >= *last;
	*last = n;
	return right;
}

#endif
