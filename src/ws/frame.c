/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/frame.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

static uint64_t
get_be(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static void
put_be(uint8_t *p, size_t n, uint64_t v)
{
	for (size_t i = n; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
}

uint64_t
frame_long_payload_len(const uint8_t *head, bool *shortest_out)
{
	uint64_t len;

	if ((head[1] & FRAME_LEN7) == FRAME_LEN16) {
		len = get_be(head + 2, 2);
		*shortest_out = len >= FRAME_LEN16;
	} else {
		len = get_be(head + 2, 8);
		*shortest_out = len > 0xffff;
	}
	return len;
}

size_t
frame_write_long_head(uint8_t *to, uint8_t first, uint8_t masked,
    uint64_t len)
{
	to[0] = first;
	if (len <= 0xffff) {
		to[1] = (uint8_t)(masked | FRAME_LEN16);
		put_be(to + 2, 2, len);
		return 4;
	}
	to[1] = (uint8_t)(masked | FRAME_LEN64);
	put_be(to + 2, 8, len);
	return 10;
}

struct frame_key
frame_key_after(struct frame_key key, size_t n)
{
	struct frame_key out;

	for (size_t i = 0; i < 4; i++)
		out.byte[i] = key.byte[(i + n) % 4];
	return out;
}

bool
frame_mask_plain(char *to, const char *from, size_t n, struct frame_key key)
{
	uint64_t wide, w, seen = 0;
	size_t i = 0;

	memcpy(&wide, key.byte, 4);
	memcpy((char *)&wide + 4, key.byte, 4);
	for (; i + 8 <= n; i += 8) {
		memcpy(&w, from + i, 8);
		w ^= wide;
		seen |= w;
		memcpy(to + i, &w, 8);
	}
	for (size_t k = 0; i < n; i++, k++) {
		uint8_t c = (uint8_t)from[i] ^ key.byte[k % 4];

		seen |= c;
		to[i] = (char)c;
	}
	return (seen & 0x8080808080808080u) != 0;
}

#ifdef __SSE2__
/* Sixteen bytes; returns what was written. */
static inline __m128i
mask16(char *to, const char *from, __m128i wide)
{
	__m128i v = _mm_loadu_si128((const void *)from);

	v = _mm_xor_si128(v, wide);
	_mm_storeu_si128((void *)to, v);
	return v;
}

bool
frame_mask(char *to, const char *from, size_t n, struct frame_key key)
{
	__m128i wide, seen = _mm_setzero_si128();
	uint32_t word;
	size_t i = 0;
	bool high;

	memcpy(&word, key.byte, 4);
	wide = _mm_set1_epi32((int)word);
	for (; i + 64 <= n; i += 64) {
		__m128i a = mask16(to + i, from + i, wide);
		__m128i b = mask16(to + i + 16, from + i + 16, wide);
		__m128i c = mask16(to + i + 32, from + i + 32, wide);
		__m128i d = mask16(to + i + 48, from + i + 48, wide);

		a = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
		seen = _mm_or_si128(seen, a);
	}
	for (; i + 16 <= n; i += 16)
		seen = _mm_or_si128(seen, mask16(to + i, from + i, wide));
	high = _mm_movemask_epi8(seen) != 0;
	return frame_mask_plain(to + i, from + i, n - i, key) || high;
}
#else
bool
frame_mask(char *to, const char *from, size_t n, struct frame_key key)
{
	return frame_mask_plain(to, from, n, key);
}
#endif
