/* SPDX-License-Identifier: BSD-2-Clause
 * What an operator may choose: who beats whom, what a file may say, and what is told of mistakes. */
#define _GNU_SOURCE
#include "runtime/config.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/runtime.h"
#include "tests/support/tree.h"

/* ---- what is logged ---- */

static char logged[2048];

static void keep(void *user, const heist_log_line *line)
{
	(void)user;
	strncat(logged, line->text, sizeof logged - strlen(logged) - 2);
	strcat(logged, "\n");
}

static heist_config quiet(void)
{
	heist_config c = heist_config_default();
	c.log = keep;
	logged[0] = '\0';
	return c;
}

static bool says(const char *what)
{
	if (strstr(logged, what))
		return true;
	fprintf(stderr, "not \"%s\" but: %s\n", what, logged);
	return false;
}

/* ---- files ---- */

static char path[4096];

static const char *file(const char *text)
{
	tree_file("/heist.conf", text);
	snprintf(path, sizeof path, "%s/heist.conf", tree_root);
	return path;
}

/* What heist_config_load makes of a file; EINVAL: heist_start says the same. */
static heist_status load(heist_config *c, const char *text)
{
	heist_system *s;
	*c = quiet();
	c->file = file(text);
	heist_status r = heist_config_load(c);
	if (r != HEIST_OK) {
		char before[sizeof logged];
		snprintf(before, sizeof before, "%s", strchr(logged, ':'));
		*c = quiet();
		c->file = path;
		EXPECT(heist_start(c, &s) == r);
		EXPECT(says(before));
	}
	return r;
}

/* ---- who beats whom ---- */

static uint32_t batch_of(uint32_t field, const char *variable, const char *text)
{
	heist_config c = quiet();
	struct config_error error;
	c.batch = field;
	c.file = text ? file(text) : NULL;
	if (variable)
		setenv("HEIST_BATCH", variable, 1);
	EXPECT(heist_config_resolve(&c, true, &error));
	unsetenv("HEIST_BATCH");
	return c.batch;
}

TEST(config, a_field_beats_the_environment_beats_the_file_beats_the_default)
{
	tree_begin();
	EXPECT(batch_of(0, NULL, NULL) == 64);
	EXPECT(batch_of(0, NULL, "batch = 7\n") == 7);
	EXPECT(batch_of(0, "8", "batch = 7\n") == 8);
	EXPECT(batch_of(9, "8", "batch = 7\n") == 9);
	EXPECT(batch_of(9, NULL, "batch = 7\n") == 9);
	EXPECT(batch_of(0, "8", NULL) == 8);
	EXPECT(batch_of(9, "8", NULL) == 9);
	EXPECT(batch_of(0, "", "batch = 7\n") == 7); /* empty is not set */
	tree_end();
}

TEST(config, zero_from_outside_is_a_choice)
{
	heist_config c = quiet();
	struct config_error error;
	tree_begin();
	c.file = file("events = 100\n");
	setenv("HEIST_EVENTS", "0", 1);
	EXPECT(heist_config_resolve(&c, true, &error) && c.events == 0);
	unsetenv("HEIST_EVENTS");
	tree_end();
}

TEST(config, the_environment_names_the_file_if_the_program_does_not)
{
	heist_config c = quiet();
	char other[5000];
	tree_begin();
	tree_file("/other.conf", "batch = 5\n");
	snprintf(other, sizeof other, "%s/other.conf", tree_root);
	setenv("HEIST_CONFIG", file("batch = 7\nhog_ms = never\n"), 1);
	EXPECT(heist_config_load(&c) == HEIST_OK && c.batch == 7 && c.hog_ms == UINT32_MAX);
	c = quiet();
	c.file = other;
	EXPECT(heist_config_load(&c) == HEIST_OK && c.batch == 5 && c.hog_ms == 0);
	setenv("HEIST_CONFIG", "", 1);
	c = quiet();
	EXPECT(heist_config_load(&c) == HEIST_OK && c.batch == 0);
	unsetenv("HEIST_CONFIG");
	tree_end();
}

TEST(config, a_runtime_starts_with_what_the_file_says)
{
	heist_config c = quiet();
	heist_system *s;
	heist_stats t = heist_stats_default();
	tree_begin();
	c.file = file("workers = 3\npin = off\n");
	EXPECT(heist_start(&c, &s) == HEIST_OK && heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(t.workers == 3 && heist_shutdown(s, 0) == HEIST_OK);
	c.workers = 1;
	EXPECT(heist_start(&c, &s) == HEIST_OK && heist_get_stats(s, &t) == HEIST_OK);
	EXPECT(t.workers == 1 && heist_shutdown(s, 0) == HEIST_OK);
	tree_end();
}

TEST(config, a_short_structure_is_written_within_its_size)
{
	heist_config c = quiet(), old;
	setenv("HEIST_BATCH", "5", 1);
	setenv("HEIST_HOG_MS", "6", 1);
	c.struct_size = offsetof(heist_config, hog_ms);
	memset((char *)&c + c.struct_size, 0xa5, sizeof c - c.struct_size);
	old = c;
	EXPECT(heist_config_load(&c) == HEIST_OK && c.batch == 5);
	c.batch = old.batch;
	EXPECT(memcmp(&c, &old, sizeof c) == 0);
	unsetenv("HEIST_BATCH");
	unsetenv("HEIST_HOG_MS");
}

/* ---- what a file may say ---- */

TEST(config, every_key_with_comments_and_blanks)
{
	heist_config c;
	tree_begin();
	EXPECT(load(&c,
		    "# all of them\r\n\r\n"
		    "workers=all\n"
		    "\tpin\t=\ton\t# here\n"
		    "  batch = 65535#\n" /* no comment, but part of the value */) == HEIST_EINVAL);
	EXPECT(says(":5: batch is \"65535#\": it must be a number of messages from 1 to 65535"));
	EXPECT(load(&c, "# all of them\r\n\r\n"
			"workers=all\n"
			"\tpin\t=\ton\t# here\n"
			"  batch = 65535 #\n"
			"budget_us = 4294967295\n"
			"max_actors = 268435456\n"
			"events = 1048576\n"
			"threads_max = 64\n"
			"spare_max = 64\n"
			"hog_ms = 4294967294\r\n"
			"contain = 1\n"
			"log_level = off\n"
			"log_format = json\n"
			"log_lines = 65536\n"
			"sample = 1073741824\n"
			"memory_keep_ms = 1\n"
			"hog_name_ms = 1") == HEIST_OK);
	EXPECT(c.workers == HEIST_WORKERS_ALL && c.pin == HEIST_ON && c.batch == 65535);
	EXPECT(c.budget_us == UINT32_MAX && c.max_actors == 1u << 28 && c.events == 1u << 20);
	EXPECT(c.threads_max == 64 && c.spare_max == 64 && c.hog_ms == UINT32_MAX - 1);
	EXPECT(c.hog_name_ms == 1 && c.contain == HEIST_ON && logged[0] == '\0');
	EXPECT(c.log_level == HEIST_LOG_OFF && c.log_format == HEIST_LOG_JSON);
	EXPECT(c.log_lines == 65536 && c.sample == 1u << 30);
	EXPECT(c.memory_keep_ms == 1);
	EXPECT(load(&c, "") == HEIST_OK && load(&c, "\n#") == HEIST_OK);
	tree_end();
}

TEST(config, mistakes_in_a_file)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "batch = 1\nworker = 2\n",
		  "heist.conf:2: there is no key \"worker\"; did you mean workers?" },
		{ "Batch-= 2\n", ":1: there is no key \"Batch-\"; did you mean batch?" },
		{ "HOG-MS = 2\n", "did you mean hog_ms?" },
		{ "hog_nmae_ms = 2\n", "did you mean hog_name_ms?" },
		{ "colour = red\n",
		  "there is no key \"colour\"; the keys are workers, pin, batch" },
		{ "mode = polled\n", "there is no key \"mode\"; the keys are" },
		{ "\xef\xbb\xbf"
		  "batch = 1\n",
		  "\"\\xef\\xbb\\xbf" },
		{ "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd = 1\n",
		  "\"aaaaaaaaaabbbbbbbbbbcccc...\"" },
		{ "batch\n", ":1: \"batch\" is no line of the form key = value" },
		{ "= 3\n", "is no line of the form" },
		{ "batch =\n",
		  "batch is \"\": it must be a number of messages from 1 to 65535; leave the line "
		  "out for the default, 64" },
		{ "batch = 0\n", "batch is \"0\": it must be a number of messages from 1" },
		{ "batch = 65536\n", "batch is \"65536\"" },
		{ "batch = -1\n", "batch is \"-1\"" },
		{ "batch = 1 2\n", "batch is \"1 2\"" },
		{ "batch = 1 = 2\n", "batch is \"1 = 2\"" },
		{ "batch = 0x10\n", "batch is \"0x10\"" },
		{ "batch = 18446744073709551617\n", "batch is \"18446744073709551617\"" },
		{ "budget_us = 4294967296\n", "from 1 to 4294967295" },
		{ "workers = 257\n", "a number of threads from 1 to 256, or all;" },
		{ "workers = ALL\n", "workers is \"ALL\"" },
		{ "pin = yes\n", "pin is \"yes\": it must be on, off, 1 or 0" },
		{ "pin = 2\n", "pin is \"2\"" },
		{ "batch = 1\n\nbatch = 2\n", ":3: batch stands in line 1 already" },
		{ "batch = 1\n\nbatch = 1\n", ":3: batch stands in line 1 already" },
	};
	heist_config c;
	tree_begin();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		EXPECT(load(&c, cases[i].text) == HEIST_EINVAL);
		EXPECT(says(cases[i].said) && c.batch == 0);
	}
	tree_end();
}

TEST(config, files_that_are_none)
{
	heist_config c = quiet();
	static char large[(16 << 10) + 2];
	tree_begin();
	c.file = "/no/such/file";
	EXPECT(heist_config_load(&c) == HEIST_EINVAL);
	EXPECT(says("/no/such/file: No such file") && says("heist_config.file or HEIST_CONFIG"));
	c = quiet();
	c.file = tree_root;
	EXPECT(heist_config_load(&c) == HEIST_EINVAL && says("Is a directory"));
	memset(large, '\n', sizeof large - 1);
	EXPECT(load(&c, large) == HEIST_EINVAL && says("more than 16 KiB"));
	large[sizeof large - 2] = '\0';
	EXPECT(load(&c, large) == HEIST_OK);
	tree_end();
}

TEST(config, bytes_of_any_kind_on_a_line)
{
	static const char nul[] = "batch = 1\0002\n", key[] = "bat\0ch = 1\n";
	struct config_choice choice[CONFIG_KEYS] = { 0 };
	struct config_error error;
	EXPECT(!heist_config_from_text(nul, sizeof nul - 1, "f", choice, &error));
	EXPECT(strstr(error.text, "f:1: batch is \"1\\x002\""));
	EXPECT(!heist_config_from_text(key, sizeof key - 1, "f", choice, &error));
	EXPECT(strstr(error.text, "did you mean batch?"));
}

/* ---- the environment ---- */

static void variable(const char *name, const char *value, uint32_t field, const char *said)
{
	heist_config c = quiet();
	heist_system *s;
	c.workers = field;
	setenv(name, value, 1);
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && says(said));
	unsetenv(name);
}

TEST(config, mistakes_in_the_environment)
{
	static const char *const workers[] = { "0",   "-1",  "+1",	   " 1",
					       "1 ",  "257", "4294967297", "18446744073709551617",
					       "two", "ALL", "all ",	   "1.5",
					       "0x2", "\xff" };
	for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
		variable("HEIST_WORKERS", workers[i], 0, "HEIST_WORKERS is \"");
		variable("HEIST_WORKERS", workers[i], 2, "HEIST_WORKERS is \""); /* beaten */
	}
	variable("HEIST_PIN", "true", 0,
		 "heist_start: HEIST_PIN is \"true\": it must be on, off, 1 or 0; unset it for the "
		 "default, on with");
	variable("HEIST_EVENTS", "1048577", 0, "a number of events from 0 to 1048576");
	variable("HEIST_HOG_MS", "4294967295", 0, "from 1 to 4294967294, or never");
}

TEST(config, a_polled_runtime_has_no_use_for_what_is_said_of_threads)
{
	heist_config c = quiet();
	heist_system *s;
	c.mode = HEIST_POLLED;
	setenv("HEIST_WORKERS", "2", 1);
	setenv("HEIST_CONTAIN", "on", 1);
	EXPECT(heist_start(&c, &s) == HEIST_OK && heist_shutdown(s, 0) == HEIST_OK);
	unsetenv("HEIST_WORKERS");
	unsetenv("HEIST_CONTAIN");
}

TEST(config, variables_that_nobody_reads_are_named)
{
	heist_config c = quiet();
	heist_system *s;
	c.mode = HEIST_POLLED;
	setenv("HEIST_WORKER", "2", 1);
	setenv("HEIST_COLOUR", "red", 1);
	setenv("HEIST_TEST_OF_THIS", "1", 1);
	setenv("HEISTING", "1", 1);
	EXPECT(heist_start(&c, &s) == HEIST_OK && heist_shutdown(s, 0) == HEIST_OK);
	EXPECT(says("the environment variable HEIST_WORKER means nothing; did you mean "
		    "HEIST_WORKERS?"));
	EXPECT(says("HEIST_COLOUR means nothing; the keys are workers,"));
	EXPECT(!strstr(logged, "OF_THIS") && !strstr(logged, "HEISTING"));
	unsetenv("HEIST_WORKER");
	unsetenv("HEIST_COLOUR");
	unsetenv("HEIST_TEST_OF_THIS");
	unsetenv("HEISTING");
}

/* ---- fields ---- */

TEST(config, fields_out_of_range)
{
	heist_config c = quiet();
	heist_system *s;
	c.batch = 70000;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL);
	EXPECT(says("config: batch is 70000: it must be a number of messages from 1 to 65535; 0 is "
		    "the default, "
		    "64"));
	c = quiet();
	c.pin = (heist_switch)9;
	EXPECT(heist_start(&c, &s) == HEIST_EINVAL && says("pin is 9: it must be on, off"));
}

/* ---- printing ---- */

static char printed[8192];

static bool print(void *user, const char *text, size_t size)
{
	(void)user;
	EXPECT(size < 512 && strlen(text) == size);
	strncat(printed, text, sizeof printed - strlen(printed) - 1);
	return strlen(printed) < 6000;
}

TEST(config, what_is_printed_is_a_file_that_says_the_same)
{
	heist_config c = quiet(), again = quiet();
	tree_begin();
	c.budget_us = 5;
	c.file = file("\nhog_ms = never\nworkers = 2\n");
	setenv("HEIST_PIN", "0", 1);
	printed[0] = '\0';
	EXPECT(heist_config_print(&c, print, NULL) == HEIST_OK);
	unsetenv("HEIST_PIN");
	EXPECT(strstr(printed, "\nbudget_us = 5  # the program\n"));
	EXPECT(strstr(printed, "\npin = off  # HEIST_PIN\n"));
	EXPECT(strstr(printed, "/heist.conf:2\n") && strstr(printed, "\nhog_ms = never  # "));
	EXPECT(strstr(printed,
		      "\n# a number of threads from 1 to 256, or all; default: as many as CPUs"));
	EXPECT(strstr(printed, "\n#batch = 64\n") && strstr(printed, "or HEIST_BATCH\n"));
	for (size_t k = 0; k < CONFIG_KEYS; k++)
		EXPECT(strstr(printed, heist_config_keys[k].doc));
	again.file = file(printed);
	EXPECT(heist_config_load(&again) == HEIST_OK && again.budget_us == 5);
	EXPECT(again.workers == 2 && again.hog_ms == UINT32_MAX && again.pin == HEIST_OFF);
	EXPECT(again.batch == 0);
	tree_end();
}

static bool refuse(void *user, const char *text, size_t size)
{
	(void)text, (void)size;
	return ++*(int *)user < 3;
}

TEST(config, printing_ends_where_it_is_refused)
{
	int pieces = 0;
	heist_config c = quiet();
	EXPECT(heist_config_print(NULL, refuse, &pieces) == HEIST_EINVAL && pieces == 3);
	setenv("HEIST_BATCH", "none", 1);
	EXPECT(heist_config_print(&c, refuse, &pieces) == HEIST_EINVAL && pieces == 3);
	EXPECT(says("HEIST_BATCH is \"none\""));
	unsetenv("HEIST_BATCH");
}
