/* SPDX-License-Identifier: BSD-2-Clause
 * replay.c - main() of a fuzz target without libFuzzer: runs it once on each file named, or in a folder
 * named.  The last file that it prints is the one that it died of. */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static int runs;

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f || fseek(f, 0, SEEK_END) != 0)
		return;
	long size = ftell(f);
	rewind(f);
	unsigned char *bytes = malloc(size > 0 ? (size_t)size : 1);
	if (!bytes || size < 0 || fread(bytes, 1, (size_t)size, f) != (size_t)size) {
		perror(path);
		exit(1);
	}
	fclose(f);
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, (size_t)size);
	free(bytes);
	runs++;
}

static void replay_folder(const char *path, DIR *d)
{
	char file[PATH_MAX];
	for (struct dirent *e; (e = readdir(d)) != NULL;)
		if (e->d_name[0] != '.' &&
		    snprintf(file, sizeof file, "%s/%s", path, e->d_name) < (int)sizeof file)
			replay_file(file);
	closedir(d);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		if (d)
			replay_folder(argv[i], d);
		else
			replay_file(argv[i]);
	}
	printf("%d inputs\n", runs);
	return runs == 0;
}
