/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/peers/c-common/contract.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/byhand/actor.h"

const char peer_name[] = "byhand", peer_version[] = "1", peer_runtime[] = PEER_BUILD;

void peer_start(int workers, const char *workload)
{
	(void)workload;
	pool_start(workers);
}

/* Its threads wait for work, and end with the process. */
void peer_stop(void)
{
}

/* ---- what the workloads share ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t all;
	int64_t parts, sum;
} results = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 };

static void report(int64_t counted)
{
	pthread_mutex_lock(&results.lock);
	results.parts++;
	results.sum += counted;
	pthread_cond_signal(&results.all);
	pthread_mutex_unlock(&results.lock);
}

int64_t peer_await(int64_t parts)
{
	pthread_mutex_lock(&results.lock);
	while (results.parts < parts)
		pthread_cond_wait(&results.all, &results.lock);
	int64_t sum = results.sum;
	results.parts = results.sum = 0;
	pthread_mutex_unlock(&results.lock);
	return sum;
}

/* The actors of the sample that are there before it starts, written by the driving thread only. */
static struct actor **all;
static int64_t count;

static void grow(int64_t actors)
{
	count = actors;
	all = malloc((size_t)actors * sizeof(struct actor *));
	if (!all) {
		fputs("byhand: out of memory\n", stderr);
		exit(1);
	}
}

static void free_all(struct sample *s)
{
	(void)s;
	for (int64_t i = 0; i < count; i++)
		actor_free(all[i]);
	free(all);
}

static void send_all(int64_t n)
{
	for (int64_t i = 0; i < count; i++)
		actor_send(all[i], n);
}

/* ---- ping_pong, thread_ring: balls with the hops left go to the next player ---- */

struct player {
	struct actor *next;
	int64_t hops; /* of each ball */
};

static int64_t balls, ball_hops;

static bool play(struct actor *self, void *state, int64_t left)
{
	struct player *p = state;
	(void)self;
	if (left == 0)
		report(p->hops);
	else
		actor_send(p->next, left - 1);
	return true;
}

static void ring_start(void)
{
	for (int64_t i = 0; i < balls; i++)
		actor_send(all[i % count], ball_hops - 1);
}

static void ring(int64_t actors, int64_t tokens, int64_t hops, struct sample *s)
{
	struct player p = { NULL, hops };
	grow(actors);
	for (int64_t i = 0; i < actors; i++)
		all[i] = actor_new(play, &p, sizeof p);
	for (int64_t i = 0; i < actors; i++)
		((struct player *)all[i]->state)->next = all[(i + 1) % actors];
	balls = tokens;
	ball_hops = hops;
	*s = (struct sample){
		.parts = tokens, .operations = hops * tokens, .start = ring_start, .end = free_all
	};
}

static void ping_pong(const int64_t *p, struct sample *s)
{
	ring(2, 1, p[0], s);
}

static void thread_ring(const int64_t *p, struct sample *s)
{
	ring(p[0], p[1], p[2] / p[1], s);
}

/* ---- one_way, fan_in: a credit back per window, the next window starts with it ---- */

struct producer {
	struct actor *counter;
	int64_t self, left, window;
};

struct counter {
	int64_t count, total, window;
	int64_t *counts; /* by producer */
};

static struct actor *the_counter;

static bool produce(struct actor *self, void *state, int64_t credit)
{
	struct producer *p = state;
	int64_t n = p->left < p->window ? p->left : p->window;
	(void)self, (void)credit;
	p->left -= n;
	for (int64_t i = 0; i < n; i++)
		actor_send(p->counter, p->self);
	return true;
}

static bool count_one(struct actor *self, void *state, int64_t from)
{
	struct counter *c = state;
	(void)self;
	if (++c->counts[from] == c->window) {
		c->counts[from] = 0;
		actor_send(all[from], 0);
	}
	if (++c->count == c->total)
		report(c->count);
	return true;
}

static void credit_all(void)
{
	send_all(0);
}

static void fan_in_end(struct sample *s)
{
	free(((struct counter *)the_counter->state)->counts);
	actor_free(the_counter);
	free_all(s);
}

static void fan_in(const int64_t *p, struct sample *s)
{
	int64_t producers = p[0], each = share(p[1], producers, p[2]);
	struct counter c = { 0, each * producers, p[2], calloc((size_t)producers, 8) };
	the_counter = actor_new(count_one, &c, sizeof c);
	grow(producers);
	for (int64_t i = 0; i < producers; i++) {
		struct producer a = { the_counter, i, each, p[2] ? p[2] : each };
		all[i] = actor_new(produce, &a, sizeof a);
	}
	*s = (struct sample){
		.parts = 1, .operations = each * producers, .start = credit_all, .end = fan_in_end
	};
}

static void one_way(const int64_t *p, struct sample *s)
{
	fan_in((int64_t[]){ 1, p[0], p[1] }, s);
}

/* ---- pairs: a window there, each answered; the next after the last answer ---- */

struct half {
	struct actor *peer;
	int64_t answered, messages, window;
};

static bool answer(struct actor *self, void *state, int64_t n)
{
	(void)self;
	actor_send(((struct half *)state)->peer, n);
	return true;
}

/* Begins with one answer that nobody gave. */
static bool answered(struct actor *self, void *state, int64_t n)
{
	struct half *h = state;
	(void)self, (void)n;
	if (++h->answered == h->messages)
		report(2 * h->answered);
	else if (h->answered % h->window == 0)
		for (int64_t i = 0; i < h->window; i++)
			actor_send(h->peer, i);
	return true;
}

static void pairs_start(void)
{
	for (int64_t i = 0; i < count; i += 2)
		actor_send(all[i], 0);
}

static void pairs(const int64_t *p, struct sample *s)
{
	struct half a = { NULL, -1, share(p[1], p[0] * 2, p[2]), p[2] };
	grow(2 * p[0]);
	for (int64_t i = 0; i < count; i += 2) {
		all[i] = actor_new(answered, &a, sizeof a);
		all[i + 1] = actor_new(answer, &a, sizeof a);
		((struct half *)all[i]->state)->peer = all[i + 1];
		((struct half *)all[i + 1]->state)->peer = all[i];
	}
	*s = (struct sample){ .parts = p[0],
			      .operations = 2 * p[0] * a.messages,
			      .start = pairs_start,
			      .end = free_all };
}

/* ---- big: pings to random others, the next after the pong ---- */

#define PONG (-1) /* any other message is a ping and names its sender */

struct big {
	uint64_t random;
	int64_t self, pings, pongs;
};

static bool big_handle(struct actor *self, void *state, int64_t n)
{
	struct big *b = state;
	(void)self;
	if (n != PONG) {
		actor_send(all[n], PONG);
	} else if (++b->pongs == b->pings) {
		report(2 * b->pongs);
	} else {
		int64_t to = draw(&b->random, count - 1);
		actor_send(all[to + (to >= b->self)], b->self);
	}
	return true;
}

static void big_start(void)
{
	send_all(PONG);
}

static void big(const int64_t *p, struct sample *s)
{
	grow(p[0]);
	for (int64_t i = 0; i < count; i++) {
		struct big b = { (uint64_t)(p[2] + i), i, p[1], -1 };
		all[i] = actor_new(big_handle, &b, sizeof b);
	}
	*s = (struct sample){
		.parts = p[0], .operations = 2 * p[0] * p[1], .start = big_start, .end = free_all
	};
}

/* ---- chameneos: what is sent is creature << 2 | colour ---- */

#define END 3 /* instead of a colour */

struct mall {
	int64_t left, waiting; /* waiting: -1 for nobody */
};

struct creature {
	struct actor *mall;
	int64_t self, colour, meetings;
};

static int64_t creature_start(int64_t creature)
{
	return creature << 2 | creature % 3;
}

static bool mall_handle(struct actor *self, void *state, int64_t visit)
{
	struct mall *m = state;
	(void)self;
	if (m->left == 0) {
		actor_send(all[visit >> 2], END);
	} else if (m->waiting < 0) {
		m->waiting = visit;
	} else {
		actor_send(all[m->waiting >> 2], visit & 3);
		actor_send(all[visit >> 2], m->waiting & 3);
		m->waiting = -1;
		m->left--;
	}
	return true;
}

static bool creature_handle(struct actor *self, void *state, int64_t other)
{
	struct creature *c = state;
	(void)self;
	if (other == END) {
		report(c->meetings);
		return true;
	}
	if (other >= 0) { /* else it is the start */
		c->meetings++;
		if (other != c->colour)
			c->colour = 3 - c->colour - other;
	}
	actor_send(c->mall, c->self << 2 | c->colour);
	return true;
}

static struct actor *the_mall;

static void chameneos_start(void)
{
	send_all(-1);
}

static void chameneos_end(struct sample *s)
{
	free_all(s);
	actor_free(the_mall);
}

static void chameneos(const int64_t *p, struct sample *s)
{
	struct mall m = { p[1], -1 };
	the_mall = actor_new(mall_handle, &m, sizeof m);
	grow(p[0]);
	for (int64_t i = 0; i < count; i++) {
		struct creature c = { the_mall, i, creature_start(i) & 3, 0 };
		all[i] = actor_new(creature_handle, &c, sizeof c);
	}
	*s = (struct sample){ .parts = p[0],
			      .expected = 2 * p[1],
			      .operations = p[1],
			      .start = chameneos_start,
			      .end = chameneos_end };
}

/* ---- message_ubench: balls forwarded at random ---- */

struct pinger {
	uint64_t random;
	int64_t hops; /* of each ball */
};

static bool pinger_handle(struct actor *self, void *state, int64_t left)
{
	struct pinger *p = state;
	(void)self;
	if (left == 0)
		report(p->hops);
	else
		actor_send(all[draw(&p->random, count)], left - 1);
	return true;
}

static void message_ubench_start(void)
{
	for (int64_t i = 0; i < balls; i++)
		send_all(ball_hops);
}

static void message_ubench(const int64_t *p, struct sample *s)
{
	balls = p[1];
	ball_hops = p[2] / (p[0] * p[1]);
	grow(p[0]);
	for (int64_t i = 0; i < count; i++) {
		struct pinger a = { (uint64_t)(p[3] + i), ball_hops };
		all[i] = actor_new(pinger_handle, &a, sizeof a);
	}
	*s = (struct sample){ .parts = p[0] * p[1],
			      .operations = p[0] * p[1] * ball_hops,
			      .start = message_ubench_start,
			      .end = free_all };
}

/* ---- spawn_stop: lives of one message ---- */

struct mother {
	int64_t lives, alive, begun, ended;
};

#define BEGIN 1

static bool live(struct actor *self, void *state, int64_t mother)
{
	(void)self, (void)state;
	actor_send((struct actor *)mother, 0);
	return false;
}

static void bear(struct actor *self, struct mother *m)
{
	int64_t state[2] = { 0, 0 };
	if (m->begun == m->lives)
		return;
	m->begun++;
	actor_send(actor_new(live, state, sizeof state), (int64_t)self);
}

static bool mother_handle(struct actor *self, void *state, int64_t n)
{
	struct mother *m = state;
	if (n == BEGIN) {
		for (int64_t i = 0; i < m->alive; i++)
			bear(self, m);
	} else if (++m->ended == m->lives) {
		report(m->ended);
	} else {
		bear(self, m);
	}
	return true;
}

static void begin(void)
{
	actor_send(all[0], BEGIN);
}

static void spawn_stop(const int64_t *p, struct sample *s)
{
	struct mother m = { p[0], p[1], 0, 0 };
	grow(1);
	all[0] = actor_new(mother_handle, &m, sizeof m);
	*s = (struct sample){ .parts = 1, .operations = p[0], .start = begin, .end = free_all };
}

/* ---- tree, skynet: nodes add up what their children send ---- */

struct node {
	struct actor *parent; /* NULL: the root */
	int64_t n, first;     /* fib's argument; leaves and the first one's number */
	int64_t sum, missing; /* children that have not sent theirs */
};

static bool node_ends(struct node *k)
{
	if (k->parent)
		actor_send(k->parent, k->sum);
	else
		report(k->sum);
	return false;
}

/* After the first message, which only starts it, come the children's sums. */
static bool fib(struct actor *self, void *state, int64_t n)
{
	struct node *k = state;
	if (k->missing > 0) {
		k->sum += n;
		return --k->missing > 0 || node_ends(k);
	}
	if (k->n <= 2) {
		k->sum = 1;
		return node_ends(k);
	}
	k->missing = 2;
	for (int i = 1; i <= 2; i++) {
		struct node child = { self, k->n - i, 0, 0, 0 };
		actor_send(actor_new(fib, &child, sizeof child), 0);
	}
	return true;
}

static bool sky(struct actor *self, void *state, int64_t n)
{
	struct node *k = state;
	if (k->missing > 0) {
		k->sum += n;
		return --k->missing > 0 || node_ends(k);
	}
	if (k->n == 1) {
		k->sum = k->first;
		return node_ends(k);
	}
	k->missing = 10;
	for (int i = 0; i < 10; i++) {
		struct node child = { self, k->n / 10, k->first + i * (k->n / 10), 0, 0 };
		actor_send(actor_new(sky, &child, sizeof child), 0);
	}
	return true;
}

/* The root ends by itself, all others before it. */
static void root(actor_handler handle, int64_t n)
{
	struct node k = { NULL, n, 0, 0, 0 };
	grow(1);
	all[0] = actor_new(handle, &k, sizeof k);
}

static void forget_root(struct sample *s)
{
	(void)s;
	free(all);
}

static void tree(const int64_t *p, struct sample *s)
{
	int64_t sum = fibonacci(p[0]);
	root(fib, p[0]);
	*s = (struct sample){ .parts = 1,
			      .expected = sum,
			      .operations = 2 * sum - 1,
			      .start = begin,
			      .end = forget_root };
}

static void skynet(const int64_t *p, struct sample *s)
{
	root(sky, p[0]);
	*s = (struct sample){ .parts = 1,
			      .expected = p[0] * (p[0] - 1) / 2,
			      .operations = (10 * p[0] - 1) / 9,
			      .start = begin,
			      .end = forget_root };
}

/* ---- idle: what an actor costs that has had its message ---- */

struct idler {
	int64_t sum, messages;
};

static bool idler_handle(struct actor *self, void *state, int64_t n)
{
	struct idler *i = state;
	(void)self;
	i->sum += n;
	i->messages++;
	report(1);
	return true;
}

static void idle_start(void)
{
	struct idler state = { 0, 0 };
	for (int64_t i = 0; i < count; i++) {
		all[i] = actor_new(idler_handle, &state, sizeof state);
		actor_send(all[i], i);
	}
}

static void idle_end(struct sample *s)
{
	sleep(1);
	s->rss = resident() - s->rss;
	free_all(s);
}

static void idle(const int64_t *p, struct sample *s)
{
	grow(p[0]);
	memset(all, 0, (size_t)count * sizeof(struct actor *)); /* resident before, too */
	*s = (struct sample){ .parts = p[0],
			      .operations = p[0],
			      .tells_rss = true,
			      .rss = resident(),
			      .start = idle_start,
			      .end = idle_end };
}

/* ---- ask: a question is the actor that wants the answer ---- */

struct asker {
	struct actor *answerer;
	int64_t asks, window, asked, answered;
};

static bool answerer_handle(struct actor *self, void *state, int64_t who)
{
	int64_t *count_asked = state;
	(void)self;
	actor_send((struct actor *)who, ++*count_asked);
	return true;
}

static void ask_next(struct actor *self, struct asker *a)
{
	if (a->asked == a->asks)
		return;
	a->asked++;
	actor_send(a->answerer, (int64_t)self);
}

static bool asker_handle(struct actor *self, void *state, int64_t n)
{
	struct asker *a = state;
	if (n == 0) { /* the start: answers count from 1 */
		for (int64_t i = 0; i < a->window; i++)
			ask_next(self, a);
	} else if (++a->answered == a->asks) {
		report(n);
	} else {
		ask_next(self, a);
	}
	return true;
}

static void ask_start(void)
{
	actor_send(all[0], 0);
}

static void ask(const int64_t *p, struct sample *s)
{
	int64_t none = 0;
	grow(2);
	all[1] = actor_new(answerer_handle, &none, sizeof none);
	struct asker a = { all[1], p[0], p[1], 0, 0 };
	all[0] = actor_new(asker_handle, &a, sizeof a);
	*s = (struct sample){ .parts = 1, .operations = p[0], .start = ask_start, .end = free_all };
}

/* ---- paced_outside, paced_inside: sent at fixed times, whatever becomes of them ---- */

struct paced {
	int64_t *latencies, count, expected;
};

struct pace {
	int64_t period, messages, sent, due; /* due: the next one, from the first look on */
};

static int64_t *latencies;
static struct pace outside_pace;
static struct actor *the_pacer;

static bool paced_handle(struct actor *self, void *state, int64_t due)
{
	struct paced *p = state;
	(void)self;
	p->latencies[p->count++] = now_ns() - due;
	if (p->count == p->expected)
		report(p->count);
	return true;
}

/* Looks at the clock once and sends what is due; false: that was all. */
static bool send_due(struct pace *p)
{
	int64_t now = now_ns();
	if (p->sent == 0)
		p->due = now;
	for (; p->sent < p->messages && p->due <= now; p->due += p->period)
		actor_send(all[p->sent++ % count], p->due);
	return p->sent < p->messages;
}

static void outside_start(void)
{
	while (send_due(&outside_pace))
		;
}

/* Its message to itself has to wait for the turns of those that are in the queue already. */
static bool pacer_handle(struct actor *self, void *state, int64_t n)
{
	if (send_due(state))
		actor_send(self, n);
	return true;
}

static void inside_start(void)
{
	actor_send(the_pacer, 0);
}

static void outside_end(struct sample *s)
{
	percentiles(latencies, s->operations, s->latency);
	free(latencies);
	free_all(s);
}

static void inside_end(struct sample *s)
{
	outside_end(s);
	actor_free(the_pacer);
}

static struct pace paced(const int64_t *p, struct sample *s)
{
	struct pace pace = { .period = p[0], .messages = p[2] };
	latencies = malloc((size_t)pace.messages * sizeof *latencies);
	if (!latencies)
		exit(1);
	memset(latencies, 0, (size_t)pace.messages * sizeof *latencies);
	grow(p[1]);
	int64_t *rest = latencies;
	for (int64_t i = 0; i < count; i++) {
		struct paced a = { rest, 0, (pace.messages + count - 1 - i) / count };
		rest += a.expected;
		all[i] = actor_new(paced_handle, &a, sizeof a);
	}
	*s = (struct sample){ .parts = count, .operations = pace.messages };
	return pace;
}

static void paced_outside(const int64_t *p, struct sample *s)
{
	outside_pace = paced(p, s);
	s->start = outside_start;
	s->end = outside_end;
}

static void paced_inside(const int64_t *p, struct sample *s)
{
	struct pace pace = paced(p, s);
	the_pacer = actor_new(pacer_handle, &pace, sizeof pace);
	s->start = inside_start;
	s->end = inside_end;
}

#include "bench/peers/c-common/table.h"
