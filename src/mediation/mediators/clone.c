/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <clone id continueParent sequential iterations><target/>*</clone>: each
 * target gets a copy of the message, one after the other; with iterations the
 * only target gets that many.
 */
#include "mediation/mediators/target.h"

#define INDEX "CLONED_ITERATION_INDEX"
#define STOP_ON_FAILURE "STOP_TARGET_EXECUTION_ON_FAILURE"

struct clone {
	struct str id;			/* p NULL: none */
	bool proceed, sequential;
	struct med_value *iterations;	/* NULL: one for each target */
	struct target *target;
	size_t count;
};

/* One message that is cloned; lives in its arena. */
struct cloning {
	const struct clone *node;
	size_t at, count;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_targets(struct med_compile *c, const struct xml_el *el, struct clone *n,
    struct err *err)
{
	size_t count = 0;

	for (const struct xml_el *k = xml_child(el, "target"); k;
	    k = xml_next(k))
		count++;
	n->target = arena_zalloc(med_arena(c), count * sizeof(*n->target));
	for (const struct xml_el *k = xml_child(el, "target"); k;
	    k = xml_next(k))
		if (target_read(c, k, &n->target[n->count++], err) < 0)
			return -1;
	return 0;
}

/* At least 0; -1 for what is no number. */
static int64_t
read_count(struct str text)
{
	int64_t n;

	if (!text.p || !str_to_i64(str_trim(text), &n))
		return -1;
	return n < 0 ? 0 : n;
}

static int
check_iterations(const struct xml_el *el, const struct clone *n,
    struct err *err)
{
	struct str text;

	if (!n->iterations)
		return 0;
	if (n->count > 1)
		return xml_error(el, err, "When iterations attribute is "
		    "defined only one target is allowed.");
	if (n->count == 0)
		return xml_error(el, err, "<clone> with iterations needs a "
		    "<target>");
	if (med_value_is_constant(n->iterations, &text) &&
	    read_count(text) < 0)
		return xml_error(el, err, "attribute \"iterations\": \"%.*s\" "
		    "is no number", STR_FMT(text));
	return 0;
}

static int
clone_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct clone *n = arena_zalloc(med_arena(c), sizeof(*n));

	*node = n;
	n->id = xml_attr(el, "id");
	if (xml_attr_bool(el, "continueParent", false, &n->proceed, err) < 0 ||
	    xml_attr_bool(el, "sequential", false, &n->sequential, err) < 0 ||
	    med_value(c, el, "iterations", &n->iterations, err) < 0 ||
	    read_targets(c, el, n, err) < 0)
		return -1;
	return check_iterations(el, n, err);
}

/* ---- exec -------------------------------------------------------------- */

static enum med_next after_branch(struct med_run *, void *, enum med_end,
    struct message *, struct fault *);

static enum med_next
next_branch(struct med_run *run, struct cloning *it, struct message *msg,
    struct fault *fault)
{
	const struct clone *n = it->node;
	const struct target *target = n->target;
	struct message *m;

	if (it->at == it->count)
		return n->proceed ? MED_NEXT : MED_STOP;
	if (n->iterations)
		message_set_prop(msg, SCOPE_DEFAULT, STR(INDEX),
		    VALUE_OF_INT((int64_t)it->at + 1));
	else
		target = &n->target[it->at];
	m = message_copy(msg);
	target_mark(m, msg, n->id, it->at++, it->count);
	return target_enter(run, target, MED_BRANCH_SHIELDED, m, after_branch,
	    it, fault);
}

static bool
stops_on_failure(struct message *msg)
{
	struct str text = message_prop_text(msg, SCOPE_DEFAULT,
	    STR(STOP_ON_FAILURE));

	return text.p && str_iis(text, "true");
}

static enum med_next
after_branch(struct med_run *run, void *state, enum med_end how,
    struct message *branch, struct fault *fault)
{
	struct cloning *it = state;
	struct message *msg = med_run_message(run);

	target_share(msg, branch);
	if (how == MED_FAULTED && it->node->sequential &&
	    stops_on_failure(msg))
		it->at = it->count;
	return next_branch(run, it, msg, fault);
}

static int
count_branches(const struct clone *n, struct message *msg, size_t *out,
    struct fault *fault)
{
	struct str text;
	int64_t count;

	*out = n->count;
	if (!n->iterations)
		return 0;
	if (med_value_string(n->iterations, msg, &text, fault) < 0)
		return -1;
	count = read_count(text);
	if (count < 0)
		return fault_set(fault, FAULT_MEDIATOR, "Error while parsing "
		    "iterations number in clone mediator");
	*out = (size_t)count;
	return 0;
}

static enum med_next
clone_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	struct cloning *it = arena_zalloc(message_arena(msg), sizeof(*it));

	it->node = node;
	if (count_branches(node, msg, &it->count, fault) < 0)
		return MED_FAULT;
	return next_branch(run, it, msg, fault);
}

const struct mediator_type mediator_clone = {
	.element = "clone",
	.origin = "CloneMediator",
	.compile = clone_compile,
	.exec = clone_exec,
};
