/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <conditionalRouter continueAfter><conditionalRoute breakRoute asynchronous>
 * <condition/><target/></conditionalRoute>*</conditionalRouter>: the message
 * goes to the targets whose conditions hold, the first one only unless
 * breakRoute is false.
 */
#include "mediation/mediators/condition.h"
#include "mediation/mediators/target.h"

struct route {
	struct condition *condition;
	struct target target;
	bool last;			/* breakRoute */
	bool apart;			/* asynchronous */
};

struct router {
	struct route *route;
	size_t count;
	bool proceed;
};

/* One message; lives in its arena. */
struct routing {
	const struct router *node;
	size_t at;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_flag(const struct xml_el *el, const char *attr, const char *what,
    bool dflt, bool *out, struct err *err)
{
	struct str text = str_trim(xml_attr(el, attr));

	*out = dflt;
	if (!text.p)
		return 0;
	*out = str_iis(text, "true") || str_is(text, "1") ||
	    str_iis(text, "yes");
	if (*out || str_iis(text, "false") || str_is(text, "0") ||
	    str_iis(text, "no"))
		return 0;
	return xml_error(el, err, "%s attribute value of the %s must be "
	    "either 'true' or 'false', the value found is : %.*s", attr, what,
	    STR_FMT(text));
}

static int
read_route(struct med_compile *c, const struct xml_el *el, struct route *r,
    struct err *err)
{
	const struct xml_el *condition = xml_child(el, "condition");
	const struct xml_el *target = xml_child(el, "target");

	if (read_flag(el, "breakRoute", "conditionalRoute element", true,
	    &r->last, err) < 0 ||
	    read_flag(el, "asynchronous", "conditionalRoute element", false,
	    &r->apart, err) < 0)
		return -1;
	if (!condition)
		return xml_error(el, err, "Couldn't find the condition of the "
		    "conditional router");
	if (condition_read(c, condition, &r->condition, err) < 0)
		return -1;
	if (!r->condition)
		return xml_error(condition, err, "<condition> needs one of "
		    "and, or, not, equal, match");
	if (!target)
		return xml_error(el, err, "<conditionalRoute> needs a "
		    "<target>");
	return target_read(c, target, &r->target, err);
}

static int
router_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct router *n = arena_zalloc(med_arena(c), sizeof(*n));
	size_t count = 0;

	*node = n;
	if (read_flag(el, "continueAfter", "conditionalRouter", false,
	    &n->proceed, err) < 0)
		return -1;
	for (const struct xml_el *k = xml_child(el, "conditionalRoute"); k;
	    k = xml_next(k))
		count++;
	n->route = arena_zalloc(med_arena(c), count * sizeof(*n->route));
	for (const struct xml_el *k = xml_child(el, "conditionalRoute"); k;
	    k = xml_next(k))
		if (read_route(c, k, &n->route[n->count++], err) < 0)
			return -1;
	return 0;
}

/* ---- exec -------------------------------------------------------------- */

static med_after_fn after_target;

static int
test(const struct route *r, struct message *msg, bool *out,
    struct fault *fault)
{
	struct str url = message_addressing(msg, STR("To"));
	struct err err;

	if (condition_test(r->condition, msg, url.p ? url : STR(""), out, &err,
	    fault) == 0)
		return 0;
	return err.kind == ERR_NONE ? -1 : med_fault_from(fault, &err);
}

static enum med_next
next_route(struct med_run *run, struct routing *s, struct message *msg,
    struct fault *fault)
{
	const struct router *n = s->node;

	while (s->at < n->count) {
		const struct route *r = &n->route[s->at++];
		bool holds;

		if (test(r, msg, &holds, fault) < 0)
			return MED_FAULT;
		if (!holds)
			continue;
		if (r->last)
			s->at = n->count;
		return target_enter(run, &r->target, MED_BRANCH_SHIELDED,
		    r->apart ? message_copy(msg) : NULL, after_target, s,
		    fault);
	}
	return n->proceed ? MED_NEXT : MED_STOP;
}

static enum med_next
after_target(struct med_run *run, void *state, enum med_end how UNUSED,
    struct message *branch, struct fault *fault)
{
	struct message *msg = med_run_message(run);

	target_share(msg, branch);
	return next_route(run, state, msg, fault);
}

static enum med_next
router_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	struct routing *s = arena_zalloc(message_arena(msg), sizeof(*s));

	s->node = node;
	return next_route(run, s, msg, fault);
}

const struct mediator_type mediator_conditionalRouter = {
	.element = "conditionalRouter",
	.origin = "ConditionalRouterMediator",
	.compile = router_compile,
	.exec = router_exec,
};
