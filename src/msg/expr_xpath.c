/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/expr_xpath.h"

#include <math.h>
#include <string.h>
#include "base/must.h"
#include "msg/json.h"
#include "msg/xml.h"

enum { PREFIX_MAX = 32 };

static void
add_ns(struct xp *x, struct arena *arena, struct str prefix, struct str uri)
{
	xmlNs *ns = &x->ns[x->ns_count];

	*ns = (xmlNs){
		.type = XML_NAMESPACE_DECL,
		.prefix = UNCONST(arena_str(arena, prefix).p),
		.href = UNCONST(arena_str(arena, uri).p),
	};
	x->ns_list[x->ns_count++] = ns;
}

static bool
is_declared(const struct expr_scope *scope, struct str prefix)
{
	for (size_t i = 0; i < scope->count; i++)
		if (str_eq(scope->ns[i].prefix, prefix))
			return true;
	return str_is(prefix, "xml");
}

/* Variables and functions need no declared prefix; libxml2 wants one. */
static void
collect_namespaces(struct xp *x, struct arena *arena,
    const struct expr_scope *scope)
{
	struct str made_up[PREFIX_MAX];
	size_t n = xp_scan_prefixes(x->source, made_up, PREFIX_MAX);

	x->ns = arena_zalloc(arena, (scope->count + n + 1) * sizeof(*x->ns));
	x->ns_list = arena_zalloc(arena,
	    (scope->count + n + 1) * sizeof(xmlNs *));
	for (size_t i = 0; i < scope->count; i++)
		if (scope->ns[i].prefix.n > 0)
			add_ns(x, arena, scope->ns[i].prefix,
			    scope->ns[i].uri);
	for (size_t i = 0; i < n; i++)
		if (!is_declared(scope, made_up[i]))
			add_ns(x, arena, made_up[i], arena_printf(arena,
			    XP_PREFIX_URI "%.*s", STR_FMT(made_up[i])));
}

static bool
is_simple(struct xp *x, const struct expr_scope *scope)
{
	if (xp_scan_simple(x->source, x) &&
	    !(x->kind == XP_VARIABLE && is_declared(scope, x->arg[0])))
		return true;
	x->kind = XP_ENGINE;
	return false;
}

static int
xpath_compile(struct expr *e, struct arena *arena,
    const struct expr_scope *scope, struct err *err)
{
	struct xp *x = arena_zalloc(arena, sizeof(*x));
	struct src_pos at = { 0 };
	size_t place = 0;
	const char *refused;

	x->source = e->source;
	e->compiled = x;
	if (xp_scan_too_much(x->source, &place)) {
		at.column = (int)place + 1;
		return err_at(err, at, "XPath: too long or nested too deeply");
	}
	refused = xp_scan_refused(x->source, &place);
	if (refused) {
		at.column = (int)place + 1;
		(void)err_at(err, at, "%s", refused);
		if (err)
			err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	x->reads_body = e->reads_body = xp_scan_reads_body(x->source);
	if (is_simple(x, scope))
		return 0;
	x->node_test = str_search(x->source, STR("node()")) < x->source.n;
	x->node_test_last = str_ends(x->source, "node()");
	collect_namespaces(x, arena, scope);
	return xp_engine_compile(x, arena, err);
}

static int
undefined_variable(const struct xp *x, struct err *err)
{
	return err_set(err, ERR_VALUE, "Evaluation of the XPath expression "
	    "%.*s resulted in an error: there is no such variable",
	    STR_FMT(x->source));
}

/* Forms without the engine. */
static int
simple_value(const struct xp *x, struct message *m, struct value *out,
    struct err *err)
{
	switch (x->kind) {
	case XP_PROPERTY:
		return expr_get_property(m, x->arg, x->arg_count, out, err);
	case XP_VARIABLE:
		if (expr_variable(m, x->arg[0], x->arg[1], out) == 0)
			return 0;
		return undefined_variable(x, err);
	case XP_STRING:
		*out = VALUE_OF_STR(x->arg[0]);
		return 0;
	case XP_TRUE:
	case XP_FALSE:
		*out = VALUE_OF_BOOL(x->kind == XP_TRUE);
		return 0;
	case XP_ENGINE:
		break;
	}
	unreachable();
}

/* Nodes stay where they are; those of namespaces belong to the result and are
 * no nodes to Synapse. */
static struct value
nodes_value(const xmlNodeSet *set, struct arena *arena)
{
	struct value v = { .type = VALUE_XML };
	int n = set ? set->nodeNr : 0;

	v.xml.node = arena_alloc(arena, (size_t)(n ? n : 1) *
	    sizeof(xmlNode *));
	for (int i = 0; i < n; i++)
		if (set->nodeTab[i]->type != XML_NAMESPACE_DECL)
			v.xml.node[v.xml.count++] = set->nodeTab[i];
	return v;
}

static struct value
object_value(const xmlXPathObject *o, struct arena *arena)
{
	struct value v = VALUE_OF_STR(STR(""));

	if (o->type == XPATH_NODESET || o->type == XPATH_XSLT_TREE)
		return nodes_value(o->nodesetval, arena);
	if (o->type == XPATH_BOOLEAN)
		return VALUE_OF_BOOL(o->boolval != 0);
	if (o->type == XPATH_NUMBER) {
		v.type = VALUE_DOUBLE;
		v.d = o->floatval;
	} else if (o->type == XPATH_STRING) {
		v.s = arena_str(arena, str_of((const char *)o->stringval));
	}
	return v;
}

static int
xpath_value(const struct expr *e, struct message *m, struct value *out,
    struct err *err)
{
	const struct xp *x = e->compiled;
	xmlXPathObject *o;

	if (x->kind != XP_ENGINE)
		return simple_value(x, m, out, err);
	o = xp_engine_run(x, m, err);
	if (!o)
		return -1;
	*out = object_value(o, message_arena(m));
	xmlXPathFreeObject(o);
	return 0;
}

/* With node() in the expression, one text stands for its element and one
 * element for its markup. */
static struct str
single_node_text(const struct xp *x, xmlNode *node, struct arena *arena)
{
	struct value v = { .type = VALUE_XML };

	if (node->type == XML_DOCUMENT_NODE)
		return xml_markup(xmlDocGetRootElement((xmlDoc *)node), arena);
	if (x->node_test_last && node->type == XML_TEXT_NODE && node->parent)
		node = node->parent;
	if (x->node_test && node->type == XML_ELEMENT_NODE)
		return xml_markup(node, arena);
	v.xml.node = &node;
	v.xml.count = 1;
	return value_text(&v, arena);
}

/* A property taken as it is prints JSON strings and own kinds like any other
 * value; p == NULL when it is not set. */
static struct str
text_of(const struct xp *x, const struct value *v, struct arena *arena)
{
	if (v->type == VALUE_XML && v->xml.count == 1)
		return single_node_text(x, v->xml.node[0], arena);
	if (v->type == VALUE_XML && v->xml.count == 0)
		return STR("");
	return value_text(v, arena);
}

static int
xpath_string(const struct expr *e, struct message *m, struct str *out,
    struct err *err)
{
	struct value v;

	if (xpath_value(e, m, &v, err) == -1)
		return -1;
	*out = text_of(e->compiled, &v, message_arena(m));
	return 0;
}

/* XPath's boolean(): a text is true when it has characters, "false" too. */
static bool
truth_of(const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		return false;
	case VALUE_STRING:
		return v->s.n > 0;
	case VALUE_BOOL:
		return v->b;
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
		return v->i != 0;
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		return v->d != 0 && !isnan(v->d);
	case VALUE_XML:
		return v->xml.count > 0;
	case VALUE_JSON:
	case VALUE_OBJECT:
		return true;
	}
	unreachable();
}

static int
xpath_truth(const struct expr *e, struct message *m, bool *out,
    struct err *err)
{
	struct value v;

	if (xpath_value(e, m, &v, err) == -1)
		return -1;
	*out = truth_of(&v);
	return 0;
}

const struct expr_ops expr_xpath_ops = {
	.compile = xpath_compile,
	.value = xpath_value,
	.string = xpath_string,
	.truth = xpath_truth,
};
