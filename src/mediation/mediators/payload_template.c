/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/payload_template.h"

#include "msg/json.h"
#include "msg/textconv.h"
#include "msg/xml.h"

/* A template may use an argument many times, however long it is. */
enum { PAYLOAD_MAX = 64 << 20 };

/* ---- compile ----------------------------------------------------------- */

struct scan {
	struct arena *arena;
	struct payload_piece *piece;
	size_t count, cap;
	const char *from;		/* literal text not yet added */
};

static struct payload_piece *
add_piece(struct scan *s, enum payload_kind kind)
{
	if (s->count == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 8;
		struct payload_piece *p = arena_alloc(s->arena,
		    cap * sizeof(*p));

		if (s->count)
			memcpy(p, s->piece, s->count * sizeof(*p));
		s->piece = p;
		s->cap = cap;
	}
	s->piece[s->count] = (struct payload_piece){ .kind = kind };
	return &s->piece[s->count++];
}

static void
add_text(struct scan *s, const char *to)
{
	if (to > s->from)
		add_piece(s, PIECE_TEXT)->text = arena_str(s->arena,
		    (struct str){ s->from, (size_t)(to - s->from) });
}

/* Length of "${...}" at p, 0 when it is none. */
static size_t
expr_length(const char *p, const char *end)
{
	const char *close;

	if (end - p < 4 || p[0] != '$' || p[1] != '{')
		return 0;
	close = memchr(p, '}', (size_t)(end - p));
	return close && close > p + 2 ? (size_t)(close - p) + 1 : 0;
}

static size_t
digits(const char *p, const char *end)
{
	size_t n = 0;

	while (p + n < end && p[n] >= '0' && p[n] <= '9')
		n++;
	return n;
}

static int
take_expr(struct scan *s, const char *p, size_t n, bool quoted,
    const struct expr_scope *scope, struct err *err)
{
	struct expr *e = expr_compile(s->arena, (struct str){ p, n }, scope,
	    err);

	if (!e)
		return -1;
	add_text(s, quoted ? p - 1 : p);
	add_piece(s, quoted ? PIECE_QUOTED : PIECE_EXPR)->expr = e;
	s->from = p + n + quoted;
	return 0;
}

/* False at a $n without an argument. */
static bool
take_arg(struct scan *s, const char *p, size_t n, size_t args)
{
	uint64_t number;

	if (!str_to_u64((struct str){ p + 1, n }, &number) || number == 0 ||
	    number > args)
		return false;
	add_text(s, p);
	add_piece(s, PIECE_ARG)->arg = (size_t)number - 1;
	s->from = p + 1 + n;
	return true;
}

int
payload_template_compile(struct arena *a, struct str text, size_t args,
    const struct expr_scope *scope, struct payload_template *out,
    struct err *err)
{
	const char *p = text.p, *end = text.p + text.n;
	struct scan s = { .arena = a, .from = text.p };
	size_t n;

	out->cut_short = false;
	while (p < end && !out->cut_short) {
		bool quoted = *p == '"';

		n = expr_length(p + quoted, end);
		if (n && quoted && (p + 1 + n == end || p[1 + n] != '"'))
			n = 0;
		if (n) {
			if (take_expr(&s, p + quoted, n, quoted, scope,
			    err) < 0)
				return -1;
			p = s.from;
		} else if (*p == '$' && (n = digits(p + 1, end)) > 0) {
			out->cut_short = !take_arg(&s, p, n, args);
			p = s.from;
		} else {
			p++;
		}
	}
	add_text(&s, end);
	out->piece = s.piece;
	out->count = s.count;
	return 0;
}

bool
payload_template_reads_body(const struct payload_template *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->piece[i].expr && expr_reads_body(t->piece[i].expr))
			return true;
	return false;
}

/* ---- what a text is ---------------------------------------------------- */

static bool
is_xml(struct str s)
{
	s = str_trim(s);
	return s.n >= 4 && s.p[0] == '<' && s.p[s.n - 1] == '>' &&
	    xml_looks_like_element(s);
}

static bool
looks_like_json(struct str s)
{
	s = str_trim(s);
	return s.n && (s.p[0] == '{' || s.p[0] == '[');
}

enum payload_arg_kind
payload_kind_of(struct str text, bool is_jsonpath)
{
	if (is_jsonpath)
		return looks_like_json(text) ? ARG_JSON : ARG_TEXT;
	return is_xml(text) ? ARG_XML : ARG_TEXT;
}

/* ---- fill -------------------------------------------------------------- */

/* Only control characters. */
static void
escape_controls(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if ((unsigned char)c < 0x20)
			json_escape(out, (struct str){ &c, 1 });
		else
			buf_putc(out, c);
	}
}

/* Would stand without quotes. */
static bool
is_json_word(struct str s)
{
	return str_is(s, "true") || str_is(s, "false") || str_is(s, "null") ||
	    json_is_number(s);
}

static void
add_json_string(struct buf *out, const struct payload_style *style,
    struct str s)
{
	bool quote = style->quote && !is_json_word(s);

	if (quote)
		buf_putc(out, '"');
	json_escape(out, s);
	if (quote)
		buf_putc(out, '"');
}

static int
add_to_json(struct buf *out, const struct payload_style *style, struct str s,
    enum payload_arg_kind kind, struct arena *a, struct err *err)
{
	switch (kind) {
	case ARG_XML:
		return textconv_to_json(s, a, out, err);
	case ARG_JSON:
		if (style->escape_xml)
			escape_controls(out, s);
		else
			buf_add_str(out, s);
		return 0;
	case ARG_TEXT:
		if (looks_like_json(s)) {
			buf_add_str(out, s);
			return 0;
		}
		break;
	case ARG_LITERAL:
		break;
	}
	add_json_string(out, style, s);
	return 0;
}

static int
add_arg(struct buf *out, const struct payload_style *style, struct str s,
    enum payload_arg_kind kind, struct arena *a, struct err *err)
{
	switch (style->media) {
	case PAYLOAD_JSON:
		return add_to_json(out, style, s, kind, a, err);
	case PAYLOAD_XML:
		if (kind == ARG_JSON)
			return textconv_to_xml(s, a, out, err);
		break;
	case PAYLOAD_TEXT:
		break;
	}
	buf_add_str(out, s);
	return 0;
}

static struct str
xml_escaped(struct arena *a, struct str s)
{
	struct buf b = { 0 };

	xml_escape(&b, s);
	s = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

static bool
needs_escape(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (strchr("&<>\"'", s.p[i]) && s.p[i])
			return true;
	return false;
}

int
payload_arg_fill(const struct payload_arg *arg,
    const struct payload_style *style, struct message *msg, struct buf *out, struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct err err = { 0 };
	struct str s = arg->constant;
	enum payload_arg_kind kind = arg->constant_kind;

	if (arg->expr) {
		if (med_expr_string(arg->expr, msg, &s, fault) < 0)
			return -1;
		if (!s.p)
			s = STR("");
		kind = payload_kind_of(s, expr_language(arg->expr) ==
		    EXPR_JSONPATH);
		if (style->media == PAYLOAD_XML && kind == ARG_TEXT &&
		    needs_escape(s))
			s = xml_escaped(a, s);
		if (arg->literal)
			kind = ARG_LITERAL;
	}
	if (add_arg(out, style, s, kind, a, &err) < 0)
		return med_fault_from(fault, &err);
	return 0;
}

/* An object or array out of JSON. */
static bool
is_tree(const struct value *v)
{
	return v->type == VALUE_JSON &&
	    (json_type_of(v->json) == JSON_OBJECT ||
	    json_type_of(v->json) == JSON_ARRAY);
}

static int
add_unquoted(struct buf *out, const struct payload_style *style,
    const struct value *v, struct str s, struct arena *a, struct err *err)
{
	if (is_tree(v)) {
		if (style->media == PAYLOAD_XML)
			return textconv_to_xml(s, a, out, err);
		buf_add_str(out, s);
	} else if (is_xml(s)) {
		if (style->media == PAYLOAD_JSON)
			return textconv_to_json(s, a, out, err);
		buf_add_str(out, s);
	} else if (style->media == PAYLOAD_XML && needs_escape(s)) {
		json_escape(out, xml_escaped(a, s));
	} else {
		json_escape(out, s);
	}
	return 0;
}

static int
fill_expr(const struct payload_piece *p, const struct payload_style *style,
    struct message *msg, struct buf *out, struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct err err = { 0 };
	struct value v;
	struct str s;
	bool quoted = p->kind == PIECE_QUOTED;

	if (expr_value(p->expr, msg, &v, &err) < 0)
		return med_fault_from(fault, &err);
	s = v.type == VALUE_JSON && json_type_of(v.json) == JSON_STRING
	    ? json_string(v.json, a) : value_text(&v, a);
	if (!s.p || (v.type == VALUE_JSON && json_type_of(v.json) ==
	    JSON_NULL && style->media != PAYLOAD_JSON))
		s = STR("");
	if (quoted)
		buf_putc(out, '"');
	if (quoted && style->media != PAYLOAD_XML)
		json_escape(out, s);
	else if (add_unquoted(out, style, &v, s, a, &err) < 0)
		return med_fault_from(fault, &err);
	if (quoted)
		buf_putc(out, '"');
	return 0;
}

int
payload_template_fill(const struct payload_template *t,
    const struct payload_style *style, const struct payload_arg *args,
    struct message *msg, struct buf *out, struct fault *fault)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct payload_piece *p = &t->piece[i];
		int result = 0;

		switch (p->kind) {
		case PIECE_TEXT:
			buf_add_str(out, p->text);
			break;
		case PIECE_ARG:
			result = payload_arg_fill(&args[p->arg], style, msg,
			    out, fault);
			break;
		case PIECE_EXPR:
		case PIECE_QUOTED:
			result = fill_expr(p, style, msg, out, fault);
			break;
		}
		if (result < 0)
			return -1;
		if (buf_len(out) > PAYLOAD_MAX)
			return fault_set(fault, FAULT_MEDIATOR, "the payload "
			    "is longer than %d bytes", PAYLOAD_MAX);
	}
	return 0;
}
