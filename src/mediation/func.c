/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/func.h"

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
