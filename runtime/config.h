/* SPDX-License-Identifier: BSD-2-Clause
 * config.h - what an operator may choose about a runtime: one table of keys, and who chooses.
 *
 * Order     a field of heist_config that is not 0 beats the environment, which beats the file, which beats the
 *           default.  What is set and makes no sense is an error even where something beats it.
 * File      heist_config.file, or else the one that HEIST_CONFIG names: lines `key = value`; # begins a comment,
 *           at the start of a line or after a blank.
 * Threads   any, but getenv: nobody may change the environment meanwhile.
 * Adding    a field of type uint32_t or heist_switch to heist_config is a line in the table (config.c); the
 *           lint check_config sees that it is there. */
#ifndef HEIST_RUNTIME_CONFIG_H
#define HEIST_RUNTIME_CONFIG_H

#include "runtime/system.h"

/* A value that is no number, or stands for one. */
struct config_word {
	const char *text;
	uint32_t value;
};

#define CONFIG_WORDS 5

struct config_key {
	const char *name;  /* of the field; HEIST_ and this in capitals is the variable's */
	size_t offset;	   /* in heist_config */
	uint32_t min, max; /* of numbers; max 0: only words */
	uint32_t standard; /* the default; 0: what `usual` says */
	const char *usual; /* NULL: standard */
	const char *unit, *doc;
	struct config_word
		words[CONFIG_WORDS]; /* the first of those with one value is the one to print */
};

#define CONFIG_KEYS 16
extern const struct config_key heist_config_keys[CONFIG_KEYS];

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_ENVIRONMENT, CONFIG_FIELD };

/* What was chosen, in the order of the table. */
struct config_choice {
	uint32_t value;
	enum config_source source;
	uint32_t line; /* of the file */
};

/* What is wrong: where, what, and what to do. */
struct config_error {
	char text[232]; /* fits into a line of the log behind the name of a function */
};

/* ---- steps (config_text.c): false and an error ---- */

/* What a field says, an environment variable, the text of a file.  `to` is changed where it has no better
 * source already. */
bool heist_config_from_field(const struct config_key *key, uint32_t value, struct config_choice *to,
			     struct config_error *error);
bool heist_config_from_variable(const struct config_key *key, const char *text,
				struct config_choice *to, struct config_error *error);
bool heist_config_from_text(const char *text, size_t size, const char *file,
			    struct config_choice to[CONFIG_KEYS], struct config_error *error);
/* False: the file is not read, and why. */
bool heist_config_refuse_file(const char *file, const char *why, struct config_error *error);
/* One key as two lines of comment and one that a file may have: of less than `size` bytes. */
void heist_config_describe(const struct config_key *key, const struct config_choice *choice,
			   const char *file, char *out, size_t size);
/* HEIST_ and the name in capitals. */
#define CONFIG_VARIABLE_MAX 24
void heist_config_variable(const struct config_key *key, char out[CONFIG_VARIABLE_MAX]);
/* A sentence about a key that there is not: the nearest one, or all. */
void heist_config_unknown(const char *name, size_t size, const char *prefix, char *out,
			  size_t room);

/* ---- all of it (config.c) ---- */

/* What the caller's header knew; the rest is 0.  NULL, or what is wrong. */
const char *heist_config_copy(heist_config *to, const heist_config *from);
/* Every key that is 0 gets its value: from outside, if asked for, or its default. */
bool heist_config_resolve(heist_config *config, bool outside, struct config_error *error);
/* One line in the log for each variable that begins with HEIST_ and is nobody's. */
void heist_config_strangers(const heist_config *config);

#endif
