/* SPDX-License-Identifier: BSD-2-Clause
 * config_text.c - values of keys as text: read, refused with a reason, described.  Pure. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/config.h"

/* ---- text that is put together ---- */

struct text {
	char *at;
	size_t left;
};

static struct text text_in(char *room, size_t size)
{
	room[0] = '\0';
	return (struct text){ room, size };
}

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int n = vsnprintf(t->at, t->left, format, args);
	va_end(args);
	size_t used = n < 0 ? 0 : (size_t)n < t->left ? (size_t)n : t->left - 1;
	t->at += used;
	t->left -= used;
}

/* What somebody wrote: on one line, whatever it is. */
static void put_foreign(struct text *t, const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put(t, s[i] < ' ' || s[i] > '~' ? "\\x%02x" : "%c", (unsigned char)s[i]);
}

/* In quotes, the beginning of it if it is long. */
#define QUOTED_MOST 24

static void put_quoted(struct text *t, const char *s, size_t size)
{
	put(t, "\"");
	put_foreign(t, s, size < QUOTED_MOST ? size : QUOTED_MOST);
	put(t, size > QUOTED_MOST ? "...\"" : "\"");
}

/* The end of a path that is long. */
#define FILE_MOST 60

static void put_file(struct text *t, const char *file)
{
	size_t n = strlen(file);
	size_t hidden = n > FILE_MOST ? n - FILE_MOST : 0;
	put(t, hidden ? "..." : "");
	put_foreign(t, file + hidden, n - hidden);
}

static void put_variable(struct text *t, const struct config_key *key)
{
	put(t, "HEIST_");
	for (const char *c = key->name; *c; c++)
		put(t, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
}

void heist_config_variable(const struct config_key *key, char out[CONFIG_VARIABLE_MAX])
{
	struct text t = text_in(out, CONFIG_VARIABLE_MAX);
	put_variable(&t, key);
}

/* a number of threads from 1 to 256, or all */
static void put_range(struct text *t, const struct config_key *key)
{
	size_t n = 0;
	while (n < CONFIG_WORDS && key->words[n].text)
		n++;
	if (key->max)
		put(t, "a number of %s from %u to %u%s", key->unit, key->min, key->max,
		    n ? ", or " : "");
	for (size_t i = 0; i < n; i++)
		put(t, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", key->words[i].text);
}

static void put_value(struct text *t, const struct config_key *key, uint32_t value)
{
	for (size_t i = 0; i < CONFIG_WORDS && key->words[i].text; i++)
		if (key->words[i].value == value) {
			put(t, "%s", key->words[i].text);
			return;
		}
	put(t, "%u", value);
}

static void put_default(struct text *t, const struct config_key *key)
{
	if (key->usual)
		put(t, "%s", key->usual);
	else
		put_value(t, key, key->standard);
}

/* ---- a value ---- */

static bool same(const char *s, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(s, word, size) == 0;
}

static bool number_from(const char *s, size_t size, uint32_t *out)
{
	uint64_t n = 0;
	for (size_t i = 0; i < size; i++) {
		if (s[i] < '0' || s[i] > '9' || n > UINT32_MAX / 10)
			return false;
		n = n * 10 + (uint64_t)(s[i] - '0');
	}
	*out = (uint32_t)n;
	return size > 0 && n <= UINT32_MAX;
}

static bool in_range(const struct config_key *key, uint32_t value)
{
	return key->max && value >= key->min && value <= key->max;
}

static bool value_from(const struct config_key *key, const char *s, size_t size, uint32_t *out)
{
	uint32_t n = 0;
	for (size_t i = 0; i < CONFIG_WORDS && key->words[i].text; i++)
		if (same(s, size, key->words[i].text)) {
			*out = key->words[i].value;
			return true;
		}
	if (!number_from(s, size, &n) || !in_range(key, n))
		return false;
	*out = n;
	return true;
}

static void choose(struct config_choice *to, struct config_choice from)
{
	if (from.source > to->source)
		*to = from;
}

bool heist_config_from_field(const struct config_key *key, uint32_t value, struct config_choice *to,
			     struct config_error *error)
{
	bool word = false;
	for (size_t i = 0; i < CONFIG_WORDS && key->words[i].text; i++)
		word |= key->words[i].value == value;
	if (value == 0)
		return true;
	if (word || in_range(key, value)) {
		choose(to, (struct config_choice){ value, CONFIG_FIELD, 0 });
		return true;
	}
	struct text t = text_in(error->text, sizeof error->text);
	put(&t, "config: %s is %u: it must be ", key->name, value);
	put_range(&t, key);
	put(&t, "; 0 is the default, ");
	put_default(&t, key);
	return false;
}

bool heist_config_from_variable(const struct config_key *key, const char *text,
				struct config_choice *to, struct config_error *error)
{
	struct config_choice choice = { 0, CONFIG_ENVIRONMENT, 0 };
	if (!text || !*text)
		return true;
	if (value_from(key, text, strlen(text), &choice.value)) {
		choose(to, choice);
		return true;
	}
	struct text t = text_in(error->text, sizeof error->text);
	put_variable(&t, key);
	put(&t, " is ");
	put_quoted(&t, text, strlen(text));
	put(&t, ": it must be ");
	put_range(&t, key);
	put(&t, "; unset it for the default, ");
	put_default(&t, key);
	return false;
}

/* ---- the nearest key ---- */

#define NAME_MOST 32u

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '-' ? '_' : c;
}

/* How many characters are to be changed, put in or left out (Levenshtein); size is at most NAME_MOST. */
static unsigned distance(const char *s, size_t size, const char *name)
{
	unsigned row[NAME_MOST + 1];
	for (unsigned i = 0; i <= size; i++)
		row[i] = i;
	for (; *name; name++) {
		unsigned corner = row[0]++;
		for (size_t i = 1; i <= size; i++) {
			unsigned change = corner + (folded(s[i - 1]) != *name);
			unsigned other = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + 1;
			corner = row[i];
			row[i] = change < other ? change : other;
		}
	}
	return row[size];
}

void heist_config_unknown(const char *name, size_t size, const char *prefix, char *out, size_t room)
{
	struct text t = text_in(out, room);
	const struct config_key *best = NULL;
	unsigned least = (unsigned)(size < NAME_MOST ? size : NAME_MOST) / 2 + 1;
	for (size_t k = 0; k < CONFIG_KEYS && size <= NAME_MOST; k++) {
		unsigned d = distance(name, size, heist_config_keys[k].name);
		if (d < least) {
			least = d;
			best = &heist_config_keys[k];
		}
	}
	if (best && !prefix) {
		put(&t, "did you mean %s?", best->name);
	} else if (best) {
		put(&t, "did you mean ");
		put_variable(&t, best);
		put(&t, "?");
	} else {
		put(&t, "the keys are");
		for (size_t k = 0; k < CONFIG_KEYS; k++)
			put(&t, "%s %s", k ? "," : "", heist_config_keys[k].name);
	}
}

/* ---- a file ---- */

struct line {
	const char *file;
	uint32_t number;
	struct config_error *error;
	const char *key, *value; /* of that many characters */
	size_t key_size, value_size;
};

static struct text line_refused(struct line *l)
{
	struct text t = text_in(l->error->text, sizeof l->error->text);
	put_file(&t, l->file);
	put(&t, ":%u: ", l->number);
	return t;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **s, size_t *size)
{
	while (*size && is_blank((*s)[*size - 1]))
		--*size;
	for (; *size && is_blank(**s); --*size)
		++*s;
}

static size_t without_comment(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (s[i] == '#' && (i == 0 || is_blank(s[i - 1])))
			return i;
	return size;
}

bool heist_config_refuse_file(const char *file, const char *why, struct config_error *error)
{
	struct text t = text_in(error->text, sizeof error->text);
	put(&t, "the configuration file ");
	put_file(&t, file);
	put(&t, ": %s; it is named by heist_config.file or HEIST_CONFIG", why);
	return false;
}

/* Key and value of a line; no key: there is nothing on it.  False: it is neither. */
static bool line_split(struct line *l, const char *s, size_t size)
{
	size = without_comment(s, size);
	trim(&s, &size);
	const char *equals = size ? memchr(s, '=', size) : NULL;
	l->key = s;
	l->key_size = equals ? (size_t)(equals - s) : 0;
	l->value = equals ? equals + 1 : s;
	l->value_size = equals ? size - l->key_size - 1 : 0;
	trim(&l->key, &l->key_size);
	trim(&l->value, &l->value_size);
	if (size == 0 || l->key_size)
		return true;
	struct text t = line_refused(l);
	put_quoted(&t, s, size);
	put(&t, " is no line of the form key = value; # begins a comment");
	return false;
}

static const struct config_key *line_key(struct line *l)
{
	for (size_t k = 0; k < CONFIG_KEYS; k++)
		if (same(l->key, l->key_size, heist_config_keys[k].name))
			return &heist_config_keys[k];
	struct text t = line_refused(l);
	put(&t, "there is no key ");
	put_quoted(&t, l->key, l->key_size);
	put(&t, "; ");
	heist_config_unknown(l->key, l->key_size, NULL, t.at, t.left);
	return NULL;
}

static bool line_choose(struct line *l, const struct config_key *key, uint32_t *seen,
			struct config_choice *to)
{
	struct config_choice choice = { 0, CONFIG_FILE, l->number };
	bool good = value_from(key, l->value, l->value_size, &choice.value);
	if (good && !*seen) {
		*seen = l->number;
		choose(to, choice);
		return true;
	}
	struct text t = line_refused(l);
	if (good) {
		put(&t, "%s stands in line %u already; leave one of them out", key->name, *seen);
		return false;
	}
	put(&t, "%s is ", key->name);
	put_quoted(&t, l->value, l->value_size);
	put(&t, ": it must be ");
	put_range(&t, key);
	put(&t, "; leave the line out for the default, ");
	put_default(&t, key);
	return false;
}

bool heist_config_from_text(const char *text, size_t size, const char *file,
			    struct config_choice to[CONFIG_KEYS], struct config_error *error)
{
	struct line l = { .file = file, .error = error };
	uint32_t seen[CONFIG_KEYS] = { 0 };
	for (const char *end = text + size; text < end;) {
		const char *next = memchr(text, '\n', (size_t)(end - text));
		l.number++;
		if (!line_split(&l, text, (size_t)((next ? next : end) - text)))
			return false;
		const struct config_key *key = l.key_size ? line_key(&l) : NULL;
		if (l.key_size && !key)
			return false;
		size_t k = key ? (size_t)(key - heist_config_keys) : 0;
		if (key && !line_choose(&l, key, &seen[k], &to[k]))
			return false;
		text = next ? next + 1 : end;
	}
	return true;
}

/* ---- a key in words ---- */

static void put_source(struct text *t, const struct config_key *key,
		       const struct config_choice *choice, const char *file)
{
	put(t, "  # ");
	if (choice->source == CONFIG_FIELD)
		put(t, "the program");
	else if (choice->source == CONFIG_ENVIRONMENT)
		put_variable(t, key);
	if (choice->source != CONFIG_FILE)
		return;
	put_file(t, file);
	put(t, ":%u", choice->line);
}

void heist_config_describe(const struct config_key *key, const struct config_choice *choice,
			   const char *file, char *out, size_t size)
{
	struct text t = text_in(out, size);
	put(&t, "# %s.\n# ", key->doc);
	put_range(&t, key);
	put(&t, "; default: ");
	put_default(&t, key);
	put(&t, "; or ");
	put_variable(&t, key);
	put(&t, "\n%s%s = ", choice->source == CONFIG_DEFAULT ? "#" : "", key->name);
	if (choice->source == CONFIG_DEFAULT) {
		put_default(&t, key);
	} else {
		put_value(&t, key, choice->value);
		put_source(&t, key, choice, file);
	}
	put(&t, "\n");
}
