/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libxml2's parser, reused from document to document, with what a peer could
 * do with it taken away: document types and with them entities, the network,
 * other encodings, and sizes on which its algorithms are quadratic.
 *
 * Names are not shared by a dictionary (XML_PARSE_NODICT), so that nodes may
 * be moved between documents.
 */
#include "msg/xml.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlIO.h>
#include <limits.h>

#include "base/utf8.h"

enum {
	DEFAULT_DEPTH = 256,	/* also the parser's own limit */
	MAX_ATTRIBUTES = 1024,	/* of an element */
	MAX_NAMESPACES = 512,	/* in scope */
	MAX_NAMES = 8192,	/* known to the parser before a new one is
				 * taken */
	MAX_BYTES = 1 << 30,
	/* A document this small cannot hold enough attributes to be slow. */
	SMALL = 8192,
};

#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_BIG_LINES | \
    XML_PARSE_IGNORE_ENC | XML_PARSE_NOCDATA | XML_PARSE_NODICT)

/* One parse; reached by the handlers through ctxt->_private. */
struct parse {
	struct err *err;
	size_t depth;
	bool failed;
};

static xmlParserCtxt *parser;

static xmlParserInput *
no_loader(const char *url, const char *id, xmlParserCtxt *ctxt)
{
	(void)url, (void)id, (void)ctxt;
	return NULL;
}

void
xml_global_init(void)
{
	xmlInitParser();
	xmlSetExternalEntityLoader(no_loader);
}

void
xml_global_fini(void)
{
	if (parser)
		xmlFreeParserCtxt(parser);
	parser = NULL;
	xmlCleanupParser();
}

/* Keeps the first fault. */
static void
note_fault(struct parse *at, enum err_kind kind, int line, int column,
    struct str what)
{
	if (at->failed)
		return;
	at->failed = true;
	what = str_trim(what);
	err_set(at->err, kind, "XML: %.*s at line %d, column %d",
	    STR_FMT(what), line, column);
	if (at->err)
		at->err->at = (struct src_pos){ .line = line,
			.column = column };
}

static void
stop(xmlParserCtxt *ctxt, enum err_kind kind, const char *what)
{
	struct parse *at = ctxt->_private;

	note_fault(at, kind, ctxt->input ? ctxt->input->line : 0,
	    ctxt->input ? ctxt->input->col : 0, str_of(what));
	xmlStopParser(ctxt);
}

static void
on_error(void *arg, xmlErrorPtr error)
{
	xmlParserCtxt *ctxt = arg;

	if (error->level >= XML_ERR_ERROR)
		note_fault(ctxt->_private, error->code == XML_ERR_NO_MEMORY ?
		    ERR_LIMIT : ERR_SYNTAX, error->line, error->int2,
		    str_of(error->message ? error->message : "error"));
}

static void
on_doctype(void *arg, const xmlChar *name, const xmlChar *id,
    const xmlChar *url)
{
	(void)name, (void)id, (void)url;
	stop(arg, ERR_SYNTAX, "a document type (DOCTYPE) is not accepted");
}

static void
on_start(void *arg, const xmlChar *name, const xmlChar *prefix,
    const xmlChar *uri, int ns_count, const xmlChar **ns, int count,
    int defaulted, const xmlChar **attributes)
{
	xmlParserCtxt *ctxt = arg;
	const struct parse *at = ctxt->_private;

	if ((size_t)ctxt->nodeNr >= at->depth) {
		stop(ctxt, ERR_LIMIT, "nested too deeply");
		return;
	}
	if (ctxt->nsNr > 2 * MAX_NAMESPACES) {
		stop(ctxt, ERR_LIMIT, "too many namespaces");
		return;
	}
	xmlSAX2StartElementNs(ctxt, name, prefix, uri, ns_count, ns, count,
	    defaulted, attributes);
}

static xmlParserCtxt *
parser_get(void)
{
	if (parser && parser->dict && xmlDictSize(parser->dict) > MAX_NAMES) {
		xmlFreeParserCtxt(parser);
		parser = NULL;
	}
	if (!parser) {
		parser = xmlNewParserCtxt();
		if (!parser)
			return NULL;
		parser->sax->serror = on_error;
		parser->sax->internalSubset = on_doctype;
		parser->sax->startElementNs = on_start;
	}
	return parser;
}

/* p is behind "<": the end of what begins there, and how many "=" a start tag
 * has outside of quotes. */
static const char *
skip_markup(const char *p, const char *end, size_t *equals)
{
	static const struct { const char *from, *to; } spans[] = {
		{ "!--", "-->" }, { "![CDATA[", "]]>" }, { "?", "?>" },
	};
	struct str rest = { p, (size_t)(end - p) };
	char quote = '\0';

	*equals = 0;
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		if (str_starts(rest, spans[i].from))
			return p + str_search(rest, str_of(spans[i].to));
	for (; p < end && (quote || *p != '>'); p++) {
		if (quote)
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '\'')
			quote = *p;
		else if (*p == '=')
			++*equals;
	}
	return p;
}

/* The parser compares each attribute with each other of its element. */
static bool
has_huge_element(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;
	size_t equals;

	if (text.n < SMALL)
		return false;
	while ((p = memchr(p, '<', (size_t)(end - p)))) {
		p = skip_markup(p + 1, end, &equals);
		if (equals > MAX_ATTRIBUTES)
			return true;
	}
	return false;
}

static int
check_bytes(struct str text, struct parse *at)
{
	if (text.n > MAX_BYTES)
		return err_set(at->err, ERR_LIMIT, "XML: text too long");
	if (!utf8_valid(text.p, text.n) ||
	    (text.n && memchr(text.p, '\0', text.n)))
		return err_set(at->err, ERR_SYNTAX, "XML: invalid UTF-8");
	if (has_huge_element(text))
		return err_set(at->err, ERR_LIMIT,
		    "XML: an element has more than %d attributes",
		    MAX_ATTRIBUTES);
	return 0;
}

static void
doc_cleanup(void *doc)
{
	xmlFreeDoc(doc);
}

struct _xmlDoc *
xml_parse(struct arena *a, struct str text, size_t depth, struct err *err)
{
	struct parse at = { .err = err,
		.depth = depth && depth < DEFAULT_DEPTH ?
		    depth : DEFAULT_DEPTH };
	xmlParserCtxt *ctxt;
	xmlDoc *doc;

	if (check_bytes(text, &at))
		return NULL;
	ctxt = parser_get();
	if (!ctxt) {
		err_set(err, ERR_LIMIT, "XML: out of memory");
		return NULL;
	}
	ctxt->_private = &at;
	doc = xmlCtxtReadMemory(ctxt, text.n ? text.p : "", (int)text.n, NULL,
	    NULL, PARSE_OPTIONS);
	ctxt->_private = NULL;
	if (!doc || at.failed) {
		note_fault(&at, ERR_SYNTAX, 1, 1, STR("no document"));
		xmlFreeDoc(doc);
		return NULL;
	}
	if (a)
		arena_on_reset(a, doc_cleanup, doc);
	return doc;
}

void
xml_doc_free(struct _xmlDoc **doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
	*doc = NULL;
}

bool
xml_looks_like_element(struct str text)
{
	xmlDoc *doc;
	bool yes;

	text = str_trim(text);
	if (text.n < 4 || text.p[0] != '<' || text.p[text.n - 1] != '>')
		return false;
	doc = xml_parse(NULL, text, 0, NULL);
	yes = doc != NULL;
	xml_doc_free(&doc);
	return yes;
}
