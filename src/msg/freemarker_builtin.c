/* SPDX-License-Identifier: Apache-2.0 */
/* Built-ins of templates: x?name and x?name(args). */
#include "msg/freemarker_priv.h"

#include <math.h>
#include "base/utf8.h"
#include "msg/xml.h"

typedef int builtin_fn(struct fm_run *, const struct fm_expr *,
    const struct fm_value *, struct fm_value *);

/* What the left side must be, and is made, before the function sees it. */
enum want { ANY, MISSING_TOO, STRING, SHOWN, NUMBER, LIST };

struct fm_builtin {
	const char *name;
	builtin_fn *fn;
	enum want want;
	unsigned min, max;	/* arguments */
};

/* Takes the text of b over. */
static int
from_buf(struct fm_run *r, const struct fm_expr *e, struct buf *b,
    struct fm_value *out)
{
	int result = fm_take(r, e, buf_len(b));

	if (result == 0)
		*out = FM_STRING(arena_str(r->arena, buf_str(b)));
	buf_fini(b);
	return result;
}

/* ---- strings ------------------------------------------------------------ */

static int
in_case(struct fm_run *r, const struct fm_expr *e, struct str s, bool upper,
    size_t limit, struct fm_value *out)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (i < limit && upper && c >= 'a' && c <= 'z')
			c = (char)(c - 32);
		else if (i < limit && !upper)
			c = ascii_lower(c);
		buf_putc(&b, c);
	}
	return from_buf(r, e, &b, out);
}

#define BUILTIN(name) \
static int \
do_##name(struct fm_run *r, const struct fm_expr *e, \
    const struct fm_value *v, struct fm_value *out)

BUILTIN(upper_case)
{
	return in_case(r, e, v->s, true, SIZE_MAX, out);
}

BUILTIN(lower_case)
{
	return in_case(r, e, v->s, false, SIZE_MAX, out);
}

/* How many bytes there are up to the first that is not blank, and with it. */
static size_t
first_letter(struct str s)
{
	size_t n = 0;

	while (n < s.n && strchr(" \t\r\n", s.p[n]))
		n++;
	return n + 1;
}

BUILTIN(cap_first)
{
	return in_case(r, e, v->s, true, first_letter(v->s), out);
}

BUILTIN(uncap_first)
{
	return in_case(r, e, v->s, false, first_letter(v->s), out);
}

BUILTIN(trim)
{
	(void)r;
	(void)e;
	*out = FM_STRING(str_trim(v->s));
	return 0;
}

/* UTF-16 units, as the reference counts. */
static size_t
units(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += ((c & 0xC0) != 0x80) + (c >= 0xF0);
	}
	return n;
}

BUILTIN(length)
{
	(void)r;
	(void)e;
	*out = FM_NUMBER((double)units(v->s));
	return 0;
}

static bool
before(struct str s, size_t at, const char *two)
{
	return at >= 1 && s.p[at - 1] == two[0] && (at < 2 ||
	    s.p[at - 2] == two[0]);
}

/* So that no closing tag, comment or CDATA section begins or ends in it. */
static bool
is_dangerous(struct str s, size_t at)
{
	switch (s.p[at]) {
	case '/':
		return at == 0 || s.p[at - 1] == '<';
	case '>':
		return at == 0 || before(s, at, "]") || before(s, at, "-");
	case '<':
		return at + 1 == s.n || s.p[at + 1] == '!' ||
		    s.p[at + 1] == '?';
	default:
		return false;
	}
}

static void
add_code(struct buf *b, uint32_t c, bool json)
{
	if (!json && c < 0x100)
		buf_printf(b, "\\x%02X", c);
	else
		buf_printf(b, "\\u%04X", c);
}

static void
add_script(struct buf *b, struct str s, size_t at, uint32_t c, size_t n,
    bool json)
{
	static const char plain[] = "\n\r\f\b\t", letter[] = "nrfbt";
	const char *p = c && c < 0x20 ? strchr(plain, (int)c) : NULL;

	if (p)
		buf_printf(b, "\\%c", letter[p - plain]);
	else if (c == '"' || c == '\\' || (c == '\'' && !json) ||
	    (c == '/' && is_dangerous(s, at)) ||
	    (c == '>' && !json && is_dangerous(s, at)))
		buf_printf(b, "\\%c", (int)c);
	else if (c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 ||
	    c == 0x2029 || ((c == '<' || c == '>') && is_dangerous(s, at)))
		add_code(b, c, json);
	else
		buf_add(b, s.p + at, n);
}

static int
script_string(struct fm_run *r, const struct fm_expr *e, struct str s,
    bool json, struct fm_value *out)
{
	struct buf b = { 0 };
	uint32_t c;
	size_t n;

	for (size_t i = 0; i < s.n; i += n) {
		n = utf8_decode(s.p + i, s.n - i, &c);
		if (n == 0) {
			n = 1;
			c = 0xFFFD;
		}
		add_script(&b, s, i, c, n, json);
	}
	return from_buf(r, e, &b, out);
}

BUILTIN(js_string)
{
	return script_string(r, e, v->s, false, out);
}

BUILTIN(json_string)
{
	return script_string(r, e, v->s, true, out);
}

BUILTIN(xml)
{
	struct buf b = { 0 };

	xml_escape(&b, v->s);
	return from_buf(r, e, &b, out);
}

BUILTIN(html)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < v->s.n; i++)
		if (v->s.p[i] == '\'')
			buf_addz(&b, "&#39;");
		else
			xml_escape(&b, (struct str){ v->s.p + i, 1 });
	return from_buf(r, e, &b, out);
}

/* The first argument, as text. */
static int
first_arg(struct fm_run *r, const struct fm_expr *e, struct str *out)
{
	struct fm_value v;

	if (fm_eval_present(r, e->b, &v) < 0)
		return -1;
	return fm_string(r, e->b, &v, out);
}

BUILTIN(contains)
{
	struct str part;

	if (first_arg(r, e, &part) < 0)
		return -1;
	*out = FM_BOOL(!part.n || str_search(v->s, part) < v->s.n);
	return 0;
}

BUILTIN(starts_with)
{
	struct str part;

	if (first_arg(r, e, &part) < 0)
		return -1;
	*out = FM_BOOL(str_eq(str_head(v->s, part.n), part));
	return 0;
}

BUILTIN(ends_with)
{
	struct str part;

	if (first_arg(r, e, &part) < 0)
		return -1;
	*out = FM_BOOL(part.n <= v->s.n &&
	    str_eq(str_from(v->s, v->s.n - part.n), part));
	return 0;
}

BUILTIN(index_of)
{
	struct str part;
	size_t at;

	if (first_arg(r, e, &part) < 0)
		return -1;
	at = part.n ? str_search(v->s, part) : 0;
	*out = FM_NUMBER(part.n && at == v->s.n ? -1.0 :
	    (double)units(str_head(v->s, at)));
	return 0;
}

BUILTIN(replace)
{
	struct str from, to, rest = v->s;
	struct buf b = { 0 };

	if (first_arg(r, e, &from) < 0 ||
	    fm_eval_text(r, e->b->next, &to) < 0)
		return -1;
	if (from.n == 0) {
		*out = *v;
		return 0;
	}
	for (;;) {
		size_t at = str_search(rest, from);

		buf_add_str(&b, str_head(rest, at));
		if (at == rest.n)
			break;
		buf_add_str(&b, to);
		rest = str_from(rest, at + from.n);
		if (buf_len(&b) > r->max)
			break;
	}
	return from_buf(r, e, &b, out);
}

BUILTIN(split)
{
	struct fm_value *item;
	struct str by, rest = v->s;
	size_t n = 1, at;

	if (first_arg(r, e, &by) < 0)
		return -1;
	if (by.n == 0)
		return fm_fail(r, e, ERR_VALUE, "?split needs a separator");
	for (; (at = str_search(rest, by)) < rest.n; n++)
		rest = str_from(rest, at + by.n);
	if (fm_take(r, e, n * sizeof(*item)) < 0)
		return -1;
	item = arena_alloc(r->arena, n * sizeof(*item));
	rest = v->s;
	for (size_t i = 0; i < n; i++) {
		at = str_search(rest, by);
		item[i] = FM_STRING(str_head(rest, at));
		rest = str_from(rest, at + by.n);
	}
	*out = (struct fm_value){ .type = FM_V_LIST, .list = { item, n } };
	return 0;
}

/* ---- numbers, and what becomes one or text ------------------------------ */

BUILTIN(number)
{
	double x;

	if (v->type == FM_V_NUMBER) {
		*out = *v;
		return 0;
	}
	if (!fm_is_string(v))
		return fm_expected(r, e->a, "string or number", v);
	if (fm_string(r, e->a, v, &out->s) < 0)
		return -1;
	if (!str_to_double(str_trim(out->s), &x))
		return fm_fail(r, e, ERR_VALUE, "Can't convert this string to "
		    "number: \"%.*s\"", STR_FMT(str_head(out->s, 100)));
	*out = FM_NUMBER(x);
	return 0;
}

BUILTIN(round)
{
	(void)r;
	(void)e;
	*out = FM_NUMBER(floor(v->n + 0.5));
	return 0;
}

BUILTIN(floor)
{
	(void)r;
	(void)e;
	*out = FM_NUMBER(floor(v->n));
	return 0;
}

BUILTIN(ceiling)
{
	(void)r;
	(void)e;
	*out = FM_NUMBER(ceil(v->n));
	return 0;
}

BUILTIN(abs)
{
	(void)r;
	(void)e;
	*out = FM_NUMBER(fabs(v->n));
	return 0;
}

BUILTIN(int)
{
	(void)r;
	(void)e;
	*out = FM_NUMBER(trunc(v->n));
	return 0;
}

BUILTIN(c)
{
	if (v->type == FM_V_NUMBER)
		*out = FM_STRING(fm_number_c(r->arena, v->n));
	else if (v->type == FM_V_BOOL)
		*out = FM_STRING(v->b ? STR("true") : STR("false"));
	else
		return fm_expected(r, e->a, "number or boolean", v);
	return 0;
}

static int
number_string(struct fm_run *r, const struct fm_expr *e, double x,
    struct fm_value *out)
{
	struct str pattern, text;

	if (!e->b) {
		*out = FM_STRING(fm_number_text(r->arena, x));
		return 0;
	}
	if (first_arg(r, e, &pattern) < 0)
		return -1;
	if (str_is(pattern, "c") || str_is(pattern, "computer"))
		text = fm_number_c(r->arena, x);
	else if (str_is(pattern, "number"))
		text = fm_number_text(r->arena, x);
	else
		text = fm_number_pattern(r->arena, x, pattern);
	if (!text.p)
		return fm_fail(r, e, ERR_UNSUPPORTED, "not supported: number "
		    "format \"%.*s\"", STR_FMT(str_head(pattern, 60)));
	*out = FM_STRING(text);
	return 0;
}

BUILTIN(string)
{
	if (v->type == FM_V_NUMBER)
		return number_string(r, e, v->n, out);
	if (v->type == FM_V_BOOL) {
		if (e->b && e->b->next)
			return fm_eval(r, v->b ? e->b : e->b->next, out);
		*out = FM_STRING(v->b ? STR("true") : STR("false"));
		return 0;
	}
	if (!fm_is_string(v))
		return fm_expected(r, e->a, "string, number or boolean", v);
	if (fm_string(r, e->a, v, &out->s) < 0)
		return -1;
	out->type = FM_V_STRING;
	return 0;
}

BUILTIN(then)
{
	if (v->type != FM_V_BOOL)
		return fm_expected(r, e->a, "boolean", v);
	return fm_eval_present(r, v->b ? e->b : e->b->next, out);
}

/* ---- lists and maps ----------------------------------------------------- */

BUILTIN(size)
{
	if (!fm_is_list(v) && !(fm_is_map(v) && v->type == FM_V_JSON))
		return fm_expected(r, e->a, "sequence or extended hash", v);
	*out = FM_NUMBER((double)fm_size(v));
	return 0;
}

BUILTIN(first)
{
	return fm_at(r, e, v, 0, out);
}

BUILTIN(last)
{
	size_t n = fm_size(v);

	*out = (struct fm_value){ .type = FM_V_NONE };
	return n ? fm_at(r, e, v, n - 1, out) : 0;
}

BUILTIN(join)
{
	struct str by = STR(", "), empty = STR(""), text;
	struct fm_walk w = { 0 };
	struct buf b = { 0 };
	struct fm_value item;
	int result = 0;

	if (e->b && first_arg(r, e, &by) < 0)
		return -1;
	if (e->b && e->b->next && fm_eval_text(r, e->b->next, &empty) < 0)
		return -1;
	if (!fm_size(v))
		buf_add_str(&b, empty);
	while (result == 0 && buf_len(&b) <= r->max &&
	    fm_next(r, v, &w, &item)) {
		if (item.type == FM_V_NONE)
			continue;
		if (buf_len(&b) && w.index > 1)
			buf_add_str(&b, by);
		result = fm_step(r, e);
		if (result == 0)
			result = fm_text(r, e->a, &item, &text);
		if (result == 0)
			buf_add_str(&b, text);
	}
	if (result == 0)
		return from_buf(r, e, &b, out);
	buf_fini(&b);
	return -1;
}

static int
members(struct fm_run *r, const struct fm_expr *e, const struct fm_value *v,
    bool keys, struct fm_value *out)
{
	struct fm_walk w = { 0 };
	struct fm_value *item;
	size_t n = fm_size(v);

	if (v->type != FM_V_JSON || !fm_is_map(v))
		return fm_expected(r, e->a, "extended hash", v);
	if (fm_take(r, e, n * sizeof(*item)) < 0)
		return -1;
	item = arena_alloc(r->arena, (n + 1) * sizeof(*item));
	for (size_t i = 0; fm_next(r, v, &w, &item[i]); i++)
		if (keys)
			item[i] = FM_STRING(json_key(w.json, r->arena));
	*out = (struct fm_value){ .type = FM_V_LIST, .list = { item, n } };
	return 0;
}

BUILTIN(keys)
{
	return members(r, e, v, true, out);
}

BUILTIN(values)
{
	return members(r, e, v, false, out);
}

/* ---- questions ---------------------------------------------------------- */

#define QUESTION(name, answer) \
BUILTIN(name) \
{ \
	(void)r; \
	(void)e; \
	*out = FM_BOOL(answer); \
	return 0; \
}

QUESTION(has_content, fm_has_content(v))
QUESTION(exists, v->type != FM_V_NONE)
QUESTION(is_string, fm_is_string(v))
QUESTION(is_number, v->type == FM_V_NUMBER)
QUESTION(is_boolean, v->type == FM_V_BOOL)
QUESTION(is_sequence, fm_is_list(v))
QUESTION(is_enumerable, fm_is_list(v))
QUESTION(is_hash, fm_is_map(v))
QUESTION(is_node, v->type == FM_V_XML)

/* ---- loops -------------------------------------------------------------- */

/* x?index and the like: x is the name of a loop's variable. */
static struct fm_var *
loop_of(struct fm_run *r, const struct fm_expr *e)
{
	struct fm_var *v = e->a->op == FM_OP_NAME ?
	    fm_find_var(r, e->a->text) : NULL;

	if (v && v->loop)
		return v;
	fm_fail(r, e, ERR_VALUE, "\"%.*s\" is not the variable of a loop",
	    STR_FMT(str_head(e->a->source, 60)));
	return NULL;
}

#define LOOP(name, answer) \
BUILTIN(name) \
{ \
	const struct fm_var *loop = loop_of(r, e); \
 \
	(void)v; \
	if (!loop) \
		return -1; \
	*out = answer; \
	return 0; \
}

LOOP(index, FM_NUMBER((double)loop->index))
LOOP(counter, FM_NUMBER((double)loop->index + 1))
LOOP(has_next, FM_BOOL(loop->has_next))
LOOP(is_first, FM_BOOL(loop->index == 0))
LOOP(is_last, FM_BOOL(!loop->has_next))

/* ---- all ---------------------------------------------------------------- */

static const struct fm_builtin builtins[] = {
	{ "abs", do_abs, NUMBER, 0, 0 },
	{ "c", do_c, ANY, 0, 0 },
	{ "cap_first", do_cap_first, STRING, 0, 0 },
	{ "ceiling", do_ceiling, NUMBER, 0, 0 },
	{ "contains", do_contains, STRING, 1, 1 },
	{ "counter", do_counter, MISSING_TOO, 0, 0 },
	{ "ends_with", do_ends_with, STRING, 1, 1 },
	{ "exists", do_exists, MISSING_TOO, 0, 0 },
	{ "first", do_first, LIST, 0, 0 },
	{ "floor", do_floor, NUMBER, 0, 0 },
	{ "has_content", do_has_content, MISSING_TOO, 0, 0 },
	{ "has_next", do_has_next, MISSING_TOO, 0, 0 },
	{ "html", do_html, SHOWN, 0, 0 },
	{ "index", do_index, MISSING_TOO, 0, 0 },
	{ "index_of", do_index_of, STRING, 1, 1 },
	{ "int", do_int, NUMBER, 0, 0 },
	{ "is_boolean", do_is_boolean, ANY, 0, 0 },
	{ "is_enumerable", do_is_enumerable, ANY, 0, 0 },
	{ "is_first", do_is_first, MISSING_TOO, 0, 0 },
	{ "is_hash", do_is_hash, ANY, 0, 0 },
	{ "is_hash_ex", do_is_hash, ANY, 0, 0 },
	{ "is_last", do_is_last, MISSING_TOO, 0, 0 },
	{ "is_node", do_is_node, ANY, 0, 0 },
	{ "is_number", do_is_number, ANY, 0, 0 },
	{ "is_sequence", do_is_sequence, ANY, 0, 0 },
	{ "is_string", do_is_string, ANY, 0, 0 },
	{ "join", do_join, LIST, 1, 2 },
	{ "js_string", do_js_string, STRING, 0, 0 },
	{ "json_string", do_json_string, STRING, 0, 0 },
	{ "keys", do_keys, ANY, 0, 0 },
	{ "last", do_last, LIST, 0, 0 },
	{ "length", do_length, SHOWN, 0, 0 },
	{ "lower_case", do_lower_case, SHOWN, 0, 0 },
	{ "number", do_number, ANY, 0, 0 },
	{ "replace", do_replace, SHOWN, 2, 2 },
	{ "round", do_round, NUMBER, 0, 0 },
	{ "size", do_size, ANY, 0, 0 },
	{ "split", do_split, STRING, 1, 1 },
	{ "starts_with", do_starts_with, STRING, 1, 1 },
	{ "string", do_string, ANY, 0, 2 },
	{ "then", do_then, ANY, 2, 2 },
	{ "trim", do_trim, SHOWN, 0, 0 },
	{ "uncap_first", do_uncap_first, STRING, 0, 0 },
	{ "upper_case", do_upper_case, SHOWN, 0, 0 },
	{ "values", do_values, ANY, 0, 0 },
	{ "xhtml", do_html, SHOWN, 0, 0 },
	{ "xml", do_xml, SHOWN, 0, 0 },
};

const struct fm_builtin *
fm_builtin_find(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (str_is(name, builtins[i].name))
			return &builtins[i];
	return NULL;
}

bool
fm_builtin_args_ok(const struct fm_builtin *b, size_t args)
{
	return args >= b->min && args <= b->max;
}

static int
left_side(struct fm_run *r, const struct fm_expr *e, struct fm_value *v)
{
	if (fm_eval_present(r, e->a, v) < 0)
		return -1;
	switch (e->builtin->want) {
	case ANY:
	case MISSING_TOO:
		return 0;
	case STRING:
		if (fm_string(r, e->a, v, &v->s) < 0)
			return -1;
		break;
	case SHOWN:
		if (fm_text(r, e->a, v, &v->s) < 0)
			return -1;
		break;
	case NUMBER:
		return v->type == FM_V_NUMBER ? 0 :
		    fm_expected(r, e->a, "number", v);
	case LIST:
		return fm_is_list(v) ? 0 :
		    fm_expected(r, e->a, "sequence", v);
	}
	v->type = FM_V_STRING;
	return 0;
}

int
fm_builtin_call(struct fm_run *r, const struct fm_expr *e,
    struct fm_value *out)
{
	struct fm_value v, result = { .type = FM_V_NONE };

	if (e->builtin->want == MISSING_TOO) {
		if (fm_eval_or_missing(r, e->a, &v) < 0)
			return -1;
	} else if (left_side(r, e, &v) < 0) {
		return -1;
	}
	if (e->builtin->fn(r, e, &v, &result) < 0)
		return -1;
	*out = result;
	return 0;
}
