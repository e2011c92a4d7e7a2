/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/xmledit.h"

#include <libxml/tree.h>

#include "msg/message.h"
#include "msg/xml.h"

static int
invalid_target(struct err *err)
{
	return err_set(err, ERR_VALUE, "Invalid Target object to be enrich.");
}

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_LIMIT, "out of memory");
}

static void
one_node(struct message *msg, xmlNode *node, struct value *out)
{
	*out = (struct value){ .type = VALUE_NULL };
	if (!node)
		return;
	out->type = VALUE_XML;
	out->xml.node = arena_alloc(message_arena(msg), sizeof(xmlNode *));
	out->xml.node[0] = node;
	out->xml.count = 1;
}

int
xmledit_parse(struct message *msg, struct str markup, struct value *out,
    struct err *err)
{
	xmlDoc *doc = xml_parse(message_arena(msg), markup, 0, err);

	if (!doc)
		return -1;
	one_node(msg, xmlDocGetRootElement(doc), out);
	return 0;
}

int
xmledit_body(struct message *msg, struct value *out, struct err *err)
{
	xmlNode *body, *first;

	if (message_soap_body(msg, &body, &first, err) < 0)
		return -1;
	one_node(msg, first, out);
	return 0;
}

int
xmledit_envelope(struct message *msg, struct value *out, struct err *err)
{
	struct _xmlDoc *doc;

	if (message_envelope(msg, &doc, err) < 0)
		return -1;
	one_node(msg, xmlDocGetRootElement(doc), out);
	return 0;
}

/* ---- copies ------------------------------------------------------------ */

static xmlNode *
text_node(struct message *msg, xmlDoc *doc, const struct value *v)
{
	struct str s = value_text(v, message_arena(msg));

	return xmlNewDocTextLen(doc, (const xmlChar *)(s.p ? s.p : ""),
	    (int)s.n);
}

/* An attribute is taken as text. */
static xmlNode *
copy_node(struct message *msg, xmlDoc *doc, xmlNode *node)
{
	struct value v;

	if (node->type != XML_ATTRIBUTE_NODE)
		return xmlDocCopyNode(node, doc, 1);
	one_node(msg, node, &v);
	return text_node(msg, doc, &v);
}

static void
free_node(void *node)
{
	xmlFreeNode(node);
}

/* What is in no tree goes with the message. */
static void
keep_node(struct message *msg, xmlNode *node)
{
	arena_on_reset(message_arena(msg), free_node, node);
}

/* Nodes of source for doc, in no tree yet; at least one. */
static int
copies(struct message *msg, xmlDoc *doc, const struct value *source,
    xmlNode ***out, size_t *count, struct err *err)
{
	size_t n = source->type == VALUE_XML ? source->xml.count : 1;
	xmlNode **all = arena_alloc(message_arena(msg), n * sizeof(*all));

	for (size_t i = 0; i < n; i++) {
		all[i] = source->type == VALUE_XML
		    ? copy_node(msg, doc, source->xml.node[i])
		    : text_node(msg, doc, source);
		if (!all[i])
			return no_memory(err);
	}
	*out = all;
	*count = n;
	return 0;
}

int
xmledit_copy(struct message *msg, const struct value *v, struct value *out,
    struct err *err)
{
	xmlDoc *doc;
	size_t n;

	*out = *v;
	if (v->type != VALUE_XML || v->xml.count == 0)
		return 0;
	doc = xmlNewDoc((const xmlChar *)"1.0");
	if (!doc)
		return no_memory(err);
	xml_keep_doc(message_arena(msg), doc);
	if (copies(msg, doc, v, &out->xml.node, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		keep_node(msg, out->xml.node[i]);
	return 0;
}

/* What is no element becomes the text of the wrapper that text has. */
static xmlNode *
wrap_text(xmlDoc *doc, xmlNode *text)
{
	xmlNode *el = xml_new_wrapper(doc, "text",
	    str_of((const char *)text->content));

	xmlFreeNode(text);
	return el;
}

void
xmledit_parent(struct message *msg, const struct value *v, struct value *out)
{
	xmlNode *up = v->type == VALUE_XML && v->xml.count
	    ? v->xml.node[0]->parent : NULL;

	one_node(msg, up && up->type == XML_ELEMENT_NODE ? up : NULL, out);
}

int
xmledit_make_body(struct message *msg, const struct value *v, struct err *err)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *node = doc && v->type == VALUE_XML && v->xml.count
	    ? copy_node(msg, doc, v->xml.node[0]) : NULL;

	if (!node)
		return no_memory(err);
	if (node->type != XML_ELEMENT_NODE)
		node = wrap_text(doc, node);
	xmlDocSetRootElement(doc, node);
	return message_set_xml(msg, doc, err);
}

static void
unlink_node(struct message *msg, xmlNode *node)
{
	xmlUnlinkNode(node);
	keep_node(msg, node);
}

void
xmledit_detach(struct message *msg, const struct value *v)
{
	for (size_t i = 0; v->type == VALUE_XML && i < v->xml.count; i++) {
		xmlNode *node = v->xml.node[i];

		if (node->parent && node->type != XML_ATTRIBUTE_NODE &&
		    node->parent->type == XML_ELEMENT_NODE)
			unlink_node(msg, node);
	}
	message_envelope_changed(msg);
}

/* ---- changes ----------------------------------------------------------- */

static bool
is_text(const struct value *source)
{
	return source->type != VALUE_XML || source->xml.count == 0 ||
	    source->xml.node[0]->type != XML_ELEMENT_NODE;
}

static void
set_text(struct message *msg, xmlNode *el, const struct value *source)
{
	struct str s = value_text(source, message_arena(msg));

	while (el->children)
		unlink_node(msg, el->children);
	xmlNodeAddContentLen(el, (const xmlChar *)(s.p ? s.p : ""), (int)s.n);
}

static void
set_attribute(struct message *msg, xmlNode *attr, const struct value *source)
{
	struct str s = value_text(source, message_arena(msg));

	s = arena_str(message_arena(msg), s.p ? s : STR(""));
	xmlSetNsProp(attr->parent, attr->ns, attr->name, (const xmlChar *)s.p);
}

/* Puts each node before or behind at, in order. */
static void
insert(xmlNode *at, xmlNode **node, size_t count, enum xmledit_action action)
{
	for (size_t i = 0; i < count; i++) {
		switch (action) {
		case XMLEDIT_REPLACE:
			xmlAddPrevSibling(at, node[i]);
			break;
		case XMLEDIT_CHILD:
			xmlAddChild(at, node[i]);
			break;
		case XMLEDIT_SIBLING:
			at = xmlAddNextSibling(at, node[i]);
			break;
		}
	}
}

static int
apply_element(struct message *msg, xmlNode *at, const struct value *source,
    enum xmledit_action action, struct err *err)
{
	xmlNode **node;
	size_t count;

	if (action == XMLEDIT_REPLACE && is_text(source)) {
		set_text(msg, at, source);
		return 0;
	}
	if (action != XMLEDIT_CHILD && (!at->parent ||
	    at->parent->type != XML_ELEMENT_NODE))
		return invalid_target(err);
	if (copies(msg, at->doc, source, &node, &count, err) < 0)
		return -1;
	insert(at, node, count, action);
	if (action == XMLEDIT_REPLACE)
		unlink_node(msg, at);
	return 0;
}

int
xmledit_apply(struct message *msg, const struct value *target,
    const struct value *source, enum xmledit_action action, struct err *err)
{
	xmlNode *at;
	int result = 0;

	if (target->type != VALUE_XML || target->xml.count == 0)
		return invalid_target(err);
	at = target->xml.node[0];
	if (at->type == XML_ATTRIBUTE_NODE)
		set_attribute(msg, at, source);
	else if (at->type == XML_TEXT_NODE && is_text(source) && at->parent)
		set_text(msg, at->parent, source);
	else if (at->type == XML_ELEMENT_NODE || at->type == XML_TEXT_NODE)
		result = apply_element(msg, at, source, action, err);
	else
		result = invalid_target(err);
	return result;
}

int
xmledit_apply_body(struct message *msg, const struct value *source,
    enum xmledit_action action, struct err *err)
{
	xmlNode *body, *first;

	if (is_text(source))
		return err_set(err, ERR_VALUE, "only an element can become "
		    "the body");
	if (message_soap_body(msg, &body, &first, err) < 0)
		return -1;
	if (!first || action == XMLEDIT_CHILD) {
		first = body;
		action = XMLEDIT_CHILD;
	}
	if (apply_element(msg, first, source, action, err) < 0)
		return -1;
	message_envelope_changed(msg);
	return 0;
}

int
xmledit_apply_envelope(struct message *msg, const struct value *source,
    struct err *err)
{
	xmlDoc *doc;
	xmlNode *copy;

	if (is_text(source))
		return err_set(err, ERR_VALUE, "Envelope is expected");
	doc = xmlNewDoc((const xmlChar *)"1.0");
	copy = doc ? xmlDocCopyNode(source->xml.node[0], doc, 1) : NULL;
	if (!copy)
		return no_memory(err);
	xmlDocSetRootElement(doc, copy);
	if (xml_is_envelope(doc))
		return message_set_xml(msg, doc, err);
	xmlFreeDoc(doc);
	return err_set(err, ERR_VALUE, "Envelope is expected");
}
