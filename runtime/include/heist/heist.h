/* SPDX-License-Identifier: BSD-2-Clause
 * heist/heist.h - the public API of Heist, an actor runtime.  C11, included unchanged from C++17.
 *
 * An actor is private state plus a behaviour that handles one message at a time.  Actors are named
 * by value handles (heist_ref), are spawned onto a runtime (heist_system) and talk by messages.
 *
 * Threads         A function that takes a ref, a token or a system may be called from any thread,
 *                 inside a handler or not.  One that takes a heist_ctx may be called only by the
 *                 handler that was given it, before it returns.  Functions marked W wait; inside a
 *                 handler they return HEIST_EINVAL.
 * Errors          0 or a negative heist_status; results come last and are untouched on failure.  A
 *                 negative status means: nothing was taken over, nothing changed (but see heist_call).
 *                 Wrong arguments are HEIST_EINVAL (in debug builds an abort that names function and
 *                 cause).
 * Delivery        HEIST_OK from a send means accepted.  An accepted message is handled once, or lost
 *                 once with a counted cause (heist_lost_count, heist_config.dead_letter).
 * Order           Messages from one sender to one receiver are handled in the order they were sent,
 *                 over send, post, ask and reply.  heist_kill overtakes them.
 * Happens-before  send -> its handling; handler n of an actor -> handler n + 1, on whatever thread;
 *                 reply -> its continuation; the last handler -> the stop hook.  An actor's state
 *                 is never touched by two threads at once.
 * fork            The runtimes stay the parent's, which notices nothing.  In the child handles lead
 *                 nowhere (EDEAD), nothing can be put in (ECLOSED, ENOMEM), heist_close, heist_shutdown
 *                 and heist_poll answer EINVAL; a runtime of its own can be started.  What the parent's
 *                 hold is not freed.  A handler that forks may only exec or _exit in the child; if it
 *                 returns there, that is an abort.
 * Memory          Config, options and messages are copied during the call.  Classes, hooks, types and
 *                 drops must outlive the runtime (make them static const). */
#ifndef HEIST_HEIST_H
#define HEIST_HEIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEIST_ABI 1u /* grows when the layout of heist_type, heist_class or heist_hooks changes */

#define HEIST_PRINTF_(text, values) __attribute__((format(printf, text, values)))
#define HEIST_API		    __attribute__((visibility("default")))
#define HEIST_MUST		    __attribute__((warn_unused_result))
#define HEIST_NEED		    HEIST_API HEIST_MUST /* exported, and the result must be looked at */
#define HEIST_INLINE		    static inline __attribute__((unused))

#ifdef __cplusplus
extern "C" {
#define HEIST_C_(c, cxx) cxx
#else
#define HEIST_C_(c, cxx) c
#endif

/* ---- types ---- */

typedef struct heist_system heist_system; /* one runtime; several may live in one process */
typedef struct heist_ctx heist_ctx;	  /* borrowed: valid only while the handler runs */

/* A handle: slot, generation and runtime in 64 bits.  A plain value: copy, store, compare, send it;
 * it owns nothing.  0 = nobody.  Handles of ended actors are harmless: they answer HEIST_EDEAD. */
typedef struct heist_ref {
	uint64_t v;
} heist_ref;

/* A reply that is owed (heist_reply_later).  A plain value for one use, from any thread. */
typedef struct heist_token {
	uint64_t v[4];
} heist_token;

typedef struct heist_unit { /* "no payload", "no reply value" */
	char unused;
} heist_unit;

/* Absolute nanoseconds on the runtime's clock (heist_now); 0 = never. */
typedef uint64_t heist_time;
typedef uint64_t heist_wall;  /* nanoseconds since 1970, UTC (heist_wall_now) */
typedef uint64_t heist_timer; /* what an actor wants sent later; only that actor's, 0 = none */

typedef enum heist_status {
	HEIST_OK = 0,
	HEIST_EFULL = -1,     /* as many messages wait as may (opts.mailbox_cap) */
	HEIST_EDEAD = -2,     /* the actor has ended */
	HEIST_ETIMEOUT = -3,  /* the deadline has passed */
	HEIST_ENOMEM = -4,    /* no memory; nothing changed */
	HEIST_EINVAL = -5,    /* a wrong argument, or a wrong place to call from */
	HEIST_ECLOSED = -6,   /* the runtime is shutting down */
	HEIST_EEXIST = -7,    /* an actor that is alive has this name */
	HEIST_ECRASH = -8,    /* the actor's handler answered HEIST_FAIL or panicked */
	HEIST_EINIT = -9,     /* the actor's init hook did not succeed */
	HEIST_ENOREPLY = -10, /* the asked actor ended its handler without a reply */
	HEIST_EKILLED = -11,  /* heist_kill, or the end of the runtime */
	HEIST_EFAULT = -12,   /* the actor's handler had a fault that was contained (HEIST_PURE) */
	HEIST_EUSER = -1000   /* this and below: the application's */
} heist_status;

/* What a handler wants to happen next. */
typedef enum heist_next {
	HEIST_CONTINUE, /* the next message */
	HEIST_AGAIN,	/* yield: this message again, after whoever waits for the worker now */
	HEIST_STOP,	/* end this actor; what is still queued is lost (STOPPED) */
	HEIST_FAIL	/* end this actor with HEIST_ECRASH; the message is lost (FAILED) */
} heist_next;

/* Why an accepted message was never handled. */
typedef enum heist_cause {
	HEIST_LOST_DEAD,      /* the receiver had ended before it came to the message */
	HEIST_LOST_STOPPED,   /* queued when the receiver ended */
	HEIST_LOST_EXPIRED,   /* a request whose deadline had passed */
	HEIST_LOST_UNHANDLED, /* no behaviour for its type */
	HEIST_LOST_FAILED,    /* the handler that had it answered HEIST_FAIL or panicked */
	HEIST_LOST_LATE,      /* a reply after its deadline, or after its asker had ended */
	HEIST_LOST_CLOSED,    /* the runtime ended before it was handled */
	HEIST_LOST_NEW,	      /* the receiver's mailbox was full */
	HEIST_LOST_OLD,	      /* more came after it than may wait */
	HEIST_LOST_FULL,      /* a timer's message, rejected by a full mailbox */
	HEIST_LOST_RESTART, /* queued when its receiver was restarted (HEIST_DROP, HEIST_FILTER) */
	HEIST_CAUSES
} heist_cause;

/* How an actor ended; with a status, which says why. */
typedef enum heist_exit {
	HEIST_EXIT_NORMAL,  /* its handler answered HEIST_STOP (HEIST_OK) */
	HEIST_EXIT_STOPPED, /* heist_stop (its `why`) */
	HEIST_EXIT_KILLED,  /* heist_kill (its `why`) */
	HEIST_EXIT_CRASHED, /* HEIST_FAIL (HEIST_ECRASH), heist_panic (its `why`), a fault (HEIST_EFAULT) */
	HEIST_EXIT_INIT,   /* its init hook did not succeed (HEIST_EINIT) */
	HEIST_EXIT_LINKED, /* an actor that it was linked to ended (with this status) */
	HEIST_EXIT_GONE,   /* before anybody watched it (HEIST_EDEAD) */
	HEIST_EXIT_CLOSED  /* the runtime ended (HEIST_EKILLED, HEIST_ECLOSED) */
} heist_exit;

typedef enum heist_kind {
	HEIST_SIG_DOWN,	  /* an actor that is monitored has ended */
	HEIST_SIG_LINK,	  /* an actor that is linked has ended (HEIST_TRAP_LINKS) */
	HEIST_SIG_CHILD,  /* an actor that this one spawned as a child has ended */
	HEIST_SIG_NOTIFY, /* bits (heist_notify) */
	HEIST_SIG_IDLE,	  /* no message has come for a while (heist_idle_after) */
	HEIST_SIG_OVERLOAD /* many messages wait (bits 1), or few again (bits 0): opts.overload_high */
} heist_kind;

/* A signal: told on a lane of its own, before the next message (under a backlog at most 8 later), whatever waits in
 * the mailbox. */
typedef struct heist_signal {
	heist_kind kind;
	heist_exit how;
	heist_status status;
	heist_ref who; /* HEIST_SIG_NOTIFY, HEIST_SIG_IDLE: the actor itself */
	uint64_t bits; /* HEIST_SIG_NOTIFY, HEIST_SIG_OVERLOAD */
} heist_signal;

typedef enum heist_mode {
	HEIST_THREADS, /* worker threads, one per core by default */
	HEIST_POLLED   /* no thread of its own: the host's event loop calls heist_poll */
} heist_mode;

typedef enum heist_clock { HEIST_CLOCK_MONOTONIC, HEIST_CLOCK_WALL } heist_clock;

/* Of a periodic timer.  Rate: at first, first + period, first + 2 periods ...; points that pass while
 * the actor is busy are left out, not made up for.  Delay: a period after the handler of the one
 * before has returned. */
typedef enum heist_pace { HEIST_FIXED_RATE, HEIST_FIXED_DELAY } heist_pace;

/* What becomes of a message for a mailbox that is full.  Requests are rejected, but for
 * HEIST_REDIRECT. */
typedef enum heist_overflow {
	HEIST_REJECT,	/* the sender is told: HEIST_EFULL */
	HEIST_DROP_NEW, /* it is accepted and lost (NEW) */
	HEIST_DROP_OLD, /* the oldest are lost (OLD), when the actor comes to them; those that come
			 * while twice as many wait as may are lost themselves (NEW) */
	HEIST_REDIRECT	/* it goes to opts.redirect; requests too */
} heist_overflow;

typedef enum heist_switch { HEIST_DEFAULT, HEIST_ON, HEIST_OFF } heist_switch;

HEIST_C_(_Static_assert, static_assert)
(sizeof(heist_status) == 4 && sizeof(heist_cause) == 4, "Heist needs int-sized enums");

/* What to do with the resources inside a message or reply that nobody will take.  Either may be NULL.
 * Called exactly once for a message whose handler did not complete, on the thread that loses it. */
typedef struct heist_drops {
	void (*msg)(void *payload);
	void (*reply)(void *value);
} heist_drops;

/* One message type; static const, made by HEIST_TABLE or by hand.  Alignment of payloads: 8. */
typedef struct heist_type {
	const struct heist_type *base; /* the first type of its protocol */
	const char *name;
	uint32_t tag;	     /* index in the protocol */
	uint32_t size;	     /* bytes of payload */
	uint32_t reply_size; /* bytes of reply value; sizeof(heist_unit): none is owed */
	uint32_t flags;	     /* HEIST_FIXED_ADDRESS, or 0 */
	const heist_drops *drops;
	const void *reserved; /* NULL */
} heist_type;

/* A message of this type keeps its address from heist_new on, whoever posts, takes, stashes or holds it back: for
 * payloads that point into themselves, and objects of C++.  It is a piece of memory of its own, however small.
 * Functions that copy a payload copy bytes; these are not for such types. */
#define HEIST_FIXED_ADDRESS 1u

/* A behaviour.  msg is the received payload: it may be changed, and is gone when the handler returns
 * unless taken (heist_take).  A handler that completes owns what the payload owned. */
typedef heist_next heist_recv_fn(heist_ctx *, void *state, const heist_type *, void *msg);

/* A continuation of heist_ask: a turn of the asker.  reply is NULL unless status is HEIST_OK and is
 * gone at return. */
typedef void heist_reply_fn(heist_ctx *, void *state, heist_status status, const void *reply,
			    uint64_t user);

/* One answer of heist_ask_all: OK and a value, or why there is none: what heist_ask would have answered or
 * told, HEIST_ETIMEOUT if there was none when k was called. */
typedef struct heist_answer {
	heist_ref who;
	heist_status status;
	const void *reply;
} heist_answer;

/* A continuation of heist_ask_all.  Answers are in the order in which the actors were given, and gone at
 * return; what values own is k's. */
typedef void heist_gather_fn(heist_ctx *, void *state, const heist_answer *answers, uint32_t n,
			     uint64_t user);

/* Optional functions of a class; static const. */
typedef struct heist_hooks {
	uint32_t flags;	   /* HEIST_TRAP_LINKS, HEIST_PURE; any other bit: EINVAL at the spawn */
	uint32_t arg_size; /* bytes of the spawn argument that are copied for init */
	/* First turn of every actor, and after every restart.  CONTINUE: go on.  Anything else: the actor
	 * fails (HEIST_EINIT). */
	heist_next (*init)(heist_ctx *, void *state, const void *arg);
	/* Last turn, also before a restart: after the last handler, once, before the state is freed. */
	void (*stop)(heist_ctx *, void *state, heist_status why);
	/* A signal.  CONTINUE: go on; for kinds that it does not know, too.  STOP, FAIL: the actor ends. */
	heist_next (*signal)(heist_ctx *, void *state, const heist_signal *);
} heist_hooks;

/* The end of a linked actor does not end this one, but is a signal (HEIST_SIG_LINK). */
#define HEIST_TRAP_LINKS 1u
/* The handlers of this class hold no lock, do not use the heap of libc, and write to nothing but their state,
 * their arena and their messages; so one that has a fault can be given up.  In a runtime with
 * heist_config.contain a SIGSEGV, SIGBUS, SIGFPE or SIGILL in such a handler, a stack that is used up among
 * them, ends the incarnation as heist_panic would, with HEIST_EFAULT: no stop hook, no drop function for the
 * message at hand, and arena, state and a large payload are not given back while the runtime lives
 * (heist_stats.quarantined).  A child that is restarted gets its state back, zeroed.  Not contained: faults
 * inside functions of this library, in hooks and continuations, after a jump to where no code is, in code
 * without unwind tables.  This contains bugs; it is no protection against bad intentions. */
#define HEIST_PURE 2u

/* One kind of actor; static const.  The state starts zeroed; up to 24 bytes live in the actor's own
 * cache line. */
typedef struct heist_class {
	const char *name;
	uint32_t abi; /* HEIST_ABI */
	uint32_t state_size;
	heist_recv_fn *recv;
	const heist_hooks *hooks; /* may be NULL */
} heist_class;

/* Who runs first of those that wait for a worker of a pool. */
typedef enum heist_priority {
	HEIST_NORMAL,
	HEIST_BACKGROUND /* when nobody else waits; but if there is always somebody, one activation in 320 of a
			  * worker is for the oldest in the background */
} heist_priority;

/* Options of a spawn.  From heist_opts_default(); 0 = default; grows at the end only. */
typedef struct heist_opts {
	uint32_t struct_size;
	uint32_t worker;     /* 1..workers: run only on that worker; 0: anywhere */
	uint32_t batch;	     /* messages per activation, at most 65535; 0: the runtime's */
	uint64_t memory_max; /* bytes that heist_alloc hands out in all; 0: no limit */
	/* Messages and requests that may wait, less than 2^27 (0: any number), and what becomes of one
	 * too many.  Replies, timers of the actor's own, signals, stop and kill are not bounded. */
	uint32_t mailbox_cap;
	heist_overflow overflow;
	uint32_t budget_us; /* time per activation; 0: its pool's */
	/* Instead of a worker: a pool of heist_config.pools, by its name; or a thread that runs this actor
	 * and nobody else, so that it may block, or use what must stay on one thread (all its hooks and
	 * handlers run there).  ENOMEM: no more than heist_config.threads_max at a time.  ECLOSED: in a stop hook
	 * that ends what a shutdown has found. */
	const char *pool;
	heist_switch own_thread;
	uint32_t stash_cap; /* messages that heist_stash keeps; 1024 */
	/* From overload_high messages and requests that wait, less than 2^27, until no more than overload_low
	 * (default: half) do, the actor is overloaded.  It is told by HEIST_SIG_OVERLOAD, unless it is over by its
	 * turn, and heist_config.overload is called at once.  0: nobody is told.  Marks cost senders what a
	 * bound does: one atomic operation. */
	uint32_t overload_high, overload_low;
	/* HEIST_REDIRECT: who gets what is one too many.  If its mailbox is full, too, what that says is done,
	 * over at most 4 such steps; if it has ended the sender is told (HEIST_EFULL). */
	heist_ref redirect;
	heist_priority priority; /* in its pool; not with worker or own_thread */
	/* What the spawn argument is, if it owns something; as long as hooks->arg_size.  The init hook owns it then; if
	 * that never runs, as the runtime ends first, drops->msg gets it.  Not of a supervisor's children. */
	const heist_type *arg_type;
} heist_opts;

/* ---- supervision ----
 *
 * A supervisor is an actor without code of yours that starts others, its children, restarts them when they
 * fail, and stops them before it ends.  A restart replaces the incarnation: state, arena, asks, monitors
 * that it made.  The actor stays: handle, name, mailbox, monitors of it, links.  The old incarnation's stop
 * hook has returned before the next one's init hook begins.  heist_stop and heist_kill end a child for
 * good, whatever its restart type.  A shutdown does not wait for restarts. */

typedef enum heist_strategy { /* who is restarted with a child that failed, in the order of the children */
			      HEIST_ONE_FOR_ONE, /* nobody */
			      HEIST_ONE_FOR_ALL, /* all */
			      HEIST_REST_FOR_ONE /* those after it */
} heist_strategy;

typedef enum heist_restart {
	HEIST_PERMANENT, /* always */
	HEIST_TRANSIENT, /* unless its handler answered HEIST_STOP */
	HEIST_TEMPORARY	 /* never; nor with others: then it ends */
} heist_restart;

typedef enum heist_leftover {		   /* what was queued before a restart */
			      HEIST_KEEP,  /* the next incarnation handles it */
			      HEIST_DROP,  /* is lost (RESTART) */
			      HEIST_FILTER /* what keep() refuses is lost */
} heist_leftover;

typedef enum heist_decision {			    /* what follows the end of an incarnation */
			      HEIST_DECIDE_DEFAULT, /* what the restart type says */
			      HEIST_DECIDE_RESTART,
			      HEIST_DECIDE_END,
			      HEIST_DECIDE_ESCALATE /* the supervisor fails */
} heist_decision;

/* How a child is treated.  From heist_child_default(); 0 = default; grows at the end only. */
typedef struct heist_child {
	uint32_t struct_size;
	heist_restart restart;
	const heist_class *cls;
	const heist_opts *opts; /* NULL = defaults; copied */
	const void *arg;	/* of every init: hooks->arg_size bytes, copied */
	/* A restart waits: at first backoff_min_ms, doubling with each failure up to backoff_max_ms, plus or
	 * minus jitter_percent by chance; from the beginning after a quiet period.  Default: at once. */
	uint32_t backoff_min_ms, backoff_max_ms, jitter_percent;
	uint32_t stop_ms; /* to drain when it is stopped with its supervisor, then killed; 5000 */
	uint32_t
		poison_retries; /* how often the message that failed is tried again, at most 16383; not a request */
	heist_leftover leftover;
	/* HEIST_FILTER: on the child's turn, before its init. */
	bool (*keep)(void *user, const heist_type *type, const void *msg);
	/* By reason; on the supervisor's turn, must not wait.  NULL: by restart type. */
	heist_decision (*decide)(void *user, heist_exit how, heist_status status);
	void *user; /* for these two */
	/* In paths (heist_select): 1 to HEIST_NAME_MAX letters, digits and . _ - : @, copied; several children
	 * may have the same.  NULL: it has no path, and those below it have none. */
	const char *name;
} heist_child;

/* A supervisor.  From heist_sup_default(); 0 = default; grows at the end only. */
typedef struct heist_sup {
	uint32_t struct_size;
	heist_strategy strategy;
	uint32_t intensity,
		period_ms;	     /* more restarts than this in this time: it fails; 3 in 5000 */
	const heist_child *children; /* copied */
	uint32_t child_count;
	heist_ref parent; /* a supervisor, or nobody */
	const heist_child *
		as_child; /* with a parent: how that treats it; class, opts, arg, name are ignored */
	const char *name; /* in paths, as that of a child */
} heist_sup;

/* A message that is being lost.  Valid during the call. */
typedef struct heist_lost {
	heist_cause cause;
	heist_ref to;
	const heist_type *type;
	const void *msg;
} heist_lost;

/* What has been lost of one type, by cause.  type NULL: types for which there was no memory to count
 * them apart. */
typedef struct heist_lost_type {
	const heist_type *type;
	uint64_t lost[HEIST_CAUSES];
} heist_lost_type;

/* A pool: workers that run only the actors spawned into it (heist_opts.pool), beside the runtime's own, which
 * run all others.  For what must not wait for others, or may keep others waiting: actors that block.
 * From heist_pool_default(); 0 = default. */
typedef struct heist_pool {
	uint32_t struct_size;
	uint32_t workers;   /* threads; default 1 */
	const char *name;   /* 1 to HEIST_NAME_MAX characters, copied */
	uint32_t batch;	    /* messages per activation, at most 65535; default: the runtime's */
	uint32_t budget_us; /* time per activation; default: the runtime's */
	/* CPUs that its workers run on, in the system's numbers: "0-3,8"; default: all that the process may
	 * use.  One worker and one CPU: a place with an affinity for the actors in it. */
	const char *cpus;
	/* As in heist_config, for this pool: by default as many spares as workers, none with one worker;
	 * hog_ms: the runtime's. */
	uint32_t spare_max;
	uint32_t hog_ms;
} heist_pool;

/* A handler that has been running for long.  Valid during the call. */
typedef struct heist_hog {
	heist_ref actor;
	const char *cls;     /* name of its class   */
	const char *message; /* type of the message, or "" */
	uint64_t elapsed_ns;
	uint32_t worker;
	/* Where it is: return addresses, the innermost first; 0: unknown.  backtrace_symbols(3) names them. */
	uint32_t frame_count;
	void *const *frames;
} heist_hog;

typedef enum heist_log_level {
	HEIST_LOG_DEFAULT,
	HEIST_LOG_OFF,
	HEIST_LOG_ERROR, /* something was given up      */
	HEIST_LOG_WARN,	 /* something was not as it should be: messages lost, a hog, a straggler */
	HEIST_LOG_INFO, /* what somebody who runs the program wants to know: the workers and their CPUs */
	HEIST_LOG_DEBUG
} heist_log_level;

typedef enum heist_log_format {
	HEIST_LOG_FORMAT_DEFAULT,
	HEIST_LOG_TEXT,
	HEIST_LOG_JSON
} heist_log_format;

#define HEIST_LOG_MAX 471 /* bytes of a line's text; the rest is cut */

/* A line of the log, from a handler (heist_log) or of the runtime's own.  Valid during the call. */
typedef struct heist_log_line {
	heist_log_level level;
	int32_t worker;	  /* number of the thread's, or -1: another thread */
	heist_wall time;  /* when it was written */
	heist_ref actor;  /* whose handler wrote it, or {0} */
	const char *cls;  /* name of its class, or "" */
	const char *name; /* one that it is registered under when the line is told, or "" */
	const char *text;
	bool cut; /* it was longer than HEIST_LOG_MAX */
} heist_log_line;

#define HEIST_WORKERS_ALL                                                                          \
	UINT32_MAX /* a worker for each CPU of the affinity mask, whatever the quota */

/* Options of a runtime.  From heist_config_default(); 0 = default; grows at the end only.  What an operator may
 * choose (heist_config_print tells) has one rule: a field that is not 0 beats the environment, HEIST_ and the name
 * in capitals (HEIST_HOG_MS), which beats the file (below), which beats the default.  An empty variable is not
 * set.  What is set and makes no sense is an error even where something beats it; a variable HEIST_... that
 * nothing reads is named in the log.  A simulation (heist/sim.h) reads neither. */
typedef struct heist_config {
	uint32_t struct_size;
	heist_mode mode;
	uint32_t
		workers; /* at most 256, or all; default: CPUs allowed by affinity and cgroup quota */
	heist_switch pin;   /* on, off, 1 or 0; default: on with 2 or more workers, off when the CPU
			     * quota is below the mask or there are more workers than CPUs */
	uint32_t batch;	    /* messages per activation; default 64, at most 65535 */
	uint32_t budget_us; /* time per activation; default 1000 */
	uint32_t max_actors; /* alive at once; default and most 2^28: 64 B of address space each */
	void *user;	     /* handed to the functions below */
	/* All memory of the runtime except address space for handles; both or neither.  align is a
	 * power of two.  Any thread, also several at once; they must not call the runtime. */
	void *(*alloc)(void *user, size_t size, size_t align);
	void (*dealloc)(void *user, void *p, size_t size);
	/* Every lost message, on the thread that loses it; so are drops.  Must not wait, but may send, and close
	 * this runtime (no other). */
	void (*dead_letter)(void *user, const heist_lost *lost);
	/* Lines of the log; default: standard error, by log_format.  One at a time, in the order they were
	 * written, on a thread of the runtime's own, in heist_poll, or in heist_shutdown; those of a start
	 * that fails on its thread.  It may wait: only lines wait for it, and those that find log_lines
	 * waiting are lost, counted (heist_stats.log_lost) and told about.  It must not write lines, nor end
	 * this runtime. */
	void (*log)(void *user, const heist_log_line *line);
	/* HEIST_POLLED only: the time, in nanoseconds, not 0, never going back, moved by you between
	 * polls; heist_poll then never sleeps.  For tests and simulations.  Default: the machine's. */
	uint64_t (*clock)(void *user, heist_clock which);
	/* Events that each thread keeps for heist_dump_events, at most 2^20; default 0:
	 * none are recorded. */
	uint32_t events;
	/* More pools, at most 63, with at most 256 workers in all pools together; copied. */
	const heist_pool *pools;
	uint32_t pool_count;
	/* Actors with a thread of their own at a time; default 32, at most 64. */
	uint32_t threads_max;
	/* An actor has become overloaded, or is no more (opts.overload_high); on the thread that caused it;
	 * that one has ended is not told.  Must not wait, or call the runtime. */
	void (*overload)(void *user, heist_ref actor, bool on);
	/* Threads that serve in the place of workers that wait (heist_blocking_begin), at most 64; default: as
	 * many as workers, none with one worker, which then is the only thread that runs handlers. */
	uint32_t spare_max;
	/* A handler that runs for longer is a hog: whatever its worker holds runs elsewhere, and a spare
	 * thread serves in its place until it returns, as with heist_blocking_begin.  Default 20; UINT32_MAX:
	 * nobody watches.  Threads of single actors (own_thread) are not watched. */
	uint32_t hog_ms;
	/* After this it is named, once, by hog(), on a thread of its own, or else in the log.  Default 1000.
	 * hog() must not wait for the runtime.  The hog's thread is sent SIGURG, which tells where it is; a call
	 * of the system that it waits in may end with EINTR.  A SIGURG from elsewhere goes to whoever handled it
	 * when the first hog was named; who installs a handler later must call the one that was there. */
	uint32_t hog_name_ms;
	void (*hog)(void *user, const heist_hog *);
	/* Faults in handlers of classes with HEIST_PURE end the actor, not the process.  Any other fault of the
	 * process is reported on standard error (actor, class, message, backtrace, last events) and then
	 * goes to the handler that was installed before the runtime started, or to the default.  Not with
	 * HEIST_POLLED, whose thread is the host's.  Default: off. */
	heist_switch contain;
	/* HEIST_CONFIG; a file of lines `key = value`, # begins a comment: the fields above that are numbers or
	 * switches, by their names, but for mode; at most 16 KiB.  Default: none.  Not of HEIST_CONFIG if the
	 * program runs with more rights than who called it. */
	const char *file;
	/* Lines of no more than this level are written (off, error, warn, info, debug); default warn. */
	heist_log_level log_level;
	/* Of lines for standard error: text or json; default text, in colours on a terminal, unless NO_COLOR is
	 * set. */
	heist_log_format log_format;
	/* That may wait to be told, at most 65536; rounded up to a power of two; default 256. */
	uint32_t log_lines;
	/* One activation in so many, by chance, is measured for heist_get_class_stats, at most 2^30.  It takes some
	 * 670 instructions more, each of the up to 16 before it 11; none of the others any.  Where actors wait in
	 * great numbers for a worker, sends around it are not put off to be delivered many at a time.  5000 costs
	 * about a per cent of the cheapest messages' time.  Not in a simulation.  Default 0: none. */
	uint32_t sample;
	/* Memory of messages, in pieces of 2 MiB, goes back to the system when none was needed for so long, since
	 * the next flood would pay for fresh memory; the first piece stays.  heist_trim: at once.  Not with alloc.
	 * Default 10000. */
	uint32_t memory_keep_ms;
} heist_config;

/* Counters since start.  At quiescence: accepted == handled + the sum of lost. */
typedef struct heist_stats {
	uint32_t struct_size;
	uint32_t workers;  /* of the runtime's own pool */
	uint64_t actors;   /* alive now */
	uint64_t accepted; /* messages, requests and replies taken over */
	uint64_t handled;  /* of these, how many reached a handler or continuation */
	uint64_t lost[HEIST_CAUSES];
	uint64_t activations;	/* times an actor was given a worker */
	uint64_t steals;	/* actors a worker took from another */
	uint64_t parks;		/* times a worker went to sleep */
	uint64_t wakes;		/* times one was woken for new work */
	uint64_t message_bytes; /* memory held for messages */
	uint64_t slot_bytes;	/* memory committed for actor slots */
	uint64_t arena_bytes;	/* memory held for heist_alloc */
	/* Each time a timer is set, a period of a periodic one included, it fires once or is cancelled,
	 * by heist_cancel or the end of its actor: armed - fired - cancelled wait now. */
	uint64_t timers_armed, timers_fired, timers_cancelled;
	uint64_t refused;     /* messages not taken over by a full mailbox, whose sender was told */
	uint64_t redirected;  /* messages that a full mailbox sent on (HEIST_REDIRECT) */
	uint64_t faults;      /* contained (HEIST_PURE) */
	uint64_t quarantined; /* bytes of state and arena that they left */
	uint64_t log_lines;   /* lines of the log that were written ... */
	uint64_t log_lost;    /* and those that were not, or not told: too many waited */
} heist_stats;

#define HEIST_NAME_MAX 47

#define HEIST_HISTOGRAM_BUCKETS 304

/* How many values there were in each of ascending ranges, whose width is an eighth of their begin or less: heist_quantile
 * tells.  Values from 2^40 on (18 minutes) are all in the last one. */
typedef struct heist_histogram {
	uint64_t count; /* of values          */
	uint64_t sum;	/* of them, exactly   */
	uint64_t bucket[HEIST_HISTOGRAM_BUCKETS];
} heist_histogram;

/* What the actors of one class did in the activations that were measured (heist_config.sample). */
typedef struct heist_class_stats {
	uint32_t struct_size;
	const heist_class *
		cls; /* NULL: all those that came when there were 64 classes, or no memory for more */
	uint64_t messages; /* that were handled in these activations */
	uint64_t
		failures; /* of handlers, by answer or panic; these are all, not only those that were measured */
	heist_histogram run_ns; /* nanoseconds that an activation took */
	/* Nanoseconds that a message waits which comes when an activation begins, until all before it are handled,
	 * in this activation or later ones.  Not the time until the activation began. */
	heist_histogram wait_ns;
	heist_histogram depth; /* messages that waited when it began; 1024: or more */
} heist_class_stats;

/* The part of one worker in these counters.  What other threads did is in heist_stats only. */
typedef struct heist_worker_stats {
	uint32_t struct_size;
	uint32_t index;		       /* in its pool, from 0; spares come after the others */
	char pool[HEIST_NAME_MAX + 1]; /* "": the runtime's own, or the thread of one actor */
	bool spare;		       /* it serves in the place of another */
	bool own_thread;	       /* it serves one actor at a time (opts.own_thread) */
	uint64_t handled, activations, steals, parks, wakes;
	uint64_t spawned; /* actors that its handlers have spawned */
	uint64_t lost;	  /* messages, whatever the cause */
} heist_worker_stats;

/* An actor that a shutdown waits for. */
typedef struct heist_straggler {
	heist_ref actor;
	const heist_class *cls;
	char name[HEIST_NAME_MAX + 1]; /* one that it is registered under, or "" */
	int32_t worker; /* that is in its handler, from 0; -1: its stop hook is to run */
} heist_straggler;

/* ---- a runtime ---- */

/* Start a runtime; NULL config = defaults.  EINVAL: a bad field, environment value or file, or more than
 * 127 runtimes (the log says which); ENOMEM.  The caller ends it by heist_shutdown. */
HEIST_NEED heist_status heist_start(const heist_config *config, heist_system **out);
/* Put into the fields that are 0 what environment and file say; what nobody says stays 0.  heist_start does the
 * same to its own copy: this is for programs that want to know, or to be sure, before.  EINVAL: something makes no
 * sense; the log says where, what is wrong and what to do. */
HEIST_NEED heist_status heist_config_load(heist_config *);
/* What a runtime would be started with (NULL: of no program), as the text of a file: for each key what it does,
 * what it may be, its default, and, if it has another value, that and whose it is.  In pieces, as heist_metrics.
 * EINVAL: as heist_config_load, or write has answered false. */
HEIST_API heist_status heist_config_print(const heist_config *,
					  bool (*write)(void *user, const char *text, size_t size),
					  void *user);
/* Close the intake: from now on spawns, sends and calls from outside answer ECLOSED; handlers go on.
 * Does not wait. */
HEIST_API heist_status heist_close(heist_system *);
/* W.  End the runtime, in phases: close the intake; let the actors drain, until three quarters of the time
 * have passed; lose (CLOSED) what is queued then; stop the workers; end the actors that are left, with their
 * stop hooks, on the calling thread, children before parents and supervisors, the youngest first.  deadline 0:
 * as long as it takes.  OK: everything ended and freed, the pointer is dead.  ETIMEOUT: a handler is still
 * running at the deadline, or stop hooks are left to run a second after it, or after the call if that was
 * later; the log names them; call again. */
HEIST_API heist_status heist_shutdown(heist_system *, heist_time deadline);
/* After heist_shutdown has answered ETIMEOUT: whom it waits for.  Fills up to cap entries of out (NULL if
 * cap is 0), returns how many there are; 0 before.  Not during heist_shutdown. */
HEIST_API size_t heist_stragglers(heist_system *, heist_straggler *out, size_t cap);
HEIST_API heist_status heist_get_stats(const heist_system *, heist_stats *out);
/* Give back to the system now what config.memory_keep_ms would keep, as malloc_trim does for malloc: for a program
 * that knows that a flood is over.  What becomes free after it goes at once, too, until more is needed than there
 * is.  Workers that have nothing to do hold back no more than the first piece: those that sleep on memory are woken,
 * and give it back a moment after the call.  Takes a system call a piece of 2 MiB, and one for each that is woken.
 * With config.alloc it only wakes.  Any thread, handlers too.  EINVAL: NULL. */
HEIST_API heist_status heist_trim(heist_system *);
/* Workers have numbers from 0 on: the runtime's own, its spares, those of named pools, and then, as they are
 * needed, threads of single actors; none goes before the runtime ends.  Each counter is read by itself, while
 * they go on.  EINVAL: no such worker (yet). */
HEIST_API heist_status heist_get_worker_stats(const heist_system *, uint32_t worker,
					      heist_worker_stats *out);
/* Of the classes whose actors were measured, from 0 on, in the order in which that happened first; last, and
 * with cls NULL, what is kept together of others.  EINVAL: no such class (yet), or nothing is measured. */
HEIST_API heist_status heist_get_class_stats(const heist_system *, uint32_t index,
					     heist_class_stats *out);
/* A value that the part q (from 0 to 1) of all values do not exceed: not less than the least such one, and
 * not more than an eighth above it, if that is below 2^40.  0: there are none, or the arguments are wrong. */
HEIST_API uint64_t heist_quantile(const heist_histogram *, double q);
HEIST_API uint64_t heist_lost_count(const heist_system *, heist_cause);
/* Losses by message type: fills up to cap entries of out (NULL if cap is 0), in no order; returns how
 * many there are. */
HEIST_API size_t heist_lost_types(const heist_system *, heist_lost_type *out, size_t cap);
/* All these counters and losses as OpenMetrics text, for a Prometheus scraper: in pieces of whole lines, each of
 * less than 512 bytes, the last of them `# EOF`.  Content type: application/openmetrics-text; version=1.0.0;
 * charset=utf-8.  Classes, and types, whose names are equal in their first 100 characters are one series with
 * the sum.  EINVAL: write has answered false, and was not called again.  ENOMEM: the losses by type,
 * or what was measured of classes, are missing. */
HEIST_API heist_status heist_metrics(const heist_system *,
				     bool (*write)(void *user, const char *text, size_t size),
				     void *user);
/* Print, oldest first, what the runtime's threads did last, and forget it: one line each, `time thread
 * event handle name detail`; events: start, run, end (actors), lost (messages), park (workers).  Any
 * thread; also a signal handler, with 16 KiB of stack.  EINVAL: the descriptor takes nothing. */
HEIST_API heist_status heist_dump_events(heist_system *, int fd);
/* Write a line to the log, as the runtime does; with heist_log an actor's.  It is formatted now and told
 * later (heist_config.log), so its strings need not live on.  Never waits.  OK: written, or the level is not
 * wanted.  EFULL: too many wait to be told; it is lost and counted.  ECLOSED: the runtime is that of the
 * parent process. */
HEIST_API heist_status heist_log_for(heist_system *, heist_log_level, const char *format, ...)
	HEIST_PRINTF_(3, 4);
/* From now on; HEIST_LOG_OFF: nothing. */
HEIST_API heist_status heist_set_log_level(heist_system *, heist_log_level);
/* For a process that is about to crash: print the lines that still wait, as text, and forget them.  Any
 * thread; also a signal handler, with 8 KiB of stack.  Names are missing.  ETIMEOUT: they are being told, and
 * whoever does that does not come back; EINVAL: the descriptor takes nothing. */
HEIST_API heist_status heist_log_dump(heist_system *, int fd);
/* The time; NULL: the machine's monotonic and wall clock. */
HEIST_API heist_time heist_now(const heist_system *);
/* Now + ms. */
HEIST_API heist_time heist_in_ms(const heist_system *, uint32_t ms);
HEIST_API heist_wall heist_wall_now(const heist_system *);

/* ---- actors: any thread ---- */

/* Start an actor.  The handle is valid at return; its init hook runs as its first turn, before any
 * message.  arg: hooks->arg_size bytes, copied; may be NULL if that is 0. */
HEIST_NEED heist_status heist_spawn(heist_system *, const heist_class *, const heist_opts *,
				    const void *arg, heist_ref *out);
/* Drain and end: what was accepted before is handled, then the actor ends with `why`.  ECLOSED, here and below:
 * the runtime has stopped its workers, and ends the actors that are left. */
HEIST_API heist_status heist_stop(heist_ref, heist_status why);
/* End after the running handler, whatever is queued: that is lost (STOPPED). */
HEIST_API heist_status heist_kill(heist_ref, heist_status why);

/* Set bits, any of 32, that the actor's signal hook is told by HEIST_SIG_NOTIFY, all in one, before its next
 * message (under a backlog at most 8 later).  No memory, no lock, nothing that can be full; any thread, and
 * also a handler of signals, whatever that has interrupted.  Bits are no messages and are not counted: those
 * that an actor has not been told when it ends are gone, those of one that is restarted are told to its next
 * incarnation, an actor without a signal hook is told none.  What was done before the call happens before
 * the hook.  EDEAD; ECLOSED. */
HEIST_API heist_status heist_notify(heist_ref, uint32_t bits);

/* ---- names: any thread, inside handlers too ---- */

/* Give an actor a name: 1 to HEIST_NAME_MAX letters, digits and . _ - / : @, copied.  An actor may have
 * several.  A name is free again the moment its actor has ended (after the stop hook), without anybody's
 * doing.  EEXIST: an actor that is alive has it, be it this one; EDEAD; ENOMEM; EINVAL: not a name, or
 * an actor of another runtime. */
HEIST_NEED heist_status heist_register(heist_system *, const char *name, heist_ref actor);
/* Take a name away, whoever's it is.  EDEAD: nobody alive has it. */
HEIST_API heist_status heist_unregister(heist_system *, const char *name);
/* Who has this name?  {0}: nobody alive.  In a handler it waits for nobody: a fence and a lookup. */
HEIST_API heist_ref heist_whereis(heist_system *, const char *name);

/* ---- groups and topics: any thread, inside handlers too ----
 *
 * A list of actors under a name: the members of a group, the subscribers of a topic.  Names are as above;
 * those of actors, groups and topics are apart.  A list needs no making: it is there with its first member
 * and gone with its last.  An actor may be in any number.  A membership is the handle's: a restart keeps it,
 * the end of the actor ends it, without anybody's doing.  Sends wait for nobody, not for joins either: each
 * goes to those that were members when it was called; who joins or leaves meanwhile may get it or not. */

/* What became of a message for many: tried is the sum of the others. */
typedef struct heist_tally {
	uint32_t struct_size;
	uint32_t tried;	   /* actors */
	uint32_t accepted; /* taken over: each is handled once, or lost once with a cause */
	uint32_t full, dead, closed, no_memory; /* not: EFULL, EDEAD, ECLOSED, ENOMEM */
} heist_tally;

typedef enum heist_member_change {
	HEIST_MEMBER_JOINED,
	HEIST_MEMBER_LEFT, /* heist_group_leave */
	HEIST_MEMBER_ENDED /* the actor has ended */
} heist_member_change;

/* Payload of the message by which a watcher of a group is told. */
typedef struct heist_member_event {
	heist_ref who;
	uint64_t user; /* what heist_group_watch was given */
	heist_member_change change;
} heist_member_event;

/* EEXIST: it is a member; EDEAD, ENOMEM, ECLOSED; EINVAL: not a name, or an actor of another runtime. */
HEIST_API heist_status heist_group_join(heist_system *, const char *group, heist_ref actor);
/* EDEAD: it is not a member (any more). */
HEIST_API heist_status heist_group_leave(heist_system *, const char *group, heist_ref actor);
/* The members: fills up to cap handles of out (NULL if cap is 0), in no order; returns how many there
 * are. */
HEIST_API size_t heist_group_members(heist_system *, const char *group, heist_ref *out, size_t cap);
/* Tell an actor who joins and leaves, by messages of a type of your own whose payload is a
 * heist_member_event; at first, who is there.  A watcher need not be a member.  No bound applies to these
 * messages.  Each change is told once, in the same order to all watchers of a group; it needs memory for
 * each pair of watcher and member.  The watch is the handle's, like a membership.  EEXIST: it watches. */
HEIST_API heist_status heist_group_watch(heist_system *, const char *group, heist_ref watcher,
					 const heist_type *, uint64_t user);
/* What has been sent before is still handled.  EDEAD: it does not watch. */
HEIST_API heist_status heist_group_unwatch(heist_system *, const char *group, heist_ref watcher);
/* Send to all members.  The type must own nothing (no drops->msg).  A payload of more than 40 bytes is
 * copied once and shared by the receivers: they must not change it; heist_take gives a copy.  OK:
 * somebody has taken it, or nobody is there; else why the first has not.  tally may be NULL. */
HEIST_API heist_status heist_group_send(heist_system *, const char *group, const heist_type *,
					const void *msg, heist_tally *tally);
/* The same to n actors, which may repeat; handles of actors that have ended count as dead. */
HEIST_API heist_status heist_send_all(heist_system *, const heist_ref *to, size_t n,
				      const heist_type *, const void *msg, heist_tally *tally);

/* Routing: who sends picks one member of a group, then sends, asks or forwards; nobody is in between. */
typedef enum heist_route {
	HEIST_ROUND_ROBIN, /* each thread goes round by itself: worker threads, and threads outside */
	HEIST_RANDOM,	   /* each is as likely */
	/* Of up to 8 in a row from a random place, the one with the least in its mailbox, as counted for
	 * its bound or its marks (opts.mailbox_cap, overload_high); of an actor without either it is only
	 * known whether it is idle. */
	HEIST_LEAST_LOADED,
	/* The same key leads to the same member as long as that is there.  Looks at all members. */
	HEIST_CONSISTENT_HASH
} heist_route;
/* A member; {0}: there is none.  key is for HEIST_CONSISTENT_HASH.  In a handler it waits for nobody. */
HEIST_API heist_ref heist_pick(heist_system *, const char *group, heist_route, uint64_t key);

/* Topics: the same by other names. */
HEIST_API heist_status heist_subscribe(heist_system *, const char *topic, heist_ref actor);
HEIST_API heist_status heist_unsubscribe(heist_system *, const char *topic, heist_ref actor);
HEIST_API size_t heist_subscribers(heist_system *, const char *topic, heist_ref *out, size_t cap);
HEIST_API heist_status heist_publish(heist_system *, const char *topic, const heist_type *,
				     const void *msg, heist_tally *tally);

/* Start a supervisor and its children, in order; one that is not HEIST_ONE_FOR_ONE waits for each init hook.
 * children: room for child_count handles.  A supervisor that fails, by intensity, by decision or by a link,
 * restarts as its parent says, its children with it under their old handles; without a parent it ends
 * (HEIST_EXIT_CRASHED, HEIST_EXIT_LINKED).  heist_stop and heist_kill of a supervisor first stop its
 * children, one by one, from the last to the first.  EDEAD: the parent has ended.  ENOMEM: no child's
 * init has run, and none will; what was made of the tree ends, and until then heist_select may meet it;
 * children then holds nothing of use. */
HEIST_NEED heist_status heist_supervise(heist_system *, const heist_sup *, heist_ref *out,
					heist_ref *children);
/* One more child, after the others; it leaves by heist_stop or heist_kill, or when it is not restarted.
 * EDEAD: the supervisor has ended.  A child of something that is no supervisor is killed. */
HEIST_NEED heist_status heist_add_child(heist_system *, heist_ref sup, const heist_child *,
					heist_ref *out);

/* Actors by their place in the supervision trees: a path is a name after a slash for each level, from a
 * supervisor without a parent down, at most 32.  In a pattern * stands for any one name, and ** for any
 * number of them, none too: after a slash, ** means all that have a path, and **, a slash and till all tills.
 * Fills up to cap handles of out (NULL if cap is 0), in no order, each once; returns how many there are.
 * Children that rest are there, those that have ended are not.  Waits for nobody, but looks at every name
 * that may lead to one. */
HEIST_API size_t heist_select(heist_system *, const char *pattern, heist_ref *out, size_t cap);
/* heist_send_all to what a pattern means. */
HEIST_API heist_status heist_send_path(heist_system *, const char *pattern, const heist_type *,
				       const void *msg, heist_tally *tally);
/* A pool: see that `group` has count members that are children of sup, by heist_add_child and join, or by
 * leave and heist_stop, the youngest first.  All members of the group are to be such children, sup of
 * HEIST_ONE_FOR_ONE.  If another thread is at it, that one goes on to count, and the answer is OK at
 * once.  EDEAD: the supervisor has ended; ENOMEM, ECLOSED: some may have been added or stopped. */
HEIST_API heist_status heist_resize(heist_system *, heist_ref sup, const char *group,
				    const heist_child *, uint32_t count);

/* ---- messages: any thread ---- */

/* Copy a payload of type->size bytes to an actor.  OK: accepted. */
HEIST_API heist_status heist_send(heist_ref to, const heist_type *, const void *msg);
/* The same, but it goes before what waits in the mailbox: under a backlog at most 8 messages later, sent by its
 * own handler at once.  Urgent messages among themselves keep their order.  When others wait, at most 8 urgent
 * ones are handled on end.  A message that is not urgent costs no more for
 * them; an urgent one is slower than others. */
HEIST_API heist_status heist_send_urgent(heist_ref to, const heist_type *, const void *msg);
/* Build a message in place: type->size + extra zeroed bytes, owned by the caller until heist_post takes
 * or heist_discard frees it.  NULL: out of memory, or a wrong argument. */
HEIST_NEED void *heist_new(heist_system *, const heist_type *, size_t extra);
/* Move a message made by heist_new or heist_take to an actor.  Taken: *msg = NULL. */
HEIST_NEED heist_status heist_post(heist_ref to, void **msg);
/* Drop (drops->msg) and free a message made by heist_new or heist_take; *msg = NULL. */
HEIST_API void heist_discard(void **msg);
/* W.  Request and wait: reply receives type->reply_size bytes (may be NULL).  The request comes after what this
 * thread has sent to the same actor.  What the payload owns is taken,
 * whatever the answer, even EINVAL: an answer does not tell whether a handler has it; if none will,
 * drops->msg gets it.  In a polled runtime the caller must be the polling thread: it drives the loop while it
 * waits. */
HEIST_API heist_status heist_call(heist_system *, heist_ref to, const heist_type *, const void *msg,
				  heist_time deadline, void *reply);
/* Give the reply owed by a token.  A token answered twice, or late, or after the actor that owed it has
 * ended, is a counted loss (LATE). */
HEIST_API heist_status heist_reply_to(heist_token, heist_status, const heist_type *,
				      const void *reply);

/* ---- HEIST_POLLED: the thread that drives ---- */

/* Run up to max_turns activations, until idle or until the clock passes `until` (0: do not wait).
 * Returns how many ran, or a negative status; one thread at a time (EINVAL). */
HEIST_API int heist_poll(heist_system *, heist_time until, int max_turns);
/* A descriptor that turns readable when work arrives while nobody polls; owned by the runtime. */
HEIST_API int heist_poll_fd(const heist_system *);
/* The next deadline the loop must wake up for; 0 = none. */
HEIST_API heist_time heist_poll_deadline(const heist_system *);

/* ---- inside a handler only ---- */

HEIST_API heist_ref heist_self(const heist_ctx *);
HEIST_API heist_system *heist_system_of(const heist_ctx *);
/* heist_log_for with the actor's handle, class and name.  A level that is not wanted costs a load and a
 * branch, and the making of the values. */
HEIST_API heist_status heist_log(heist_ctx *, heist_log_level, const char *format, ...)
	HEIST_PRINTF_(3, 4);
/* heist_now, when this worker last looked: behind by as long as the running handler has taken, and what was
 * handled before it since the look, 64 messages at most; once these have taken a quarter of the worker's budget_us,
 * it looks after each until one takes less.  It looks before a message runs again (HEIST_AGAIN), and when
 * heist_poll begins.  A load instead of a clock, for deadlines and times that
 * need not be exact.  NULL: 0. */
HEIST_API heist_time heist_recent(const heist_ctx *);
/* Deadline of the request being handled, or, in a continuation, of that in whose handler it was asked for;
 * 0 = none. */
HEIST_API heist_time heist_deadline(const heist_ctx *);
/* Request: returns at once; if OK, k runs exactly once as a turn of this actor, with the reply or with
 * why there is none, unless this actor ends first.  The deadline is lowered to heist_deadline; 0 =
 * none. */
HEIST_NEED heist_status heist_ask(heist_ctx *, heist_ref to, const heist_type *, const void *msg,
				  heist_time deadline, heist_reply_fn *k, uint64_t user);
/* One request to n actors, and one continuation with what each has answered: when `enough` of them have
 * with HEIST_OK (0: all n; 1: any), when none is waited for any more, or at the deadline, whichever comes
 * first.  The type must own nothing (no drops->msg).  If OK, k runs exactly once as a turn of this actor,
 * unless this actor ends first, even if nobody could be asked.  ENOMEM: nobody was asked. */
HEIST_NEED heist_status heist_ask_all(heist_ctx *, const heist_ref *to, uint32_t n, uint32_t enough,
				      const heist_type *, const void *msg, heist_time deadline,
				      heist_gather_fn *k, uint64_t user);
/* Answer the request being handled: copies type->reply_size bytes.  EINVAL: nothing (more) is owed. */
HEIST_API heist_status heist_reply(heist_ctx *, heist_status, const heist_type *,
				   const void *reply);
/* Who asked, while a request is handled; else nobody: a plain message does not carry its sender. */
HEIST_API heist_ref heist_sender(const heist_ctx *);
/* Hand the request being handled on: `to` gets this one, with the same deadline, and owes the reply, to the
 * actor that asked here.  The two types must have replies of one size, and should have one type.  EINVAL:
 * nothing (more) is owed, or another size; EDEAD, EFULL, ENOMEM: it is still owed here. */
HEIST_API heist_status heist_forward(heist_ctx *, heist_ref to, const heist_type *,
				     const void *msg);
/* Owe the answer beyond the end of the handler.  If this actor ends before it is given, by whomever, the
 * asker is told at once: EDEAD, or ECRASH if it is restarted.  A token that is dropped is an answer that
 * does not come: then the deadline counts.  Token {0}: nothing is owed, or out of memory. */
HEIST_API heist_token heist_reply_later(heist_ctx *, const heist_type *);
/* Own the message being handled, for heist_post or heist_discard; use only the pointer returned (a
 * small payload is copied, a large one, or HEIST_FIXED_ADDRESS, moved).  NULL: out of memory, or taken or stashed
 * already. */
HEIST_NEED void *heist_take(heist_ctx *, void *msg);
/* Timers.  A copy of msg is sent to an actor later, as if by a handler of this one at that moment; never
 * before it is due.  One for this actor itself waits in its mailbox like any message, and still is not
 * handled if it is cancelled there.  Timers end with their actor.  Until it is sent the message is
 * nobody's: a cancelled one is dropped (drops->msg) but not counted as lost.  One that can not be sent
 * because its receiver has ended is (DEAD), and ends a periodic timer.  *timer, which may be NULL,
 * receives what heist_cancel takes.  ENOMEM; EINVAL. */
HEIST_API heist_status heist_send_after(heist_ctx *, heist_ref to, const heist_type *,
					const void *msg, uint64_t delay_ns, heist_timer *timer);
/* Again and again: first after first_ns, then by pace.  The type must own nothing (no drops->msg). */
HEIST_API heist_status heist_send_every(heist_ctx *, heist_ref to, const heist_type *,
					const void *msg, uint64_t first_ns, uint64_t period_ns,
					heist_pace pace, heist_timer *timer);
/* At an instant of the wall clock; if that clock is set, what is due then is sent within a minute. */
HEIST_API heist_status heist_send_at(heist_ctx *, heist_ref to, const heist_type *, const void *msg,
				     heist_wall at, heist_timer *timer);
/* OK: it is not handled, or sent, any more; but the handler of that very message, if it cancels and answers
 * HEIST_AGAIN, gets it again.  EDEAD: it has ended before. */
HEIST_API heist_status heist_cancel(heist_ctx *, heist_timer);
/* Be told, by HEIST_SIG_IDLE, when no message, request or reply has come for ns nanoseconds; 0: no more.  Not
 * earlier, and at most a quarter of it later than the actor's turn can be.  Once for each silence; a busy
 * actor pays four timers in that time, nothing per message.  Signals and bits do not end a silence.
 * Gone with a restart.  EINVAL: the class has no signal hook; ENOMEM. */
HEIST_API heist_status heist_idle_after(heist_ctx *, uint64_t ns);
/* The behaviour for the next messages. */
HEIST_API void heist_become(heist_ctx *, heist_recv_fn *);
/* The same, to come back from: the present one goes on a stack.  EFULL: 16 are there; ENOMEM. */
HEIST_API heist_status heist_push_behaviour(heist_ctx *, heist_recv_fn *);
/* The behaviour on top of the stack again.  EDEAD: it is empty.  A restart empties it. */
HEIST_API heist_status heist_pop_behaviour(heist_ctx *);
/* Keep the message being handled for later; the handler then answers CONTINUE.  A request is owed a reply all
 * the while, and is answered HEIST_ETIMEOUT if its deadline has passed when its turn comes.  It
 * counts as handled when it is, or is lost: with the actor (STOPPED), or by a restart, as what is in the mailbox;
 * what a restart leaves is unstashed.  EFULL: opts.stash_cap are kept; ENOMEM; EINVAL: not
 * the message being handled, or taken. */
HEIST_API heist_status heist_stash(heist_ctx *, void *msg);
/* All that is kept is handled next, in the order in which it came, before what waits in the mailbox.  Returns
 * how many there are. */
HEIST_API uint32_t heist_unstash(heist_ctx *);
HEIST_API uint32_t heist_stashed(const heist_ctx *); /* how many are kept */
/* No message and no request is handled from now on until all that this actor has asked and waits for is
 * answered, or its deadline has passed; they wait in their order, what timers bring included, which can be
 * cancelled still.  Replies and signals are handled.  A continuation may ask and hold again: nothing comes
 * between.  Ask with deadlines: two that hold and ask each other wait for ever.  EDEAD: nothing is awaited. */
HEIST_API heist_status heist_hold(heist_ctx *);
/* A behaviour, and the end of others: counts the message as lost (UNHANDLED) and goes on. */
HEIST_API heist_recv_fn heist_unhandled;
/* Ask to be told, by HEIST_SIG_DOWN, when an actor ends: once, with the reason, after its stop hook; at
 * once if it has ended already (HEIST_EXIT_GONE).  A restart of the actor is no end; one of the caller ends
 * its monitors, not its links.  A second monitor of the same actor is the first one.
 * EINVAL: this class has no signal hook, or the actor is this one or of another runtime.  ENOMEM. */
HEIST_API heist_status heist_monitor(heist_ctx *, heist_ref);
/* After it has returned nothing is told.  EDEAD: there was no monitor (any more). */
HEIST_API heist_status heist_demonitor(heist_ctx *, heist_ref);
/* heist_spawn and heist_monitor in one: however soon the actor ends, its reason is told. */
HEIST_NEED heist_status heist_spawn_monitor(heist_ctx *, const heist_class *, const heist_opts *,
					    const void *arg, heist_ref *out);
/* An actor that does not outlive this one: before it ends, or is restarted, and before its stop hook, it handles
 * no more messages and ends its children, one by one, from the youngest to the oldest; by heist_stop if it
 * answered HEIST_STOP or was stopped itself, else by heist_kill.  The other way round it is only told
 * (HEIST_SIG_CHILD), if it has a signal hook.  Children may have children.  EDEAD: in a stop hook. */
HEIST_NEED heist_status heist_spawn_child(heist_ctx *, const heist_class *, const heist_opts *,
					  const void *arg, heist_ref *out);
/* Tie two actors: if one ends with another status than HEIST_OK, or has ended already, so does the other
 * (HEIST_EXIT_LINKED, with that status), before its next message (under a backlog at most 8 later, but
 * at once if it was found to have ended); see HEIST_TRAP_LINKS.  One whose
 * incarnation is over, or a child that waits for its first, is neither ended nor told: the link is gone.
 * Either may unlink; after that has returned the caller's end is not tied any more.  Errors as above. */
HEIST_API heist_status heist_link(heist_ctx *, heist_ref);
HEIST_API heist_status heist_unlink(heist_ctx *, heist_ref);
/* n zeroed bytes, aligned to 16, of this actor's arena: gone, all at once, when the actor has ended, or
 * before it is restarted (after its stop hook), however it ends.  There is no way to free less.  Not for
 * messages: they may outlive their sender.  NULL: out of memory, or the actor has had opts.memory_max
 * bytes (each piece counts as a multiple of 16). */
HEIST_NEED void *heist_alloc(heist_ctx *, size_t n);
/* Bytes that heist_alloc has handed out to this actor. */
HEIST_API uint64_t heist_allocated(const heist_ctx *);
/* Fail from any depth of calls below a handler, hook or continuation: as if it answered HEIST_FAIL, but
 * with the reason `why` (HEIST_EUSER and below, or HEIST_ECRASH; anything else becomes HEIST_ECRASH).
 * Nothing between is unwound: frames that are left must hold no locks, no memory of the heap, no C++
 * objects with destructors, and no message taken (heist_take, heist_new) that is to be freed.  In init
 * the actor ends with HEIST_EINIT; a stop hook that panics is over.  Outside a handler: abort. */
HEIST_API __attribute__((noreturn)) void heist_panic(heist_ctx *, heist_status why);
/* True: this activation has used its messages or its time; return HEIST_AGAIN to go on later. */
HEIST_API bool heist_out_of_budget(const heist_ctx *);

/* Between these two the handler waits for something outside: a lock, a file, a child.  Its worker is taken
 * out: what is queued there runs elsewhere, and a spare thread serves in its place until the end, which
 * takes no turn and does not wait.  Not for actors bound to this worker (heist_opts.worker): they wait with
 * it.  Everything else may be called in between.  Begun twice is begun once; the end of the handler, however
 * it ends, is an end, too.  Each costs a few hundred nanoseconds, the first of all a thread.  EINVAL: no
 * context. */
HEIST_API heist_status heist_blocking_begin(heist_ctx *);
HEIST_API heist_status heist_blocking_end(heist_ctx *);

/* ---- about the library ---- */

HEIST_API const char *heist_strstatus(heist_status); /* static text, never NULL */
HEIST_API const char *heist_strcause(heist_cause);   /* one word, the same        */
HEIST_API uint32_t heist_abi_version(void);

#ifdef __cplusplus
}
#endif

#define HEIST_DEFAULT_(T)                                                                          \
	HEIST_INLINE heist_##T heist_##T##_default(void)                                           \
	{                                                                                          \
		heist_##T x = HEIST_C_({ 0 }, {});                                                 \
		x.struct_size = sizeof x;                                                          \
		return x;                                                                          \
	}
HEIST_DEFAULT_(config)
HEIST_DEFAULT_(opts)
HEIST_DEFAULT_(child)
HEIST_DEFAULT_(sup)
HEIST_DEFAULT_(stats)
HEIST_DEFAULT_(worker_stats)
HEIST_DEFAULT_(class_stats)
HEIST_DEFAULT_(pool)
HEIST_DEFAULT_(tally)

/* ---- typed layer ----
 *
 * A protocol is a list  X(P, message, ReplyType, drops)  over structs P_message:
 *
 *     struct counter_add { int64_t by; };
 *     #define COUNTER(X, P) X(P, add, heist_unit, NULL)
 *     HEIST_PROTOCOL(counter, COUNTER);                 declares counter_ref, counter_send_add() ...
 *     HEIST_ACTOR(counter, struct counter, COUNTER);    defines counter_class from counter_on_add()
 *
 * A wrong payload, a missing handler, a wrong reply type or a foreign handle do not compile. */

#define HEIST_TAG_(P, N, R, D) P##_T_##N,
#define HEIST_FN_(P, N, R, D)                                                                      \
	HEIST_C_(_Static_assert, static_assert)                                                    \
	(HEIST_C_(_Alignof, alignof)(struct P##_##N) <= 8, #P "." #N ": alignment <= 8");          \
	typedef R P##_R_##N;                                                                       \
	typedef struct {                                                                           \
		heist_token t;                                                                     \
	} P##_##N##_owed;                                                                          \
	HEIST_INLINE heist_status P##_send_##N(P##_ref to, struct P##_##N m)                       \
	{                                                                                          \
		return heist_send(to.ref, &P##_types[P##_T_##N], &m);                              \
	}                                                                                          \
	HEIST_INLINE heist_status P##_urgent_##N(P##_ref to, struct P##_##N m)                     \
	{                                                                                          \
		return heist_send_urgent(to.ref, &P##_types[P##_T_##N], &m);                       \
	}                                                                                          \
	HEIST_MUST HEIST_INLINE struct P##_##N *P##_new_##N(heist_system *s, size_t extra)         \
	{                                                                                          \
		return (struct P##_##N *)heist_new(s, &P##_types[P##_T_##N], extra);               \
	}                                                                                          \
	HEIST_MUST HEIST_INLINE heist_status P##_post_##N(P##_ref to, struct P##_##N **m)          \
	{                                                                                          \
		void *p = *m;                                                                      \
		heist_status r = heist_post(to.ref, &p);                                           \
		*m = (struct P##_##N *)p;                                                          \
		return r;                                                                          \
	}                                                                                          \
	HEIST_MUST HEIST_INLINE heist_status P##_ask_##N(heist_ctx *c, P##_ref to,                 \
							 struct P##_##N m, heist_time deadline,    \
							 heist_reply_fn *k, uint64_t user)         \
	{                                                                                          \
		return heist_ask(c, to.ref, &P##_types[P##_T_##N], &m, deadline, k, user);         \
	}                                                                                          \
	HEIST_INLINE heist_status P##_call_##N(heist_system *s, P##_ref to, struct P##_##N m,      \
					       heist_time deadline, R *out)                        \
	{                                                                                          \
		return heist_call(s, to.ref, &P##_types[P##_T_##N], &m, deadline, out);            \
	}                                                                                          \
	HEIST_INLINE heist_status P##_after_##N(heist_ctx *c, P##_ref to, struct P##_##N m,        \
						uint64_t delay_ns, heist_timer *timer)             \
	{                                                                                          \
		return heist_send_after(c, to.ref, &P##_types[P##_T_##N], &m, delay_ns, timer);    \
	}                                                                                          \
	HEIST_INLINE heist_status P##_every_##N(heist_ctx *c, P##_ref to, struct P##_##N m,        \
						uint64_t period_ns, heist_timer *timer)            \
	{                                                                                          \
		return heist_send_every(c, to.ref, &P##_types[P##_T_##N], &m, period_ns,           \
					period_ns, HEIST_FIXED_RATE, timer);                       \
	}                                                                                          \
	HEIST_INLINE heist_status P##_reply_##N(heist_ctx *c, R r)                                 \
	{                                                                                          \
		return heist_reply(c, HEIST_OK, &P##_types[P##_T_##N], &r);                        \
	}                                                                                          \
	HEIST_INLINE P##_##N##_owed P##_later_##N(heist_ctx *c)                                    \
	{                                                                                          \
		P##_##N##_owed o;                                                                  \
		o.t = heist_reply_later(c, &P##_types[P##_T_##N]);                                 \
		return o;                                                                          \
	}                                                                                          \
	HEIST_INLINE heist_status P##_reply_to_##N(P##_##N##_owed o, R r)                          \
	{                                                                                          \
		return heist_reply_to(o.t, HEIST_OK, &P##_types[P##_T_##N], &r);                   \
	}

/* Messages only: any kind of actor may implement them. */
#define HEIST_INTERFACE(P, LIST)                                                                   \
	typedef struct P##_ref {                                                                   \
		heist_ref ref;                                                                     \
	} P##_ref;                                                                                 \
	enum P##_tag{ LIST(HEIST_TAG_, P) P##_T_COUNT };                                           \
	HEIST_C_(extern, extern "C") const heist_type P##_types[];                                 \
	LIST(HEIST_FN_, P)                                                                         \
	struct P##_end_

/* Messages and the spawn function of one kind of actor. */
#define HEIST_PROTOCOL(P, LIST)                                                                    \
	HEIST_INTERFACE(P, LIST);                                                                  \
	HEIST_C_(extern, extern "C") const heist_class P##_class;                                  \
	HEIST_MUST HEIST_INLINE heist_status P##_spawn(heist_system *s, const heist_opts *o,       \
						       const void *arg, P##_ref *out)              \
	{                                                                                          \
		return heist_spawn(s, &P##_class, o, arg, &out->ref);                              \
	}                                                                                          \
	HEIST_MUST HEIST_INLINE heist_status P##_spawn_child(heist_ctx *c, const heist_opts *o,    \
							     const void *arg, P##_ref *out)        \
	{                                                                                          \
		return heist_spawn_child(c, &P##_class, o, arg, &out->ref);                        \
	}                                                                                          \
	struct P##_end_

/* I_ref P_as_I(P_ref): the promise that P implements I. */
#define HEIST_NARROW(P, I)                                                                         \
	HEIST_INLINE I##_ref P##_as_##I(P##_ref p)                                                 \
	{                                                                                          \
		I##_ref i;                                                                         \
		i.ref = p.ref;                                                                     \
		return i;                                                                          \
	}                                                                                          \
	struct P##_end_

#define HEIST_DESC_(P, N, R, D)                                                                    \
	{ P##_types, #P "." #N, P##_T_##N, sizeof(struct P##_##N), sizeof(R), 0, D, NULL },
#define HEIST_CASE_(P, N, R, D)                                                                    \
	case P##_T_##N:                                                                            \
		return P##_on_##N(c, (P##_state *)s, (struct P##_##N *)m);
#define HEIST_TABLE(P, LIST) const heist_type P##_types[] = { LIST(HEIST_DESC_, P) }

/* static P_recv(), from the handlers P_on_message(ctx, state, msg); OTHER gets what is not in LIST. */
#define HEIST_IMPLEMENT(P, STATE, LIST, OTHER)                                                     \
	typedef STATE P##_state;                                                                   \
	static heist_next P##_recv(heist_ctx *c, void *s, const heist_type *t, void *m)            \
	{                                                                                          \
		if (t->base == P##_types)                                                          \
			switch ((enum P##_tag)t->tag) {                                            \
				LIST(HEIST_CASE_, P)                                               \
			case P##_T_COUNT:                                                          \
				break;                                                             \
			}                                                                          \
		return OTHER(c, s, t, m);                                                          \
	}                                                                                          \
	struct P##_end_
#define HEIST_ACTOR_WITH(P, STATE, LIST, OTHER, HOOKS)                                             \
	HEIST_TABLE(P, LIST);                                                                      \
	HEIST_IMPLEMENT(P, STATE, LIST, OTHER);                                                    \
	const heist_class P##_class = { #P, HEIST_ABI, sizeof(STATE), P##_recv, HOOKS }
#define HEIST_ACTOR(P, STATE, LIST) HEIST_ACTOR_WITH(P, STATE, LIST, heist_unhandled, NULL)

/* Typed continuation FN(ctx, state, status, const Reply *, user); pass FN_k to P_ask_N(). */
#define HEIST_ON_REPLY(P, N, STATE, FN)                                                            \
	static void FN##_k(heist_ctx *c, void *s, heist_status st, const void *r, uint64_t user)   \
	{                                                                                          \
		FN(c, (STATE *)s, st, (const P##_R_##N *)r, user);                                 \
	}                                                                                          \
	struct P##_end_

#endif
