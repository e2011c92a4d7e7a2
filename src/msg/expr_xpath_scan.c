/* SPDX-License-Identifier: Apache-2.0 */
/* What the text of an XPath expression tells without being evaluated. */
#include "msg/expr_xpath.h"

#include <string.h>

struct token {
	enum { END, NAME, LITERAL, NUMBER, MARK } kind;
	struct str prefix, text;	/* NAME: prefix may be absent */
	char next;			/* first character behind, past blanks */
	size_t at;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_name_start(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '_' ||
	    (unsigned char)c >= 0x80;
}

static bool
is_name_char(char c)
{
	return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' ||
	    c == '.';
}

static size_t
name_len(struct str s)
{
	size_t n = 0;

	if (s.n == 0 || !is_name_start(s.p[0]))
		return 0;
	while (n < s.n && is_name_char(s.p[n]))
		n++;
	return n;
}

static struct str
skip_blanks(struct str s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = str_from(s, 1);
	return s;
}

/* name or prefix:name, but the axis of axis::name is a name alone. */
static size_t
take_name(struct str s, struct token *t)
{
	size_t n = name_len(s), local;

	t->kind = NAME;
	t->text = str_head(s, n);
	if (n + 1 >= s.n || s.p[n] != ':' || s.p[n + 1] == ':')
		return n;
	local = name_len(str_from(s, n + 1));
	if (local == 0)
		return n;
	t->prefix = t->text;
	t->text = str_head(str_from(s, n + 1), local);
	return n + 1 + local;
}

static size_t
take_literal(struct str s, struct token *t)
{
	size_t end = str_find(str_from(s, 1), s.p[0]);

	t->kind = LITERAL;
	t->text = str_head(str_from(s, 1), end);
	return end + 2 < s.n ? end + 2 : s.n;
}

static size_t
take_number(struct str s, struct token *t)
{
	size_t n = 0;

	while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || s.p[n] == '.'))
		n++;
	t->kind = NUMBER;
	t->text = str_head(s, n);
	return n;
}

static void
next_token(struct str source, struct str *rest, struct token *t)
{
	size_t n = 1;
	struct str s = skip_blanks(*rest);

	*t = (struct token){ .kind = END, .at = source.n - s.n };
	*rest = s;
	if (s.n == 0)
		return;
	if (is_name_start(s.p[0])) {
		n = take_name(s, t);
	} else if (s.p[0] == '\'' || s.p[0] == '"') {
		n = take_literal(s, t);
	} else if ((s.p[0] >= '0' && s.p[0] <= '9') || (s.p[0] == '.' &&
	    s.n > 1 && s.p[1] >= '0' && s.p[1] <= '9')) {
		n = take_number(s, t);
	} else {
		t->kind = MARK;
		t->text = str_head(s, 1);
	}
	*rest = str_from(s, n);
	s = skip_blanks(*rest);
	t->next = s.n ? s.p[0] : '\0';
}

static bool
is_mark(const struct token *t, char c)
{
	return t->kind == MARK && t->text.p[0] == c;
}

/* Behind the '(': literals up to the ')' that ends the whole. */
static bool
take_arguments(struct str source, struct str rest, struct xp *x)
{
	struct token t;

	for (;;) {
		next_token(source, &rest, &t);
		if (t.kind != LITERAL || x->arg_count == 3)
			return false;
		x->arg[x->arg_count++] = t.text;
		next_token(source, &rest, &t);
		if (is_mark(&t, ')'))
			break;
		if (!is_mark(&t, ','))
			return false;
	}
	return str_blank(rest);
}

static bool
scan_call(struct str source, struct str rest, const struct token *name,
    struct xp *x)
{
	struct token t;

	next_token(source, &rest, &t);
	if (!is_mark(&t, '('))
		return false;
	if (str_is(name->text, "get-property")) {
		x->kind = XP_PROPERTY;
		return take_arguments(source, rest, x);
	}
	if (name->prefix.p)
		return false;
	next_token(source, &rest, &t);
	if (!is_mark(&t, ')') || !str_blank(rest))
		return false;
	x->kind = str_is(name->text, "true") ? XP_TRUE : XP_FALSE;
	return x->kind == XP_TRUE || str_is(name->text, "false");
}

bool
xp_scan_simple(struct str source, struct xp *x)
{
	struct str rest = source;
	struct token t;

	next_token(source, &rest, &t);
	if (t.kind == NAME)
		return scan_call(source, rest, &t, x);
	if (t.kind == LITERAL) {
		x->kind = XP_STRING;
		x->arg[0] = t.text;
		return str_blank(rest) && str_trim(source).n == t.text.n + 2;
	}
	if (!is_mark(&t, '$') || rest.n == 0 || is_blank(rest.p[0]))
		return false;
	next_token(source, &rest, &t);
	if (t.kind != NAME || !t.prefix.p || !str_blank(rest))
		return false;
	x->kind = XP_VARIABLE;
	x->arg[0] = t.prefix;
	x->arg[1] = t.text;
	return true;
}

/* Functions whose result does not depend on the node they are called at. */
static bool
is_context_free(const struct token *name, struct str rest)
{
	static const char *const uses_node[] = {
		"string", "name", "local-name", "namespace-uri", "number",
		"normalize-space", "string-length", "position", "last", "lang",
		"id", "node", "text", "comment", "processing-instruction",
		"document", "current", "key",
	};
	size_t open = str_find(rest, '(');

	rest = skip_blanks(str_from(rest, open + 1));
	for (size_t i = 0; i < ARRAY_LEN(uses_node); i++)
		if (str_is(name->text, uses_node[i]))
			return rest.n > 0 && rest.p[0] != ')' && i < 7;
	return true;
}

static bool
is_operator(const struct token *t)
{
	return !t->prefix.p && (str_is(t->text, "and") ||
	    str_is(t->text, "or") || str_is(t->text, "div") ||
	    str_is(t->text, "mod"));
}

/* A variable, behind its '$', that stands for a part of the body. */
static bool
is_body_variable(const struct token *t)
{
	return !t->prefix.p && t->kind == NAME;
}

/* Anything that is not surely a property, a literal or an operator between
 * such counts as reading the body. */
bool
xp_scan_reads_body(struct str source)
{
	struct str rest = source;
	struct token t, before = { .kind = MARK, .text = STR("(") };

	for (;; before = t) {
		bool operand = before.kind == MARK && before.text.p[0] != ')';

		next_token(source, &rest, &t);
		if (t.kind == END)
			return false;
		if (t.kind == LITERAL && str_is(t.text, "FAULT"))
			return true;
		if (t.kind == MARK && strchr("/@[.*:", t.text.p[0]))
			return true;
		if (t.kind != NAME)
			continue;
		if (is_mark(&before, '$')) {
			if (is_body_variable(&t))
				return true;
		} else if (t.next == '(' && !(is_operator(&t) && !operand)) {
			if (!is_context_free(&t, rest))
				return true;
		} else if (operand || !is_operator(&t)) {
			return true;
		} else {
			t = (struct token){ .kind = MARK, .text = STR("(") };
		}
	}
}

static bool
already_there(struct str prefix, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i], prefix))
			return true;
	return false;
}

size_t
xp_scan_prefixes(struct str source, struct str *out, size_t max)
{
	struct str rest = source;
	struct token t, before = { .kind = END };
	size_t n = 0;

	for (;; before = t) {
		next_token(source, &rest, &t);
		if (t.kind == END)
			return n;
		if (t.kind == NAME && t.prefix.p && n < max &&
		    (is_mark(&before, '$') || t.next == '(') &&
		    !already_there(t.prefix, out, n))
			out[n++] = t.prefix;
	}
}

const char *
xp_scan_refused(struct str source, size_t *at_out)
{
	static const struct {
		const char *name, *why;
	} all[] = {
		{ "vault-lookup", "vault-lookup() needs a vault, which wsgw "
		    "does not have" },
		{ "encrypt", "encrypt() needs a Java key store" },
		{ "decrypt", "decrypt() needs a Java key store" },
	};
	struct str rest = source;
	struct token t;

	for (;;) {
		next_token(source, &rest, &t);
		if (t.kind == END)
			return NULL;
		if (t.kind != NAME || t.next != '(')
			continue;
		*at_out = t.at;
		for (size_t i = 0; i < ARRAY_LEN(all); i++)
			if (str_is(t.text, all[i].name))
				return all[i].why;
	}
}

bool
xp_scan_too_much(struct str source, size_t *at_out)
{
	struct str rest = source;
	struct token t;
	size_t count = 0, depth = 0;

	for (;; count++) {
		next_token(source, &rest, &t);
		if (t.kind == END)
			return false;
		if (is_mark(&t, '(') || is_mark(&t, '['))
			depth++;
		else if (depth > 0 && (is_mark(&t, ')') || is_mark(&t, ']')))
			depth--;
		*at_out = t.at;
		if (count >= XP_TOKENS_MAX || depth >= XP_DEPTH_MAX)
			return true;
	}
}
