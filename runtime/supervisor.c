/* SPDX-License-Identifier: BSD-2-Clause
 * supervisor.c - an actor without user code that starts, restarts and stops others (child.h).
 *
 * What shall be is written into the children (end_wanted, bounce, start_at); advance() compares it with
 * what is (state), gives one order, and waits for the report:
 *   1 down   from the youngest to the oldest, one at a time: those that shall end, or rest first
 *   2 up     when nobody is on the way down, from the oldest: those that rest and are due.  One for one:
 *            all that are due; otherwise one at a time
 *   3 done   when all rest: tell the supervisor above; when all have ended: end
 *
 * It can be called before its first turn, as its memory is there when its handle is known. */
#include <string.h>

#include "lockfree/xorshift.h"
#include "runtime/child.h"
#include "runtime/path.h"
#include "runtime/send.h"

#define DEFAULT_INTENSITY 3
#define DEFAULT_PERIOD_MS 5000
#define DEFAULT_STOP_MS	  5000
#define MOST_INTENSITY	  1000000u
#define TOO_DEEP	  "child: more than 32 levels of supervisors with names"

struct supervisor {
	heist_strategy strategy;
	uint32_t intensity, restarts;
	uint64_t period;
	struct child *oldest, *youngest;
	uint32_t count;
	bool waiting;  /* for SIGNAL_GO: not all children are there               */
	bool paused;   /* nobody is started                                       */
	bool rest_due; /* when all rest, tell the supervisor above                */
	bool closing;  /* when all have ended, end                                */
	struct ending end;
	uint64_t random; /* xorshift state */
	struct timer timer;
	uint64_t timer_at; /* what it was set for, 0 = nothing */
	size_t size;
	uint64_t times[]; /* of the last restarts, `intensity` of them, a ring */
};

static uint64_t now(struct rt_worker *w)
{
	return w->base.now = system_now(w->local.system);
}

/* See that there is an alarm by `at`. */
static void alarm_ensure(struct rt_worker *w, struct actor *a, struct supervisor *sup, uint64_t at)
{
	if (sup->timer_at && sup->timer_at <= at)
		return;
	if (sup->timer_at)
		heist_timer_stop(w->local.system, &sup->timer);
	sup->timer.id = ALARM_SUPERVISOR;
	sup->timer_at = at;
	heist_timer_start(w, a, &sup->timer, at);
}

/* ---- the list ---- */

static void list_add(struct supervisor *sup, struct child *c)
{
	c->adopted = true;
	c->older = sup->youngest;
	if (c->older)
		c->older->newer = c;
	else
		sup->oldest = c;
	sup->youngest = c;
	sup->count++;
}

static void list_remove(struct supervisor *sup, struct child *c)
{
	if (c->older)
		c->older->newer = c->newer;
	else
		sup->oldest = c->newer;
	if (c->newer)
		c->newer->older = c->older;
	else
		sup->youngest = c->older;
	sup->count--;
}

struct child *heist_supervisor_last(struct supervisor *sup)
{
	return sup->youngest;
}

/* ---- orders ---- */

/* To the slot of a child, if it has not ended; then its report is on the way. */
static void order(struct rt_worker *w, struct child *c, struct signal *sig, enum signal_kind kind)
{
	struct heist_system *s = w->local.system;
	struct actor *a = &s->slots.base[ref_slot(c->ref)];
	if (mpsc_ticket(&a->ticket, ref_generation(c->ref)) == MPSC_TICKET_CLOSED)
		return;
	atomic_fetch_add_explicit(&c->refs, 1,
				  memory_order_relaxed); /* by one who has a reference */
	sig->kind = kind;
	sig->generation = ref_generation(c->ref);
	heist_signal_send(s, w, a, sig);
}

/* Towards its end, or its rest.  True: it is there. */
static bool child_down(struct rt_worker *w, struct actor *a, struct supervisor *sup,
		       struct child *c)
{
	uint32_t ms = c->spec.stop_ms ? c->spec.stop_ms : DEFAULT_STOP_MS;
	bool rests = c->state == CHILD_RESTING;
	if (!c->end_wanted && (rests || c->state != CHILD_RUNNING)) {
		c->bounce &= !rests;
		return rests;
	}
	if (c->end_wanted && rests) {
		c->state = CHILD_ENDING;
		atomic_store_explicit(&c->final, true, memory_order_relaxed);
		(void)heist_kill(c->ref, HEIST_OK);
	} else if (c->end_wanted && c->state != CHILD_ENDING) {
		c->state = CHILD_ENDING;
		c->kill_at = now(w) + ms * (uint64_t)1000000;
		(void)heist_stop(c->ref, HEIST_OK);
		alarm_ensure(w, a, sup, c->kill_at);
	} else if (!c->end_wanted) {
		c->state = CHILD_HOLDING;
		order(w, c, &c->hold, SIGNAL_HOLD);
	}
	return false;
}

/* True: nobody is on the way down. */
static bool all_down(struct rt_worker *w, struct actor *a, struct supervisor *sup)
{
	for (struct child *c = sup->youngest, *older; c; c = older) {
		older = c->older;
		if ((c->end_wanted || c->bounce) && !child_down(w, a, sup, c))
			return false;
	}
	return true;
}

static void all_up(struct rt_worker *w, struct actor *a, struct supervisor *sup)
{
	bool ordered = sup->strategy != HEIST_ONE_FOR_ONE;
	uint64_t t = now(w);
	for (struct child *c = sup->oldest; c; c = c->newer) {
		if (c->state == CHILD_STARTING && ordered)
			return;
		if (c->state != CHILD_RESTING)
			continue;
		if (c->start_at > t) {
			alarm_ensure(w, a, sup, c->start_at);
			if (ordered)
				return;
			continue;
		}
		c->state = CHILD_STARTING;
		order(w, c, &c->start, SIGNAL_START);
		if (ordered)
			return;
	}
}

static void tell_rest(struct rt_worker *w, struct actor *a, struct supervisor *sup)
{
	struct child *self = actor_extra(w->local.system, a)->child;
	sup->rest_due = false;
	if (self)
		heist_child_rest(w, a, sup->end);
}

/* True: the supervisor has ended, with sup->end. */
static bool advance(struct rt_worker *w, struct actor *a, struct supervisor *sup)
{
	if (!all_down(w, a, sup))
		return false;
	if (sup->closing)
		return sup->count == 0;
	if (sup->rest_due)
		tell_rest(w, a, sup);
	if (!sup->paused && !sup->waiting)
		all_up(w, a, sup);
	return false;
}

/* ---- decisions ---- */

static void close_down(struct supervisor *sup, struct ending end)
{
	if (sup->closing)
		return;
	sup->closing = true;
	sup->end = end;
	for (struct child *c = sup->oldest; c; c = c->newer)
		c->end_wanted = true;
}

/* Those from c on but `failed` go down, to come up again unless they are temporary. */
static void bounce_from(struct child *c, const struct child *failed)
{
	for (; c; c = c->newer) {
		if (c == failed)
			continue;
		if (c->spec.restart == HEIST_TEMPORARY)
			c->end_wanted = true;
		else if (c->state != CHILD_RESTING)
			c->bounce = true;
	}
}

/* All rest; START goes on from there. */
static void pause(struct supervisor *sup, struct ending end)
{
	if (sup->closing || sup->paused)
		return;
	sup->paused = sup->rest_due = true;
	sup->end = end;
	bounce_from(sup->oldest, NULL);
}

/* The supervisor fails: above it somebody decides, or it ends. */
static void escalate(struct rt_worker *w, struct actor *a, struct supervisor *sup,
		     heist_status status)
{
	struct ending end = { HEIST_EXIT_CRASHED, status != HEIST_OK ? status : HEIST_ECRASH };
	if (actor_extra(w->local.system, a)->child)
		pause(sup, end);
	else
		close_down(sup, end);
}

/* One more restart: were there too many in too short a time? */
static bool too_many(struct supervisor *sup, uint64_t t)
{
	uint64_t *oldest = &sup->times[sup->restarts % sup->intensity];
	bool over = sup->restarts >= sup->intensity && t - *oldest < sup->period;
	*oldest = t;
	sup->restarts++;
	return over;
}

static uint64_t random_below(struct supervisor *sup, uint64_t n)
{
	uint64_t drawn = xorshift(&sup->random);
	return n ? drawn % n : 0;
}

/* Doubles with each failure, is reset by a quiet period, spread by the jitter.  ran: its init had succeeded. */
static uint64_t backoff(struct supervisor *sup, struct child *c, bool ran, uint64_t t)
{
	uint64_t least = c->spec.backoff_min_ms * (uint64_t)1000000;
	uint64_t most = c->spec.backoff_max_ms * (uint64_t)1000000;
	if (most < least)
		most = least;
	if (ran && t - c->started_at > most + sup->period)
		c->failures = 0;
	uint64_t delay = least;
	for (uint32_t i = 0; i < c->failures && delay < most; i++)
		delay *= 2;
	c->failures++;
	if (delay > most)
		delay = most;
	uint64_t spread = delay / 100 * c->spec.jitter_percent;
	return delay - spread + random_below(sup, 2 * spread + 1);
}

static heist_decision decide(struct child *c)
{
	heist_decision d = HEIST_DECIDE_DEFAULT;
	if (c->spec.decide)
		d = c->spec.decide(c->spec.user, c->end.how, c->end.status);
	if (d != HEIST_DECIDE_DEFAULT)
		return d;
	bool normal = c->end.how == HEIST_EXIT_NORMAL;
	return c->spec.restart == HEIST_PERMANENT || (c->spec.restart == HEIST_TRANSIENT && !normal)
		       ? HEIST_DECIDE_RESTART
		       : HEIST_DECIDE_END;
}

/* A child's incarnation has ended by itself. */
static void child_failed(struct rt_worker *w, struct actor *a, struct supervisor *sup,
			 struct child *c, bool ran)
{
	uint64_t t = now(w);
	heist_decision d = decide(c);
	if (d == HEIST_DECIDE_RESTART && too_many(sup, t))
		d = HEIST_DECIDE_ESCALATE;
	if (d == HEIST_DECIDE_ESCALATE) {
		escalate(w, a, sup, c->end.status);
		return;
	}
	if (d == HEIST_DECIDE_END) {
		c->end_wanted = true;
		return;
	}
	c->start_at = t + backoff(sup, c, ran, t);
	if (sup->strategy == HEIST_ONE_FOR_ALL)
		bounce_from(sup->oldest, c);
	else if (sup->strategy == HEIST_REST_FOR_ONE)
		bounce_from(c->newer, c);
}

/* ---- reports ---- */

static void on_adopt(struct rt_worker *w, struct supervisor *sup, struct child *c)
{
	list_add(sup, c);
	c->end_wanted = sup->closing;
	if (c->gone) {
		list_remove(sup, c);
		heist_child_unref(w->local.system, c);
	}
}

static void on_rest(struct rt_worker *w, struct actor *a, struct supervisor *sup, struct child *c)
{
	bool ordered = c->state == CHILD_HOLDING || c->bounce || c->end_wanted || sup->closing;
	bool ran = c->state == CHILD_RUNNING;
	if (c->state != CHILD_ENDING)
		c->state = CHILD_RESTING;
	c->bounce = false;
	c->kill_at = 0;
	if (!ordered)
		child_failed(w, a, sup, c, ran);
	else if (c->state == CHILD_ENDING)
		(void)heist_kill(c->ref, HEIST_OK); /* it failed as it was being stopped */
}

static void on_ended(struct rt_worker *w, struct supervisor *sup, struct child *c)
{
	struct heist_system *s = w->local.system;
	c->gone = true;
	if (c->adopted) {
		list_remove(sup, c);
		heist_child_unref(s, c);
	}
	heist_child_unref(s, c);
}

/* Nobody is there to take care of it. */
static void on_orphan(struct rt_worker *w, struct child *c, enum signal_kind kind)
{
	(void)heist_kill(c->ref, HEIST_EDEAD);
	if (kind == SIGNAL_ADOPT || kind == SIGNAL_ENDED)
		heist_child_unref(w->local.system, c);
}

static struct child *child_of_signal(struct signal *sig)
{
	switch ((enum signal_kind)sig->kind) {
	case SIGNAL_ADOPT:
		return HEIST_CONTAINER(sig, struct child, adopt);
	case SIGNAL_REST:
		return HEIST_CONTAINER(sig, struct child, rest);
	case SIGNAL_STARTED:
		return HEIST_CONTAINER(sig, struct child, started);
	default:
		return HEIST_CONTAINER(sig, struct child, ended);
	}
}

static struct supervisor *supervisor_of(struct heist_system *s, struct actor *a)
{
	struct actor_extra *x = actor_extra(s, a);
	return x ? x->supervisor : NULL;
}

bool heist_supervisor_signal(struct rt_worker *w, struct actor *a, struct signal *sig,
			     enum signal_mode mode, struct ending *end)
{
	struct child *c = child_of_signal(sig);
	struct supervisor *sup = mode == SIGNAL_STALE ? NULL : supervisor_of(w->local.system, a);
	enum signal_kind kind = (enum signal_kind)sig->kind;
	if (!sup) {
		on_orphan(w, c, kind);
		return false;
	}
	if (kind == SIGNAL_ADOPT) {
		on_adopt(w, sup, c);
	} else if (kind == SIGNAL_REST) {
		on_rest(w, a, sup, c);
	} else if (kind == SIGNAL_ENDED) {
		on_ended(w, sup, c);
	} else if (c->state == CHILD_STARTING) {
		c->state = CHILD_RUNNING;
		c->started_at = now(w);
	}
	if (!advance(w, a, sup))
		return false;
	*end = sup->end;
	return true;
}

void heist_supervisor_order(struct rt_worker *w, struct actor *a, enum signal_kind kind)
{
	struct supervisor *sup = supervisor_of(w->local.system, a);
	if (kind == SIGNAL_START) {
		sup->paused = false;
		sup->restarts = 0;
		for (struct child *c = sup->oldest; c; c = c->newer)
			c->start_at = c->failures = 0;
		if (actor_extra(w->local.system, a)->child)
			heist_child_started(w, a);
	} else {
		pause(sup, (struct ending){ HEIST_EXIT_STOPPED, HEIST_OK });
	}
	(void)advance(w, a, sup);
}

void heist_supervisor_go(struct rt_worker *w, struct actor *a, struct signal *sig,
			 enum signal_mode mode)
{
	struct supervisor *sup = mode == SIGNAL_STALE ? NULL : supervisor_of(w->local.system, a);
	heist_memory_put(&w->local.system->memory, sig, sizeof *sig);
	if (!sup)
		return;
	sup->waiting = false;
	(void)advance(w, a,
		      sup); /* with SIGNAL_GO it is not closing, or its children are on their way */
}

bool heist_supervisor_may_end(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct supervisor *sup = supervisor_of(w->local.system, a);
	if (!sup)
		return true;
	struct child *self = actor_extra(w->local.system, a)->child;
	if (self && end->how == HEIST_EXIT_LINKED)
		pause(sup, *end); /* like a child, it fails */
	else
		close_down(sup, self ? child_ending(self, *end) : *end);
	*end = sup->end;
	return advance(w, a, sup);
}

void heist_supervisor_alarm(struct rt_worker *w, struct actor *a)
{
	struct supervisor *sup = supervisor_of(w->local.system, a);
	uint64_t t = now(w);
	if (sup->timer_at)
		heist_timer_stop(w->local.system, &sup->timer);
	sup->timer_at = 0;
	for (struct child *c = sup->oldest; c; c = c->newer) {
		if (c->kill_at && c->kill_at <= t) {
			c->kill_at = 0;
			(void)heist_kill(c->ref, HEIST_EKILLED);
		} else if (c->kill_at) {
			alarm_ensure(w, a, sup, c->kill_at);
		}
	}
	(void)advance(w, a, sup); /* it has children, or would have ended before */
}

void heist_supervisor_free(struct rt_worker *w, struct supervisor *sup)
{
	struct heist_system *s = w->local.system;
	for (struct child *c = sup->oldest, *newer; c; c = newer) {
		newer = c->newer;
		on_orphan(w, c, SIGNAL_ADOPT);
	}
	if (sup->timer_at)
		heist_timer_stop(s, &sup->timer);
	heist_memory_put(&s->memory, sup, sup->size);
}

/* ---- the public side ---- */

static const heist_class supervisor_class = { "heist.supervisor", HEIST_ABI, 0, heist_unhandled,
					      NULL };

/* Of how it is treated. */
static const char *treatment_bad_argument(const heist_child *spec)
{
	if (spec->struct_size < sizeof *spec)
		return "child: struct_size missing (use heist_child_default)";
	if (spec->leftover == HEIST_FILTER && !spec->keep)
		return "child: HEIST_FILTER needs a keep function";
	if ((unsigned)spec->restart > HEIST_TEMPORARY || (unsigned)spec->leftover > HEIST_FILTER ||
	    spec->jitter_percent > 100 || spec->poison_retries > MESSAGE_MOST_TRIES)
		return "child: restart, leftover, jitter_percent or poison_retries out of range";
	return NULL;
}

static const char *child_bad_argument(heist_system *s, const heist_child *spec)
{
	const char *bad = treatment_bad_argument(spec);
	if (bad)
		return bad;
	if (!spec->cls)
		return "child: class missing";
	if (heist_path_bad_name(spec->name))
		return heist_path_bad_name(spec->name);
	bad = heist_spawn_bad(s, spec->cls, spec->opts, spec->arg);
	if (!bad && heist_opts_known(s, spec->opts).arg_type)
		bad = "child: its argument is for every init, so opts.arg_type must be NULL";
	return bad;
}

/* A child that rests, and its adoption.  sup, or NULL: it is a supervisor itself. */
static heist_status child_spawn(heist_system *s, heist_ref parent, const heist_child *spec,
				struct supervisor *sup, heist_ref *out)
{
	struct sender from;
	struct actor *a;
	heist_ref ref;
	if (!heist_sender_enter(&from, s->id))
		return HEIST_EDEAD;
	heist_status r = sender_check(&from, parent, &a);
	if (r != HEIST_OK) {
		heist_sender_leave(&from);
		return r;
	}
	struct path_node *node;
	r = heist_path_prepare(s, parent, spec->name, &node);
	if (r != HEIST_OK) {
		heist_sender_leave(&from);
		return r == HEIST_EINVAL ? HEIST_BAD_ARG_OF("heist_add_child", TOO_DEEP) : r;
	}
	struct child *c = heist_child_new(s, spec, parent);
	struct spawn_extra more = { .child = c, .supervisor = sup, .watch = heist_path_bond(node) };
	r = c ? heist_spawn_from(&from, spec->cls, spec->opts, NULL, &more, &ref) : HEIST_ENOMEM;
	if (r == HEIST_OK) {
		c->adopt.kind = SIGNAL_ADOPT;
		c->adopt.generation = ref_generation(parent);
		heist_signal_send(s, from.worker, a, &c->adopt);
		heist_path_add(s, node, parent, ref);
		*out = ref;
	} else {
		heist_path_drop(s, node);
		if (c)
			heist_memory_put(&s->memory, c, c->size);
	}
	heist_sender_leave(&from);
	return r;
}

heist_status heist_add_child(heist_system *s, heist_ref sup, const heist_child *spec,
			     heist_ref *out)
{
	if (!s || !spec || !out)
		return HEIST_BAD_ARG("system, child and out must not be NULL");
	if (ref_runtime(sup) != s->id)
		return HEIST_BAD_ARG("the supervisor is of another runtime");
	const char *bad = child_bad_argument(s, spec);
	return bad ? HEIST_BAD_ARG(bad) : child_spawn(s, sup, spec, NULL, out);
}

static const char *supervisor_bad_argument(heist_system *s, const heist_sup *spec)
{
	if (spec->struct_size < sizeof *spec || (unsigned)spec->strategy > HEIST_REST_FOR_ONE)
		return "sup: struct_size or strategy out of range (use heist_sup_default)";
	if (spec->intensity > MOST_INTENSITY)
		return "sup: intensity is more than 1000000";
	if (heist_path_bad_name(spec->name))
		return heist_path_bad_name(spec->name);
	if (spec->parent.v && ref_runtime(spec->parent) != s->id)
		return "sup: the parent is of another runtime";
	if (spec->parent.v && spec->as_child && treatment_bad_argument(spec->as_child))
		return treatment_bad_argument(spec->as_child);
	for (uint32_t i = 0; i < spec->child_count; i++) {
		const char *bad = child_bad_argument(s, &spec->children[i]);
		if (bad)
			return bad;
	}
	return NULL;
}

static struct supervisor *supervisor_new(heist_system *s, const heist_sup *spec)
{
	uint32_t intensity = spec->intensity ? spec->intensity : DEFAULT_INTENSITY;
	uint32_t period_ms = spec->period_ms ? spec->period_ms : DEFAULT_PERIOD_MS;
	size_t size = sizeof(struct supervisor) + intensity * sizeof(uint64_t);
	struct supervisor *sup = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (sup)
		*sup = (struct supervisor){ .strategy = spec->strategy,
					    .intensity = intensity,
					    .period = period_ms * (uint64_t)1000000,
					    .waiting = true,
					    .paused = spec->parent.v != 0,
					    .random = heist_system_random(s) | 1,
					    .size = size };
	return sup;
}

/* One without a parent. */
static heist_status top_spawn(heist_system *s, const heist_sup *spec, struct supervisor *sup,
			      heist_ref *out)
{
	struct path_node *node;
	const heist_ref top = { 0 };
	heist_status r = heist_path_prepare(s, top, spec->name, &node);
	const struct spawn_extra more = { .supervisor = sup, .watch = heist_path_bond(node) };
	if (r == HEIST_OK)
		r = heist_spawn_with(s, &supervisor_class, NULL, NULL, &more, out);
	if (r == HEIST_OK)
		heist_path_add(s, node, top, *out);
	else
		heist_path_drop(s, node);
	return r;
}

/* The supervisor alone; it waits. */
static heist_status supervisor_spawn(heist_system *s, const heist_sup *spec, heist_ref *out)
{
	struct supervisor *sup = supervisor_new(s, spec);
	heist_status r = HEIST_ENOMEM;
	if (!sup)
		return r;
	if (spec->parent.v) {
		heist_child as = spec->as_child ? *spec->as_child : heist_child_default();
		as.cls = &supervisor_class;
		as.opts = NULL;
		as.name = spec->name;
		r = child_spawn(s, spec->parent, &as, sup, out);
	} else {
		r = top_spawn(s, spec, sup, out);
	}
	if (r != HEIST_OK)
		heist_memory_put(&s->memory, sup, sup->size);
	return r;
}

/* To a supervisor that may have ended already. */
static void supervisor_go(heist_system *s, heist_ref to, struct signal *go)
{
	struct sender from;
	struct actor *a;
	*go = (struct signal){ .kind = SIGNAL_GO, .generation = ref_generation(to) };
	HEIST_ENSURE(heist_sender_enter(&from, s->id));
	if (sender_check(&from, to, &a) == HEIST_OK)
		heist_signal_send(s, from.worker, a, go);
	else
		heist_memory_put(&s->memory, go, sizeof *go);
	heist_sender_leave(&from);
}

heist_status heist_supervise(heist_system *s, const heist_sup *spec, heist_ref *out,
			     heist_ref *children)
{
	heist_ref sup;
	if (!s || !spec || !out || (spec->child_count && (!spec->children || !children)))
		return HEIST_BAD_ARG("system, sup, out, and room for children must not be NULL");
	const char *bad = supervisor_bad_argument(s, spec);
	if (bad)
		return HEIST_BAD_ARG(bad);
	struct signal *go = heist_memory_get(&s->memory, sizeof *go, HEIST_CACHELINE);
	if (!go)
		return HEIST_ENOMEM;
	heist_status r = supervisor_spawn(s, spec, &sup);
	for (uint32_t i = 0; r == HEIST_OK && i < spec->child_count; i++) {
		r = child_spawn(s, sup, &spec->children[i], NULL, &children[i]);
		if (r != HEIST_OK)
			(void)heist_kill(sup, r); /* nobody has been started */
	}
	if (r != HEIST_OK) {
		heist_memory_put(&s->memory, go, sizeof *go);
		return r;
	}
	supervisor_go(s, sup, go);
	*out = sup;
	return HEIST_OK;
}
