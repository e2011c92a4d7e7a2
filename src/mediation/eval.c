/* SPDX-License-Identifier: Apache-2.0 */
/* What mediators ask for while they run. */
#include "mediation/run.h"
#include "mediation/value.h"

int
med_expr_string(const struct expr *e, struct message *msg, struct str *out,
    struct fault *fault)
{
	struct err err = { 0 };

	if (expr_string(e, msg, out, &err) == 0)
		return 0;
	return med_fault_from(fault, &err);
}

int
med_expr_truth(const struct expr *e, struct message *msg, bool *out,
    struct fault *fault)
{
	struct err err = { 0 };

	if (expr_truth(e, msg, out, &err) == 0)
		return 0;
	return med_fault_from(fault, &err);
}

int
med_value_string(const struct med_value *v, struct message *msg,
    struct str *out, struct fault *fault)
{
	*out = v->text;
	return v->expr ? med_expr_string(v->expr, msg, out, fault) : 0;
}

bool
med_value_is_constant(const struct med_value *v, struct str *text_out)
{
	*text_out = v->text;
	return v->expr == NULL;
}

const struct sequence *
sequence_resolve(const struct sequence_ref *ref)
{
	return ref->target;
}

struct str
sequence_ref_name(const struct sequence_ref *ref)
{
	return ref->name;
}

struct str
sequence_name(const struct sequence *s)
{
	return s->name;
}

enum med_body
sequence_body(const struct sequence *s)
{
	return s->body;
}
