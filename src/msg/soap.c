/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/soap.h"

#include <libxml/tree.h>

#include "msg/message.h"
#include "msg/xml.h"

static const xmlChar *
x(const char *z)
{
	return (const xmlChar *)z;
}

/* NUL-terminated, in the message's arena. */
static const xmlChar *
xs(struct message *msg, struct str s)
{
	return x(arena_str(message_arena(msg), s.p ? s : STR("")).p);
}

int
soap_describe_headers(struct message *msg, struct str separator,
    struct buf *out, struct err *err)
{
	struct _xmlDoc *doc;
	xmlNode *header;
	bool first = true;

	if (message_envelope(msg, &doc, err) < 0)
		return -1;
	header = xml_soap_header(doc);
	for (xmlNode *n = header ? header->children : NULL; n; n = n->next) {
		xmlChar *text;

		if (n->type != XML_ELEMENT_NODE)
			continue;
		if (!first)
			buf_add_str(out, separator);
		first = false;
		text = xmlNodeGetContent(n);
		buf_addz(out, (const char *)n->name);
		buf_addz(out, " : ");
		buf_addz(out, text ? (const char *)text : "");
		xmlFree(text);
	}
	return 0;
}

static int
new_block(struct message *msg, struct str uri, struct str prefix,
    struct str name, xmlNode **out, struct err *err)
{
	struct _xmlDoc *doc;
	xmlNode *header, *block;
	xmlNs *ns;

	if (message_envelope(msg, &doc, err) < 0)
		return -1;
	header = xml_soap_header_make(doc);
	block = xmlNewChild(header, NULL, xs(msg, name), NULL);
	ns = xmlNewNs(block, xs(msg, uri), prefix.n ? xs(msg, prefix) : NULL);
	xmlSetNs(block, ns);
	*out = block;
	return 0;
}

int
soap_add_header(struct message *msg, struct str uri, struct str prefix,
    struct str name, struct str text, struct err *err)
{
	xmlNode *block;

	if (new_block(msg, uri, prefix, name, &block, err) < 0)
		return -1;
	xmlNodeAddContentLen(block, x(text.p ? text.p : ""), (int)text.n);
	message_envelope_changed(msg);
	return 0;
}

/* A copy of the root of markup under parent. */
static int
graft(struct message *msg, xmlNode *parent, struct str markup,
    struct err *err)
{
	struct _xmlDoc *doc = xml_parse(message_arena(msg), markup, 0, err);
	xmlNode *copy;

	if (!doc)
		return -1;
	copy = xmlDocCopyNode(xmlDocGetRootElement(doc), parent->doc, 1);
	if (!copy)
		return err_set(err, ERR_LIMIT, "out of memory");
	xmlAddChild(parent, copy);
	message_envelope_changed(msg);
	return 0;
}

int
soap_add_header_markup(struct message *msg, struct str uri,
    struct str prefix, struct str name, struct str markup, struct err *err)
{
	xmlNode *block;

	if (new_block(msg, uri, prefix, name, &block, err) < 0)
		return -1;
	return graft(msg, block, markup, err);
}

int
soap_add_block(struct message *msg, struct str markup, struct err *err)
{
	struct _xmlDoc *doc;

	if (message_envelope(msg, &doc, err) < 0)
		return -1;
	return graft(msg, xml_soap_header_make(doc), markup, err);
}

int
soap_remove_header(struct message *msg, struct str uri, struct str name,
    struct err *err)
{
	struct _xmlDoc *doc;
	xmlNode *header, *next;

	if (message_envelope(msg, &doc, err) < 0)
		return -1;
	header = xml_soap_header(doc);
	for (xmlNode *n = header ? header->children : NULL; n; n = next) {
		next = n->next;
		if (n->type != XML_ELEMENT_NODE ||
		    !str_is(name, (const char *)n->name) || !n->ns ||
		    !str_is(uri, (const char *)n->ns->href))
			continue;
		xmlUnlinkNode(n);
		xmlFreeNode(n);
		message_envelope_changed(msg);
	}
	return 0;
}
