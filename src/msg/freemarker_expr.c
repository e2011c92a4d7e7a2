/* SPDX-License-Identifier: Apache-2.0 */
/* The expressions of templates: text to tree. */
#include "msg/freemarker_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include "base/utf8.h"

/* Goes on from the last place asked for, where it can. */
struct src_pos
fm_place(struct fm_parse *s, const char *at)
{
	struct src_pos pos = { .line = 1, .column = 1 };
	const char *p = s->begin;

	if (s->placed && s->placed <= at) {
		p = s->placed;
		pos = s->place;
	}
	for (; p < at && p < s->end; p++) {
		pos.column++;
		if (*p == '\n') {
			pos.line++;
			pos.column = 1;
		}
	}
	s->placed = p;
	s->place = pos;
	return pos;
}

int
fm_error(struct fm_parse *s, const char *at, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_at(s->err, fm_place(s, at), "%s", text);
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void
fm_skip_space(struct fm_parse *s)
{
	while (s->p < s->end && is_space(*s->p))
		s->p++;
}

static bool
starts_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	    c == '$' || c == '@' || (unsigned char)c >= 0x80;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* With \- \. \: \# for the characters themselves. */
struct str
fm_read_name(struct fm_parse *s)
{
	const char *from = s->p;
	struct buf b = { 0 };
	struct str name;
	bool escaped = false;

	while (s->p < s->end) {
		if (*s->p == '\\' && s->end - s->p > 1 &&
		    strchr("-.:#", s->p[1]) && s->p[1]) {
			escaped = true;
			s->p += 2;
		} else if (starts_name(*s->p) || (s->p > from &&
		    is_digit(*s->p))) {
			s->p++;
		} else {
			break;
		}
	}
	name = (struct str){ from, (size_t)(s->p - from) };
	if (!escaped)
		return name;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] != '\\')
			buf_putc(&b, name.p[i]);
	name = arena_str(s->arena, buf_str(&b));
	buf_fini(&b);
	return name;
}

/* NULL when the tree gets too high. */
static struct fm_expr *
new_expr(struct fm_parse *s, enum fm_op op, const char *from,
    const struct fm_expr *a, const struct fm_expr *b)
{
	struct fm_expr *e = arena_zalloc(s->arena, sizeof(*e));
	unsigned height = a ? a->height : 0;

	for (const struct fm_expr *k = b; k; k = k->next)
		if (k->height > height)
			height = k->height;
	e->op = op;
	e->a = a;
	e->b = b;
	e->height = height + 1;
	e->source = str_trim((struct str){ from, (size_t)(s->p - from) });
	e->at = fm_place(s, from);
	if (e->height > FM_HEIGHT) {
		fm_error(s, from, "the expression is too complex");
		return NULL;
	}
	return e;
}

static bool
accept(struct fm_parse *s, const char *word)
{
	size_t n = strlen(word);

	fm_skip_space(s);
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return false;
	s->p += n;
	return true;
}

static bool
accept_word(struct fm_parse *s, const char *word)
{
	const char *from = s->p;
	struct str name;

	fm_skip_space(s);
	name = fm_read_name(s);
	if (str_is(name, word))
		return true;
	s->p = from;
	return false;
}

static int
expect(struct fm_parse *s, const char *word)
{
	if (accept(s, word))
		return 0;
	if (s->p >= s->end)
		return fm_error(s, s->p, "Unexpected end of file reached; "
		    "\"%s\" is missing", word);
	return fm_error(s, s->p, "Encountered \"%.10s\", but was expecting "
	    "\"%s\"", arena_str(s->arena, str_head((struct str){ s->p,
	    (size_t)(s->end - s->p) }, 10)).p, word);
}

static char
peek(struct fm_parse *s)
{
	fm_skip_space(s);
	return s->p < s->end ? *s->p : '\0';
}

/* ---- literals ----------------------------------------------------------- */

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x and up to four digits; s->p is behind the x. */
static int
add_code(struct fm_parse *s, struct buf *b)
{
	uint32_t code = 0;
	char utf8[4];
	int n = 0;

	while (n < 4 && s->p < s->end && hex_digit(*s->p) >= 0) {
		code = code * 16 + (uint32_t)hex_digit(*s->p++);
		n++;
	}
	if (n == 0)
		return fm_error(s, s->p, "Invalid \\x escape in a string "
		    "literal");
	buf_add(b, utf8, utf8_encode(code, utf8));
	return 0;
}

/* s->p is behind the backslash. */
static int
add_escape(struct fm_parse *s, struct buf *b)
{
	static const char from[] = "nrtbflga\"'\\{$=", to[] =
	    "\n\r\t\b\f<>&\"'\\{$=";
	const char *at;

	if (s->p >= s->end)
		return fm_error(s, s->p, "unterminated string literal");
	at = *s->p ? strchr(from, *s->p) : NULL;
	s->p++;
	if (at)
		buf_putc(b, to[at - from]);
	else if (s->p[-1] == 'x')
		return add_code(s, b);
	else
		return fm_error(s, s->p - 1, "Invalid escape sequence (\\%c) "
		    "in a string literal", s->p[-1]);
	return 0;
}

/* What is in b, behind what there is already. */
static int
append_part(struct fm_parse *s, struct fm_expr **all, struct fm_expr *part)
{
	if (!part)
		return -1;
	if (*all)
		part = new_expr(s, FM_OP_ADD, part->source.p, *all, part);
	*all = part;
	return part ? 0 : -1;
}

static int
append_literal(struct fm_parse *s, struct fm_expr **all, struct buf *b,
    const char *from)
{
	struct fm_expr *e = new_expr(s, FM_OP_STRING, from, NULL, NULL);

	if (!e)
		return -1;
	e->text = arena_str(s->arena, buf_str(b));
	buf_clear(b);
	return append_part(s, all, e);
}

/* ${...} within a literal; s->p is behind the brace. */
static int
append_interpolation(struct fm_parse *s, struct fm_expr **all)
{
	const char *from = s->p;
	bool in_tag = s->in_tag;
	struct fm_expr *e;

	s->in_tag = false;
	e = fm_parse_expr(s);
	s->in_tag = in_tag;
	if (!e || expect(s, "}") < 0)
		return -1;
	return append_part(s, all, new_expr(s, FM_OP_TEXT, from, e, NULL));
}

static int
read_string(struct fm_parse *s, char quote, bool raw, struct buf *b,
    struct fm_expr **all)
{
	const char *from = s->p;

	for (;;) {
		if (s->p >= s->end)
			return fm_error(s, from, "unterminated string literal");
		if (*s->p == quote)
			break;
		if (!raw && *s->p == '\\') {
			s->p++;
			if (add_escape(s, b) < 0)
				return -1;
		} else if (!raw && s->end - s->p > 1 && s->p[0] == '$' &&
		    s->p[1] == '{') {
			if (append_literal(s, all, b, s->p) < 0)
				return -1;
			s->p += 2;
			if (append_interpolation(s, all) < 0)
				return -1;
		} else {
			buf_putc(b, *s->p++);
		}
	}
	s->p++;
	if (buf_len(b) || !*all)
		return append_literal(s, all, b, from);
	return 0;
}

static struct fm_expr *
parse_string(struct fm_parse *s, bool raw)
{
	struct buf b = { 0 };
	struct fm_expr *all = NULL;
	char quote = *s->p++;
	int result = read_string(s, quote, raw, &b, &all);

	buf_fini(&b);
	return result < 0 ? NULL : all;
}

static struct fm_expr *
parse_number(struct fm_parse *s)
{
	const char *from = s->p;
	struct fm_expr *e;
	double x;

	while (s->p < s->end && is_digit(*s->p))
		s->p++;
	if (s->end - s->p > 1 && *s->p == '.' && is_digit(s->p[1]))
		for (s->p++; s->p < s->end && is_digit(*s->p);)
			s->p++;
	if (!str_to_double((struct str){ from, (size_t)(s->p - from) }, &x)) {
		fm_error(s, from, "the number is too large");
		return NULL;
	}
	e = new_expr(s, FM_OP_NUMBER, from, NULL, NULL);
	if (e)
		e->number = x;
	return e;
}

/* ---- operands ----------------------------------------------------------- */

/* Up to close. > is an operator in there. */
static int
parse_items(struct fm_parse *s, char close, struct fm_expr **first,
    size_t *count)
{
	char word[2] = { close, '\0' };
	struct fm_expr **last = first;
	bool in_tag = s->in_tag;

	*first = NULL;
	*count = 0;
	if (accept(s, word))
		return 0;
	s->in_tag = false;
	do {
		if (!(*last = fm_parse_expr(s)))
			return -1;
		last = &(*last)->next;
		++*count;
	} while (accept(s, ","));
	s->in_tag = in_tag;
	return expect(s, word);
}

static struct fm_expr *
parse_name(struct fm_parse *s)
{
	const char *from = s->p;
	struct str name = fm_read_name(s);
	struct fm_expr *e;

	if (name.n == 0) {
		fm_error(s, s->p, "an expression is expected here");
		return NULL;
	}
	if (str_is(name, "r") && s->p < s->end &&
	    (*s->p == '"' || *s->p == '\''))
		return parse_string(s, true);
	if (str_is(name, "true"))
		return new_expr(s, FM_OP_TRUE, from, NULL, NULL);
	if (str_is(name, "false"))
		return new_expr(s, FM_OP_FALSE, from, NULL, NULL);
	e = new_expr(s, FM_OP_NAME, from, NULL, NULL);
	if (e)
		e->text = arena_str(s->arena, name);
	if (str_is(name, "payload"))
		s->reads_body = true;
	return e;
}

static struct fm_expr *
parse_paren(struct fm_parse *s)
{
	const char *from = s->p++;
	bool in_tag = s->in_tag;
	struct fm_expr *e;

	s->in_tag = false;
	e = fm_parse_expr(s);
	s->in_tag = in_tag;
	if (!e || expect(s, ")") < 0)
		return NULL;
	return new_expr(s, FM_OP_PAREN, from, e, NULL);
}

static struct fm_expr *
parse_atom(struct fm_parse *s)
{
	char c = peek(s);
	const char *from = s->p;
	struct fm_expr *items;
	size_t count;

	if (c == '"' || c == '\'')
		return parse_string(s, false);
	if (is_digit(c))
		return parse_number(s);
	if (c == '(')
		return parse_paren(s);
	if (c == '[') {
		s->p++;
		if (parse_items(s, ']', &items, &count) < 0)
			return NULL;
		return new_expr(s, FM_OP_LIST, from, NULL, items);
	}
	if (c == '{') {
		fm_error(s, from, "not supported: literals of maps");
		s->err->kind = ERR_UNSUPPORTED;
		return NULL;
	}
	return parse_name(s);
}

static struct fm_expr *
parse_dot(struct fm_parse *s, struct fm_expr *e, const char *from)
{
	struct fm_expr *dot;
	struct str name;

	fm_skip_space(s);
	if (s->p < s->end && *s->p == '*') {
		size_t n = s->end - s->p > 1 && s->p[1] == '*' ? 2 : 1;

		name = (struct str){ s->p, n };
		s->p += n;
	} else {
		name = fm_read_name(s);
	}
	if (name.n == 0) {
		fm_error(s, s->p, "a name is expected after \".\"");
		return NULL;
	}
	dot = new_expr(s, FM_OP_DOT, from, e, NULL);
	if (dot)
		dot->text = arena_str(s->arena, name);
	return dot;
}

static struct fm_expr *
parse_index(struct fm_parse *s, struct fm_expr *e, const char *from)
{
	struct fm_expr *index;
	size_t count;

	if (parse_items(s, ']', &index, &count) < 0)
		return NULL;
	if (count != 1) {
		fm_error(s, from, "one index is expected in [ ]");
		return NULL;
	}
	return new_expr(s, FM_OP_INDEX, from, e, index);
}

static struct fm_expr *
parse_builtin(struct fm_parse *s, struct fm_expr *e, const char *from)
{
	const struct fm_builtin *builtin;
	struct fm_expr *args = NULL, *call;
	size_t count = 0;
	const char *at;
	struct str name;

	fm_skip_space(s);
	at = s->p;
	name = fm_read_name(s);
	builtin = fm_builtin_find(name);
	if (!builtin) {
		fm_error(s, at, "Unknown built-in: \"%.*s\" (or one that this "
		    "version lacks)", STR_FMT(name));
		return NULL;
	}
	if (s->p < s->end && *s->p == '(') {
		s->p++;
		if (parse_items(s, ')', &args, &count) < 0)
			return NULL;
	}
	if (!fm_builtin_args_ok(builtin, count)) {
		fm_error(s, at, "?%.*s cannot have %zu arguments",
		    STR_FMT(name), count);
		return NULL;
	}
	call = new_expr(s, FM_OP_BUILTIN, from, e, args);
	if (call)
		call->builtin = builtin;
	return call;
}

/* Can an expression begin here? What follows a lone "!" decides whether it
 * has a right side. */
static bool
begins_expr(struct fm_parse *s)
{
	char c = peek(s);
	const char *from = s->p;
	struct str name;

	if (c == '-' || c == '+')
		return true;
	if (c == '!')
		return !(s->end - s->p > 1 && s->p[1] == '=');
	if (strchr("\"'([", c) && c)
		return true;
	if (is_digit(c))
		return true;
	name = fm_read_name(s);
	s->p = from;
	return name.n && !str_is(name, "gt") && !str_is(name, "gte") &&
	    !str_is(name, "lt") && !str_is(name, "lte") &&
	    !str_is(name, "as");
}

static struct fm_expr *
parse_default(struct fm_parse *s, struct fm_expr *e, const char *from)
{
	struct fm_expr *instead = NULL;

	if (begins_expr(s) && !(instead = fm_parse_expr(s)))
		return NULL;
	return new_expr(s, FM_OP_DEFAULT, from, e, instead);
}

/* "!" here, but no "!=". */
static bool
accept_bang(struct fm_parse *s)
{
	if (peek(s) != '!' || (s->end - s->p > 1 && s->p[1] == '='))
		return false;
	s->p++;
	return true;
}

static struct fm_expr *
parse_postfix(struct fm_parse *s)
{
	struct fm_expr *e;
	const char *from;

	fm_skip_space(s);
	from = s->p;
	e = parse_atom(s);
	while (e) {
		char c = peek(s);

		if (c == '.' && !(s->end - s->p > 1 && s->p[1] == '.')) {
			s->p++;
			e = parse_dot(s, e, from);
		} else if (c == '[') {
			s->p++;
			e = parse_index(s, e, from);
		} else if (accept(s, "??")) {
			e = new_expr(s, FM_OP_EXISTS, from, e, NULL);
		} else if (c == '?') {
			s->p++;
			e = parse_builtin(s, e, from);
		} else if (accept_bang(s)) {
			e = parse_default(s, e, from);
		} else {
			break;
		}
	}
	return e;
}

/* ---- operators ---------------------------------------------------------- */

static struct fm_expr *
parse_unary(struct fm_parse *s)
{
	char c = peek(s);
	const char *from = s->p;
	struct fm_expr *e;

	if (c != '!' && c != '-' && c != '+')
		return parse_postfix(s);
	if (++s->nesting > FM_NESTING) {
		fm_error(s, from, "the expression is nested too deeply");
		return NULL;
	}
	s->p++;
	e = parse_unary(s);
	s->nesting--;
	if (!e)
		return NULL;
	return new_expr(s, c == '!' ? FM_OP_NOT : c == '-' ? FM_OP_NEGATE :
	    FM_OP_PLUS, from, e, NULL);
}

enum level { OR, AND, EQUAL, ORDER, RANGE, SUM, PRODUCT, UNARY };

static bool
accept_order(struct fm_parse *s, enum fm_op *op)
{
	static const struct { const char *text; enum fm_op op; } signs[] = {
		{ "&lt;=", FM_OP_LE }, { "&gt;=", FM_OP_GE },
		{ "&lt;", FM_OP_LT }, { "&gt;", FM_OP_GT },
		{ "<=", FM_OP_LE }, { "<", FM_OP_LT },
		{ ">=", FM_OP_GE }, { ">", FM_OP_GT },
	}, words[] = {
		{ "lte", FM_OP_LE }, { "lt", FM_OP_LT },
		{ "gte", FM_OP_GE }, { "gt", FM_OP_GT },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (accept_word(s, words[i].text)) {
			*op = words[i].op;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (!(s->in_tag && signs[i].text[0] == '>') &&
		    accept(s, signs[i].text)) {
			*op = signs[i].op;
			return true;
		}
	return false;
}

static bool
accept_range(struct fm_parse *s, enum fm_op *op)
{
	if (!accept(s, ".."))
		return false;
	if (s->p < s->end && (*s->p == '<' || *s->p == '!')) {
		s->p++;
		*op = FM_OP_RANGE_BELOW;
	} else if (s->p < s->end && *s->p == '*') {
		s->p++;
		*op = FM_OP_RANGE_COUNT;
	} else {
		*op = FM_OP_RANGE;
	}
	return true;
}

static bool
accept_sign(struct fm_parse *s, const char *signs, const enum fm_op *ops,
    enum fm_op *op)
{
	char c = peek(s);
	const char *at = c ? strchr(signs, c) : NULL;

	/* "/>" ends a tag */
	if (!at || (c == '/' && s->in_tag && s->end - s->p > 1 &&
	    s->p[1] == '>'))
		return false;
	s->p++;
	*op = ops[at - signs];
	return true;
}

static bool
accept_operator(struct fm_parse *s, enum level level, enum fm_op *op)
{
	static const enum fm_op sum[] = { FM_OP_ADD, FM_OP_SUBTRACT };
	static const enum fm_op product[] = { FM_OP_MULTIPLY, FM_OP_DIVIDE,
	    FM_OP_MODULO };

	switch (level) {
	case OR:
		*op = FM_OP_OR;
		return accept(s, "||");
	case AND:
		*op = FM_OP_AND;
		return accept(s, "&&") || accept(s, "&amp;&amp;");
	case EQUAL:
		*op = FM_OP_NE;
		if (accept(s, "!="))
			return true;
		*op = FM_OP_EQ;
		return accept(s, "==") || accept(s, "=");
	case ORDER:
		return accept_order(s, op);
	case RANGE:
		return accept_range(s, op);
	case SUM:
		return accept_sign(s, "+-", sum, op);
	case PRODUCT:
		return accept_sign(s, "*/%", product, op);
	case UNARY:
		break;
	}
	return false;
}

static struct fm_expr *
parse_level(struct fm_parse *s, enum level level)
{
	const char *from;
	struct fm_expr *e, *right;
	enum fm_op op;

	if (level == UNARY)
		return parse_unary(s);
	fm_skip_space(s);
	from = s->p;
	e = parse_level(s, level + 1);
	while (e && accept_operator(s, level, &op)) {
		if (!(right = parse_level(s, level + 1)))
			return NULL;
		e = new_expr(s, op, from, e, right);
	}
	return e;
}

struct fm_expr *
fm_parse_expr(struct fm_parse *s)
{
	struct fm_expr *e;

	if (++s->nesting > FM_NESTING) {
		fm_error(s, s->p, "the expression is nested too deeply");
		return NULL;
	}
	e = parse_level(s, OR);
	s->nesting--;
	return e;
}
