/* SPDX-License-Identifier: BSD-2-Clause
 * Hangs on purpose: a handler that never returns, on one of two workers, and a shutdown that waits for it. */
#include <heist/heist.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/watchdog.h"
#include "tests/support/wait.h"

static const heist_type WORD = { .base = &WORD, .name = "word", .size = 8, .reply_size = 1 };
static _Atomic long inside;

heist_next never_returns(heist_ctx *ctx, void *state, const heist_type *type, void *msg);
heist_next never_returns(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	atomic_fetch_add(&inside, 1);
	for (;;)
		pause();
}
static const heist_class stuck = { "stuck", HEIST_ABI, 0, never_returns, NULL };

int main(void)
{
	heist_config c = heist_config_default();
	heist_system *s;
	heist_ref r;
	uint64_t n = 0;
	c.workers = 2;
	c.events = 4096; /* an idle worker parks 200 times a second: the start is still there */
	c.hog_name_ms = 600000; /* its signal would meet gdb */
	if (heist_start(&c, &s) != HEIST_OK || heist_spawn(s, &stuck, NULL, NULL, &r) != HEIST_OK ||
	    heist_send(r, &WORD, &n) != HEIST_OK || heist_send(r, &WORD, &n) != HEIST_OK ||
	    !wait_for(&inside, 1))
		return 2;
	watchdog_arm(1);
	(void)heist_shutdown(s, 0);
	return 0;
}
