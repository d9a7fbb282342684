/* SPDX-License-Identifier: BSD-2-Clause
 * arena.c - chunks that double from 1 to 64 KiB; what does not fit gets a chunk of its own. */
#include "runtime/arena.h"

#include <string.h>

#include "runtime/system.h"

#define CHUNK_FIRST ((size_t)1 << 10)
#define CHUNK_MOST  ((size_t)64 << 10)

struct arena_chunk {
	struct arena_chunk *older;
	size_t size; /* this header included */
};
_Static_assert(sizeof(struct arena_chunk) % ARENA_ALIGN == 0, "the first piece is aligned");

static struct arena_chunk *chunk_add(struct arena *a, const struct heist_memory *memory,
				     size_t size)
{
	struct arena_chunk *c = heist_memory_get(memory, size, HEIST_CACHELINE);
	if (!c)
		return NULL;
	*c = (struct arena_chunk){ .older = a->chunks, .size = size };
	a->chunks = c;
	a->held += size;
	return c;
}

/* A piece of a new chunk.  A large one leaves the chunk before as the one to go on with. */
static void *arena_grow(struct arena *a, const struct heist_memory *memory, size_t n)
{
	size_t size = a->held < CHUNK_FIRST  ? CHUNK_FIRST
		      : a->held < CHUNK_MOST ? a->held
					     : CHUNK_MOST;
	bool own = n > (size - sizeof(struct arena_chunk)) / 2;
	struct arena_chunk *c = chunk_add(a, memory, own ? sizeof *c + n : size);
	if (!c)
		return NULL;
	char *p = (char *)(c + 1);
	if (!own) {
		a->bump = p + n;
		a->end = (char *)c + size;
	}
	return p;
}

void *heist_arena_get(struct arena *a, const struct heist_memory *memory, size_t n)
{
	char *p = a->bump;
	if (n > SIZE_MAX / 2)
		return NULL;
	n = n ? (n + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1) : ARENA_ALIGN;
	if (a->limit && (n > a->limit || a->used > a->limit - n))
		return NULL;
	if (n <= (size_t)(a->end - p))
		a->bump = p + n;
	else if (!(p = arena_grow(a, memory, n)))
		return NULL;
	a->used += n;
	return memset(p, 0, n);
}

void heist_arena_release(struct arena *a, const struct heist_memory *memory)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->older;
		heist_memory_put(memory, c, c->size);
	}
	*a = (struct arena){ .limit = a->limit };
}

void heist_arena_end(struct rt_worker *w, struct actor_extra *x)
{
	heist_count(&w->local.arena_bytes, -(uint64_t)x->arena.held);
	if (x->faulted) { /* what links the chunks lies beside what the handler wrote */
		heist_fault_quarantine(w, x->arena.held);
		x->arena.chunks = NULL;
	}
	heist_arena_release(&x->arena, &w->local.system->memory);
}

/* ---- the public side ---- */

void *heist_alloc(heist_ctx *ctx, size_t n)
{
	if (!ctx)
		return NULL;
	struct actor_extra *x = heist_extra_ensure(ctx->system, ctx_actor(ctx));
	if (!x)
		return NULL;
	size_t before = x->arena.held;
	void *p = heist_arena_get(&x->arena, &ctx->system->memory, n);
	if (x->arena.held != before)
		heist_count(&ctx->worker->local.arena_bytes, x->arena.held - before);
	return p;
}

uint64_t heist_allocated(const heist_ctx *ctx)
{
	const struct actor_extra *x = ctx ? actor_extra(ctx->system, ctx_actor(ctx)) : NULL;
	return x ? x->arena.used : 0;
}
