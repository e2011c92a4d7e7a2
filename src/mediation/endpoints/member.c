/* SPDX-License-Identifier: Apache-2.0 */
/* <member hostName httpPort httpsPort/> of a group: the message's To address
 * with another host and port. */
#include "mediation/endpoint.h"

struct member {
	struct str host, label;
	int64_t port, tls_port;		/* 0 = none */
};

static int
member_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct member *m = arena_zalloc(med_arena(c), sizeof(*m));

	*node = m;
	m->host = xml_attr(el, "hostName");
	if (str_blank(m->host))
		return xml_error(el, err, "<member> needs the attribute "
		    "\"hostName\"");
	if (xml_attr_int(el, "httpPort", 0, &m->port, err) < 0 ||
	    xml_attr_int(el, "httpsPort", 0, &m->tls_port, err) < 0)
		return -1;
	if (m->port < 0 || m->port > 65535 || m->tls_port < 0 ||
	    m->tls_port > 65535 || (!m->port && !m->tls_port))
		return xml_error(el, err, "<member> needs the attribute "
		    "\"httpPort\" or \"httpsPort\", from 1 to 65535");
	m->label = arena_printf(med_arena(c), "member %.*s:%lld",
	    STR_FMT(m->host), (long long)(m->port ? m->port : m->tls_port));
	return 0;
}

/* "ws" of "ws://a/b?c", and "/b?c"; of "/b" no scheme. */
static struct str
split(struct str to, struct str *path_out)
{
	size_t n = str_search(to, STR("://"));
	struct str rest;

	*path_out = to;
	if (n == to.n)
		return STR("http");
	rest = str_from(to, n + 3);
	*path_out = str_from(rest, str_find(rest, '/'));
	return str_head(to, n);
}

static int
member_address(const void *node, struct message *msg, struct str *uri_out,
    struct fault *fault)
{
	const struct member *m = node;
	struct str path, scheme;
	int64_t port;

	scheme = split(message_addressing(msg, STR("To")), &path);
	port = str_iis(scheme, "https") || str_iis(scheme, "wss")
	    ? m->tls_port : m->port;
	if (!port)
		return fault_set(fault, FAULT_MEDIATOR, "%.*s has no port for "
		    "%.*s", STR_FMT(m->label), STR_FMT(scheme));
	*uri_out = arena_printf(message_arena(msg), "%.*s://%.*s:%lld%s%.*s",
	    STR_FMT(scheme), STR_FMT(m->host), (long long)port,
	    str_starts(path, "/") ? "" : "/", STR_FMT(path));
	return 0;
}

static bool
member_is_dynamic(const void *node UNUSED)
{
	return true;
}

static struct str
member_label(const void *node)
{
	const struct member *m = node;

	return m->label;
}

const struct endpoint_type endpoint_type_member = {
	.element = "member",
	.kind = ENDPOINT_ADDRESS,
	.child_only = true,
	.compile = member_compile,
	.address = member_address,
	.is_dynamic = member_is_dynamic,
	.label = member_label,
};
