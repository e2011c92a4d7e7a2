/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no surrogates, nothing above U+10FFFF, shortest
 * form only. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A validator for text that comes in pieces; { 0 } is the start. */
struct utf8 {
	uint8_t need;		/* continuation bytes still to come */
	uint8_t low, high;	/* range of the next one */
};

/* False as soon as no continuation could make the text valid. */
bool utf8_feed(struct utf8 *, const char *p, size_t n);
/* True when the text so far ends at the end of a character. */
bool utf8_done(const struct utf8 *);
/* One whole text. */
bool utf8_valid(const char *p, size_t n);
/* How many leading bytes are ASCII. */
size_t utf8_ascii_run(const char *p, size_t n);
/* Writes the UTF-8 form of a code point (below 0x110000) to out[4]; returns
 * its length. Surrogates are written as U+FFFD. */
size_t utf8_encode(uint32_t code, char *out);
/* Reads one character of valid text; returns its length, 0 if n == 0 or the
 * bytes are not valid. */
size_t utf8_decode(const char *p, size_t n, uint32_t *code_out);

#endif
