/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what stands in [?( )]. Loosest first: ||, &&, !, comparison. */
#include "msg/jsonpath_priv.h"

#include <string.h>
#include "msg/json.h"
#include "msg/regex.h"

static int read_or(struct jp_reader *, struct jp_filter **);

static struct jp_filter *
new_filter(struct jp_reader *r, struct jp_filter node)
{
	struct jp_filter *f = arena_alloc(r->arena, sizeof(*f));

	*f = node;
	return f;
}

static struct cJSON *
read_bare_word(struct jp_reader *r)
{
	size_t start = r->at;

	while (r->at < r->text.n && !strchr(",]}", r->text.p[r->at]))
		r->at++;
	return json_new_string(r->arena, str_trim(str_head(
	    str_from(r->text, start), r->at - start)));
}

static int
read_value(struct jp_reader *r, bool in_list, struct cJSON **out);

static int
read_list(struct jp_reader *r, struct cJSON **out)
{
	struct cJSON *item;

	*out = json_new_array(r->arena);
	if (jp_take(r, ']'))
		return 0;
	do {
		if (read_value(r, true, &item) == -1)
			return -1;
		json_append(*out, item);
	} while (jp_take(r, ','));
	return jp_take(r, ']') ? 0 : jp_fail(r, "expected ',' or ']'");
}

static int
read_key(struct jp_reader *r, struct str *out)
{
	size_t start;

	jp_blanks(r);
	if (jp_peek(r) == '"' || jp_peek(r) == '\'')
		return jp_quoted(r, out);
	start = r->at;
	while (r->at < r->text.n && r->text.p[r->at] != ':')
		r->at++;
	*out = str_trim(str_head(str_from(r->text, start), r->at - start));
	return 0;
}

static int
read_members(struct jp_reader *r, struct cJSON **out)
{
	struct cJSON *item;
	struct str key;

	*out = json_new_object(r->arena);
	if (jp_take(r, '}'))
		return 0;
	do {
		if (read_key(r, &key) == -1)
			return -1;
		if (!jp_take(r, ':'))
			return jp_fail(r, "expected ':'");
		if (read_value(r, true, &item) == -1)
			return -1;
		json_set(r->arena, *out, key, item);
	} while (jp_take(r, ','));
	return jp_take(r, '}') ? 0 : jp_fail(r, "expected ',' or '}'");
}

static struct str
number_run(const struct jp_reader *r)
{
	struct str rest = str_from(r->text, r->at);
	size_t n = 0;

	while (n < rest.n && rest.p[n] && strchr("+-.0123456789eE", rest.p[n]))
		n++;
	return str_head(rest, n);
}

/* A word that stands alone: "true", but not "truest". */
static bool
take_name(struct jp_reader *r, const char *word)
{
	struct str rest = str_from(r->text, r->at);
	size_t n = strlen(word);

	if (!str_starts(rest, word) ||
	    (rest.n > n && !strchr(" \t\r\n,]})&|<>=!", rest.p[n])))
		return false;
	r->at += n;
	return true;
}

static int
read_plain(struct jp_reader *r, bool in_list, struct cJSON **out)
{
	struct str number = number_run(r);

	if (take_name(r, "true") || take_name(r, "false")) {
		*out = json_new_bool(r->arena, r->text.p[r->at - 2] == 'u');
	} else if (take_name(r, "null")) {
		*out = json_new_null(r->arena);
	} else if (json_is_number(number)) {
		*out = json_new_number(r->arena, number);
		r->at += number.n;
	} else if (in_list) {
		*out = read_bare_word(r);
	} else {
		return jp_fail(r, "expected a value");
	}
	return 0;
}

static int
read_value(struct jp_reader *r, bool in_list, struct cJSON **out)
{
	struct str text;
	int rc;

	if (++r->depth > JP_DEPTH_MAX)
		return jp_fail(r, "nested too deeply");
	jp_blanks(r);
	if (jp_take(r, '[')) {
		rc = read_list(r, out);
	} else if (jp_take(r, '{')) {
		rc = read_members(r, out);
	} else if (jp_peek(r) == '"' || jp_peek(r) == '\'') {
		rc = jp_quoted(r, &text);
		if (rc == 0)
			*out = json_new_string(r->arena, text);
	} else {
		rc = read_plain(r, in_list, out);
	}
	r->depth--;
	return rc;
}

int
jp_read_literal(struct jp_reader *r, const struct cJSON **out)
{
	struct cJSON *value;

	if (read_value(r, false, &value) == -1)
		return -1;
	*out = value;
	return 0;
}

/* The flags behind a pattern as PCRE2 spells them in front of it; d and u say
 * what is so anyway. */
static struct str
regex_options(struct jp_reader *r)
{
	char options[16];
	size_t n = 0, start = r->at;

	while (jp_peek(r) && strchr("dixmsuU", jp_peek(r)))
		r->at++;
	for (size_t i = start; i < r->at && n < sizeof(options); i++)
		if (strchr("ixms", r->text.p[i]))
			options[n++] = r->text.p[i];
	return n ? arena_printf(r->arena, "(?%.*s)", (int)n, options) : STR("");
}

static int
read_pattern(struct jp_reader *r, struct jp_operand *out)
{
	size_t start = ++r->at;
	struct str body, options;

	while (r->at < r->text.n && r->text.p[r->at] != '/')
		r->at += r->text.p[r->at] == '\\' ? 2 : 1;
	if (r->at >= r->text.n) {
		r->at = start - 1;
		return jp_fail(r, "pattern is not closed");
	}
	body = str_head(str_from(r->text, start), r->at - start);
	r->at++;
	options = regex_options(r);
	body = arena_printf(r->arena, "%.*s%.*s", STR_FMT(options),
	    STR_FMT(body));
	out->kind = JP_PATTERN;
	out->pattern = regex_compile(r->arena, body, r->err);
	if (out->pattern)
		return 0;
	if (r->err)
		r->err->at = (struct src_pos){ .column = (int)start + 1 };
	return -1;
}

int
jp_read_operand(struct jp_reader *r, struct jp_operand *out)
{
	struct jsonpath *path;

	*out = (struct jp_operand){ .kind = JP_LITERAL };
	jp_blanks(r);
	if (jp_peek(r) == '/')
		return read_pattern(r, out);
	if (jp_peek(r) != '$' && jp_peek(r) != '@')
		return jp_read_literal(r, &out->literal);
	if (jp_read_path(r, &path) == -1)
		return -1;
	out->kind = JP_PATH;
	out->path = path;
	return 0;
}

static bool
read_operator(struct jp_reader *r, enum jp_operator *out)
{
	static const struct {
		enum jp_operator op;
		const char *text;
	} all[] = {
#define OPERATOR(name, word) { JP_##name, word },
#include "msg/jsonpath_operators.def"
#undef OPERATOR
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (jp_take_word(r, all[i].text)) {
			*out = all[i].op;
			return true;
		}
	return false;
}

static int read_factor(struct jp_reader *, struct jp_filter **);

/* Value [operator value]; a lone path tests whether it exists. */
static int
read_test(struct jp_reader *r, bool wanted, struct jp_filter **out)
{
	struct jp_filter f = { .kind = JP_TEST, .op = JP_EXISTS,
		.wanted = wanted, .right = { .kind = JP_LITERAL } };

	if (jp_read_operand(r, &f.left) == -1)
		return -1;
	if (read_operator(r, &f.op)) {
		if (jp_read_operand(r, &f.right) == -1)
			return -1;
	} else if (f.left.kind != JP_PATH) {
		return jp_fail(r, "expected an operator");
	}
	*out = new_filter(r, f);
	return 0;
}

static int
read_not(struct jp_reader *r, struct jp_filter **out)
{
	struct jp_filter f = { .kind = JP_NOT };

	jp_blanks(r);
	if (jp_peek(r) == '@' || jp_peek(r) == '$')
		return read_test(r, false, out);
	if (read_factor(r, &f.child) == -1)
		return -1;
	*out = new_filter(r, f);
	return 0;
}

static int
read_factor(struct jp_reader *r, struct jp_filter **out)
{
	int rc;

	if (++r->depth > JP_DEPTH_MAX)
		return jp_fail(r, "nested too deeply");
	if (jp_take(r, '!')) {
		rc = read_not(r, out);
	} else if (jp_take(r, '(')) {
		rc = read_or(r, out);
		if (rc == 0 && !jp_take(r, ')'))
			rc = jp_fail(r, "expected ')'");
	} else {
		rc = read_test(r, true, out);
	}
	r->depth--;
	return rc;
}

static int
read_and(struct jp_reader *r, struct jp_filter **out)
{
	struct jp_filter f = { .kind = JP_AND }, **tail = &f.child;

	do {
		if (read_factor(r, tail) == -1)
			return -1;
		tail = &(*tail)->next;
	} while (jp_take_word(r, "&&"));
	*out = f.child->next ? new_filter(r, f) : f.child;
	return 0;
}

static int
read_or(struct jp_reader *r, struct jp_filter **out)
{
	struct jp_filter f = { .kind = JP_OR }, **tail = &f.child;

	do {
		if (read_and(r, tail) == -1)
			return -1;
		tail = &(*tail)->next;
	} while (jp_take_word(r, "||"));
	*out = f.child->next ? new_filter(r, f) : f.child;
	return 0;
}

int
jp_read_filter(struct jp_reader *r, struct jp_filter **out)
{
	if (read_or(r, out) == -1)
		return -1;
	return jp_take(r, ')') ? 0 : jp_fail(r, "expected ')'");
}
