/* SPDX-License-Identifier: BSD-2-Clause
 * lost.c - dead letters: every accepted message that is not handled is counted here, once; and what holds a
 * large payload lets go of it.
 *
 * Edges   LG1 acq_rel subtraction from large.users -> the same, or the acquire load by the last one: all
 *             uses of a shared payload happen before its end */
#include "runtime/system.h"

#include <stdio.h>
#include <string.h>

#ifndef LARGE_ORDER_LEAVE
#define LARGE_ORDER_LEAVE memory_order_acq_rel
#endif

void heist_large_share(void *payload, uint32_t users)
{
	atomic_store_explicit(&large_of(payload)->users, users,
			      memory_order_relaxed); /* published by the mailbox */
}

void heist_large_leave(void *payload, uint32_t users)
{
	struct large *l = large_of(payload);
#ifdef LARGE_MUTANT_NOT_COUNTED
	users = atomic_load_explicit(&l->users, memory_order_relaxed);
#endif
	if (users &&
	    atomic_fetch_sub_explicit(&l->users, users, LARGE_ORDER_LEAVE) == users) /* LG1 */
		heist_memory_put(&l->system->memory, l, l->total);
}

void heist_large_free(void *payload)
{
	if (!payload)
		return;
	struct large *l = large_of(payload);
	if (atomic_load_explicit(&l->users, memory_order_acquire) > 1) /* LG1 acquire */
		heist_large_leave(payload, 1);
	else
		heist_memory_put(&l->system->memory, l, l->total);
}

/* ---- by type ---- */

static uint32_t bucket_of(const heist_type *type)
{
	return (uint32_t)((uintptr_t)type / sizeof *type) % LOST_BUCKETS;
}

static struct lost_type *lost_find(const struct lost_types *t, const heist_type *type)
{
	struct lost_type *e = atomic_load_explicit(&t->bucket[bucket_of(type)],
						   memory_order_acquire); /* LT1 acquire */
	while (e && e->type != type)
		e = e->next;
	return e;
}

/* The local's holder.  Never fails. */
static struct lost_type *lost_ensure(struct local *l, const heist_type *type)
{
	struct lost_types *t = &l->lost_types;
	struct lost_type *e = type ? lost_find(t, type) : &t->others;
	if (e)
		return e;
	e = heist_memory_get(&l->system->memory, sizeof *e, HEIST_CACHELINE);
	if (!e)
		return &t->others;
	memset(e, 0, sizeof *e);
	e->type = type;
	e->next = atomic_load_explicit(&t->bucket[bucket_of(type)], memory_order_relaxed); /* own */
	atomic_store_explicit(&t->bucket[bucket_of(type)], e,
			      memory_order_release); /* LT1 release */
	return e;
}

void heist_lost_types_destroy(struct lost_types *t, const struct heist_memory *memory)
{
	for (int b = 0; b < LOST_BUCKETS; b++) {
		struct lost_type *e =
			atomic_load_explicit(&t->bucket[b], memory_order_relaxed); /* own */
		while (e) {
			struct lost_type *next = e->next;
			heist_memory_put(memory, e, sizeof *e);
			e = next;
		}
	}
}

static const struct lost_type *lost_entry(const struct local *l, const heist_type *type)
{
	return type ? lost_find(&l->lost_types, type) : &l->lost_types.others;
}

/* What all locals from `first` on have lost of this type. */
static heist_lost_type lost_sum(const struct heist_system *s, uint32_t first,
				const heist_type *type)
{
	heist_lost_type sum = { .type = type };
	for (uint32_t i = first; i < system_locals(s); i++) {
		const struct lost_type *e = lost_entry(system_local(s, i), type);
		for (int c = 0; e && c < HEIST_CAUSES; c++)
			sum.lost[c] += atomic_load_explicit(&e->lost[c], memory_order_relaxed);
	}
	return sum;
}

static bool lost_before(const struct heist_system *s, uint32_t i, const heist_type *type)
{
	while (i-- > 0)
		if (lost_find(&system_local(s, i)->lost_types, type))
			return true;
	return false;
}

static bool lost_any(const heist_lost_type *t)
{
	uint64_t sum = 0;
	for (int c = 0; c < HEIST_CAUSES; c++)
		sum += t->lost[c];
	return sum != 0;
}

size_t heist_lost_types(const heist_system *s, heist_lost_type *out, size_t cap)
{
	size_t n = 0;
	if (!s || (!out && cap)) {
		(void)HEIST_BAD_ARG("system and out must not be NULL");
		return 0;
	}
	for (uint32_t i = 0; i < system_locals(s); i++)
		for (int b = 0; b < LOST_BUCKETS; b++) {
			const struct lost_type *e =
				atomic_load_explicit(&system_local(s, i)->lost_types.bucket[b],
						     memory_order_acquire); /* LT1 acquire */
			for (; e; e = e->next)
				if (!lost_before(s, i, e->type) && n++ < cap)
					out[n - 1] = lost_sum(s, i, e->type);
		}
	heist_lost_type others = lost_sum(s, 0, NULL);
	if (lost_any(&others) && n++ < cap)
		out[n - 1] = others;
	return n;
}

/* ---- a line in the log ---- */

#define LOG_PERIOD_NS 1000000000u

static const char *const causes[HEIST_CAUSES] = {
	[HEIST_LOST_DEAD] = "dead",	  [HEIST_LOST_STOPPED] = "stopped",
	[HEIST_LOST_EXPIRED] = "expired", [HEIST_LOST_UNHANDLED] = "unhandled",
	[HEIST_LOST_FAILED] = "failed",	  [HEIST_LOST_LATE] = "late",
	[HEIST_LOST_CLOSED] = "closed",	  [HEIST_LOST_NEW] = "new",
	[HEIST_LOST_OLD] = "old",	  [HEIST_LOST_FULL] = "full",
	[HEIST_LOST_RESTART] = "restart",
};

const char *heist_strcause(heist_cause cause)
{
	return (unsigned)cause < HEIST_CAUSES ? causes[cause] : "unknown";
}

/* " 12 dead, 3 late" since the last line; the total. */
static uint64_t log_causes(struct heist_system *s, char *text, size_t room)
{
	heist_stats t = heist_stats_default();
	uint64_t total = 0;
	size_t used = 0;
	(void)heist_get_stats(s, &t);
	for (int c = 0; c < HEIST_CAUSES; c++) {
		uint64_t n = t.lost[c] - s->lost_log.said[c];
		s->lost_log.said[c] = t.lost[c];
		if (n == 0 || used >= room)
			continue;
		int k = snprintf(text + used, room - used, "%s %llu %s", total ? "," : "",
				 (unsigned long long)n, causes[c]);
		used += k > 0 ? (size_t)k : 0;
		total += n;
	}
	return total;
}

/* At most one a second, with what has been lost since the last; silent in shutdown, where it is what
 * was asked for. */
static void lost_say(struct heist_system *s, heist_ref to, const heist_type *type)
{
	char text[160] = "";
	uint64_t total = 0;
	if (atomic_load_explicit(&s->phase, memory_order_acquire) != PHASE_OPEN || /* PH1 acquire */
	    !spin_try(&s->lost_log.lock))
		return;
	uint64_t now = system_now(s);
	if (now >= s->lost_log.next) {
		s->lost_log.next = now + LOG_PERIOD_NS;
		total = log_causes(s, text, sizeof text);
	}
	spin_unlock(&s->lost_log.lock);
	if (total)
		heist_system_log(s, HEIST_LOG_WARN,
				 "%llu messages lost:%s; the last: %s for actor %llx",
				 (unsigned long long)total, text,
				 type && type->name ? type->name : "?", (unsigned long long)to.v);
}

/* ---- one message ---- */

void heist_count_lost(struct heist_system *s, struct local *l, heist_ref to, const heist_type *type,
		      const void *payload, heist_cause cause)
{
	heist_count(&l->lost[cause], 1);
	event_put(l, EVENT_LOST, to, type, (uint32_t)cause);
	heist_count(&lost_ensure(l, type)->lost[cause], 1);
#ifdef LOST_MUTANT_NOT_TOLD
	if (cause == HEIST_LOST_RESTART)
		return;
#endif
	if (s->dead_letter) {
		heist_lost lost = { .cause = cause, .to = to, .type = type, .msg = payload };
		s->dead_letter(s->user, &lost);
	}
	lost_say(s, to, type);
}

void heist_message_lost(struct heist_system *s, struct local *l, struct message *m, heist_ref to,
			heist_cause cause, heist_status answer)
{
	const heist_type *type = m->type;
	uint32_t kind = message_kind(m);
	if (message_has(m, MESSAGE_COUNTED)) {
		to.v |= REF_BOUNDED;
		heist_bound_out(s, to, m);
	}
	bool reply = kind == KIND_REPLY;
	bool has_value = !reply || ((struct reply_header *)(void *)m->u.bytes)->status == HEIST_OK;
	void *payload = has_value ? message_payload(m) : NULL;
	if (reply && cause != HEIST_LOST_FAILED)
		cause = HEIST_LOST_LATE;
	heist_count_lost(s, l, to, type, payload, cause);
	void (*drop)(void *) = !type || !type->drops ? NULL
			       : reply		     ? type->drops->reply
						     : type->drops->msg;
	if (drop && payload && answer != HEIST_EFAULT) /* then nothing it points to is trusted */
		drop(payload);
	if (kind == KIND_REQUEST && !message_has(m, MESSAGE_BOUNCE) &&
	    !message_has(m, MESSAGE_ANSWERED)) {
		message_set(m, MESSAGE_BOUNCE);
		m->tag |= (uint64_t)(-(int)answer) << 40;
	}
}
