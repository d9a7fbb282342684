/* SPDX-License-Identifier: BSD-2-Clause
 * chain.c - asks that go in a circle (chain.h). */
#include "runtime/chain.h"

#include <stdio.h>

#include "runtime/system.h"

#ifdef NDEBUG
typedef int heist_chain_is_empty; /* a file is not */
#else

#define LONGEST 16 /* links that are followed */

struct chain_link {
	struct chain_link *next;
	struct heist_system *system;
	heist_ref asker;
	uint64_t id;
	struct request_header cause;
	const char *name; /* of the asker's class */
};

static struct chain_link **bucket_of(struct chains *c, uint64_t asker, uint64_t id)
{
	return &c->bucket[((asker ^ id << 7) * 0x9E3779B97F4A7C15u >> 32) % CHAIN_BUCKETS];
}

/* The lock's holder. */
static struct chain_link *find(struct chains *c, const struct request_header *h)
{
	struct chain_link *l = *bucket_of(c, h->asker, h->id);
	while (l && (l->asker.v != h->asker || l->id != h->id))
		l = l->next;
	return l;
}

/* The lock's holder: the links from the new one up to that of `to`, as text; 0: it is not there. */
static uint32_t circle(struct chains *c, const struct chain_link *l, heist_ref to,
		       const struct chain_link **on_the_way)
{
	uint32_t n = 0;
	while (l && n < LONGEST) {
		on_the_way[n++] = l;
		if (l->asker.v == to.v)
			return n;
		l = l->cause.asker ? find(c, &l->cause) : NULL;
	}
	return 0;
}

/* From the first that asked to the last, and again to the first. */
static void text_of(const struct chain_link **links, uint32_t n, char *text, size_t room)
{
	size_t used = 0;
	for (uint32_t i = n + 1; i-- > 0 && used < room;) {
		const struct chain_link *l = i ? links[i - 1] : links[n - 1];
		int k = snprintf(text + used, room - used, "%s %llx%s", l->name,
				 (unsigned long long)l->asker.v, i ? " -> " : "");
		used += k > 0 ? (size_t)k : 0;
	}
}

struct chain_link *heist_chain_add(heist_ctx *ctx, heist_ref to, uint64_t id,
				   const struct request_header *cause)
{
	struct heist_system *s = ctx->system;
	struct chains *c = &s->chains;
	const struct chain_link *links[LONGEST];
	char text[600] = "";
	struct chain_link *l = heist_memory_get(&s->memory, sizeof *l, HEIST_CACHELINE);
	if (!l)
		return NULL;
	*l = (struct chain_link){ .system = s,
				  .asker = actor_ref(s, ctx_actor(ctx)),
				  .id = id,
				  .cause = *cause,
				  .name = actor_class(s, ctx_actor(ctx))->name };
	struct chain_link **at = bucket_of(c, l->asker.v, id);
	spin_lock(&c->lock);
	uint32_t n = circle(c, l, to, links);
	if (n)
		text_of(links, n, text, sizeof text);
	l->next = *at;
	*at = l;
	spin_unlock(&c->lock);
	if (n)
		heist_system_log(
			s, HEIST_LOG_WARN,
			"asks go in a circle, and if each waits for the next none answers: %s",
			text);
	return l;
}

void heist_chain_remove(struct chain_link *l)
{
	if (!l)
		return;
	struct chains *c = &l->system->chains;
	struct chain_link **at = bucket_of(c, l->asker.v, l->id);
	spin_lock(&c->lock);
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	spin_unlock(&c->lock);
	heist_memory_put(&l->system->memory, l, sizeof *l);
}

#endif
