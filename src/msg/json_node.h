/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the fields of a cJSON node are used in this folder's trees. Private to
 * the json_*.c files.
 *
 *   valuestring   string: its bytes; number: its text; object, array: the
 *                 container that holds it, or NULL
 *   valueint      length of valuestring
 *   valuedouble   not a number: the length of the key, as bits
 *   child->prev   the last child
 */
#ifndef MSG_JSON_NODE_H
#define MSG_JSON_NODE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/attr.h"
#include "base/str.h"

enum {
	NODE_PLAIN = 1 << 16,		/* the value prints without escapes */
	NODE_KEY_PLAIN = 1 << 17,	/* so does the key */
	NODE_NUL = 1 << 18,		/* C0 80 in the value */
	NODE_KEY_NUL = 1 << 19,
	NODE_KEY_FLAGS = NODE_KEY_PLAIN | NODE_KEY_NUL,
	/* Vectors read past the end of a text by less than this. */
	JSON_PADDING = 32,
};

static inline int
node_type(const cJSON *n)
{
	return n->type & 0xFF;
}

static inline bool
node_is_box(const cJSON *n)
{
	return (n->type & (cJSON_Object | cJSON_Array)) != 0;
}

static inline size_t
node_key_len(const cJSON *n)
{
	uint64_t len;

	memcpy(&len, &n->valuedouble, sizeof(len));
	return (size_t)len;
}

static inline void
node_set_key_len(cJSON *n, size_t len)
{
	uint64_t bits = len;

	memcpy(&n->valuedouble, &bits, sizeof(bits));
}

static inline struct str
node_raw_value(const cJSON *n)
{
	return (struct str){ n->valuestring, (size_t)n->valueint };
}

static inline struct str
node_raw_key(const cJSON *n)
{
	return (struct str){ n->string, n->string ? node_key_len(n) : 0 };
}

static inline cJSON *
node_box(const cJSON *box)
{
	return (cJSON *)(void *)box->valuestring;
}

static inline void
node_set_box(cJSON *n, cJSON *box)
{
	if (node_is_box(n))
		n->valuestring = (char *)(void *)box;
}

/* First byte of s (at least JSON_PADDING readable bytes behind the NUL that
 * ends it) that is a quote, a backslash or a control character. */
static inline char *node_scan(char *p);
/* The same within a slice without padding; s.n when there is none. */
static inline size_t node_scan_slice(struct str s);

#ifdef __SSE2__
#include <emmintrin.h>

static inline unsigned
node_special(__m128i v)
{
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i slash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
	__m128i control = _mm_cmpeq_epi8(
	    _mm_min_epu8(v, _mm_set1_epi8(0x1F)), v);

	return (unsigned)_mm_movemask_epi8(
	    _mm_or_si128(control, _mm_or_si128(quote, slash)));
}

static inline char *
node_scan(char *p)
{
	for (;; p += 16) {
		__m128i v = _mm_loadu_si128((const void *)p);
		unsigned mask = node_special(v);

		if (mask)
			return p + LOWEST_BIT(mask);
	}
}
#else
static inline char *
node_scan(char *p)
{
	while (*p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}
#endif

static inline size_t
node_scan_slice(struct str s)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i + 16 <= s.n; i += 16) {
		__m128i v = _mm_loadu_si128((const void *)(s.p + i));
		unsigned mask = node_special(v);

		if (mask)
			return i + LOWEST_BIT(mask);
	}
#endif
	while (i < s.n && s.p[i] != '"' && s.p[i] != '\\' &&
	    (unsigned char)s.p[i] >= 0x20)
		i++;
	return i;
}

#endif
