/* SPDX-License-Identifier: Apache-2.0 */
/* SOAP envelopes around bodies, and the wrappers of what is no XML. */
#include <libxml/tree.h>

#include "base/must.h"
#include "msg/xml.h"

#define SOAP11 "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP12 "http://www.w3.org/2003/05/soap-envelope"
#define PAYLOAD "http://ws.apache.org/commons/ns/payload"

static const xmlChar *
x(const char *z)
{
	return (const xmlChar *)z;
}

static void
doc_cleanup(void *doc)
{
	xmlFreeDoc(doc);
}

void
xml_keep_doc(struct arena *a, struct _xmlDoc *doc)
{
	arena_on_reset(a, doc_cleanup, doc);
}

static bool
in_soap(const xmlNode *n)
{
	return n->ns && (xmlStrEqual(n->ns->href, x(SOAP11)) ||
	    xmlStrEqual(n->ns->href, x(SOAP12)));
}

bool
xml_is_envelope(struct _xmlDoc *doc)
{
	const xmlNode *root = xmlDocGetRootElement(doc);

	return root && in_soap(root) && xmlStrEqual(root->name, x("Envelope"));
}

static xmlNode *
soap_child(struct _xmlDoc *doc, const char *name)
{
	xmlNode *root = xmlDocGetRootElement(doc);

	if (!root || !in_soap(root))
		return NULL;
	for (xmlNode *n = root->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && in_soap(n) &&
		    xmlStrEqual(n->name, x(name)))
			return n;
	return NULL;
}

struct _xmlNode *
xml_soap_body(struct _xmlDoc *doc)
{
	return soap_child(doc, "Body");
}

struct _xmlNode *
xml_soap_header(struct _xmlDoc *doc)
{
	return soap_child(doc, "Header");
}

struct _xmlNode *
xml_soap_header_make(struct _xmlDoc *doc)
{
	xmlNode *root = xmlDocGetRootElement(doc), *body, *header;

	header = xml_soap_header(doc);
	body = xml_soap_body(doc);
	if (header || !root || !body)
		return header;
	header = xmlNewDocNode(doc, root->ns, x("Header"), NULL);
	must(header);
	return xmlAddPrevSibling(body, header);
}

/* Envelope and Body as the root of a document that has none. */
static xmlNode *
add_envelope(xmlDoc *doc)
{
	xmlNode *envelope = xmlNewDocNode(doc, NULL, x("Envelope"), NULL);
	xmlNode *body;
	xmlNs *ns;

	must(envelope);
	ns = xmlNewNs(envelope, x(SOAP11), x("soapenv"));
	must(ns);
	xmlSetNs(envelope, ns);
	xmlDocSetRootElement(doc, envelope);
	body = xmlNewChild(envelope, ns, x("Body"), NULL);
	must(body);
	return body;
}

struct _xmlDoc *
xml_new_envelope(struct arena *a)
{
	xmlDoc *doc = xmlNewDoc(x("1.0"));

	must(doc);
	xml_keep_doc(a, doc);
	add_envelope(doc);
	return doc;
}

int
xml_make_envelope(struct _xmlDoc *doc, enum xml_wrap how, struct err *err)
{
	xmlNode *root = xmlDocGetRootElement(doc);

	if (!root)
		return err_set(err, ERR_SYNTAX, "XML: no element");
	if (how != XML_WRAP && xml_is_envelope(doc)) {
		if (!xml_soap_body(doc))
			return err_set(err, ERR_SYNTAX,
			    "SOAP: the envelope has no Body");
		return 0;
	}
	if (how == XML_EXPECT_SOAP)
		return err_set(err, ERR_SYNTAX, "SOAP: the root element is "
		    "<%.100s>, not a SOAP Envelope", (const char *)root->name);
	xmlUnlinkNode(root);
	xmlAddChild(add_envelope(doc), root);
	return 0;
}

void
xml_copy_headers(struct _xmlDoc *to, struct _xmlDoc *from)
{
	const xmlNode *source = xml_soap_header(from);
	xmlNode *header;

	if (!source || !source->children || to == from)
		return;
	header = xml_soap_header_make(to);
	if (!header || header->children)
		return;
	for (const xmlNode *n = source->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE)
			xmlAddChild(header, xmlDocCopyNode(UNCONST(n), to, 1));
}

struct _xmlNode *
xml_new_wrapper(struct _xmlDoc *doc, const char *name, struct str text)
{
	xmlNode *el = xmlNewDocNode(doc, NULL, x(name), NULL);

	must(el);
	xmlSetNs(el, xmlNewNs(el, x(PAYLOAD), NULL));
	if (text.n)
		xmlAddChild(el, xmlNewDocTextLen(doc, x(text.p),
		    (int)text.n));
	return el;
}

int
xml_copy_doc(struct arena *a, struct _xmlDoc *from, struct _xmlDoc **out,
    struct err *err)
{
	*out = xmlCopyDoc(from, 1);
	if (!*out)
		return err_set(err, ERR_LIMIT, "XML: out of memory");
	xml_keep_doc(a, *out);
	return 0;
}
