/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/split.h"

#include <libxml/tree.h>

#include "base/must.h"
#include "msg/expr.h"
#include "msg/message.h"
#include "msg/xml.h"

static xmlNode *
new_root(struct arena *a, const char *name)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root;

	must(doc);
	xml_keep_doc(a, doc);
	root = xmlNewDocNode(doc, NULL, (const xmlChar *)name, NULL);
	must(root);
	xmlDocSetRootElement(doc, root);
	return root;
}

struct _xmlNode *
split_new_root(struct arena *a, struct str name)
{
	struct str z = arena_str(a, name);

	if (!z.n || xmlValidateNCName((const xmlChar *)z.p, 0) != 0)
		return NULL;
	return new_root(a, z.p);
}

static xmlNode *
copy_of(const xmlNode *n, xmlDoc *doc)
{
	xmlNode *copy = xmlDocCopyNode(UNCONST(n), doc, 1);

	must(copy);
	return copy;
}

/* The next node in document order, below root. */
static const xmlNode *
step(const xmlNode *n, const xmlNode *root)
{
	if (n->children && n->type == XML_ELEMENT_NODE)
		return n->children;
	while (n != root && !n->next)
		n = n->parent;
	return n == root ? NULL : n->next;
}

static size_t
weight(const xmlNode *root)
{
	size_t n = 0;

	for (const xmlNode *at = root; at; at = step(at, root)) {
		n += sizeof(*at);
		if (at->type == XML_TEXT_NODE && at->content)
			n += strlen((const char *)at->content);
	}
	return n;
}

size_t
split_weight(const struct _xmlDoc *doc)
{
	return doc->children ? weight(doc->children) : 0;
}

size_t
split_collect(struct _xmlNode *root, const struct _xmlNode *n)
{
	xmlNode *copy = copy_of(n, root->doc);

	xmlAddChild(root, copy);
	return weight(copy);
}

int
split_collect_markup(struct _xmlNode *root, struct str markup,
    struct err *err)
{
	xmlDoc *doc = xml_parse(NULL, markup, 0, err);

	if (!doc)
		return -1;
	(void)split_collect(root, xmlDocGetRootElement(doc));
	xml_doc_free(&doc);
	return 0;
}

struct _xmlNode *
split_next(const struct _xmlNode *root, const struct _xmlNode *after)
{
	xmlNode *n = after ? after->next : root->children;

	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

struct str
split_name(const struct _xmlNode *n)
{
	return str_of((const char *)n->name);
}

static bool
is_inner_element(const xmlNode *n)
{
	return n->type == XML_ELEMENT_NODE && n->parent &&
	    n->parent->type == XML_ELEMENT_NODE;
}

int
split_of(const struct value *v, struct split *out, struct err *err)
{
	*out = (struct split){ .count = 0 };
	if (v->type != VALUE_XML)
		return 0;
	for (size_t i = 0; i < v->xml.count; i++)
		if (!is_inner_element(v->xml.node[i]))
			return err_set(err, ERR_VALUE, "result not an element "
			    "of the message");
	out->node = v->xml.node;
	out->count = v->xml.count;
	if (v->xml.count)
		out->parent = v->xml.node[0]->parent;
	return 0;
}

int
split_find(struct message *m, const struct expr *e, struct split *out,
    struct err *err)
{
	struct value v;

	*out = (struct split){ .count = 0 };
	return expr_value(e, m, &v, err) < 0 ? -1 :
	    split_of(&v, out, err);
}

/*
 * Copies are made while all are in place: only there can the namespaces be
 * found. The old ones are kept, since one may be inside another.
 */
void
split_take(struct message *m, struct split *s)
{
	struct arena *a = message_arena(m);
	xmlNode *copies = new_root(a, "taken"), *old = new_root(a, "taken");
	xmlNode **node = arena_alloc(a, (s->count + 1) * sizeof(*node));

	for (size_t i = 0; i < s->count; i++) {
		node[i] = copy_of(s->node[i], copies->doc);
		xmlAddChild(copies, node[i]);
	}
	for (size_t i = 0; i < s->count; i++) {
		xmlUnlinkNode(s->node[i]);
		xmlAddChild(old, s->node[i]);
	}
	s->node = node;
	message_envelope_changed(m);
}

int
split_set_body(struct message *m, const struct _xmlNode *n, struct err *err)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");

	must(doc);
	xmlDocSetRootElement(doc, copy_of(n, doc));
	return message_set_xml(m, doc, err);
}

int
split_clear_body(struct message *m, struct err *err)
{
	struct arena *a = message_arena(m);
	xmlNode *body, *old;

	if (message_soap_body(m, &body, NULL, err) < 0)
		return -1;
	if (!body)
		return 0;
	old = new_root(a, "taken");
	while (body->children) {
		xmlNode *n = body->children;

		xmlUnlinkNode(n);
		xmlAddChild(old, n);
	}
	message_envelope_changed(m);
	return 0;
}

int
split_attach(struct message *m, const struct expr *path,
    const struct _xmlNode *n, struct err *err)
{
	struct value v;

	if (expr_value(path, m, &v, err) < 0)
		return -1;
	if (v.type != VALUE_XML || v.xml.count == 0 ||
	    v.xml.node[0]->type != XML_ELEMENT_NODE) {
		struct str text = expr_text(path);

		return err_set(err, ERR_VALUE, "Error in attaching the "
		    "splitted elements :: Unable to get the attach path "
		    "specified by the expression %.*s", STR_FMT(text));
	}
	split_append(m, v.xml.node[0], n);
	return 0;
}

void
split_append(struct message *m, struct _xmlNode *parent,
    const struct _xmlNode *n)
{
	xmlAddChild(parent, copy_of(n, parent->doc));
	message_envelope_changed(m);
}

void
split_replace(struct message *m, const struct split *old,
    const struct _xmlNode *root)
{
	xmlNode *away = new_root(message_arena(m), "taken"), *n = NULL;
	xmlDoc *doc, *envelope;

	if (!old->parent)
		return;
	doc = old->parent->doc;
	for (size_t i = 0; i < old->count; i++) {
		xmlUnlinkNode(old->node[i]);
		xmlAddChild(away, old->node[i]);
	}
	while ((n = split_next(root, n)))
		xmlAddChild(old->parent, copy_of(n, doc));
	if (message_envelope(m, &envelope, NULL) == 0 && envelope == doc)
		message_envelope_changed(m);
}
