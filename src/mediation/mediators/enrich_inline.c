/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/enrich_inline.h"

#include "msg/json.h"

/* An expression in braces has none of these, so JSON is left alone. */
static bool
may_be_inside(char c)
{
	return c && !strchr(" \t\r\n\",<>]{", c);
}

/* Length of {...} at p, 0 when it is none. */
static size_t
expr_length(const char *p, const char *end)
{
	const char *q = p + 1;

	if (*p != '{')
		return 0;
	while (q < end && *q != '}' && may_be_inside(*q))
		q++;
	return q < end && *q == '}' && q > p + 1 ? (size_t)(q - p) + 1 : 0;
}

static void
add_text(struct enrich *n, struct enrich_piece *all, const char *from,
    const char *to)
{
	if (to > from)
		all[n->pieces++].text = (struct str){ from,
		    (size_t)(to - from) };
}

int
enrich_read_pieces(struct med_compile *c, const struct xml_el *el,
    struct enrich *n, struct str text, struct err *err)
{
	const char *p = text.p, *from = p, *end = text.p + text.n;
	struct enrich_piece *all = arena_zalloc(med_arena(c),
	    (text.n + 1) * sizeof(*all));

	n->piece = all;
	while (p < end) {
		size_t len = expr_length(p, end);
		struct enrich_piece *piece;

		if (!len) {
			p++;
			continue;
		}
		add_text(n, all, from, p);
		piece = &all[n->pieces++];
		piece->quoted = p > text.p && p[-1] == '"';
		piece->expr = med_expr_text(c, el, "<source>",
		    (struct str){ p + 1, len - 2 }, err);
		if (!piece->expr)
			return -1;
		p = from = p + len;
	}
	add_text(n, all, from, end);
	return 0;
}

static bool
stands_alone(struct str s)
{
	s = str_trim(s);
	return s.n && (strchr("{[\"<", s.p[0]) || json_is_number(s) ||
	    str_is(s, "true") || str_is(s, "false") || str_is(s, "null"));
}

static int
add_value(const struct enrich_piece *p, struct message *msg, struct buf *b,
    struct fault *fault)
{
	struct str s;

	if (med_expr_string(p->expr, msg, &s, fault) < 0)
		return -1;
	if (!s.p)
		s = STR("");
	if (p->quoted) {
		json_escape(b, s);
	} else if (stands_alone(s)) {
		buf_add_str(b, s);
	} else {
		buf_putc(b, '"');
		json_escape(b, s);
		buf_putc(b, '"');
	}
	return 0;
}

int
enrich_inline_text(const struct enrich *n, struct message *msg,
    struct str *out, struct fault *fault)
{
	const struct msg_context *c = message_context(msg);
	struct buf b = { 0 };
	int result = 0;

	if (n->key.p) {
		if (c->entry && c->entry(c->entry_ctx, n->key,
		    message_arena(msg), out))
			return 0;
		return fault_set(fault, FAULT_MEDIATOR, "Key %.*s not found",
		    STR_FMT(n->key));
	}
	if (n->pieces == 1 && !n->piece[0].expr) {
		*out = n->piece[0].text;
		return 0;
	}
	for (size_t i = 0; result == 0 && i < n->pieces; i++) {
		if (n->piece[i].expr)
			result = add_value(&n->piece[i], msg, &b, fault);
		else
			buf_add_str(&b, n->piece[i].text);
	}
	*out = arena_str(message_arena(msg), buf_str(&b));
	buf_fini(&b);
	return result;
}
