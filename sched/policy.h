/* SPDX-License-Identifier: BSD-2-Clause
 * policy.h - every tuning constant of the scheduler, with where it comes from; and how what did not help grows. */
#ifndef HEIST_SCHED_POLICY_H
#define HEIST_SCHED_POLICY_H

#include <stdint.h>

/* What did not help lasts twice as long the next time; 0: it is the first. */
static inline uint64_t policy_doubled(uint64_t ns, uint64_t least, uint64_t most)
{
	return ns == 0 ? least : 2 * ns < most ? 2 * ns : most;
}

#ifndef SCHED_MAX_WORKERS
#define SCHED_MAX_WORKERS 256
#endif

/* Every so many picks the LIFO slot gives way: what it holds queues behind the FIFO.  Literature:
 * Tokio caps a streak at 3 polls, Go lets the slot inherit the time slice; 16 keeps a pair fast and
 * the others' wait bounded. */
#ifndef SCHED_SLOT_PICKS
#define SCHED_SLOT_PICKS 16
#endif

/* Every so many of those turns the FIFO, the inbox, the oldest spawn, the bound inbox and the background come
 * first, one after the other: a fair pick in 64, like Go's 61st and Tokio's 61st tick. */
#ifndef SCHED_FAIR_TURNS
#define SCHED_FAIR_TURNS 4
#endif

/* What follows from these two, in picks (activations of a worker): the longest wait of whatever is the
 * oldest in the inbox, among the spawns, among the bound or in the background, and of what has k before it in the FIFO,
 * which is served in every slot turn but, at worst, the fair ones. */
#define SCHED_FAIR_PICKS    (SCHED_SLOT_PICKS * SCHED_FAIR_TURNS * 5)
#define SCHED_FIFO_PICKS(k) (SCHED_SLOT_PICKS * ((k) + 2 + (k) / (SCHED_FAIR_TURNS - 1)))

/* First capacity of the deques.  Grown by doubling; tests start at 2. */
#ifndef SCHED_DEQUE_CAPACITY
#define SCHED_DEQUE_CAPACITY 256
#endif

/* A worker that parks lets a deque go that has grown beyond this: 256 KiB. */
#ifndef SCHED_DEQUE_KEPT
#define SCHED_DEQUE_KEPT 32768
#endif

/* Items taken by one steal at most.  Half of the victim's, as proven good enough by Hendler and
 * Shavit (2002); the cap bounds the thief's latency. */
#define SCHED_STEAL_MAX 32

/* What a thief took from a spawn deque was worth it if it kept it busy for this many times as long as taking
 * it had taken: once for the misses, once to gain something. */
#ifndef SCHED_WORTH
#define SCHED_WORTH 2
#endif

/* After a theft that was not worth it the thief leaves spawn deques alone for so long, doubled up to the second
 * figure: what it costs the others is then a few per cent (measured, spawn_stop at 2 workers: 350 ns a life
 * without, 48 with 32 us, 38 with 128, 35 with 512, while a hand-off between the cores took 247 ns). */
#ifndef SCHED_PAUSE_MAX_NS
#define SCHED_PAUSE_MIN_NS 4000u
#define SCHED_PAUSE_MAX_NS 256000u
#endif

/* A thief that has stolen from run queues so many times within so many nanoseconds compares stealing with
 * staying away (pace.h). */
#ifndef PACE_THEFTS
#define PACE_THEFTS    64
#define PACE_THEFTS_NS 4000000u
#endif

/* A window of a comparison; a nap of who stays away, the longest that anything waits for it. */
#ifndef PACE_WINDOW_NS
#define PACE_WINDOW_NS 500000u
#define PACE_SLICE_NS  1000000u
#endif

/* Per cent of what all get done with thefts, that without them make it better; wins in a row that decide; per
 * cent of what was got done without, below which it is compared anew. */
#ifndef PACE_BETTER
#define PACE_BETTER 115
#endif
#define PACE_WINS 2
#define PACE_LESS 75

/* How long a decision holds, to stay away and to steal, doubled while comparisons confirm it. */
#ifndef PACE_HOLD_MIN_NS
#define PACE_HOLD_MIN_NS  20000000u
#define PACE_HOLD_MAX_NS  1000000000u
#define PACE_PAUSE_MIN_NS 50000000u
#define PACE_PAUSE_MAX_NS 1000000000u
#endif

/* Messages that take a worker longer than this are worth a hand-off. */
#ifndef SCHED_COARSE_NS
#define SCHED_COARSE_NS 500u
#endif

/* After a slot that held at least so many smaller ones, the thief gives their sender so long a lead (lead.h;
 * measured, one_way/flood at 2 workers: 20 to 25 ns a message without, 15 to 25 with 300 us, 14 to 16 with
 * 1000, one worker 11). */
#define SCHED_LEAD_MESSAGES 256
#ifndef SCHED_LEAD_NS
#define SCHED_LEAD_NS 1000000u
#endif

/* Spin this long before parking: about twice the cost of a futex wake (measured: 17 to 60 us). */
#define SCHED_SPIN_NS 50000u

/* Looks at its own inboxes before a worker counts as searching: about a microsecond.  Guess. */
#ifndef SCHED_LINGER
#define SCHED_LINGER 1000
#endif

/* Pauses (25 ns each) that an actor fed from outside waits for more before its mailbox turns idle, if
 * it sent nothing and its worker has nothing else to do.  Without it a consumer that is faster than
 * its producer is handed over once per message. */
#ifndef SCHED_FED_PAUSES
#define SCHED_FED_PAUSES 16
#endif

/* Windows without success after which a worker parks without spinning.  Guess. */
#define SCHED_SPIN_FAILURES 8

/* A single queued item is left to its worker for this long: a hand-off costs more than it (measured
 * on Pony, Tokio and CAF: two workers slower than one). */
#ifndef SCHED_LONE_NS
#define SCHED_LONE_NS 5000u
#endif

/* One parked worker looks this often at the queues of workers that are stuck in a handler, while any
 * worker is awake.  Bounds how long a lone item waits behind a long handler. */
#define SCHED_SENTINEL_NS 5000000u

/* A busy worker looks this often at slots and deferred sends of workers that are away. */
#define SCHED_RELIEVE_NS 1000000u

/* Messages between two clock reads of a worker: a read costs as much as 2 to 5 messages. */
#ifndef SCHED_CLOCK_MESSAGES
#define SCHED_CLOCK_MESSAGES 64
#endif
/* It is read as often by turns of the slot, and then pool_ops.tick is called. */
#define SCHED_CLOCK_TURNS (1 + (SCHED_CLOCK_MESSAGES - 1) / SCHED_SLOT_PICKS)

#endif
