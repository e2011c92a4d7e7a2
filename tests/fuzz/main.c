/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays files through a fuzz target: the files and folders given, or, without
 * arguments (in make check), $srcdir/tests/fuzz/corpus/NAME, which must be
 * there, and .../regression/NAME, for the program fuzz_NAME.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned long replayed;

static void
give_up(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(1);
}

/* The copy has the exact size, so that an overrun is seen. */
static void
replay_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *copy = malloc(size ? size : 1);

	if (!file || !copy || fread(copy, 1, size, file) != size)
		give_up(path);
	fclose(file);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	replayed++;
}

static void replay(const char *path);

static void
replay_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	char inner[PATH_MAX];

	if (!dir)
		give_up(path);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		replay(inner);
	}
	closedir(dir);
}

static void
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		give_up(path);
	if (S_ISDIR(st.st_mode))
		replay_folder(path);
	else
		replay_file(path, (size_t)st.st_size);
}

/* tests/fuzz/fuzz_NAME -> NAME */
static const char *
target_name(const char *program)
{
	const char *slash = strrchr(program, '/');
	const char *base = slash ? slash + 1 : program;

	return strncmp(base, "fuzz_", 5) == 0 ? base + 5 : base;
}

static void
replay_own(const char *program)
{
	const char *srcdir = getenv("srcdir");
	const char *name = target_name(program);
	char path[PATH_MAX];
	struct stat st;

	if (!srcdir)
		srcdir = ".";
	snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%s", srcdir, name);
	replay(path);
	snprintf(path, sizeof(path), "%s/tests/fuzz/regression/%s", srcdir,
	    name);
	if (stat(path, &st) == 0)
		replay(path);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc == 1)
		replay_own(argv[0]);
	printf("%s: %lu files replayed\n", target_name(argv[0]), replayed);
	return replayed ? 0 : 1;
}
