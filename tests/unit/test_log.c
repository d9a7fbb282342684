/* SPDX-License-Identifier: BSD-2-Clause
 * The log: what a line says, which are written, every sink, what too many come to, and who is held up. */
#define _GNU_SOURCE /* posix_openpt */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/clock.h"

static const heist_type GO = { .base = &GO, .name = "go", .size = 8, .reply_size = 1 };

/* ---- a callback that keeps lines ---- */

static char told[64][HEIST_LOG_MAX + 1];
static heist_log_line last;
static char last_name[HEIST_NAME_MAX + 1], last_class[32];
static _Atomic long lines;

static void keep(void *user, const heist_log_line *line)
{
	long n = atomic_load(&lines);
	(void)user;
	last = *line;
	snprintf(told[n % 64], sizeof told[0], "%s", line->text);
	snprintf(last_name, sizeof last_name, "%s", line->name);
	snprintf(last_class, sizeof last_class, "%s", line->cls);
	atomic_store(&lines, n + 1);
}

/* ---- an actor that writes lines ---- */

static void (*say)(heist_ctx *);

static heist_next recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)state, (void)type, (void)msg;
	say(ctx);
	return HEIST_CONTINUE;
}
static const heist_class talker = { "talker", HEIST_ABI, 0, recv, NULL };

static heist_system *start(heist_config c, void (*what)(heist_ctx *))
{
	heist_system *s;
	lines = 0;
	say = what;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static heist_config kept(void)
{
	heist_config c = test_clock_config();
	c.log = keep;
	return c;
}

/* One turn of an actor that says `what`. */
static heist_ref speak(heist_system *s)
{
	heist_ref r = test_spawn(s, &talker, NULL);
	EXPECT(test_tell(r, &GO, 0) == HEIST_OK);
	test_run(s);
	return r;
}

/* ---- what a line says ---- */

static void say_hello(heist_ctx *ctx)
{
	EXPECT(heist_log(ctx, HEIST_LOG_WARN, "hello %d, %s", 7, "you") == HEIST_OK);
}

TEST(log, a_line_says_who_and_when)
{
	heist_system *s = start(kept(), say_hello);
	heist_ref r = test_spawn(s, &talker, NULL);
	EXPECT(heist_register(s, "first", r) == HEIST_OK &&
	       heist_register(s, "bob", r) == HEIST_OK);
	EXPECT(heist_unregister(s, "bob") == HEIST_OK);
	EXPECT(test_tell(r, &GO, 0) == HEIST_OK);
	test_wall += 5;
	test_run(s);
	EXPECT(lines == 1 && strcmp(told[0], "hello 7, you") == 0);
	EXPECT(last.level == HEIST_LOG_WARN && last.actor.v == r.v && last.worker == 0);
	EXPECT(last.time == test_wall && !last.cut);
	EXPECT(strcmp(last_class, "talker") == 0 && strcmp(last_name, "first") == 0);
	EXPECT(heist_log_for(s, HEIST_LOG_ERROR, "outside") == HEIST_OK);
	test_run(s);
	EXPECT(lines == 2 && last.level == HEIST_LOG_ERROR && last.actor.v == 0);
	EXPECT(last.worker == -1 && *last_class == '\0' && *last_name == '\0');
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void say_all(heist_ctx *ctx)
{
	EXPECT(heist_log(ctx, HEIST_LOG_DEBUG, "debug") == HEIST_OK);
	EXPECT(heist_log(ctx, HEIST_LOG_INFO, "info") == HEIST_OK);
	EXPECT(heist_log(ctx, HEIST_LOG_WARN, "warn") == HEIST_OK);
	EXPECT(heist_log(ctx, HEIST_LOG_ERROR, "error") == HEIST_OK);
}

TEST(log, only_lines_of_the_level_are_written)
{
	heist_config c = kept();
	c.log_level = HEIST_LOG_INFO;
	heist_system *s = start(c, say_all);
	test_run(s);
	long before = lines; /* the start's own */
	speak(s);
	EXPECT(lines == before + 3 && strcmp(told[before], "info") == 0);
	EXPECT(heist_set_log_level(s, HEIST_LOG_DEBUG) == HEIST_OK);
	speak(s);
	EXPECT(lines == before + 7);
	EXPECT(heist_set_log_level(s, HEIST_LOG_ERROR) == HEIST_OK);
	speak(s);
	EXPECT(lines == before + 8 && last.level == HEIST_LOG_ERROR);
	EXPECT(heist_set_log_level(s, HEIST_LOG_OFF) == HEIST_OK);
	speak(s);
	EXPECT(lines == before + 8);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* Two bytes each: the last one does not fit. */
static void say_long(heist_ctx *ctx)
{
	static char text[1000];
	text[0] = 'x';
	for (int i = 0; i < 400; i++)
		memcpy(text + 1 + 2 * i, "\xc3\xa9", 3);
	text[HEIST_LOG_MAX - 1] = '\0'; /* ends with half a character, but is not cut */
	EXPECT(heist_log(ctx, HEIST_LOG_WARN, "%.470s", text) == HEIST_OK);
	for (int i = 0; i < 400; i++)
		memcpy(text + 2 * i, "\xc3\xa9", 3);
	EXPECT(heist_log(ctx, HEIST_LOG_WARN, "%s", text) == HEIST_OK);
}

TEST(log, what_is_too_long_is_cut_between_characters)
{
	heist_system *s = start(kept(), say_long);
	speak(s);
	EXPECT(lines == 2 && strlen(told[0]) == HEIST_LOG_MAX - 1);
	EXPECT(last.cut && strlen(told[1]) == HEIST_LOG_MAX - 1);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

/* ---- too many ---- */

static int full;

static void say_ten(heist_ctx *ctx)
{
	for (int i = 0; i < 10; i++)
		full += heist_log(ctx, HEIST_LOG_WARN, "line %d", i) == HEIST_EFULL;
}

TEST(log, what_finds_no_room_is_counted_and_told_about)
{
	heist_config c = kept();
	heist_stats t = heist_stats_default();
	c.log_lines = 4;
	heist_system *s = start(c, say_ten);
	full = 0;
	speak(s);
	EXPECT(full == 6 && lines == 5);
	EXPECT(strcmp(told[3], "line 3") == 0 && strstr(told[4], "6 lines of the log were lost"));
	EXPECT(heist_get_stats(s, &t) == HEIST_OK && t.log_lines == 4 && t.log_lost == 6);
	speak(s); /* there is room again; what was said is not said again */
	EXPECT(full == 12 && lines == 10);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK && lines == 10);
}

/* ---- standard error ---- */

static int stderr_was;

/* What is written to standard error from now on goes to fd. */
static void redirect(int fd)
{
	stderr_was = dup(2);
	EXPECT(stderr_was >= 0 && dup2(fd, 2) == 2);
}

static void restore(void)
{
	EXPECT(dup2(stderr_was, 2) == 2 && close(stderr_was) == 0);
}

/* What say() writes in a runtime of this configuration. */
static const char *written(heist_config c, void (*what)(heist_ctx *), int read_from, int write_to)
{
	static char text[8192];
	redirect(write_to);
	heist_system *s = start(c, what);
	heist_ref r = test_spawn(s, &talker, NULL);
	heist_status named = heist_register(s, "bob", r);
	(void)test_tell(r, &GO, 0);
	test_run(s);
	heist_status ended = heist_shutdown(s, 0);
	restore();
	EXPECT(named == HEIST_OK && ended == HEIST_OK);
	ssize_t n = read(read_from, text, sizeof text - 1);
	EXPECT(n > 0);
	text[n] = '\0';
	return text;
}

static const char *piped(heist_config c, void (*what)(heist_ctx *))
{
	int fd[2];
	EXPECT(pipe(fd) == 0);
	const char *text = written(c, what, fd[0], fd[1]);
	EXPECT(close(fd[0]) == 0 && close(fd[1]) == 0);
	return text;
}

static void say_odd(heist_ctx *ctx)
{
	EXPECT(heist_log(ctx, HEIST_LOG_WARN,
			 "a \"b\" \\ \n\t\x1b[31m \xc3\xa9 \xff \xed\xa0\x80 %s", "z") == HEIST_OK);
}

/* The handle is the only thing that is not known before. */
static void expect_line(const char *text, const char *before, const char *after)
{
	size_t n = strlen(before);
	EXPECT(strncmp(text, before, n) == 0);
	EXPECT(strspn(text + n, "0123456789abcdef") > 0);
	EXPECT(strcmp(text + n + strspn(text + n, "0123456789abcdef"), after) == 0);
}

#define BAD "\xef\xbf\xbd"

TEST(log, text_is_one_line_whatever_is_in_it)
{
	expect_line(piped(test_clock_config(), say_odd),
		    "1970-01-12T13:46:40.000000Z heist warn worker 0 talker ",
		    " bob: a \"b\" \\ \\n\\x09\\x1b[31m \xc3\xa9 " BAD " " BAD BAD BAD " z\n");
}

TEST(log, json_is_json_whatever_is_in_it)
{
	heist_config c = test_clock_config();
	c.log_format = HEIST_LOG_JSON;
	expect_line(piped(c, say_odd),
		    "{\"time\":\"1970-01-12T13:46:40.000000Z\",\"level\":\"warn\",\"worker\":0,"
		    "\"actor\":\"",
		    "\",\"class\":\"talker\",\"name\":\"bob\",\"text\":\"a \\\"b\\\" \\\\ "
		    "\\n\\u0009\\u001b[31m \xc3\xa9 " BAD " " BAD BAD BAD " z\"}\n");
}

static uint64_t wall;

static uint64_t wall_clock(void *user, heist_clock which)
{
	(void)user;
	return which == HEIST_CLOCK_WALL ? wall : 1;
}

TEST(log, dates_are_those_of_the_calendar)
{
	static const struct {
		uint64_t seconds;
		const char *date;
	} dates[] = {
		{ 951782399, "2000-02-28T23:59:59" },	{ 951782400, "2000-02-29T00:00:00" },
		{ 951868800, "2000-03-01T00:00:00" },	{ 1709164800, "2024-02-29T00:00:00" },
		{ 1735689599, "2024-12-31T23:59:59" },	{ 1735689600, "2025-01-01T00:00:00" },
		{ 4107542399, "2100-02-28T23:59:59" },	{ 4107542400, "2100-03-01T00:00:00" },
		{ 17000000000, "2508-09-16T06:13:20" },
	};
	heist_config c = test_clock_config();
	c.clock = wall_clock;
	for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
		wall = dates[i].seconds * TEST_S + 123456789;
		const char *text = piped(c, say_hello);
		EXPECT(strncmp(text, dates[i].date, 19) == 0);
		EXPECT(strncmp(text + 19, ".123456Z ", 9) == 0);
	}
}

TEST(log, colours_are_for_terminals_that_want_them)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
		return; /* a machine without */
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	EXPECT(slave >= 0);
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	EXPECT(strstr(written(test_clock_config(), say_hello, master, slave),
		      "\x1b[33mwarn\x1b[0m"));
	setenv("NO_COLOR", "1", 1);
	EXPECT(!strchr(written(test_clock_config(), say_hello, master, slave), '\x1b'));
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	EXPECT(!strchr(written(test_clock_config(), say_hello, master, slave), '\x1b'));
	EXPECT(close(slave) == 0 && close(master) == 0);
}

TEST(log, a_sink_that_takes_nothing_is_counted)
{
	heist_stats t = heist_stats_default();
	int fd = open("/dev/null", O_RDONLY);
	redirect(fd);
	heist_system *s = start(test_clock_config(), say_hello);
	speak(s);
	heist_status r = heist_get_stats(s, &t);
	heist_status ended = heist_shutdown(s, 0);
	restore();
	EXPECT(close(fd) == 0);
	EXPECT(r == HEIST_OK && ended == HEIST_OK && t.log_lines == 1 && t.log_lost == 1);
}

/* ---- the environment ---- */

TEST(log, the_environment_counts_where_the_configuration_says_nothing)
{
	heist_config c = kept();
	heist_system *s;
	setenv("HEIST_LOG_LEVEL", "error", 1);
	s = start(c, say_all);
	speak(s);
	EXPECT(lines == 1 && heist_shutdown(s, 0) == HEIST_OK);
	c.log_level = HEIST_LOG_WARN;
	s = start(c, say_all);
	speak(s);
	EXPECT(lines == 2 && heist_shutdown(s, 0) == HEIST_OK);
	setenv("HEIST_LOG_LEVEL", "", 1); /* as if it were not set */
	setenv("HEIST_LOG_FORMAT", "json", 1);
	EXPECT(piped(test_clock_config(), say_hello)[0] == '{');
	setenv("HEIST_LOG_FORMAT", "jsno", 1);
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && strstr(told[lines - 1], "HEIST_LOG_FORMAT"));
	unsetenv("HEIST_LOG_FORMAT");
	setenv("HEIST_LOG_LEVEL", "loud", 1);
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && strstr(told[lines - 1], "HEIST_LOG_LEVEL"));
	unsetenv("HEIST_LOG_LEVEL");
}

/* ---- threads ---- */

static _Atomic long in_sink, leave, handled;

static void stuck(void *user, const heist_log_line *line)
{
	atomic_fetch_add(&in_sink, 1);
	EXPECT(wait_for(&leave, 1));
	keep(user, line);
}

static void say_thirty(heist_ctx *ctx)
{
	for (int i = 0; i < 30; i++)
		(void)heist_log(ctx, HEIST_LOG_WARN, "line %d", i);
	atomic_fetch_add(&handled, 1);
}

static heist_config threads(void (*sink)(void *, const heist_log_line *))
{
	heist_config c = heist_config_default();
	c.workers = 2;
	c.pin = HEIST_OFF;
	c.log = sink;
	c.log_lines = 16;
	return c;
}

TEST(log, a_sink_that_waits_holds_up_no_worker)
{
	heist_stats t = heist_stats_default();
	in_sink = leave = handled = 0;
	heist_system *s = start(threads(stuck), say_thirty);
	heist_ref r = test_spawn(s, &talker, NULL);
	for (int i = 0; i < 10; i++)
		EXPECT(test_tell(r, &GO, 0) == HEIST_OK);
	EXPECT(wait_for(&handled, 10) && wait_for(&in_sink, 1));
	EXPECT(in_sink == 1 && lines == 0); /* one at a time */
	EXPECT(heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(t.log_lines + t.log_lost == 300 && t.log_lost >= 283);
	EXPECT(heist_log_dump(s, 2) == HEIST_ETIMEOUT);
	leave = 1;
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(lines == (long)t.log_lines + 1); /* and one about the lost */
}

static void *from_outside(void *system)
{
	for (int i = 0; i < 100; i++)
		while (heist_log_for(system, HEIST_LOG_WARN, "line %d", i) != HEIST_OK)
			test_sleep_ms(1);
	return NULL;
}

TEST(log, threads_outside_write_lines_too)
{
	heist_system *s = start(threads(keep), NULL);
	pthread_t t[2];
	for (int i = 0; i < 2; i++)
		EXPECT(pthread_create(&t[i], NULL, from_outside, s) == 0);
	for (int i = 0; i < 2; i++)
		EXPECT(pthread_join(t[i], NULL) == 0);
	EXPECT(wait_for(&lines, 200)); /* nobody has to call for them */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void say_last(heist_ctx *ctx, void *state, heist_status why)
{
	(void)state, (void)why;
	EXPECT(heist_log(ctx, HEIST_LOG_WARN, "the end") == HEIST_OK);
}
static const heist_hooks last_hooks = { .stop = say_last };
static const heist_class ender = { "ender", HEIST_ABI, 0, recv, &last_hooks };

TEST(log, all_that_was_written_is_told_before_the_runtime_ends)
{
	heist_config c = threads(keep);
	c.log_lines = 64;
	heist_system *s = start(c, NULL);
	for (int i = 0; i < 50; i++)
		(void)test_spawn(s, &ender, NULL);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(lines == 50 && strcmp(told[49], "the end") == 0);
}

/* ---- before a crash ---- */

static heist_system *crashing;
static int dumped_to;
static _Atomic long dumped;

static void on_signal(int number)
{
	(void)number;
	atomic_store(&dumped, heist_log_dump(crashing, dumped_to) == HEIST_OK);
}

static void say_and_crash(heist_ctx *ctx)
{
	say_hello(ctx);
	say_hello(ctx);
	EXPECT(raise(SIGUSR1) == 0);
}

TEST(log, a_handler_of_signals_can_save_what_waits)
{
	char text[1024];
	int fd[2];
	EXPECT(pipe(fd) == 0 && signal(SIGUSR1, on_signal) != SIG_ERR);
	heist_system *s = start(kept(), say_and_crash);
	crashing = s;
	dumped_to = fd[1];
	dumped = 0;
	speak(s);
	EXPECT(dumped == 1 && lines == 0);
	ssize_t n = read(fd[0], text, sizeof text - 1);
	EXPECT(n > 0);
	text[n] = '\0';
	char *second = strchr(text, '\n') + 1;
	expect_line(text, "1970-01-12T13:46:40.000000Z heist warn worker 0 talker ",
		    strstr(text, ": hello"));
	EXPECT(strstr(second, ": hello 7, you\n") && strchr(second, '\n')[1] == '\0');
	EXPECT(heist_log_dump(s, -1) == HEIST_OK); /* there is nothing left */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK && lines == 0);
	EXPECT(close(fd[0]) == 0 && close(fd[1]) == 0);
}
