/* SPDX-License-Identifier: BSD-2-Clause
 * tree.h - a folder of files that stands in for the root of a machine.
 *
 * It lies in the build tree (UNIT_FOLDER), so that a test that fails or is killed litters nothing else. */
#ifndef HEIST_TESTS_TREE_H
#define HEIST_TESTS_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/unit.h"

static char tree_root[2048];

static inline void tree_begin(void)
{
	snprintf(tree_root, sizeof tree_root, "%s/tree-XXXXXX", UNIT_FOLDER);
	EXPECT(mkdtemp(tree_root) != NULL);
}

static int tree_remove(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st, (void)type, (void)walk;
	return remove(path);
}

static inline void tree_end(void)
{
	EXPECT(nftw(tree_root, tree_remove, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

/* Writes a file, with the folders it needs. */
static inline void tree_file(const char *path, const char *text)
{
	char full[4096];
	EXPECT(snprintf(full, sizeof full, "%s%s", tree_root, path) < (int)sizeof full);
	for (char *slash = strchr(full + strlen(tree_root) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	FILE *f = fopen(full, "w");
	EXPECT(f != NULL);
	EXPECT(fputs(text, f) >= 0);
	EXPECT(fclose(f) == 0);
}

#endif
