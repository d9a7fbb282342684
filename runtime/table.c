/* SPDX-License-Identifier: BSD-2-Clause
 * table.c - see table.h. */
#include "runtime/table.h"

static struct foreign foreigners[RUNTIMES][FOREIGN_LOCALS];
static struct {
	struct spinlock lock;
	uint32_t last; /* id given out last: ids go round, so that handles stay stale for long */
	bool used[RUNTIMES];
	uint32_t generation[RUNTIMES]; /* where a re-used id goes on */
} runtimes;

/* A simulated runtime always has the same: handles, and what is hashed by them, are as they were. */
static uint32_t claim_simulated(uint32_t *generation)
{
	uint32_t id = runtimes.used[RUNTIMES - 1] ? 0 : RUNTIMES - 1;
	if (id)
		runtimes.used[id] = true;
	*generation = 1;
	return id;
}

static uint32_t claim_next(uint32_t *generation)
{
	uint32_t id = 0;
	for (uint32_t k = 1; k < RUNTIMES && !id; k++) {
		uint32_t i = (runtimes.last + k - 1) % (RUNTIMES - 1) + 1;
		if (!runtimes.used[i] && runtimes.generation[i] < GENERATION_MAX / 2)
			id = i;
	}
	if (id) {
		runtimes.used[id] = true;
		runtimes.last = id;
		*generation = runtimes.generation[id] + 1;
	}
	return id;
}

uint32_t heist_table_claim(bool simulated, uint32_t *generation)
{
	spin_lock(&runtimes.lock);
	uint32_t id = simulated ? claim_simulated(generation) : claim_next(generation);
	spin_unlock(&runtimes.lock);
	return id;
}

void heist_table_release(uint32_t id, uint32_t generation)
{
	spin_lock(&runtimes.lock);
	runtimes.used[id] = false;
	runtimes.generation[id] = generation;
	spin_unlock(&runtimes.lock);
}

/* ---- foreign threads ---- */

static _Thread_local uint32_t foreign_hint __attribute__((tls_model("initial-exec")));
static _Atomic uint32_t foreign_threads;

/* What this thread has entered, the innermost first. */
static _Thread_local struct foreign *foreign_inside __attribute__((tls_model("initial-exec")));

/* That of runtime `id` in which this thread is; NULL: in none. */
static struct foreign *foreign_entered(uint32_t id)
{
	const struct foreign *first = foreigners[id];
	struct foreign *f = foreign_inside;
	while (f && (f < first || f >= first + FOREIGN_LOCALS))
		f = f->outer;
	return f;
}

/* From a hook.  To wait for another local could be to wait for oneself. */
static HEIST_COLD struct foreign *foreign_enter_again(struct foreign *f)
{
	if (!f->local)
		return NULL;
	f->nested++;
	return f;
}

struct foreign *heist_foreign_enter(uint32_t id)
{
	struct foreign *entered = foreign_entered(id);
	if (HEIST_UNLIKELY(entered != NULL))
		return foreign_enter_again(entered);
	if (foreign_hint == 0)
		foreign_hint =
			atomic_fetch_add_explicit(&foreign_threads, 1, memory_order_relaxed) + 1;
	struct foreign *f = &foreigners[id][foreign_hint % FOREIGN_LOCALS];
	for (uint32_t k = 1; !spin_try(&f->lock) && k < FOREIGN_LOCALS; k++) {
		foreign_hint = foreign_hint + 1 ? foreign_hint + 1 : 1;
		f = &foreigners[id][foreign_hint % FOREIGN_LOCALS];
		if (k == FOREIGN_LOCALS - 1) /* all taken: wait for this one */
			spin_lock(&f->lock);
	}
	if (!f->local) {
		spin_unlock(&f->lock);
		return NULL;
	}
	f->nested = 0;
	f->outer = foreign_inside;
	foreign_inside = f;
	return f;
}

void heist_foreign_leave(struct foreign *f)
{
	if (HEIST_UNLIKELY(f->nested != 0)) {
		f->nested--;
		return;
	}
	foreign_inside = f->outer;
	spin_unlock(&f->lock);
}

void heist_foreign_grace(struct heist_system *s)
{
	const struct foreign *own = foreign_entered(s->id);
	for (int i = 0; i < FOREIGN_LOCALS; i++) {
		struct foreign *f = &foreigners[s->id][i];
		if (f == own)
			continue;
		spin_lock(&f->lock);
		spin_unlock(&f->lock);
	}
}

void heist_foreign_attach(struct heist_system *s, bool attach)
{
	for (int i = 0; i < FOREIGN_LOCALS; i++) {
		struct foreign *f = &foreigners[s->id][i];
		spin_lock(&f->lock);
		f->local = attach ? &s->foreign[i] : NULL;
		spin_unlock(&f->lock);
	}
}

void heist_foreign_trim(struct heist_system *s, uint32_t i)
{
	struct foreign *f = &foreigners[s->id][i];
	if (!spin_try(&f->lock))
		return;
	if (f->local)
		heist_local_trim(f->local);
	spin_unlock(&f->lock);
}

/* ---- around a fork ---- */

void heist_table_hold(void)
{
	spin_lock(&runtimes.lock);
}

void heist_table_let_go(void)
{
	spin_unlock(&runtimes.lock);
}

void heist_table_orphan(void (*each)(struct heist_system *))
{
	for (int id = 0; id < RUNTIMES; id++) {
		struct heist_system *s = NULL;
		for (int i = 0; i < FOREIGN_LOCALS; i++) {
			struct foreign *f = &foreigners[id][i];
			if (f->local)
				s = f->local->system;
			f->local = NULL;
			spin_unlock(&f->lock);
		}
		if (s)
			each(s);
	}
}
