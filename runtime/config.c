/* SPDX-License-Identifier: BSD-2-Clause
 * config.c - the table of keys, and where their values come from: fields, environment, file, defaults. */
#define _GNU_SOURCE
#include "runtime/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OF(FIELD) .name = #FIELD, .offset = offsetof(heist_config, FIELD)

const struct config_key heist_config_keys[CONFIG_KEYS] = {
	{ OF(workers), .min = 1, .max = SCHED_MAX_WORKERS, .unit = "threads",
	  .words = { { "all", HEIST_WORKERS_ALL } },
	  .usual = "as many as CPUs are allowed by affinity and quota",
	  .doc = "Workers, which run actors; all: one for each CPU of the affinity mask, whatever "
		 "the quota" },
	{ OF(pin),
	  .words = { { "on", HEIST_ON },
		     { "off", HEIST_OFF },
		     { "1", HEIST_ON },
		     { "0", HEIST_OFF } },
	  .usual = "on with 2 workers or more, off where CPUs are scarce",
	  .doc = "Whether each worker stays on one CPU" },
	{ OF(batch), .min = 1, .max = UINT16_MAX, .unit = "messages", .standard = 64,
	  .doc = "Most that an actor handles before others have their turn" },
	{ OF(budget_us), .min = 1, .max = UINT32_MAX, .unit = "microseconds", .standard = 1000,
	  .doc = "Time that an actor has before others have their turn" },
	{ OF(max_actors), .min = 1, .max = SLOT_MAX, .unit = "actors", .standard = SLOT_MAX,
	  .doc = "Alive at once; each takes 64 bytes of address space" },
	{ OF(events), .max = (uint32_t)1 << 20, .unit = "events",
	  .doc = "Kept by each thread for heist_dump_events" },
	{ OF(threads_max), .min = 1, .max = THREADS_MAX, .unit = "threads", .standard = 32,
	  .doc = "Actors with a thread of their own at a time" },
	{ OF(spare_max), .min = 1, .max = SPARES_MAX, .unit = "threads",
	  .usual = "as many as workers, none with one",
	  .doc = "Threads that serve in the place of workers whose handlers wait" },
	{ OF(hog_ms), .min = 1, .max = UINT32_MAX - 1, .unit = "milliseconds",
	  .words = { { "never", UINT32_MAX } }, .standard = 20,
	  .doc = "After which a handler is a hog, whose worker is replaced meanwhile" },
	{ OF(hog_name_ms), .min = 1, .max = UINT32_MAX, .unit = "milliseconds", .standard = 1000,
	  .doc = "After which a hog is named in the log" },
	{ OF(contain),
	  .words = { { "on", HEIST_ON },
		     { "off", HEIST_OFF },
		     { "1", HEIST_ON },
		     { "0", HEIST_OFF } },
	  .standard = HEIST_OFF,
	  .doc = "Whether faults in handlers of pure classes end the actor, not the process" },
	{ OF(log_level),
	  .words = { { "off", HEIST_LOG_OFF },
		     { "error", HEIST_LOG_ERROR },
		     { "warn", HEIST_LOG_WARN },
		     { "info", HEIST_LOG_INFO },
		     { "debug", HEIST_LOG_DEBUG } },
	  .standard = HEIST_LOG_WARN,
	  .doc = "Which lines are written to the log: those of this level and the graver ones" },
	{ OF(log_format), .words = { { "text", HEIST_LOG_TEXT }, { "json", HEIST_LOG_JSON } },
	  .standard = HEIST_LOG_TEXT, .doc = "What lines look like on standard error" },
	{ OF(log_lines), .min = 1, .max = 65536, .unit = "lines", .standard = 256,
	  .doc = "That may wait to be told; more are lost, and counted" },
	{ OF(sample), .max = (uint32_t)1 << 30, .unit = "activations",
	  .doc = "Of which one is measured, for statistics by class; 0: none" },
	{ OF(memory_keep_ms), .min = 1, .max = UINT32_MAX, .unit = "milliseconds",
	  .standard = 10000,
	  .doc = "After which memory of messages that is not needed goes back to the system" },
};

static uint32_t *field_of(heist_config *c, const struct config_key *key)
{
	return (uint32_t *)(void *)((char *)c + key->offset);
}

const char *heist_config_copy(heist_config *to, const heist_config *from)
{
	uint32_t size = from->struct_size;
	*to = heist_config_default();
	if (size < sizeof(uint32_t) || size > 4096)
		return "config: struct_size is wrong (use heist_config_default)";
	memcpy(to, from, size < sizeof *to ? size : sizeof *to);
	return NULL;
}

/* ---- the file ---- */

#define FILE_MOST ((size_t)16 << 10)

static bool from_file(const char *file, struct config_choice to[CONFIG_KEYS],
		      struct config_error *error)
{
	char text[FILE_MOST + 1]; /* on the stack: nothing is allocated */
	FILE *f = fopen(file, "re");
	if (!f)
		return heist_config_refuse_file(file, strerror(errno), error);
	size_t size = fread(text, 1, sizeof text, f);
	int failed = ferror(f) ? errno : 0;
	fclose(f);
	if (failed)
		return heist_config_refuse_file(file, strerror(failed), error);
	if (size > FILE_MOST)
		return heist_config_refuse_file(file, "more than 16 KiB", error);
	return heist_config_from_text(text, size, file, to, error);
}

/* NULL: there is none.  A program that runs with more rights than its caller takes no file from it. */
static const char *file_of(const heist_config *c)
{
	const char *file = c->file ? c->file : secure_getenv("HEIST_CONFIG");
	return file && *file ? file : NULL;
}

/* ---- all sources ---- */

static bool from_outside(const heist_config *c, struct config_choice to[CONFIG_KEYS],
			 struct config_error *error)
{
	char variable[CONFIG_VARIABLE_MAX];
	for (size_t k = 0; k < CONFIG_KEYS; k++) {
		heist_config_variable(&heist_config_keys[k], variable);
		if (!heist_config_from_variable(&heist_config_keys[k], getenv(variable), &to[k],
						error))
			return false;
	}
	const char *file = file_of(c);
	return !file || from_file(file, to, error);
}

static bool choices_of(heist_config *c, bool outside, struct config_choice to[CONFIG_KEYS],
		       struct config_error *error)
{
	memset(to, 0, CONFIG_KEYS * sizeof *to);
	for (size_t k = 0; k < CONFIG_KEYS; k++) {
		const struct config_key *key = &heist_config_keys[k];
		to[k].value = key->standard;
		if (!heist_config_from_field(key, *field_of(c, key), &to[k], error))
			return false;
	}
	return !outside || from_outside(c, to, error);
}

bool heist_config_resolve(heist_config *c, bool outside, struct config_error *error)
{
	struct config_choice choice[CONFIG_KEYS];
	if (!choices_of(c, outside, choice, error))
		return false;
	for (size_t k = 0; k < CONFIG_KEYS; k++)
		*field_of(c, &heist_config_keys[k]) = choice[k].value;
	return true;
}

/* ---- variables that nobody reads ---- */

/* Of tools: simulation, benchmarks, tests. */
static bool is_of_a_tool(const char *name)
{
	static const char *const tools[] = { "SIM_", "BENCH_", "TEST_", "FUZZ_" };
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
		if (strncmp(name, tools[i], strlen(tools[i])) == 0)
			return true;
	return false;
}

static bool is_known(const char *name, size_t size)
{
	char variable[CONFIG_VARIABLE_MAX];
	if (is_of_a_tool(name) || (size == 6 && memcmp(name, "CONFIG", 6) == 0))
		return true;
	for (size_t k = 0; k < CONFIG_KEYS; k++) {
		heist_config_variable(&heist_config_keys[k], variable);
		if (strlen(variable + 6) == size && memcmp(variable + 6, name, size) == 0)
			return true;
	}
	return false;
}

void heist_config_strangers(const heist_config *c)
{
	char hint[160], why[240];
	for (char **e = environ; e && *e; e++) {
		size_t size = strcspn(*e, "=");
		if (strncmp(*e, "HEIST_", 6) != 0 || is_known(*e + 6, size - 6))
			continue;
		heist_config_unknown(*e + 6, size - 6, "HEIST_", hint, sizeof hint);
		snprintf(why, sizeof why, "the environment variable %.*s means nothing; %s",
			 size < 40 ? (int)size : 40, *e, hint);
		heist_log_at_once(c, HEIST_LOG_WARN, "heist_start", why);
	}
}

/* ---- public ---- */

static heist_status refused(const heist_config *c, const char *function, const char *why)
{
	heist_log_at_once(c, HEIST_LOG_ERROR, function, why);
	return HEIST_EINVAL;
}

heist_status heist_config_load(heist_config *config)
{
	struct config_choice choice[CONFIG_KEYS];
	struct config_error error;
	heist_config c;
	if (!config)
		return HEIST_BAD_ARG("the config must not be NULL");
	const char *bad = heist_config_copy(&c, config);
	if (!bad && !choices_of(&c, true, choice, &error))
		bad = error.text;
	if (bad)
		return refused(&c, "heist_config_load", bad);
	for (size_t k = 0; k < CONFIG_KEYS; k++)
		if (choice[k].source != CONFIG_DEFAULT &&
		    heist_config_keys[k].offset + sizeof(uint32_t) <= config->struct_size)
			*field_of(config, &heist_config_keys[k]) = choice[k].value;
	return HEIST_OK;
}

heist_status heist_config_print(const heist_config *config,
				bool (*write)(void *user, const char *text, size_t size),
				void *user)
{
	struct config_choice choice[CONFIG_KEYS];
	struct config_error error;
	heist_config c = heist_config_default();
	char text[512];
	if (!write)
		return HEIST_BAD_ARG("write must not be NULL");
	const char *bad = config ? heist_config_copy(&c, config) : NULL;
	if (!bad && !choices_of(&c, true, choice, &error))
		bad = error.text;
	if (bad)
		return refused(&c, "heist_config_print", bad);
	for (size_t k = 0; k < CONFIG_KEYS; k++) {
		heist_config_describe(&heist_config_keys[k], &choice[k], file_of(&c), text,
				      sizeof text);
		if (!write(user, text, strlen(text)))
			return HEIST_EINVAL;
	}
	return HEIST_OK;
}
