/* SPDX-License-Identifier: BSD-2-Clause
 * The public header alone, and a complete actor, under strict warnings. */
#include <heist/heist.h>
#include <heist/sim.h>

struct echo_say {
	int64_t n;
};
struct echo_said {
	int64_t n;
};
#define ECHO(X, P) X(P, say, struct echo_said, NULL)
HEIST_PROTOCOL(echo, ECHO);
struct echo {
	int64_t count;
};
static heist_next echo_on_say(heist_ctx *c, struct echo *s, struct echo_say *m)
{
	s->count++;
	echo_reply_say(c, (struct echo_said){ m->n });
	return HEIST_CONTINUE;
}
HEIST_ACTOR(echo, struct echo, ECHO);

int main(void)
{
	heist_system *s;
	echo_ref e;
	struct echo_said out = { 0 };
	if (heist_start(NULL, &s) != HEIST_OK || echo_spawn(s, NULL, NULL, &e) != HEIST_OK)
		return 1;
	heist_status st = echo_call_say(s, e, (struct echo_say){ 3 }, 0, &out);
	return heist_shutdown(s, 0) != HEIST_OK || st != HEIST_OK || out.n != 3;
}
