/* SPDX-License-Identifier: BSD-2-Clause
 * batch.c - one batch of a mailbox (runtime/README.md, "A batch").
 *
 *   1 where to go on      first node, or the one the last batch stopped at
 *   2 control             kill and stop requests: before the first message and every few after it
 *   3 handle              the behaviour; requests and replies: exchange.c; what is special: special.c
 *   4 next                give the node back; idle, late, or another message
 *   5 end of the segment  clock and budget; end of the batch: suspend */
#include "runtime/batch.h"

#include "runtime/exchange.h"

#define PLAIN_NONE UINT64_MAX /* the tag of no message */

/* The batch that runs, if any, only counts from now on: a panic is not about its message. */
void heist_batch_set_aside(struct rt_worker *w)
{
	if (w->ctx.batch)
		w->ctx.batch->node = NULL;
}

struct message *heist_message_running(struct heist_ctx *ctx)
{
	struct batch *b = ctx->batch; /* without one it is what the mailbox begins with */
	return (struct message *)(b && b->node ? b->node
					       : (struct mpsc_node *)ctx_actor(ctx)->mailbox.cur);
}

/* Called by a handler.  A stretch ends with its message, else the segment does, and a single
 * message is followed by a segment of itself: after each of these somebody looks. */
void heist_batch_cut(struct rt_worker *w, struct actor *a)
{
	struct batch *b = w->ctx.batch;
	if (ctx_actor(&w->ctx) != a)
		return;
	if (!b || !b->node) {
		w->base.clock_left = 1;
	} else if (b->stretch) {
		b->stretch -= b->left;
		b->left = 0;
		b->segment = b->done + b->stretch; /* if it has no successor yet */
	} else {
		b->segment = b->done;
	}
}

/* ---- interrupts ----
 *
 *     worker, at the begin of a stretch      another thread
 *       ctx.recv = the behaviour               CONTROL_CALL into the slot
 *       heist_fence_light()      CT3           heist_fence_heavy()      CT3
 *       CONTROL_CALL?  then look               its ctx.actor is a?  then ctx.recv = recv_interrupted
 *
 * Not both miss the other, and the worker reads ctx.recv for every message.  One that is left over from
 * another actor's stretch changes nothing but that it looks. */

static heist_next recv_interrupted(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	struct actor *a = ctx_actor(ctx);
	return batch_expose(ctx->worker, a) ? a->recv(ctx, state, type, msg) : HEIST_RUN_FRESH;
}

void heist_batch_interrupt(struct heist_system *s, struct actor *a)
{
	heist_fence_heavy(); /* CT3 */
	uint32_t n =
		atomic_load_explicit(&s->places.crew_count, memory_order_acquire); /* PP1 acquire */
	for (uint32_t i = 0; i < n; i++)
		if (ctx_actor(&s->places.crew[i]->ctx) == a)
			ctx_set_recv(&s->places.crew[i]->ctx, recv_interrupted);
}

void heist_behaviour_changed(struct heist_ctx *ctx, struct actor *a)
{
	if (!batch_expose(ctx->worker, a))
		heist_batch_cut(ctx->worker, a);
}

bool heist_batch_peek(const struct batch *b, struct mpsc_node **n)
{
	return heist_peek(n, &b->node, sizeof(struct mpsc_node *));
}

/* ---- 5 end of a segment ---- */

/* Messages until the clock must be read or the batch is over. */
HEIST_HOT_INLINE uint32_t segment_length(struct rt_worker *w, uint32_t quota)
{
	uint32_t left = w->base.clock_left;
	return quota < left ? quota : left;
}

/* A slow segment makes the next ones short, so that one batch of slow messages cannot outrun its
 * budget by more than one of them. */
static void segment_clock(struct rt_worker *w)
{
	uint64_t before = w->base.now;
	heist_worker_clock(&w->base);
	if (w->base.now - before > w->budget_ns / 4)
		w->base.clock_left = 1;
}

/* `done` messages since the segment began.  Returns the length of the next one; 0: the batch is over. */
static HEIST_COLD uint32_t segment_end(struct rt_worker *w, uint32_t *quota, uint32_t done,
				       uint64_t until)
{
	*quota -= done;
	w->base.clock_left -= done;
	if (w->base.clock_left == 0)
		segment_clock(w);
	if (*quota == 0 || w->base.now >= until)
		return 0;
	return segment_length(w, *quota);
}

/* ---- begin and end ---- */

/* What the actor's own options say. */
static HEIST_COLD void batch_options(struct rt_worker *w, struct actor *a, struct batch *b)
{
	struct actor_extra *x = actor_extra(w->local.system, a);
	if (x->batch)
		b->quota = x->batch;
	if (x->budget_ns)
		b->until = w->base.now + x->budget_ns;
}

static void batch_begin(struct rt_worker *w, struct actor *a, struct batch *b)
{
	b->quota = w->batch;
	b->until = w->base.now + w->budget_ns;
	if (HEIST_UNLIKELY(a->config & CONFIG_EXTRA))
		batch_options(w, a, b);
	b->segment = segment_length(w, b->quota);
	b->done = b->stretch = b->left = b->messages = b->skipped = 0;
	b->verdict = RUN_DONE;
	b->linger = w->base.fed;
	b->sent = atomic_load_explicit(&w->local.accepted, memory_order_relaxed); /* own */
	b->outer = w->ctx.batch;
	w->base.fed = false;
	ctx_set_actor(&w->ctx, a);
	w->ctx.batch = b;
}

static void batch_end(struct rt_worker *w, struct batch *b)
{
	uint32_t done = batch_done(b);
	w->ctx.batch = b->outer;
	w->base.clock_left -= done;
	if (HEIST_UNLIKELY(w->base.clock_left == 0))
		segment_clock(w);
	handled_count(w, b->messages + done - b->skipped);
}

/* ---- the rarer turns ---- */

/* The mailbox may be about to turn idle.  A producer on another core that streams to us would then have
 * to schedule us for every message; so let some arrive, unless somebody may wait for what we sent. */
static __attribute__((noinline)) void batch_linger(struct rt_worker *w, struct batch *b,
						   struct mpsc_node *n)
{
	if (atomic_load_explicit(&n->next, memory_order_relaxed) != NULL || /* decided by MQ3 */
	    atomic_load_explicit(&w->local.accepted, memory_order_relaxed) != b->sent) /* own */
		return;
	for (int i = 0; i < SCHED_FED_PAUSES; i++)
		heist_relax();
}

/* Anything but a plain message for a live actor without a control request.  Answers like a handler;
 * HEIST_RUN_OVER: *verdict is the end of this run; HEIST_RUN_NEXT: another message ran instead. */
static HEIST_COLD heist_next run_unusual(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
					 bool *counted, struct ending *end, enum verdict *verdict)
{
	struct message *m = (struct message *)n;
	if (a->recv == NULL || a->recv == heist_actor_dying) {
		*verdict = heist_run_drain(w, a, n, false,
					   a->recv ? HEIST_LOST_STOPPED : HEIST_LOST_DEAD);
		return HEIST_RUN_OVER;
	}
	if (HEIST_UNLIKELY(a->config & CONFIG_HELD)) {
		mpsc_suspend(&a->mailbox, n);
		*verdict = heist_run_held(w, a);
		return HEIST_RUN_OVER;
	}
	if (HEIST_UNLIKELY(is_called(a)) && heist_control_run(w, a, end) == CONTROL_END) {
		*verdict = heist_run_end_whole(w, a, n, false, *end); /* n was not run */
		return HEIST_RUN_OVER;
	}
	if (HEIST_UNLIKELY(has_lane(a))) {
		heist_next v = heist_lane_run(w, a, n, end, verdict);
		if (v != HEIST_RUN_FRESH)
			return v;
	}
	if (m->tag == mpsc_generation(&a->ticket))
		return a->recv(&w->ctx, actor_state(a), m->type, m->u.bytes);
	return heist_run_special(w, a, m, counted, end);
}

static uint64_t batch_tag(struct actor *a)
{
	return has_lane(a) ? PLAIN_NONE : mpsc_generation(&a->ticket);
}

/* The segment is over.  False: so is the batch; the actor is suspended before n. */
static bool batch_goes_on(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			  struct batch *b)
{
	uint32_t done = b->done; /* one more than the segment, if that was cut */
	b->messages += done;
	b->done = 0;
	b->segment = segment_end(w, &b->quota, done, b->until);
	b->plain = batch_tag(a);
	if (b->segment != 0)
		return true;
	b->verdict = heist_run_suspend(w, a, n);
	return false;
}

/* A handler said something else than CONTINUE, or a message was not usual.  True: node n is done with;
 * false: the run is over. */
static bool batch_unusual(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			  struct batch *b, heist_next *v)
{
	struct ending end = { HEIST_EXIT_NORMAL, HEIST_OK };
	bool counted = true;
	if (*v == HEIST_RUN_FRESH || *v == HEIST_RUN_LATE) {
		b->node = n;
		*v = run_unusual(w, a, n, &counted, &end, &b->verdict);
	}
	if (*v == HEIST_RUN_OVER) {
		b->skipped++;
		return false;
	}
	b->plain = batch_tag(a);
	if (*v == HEIST_RUN_NEXT) {
		b->skipped++;
		return true;
	}
	bool taken = message_has((struct message *)n, MESSAGE_TAKEN);
	if (*v == HEIST_AGAIN && taken)
		*v = HEIST_CONTINUE; /* there is nothing left to run again */
	b->skipped += !counted || *v == HEIST_AGAIN || (*v == HEIST_FAIL && !taken);
	if (*v == HEIST_CONTINUE)
		return true;
	if (*v != HEIST_AGAIN) {
		b->verdict = heist_run_end(w, a, n, *v, end);
		return false;
	}
	w->base.stale = true; /* the next turn has the whole budget */
	b->verdict = heist_run_suspend(w, a, n);
	return false;
}

/* ---- the batch ---- */

/* Message n, of whatever kind; `v`: what its handler said, or HEIST_RUN_FRESH if it did not run yet. */
HEIST_HOT_INLINE heist_next batch_handle(struct rt_worker *w, struct actor *a, struct batch *b,
					 struct mpsc_node *n, heist_next v)
{
	struct message *m = (struct message *)n;
	b->done++;
	if (HEIST_UNLIKELY(v != HEIST_RUN_FRESH))
		return v;
	if (is_usual(a, m)) {
		b->node = n;
		return handle(w, a, m);
	}
	if (!is_exchange(a, m))
		return v;
	b->node = n;
	return heist_exchange(w, a, m);
}

/* One batch, from node n on. */
enum verdict heist_run_batch(struct rt_worker *w, struct actor *a, struct mpsc_node *n,
			     heist_next v)
{
	uint64_t plain = mpsc_generation(&a->ticket);
	struct batch b;
	batch_begin(w, a, &b);
	b.node = n; /* a hook may cut the batch before it has handled anything */
	for (;;) {
		struct message *m = (struct message *)n;
		v = batch_handle(w, a, &b, n, v);
		if (HEIST_UNLIKELY(v != HEIST_CONTINUE)) {
			if (!batch_unusual(w, a, n, &b, &v))
				break;
			plain = b.plain;
			if (v == HEIST_RUN_NEXT) {
				if (b.done >= b.segment && !batch_goes_on(w, a, n, &b))
					break;
				v = HEIST_RUN_FRESH;
				continue;
			}
		}
		if (HEIST_UNLIKELY(b.linger))
			batch_linger(w, &b, n);
		enum mpsc_next what = mpsc_next(&a->mailbox, n, &n);
		if (HEIST_UNLIKELY(what == MPSC_LATE)) {
			b.verdict = late(a);
			break;
		}
		run_retire(w, a, m);
		if (what == MPSC_IDLE)
			break;
		if (HEIST_UNLIKELY(b.done >= b.segment)) {
			if (!batch_goes_on(w, a, n, &b))
				break;
			plain = b.plain;
		}
		uint64_t tag = ((struct message *)n)->tag;
		if (HEIST_LIKELY(tag == plain)) {
			const struct turns t = turns_of(a, NULL);
			v = batch_stretches(w, &t, &b, tag, &n, NULL);
		} else if (is_exchange_kind(tag ^ plain)) {
			v = heist_exchange_stretches(w, a, &b, tag, n);
			n = b.node;
		} else {
			v = HEIST_RUN_FRESH;
		}
	}
	batch_end(w, &b);
	return b.verdict;
}

/* ---- a panic (panic.c) ---- */

const heist_type *heist_run_type(const struct rt_worker *w)
{
	const struct batch *b = w->ctx.batch;
	const struct actor *a = ctx_actor(&w->ctx);
	uintptr_t n = w->ctx.lane    ? (uintptr_t)w->ctx.lane
		      : b && b->node ? (uintptr_t)b->node
		      : a	     ? a->mailbox.cur & ~MPSC_DONE
				     : 0;
	return n ? ((const struct message *)n)->type : NULL;
}

/* The frames of the batches are about to go: finish their counts, keep what the settlement needs. */
void heist_run_abandon(struct rt_worker *w)
{
	struct batch *b = w->ctx.batch;
	w->ctx.failed = NULL;
	if (b && b->node && !w->ctx.starting) {
		struct message *m = (struct message *)b->node;
		uint32_t kind = message_kind(m);
		w->ctx.failed = b->node;
		b->skipped += w->ctx.lane || is_lost_by_failure(m) || kind == KIND_ALARM ||
			      kind == KIND_BELL;
		batch_end(w, b);
	}
	while ((b = w->ctx.batch) != NULL) { /* an INIT that it met took over */
		b->skipped++;
		batch_end(w, b);
	}
}
