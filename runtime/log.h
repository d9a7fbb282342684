/* SPDX-License-Identifier: BSD-2-Clause
 * log.h - lines of the log: written down by any thread without waiting, told by a thread of their own.
 *
 * A line is formatted where it is written, into a record of a bounded queue (lockfree/records.h); when that
 * is full the line is lost and counted.  Its reader is whoever has `reading`: the log's thread, which starts
 * with the first line; in a polled runtime the thread that polls, between turns; heist_shutdown at the end;
 * heist_log_dump.  Only the reader meets the sink, so that may be slow: it holds up nobody but other lines.
 * In a simulation, where nobody is held up, a line is told at once.
 *
 *     who writes a line                      the log's thread
 *       claim, fill, publish a record          prepare
 *       notify                   EC1           is there a record? then tell it, cancel
 *                                              else wait
 *
 * Who may call        heist_log_put and what writes lines: any thread, not a signal handler.  told by:
 *                     above.  dump: any thread, a signal handler too.
 * Progress            put: lock-free, but for the first line, which starts a thread; while that sleeps a line
 *                     wakes it by a system call.  dump: takes `reading` or gives up.
 * Edges               LO1 release store of thread -> acquire load by stop: the thread's handle
 *                     LO2 release store of stop -> acquire load by the thread: the last lines
 *                     LK1 (spinlock.h) hands over the reader's side
 * Invariants          I1 one reader at a time.  I2 every line that is written down is told, counted as
 *                     lost, or dumped, by the end of the runtime. */
#ifndef HEIST_RUNTIME_LOG_H
#define HEIST_RUNTIME_LOG_H

#include <heist/heist.h>

#include <stdarg.h>

#include "lockfree/eventcount.h"
#include "lockfree/records.h"
#include "runtime/spinlock.h"

struct heist_system;

struct log {
	_Atomic uint32_t level; /* enum heist_log_level; lines above it are not written */
	/* constant */
	heist_log_format format;
	bool colour;
	void (*sink)(void *user, const heist_log_line *line);
	/* shared */
	struct records queue;
	_Atomic uint64_t lost;
	struct spinlock reading;
	struct eventcount wakeup;
	_Atomic uint32_t thread; /* enum log_thread */
	_Atomic uint32_t stop;
	heist_thread handle;
	/* the reader's */
	uint64_t lost_said;
};

enum log_thread { LOG_THREAD_NONE, LOG_THREAD_STARTING, LOG_THREAD_RUNS };

/* 0, or -1: out of memory. */
int heist_log_init(struct heist_system *s, const heist_config *c);
/* Tell what is left, on this thread, and let go of the log's own.  Nobody writes lines any more. */
void heist_log_stop(struct heist_system *s);
/* After that. */
void heist_log_destroy(struct heist_system *s);

/* Tell what is there.  False: somebody else is at it. */
bool heist_log_tell(struct heist_system *s);
/* The same, waiting a little for whoever is at it. */
void heist_log_flush(struct heist_system *s);

static inline bool log_is_on(const struct log *l, heist_log_level level)
{
	return (uint32_t)level <= atomic_load_explicit(&l->level, memory_order_relaxed);
}

/* ---- log_text.c: nothing but stores ---- */
/* As a line of text or of JSON with its newline; returns its length, at most HEIST_LOG_ROOM. */
#define HEIST_LOG_ROOM 4096
size_t heist_log_text(const heist_log_line *line, bool colour, char out[HEIST_LOG_ROOM]);
size_t heist_log_json(const heist_log_line *line, char out[HEIST_LOG_ROOM]);

#endif
