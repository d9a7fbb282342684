/* SPDX-License-Identifier: BSD-2-Clause
 * hog.c - the name of what a worker is stuck in: actor, class, message, since when, and where in the code.
 *
 * The handler goes on while it is looked at, and nothing on its way is written for that: so what the worker
 * keeps for itself is read from outside by heist_peek, which cannot fault, and believed if the worker is
 * in the same activation afterwards.  For the call chain its thread is interrupted (lockfree/seam_trace.c), once
 * for each hog that is named.
 *
 * Threads   the watchdog.
 * Errors    what cannot be read stays without a name. */
#include "lockfree/seam_trace.h"
#include "runtime/run.h"

#include <string.h>

struct sight {
	heist_ref actor;
	char cls[48], message[48];
};

#define PEEK(to, from) heist_peek(&(to), (from), sizeof(to))

/* Up to the end of the page first: a name may be the last thing on it. */
static void peek_name(char *to, size_t size, const char *from)
{
	size_t n = 0, left = 4096 - ((uintptr_t)from & 4095);
	memset(to, 0, size);
	while (from && n < size - 1 && !memchr(to, '\0', n)) {
		size_t part = left < size - 1 - n ? left : size - 1 - n;
		if (!heist_peek(to + n, from + n, part))
			break;
		n += part;
		left = 4096;
	}
}

static void peek_class(const struct rt_worker *w, const struct actor *a, struct sight *out)
{
	uintptr_t meta;
	const heist_class *cls;
	const char *name;
	if (!PEEK(meta, &w->local.meta[a - w->local.slots]))
		return;
	cls = (const heist_class *)meta;
	if (meta & 1 && !PEEK(cls, &((const struct actor_extra *)(meta & ~(uintptr_t)1))->cls))
		return;
	if (PEEK(name, &cls->name))
		peek_name(out->cls, sizeof out->cls, name);
}

static void peek_message(const struct rt_worker *w, const struct actor *a, struct sight *out)
{
	const struct batch *b;
	const struct message *m;
	const heist_type *type;
	const char *name;
	if (!PEEK(b, &w->ctx.batch))
		return;
	if (b ? !heist_batch_peek(b, (struct mpsc_node **)&m) : !PEEK(m, &a->mailbox.cur))
		return;
	if (m && !((uintptr_t)m & MPSC_DONE) && PEEK(type, &m->type) && type &&
	    PEEK(name, &type->name))
		peek_name(out->message, sizeof out->message, name);
}

static bool is_at(const struct rt_worker *w, uint64_t n)
{
	return atomic_load_explicit(&w->base.activations, memory_order_relaxed) == n; /* advisory */
}

/* What w runs in activation n.  False: not any more, or nothing. */
static bool look(const struct rt_worker *w, uint64_t n, struct sight *out)
{
	const struct heist_system *s = w->local.system;
	const struct actor *a;
	*out = (struct sight){ .actor = { 0 } };
	uint32_t limit = atomic_load_explicit(&s->slots.limit, memory_order_acquire); /* SL2 */
	if (!PEEK(a, &w->ctx.actor) || a < s->slots.base || a >= s->slots.base + limit)
		return false;
	out->actor = ref_make(s->id, mpsc_generation(&((struct actor *)(uintptr_t)a)->ticket),
			      (uint32_t)(a - s->slots.base));
	peek_class(w, a, out);
	peek_message(w, a, out);
	return is_at(w, n);
}

/* Where nobody can serve in its place it is only named. */
uint64_t heist_hog_limit(const heist_config *c, uint32_t own_ms, uint32_t crew)
{
	uint32_t ms = own_ms ? own_ms : c->hog_ms;
	if (c->mode == HEIST_POLLED || ms == UINT32_MAX)
		return 0;
	if (crew == 1)
		ms = c->hog_name_ms;
	return ms * (uint64_t)1000000;
}

void heist_hog_thread_begin(struct rt_worker *w)
{
	if (w->base.pool->hog_ns)
		atomic_store_explicit(&w->thread, heist_trace_allow(),
				      memory_order_relaxed); /* a number */
}

static void log_frame(void *system, const char *text)
{
	heist_system_log(system, HEIST_LOG_WARN, "  %s", text);
}

static void log_hog(struct heist_system *s, const heist_hog *hog)
{
	heist_system_log(s, HEIST_LOG_WARN,
			 "a handler runs for %llu ms: actor %llx (%s), message %s",
			 (unsigned long long)(hog->elapsed_ns / 1000000),
			 (unsigned long long)hog->actor.v, hog->cls, hog->message);
	heist_trace_tell(hog->frames, hog->frame_count, log_frame, s);
}

/* The call chain of w in activation n: how many frames. */
static uint32_t chain(const struct rt_worker *w, uint64_t n, void **frames)
{
	uint32_t thread = atomic_load_explicit(&w->thread, memory_order_relaxed);
#ifdef HOG_MUTANT_CHAIN_OF_ANY
	_Atomic uint32_t word = 0; /* a millisecond, or it is seen too seldom */
	(void)n, (void)heist_futex_wait(&word, 0, heist_clock_ns() + 1000000);
	return heist_trace(thread, frames);
#else
	uint32_t count = heist_trace(thread, frames);
	return is_at(w, n) ? count : 0; /* it is somewhere else by now */
#endif
}

void heist_hog_seen(struct rt_worker *w, uint64_t n, uint64_t elapsed)
{
	struct heist_system *s = w->local.system;
	struct sight seen;
	void *frames[HEIST_TRACE_MOST];
	if (elapsed < s->hog_name_ns || w->hog_named == n || !look(w, n, &seen))
		return;
	w->hog_named = n;
	uint32_t count = chain(w, n, frames);
	heist_hog hog = { .actor = seen.actor,
			  .cls = seen.cls,
			  .message = seen.message,
			  .elapsed_ns = elapsed,
			  .worker = w->number,
			  .frames = frames,
			  .frame_count = count };
	if (s->hog)
		s->hog(s->user, &hog);
	else
		log_hog(s, &hog);
}
