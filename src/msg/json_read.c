/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON reader. One private copy of the text, strings unescaped in place,
 * numbers left as text; each is ended by a NUL written over the byte behind
 * it, which the reader has looked at before. No recursion: a container that is
 * open remembers the one around it.
 */
#include "msg/json.h"

#include <limits.h>

#include "base/utf8.h"
#include "msg/json_node.h"

enum { DEFAULT_DEPTH = 128, SLAB_MIN = 8, SLAB_MAX = 120 };

struct reader {
	char *p;		/* next byte */
	char *base, *end;	/* the copy; *end is the NUL behind it */
	cJSON *slab, *slab_end;	/* nodes in stock */
	struct arena *arena;
	size_t slab_size;
	struct str text;	/* as given, for positions */
	struct err *err;
};

/* A string as it was read. */
struct token {
	char *p;
	size_t n;
	int flags;		/* NODE_PLAIN, NODE_NUL */
};

static int
fail_kind(struct reader *r, enum err_kind kind, const char *at,
    const char *what)
{
	size_t offset = (size_t)(at - r->base), start = 0;
	int line = 1;

	if (offset > r->text.n)
		offset = r->text.n;
	for (size_t i = 0; i < offset; i++)
		if (r->text.p[i] == '\n')
			line++, start = i + 1;
	err_set(r->err, kind, "JSON: %s at line %d, column %zu", what, line,
	    offset - start + 1);
	if (r->err)
		r->err->at = (struct src_pos){ .line = line,
			.column = (int)(offset - start + 1) };
	return -1;
}

static int
fail(struct reader *r, const char *at, const char *what)
{
	return fail_kind(r, ERR_SYNTAX, at, what);
}

static cJSON *
node_new(struct reader *r)
{
	if (UNLIKELY(r->slab == r->slab_end)) {
		r->slab = arena_alloc(r->arena, r->slab_size * sizeof(cJSON));
		r->slab_end = r->slab + r->slab_size;
		r->slab_size = r->slab_size * 2 < SLAB_MAX ?
		    r->slab_size * 2 : SLAB_MAX;
	}
	return r->slab++;
}

/* Steps over blanks; returns the byte at r->p. */
static inline char
skip_blanks(struct reader *r)
{
	char *p = r->p;

	if (LIKELY((unsigned char)*p > ' '))
		return *p;
	while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
		p++;
	r->p = p;
	return *p;
}

static int
hex4(const char *p)
{
	int v = 0;

	for (int i = 0; i < 4; i++) {
		char c = ascii_lower(p[i]);

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v * 16 + (c - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* p is behind "\u"; the text ends in NUL, so hex4() stops in time. */
static int
unescape_unicode(struct reader *r, char **pp, char **op, struct token *t)
{
	char *p = *pp;
	int code = hex4(p), low;

	if (code < 0)
		return fail(r, p - 2, "bad \\u escape");
	if (code >= 0xDC00 && code <= 0xDFFF)
		return fail(r, p - 2, "lone surrogate");
	p += 4;
	if (code >= 0xD800 && code <= 0xDBFF) {
		low = p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : -1;
		if (low < 0xDC00 || low > 0xDFFF)
			return fail(r, p - 6, "lone surrogate");
		p += 6;
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
	}
	*pp = p;
	if (code == 0) {
		*(*op)++ = (char)0xC0;
		*(*op)++ = (char)0x80;
		t->flags |= NODE_NUL;
		return 0;
	}
	*op += utf8_encode((uint32_t)code, *op);
	return 0;
}

static int
unescape_one(struct reader *r, char **pp, char **op, struct token *t)
{
	static const char meaning[256] = {
		['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b',
		['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
	};
	char *p = *pp;
	char c = meaning[(unsigned char)*p];

	if (*p == 'u') {
		*pp = p + 1;
		return unescape_unicode(r, pp, op, t);
	}
	if (!c)
		return fail(r, p - 1, "bad escape");
	*(*op)++ = c;
	*pp = p + 1;
	return 0;
}

/* r->p is at the first backslash of a string that began at t->p. */
static int
read_escaped(struct reader *r, struct token *t)
{
	char *p = r->p, *o = p;

	while (*p == '\\') {
		char *run;

		p++;
		if (unescape_one(r, &p, &o, t))
			return -1;
		run = p;
		p = node_scan(p);
		memmove(o, run, (size_t)(p - run));
		o += p - run;
	}
	r->p = p;
	t->n = (size_t)(o - t->p);
	t->flags &= ~NODE_PLAIN;
	if (*p == '"')
		*o = '\0';
	return 0;
}

/* r->p is at the opening quote; ends behind the closing one. */
static inline int
read_string(struct reader *r, struct token *t)
{
	char *p = r->p + 1;

	*t = (struct token){ .p = p, .flags = NODE_PLAIN };
	p = node_scan(p);
	t->n = (size_t)(p - t->p);
	r->p = p;
	if (UNLIKELY(*p == '\\') && read_escaped(r, t))
		return -1;
	if (UNLIKELY(*r->p != '"'))
		return fail(r, r->p, r->p == r->end ?
		    "string without end" : "control character in a string");
	*r->p++ = '\0';
	t->p[t->n] = '\0';
	return 0;
}

static inline const char *
digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* End of the number that starts at p, or NULL with *bad_out at the fault. */
static inline const char *
number_end(const char *p, const char *end, const char **bad_out)
{
	const char *from;

	if (p < end && *p == '-')
		p++;
	from = *bad_out = p;
	p = digits(p, end);
	if (p == from || (*from == '0' && p != from + 1))
		return NULL;
	if (p < end && *p == '.') {
		from = *bad_out = ++p;
		if ((p = digits(p, end)) == from)
			return NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		from = *bad_out = p;
		if ((p = digits(p, end)) == from)
			return NULL;
	}
	return p;
}

bool
json_is_number(struct str s)
{
	const char *bad;

	return s.n && number_end(s.p, s.p + s.n, &bad) == s.p + s.n;
}

/* Gives the byte behind the number, which is lost in the copy. */
static int
read_number(struct reader *r, cJSON *n, char *next_out)
{
	const char *bad;
	char *p = r->p;
	size_t len;

	if (!number_end(p, r->end, &bad))
		return fail(r, bad, "bad number");
	len = (size_t)(number_end(p, r->end, &bad) - p);
	n->type |= cJSON_Number;
	n->valuestring = p;
	n->valueint = (int)len;
	r->p = p + len;
	*next_out = *r->p;
	if (*next_out == ' ' || *next_out == '\n' || *next_out == '\r' ||
	    *next_out == '\t') {
		*r->p++ = '\0';
		*next_out = skip_blanks(r);
	} else {
		*r->p = '\0';
	}
	return 0;
}

static int
read_word(struct reader *r, cJSON *n, const char *word, size_t len, int type)
{
	if (strncmp(r->p, word, len) != 0)
		return fail(r, r->p, "expected a value");
	n->type |= type;
	r->p += len;
	return 0;
}

/* Any value but a container. */
static inline int
read_leaf(struct reader *r, cJSON *n, char *next_out)
{
	struct token t;

	switch (*r->p) {
	case '"':
		if (read_string(r, &t))
			return -1;
		n->type |= cJSON_String | t.flags;
		n->valuestring = t.p;
		n->valueint = (int)t.n;
		break;
	case 't':
		if (read_word(r, n, "true", 4, cJSON_True))
			return -1;
		break;
	case 'f':
		if (read_word(r, n, "false", 5, cJSON_False))
			return -1;
		break;
	case 'n':
		if (read_word(r, n, "null", 4, cJSON_NULL))
			return -1;
		break;
	case '-': case '0': case '1': case '2': case '3': case '4':
	case '5': case '6': case '7': case '8': case '9':
		return read_number(r, n, next_out);
	default:
		return fail(r, r->p, r->p == r->end ?
		    "ends too early" : "expected a value");
	}
	*next_out = skip_blanks(r);
	return 0;
}

/* Name and colon of a member, up to its value. */
static inline int
read_key(struct reader *r, struct token *key)
{
	if (skip_blanks(r) != '"')
		return fail(r, r->p, "expected a member name");
	if (read_string(r, key))
		return -1;
	if (skip_blanks(r) != ':')
		return fail(r, r->p, "expected a colon");
	r->p++;
	skip_blanks(r);
	return 0;
}

static inline int
key_flags(const struct token *key)
{
	return (key->flags & NODE_PLAIN ? NODE_KEY_PLAIN : 0) |
	    (key->flags & NODE_NUL ? NODE_KEY_NUL : 0);
}

/* A new last child of box, or the root. */
static inline cJSON *
hang_node(struct reader *r, cJSON *box, cJSON *tail, const struct token *key)
{
	cJSON *n = node_new(r);

	n->next = n->child = NULL;
	n->prev = tail;
	n->type = key_flags(key);
	n->valuestring = NULL;
	n->valueint = 0;
	node_set_key_len(n, key->n);
	n->string = key->p;
	if (tail)
		tail->next = n;
	else if (box)
		box->child = n;
	return n;
}

/* Where the reader stands in the tree. */
struct place {
	cJSON *box, *tail;	/* open container, its last child so far */
	size_t depth, max;
};

/*
 * Steps from the end of a value to the start of the next one, closing what
 * ends. next is the byte at r->p. 1: there is one; 0: the text is done.
 */
static inline int
to_next_value(struct reader *r, struct place *at, char next,
    struct token *key)
{
	for (; at->box; next = skip_blanks(r)) {
		bool object = at->box->type & cJSON_Object;

		if (next == ',') {
			r->p++;
			if (!object)
				return skip_blanks(r), 1;
			return read_key(r, key) ? -1 : 1;
		}
		if (next != (object ? '}' : ']'))
			return fail(r, r->p, r->p == r->end ?
			    "ends too early" : object ?
			    "expected a comma or }" : "expected a comma or ]");
		r->p++;
		if (at->tail)
			at->box->child->prev = at->tail;
		at->tail = at->box;
		at->box = node_box(at->box);
		at->depth--;
	}
	if (r->p != r->end)
		return fail(r, r->p, "text after the end");
	return 0;
}

/* n begins at r->p with a bracket. 1: a value follows; 0: n was empty and is
 * done up to its bracket, which to_next_value() takes. */
static inline int
open_box(struct reader *r, struct place *at, cJSON *n, struct token *key,
    char *next_out)
{
	bool object = *r->p == '{';

	if (++at->depth > at->max)
		return fail_kind(r, ERR_LIMIT, r->p, "nested too deeply");
	n->type |= object ? cJSON_Object : cJSON_Array;
	node_set_box(n, at->box);
	at->box = n;
	at->tail = NULL;
	r->p++;
	*next_out = skip_blanks(r);
	if (*next_out == (object ? '}' : ']'))
		return 0;
	if (object && read_key(r, key))
		return -1;
	return 1;
}

static cJSON *
read_tree(struct reader *r, size_t depth)
{
	struct place at = { .max = depth };
	struct token key = { .p = NULL };
	cJSON *root = NULL;
	char next;
	int more;

	skip_blanks(r);
	do {
		cJSON *n = hang_node(r, at.box, at.tail, &key);

		if (!root)
			root = n;
		key = (struct token){ .p = NULL };
		if (*r->p == '{' || *r->p == '[') {
			more = open_box(r, &at, n, &key, &next);
			if (more < 0)
				return NULL;
			if (more > 0)
				continue;
		} else {
			if (read_leaf(r, n, &next))
				return NULL;
			at.tail = n;
		}
		more = to_next_value(r, &at, next, &key);
		if (more < 0)
			return NULL;
	} while (more);
	return root;
}

static void
reader_init(struct reader *r, struct arena *a, struct str text,
    struct err *err)
{
	size_t nodes = text.n / 20;

	*r = (struct reader){ .arena = a, .text = text, .err = err };
	r->base = r->p = arena_alloc(a, text.n + JSON_PADDING);
	if (text.n)
		memcpy(r->base, text.p, text.n);
	memset(r->base + text.n, 0, JSON_PADDING);
	r->end = r->base + text.n;
	r->slab_size = nodes < SLAB_MIN ? SLAB_MIN :
	    nodes > SLAB_MAX ? SLAB_MAX : nodes;
}

static int
check_utf8(struct reader *r)
{
	struct utf8 u = { 0 };
	size_t good = 0;

	if (utf8_valid(r->text.p, r->text.n))
		return 0;
	while (good < r->text.n && utf8_feed(&u, r->text.p + good, 1))
		good++;
	return fail(r, r->base + good, "invalid UTF-8");
}

struct cJSON *
json_parse(struct arena *a, struct str text, size_t depth, struct err *err)
{
	struct reader r;

	if (text.n >= INT_MAX / 2) {
		err_set(err, ERR_LIMIT, "JSON: text too long");
		return NULL;
	}
	reader_init(&r, a, text, err);
	if (check_utf8(&r))
		return NULL;
	return read_tree(&r, depth ? depth : DEFAULT_DEPTH);
}
