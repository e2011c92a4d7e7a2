/* SPDX-License-Identifier: Apache-2.0 */
/* <throwError type errorMessage/>: a fault with a code of the author's own. */
#include <stdio.h>

#include "mediation/mediator.h"

struct throw_error {
	struct med_value *type, *message;
};

static int
throw_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct throw_error *t = arena_zalloc(med_arena(c), sizeof(*t));

	*node = t;
	if (med_value(c, el, "type", &t->type, err) < 0)
		return -1;
	return med_value(c, el, "errorMessage", &t->message, err);
}

static int
text_of(const struct med_value *v, struct message *msg, struct str *out,
    struct fault *fault)
{
	return v ? med_value_string(v, msg, out, fault) : 0;
}

static enum med_next
throw_exec(struct med_run *run UNUSED, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct throw_error *t = node;
	struct str type = STR("ANY");
	struct str text = STR("Error occurred in the mediation flow");

	if (text_of(t->type, msg, &type, fault) < 0 ||
	    text_of(t->message, msg, &text, fault) < 0)
		return MED_FAULT;
	fault_set(fault, FAULT_MEDIATOR, "%.*s", STR_FMT(text));
	snprintf(fault->code_text, sizeof(fault->code_text), "%.*s",
	    STR_FMT(type));
	return MED_FAULT;
}

const struct mediator_type mediator_throwError = {
	.element = "throwError",
	.origin = "ThrowErrorMediator",
	.compile = throw_compile,
	.exec = throw_exec,
};
