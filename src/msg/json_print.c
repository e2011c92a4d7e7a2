/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON printer. First a walk that adds up what the text can take at most,
 * then one that writes without looking at room; what was read without escapes
 * is copied as it is.
 */
#include "msg/json.h"

#include "base/must.h"
#include "msg/json_node.h"

enum {
	ESCAPED_MAX = 6,	/* bytes of one that were one */
	COUNT_FROM = 256,	/* bytes of a string that are worth counting */
};

/* Short copies without a call. */
static inline char *
put(char *o, const char *p, size_t n)
{
	uint64_t a, b;
	uint32_t c, d;

	if (n > 16) {
		memcpy(o, p, n);
	} else if (n >= 8) {
		memcpy(&a, p, 8);
		memcpy(&b, p + n - 8, 8);
		memcpy(o, &a, 8);
		memcpy(o + n - 8, &b, 8);
	} else if (n >= 4) {
		memcpy(&c, p, 4);
		memcpy(&d, p + n - 4, 4);
		memcpy(o, &c, 4);
		memcpy(o + n - 4, &d, 4);
	} else if (n) {
		o[0] = p[0];
		o[n / 2] = p[n / 2];
		o[n - 1] = p[n - 1];
	}
	return o + n;
}

/* c is a quote, a backslash or a control character. */
static inline char *
put_escape(char *o, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[128] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};

	*o++ = '\\';
	if (letter[c]) {
		*o++ = letter[c];
		return o;
	}
	o = put(o, "u00", 3);
	*o++ = hex[c >> 4];
	*o++ = hex[c & 15];
	return o;
}

/* Room for ESCAPED_MAX times s.n at o. */
static char *
put_escaped(char *o, struct str s)
{
	for (;;) {
		size_t run = node_scan_slice(s);

		o = put(o, s.p, run);
		if (run == s.n)
			return o;
		o = put_escape(o, (unsigned char)s.p[run]);
		s = (struct str){ s.p + run + 1, s.n - run - 1 };
	}
}

/* As put_escaped(), but C0 80 stands for U+0000. */
static char *
put_hidden_nuls(char *o, struct str s)
{
	for (;;) {
		size_t at = str_search(s, STR("\xC0\x80"));

		o = put_escaped(o, str_head(s, at));
		if (at >= s.n)
			return o;
		o = put_escape(o, '\0');
		s = str_from(s, at + 2);
	}
}

static inline char *
put_string(char *o, struct str s, bool plain, bool nul)
{
	*o++ = '"';
	if (LIKELY(plain && !nul))
		o = put(o, s.p, s.n);
	else if (nul)
		o = put_hidden_nuls(o, s);
	else
		o = put_escaped(o, s);
	*o++ = '"';
	return o;
}

/* How many bytes of s may need an escape, at most. */
static size_t
specials(struct str s)
{
	size_t count = 0;

	if (s.n < COUNT_FROM)
		return s.n;
	for (size_t i = 0; i < s.n; i++)
		count += (unsigned char)s.p[i] < 0x20 || s.p[i] == '"' ||
		    s.p[i] == '\\' || s.p[i] == (char)0xC0;
	return count;
}

static inline size_t
string_bound(struct str s, bool plain)
{
	return s.n + 2 + (LIKELY(plain) ? 0 :
	    specials(s) * (ESCAPED_MAX - 1));
}

/* Where a walk goes after n and all within it; NULL at the end. */
static inline const cJSON *
step(const cJSON *n, const cJSON *root, const cJSON **box)
{
	while (n != root && !n->next) {
		must(*box);
		n = *box;
		*box = n == root ? NULL : node_box(n);
	}
	return n == root ? NULL : n->next;
}

static size_t
bound(const cJSON *root)
{
	const cJSON *n = root, *box = NULL;
	size_t sum = 0;

	while (n) {
		/* Brackets, comma and colon, or a word. */
		sum += 6;
		if (n->string)
			sum += string_bound(node_raw_key(n), (n->type &
			    NODE_KEY_FLAGS) == NODE_KEY_PLAIN);
		if (node_is_box(n)) {
			if (n->child) {
				box = n;
				n = n->child;
				continue;
			}
		} else if (n->type & (cJSON_String | cJSON_Number)) {
			sum += string_bound(node_raw_value(n),
			    n->type & (cJSON_Number | NODE_PLAIN) &&
			    !(n->type & NODE_NUL));
		}
		n = step(n, root, &box);
	}
	return sum;
}

static inline char *
put_leaf(char *o, const cJSON *n)
{
	struct str s = node_raw_value(n);

	switch (node_type(n)) {
	case cJSON_String:
		return put_string(o, s, n->type & NODE_PLAIN,
		    n->type & NODE_NUL);
	case cJSON_Number:
		return put(o, s.p, s.n);
	case cJSON_True:
		return put(o, "true", 4);
	case cJSON_False:
		return put(o, "false", 5);
	case cJSON_Object:
		return put(o, "{}", 2);
	case cJSON_Array:
		return put(o, "[]", 2);
	default:
		return put(o, "null", 4);
	}
}

static char *
put_tree(char *o, const cJSON *root)
{
	const cJSON *n = root, *box = NULL;

	for (;;) {
		if (box && box->type & cJSON_Object) {
			o = put_string(o, node_raw_key(n),
			    n->type & NODE_KEY_PLAIN, n->type & NODE_KEY_NUL);
			*o++ = ':';
		}
		if (node_is_box(n) && n->child) {
			*o++ = n->type & cJSON_Object ? '{' : '[';
			box = n;
			n = n->child;
			continue;
		}
		o = put_leaf(o, n);
		while (n != root && !n->next) {
			n = box;
			*o++ = n->type & cJSON_Object ? '}' : ']';
			box = n == root ? NULL : node_box(n);
		}
		if (n == root)
			return o;
		*o++ = ',';
		n = n->next;
	}
}

void
json_print(const cJSON *root, struct buf *b)
{
	char *start = buf_room(b, bound(root));

	buf_added(b, (size_t)(put_tree(start, root) - start));
}

struct str
json_text(const struct cJSON *root, struct arena *a)
{
	char *start = arena_alloc(a, bound(root) + 1);
	char *end = put_tree(start, root);

	*end = '\0';
	return (struct str){ start, (size_t)(end - start) };
}

void
json_escape(struct buf *b, struct str s)
{
	char *start = buf_room(b, s.n + specials(s) * (ESCAPED_MAX - 1));

	buf_added(b, (size_t)(put_escaped(start, s) - start));
}
