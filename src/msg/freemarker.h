/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FreeMarker templates, the part that mediation needs (mediation.md 3.2):
 * ${...}, #if, #list with #sep and #else, #assign, #break, comments; the
 * data are payload, args, ctx, axis2, trp and vars. Compiled once, immutable.
 */
#ifndef MSG_FREEMARKER_H
#define MSG_FREEMARKER_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "msg/message.h"

struct freemarker;

/* Lives in the arena, with a copy of the text. NULL after an error: err->at
 * has line and column within the text (ERR_UNSUPPORTED for what this subset
 * lacks). */
struct freemarker *freemarker_compile(struct arena *, struct str text,
    struct err *) MUST_CHECK;
/* False when it asks for no payload. */
bool freemarker_reads_body(const struct freemarker *);

/* arg[0] is args.arg1. max_output: bytes, 0 = 16 MiB; also what its strings
 * may take together is bounded by it. */
struct freemarker_data {
	struct message *msg;
	const struct str *arg;
	size_t args;
	size_t max_output;
};

/* Appends to out. -1: err has the text with the place; ERR_SYNTAX when the
 * body could not be had, ERR_LIMIT when it takes too much, ERR_NOTFOUND for
 * something missing, else ERR_VALUE. */
int freemarker_run(const struct freemarker *, const struct freemarker_data *,
    struct buf *out, struct err *) MUST_CHECK;

#endif
