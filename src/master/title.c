/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/must.h"
#include "master/master.h"
#include "master/outside.h"

/* Arguments and environment lie behind each other on the stack; ps shows what
 * is there, up to where the environment ended. */
static char *area;
static size_t area_len;

static size_t
extent(char **list, char **end)
{
	size_t n = 0;

	for (; list[n]; n++)
		if (list[n] == *end)
			*end += strlen(list[n]) + 1;
	return n;
}

void
master_title_init(int argc, char **argv)
{
	char *end, **copy;
	size_t n;

	if (argc < 1)
		return;
	end = argv[0];
	extent(argv, &end);
	n = extent(environ, &end);
	copy = xcalloc(n + 1, sizeof(*copy));
	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(environ[i]);
	environ = copy;
	area = argv[0];
	area_len = (size_t)(end - area);
}

void
title_set(const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "wsgw: %s", name);
	(void)prctl(PR_SET_NAME, text, 0, 0, 0);
	if (area_len < 2)
		return;
	memset(area, 0, area_len);
	memcpy(area, text, strnlen(text, area_len - 1));
}
