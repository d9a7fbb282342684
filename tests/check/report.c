/* SPDX-License-Identifier: BSD-2-Clause
 * report.c - the trace of an execution, with source lines looked up only when it is printed. */
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/check/engine.h"

#define MOST 16384

static struct event {
	const char *what;
	const void *address;
	uint64_t value;
	void *where;
	int thread;
} events[MOST];
static int count;

static const char *const names[] = { "none",	       "assert",      "race",
				     "use-after-free", "double-free", "no-progress",
				     "deadlock",       "crash",	      "any" };

const char *kind_name(enum kind k)
{
	return k == KIND_LIMIT ? "limit of the checker" : names[k];
}

enum kind kind_of(const char *name)
{
	for (int i = 1; i < (int)(sizeof names / sizeof *names); i++)
		if (strcmp(names[i], name) == 0)
			return (enum kind)i;
	return KIND_NONE;
}

void trace_reset(void)
{
	count = 0;
}

void trace(const char *what, const void *p, uint64_t v, void *where)
{
	if (count < MOST)
		events[count++] = (struct event){ what, p, v, where, self };
}

/* Where the program lies, if its place is drawn at start. */
static int program_first(struct dl_phdr_info *info, size_t size, void *address)
{
	(void)size;
	*(uintptr_t *)address = info->dlpi_addr;
	return 1;
}

static uintptr_t load_address(void)
{
	uintptr_t address = 0;
	dl_iterate_phdr(program_first, &address);
	return address;
}

static void look_up(void *where, char *out, size_t size)
{
	char command[512], program[256] = "";
	out[0] = '\0';
	if (!where || readlink("/proc/self/exe", program, sizeof program - 1) < 0)
		return;
	snprintf(command, sizeof command, "addr2line -s -e '%s' %#lx 2>/dev/null", program,
		 (unsigned long)((uintptr_t)where - 1 - load_address()));
	FILE *f = popen(command, "r");
	if (f && fgets(out, (int)size, f))
		out[strcspn(out, "\n")] = '\0';
	if (f)
		pclose(f);
}

void source_line(void *where, char *out, size_t size)
{
	static struct {
		void *where;
		char line[64];
	} seen[1024];
	size_t i = ((uintptr_t)where >> 1) % 1024;
	if (seen[i].where != where) {
		seen[i].where = where;
		look_up(where, seen[i].line, sizeof seen[i].line);
	}
	snprintf(out, size, "%s", seen[i].line);
}

void trace_print(void)
{
	char line[256];
	for (int i = 0; i < count; i++) {
		source_line(events[i].where, line, sizeof line);
		printf("  T%d %s %p = %#llx  %s\n",
		       events[i].thread == MAIN ? -1 : events[i].thread, events[i].what,
		       events[i].address, (unsigned long long)events[i].value, line);
	}
}
