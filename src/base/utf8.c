/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

size_t
utf8_ascii_run(const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i + 64 <= n; i += 64) {
		__m128i a = _mm_loadu_si128((const void *)(p + i));
		__m128i b = _mm_loadu_si128((const void *)(p + i + 16));
		__m128i c = _mm_loadu_si128((const void *)(p + i + 32));
		__m128i d = _mm_loadu_si128((const void *)(p + i + 48));

		a = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d));
		if (_mm_movemask_epi8(a))
			break;
	}
#endif
	for (; i + 8 <= n; i += 8) {
		uint64_t w;

		memcpy(&w, p + i, 8);
		if (w & 0x8080808080808080u)
			break;
	}
	while (i < n && !(p[i] & 0x80))
		i++;
	return i;
}

/* What a first byte of a longer character asks of the next ones. */
static bool
start(struct utf8 *u, uint8_t c)
{
	u->low = 0x80, u->high = 0xBF;
	if (c < 0xC2 || c > 0xF4)
		return false;
	if (c < 0xE0) {
		u->need = 1;
		return true;
	}
	if (c < 0xF0) {
		u->need = 2;
		if (c == 0xE0)
			u->low = 0xA0;
		else if (c == 0xED)
			u->high = 0x9F;
		return true;
	}
	u->need = 3;
	if (c == 0xF0)
		u->low = 0x90;
	else if (c == 0xF4)
		u->high = 0x8F;
	return true;
}

bool
utf8_feed(struct utf8 *u, const char *p, size_t n)
{
	size_t i = 0;

	while (i < n) {
		uint8_t c = (uint8_t)p[i];

		if (u->need) {
			if (c < u->low || c > u->high)
				return false;
			u->low = 0x80, u->high = 0xBF;
			u->need--;
			i++;
		} else if (c < 0x80) {
			i += utf8_ascii_run(p + i, n - i);
		} else {
			if (!start(u, c))
				return false;
			i++;
		}
	}
	return true;
}

bool
utf8_done(const struct utf8 *u)
{
	return u->need == 0;
}

bool
utf8_valid(const char *p, size_t n)
{
	struct utf8 u = { 0 };

	return utf8_feed(&u, p, n) && utf8_done(&u);
}

size_t
utf8_encode(uint32_t c, char *out)
{
	if (c >= 0xD800 && c <= 0xDFFF)
		c = 0xFFFD;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xC0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xE0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3F));
		out[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 0x3F));
	out[2] = (char)(0x80 | (c >> 6 & 0x3F));
	out[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

size_t
utf8_decode(const char *p, size_t n, uint32_t *code_out)
{
	struct utf8 u = { 0 };
	uint8_t c;
	size_t len;
	uint32_t code;

	if (n == 0)
		return 0;
	c = (uint8_t)p[0];
	if (c < 0x80) {
		*code_out = c;
		return 1;
	}
	if (!start(&u, c) || (size_t)u.need + 1 > n)
		return 0;
	len = (size_t)u.need + 1;
	code = c & (0x7Fu >> len);
	for (size_t i = 1; i < len; i++)
		code = code << 6 | ((uint8_t)p[i] & 0x3Fu);
	if (!utf8_valid(p, len))
		return 0;
	*code_out = code;
	return len;
}
