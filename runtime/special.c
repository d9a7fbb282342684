/* SPDX-License-Identifier: BSD-2-Clause
 * special.c - a message that is not plain: requests, replies, alarms, the doorbell, counted messages. */
#include "runtime/exchange.h"
#include "runtime/run.h"

static inline bool request_expired(struct rt_worker *w, struct message *m)
{
	return worker_is_past(w, ((struct request_header *)(void *)m->u.bytes)->deadline);
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
			return heist_request_run(w, a, m);
		heist_message_lost(s, &w->local, m, actor_ref(s, a), HEIST_LOST_EXPIRED,
				   HEIST_ETIMEOUT);
		break;
	case KIND_REPLY:
		v = heist_reply_run(w, a, m);
		*counted = v != HEIST_RUN_LATE;
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
