/* SPDX-License-Identifier: Apache-2.0 */
/* Text with ${...} inside. */
#include "msg/expr.h"

#include <string.h>

/* Literal text, then an expression unless it is the last piece. */
struct piece {
	struct str text;
	struct expr *expr;
};

struct expr_template {
	struct piece *piece;
	size_t count;
};

/* From "${" on: the bytes up to the first "}" that leaves something between,
 * on the same line; 0 when there is none. */
static size_t
placeholder_len(struct str s)
{
	for (size_t i = 2; i < s.n && s.p[i] != '\n' && s.p[i] != '\r'; i++)
		if (s.p[i] == '}' && i > 2)
			return i + 1;
	return 0;
}

/* Bytes before the next placeholder, s.n when there is none. */
static size_t
find_placeholder(struct str s, size_t *len_out)
{
	size_t at = 0;

	for (;;) {
		at += str_search(str_from(s, at), STR("${"));
		if (at >= s.n)
			return s.n;
		*len_out = placeholder_len(str_from(s, at));
		if (*len_out)
			return at;
		at++;
	}
}

static size_t
count_placeholders(struct str s)
{
	size_t n = 0, len = 0, at;

	while ((at = find_placeholder(s, &len)) < s.n) {
		s = str_from(s, at + len);
		n++;
	}
	return n;
}

struct expr_template *
expr_template_compile(struct arena *arena, struct str text,
    const struct expr_scope *scope, struct err *err)
{
	struct expr_template *t = arena_zalloc(arena, sizeof(*t));
	struct str rest = arena_str(arena, text.p ? text : STR(""));
	size_t len = 0, at, done = 0;

	t->piece = arena_zalloc(arena,
	    (count_placeholders(rest) + 1) * sizeof(*t->piece));
	for (;; t->count++) {
		struct piece *p = &t->piece[t->count];

		at = find_placeholder(rest, &len);
		p->text = str_head(rest, at);
		if (at == rest.n)
			break;
		p->expr = expr_compile(arena,
		    str_head(str_from(rest, at), len), scope, err);
		if (!p->expr) {
			if (err && err->at.column > 0)
				err->at.column += (int)(done + at);
			return NULL;
		}
		rest = str_from(rest, at + len);
		done += at + len;
	}
	t->count++;
	return t;
}

static struct str
append(struct str to, struct str part, size_t *room, struct arena *arena)
{
	char *p = (char *)(size_t)to.p;

	if (part.n > *room - to.n) {
		*room = (to.n + part.n) * 2;
		p = arena_alloc(arena, *room + 1);
		if (to.n)
			memcpy(p, to.p, to.n);
	}
	if (part.n)
		memcpy(p + to.n, part.p, part.n);
	return (struct str){ p, to.n + part.n };
}

int
expr_template_string(const struct expr_template *t, struct message *m,
    struct str *out, struct err *err)
{
	struct arena *arena = message_arena(m);
	struct str result = STR(""), value;
	size_t room = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct piece *p = &t->piece[i];

		result = append(result, p->text, &room, arena);
		if (!p->expr)
			break;
		if (expr_string(p->expr, m, &value, err) == -1)
			return -1;
		result = append(result, value, &room, arena);
	}
	*out = result;
	return 0;
}

bool
expr_template_reads_body(const struct expr_template *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->piece[i].expr && expr_reads_body(t->piece[i].expr))
			return true;
	return false;
}
