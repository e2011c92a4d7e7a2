/* SPDX-License-Identifier: Apache-2.0 */
/* libxml2's XPath engine: its errors, limits, variables and functions. */
#include "msg/expr_xpath.h"

#include <libxml/xmlerror.h>
#include <libxml/xpathInternals.h>
#include <string.h>
#include "base/digest.h"
#include "base/must.h"
#include "base/utf8.h"
#include "msg/json.h"
#include "msg/xml.h"

enum {
	OP_LIMIT = 5000000,	/* steps of one evaluation */
	ARG_MAX_COUNT = 4,	/* no function takes more */
};

/* An evaluation or compilation in progress: userData of the context. */
struct run {
	struct message *m;
	xmlDoc *doc;
	struct err *err;
	const char *trouble;		/* NULL: none so far */
	int column;			/* of it, 0 = unknown */
};

/*
 * One context per process: making one costs more than most evaluations. An
 * expression that is evaluated inside of another one (a template parameter)
 * gets a context of its own.
 */
static struct {
	xmlXPathContext *context;
	xmlDoc *dummy;			/* for those that read no body */
	bool busy;
} engine;

static const char *
trouble_text(int code)
{
	static const char *const texts[] = {
		[XPATH_NUMBER_ERROR] = "bad number",
		[XPATH_UNFINISHED_LITERAL_ERROR] = "quote is not closed",
		[XPATH_START_LITERAL_ERROR] = "expected a quote",
		[XPATH_VARIABLE_REF_ERROR] = "expected the name of a variable",
		[XPATH_UNDEF_VARIABLE_ERROR] = "there is no such variable",
		[XPATH_INVALID_PREDICATE_ERROR] = "bad predicate",
		[XPATH_EXPR_ERROR] = "bad expression",
		[XPATH_UNCLOSED_ERROR] = "a bracket is not closed",
		[XPATH_UNKNOWN_FUNC_ERROR] = "there is no such function",
		[XPATH_INVALID_OPERAND] = "bad operand",
		[XPATH_INVALID_TYPE] = "a value is of the wrong type",
		[XPATH_INVALID_ARITY] = "wrong number of arguments",
		[XPATH_MEMORY_ERROR] = "out of memory",
		[XPATH_UNDEF_PREFIX_ERROR] = "a prefix is not declared",
		[XPATH_ENCODING_ERROR] = "bad UTF-8",
		[XPATH_INVALID_CHAR_ERROR] = "a character XML does not have",
		[XPATH_STACK_ERROR] = "nested too deeply",
#if LIBXML_VERSION >= 20911
		[XPATH_OP_LIMIT_EXCEEDED] = "it takes too many steps",
		[XPATH_RECURSION_LIMIT_EXCEEDED] = "nested too deeply",
#endif
	};
	int i = code - XML_XPATH_EXPRESSION_OK;

	if (i > 0 && (size_t)i < ARRAY_LEN(texts) && texts[i])
		return texts[i];
	return "it cannot be evaluated";
}

static void
on_error(void *ctx, xmlErrorPtr e)
{
	struct run *r = ctx;

	if (!r || r->trouble)
		return;
	r->trouble = trouble_text(e->code);
	r->column = e->str1 ? e->int1 + 1 : 0;
}

/* libxml2 also prints some errors; they come back as results anyway. */
static void
on_print(void *ctx UNUSED, const char *fmt UNUSED, ...)
{
}

/* XML has no bytes that are no UTF-8, and no NUL. */
static xmlXPathObject *
text_object(struct str s, struct arena *arena)
{
	s = arena_str(arena, expr_clean_utf8(s, arena));
	return xmlXPathNewCString(s.p ? s.p : "");
}

static xmlXPathObject *
nodes_object(const struct value *v)
{
	xmlNodeSet *set = xmlXPathNodeSetCreate(NULL);

	for (size_t i = 0; set && i < v->xml.count; i++)
		if (xmlXPathNodeSetAdd(set, v->xml.node[i]) < 0)
			break;
	return xmlXPathWrapNodeSet(set);
}

/* Null is an empty node set: nothing equals it, its text is "". */
static xmlXPathObject *
value_object(const struct value *v, struct arena *arena)
{
	switch (v->type) {
	case VALUE_NULL:
		return xmlXPathWrapNodeSet(xmlXPathNodeSetCreate(NULL));
	case VALUE_BOOL:
		return xmlXPathNewBoolean(v->b);
	case VALUE_SHORT:
	case VALUE_INT:
	case VALUE_LONG:
		return xmlXPathNewFloat((double)v->i);
	case VALUE_FLOAT:
	case VALUE_DOUBLE:
		return xmlXPathNewFloat(v->d);
	case VALUE_XML:
		return nodes_object(v);
	case VALUE_JSON:
		return text_object(expr_json_text(v->json, arena), arena);
	case VALUE_STRING:
	case VALUE_OBJECT:
		return text_object(value_text(v, arena), arena);
	}
	unreachable();
}

static xmlXPathObject *
body_object(struct run *r, const char *name)
{
	xmlNode *node;

	if (strcmp(name, "env") == 0)
		node = xmlDocGetRootElement(r->doc);
	else if (strcmp(name, "header") == 0)
		node = xml_soap_header(r->doc);
	else if (strcmp(name, "body") == 0)
		node = xml_soap_body(r->doc);
	else
		return NULL;
	return xmlXPathWrapNodeSet(xmlXPathNodeSetCreate(node));
}

static xmlXPathObject *
look_up_variable(void *ctx, const xmlChar *name, const xmlChar *uri)
{
	struct run *r = ((xmlXPathContext *)ctx)->userData;
	struct str prefix = str_of((const char *)uri);
	struct value v;

	if (!prefix.p)
		return body_object(r, (const char *)name);
	if (!str_starts(prefix, XP_PREFIX_URI))
		return NULL;
	prefix = str_from(prefix, sizeof(XP_PREFIX_URI) - 1);
	if (expr_variable(r->m, prefix, str_of((const char *)name), &v) == -1)
		return NULL;
	return value_object(&v, message_arena(r->m));
}

/* The arguments as texts in the arena; those past the fourth are dropped. */
static size_t
take_args(xmlXPathParserContext *p, int nargs, struct arena *arena,
    struct str args[ARG_MAX_COUNT])
{
	for (int i = nargs; i-- > 0;) {
		xmlChar *text = xmlXPathPopString(p);

		if (i < ARG_MAX_COUNT)
			args[i] = arena_str(arena,
			    text ? str_of((const char *)text) : STR(""));
		xmlFree(text);
	}
	return (size_t)nargs;
}

static struct run *
run_of(xmlXPathParserContext *p)
{
	return p->context->userData;
}

static void
fail(xmlXPathParserContext *p, const char *trouble)
{
	run_of(p)->trouble = trouble;
	xmlXPathErr(p, XPATH_EXPR_ERROR);
}

static void
push_text(xmlXPathParserContext *p, struct str s)
{
	valuePush(p, text_object(s, message_arena(run_of(p)->m)));
}

static void
call_get_property(xmlXPathParserContext *p, int nargs)
{
	struct run *r = run_of(p);
	struct arena *arena = message_arena(r->m);
	struct str args[ARG_MAX_COUNT];
	size_t n = take_args(p, nargs, arena, args);
	struct value v;

	if (expr_get_property(r->m, args, n, &v, r->err) == -1)
		fail(p, "get-property() cannot be evaluated");
	else
		valuePush(p, value_object(&v, arena));
}

/* One text and perhaps a charset; anything else gives "". */
static bool
take_coded(xmlXPathParserContext *p, int nargs, struct str *text,
    enum expr_charset *charset)
{
	struct str args[ARG_MAX_COUNT];
	size_t n = take_args(p, nargs, message_arena(run_of(p)->m), args);

	*charset = CHARSET_UTF8;
	if (n == 0 || n > 2 || args[0].n == 0) {
		push_text(p, STR(""));
		return false;
	}
	if (n == 2 && !expr_charset_parse(args[1], charset)) {
		fail(p, "unsupported charset");
		return false;
	}
	*text = args[0];
	return true;
}

static void
call_base64_encode(xmlXPathParserContext *p, int nargs)
{
	struct arena *arena = message_arena(run_of(p)->m);
	enum expr_charset charset;
	struct str s;

	if (take_coded(p, nargs, &s, &charset))
		push_text(p, expr_base64_encode(
		    expr_to_charset(s, charset, arena), arena));
}

static void
call_base64_decode(xmlXPathParserContext *p, int nargs)
{
	struct arena *arena = message_arena(run_of(p)->m);
	enum expr_charset charset;
	struct str s;

	if (take_coded(p, nargs, &s, &charset))
		push_text(p, str_trim(expr_from_charset(expr_base64_decode(s,
		    BASE64_LENIENT, arena), charset, arena)));
}

/* What a path and a query may hold as it is, by RFC 2396. */
#define URL_MARKS "-_.!~*'()"
#define URL_PATH URL_MARKS ":@&=$,;/"
#define URL_QUERY URL_MARKS ";/?:@&=+$,"

static void
call_url_encode(xmlXPathParserContext *p, int nargs)
{
	struct arena *arena = message_arena(run_of(p)->m);
	enum expr_charset charset;
	struct str s, path, query;
	size_t mark;

	if (!take_coded(p, nargs, &s, &charset))
		return;
	s = expr_to_charset(s, charset, arena);
	mark = str_find(s, '?');
	path = expr_percent_encode(str_head(s, mark), URL_PATH, arena);
	query = expr_percent_encode(str_from(s, mark + 1), URL_QUERY, arena);
	if (mark < s.n)
		path = arena_printf(arena, "%.*s?%.*s", STR_FMT(path),
		    STR_FMT(query));
	push_text(p, path);
}

static bool
hmac_algorithm(struct str name, enum digest *out)
{
	static const struct {
		const char *name;
		enum digest digest;
	} all[] = {
		{ "HmacMD5", DIGEST_MD5 }, { "HmacSHA1", DIGEST_SHA1 },
		{ "HmacSHA224", DIGEST_SHA224 },
		{ "HmacSHA256", DIGEST_SHA256 },
		{ "HmacSHA384", DIGEST_SHA384 },
		{ "HmacSHA512", DIGEST_SHA512 },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_iis(name, all[i].name)) {
			*out = all[i].digest;
			return true;
		}
	return false;
}

static void
call_hmac(xmlXPathParserContext *p, int nargs)
{
	struct str args[ARG_MAX_COUNT];
	size_t n = take_args(p, nargs, message_arena(run_of(p)->m), args), len;
	enum digest digest = DIGEST_SHA1;
	uint8_t mac[DIGEST_LEN_MAX];
	char hex[DIGEST_LEN_MAX * 2 + 1];

	if (n != 2 && n != 3) {
		push_text(p, STR(""));
		return;
	}
	if ((n == 3 && !hmac_algorithm(args[2], &digest)) || args[1].n == 0 ||
	    !digest_hmac(digest, args[1], args[0], mac, &len)) {
		fail(p, "Error while generating HMAC signature");
		return;
	}
	for (size_t i = 0; i < len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", mac[i]);
	push_text(p, (struct str){ hex, 2 * len });
}

/* By name alone: the prefix may be any. */
static xmlXPathFunction
look_up_function(void *ctx UNUSED, const xmlChar *name,
    const xmlChar *uri UNUSED)
{
	static const struct {
		const char *name;
		xmlXPathFunction call;
	} all[] = {
		{ "get-property", call_get_property },
		{ "base64Encode", call_base64_encode },
		{ "base64Decode", call_base64_decode },
		{ "url-encode", call_url_encode },
		{ "hmac-generate", call_hmac },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (strcmp((const char *)name, all[i].name) == 0)
			return all[i].call;
	return NULL;
}

static xmlXPathContext *
new_context(void)
{
	xmlXPathContext *c = xmlXPathNewContext(NULL);

	must(c);
	xmlXPathRegisterVariableLookup(c, look_up_variable, c);
	xmlXPathRegisterFuncLookup(c, look_up_function, c);
	c->error = on_error;
#if LIBXML_VERSION >= 20911
	c->opLimit = OP_LIMIT;
#endif
	return c;
}

static void
make_engine(void)
{
	xmlNode *root;

	xmlSetGenericErrorFunc(NULL, on_print);
	engine.context = new_context();
	engine.dummy = xmlNewDoc((const xmlChar *)"1.0");
	root = xmlNewDocNode(engine.dummy, NULL, (const xmlChar *)"none", NULL);
	must(engine.dummy && root);
	xmlDocSetRootElement(engine.dummy, root);
}

static xmlXPathContext *
borrow_context(const struct xp *x, struct run *r)
{
	xmlXPathContext *c;

	if (!engine.context)
		make_engine();
	c = engine.busy ? new_context() : engine.context;
	engine.busy = true;
	c->userData = r;
	c->namespaces = x->ns_list;
	c->nsNr = x->ns_count;
	c->contextSize = c->proximityPosition = 1;
#if LIBXML_VERSION >= 20911
	c->opCount = 0;
	c->depth = 0;
#endif
	return c;
}

static void
return_context(xmlXPathContext *c)
{
	c->namespaces = NULL;
	c->nsNr = 0;
	c->doc = NULL;
	c->node = NULL;
	c->userData = NULL;
	if (c == engine.context)
		engine.busy = false;
	else
		xmlXPathFreeContext(c);
}

static void
free_compiled(void *compiled)
{
	xmlXPathFreeCompExpr(compiled);
}

/* Bytes before the first that an XML text cannot have. */
static size_t
text_run(struct str s)
{
	uint32_t code;
	size_t at = 0, n;

	while (at < s.n && s.p[at] != '\0' &&
	    (n = utf8_decode(s.p + at, s.n - at, &code)) > 0)
		at += n;
	return at;
}

int
xp_engine_compile(struct xp *x, struct arena *arena, struct err *err)
{
	struct run r = { .err = err };
	xmlXPathContext *c;
	struct src_pos at = { 0 };

	at.column = (int)text_run(x->source) + 1;
	if ((size_t)at.column <= x->source.n)
		return err_at(err, at, "XPath: bad UTF-8");
	c = borrow_context(x, &r);
	x->compiled = xmlXPathCtxtCompile(c, (const xmlChar *)x->source.p);
	return_context(c);
	if (x->compiled) {
		arena_on_reset(arena, free_compiled, x->compiled);
		return 0;
	}
	at.column = r.column ? r.column : 1;
	return err_at(err, at, "XPath: %s",
	    r.trouble ? r.trouble : "bad expression");
}

static int
evaluation_error(const struct xp *x, const struct run *r, struct err *err)
{
	return err_set(err, ERR_VALUE, "Evaluation of the XPath expression "
	    "%.*s resulted in an error: %s", STR_FMT(x->source),
	    r->trouble ? r->trouble : "it cannot be evaluated");
}

xmlXPathObject *
xp_engine_run(const struct xp *x, struct message *m, struct err *err)
{
	struct run r = { .m = m, .err = err };
	xmlXPathContext *c;
	xmlXPathObject *o;

	if (x->reads_body && message_envelope(m, &r.doc, err) == -1)
		return NULL;
	c = borrow_context(x, &r);
	if (!r.doc)
		r.doc = engine.dummy;
	c->doc = r.doc;
	c->node = xmlDocGetRootElement(r.doc);
	o = xmlXPathCompiledEval(x->compiled, c);
	return_context(c);
	if (o && !r.trouble)
		return o;
	xmlXPathFreeObject(o);
	(void)evaluation_error(x, &r, err);
	return NULL;
}
