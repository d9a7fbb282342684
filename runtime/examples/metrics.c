/* SPDX-License-Identifier: BSD-2-Clause
 * metrics.c - a shop that tells how busy it is: quantiles of its own, and all as text for a Prometheus scraper. */
#include <heist/heist.h>
#include <stdio.h>

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
	(void)c;
	t->sum += m->cents;
	return HEIST_CONTINUE;
}
HEIST_ACTOR(till, struct till, TILL);

static bool to_stdout(void *user, const char *text, size_t size)
{
	(void)user;
	return fwrite(text, 1, size, stdout) == size;
}

static void say(const heist_system *s)
{
	heist_class_stats t = heist_class_stats_default();
	for (uint32_t i = 0; heist_get_class_stats(s, i, &t) == HEIST_OK; i++)
		printf("# %s: %llu turns measured, half of them in %llu ns or less, 99 %% in "
		       "%llu\n",
		       t.cls ? t.cls->name : "others", (unsigned long long)t.run_ns.count,
		       (unsigned long long)heist_quantile(&t.run_ns, 0.5),
		       (unsigned long long)heist_quantile(&t.run_ns, 0.99));
}

int main(void)
{
	heist_config config = heist_config_default();
	heist_stats stats = heist_stats_default();
	heist_class_stats till = heist_class_stats_default();
	heist_system *s;
	till_ref t;
	config.sample = 1; /* each activation; in earnest HEIST_SAMPLE=5000 does */
	config.workers = 1;
	if (heist_start(&config, &s) != HEIST_OK || till_spawn(s, NULL, NULL, &t) != HEIST_OK)
		return 1;
	uint64_t sent = 0;
	for (int cents = 1; cents <= 1000; cents++)
		sent += till_send_sell(t, (struct till_sell){ cents }) == HEIST_OK;
	while (heist_get_stats(s, &stats) == HEIST_OK && stats.handled < sent)
		;
	/* an activation is in the numbers when it has ended */
	while (heist_get_class_stats(s, 0, &till) != HEIST_OK || till.run_ns.count == 0)
		;
	say(s);
	heist_status told = heist_metrics(s, to_stdout, NULL);
	return heist_shutdown(s, heist_in_ms(s, 5000)) != HEIST_OK || told != HEIST_OK;
}
