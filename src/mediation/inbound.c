/* SPDX-License-Identifier: Apache-2.0 */
/* <inboundEndpoint>: attributes and parameters of websocket.md 2, with MI's
 * words where it has some. */
#include "mediation/inbound.h"

#include <stdlib.h>

#include "base/must.h"
#include "mediation/compile.h"

enum { DEFAULT_SHUTDOWN_CODE = 1001, MAX_REASON = 123 };

/* What is known of one while its set is loaded. */
struct loading {
	struct med_inbound in;		/* must be first */
	struct med_compile *c;
	const struct sequence_ref *sequence, *on_error, *outflow,
	    *outflow_fault, *on_connect, *on_disconnect;
	int64_t port;
	bool has_port, use_offset;
	bool key_store, key_pass, trust_store, trust_pass;
};

typedef int set_fn(struct loading *, const struct xml_el *, struct str,
    struct err *);

/* ---- parameters -------------------------------------------------------- */

static bool
is_true(struct str s)
{
	return str_iis(s, "true");
}

static int
set_port(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	if (!str_to_i64(v, &l->port) || l->port < 0 || l->port > 65535)
		return xml_error(el, err, "Validation failed for the port "
		    "parameter %.*s", STR_FMT(v));
	l->has_port = true;
	return 0;
}

static int
set_broadcast(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	int64_t n = 0;

	if (!str_blank(v) && !str_to_i64(v, &n))
		return xml_error(el, err, "Validation failed. Broadcast level "
		    "parameter should not contain any special characters");
	if (n < 0 || n > 2)
		return xml_error(el, err, "Validation failed. Unknown client "
		    "broadcast level.");
	l->in.broadcast = (enum inbound_broadcast)n;
	return 0;
}

static int
set_outflow(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err UNUSED)
{
	l->in.outflow_name = v;
	if (v.n)
		l->outflow = med_sequence_ref(l->c, el, v);
	return 0;
}

static int
set_outflow_fault(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err UNUSED)
{
	l->in.outflow_fault_name = v;
	if (v.n)
		l->outflow_fault = med_sequence_ref(l->c, el, v);
	return 0;
}

static int
set_on_connect(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err UNUSED)
{
	if (v.n)
		l->on_connect = med_sequence_ref(l->c, el, v);
	return 0;
}

static int
set_on_disconnect(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err UNUSED)
{
	if (v.n)
		l->on_disconnect = med_sequence_ref(l->c, el, v);
	return 0;
}

/* Pools of threads: there are none, but the value must still be one. */
static int
set_threads(struct loading *l UNUSED, const struct xml_el *el, struct str v,
    struct err *err)
{
	int64_t n;

	if (str_blank(v) || str_to_i64(v, &n))
		return 0;
	return xml_error(el, err, "parameter \"%.*s\" must be a whole number, "
	    "not \"%.*s\"", STR_FMT(xml_attr(el, "name")), STR_FMT(v));
}

static int
java_class(const struct xml_el *el, struct str name, struct err *err)
{
	xml_error(el, err, "not supported: the Java class %.*s (parameter "
	    "\"%.*s\")", STR_FMT(name), STR_FMT(xml_attr(el, "name")));
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static int
set_subprotocols(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	struct str part;

	while (str_next(&v, ';', &part)) {
		part = str_trim(part);
		if (str_ends(part, "EchoSubprotocolHandler"))
			l->in.echo_handler = true;
		else if (part.n)
			return java_class(el, part, err);
	}
	return 0;
}

static int
set_pipeline(struct loading *l UNUSED, const struct xml_el *el, struct str v,
    struct err *err)
{
	return str_blank(v) ? 0 : java_class(el, v, err);
}

static int
set_offset(struct loading *l, const struct xml_el *el UNUSED, struct str v,
    struct err *err UNUSED)
{
	l->use_offset = is_true(v);
	return 0;
}

static int
set_content_type(struct loading *l, const struct xml_el *el UNUSED,
    struct str v, struct err *err UNUSED)
{
	l->in.default_content_type = str_blank(v) ? STR_NULL : v;
	return 0;
}

/* Codes that may stand in a Close frame (RFC 6455 section 7.4). */
static bool
may_be_sent(int64_t code)
{
	if (code >= 3000 && code <= 4999)
		return true;
	return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 &&
	    code != 1006;
}

static int
set_shutdown_code(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err UNUSED)
{
	int64_t code;

	l->in.shutdown_code = DEFAULT_SHUTDOWN_CODE;
	if (str_to_i64(v, &code) && may_be_sent(code))
		l->in.shutdown_code = (unsigned)code;
	else
		diag_warn(l->c->diag, xml_pos(el), "\"%.*s\" is no close code "
		    "that may be sent; using %d", STR_FMT(v),
		    DEFAULT_SHUTDOWN_CODE);
	return 0;
}

static int
set_shutdown_reason(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	if (v.n > MAX_REASON)
		return xml_error(el, err, "a close reason may have at most %d "
		    "bytes; this one has %zu", MAX_REASON, v.n);
	l->in.shutdown_reason = v;
	return 0;
}

static int
set_custom(struct loading *l, const struct xml_el *el UNUSED, struct str v,
    struct err *err UNUSED)
{
	l->in.dispatch_custom = is_true(v);
	return 0;
}

static int
set_nothing(struct loading *l UNUSED, const struct xml_el *el UNUSED,
    struct str v UNUSED, struct err *err UNUSED)
{
	return 0;
}

static int
one_of(const struct xml_el *el, struct str v, const char *words,
    struct err *err)
{
	return xml_error(el, err, "parameter \"%.*s\" must be %s, not "
	    "\"%.*s\"", STR_FMT(xml_attr(el, "name")), words, STR_FMT(v));
}

static int
set_path(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	if (!v.n || v.p[0] != '/' || str_find(v, '?') < v.n ||
	    str_find(str_head(v, v.n - 1), '*') < v.n - 1 ||
	    (v.p[v.n - 1] == '*' && !str_ends(v, "/*")))
		return one_of(el, v, "a path that begins with / or a prefix "
		    "that ends in /*", err);
	l->in.path_is_prefix = str_ends(v, "/*");
	l->in.path = str_head(v, v.n - l->in.path_is_prefix);
	return 0;
}

static int
set_backend_close(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	if (str_is(v, "propagate"))
		l->in.backend_close = BACKEND_PROPAGATE;
	else if (str_is(v, "reconnect"))
		l->in.backend_close = BACKEND_RECONNECT;
	else
		return one_of(el, v, "\"reconnect\" or \"propagate\"", err);
	return 0;
}

static int
set_lifecycle(struct loading *l, const struct xml_el *el, struct str v,
    struct err *err)
{
	if (is_true(v))
		l->in.lifecycle = LIFECYCLE_ON;
	else if (str_iis(v, "false"))
		l->in.lifecycle = LIFECYCLE_OFF;
	else
		return one_of(el, v, "\"true\" or \"false\"", err);
	return 0;
}

static int
set_verify(struct loading *l UNUSED, const struct xml_el *el, struct str v,
    struct err *err)
{
	if (str_is(v, "require") || str_is(v, "optional") || str_is(v, "none"))
		return 0;
	return one_of(el, v, "\"require\", \"optional\" or \"none\"", err);
}

static int
set_key_store(struct loading *l, const struct xml_el *el UNUSED, struct str v,
    struct err *err UNUSED)
{
	l->key_store = v.n > 0;
	return 0;
}

static int
set_key_pass(struct loading *l, const struct xml_el *el UNUSED, struct str v,
    struct err *err UNUSED)
{
	l->key_pass = v.n > 0;
	return 0;
}

static int
set_trust_store(struct loading *l, const struct xml_el *el UNUSED,
    struct str v, struct err *err UNUSED)
{
	l->trust_store = v.n > 0;
	return 0;
}

static int
set_trust_pass(struct loading *l, const struct xml_el *el UNUSED,
    struct str v, struct err *err UNUSED)
{
	l->trust_pass = v.n > 0;
	return 0;
}

static const struct {
	const char *name;
	set_fn *set;
} params[] = {
#define PARAMETER(name, set, type, dflt, doc) { name, set },
#include "mediation/parameters.def"
#undef PARAMETER
};

/* ---- values (websocket.md 2.2) ----------------------------------------- */

static int
unresolved(const struct xml_el *el, struct str v, struct err *err)
{
	xml_error(el, err, "not supported: the value %.*s (plain text, "
	    "$SYSTEM:NAME and key= are)", STR_FMT(v));
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static int
from_system(const struct loading *l, const struct xml_el *el, struct str v,
    struct str *out, struct err *err)
{
	const char *name = arena_str(l->c->scratch, str_from(v, 8)).p;
	const char *value = getenv(name);

	if (!value)
		return xml_error(el, err, "System property or environment "
		    "variable %s is not set", name);
	*out = arena_str(l->c->set->arena, str_of(value));
	return 0;
}

static int
param_value(const struct loading *l, const struct xml_el *el, struct str *out,
    struct err *err)
{
	struct str key = xml_attr(el, "key"), v;

	if (key.p)
		return entry_find(l->c, key, out, err);
	v = xml_inner_markup(el, l->c->set->arena);
	if (!v.p)
		v = xml_text(el);
	*out = v;
	if (str_starts(v, "$SYSTEM:"))
		return from_system(l, el, v, out, err);
	if (str_starts(v, "$FILE:") || str_starts(v, "${configs.") ||
	    str_starts(v, "$CUSTOM_") || str_starts(v, "$secret{") ||
	    str_search(v, STR(":vault-lookup('")) < v.n)
		return unresolved(el, v, err);
	return 0;
}

static void
unknown_param(const struct loading *l, const struct xml_el *el,
    struct str name)
{
	const char *names[ARRAY_LEN(params) + 1] = { 0 };
	const char *near;

	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		names[i] = params[i].name;
	near = str_nearest(name, names);
	diag_warn(l->c->diag, xml_pos(el), "parameter \"%.*s\" is unknown and "
	    "ignored%s%s%s", STR_FMT(name), near ? "; did you mean \"" : "",
	    near ? near : "", near ? "\"?" : "");
}

static int
set_param(struct loading *l, const struct xml_el *el, struct err *err)
{
	struct str name = xml_attr(el, "name"), value;

	if (!name.n)
		return xml_error(el, err, "<parameter> needs the attribute "
		    "\"name\"");
	if (param_value(l, el, &value, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		if (str_is(name, params[i].name))
			return params[i].set(l, el, value, err);
	unknown_param(l, el, name);
	return 0;
}

static void
report_at(struct loading *l, const struct xml_el *el, struct err *err)
{
	if (!err->at.file)
		err->at = xml_pos(el);
	med_report(l->c, err);
}

/* The last one of a name wins, so an earlier one is not even looked at. */
static bool
is_last(const struct xml_el *el)
{
	struct str name = xml_attr(el, "name");

	for (el = xml_next(el); el; el = xml_next(el))
		if (name.p && str_eq(xml_attr(el, "name"), name))
			return false;
	return true;
}

static void
read_params(struct loading *l, const struct xml_el *el)
{
	const struct xml_el *all = xml_child(el, "parameters");
	const struct xml_el *k = all ? xml_child(all, "parameter") : NULL;

	for (; k; k = xml_next(k)) {
		struct err err = { 0 };

		if (!is_last(k)) {
			xml_mark_opaque(k);
			continue;
		}
		if (set_param(l, k, &err) < 0)
			report_at(l, k, &err);
	}
}

/* ---- attributes -------------------------------------------------------- */

static int
unsupported(const struct xml_el *el, struct err *err, const char *what,
    struct str name)
{
	xml_error(el, err, "not supported: %s %.*s (wsgw has the protocol ws)",
	    what, STR_FMT(name));
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static int
read_protocol(struct loading *l, const struct xml_el *el, struct err *err)
{
	static const char *const others[] = { "httpws", "httpswss", "jms",
		"file", "http", "https", "hl7", "kafka", "mqtt", "rabbitmq",
		"grpc" };
	struct str protocol = xml_attr(el, "protocol");
	struct str class = xml_attr(el, "class");

	l->in.protocol = str_is(protocol, "wss") ? INBOUND_WSS : INBOUND_WS;
	if (str_is(protocol, "ws") || str_is(protocol, "wss"))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_is(protocol, others[i]))
			return unsupported(el, err, "inbound protocol",
			    protocol);
	if (protocol.p)
		return xml_error(el, err, "Protocol or Class should be "
		    "specified. \"%.*s\" is no inbound protocol; wsgw has ws",
		    STR_FMT(protocol));
	if (class.p)
		return unsupported(el, err, "the Java inbound endpoint class",
		    class);
	return xml_error(el, err, "Protocol or Class should be specified. "
	    "(attribute \"protocol\")");
}

static void
read_sequences(struct loading *l, const struct xml_el *el)
{
	struct str name = xml_attr(el, "sequence");

	if (name.n)
		l->sequence = med_sequence_ref(l->c, el, name);
	name = xml_attr(el, "onError");
	if (name.n)
		l->on_error = med_sequence_ref(l->c, el, name);
}

static int
check_wss(struct loading *l, const struct xml_el *el, struct err *err)
{
	if (!l->key_store || !l->key_pass)
		return xml_error(el, err, "keyStoreFile or keyStorePass not "
		    "defined (parameters wss.ssl.key.store.file and "
		    "wss.ssl.key.store.pass)");
	if (l->trust_store && !l->trust_pass)
		return xml_error(el, err, "trustStorePass not defined "
		    "(parameter wss.ssl.trust.store.pass)");
	xml_error(el, err, "wss needs TLS, which this version does not have");
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static int
check(struct loading *l, const struct xml_el *el, struct err *err)
{
	const struct xml_el *handlers = xml_child(el, "handlers");
	int64_t port = l->port;

	if (handlers) {
		xml_mark_opaque(handlers);
		return unsupported(handlers, err, "Java message handlers",
		    STR(""));
	}
	if (!l->has_port)
		return xml_error(el, err, "Validation failed for the port "
		    "parameter null (parameter inbound.ws.port)");
	if (l->use_offset && port > 0)
		port += l->c->config->port_offset;
	if (port < 0 || port > 65535)
		return xml_error(el, err, "Validation failed for the port "
		    "parameter %lld (with the port offset)", (long long)port);
	l->in.port = (uint16_t)port;
	return l->in.protocol == INBOUND_WSS ? check_wss(l, el, err) : 0;
}

static bool
overlap(const struct med_inbound *a, const struct med_inbound *b)
{
	if (a->suspended || b->suspended || a->port == 0 ||
	    a->port != b->port)
		return false;
	return !a->path.p || !b->path.p || (str_eq(a->path, b->path) &&
	    a->path_is_prefix == b->path_is_prefix);
}

static int
check_others(struct loading *l, const struct xml_el *el, struct err *err)
{
	const struct med_set *set = l->c->set;

	for (size_t i = 0; i < set->inbound_count; i++) {
		const struct med_inbound *o = set->inbound[i];

		if (str_eq(o->name, l->in.name))
			return xml_error(el, err, "Duplicate inbound endpoint "
			    "definition by the name : %.*s (the first is at "
			    "%s:%d)", STR_FMT(o->name), o->at.file, o->at.line);
		if (overlap(o, &l->in))
			return xml_error(el, err, "Another endpoint named : "
			    "%.*s is currently using this port: %u (several "
			    "can share one if their ws.path differ)",
			    STR_FMT(o->name), o->port);
	}
	return 0;
}

static void
keep(struct loading *l)
{
	struct med_set *set = l->c->set;

	set->inbound = xrealloc(set->inbound,
	    (set->inbound_count + 1) * sizeof(struct med_inbound *));
	set->inbound[set->inbound_count++] = &l->in;
	hmap_set(&set->inbounds, l->in.name, &l->in);
}

void
inbound_compile(struct med_compile *c, const struct xml_el *el)
{
	struct loading *l = arena_zalloc(c->set->arena, sizeof(*l));
	struct err err = { 0 };

	l->c = c;
	l->in.name = xml_attr(el, "name");
	l->in.at = xml_pos(el);
	l->in.shutdown_code = DEFAULT_SHUTDOWN_CODE;
	l->in.shutdown_reason = STR("shutdown");
	l->in.suspended = is_true(xml_attr(el, "suspend"));
	(void)xml_attr(el, "statistics");
	(void)xml_attr(el, "trace");
	if (!l->in.name.n) {
		xml_error(el, &err, "Inbound Endpoint name cannot be null "
		    "(attribute \"name\")");
		report_at(l, el, &err);
	}
	if (read_protocol(l, el, &err) < 0) {
		report_at(l, el, &err);
		xml_mark_opaque(el);
		return;
	}
	read_sequences(l, el);
	read_params(l, el);
	if (c->wrong == 0 && check(l, el, &err) < 0)
		report_at(l, el, &err);
	if (element_check(el, "inboundEndpoint", &err) < 0)
		report_at(l, el, &err);
	xml_mark_done(el);
	if (c->wrong || c->unsupported)
		return;
	if (check_others(l, el, &err) < 0)
		report_at(l, el, &err);
	else
		keep(l);
}

/* ---- linking ----------------------------------------------------------- */

static const struct sequence *
target(const struct sequence_ref *ref, const struct sequence *otherwise)
{
	return ref && ref->target ? ref->target : otherwise;
}

static const struct sequence *
configured(struct med_compile *c, const char *name,
    const struct sequence *otherwise)
{
	const struct sequence *s = name && name[0]
	    ? med_set_sequence(c->set, str_of(name)) : NULL;

	return s ? s : otherwise;
}

void
inbound_link(struct med_compile *c)
{
	const struct sequence *outflow = configured(c, c->config->outflow,
	    c->set->main);
	const struct sequence *fault = configured(c, c->config->outflow_fault,
	    c->set->fault);

	for (size_t i = 0; i < c->set->inbound_count; i++) {
		struct loading *l = container_of(c->set->inbound[i],
		    struct loading, in);

		l->in.sequence = target(l->sequence, c->set->main);
		l->in.on_error = target(l->on_error, c->set->fault);
		l->in.outflow = target(l->outflow,
		    l->outflow ? c->set->main : outflow);
		l->in.outflow_fault = target(l->outflow_fault,
		    l->outflow_fault ? c->set->fault : fault);
		l->in.on_connect = target(l->on_connect, NULL);
		l->in.on_disconnect = target(l->on_disconnect, NULL);
		l->c = NULL;
	}
}
