/* SPDX-License-Identifier: BSD-2-Clause
 * special.c - a message that is not plain: requests, replies, alarms, the doorbell, counted messages. */
#include "runtime/run.h"

static inline bool request_expired(struct rt_worker *w, struct message *m)
{
	return worker_is_past(w, ((struct request_header *)(void *)m->u.bytes)->deadline);
}

static int failure(const struct rt_worker *w)
{
	return w->ctx.panic == HEIST_EFAULT ? -HEIST_EFAULT : -HEIST_ECRASH;
}

/* Its handler has answered v: what does the asker get, if anything? */
void heist_request_settle(struct rt_worker *w, struct message *m, heist_next v)
{
	if (!w->ctx.owes_reply) {
		if (v != HEIST_CONTINUE) /* there is more to come */
			message_set(m, MESSAGE_ANSWERED);
	} else if (v != HEIST_AGAIN || message_has(m, MESSAGE_TAKEN)) {
		int answer = v == HEIST_FAIL				 ? failure(w)
			     : m->type->reply_size == sizeof(heist_unit) ? HEIST_OK
									 : -HEIST_ENOREPLY;
		message_set(m, MESSAGE_BOUNCE);
		m->tag |= (uint64_t)answer << 40;
	}
	w->ctx.owes_reply = false;
}

HEIST_HOT_INLINE heist_next run_request(struct rt_worker *w, struct actor *a, struct message *m,
					void *payload, bool answered)
{
	w->ctx.owes_reply = !answered;
	heist_next v = a->recv(&w->ctx, actor_state(a), m->type, payload);
	if (HEIST_UNLIKELY(v != HEIST_CONTINUE) || HEIST_UNLIKELY(w->ctx.owes_reply))
		heist_request_settle(w, m, v);
	return v;
}

heist_next heist_request_run(struct rt_worker *w, struct actor *a, struct message *m)
{
	if (HEIST_UNLIKELY(request_expired(w, m)))
		return turn_end(w, HEIST_RUN_FRESH);
	void *payload = m->u.bytes + sizeof(struct request_header);
	return turn_end(w, run_request(w, a, m, payload, false));
}

/* *counted: the message was accepted before and is handled now. */
HEIST_COLD heist_next heist_run_special(struct rt_worker *w, struct actor *a, struct message *m,
					bool *counted, struct ending *end)
{
	struct heist_system *s = w->local.system;
	heist_next v = HEIST_CONTINUE;
	uint32_t kind = message_kind(m);
	*counted = false;
	if (kind == KIND_BELL)
		return heist_bell_run(w, a, end) == CONTROL_END ? HEIST_STOP : HEIST_CONTINUE;
	if (message_generation(m) != mpsc_generation(&a->ticket) || message_dropped(m)) {
		heist_drain_message(w, a, m, HEIST_LOST_DEAD);
		return HEIST_CONTINUE;
	}
	if (message_has(m, MESSAGE_COUNTED) && heist_bound_take(w, a, m))
		return HEIST_CONTINUE;
	w->ctx.current = m;
	switch (kind) {
	case KIND_USER:
		v = a->recv(&w->ctx, actor_state(a), m->type, message_payload(m));
		*counted = true;
		break;
	case KIND_REQUEST:
		*counted = !request_expired(w, m);
		if (*counted)
			v = run_request(w, a, m, message_payload(m), /* it may come again */
					message_has(m, MESSAGE_ANSWERED));
		else
			heist_message_lost(s, &w->local, m, actor_ref(s, a), HEIST_LOST_EXPIRED,
					   HEIST_ETIMEOUT);
		break;
	case KIND_REPLY:
		v = heist_reply_run(w, a, m);
		*counted = v != HEIST_RUN_FRESH;
		if (*counted)
			return v;
		v = HEIST_CONTINUE;
		heist_message_lost(s, &w->local, m, actor_ref(s, a), HEIST_LOST_LATE, HEIST_EDEAD);
		break;
	case KIND_ALARM:
		if (m->u.word[0] == ALARM_ASKS)
			heist_asks_expire(w, a);
		else if (m->u.word[0] == ALARM_SUPERVISOR)
			heist_supervisor_alarm(w, a);
		else if (m->u.word[0] == ALARM_IDLE)
			v = heist_idle_look(w, a, end) ? HEIST_STOP : HEIST_CONTINUE;
		else if (m->u.word[0] == ALARM_PROBE)
			heist_probe_met(w, a, m);
		else
			v = heist_job_run(w, a, m, counted);
		break;
	}
	return turn_end(w, v);
}
