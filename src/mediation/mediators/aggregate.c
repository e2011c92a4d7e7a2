/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <aggregate id><correlateOn/><completeCondition timeout><messageCount min
 * max/></completeCondition><onComplete/></aggregate>: holds messages back until
 * all of a group are there; the last one goes on with what they brought.
 */
#include "mediation/mediators/gather.h"
#include "mediation/mediator.h"

struct aggregate {
	const char *correlation, *sequence;	/* names of properties */
	struct expr *correlate;			/* NULL: the property */
	int64_t timeout_ms;			/* 0: none */
	struct med_value *min, *max;
	struct gather gather;
	const struct med_list *list;		/* onComplete; or */
	const struct sequence_ref *ref;		/* or neither: drop */
};

/* One group. */
struct gathering {
	struct gathered all;
	size_t count;			/* messages */
	size_t total, min, max;		/* 0: not known */
	bool over;			/* what still comes is dropped */
};

/* ---- compile ----------------------------------------------------------- */

static int
read_count(struct med_compile *c, const struct xml_el *el, const char *attr,
    struct med_value **out, struct err *err)
{
	struct str text;
	int64_t n;

	if (med_value(c, el, attr, out, err) < 0)
		return -1;
	if (*out && med_value_is_constant(*out, &text) &&
	    !str_to_i64(str_trim(text), &n))
		return xml_error(el, err, "attribute \"%s\": \"%.*s\" is no "
		    "number", attr, STR_FMT(text));
	return 0;
}

static int
read_condition(struct med_compile *c, const struct xml_el *el,
    struct aggregate *n, struct err *err)
{
	const struct xml_el *count = xml_child(el, "messageCount");
	int64_t seconds;

	if (xml_attr_int(el, "timeout", 0, &seconds, err) < 0)
		return -1;
	if (seconds < 0 || seconds > INT32_MAX)
		return xml_error(el, err, "attribute \"timeout\" is a number "
		    "of seconds");
	n->timeout_ms = seconds * 1000;
	if (!count)
		return 0;
	if (read_count(c, count, "min", &n->min, err) < 0)
		return -1;
	return read_count(c, count, "max", &n->max, err);
}

static int
read_complete(struct med_compile *c, const struct xml_el *el,
    struct aggregate *n, struct err *err)
{
	struct str ref = xml_attr(el, "sequence");
	struct med_list *list;

	if (gather_read(c, el, &n->gather, err) < 0)
		return -1;
	if (ref.n) {
		n->ref = med_sequence_ref(c, el, ref);
		return 0;
	}
	if (!xml_has_child_elements(el))
		return 0;
	if (med_children(c, el, NULL, &list, err) < 0)
		return -1;
	n->list = list;
	return 0;
}

static const char *
property_name(struct med_compile *c, const char *name, struct str id)
{
	return id.p ? arena_printf(med_arena(c), "%s.%.*s", name,
	    STR_FMT(id)).p : name;
}

static int
aggregate_compile(struct med_compile *c, const struct xml_el *el,
    void **node, struct err *err)
{
	struct aggregate *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *on = xml_child(el, "correlateOn");
	const struct xml_el *condition = xml_child(el, "completeCondition");
	const struct xml_el *complete = xml_child(el, "onComplete");
	struct str id = xml_attr(el, "id");

	*node = n;
	n->correlation = property_name(c, "aggregateCorelation", id);
	n->sequence = property_name(c, "messageSequence", id);
	if (on && med_expr(c, on, "expression", &n->correlate, err) < 0)
		return -1;
	if (condition && read_condition(c, condition, n, err) < 0)
		return -1;
	if (complete)
		return read_complete(c, complete, n, err);
	return gather_default(c, el, &n->gather, err);
}

/* ---- which group ------------------------------------------------------- */

/* What the expression says: p NULL leaves it to the property; *out_pass: this
 * message is none to be gathered. */
static int
correlate(const struct aggregate *n, struct message *msg, struct str *out,
    bool *out_pass, struct fault *fault)
{
	struct str text = expr_text(n->correlate);
	struct err err = { 0 };
	struct value v;

	if (expr_value(n->correlate, msg, &v, &err) < 0)
		return med_fault_from(fault, &err);
	if (v.type == VALUE_XML && v.xml.count == 0)
		return fault_set(fault, FAULT_MEDIATOR, "Failed to evaluate "
		    "correlate expression: %.*s", STR_FMT(text));
	*out_pass = v.type == VALUE_BOOL && !v.b;
	*out = value_text(&v, message_arena(msg));
	if (v.type == VALUE_STRING && out->n == 0)
		*out = STR_NULL;
	return 0;
}

static int
find_key(const struct aggregate *n, struct message *msg, struct str *out,
    struct fault *fault)
{
	bool pass = false;

	*out = STR_NULL;
	if (n->correlate && correlate(n, msg, out, &pass, fault) < 0)
		return -1;
	if (pass)
		*out = STR_NULL;
	else if (!out->p)
		*out = message_prop_text(msg, SCOPE_DEFAULT,
		    str_of(n->correlation));
	return 0;
}

static int
count_of(const struct med_value *v, struct message *msg, size_t *out,
    struct fault *fault)
{
	struct str text;
	int64_t n;

	if (!v)
		return 0;
	if (med_value_string(v, msg, &text, fault) < 0)
		return -1;
	if (!text.p || !str_to_i64(str_trim(text), &n))
		return fault_set(fault, FAULT_MEDIATOR, "messageCount: "
		    "\"%.*s\" is no number", STR_FMT(text));
	*out = n > 0 ? (size_t)n : 0;
	return 0;
}

/* "3/7" is the fourth of seven. */
static size_t
total_of(const struct aggregate *n, struct message *msg)
{
	struct str text = message_prop_text(msg, SCOPE_DEFAULT,
	    str_of(n->sequence));
	size_t slash = str_find(text, '/');
	int64_t total;

	if (!text.p || slash == text.n ||
	    !str_to_i64(str_from(text, slash + 1), &total) || total < 0)
		return 0;
	return (size_t)total;
}

static med_due_fn on_timeout;

static struct med_group *
new_group(struct med_run *run, const struct aggregate *n, struct str key,
    struct message *msg, struct fault *fault)
{
	struct gathering want = { .total = total_of(n, msg) }, *g;
	struct med_group *group;

	if (count_of(n->min, msg, &want.min, fault) < 0 ||
	    count_of(n->max, msg, &want.max, fault) < 0)
		return NULL;
	group = med_group_new(run, n, key, msg, n->timeout_ms, on_timeout,
	    sizeof(*g), fault);
	if (!group)
		return NULL;
	g = med_group_state(group);
	*g = want;
	gather_start(&n->gather, &g->all,
	    message_arena(med_group_message(group)));
	return group;
}

/* ---- the end ----------------------------------------------------------- */

static enum med_next
go_on(struct med_run *run, const struct aggregate *n, struct fault *fault)
{
	const struct sequence *s;
	struct str name;

	if (n->list) {
		med_enter(run, n->list);
		return MED_CHILDREN;
	}
	if (!n->ref)
		return MED_STOP;
	s = sequence_resolve(n->ref);
	if (s) {
		med_enter_sequence(run, s);
		return MED_CHILDREN;
	}
	name = sequence_ref_name(n->ref);
	fault_set(fault, FAULT_MEDIATOR, "Unable to find the sequence for the "
	    "mediation of the aggregated message : %.*s", STR_FMT(name));
	return MED_FAULT;
}

static enum med_next
on_timeout(struct med_run *run, const void *node, struct med_group *group,
    struct message *msg, struct fault *fault)
{
	const struct aggregate *n = node;
	struct gathering *g = med_group_state(group);

	if (g->over)
		return MED_STOP;
	med_log(run, LOG_L_WARN, STR("Aggregate mediator timeout occurred."));
	if (gather_finish(&n->gather, &g->all, msg, fault) < 0)
		return MED_FAULT;
	return go_on(run, n, fault);
}

static bool
is_complete(const struct gathering *g)
{
	return (g->total && g->count >= g->total) ||
	    (g->min && g->count >= g->min) || (g->max && g->count >= g->max);
}

/* The messages that are still to come must not begin a group of their own. */
static void
close_group(struct med_group *group, struct gathering *g)
{
	g->over = true;
	if (g->count >= g->total)
		med_group_drop(&group);
}

static enum med_next
complete(struct med_run *run, const struct aggregate *n,
    struct med_group *group, struct message *msg, struct fault *fault)
{
	struct gathering *g = med_group_state(group);
	int result;

	message_copy_props(msg, med_group_message(group));
	result = gather_finish(&n->gather, &g->all, msg, fault);
	close_group(group, g);
	return result < 0 ? MED_FAULT : go_on(run, n, fault);
}

static enum med_next
aggregate_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct aggregate *n = node;
	struct med_group *group;
	struct gathering *g;
	struct str key;
	size_t more;

	if (find_key(n, msg, &key, fault) < 0)
		return MED_FAULT;
	if (!key.p)
		return MED_NEXT;
	group = med_group_find(run, n, key);
	if (!group && !(group = new_group(run, n, key, msg, fault)))
		return MED_FAULT;
	g = med_group_state(group);
	g->count++;
	if (g->over) {
		close_group(group, g);
		return MED_STOP;
	}
	if (gather_add(&n->gather, &g->all, msg, &more, fault) < 0) {
		close_group(group, g);
		return MED_FAULT;
	}
	if (med_group_grown(run, group, more, fault) < 0)
		return MED_FAULT;
	return is_complete(g) ? complete(run, n, group, msg, fault) : MED_STOP;
}

const struct mediator_type mediator_aggregate = {
	.element = "aggregate",
	.origin = "AggregateMediator",
	.body = MED_BODY_WRITE,
	.compile = aggregate_compile,
	.exec = aggregate_exec,
};
