/* SPDX-License-Identifier: BSD-2-Clause
 * unit_plain.c - runs the registered tests one after the other in this process. */
#include "tests/support/unit.h"

#define MOST 256

static struct {
	const char *name;
	void (*run)(void);
} tests[MOST];
static int count;

void unit_register(const char *name, void (*run)(void))
{
	if (count == MOST)
		abort();
	tests[count].name = name;
	tests[count++].run = run;
}

int main(void)
{
	for (int i = 0; i < count; i++) {
		printf("%s\n", tests[i].name);
		fflush(stdout);
		tests[i].run();
	}
	printf("%d passed, 0 failed\n", count);
	return count == 0;
}
