/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What loading a configuration or a set of artifacts has to say: up to
 * DIAG_MAX errors and warnings, printed GNU style with the source line, so
 * that editors can jump to them.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdio.h>
#include "base/err.h"

enum { DIAG_MAX = 20 };
enum diag_level { DIAG_WARNING, DIAG_ERROR };

struct diag_item {
	enum diag_level level;
	int line, column;
	char file[200];		/* copied: a diag outlives what it speaks of */
	char text[480];
};

struct diag {
	int errors, warnings;	/* all, also those beyond DIAG_MAX */
	int count;		/* items kept */
	struct diag_item item[DIAG_MAX];
};

void diag_init(struct diag *);
/* Copies err; its position may be empty. Returns -1 for errors, 0 else. */
int diag_add(struct diag *, enum diag_level, const struct err *);
int diag_error(struct diag *, struct src_pos, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
int diag_warn(struct diag *, struct src_pos, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/*
 * "file:line: text", then, where the file can be read, the source line and,
 * where the column is known, a caret under it. Ends with a line that counts
 * what was left out. Writes nothing for an empty diag.
 */
void diag_print(const struct diag *, FILE *to);

#endif
