/* SPDX-License-Identifier: Apache-2.0 */
/* <enrich><source/><target/></enrich>: a part of the message, or something
 * else, is put somewhere in it. */
#include "mediation/mediators/enrich.h"

#include "mediation/mediators/enrich_inline.h"
#include "mediation/mediators/enrich_json.h"
#include "mediation/mediators/enrich_xml.h"

/* ---- compile ----------------------------------------------------------- */

static int
wrong(const struct xml_el *el, struct err *err)
{
	return xml_error(el, err, "Wrong combination of source and target "
	    "type, or of these and the action");
}

static int
read_type(const struct xml_el *el, const char *role, enum enrich_type *out,
    struct err *err)
{
	static const char *const words[] = {
		[ENRICH_CUSTOM] = "custom", [ENRICH_ENVELOPE] = "envelope",
		[ENRICH_BODY] = "body", [ENRICH_PROPERTY] = "property",
		[ENRICH_INLINE] = "inline", [ENRICH_KEY] = "key",
	};
	struct str type = xml_attr(el, "type");

	*out = ENRICH_CUSTOM;
	if (!type.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_iis(type, words[i])) {
			*out = (enum enrich_type)i;
			return 0;
		}
	}
	return xml_error(el, err, "Unexpected %s type : %.*s", role,
	    STR_FMT(type));
}

/* The part between json-eval( and ), p NULL when it is another language. */
static struct str
json_part(struct str text)
{
	if (!str_starts(text, "json-eval(") || !str_ends(text, ")"))
		return STR_NULL;
	return str_head(str_from(text, 10), text.n - 11);
}

static struct jsonpath *
read_path(struct med_compile *c, const struct xml_el *el, struct str text,
    struct err *err)
{
	struct jsonpath *p = jsonpath_compile(med_arena(c), str_trim(text),
	    err);

	if (!p) {
		struct err inner = *err;

		xml_error(el, err, "Invalid JSONPath expression for attribute "
		    "'xpath' : %.*s (%s)", STR_FMT(text), inner.text);
	}
	return p;
}

/* Splits at commas outside of brackets and quotes. */
static bool
next_path(struct str *rest, struct str *out)
{
	int depth = 0;
	char quote = 0;
	size_t n;

	if (!rest->n)
		return false;
	for (n = 0; n < rest->n; n++) {
		char c = rest->p[n];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '\'' || c == '"')
			quote = c;
		else if (c == '[' || c == '(')
			depth++;
		else if (c == ']' || c == ')')
			depth--;
		else if (c == ',' && depth == 0)
			break;
	}
	*out = str_head(*rest, n);
	*rest = str_from(*rest, n + 1);
	return true;
}

static int
read_from_paths(struct med_compile *c, const struct xml_el *el,
    struct enrich *n, struct str text, struct err *err)
{
	struct jsonpath **all = arena_alloc(med_arena(c),
	    (text.n + 1) * sizeof(*all));
	struct str part;

	n->from_path = all;
	if (n->action != ENRICH_REMOVE) {
		all[n->from_paths++] = read_path(c, el, text, err);
		return all[0] ? 0 : -1;
	}
	while (next_path(&text, &part)) {
		all[n->from_paths] = read_path(c, el, part, err);
		if (!all[n->from_paths++])
			return -1;
	}
	return 0;
}

static int
read_custom(struct med_compile *c, const struct xml_el *el, const char *role,
    struct expr **expr, struct str *json, struct err *err)
{
	struct str xpath = xml_attr(el, "xpath");

	if (str_blank(xpath))
		return xml_error(el, err, "xpath attribute is required for "
		    "CUSTOM type (%s)", role);
	*json = json_part(xpath);
	/* A list of paths is no expression of its own. */
	if (json->p && str_starts(*json, "$ctx:"))
		*json = STR_NULL;
	if (json->p)
		return 0;
	return med_expr(c, el, "xpath", expr, err);
}

static int
read_inline(struct med_compile *c, const struct xml_el *el, struct enrich *n,
    struct err *err)
{
	struct str text;

	n->key = xml_attr(el, "key");
	if (n->key.p)
		return 0;
	n->markup = xml_inner_markup(el, med_arena(c));
	if (n->markup.p)
		return 0;
	text = str_trim(xml_text(el));
	if (!text.n)
		return xml_error(el, err, "Source type INLINE needs either "
		    "content or the attribute \"key\"");
	return enrich_read_pieces(c, el, n, text, err);
}

static int
read_source(struct med_compile *c, const struct xml_el *el, struct enrich *n,
    struct err *err)
{
	struct str json = STR_NULL;

	if (read_type(el, "source", &n->from, err) < 0 ||
	    xml_attr_bool(el, "clone", true, &n->clone, err) < 0)
		return -1;
	n->from_property = xml_attr(el, "property");
	if (n->from == ENRICH_CUSTOM) {
		if (read_custom(c, el, "source", &n->from_expr, &json,
		    err) < 0)
			return -1;
		return json.p ? read_from_paths(c, el, n, json, err) : 0;
	}
	if (n->from == ENRICH_PROPERTY && !n->from_property.n)
		return xml_error(el, err, "property attribute is required for "
		    "PROPERTY type (source)");
	if (n->from == ENRICH_KEY)
		return xml_error(el, err, "Unexpected source type : key");
	return n->from == ENRICH_INLINE ? read_inline(c, el, n, err) : 0;
}

static int
read_action(const struct xml_el *el, struct enrich *n, struct err *err)
{
	static const char *const words[] = {
		[ENRICH_REPLACE] = "replace", [ENRICH_CHILD] = "child",
		[ENRICH_SIBLING] = "sibling", [ENRICH_REMOVE] = "remove",
	};
	struct str action = xml_attr(el, "action");

	if (!action.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (str_iis(action, words[i])) {
			n->action = (enum enrich_action)i;
			return 0;
		}
	}
	return xml_error(el, err, "Unexpected action type : %.*s (replace, "
	    "child, sibling or remove)", STR_FMT(action));
}

static int
read_target(struct med_compile *c, const struct xml_el *el, struct enrich *n,
    struct err *err)
{
	struct str json = STR_NULL;

	if (read_type(el, "target", &n->to, err) < 0)
		return -1;
	n->to_property = xml_attr(el, "property");
	if (n->to == ENRICH_INLINE)
		return xml_error(el, err, "Inline not support for target "
		    "attribute");
	if (n->to == ENRICH_PROPERTY && !n->to_property.n)
		return xml_error(el, err, "property attribute is required for "
		    "PROPERTY type (target)");
	if (n->to != ENRICH_CUSTOM && n->to != ENRICH_KEY)
		return 0;
	if (read_custom(c, el, "target", &n->to_expr, &json, err) < 0)
		return -1;
	if (!json.p)
		return 0;
	n->to_path = read_path(c, el, json, err);
	if (!n->to_path)
		return -1;
	if (n->action == ENRICH_REPLACE && jsonpath_is_root(n->to_path))
		return xml_error(el, err, "Acting replace is not supported "
		    "for root path in type custom");
	return 0;
}

static int
check(const struct xml_el *el, const struct enrich *n, struct err *err)
{
	if (n->from == ENRICH_ENVELOPE && (n->to == ENRICH_CUSTOM ||
	    n->to == ENRICH_ENVELOPE || n->to == ENRICH_BODY))
		return wrong(el, err);
	if (n->from == ENRICH_BODY && (n->to == ENRICH_ENVELOPE ||
	    n->to == ENRICH_BODY))
		return wrong(el, err);
	if (n->from == ENRICH_CUSTOM && n->to == ENRICH_ENVELOPE)
		return wrong(el, err);
	if (n->action == ENRICH_REMOVE && (n->from != ENRICH_CUSTOM ||
	    n->to == ENRICH_CUSTOM || n->to == ENRICH_ENVELOPE))
		return wrong(el, err);
	if (n->to == ENRICH_KEY && (n->action != ENRICH_REPLACE ||
	    n->from == ENRICH_BODY))
		return wrong(el, err);
	return 0;
}

static int
enrich_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct enrich *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *source = xml_child(el, "source");
	const struct xml_el *target = xml_child(el, "target");

	*node = n;
	if (!source)
		return xml_error(el, err, "source element is mandatory");
	if (!target)
		return xml_error(el, err, "target element is mandatory");
	if (read_action(target, n, err) < 0 ||
	    read_source(c, source, n, err) < 0 ||
	    read_target(c, target, n, err) < 0 || check(el, n, err) < 0)
		return -1;
	n->may_be_json = n->from != ENRICH_ENVELOPE &&
	    n->to != ENRICH_ENVELOPE && !n->from_expr && !n->to_expr &&
	    !n->markup.p;
	return 0;
}

/* ---- exec -------------------------------------------------------------- */

static bool
starts_like_xml(struct str text)
{
	text = str_trim(text);
	return text.n && text.p[0] == '<';
}

static bool
is_json(const struct enrich *n, struct message *msg)
{
	const struct msg_context *c = message_context(msg);
	struct value v;
	struct str text;

	if (!n->may_be_json || (message_kind(msg) != CONTENT_JSON &&
	    !(n->from_paths || n->to_path)))
		return false;
	if (n->from == ENRICH_PROPERTY && message_prop(msg, SCOPE_DEFAULT,
	    n->from_property, &v))
		return v.type != VALUE_XML && (v.type != VALUE_STRING ||
		    !starts_like_xml(v.s));
	if (n->key.p && c->entry && c->entry(c->entry_ctx, n->key,
	    message_arena(msg), &text))
		return !starts_like_xml(text);
	return true;
}

static enum med_next
enrich_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	return is_json(node, msg) ? enrich_json(run, node, msg, fault)
	    : enrich_xml(run, node, msg, fault);
}

const struct mediator_type mediator_enrich = {
	.element = "enrich",
	.origin = "EnrichMediator",
	.body = MED_BODY_WRITE,
	.compile = enrich_compile,
	.exec = enrich_exec,
};
