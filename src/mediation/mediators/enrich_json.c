/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/enrich_json.h"

#include "mediation/mediators/enrich_inline.h"
#include "msg/json.h"

static bool
is_box(const struct cJSON *json)
{
	return json_type_of(json) == JSON_OBJECT ||
	    json_type_of(json) == JSON_ARRAY;
}

/* JSON where the text is some, else a string. */
static struct cJSON *
lenient(struct str text, struct arena *a)
{
	struct err err;
	struct cJSON *json = json_parse(a, text, 0, &err);

	return json ? json : json_new_string(a, text);
}

/* A string stands without quotes, as a property has it. */
static struct str
as_text(const struct cJSON *json, struct arena *a)
{
	return json_type_of(json) == JSON_STRING ? json_string(json, a)
	    : json_text(json, a);
}

static int
get_root(struct message *msg, struct cJSON **out, struct fault *fault)
{
	struct err err = { 0 };

	if (message_json(msg, out, &err) < 0)
		return med_fault_body(fault, &err);
	if (!*out)
		*out = json_new_object(message_arena(msg));
	return 0;
}

static void
put_root(struct message *msg, struct cJSON *old, struct cJSON *now)
{
	if (old == now)
		message_json_changed(msg);
	else
		message_set_json(msg, now);
}

/* Turns ABSENT and FAILED into a fault. */
static int
settle(enum jsonpath_result result, const struct err *err,
    struct fault *fault)
{
	if (result == JSONPATH_FOUND)
		return 0;
	return fault_set(fault, FAULT_MEDIATOR, "%s", err->text);
}

static void
complain(struct med_run *run, const char *text)
{
	med_log(run, LOG_L_ERROR, str_of(text));
}

/* ---- source ------------------------------------------------------------ */

static int
from_custom(const struct enrich *n, struct message *msg, struct cJSON **out,
    struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct cJSON *root, *now;
	struct err err = { 0 };

	if (get_root(msg, &root, fault) < 0 || settle(jsonpath_read(
	    n->from_path[0], root, a, out, &err), &err, fault) < 0)
		return -1;
	*out = json_copy(a, *out);
	if (n->clone)
		return 0;
	now = root;
	if (settle(jsonpath_delete(n->from_path[0], &now, a, &err), &err,
	    fault) < 0)
		return -1;
	put_root(msg, root, now);
	return 0;
}

static int
from_property(const struct enrich *n, struct message *msg,
    struct cJSON **out)
{
	struct arena *a = message_arena(msg);
	struct value v;

	if (!message_prop(msg, SCOPE_DEFAULT, n->from_property, &v))
		*out = NULL;
	else if (v.type == VALUE_JSON)
		*out = json_copy(a, v.json);
	else
		*out = lenient(value_text(&v, a), a);
	return 0;
}

/* NULL: there is nothing to put anywhere. */
static int
get_source(const struct enrich *n, struct message *msg, struct cJSON **out,
    struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct str text;

	switch (n->from) {
	case ENRICH_CUSTOM:
		return from_custom(n, msg, out, fault);
	case ENRICH_BODY:
		if (get_root(msg, out, fault) < 0)
			return -1;
		*out = json_copy(a, *out);
		return 0;
	case ENRICH_PROPERTY:
		return from_property(n, msg, out);
	case ENRICH_INLINE:
		if (enrich_inline_text(n, msg, &text, fault) < 0)
			return -1;
		*out = lenient(text, a);
		return 0;
	case ENRICH_ENVELOPE:
	case ENRICH_KEY:
		break;
	}
	*out = NULL;
	return 0;
}

/* ---- target ------------------------------------------------------------ */

static void
merge(struct cJSON *into, struct cJSON *from, struct arena *a)
{
	struct cJSON *next;

	for (struct cJSON *m = json_first(from); m; m = next) {
		struct str key = json_key(m, a);

		next = json_next(m);
		json_detach(from, m);
		json_set(a, into, key, m);
	}
}

static void
add_child(struct med_run *run, struct cJSON *at, struct cJSON *source,
    struct arena *a)
{
	if (json_type_of(at) == JSON_ARRAY)
		json_append(at, source);
	else if (json_type_of(at) == JSON_OBJECT &&
	    json_type_of(source) == JSON_OBJECT)
		merge(at, source, a);
	else
		complain(run, "a child can be added to an array, or the "
		    "members of an object to an object");
}

static int
custom_child(struct med_run *run, const struct enrich *n,
    struct cJSON *root, struct message *msg, struct cJSON *source,
    struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct jsonpath_hits hits;
	struct err err = { 0 };

	if (settle(jsonpath_select(n->to_path, root, a, &hits, &err), &err,
	    fault) < 0)
		return -1;
	for (size_t i = 0; i < hits.count; i++)
		add_child(run, hits.hit[i].node, i ? json_copy(a, source)
		    : source, a);
	message_json_changed(msg);
	return 0;
}

static int
to_custom(struct med_run *run, const struct enrich *n, struct message *msg,
    struct cJSON *source, struct fault *fault)
{
	struct cJSON *root, *now;
	struct err err = { 0 };

	if (get_root(msg, &root, fault) < 0)
		return -1;
	if (n->action == ENRICH_CHILD)
		return custom_child(run, n, root, msg, source, fault);
	if (n->action == ENRICH_SIBLING) {
		complain(run, "action sibling is not supported for JSON");
		return 0;
	}
	now = root;
	if (settle(jsonpath_set(n->to_path, &now, source, message_arena(msg),
	    &err), &err, fault) < 0)
		return -1;
	put_root(msg, root, now);
	return 0;
}

static int
remove_paths(const struct enrich *n, struct cJSON **root, struct arena *a,
    struct fault *fault)
{
	struct err err = { 0 };

	for (size_t i = 0; i < n->from_paths; i++)
		if (settle(jsonpath_delete(n->from_path[i], root, a, &err),
		    &err, fault) < 0)
			return -1;
	return 0;
}

static int
to_body(struct med_run *run, const struct enrich *n, struct message *msg,
    struct cJSON *source)
{
	if (n->action != ENRICH_REPLACE)
		complain(run, "only the action replace is supported for a "
		    "body of JSON");
	else if (!is_box(source))
		complain(run, "only an object or an array can become the "
		    "body");
	else
		message_set_json(msg, source);
	return 0;
}

static int
to_property(struct med_run *run, const struct enrich *n, struct message *msg,
    struct cJSON *source)
{
	struct arena *a = message_arena(msg);
	struct str text = message_prop_text(msg, SCOPE_DEFAULT,
	    n->to_property);
	struct cJSON *old;

	if (n->action == ENRICH_CHILD) {
		old = text.p ? lenient(text, a) : NULL;
		if (!old || json_type_of(old) != JSON_ARRAY) {
			complain(run, "the property holds no JSON array to "
			    "add a child to");
			return 0;
		}
		json_append(old, source);
		source = old;
	} else if (n->action == ENRICH_SIBLING) {
		complain(run, "action sibling is not supported for JSON");
		return 0;
	}
	message_set_prop(msg, SCOPE_DEFAULT, n->to_property,
	    VALUE_OF_STR(as_text(source, a)));
	return 0;
}

static int
to_key(const struct enrich *n, struct message *msg, struct cJSON *source,
    struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct cJSON *root;
	struct err err = { 0 };

	if (get_root(msg, &root, fault) < 0 || settle(jsonpath_rename(
	    n->to_path, root, as_text(source, a), a, &err), &err, fault) < 0)
		return -1;
	message_json_changed(msg);
	return 0;
}

/* ---- remove ------------------------------------------------------------ */

static int
remove_from_body(const struct enrich *n, struct message *msg,
    struct fault *fault)
{
	struct cJSON *root, *now;

	if (get_root(msg, &root, fault) < 0)
		return -1;
	now = root;
	if (remove_paths(n, &now, message_arena(msg), fault) < 0)
		return -1;
	put_root(msg, root, now);
	return 0;
}

static int
remove_from_property(const struct enrich *n, struct message *msg,
    struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct str text = message_prop_text(msg, SCOPE_DEFAULT,
	    n->to_property);
	struct cJSON *root;

	if (!text.p)
		return 0;
	root = lenient(text, a);
	if (remove_paths(n, &root, a, fault) < 0)
		return -1;
	message_set_prop(msg, SCOPE_DEFAULT, n->to_property,
	    VALUE_OF_STR(as_text(root, a)));
	return 0;
}

static int
apply(struct med_run *run, const struct enrich *n, struct message *msg,
    struct fault *fault)
{
	struct cJSON *source;

	if (n->action == ENRICH_REMOVE)
		return n->to == ENRICH_PROPERTY
		    ? remove_from_property(n, msg, fault)
		    : remove_from_body(n, msg, fault);
	if (get_source(n, msg, &source, fault) < 0)
		return -1;
	if (!source) {
		complain(run, "the source is empty; nothing is done");
		return 0;
	}
	switch (n->to) {
	case ENRICH_CUSTOM:
		return to_custom(run, n, msg, source, fault);
	case ENRICH_BODY:
		return to_body(run, n, msg, source);
	case ENRICH_PROPERTY:
		return to_property(run, n, msg, source);
	case ENRICH_KEY:
		return to_key(n, msg, source, fault);
	case ENRICH_ENVELOPE:
	case ENRICH_INLINE:
		break;
	}
	return 0;
}

enum med_next
enrich_json(struct med_run *run, const struct enrich *n, struct message *msg,
    struct fault *fault)
{
	return apply(run, n, msg, fault) < 0 ? MED_FAULT : MED_NEXT;
}
