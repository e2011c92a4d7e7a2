/* SPDX-License-Identifier: Apache-2.0 */
/* <payloadFactory media-type><format/><args><arg/>*</args></payloadFactory>: a
 * new body from a template. */
#include "mediation/mediators/payload_template.h"
#include "msg/freemarker.h"
#include "msg/xml.h"

struct payload {
	struct payload_style style;
	struct med_value *key;		/* NULL: inline */
	bool is_freemarker;
	struct payload_template tpl;	/* when it is known at load */
	struct freemarker *freemarker;	/* the same, of the other kind */
	bool ready;			/* one of them is */
	const struct payload_arg *arg;
	size_t args;
	struct expr_scope scope;	/* for a template that comes later */
};

/* ---- compile ----------------------------------------------------------- */

static int
read_media(const struct xml_el *el, struct payload *p, struct err *err)
{
	struct str media = xml_attr(el, "media-type");
	struct str type = xml_attr(el, "template-type");

	if (!media.p || str_iis(media, "xml"))
		p->style.media = PAYLOAD_XML;
	else if (str_iis(media, "json"))
		p->style.media = PAYLOAD_JSON;
	else if (str_iis(media, "text"))
		p->style.media = PAYLOAD_TEXT;
	else
		return xml_error(el, err, "attribute \"media-type\" must be "
		    "xml, json or text, not \"%.*s\"", STR_FMT(media));
	p->is_freemarker = str_iis(type, "freemarker");
	if (type.p && !p->is_freemarker && !str_iis(type, "default"))
		return xml_error(el, err, "attribute \"template-type\" must "
		    "be default or FREEMARKER, not \"%.*s\"", STR_FMT(type));
	return xml_attr_bool(el, "escapeXmlChars", false,
	    &p->style.escape_xml, err);
}

static int
read_arg_expr(struct med_compile *c, const struct xml_el *el,
    struct payload_arg *a, struct str text, struct err *err)
{
	struct str evaluator = xml_attr(el, "evaluator");

	if (evaluator.p && !str_is(evaluator, "xml") &&
	    !str_is(evaluator, "json"))
		return xml_error(el, err, "attribute \"evaluator\" must be "
		    "xml or json, not \"%.*s\"", STR_FMT(evaluator));
	if (str_is(evaluator, "json") && !str_starts(text, "json-eval("))
		a->expr = med_expr_as(c, el, "attribute 'expression'",
		    EXPR_JSONPATH, text, err);
	else
		a->expr = med_expr_text(c, el, "attribute 'expression'",
		    text, err);
	return a->expr ? 0 : -1;
}

/* A constant is escaped for XML whatever the media type is, unless it is
 * markup (mediation.md 0 rule 9). */
static void
set_constant(struct med_compile *c, struct payload_arg *a, struct str text)
{
	struct buf b = { 0 };

	a->constant_kind = payload_kind_of(text, false);
	a->constant = text;
	if (a->constant_kind == ARG_TEXT) {
		xml_escape(&b, text);
		a->constant = arena_str(med_arena(c), buf_str(&b));
		buf_fini(&b);
	}
	if (a->literal)
		a->constant_kind = ARG_LITERAL;
}

static int
read_arg(struct med_compile *c, const struct xml_el *el,
    struct payload_arg *a, struct err *err)
{
	struct str value = xml_attr(el, "value");
	struct str expression = xml_attr(el, "expression");

	if (xml_attr_bool(el, "literal", false, &a->literal, err) < 0)
		return -1;
	if (value.p) {
		(void)xml_attr(el, "evaluator");
		set_constant(c, a, value);
		return 0;
	}
	if (expression.n)
		return read_arg_expr(c, el, a, expression, err);
	return xml_error(el, err, "Unsupported arg: either the 'value' or the "
	    "'expression' attribute is required for each <arg> of a "
	    "payloadFactory mediator");
}

static int
read_args(struct med_compile *c, const struct xml_el *el, struct payload *p,
    struct err *err)
{
	const struct xml_el *args = xml_child(el, "args");
	struct payload_arg *all;
	size_t n = 0;

	if (!args)
		return 0;
	for (const struct xml_el *k = xml_child(args, "arg"); k;
	    k = xml_next(k))
		n++;
	all = arena_zalloc(med_arena(c), n * sizeof(*all));
	p->arg = all;
	for (const struct xml_el *k = xml_child(args, "arg"); k;
	    k = xml_next(k))
		if (read_arg(c, k, &all[p->args++], err) < 0)
			return -1;
	return 0;
}

static int
compile_freemarker(struct med_compile *c, const struct xml_el *el,
    struct payload *p, struct str text, struct err *err)
{
	p->ready = true;
	p->freemarker = freemarker_compile(med_arena(c), text, err);
	if (!p->freemarker) {
		struct err inner = *err;

		xml_error(el, err, "Error parsing FreeMarking template : in "
		    "line %d, column %d: %s", inner.at.line, inner.at.column,
		    inner.text);
		err->kind = inner.kind;
		return -1;
	}
	if (freemarker_reads_body(p->freemarker))
		med_reaches_body(c, MED_BODY_READ);
	return 0;
}

static int
compile_text(struct med_compile *c, const struct xml_el *el,
    struct payload *p, struct str text, struct err *err)
{
	if (p->is_freemarker)
		return compile_freemarker(c, el, p, text, err);
	p->ready = true;
	if (payload_template_compile(med_arena(c), text, p->args, &p->scope,
	    &p->tpl, err) < 0) {
		struct err inner = *err;

		return xml_error(el, err, "<format>: %s", inner.text);
	}
	if (p->tpl.cut_short)
		med_warn(c, el, "<format> uses a $n that has no <arg>: from "
		    "there on it is copied as it stands");
	if (payload_template_reads_body(&p->tpl))
		med_reaches_body(c, MED_BODY_READ);
	return 0;
}

static int
read_format(struct med_compile *c, const struct xml_el *el,
    struct payload *p, struct err *err)
{
	const struct xml_el *format = xml_child(el, "format");
	struct str key, text = STR_NULL, name;

	if (!format)
		return xml_error(el, err, "format element of "
		    "payloadFactoryMediator is required");
	key = xml_attr(format, "key");
	med_scope(c, format, &p->scope);
	if (key.p) {
		if (med_value(c, format, "key", &p->key, err) < 0)
			return -1;
		if (!med_value_is_constant(p->key, &name) ||
		    !med_entry(c, name, &text, err))
			return 0;
		return compile_text(c, format, p, text, err);
	}
	if (p->style.media == PAYLOAD_XML)
		text = xml_inner_markup_stripped(format, med_arena(c));
	if (!text.p)
		text = xml_text(format);
	return compile_text(c, format, p, text, err);
}

static int
payload_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct payload *p = arena_zalloc(med_arena(c), sizeof(*p));

	*node = p;
	if (read_media(el, p, err) < 0 || read_args(c, el, p, err) < 0)
		return -1;
	return read_format(c, el, p, err);
}

/* ---- exec -------------------------------------------------------------- */

/* The text of a template whose key is known, or exists, only now. */
static int
text_of(const struct payload *p, struct message *msg, struct str *out,
    struct fault *fault)
{
	const struct msg_context *c = message_context(msg);
	struct str key;

	if (med_value_string(p->key, msg, &key, fault) < 0)
		return -1;
	if (!key.p || !c->entry || !c->entry(c->entry_ctx, key,
	    message_arena(msg), out))
		return fault_set(fault, FAULT_MEDIATOR, "Key %.*s not found",
		    STR_FMT(key));
	return 0;
}

static int
template_of(const struct payload *p, struct message *msg,
    struct payload_template *out, struct fault *fault)
{
	struct err err = { 0 };
	struct str text;

	if (p->ready) {
		*out = p->tpl;
		return 0;
	}
	if (text_of(p, msg, &text, fault) < 0)
		return -1;
	if (payload_template_compile(message_arena(msg), text, p->args,
	    &p->scope, out, &err) < 0)
		return med_fault_from(fault, &err);
	return 0;
}

static int
set_xml(struct message *msg, struct str text, struct fault *fault)
{
	struct str type = message_prop_text(msg, SCOPE_AXIS2,
	    STR("messageType"));
	struct err err = { 0 };
	struct _xmlDoc *doc;

	if (!text.n) {
		message_set_empty(msg);
	} else {
		doc = xml_parse(NULL, text, 0, &err);
		if (!doc || message_set_xml(msg, doc, &err) < 0)
			return fault_set(fault, FAULT_MEDIATOR,
			    "Error occurred while creating the payload: %s",
			    err.text);
	}
	if (!str_is(type, "text/xml") && !str_is(type, "application/soap+xml"))
		message_set_prop(msg, SCOPE_AXIS2, STR("messageType"),
		    VALUE_OF_STR(STR("application/xml")));
	return 0;
}

/* A body of JSON is not looked at beyond its first character. */
static int
set_json(struct message *msg, struct str text, struct fault *fault)
{
	if (text.n && !strchr("{[\"tfn-0123456789", text.p[0]))
		return fault_set(fault, FAULT_MEDIATOR,
		    "Payload is not a JSON string");
	message_set_json_text(msg, text);
	message_set_prop(msg, SCOPE_AXIS2, STR("messageType"),
	    VALUE_OF_STR(STR("application/json")));
	return 0;
}

static int
set_body(const struct payload *p, struct message *msg, struct str text,
    struct fault *fault)
{
	switch (p->style.media) {
	case PAYLOAD_XML:
		return set_xml(msg, text, fault);
	case PAYLOAD_JSON:
		return set_json(msg, text, fault);
	case PAYLOAD_TEXT:
		break;
	}
	message_set_text(msg, text);
	message_set_prop(msg, SCOPE_AXIS2, STR("messageType"),
	    VALUE_OF_STR(STR("text/plain")));
	return 0;
}

static int
fill_default(const struct payload *p, const struct payload_style *style,
    struct med_run *run, struct message *msg, struct buf *b,
    struct fault *fault)
{
	struct payload_template tpl;

	if (template_of(p, msg, &tpl, fault) < 0)
		return -1;
	if (UNLIKELY(tpl.cut_short))
		med_log(run, LOG_L_ERROR, STR("the template uses a $n that has "
		    "no argument; from there on it is copied as it stands"));
	return payload_template_fill(&tpl, style, p->arg, msg, b, fault);
}

static int
freemarker_of(const struct payload *p, struct message *msg,
    const struct freemarker **out, struct fault *fault)
{
	struct err err = { 0 };
	struct str text;

	*out = p->freemarker;
	if (p->ready)
		return 0;
	if (text_of(p, msg, &text, fault) < 0)
		return -1;
	*out = freemarker_compile(message_arena(msg), text, &err);
	if (!*out)
		return fault_set(fault, FAULT_MEDIATOR, "Error parsing "
		    "FreeMarking template : in line %d, column %d: %s",
		    err.at.line, err.at.column, err.text);
	return 0;
}

static int
fill_freemarker(const struct payload *p, const struct payload_style *style,
    struct message *msg, struct buf *b, struct fault *fault)
{
	struct arena *a = message_arena(msg);
	struct str *arg = arena_alloc(a, (p->args + 1) * sizeof(*arg));
	struct freemarker_data data = { .msg = msg, .arg = arg,
	    .args = p->args };
	const struct freemarker *f;
	struct err err = { 0 };

	if (freemarker_of(p, msg, &f, fault) < 0)
		return -1;
	for (size_t i = 0; i < p->args; i++) {
		if (payload_arg_fill(&p->arg[i], style, msg, b, fault) < 0)
			return -1;
		arg[i] = arena_str(a, buf_str(b));
		buf_truncate(b, 0);
	}
	if (freemarker_run(f, &data, b, &err) == 0)
		return 0;
	if (err.kind == ERR_SYNTAX)
		return med_fault_body(fault, &err);
	return fault_set(fault, FAULT_MEDIATOR, "Error parsing FreeMarking "
	    "template: %s", err.text);
}

static enum med_next
payload_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct payload *p = node;
	struct payload_style style = p->style;
	struct buf *b = med_scratch(run);
	struct str text;
	int filled;

	style.quote = style.media == PAYLOAD_JSON && str_iis(message_prop_text(
	    msg, SCOPE_DEFAULT, STR("QUOTE_STRING_IN_PAYLOAD_FACTORY_JSON")),
	    "true");
	filled = p->is_freemarker ?
	    fill_freemarker(p, &style, msg, b, fault) :
	    fill_default(p, &style, run, msg, b, fault);
	if (filled < 0)
		return MED_FAULT;
	text = arena_str(message_arena(msg), str_trim(buf_str(b)));
	if (set_body(p, msg, text, fault) < 0)
		return MED_FAULT;
	message_del_prop(msg, SCOPE_AXIS2, STR("NO_ENTITY_BODY"));
	return MED_NEXT;
}

const struct mediator_type mediator_payloadFactory = {
	.element = "payloadFactory",
	.origin = "PayloadFactoryMediator",
	.body = MED_BODY_WRITE,
	.compile = payload_compile,
	.exec = payload_exec,
};
