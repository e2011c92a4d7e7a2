/* SPDX-License-Identifier: Apache-2.0 */
/* Spellings that java.util.regex knows and PCRE2 does not: \uXXXX, \p{Alpha}
 * and its like, \p{IsLatin}. Private to msg. */
#ifndef MSG_REGEX_JAVA_H
#define MSG_REGEX_JAVA_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* The pattern as PCRE2 wants it: itself, where nothing differs, else in the
 * arena. -1 for what has no counterpart (ERR_UNSUPPORTED, column set). */
int regex_from_java(struct arena *, struct str pattern, struct str *out,
    struct err *) MUST_CHECK;

#endif
