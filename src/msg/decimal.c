/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/decimal.h"

#include <stdlib.h>
#include <string.h>

#define EXPONENT_MAX 1000000000

static struct str
skip_zeros(struct str s)
{
	while (s.n > 0 && s.p[0] == '0')
		s = str_from(s, 1);
	return s;
}

static size_t
digit_run(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

static bool
parse_exponent(struct str s, int64_t *out)
{
	if (s.n == 0)
		return true;
	if (s.p[0] != 'e' && s.p[0] != 'E')
		return false;
	return str_to_i64(str_from(s, 1), out) && *out <= EXPONENT_MAX &&
	    *out >= -EXPONENT_MAX;
}

static struct str
join(struct str a, struct str b, struct arena *arena)
{
	char *p = arena_alloc(arena, a.n + b.n + 1);

	memcpy(p, a.p, a.n);
	memcpy(p + a.n, b.p, b.n);
	return (struct str){ p, a.n + b.n };
}

bool
decimal_parse(struct str s, struct arena *arena, struct decimal *out)
{
	struct str whole, part = STR("");
	int64_t exponent = 0;

	out->neg = s.n > 0 && s.p[0] == '-';
	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = str_from(s, 1);
	whole = str_head(s, digit_run(s));
	s = str_from(s, whole.n);
	if (s.n > 0 && s.p[0] == '.') {
		s = str_from(s, 1);
		part = str_head(s, digit_run(s));
		s = str_from(s, part.n);
	}
	if (whole.n + part.n == 0 || !parse_exponent(s, &exponent))
		return false;
	out->scale = (int64_t)part.n - exponent;
	out->digits = skip_zeros(part.n ? join(whole, part, arena) : whole);
	if (out->digits.n == 0)
		out->neg = false;
	return true;
}

static struct str
zeros(size_t n, struct arena *arena)
{
	char *p = arena_alloc(arena, n + 1);

	memset(p, '0', n);
	return (struct str){ p, n };
}

struct str
decimal_text(const struct decimal *d, struct arena *arena)
{
	const char *sign = d->neg ? "-" : "";
	struct str digits = d->digits.n ? d->digits : STR("0");
	int64_t adjusted = (int64_t)digits.n - 1 - d->scale;
	size_t point;

	if (d->scale == 0)
		return arena_printf(arena, "%s%.*s", sign, STR_FMT(digits));
	if (d->scale < 0 || adjusted < -6)
		return arena_printf(arena, "%s%.1s%s%.*sE%+lld", sign,
		    digits.p, digits.n > 1 ? "." : "",
		    STR_FMT(str_from(digits, 1)), (long long)adjusted);
	if (adjusted < 0)
		digits = join(zeros((size_t)-adjusted, arena), digits, arena);
	point = digits.n - (size_t)d->scale;
	return arena_printf(arena, "%s%.*s.%.*s", sign, (int)point, digits.p,
	    STR_FMT(str_from(digits, point)));
}

double
decimal_double(const struct decimal *d, struct arena *arena)
{
	struct str digits = d->digits.n ? d->digits : STR("0");
	struct str text = arena_printf(arena, "%s%.*se%lld", d->neg ? "-" : "",
	    STR_FMT(digits), (long long)-d->scale);

	return strtod(text.p, NULL);
}

static int
sign_of(const struct decimal *d)
{
	return d->digits.n == 0 ? 0 : d->neg ? -1 : 1;
}

/* Both without leading zeros and of the same magnitude of ten: digit by digit,
 * the shorter one goes on with zeros. */
static int
compare_digits(struct str a, struct str b)
{
	size_t n = a.n > b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++) {
		char x = i < a.n ? a.p[i] : '0', y = i < b.n ? b.p[i] : '0';

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

int
decimal_compare(const struct decimal *a, const struct decimal *b)
{
	int sa = sign_of(a), sb = sign_of(b);
	int64_t ma = (int64_t)a->digits.n - a->scale;
	int64_t mb = (int64_t)b->digits.n - b->scale;

	if (sa != sb)
		return sa < sb ? -1 : 1;
	if (sa == 0)
		return 0;
	if (ma != mb)
		return ma < mb ? -sa : sa;
	return sa * compare_digits(a->digits, b->digits);
}

/* Whole numbers as digit strings without leading zeros. */

static int
big_compare(struct str a, struct str b)
{
	if (a.n != b.n)
		return a.n < b.n ? -1 : 1;
	return a.n ? memcmp(a.p, b.p, a.n) : 0;
}

static struct str
big_scale(struct str a, uint64_t places, struct arena *arena)
{
	if (a.n == 0 || places == 0)
		return a;
	return join(a, zeros(places, arena), arena);
}

static struct str
big_add(struct str a, struct str b, struct arena *arena)
{
	size_t n = (a.n > b.n ? a.n : b.n) + 1;
	char *p = arena_alloc(arena, n + 1);
	int carry = 0;

	for (size_t i = 0; i < n; i++) {
		carry += i < a.n ? a.p[a.n - 1 - i] - '0' : 0;
		carry += i < b.n ? b.p[b.n - 1 - i] - '0' : 0;
		p[n - 1 - i] = (char)('0' + carry % 10);
		carry /= 10;
	}
	return skip_zeros((struct str){ p, n });
}

/* p[0..a.n) -= b, where b is at most that. */
static void
subtract_in_place(char *p, size_t n, struct str b)
{
	int borrow = 0;

	for (size_t i = 0; i < n && (i < b.n || borrow); i++) {
		int d = p[n - 1 - i] - '0' - borrow -
		    (i < b.n ? b.p[b.n - 1 - i] - '0' : 0);

		borrow = d < 0;
		p[n - 1 - i] = (char)('0' + (d < 0 ? d + 10 : d));
	}
}

static struct str
big_subtract(struct str a, struct str b, struct arena *arena)
{
	char *p = arena_alloc(arena, a.n + 1);

	memcpy(p, a.p, a.n);
	subtract_in_place(p, a.n, b);
	return skip_zeros((struct str){ p, a.n });
}

static struct str
big_multiply(struct str a, struct str b, struct arena *arena)
{
	size_t n = a.n + b.n;
	char *p = arena_alloc(arena, n + 1);

	memset(p, '0', n);
	for (size_t i = 0; i < a.n; i++) {
		int carry = 0;

		for (size_t j = 0; j <= b.n && i + j < n; j++) {
			char *at = &p[n - 1 - i - j];

			carry += *at - '0';
			if (j < b.n)
				carry += (a.p[a.n - 1 - i] - '0') *
				    (b.p[b.n - 1 - j] - '0');
			*at = (char)('0' + carry % 10);
			carry /= 10;
		}
	}
	return skip_zeros((struct str){ p, n });
}

/* Long division: the quotient, and the rest in *rest_out. */
static struct str
big_divide(struct str a, struct str b, struct arena *arena,
    struct str *rest_out)
{
	char *quotient = arena_alloc(arena, a.n + 1);
	char *p = arena_alloc(arena, a.n + 1);
	struct str rest = { p, 0 };

	memcpy(p, a.p, a.n);
	for (size_t i = 0; i < a.n; i++) {
		char digit = '0';

		rest.n = (size_t)(p + i + 1 - rest.p);
		rest = skip_zeros(rest);
		while (big_compare(rest, b) >= 0) {
			subtract_in_place(p + (rest.p - p), rest.n, b);
			rest = skip_zeros(rest);
			digit++;
		}
		quotient[i] = digit;
	}
	*rest_out = rest;
	return skip_zeros((struct str){ quotient, a.n });
}

static struct decimal
make(bool neg, struct str digits, int64_t scale)
{
	return (struct decimal){ .neg = neg && digits.n > 0, .digits = digits,
		.scale = scale };
}

/* Digits of both at the larger scale. */
static int64_t
align(const struct decimal *a, const struct decimal *b, struct arena *arena,
    struct str *a_out, struct str *b_out)
{
	int64_t scale = a->scale > b->scale ? a->scale : b->scale;

	*a_out = big_scale(a->digits, (uint64_t)(scale - a->scale), arena);
	*b_out = big_scale(b->digits, (uint64_t)(scale - b->scale), arena);
	return scale;
}

struct decimal
decimal_add(const struct decimal *a, const struct decimal *b,
    struct arena *arena)
{
	struct str x, y;
	int64_t scale = align(a, b, arena, &x, &y);

	if (a->neg == b->neg)
		return make(a->neg, big_add(x, y, arena), scale);
	if (big_compare(x, y) >= 0)
		return make(a->neg, big_subtract(x, y, arena), scale);
	return make(b->neg, big_subtract(y, x, arena), scale);
}

struct decimal
decimal_multiply(const struct decimal *a, const struct decimal *b,
    struct arena *arena)
{
	return make(a->neg != b->neg, big_multiply(a->digits, b->digits, arena),
	    a->scale + b->scale);
}

/* a / b as whole numbers, half up (away from zero). */
static struct str
divide_half_up(struct str a, struct str b, struct arena *arena)
{
	struct str rest, quotient = big_divide(a, b, arena, &rest);

	if (big_compare(big_add(rest, rest, arena), b) >= 0)
		quotient = big_add(quotient, STR("1"), arena);
	return quotient;
}

struct decimal
decimal_divide(const struct decimal *a, const struct decimal *b,
    struct arena *arena)
{
	struct str x = a->digits, y = b->digits;

	if (b->scale > 0)
		x = big_scale(x, (uint64_t)b->scale, arena);
	else
		y = big_scale(y, (uint64_t)-b->scale, arena);
	return make(a->neg != b->neg, divide_half_up(x, y, arena), a->scale);
}

struct decimal
decimal_remainder(const struct decimal *a, const struct decimal *b,
    struct arena *arena)
{
	struct str x, y, rest;
	int64_t scale = align(a, b, arena, &x, &y);

	(void)big_divide(x, y, arena, &rest);
	return make(a->neg, rest, scale);
}

struct decimal
decimal_round(const struct decimal *a, int64_t scale, struct arena *arena)
{
	struct str one;

	if (scale >= a->scale)
		return make(a->neg, big_scale(a->digits,
		    (uint64_t)(scale - a->scale), arena), scale);
	one = big_scale(STR("1"), (uint64_t)(a->scale - scale), arena);
	return make(a->neg, divide_half_up(a->digits, one, arena), scale);
}
