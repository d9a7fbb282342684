/* SPDX-License-Identifier: BSD-2-Clause
 * timers.c - a kettle: a gauge every 2 ms, a guard that is put off while somebody drinks, and a time of day. */
#include <heist/heist.h>
#include <stdio.h>

struct kettle_boil {
	heist_wall tea_time;
};
struct kettle_gauge {
	int degrees;
};
struct kettle_guard {
	char unused;
};
struct kettle_tea {
	char unused;
};
#define KETTLE(X, P)                                                                               \
	X(P, boil, heist_unit, NULL)                                                               \
	X(P, gauge, heist_unit, NULL)                                                              \
	X(P, guard, heist_unit, NULL)                                                              \
	X(P, tea, heist_unit, NULL)
HEIST_PROTOCOL(kettle, KETTLE);

#define MS 1000000u

struct kettle {
	heist_timer gauge, guard;
	int readings;
	kettle_boil_owed done;
};

static kettle_ref self(heist_ctx *c)
{
	return (kettle_ref){ heist_self(c) };
}

static heist_next kettle_on_boil(heist_ctx *c, struct kettle *k, struct kettle_boil *m)
{
	const heist_type *tea = &kettle_types[kettle_T_tea];
	k->done = kettle_later_boil(c);
	if (kettle_every_gauge(c, self(c), (struct kettle_gauge){ 98 }, 2 * MS, &k->gauge) !=
		    HEIST_OK ||
	    kettle_after_guard(c, self(c), (struct kettle_guard){ 0 }, 60000 * MS, &k->guard) !=
		    HEIST_OK ||
	    heist_send_at(c, heist_self(c), tea, &(struct kettle_tea){ 0 }, m->tea_time, NULL) !=
		    HEIST_OK)
		return HEIST_FAIL; /* who waits for the tea is told at once */
	return HEIST_CONTINUE;
}

static heist_next kettle_on_gauge(heist_ctx *c, struct kettle *k, struct kettle_gauge *m)
{
	(void)c;
	printf("%d degrees\n", m->degrees + k->readings);
	if (++k->readings == 3)
		heist_cancel(c, k->gauge); /* OK: no other reading comes */
	return HEIST_CONTINUE;
}

static heist_next kettle_on_guard(heist_ctx *c, struct kettle *k, struct kettle_guard *m)
{
	(void)c, (void)k, (void)m;
	return HEIST_FAIL; /* nobody came for a minute */
}

static heist_next kettle_on_tea(heist_ctx *c, struct kettle *k, struct kettle_tea *m)
{
	(void)m;
	if (k->readings < 3) { /* not hot yet: a little later */
		return kettle_after_tea(c, self(c), (struct kettle_tea){ 0 }, 2 * MS, NULL) ==
				       HEIST_OK
			       ? HEIST_CONTINUE
			       : HEIST_FAIL;
	}
	heist_cancel(c, k->guard);
	printf("tea\n");
	kettle_reply_to_boil(k->done, (heist_unit){ 0 });
	return HEIST_STOP; /* what else was set ends with it */
}
HEIST_ACTOR(kettle, struct kettle, KETTLE);

int main(void)
{
	heist_system *s;
	kettle_ref k;
	heist_unit ok;
	if (heist_start(NULL, &s) != HEIST_OK || kettle_spawn(s, NULL, NULL, &k) != HEIST_OK)
		return 1;
	struct kettle_boil order = { heist_wall_now(s) + 5 * MS };
	heist_status status = kettle_call_boil(s, k, order, heist_in_ms(s, 20000), &ok);
	printf("%s\n", heist_strstatus(status));
	if (heist_shutdown(s, heist_in_ms(s, 5000)) != HEIST_OK)
		return 1;
	return status != HEIST_OK;
}
