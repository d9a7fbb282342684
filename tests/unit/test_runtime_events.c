/* SPDX-License-Identifier: BSD-2-Clause
 * What a runtime remembers of its last deeds, and prints. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/runtime.h"

static const heist_type PING = { .base = &PING, .name = "ping", .size = 8, .reply_size = 8 };

static heist_next player_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	uint64_t n = *(uint64_t *)msg;
	(void)state, (void)type;
	if (n == 3)
		heist_panic(ctx, HEIST_ECRASH);
	return n == 2 ? HEIST_STOP : HEIST_CONTINUE;
}
static const heist_class player = { "player", HEIST_ABI, 0, player_recv, NULL };

static heist_system *start(uint32_t events)
{
	heist_config c = heist_config_default();
	heist_system *s = NULL;
	c.mode = HEIST_POLLED;
	c.events = events;
	EXPECT(heist_start(&c, &s) == HEIST_OK);
	return s;
}

static void run(heist_system *s)
{
	while (heist_poll(s, 0, 1000) > 0)
		;
}

static char text[1 << 16];

/* What is printed now; the number of lines. */
static int dump(heist_system *s)
{
	int fd = memfd_create("events", 0), lines = 0;
	EXPECT(fd >= 0);
	EXPECT(heist_dump_events(s, fd) == HEIST_OK);
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	close(fd);
	EXPECT(n >= 0);
	text[n] = '\0';
	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	return lines;
}

/* Line i, from its thread on. */
static const char *line(int i)
{
	static char copy[256];
	const char *p = text;
	while (i-- > 0 && *p)
		p = strchr(p, '\n') + 1;
	if (!*p)
		return "";
	p = strchr(p, ' ') + 1; /* the time */
	snprintf(copy, sizeof copy, "%.*s", (int)(strchr(p, '\n') - p), p);
	return copy;
}

static bool says(int i, const char *event, heist_ref r, const char *rest)
{
	char want[256];
	snprintf(want, sizeof want, "worker 0 %s %016llx %s", event, (unsigned long long)r.v, rest);
	return strcmp(line(i), want) == 0;
}

/* At least one, at the end of a poll; the line behind them. */
static int parks(int i)
{
	EXPECT(strcmp(line(i), "worker 0 park") == 0);
	while (strcmp(line(i), "worker 0 park") == 0)
		i++;
	return i;
}

TEST(runtime_events, tell_the_life_of_an_actor)
{
	heist_system *s = start(100);
	heist_ref a = test_spawn(s, &player, NULL);
	run(s);
	EXPECT(test_tell(a, &PING, 1) == HEIST_OK);
	run(s);
	EXPECT(test_tell(a, &PING, 2) == HEIST_OK && test_tell(a, &PING, 1) == HEIST_OK);
	run(s);
	int lines = dump(s), i = 0;
	EXPECT(says(i++, "start", a, "player"));
	i = parks(i);
	EXPECT(says(i++, "run", a, "ping message"));
	i = parks(i);
	EXPECT(says(i++, "run", a, "ping message"));
	EXPECT(says(i++, "lost", a, "ping stopped"));
	EXPECT(says(i++, "end", a, "player"));
	EXPECT(parks(i) == lines);
	EXPECT(dump(s) == 0); /* it is forgotten */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(runtime_events, keep_the_last_ones)
{
	heist_system *s = start(5); /* rounded up to 7 */
	heist_ref a = test_spawn(s, &player, NULL);
	for (int i = 0; i < 100; i++) {
		EXPECT(test_tell(a, &PING, 1) == HEIST_OK);
		run(s);
	}
	EXPECT(dump(s) == 7);
	EXPECT(strcmp(line(6), "worker 0 park") == 0);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(runtime_events, know_the_end_by_panic)
{
	heist_system *s = start(100);
	heist_ref a = test_spawn(s, &player, NULL);
	run(s);
	EXPECT(test_tell(a, &PING, 3) == HEIST_OK);
	run(s);
	heist_ref b = test_spawn(s, &player, NULL);
	run(s);
	int lines = dump(s), ends = 0, starts = 0;
	for (int i = 0; i < lines; i++) {
		ends += says(i, "end", a, "player");
		starts += says(i, "start", a, "player") || says(i, "start", b, "player");
	}
	EXPECT(ends == 1 && starts == 2);
	EXPECT(strstr(text, " lost ") && strstr(text, "ping failed"));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static heist_system *dumped;
static int dumped_to;

static void on_signal(int signal)
{
	(void)signal;
	EXPECT(heist_dump_events(dumped, dumped_to) == HEIST_OK);
}

static heist_next crashing_recv(heist_ctx *ctx, void *state, const heist_type *type, void *msg)
{
	(void)ctx, (void)state, (void)type, (void)msg;
	raise(SIGUSR1);
	return HEIST_CONTINUE;
}

TEST(runtime_events, can_be_printed_by_a_signal_handler)
{
	static const heist_class c = { "crashing", HEIST_ABI, 0, crashing_recv, NULL };
	heist_system *s = dumped = start(100);
	heist_ref a = test_spawn(s, &c, NULL);
	run(s);
	dumped_to = memfd_create("events", 0);
	signal(SIGUSR1, on_signal);
	EXPECT(test_tell(a, &PING, 1) == HEIST_OK);
	run(s);
	signal(SIGUSR1, SIG_DFL);
	ssize_t n = pread(dumped_to, text, sizeof text - 1, 0);
	close(dumped_to);
	EXPECT(n > 0);
	text[n] = '\0';
	EXPECT(strstr(text, " start ") && strstr(text, "crashing\n"));
	EXPECT(strcmp(strrchr(text, ' '), " message\n") == 0); /* last of all: what runs now */
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(runtime_events, of_threads_outside_have_their_place)
{
	static const heist_class quick = { "quick", HEIST_ABI, 0, player_recv, NULL };
	heist_system *s = start(100);
	heist_ref a = test_spawn(s, &quick, NULL);
	run(s);
	uint64_t v = 1;
	EXPECT(heist_call(s, a, &PING, &v, heist_in_ms(s, 10000), &v) == HEIST_ENOREPLY);
	dump(s);
	EXPECT(strstr(text, "ping request"));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(runtime_events, are_off_by_default)
{
	unsetenv("HEIST_EVENTS");
	heist_system *s = start(0);
	heist_ref a = test_spawn(s, &player, NULL);
	EXPECT(test_tell(a, &PING, 1) == HEIST_OK);
	run(s);
	EXPECT(dump(s) == 1 && strstr(text, "HEIST_EVENTS"));
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

TEST(runtime_events, a_descriptor_that_takes_nothing_is_told)
{
	heist_system *s = start(10);
	(void)test_spawn(s, &player, NULL);
	run(s);
	EXPECT(heist_dump_events(s, -1) == HEIST_EINVAL);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
}

static void start_with(const char *environment, uint32_t config, heist_status want)
{
	heist_config c = heist_config_default();
	heist_system *s;
	c.mode = HEIST_POLLED;
	c.events = config;
	setenv("HEIST_EVENTS", environment, 1);
	EXPECT(heist_start(&c, &s) == want);
	if (want == HEIST_OK)
		EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	unsetenv("HEIST_EVENTS");
}

TEST(runtime_events, the_environment_turns_them_on)
{
	setenv("HEIST_EVENTS", "3", 1);
	heist_system *s = start(0);
	unsetenv("HEIST_EVENTS");
	for (int i = 0; i < 10; i++)
		(void)test_spawn(s, &player, NULL);
	run(s);
	EXPECT(dump(s) == 3);
	EXPECT(heist_shutdown(s, 0) == HEIST_OK);
	start_with("", 0, HEIST_OK);
	start_with("0", 0, HEIST_OK);
	start_with("1048576", 0, HEIST_OK);
	start_with("many", 0, HEIST_EINVAL);
	start_with("-1", 0, HEIST_EINVAL);
	start_with("1048577", 0, HEIST_EINVAL);
	start_with("10", (1 << 20) + 1, HEIST_EINVAL);
}
