/* SPDX-License-Identifier: BSD-2-Clause
 * overload.c - a printer that takes three jobs at a time; who brings too many is told, and comes back. */
#include <heist/heist.h>
#include <stdio.h>

struct printer_page {
	int number;
};
struct printer_done {
	int pages;
};
struct printer_count {
	char unused;
};
#define PRINTER(X, P)                                                                              \
	X(P, page, heist_unit, NULL)                                                               \
	X(P, count, struct printer_done, NULL)
HEIST_PROTOCOL(printer, PRINTER);

struct printer {
	int pages;
};

static heist_next printer_on_page(heist_ctx *c, struct printer *p, struct printer_page *m)
{
	(void)c, (void)m;
	p->pages++;
	return HEIST_CONTINUE;
}

static heist_next printer_on_count(heist_ctx *c, struct printer *p, struct printer_count *m)
{
	(void)m;
	printer_reply_count(c, (struct printer_done){ p->pages });
	return HEIST_CONTINUE;
}
HEIST_ACTOR(printer, struct printer, PRINTER);

int main(void)
{
	heist_config config = heist_config_default();
	heist_opts opts = heist_opts_default();
	heist_system *s;
	printer_ref p;
	int refused = 0;
	config.mode = HEIST_POLLED; /* it prints when we let it */
	opts.mailbox_cap = 3;	    /* opts.overflow: HEIST_REJECT */
	if (heist_start(&config, &s) != HEIST_OK || printer_spawn(s, &opts, NULL, &p) != HEIST_OK)
		return 1;
	for (int page = 1; page <= 10; page++)
		while (printer_send_page(p, (struct printer_page){ page }) == HEIST_EFULL) {
			refused++;
			heist_poll(s, 0, 100);
		}
	heist_poll(s, 0, 100);
	struct printer_done done = { 0 };
	heist_status status =
		printer_call_count(s, p, (struct printer_count){ 0 }, heist_in_ms(s, 20000), &done);
	printf("%s: %d pages, told %d times to wait\n", heist_strstatus(status), done.pages,
	       refused);
	return heist_shutdown(s, heist_in_ms(s, 5000)) != HEIST_OK || done.pages != 10 ||
	       refused == 0;
}
