/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct err is how a failure travels: caller's storage, no allocation. A
 * function that returns -1 has filled it; nobody both logs and returns.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/attr.h"

enum err_kind {
#define ERR(name, text) ERR_##name,
#include "base/err.def"
#undef ERR
};

/* A place in a file; file lives as long as the set or config it came from. */
struct src_pos {
	const char *file;
	int line;		/* 1-based; 0 = no position */
	int column;		/* in bytes, 1-based; 0 = whole line */
};

struct err {
	enum err_kind kind;
	int sys;		/* errno, or 0 */
	struct src_pos at;
	char text[480];		/* no full stop, no newline */
};

/* Each fills *err (which may be NULL) and returns -1. */
int err_set(struct err *, enum err_kind, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Appends ": " and strerror(errno); keeps errno in err->sys. */
int err_sys(struct err *, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Kind ERR_SYNTAX with a position. */
int err_at(struct err *, struct src_pos, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Prefixes what is there: "loading main: ...". */
int err_wrap(struct err *, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *err_kind_name(enum err_kind);

#endif
