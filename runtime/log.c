/* SPDX-License-Identifier: BSD-2-Clause
 * log.c - lines of the log: writing them down, and telling them (log.h). */
#include "runtime/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/fork.h"

struct log_record {
	struct record record; /* first */
	uint8_t level, cut;
	int32_t worker;
	heist_wall time;
	heist_ref actor;
	const char *cls; /* static, as classes are */
	char text[HEIST_LOG_MAX + 1];
};
_Static_assert(sizeof(struct log_record) == 512, "records do not share lines");

/* ---- what is wanted ---- */

/* https://no-color.org */
static bool wants_colour(void)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");
	return !(no && *no) && !(terminal && strcmp(terminal, "dumb") == 0) && heist_is_terminal(2);
}

/* ---- telling: the reader ---- */

/* False: the sink has not taken it. */
static bool tell_line(const struct heist_system *s, const heist_log_line *line)
{
	const struct log *l = &s->log;
	char text[HEIST_LOG_ROOM];
	if (l->sink) {
		l->sink(s->user, line);
		return true;
	}
	size_t n = l->format == HEIST_LOG_JSON ? heist_log_json(line, text)
					       : heist_log_text(line, l->colour, text);
	return heist_write(2, text, n) == 0;
}

static heist_log_line line_of(const struct log_record *r)
{
	return (heist_log_line){ .level = (heist_log_level)r->level,
				 .worker = r->worker,
				 .time = r->time,
				 .actor = r->actor,
				 .cls = r->cls ? r->cls : "",
				 .name = "",
				 .text = r->text,
				 .cut = r->cut };
}

static void tell_record(struct heist_system *s, const struct log_record *r)
{
	char name[NAMES_TEXT] = "";
	heist_log_line line = line_of(r);
	if (line.actor.v)
		heist_registry_name(s, line.actor, name);
	line.name = name;
	if (tell_line(s, &line))
		return;
	atomic_fetch_add_explicit(&s->log.lost, 1, memory_order_relaxed); /* statistic */
	s->log.lost_said++;						  /* whom to? */
}

/* Those that a full queue refused are told as one line, behind those that filled it. */
static void tell_lost(struct heist_system *s)
{
	struct log *l = &s->log;
	char text[96];
	uint64_t lost = atomic_load_explicit(&l->lost, memory_order_relaxed); /* statistic */
	uint64_t n = lost - l->lost_said;
	if (n == 0)
		return;
	l->lost_said = lost;
	snprintf(text, sizeof text, "%llu lines of the log were lost: they came faster than told",
		 (unsigned long long)n);
	heist_log_line line = { .level = HEIST_LOG_WARN,
				.worker = -1,
				.time = heist_wall_now(s),
				.cls = "",
				.name = "",
				.text = text };
	(void)tell_line(s, &line);
}

/* The reader: true if there was anything. */
static bool tell_all(struct heist_system *s)
{
	struct log *l = &s->log;
	struct record *r;
	bool any = false;
	for (; (r = records_next(&l->queue)) != NULL; any = true) {
		tell_record(s, (struct log_record *)(void *)r);
		records_release(&l->queue, r);
	}
	tell_lost(s);
	return any;
}

bool heist_log_tell(struct heist_system *s)
{
	if (!spin_try(&s->log.reading))
		return false;
	tell_all(s);
	spin_unlock(&s->log.reading);
	return true;
}

#define FLUSH_NS 1000000000u

void heist_log_flush(struct heist_system *s)
{
	uint64_t limit = heist_clock_ns() + FLUSH_NS;
	while (!heist_log_tell(s) && heist_clock_ns() < limit)
		heist_thread_yield();
}

/* ---- the log's thread ---- */

static void log_main(void *system)
{
	struct heist_system *s = system;
	struct log *l = &s->log;
	for (;;) {
		uint32_t key = eventcount_prepare(&l->wakeup);
		bool stop = atomic_load_explicit(&l->stop, memory_order_acquire); /* LO2 acquire */
		bool any = false;
		spin_lock(&l->reading);
		any = tell_all(s);
		spin_unlock(&l->reading);
		if (any || stop)
			eventcount_cancel(&l->wakeup);
		else
			eventcount_wait(&l->wakeup, key, 0);
		if (stop)
			return;
	}
}

/* If the system refuses a thread the next line tries again; what is left is told by heist_shutdown. */
static void start_thread(struct heist_system *s)
{
	struct log *l = &s->log;
	uint32_t none = LOG_THREAD_NONE;
	if (!atomic_compare_exchange_strong_explicit(&l->thread, &none, LOG_THREAD_STARTING,
						     memory_order_relaxed, memory_order_relaxed))
		return;
	bool runs = heist_thread_start(&l->handle, log_main, s, "heist-log") == 0;
	atomic_store_explicit(&l->thread, runs ? LOG_THREAD_RUNS : LOG_THREAD_NONE,
			      memory_order_release); /* LO1 release */
}

/* A line was written down, or lost. */
static void announce(struct heist_system *s)
{
	struct log *l = &s->log;
	if (s->sim)
		(void)heist_log_tell(s);
	else if (!s->polled &&
		 atomic_load_explicit(&l->thread, memory_order_relaxed) == LOG_THREAD_NONE)
		start_thread(s);
	eventcount_notify(&l->wakeup, 1);
}

int heist_log_init(struct heist_system *s, const heist_config *c)
{
	struct log *l = &s->log;
	uint32_t shift = 0;
	while (c->log_lines > (uint32_t)1 << shift)
		shift++;
	size_t size = sizeof(struct log_record) << shift;
	void *cells = heist_memory_get(&s->memory, size, HEIST_CACHELINE);
	if (!cells)
		return -1;
	memset(cells, 0, size);
	records_init(&l->queue, cells, shift, sizeof(struct log_record));
	atomic_store_explicit(&l->level, (uint32_t)c->log_level, memory_order_relaxed); /* alone */
	l->format = c->log_format;
	l->sink = c->log;
	l->colour = !l->sink && l->format == HEIST_LOG_TEXT && wants_colour();
	return 0;
}

void heist_log_stop(struct heist_system *s)
{
	struct log *l = &s->log;
	if (atomic_load_explicit(&l->thread, memory_order_acquire) ==
	    LOG_THREAD_RUNS) {						  /* LO1 acquire */
		atomic_store_explicit(&l->stop, 1, memory_order_release); /* LO2 release */
		eventcount_notify(&l->wakeup, 1);
		heist_thread_join(&l->handle);
		atomic_store_explicit(&l->thread, LOG_THREAD_NONE,
				      memory_order_relaxed); /* alone */
	}
	if (l->queue.cells)
		(void)heist_log_tell(s);
}

void heist_log_destroy(struct heist_system *s)
{
	heist_memory_put(&s->memory, s->log.queue.cells,
			 sizeof(struct log_record) << s->log.queue.shift);
}

/* ---- writing ---- */

/* Format into the record; a text that is too long ends with a whole character. */
static void put_text(struct log_record *r, const char *format, va_list args)
{
	int n = vsnprintf(r->text, sizeof r->text, format, args);
	if (n < 0) /* a value that cannot be shown */
		n = snprintf(r->text, sizeof r->text, "%s", format);
	r->cut = n > HEIST_LOG_MAX;
	if (!r->cut)
		return;
	size_t end = HEIST_LOG_MAX;
	while (end > 0 && (r->text[end - 1] & 0xc0) == 0x80)
		end--;
	if (end > 0 && (r->text[end - 1] & 0xc0) == 0xc0)
		end--;
	r->text[end] = '\0';
}

static heist_status put(struct heist_system *s, const heist_ctx *ctx, heist_log_level level,
			const char *format, va_list args)
{
	struct log *l = &s->log;
	if (heist_forked(s))
		return HEIST_ECLOSED;
	struct log_record *r = (struct log_record *)(void *)records_claim(&l->queue);
	if (!r) {
		atomic_fetch_add_explicit(&l->lost, 1, memory_order_relaxed); /* statistic */
		announce(s);
		return HEIST_EFULL;
	}
	const struct rt_worker *w = system_self(s);
	r->level = (uint8_t)level;
	r->worker = w ? (int32_t)w->number : -1;
	r->time = heist_wall_now(s);
	r->actor = ctx ? heist_self(ctx) : (heist_ref){ 0 };
	r->cls = ctx ? actor_class(s, ctx_actor(ctx))->name : NULL;
	put_text(r, format, args);
	records_publish(&r->record);
	announce(s);
	return HEIST_OK;
}

static bool is_level(heist_log_level level)
{
	return level >= HEIST_LOG_ERROR && level <= HEIST_LOG_DEBUG;
}

heist_status heist_log(heist_ctx *ctx, heist_log_level level, const char *format, ...)
{
	if (HEIST_LIKELY(ctx != NULL) && HEIST_LIKELY(!log_is_on(&ctx->system->log, level)) &&
	    HEIST_LIKELY(level <= HEIST_LOG_DEBUG))
		return HEIST_OK;
	if (!ctx || !format || !is_level(level))
		return HEIST_BAD_ARG("ctx and format must not be NULL, level is ERROR to DEBUG");
	if (heist_worker_self != &ctx->worker->base || !ctx_actor(ctx))
		return HEIST_BAD_ARG("only inside a handler, with its own context");
	va_list args;
	va_start(args, format);
	heist_status r = put(ctx->system, ctx, level, format, args);
	va_end(args);
	return r;
}

heist_status heist_log_for(heist_system *s, heist_log_level level, const char *format, ...)
{
	if (!s || !format || !is_level(level))
		return HEIST_BAD_ARG("system and format must not be NULL, level is ERROR to DEBUG");
	if (!log_is_on(&s->log, level))
		return HEIST_OK;
	va_list args;
	va_start(args, format);
	heist_status r = put(s, NULL, level, format, args);
	va_end(args);
	return r;
}

heist_status heist_set_log_level(heist_system *s, heist_log_level level)
{
	if (!s || level < HEIST_LOG_OFF || level > HEIST_LOG_DEBUG)
		return HEIST_BAD_ARG("system must not be NULL, level is OFF to DEBUG");
	atomic_store_explicit(&s->log.level, (uint32_t)level,
			      memory_order_relaxed); /* the next line sees it, or the one after */
	return HEIST_OK;
}

void heist_system_log(struct heist_system *s, heist_log_level level, const char *format, ...)
{
	if (!log_is_on(&s->log, level))
		return;
	va_list args;
	va_start(args, format);
	(void)put(s, NULL, level, format, args);
	va_end(args);
}

/* ---- without waiting for the log's thread ---- */

void heist_log_at_once(const heist_config *c, heist_log_level level, const char *function,
		       const char *why)
{
	char text[320];
	if (level > (c && c->log_level ? c->log_level : HEIST_LOG_WARN))
		return;
	struct heist_system nobody = { .user = c ? c->user : NULL };
	nobody.log.sink = c ? c->log : NULL;
	nobody.log.format = c ? c->log_format : HEIST_LOG_TEXT;
	snprintf(text, sizeof text, "%s: %s", function, why);
	heist_log_line line = { .level = level,
				.worker = -1,
				.time = heist_clock_wall_ns(),
				.cls = "",
				.name = "",
				.text = text };
	(void)tell_line(&nobody, &line);
}

#define DUMP_TRIES 1000

heist_status heist_log_dump(heist_system *s, int fd)
{
	struct record *r;
	char text[HEIST_LOG_ROOM];
	int failed = 0, tries = 0;
	if (!s)
		return HEIST_BAD_ARG("the system must not be NULL");
	while (!spin_try(&s->log.reading)) {
		if (++tries == DUMP_TRIES)
			return HEIST_ETIMEOUT;
		heist_thread_yield();
	}
	while ((r = records_next(&s->log.queue)) != NULL) {
		heist_log_line line = line_of((struct log_record *)(void *)r);
		failed |= heist_write(fd, text, heist_log_text(&line, false, text));
		records_release(&s->log.queue, r);
	}
	spin_unlock(&s->log.reading);
	return failed ? HEIST_EINVAL : HEIST_OK;
}
