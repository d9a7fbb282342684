/* SPDX-License-Identifier: BSD-2-Clause
 * The typed layer: protocols, interfaces, handlers, requests, moved messages, owed replies. */
#include <stdlib.h>
#include <string.h>

#include "tests/support/runtime.h"

static _Atomic long freed, refused, told;

static void drop_text(void *msg);

/* ---- a protocol, and an interface that it narrows to ---- */

struct sink_line {
	uint64_t n;
};
#define SINK(X, P) X(P, line, heist_unit, NULL)
HEIST_INTERFACE(sink, SINK);

struct book_put {
	uint64_t key, value;
};
struct book_get {
	uint64_t key;
};
struct book_value {
	uint64_t value;
};
struct book_text {
	char *owned; /* by the message */
	char inline_text[64];
};
struct book_wait {
	uint64_t key;
};
static const heist_drops text_drops = { drop_text, NULL };
#define BOOK(X, P)                                                                                 \
	X(P, put, heist_unit, NULL)                                                                \
	X(P, get, struct book_value, NULL)                                                         \
	X(P, text, heist_unit, &text_drops) X(P, wait, struct book_value, NULL)
HEIST_PROTOCOL(book, BOOK);
HEIST_NARROW(book, sink);

static void drop_text(void *msg)
{
	struct book_text *t = msg;
	free(t->owned);
	atomic_fetch_add(&freed, 1);
}

struct book {
	uint64_t values[8], lines;
	book_wait_owed waiting;
	bool is_waiting;
};

static heist_next book_on_put(heist_ctx *c, struct book *b, struct book_put *m)
{
	(void)c;
	b->values[m->key % 8] = m->value;
	if (b->is_waiting) {
		b->is_waiting = false;
		EXPECT(book_reply_to_wait(b->waiting, (struct book_value){ m->value }) == HEIST_OK);
	}
	return HEIST_CONTINUE;
}

static heist_next book_on_get(heist_ctx *c, struct book *b, struct book_get *m)
{
	EXPECT(book_reply_get(c, (struct book_value){ b->values[m->key % 8] }) == HEIST_OK);
	return HEIST_CONTINUE;
}

static heist_next book_on_text(heist_ctx *c, struct book *b, struct book_text *m)
{
	(void)c;
	b->lines += m->owned ? strlen(m->owned) : strlen(m->inline_text);
	free(m->owned); /* a handler that completes owns what the payload owned */
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}

static heist_next book_on_wait(heist_ctx *c, struct book *b, struct book_wait *m)
{
	(void)m;
	b->waiting = book_later_wait(c);
	b->is_waiting = true;
	return HEIST_CONTINUE;
}

static heist_next book_other(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	struct book *b = state;
	if (type->base != sink_types)
		return heist_unhandled(c, state, type, msg);
	b->lines += ((struct sink_line *)msg)->n;
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}
HEIST_TABLE(sink, SINK);
HEIST_ACTOR_WITH(book, struct book, BOOK, book_other, NULL);

/* ---- an actor that asks ---- */

struct reader_ask {
	book_ref book;
	uint64_t key;
};
#define READER(X, P) X(P, ask, struct book_value, NULL)
HEIST_PROTOCOL(reader, READER);

struct reader {
	reader_ask_owed owed;
};

static void on_value(heist_ctx *c, struct reader *r, heist_status st, const struct book_value *v,
		     uint64_t user)
{
	(void)c;
	EXPECT(st == HEIST_OK && user == 5);
	EXPECT(reader_reply_to_ask(r->owed, *v) == HEIST_OK);
}
HEIST_ON_REPLY(book, get, struct reader, on_value);

static heist_next reader_on_ask(heist_ctx *c, struct reader *r, struct reader_ask *m)
{
	r->owed = reader_later_ask(c);
	EXPECT(book_ask_get(c, m->book, (struct book_get){ m->key }, 0, on_value_k, 5) == HEIST_OK);
	return HEIST_CONTINUE;
}
HEIST_ACTOR(reader, struct reader, READER);

static book_ref start(heist_system **s)
{
	book_ref b;
	*s = test_start(2);
	freed = refused = told = 0;
	EXPECT(book_spawn(*s, NULL, NULL, &b) == HEIST_OK);
	return b;
}

static void end(heist_system *s)
{
	EXPECT(test_balanced(s));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(typed, tables_describe_the_protocol)
{
	EXPECT(book_T_COUNT == 4 && book_types[book_T_get].tag == book_T_get);
	for (int i = 0; i < book_T_COUNT; i++)
		EXPECT(book_types[i].base == book_types && book_types[i].tag == (uint32_t)i);
	EXPECT(strcmp(book_types[book_T_text].name, "book.text") == 0);
	EXPECT(book_types[book_T_text].size == sizeof(struct book_text));
	EXPECT(book_types[book_T_put].reply_size == 1 && book_types[book_T_get].reply_size == 8);
	EXPECT(book_types[book_T_text].drops == &text_drops && book_class.abi == HEIST_ABI);
}

TEST(typed, send_call_and_ask)
{
	heist_system *s;
	book_ref b = start(&s);
	reader_ref r;
	struct book_value v = { 0 };
	heist_unit done;
	EXPECT(reader_spawn(s, NULL, NULL, &r) == HEIST_OK);
	EXPECT(book_send_put(b, (struct book_put){ 3, 33 }) == HEIST_OK);
	EXPECT(book_call_get(s, b, (struct book_get){ 3 }, 0, &v) == HEIST_OK && v.value == 33);
	EXPECT(book_call_put(s, b, (struct book_put){ 4, 44 }, 0, &done) == HEIST_OK);
	struct reader_ask q = { b, 4 };
	EXPECT(reader_call_ask(s, r, q, heist_in_ms(s, 20000), &v) == HEIST_OK && v.value == 44);
	end(s);
}

TEST(typed, messages_that_own_something_move)
{
	heist_system *s;
	book_ref b = start(&s);
	for (int i = 0; i < 3; i++) {
		struct book_text *m = book_new_text(s, 10);
		EXPECT(m != NULL && m->owned == NULL);
		m->owned = strdup("twelve chars");
		EXPECT(book_post_text(b, &m) == HEIST_OK && m == NULL);
	}
	EXPECT(wait_for(&told, 3));
	EXPECT(heist_kill(b.ref, HEIST_OK) == HEIST_OK);
	while (book_send_put(b, (struct book_put){ 0, 0 }) == HEIST_OK)
		test_sleep_ms(1);
	struct book_text *m = book_new_text(s, 0);
	m->owned = strdup("nobody");
	EXPECT(book_post_text(b, &m) == HEIST_EDEAD && m != NULL);
	void *p = m;
	heist_discard(&p);
	EXPECT(freed == 1);
	end(s);
}

TEST(typed, an_interface_is_what_others_need_to_know)
{
	heist_system *s;
	book_ref b = start(&s);
	sink_ref k = book_as_sink(b);
	for (uint64_t i = 0; i < 10; i++)
		EXPECT(sink_send_line(k, (struct sink_line){ i }) == HEIST_OK);
	EXPECT(wait_for(&told, 10));
	static const heist_type foreign = { .base = &foreign, .name = "foreign", .reply_size = 1 };
	EXPECT(heist_send(b.ref, &foreign, NULL) == HEIST_OK);
	EXPECT(test_balanced(s));
	EXPECT(heist_lost_count(s, HEIST_LOST_UNHANDLED) == 1);
	end(s);
}

static _Atomic long waited;

static void on_waited(heist_ctx *c, struct reader *r, heist_status st, const struct book_value *v,
		      uint64_t user)
{
	(void)c, (void)r;
	EXPECT(st == HEIST_OK && v->value == 9);
	atomic_fetch_add(&waited, (long)user);
}
HEIST_ON_REPLY(book, wait, struct reader, on_waited);

static heist_next waiter_recv(heist_ctx *c, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type;
	EXPECT(book_ask_wait(c, ((struct reader_ask *)msg)->book, (struct book_wait){ 0 }, 0,
			     on_waited_k, 1) == HEIST_OK);
	atomic_fetch_add(&told, 1);
	return HEIST_CONTINUE;
}

TEST(typed, an_owed_reply_is_given_by_a_later_message)
{
	static const heist_class waiter = { "waiter", HEIST_ABI, sizeof(struct reader), waiter_recv,
					    NULL };
	heist_system *s;
	book_ref b = start(&s);
	reader_ref w = { test_spawn(s, &waiter, NULL) };
	EXPECT(reader_send_ask(w, (struct reader_ask){ b, 0 }) == HEIST_OK);
	EXPECT(wait_for(&told, 1));
	heist_unit done;
	EXPECT(book_call_put(s, b, (struct book_put){ 0, 9 }, 0, &done) == HEIST_OK);
	EXPECT(wait_for(&waited, 1));
	end(s);
}
