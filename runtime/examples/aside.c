/* SPDX-License-Identifier: BSD-2-Clause
 * aside.c - a clerk that is not ready yet keeps what comes, asks the archive and lets nothing come between, takes
 * urgent letters first, and goes home when nothing has come for a while. */
#include <heist/heist.h>
#include <stdio.h>
#include <string.h>

struct archive_find {
	int number;
};
struct archive_found {
	int shelf;
};
#define ARCHIVE(X, P) X(P, find, struct archive_found, NULL)
HEIST_PROTOCOL(archive, ARCHIVE);

static heist_next archive_on_find(heist_ctx *c, heist_unit *s, struct archive_find *m)
{
	(void)s;
	archive_reply_find(c, (struct archive_found){ m->number * 10 });
	return HEIST_CONTINUE;
}
HEIST_ACTOR(archive, heist_unit, ARCHIVE);

struct clerk_letter {
	int number;
};
struct clerk_open {
	archive_ref archive;
};
#define CLERK(X, P) X(P, letter, heist_unit, NULL) X(P, open, heist_unit, NULL)
HEIST_PROTOCOL(clerk, CLERK);

struct clerk {
	archive_ref archive;
};

static char done[128];

static void clerk_found(heist_ctx *c, struct clerk *s, heist_status status,
			const struct archive_found *r, uint64_t number)
{
	char line[32];
	(void)c, (void)s;
	snprintf(line, sizeof line, "%d:%d ", (int)number, status == HEIST_OK ? r->shelf : -1);
	strcat(done, line);
}
HEIST_ON_REPLY(archive, find, struct clerk, clerk_found);

static heist_next clerk_on_letter(heist_ctx *c, struct clerk *s, struct clerk_letter *m)
{
	if (s->archive.ref.v == 0) /* not open yet */
		return heist_stash(c, m) == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL;
	heist_time soon = heist_in_ms(heist_system_of(c), 20000);
	if (archive_ask_find(c, s->archive, (struct archive_find){ m->number }, soon, clerk_found_k,
			     (uint64_t)m->number) != HEIST_OK)
		return HEIST_FAIL;
	return heist_hold(c) == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL; /* one after the other */
}

static heist_next clerk_on_open(heist_ctx *c, struct clerk *s, struct clerk_open *m)
{
	s->archive = m->archive;
	heist_unstash(c);
	return heist_idle_after(c, 20000000) == HEIST_OK ? HEIST_CONTINUE : HEIST_FAIL;
}

static heist_next clerk_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	(void)c, (void)state;
	return sig->kind == HEIST_SIG_IDLE ? HEIST_STOP : HEIST_CONTINUE;
}
static const heist_hooks clerk_hooks = { .signal = clerk_signal };
HEIST_ACTOR_WITH(clerk, struct clerk, CLERK, heist_unhandled, &clerk_hooks);

int main(void)
{
	heist_config config = heist_config_default();
	heist_system *s;
	archive_ref a;
	clerk_ref k;
	config.mode = HEIST_POLLED; /* it works when we let it */
	if (heist_start(&config, &s) || archive_spawn(s, NULL, NULL, &a) ||
	    clerk_spawn(s, NULL, NULL, &k))
		return 1;
	clerk_send_letter(k, (struct clerk_letter){ 1 });
	clerk_send_letter(k, (struct clerk_letter){ 2 });
	heist_poll(s, 0, 100); /* kept */
	clerk_send_open(k, (struct clerk_open){ a });
	heist_poll(s, 0, 100);
	clerk_send_letter(k, (struct clerk_letter){ 3 });
	clerk_urgent_letter(k, (struct clerk_letter){ 4 });
	while (clerk_send_open(k, (struct clerk_open){ a }) == HEIST_OK)
		heist_poll(s, heist_in_ms(s, 50), 100); /* until it has gone home */
	printf("%s\n", done);
	return heist_shutdown(s, heist_in_ms(s, 5000)) != HEIST_OK ||
	       strcmp(done, "1:10 2:20 4:40 3:30 ") != 0;
}
