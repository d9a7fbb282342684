/* SPDX-License-Identifier: BSD-2-Clause
 * sim.c - a store, a cache in front of it, and a writer, tried in a thousand orders.
 *
 * `example_sim early` has a bug that few orders show: the writer tells the cache to forget before the store
 * has the new value, so a reader may fetch the old one in between, and the cache keeps it for ever.
 *
 *     heist-sim --seeds 1000 ./example_sim early        finds a seed, and what of it is needed */
#include <heist/sim.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	char unused;
};
struct value {
	int64_t n;
};

/* ---- the store ---- */

#define store_put   value
#define store_get   unit
#define STORE(X, P) X(P, put, struct unit, NULL) X(P, get, struct value, NULL)
HEIST_PROTOCOL(store, STORE);

static heist_next store_on_put(heist_ctx *c, struct value *s, struct value *m)
{
	*s = *m;
	store_reply_put(c, (struct unit){ 0 });
	return HEIST_CONTINUE;
}

static heist_next store_on_get(heist_ctx *c, struct value *s, struct unit *m)
{
	(void)m;
	store_reply_get(c, *s);
	return HEIST_CONTINUE;
}
HEIST_ACTOR(store, struct value, STORE);

/* ---- the cache ---- */

#define cache_forget unit
#define cache_read   unit
#define CACHE(X, P)  X(P, forget, heist_unit, NULL) X(P, read, struct value, NULL)
HEIST_PROTOCOL(cache, CACHE);

struct cache {
	store_ref store;
	struct value value;
	bool valid;
	uint64_t forgot; /* how often: what was fetched before is not kept */
	cache_read_owed reader;
	bool reading;
};

static void cache_fetched(heist_ctx *c, struct cache *s, heist_status st, const struct value *v,
			  uint64_t forgot)
{
	(void)c;
	s->reading = false;
	if (st != HEIST_OK)
		return;
	s->value = *v;
	s->valid = forgot == s->forgot;
	cache_reply_to_read(s->reader, *v);
}
HEIST_ON_REPLY(store, get, struct cache, cache_fetched);

static heist_next cache_on_read(heist_ctx *c, struct cache *s, struct unit *m)
{
	if (s->valid) {
		cache_reply_read(c, s->value);
		return HEIST_CONTINUE;
	}
	if (s->reading)
		return HEIST_CONTINUE; /* one at a time: the others hear HEIST_ENOREPLY */
	if (store_ask_get(c, s->store, *m, 0, cache_fetched_k, s->forgot) != HEIST_OK)
		return HEIST_FAIL;
	s->reader = cache_later_read(c);
	s->reading = true;
	return HEIST_CONTINUE;
}

static heist_next cache_on_forget(heist_ctx *c, struct cache *s, struct unit *m)
{
	(void)c, (void)m;
	s->valid = false;
	s->forgot++;
	return HEIST_CONTINUE;
}

static heist_next cache_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	((struct cache *)state)->store = *(const store_ref *)arg;
	return HEIST_CONTINUE;
}
static const heist_hooks cache_hooks = { .arg_size = sizeof(store_ref), .init = cache_init };
HEIST_ACTOR_WITH(cache, struct cache, CACHE, heist_unhandled, &cache_hooks);

/* ---- the writer ---- */

static bool early; /* the bug */

struct writer {
	store_ref store;
	cache_ref cache;
};

#define writer_write value
#define WRITER(X, P) X(P, write, heist_unit, NULL)
HEIST_PROTOCOL(writer, WRITER);

static void writer_written(heist_ctx *c, struct writer *s, heist_status st, const struct unit *v,
			   uint64_t user)
{
	(void)c, (void)v, (void)user;
	if (st == HEIST_OK)
		cache_send_forget(s->cache, (struct unit){ 0 });
}
HEIST_ON_REPLY(store, put, struct writer, writer_written);

static heist_next writer_on_write(heist_ctx *c, struct writer *s, struct value *m)
{
	if (early) {
		cache_send_forget(s->cache, (struct unit){ 0 });
		store_send_put(s->store, *m);
		return HEIST_CONTINUE;
	}
	return store_ask_put(c, s->store, *m, 0, writer_written_k, 0) == HEIST_OK ? HEIST_CONTINUE
										  : HEIST_FAIL;
}

static heist_next writer_init(heist_ctx *c, void *state, const void *arg)
{
	(void)c;
	memcpy(state, arg, sizeof(struct writer));
	return HEIST_CONTINUE;
}
static const heist_hooks writer_hooks = { .arg_size = sizeof(struct writer), .init = writer_init };
HEIST_ACTOR_WITH(writer, struct writer, WRITER, heist_unhandled, &writer_hooks);

/* ---- the test: the same actors, no changes ---- */

static void run(heist_sim *sim, heist_system *sys, void *user)
{
	struct writer w;
	writer_ref writer;
	struct value v = { -1 };
	(void)user;
	if (store_spawn(sys, NULL, NULL, &w.store) || cache_spawn(sys, NULL, &w.store, &w.cache) ||
	    writer_spawn(sys, NULL, &w, &writer)) {
		heist_sim_fail(sim, "cannot spawn");
		return;
	}
	for (int64_t i = 1; i <= 4; i++) {
		writer_send_write(writer, (struct value){ i });
		cache_send_read(w.cache, (struct unit){ 0 });
	}
	heist_sim_run(sim, 0);
	heist_status st = cache_call_read(sys, w.cache, (struct unit){ 0 }, 0, &v);
	HEIST_SIM_CHECK(sim, st == HEIST_OK && v.n == 4);
}

int main(int argc, char **argv)
{
	heist_sim_opts opts = heist_sim_opts_default();
	opts.delay = 100000; /* a message in ten */
	early = argc > 1 && strcmp(argv[1], "early") == 0;
	setenv("HEIST_SIM_SEED", "1+1000", 0); /* unless it says something else */
	return heist_sim_main(argc, argv, &opts, run, NULL);
}
