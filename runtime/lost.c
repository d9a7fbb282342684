/* SPDX-License-Identifier: BSD-2-Clause
 * lost.c - dead letters: every accepted message that is not handled is counted here, once. */
#include "runtime/system.h"

void heist_large_free(void *payload)
{
	if (!payload)
		return;
	struct large *l = large_of(payload);
	heist_memory_put(&l->system->memory, l, l->total);
}

void heist_count_lost(struct heist_system *s, struct local *l, heist_ref to, const heist_type *type,
		      const void *payload, heist_cause cause)
{
	heist_count(&l->lost[cause], 1);
	event_put(l, EVENT_LOST, to, type, (uint32_t)cause);
	if (s->dead_letter) {
		heist_lost lost = { .cause = cause, .to = to, .type = type, .msg = payload };
		s->dead_letter(s->user, &lost);
	}
}

void heist_message_lost(struct heist_system *s, struct local *l, struct message *m, heist_ref to,
			heist_cause cause, heist_status answer)
{
	const heist_type *type = m->type;
	uint32_t kind = message_kind(m);
	bool reply = kind == KIND_REPLY;
	bool has_value = !reply || ((struct reply_header *)(void *)m->u.bytes)->status == HEIST_OK;
	void *payload = has_value ? message_payload(m) : NULL;
	if (reply && cause != HEIST_LOST_FAILED)
		cause = HEIST_LOST_LATE;
	heist_count_lost(s, l, to, type, payload, cause);
	void (*drop)(void *) = !type || !type->drops ? NULL
			       : reply		     ? type->drops->reply
						     : type->drops->msg;
	if (drop && payload)
		drop(payload);
	if (kind == KIND_REQUEST && !message_has(m, MESSAGE_BOUNCE) &&
	    !message_has(m, MESSAGE_ANSWERED)) {
		message_set(m, MESSAGE_BOUNCE);
		m->tag |= (uint64_t)(-(int)answer) << 40;
	}
}
