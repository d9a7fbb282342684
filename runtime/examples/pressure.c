/* SPDX-License-Identifier: BSD-2-Clause
 * pressure.c - a printer that says when it has too much to do and when it can take more, and a second one that gets
 * what the first cannot hold. */
#include <heist/heist.h>
#include <stdio.h>
#include <string.h>

struct printer_page {
	int number;
};
#define PRINTER(X, P) X(P, page, heist_unit, NULL)
HEIST_PROTOCOL(printer, PRINTER);

struct printer {
	int pages;
};

static char said[16];
static int printed;

static heist_next printer_on_page(heist_ctx *c, struct printer *p, struct printer_page *m)
{
	(void)c, (void)m;
	p->pages++;
	printed++;
	return HEIST_CONTINUE;
}

static heist_next printer_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	(void)c, (void)state;
	if (sig->kind == HEIST_SIG_OVERLOAD)
		strcat(said, sig->bits ? "busy " : "ready ");
	return HEIST_CONTINUE;
}
static const heist_hooks printer_hooks = { .signal = printer_signal };
HEIST_ACTOR_WITH(printer, struct printer, PRINTER, heist_unhandled, &printer_hooks);

int main(void)
{
	heist_config config = heist_config_default();
	heist_opts opts = heist_opts_default();
	heist_stats stats = heist_stats_default();
	heist_system *s;
	printer_ref first, second;
	config.mode = HEIST_POLLED; /* they print when we let them */
	if (heist_start(&config, &s) || printer_spawn(s, NULL, NULL, &second))
		return 1;
	opts.overload_high = 6;
	opts.overload_low = 2;
	opts.mailbox_cap = 8;
	opts.overflow = HEIST_REDIRECT;
	opts.redirect = second.ref;
	if (printer_spawn(s, &opts, NULL, &first))
		return 1;
	for (int page = 1; page <= 10; page++)
		if (printer_send_page(first, (struct printer_page){ page }) != HEIST_OK)
			return 1;
	heist_poll(s, 0, 1000);
	heist_get_stats(s, &stats);
	printf("%d pages printed, %d by the second; the first said: %s\n", printed,
	       (int)stats.redirected, said);
	return heist_shutdown(s, heist_in_ms(s, 5000)) != HEIST_OK || printed != 10 ||
	       stats.redirected != 2 || strcmp(said, "busy ready ") != 0;
}
