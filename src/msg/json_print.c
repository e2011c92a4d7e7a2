/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON printer: what was read without escapes is copied as it is. */
#include "msg/json.h"

#include "base/must.h"
#include "msg/json_node.h"

/* Short copies without a call. */
static inline char *
put(char *o, const char *p, size_t n)
{
	if (n <= 16 && n >= 8) {
		uint64_t a, b;

		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
		memcpy(o, &a, 8);
		memcpy(o + n - 8, &b, 8);
		return o + n;
	}
	if (n < 8) {
		for (size_t i = 0; i < n; i++)
			o[i] = p[i];
		return o + n;
	}
	memcpy(o, p, n);
	return o + n;
}

static void
escape_char(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *found = c ? strchr(from, c) : NULL;
	char out[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	if (found)
		out[1] = to[found - from];
	buf_add(b, out, found ? 2 : 6);
}

void
json_escape(struct buf *b, struct str s)
{
	while (s.n) {
		size_t run = node_scan_slice(s);

		buf_add(b, s.p, run);
		if (run == s.n)
			return;
		escape_char(b, (unsigned char)s.p[run]);
		s = str_from(s, run + 1);
	}
}

/* As json_escape(), but C0 80 stands for U+0000. */
static void
escape_raw(struct buf *b, struct str s)
{
	for (;;) {
		size_t at = str_search(s, STR("\xC0\x80"));

		json_escape(b, str_head(s, at));
		if (at >= s.n)
			return;
		escape_char(b, 0);
		s = str_from(s, at + 2);
	}
}

/* Quoted; after is what follows the closing quote, or NUL. */
static inline void
print_string(struct buf *b, struct str s, bool plain, bool colon)
{
	char *start, *o;

	if (LIKELY(plain)) {
		start = o = buf_room(b, s.n + 3);
		*o++ = '"';
		o = put(o, s.p, s.n);
		*o++ = '"';
		if (colon)
			*o++ = ':';
		buf_added(b, (size_t)(o - start));
		return;
	}
	buf_putc(b, '"');
	escape_raw(b, s);
	buf_add(b, "\":", colon ? 2 : 1);
}

static void
print_leaf(const cJSON *n, struct buf *b)
{
	struct str s = node_raw_value(n);

	switch (node_type(n)) {
	case cJSON_String:
		print_string(b, s, n->type & NODE_PLAIN, false);
		return;
	case cJSON_Number:
		put(buf_room(b, s.n), s.p, s.n);
		buf_added(b, s.n);
		return;
	case cJSON_True:
		buf_add(b, "true", 4);
		return;
	case cJSON_False:
		buf_add(b, "false", 5);
		return;
	case cJSON_Object:
		buf_add(b, "{}", 2);
		return;
	case cJSON_Array:
		buf_add(b, "[]", 2);
		return;
	default:
		buf_add(b, "null", 4);
	}
}

void
json_print(const cJSON *root, struct buf *b)
{
	const cJSON *n = root, *box = NULL;

	for (;;) {
		if (box && box->type & cJSON_Object)
			print_string(b, node_raw_key(n),
			    n->type & NODE_KEY_PLAIN, true);
		if (node_is_box(n) && n->child) {
			buf_putc(b, n->type & cJSON_Object ? '{' : '[');
			box = n;
			n = n->child;
			continue;
		}
		print_leaf(n, b);
		while (n != root && !n->next) {
			must(box);
			n = box;
			buf_putc(b, n->type & cJSON_Object ? '}' : ']');
			box = n == root ? NULL : node_box(n);
		}
		if (n == root)
			return;
		buf_putc(b, ',');
		n = n->next;
	}
}

struct str
json_text(const struct cJSON *n, struct arena *a)
{
	struct buf b = { .p = NULL };
	struct str s;

	json_print(n, &b);
	s = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return s;
}
