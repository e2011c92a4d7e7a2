/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/expr.h"

#include <string.h>
#include "base/must.h"
#include "msg/expr_priv.h"

#define JSON_EVAL "json-eval("

static const struct expr_ops *
ops_of(enum expr_language language)
{
	switch (language) {
	case EXPR_XPATH:
		return &expr_xpath_ops;
	case EXPR_JSONPATH:
		return &expr_json_ops;
	case EXPR_SYNAPSE:
		return &expr_synapse_ops;
	}
	unreachable();
}

/* text is what was written, skip what stands in front of the source. */
static struct expr *
compile(struct arena *arena, enum expr_language language, struct str text,
    size_t skip, size_t cut, const struct expr_scope *scope, struct err *err)
{
	static const struct expr_scope none = { 0 };
	struct expr *e = arena_zalloc(arena, sizeof(*e));

	if (!scope)
		scope = &none;
	e->language = language;
	e->ops = ops_of(language);
	e->text = arena_str(arena, text);
	e->source = arena_str(arena, str_head(str_from(text, skip),
	    text.n - skip - cut));
	if (e->ops->compile(e, arena, scope, err) == 0)
		return e;
	if (err) {
		if (err->at.column > 0)
			err->at.column += (int)skip;
		err->at.file = scope->at.file;
		err->at.line = scope->at.line;
	}
	return NULL;
}

struct expr *
expr_compile_as(struct arena *arena, enum expr_language language,
    struct str text, const struct expr_scope *scope, struct err *err)
{
	return compile(arena, language, text, 0, 0, scope, err);
}

struct expr *
expr_compile(struct arena *arena, struct str text,
    const struct expr_scope *scope, struct err *err)
{
	struct src_pos end = { .column = (int)text.n + 1 };

	if (str_starts(text, "${") && str_ends(text, "}"))
		return compile(arena, EXPR_SYNAPSE, text, 2, 1, scope, err);
	if (!str_starts(text, JSON_EVAL))
		return compile(arena, EXPR_XPATH, text, 0, 0, scope, err);
	if (str_ends(text, ")"))
		return compile(arena, EXPR_JSONPATH, text,
		    sizeof(JSON_EVAL) - 1, 1, scope, err);
	if (scope) {
		end.file = scope->at.file;
		end.line = scope->at.line;
	}
	(void)err_at(err, end, "json-eval( is not closed");
	return NULL;
}

enum expr_language
expr_language(const struct expr *e)
{
	return e->language;
}

struct str
expr_text(const struct expr *e)
{
	return e->text;
}

bool
expr_reads_body(const struct expr *e)
{
	return e->reads_body;
}

int
expr_value(const struct expr *e, struct message *m, struct value *out,
    struct err *err)
{
	return e->ops->value(e, m, out, err);
}

int
expr_string(const struct expr *e, struct message *m, struct str *out,
    struct err *err)
{
	return e->ops->string(e, m, out, err);
}

int
expr_truth(const struct expr *e, struct message *m, bool *out,
    struct err *err)
{
	return e->ops->truth(e, m, out, err);
}

bool
expr_word_is_true(struct str s)
{
	return str_iis(s, "true");
}
