/* SPDX-License-Identifier: BSD-2-Clause
 * gather.c - heist_ask_all (gather.h). */
#include "runtime/gather.h"

#include <string.h>

#define MOST (1u << 20) /* actors asked at once */

struct part {
	struct gather *gather;
	uint64_t ask; /* 0: not out */
};

struct gather {
	struct gather *next, *previous; /* of the asker */
	size_t size;
	heist_gather_fn *k;
	uint64_t user;
	const heist_type *type;
	uint32_t count, waiting, good, enough;
	uint32_t present; /* whose reply is being handled: that message looks after its value */
	struct part *parts;
	unsigned char *values;
	heist_answer answers[];
};

static size_t value_size(const heist_type *type)
{
	return (type->reply_size + (size_t)7) & ~(size_t)7;
}

/* ---- of an asker ---- */

static void list_add(struct actor_extra *x, struct gather *g)
{
	g->next = x->gathers;
	if (g->next)
		g->next->previous = g;
	x->gathers = g;
}

static void gather_free(struct heist_system *s, struct actor_extra *x, struct gather *g)
{
	if (g->next)
		g->next->previous = g->previous;
	if (g->previous)
		g->previous->next = g->next;
	else
		x->gathers = g->next;
	heist_memory_put(&s->memory, g, g->size);
}

void heist_gathers_free(struct heist_system *s, struct actor_extra *x)
{
	while (x->gathers) {
		struct gather *g = x->gathers;
		const heist_drops *drops = g->type->drops;
		for (uint32_t i = 0; drops && drops->reply && i < g->count; i++)
			if (g->answers[i].status == HEIST_OK && i != g->present)
				drops->reply((void *)(uintptr_t)g->answers[i].reply);
		gather_free(s, x, g);
	}
}

static struct gather *gather_new(struct heist_system *s, const heist_type *type, uint32_t n)
{
	size_t answers = sizeof(struct gather) + n * sizeof(heist_answer);
	size_t parts = answers + n * sizeof(struct part);
	size_t size = parts + n * value_size(type);
	struct gather *g = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (!g)
		return NULL;
	memset(g, 0, size);
	g->size = size;
	g->type = type;
	g->count = n;
	g->present = n;
	g->parts = (struct part *)(void *)((char *)g + answers);
	g->values = (unsigned char *)g + parts;
	return g;
}

/* ---- answers ---- */

/* Who has not answered by now has not. */
static void finish(heist_ctx *ctx, void *state, struct gather *g)
{
	struct actor_extra *x = actor_extra(ctx->system, ctx_actor(ctx));
	for (uint32_t i = 0; i < g->count; i++)
		if (g->parts[i].ask)
			heist_ask_forget(x, g->parts[i].ask);
	g->k(ctx, state, g->answers, g->count, g->user); /* may panic: heist_gathers_free */
	gather_free(ctx->system, x, g);
}

static void take_answer(struct gather *g, uint32_t i, heist_status status, const void *reply)
{
	heist_answer *a = &g->answers[i];
	a->status = status;
	if (status != HEIST_OK)
		return;
	void *value = g->values + i * value_size(g->type);
	if (reply && g->type->reply_size)
		memcpy(value, reply, g->type->reply_size);
	a->reply = value;
	g->good++;
}

static void on_answer(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	struct part *p = (struct part *)(uintptr_t)user;
	struct gather *g = p->gather;
	p->ask = 0;
	g->waiting--;
	uint32_t i = (uint32_t)(p - g->parts);
	take_answer(g, i, status, reply);
	if (g->waiting > 0 && g->good < g->enough)
		return;
	g->present = i;
	finish(ctx, state, g);
}

/* Nobody could be asked. */
static void on_nobody(heist_ctx *ctx, void *state, heist_status status, const void *reply,
		      uint64_t user)
{
	(void)status, (void)reply;
	finish(ctx, state, (struct gather *)(uintptr_t)user);
}

/* ---- the public side ---- */

static void ask_each(heist_ctx *ctx, struct gather *g, const heist_ref *to, const void *msg,
		     heist_time deadline)
{
	for (uint32_t i = 0; i < g->count; i++) {
		struct part *p = &g->parts[i];
		p->gather = g;
		g->answers[i].who = to[i];
		heist_status r = HEIST_EDEAD;
		if (to[i].v)
			r = heist_ask_with(ctx, to[i], g->type, msg, deadline, on_answer,
					   (uintptr_t)p, &p->ask);
		g->waiting += r == HEIST_OK;
		g->answers[i].status = r == HEIST_OK ? HEIST_ETIMEOUT : r;
	}
}

static const char *ask_all_bad(heist_ctx *ctx, const heist_ref *to, uint32_t n, uint32_t enough,
			       const heist_type *type, const void *msg)
{
	if (!ctx || !to || !type || (!msg && type->size))
		return "context, to, type and msg must not be NULL";
	if (n == 0 || n > MOST || enough > n)
		return "n must be 1 to 2^20, and not less than what is enough";
	if (type_owns(type))
		return "the type must own nothing (no drops->msg): many get the request";
	for (uint32_t i = 0; i < n; i++)
		if (to[i].v && ref_runtime(to[i]) != ctx->system->id)
			return "asks stay within one runtime";
	return NULL;
}

heist_status heist_ask_all(heist_ctx *ctx, const heist_ref *to, uint32_t n, uint32_t enough,
			   const heist_type *type, const void *msg, heist_time deadline,
			   heist_gather_fn *k, uint64_t user)
{
	const char *bad = ask_all_bad(ctx, to, n, enough, type, msg);
	if (bad || !k)
		return HEIST_BAD_ARG(bad ? bad : "the continuation must not be NULL");
	struct heist_system *s = ctx->system;
	struct actor_extra *x = heist_extra_ensure(s, ctx_actor(ctx));
	struct gather *g = x ? gather_new(s, type, n) : NULL;
	if (!g)
		return HEIST_ENOMEM;
	uint64_t id;
	heist_status r = HEIST_OK;
	g->k = k;
	g->user = user;
	g->enough = enough ? enough : n;
	list_add(x, g);
	ask_each(ctx, g, to, msg, deadline);
	if (g->waiting == 0)
		r = heist_ask_nobody(ctx, on_nobody, (uintptr_t)g, &id);
	if (r != HEIST_OK)
		gather_free(s, x, g); /* and nobody has been asked */
	return r;
}
