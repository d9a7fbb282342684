/* SPDX-License-Identifier: BSD-2-Clause
 * notify.c - heist_notify, and telling an actor its bits (notify.h).
 *
 * A signal handler may have interrupted anything on its thread, so nothing here takes a lock, allocates, or
 * uses what belongs to the thread's worker: an idle actor goes through an inbox, as from outside.
 * That the runtime and the slot stay while somebody is in heist_notify is the business of two gates: one for
 * each runtime id, for threads that are no workers of that runtime, shut by heist_close; one in the runtime,
 * for its workers, which slots_return looks at: a handler of a signal may run on a worker that sleeps.
 *
 * Edges   GT1 of gate.h: the runtime and its slots.  NT1 of notify.h, HO1 of hold.h: the bits */
#include "runtime/notify.h"

#include <errno.h>

#include "runtime/system.h"

static struct door {
	struct gate gate;
	_Atomic bool closing;
	struct heist_system *system; /* while the gate is open, or somebody inside */
} doors[RUNTIMES];

void heist_notify_open(struct heist_system *s)
{
	doors[s->id].system = s;
	gate_open(&s->notifiers);
	gate_open(&doors[s->id].gate);
}

void heist_notify_close(struct heist_system *s)
{
	atomic_store_explicit(&doors[s->id].closing, true, memory_order_relaxed); /* advisory */
	gate_shut(&doors[s->id].gate);
	while (!gate_is_empty(&doors[s->id].gate))
		heist_thread_yield();
}

void heist_notify_forget(struct heist_system *s)
{
	atomic_store_explicit(&doors[s->id].closing, false, memory_order_relaxed);
}

/* In a child nobody is inside. */
void heist_notify_orphan(struct heist_system *s)
{
	doors[s->id] = (struct door){ .gate = { 0 } };
}

bool heist_notify_quiet(struct heist_system *s)
{
	return gate_is_empty(&s->notifiers) && gate_is_empty(&doors[s->id].gate);
}

/* ---- any thread, signal handlers ---- */

static heist_status notify(struct heist_system *s, heist_ref to, uint32_t bits)
{
	struct actor *a = system_actor(s, to);
	if (!a || mpsc_ticket(&a->ticket, ref_generation(to)) == MPSC_TICKET_CLOSED ||
	    !notify_put(&s->slots.control[ref_slot(to)].notify, ref_generation(to) | MPSC_OPEN,
			bits))
		return HEIST_EDEAD;
	heist_control_call(s, NULL, a);
	return HEIST_OK;
}

/* From a thread that is no worker of the runtime. */
static heist_status notify_from_outside(struct door *d, heist_ref to, uint32_t bits)
{
	if (!gate_enter(&d->gate))
		return atomic_load_explicit(&d->closing, memory_order_relaxed) ? HEIST_ECLOSED
									       : HEIST_EDEAD;
	heist_status r = notify(d->system, to, bits);
	gate_leave(&d->gate);
	return r;
}

static heist_status notify_from_inside(struct heist_system *s, heist_ref to, uint32_t bits)
{
	(void)gate_enter(&s->notifiers); /* never shut */
	heist_status r = notify(s, to, bits);
	gate_leave(&s->notifiers);
	return r;
}

heist_status heist_notify(heist_ref to, uint32_t bits)
{
	int before = errno;
	uint32_t id = ref_runtime(to);
	struct rt_worker *w = rt_worker_of(heist_worker_self);
	heist_status r = w && w->local.id == id ? notify_from_inside(w->local.system, to, bits)
						: notify_from_outside(&doors[id], to, bits);
	errno = before; /* waking may have changed it */
	return r;
}

/* ---- the holder of the right to run ---- */

static _Atomic uint64_t *word_of(struct heist_system *s, struct actor *a)
{
	return &s->slots.control[slot_index(&s->slots, a)].notify;
}

bool heist_notify_pending(struct heist_system *s, struct actor *a)
{
	return notify_pending(word_of(s, a), mpsc_generation(&a->ticket));
}

bool heist_notify_run(struct rt_worker *w, struct actor *a, struct ending *end)
{
	struct heist_system *s = w->local.system;
	uint32_t bits = notify_take(word_of(s, a), mpsc_generation(&a->ticket));
	const heist_hooks *hooks = bits ? actor_class(s, a)->hooks : NULL;
	if (!hooks || !hooks->signal)
		return false;
	const heist_signal sig = { .kind = HEIST_SIG_NOTIFY, .who = actor_ref(s, a), .bits = bits };
	return heist_signal_hook(w, a, &sig, end);
}
