/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the text of a path; filters are read by jsonpath_filter.c. */
#include "msg/jsonpath.h"

#include <limits.h>
#include <string.h>
#include "base/must.h"
#include "base/utf8.h"
#include "msg/jsonpath_priv.h"

/* Where a path ends: a whole text, or inside of a filter or argument list. */
enum extent { WHOLE, INNER };

static const char *const function_words[] = {
#define FUNCTION(name, word) [JP_##name] = word,
#include "msg/jsonpath_functions.def"
#undef FUNCTION
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int
jp_fail(const struct jp_reader *r, const char *what)
{
	struct str rest = str_head(str_from(r->text, r->at), 20);
	struct src_pos at = { .column = (int)r->at + 1 };

	if (rest.n > 0)
		return err_at(r->err, at, "%s at '%.*s'", what, STR_FMT(rest));
	return err_at(r->err, at, "%s at the end", what);
}

void
jp_blanks(struct jp_reader *r)
{
	while (is_blank(jp_peek(r)))
		r->at++;
}

bool
jp_take(struct jp_reader *r, char c)
{
	jp_blanks(r);
	if (r->at >= r->text.n || r->text.p[r->at] != c)
		return false;
	r->at++;
	return true;
}

bool
jp_take_word(struct jp_reader *r, const char *word)
{
	jp_blanks(r);
	if (!str_istarts(str_from(r->text, r->at), word))
		return false;
	r->at += strlen(word);
	return true;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind the \u; false when there are no four hex digits. */
static bool
unescape_code(struct jp_reader *r, char *out, size_t *n)
{
	uint32_t code = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = hex_value(jp_peek(r));

		if (digit < 0)
			return false;
		code = code * 16 + (uint32_t)digit;
		r->at++;
	}
	if (code == 0)
		return false;
	*n += utf8_encode(code, out + *n);
	return true;
}

static bool
unescape(struct jp_reader *r, char *out, size_t *n)
{
	static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
	char c = jp_peek(r);
	const char *known;

	if (r->at >= r->text.n)
		return false;
	r->at++;
	if (c == 'u')
		return unescape_code(r, out, n);
	known = c ? strchr(from, c) : NULL;
	out[(*n)++] = known ? to[known - from] : c;
	return true;
}

int
jp_quoted(struct jp_reader *r, struct str *out)
{
	char quote = jp_peek(r);
	size_t start = r->at++, n = 0;
	char *text = arena_alloc(r->arena, r->text.n - r->at + 1);

	while (r->at < r->text.n && r->text.p[r->at] != quote) {
		char c = r->text.p[r->at++];

		if (c != '\\')
			text[n++] = c;
		else if (!unescape(r, text, &n))
			return jp_fail(r, "bad escape");
	}
	if (r->at++ >= r->text.n) {
		r->at = start;
		return jp_fail(r, "quote is not closed");
	}
	text[n] = '\0';
	*out = (struct str){ text, n };
	return 0;
}

static struct jp_step *
add_step(struct jp_reader *r, struct jp_step ***tail, enum jp_kind kind)
{
	struct jp_step *step = arena_zalloc(r->arena, sizeof(*step));

	step->kind = kind;
	**tail = step;
	*tail = &step->next;
	r->steps++;
	return step;
}

static void *
grown(struct arena *arena, void *list, size_t count, size_t size)
{
	void *more;

	if (count != 0 && (count < 4 || (count & (count - 1)) != 0))
		return list;
	more = arena_alloc(arena, (count ? count * 2 : 4) * size);
	if (count)
		memcpy(more, list, count * size);
	return more;
}

static int
read_names(struct jp_reader *r, struct jp_step ***tail)
{
	struct str *names = NULL;
	size_t count = 0;
	struct jp_step *step;

	do {
		jp_blanks(r);
		if (jp_peek(r) != '\'' && jp_peek(r) != '"')
			return jp_fail(r, "expected a quoted name");
		names = grown(r->arena, names, count, sizeof(*names));
		if (jp_quoted(r, &names[count++]) == -1)
			return -1;
	} while (jp_take(r, ','));
	if (!jp_take(r, ']'))
		return jp_fail(r, "expected ',' or ']'");
	step = add_step(r, tail, count == 1 ? JP_NAME : JP_NAMES);
	step->names = names;
	step->count = count;
	return 0;
}

/* A whole number, if there is one. */
static int
read_long(struct jp_reader *r, bool *has_out, long *out)
{
	size_t start;
	int64_t value;

	jp_blanks(r);
	start = r->at;
	if (jp_peek(r) == '-')
		r->at++;
	while (jp_peek(r) >= '0' && jp_peek(r) <= '9')
		r->at++;
	*has_out = r->at > start;
	if (!*has_out)
		return 0;
	if (!str_to_i64(str_head(str_from(r->text, start), r->at - start),
	    &value) || value > INT_MAX || value < INT_MIN) {
		r->at = start;
		return jp_fail(r, "index out of range");
	}
	*out = (long)value;
	return 0;
}

/* Behind the first ':'. A third part is read and has no effect, as there. */
static int
read_slice(struct jp_reader *r, bool has_from, long from,
    struct jp_step ***tail)
{
	bool has_to, has_step;
	long to = 0, ignored;
	struct jp_step *step;

	if (read_long(r, &has_to, &to) == -1)
		return -1;
	if (jp_take(r, ':') && read_long(r, &has_step, &ignored) == -1)
		return -1;
	if (!has_from && !has_to)
		return jp_fail(r, "a slice needs a number");
	if (!jp_take(r, ']'))
		return jp_fail(r, "expected ']'");
	step = add_step(r, tail, JP_SLICE);
	step->slice.has_from = has_from;
	step->slice.has_to = has_to;
	step->slice.from = from;
	step->slice.to = to;
	return 0;
}

static int
read_indices(struct jp_reader *r, struct jp_step ***tail)
{
	long *list = NULL, index = 0;
	size_t count = 0;
	bool has;
	struct jp_step *step;

	if (read_long(r, &has, &index) == -1)
		return -1;
	if (jp_take(r, ':'))
		return read_slice(r, has, index, tail);
	for (;;) {
		if (!has)
			return jp_fail(r, "expected a number");
		list = grown(r->arena, list, count, sizeof(*list));
		list[count++] = index;
		if (!jp_take(r, ','))
			break;
		if (read_long(r, &has, &index) == -1)
			return -1;
	}
	if (!jp_take(r, ']'))
		return jp_fail(r, "expected ',' or ']'");
	step = add_step(r, tail, count == 1 ? JP_INDEX : JP_INDICES);
	step->indices = list;
	step->count = count;
	return 0;
}

static int
read_filter_step(struct jp_reader *r, struct jp_step ***tail)
{
	struct jp_filter *filter;

	if (!jp_take(r, '('))
		return jp_fail(r, "expected '('");
	if (jp_read_filter(r, &filter) == -1)
		return -1;
	if (!jp_take(r, ']'))
		return jp_fail(r, "expected ']'");
	add_step(r, tail, JP_FILTER)->filter = filter;
	return 0;
}

/* Behind the '['. */
static int
read_bracket(struct jp_reader *r, struct jp_step ***tail)
{
	jp_blanks(r);
	if (jp_peek(r) == '\'' || jp_peek(r) == '"')
		return read_names(r, tail);
	if (jp_take(r, '?'))
		return read_filter_step(r, tail);
	if (!jp_take(r, '*'))
		return read_indices(r, tail);
	if (!jp_take(r, ']'))
		return jp_fail(r, "expected ']'");
	add_step(r, tail, JP_ANY);
	return 0;
}

static int
read_arguments(struct jp_reader *r, struct jp_step *step)
{
	struct jp_operand *args = NULL;
	size_t count = 0;

	if (!jp_take(r, ')')) {
		do {
			args = grown(r->arena, args, count, sizeof(*args));
			if (jp_read_operand(r, &args[count++]) == -1)
				return -1;
		} while (jp_take(r, ','));
		if (!jp_take(r, ')'))
			return jp_fail(r, "expected ',' or ')'");
	}
	step->function.args = args;
	step->count = count;
	return 0;
}

static int
read_function(struct jp_reader *r, struct str name, struct jp_step ***tail)
{
	struct jp_step *step;

	for (size_t i = 0; i < JP_FUNCTION_COUNT; i++)
		if (str_is(name, function_words[i])) {
			step = add_step(r, tail, JP_FUNCTION);
			step->function.id = (enum jp_function)i;
			return read_arguments(r, step);
		}
	r->at -= name.n + 1;
	return jp_fail(r, "unknown function");
}

static bool
ends_name(char c, enum extent extent)
{
	if (c == '\0' || c == '.' || c == '[' || c == '(')
		return true;
	return extent == INNER && strchr("<>=~!)&|, \t\r\n", c);
}

/* name, name(...) or *, behind the dots. */
static int
read_name(struct jp_reader *r, enum extent extent, struct jp_step ***tail)
{
	size_t start = r->at;
	struct str name;
	struct jp_step *step;

	if (jp_peek(r) == '*') {
		r->at++;
		add_step(r, tail, JP_ANY);
		return 0;
	}
	while (r->at < r->text.n && !ends_name(r->text.p[r->at], extent))
		if (is_blank(r->text.p[r->at++])) {
			r->at--;
			return jp_fail(r, "a name with blanks needs ['...']");
		}
	name = str_head(str_from(r->text, start), r->at - start);
	if (name.n == 0)
		return jp_fail(r, "expected a name");
	if (jp_peek(r) == '(') {
		r->at++;
		return read_function(r, name, tail);
	}
	step = add_step(r, tail, JP_NAME);
	step->names = arena_alloc(r->arena, sizeof(*step->names));
	step->names[0] = arena_str(r->arena, name);
	step->count = 1;
	return 0;
}

static int
read_dot(struct jp_reader *r, enum extent extent, struct jp_step ***tail)
{
	bool scan = false;

	r->at++;
	if (jp_peek(r) == '.') {
		r->at++;
		add_step(r, tail, JP_SCAN);
		scan = true;
	}
	if (jp_peek(r) == '[' && (scan || extent == WHOLE)) {
		r->at++;
		return read_bracket(r, tail);
	}
	return read_name(r, extent, tail);
}

static int
read_steps(struct jp_reader *r, enum extent extent, struct jp_step ***tail)
{
	while (r->at < r->text.n) {
		int rc;

		if (r->steps >= JP_LENGTH_MAX)
			return jp_fail(r, "too many steps");
		if (jp_peek(r) == '.') {
			rc = read_dot(r, extent, tail);
		} else if (jp_peek(r) == '[') {
			r->at++;
			rc = read_bracket(r, tail);
		} else if (extent == INNER) {
			return 0;
		} else {
			rc = jp_fail(r, "expected '.' or '['");
		}
		if (rc == -1)
			return -1;
	}
	return 0;
}

static bool
step_is_definite(const struct jp_step *step)
{
	switch (step->kind) {
	case JP_NAME:
	case JP_INDEX:
	case JP_FUNCTION:
		return true;
	case JP_NAMES:
		return !step->next;	/* merged into one object */
	case JP_INDICES:
	case JP_SLICE:
	case JP_ANY:
	case JP_FILTER:
	case JP_SCAN:
		return false;
	}
	unreachable();
}

static void
classify(struct jsonpath *path)
{
	path->definite = path->plain = true;
	for (struct jp_step *s = path->first; s; s = s->next) {
		s->after_definite = path->definite;
		path->definite = path->definite && step_is_definite(s);
		path->plain = path->plain &&
		    (s->kind == JP_NAME || s->kind == JP_INDEX);
	}
	/* $..a.sum() gives one number for all that the scan found. */
	if (path->first && path->first->kind == JP_SCAN)
		for (struct jp_step *s = path->first; s; s = s->next)
			if (s->kind == JP_FUNCTION && !s->next)
				path->definite = true;
}

int
jp_read_path(struct jp_reader *r, struct jsonpath **out)
{
	struct jsonpath *path = arena_zalloc(r->arena, sizeof(*path));
	struct jp_step **tail = &path->first;
	size_t start = r->at;

	if (++r->depth > JP_DEPTH_MAX)
		return jp_fail(r, "nested too deeply");
	path->relative = jp_peek(r) == '@';
	r->at++;
	if (read_steps(r, INNER, &tail) == -1)
		return -1;
	r->depth--;
	path->text = str_head(str_from(r->text, start), r->at - start);
	classify(path);
	*out = path;
	return 0;
}

/* Whether the text starts with its context, $ or @; else "$." is implied. */
static bool
has_context(struct str text)
{
	return text.n > 0 && (text.p[0] == '$' || text.p[0] == '@');
}

static int
read_whole(struct jp_reader *r, struct jsonpath *path)
{
	struct jp_step **tail = &path->first;
	int rc = 0;

	jp_blanks(r);
	if (has_context(str_from(r->text, r->at)))
		r->at++;
	else if (jp_peek(r) != '[')
		rc = read_name(r, WHOLE, &tail);
	return rc == -1 ? -1 : read_steps(r, WHOLE, &tail);
}

struct jsonpath *
jsonpath_compile(struct arena *arena, struct str text, struct err *err)
{
	struct jsonpath *path = arena_zalloc(arena, sizeof(*path));
	struct jp_reader r = { .arena = arena, .err = err };

	path->text = arena_str(arena, text);
	r.text = path->text;
	while (r.text.n > 0 && is_blank(r.text.p[r.text.n - 1]))
		r.text.n--;
	if (str_ends(r.text, "."))
		r.text.n--;
	if (str_blank(r.text)) {
		(void)jp_fail(&r, "empty path");
		return NULL;
	}
	if (read_whole(&r, path) == -1)
		return NULL;
	for (const struct jp_step *s = path->first; s; s = s->next)
		if (s->kind == JP_SCAN && (!s->next ||
		    s->next->kind == JP_FUNCTION || s->next->kind == JP_SCAN)) {
			(void)jp_fail(&r, "'..' needs a name, '*' or '['");
			return NULL;
		}
	classify(path);
	return path;
}

bool
jsonpath_is_definite(const struct jsonpath *path)
{
	return path->definite;
}

bool
jsonpath_is_root(const struct jsonpath *path)
{
	return !path->first;
}

bool
jsonpath_ends_in_index(const struct jsonpath *path)
{
	const struct jp_step *s = path->first;

	while (s && s->next)
		s = s->next;
	return path->definite && s && s->kind == JP_INDEX;
}

struct str
jsonpath_text(const struct jsonpath *path)
{
	return path->text;
}
