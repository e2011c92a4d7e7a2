/* SPDX-License-Identifier: Apache-2.0 */
/* Markup of a node, and its string value. No recursion. */
#include "msg/xml.h"

#include <libxml/tree.h>

enum { ESCAPE_TEXT, ESCAPE_ATTRIBUTE, ESCAPE_ALL };

/* The entity for a character, NULL where it stands for itself. */
static const char *
entity_of(unsigned char c, int where)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return where == ESCAPE_TEXT ? NULL : "&quot;";
	case '\'':
		return where == ESCAPE_ALL ? "&apos;" : NULL;
	case '\r':
		return where == ESCAPE_ALL ? NULL : "&#xd;";
	case '\n':
		return where == ESCAPE_ATTRIBUTE ? "&#xa;" : NULL;
	case '\t':
		return where == ESCAPE_ATTRIBUTE ? "&#x9;" : NULL;
	default:
		/* What XML has no way to write. */
		return c < 0x20 && where != ESCAPE_ALL ? "\xEF\xBF\xBD" : NULL;
	}
}

static void
escape(struct buf *b, struct str s, int where)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		const char *entity;

		if (c > '>' || !(entity = entity_of(c, where)))
			continue;
		buf_add(b, s.p + from, i - from);
		buf_addz(b, entity);
		from = i + 1;
	}
	buf_add(b, s.p + from, s.n - from);
}

void
xml_escape(struct buf *b, struct str s)
{
	escape(b, s, ESCAPE_ALL);
}

static struct str
xstr(const xmlChar *z)
{
	return str_of(z ? (const char *)z : "");
}

static void
print_name(const xmlNs *ns, const xmlChar *name, struct buf *b)
{
	if (ns && ns->prefix) {
		buf_add_str(b, xstr(ns->prefix));
		buf_putc(b, ':');
	}
	buf_add_str(b, xstr(name));
}

static void
print_ns(const xmlChar *prefix, const xmlChar *uri, struct buf *b)
{
	buf_addz(b, " xmlns");
	if (prefix) {
		buf_putc(b, ':');
		buf_add_str(b, xstr(prefix));
	}
	buf_addz(b, "=\"");
	escape(b, xstr(uri), ESCAPE_ATTRIBUTE);
	buf_putc(b, '"');
}

static bool
declares(const xmlNode *el, const xmlChar *prefix)
{
	for (const xmlNs *ns = el->nsDef; ns; ns = ns->next)
		if (xmlStrEqual(ns->prefix, prefix))
			return true;
	return false;
}

/* Whether an element from el's parent up to top declares the prefix. */
static bool
declared_above(const xmlNode *el, const xmlNode *top, const xmlChar *prefix)
{
	while (el != top) {
		el = el->parent;
		if (declares(el, prefix))
			return true;
	}
	return false;
}

/* Which namespaces a print has dealt with. */
struct outer_ns {
	const xmlNs *inside;	/* the last one found to be declared inside */
	struct buf declared;	/* const xmlNs *: written at the top */
};

static bool
written(const struct outer_ns *o, const xmlNs *ns)
{
	const xmlNs *seen;
	size_t count = buf_len(&o->declared) / sizeof(seen);

	for (size_t i = 0; i < count; i++) {
		memcpy(&seen, buf_data(&o->declared) + i * sizeof(seen),
		    sizeof(seen));
		if (xmlStrEqual(seen->prefix, ns->prefix))
			return true;
	}
	return false;
}

/* Declares at the top what is declared outside of it and used within. */
static void
print_needed(const xmlNode *el, const xmlNode *top, const xmlNs *ns,
    struct outer_ns *o, struct buf *b)
{
	if (!ns || ns == o->inside || !ns->href ||
	    xmlStrEqual(ns->prefix, (const xmlChar *)"xml"))
		return;
	if (declares(el, ns->prefix) || declared_above(el, top, ns->prefix)) {
		o->inside = ns;
		return;
	}
	if (written(o, ns))
		return;
	buf_add(&o->declared, &ns, sizeof(ns));
	print_ns(ns->prefix, ns->href, b);
}

/* The next node in document order within top; NULL at the end. */
static const xmlNode *
walk(const xmlNode *n, const xmlNode *top)
{
	if (n->type == XML_ELEMENT_NODE && n->children)
		return n->children;
	while (n != top && !n->next)
		n = n->parent;
	return n == top ? NULL : n->next;
}

static void
print_outer_ns(const xmlNode *top, struct buf *b)
{
	struct outer_ns o = { .inside = NULL };

	for (const xmlNode *n = top; n; n = walk(n, top)) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		print_needed(n, top, n->ns, &o, b);
		for (const xmlAttr *at = n->properties; at; at = at->next)
			print_needed(n, top, at->ns, &o, b);
	}
	buf_fini(&o.declared);
}

static void
print_attribute(const xmlAttr *at, struct buf *b)
{
	buf_putc(b, ' ');
	print_name(at->ns, at->name, b);
	buf_addz(b, "=\"");
	for (const xmlNode *n = at->children; n; n = n->next)
		escape(b, xstr(n->content), ESCAPE_ATTRIBUTE);
	buf_putc(b, '"');
}

/* Whether a default namespace is in force around an element, within top. */
static bool
in_default_ns(const xmlNode *el, const xmlNode *top)
{
	while (el != top) {
		el = el->parent;
		for (const xmlNs *ns = el->nsDef; ns; ns = ns->next)
			if (!ns->prefix)
				return ns->href && ns->href[0];
		if (!el->ns)
			return false;
	}
	return false;
}

/* xmlns="" is written where it says something, declared or not. */
static void
print_own_ns(const xmlNode *el, const xmlNode *top, struct buf *b)
{
	bool unset = !el->ns;

	for (const xmlNs *ns = el->nsDef; ns; ns = ns->next) {
		bool empty = !ns->href || !ns->href[0];

		if (!ns->prefix)
			unset = empty;
		if (ns->prefix || !empty)
			print_ns(ns->prefix, ns->href, b);
	}
	if (unset && in_default_ns(el, top))
		print_ns(NULL, NULL, b);
}

static void
print_start(const xmlNode *el, const xmlNode *top, struct buf *b)
{
	buf_putc(b, '<');
	print_name(el->ns, el->name, b);
	print_own_ns(el, top, b);
	if (el == top)
		print_outer_ns(top, b);
	for (const xmlAttr *at = el->properties; at; at = at->next)
		print_attribute(at, b);
	buf_addz(b, el->children ? ">" : "/>");
}

/* Anything but an element. */
static void
print_other(const xmlNode *n, struct buf *b)
{
	if (n->type == XML_TEXT_NODE) {
		escape(b, xstr(n->content), ESCAPE_TEXT);
	} else if (n->type == XML_CDATA_SECTION_NODE) {
		buf_printf(b, "<![CDATA[%s]]>", (const char *)n->content);
	} else if (n->type == XML_COMMENT_NODE) {
		buf_printf(b, "<!--%s-->", (const char *)n->content);
	} else if (n->type == XML_PI_NODE) {
		buf_printf(b, "<?%s", (const char *)n->name);
		if (n->content)
			buf_printf(b, " %s", (const char *)n->content);
		buf_addz(b, "?>");
	} else if (n->type == XML_ENTITY_REF_NODE) {
		buf_printf(b, "&%s;", (const char *)n->name);
	}
}

static void
print_end(const xmlNode *el, struct buf *b)
{
	buf_addz(b, "</");
	print_name(el->ns, el->name, b);
	buf_putc(b, '>');
}

void
xml_print(const struct _xmlNode *top, struct buf *b)
{
	const xmlNode *n = top;

	for (;;) {
		if (n->type == XML_ELEMENT_NODE) {
			print_start(n, top, b);
			if (n->children) {
				n = n->children;
				continue;
			}
		} else {
			print_other(n, b);
		}
		while (n != top && !n->next) {
			n = n->parent;
			print_end(n, b);
		}
		if (n == top)
			return;
		n = n->next;
	}
}

/* Without blanks and no-break spaces at both ends. */
static struct str
trim_wide(struct str s)
{
	size_t before;

	do {
		before = s.n;
		s = str_trim(s);
		if (str_starts(s, "\xC2\xA0"))
			s = str_from(s, 2);
		if (str_ends(s, "\xC2\xA0"))
			s.n -= 2;
	} while (s.n != before);
	return s;
}

static bool
is_text(const xmlNode *n)
{
	return n->type == XML_TEXT_NODE || n->type == XML_CDATA_SECTION_NODE;
}

struct str
xml_own_text(const struct _xmlNode *n, struct arena *a)
{
	const xmlNode *child = n->children;
	struct buf b = { .p = NULL };
	struct str s;

	if (n->type != XML_ELEMENT_NODE && n->type != XML_ATTRIBUTE_NODE)
		return xstr(n->content);
	if (child && !child->next && is_text(child))
		return xstr(child->content);
	for (; child; child = child->next)
		if (is_text(child))
			buf_add_str(&b, xstr(child->content));
	s = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

struct str
xml_markup(const struct _xmlNode *n, struct arena *a)
{
	struct buf b = { .p = NULL };
	struct str s;

	xml_print(n, &b);
	s = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return s;
}

struct str
xml_string_value(const struct _xmlNode *n, struct arena *a)
{
	struct str own = xml_own_text(n, a);

	if (n->type != XML_ELEMENT_NODE)
		return own;
	own = trim_wide(own);
	return own.n ? own : xml_markup(n, a);
}
