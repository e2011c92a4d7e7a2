/* SPDX-License-Identifier: Apache-2.0 */
/* ${...}: text to tree. Loosest first: ?:, comparison, and/or, + -, * / %. */
#include "msg/expr_synapse.h"

#include <string.h>
#include "base/must.h"

static const char *const function_words[] = {
#define FUNCTION(name, word, min, max) [SX_F_##name] = word,
#include "msg/expr_synapse_functions.def"
#undef FUNCTION
};

/* The roots of a factor; properties has a synonym. */
static const char *const root_words[] = {
	"payload", "vars", "headers", "configs", "params", "props",
	"properties",
};

int
sx_syntax(const struct sx_parser *p, const char *what)
{
	struct str rest = str_head(str_from(p->text, p->at), 20);
	struct src_pos at = { .column = (int)p->at + 1 };

	if (rest.n > 0)
		return err_at(p->err, at, "%s at '%.*s'", what, STR_FMT(rest));
	return err_at(p->err, at, "%s at the end", what);
}

char
sx_peek(const struct sx_parser *p)
{
	return p->at < p->text.n ? p->text.p[p->at] : '\0';
}

void
sx_blanks(struct sx_parser *p)
{
	char c;

	while ((c = sx_peek(p)) == ' ' || c == '\t' || c == '\r' || c == '\n')
		p->at++;
}

bool
sx_take(struct sx_parser *p, char c)
{
	sx_blanks(p);
	if (sx_peek(p) != c || p->at >= p->text.n)
		return false;
	p->at++;
	return true;
}

static bool
take_mark(struct sx_parser *p, const char *mark)
{
	sx_blanks(p);
	if (!str_starts(str_from(p->text, p->at), mark))
		return false;
	p->at += strlen(mark);
	return true;
}

static bool
is_word_start(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '_';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

struct str
sx_word(const struct sx_parser *p)
{
	struct str s = str_from(p->text, p->at);
	size_t n = 0;

	if (s.n > 0 && is_word_start(s.p[0]))
		while (n < s.n && (is_word_start(s.p[n]) ||
		    is_digit(s.p[n]) || s.p[n] == '-'))
			n++;
	return str_head(s, n);
}

static bool
take_word(struct sx_parser *p, const char *word)
{
	sx_blanks(p);
	if (!str_is(sx_word(p), word))
		return false;
	p->at += strlen(word);
	return true;
}

struct sx_node *
sx_new_node(struct sx_parser *p, enum sx_kind kind, size_t at)
{
	struct sx_node *n = arena_zalloc(p->arena, sizeof(*n));

	n->kind = kind;
	n->at = at;
	p->nodes++;
	return n;
}

void
sx_add_child(struct sx_parser *p, struct sx_node *n, struct sx_node *child)
{
	size_t count = n->count;

	if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
		struct sx_node **more = arena_alloc(p->arena,
		    (count ? count * 2 : 4) * sizeof(struct sx_node *));

		if (count)
			memcpy(more, n->child, count * sizeof(*more));
		n->child = more;
	}
	n->child[n->count++] = child;
}

static struct sx_node *
new_literal(struct sx_parser *p, size_t at, struct sx value)
{
	struct sx_node *n = sx_new_node(p, SX_LITERAL, at);

	n->literal = value;
	return n;
}

/* Behind a backslash: what may follow, as many bytes as it takes. */
static size_t
escape_len(struct str s)
{
	size_t n = 0;

	if (s.n == 0)
		return 0;
	if (strchr("btnfr\"'\\/", s.p[0]))
		return s.p[0] != '\0';
	if (s.p[0] == 'u') {
		for (n = 1; n < 5 && n < s.n && (is_digit(s.p[n]) ||
		    (ascii_lower(s.p[n]) >= 'a' &&
		    ascii_lower(s.p[n]) <= 'f')); n++)
			;
		return n == 5 ? 5 : 0;
	}
	while (n < 3 && n < s.n && s.p[n] >= '0' && s.p[n] <= '7')
		n++;
	return n < 2 ? 0 : n == 3 && s.p[0] > '3' ? 2 : n;
}

/* Escapes must be right but stay as they are written. */
int
sx_take_string(struct sx_parser *p, struct str *out)
{
	size_t start = p->at++;
	char quote = p->text.p[start];

	while (p->at < p->text.n && p->text.p[p->at] != quote) {
		size_t n;

		if (p->text.p[p->at++] != '\\')
			continue;
		n = escape_len(str_from(p->text, p->at));
		if (n == 0) {
			p->at--;
			return sx_syntax(p, "bad escape");
		}
		p->at += n;
	}
	if (p->at >= p->text.n) {
		p->at = start;
		return sx_syntax(p, "quote is not closed");
	}
	*out = str_head(str_from(p->text, start + 1), p->at - start - 1);
	p->at++;
	return 0;
}

static int
parse_string(struct sx_parser *p, struct sx_node **out)
{
	size_t at = p->at;
	struct str s;

	if (sx_take_string(p, &s) == -1)
		return -1;
	*out = new_literal(p, at, sx_string(s));
	return 0;
}

static int
parse_number(struct sx_parser *p, struct sx_node **out)
{
	size_t start = p->at;
	struct str s = str_from(p->text, start);
	size_t n = s.p[0] == '-';

	while (n < s.n && is_digit(s.p[n]))
		n++;
	if (n + 1 < s.n && s.p[n] == '.' && is_digit(s.p[n + 1])) {
		n++;
		while (n < s.n && is_digit(s.p[n]))
			n++;
	}
	p->at += n;
	*out = new_literal(p, start, sx_of_text(str_head(s, n)));
	return 0;
}

static int
parse_list(struct sx_parser *p, struct sx_node **out)
{
	struct sx_node *n = sx_new_node(p, SX_LIST, p->at), *item;

	p->at++;
	*out = n;
	if (sx_take(p, ']'))
		return 0;
	do {
		if (sx_parse_expression(p, &item) == -1)
			return -1;
		sx_add_child(p, n, item);
	} while (sx_take(p, ','));
	return sx_take(p, ']') ? 0 : sx_syntax(p, "expected ',' or ']'");
}

static int
parse_arguments(struct sx_parser *p, struct sx_node *n)
{
	struct sx_node *arg;

	if (!sx_take(p, '('))
		return sx_syntax(p, "expected '('");
	if (sx_take(p, ')'))
		return 0;
	do {
		if (sx_parse_expression(p, &arg) == -1)
			return -1;
		sx_add_child(p, n, arg);
	} while (sx_take(p, ','));
	return sx_take(p, ')') ? 0 : sx_syntax(p, "expected ',' or ')'");
}

static bool
find_function(struct str word, enum sx_function *out)
{
	for (size_t i = 0; i < SX_F_COUNT; i++)
		if (str_is(word, function_words[i])) {
			*out = (enum sx_function)i;
			return true;
		}
	return false;
}

/* xpath('...') is compiled now, so that its faults are load errors. */
static int
prepare_xpath(struct sx_parser *p, struct sx_node *n)
{
	const struct sx_node *arg = n->count ? n->child[0] : NULL;

	p->program->reads_body = true;
	if (n->count != 1 || arg->kind != SX_LITERAL ||
	    arg->literal.type != SX_STRING)
		return 0;
	n->call.xpath = expr_compile_as(p->arena, EXPR_XPATH, arg->literal.s,
	    &p->program->scope, p->err);
	if (n->call.xpath)
		return 0;
	if (p->err)
		p->err->at.column += (int)arg->at + 1;
	return -1;
}

static int
prepare_call(struct sx_parser *p, struct sx_node *n)
{
	if (n->call.id == SX_F_XPATH)
		return prepare_xpath(p, n);
	if (n->call.id == SX_F_WSO2_VAULT || n->call.id == SX_F_HASHICORP_VAULT) {
		p->at = n->at;
		(void)sx_syntax(p, "there is no vault to look into");
		if (p->err)
			p->err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	return 0;
}

/* .property("a"), or steps of a path; only registry(), object() and array()
 * do anything with them. */
static int
parse_suffix(struct sx_parser *p, struct sx_node **out)
{
	struct sx_node *call = *out, *path;
	size_t before = call->count, start;

	sx_blanks(p);
	start = p->at;
	if (sx_take(p, '.') && take_word(p, "property") &&
	    (sx_blanks(p), sx_peek(p) == '(')) {
		if (parse_arguments(p, call) == -1)
			return -1;
		if (call->call.id != SX_F_REGISTRY)
			call->count = before;
		return 0;
	}
	p->at = start;
	if (sx_peek(p) != '.' && sx_peek(p) != '[')
		return 0;
	path = sx_new_node(p, SX_PATH, call->at);
	path->path.root = SX_RESULT;
	sx_add_child(p, path, call);
	if (sx_parse_path(p, path) == -1)
		return -1;
	if (call->call.id == SX_F_REGISTRY || call->call.id == SX_F_OBJECT ||
	    call->call.id == SX_F_ARRAY)
		*out = path;
	return 0;
}

static int
parse_call(struct sx_parser *p, struct str word, struct sx_node **out)
{
	struct sx_node *n = sx_new_node(p, SX_CALL, p->at);

	if (!find_function(word, &n->call.id))
		return sx_syntax(p, "unknown name");
	p->at += word.n;
	*out = n;
	if (parse_arguments(p, n) == -1 || prepare_call(p, n) == -1)
		return -1;
	return parse_suffix(p, out);
}

/* .name, ["name"] or .["name"]; a quoted name may also follow a dot. */
static int
parse_name(struct sx_parser *p, bool quoted, struct str *out)
{
	bool dot = sx_take(p, '.');

	sx_blanks(p);
	if (sx_peek(p) == '[') {
		p->at++;
		sx_blanks(p);
		if (sx_peek(p) != '"' && sx_peek(p) != '\'')
			return sx_syntax(p, "expected a quoted name");
		if (sx_take_string(p, out) == -1)
			return -1;
		return sx_take(p, ']') ? 0 : sx_syntax(p, "expected ']'");
	}
	if (dot && quoted && (sx_peek(p) == '"' || sx_peek(p) == '\''))
		return sx_take_string(p, out);
	*out = sx_word(p);
	if (!dot || out->n == 0)
		return sx_syntax(p, "expected .name or [\"name\"]");
	p->at += out->n;
	return 0;
}

static int
parse_property(struct sx_parser *p, enum msg_scope scope, const char *prefix,
    size_t at, struct sx_node **out)
{
	struct sx_node *n = sx_new_node(p, SX_PROPERTY, at);
	struct str name;

	if (parse_name(p, false, &name) == -1)
		return -1;
	n->property.scope = scope;
	n->property.name = arena_printf(p->arena, "%s%.*s", prefix,
	    STR_FMT(name));
	*out = n;
	return 0;
}

/* properties.synapse.N, params.queryParams.N and their like. */
static int
parse_scoped(struct sx_parser *p, bool params, size_t at,
    struct sx_node **out)
{
	static const struct {
		bool params;
		const char *word, *prefix;
		enum msg_scope scope;
	} all[] = {
		{ false, "synapse", "", SCOPE_DEFAULT },
		{ false, "axis2", "", SCOPE_AXIS2 },
		{ true, "queryParams", "query.param.", SCOPE_DEFAULT },
		{ true, "pathParams", "uri.var.", SCOPE_DEFAULT },
		{ true, "functionParams", "", SCOPE_FUNC },
	};

	if (!sx_take(p, '.'))
		return sx_syntax(p, "expected '.'");
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].params == params && take_word(p, all[i].word))
			return parse_property(p, all[i].scope, all[i].prefix,
			    at, out);
	return sx_syntax(p, params ?
	    "expected queryParams, pathParams or functionParams" :
	    "expected synapse or axis2");
}

static int
parse_payload(struct sx_parser *p, size_t at, struct sx_node **out)
{
	*out = sx_new_node(p, SX_PATH, at);
	(*out)->path.root = SX_PAYLOAD;
	p->program->reads_body = true;
	return sx_parse_path(p, *out);
}

static int
parse_variable(struct sx_parser *p, size_t at, struct sx_node **out)
{
	struct str name;

	if (parse_name(p, true, &name) == -1)
		return -1;
	*out = sx_new_node(p, SX_PATH, at);
	(*out)->path.root = SX_VARIABLE;
	(*out)->path.name = name;
	return sx_parse_path(p, *out);
}

static int
parse_word(struct sx_parser *p, struct sx_node **out)
{
	struct str word = sx_word(p);
	size_t at = p->at;

	p->at += word.n;
	if (str_is(word, "payload"))
		return parse_payload(p, at, out);
	if (str_is(word, "vars"))
		return parse_variable(p, at, out);
	if (str_is(word, "headers"))
		return parse_property(p, SCOPE_TRANSPORT, "", at, out);
	if (str_is(word, "configs"))
		return parse_property(p, SCOPE_FILE, "", at, out);
	if (str_is(word, "params"))
		return parse_scoped(p, true, at, out);
	if (str_is(word, "props") || str_is(word, "properties"))
		return parse_scoped(p, false, at, out);
	if (str_is(word, "true") || str_is(word, "false"))
		*out = new_literal(p, at, sx_bool(word.n == 4));
	else if (str_is(word, "null"))
		*out = new_literal(p, at, (struct sx){ .type = SX_NULL });
	else {
		p->at = at;
		return parse_call(p, word, out);
	}
	return 0;
}

bool
sx_starts_factor(const struct sx_parser *p)
{
	struct str word = sx_word(p);
	struct sx_parser behind = *p;
	enum sx_function id;

	if (sx_peek(p) == '$')
		return true;
	behind.at += word.n;
	for (size_t i = 0; i < ARRAY_LEN(root_words); i++)
		if (str_is(word, root_words[i]))
			return sx_peek(&behind) == '.' ||
			    sx_peek(&behind) == '[';
	return sx_peek(&behind) == '(' && find_function(word, &id);
}

static int
parse_factor(struct sx_parser *p, struct sx_node **out)
{
	char c = sx_peek(p), next;

	next = p->at + 1 < p->text.n ? p->text.p[p->at + 1] : '\0';
	if (is_word_start(c))
		return parse_word(p, out);
	if (is_digit(c) || (c == '-' && is_digit(next)))
		return parse_number(p, out);
	if (c == '"' || c == '\'')
		return parse_string(p, out);
	if (c == '[')
		return parse_list(p, out);
	if (c == '$') {
		p->at++;
		return parse_payload(p, p->at - 1, out);
	}
	if (!sx_take(p, '('))
		return sx_syntax(p, "expected a value");
	if (sx_parse_expression(p, out) == -1)
		return -1;
	return sx_take(p, ')') ? 0 : sx_syntax(p, "expected ')'");
}

int
sx_parse_factor(struct sx_parser *p, struct sx_node **out)
{
	int rc;

	sx_blanks(p);
	if (p->depth >= SX_DEPTH_MAX)
		return sx_syntax(p, "nested too deeply");
	if (p->nodes >= SX_NODES_MAX)
		return sx_syntax(p, "too long");
	p->depth++;
	rc = parse_factor(p, out);
	p->depth--;
	return rc;
}

/* Levels of operators, tightest first. */
enum level { TIMES, PLUS, LOGICAL, COMPARISON, LEVEL_COUNT };

static bool
take_operator(struct sx_parser *p, enum level level, enum sx_operator *out)
{
	static const struct {
		enum level level;
		const char *mark;
		enum sx_operator op;
	} all[] = {
		{ TIMES, "*", SX_MUL }, { TIMES, "/", SX_DIV },
		{ TIMES, "%", SX_MOD }, { PLUS, "+", SX_ADD },
		{ LOGICAL, "&&", SX_AND }, { LOGICAL, "||", SX_OR },
		{ COMPARISON, "==", SX_EQ }, { COMPARISON, "!=", SX_NE },
		{ COMPARISON, "<=", SX_LE }, { COMPARISON, ">=", SX_GE },
		{ COMPARISON, "<", SX_LT }, { COMPARISON, ">", SX_GT },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (all[i].level == level && take_mark(p, all[i].mark)) {
			*out = all[i].op;
			return true;
		}
	if (level == LOGICAL && take_word(p, "and")) {
		*out = SX_AND;
		return true;
	}
	if (level == LOGICAL && take_word(p, "or")) {
		*out = SX_OR;
		return true;
	}
	/* A minus before a digit begins a number. */
	if (level == PLUS && sx_peek(p) == '-' && (p->at + 1 >= p->text.n ||
	    !is_digit(p->text.p[p->at + 1]))) {
		p->at++;
		*out = SX_SUB;
		return true;
	}
	return false;
}

static void
add_operator(struct sx_parser *p, struct sx_node *n, enum sx_operator op)
{
	size_t count = n->count - 1;

	if (count == 0 || (count >= 4 && (count & (count - 1)) == 0)) {
		enum sx_operator *more = arena_alloc(p->arena,
		    (count ? count * 2 : 4) * sizeof(*more));

		if (count)
			memcpy(more, n->ops, count * sizeof(*more));
		n->ops = more;
	}
	n->ops[count] = op;
}

static int
parse_chain(struct sx_parser *p, enum level level, struct sx_node **out)
{
	struct sx_node *chain = NULL, *operand;
	enum sx_operator op;

	for (;;) {
		int rc = level == TIMES ? sx_parse_factor(p, &operand) :
		    parse_chain(p, (enum level)(level - 1), &operand);

		if (rc == -1)
			return -1;
		if (chain)
			sx_add_child(p, chain, operand);
		if (!take_operator(p, level, &op))
			break;
		if (!chain) {
			chain = sx_new_node(p, SX_CHAIN, operand->at);
			sx_add_child(p, chain, operand);
		}
		add_operator(p, chain, op);
	}
	*out = chain ? chain : operand;
	return 0;
}

static int
parse_condition(struct sx_parser *p, struct sx_node *test,
    struct sx_node **out)
{
	struct sx_node *n = sx_new_node(p, SX_CONDITION, test->at), *part;

	*out = n;
	sx_add_child(p, n, test);
	if (sx_parse_expression(p, &part) == -1)
		return -1;
	sx_add_child(p, n, part);
	if (!sx_take(p, ':'))
		return sx_syntax(p, "expected ':'");
	if (sx_parse_expression(p, &part) == -1)
		return -1;
	sx_add_child(p, n, part);
	return 0;
}

int
sx_parse_expression(struct sx_parser *p, struct sx_node **out)
{
	struct sx_node *test;
	int rc = 0;

	if (p->depth >= SX_DEPTH_MAX)
		return sx_syntax(p, "nested too deeply");
	p->depth++;
	if (parse_chain(p, COMPARISON, &test) == -1)
		return -1;
	*out = test;
	if (sx_take(p, '?'))
		rc = parse_condition(p, test, out);
	p->depth--;
	return rc;
}

int
sx_parse(struct sx_parser *p, struct sx_node **out)
{
	if (sx_parse_expression(p, out) == -1)
		return -1;
	sx_blanks(p);
	return p->at == p->text.n ? 0 : sx_syntax(p, "expected an operator");
}
