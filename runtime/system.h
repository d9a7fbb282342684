/* SPDX-License-Identifier: BSD-2-Clause
 * system.h - the runtime object and its workers.
 *
 * A handle carries the id of its runtime.  Foreign threads reach a runtime only through the static
 * table: they borrow one of its locals under a lock, and see under that lock whether the runtime
 * still exists, so heist_shutdown waits for them by taking each lock once. */
#ifndef HEIST_RUNTIME_SYSTEM_H
#define HEIST_RUNTIME_SYSTEM_H

#include <setjmp.h>

#include "lockfree/gate.h"
#include "runtime/alloc.h"
#include "runtime/events.h"
#include "runtime/local.h"
#include "runtime/log.h"
#include "runtime/outbox.h"
#include "runtime/place.h"
#include "runtime/chain.h"
#include "runtime/debt.h"
#include "runtime/registry.h"
#include "runtime/sample.h"
#include "runtime/child.h"
#include "runtime/slab.h"
#include "runtime/spinlock.h"
#include "runtime/straggler.h"
#include "runtime/timer.h"
#include "sched/pool.h"

struct paths;
struct rosters;
/* One bit of their number in a handle marks receivers with a bound. */
#define RUNTIMES 128

struct rt_worker;

struct heist_ctx {
	struct heist_system *system;
	struct rt_worker *worker;
	_Atomic(struct actor *) actor; /* the runner: ctx_actor; others: straggler.c */
	/* the actor's behaviour in a stretch (batch.h): ctx_set_recv; others: heist_batch_interrupt */
	_Atomic(heist_recv_fn *) recv;
	struct message *current;     /* the message being handled, if it is not a small plain one */
	struct message *lane;	     /* the same, if it is of a lane */
	struct request_header cause; /* of the continuation that runs (ask.c) */
	bool owes_reply;	     /* current is a request that was not answered yet */
	bool stop_after;	     /* end the actor after this turn (internal actors) */
	bool stopping;		     /* a stop hook runs                                */
	/* for a panic (panic.c): where it jumps to, why, and what it leaves in the middle */
	sigjmp_buf *guard;	    /* of the hook that runs, NULL: the worker's   */
	heist_status panic;	    /* why; HEIST_OK: the last failure was none    */
	struct batch *batch;	    /* the batch that runs; NULL: a single message */
	struct mpsc_node *starting; /* the INIT whose hook runs                    */
	struct mpsc_node *failed;   /* the message of an abandoned batch           */
};

/* What a worker does with a message that is sent. */
enum sending {
	SEND_AT_ONCE,
	SEND_DEFERRED,	/* into the outbox */
	SEND_SIMULATED, /* sim_net.c */
};

struct rt_worker {
	struct worker base;
	struct local local;
	struct heist_ctx ctx;
	uint8_t deferring;	   /* enum sending */
	bool losing;		   /* hooks of a deferred message that nobody gets run */
	uint32_t number;	   /* among all workers of the runtime */
	uint32_t watched;	   /* whose timers it looked at last */
	uint64_t look_at;	   /* when it looks next at what others have to take back */
	uint32_t batch;		   /* messages per activation */
	uint64_t budget_ns;	   /* time per activation     */
	int64_t far_ns;		   /* later than its clock by more than that: worker_is_far */
	uint64_t hog_named;	   /* the activation that was named; the watchdog's */
	_Atomic uint32_t thread;   /* for heist_trace; 0: not allowed */
	struct heist_system *home; /* NULL: not of the runtime's own pool (place.h) */
	struct outbox outbox;
	sigjmp_buf base_guard; /* below everything the worker runs */
	struct wheel wheel;
	volatile int containing; /* a handler runs whose faults are contained */
	const char *fault_name;	 /* the signal of the last one that was */
	const heist_type *fault_type;
	void *fault_stack;	 /* it is handled on; NULL: there is none */
	struct samples *samples; /* NULL: nothing is sampled (sample.h) */
};

#ifndef FOREIGN_LOCALS
#define FOREIGN_LOCALS 8
#endif

/* One of the locals that foreign threads borrow; static, so that a lock outlives its runtime. */
struct foreign {
	_Alignas(HEIST_ISOLATE) struct spinlock lock;
	struct local *local; /* NULL: the runtime is gone */
	/* its holder's */
	struct foreign *outer; /* what its thread had entered before */
	uint32_t nested;       /* so many times more has it been entered by that thread */
};

/* The runner's; only others need an order (straggler.c). */
HEIST_HOT_INLINE struct actor *ctx_actor(const heist_ctx *ctx)
{
	return atomic_load_explicit(&ctx->actor, memory_order_relaxed);
}

HEIST_HOT_INLINE void ctx_set_actor(heist_ctx *ctx, struct actor *a)
{
	atomic_store_explicit(&ctx->actor, a, memory_order_relaxed);
}

HEIST_HOT_INLINE void ctx_set_recv(heist_ctx *ctx, heist_recv_fn *recv)
{
	atomic_store_explicit(&ctx->recv, recv,
			      memory_order_relaxed); /* code: nothing to publish */
}

enum phase {
	PHASE_OPEN,
	PHASE_CLOSED, /* the intake */
	PHASE_ENDING, /* no worker runs any more: who ends the actors holds every right to run */
	PHASE_FORKED  /* this process is a child of the runtime's (fork.h) */
};

struct heist_system {
	struct pool pool;
	struct slots slots;
	uint32_t id;
	_Atomic uint32_t phase; /* enum phase */
	uint32_t batch;		/* of workers whose pool does not say otherwise */
	uint64_t budget_ns;	/* the same */
	bool polled;
	struct places places;
	_Atomic uint32_t polling; /* a thread is in heist_poll */
	_Atomic uint32_t callers; /* threads in heist_call     */
	int host_fd;		  /* polled: readable when there is work */
	struct heist_memory memory;
	struct slabs slabs; /* behind it, unless the user has allocation hooks */
	void *user;
	void (*dead_letter)(void *user, const heist_lost *lost);
	void (*overload)(void *user, heist_ref actor, bool on);
	void (*hog)(void *user, const heist_hog *);
	uint64_t hog_name_ns;
	uint64_t (*clock)(void *user, heist_clock which);
	struct local *foreign; /* FOREIGN_LOCALS of them */
	struct log log;
	struct lost_log lost_log;
	struct spinlock look_lock; /* straggler.c */
	_Atomic uint32_t looking;
	/* grace period of the slot table: activations of each worker when chunks were retired */
	struct spinlock purging;
	enum { PURGE_NONE, PURGE_RETIRED, PURGE_AWAITED } purge;
	uint32_t seen_count;
	uint64_t seen[CREW_MAX];
	struct gate notifiers;		     /* workers in heist_notify */
	_Atomic(struct registry *) registry; /* NULL: no actor was ever named */
	struct spinlock registry_lock;
	_Atomic(struct rosters *) rosters; /* NULL: no actor ever joined a list (roster.h) */
	struct spinlock rosters_lock;
	_Atomic(struct paths *) paths; /* NULL: nobody in a tree has a name (path.h) */
	struct spinlock paths_lock;
	struct debt_table debts;
	struct chains chains;
	struct events *events;	   /* one per worker, then per foreign local; NULL: off */
	uint32_t event_cells;	   /* of each */
	struct sampling *sampling; /* NULL: off */
	struct heist_sim *sim;	   /* NULL: not simulated */
	bool contain;		   /* faults of classes with HEIST_PURE */
};

static inline struct rt_worker *rt_worker_of(struct worker *w)
{
	return (struct rt_worker *)w;
}

/* The time of deadlines and timers. */
static inline uint64_t system_now(const struct heist_system *s)
{
	return pool_now(&s->pool);
}

/* What lies beyond the end of time is at its end. */
static inline uint64_t time_after(uint64_t t, uint64_t ns)
{
	return t + ns < t ? UINT64_MAX : t + ns;
}

/* What costs more than a look at the worker's clock: that is old by what its handlers have taken since.  A clock of
 * the program's may jump: then nothing is far. */
#define FAR_NS	  1000000000
#define FAR_NEVER INT64_MAX

/* A deadline, or 0 for none, that is not looked at closely. */
HEIST_HOT_INLINE bool worker_is_far(const struct rt_worker *w, uint64_t deadline)
{
	return deadline == 0 || HEIST_LIKELY((int64_t)(deadline - w->base.now) > w->far_ns);
}

/* Has a deadline passed?  The exact time is asked for only near it (ask.c). */
bool heist_is_past(const heist_system *s, uint64_t deadline);

/* The same as far as this worker knows; 0 never has. */
HEIST_HOT_INLINE bool worker_is_past(const struct rt_worker *w, uint64_t deadline)
{
	return HEIST_UNLIKELY(!worker_is_far(w, deadline)) &&
	       heist_is_past(w->local.system, deadline);
}

/* Every worker, of every place: their number, which may grow, and each of them. */
static inline uint32_t system_crew(const struct heist_system *s)
{
	return atomic_load_explicit(&s->places.crew_count, memory_order_acquire); /* PP1 acquire */
}

/* Those that there are, and those that may still be hired (place.h). */
static inline uint32_t system_crew_most(const struct heist_system *s)
{
	return s->places.crew_first + s->places.threads_max;
}

static inline struct rt_worker *system_worker(const struct heist_system *s, uint32_t i)
{
	return s->places.crew[i];
}

/* Messages that a worker has handled so far; exact when it rests. */
static inline uint64_t rt_worker_handled(const struct rt_worker *w)
{
	uint64_t n = atomic_load_explicit(&w->base.activations, memory_order_relaxed) +
		     atomic_load_explicit(&w->local.handled_more, memory_order_relaxed);
	return (int64_t)n < 0 ? 0 : n; /* its first activation, without a message, ends now */
}

/* Every local: those that foreign threads borrow, then one a worker. */
static inline uint32_t system_locals(const struct heist_system *s)
{
	return FOREIGN_LOCALS + system_crew(s);
}

static inline struct local *system_local(const struct heist_system *s, uint32_t i)
{
	return i < FOREIGN_LOCALS ? &s->foreign[i] : &system_worker(s, i - FOREIGN_LOCALS)->local;
}

/* The worker of `s` that runs on this thread, or NULL. */
static inline struct rt_worker *system_self(struct heist_system *s)
{
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	return w && w->local.system == s ? w : NULL;
}

/* ---- the table of runtimes (table.c) ---- */

/* Any thread: borrow a local of runtime `id`; NULL: there is no such runtime.  Short: no waiting, no
 * callbacks except drops and hooks of messages being lost; these may enter again, and get the same local.  Left in
 * the reverse order. */
struct foreign *heist_foreign_enter(uint32_t id);
void heist_foreign_leave(struct foreign *f);

/* heist_start, simulated or (NULL) not. */
heist_status heist_start_with(const heist_config *config, struct heist_sim *sim,
			      heist_system **out);
/* A seed: the machine's, or the simulation's. */
uint64_t heist_system_random(struct heist_system *s);

/* A line of the runtime's own. */
void heist_system_log(struct heist_system *s, heist_log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* At once, on this thread: there is no runtime (config may be NULL). */
void heist_log_at_once(const heist_config *c, heist_log_level level, const char *function,
		       const char *why);

/* system.c: what a worker of any place begins with. */
void heist_worker_init(struct heist_system *s, struct rt_worker *w, uint32_t number);

/* ---- run.c ---- */
enum verdict heist_actor_run(struct worker *w, struct runnable *r);
/* The same for a worker that defers its sends. */
enum verdict heist_actor_run_deferring(struct worker *w, struct runnable *r);
/* The same when shutdown has given up draining: nothing is handled any more (drain.c). */
enum verdict heist_actor_discard(struct worker *w, struct runnable *r);
/* Give an actor whose right to run the caller has just won to the scheduler; w NULL: foreign, and
 * only then is s looked at. */
int heist_actor_schedule_cold(struct heist_system *s, struct rt_worker *w, struct actor *a);

/* Returns 0, so that a caller can end in a tail call. */
HEIST_HOT_INLINE int actor_schedule(struct heist_system *s, struct rt_worker *w, struct actor *a)
{
	if (HEIST_LIKELY(w != NULL && w->home && !(a->config & CONFIG_BOUND)))
		return worker_wake(&w->base, &a->run);
	return heist_actor_schedule_cold(s, w, a);
}

/* The same on a worker of the runtime's own pool. */
HEIST_HOT_INLINE int actor_schedule_home(struct rt_worker *w, struct actor *a)
{
	if (HEIST_LIKELY(!(a->config & CONFIG_BOUND)))
		return worker_wake(&w->base, &a->run);
	return heist_actor_schedule_cold(NULL, w, a);
}

/* ---- deliver.c ---- */
/* The worker does not send at once: deliver as it does. */
int heist_deliver_later(struct rt_worker *w, struct actor *a, struct message *m);
/* The worker defers: put the message into the outbox. */
int heist_outbox_send(struct rt_worker *w, struct actor *a, struct message *m);
/* Deliver everything; true if there was anything. */
bool heist_outbox_flush(struct rt_worker *w);
/* Deliver for a worker that is stuck in a handler; w runs here. */
bool heist_outbox_rescue(struct rt_worker *w, struct rt_worker *stuck);
/* Now and then: is it better to defer, or to send at once? */
void heist_outbox_decide(struct rt_worker *w, uint64_t elapsed);
/* Outside a handler: stop deferring, everything is delivered; begin again. */
void heist_outbox_suspend(struct rt_worker *w);
void heist_outbox_resume(struct rt_worker *w);
void heist_outbox_resume_if(struct rt_worker *w);
/* Defer no more, until heist_outbox_decide finds it worth it again. */
void heist_outbox_end(struct rt_worker *w);
/* A message has been handled, and what its sender deferred is delivered: end of its turn. */
void heist_actor_finish(struct rt_worker *w, struct actor *a, struct mpsc_node *n);

/* Push a message that carries its tag, at once; the receiver's mailbox works whatever its
 * generation.  Returns 0, so that a caller can end in a tail call. */
HEIST_HOT_INLINE int actor_push(struct heist_system *s, struct rt_worker *w, struct actor *a,
				struct message *m)
{
	if (mpsc_push(&a->mailbox, &m->node) == MPSC_WAS_IDLE)
		return actor_schedule(s, w, a);
	return 0;
}

/* The same on a worker of the runtime's own pool. */
HEIST_HOT_INLINE int actor_push_home(struct rt_worker *w, struct actor *a, struct message *m)
{
	if (mpsc_push(&a->mailbox, &m->node) == MPSC_WAS_IDLE)
		return actor_schedule_home(w, a);
	return 0;
}

/* The same, or later. */
HEIST_HOT_INLINE int actor_deliver(struct heist_system *s, struct rt_worker *w, struct actor *a,
				   struct message *m)
{
	if (HEIST_UNLIKELY(w != NULL && w->deferring))
		return heist_deliver_later(w, a, m);
	return actor_push(s, w, a, m);
}

/* The actor of a handle of this runtime; NULL if the slot was never used. */
HEIST_HOT_INLINE struct actor *system_actor(struct heist_system *s, heist_ref r)
{
	uint32_t slot = ref_slot(r);
	return HEIST_LIKELY(slot < atomic_load_explicit(&s->slots.limit, memory_order_acquire))
		       ? &s->slots.base[slot] /* SL2 acquire */
		       : NULL;
}

/* Any thread; a yes can be outdated at once. */
static inline bool system_is_alive(struct heist_system *s, heist_ref r)
{
	struct actor *a = system_actor(s, r);
	return a && mpsc_ticket(&a->ticket, ref_generation(r)) == MPSC_TICKET_VALID;
}

/* The handle of an actor that has begun. */
static inline heist_ref actor_ref(struct heist_system *s, struct actor *a)
{
	heist_ref r = ref_make(s->id, mpsc_generation(&a->ticket), slot_index(&s->slots, a));
	if (HEIST_UNLIKELY(a->config & CONFIG_BOUNDED))
		r.v |= REF_BOUNDED;
	return r;
}

/* A slot's extra, if that is what is beside it. */
static inline struct actor_extra *meta_extra(uintptr_t meta)
{
	return meta & 1 ? (struct actor_extra *)(meta - 1) : NULL;
}

static inline const heist_class *actor_class(struct heist_system *s, struct actor *a)
{
	uintptr_t m = slot_meta(&s->slots, a);
	return m & 1 ? meta_extra(m)->cls : (const heist_class *)m;
}

static inline struct actor_extra *actor_extra(struct heist_system *s, struct actor *a)
{
	return meta_extra(slot_meta(&s->slots, a));
}

/* ---- lost.c ---- */
/* Count a message as lost, tell the hook, drop its payload; a request will bounce with `answer` when
 * it is retired.  The message stays linked. */
void heist_message_lost(struct heist_system *s, struct local *l, struct message *m, heist_ref to,
			heist_cause cause, heist_status answer);
void heist_count_lost(struct heist_system *s, struct local *l, heist_ref to, const heist_type *type,
		      const void *payload, heist_cause cause);
/* A message leaves its large payload; the last one gives back the memory. */
void heist_large_free(void *payload);
/* Nobody else knows it yet: `users` messages share it. */
void heist_large_share(void *payload, uint32_t users);
/* `users` messages of them leave it, or were never sent. */
void heist_large_leave(void *payload, uint32_t users);

/* ---- bound.c ---- */
/* The runner: has the actor become overloaded, or ceased to be?  True: it must end, like *end. */
bool heist_overload_run(struct rt_worker *w, struct actor *a, struct ending *end);
/* Does it not know yet? */
bool heist_overload_pending(struct heist_system *s, struct actor *a);
/* The runner met a message that was counted in.  True: one too many, it is lost. */
bool heist_bound_take(struct rt_worker *w, struct actor *a, struct message *m);
/* A message that was counted in is lost. */
void heist_bound_out(struct heist_system *s, heist_ref to, struct message *m);

/* ---- control.c ---- */
enum control_answer { CONTROL_GO_ON, CONTROL_END };
/* A stop for this generation, which is alive. */
void heist_control_stop(struct heist_system *s, struct rt_worker *w, struct actor *a,
			uint32_t generation, heist_status why);
/* The runner saw CONTROL_CALL. */
enum control_answer heist_control_run(struct rt_worker *w, struct actor *a, struct ending *end);
/* The runner met the doorbell in the mailbox. */
enum control_answer heist_bell_run(struct rt_worker *w, struct actor *a, struct ending *end);
/* The runner of a resting child.  True: it must end for good, like *end. */
bool heist_control_look(struct rt_worker *w, struct actor *a, struct ending *end);
/* What lies beside a slot for actors that have ended, oldest first; nothing that is for its next, which may be
 * opened meanwhile.  NULL: there is nothing, or it is open. */
struct inject_link *heist_late_take(struct actor *a, struct inject *beside);
/* The doorbell was met where no actor runs. */
void heist_bell_drain(struct rt_worker *w, struct actor *a);
/* Any thread, w NULL: foreign.  There is something to look at.  True: the actor was idle, so it looks first. */
bool heist_control_call(struct heist_system *s, struct rt_worker *w, struct actor *a);
/* The doorbell has left the mailbox; the caller may have lost the right to run. */
void heist_bell_retire(struct heist_system *s, struct rt_worker *w, struct actor *a);

/* ---- notify.c ---- */
/* Handles of the runtime are about to be known; no thread but its workers may notify any more. */
void heist_notify_open(struct heist_system *s);
void heist_notify_close(struct heist_system *s);
/* Its id is nobody's any more. */
void heist_notify_forget(struct heist_system *s);
void heist_notify_orphan(struct heist_system *s); /* fork.h */
/* Has everybody left that was in heist_notify? */
bool heist_notify_quiet(struct heist_system *s);
/* The runner: do bits wait; tell them.  True: it must end, like *end. */
bool heist_notify_pending(struct heist_system *s, struct actor *a);
bool heist_notify_run(struct rt_worker *w, struct actor *a, struct ending *end);

/* ---- ask.c ---- */
/* The runner met the alarm of its asks: answer those that are too late. */
void heist_asks_expire(struct rt_worker *w, struct actor *a);
/* The actor ends: nobody waits any more. */
void heist_asks_free(struct heist_system *s, struct actor_extra *x);
/* m becomes a reply without a value; if there is nobody to get it, a loss (LATE). */
void heist_reply_bare(struct heist_system *s, struct rt_worker *w, struct local *l,
		      struct message *m, const struct request_header *request, heist_status status);
/* m is a request that left the mailbox: send it back as its own reply, with a status and no value. */
void heist_request_bounce(struct heist_system *s, struct rt_worker *w, struct local *l,
			  struct message *m);

/* ---- job.c ---- */
/* The runner: arm a timer of its actor, which is in no wheel; see that it is not popped any more. */
void heist_timer_start(struct rt_worker *w, struct actor *a, struct timer *t, uint64_t at);
void heist_timer_stop(struct heist_system *s, struct timer *t);
/* Fire what is due on v's wheel: an alarm to each actor; w runs here.  True: there was something. */
bool heist_timers_fire(struct rt_worker *w, struct rt_worker *v, uint64_t now);
/* The runner met the alarm of a job.  *counted: m has become a message, and was handled. */
heist_next heist_job_run(struct rt_worker *w, struct actor *a, struct message *m, bool *counted);
/* The actor ends: its jobs are cancelled. */
void heist_jobs_end(struct local *l, struct actor_extra *x);

/* ---- hog.c ---- */
/* How long a handler of a pool may run before its worker counts as away; 0: for ever.  own_ms: what the pool says. */
uint64_t heist_hog_limit(const heist_config *c, uint32_t own_ms, uint32_t crew);
/* The worker's thread, before anything runs. */
void heist_hog_thread_begin(struct rt_worker *w);
/* The watchdog: w has been in activation n for `elapsed` ns. */
void heist_hog_seen(struct rt_worker *w, uint64_t n, uint64_t elapsed);

/* ---- extra.c: the holder of the right to run ---- */
/* NULL: out of memory. */
struct actor_extra *heist_extra_ensure(struct heist_system *s, struct actor *a);
/* With all that it holds; the slot still points to it. */
void heist_extra_free(struct rt_worker *w, struct actor_extra *x);

/* The incarnation has ended: forget what was asked; replies will be late. */
void heist_asks_forget(struct heist_system *s, struct actor_extra *x);

/* ---- drain.c ---- */
/* The mailbox gave m back. */
void heist_message_retire(struct rt_worker *w, struct actor *a, struct message *m);
/* A message found its receiver gone on its way: lose it (DEAD), and retire it. */
void heist_message_undeliverable(struct rt_worker *w, struct actor *a, struct message *m);

/* ---- ending.c ---- */
/* The holder of the right to run: end the actor; `hooks`: its stop hook runs. */
void heist_actor_end(struct rt_worker *w, struct actor *a, struct ending end, bool hooks);
/* The slot's runner: an actor has begun here, and has not ended. */
bool heist_actor_has_begun(const struct actor *a);

/* ---- tree.c ---- */
/* Shutdown, no worker runs: end the actor in this slot, if there is one, and its whole tree.  False: the
 * time `last` has passed (0: none), and there are more. */
bool heist_actor_end_left(struct rt_worker *w, struct actor *a, uint64_t last);

/* ---- batch.c ---- */
/* What a handler has got, if that is a small plain message. */
struct message *heist_message_running(struct heist_ctx *ctx);

/* ---- fault.c ---- */
/* Can faults be contained?  NULL, or why not. */
const char *heist_fault_bad(const heist_config *c);
/* Catch faults from now on; 0, or -1: refused.  No worker runs. */
int heist_fault_init(struct heist_system *s);
void heist_fault_destroy(struct heist_system *s);
/* The worker's thread: before anything runs, and after. */
void heist_fault_thread_begin(struct rt_worker *w);
void heist_fault_thread_end(struct rt_worker *w);
/* The runner of an actor whose class is HEIST_PURE, with its behaviour installed.  False: out of memory. */
bool heist_fault_enter(struct rt_worker *w, struct actor *a);
/* Its behaviour then. */
heist_next heist_fault_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg);
/* After the jump: the actor's handler is given up. */
void heist_fault_contained(struct rt_worker *w);
/* The holder of the right to run: memory of a faulted incarnation is kept from all others. */
void heist_fault_quarantine(struct rt_worker *w, uint64_t bytes);

/* ---- panic.c ---- */
/* Leave the handler that runs. */
_Noreturn void heist_panic_jump(struct rt_worker *w, heist_status why);
/* struct pool_ops.guard */
void heist_panic_guard(struct worker *w, void (*body)(void *), void *arg);
/* Run the stop hook of a; a panic ends it. */
void heist_stop_hook(struct rt_worker *w, struct actor *a, heist_status why);
/* Run the init hook of a, if it has one; a panic is a FAIL. */
heist_next heist_init_hook(struct rt_worker *w, struct actor *a, const void *arg);
/* Tell the signal hook of a.  True: a must end, like *end. */
bool heist_signal_hook(struct rt_worker *w, struct actor *a, const heist_signal *sig,
		       struct ending *end);

/* ---- arguments ---- */
#ifdef NDEBUG
#define HEIST_BAD_ARG_OF(function, cause) HEIST_EINVAL
#else
heist_status heist_bad_arg(const char *function, const char *cause);
#define HEIST_BAD_ARG_OF(function, cause) heist_bad_arg(function, cause)
#endif
#define HEIST_BAD_ARG(cause) HEIST_BAD_ARG_OF(__func__, cause)

/* Of the actor that asks for a heist_call (call.c). */
extern const heist_class heist_call_class;

#endif
