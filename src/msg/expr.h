/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions: XPath 1.0 with Synapse's variables and functions, json-eval(),
 * and ${...}. Compiled at load, immutable, shared by all runs.
 */
#ifndef MSG_EXPR_H
#define MSG_EXPR_H

#include <stdbool.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "msg/message.h"
#include "msg/value.h"

/* The namespaces in scope of the config element. */
struct expr_ns {
	struct str prefix, uri;		/* prefix "" = default, unused by XPath */
};
struct expr_scope {
	const struct expr_ns *ns;
	size_t count;
	struct src_pos at;		/* of the attribute's element */
};

enum expr_language { EXPR_XPATH, EXPR_JSONPATH, EXPR_SYNAPSE };

struct expr;

/*
 * The dialect is chosen by the text (mediation.md 4.1): json-eval(...), ${...},
 * else XPath. Copies into the arena, which must outlive it. NULL after a syntax
 * error; err->at.column is then the place within text (1-based), err->at.line
 * that of scope.
 */
struct expr *expr_compile(struct arena *, struct str text,
    const struct expr_scope *, struct err *) MUST_CHECK;
/* Force a dialect; text without json-eval( ) or ${ } around it. */
struct expr *expr_compile_as(struct arena *, enum expr_language,
    struct str text, const struct expr_scope *, struct err *) MUST_CHECK;

enum expr_language expr_language(const struct expr *);
struct str expr_text(const struct expr *);	/* as written */
/* False when it asks for properties only, so the body need not be parsed. */
bool expr_reads_body(const struct expr *);

/*
 * Results live in the message's arena. -1 is a fault of mediation: err has the
 * text, ERR_SYNTAX when the body could not be parsed (601000).
 *
 * XPath: what the variable or property holds (VALUE_NULL when it is not set),
 * nodes as VALUE_XML, numbers as VALUE_DOUBLE. json-eval: VALUE_JSON, also of
 * strings, numbers and null; an indefinite path gives an array; VALUE_STRING ""
 * when the path does not exist. ${...}: the type that the expression has; what
 * was taken out of JSON is VALUE_JSON; VALUE_STRING "" for null and after an
 * error (which is logged).
 */
int expr_value(const struct expr *, struct message *, struct value *out,
    struct err *) MUST_CHECK;
/* As text; p == NULL is Java's null (mediation.md 0 rules 1-5, 8). */
int expr_string(const struct expr *, struct message *, struct str *out,
    struct err *) MUST_CHECK;
/* As the condition of a filter (mediation.md 0 rule 6). */
int expr_truth(const struct expr *, struct message *, bool *out, struct err *)
    MUST_CHECK;

/* Text with ${...} inside ("Hi ${payload.name}"): compiled once, evaluated
 * to text; a failing expression gives "". */
struct expr_template;
struct expr_template *expr_template_compile(struct arena *, struct str text,
    const struct expr_scope *, struct err *) MUST_CHECK;
int expr_template_string(const struct expr_template *, struct message *,
    struct str *out, struct err *) MUST_CHECK;
bool expr_template_reads_body(const struct expr_template *);

#endif
