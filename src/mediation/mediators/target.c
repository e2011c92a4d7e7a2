/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/target.h"

#define CORRELATION "aggregateCorelation"
#define SEQUENCE "messageSequence"

/* ---- compile ----------------------------------------------------------- */

int
target_read(struct med_compile *c, const struct xml_el *el, struct target *t,
    struct err *err)
{
	const struct xml_el *sequence = xml_child(el, "sequence");
	const struct xml_el *endpoint = xml_child(el, "endpoint");
	struct str ref = xml_attr(el, "sequence");
	struct str key = xml_attr(el, "endpoint");

	t->to = xml_attr(el, "to");
	t->action = xml_attr(el, "soapAction");
	if (sequence)
		t->sequence = med_sequence(c, sequence, STR(""));
	else if (ref.n)
		t->ref = med_sequence_ref(c, el, ref);
	else if (endpoint)
		return med_endpoint(c, endpoint, &t->endpoint, err);
	else if (key.n)
		t->endpoint = med_endpoint_ref(c, el, key);
	return 0;
}

/* ---- exec -------------------------------------------------------------- */

static void
set_address(struct message *m, struct str name, struct str text)
{
	if (text.p)
		(void)message_set_addressing(m, name, text);
}

enum med_next
target_enter(struct med_run *run, const struct target *t,
    enum med_branch kind, struct message *msg, med_after_fn *after,
    void *state, struct fault *fault)
{
	const struct sequence *s = t->sequence;
	struct message *m = msg ? msg : med_run_message(run);

	if (t->ref) {
		s = sequence_resolve(t->ref);
		if (!s) {
			struct str name = sequence_ref_name(t->ref);

			message_free(&msg);
			fault_set(fault, FAULT_MEDIATOR, "Couldn't find the "
			    "sequence named : %.*s", STR_FMT(name));
			return MED_FAULT;
		}
	}
	set_address(m, STR("Action"), t->action);
	set_address(m, STR("To"), t->to);
	med_enter_branch(run, kind, NULL, s, msg, after, state);
	if (!t->endpoint)
		return MED_CHILDREN;
	return med_send_to(run, MED_SEND, t->endpoint, m, fault);
}

static void
mark(struct message *m, const char *name, struct str id, struct str text)
{
	struct str key = str_of(name);

	if (id.p)
		key = arena_printf(message_arena(m), "%s.%.*s", name,
		    STR_FMT(id));
	message_set_prop(m, SCOPE_DEFAULT, key, VALUE_OF_STR(text));
}

void
target_mark(struct message *copy, struct message *from, struct str id,
    size_t number, size_t count)
{
	struct arena *a = message_arena(copy);
	struct str parent = arena_str(a, message_id(from));
	struct str place = arena_printf(a, "%zu/%zu", number, count);

	mark(copy, CORRELATION, STR_NULL, parent);
	if (id.p)
		mark(copy, CORRELATION, id, parent);
	mark(copy, SEQUENCE, id, place);
}

static bool
same(const struct value *a, const struct value *b, struct arena *scratch)
{
	return a->type == b->type && str_eq(value_text(a, scratch),
	    value_text(b, scratch));
}

static void
copy_scope(struct message *to, struct message *from, enum msg_scope scope)
{
	const void *at = NULL;
	struct value v, old;
	struct str name;

	while (message_next_prop(from, scope, &at, &name, &v))
		if (!message_prop(to, scope, name, &old) ||
		    !same(&v, &old, message_arena(from)))
			message_set_prop(to, scope, name,
			    value_copy(&v, message_arena(to)));
}

void
target_share(struct message *to, struct message *branch)
{
	if (to != branch)
		copy_scope(to, branch, SCOPE_OPERATION);
}

void
target_take_props(struct message *to, struct message *branch)
{
	if (to != branch)
		copy_scope(to, branch, SCOPE_DEFAULT);
}
