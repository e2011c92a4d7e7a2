/* SPDX-License-Identifier: Apache-2.0 */
/* <http uri-template method/>: RFC 6570 with {uri.var.X}, {query.param.X} and
 * {${expression}}. */
#include "mediation/endpoint.h"

struct piece {
	struct str text;		/* literal, when names is 0 */
	char op;			/* RFC 6570 operator, or 0 */
	struct str *name;
	size_t names;
	struct expr *expr;
};

struct http {
	struct str uri, method;
	const struct piece *piece;
	size_t count;
	bool dynamic;
	bool whole;		/* exactly {uri.var.X}: a complete address */
};

/* ---- compile ----------------------------------------------------------- */

static int
read_names(struct med_compile *c, const struct xml_el *el, struct str inner,
    struct piece *p, struct err *err)
{
	struct str part;

	if (inner.n && strchr("+#./;?&", inner.p[0])) {
		p->op = inner.p[0];
		inner = str_from(inner, 1);
	}
	p->name = arena_alloc(med_arena(c), (inner.n + 1) * sizeof(*p->name));
	while (str_next(&inner, ',', &part)) {
		part = str_trim(part);
		if (!part.n)
			return xml_error(el, err, "attribute \"uri-template\" "
			    "has an empty name in { }");
		p->name[p->names++] = part;
	}
	return 0;
}

/* Length of what is between { and }, or "${...}" between { and }. */
static bool
inner_length(struct str rest, size_t *out)
{
	size_t end;

	if (str_starts(rest, "{${")) {
		end = str_search(rest, STR("}}"));
		*out = end;
		return end < rest.n;
	}
	end = str_find(rest, '}');
	*out = end - 1;
	return end < rest.n;
}

static int
read_piece(struct med_compile *c, const struct xml_el *el, struct str *rest,
    struct piece *p, struct err *err)
{
	size_t n = str_find(*rest, '{');
	struct str inner;

	if (n > 0) {
		p->text = str_head(*rest, n);
		*rest = str_from(*rest, n);
		return 0;
	}
	if (!inner_length(*rest, &n))
		return xml_error(el, err, "attribute \"uri-template\" has a { "
		    "without }");
	inner = str_head(str_from(*rest, 1), n);
	*rest = str_from(*rest, n + 2);
	if (!str_starts(inner, "${"))
		return read_names(c, el, inner, p, err);
	p->expr = med_expr_text(c, el, "attribute 'uri-template'", inner,
	    err);
	return p->expr ? 0 : -1;
}

static int
read_template(struct med_compile *c, const struct xml_el *el, struct http *h,
    struct err *err)
{
	struct str rest = h->uri;
	struct piece *all;

	all = arena_zalloc(med_arena(c), (rest.n + 1) * sizeof(*all));
	h->piece = all;
	while (rest.n) {
		struct piece *p = &all[h->count++];

		if (read_piece(c, el, &rest, p, err) < 0)
			return -1;
		h->dynamic |= p->names > 0 || p->expr;
	}
	h->whole = h->count == 1 && all[0].names == 1 && !all[0].op;
	return 0;
}

static int
http_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct http *h = arena_zalloc(med_arena(c), sizeof(*h));
	const struct xml_el *auth = xml_child(el, "authentication");

	*node = h;
	h->uri = xml_attr(el, "uri-template");
	/* How variables were encoded once; here there is one way. */
	if (str_starts(h->uri, "legacy-encoding:"))
		h->uri = str_from(h->uri, 16);
	h->method = xml_attr(el, "method");
	if (auth) {
		xml_error(auth, err, "not supported: <authentication> of an "
		    "http endpoint");
		err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	if (str_blank(h->uri))
		return xml_error(el, err, "Invalid http endpoint: the "
		    "attribute \"uri-template\" is required");
	if (read_template(c, el, h, err) < 0)
		return -1;
	return h->dynamic ? 0 : endpoint_check_uri(c, el, h->uri, err);
}

/* ---- for a message ----------------------------------------------------- */

static bool
unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || strchr("-._~", c);
}

static void
add_encoded(struct buf *b, struct str s, bool keep_reserved)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c && (unreserved(c) ||
		    (keep_reserved && strchr(":/?#[]@!$&'()*+,;=%", c))))
			buf_putc(b, c);
		else
			buf_printf(b, "%%%02X", (unsigned char)c);
	}
}

static void
add_names(struct buf *b, const struct piece *p, struct message *msg)
{
	bool named = p->op == '?' || p->op == '&' || p->op == ';';
	bool reserved = p->op == '+' || p->op == '#';
	char sep = ',';
	bool first = true;

	if (named)
		sep = p->op == ';' ? ';' : '&';
	else if (p->op == '.' || p->op == '/')
		sep = p->op;
	for (size_t i = 0; i < p->names; i++) {
		struct str value = message_prop_text(msg, SCOPE_DEFAULT,
		    p->name[i]);

		if (!value.p)
			continue;
		if (!first)
			buf_putc(b, sep);
		else if (p->op && p->op != '+')
			buf_putc(b, p->op);
		first = false;
		if (named) {
			buf_add_str(b, p->name[i]);
			buf_putc(b, '=');
		}
		add_encoded(b, value, reserved);
	}
}

static int
add_piece(struct buf *b, const struct piece *p, struct message *msg,
    struct fault *fault)
{
	struct str text = p->text;

	if (p->names) {
		add_names(b, p, msg);
		return 0;
	}
	if (p->expr && med_expr_string(p->expr, msg, &text, fault) < 0)
		return -1;
	buf_add_str(b, text.p ? text : STR(""));
	return 0;
}

static int
expand(const struct http *h, struct message *msg, struct buf *b,
    struct fault *fault)
{
	if (h->whole) {
		buf_add_str(b, message_prop_text(msg, SCOPE_DEFAULT,
		    h->piece[0].name[0]));
		return 0;
	}
	for (size_t i = 0; i < h->count; i++)
		if (add_piece(b, &h->piece[i], msg, fault) < 0)
			return -1;
	return 0;
}

static int
http_address(const void *node, struct message *msg, struct str *uri_out,
    struct fault *fault)
{
	const struct http *h = node;
	struct buf b = { 0 };
	int result;

	*uri_out = h->uri;
	if (!h->dynamic)
		return 0;
	result = expand(h, msg, &b, fault);
	if (result == 0 && buf_len(&b) == 0)
		result = fault_set(fault, FAULT_MEDIATOR, "the endpoint "
		    "address %.*s is empty for this message",
		    STR_FMT(h->uri));
	*uri_out = arena_str(message_arena(msg), buf_str(&b));
	buf_fini(&b);
	return result;
}

static void
http_apply(const void *node, struct message *msg)
{
	const struct http *h = node;

	if (h->method.n)
		message_set_prop(msg, SCOPE_AXIS2, STR("HTTP_METHOD"),
		    VALUE_OF_STR(h->method));
}

static bool
http_is_dynamic(const void *node)
{
	const struct http *h = node;

	return h->dynamic;
}

static struct str
http_label(const void *node)
{
	const struct http *h = node;

	return h->uri;
}

const struct endpoint_type endpoint_type_http = {
	.element = "http",
	.kind = ENDPOINT_HTTP,
	.compile = http_compile,
	.address = http_address,
	.apply = http_apply,
	.is_dynamic = http_is_dynamic,
	.label = http_label,
};
