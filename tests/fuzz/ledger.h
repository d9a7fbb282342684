/* SPDX-License-Identifier: BSD-2-Clause
 * ledger.h - what a program of the fuzzer has sent, and what must become of it.
 *
 * Every message has a number, in its payload.  Accepted, it is handled once or lost once; what its payload
 * owns is released once; those from one sender to one receiver are handled in the order they were sent.
 * One thread.  A violation prints what and aborts, which is what libFuzzer calls a crash. */
#ifndef HEIST_TESTS_LEDGER_H
#define HEIST_TESTS_LEDGER_H

#include <heist/heist.h>

#include "tests/fuzz/fuzz.h"

#define LEDGER_PEOPLE	64   /* actors, supervisors included; 0 is the thread outside */
#define LEDGER_NOBODY	255  /* who has no order of his own: a timer, the actor behind a call */
#define LEDGER_MESSAGES 8192 /* 0 is none */

/* A line for people, if HEIST_FUZZ_TRACE is set. */
void ledger_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The beginning of every payload and reply value. */
struct note {
	uint32_t number;
	uint32_t check; /* ledger_check(number) */
};

enum fate {
	NOT_SENT, /* built, or refused */
	WAITS,	  /* accepted         */
	TIMED,	  /* a timer has it, or a call: it may end without a word */
	REPEATS,  /* a periodic timer has it: any number of times */
	CANCELLED,
	HANDLED,
	LOST
};

struct entry {
	enum fate fate;
	bool reply;
	bool owns; /* something that nobody has released */
	uint8_t sender, receiver;
	uint32_t order; /* among those of this pair; 0: of no pair */
};

struct ledger {
	uint32_t count;
	struct entry entry[LEDGER_MESSAGES];
	bool holds[LEDGER_PEOPLE]; /* has held: replies have passed what waited */
	uint32_t sent[LEDGER_PEOPLE][LEDGER_PEOPLE];
	uint64_t seen[LEDGER_PEOPLE][LEDGER_PEOPLE];
};

extern struct ledger ledger;

void ledger_begin(void);
/* A new payload of `size` bytes, filled in; 0: the book is full. */
uint32_t ledger_new(void *payload, size_t size, bool owns, bool reply);
/* It is about to be accepted, or set; and was not. */
void ledger_sent(uint32_t number, uint8_t sender, uint8_t receiver, enum fate fate);
void ledger_unsent(uint32_t number);
/* It reached its receiver: is it its turn? */
void ledger_arrived(const void *payload, size_t size, uint8_t receiver);
/* Its handler has completed: what it owned is released. */
void ledger_done(uint32_t number);
/* It is lost. */
void ledger_lost(uint32_t number);
/* What it owned goes. */
void ledger_release(uint32_t number);
/* Nothing is left: at the end of the runtime. */
void ledger_end(void);

#endif
