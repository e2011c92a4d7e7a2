/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers of any length, as Java's BigDecimal has them: digits and a
 * scale, so that 1.10 differs from 1.1 only in print. Private to msg. */
#ifndef MSG_DECIMAL_H
#define MSG_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/str.h"

/* The value is (neg ? -1 : 1) * digits * 10^-scale. */
struct decimal {
	bool neg;
	struct str digits;	/* no leading zeros; zero has n == 0 */
	int64_t scale;
};

/* False for text that is no number or has an exponent beyond +-10^9. */
bool decimal_parse(struct str, struct arena *, struct decimal *out);
/* BigDecimal.toString(). */
struct str decimal_text(const struct decimal *, struct arena *);
double decimal_double(const struct decimal *, struct arena *);
/* By value: 1.0 equals 1. */
int decimal_compare(const struct decimal *, const struct decimal *);

/* Exact. The operands' exponents must be those of doubles. */
struct decimal decimal_add(const struct decimal *, const struct decimal *,
    struct arena *);
struct decimal decimal_multiply(const struct decimal *, const struct decimal *,
    struct arena *);
/* Rounded half up at the scale of the dividend / the rest of cutting division.
 * The divisor must not be zero. */
struct decimal decimal_divide(const struct decimal *, const struct decimal *,
    struct arena *);
struct decimal decimal_remainder(const struct decimal *,
    const struct decimal *, struct arena *);
/* Half up at that many places after the point. */
struct decimal decimal_round(const struct decimal *, int64_t scale,
    struct arena *);

#endif
