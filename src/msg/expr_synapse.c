/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/expr_synapse.h"

#include "base/log.h"

/* What xpath() needs of the scope, for as long as the program lives. */
static struct expr_scope
copy_scope(const struct expr_scope *scope, struct arena *arena)
{
	struct expr_scope copy = { .count = scope->count, .at = scope->at };
	struct expr_ns *ns = arena_alloc(arena,
	    (scope->count + 1) * sizeof(*ns));

	for (size_t i = 0; i < scope->count; i++)
		ns[i] = (struct expr_ns){
			.prefix = arena_str(arena, scope->ns[i].prefix),
			.uri = arena_str(arena, scope->ns[i].uri),
		};
	copy.ns = ns;
	return copy;
}

static int
synapse_compile(struct expr *e, struct arena *arena,
    const struct expr_scope *scope, struct err *err)
{
	struct sx_program *program = arena_zalloc(arena, sizeof(*program));
	struct sx_parser p = { .arena = arena, .text = e->source,
		.program = program, .err = err };
	struct str text = str_trim(e->source);

	program->scope = copy_scope(scope, arena);
	e->compiled = program;
	if (sx_parse(&p, &program->root) == -1)
		return -1;
	e->reads_body = program->reads_body;
	if (str_is(text, "payload") || str_is(text, "$")) {
		program->body_xpath = expr_compile_as(arena, EXPR_XPATH,
		    STR("$body"), scope, err);
		return program->body_xpath ? 0 : -1;
	}
	return 0;
}

static bool
body_is_xml(struct message *m)
{
	switch (message_kind(m)) {
	case CONTENT_XML:
	case CONTENT_SOAP11:
	case CONTENT_SOAP12:
		return true;
	case CONTENT_NONE:
	case CONTENT_JSON:
	case CONTENT_TEXT:
	case CONTENT_BINARY:
		break;
	}
	return false;
}

/* Errors are warnings and give null; faults of the body are faults. */
static int
run(const struct expr *e, struct message *m, struct sx *out, struct err *err)
{
	const struct sx_program *program = e->compiled;
	struct err why = { 0 };
	struct sx_run r = { .program = program, .m = m,
		.arena = message_arena(m), .err = &why };

	if (sx_eval(&r, program->root, out) == 0)
		return 0;
	if (r.fault) {
		if (err)
			*err = why;
		return -1;
	}
	*out = (struct sx){ .type = SX_NULL };
	log_warn("Error evaluating expression: %.*s cause : %s",
	    STR_FMT(e->source), why.text);
	return 0;
}

/* xpath() alone gives nodes to those who can take them. */
static const struct expr *
plain_xpath(const struct expr *e, struct message *m)
{
	const struct sx_program *program = e->compiled;
	const struct sx_node *root = program->root;

	if (program->body_xpath && body_is_xml(m))
		return program->body_xpath;
	return root->kind == SX_CALL && root->call.id == SX_F_XPATH ?
	    root->call.xpath : NULL;
}

static int
synapse_value(const struct expr *e, struct message *m, struct value *out,
    struct err *err)
{
	const struct expr *xpath = plain_xpath(e, m);
	struct sx v;

	if (xpath)
		return expr_value(xpath, m, out, err);
	if (run(e, m, &v, err) == -1)
		return -1;
	sx_value(&v, out);
	return 0;
}

static int
synapse_string(const struct expr *e, struct message *m, struct str *out,
    struct err *err)
{
	const struct sx_program *program = e->compiled;
	struct sx v;

	if (program->body_xpath && body_is_xml(m))
		return expr_string(program->body_xpath, m, out, err);
	if (run(e, m, &v, err) == -1)
		return -1;
	*out = v.type == SX_NULL ? STR("") : sx_text(&v, message_arena(m));
	return 0;
}

static int
synapse_truth(const struct expr *e, struct message *m, bool *out,
    struct err *err)
{
	struct str text;

	if (synapse_string(e, m, &text, err) == -1)
		return -1;
	*out = expr_word_is_true(text);
	return 0;
}

const struct expr_ops expr_synapse_ops = {
	.compile = synapse_compile,
	.value = synapse_value,
	.string = synapse_string,
	.truth = synapse_truth,
};
