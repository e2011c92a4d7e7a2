/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <math.h>
#include <stdlib.h>

#include "base/must.h"

bool
str_ieq(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

bool
str_iis(struct str a, const char *z)
{
	return str_ieq(a, str_of(z));
}

bool
str_starts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && (n == 0 || memcmp(s.p, prefix, n) == 0);
}

bool
str_istarts(struct str s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.n >= n && str_ieq(str_head(s, n), str_of(prefix));
}

bool
str_ends(struct str s, const char *suffix)
{
	size_t n = strlen(suffix);

	return s.n >= n && (n == 0 || memcmp(s.p + s.n - n, suffix, n) == 0);
}

size_t
str_find(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

	return at ? (size_t)(at - s.p) : s.n;
}

size_t
str_search(struct str s, struct str needle)
{
	const char *at;

	if (needle.n == 0)
		return 0;
	if (s.n == 0)
		return s.n;
	at = memmem(s.p, s.n, needle.p, needle.n);
	return at ? (size_t)(at - s.p) : s.n;
}

struct str
str_from(struct str s, size_t at)
{
	if (at > s.n)
		at = s.n;
	return (struct str){ s.p ? s.p + at : NULL, s.n - at };
}

struct str
str_head(struct str s, size_t n)
{
	return (struct str){ s.p, n < s.n ? n : s.n };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0]))
		s.p++, s.n--;
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool
str_blank(struct str s)
{
	return str_trim(s).n == 0;
}

bool
str_next(struct str *rest, char sep, struct str *part_out)
{
	size_t at;

	if (!rest->p)
		return false;
	at = str_find(*rest, sep);
	*part_out = str_head(*rest, at);
	*rest = at < rest->n ? str_from(*rest, at + 1) : STR_NULL;
	return true;
}

bool
str_to_u64(struct str s, uint64_t *out)
{
	uint64_t v = 0;
	size_t i = s.n && s.p[0] == '+' ? 1 : 0;

	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (s.p[i] < '0' || s.p[i] > '9' ||
		    v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool
str_to_i64(struct str s, int64_t *out)
{
	bool minus = s.n && s.p[0] == '-';
	uint64_t v;

	if (minus) {
		s = str_from(s, 1);
		if (s.n && s.p[0] == '+')
			return false;
	}
	if (!str_to_u64(s, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + (minus ? 1 : 0))
		return false;
	*out = minus ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

bool
str_to_double(struct str s, double *out)
{
	char small[64], *z = small, *end;
	bool ok = s.n > 0;
	double v;

	/* strtod also takes what protocols do not: check the alphabet first. */
	for (size_t i = 0; i < s.n && ok; i++)
		ok = s.p[i] && strchr("0123456789+-.eE", s.p[i]);
	if (!ok)
		return false;
	if (s.n >= sizeof(small))
		z = xmalloc(s.n + 1);
	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	v = strtod(z, &end);
	ok = *end == '\0' && isfinite(v);
	if (z != small)
		free(z);
	if (ok)
		*out = v;
	return ok;
}

char *
str_dup(struct str s)
{
	char *z;

	if (!s.p)
		return NULL;
	z = xmalloc(s.n + 1);
	if (s.n)
		memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	return z;
}

enum { NEAREST_MAX = 64 };

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Optimal string alignment distance; both at most NEAREST_MAX long. */
static size_t
distance(struct str a, struct str b)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2], *swap;

	for (size_t j = 0; j <= b.n; j++)
		last[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		now[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			char x = ascii_lower(a.p[i - 1]);
			char y = ascii_lower(b.p[j - 1]);

			now[j] = smallest(last[j] + 1, now[j - 1] + 1,
			    last[j - 1] + (x != y));
			if (i > 1 && j > 1 &&
			    x == ascii_lower(b.p[j - 2]) &&
			    y == ascii_lower(a.p[i - 2]) &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
		swap = before, before = last, last = now, now = swap;
	}
	return last[b.n];
}

const char *
str_nearest(struct str word, const char *const *candidates)
{
	const char *best = NULL;
	size_t allowed = word.n / 3 > 1 ? word.n / 3 : 1, least = allowed + 1;

	if (word.n == 0 || word.n > NEAREST_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		struct str c = str_of(*candidates);
		size_t d;

		if (c.n > NEAREST_MAX)
			continue;
		d = distance(word, c);
		if (d < least)
			least = d, best = *candidates;
	}
	return best;
}
