/* SPDX-License-Identifier: Apache-2.0 */
/* Java-like regular expressions by PCRE2, always against the whole value
 * (mediation.md 0 rule 7), with limits on matching effort. */
#ifndef MSG_REGEX_H
#define MSG_REGEX_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct regex;

/* Lives as long as the arena. err->at.column is the offset of the fault. */
struct regex *regex_compile(struct arena *, struct str pattern, struct err *)
    MUST_CHECK;
/* 1 matches, 0 does not, -1 gave up (ERR_LIMIT). */
int regex_matches(const struct regex *, struct str subject, struct err *)
    MUST_CHECK;
/* The same; *group_out is that group (p == NULL when it took no part or does
 * not exist). */
int regex_group(const struct regex *, struct str subject, unsigned group,
    struct str *group_out, struct err *) MUST_CHECK;

/* For regex_search() only: the pattern may match anywhere. */
struct regex *regex_compile_search(struct arena *, struct str pattern,
    struct err *) MUST_CHECK;
/* The first match at or behind byte from: bytes [start, end) of subject. 1, 0
 * or -1 as above. */
int regex_search(const struct regex *, struct str subject, size_t from,
    size_t *start_out, size_t *end_out, struct err *) MUST_CHECK;
/* Appends s with all matches replaced, as Java's String.replaceAll(): $1 and
 * ${name} in with stand for groups, \ takes the meaning away. max: bytes that
 * the result may have. Also for regex_compile_search() only. */
int regex_replace_all(const struct regex *, struct str s, struct str with,
    size_t max, struct buf *out, struct err *) MUST_CHECK;

#endif
