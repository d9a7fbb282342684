/* SPDX-License-Identifier: BSD-2-Clause
 * sample.c - one activation of many is measured; what was measured is summed up over the workers. */
#include "runtime/sample.h"

#include <string.h>

#include "lockfree/xorshift.h"
#include "runtime/run.h"

#ifndef SAMPLE_ORDER_TABLE
#define SAMPLE_ORDER_TABLE memory_order_release
#endif

/* ---- set-up ---- */

static size_t sampling_size(uint32_t workers)
{
	return sizeof(struct sampling) + workers * sizeof(struct samples);
}

/* Uniform from 1 to 2 * period - 1: a rhythm of the program's is not met always or never. */
static uint32_t draw(struct samples *t, uint32_t period)
{
	return (uint32_t)(1 + xorshift(&t->random) % (2 * (uint64_t)period - 1));
}

int heist_sampling_init(struct heist_system *s, uint32_t period)
{
	uint32_t n = system_crew_most(s);
	struct sampling *g = heist_memory_get(&s->memory, sampling_size(n), HEIST_CACHELINE);
	if (!g)
		return -1;
	memset(g, 0, sampling_size(n));
	g->period = period;
	g->workers = n;
	for (uint32_t i = 0; i < n; i++)
		g->worker[i].random = heist_random_seed() | 1;
	s->sampling = g;
	for (uint32_t i = 0; i < system_crew(s); i++)
		heist_sample_join(s, system_worker(s, i), i);
	return 0;
}

void heist_sampling_destroy(struct heist_system *s)
{
	struct sampling *g = s->sampling;
	for (uint32_t i = 0; g && i < g->workers; i++)
		for (uint32_t k = 0; k < SAMPLE_CLASSES; k++)
			heist_memory_put(&s->memory,
					 atomic_load_explicit(&g->worker[i].of[k],
							      memory_order_relaxed), /* alone */
					 sizeof(struct class_samples));
	heist_memory_put(&s->memory, g, g ? sampling_size(g->workers) : 0);
}

/* ---- classes ---- */

/* The entry is empty, or was a moment ago.  True: it is that of cls now; false: *was is whose. */
static bool class_take(struct sampling *g, uint32_t i, const heist_class **was,
		       const heist_class *cls)
{
#ifdef SAMPLE_MUTANT_TAKE_BLINDLY
	(void)was;
	heist_thread_yield(); /* or it is seen too seldom */
	atomic_store_explicit(&g->classes[i], cls, memory_order_release);
	return true;
#else
	return atomic_compare_exchange_strong_explicit(&g->classes[i], was, cls,
						       memory_order_release, /* SM1 release */
						       memory_order_relaxed);
#endif
}

/* SAMPLE_CLASSES: it has come too late for one.  Pointers are compared, and nothing is read behind them. */
static uint32_t class_index(struct sampling *g, const heist_class *cls)
{
	uint32_t i = 0;
	for (; i < SAMPLE_CLASSES; i++) {
		const heist_class *was = atomic_load_explicit(&g->classes[i], memory_order_relaxed);
		if (was == NULL && class_take(g, i, &was, cls))
			break;
		if (was == cls)
			break;
	}
	return i;
}

/* The worker.  Never fails. */
static struct class_samples *samples_of(struct rt_worker *w, struct actor *a)
{
	struct heist_system *s = w->local.system;
	struct samples *t = w->samples;
	uint32_t i = class_index(s->sampling, actor_class(s, a));
	if (i == SAMPLE_CLASSES)
		return &t->others;
	struct class_samples *c = atomic_load_explicit(&t->of[i], memory_order_relaxed); /* own */
	if (c)
		return c;
	c = heist_memory_get(&s->memory, sizeof *c, HEIST_CACHELINE);
	if (!c)
		return &t->others;
	memset(c, 0, sizeof *c);
	atomic_store_explicit(&t->of[i], c, SAMPLE_ORDER_TABLE); /* SM2 release */
	return c;
}

/* ---- which activation ---- */

/* What runs when nothing is sampled and nothing deferred. */
static run_fn *usual_run(struct rt_worker *w)
{
	return w->local.events ? heist_actor_run_recorded : heist_actor_run;
}

static uint64_t activations_of(struct rt_worker *w)
{
	return atomic_load_explicit(&w->base.activations, memory_order_relaxed); /* own */
}

static void sample_plan(struct rt_worker *w)
{
	struct samples *t = w->samples;
	t->at = activations_of(w) + draw(t, w->local.system->sampling->period);
	w->base.due = (t->at - 1) / SCHED_SLOT_PICKS *
		      SCHED_SLOT_PICKS; /* the turn of the slot before it */
}

void heist_sample_join(struct heist_system *s, struct rt_worker *w, uint32_t number)
{
	if (!s->sampling)
		return;
	w->samples = &s->sampling->worker[number];
	sample_plan(w);
}

void heist_sample_arm(struct worker *base)
{
	struct rt_worker *w = rt_worker_of(base);
	heist_outbox_end(w);
	if (worker_run_switch(base, usual_run(w), heist_actor_run_sampled))
		base->due = UINT64_MAX;
}

/* This is the one.  The next may be too close to take the run function away. */
static void sample_next(struct rt_worker *w)
{
	sample_plan(w);
	if (w->base.due < activations_of(w))
		w->base.due = UINT64_MAX;
	else
		worker_run_switch(&w->base, heist_actor_run_sampled, usual_run(w));
}

/* ---- an activation ---- */

static uint32_t mailbox_depth(struct mpsc_node *n)
{
	uint32_t depth = 0;
	for (; n && depth < SAMPLE_DEPTH_MOST; n = mpsc_linked(n))
		depth++;
	return depth;
}

/* The runner, with messages in the mailbox.  Without memory there is one sample less. */
static void probe_send(struct rt_worker *w, struct actor *a)
{
	struct message *m = block_alloc(&w->local.messages);
	if (!m)
		return;
	m->type = NULL;
	m->tag = MESSAGE_KIND(KIND_ALARM) | mpsc_generation(&a->ticket);
	m->u.word[0] = ALARM_PROBE;
	m->u.word[1] = system_now(w->local.system);
	actor_push(w->local.system, w, a, m);
}

void heist_probe_met(struct rt_worker *w, struct actor *a, struct message *m)
{
	uint64_t now = system_now(w->local.system);
	sample_put(&samples_of(w, a)->wait, now - m->u.word[1]);
}

/* Of an actor that lives, and not of its start or of what is left of a run. */
static void sample_begin(struct rt_worker *w, struct samples *t, struct actor *a)
{
	uintptr_t cur = a->mailbox.cur;
	if (cur & MPSC_DONE || a->recv == NULL || a->recv == heist_actor_dying ||
	    a->config & CONFIG_HELD)
		return;
	t->open = samples_of(w, a);
	sample_put(&t->open->depth, mailbox_depth((struct mpsc_node *)cur));
	probe_send(w, a);
	t->handled = atomic_load_explicit(&w->local.handled_more, memory_order_relaxed); /* own */
	t->since = system_now(w->local.system);
}

static void sample_end(struct rt_worker *w, struct samples *t)
{
	uint64_t handled = atomic_load_explicit(&w->local.handled_more, memory_order_relaxed);
	if (!t->open)
		return;
	sample_put(&t->open->run, system_now(w->local.system) - t->since);
	heist_count(&t->open->messages, handled - t->handled + 1); /* an activation counts one */
	t->open = NULL;
}

void heist_sample_settle(struct rt_worker *w)
{
	if (w->samples)
		sample_end(w, w->samples);
}

void heist_sample_failed(struct rt_worker *w, struct actor *a)
{
	if (w->samples)
		heist_count(&samples_of(w, a)->failures, 1);
}

enum verdict heist_actor_run_sampled(struct worker *base, struct runnable *r)
{
	struct rt_worker *w = rt_worker_of(base);
	struct samples *t = w->samples;
	run_fn *run = usual_run(w);
	if (activations_of(w) < t->at)
		return run(base, r);
	sample_next(w);
	sample_begin(w, t, actor_of(r));
	enum verdict v = run(base, r);
	sample_end(w, t);
	return v;
}

/* ---- reading ---- */

static void class_add(heist_class_stats *to, const struct class_samples *from)
{
	to->messages += atomic_load_explicit(&from->messages, memory_order_relaxed);
	to->failures += atomic_load_explicit(&from->failures, memory_order_relaxed);
	heist_sample_add(&to->run_ns, &from->run);
	heist_sample_add(&to->wait_ns, &from->wait);
	heist_sample_add(&to->depth, &from->depth);
}

static const heist_class *class_at(const heist_system *s, uint32_t i)
{
	return i < SAMPLE_CLASSES ? atomic_load_explicit(&s->sampling->classes[i],
							 memory_order_acquire) /* SM1 acquire */
				  : NULL;
}

static const struct class_samples *samples_at(const struct samples *t, uint32_t i)
{
	return i < SAMPLE_CLASSES
		       ? atomic_load_explicit(&t->of[i], memory_order_acquire) /* SM2 acquire */
		       : &t->others;
}

/* Class i of all workers; SAMPLE_CLASSES: what is kept together. */
static void class_sum(const heist_system *s, uint32_t i, heist_class_stats *to)
{
	for (uint32_t k = 0; k < s->sampling->workers; k++) {
		const struct class_samples *c = samples_at(&s->sampling->worker[k], i);
		if (c)
			class_add(to, c);
	}
}

/* False: there is no i-th one. */
static bool class_look(const heist_system *s, uint32_t i, heist_class_stats *to)
{
	if (i > SAMPLE_CLASSES)
		return false;
	to->cls = class_at(s, i);
	if (!to->cls && i > 0 && !class_at(s, i - 1))
		return false; /* beyond what comes last */
	class_sum(s, to->cls ? i : SAMPLE_CLASSES, to);
	return to->cls || to->depth.count + to->wait_ns.count + to->failures != 0;
}

heist_status heist_get_class_stats(const heist_system *s, uint32_t index, heist_class_stats *out)
{
	if (!s || !out || out->struct_size < sizeof(uint32_t))
		return HEIST_BAD_ARG(
			"system and out must not be NULL (use heist_class_stats_default)");
	heist_class_stats t = heist_class_stats_default();
	if (!s->sampling || !class_look(s, index, &t))
		return HEIST_EINVAL;
	uint32_t size = out->struct_size < sizeof t ? out->struct_size : (uint32_t)sizeof t;
	t.struct_size = size;
	memcpy(out, &t, size);
	return HEIST_OK;
}
