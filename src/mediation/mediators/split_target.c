/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/split_target.h"

/* An <endpoint> in a target is a sequence that sends to it. */
static int
read_inner(struct med_compile *c, const struct xml_el *el,
    struct split_target *t, struct err *err)
{
	const struct xml_el *inner = xml_child(el, "sequence");
	struct med_list *list;

	if (xml_child(el, "endpoint") || xml_attr(el, "endpoint").p) {
		xml_error(el, err, "not supported: <endpoint> in <target>; "
		    "use <sequence><send>");
		err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	if (!inner)
		return xml_error(el, err, "<target> needs a <sequence> or the "
		    "attribute \"sequence\"");
	if (xml_attr(inner, "key").n) {
		t->ref = med_sequence_ref(c, inner, xml_attr(inner, "key"));
		return 0;
	}
	if (med_children(c, inner, NULL, &list, err) < 0)
		return -1;
	t->list = list;
	return 0;
}

int
split_target_read(struct med_compile *c, const struct xml_el *el,
    struct split_target *t, struct err *err)
{
	struct str name = xml_attr(el, "sequence");

	t->to = xml_attr(el, "to");
	t->action = xml_attr(el, "soapAction");
	if (name.n) {
		t->ref = med_sequence_ref(c, el, name);
		return 0;
	}
	return read_inner(c, el, t, err);
}

enum med_next
split_target_run(struct med_run *run, const struct split_target *t,
    enum med_branch kind, struct message *copy, med_after_fn *after,
    void *state, struct fault *fault)
{
	const struct sequence *s = t->ref ? sequence_resolve(t->ref) : NULL;

	if (t->ref && !s) {
		message_free(&copy);
		fault_set(fault, FAULT_MEDIATOR, "Couldn't find the referred "
		    "sequence with key : %.*s",
		    STR_FMT(sequence_ref_name(t->ref)));
		return MED_FAULT;
	}
	if (t->to.n)
		message_set_addressing(copy, STR("To"), t->to);
	if (t->action.n)
		message_set_addressing(copy, STR("Action"), t->action);
	med_enter_branch(run, kind, t->list, s, copy, after, state);
	return MED_CHILDREN;
}

void
split_names_make(struct med_compile *c, struct str id, struct split_names *n)
{
	struct arena *a = med_arena(c);

	n->sequence = STR("messageSequence");
	n->correlation = STR("aggregateCorelation");
	if (!id.n)
		return;
	n->sequence = arena_printf(a, "messageSequence.%.*s", STR_FMT(id));
	n->correlation = arena_printf(a, "aggregateCorelation.%.*s",
	    STR_FMT(id));
}

void
split_mark(struct message *copy, const struct split_names *names,
    struct str parent_id, size_t i, size_t n)
{
	struct arena *a = message_arena(copy);

	message_set_prop(copy, SCOPE_DEFAULT, names->sequence, VALUE_OF_STR(
	    arena_printf(a, "%zu/%zu", i, n)));
	message_set_prop(copy, SCOPE_DEFAULT, names->correlation,
	    VALUE_OF_STR(arena_str(a, parent_id)));
}
