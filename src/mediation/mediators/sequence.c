/* SPDX-License-Identifier: Apache-2.0 */
/* <sequence key="name"/> or key="{expression}". */
#include "mediation/mediator.h"

struct sequence_node {
	const struct sequence_ref *ref;	/* NULL: by the value */
	struct med_value *key;
};

static int
sequence_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct sequence_node *n = arena_zalloc(med_arena(c), sizeof(*n));
	struct str key = xml_attr(el, "key"), name;

	*node = n;
	if (xml_attr(el, "onError").p)
		return xml_error(el, err, "A sequence mediator with a "
		    "reference to another sequence can not have "
		    "'ErrorHandler' (attribute \"onError\")");
	if (!key.n)
		return xml_error(el, err, "A sequence mediator needs the name "
		    "of a sequence: the attribute \"key\" is required");
	if (med_value(c, el, "key", &n->key, err) < 0)
		return -1;
	if (med_value_is_constant(n->key, &name))
		n->ref = med_sequence_ref(c, el, name);
	else
		med_reaches_body(c, MED_BODY_WRITE);
	return 0;
}

static enum med_next
sequence_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct sequence_node *n = node;
	const struct sequence *s;
	struct str key;

	if (n->ref) {
		s = sequence_resolve(n->ref);
	} else {
		if (med_value_string(n->key, msg, &key, fault) < 0)
			return MED_FAULT;
		s = med_find_sequence(run, key);
	}
	if (!s) {
		if (n->ref)
			key = sequence_ref_name(n->ref);
		fault_set(fault, FAULT_MEDIATOR, "Sequence named Value {name "
		    "='null', keyValue ='%.*s'} cannot be found",
		    STR_FMT(key));
		return MED_FAULT;
	}
	med_enter_sequence(run, s);
	return MED_CHILDREN;
}

const struct mediator_type mediator_sequence = {
	.element = "sequence",
	.origin = "SequenceMediator",
	.compile = sequence_compile,
	.exec = sequence_exec,
};
