/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of ws: frames written and read by a second, simpler codec than the
 * one under test.
 */
#ifndef TESTS_UNIT_WS_WIRE_H
#define TESTS_UNIT_WS_WIRE_H

#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"

enum wire_form {
	WIRE_SHORTEST, WIRE_LEN16, WIRE_LEN64,	/* how the length is written */
	WIRE_WRONG_MASK = 8,	/* the other way than it should be */
	WIRE_HEAD_ONLY = 16,	/* payload.n is declared, nothing follows */
};

/* Appends one frame; first is the first byte: FIN, reserved bits, opcode. */
static inline void
wire_frame(struct buf *b, int masked, uint8_t first, struct str payload,
    unsigned form)
{
	static const uint8_t key[4] = { 0x9c, 0x21, 0xe7, 0x55 };
	unsigned how = form & 3, bytes;
	uint64_t n = payload.n;

	masked = form & WIRE_WRONG_MASK ? !masked : masked;
	bytes = how == WIRE_LEN16 ? 2 : how == WIRE_LEN64 ? 8 :
	    n < 126 ? 0 : n < 65536 ? 2 : 8;
	buf_putc(b, (char)first);
	buf_putc(b, (char)((masked ? 128 : 0) |
	    (bytes == 0 ? n : bytes == 2 ? 126 : 127)));
	for (unsigned i = bytes; i-- > 0;)
		buf_putc(b, (char)(n >> (8 * i) & 255));
	if (masked)
		buf_add(b, key, 4);
	for (size_t i = 0; i < n && !(form & WIRE_HEAD_ONLY); i++)
		buf_putc(b, (char)((uint8_t)payload.p[i] ^
		    (masked ? key[i % 4] : 0)));
}

struct wire_got {
	int masked;
	uint8_t first;
	uint8_t key[4];
	struct buf payload;	/* unmasked */
};

/* Takes one whole frame off the front of b; 0 when there is none, or when its
 * length is not in the shortest form. */
static inline int
wire_read(struct buf *b, struct wire_got *got)
{
	const uint8_t *p = (const uint8_t *)buf_data(b);
	size_t have = buf_len(b), head = 2, bytes;
	uint64_t n;

	if (have < 2)
		return 0;
	got->first = p[0];
	got->masked = p[1] >> 7;
	n = p[1] & 127;
	bytes = n == 126 ? 2 : n == 127 ? 8 : 0;
	if (have < head + bytes)
		return 0;
	for (size_t i = 0; i < bytes; i++)
		n = (i ? n << 8 : 0) | p[head + i];
	if ((bytes == 2 && n < 126) || (bytes == 8 && n < 65536))
		return 0;
	head += bytes;
	if (have < head + (got->masked ? 4 : 0))
		return 0;
	memset(got->key, 0, 4);
	if (got->masked)
		memcpy(got->key, p + head, 4), head += 4;
	if (have - head < n)
		return 0;
	buf_clear(&got->payload);
	for (uint64_t i = 0; i < n; i++)
		buf_putc(&got->payload, (char)(p[head + i] ^ got->key[i % 4]));
	buf_consume(b, head + n);
	return 1;
}

#endif
