/* SPDX-License-Identifier: BSD-2-Clause
 * ledger.c - see ledger.h. */
#include "tests/fuzz/ledger.h"

#include <stdarg.h>
#include <string.h>

#include "tests/support/oracle.h"

struct ledger ledger;

void ledger_say(const char *format, ...)
{
	static int wanted = -1;
	va_list args;
	if (wanted < 0)
		wanted = getenv("HEIST_FUZZ_TRACE") != NULL;
	if (!wanted)
		return;
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void ledger_begin(void)
{
	size_t used = ledger.count ? ledger.count + 1 : 1;
	memset(ledger.entry, 0, used * sizeof *ledger.entry);
	memset(ledger.holds, 0, sizeof ledger.holds);
	memset(ledger.sent, 0, sizeof ledger.sent);
	memset(ledger.seen, 0, sizeof ledger.seen);
	ledger.count = 0;
}

static uint32_t check_of(uint32_t number)
{
	return number * 0x9E3779B9u ^ 0x5bd1e995u;
}

/* Its number; what follows it is as it was written. */
static struct entry *entry_of(const void *payload, size_t size)
{
	const struct note *n = payload;
	const unsigned char *rest = (const unsigned char *)(n + 1);
	MUST(n->number > 0 && n->number <= ledger.count && n->check == check_of(n->number));
	for (size_t i = 0; i < size - sizeof *n; i++)
		MUST(rest[i] == (unsigned char)(n->number + i));
	return &ledger.entry[n->number];
}

uint32_t ledger_new(void *payload, size_t size, bool owns, bool reply)
{
	struct note *n = payload;
	unsigned char *rest = (unsigned char *)(n + 1);
	if (ledger.count + 1 == LEDGER_MESSAGES)
		return 0;
	n->number = ++ledger.count;
	n->check = check_of(n->number);
	for (size_t i = 0; i < size - sizeof *n; i++)
		rest[i] = (unsigned char)(n->number + i);
	ledger.entry[n->number] = (struct entry){ .owns = owns, .reply = reply };
	return n->number;
}

void ledger_sent(uint32_t number, uint8_t sender, uint8_t receiver, enum fate fate)
{
	struct entry *e = &ledger.entry[number];
	static const char *const how[] = { "", "sends", "times", "repeats" };
	ledger_say("%u %s %s%u to %u", sender, how[fate], e->reply ? "reply " : "", number,
		   receiver);
	MUST(e->fate == NOT_SENT);
	e->fate = fate;
	e->sender = sender;
	e->receiver = receiver;
	if (fate == WAITS && sender != LEDGER_NOBODY && receiver != LEDGER_NOBODY)
		e->order = ++ledger.sent[sender][receiver];
}

void ledger_unsent(uint32_t number)
{
	struct entry *e = &ledger.entry[number];
	ledger_say("refused");
	MUST(e->fate == WAITS || e->fate == TIMED || e->fate == REPEATS);
	e->fate = NOT_SENT;
}

void ledger_arrived(const void *payload, size_t size, uint8_t receiver)
{
	struct entry *e = entry_of(payload, size);
	ledger_say("%u arrives at %u", ((const struct note *)payload)->number, receiver);
	MUST(e->fate == WAITS || e->fate == TIMED || e->fate == REPEATS);
	MUST(e->receiver == receiver || e->receiver == LEDGER_NOBODY);
	if (e->order == 0 || (e->reply && ledger.holds[receiver]))
		return;
	/* the same number again: AGAIN, or tried again after a restart */
	MUST(oracle_later_or_again(&ledger.seen[e->sender][receiver], e->order));
}

void ledger_done(uint32_t number)
{
	struct entry *e = &ledger.entry[number];
	if (e->fate == REPEATS || e->fate == CANCELLED) /* by its own handler */
		return;
	MUST(e->fate == WAITS || e->fate == TIMED);
	e->fate = HANDLED;
}

void ledger_lost(uint32_t number)
{
	struct entry *e = &ledger.entry[number];
	ledger_say("%u is lost", number);
	if (e->fate == REPEATS)
		return;
	MUST(e->fate == WAITS || e->fate == TIMED);
	e->fate = LOST;
}

void ledger_release(uint32_t number)
{
	MUST(number > 0 && number <= ledger.count);
	MUST(ledger.entry[number].owns);
	ledger.entry[number].owns = false;
}

void ledger_end(void)
{
	for (uint32_t i = 1; i <= ledger.count; i++) {
		if (ledger.entry[i].fate == WAITS || ledger.entry[i].owns)
			ledger_say("%u is forgotten", i);
		MUST(ledger.entry[i].fate != WAITS);
		MUST(!ledger.entry[i].owns);
	}
}
