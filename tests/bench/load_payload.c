/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <stdio.h>
#include <string.h>

static const uint8_t key[4] = { 0x4d, 0xb2, 0x19, 0x7e };

/* An order of many items, closed by a filler so that size comes out exactly.
 * size is 32 at least. */
static void
fill_json(char *p, size_t size)
{
	static const char close_one[] = "],\"note\":\"", close_all[] = "\"}";
	size_t tail = sizeof close_one - 1 + sizeof close_all - 1, n, len;
	char item[80];

	n = (size_t)sprintf(p, "{\"order\":7,\"items\":[");
	for (unsigned i = 0;; i++) {
		len = (size_t)snprintf(item, sizeof item,
		    "%s{\"id\":%u,\"price\":%u.5,\"name\":\"gr\303\274n\"}",
		    i ? "," : "", i, i * 7 % 90);
		if (n + len + tail > size)
			break;
		memcpy(p + n, item, len);
		n += len;
	}
	memcpy(p + n, close_one, sizeof close_one - 1);
	n += sizeof close_one - 1;
	memset(p + n, 'x', size - n - (sizeof close_all - 1));
	memcpy(p + size - (sizeof close_all - 1), close_all,
	    sizeof close_all - 1);
}

/* UTF-8 of characters of one and two bytes. */
static void
fill_text(uint8_t *p, size_t size)
{
	size_t n = 0;

	for (; n + 2 <= size; n += 2) {
		p[n] = n % 32 == 0 ? 0xc3 : (uint8_t)('a' + n % 26);
		p[n + 1] = n % 32 == 0 ? 0xa9 : ' ';
	}
	if (n < size)
		p[n] = '.';
}

static void
fill_binary(uint8_t *p, size_t size)
{
	uint32_t x = 2463534242u;

	for (size_t i = 0; i < size; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		p[i] = (uint8_t)x;
	}
}

static uint8_t *
make_payload(enum load_kind kind, size_t size)
{
	uint8_t *p = bench_alloc(LOAD, size);

	switch (kind) {
	case KIND_JSON:
		fill_json((char *)p, size);
		break;
	case KIND_TEXT:
		fill_text(p, size);
		break;
	case KIND_BINARY:
		fill_binary(p, size);
		break;
	}
	return p;
}

struct burst
burst_new(const struct load_options *o)
{
	struct burst b = { .payload = make_payload(o->kind, o->size) };
	unsigned op = o->kind == KIND_BINARY ? OP_BINARY : OP_TEXT;
	uint8_t head[FRAME_HEAD_MAX], *at;
	size_t n = frame_put_head(head, (uint8_t)(0x80 | op), o->size, key);

	b.frame_size = n + o->size;
	b.copies = BENCH_CHUNK / b.frame_size;
	if (!b.copies)
		b.copies = 1;
	at = b.frames = bench_alloc(LOAD, b.copies * b.frame_size);
	for (size_t i = 0; i < b.copies; i++, at += b.frame_size) {
		memcpy(at, head, n);
		frame_mask(at + n, b.payload, o->size, key, 0);
	}
	return b;
}
