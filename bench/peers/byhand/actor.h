/* SPDX-License-Identifier: BSD-2-Clause
 * actor.h - actors as one writes them by hand: a pool of threads, a mailbox with a mutex, one queue of
 * actors that have messages, with a mutex and a condition variable. */
#ifndef BYHAND_ACTOR_H
#define BYHAND_ACTOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct message {
	struct message *next;
	int64_t n;
};

struct actor;
/* Handles one message; false: the actor ends, and is freed with its state. */
typedef bool (*actor_handler)(struct actor *self, void *state, int64_t n);

struct actor {
	pthread_mutex_t lock;
	struct message *first, **last; /* under lock */
	bool scheduled;	    /* under lock: in the queue, or a thread handles its messages */
	struct actor *next; /* in the queue, under its lock */
	actor_handler handle;
	_Alignas(16) unsigned char state[];
};

/* The pool: any number of threads, started once. */
void pool_start(int threads);

/* Any thread may call these.  The state is copied.  Who sends must know that the actor has not ended. */
struct actor *actor_new(actor_handler handle, const void *state, uint32_t size);
void actor_send(struct actor *to, int64_t n);
/* Frees an actor that has had all its messages, from outside: its handler has returned, or soon will. */
void actor_free(struct actor *a);

#endif
