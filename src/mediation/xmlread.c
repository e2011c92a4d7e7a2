/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/xmlread.h"

#include <libxml/parser.h>
#include <libxml/SAX2.h>
#include <libxml/tree.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/utf8.h"
#include "msg/xml.h"

enum { MAX_ASKED = 40 };

struct attribute {
	struct str name, value;
	bool known;
};

/* What compile asked for, and what became of the element. */
struct marks {
	const char *attr[MAX_ASKED], *child[MAX_ASKED];
	unsigned attr_count, child_count;
	bool known, done, opaque, all_children;
};

struct xml_el {
	struct xml_file *file;
	struct _xmlNode *node;
	struct xml_el *next, *first;
	struct str name, ns;
	struct src_pos at;
	size_t offset;		/* of the '<' in the file */
	struct attribute *attr;
	size_t attr_count;
	struct marks *marks;	/* written while the tree itself is const */
};

/* Where a start tag begins. */
struct tag {
	int line;
	size_t offset;		/* in the file */
};

struct xml_file {
	struct str text;
	struct arena *arena, *strings;
	xmlDoc *doc;
	struct xml_el *root;
	const char *path;
	xml_report_fn *report;
	void *ctx;
};

/* ---- parsing ----------------------------------------------------------- */

struct parse {
	struct err *err;
	const char *path;
	bool failed;
	struct tag *begin;	/* start tags, in document order */
	size_t begins, cap, wrapped;
};

static void
on_error(void *data, const xmlError *e)
{
	xmlParserCtxt *ctxt = data;
	struct parse *p = ctxt->_private;
	const char *text = e->message ? e->message : "not well-formed";
	struct src_pos at = { p->path, e->line, e->int2 };

	if (p->failed || e->level < XML_ERR_ERROR)
		return;
	p->failed = true;
	err_at(p->err, at, "%.*s", (int)strcspn(text, "\r\n"), text);
}

/* xmlStructuredErrorFunc lost its const in some releases of libxml2. */
static void
on_error_any(void *data, xmlError *e)
{
	on_error(data, e);
}

static void
on_dtd(void *data, const xmlChar *name UNUSED, const xmlChar *public UNUSED,
    const xmlChar *system UNUSED)
{
	xmlParserCtxt *ctxt = data;
	struct parse *p = ctxt->_private;
	struct src_pos at = { p->path, ctxt->input ? ctxt->input->line : 0, 0 };

	if (!p->failed)
		err_at(p->err, at, "a DTD is not allowed here");
	p->failed = true;
	xmlStopParser(ctxt);
}

/* xmlGetLineNo() names the line where a start tag ends. The tag began at the
 * last '<', which may not stand in an attribute. */
static struct tag
find_tag(const xmlParserInput *in)
{
	struct tag tag = { .line = in->line };
	const xmlChar *p = in->cur;

	while (p > in->base && p[-1] != '<') {
		tag.line -= p[-1] == '\n';
		p--;
	}
	if (p == in->base)
		return (struct tag){ .line = in->line };
	tag.offset = in->consumed + (size_t)(p - 1 - in->base);
	return tag;
}

static void
on_start(void *data, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int ns_count, const xmlChar **ns, int attr_count,
    int defaulted, const xmlChar **attrs)
{
	xmlParserCtxt *ctxt = data;
	struct parse *p = ctxt->_private;

	if (p->begins == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 64;
		p->begin = xrealloc(p->begin, p->cap * sizeof(*p->begin));
	}
	p->begin[p->begins++] = find_tag(ctxt->input);
	xmlSAX2StartElementNs(ctxt, name, prefix, uri, ns_count, ns,
	    attr_count, defaulted, attrs);
}

static struct str
keep(struct xml_file *f, const xmlChar *z)
{
	return arena_str(f->strings, str_of((const char *)z));
}

static void
read_attributes(struct xml_file *f, struct xml_el *el)
{
	size_t n = 0;

	for (xmlAttr *a = el->node->properties; a; a = a->next)
		n += a->ns == NULL;
	el->attr = arena_zalloc(f->arena, n * sizeof(*el->attr));
	for (xmlAttr *a = el->node->properties; a; a = a->next) {
		struct attribute *to;
		xmlChar *value;

		if (a->ns)
			continue;
		to = &el->attr[el->attr_count++];
		to->name = keep(f, a->name);
		value = xmlNodeListGetString(f->doc, a->children, 1);
		to->value = value ? keep(f, value) : arena_str(f->strings,
		    STR(""));
		xmlFree(value);
	}
}

static struct xml_el *
wrap(struct xml_file *f, struct parse *p, xmlNode *node)
{
	struct xml_el *el = arena_zalloc(f->arena, sizeof(*el));

	el->file = f;
	el->node = node;
	el->name = keep(f, node->name);
	el->ns = node->ns && node->ns->href ? keep(f, node->ns->href) : STR("");
	must(p->wrapped < p->begins);
	el->at = (struct src_pos){ .file = f->path,
	    .line = p->begin[p->wrapped].line };
	el->offset = p->begin[p->wrapped++].offset;
	el->marks = arena_zalloc(f->arena, sizeof(*el->marks));
	read_attributes(f, el);
	return el;
}

/* Depth is bounded by libxml2 (256), so this may recurse. */
static void
wrap_children(struct xml_file *f, struct parse *p, struct xml_el *el)
{
	struct xml_el **tail = &el->first;

	for (xmlNode *n = el->node->children; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE)
			continue;
		*tail = wrap(f, p, n);
		wrap_children(f, p, *tail);
		tail = &(*tail)->next;
	}
}

static void
build(struct xml_file *f, struct parse *p)
{
	f->root = wrap(f, p, xmlDocGetRootElement(f->doc));
	f->root->marks->known = true;
	wrap_children(f, p, f->root);
}

static xmlDoc *
read_doc(xmlParserCtxt *ctxt, struct parse *p, struct str text)
{
	xmlDoc *doc;

	ctxt->_private = p;
	ctxt->sax->serror = (xmlStructuredErrorFunc)on_error_any;
	ctxt->sax->internalSubset = on_dtd;
	ctxt->sax->startElementNs = on_start;
	doc = xmlCtxtReadMemory(ctxt, text.p, (int)text.n, NULL, NULL,
	    XML_PARSE_NONET | XML_PARSE_BIG_LINES | XML_PARSE_NOWARNING);
	if (doc && !p->failed && xmlDocGetRootElement(doc))
		return doc;
	if (!p->failed)
		err_at(p->err, (struct src_pos){ .file = p->path },
		    "not a well-formed XML document");
	if (doc)
		xmlFreeDoc(doc);
	return NULL;
}

struct xml_file *
xml_file_parse(struct arena *strings, const char *path, struct str text,
    xml_report_fn *report, void *ctx, struct err *err)
{
	struct parse parse = { .err = err, .path = path };
	struct xml_file *f;
	xmlParserCtxt *ctxt;

	if (text.n > 64u << 20) {
		err_at(err, (struct src_pos){ .file = path },
		    "the file is larger than 64 MiB");
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	*f = (struct xml_file){ .arena = arena_new(16384), .strings = strings,
	    .text = text, .path = path, .report = report, .ctx = ctx };
	ctxt = xmlNewParserCtxt();
	must(ctxt);
	f->doc = read_doc(ctxt, &parse, text);
	if (f->doc)
		build(f, &parse);
	xmlFreeParserCtxt(ctxt);
	free(parse.begin);
	if (!f->doc)
		xml_file_free(&f);
	return f;
}

void
xml_file_free(struct xml_file **fp)
{
	struct xml_file *f = *fp;

	if (!f)
		return;
	*fp = NULL;
	if (f->doc)
		xmlFreeDoc(f->doc);
	arena_free(&f->arena);
	free(f);
}

const struct xml_el *
xml_file_root(const struct xml_file *f)
{
	return f->root;
}

/* ---- elements ---------------------------------------------------------- */

struct src_pos
xml_pos(const struct xml_el *el)
{
	return el->at;
}

struct str
xml_name(const struct xml_el *el)
{
	return el->name;
}

struct str
xml_namespace(const struct xml_el *el)
{
	return el->ns;
}

bool
xml_in_synapse(const struct xml_el *el)
{
	return str_is(el->ns, SYNAPSE_NS);
}

static void
asked(const char **list, unsigned *count, const char *name)
{
	for (unsigned i = 0; i < *count; i++)
		if (strcmp(list[i], name) == 0)
			return;
	if (*count < MAX_ASKED)
		list[(*count)++] = name;
}

struct str
xml_attr(const struct xml_el *el, const char *name)
{
	asked(el->marks->attr, &el->marks->attr_count, name);
	for (size_t i = 0; i < el->attr_count; i++) {
		if (str_is(el->attr[i].name, name)) {
			el->attr[i].known = true;
			return el->attr[i].value;
		}
	}
	return STR_NULL;
}

const struct xml_el *
xml_any_child(const struct xml_el *el)
{
	return el->first;
}

const struct xml_el *
xml_any_next(const struct xml_el *el)
{
	return el->next;
}

static const struct xml_el *
named(const struct xml_el *el, const char *name)
{
	for (; el; el = el->next) {
		if (xml_in_synapse(el) && str_is(el->name, name)) {
			el->marks->known = true;
			return el;
		}
	}
	return NULL;
}

const struct xml_el *
xml_child(const struct xml_el *el, const char *name)
{
	asked(el->marks->child, &el->marks->child_count, name);
	return named(el->first, name);
}

const struct xml_el *
xml_next(const struct xml_el *el)
{
	return named(el->next, el->name.p);
}

static const struct xml_el *
synapse_one(const struct xml_el *el)
{
	while (el && !xml_in_synapse(el))
		el = el->next;
	if (el)
		el->marks->known = true;
	return el;
}

const struct xml_el *
xml_first_child(const struct xml_el *el)
{
	el->marks->all_children = true;
	return synapse_one(el->first);
}

const struct xml_el *
xml_next_child(const struct xml_el *el)
{
	return synapse_one(el->next);
}

void
xml_mark_done(const struct xml_el *el)
{
	el->marks->known = el->marks->done = true;
}

void
xml_mark_opaque(const struct xml_el *el)
{
	el->marks->known = el->marks->opaque = true;
}

static bool
is_one_of(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

/* Recursion is bounded by the parser's limit on depth. */
bool
xml_contains(const struct xml_el *el, const char *const *names)
{
	for (const struct xml_el *k = el->first; k; k = k->next)
		if ((xml_in_synapse(k) && is_one_of(k->name, names)) ||
		    xml_contains(k, names))
			return true;
	return false;
}

bool
xml_attr_at(const struct xml_el *el, size_t i, struct str *name,
    bool *was_read)
{
	if (i >= el->attr_count)
		return false;
	*name = el->attr[i].name;
	*was_read = el->attr[i].known;
	return true;
}

bool
xml_has_attr(const struct xml_el *el, const char *name)
{
	for (size_t i = 0; i < el->attr_count; i++)
		if (str_is(el->attr[i].name, name))
			return true;
	return false;
}

bool
xml_was_read(const struct xml_el *el)
{
	return el->marks->known;
}

bool
xml_is_settled(const struct xml_el *el)
{
	return el->marks->done || el->marks->opaque;
}

const char *const *
xml_asked_attrs(const struct xml_el *el, unsigned *count)
{
	*count = el->marks->attr_count;
	return el->marks->attr;
}

const char *const *
xml_asked_children(const struct xml_el *el, unsigned *count)
{
	*count = el->marks->child_count;
	return el->marks->child;
}

bool
xml_asked_all_children(const struct xml_el *el)
{
	return el->marks->all_children;
}

void
xml_report(const struct xml_el *el, const struct err *err)
{
	if (el->file->report)
		el->file->report(el->file->ctx, err);
}

bool
xml_has_child_elements(const struct xml_el *el)
{
	return el->first != NULL;
}

struct str
xml_text(const struct xml_el *el)
{
	struct buf b = { 0 };
	struct str out;

	for (const xmlNode *n = el->node->children; n; n = n->next)
		if ((n->type == XML_TEXT_NODE ||
		    n->type == XML_CDATA_SECTION_NODE) && n->content)
			buf_addz(&b, (const char *)n->content);
	out = arena_str(el->file->strings, buf_str(&b));
	buf_fini(&b);
	return out;
}

struct str
xml_el_markup(const struct xml_el *el, struct arena *a)
{
	struct buf b = { 0 };
	struct str out;

	xml_print(el->node, &b);
	out = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return out;
}

struct str
xml_inner_markup(const struct xml_el *el, struct arena *a)
{
	if (!el->first)
		return STR_NULL;
	for (const struct xml_el *c = el->first; c; c = c->next)
		xml_mark_opaque(c);
	return xml_el_markup(el->first, a);
}

/* Recursion is bounded by the parser's limit on depth. */
static void
strip_blanks(xmlNode *node)
{
	xmlNode *next;

	for (xmlNode *n = node->children; n; n = next) {
		next = n->next;
		if (n->type == XML_ELEMENT_NODE) {
			strip_blanks(n);
		} else if (n->type == XML_TEXT_NODE && xmlIsBlankNode(n)) {
			xmlUnlinkNode(n);
			xmlFreeNode(n);
		}
	}
}

struct str
xml_inner_markup_stripped(const struct xml_el *el, struct arena *a)
{
	if (el->first)
		strip_blanks(el->first->node);
	return xml_inner_markup(el, a);
}

/* ---- namespaces -------------------------------------------------------- */

void
xml_scope(const struct xml_el *el, struct arena *a, struct expr_scope *out)
{
	xmlNs **list = xmlGetNsList(el->file->doc, el->node);
	struct expr_ns *ns;
	size_t n = 0;

	*out = (struct expr_scope){ .at = el->at };
	while (list && list[n])
		n++;
	if (n == 0)
		return;
	ns = arena_zalloc(a, n * sizeof(*ns));
	for (size_t i = 0; i < n; i++) {
		const char *p = (const char *)list[i]->prefix;
		const char *u = (const char *)list[i]->href;

		ns[i].prefix = arena_str(a, str_of(p ? p : ""));
		ns[i].uri = arena_str(a, str_of(u ? u : ""));
	}
	xmlFree(list);
	out->ns = ns;
	out->count = n;
}

struct str
xml_lookup_ns(const struct xml_el *el, struct str prefix)
{
	char *z = str_dup(prefix);
	xmlNs *ns = xmlSearchNs(el->file->doc, el->node, BAD_CAST z);

	free(z);
	return ns ? keep(el->file, ns->href) : STR_NULL;
}

/* ---- places in attributes ---------------------------------------------- */

/* Walks over the text of a start tag. */
struct walk {
	const char *p, *end, *line_start;
	int line;
};

static void
step(struct walk *w)
{
	if (*w->p++ == '\n') {
		w->line++;
		w->line_start = w->p;
	}
}

static void
skip_until(struct walk *w, const char *chars)
{
	while (w->p < w->end && !(*w->p && strchr(chars, *w->p)))
		step(w);
}

static void
skip_blanks(struct walk *w)
{
	while (w->p < w->end && *w->p && strchr(" \t\r\n=", *w->p))
		step(w);
}

/* Moves to the value of the attribute; false when it is not there. */
static bool
walk_to_value(struct walk *w, struct str name)
{
	while (w->p < w->end && *w->p != '>') {
		const char *from;
		struct str found;
		char quote[2] = { 0 };

		skip_blanks(w);
		from = w->p;
		skip_until(w, " \t\r\n=>");
		found = (struct str){ from, (size_t)(w->p - from) };
		skip_blanks(w);
		if (w->p == w->end || (*w->p != '"' && *w->p != '\''))
			return false;
		quote[0] = *w->p;
		step(w);
		if (str_eq(found, name))
			return true;
		skip_until(w, quote);
		if (w->p < w->end)
			step(w);
	}
	return false;
}

/* Bytes that "&...;" stands for. */
static size_t
entity_bytes(const char *p)
{
	char utf8[4];
	unsigned long code;

	if (p[1] != '#')
		return 1;
	code = p[2] == 'x' ? strtoul(p + 3, NULL, 16) : strtoul(p + 2, NULL,
	    10);
	return code < 0x110000 ? utf8_encode((uint32_t)code, utf8) : 1;
}

/* Goes on by n bytes of the value as it reads. */
static void
walk_bytes(struct walk *w, size_t n)
{
	while (n > 0 && w->p < w->end) {
		size_t bytes = *w->p == '&' ? entity_bytes(w->p) : 1;

		if (bytes > n)
			return;
		n -= bytes;
		if (*w->p == '&')
			skip_until(w, ";");
		if (w->p < w->end)
			step(w);
	}
}

static bool
tag_is_there(const struct xml_el *el)
{
	struct str rest = str_from(el->file->text, el->offset);
	size_t colon = str_find(str_head(rest, 200), ':');

	if (rest.n < el->name.n + 1 || rest.p[0] != '<')
		return false;
	if (str_eq(str_head(str_from(rest, 1), el->name.n), el->name))
		return true;
	return str_eq(str_head(str_from(rest, colon + 1), el->name.n),
	    el->name);
}

struct src_pos
xml_place(const struct xml_el *el, const char *p)
{
	struct str text = el->file->text;
	struct src_pos at = el->at;
	struct walk w = { .p = text.p + el->offset, .end = text.p + text.n,
	    .line = at.line };

	if (!tag_is_there(el))
		return at;
	w.line_start = w.p;
	while (w.line_start > text.p && w.line_start[-1] != '\n')
		w.line_start--;
	for (size_t i = 0; i < el->attr_count; i++) {
		struct str v = el->attr[i].value;

		if (p < v.p || p > v.p + v.n)
			continue;
		skip_until(&w, " \t\r\n>");
		if (!walk_to_value(&w, el->attr[i].name))
			return at;
		walk_bytes(&w, (size_t)(p - v.p));
		at.line = w.line;
		at.column = (int)(w.p - w.line_start) + 1;
		return at;
	}
	return at;
}

/* ---- complaints -------------------------------------------------------- */

int
xml_error(const struct xml_el *el, struct err *err, const char *fmt, ...)
{
	struct err e = { .kind = ERR_VALUE, .at = el->at };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, ap);
	va_end(ap);
	if (err)
		*err = e;
	return -1;
}

int
xml_attr_bool(const struct xml_el *el, const char *name, bool dflt, bool *out,
    struct err *err)
{
	struct str s = xml_attr(el, name);

	*out = dflt;
	if (!s.p)
		return 0;
	*out = str_iis(s, "true");
	if (*out || str_iis(s, "false"))
		return 0;
	return xml_error(el, err,
	    "attribute \"%s\" must be \"true\" or \"false\", not \"%.*s\"",
	    name, STR_FMT(s));
}

int
xml_attr_int(const struct xml_el *el, const char *name, int64_t dflt,
    int64_t *out, struct err *err)
{
	struct str s = xml_attr(el, name);

	*out = dflt;
	if (!s.p || str_to_i64(s, out))
		return 0;
	return xml_error(el, err,
	    "attribute \"%s\" must be a whole number, not \"%.*s\"", name,
	    STR_FMT(s));
}
