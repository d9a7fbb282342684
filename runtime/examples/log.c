/* SPDX-License-Identifier: BSD-2-Clause
 * log.c - lines that say which actor wrote them.  Try it with HEIST_LOG_LEVEL=debug, and HEIST_LOG_FORMAT=json. */
#include <heist/heist.h>

struct till_sell {
	int cents;
};
#define TILL(X, P) X(P, sell, heist_unit, NULL)
HEIST_PROTOCOL(till, TILL);

struct till {
	int sum;
};

static heist_next till_on_sell(heist_ctx *c, struct till *t, struct till_sell *m)
{
	if (m->cents <= 0) {
		heist_log(c, HEIST_LOG_WARN, "nobody pays %d cents", m->cents);
		return HEIST_CONTINUE;
	}
	t->sum += m->cents;
	heist_log(c, HEIST_LOG_DEBUG, "%d cents, %d in all", m->cents, t->sum);
	return HEIST_CONTINUE;
}
HEIST_ACTOR(till, struct till, TILL);

int main(void)
{
	heist_stats stats = heist_stats_default();
	heist_system *s;
	till_ref t;
	if (heist_start(NULL, &s) != HEIST_OK || till_spawn(s, NULL, NULL, &t) != HEIST_OK ||
	    heist_register(s, "front", t.ref) != HEIST_OK)
		return 1;
	uint64_t sent = 0;
	for (int cents = -1; cents <= 5; cents++)
		sent += till_send_sell(t, (struct till_sell){ cents }) == HEIST_OK;
	heist_log_for(s, HEIST_LOG_ERROR, "the shop closes");
	while (heist_get_stats(s, &stats) == HEIST_OK && stats.handled < sent)
		;
	return heist_shutdown(s, heist_in_ms(s, 5000)) != HEIST_OK || stats.log_lines == 0;
}
