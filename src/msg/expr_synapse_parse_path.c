/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps behind payload, a variable or a call. They become the text of a
 * JSONPath; expressions among them (an index, a value in a filter) are holes
 * that are filled when it runs. Without holes the path is compiled at once.
 */
#include "msg/expr_synapse.h"

#include "base/buf.h"

/* A path under construction. */
struct build {
	struct buf text;		/* since the last hole */
	struct sx_piece **tail;
	bool holes;
};

static void
add_piece(struct sx_parser *p, struct build *b, struct sx_node *hole,
    bool negated)
{
	struct sx_piece *piece = arena_zalloc(p->arena, sizeof(*piece));

	piece->text = arena_str(p->arena, buf_str(&b->text));
	piece->hole = hole;
	piece->negated = negated;
	*b->tail = piece;
	b->tail = &piece->next;
	buf_clear(&b->text);
	b->holes = b->holes || hole;
}

static void
copy(struct sx_parser *p, struct build *b, size_t n)
{
	struct str s = str_head(str_from(p->text, p->at), n);

	buf_add_str(&b->text, s);
	p->at += s.n;
}

/* Quotes and patterns of a filter are copied as they are. */
static int
copy_quoted(struct sx_parser *p, struct build *b)
{
	struct str s = str_from(p->text, p->at);
	size_t n = 1;

	while (n < s.n && s.p[n] != s.p[0])
		n += s.p[n] == '\\' ? 2 : 1;
	if (n >= s.n)
		return sx_syntax(p, s.p[0] == '/' ? "pattern is not closed" :
		    "quote is not closed");
	copy(p, b, n + 1);
	return 0;
}

static int
parse_filter_part(struct sx_parser *p, struct build *b)
{
	struct sx_node *hole;
	char c = sx_peek(p);

	if (c == '"' || c == '\'' ||
	    (c == '/' && str_ends(str_trim(buf_str(&b->text)), "=~")))
		return copy_quoted(p, b);
	if (c != '.' && c != '@' && sx_starts_factor(p)) {
		if (sx_parse_factor(p, &hole) == -1)
			return -1;
		add_piece(p, b, hole, false);
		return 0;
	}
	if (c != '.' && c != '@') {
		copy(p, b, sx_word(p).n ? sx_word(p).n : 1);
		return 0;
	}
	/* What follows a dot is a name, whatever it is called. */
	copy(p, b, 1);
	copy(p, b, sx_word(p).n);
	return 0;
}

/* Behind "(" up to behind the ")" that closes it. */
static int
parse_filter(struct sx_parser *p, struct build *b)
{
	int depth = 1;

	buf_addz(&b->text, "?(");
	while (p->at < p->text.n) {
		char c = sx_peek(p);

		if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			break;
		if (parse_filter_part(p, b) == -1)
			return -1;
	}
	if (!sx_take(p, ')'))
		return sx_syntax(p, "expected ')'");
	buf_putc(&b->text, ')');
	return 0;
}

static bool
is_fixed_index(const struct sx_node *n)
{
	return n->kind == SX_LITERAL && (n->literal.type == SX_INT ||
	    n->literal.type == SX_LONG || n->literal.type == SX_STRING);
}

/* An index, a name or a bound of a slice, which may be left out. */
static int
parse_index(struct sx_parser *p, struct build *b)
{
	struct sx_node *n;
	bool negated;
	size_t start;

	sx_blanks(p);
	if (sx_peek(p) == ':' || sx_peek(p) == ']')
		return 0;
	start = p->at;
	negated = sx_peek(p) == '-' && (p->at + 1 >= p->text.n ||
	    p->text.p[p->at + 1] < '0' || p->text.p[p->at + 1] > '9');
	if (negated)
		p->at++;
	if (sx_parse_expression(p, &n) == -1)
		return -1;
	if (is_fixed_index(n) && !negated)
		buf_add_str(&b->text, str_trim(str_head(
		    str_from(p->text, start), p->at - start)));
	else
		add_piece(p, b, n, negated);
	return 0;
}

static int
parse_indices(struct sx_parser *p, struct build *b)
{
	for (;;) {
		if (parse_index(p, b) == -1)
			return -1;
		if (sx_take(p, ','))
			buf_putc(&b->text, ',');
		else if (sx_take(p, ':'))
			buf_putc(&b->text, ':');
		else
			return 0;
	}
}

static bool
begins_filter(struct sx_parser *p)
{
	struct str s;

	if (sx_take(p, '?'))
		return true;
	s = str_from(p->text, p->at);
	return s.n > 0 && s.p[0] == '(' &&
	    str_starts(str_trim(str_from(s, 1)), "@");
}

/* Behind the "[". */
static int
parse_bracket(struct sx_parser *p, struct build *b)
{
	int rc = 0;

	buf_putc(&b->text, '[');
	if (begins_filter(p)) {
		rc = sx_take(p, '(') ? parse_filter(p, b) :
		    sx_syntax(p, "expected '('");
	} else if (sx_take(p, '*')) {
		buf_putc(&b->text, '*');
	} else {
		rc = parse_indices(p, b);
	}
	if (rc == -1)
		return -1;
	buf_putc(&b->text, ']');
	return sx_take(p, ']') ? 0 : sx_syntax(p, "expected ']'");
}

/* Behind one or two dots: a name, a function without arguments, * or [. */
static int
parse_step_name(struct sx_parser *p, struct build *b)
{
	size_t n;

	sx_blanks(p);
	n = sx_word(p).n;
	if (n == 0 && sx_peek(p) == '*')
		n = 1;
	if (n == 0)
		return sx_syntax(p, "expected a name");
	copy(p, b, n);
	if (sx_peek(p) != '(')
		return 0;
	p->at++;
	buf_addz(&b->text, "()");
	return sx_take(p, ')') ? 0 : sx_syntax(p, "expected ')'");
}

static int
parse_step(struct sx_parser *p, struct build *b)
{
	bool scan = str_starts(str_from(p->text, p->at), "..");

	if (sx_take(p, '[')) {
		return parse_bracket(p, b);
	}
	copy(p, b, scan ? 2 : 1);
	if (!scan && sx_take(p, '[')) {
		buf_truncate(&b->text, buf_len(&b->text) - 1);
		return parse_bracket(p, b);
	}
	return parse_step_name(p, b);
}

static int
parse_steps(struct sx_parser *p, struct build *b)
{
	for (;;) {
		sx_blanks(p);
		if (sx_peek(p) != '.' && sx_peek(p) != '[')
			return 0;
		if (parse_step(p, b) == -1)
			return -1;
	}
}

static int
compile_fixed(struct sx_parser *p, struct sx_node *n, struct str text,
    size_t start)
{
	n->path.fixed = jsonpath_compile(p->arena, text, p->err);
	if (n->path.fixed)
		return 0;
	/* The text begins with "$" where the source has the root. */
	if (p->err)
		p->err->at.column += (int)start - 1;
	return -1;
}

int
sx_parse_path(struct sx_parser *p, struct sx_node *n)
{
	struct build b = { .tail = &n->path.pieces };
	size_t start = p->at;
	struct str text;
	int rc;

	buf_putc(&b.text, '$');
	rc = parse_steps(p, &b);
	if (rc == 0 && !b.holes) {
		text = arena_str(p->arena, buf_str(&b.text));
		if (text.n > 1)
			rc = compile_fixed(p, n, text, start);
	} else if (rc == 0) {
		add_piece(p, &b, NULL, false);
	}
	buf_fini(&b.text);
	return rc;
}
