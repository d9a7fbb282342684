/* SPDX-License-Identifier: BSD-2-Clause
 * message.h - a message: one cache line that is a mailbox node, and large payloads beside it.
 *
 *     0  node   link in the mailbox
 *     8  type   what the payload is
 *    16  tag    generation of the receiver it is for | kind << 32; a plain small user message is the
 *               generation alone, so one comparison tells it from everything else
 *    24  payload, 40 bytes; MESSAGE_LARGE: a pointer to it
 *
 * Requests and replies begin their payload with a header of their own.  A large payload is a
 * separate piece of memory, so that it can be moved out of a message that is still linked. */
#ifndef HEIST_RUNTIME_MESSAGE_H
#define HEIST_RUNTIME_MESSAGE_H

#include <heist/heist.h>

#include "lockfree/block.h"
#include "lockfree/inject.h"
#include "lockfree/mpsc.h"

#define MESSAGE_ROOM 40

struct message {
	union {
		struct mpsc_node node;
		struct inject_link link; /* an urgent one: lane.h */
	};
	const heist_type *type;
	uint64_t tag;
	union {
		uint64_t word[MESSAGE_ROOM / 8];
		unsigned char bytes[MESSAGE_ROOM];
		void *large;
	} u;
};
_Static_assert(sizeof(struct message) == HEIST_CACHELINE, "a message is one cache line");

enum message_kind {
	KIND_USER,
	KIND_INIT,    /* starts an actor; payload: the spawn argument */
	KIND_REQUEST, /* struct request_header, payload               */
	KIND_REPLY,   /* struct reply_header, value                   */
	KIND_ALARM,   /* a deadline of this actor's asks has passed   */
	KIND_BELL,    /* not a message of a pool: control.c           */
};

enum message_flag {
	MESSAGE_LARGE = 8,     /* the payload is elsewhere                                       */
	MESSAGE_TAKEN = 16,    /* while handled: the payload belongs to the handler              */
	MESSAGE_BOUNCE = 32,   /* a request that becomes its own reply when it leaves the mailbox */
	MESSAGE_COUNTED = 128, /* it waits in a mailbox with a bound (bound.h) */
	MESSAGE_ANSWERED = 64, /* a request that nobody owes a reply any more                   */
	MESSAGE_DROPPED = 1 << 30, /* not of an INIT: lost already, still linked */
};

/* Bits of the tag: generation 0-31, kind and flags 32-39, bounce status 40-47 (negated), config of an
 * actor to start or number of tries that failed 48-61, MESSAGE_DROPPED 62. */
#define MESSAGE_KIND(k) ((uint64_t)(k) << 32)

/* Whether payloads of a type own anything, and its end when nobody takes it. */
static inline bool type_owns(const heist_type *type)
{
	return type->drops && type->drops->msg;
}

static inline void payload_drop(const heist_type *type, void *payload)
{
	if (type_owns(type))
		type->drops->msg(payload);
	heist_keep_frame();
}

static inline uint32_t message_generation(const struct message *m)
{
	return (uint32_t)m->tag;
}

static inline uint32_t message_kind(const struct message *m)
{
	return (uint32_t)(m->tag >> 32) & 7;
}

static inline bool message_has(const struct message *m, enum message_flag flag)
{
	return m->tag >> 32 & flag;
}

static inline void message_set(struct message *m, enum message_flag flag)
{
	m->tag |= MESSAGE_KIND(flag);
}

#define MESSAGE_MOST_TRIES 0x3fffu

static inline uint32_t message_tries(const struct message *m)
{
	return (uint32_t)(m->tag >> 48) & MESSAGE_MOST_TRIES;
}

static inline bool message_dropped(const struct message *m)
{
	return message_kind(m) != KIND_INIT && message_has(m, MESSAGE_DROPPED);
}

static inline void message_count_try(struct message *m)
{
	m->tag += (uint64_t)1 << 48;
}

/* Payloads of whole words, one at least, that fit into `room` bytes are copied inline. */
HEIST_HOT_INLINE bool copies_by_words_into(uint32_t size, uint32_t room)
{
	uint32_t words = (size - 8) >> 3 | (size - 8) << 29;
	return words <= room / 8 - 1;
}

HEIST_HOT_INLINE bool copies_by_words(uint32_t size) /* 8, 16, 24, 32 or 40 */
{
	return copies_by_words_into(size, MESSAGE_ROOM);
}

HEIST_HOT_INLINE void copy_words(uint64_t *to, const void *from, uint32_t size)
{
	const unsigned char *p = from;
	__builtin_memcpy(to, p, 8);
	for (uint32_t i = 8; HEIST_UNLIKELY(i < size); i += 8)
		__builtin_memcpy(++to, p + i, 8);
}

struct request_header {
	uint64_t asker;	   /* heist_ref */
	uint64_t id;	   /* of the ask, in the asker's table */
	uint64_t deadline; /* 0 = none */
};

struct reply_header {
	uint64_t id;
	int64_t status;
};

/* Bytes of header before the payload, by kind. */
static inline size_t message_header_size(uint32_t kind)
{
	return kind == KIND_REQUEST ? sizeof(struct request_header)
	       : kind == KIND_REPLY ? sizeof(struct reply_header)
				    : 0;
}

/* ---- large payloads ---- */

struct large {
	size_t total; /* bytes allocated, this header included */
	const heist_type *type;
	heist_system *system;	/* whose memory it is */
	_Atomic uint32_t users; /* messages that share it (multicast.h); 0 or 1: one */
	uint32_t unused_;
};
_Static_assert(sizeof(struct large) % 16 == 0, "a large payload is 16-aligned, a small one never");

static inline void *large_payload(struct large *l)
{
	return l + 1;
}

static inline struct large *large_of(void *payload)
{
	return (struct large *)payload - 1;
}

/* Small payloads lie 24 bytes into a 64-byte line, large ones on a multiple of 16. */
static inline bool payload_is_small(const void *payload)
{
	return ((uintptr_t)payload & 15) == 8;
}

static inline struct message *message_of(void *small_payload)
{
	return HEIST_CONTAINER(small_payload, struct message, u);
}

/* The payload of a received message, wherever it is. */
static inline void *message_payload(struct message *m)
{
	size_t h = message_header_size(message_kind(m));
	return message_has(m, MESSAGE_LARGE) ? *(void **)(void *)(m->u.bytes + h) : m->u.bytes + h;
}

#endif
