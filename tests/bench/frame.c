/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"

#include <string.h>

enum { MASKED = 0x80, LEN7 = 0x7f, LEN16 = 126, LEN64 = 127 };

static size_t
length_size(const struct frame *f)
{
	switch (f->head[1] & LEN7) {
	case LEN16:
		return 2;
	case LEN64:
		return 8;
	}
	return 0;
}

size_t
frame_head_size(const struct frame *f)
{
	if (f->head_len < 2)
		return 2;
	return 2 + length_size(f) + (f->head[1] & MASKED ? 4 : 0);
}

unsigned
frame_op(const struct frame *f)
{
	return f->head[0] & 15;
}

bool
frame_fin(const struct frame *f)
{
	return f->head[0] & 0x80;
}

static void
head_done(struct frame *f)
{
	size_t size = length_size(f);

	f->left = size ? 0 : f->head[1] & LEN7;
	for (size_t i = 0; i < size; i++)
		f->left = f->left << 8 | f->head[2 + i];
	f->done = 0;
	f->in_payload = true;
}

size_t
frame_feed_head(struct frame *f, const uint8_t *p, size_t n)
{
	size_t used = 0, missing, take;

	while ((missing = frame_head_size(f) - f->head_len) && used < n) {
		take = missing < n - used ? missing : n - used;
		memcpy(f->head + f->head_len, p + used, take);
		f->head_len = (uint8_t)(f->head_len + take);
		used += take;
	}
	if (missing == 0)
		head_done(f);
	return used;
}

bool
frame_advance(struct frame *f, size_t n)
{
	f->left -= n;
	f->done += n;
	return f->left == 0;
}

void
frame_next(struct frame *f)
{
	f->head_len = 0;
	f->in_payload = false;
}

size_t
frame_put_head(uint8_t *out, uint8_t first, uint64_t n, const uint8_t *key)
{
	size_t size = n > UINT16_MAX ? 8 : n >= LEN16 ? 2 : 0;
	size_t at = 2;

	out[0] = first;
	out[1] = (uint8_t)(size == 8 ? LEN64 : size == 2 ? LEN16 : n);
	while (at < 2 + size) {
		out[at] = (uint8_t)(n >> 8 * (size + 1 - at));
		at++;
	}
	if (!key)
		return at;
	out[1] |= MASKED;
	memcpy(out + at, key, 4);
	return at + 4;
}

static void
mask_words(uint8_t *to, const uint8_t *from, uint64_t key)
{
	uint64_t word[4];

	memcpy(word, from, sizeof word);
	word[0] ^= key;
	word[1] ^= key;
	word[2] ^= key;
	word[3] ^= key;
	memcpy(to, word, sizeof word);
}

void
frame_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t *key,
    uint64_t at)
{
	uint8_t turned[8];
	uint64_t word;
	size_t i = 0;

	for (unsigned k = 0; k < sizeof turned; k++)
		turned[k] = key[(at + k) & 3];
	memcpy(&word, turned, sizeof word);
	for (; i + 32 <= n; i += 32)
		mask_words(to + i, from + i, word);
	for (; i < n; i++)
		to[i] = from[i] ^ turned[i & 7];
}
