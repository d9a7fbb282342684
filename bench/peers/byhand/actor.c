/* SPDX-License-Identifier: BSD-2-Clause */
#include "bench/peers/byhand/actor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 100 /* messages of one actor, then the next actor's turn */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct actor *first, **last;
} queue = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &queue.first };

static void *must(void *p)
{
	if (p)
		return p;
	fputs("byhand: out of memory\n", stderr);
	exit(1);
}

static void enqueue(struct actor *a)
{
	a->next = NULL;
	pthread_mutex_lock(&queue.lock);
	*queue.last = a;
	queue.last = &a->next;
	pthread_mutex_unlock(&queue.lock);
	pthread_cond_signal(&queue.some);
}

static struct actor *dequeue(void)
{
	pthread_mutex_lock(&queue.lock);
	while (!queue.first)
		pthread_cond_wait(&queue.some, &queue.lock);
	struct actor *a = queue.first;
	queue.first = a->next;
	if (!queue.first)
		queue.last = &queue.first;
	pthread_mutex_unlock(&queue.lock);
	return a;
}

struct actor *actor_new(actor_handler handle, const void *state, uint32_t size)
{
	struct actor *a = must(malloc(sizeof *a + size));
	pthread_mutex_init(&a->lock, NULL);
	a->first = NULL;
	a->last = &a->first;
	a->scheduled = false;
	a->handle = handle;
	memcpy(a->state, state, size);
	return a;
}

void actor_free(struct actor *a)
{
	/* the thread that ran it may be about to leave it */
	for (bool busy = true; busy;) {
		pthread_mutex_lock(&a->lock);
		busy = a->scheduled;
		pthread_mutex_unlock(&a->lock);
	}
	pthread_mutex_destroy(&a->lock);
	free(a);
}

void actor_send(struct actor *to, int64_t n)
{
	struct message *m = must(malloc(sizeof *m));
	m->next = NULL;
	m->n = n;
	pthread_mutex_lock(&to->lock);
	*to->last = m;
	to->last = &m->next;
	bool sleeping = !to->scheduled;
	to->scheduled = true;
	pthread_mutex_unlock(&to->lock);
	if (sleeping)
		enqueue(to);
}

/* Up to BATCH messages, which only this thread can see then; NULL, and it sleeps, if there is none. */
static struct message *take(struct actor *a)
{
	pthread_mutex_lock(&a->lock);
	struct message *batch = a->first, *m = batch;
	for (int i = 1; m && m->next && i < BATCH; i++)
		m = m->next;
	if (!m) {
		a->scheduled = false;
	} else {
		a->first = m->next;
		if (!a->first)
			a->last = &a->first;
		m->next = NULL;
	}
	pthread_mutex_unlock(&a->lock);
	return batch;
}

/* Lets an actor handle a batch; then it waits for its next turn, sleeps, or has ended. */
static void turn(struct actor *a)
{
	bool lives = true;
	for (struct message *m = take(a), *next; m; m = next) {
		next = m->next;
		lives = lives && a->handle(a, a->state, m->n);
		free(m);
	}
	if (!lives) {
		pthread_mutex_destroy(&a->lock);
		free(a);
		return;
	}
	pthread_mutex_lock(&a->lock);
	bool more = a->first;
	a->scheduled = more;
	pthread_mutex_unlock(&a->lock);
	if (more)
		enqueue(a);
}

static void *work(void *none)
{
	for (;;)
		turn(dequeue());
	return none;
}

void pool_start(int threads)
{
	for (int i = 0; i < threads; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, work, NULL) != 0) {
			fputs("byhand: no thread\n", stderr);
			exit(1);
		}
		pthread_detach(thread);
	}
}
