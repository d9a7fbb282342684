/* SPDX-License-Identifier: BSD-2-Clause
 * cgroup.c - finds the control groups of this process and takes the smallest CPU quota. */
#define _GNU_SOURCE
#include "sched/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 4096

/* ---- numbers ---- */

const char *heist_cgroup_number(const char *text, uint64_t *out)
{
	uint64_t n = 0;
	if (*text < '0' || *text > '9')
		return NULL;
	for (; *text >= '0' && *text <= '9'; text++) {
		uint64_t digit = (uint64_t)(*text - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return NULL;
		n = n * 10 + digit;
	}
	*out = n;
	return text;
}

static uint64_t thousandths(uint64_t quota, uint64_t period)
{
	if (quota == 0 || period == 0 || quota > UINT64_MAX / 1000)
		return 0;
	uint64_t n = quota * 1000 / period;
	return n ? n : 1; /* the least quota is still a limit */
}

static bool at_end(const char *text)
{
	return *text == '\0' || (*text == '\n' && text[1] == '\0');
}

uint64_t heist_cgroup_parse_max(const char *text)
{
	uint64_t quota, period;
	const char *end = heist_cgroup_number(text, &quota);
	if (!end || *end != ' ' || !(end = heist_cgroup_number(end + 1, &period)) || !at_end(end))
		return 0;
	return thousandths(quota, period);
}

/* ---- files ---- */

/* A file read line by line. */
struct lines {
	int fd;
	size_t begin, end;
	char text[PATH_SIZE + 256];
};

static bool lines_open(struct lines *l, const char *root, const char *path)
{
	char full[PATH_SIZE];
	if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full)
		return false;
	l->fd = open(full, O_RDONLY | O_CLOEXEC);
	l->begin = l->end = 0;
	return l->fd >= 0;
}

static bool lines_fill(struct lines *l)
{
	ssize_t n;
	memmove(l->text, l->text + l->begin, l->end - l->begin);
	l->end -= l->begin;
	l->begin = 0;
	do
		n = read(l->fd, l->text + l->end, sizeof l->text - 1 - l->end);
	while (n < 0 && errno == EINTR);
	l->end += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* The next line without its newline, or NULL.  A line that does not fit is skipped whole: the rest of
 * it must not pass for another line. */
static char *lines_next(struct lines *l)
{
	bool skip = false;
	for (;;) {
		char *line = l->text + l->begin;
		char *newline = memchr(line, '\n', l->end - l->begin);
		if (newline) {
			*newline = '\0';
			l->begin = (size_t)(newline - l->text) + 1;
			if (!skip)
				return line;
			skip = false;
		} else if (l->end - l->begin == sizeof l->text - 1) {
			skip = true;
			l->begin = l->end;
		} else if (!lines_fill(l)) {
			bool rest = l->end > 0 && !skip;
			l->text[l->end] = '\0';
			l->begin = l->end;
			return rest ? l->text : NULL;
		}
	}
}

static bool read_text(const char *folder, const char *name, char *text, size_t size)
{
	char path[PATH_SIZE];
	if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n;
	do
		n = read(fd, text, size - 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n <= 0 || n == (ssize_t)size - 1)
		return false; /* longer than any number that the kernel writes: do not read half of it */
	text[n] = '\0';
	return true;
}

/* ---- /proc/self/mountinfo, /proc/self/cgroup ---- */

/* Is `word` one of a comma-separated list? */
static bool listed(const char *list, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
	}
	return false;
}

static bool octal(const char *text)
{
	return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
	       text[2] >= '0' && text[2] <= '7';
}

/* The kernel writes blanks, newlines and backslashes of paths as \ooo. */
static void unescape(char *text)
{
	char *to = text;
	while (*text)
		if (*text == '\\' && octal(text + 1)) {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 4;
		} else {
			*to++ = *text++;
		}
	*to = '\0';
}

/* Six fields, optional ones, "-", then type, source and options (proc(5)). */
bool heist_cgroup_parse_mount(char *line, struct cgroup_mount *out)
{
	char *field[6], *type, *options;
	for (int i = 0; i < 6; i++)
		if (!(field[i] = strsep(&line, " ")))
			return false;
	do
		if (!(type = strsep(&line, " ")))
			return false;
	while (strcmp(type, "-") != 0);
	if (!(type = strsep(&line, " ")) || !strsep(&line, " ") || !(options = strsep(&line, " ")))
		return false;
	out->v2 = strcmp(type, "cgroup2") == 0;
	if (!out->v2 && (strcmp(type, "cgroup") != 0 || !listed(options, "cpu")))
		return false;
	out->root = field[3];
	out->point = field[4];
	unescape(out->root);
	unescape(out->point);
	return true;
}

/* "0::/group" (v2), "4:cpu,cpuacct:/group" (v1). */
char *heist_cgroup_parse_self(char *line, bool *v2)
{
	char *id = strsep(&line, ":"), *controllers = strsep(&line, ":");
	if (!controllers || !line || *line != '/')
		return NULL;
	*v2 = strcmp(id, "0") == 0 && *controllers == '\0';
	return *v2 || listed(controllers, "cpu") ? line : NULL;
}

/* Outside a cgroup namespace the kernel writes "/.." for what lies above its top. */
static bool leads_out(const char *path)
{
	for (const char *at = strstr(path, "/.."); at; at = strstr(at + 1, "/.."))
		if (at[3] == '/' || at[3] == '\0')
			return true;
	return false;
}

const char *heist_cgroup_below(const char *root, const char *group)
{
	size_t n = strcmp(root, "/") == 0 ? 0 : strlen(root);
	if (leads_out(root) || leads_out(group) || strncmp(root, group, n) != 0)
		return NULL;
	group += n;
	if (*group != '\0' && *group != '/')
		return NULL; /* /ab is not below /a */
	return strcmp(group, "/") == 0 ? "" : group;
}

/* ---- the quota ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a && (!b || a < b) ? a : b;
}

static uint64_t quota_of_group(const char *folder, bool v2)
{
	char quota[64], period[64];
	uint64_t q = 0, p = 0;
	if (v2)
		return read_text(folder, "cpu.max", quota, sizeof quota)
			       ? heist_cgroup_parse_max(quota)
			       : 0;
	if (!read_text(folder, "cpu.cfs_quota_us", quota, sizeof quota) ||
	    !read_text(folder, "cpu.cfs_period_us", period, sizeof period))
		return 0;
	const char *end = heist_cgroup_number(quota, &q), *stop = heist_cgroup_number(period, &p);
	if (!end || !stop || !at_end(end) || !at_end(stop))
		return 0; /* "-1": no limit */
	return thousandths(q, p);
}

/* From the group `below` up to the top of the mount. */
static uint64_t quota_of_path(const char *root, const struct cgroup_mount *m, const char *below)
{
	char folder[PATH_SIZE];
	uint64_t quota = 0;
	size_t top = strlen(root) + strlen(m->point);
	if (snprintf(folder, sizeof folder, "%s%s%s", root, m->point, below) >= (int)sizeof folder)
		return 0;
	for (;;) {
		quota = least(quota_of_group(folder, m->v2), quota);
		char *slash = strrchr(folder + top, '/');
		if (!slash)
			return quota;
		*slash = '\0';
	}
}

/* The process's own groups, [v2]; "" = none. */
struct groups {
	char path[2][PATH_SIZE];
};

static bool groups_read(const char *root, struct groups *g)
{
	struct lines l;
	bool v2;
	g->path[0][0] = g->path[1][0] = '\0';
	if (!lines_open(&l, root, "/proc/self/cgroup"))
		return false;
	for (char *line; (line = lines_next(&l)) != NULL;) {
		char *path = heist_cgroup_parse_self(line, &v2);
		if (path && strlen(path) < PATH_SIZE)
			strcpy(g->path[v2], path);
	}
	close(l.fd);
	return true;
}

/* A mount that shows our group counts; one that does not (a foreign group bound somewhere, or ours
 * under a name that this namespace cannot see) only when no other of its version is there. */
static uint64_t quota_of_mounts(const char *root, const struct groups *g)
{
	struct lines l;
	uint64_t inside[2] = { 0, 0 }, outside[2] = { 0, 0 };
	bool seen[2] = { false, false };
	if (!lines_open(&l, root, "/proc/self/mountinfo"))
		return 0;
	for (char *line; (line = lines_next(&l)) != NULL;) {
		struct cgroup_mount m;
		if (!heist_cgroup_parse_mount(line, &m) || !*g->path[m.v2])
			continue;
		const char *below = heist_cgroup_below(m.root, g->path[m.v2]);
		uint64_t *quota = below ? inside : outside;
		seen[m.v2] |= below != NULL;
		quota[m.v2] = least(quota_of_path(root, &m, below ? below : ""), quota[m.v2]);
	}
	close(l.fd);
	return least(seen[0] ? inside[0] : outside[0], seen[1] ? inside[1] : outside[1]);
}

uint64_t heist_cgroup_quota(const char *root)
{
	struct groups g;
	return groups_read(root, &g) ? quota_of_mounts(root, &g) : 0;
}
