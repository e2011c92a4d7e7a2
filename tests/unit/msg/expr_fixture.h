/* SPDX-License-Identifier: Apache-2.0 */
/* A message with all that expressions can ask for. */
#ifndef TEST_EXPR_FIXTURE_H
#define TEST_EXPR_FIXTURE_H

#include <stdbool.h>
#include "msg/expr.h"

struct fixture {
	struct msg_pool *pool;
	struct message *m;
	struct arena *arena;
};

extern const char json_body[];

void begin(struct fixture *, const char *type, const char *body);
void end(struct fixture *);
/* Fails the test when it does not compile. */
struct expr *compiled(struct fixture *, const char *text);

/* text NULL: null. */
struct row {
	const char *expression, *text;
	bool truth;
};

/* Text and truth of each expression. */
void check_rows(struct fixture *, const struct row *, size_t n);
/* head part part ... tail; the caller frees. */
char *repeated(const char *head, const char *part, size_t n,
    const char *tail);

#endif
