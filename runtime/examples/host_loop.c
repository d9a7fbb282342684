/* SPDX-License-Identifier: BSD-2-Clause
 * host_loop.c - a runtime without threads inside a program's own poll(2) loop. */
#include <heist/heist.h>
#include <poll.h>
#include <stdio.h>

struct echo_say {
	int64_t n;
};
#define ECHO(X, P) X(P, say, heist_unit, NULL)
HEIST_PROTOCOL(echo, ECHO);

struct echo {
	int64_t heard;
};
static int64_t last;
static heist_next echo_on_say(heist_ctx *c, struct echo *s, struct echo_say *m)
{
	(void)c;
	last = m->n + ++s->heard;
	return HEIST_CONTINUE;
}
HEIST_ACTOR(echo, struct echo, ECHO);

int main(void)
{
	heist_config config = heist_config_default();
	heist_system *sys;
	echo_ref e;
	config.mode = HEIST_POLLED;
	if (heist_start(&config, &sys) || echo_spawn(sys, NULL, NULL, &e))
		return 1;
	struct pollfd fds[] = { { .fd = heist_poll_fd(sys), .events = POLLIN } };
	for (int i = 0; i < 3; i++) {
		echo_send_say(e, (struct echo_say){ i });
		if (poll(fds, 1, 1000) != 1 || heist_poll(sys, 0, 100) < 0)
			return 1;
		printf("%lld\n", (long long)last);
	}
	return heist_shutdown(sys, 0) != HEIST_OK || last != 5;
}
