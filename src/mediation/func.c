/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/func.h"
#include "mediation/value.h"

/* msg_context.func: ctx is the run. */
static bool
func_get(void *ctx, struct str name, struct arena *a UNUSED, struct value *out)
{
	struct med_run *r = ctx;
	struct func_scope *s = r->func;
	struct err err;

	for (size_t i = 0; s && i < s->count; i++) {
		const struct func_arg *arg = &s->arg[i];

		if (!str_eq(arg->name, name))
			continue;
		*out = arg->value;
		return !arg->deferred ||
		    expr_value(arg->deferred, r->msg, out, &err) == 0;
	}
	return false;
}

void
func_enter(struct med_run *r, struct func_scope *s)
{
	struct msg_context *c = message_context(r->msg);

	s->outer = r->func;
	r->func = s;
	c->func = func_get;
	c->func_ctx = r;
}

void
func_leave(struct med_run *r, struct func_scope *s)
{
	if (s == r->func)
		return;
	r->func = s;
	if (!s) {
		struct msg_context *c = message_context(r->msg);

		c->func = NULL;
		c->func_ctx = NULL;
	}
}

/* ---- calling ----------------------------------------------------------- */

static const struct med_arg *
find_arg(const struct med_arg *arg, size_t count, struct str name)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq(arg[i].name, name))
			return &arg[i];
	return NULL;
}

static int
evaluate(const struct med_value *v, struct message *msg, struct func_arg *to,
    struct fault *fault)
{
	struct err err = { 0 };

	struct str text = v->text;

	if (v->deferred) {
		to->deferred = v->expr;
		return 0;
	}
	/* Only ${...} keeps the type of its result. */
	if (v->expr && expr_language(v->expr) == EXPR_SYNAPSE) {
		if (expr_value(v->expr, msg, &to->value, &err) < 0)
			return med_fault_from(fault, &err);
		return 0;
	}
	if (med_value_string(v, msg, &text, fault) < 0)
		return -1;
	if (text.p)
		to->value = VALUE_OF_STR(text);
	return 0;
}

static int
bind(const struct med_template *t, size_t i, const struct med_arg *given,
    struct message *msg, struct func_arg *to, struct fault *fault)
{
	const struct med_param *p = &t->param[i];

	*to = (struct func_arg){ .name = p->name };
	if (given && evaluate(given->value, msg, to, fault) < 0)
		return -1;
	if (to->deferred || to->value.type != VALUE_NULL)
		return 0;
	if (p->dflt.p)
		to->value = VALUE_OF_STR(p->dflt);
	else if (p->mandatory)
		return fault_set(fault, FAULT_TEMPLATE_PARAMETER, "Neither a "
		    "value nor default value is provided for mandatory "
		    "parameter: %.*s in seq-template %.*s", STR_FMT(p->name),
		    STR_FMT(t->name));
	return 0;
}

enum med_next
med_call_template(struct med_run *r, const struct template_ref *ref,
    const struct sequence_ref *on_error, const struct med_arg *arg,
    size_t count, struct message *msg, struct fault *fault)
{
	const struct med_template *t = ref->target;
	struct arena *a = message_arena(msg);
	struct func_scope *scope = arena_zalloc(a, sizeof(*scope));
	struct func_arg *to;

	if (!t) {
		fault_set(fault, FAULT_MEDIATOR, "Sequence template %.*s "
		    "cannot be found", STR_FMT(ref->name));
		return MED_FAULT;
	}
	to = arena_alloc(a, t->param_count * sizeof(*to));
	for (size_t i = 0; i < t->param_count; i++)
		if (bind(t, i, find_arg(arg, count, t->param[i].name), msg,
		    &to[i], fault) < 0)
			return MED_FAULT;
	scope->arg = to;
	scope->count = t->param_count;
	run_enter_template(r, t, on_error, scope);
	return MED_CHILDREN;
}
