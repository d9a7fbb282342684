/* SPDX-License-Identifier: BSD-2-Clause
 * config.c - a program with a configuration file: what it leaves open the operator chooses, in the environment
 * or in the file that is the program's argument.  With `keys`: what may be chosen, and what is. */
#include <heist/heist.h>

#include <stdio.h>
#include <string.h>

static bool print(void *user, const char *text, size_t size)
{
	return fwrite(text, 1, size, user) == size;
}

int main(int argc, char **argv)
{
	heist_config c = heist_config_default();
	heist_stats stats = heist_stats_default();
	heist_system *sys;
	c.budget_us = 500; /* the program's own choice: nobody changes it */
	c.file = argc > 1 ? argv[1] : NULL;
	if (argc > 2 && strcmp(argv[2], "keys") == 0)
		return heist_config_print(&c, print, stdout) != HEIST_OK;
	if (heist_config_load(&c) != HEIST_OK)
		return 2; /* standard error says where, what is wrong, and what to do */
	printf("batch %u, budget %u us, a hog after %u ms\n", c.batch, c.budget_us, c.hog_ms);
	if (heist_start(&c, &sys) != HEIST_OK || heist_get_stats(sys, &stats) != HEIST_OK)
		return 1;
	printf("%u workers\n", stats.workers);
	bool as_in_the_file = argc < 2 || (stats.workers == 2 && c.batch == 128);
	return heist_shutdown(sys, heist_in_ms(sys, 5000)) != HEIST_OK || !as_in_the_file;
}
