/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char context[160];

void
must_context(const char *text)
{
	size_t n = text ? strnlen(text, sizeof(context) - 1) : 0;

	if (n)
		memcpy(context, text, n);
	context[n] = '\0';
}

void
must_failed(const char *what, const char *file, int line, const char *func)
{
	char text[600];
	int n = snprintf(text, sizeof(text),
	    "wsgw: bug: %s:%d: %s: %s does not hold%s%s (pid %ld)\n", file,
	    line, func, what, context[0] ? ", while " : "", context,
	    (long)getpid());

	if (n > 0 && write(STDERR_FILENO, text, strnlen(text, sizeof(text))) < 0)
		_exit(134);
	abort();
}

void *
xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	must(p != NULL);
	return p;
}

void *
xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	must(p != NULL);
	return p;
}

void *
xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	must(p != NULL);
	return p;
}

char *
xstrdup(const char *s)
{
	size_t n = strlen(s) + 1;

	return memcpy(xmalloc(n), s, n);
}
