/* SPDX-License-Identifier: BSD-2-Clause
 * pubsub.c - a station publishes the weather on a topic; displays that subscribe show it, one of them until it
 * has seen enough.  Somebody who watches the group of displays is told who comes and goes. */
#include <heist/heist.h>
#include <stdio.h>

#define TOPIC "weather/oslo"
#define GROUP "displays"

struct display_report { /* more than 40 bytes: published once, shared by all who get it */
	int64_t degrees;
	char text[56];
};
#define DISPLAY(X, P) X(P, report, heist_unit, NULL)
HEIST_PROTOCOL(display, DISPLAY);

struct display {
	int64_t left; /* reports until it ends; 0: any number */
};

static heist_next display_init(heist_ctx *c, void *state, const void *arg)
{
	struct display *d = state;
	heist_system *sys = heist_system_of(c);
	d->left = *(const int64_t *)arg;
	return heist_subscribe(sys, TOPIC, heist_self(c)) == HEIST_OK &&
			       heist_group_join(sys, GROUP, heist_self(c)) == HEIST_OK
		       ? HEIST_CONTINUE
		       : HEIST_FAIL;
}
static const heist_hooks display_hooks = { .arg_size = sizeof(int64_t), .init = display_init };

static heist_next display_on_report(heist_ctx *c, struct display *d, struct display_report *m)
{
	(void)c;
	printf("%lld degrees, %s\n", (long long)m->degrees, m->text);
	return d->left && --d->left == 0 ? HEIST_STOP : HEIST_CONTINUE;
}
HEIST_ACTOR_WITH(display, struct display, DISPLAY, heist_unhandled, &display_hooks);

struct desk_member {
	heist_member_event event;
};
#define DESK(X, P) X(P, member, heist_unit, NULL)
HEIST_PROTOCOL(desk, DESK);

static int joined, ended;

static heist_next desk_on_member(heist_ctx *c, heist_unit *d, struct desk_member *m)
{
	(void)c, (void)d;
	joined += m->event.change == HEIST_MEMBER_JOINED;
	ended += m->event.change == HEIST_MEMBER_ENDED;
	return HEIST_CONTINUE;
}
HEIST_ACTOR(desk, heist_unit, DESK);

/* To all who subscribe now; how many have taken it. */
static uint32_t publish(heist_system *sys, int64_t degrees)
{
	heist_tally tally = heist_tally_default();
	struct display_report r = { degrees, "clear sky" };
	if (heist_publish(sys, TOPIC, &display_types[display_T_report], &r, &tally))
		return 0;
	return tally.accepted;
}

int main(void)
{
	heist_config config = heist_config_default();
	heist_system *sys;
	display_ref displays[2];
	desk_ref desk;
	config.mode = HEIST_POLLED; /* one thread: what is printed comes in order */
	if (heist_start(&config, &sys) || desk_spawn(sys, NULL, NULL, &desk) ||
	    heist_group_watch(sys, GROUP, desk.ref, &desk_types[desk_T_member], 0))
		return 1;
	for (int64_t i = 0; i < 2; i++)
		if (display_spawn(sys, NULL, &i, &displays[i]))
			return 1;
	while (heist_poll(sys, 0, 100) > 0)
		;
	uint32_t first = publish(sys, 7); /* both: the second display ends with it */
	while (heist_poll(sys, 0, 100) > 0)
		;
	uint32_t second = publish(sys, 8);
	while (heist_poll(sys, 0, 100) > 0)
		;
	printf("%u, then %u; %d came, %d ended\n", first, second, joined, ended);
	bool right = first == 2 && second == 1 && joined == 2 && ended == 1;
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || !right;
}
