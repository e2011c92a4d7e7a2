/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct str: a slice of somebody else's bytes, passed by value. It owns
 * nothing and need not end in NUL. p == NULL means "absent", which is not the
 * same as empty ("" with n == 0).
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/attr.h"

struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NULL ((struct str){ NULL, 0 })
/* For printf("%.*s"). */
#define STR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct str
str_of(const char *z)
{
	return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool
str_is(struct str a, const char *z)
{
	size_t n = strlen(z);

	return a.n == n && (n == 0 || memcmp(a.p, z, n) == 0);
}

/* ASCII only, as protocols want it; independent of the locale. */
bool str_ieq(struct str, struct str);
bool str_iis(struct str, const char *z);
bool str_starts(struct str, const char *prefix);
bool str_istarts(struct str, const char *prefix);
bool str_ends(struct str, const char *suffix);
/* Position of the first c / of needle, or s.n when there is none. */
size_t str_find(struct str, char c);
size_t str_search(struct str s, struct str needle);
/* From byte at on; at beyond the end gives an empty slice. */
struct str str_from(struct str, size_t at);
struct str str_head(struct str, size_t n);
/* Without blanks (space, tab, CR, LF) at both ends. */
struct str str_trim(struct str);
bool str_blank(struct str);

/*
 * Takes the part before the next sep off *rest, untrimmed. False when *rest
 * was used up (p == NULL). "a,,b" gives a, "", b; "" gives one empty part.
 */
bool str_next(struct str *rest, char sep, struct str *part_out);

/* Whole slice, optional sign, no blanks. False when it is no number or does
 * not fit; *out is then untouched. */
bool str_to_i64(struct str, int64_t *out);
bool str_to_u64(struct str, uint64_t *out);
/* As strtod in the C locale; no inf, nan or hex; 1e400 does not fit. */
bool str_to_double(struct str, double *out);

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Heap copy ending in NUL; the caller frees. NULL stays NULL. */
char *str_dup(struct str) MUST_CHECK;

/*
 * The candidate nearest to word (Damerau-Levenshtein distance at most a third
 * of its length, at least 1), or NULL; for "did you mean". Candidates end with
 * a NULL entry.
 */
const char *str_nearest(struct str word, const char *const *candidates);

#endif
