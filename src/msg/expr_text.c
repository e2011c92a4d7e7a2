/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings that XPath functions and ${...} functions share. */
#include "msg/expr_priv.h"

#include <string.h>
#include "base/b64.h"
#include "base/utf8.h"

struct str
expr_clean_utf8(struct str s, struct arena *arena)
{
	char *p, *o;

	if (utf8_valid(s.p, s.n))
		return s;
	p = o = arena_alloc(arena, s.n * 3 + 1);
	while (s.n > 0) {
		uint32_t code;
		size_t n = utf8_decode(s.p, s.n, &code);

		if (n) {
			memcpy(o, s.p, n);
			o += n;
		} else {
			n = 1;
			o += utf8_encode(0xFFFD, o);
		}
		s = str_from(s, n);
	}
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

struct str
expr_join(struct str a, struct str b, struct arena *arena)
{
	char *p = arena_alloc(arena, a.n + b.n + 1);

	if (a.n)
		memcpy(p, a.p, a.n);
	if (b.n)
		memcpy(p + a.n, b.p, b.n);
	p[a.n + b.n] = '\0';
	return (struct str){ p, a.n + b.n };
}

bool
expr_charset_parse(struct str name, enum expr_charset *out)
{
	static const struct {
		const char *name;
		enum expr_charset charset;
	} all[] = {
		{ "UTF-8", CHARSET_UTF8 }, { "UTF8", CHARSET_UTF8 },
		{ "US-ASCII", CHARSET_ASCII }, { "ASCII", CHARSET_ASCII },
		{ "ISO-8859-1", CHARSET_LATIN1 },
		{ "ISO8859_1", CHARSET_LATIN1 },
		{ "latin1", CHARSET_LATIN1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_iis(name, all[i].name)) {
			*out = all[i].charset;
			return true;
		}
	return false;
}

struct str
expr_to_charset(struct str s, enum expr_charset charset, struct arena *arena)
{
	uint32_t max = charset == CHARSET_ASCII ? 0x7F : 0xFF, code;
	char *p;
	size_t n = 0;

	if (charset == CHARSET_UTF8)
		return s;
	s = expr_clean_utf8(s, arena);
	p = arena_alloc(arena, s.n + 1);
	while (s.n > 0) {
		s = str_from(s, utf8_decode(s.p, s.n, &code));
		p[n++] = code <= max ? (char)code : '?';
	}
	p[n] = '\0';
	return (struct str){ p, n };
}

struct str
expr_from_charset(struct str s, enum expr_charset charset,
    struct arena *arena)
{
	char *p, *o;

	if (charset == CHARSET_UTF8)
		return expr_clean_utf8(s, arena);
	p = o = arena_alloc(arena, s.n * 3 + 1);
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		o += utf8_encode(c > 0x7F && charset == CHARSET_ASCII ?
		    0xFFFD : c, o);
	}
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

struct str
expr_base64_encode(struct str s, struct arena *arena)
{
	size_t n = b64_encoded_len(s.n);
	char *p = arena_alloc(arena, n + 1);

	b64_encode(s.p, s.n, p);
	p[n] = '\0';
	return (struct str){ p, n };
}

static bool
in_alphabet(char c)
{
	return (c >= '0' && c <= '9') || c == '+' || c == '/' ||
	    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* Bits of the last character that belong to no byte, which Java passes over. */
static void
clear_spare_bits(char *c, unsigned spare)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = *c ? strchr(alphabet, *c) : NULL;

	if (at)
		*c = alphabet[(unsigned)(at - alphabet) & ~spare];
}

/* What is of the alphabet up to the padding, URL-safe characters as their
 * twins, padded anew. Room for s.n + 4 at p. */
static size_t
normalise(struct str s, enum expr_base64 mode, char *p)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		char c = s.p[i];

		if (mode == BASE64_LENIENT && c == '-')
			c = '+';
		if (mode == BASE64_LENIENT && c == '_')
			c = '/';
		if (in_alphabet(c) || mode == BASE64_STRICT)
			p[n++] = c;
	}
	if (mode == BASE64_LENIENT && n % 4 == 1)
		n--;
	if (n % 4 > 1)
		clear_spare_bits(&p[n - 1], n % 4 == 2 ? 0x0F : 0x03);
	while (n % 4 != 0)
		p[n++] = '=';
	return n;
}

struct str
expr_base64_decode(struct str s, enum expr_base64 mode, struct arena *arena)
{
	char *text = arena_alloc(arena, s.n + 4);
	size_t n = normalise(s, mode, text);
	char *bytes = arena_alloc(arena, n / 4 * 3 + 4);

	if (mode == BASE64_STRICT && str_find(s, '=') < s.n && n != s.n)
		return STR_NULL;
	if (!b64_decode(text, n, bytes, &n))
		return STR_NULL;
	bytes[n] = '\0';
	return (struct str){ bytes, n };
}

static bool
is_safe(unsigned char c, const char *safe)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || (c && strchr(safe, c));
}

struct str
expr_percent_encode(struct str s, const char *safe, struct arena *arena)
{
	static const char hex[] = "0123456789ABCDEF";
	char *p = arena_alloc(arena, s.n * 3 + 1), *o = p;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_safe(c, safe)) {
			*o++ = (char)c;
			continue;
		}
		*o++ = '%';
		*o++ = hex[c >> 4];
		*o++ = hex[c & 15];
	}
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str
expr_percent_decode(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n + 1), *o = p;

	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			*o++ = s.p[i] == '+' ? ' ' : s.p[i];
			continue;
		}
		high = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
		low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
		if (high < 0 || low < 0)
			return STR_NULL;
		*o++ = (char)(high * 16 + low);
		i += 2;
	}
	*o = '\0';
	return expr_clean_utf8((struct str){ p, (size_t)(o - p) }, arena);
}
