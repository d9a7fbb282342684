/* SPDX-License-Identifier: BSD-2-Clause
 * blocking.c - one actor waits in read(2), on a thread of its own, while another one goes on. */
#include <heist/heist.h>
#include <stdio.h>
#include <unistd.h>

static int pipe_of[2];

struct reader_line {
	int fd;
};
struct reader_text {
	char text[32];
};
#define READER(X, P) X(P, line, struct reader_text, NULL)
HEIST_PROTOCOL(reader, READER);

struct reader {
	char unused;
};
static heist_next reader_on_line(heist_ctx *c, struct reader *r, struct reader_line *m)
{
	struct reader_text t = { "" };
	(void)r;
	if (read(m->fd, t.text, sizeof t.text - 1) <= 0) /* it waits here */
		return HEIST_FAIL;
	reader_reply_line(c, t);
	return HEIST_CONTINUE;
}
HEIST_ACTOR(reader, struct reader, READER);

/* Counts to a thousand, then writes what the reader waits for. */
struct counter_step {
	int n;
};
#define COUNTER(X, P) X(P, step, heist_unit, NULL)
HEIST_PROTOCOL(counter, COUNTER);

struct counter {
	char unused;
};
static heist_next counter_on_step(heist_ctx *c, struct counter *s, struct counter_step *m)
{
	(void)s;
	if (m->n == 1000)
		return write(pipe_of[1], "counted", 7) == 7 ? HEIST_STOP : HEIST_FAIL;
	counter_ref me = { heist_self(c) };
	counter_send_step(me, (struct counter_step){ m->n + 1 });
	return HEIST_CONTINUE;
}
HEIST_ACTOR(counter, struct counter, COUNTER);

int main(void)
{
	heist_config config = heist_config_default();
	heist_opts opts = heist_opts_default();
	heist_system *sys;
	reader_ref reader;
	counter_ref counter;
	struct reader_text t = { "nothing" };
	config.workers = 1;	    /* that one must not wait */
	opts.own_thread = HEIST_ON; /* many readers: a pool of heist_config.pools */
	if (pipe(pipe_of) != 0 || heist_start(&config, &sys) ||
	    reader_spawn(sys, &opts, NULL, &reader) || counter_spawn(sys, NULL, NULL, &counter))
		return 1;
	counter_send_step(counter, (struct counter_step){ 0 });
	heist_status st = reader_call_line(sys, reader, (struct reader_line){ pipe_of[0] }, 0, &t);
	printf("%s: %s\n", heist_strstatus(st), t.text);
	return heist_shutdown(sys, 0) != HEIST_OK || st != HEIST_OK;
}
