/* SPDX-License-Identifier: Apache-2.0 */
/* <rewrite inProperty outProperty><rewriterule><condition/><action/>: makes a
 * URL, To or a property, from another one by rules. */
#include "mediation/mediator.h"
#include "mediation/mediators/condition.h"
#include "mediation/mediators/uri_fragments.h"
#include "msg/regex.h"

enum { FRAGMENT_MAX = 65536 };	/* bytes of a piece that rules made */

enum action_type {
	ACTION_SET, ACTION_APPEND, ACTION_PREPEND, ACTION_REPLACE,
	ACTION_REMOVE, ACTION_REMOVE_PARAM,
};

struct action {
	struct action *next;
	enum action_type type;
	enum uri_fragment fragment;
	struct str value;		/* p NULL: expr, or nothing */
	struct expr *expr;
	struct regex *regex;		/* what to replace, or the parameter */
	bool resolve;
};

struct rule {
	struct rule *next;
	struct condition *condition;
	struct action *actions;
};

struct rewrite {
	struct str in, out;		/* properties; p NULL: To */
	struct rule *rules;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_type(const struct xml_el *el, struct action *a, struct err *err)
{
	static const char *const names[] = { "set", "append", "prepend",
		"replace", "remove", "remove-query-param" };
	struct str type = xml_attr(el, "type");

	if (!type.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is(type, names[i])) {
			a->type = (enum action_type)i;
			return 0;
		}
	}
	return xml_error(el, err, "Unknown URL rewrite action type: %.*s",
	    STR_FMT(type));
}

static int
read_fragment(const struct xml_el *el, struct action *a, struct err *err)
{
	struct str name = xml_attr(el, "fragment");

	a->fragment = FRAGMENT_FULL;
	if (name.p && !uri_fragment_parse(name, &a->fragment))
		return xml_error(el, err, "Unknown URL fragment name: %.*s",
		    STR_FMT(name));
	if (a->type != ACTION_REMOVE_PARAM || a->fragment == FRAGMENT_QUERY)
		return 0;
	return xml_error(el, err, "Action remove-query-param is only allowed "
	    "for query fragment");
}

/* A parameter's name is a regular expression too, and may be found anywhere. */
static struct regex *
param_regex(struct arena *arena, struct str name, struct err *err)
{
	return regex_compile_search(arena, arena_printf(arena, "%.*s=.*",
	    STR_FMT(name)), err);
}

static int
read_regex(struct med_compile *c, const struct xml_el *el, struct action *a,
    struct err *err)
{
	struct str regex = xml_attr(el, "regex");
	struct err inner = { 0 };

	if (a->type == ACTION_REPLACE) {
		if (!regex.p)
			return xml_error(el, err, "regex attribute is "
			    "required for replace action");
		a->regex = regex_compile_search(med_arena(c), regex, &inner);
	} else if (a->type == ACTION_REMOVE_PARAM && a->value.p) {
		regex = a->value;
		a->regex = param_regex(med_arena(c), regex, &inner);
	} else {
		return 0;
	}
	if (a->regex)
		return 0;
	return xml_error(el, err, "Invalid Regular Expression : %.*s (%s)",
	    STR_FMT(regex), inner.text);
}

static int
read_value(struct med_compile *c, const struct xml_el *el, struct action *a,
    struct err *err)
{
	struct str value = xml_attr(el, "value");
	struct str xpath = xml_attr(el, "xpath");

	if (!xpath.p) {
		a->value = value;
		if (value.p || a->type == ACTION_REMOVE)
			return 0;
		return xml_error(el, err, "value or xpath attribute is "
		    "required on the action element");
	}
	a->expr = med_expr_as(c, el, "xpath", EXPR_XPATH, xpath, err);
	return a->expr ? 0 : -1;
}

static int
read_action(struct med_compile *c, const struct xml_el *el, struct action *a,
    struct err *err)
{
	if (xml_attr_bool(el, "resolve", false, &a->resolve, err) < 0 ||
	    read_type(el, a, err) < 0 || read_fragment(el, a, err) < 0 ||
	    read_value(c, el, a, err) < 0)
		return -1;
	return read_regex(c, el, a, err);
}

static int
read_rule(struct med_compile *c, const struct xml_el *el, struct rule *rule,
    struct err *err)
{
	const struct xml_el *condition = xml_child(el, "condition");
	struct action **last = &rule->actions;

	for (const struct xml_el *child = xml_child(el, "action"); child;
	    child = xml_next(child)) {
		*last = arena_zalloc(med_arena(c), sizeof(**last));
		if (read_action(c, child, *last, err) < 0)
			return -1;
		last = &(*last)->next;
	}
	return condition ? condition_read(c, condition, &rule->condition, err)
	    : 0;
}

static int
rewrite_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct rewrite *r = arena_zalloc(med_arena(c), sizeof(*r));
	struct rule **last = &r->rules;

	*node = r;
	r->in = xml_attr(el, "inProperty");
	r->out = xml_attr(el, "outProperty");
	for (const struct xml_el *child = xml_child(el, "rewriterule"); child;
	    child = xml_next(child)) {
		*last = arena_zalloc(med_arena(c), sizeof(**last));
		if (read_rule(c, child, *last, err) < 0)
			return -1;
		last = &(*last)->next;
	}
	return 0;
}

/* ---- exec -------------------------------------------------------------- */

struct rewriting {
	struct med_run *run;
	struct message *msg;
	struct arena *arena;		/* of the message */
	struct uri_fragments url;
	struct fault *fault;
};

static int
set_port(struct rewriting *w, struct str text)
{
	int64_t port = -1;

	if (text.p && (!str_to_i64(text, &port) || port < INT32_MIN ||
	    port > INT32_MAX))
		return fault_set(w->fault, FAULT_MEDIATOR, "The port of a "
		    "URL must be a number, not \"%.*s\"", STR_FMT(text));
	w->url.port = (int32_t)port;
	return 0;
}

static int
set_full(struct rewriting *w, struct str text)
{
	struct err err = { 0 };

	if (uri_fragments_split(text.p ? text : STR(""), w->arena, &w->url,
	    &err) == 0)
		return 0;
	return fault_set(w->fault, FAULT_MEDIATOR, "Error while constructing "
	    "a URI from the fragments: %s: %.*s", err.text, STR_FMT(text));
}

/* Parameters of a query are joined by &, all else as it is. */
static struct str
joined(struct rewriting *w, const struct action *a, struct str front,
    struct str back)
{
	bool query = a->fragment == FRAGMENT_QUERY;
	struct buf *b = med_scratch(w->run);
	struct str now = a->type == ACTION_APPEND ? front : back;

	buf_add_str(b, front);
	if (query && now.n)
		buf_putc(b, '&');
	buf_add_str(b, back);
	return arena_str(w->arena, buf_str(b));
}

static int
replaced(struct rewriting *w, const struct action *a, struct str now,
    struct str with, struct str *out)
{
	struct buf *b = med_scratch(w->run);
	struct err err = { 0 };

	if (regex_replace_all(a->regex, now, with, FRAGMENT_MAX, b, &err) < 0)
		return med_fault_from(w->fault, &err);
	*out = arena_str(w->arena, buf_str(b));
	return 0;
}

/* Takes the first parameter out that the regex finds. Empty ones at the end
 * go as well, as Java's split() has it. */
static int
without_param(struct rewriting *w, const struct regex *regex, struct str query,
    struct str *out)
{
	struct buf *b = med_scratch(w->run);
	struct str rest = query, part;
	struct err err = { 0 };
	bool gone = false, first = true;
	size_t start, end;

	while (rest.n && rest.p[rest.n - 1] == '&')
		rest.n--;
	while (str_next(&rest, '&', &part)) {
		int rc = gone ? 0 : regex_search(regex, part, 0, &start, &end,
		    &err);

		if (rc < 0)
			return med_fault_from(w->fault, &err);
		gone = gone || rc;
		if (rc)
			continue;
		if (!first)
			buf_putc(b, '&');
		buf_add_str(b, part);
		first = false;
	}
	*out = arena_str(w->arena, buf_str(b));
	return 0;
}

static int
remove_param(struct rewriting *w, const struct action *a, struct str query,
    struct str name, struct str *out)
{
	const struct regex *regex = a->regex;
	struct err err = { 0 };

	*out = STR("");
	if (!query.n)
		return 0;
	if (!regex)
		regex = param_regex(w->arena, name, &err);
	if (!regex)
		return med_fault_from(w->fault, &err);
	return without_param(w, regex, query, out);
}

/* Puts the properties named {so} in; one that is not there makes it all
 * empty. */
static struct str
resolved(struct rewriting *w, struct str text)
{
	struct buf *b = med_scratch(w->run);
	size_t open, close;

	while ((open = str_find(text, '{')) < text.n &&
	    (close = str_find(str_from(text, open), '}') + open) < text.n) {
		struct str name = str_head(str_from(text, open + 1),
		    close - open - 1);
		struct str value = message_prop_text(w->msg, SCOPE_DEFAULT,
		    name);

		if (!value.n) {
			med_log(w->run, LOG_L_ERROR, arena_printf(w->arena,
			    "Path parameter '%.*s' was not found in the "
			    "provided URL postfix", STR_FMT(name)));
			return STR("");
		}
		buf_add_str(b, str_head(text, open));
		buf_add_str(b, value);
		text = str_from(text, close + 1);
	}
	buf_add_str(b, text);
	return arena_str(w->arena, buf_str(b));
}

static int
set_text(struct rewriting *w, const struct action *a, struct str text)
{
	struct str now = w->url.text[a->fragment], *to = &w->url.text[
	    a->fragment];
	int rc = 0;

	*to = STR("");
	switch (a->type) {
	case ACTION_SET:
		*to = text;
		break;
	case ACTION_APPEND:
		if (text.p)
			*to = joined(w, a, now, text);
		break;
	case ACTION_PREPEND:
		if (text.p)
			*to = joined(w, a, text, now);
		break;
	case ACTION_REPLACE:
		if (text.p)
			rc = replaced(w, a, now, text, to);
		break;
	case ACTION_REMOVE:
		*to = STR_NULL;
		break;
	case ACTION_REMOVE_PARAM:
		rc = remove_param(w, a, now, text, to);
		break;
	}
	if (rc == 0 && a->resolve && to->p)
		*to = resolved(w, *to);
	if (rc < 0 || to->n <= FRAGMENT_MAX)
		return rc;
	return fault_set(w->fault, FAULT_MEDIATOR, "The URL that rewrite made "
	    "is too long");
}

static int
act(struct rewriting *w, const struct action *a)
{
	struct str text = a->value;

	if (a->expr && med_expr_string(a->expr, w->msg, &text, w->fault) < 0)
		return -1;
	if (a->fragment == FRAGMENT_FULL)
		return set_full(w, text);
	if (a->fragment == FRAGMENT_PORT)
		return set_port(w, text);
	return set_text(w, a, text);
}

static int
join(struct rewriting *w, struct str *out)
{
	struct err err = { 0 };

	if (uri_fragments_join(&w->url, w->arena, out, &err) == 0)
		return 0;
	return fault_set(w->fault, FAULT_MEDIATOR, "Error while constructing "
	    "a URI from the fragments: %s: %.*s", err.text, STR_FMT(*out));
}

/* What cannot be told does not hold. */
static int
holds(struct rewriting *w, const struct rule *rule, bool *out)
{
	struct str url;
	struct err err = { 0 };

	*out = true;
	if (!rule->condition)
		return 0;
	if (join(w, &url) < 0)
		return -1;
	if (condition_test(rule->condition, w->msg, url, out, &err,
	    w->fault) == 0)
		return 0;
	if (err.kind == ERR_NONE)
		return -1;
	med_log(w->run, LOG_L_WARN, arena_printf(w->arena, "Error while "
	    "evaluating the condition - Skipping the rule as it failed: %s",
	    err.text));
	return 0;
}

static int
apply(struct rewriting *w, const struct rule *rule)
{
	bool yes;

	if (holds(w, rule, &yes) < 0)
		return -1;
	for (const struct action *a = rule->actions; yes && a; a = a->next)
		if (act(w, a) < 0)
			return -1;
	return 0;
}

/* A property counts only when it is a string. */
static int
read_url(struct rewriting *w, const struct rewrite *r)
{
	struct str text = STR_NULL;
	struct value value;
	struct err err = { 0 };

	if (!r->in.p)
		text = message_addressing(w->msg, STR("To"));
	else if (message_prop(w->msg, SCOPE_DEFAULT, r->in, &value) &&
	    value.type == VALUE_STRING)
		text = value.s;
	if (uri_fragments_split(text.p ? text : STR(""), w->arena, &w->url,
	    &err) == 0)
		return 0;
	return fault_set(w->fault, FAULT_MEDIATOR, "Malformed input URI: %.*s "
	    "(%s)", STR_FMT(text), err.text);
}

static enum med_next
rewrite_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct rewrite *r = node;
	struct rewriting w = { .run = run, .msg = msg,
		.arena = message_arena(msg), .fault = fault };
	struct str url;

	if (read_url(&w, r) < 0)
		return MED_FAULT;
	for (const struct rule *rule = r->rules; rule; rule = rule->next)
		if (apply(&w, rule) < 0)
			return MED_FAULT;
	if (join(&w, &url) < 0)
		return MED_FAULT;
	if (r->out.p)
		message_set_prop(msg, SCOPE_DEFAULT, r->out,
		    VALUE_OF_STR(url));
	else
		message_set_addressing(msg, STR("To"), url);
	return MED_NEXT;
}

const struct mediator_type mediator_rewrite = {
	.element = "rewrite",
	.origin = "URLRewriteMediator",
	.compile = rewrite_compile,
	.exec = rewrite_exec,
};
