/* SPDX-License-Identifier: BSD-2-Clause
 * notify.c - a handler of SIGALRM tells an actor that it is time: no pipe, no lock, nothing that can be full. */
#include <heist/heist.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/time.h>

enum { ALARM_BIT = 1, QUIT_BIT = 2 };

static heist_ref listener; /* written before there are signals */
static atomic_int alarms;

static void on_alarm(int number)
{
	(void)number;
	heist_notify(listener, ++alarms < 3 ? ALARM_BIT : ALARM_BIT | QUIT_BIT);
}

struct clockwork_over {
	int told;
};
struct clockwork_wait {
	char unused;
};
#define CLOCKWORK(X, P) X(P, wait, struct clockwork_over, NULL)
HEIST_PROTOCOL(clockwork, CLOCKWORK);

struct clockwork {
	int told;
	clockwork_wait_owed owed;
};

static heist_next clockwork_on_wait(heist_ctx *c, struct clockwork *s, struct clockwork_wait *m)
{
	static const struct itimerval every = { { 0, 2000 }, { 0, 2000 } };
	(void)m;
	s->owed = clockwork_later_wait(c);
	listener = heist_self(c);
	signal(SIGALRM, on_alarm);
	return setitimer(ITIMER_REAL, &every, NULL) == 0 ? HEIST_CONTINUE : HEIST_FAIL;
}

static heist_next clockwork_signal(heist_ctx *c, void *state, const heist_signal *sig)
{
	static const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct clockwork *s = state;
	(void)c;
	if (sig->kind != HEIST_SIG_NOTIFY)
		return HEIST_CONTINUE;
	s->told++; /* once for several alarms, if we were slow */
	if (sig->bits & QUIT_BIT) {
		setitimer(ITIMER_REAL, &never, NULL);
		clockwork_reply_to_wait(s->owed, (struct clockwork_over){ s->told });
		return HEIST_STOP;
	}
	return HEIST_CONTINUE;
}
static const heist_hooks clockwork_hooks = { .signal = clockwork_signal };
HEIST_ACTOR_WITH(clockwork, struct clockwork, CLOCKWORK, heist_unhandled, &clockwork_hooks);

int main(void)
{
	heist_system *sys;
	clockwork_ref c;
	struct clockwork_over over = { 0 };
	if (heist_start(NULL, &sys) || clockwork_spawn(sys, NULL, NULL, &c))
		return 1;
	heist_status st = clockwork_call_wait(sys, c, (struct clockwork_wait){ 0 },
					      heist_in_ms(sys, 20000), &over);
	printf("%s: %d alarms, told %d times\n", heist_strstatus(st), alarms, over.told);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || over.told < 1 ||
	       over.told > 3;
}
