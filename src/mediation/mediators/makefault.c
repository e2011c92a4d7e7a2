/* SPDX-License-Identifier: Apache-2.0 */
/* <makefault version response><code/><reason/><node/><role/><detail/>: the
 * body becomes a SOAP fault, or <Exception>. */
#include "mediation/mediator.h"
#include "msg/xml.h"

#define SOAP11 "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP12 "http://www.w3.org/2003/05/soap-envelope"

enum version { VERSION_11, VERSION_12, VERSION_POX };

/* Text that may be an expression. */
struct words {
	struct str text;
	struct expr *expr;
};

struct makefault {
	enum version version;
	bool response;
	struct words code, reason, detail;
	struct str markup;		/* of detail */
	struct str node, role;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_words(struct med_compile *c, const struct xml_el *el, struct words *w,
    struct err *err)
{
	w->text = xml_attr(el, "value");
	if (med_expr(c, el, "expression", &w->expr, err) < 0)
		return -1;
	if (w->text.p || w->expr)
		return 0;
	return xml_error(el, err, "<%.*s> needs either \"value\" or "
	    "\"expression\"", STR_FMT(xml_name(el)));
}

static bool
is_code(enum version version, struct str name)
{
	static const char *const soap11[] = { "VersionMismatch",
		"MustUnderstand", "Client", "Server", NULL };
	static const char *const soap12[] = { "VersionMismatch",
		"MustUnderstand", "DataEncodingUnknown", "Sender", "Receiver",
		NULL };

	for (const char *const *w = version == VERSION_11 ? soap11 : soap12;
	    *w; w++)
		if (str_is(name, *w))
			return true;
	return false;
}

/* The prefix must stand for SOAP; what is kept is the local name. */
static int
check_code(const struct xml_el *el, struct makefault *n, struct err *err)
{
	struct str text = n->code.text;
	size_t colon = str_find(text, ':');
	struct str uri = colon < text.n ? xml_lookup_ns(el, str_head(text,
	    colon)) : STR_NULL;

	if (n->code.expr)
		return 0;
	n->code.text = str_from(text, colon < text.n ? colon + 1 : 0);
	if (str_is(uri, n->version == VERSION_11 ? SOAP11 : SOAP12) &&
	    is_code(n->version, n->code.text))
		return 0;
	return xml_error(el, err, "Invalid namespace prefix or value '%.*s' "
	    "in code attribute", STR_FMT(text));
}

static int
read_code(struct med_compile *c, const struct xml_el *el,
    struct makefault *n, struct err *err)
{
	const struct xml_el *code = xml_child(el, "code");
	const struct xml_el *reason = xml_child(el, "reason");

	if (reason && read_words(c, reason, &n->reason, err) < 0)
		return -1;
	if (n->version == VERSION_POX)
		return code ? read_words(c, code, &n->code, err) : 0;
	if (!code)
		return xml_error(el, err, "The fault code is a required "
		    "attribute for the makefault mediator unless it is a pox "
		    "fault");
	if (!reason)
		return xml_error(el, err, "The fault reason is a required "
		    "attribute for the makefault mediator unless it is a pox "
		    "fault");
	if (read_words(c, code, &n->code, err) < 0)
		return -1;
	return check_code(code, n, err);
}

static int
read_detail(struct med_compile *c, const struct xml_el *el,
    struct makefault *n, struct err *err)
{
	if (med_expr(c, el, "expression", &n->detail.expr, err) < 0)
		return -1;
	n->markup = xml_inner_markup(el, med_arena(c));
	if (!n->markup.p)
		n->detail.text = str_trim(xml_text(el));
	return 0;
}

static int
read_version(const struct xml_el *el, struct makefault *n, struct err *err)
{
	struct str version = xml_attr(el, "version");

	if (str_is(version, "soap12"))
		n->version = VERSION_12;
	else if (str_is(version, "pox"))
		n->version = VERSION_POX;
	else if (version.p && !str_is(version, "soap11"))
		return xml_error(el, err, "Invalid SOAP version \"%.*s\" "
		    "(soap11, soap12 or pox)", STR_FMT(version));
	return xml_attr_bool(el, "response", true, &n->response, err);
}

static struct str
child_text(const struct xml_el *el, const char *name)
{
	const struct xml_el *k = xml_child(el, name);

	return k ? str_trim(xml_text(k)) : STR_NULL;
}

static int
makefault_compile(struct med_compile *c, const struct xml_el *el,
    void **node, struct err *err)
{
	struct makefault *n = arena_zalloc(med_arena(c), sizeof(*n));
	const struct xml_el *detail = xml_child(el, "detail");

	*node = n;
	if (read_version(el, n, err) < 0 || read_code(c, el, n, err) < 0)
		return -1;
	n->node = child_text(el, "node");
	n->role = child_text(el, "role");
	return detail ? read_detail(c, detail, n, err) : 0;
}

/* ---- exec -------------------------------------------------------------- */

static int
text_of(const struct words *w, struct message *msg, struct str *out,
    struct fault *fault)
{
	*out = w->text;
	return w->expr ? med_expr_string(w->expr, msg, out, fault) : 0;
}

static void
add_element(struct buf *b, const char *name, struct str text)
{
	if (!text.p)
		return;
	buf_printf(b, "<%s>", name);
	xml_escape(b, text);
	buf_printf(b, "</%s>", name);
}

struct parts {
	struct str code, reason, detail;
};

/* Markup stays, text is escaped. */
static void
add_detail(const struct makefault *n, const struct parts *p, struct buf *b)
{
	if (n->markup.p)
		buf_add_str(b, n->markup);
	else if (xml_looks_like_element(p->detail))
		buf_add_str(b, p->detail);
	else
		xml_escape(b, p->detail);
}

static void
compose_11(const struct makefault *n, const struct parts *p, struct buf *b)
{
	buf_addz(b, "<soapenv:Fault xmlns:soapenv=\"" SOAP11 "\"><faultcode>"
	    "soapenv:");
	xml_escape(b, p->code);
	buf_addz(b, "</faultcode>");
	add_element(b, "faultstring", p->reason);
	if (n->role.n)
		add_element(b, "faultactor", n->role);
	if (n->markup.p || p->detail.n) {
		buf_addz(b, "<detail>");
		add_detail(n, p, b);
		buf_addz(b, "</detail>");
	}
	buf_addz(b, "</soapenv:Fault>");
}

static void
compose_12(const struct makefault *n, const struct parts *p, struct buf *b)
{
	buf_addz(b, "<soapenv:Envelope xmlns:soapenv=\"" SOAP12 "\">"
	    "<soapenv:Body><soapenv:Fault><soapenv:Code><soapenv:Value>"
	    "soapenv:");
	xml_escape(b, p->code);
	buf_addz(b, "</soapenv:Value></soapenv:Code><soapenv:Reason>"
	    "<soapenv:Text xml:lang=\"en\">");
	xml_escape(b, p->reason);
	buf_addz(b, "</soapenv:Text></soapenv:Reason>");
	if (n->node.n)
		add_element(b, "soapenv:Node", n->node);
	if (n->role.n)
		add_element(b, "soapenv:Role", n->role);
	if (n->markup.p || p->detail.n) {
		buf_addz(b, "<soapenv:Detail>");
		add_detail(n, p, b);
		buf_addz(b, "</soapenv:Detail>");
	}
	buf_addz(b, "</soapenv:Fault></soapenv:Body></soapenv:Envelope>");
}

static void
compose_pox(const struct makefault *n, const struct parts *p, struct buf *b)
{
	buf_addz(b, "<Exception>");
	if (n->markup.p || p->detail.n)
		add_detail(n, p, b);
	else
		xml_escape(b, p->reason.p ? p->reason : STR(""));
	buf_addz(b, "</Exception>");
}

static const char *
compose(const struct makefault *n, const struct parts *p, struct buf *b)
{
	switch (n->version) {
	case VERSION_11:
		compose_11(n, p, b);
		return "text/xml";
	case VERSION_12:
		compose_12(n, p, b);
		return "application/soap+xml";
	case VERSION_POX:
		break;
	}
	compose_pox(n, p, b);
	return "application/xml";
}

static int
set_body(const struct makefault *n, struct med_run *run, const struct parts *p,
    struct message *msg, struct fault *fault)
{
	struct buf *b = med_scratch(run);
	const char *type = compose(n, p, b);
	struct err err = { 0 };
	struct _xmlDoc *doc = xml_parse(NULL, buf_str(b), 0, &err);

	if (!doc || message_set_xml(msg, doc, &err) < 0)
		return fault_set(fault, FAULT_MEDIATOR, "Unable to build the "
		    "fault: %s", err.text);
	message_set_prop(msg, SCOPE_AXIS2, STR("messageType"),
	    VALUE_OF_STR(str_of(type)));
	return 0;
}

static enum med_next
makefault_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct makefault *n = node;
	struct parts p;

	size_t colon;

	if (text_of(&n->code, msg, &p.code, fault) < 0 ||
	    text_of(&n->reason, msg, &p.reason, fault) < 0 ||
	    text_of(&n->detail, msg, &p.detail, fault) < 0)
		return MED_FAULT;
	colon = str_find(p.code, ':');
	if (colon < p.code.n)
		p.code = str_from(p.code, colon + 1);
	if (set_body(n, run, &p, msg, fault) < 0)
		return MED_FAULT;
	if (n->response) {
		message_set_response(msg, true);
		message_set_addressing(msg, STR("To"),
		    message_addressing(msg, STR("ReplyTo")));
	}
	return MED_NEXT;
}

const struct mediator_type mediator_makefault = {
	.element = "makefault",
	.origin = "FaultMediator",
	.body = MED_BODY_WRITE,
	.compile = makefault_compile,
	.exec = makefault_exec,
};
