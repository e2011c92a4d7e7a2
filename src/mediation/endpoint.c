/* SPDX-License-Identifier: Apache-2.0 */
/* What all endpoints have: policy, properties, references. */
#include "mediation/endpoint.h"

#include "mediation/compile.h"
#include "mediation/value.h"

/* ---- policy ------------------------------------------------------------ */

static int
read_codes(struct med_compile *c, const struct xml_el *el, const int **out,
    size_t *count, struct err *err)
{
	struct str rest = str_trim(xml_text(el)), part;
	int *code = arena_alloc(c->set->arena, (rest.n + 1) * sizeof(*code));
	size_t n = 0;

	while (rest.n && str_next(&rest, ',', &part)) {
		int64_t v;

		if (!str_to_i64(str_trim(part), &v) || v < 0 || v > 9999999)
			return xml_error(el, err, "<%.*s>: \"%.*s\" is no "
			    "error code", STR_FMT(xml_name(el)), STR_FMT(part));
		code[n++] = (int)v;
	}
	*out = code;
	*count = n;
	return 0;
}

/* A child that holds one number; absent leaves *out alone. */
static int
read_number(const struct xml_el *parent, const char *name, int64_t min,
    int64_t *out, struct err *err)
{
	const struct xml_el *el = xml_child(parent, name);
	struct str text;
	int64_t v;

	if (!el)
		return 0;
	text = str_trim(xml_text(el));
	if (str_starts(text, "{")) {
		xml_error(el, err, "<%s>: an expression is not supported here",
		    name);
		err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	if (!str_to_i64(text, &v) || v < min || v > INT64_C(1) << 40)
		return xml_error(el, err, "<%s> must be a whole number of at "
		    "least %lld, not \"%.*s\"", name, (long long)min,
		    STR_FMT(text));
	*out = v;
	return 0;
}

static int
read_timeout(const struct xml_el *el, struct ep_policy *p, struct err *err)
{
	const struct xml_el *action = xml_child(el, "responseAction");
	struct str text;

	if (read_number(el, "duration", 0, &p->timeout_ms, err) < 0)
		return -1;
	if (!action)
		action = xml_child(el, "action");
	if (!action)
		return 0;
	text = str_trim(xml_text(action));
	if (str_iis(text, "discard"))
		p->action = EP_DISCARD;
	else if (str_iis(text, "fault"))
		p->action = EP_FAULT;
	else if (!str_iis(text, "never"))
		return xml_error(action, err, "Invalid timeout action, action "
		    ": %.*s is not supported (fault, discard or never)",
		    STR_FMT(text));
	return 0;
}

static int
read_suspend(struct med_compile *c, const struct xml_el *el,
    struct ep_policy *p, struct err *err)
{
	const struct xml_el *codes = xml_child(el, "errorCodes");
	const struct xml_el *factor = xml_child(el, "progressionFactor");

	if (codes && read_codes(c, codes, &p->suspend_codes,
	    &p->suspend_code_count, err) < 0)
		return -1;
	if (factor && (!str_to_double(str_trim(xml_text(factor)), &p->factor) ||
	    p->factor < 0))
		return xml_error(factor, err, "<progressionFactor> must be a "
		    "number, not \"%.*s\"", STR_FMT(xml_text(factor)));
	if (read_number(el, "initialDuration", -1, &p->initial_ms, err) < 0)
		return -1;
	return read_number(el, "maximumDuration", 0, &p->maximum_ms, err);
}

static int
read_mark(struct med_compile *c, const struct xml_el *el, struct ep_policy *p,
    struct err *err)
{
	const struct xml_el *codes = xml_child(el, "errorCodes");
	int64_t retries = 0;

	if (codes && read_codes(c, codes, &p->mark_codes,
	    &p->mark_code_count, err) < 0)
		return -1;
	if (read_number(el, "retriesBeforeSuspension", 0, &retries, err) < 0)
		return -1;
	p->retries = retries > 1000000 ? 1000000 : (unsigned)retries;
	return read_number(el, "retryDelay", 0, &p->retry_delay_ms, err);
}

static int
read_retry(struct med_compile *c, const struct xml_el *el,
    struct ep_policy *p, struct err *err)
{
	const struct xml_el *on = xml_child(el, "enabledErrorCodes");
	const struct xml_el *off = xml_child(el, "disabledErrorCodes");

	if (on && off)
		return xml_error(el, err, "<retryConfig> takes either "
		    "enabledErrorCodes or disabledErrorCodes");
	if (on && read_codes(c, on, &p->retry_enabled,
	    &p->retry_enabled_count, err) < 0)
		return -1;
	return off ? read_codes(c, off, &p->retry_disabled,
	    &p->retry_disabled_count, err) : 0;
}

static int
read_policy(struct med_compile *c, const struct xml_el *el,
    struct ep_policy *p, struct err *err)
{
	static const char *const no_effect[] = {
		"enableAddressing", "enableRM", "enableSec",
	};
	const struct xml_el *k;

	*p = (struct ep_policy){ .initial_ms = -1, .factor = 1 };
	if ((k = xml_child(el, "timeout")) && read_timeout(k, p, err) < 0)
		return -1;
	if ((k = xml_child(el, "suspendOnFailure")) &&
	    read_suspend(c, k, p, err) < 0)
		return -1;
	if ((k = xml_child(el, "markForSuspension")) &&
	    read_mark(c, k, p, err) < 0)
		return -1;
	if ((k = xml_child(el, "retryConfig")) && read_retry(c, k, p, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(no_effect); i++) {
		if (!(k = xml_child(el, no_effect[i])))
			continue;
		xml_mark_opaque(k);
		diag_warn(c->diag, xml_pos(k), "<%s> has no effect here",
		    no_effect[i]);
	}
	return 0;
}

/* ---- properties -------------------------------------------------------- */

static int
read_property(struct med_compile *c, const struct xml_el *el,
    struct ep_property *p, struct err *err)
{
	struct str scope = xml_attr(el, "scope");

	p->name = xml_attr(el, "name");
	p->value = xml_attr(el, "value");
	p->scope = SCOPE_DEFAULT;
	if (!p->name.n)
		return xml_error(el, err,
		    "<property> needs the attribute \"name\"");
	if (scope.p && (!msg_scope_parse(scope, &p->scope) ||
	    p->scope >= SCOPE_COUNT))
		return xml_error(el, err, "Unsupported scope %.*s",
		    STR_FMT(scope));
	if (med_expr(c, el, "expression", &p->expr, err) < 0)
		return -1;
	if (!p->value.p && !p->expr)
		return xml_error(el, err, "<property> needs either \"value\" "
		    "or \"expression\"");
	return 0;
}

static int
read_properties(struct med_compile *c, const struct xml_el *el,
    struct endpoint *ep, struct err *err)
{
	const struct xml_el *k;
	struct ep_property *all;
	size_t n = ep->property_count;

	for (k = xml_child(el, "property"); k; k = xml_next(k))
		n++;
	all = arena_zalloc(c->set->arena, n * sizeof(*all));
	if (ep->property_count)
		memcpy(all, ep->property, ep->property_count * sizeof(*all));
	for (k = xml_child(el, "property"); k; k = xml_next(k))
		if (read_property(c, k, &all[ep->property_count++], err) < 0)
			return -1;
	ep->property = all;
	return 0;
}

/* ---- definitions ------------------------------------------------------- */

int
endpoint_check_uri(struct med_compile *c, const struct xml_el *el,
    struct str uri, struct err *err)
{
	bool ws = str_istarts(uri, "ws:") || str_istarts(uri, "wss:");

	if (ws && !c->config->ws_sender)
		return xml_error(el, err, "address \"%.*s\": there is no "
		    "sender for it (set transport.ws.sender.enable = true)",
		    STR_FMT(str_head(uri, 200)));
	if (!c->config->check_uri || c->config->check_uri(uri, err) == 0)
		return 0;
	if (!err->at.file)
		err->at = xml_pos(el);
	return -1;
}

static const struct xml_el *
kind_of(const struct xml_el *el, const struct endpoint_type **type,
    struct err *err)
{
	for (const struct xml_el *k = xml_any_child(el); k;
	    k = xml_any_next(k)) {
		if (!xml_in_synapse(k) || str_is(xml_name(k), "property") ||
		    str_is(xml_name(k), "description"))
			continue;
		*type = registry_endpoint(xml_name(k));
		if (*type) {
			(void)xml_child(el, (*type)->element);
			return k;
		}
		xml_error(k, err, "not supported: %.*s endpoint (address, "
		    "http and default are)", STR_FMT(xml_name(k)));
		err->kind = ERR_UNSUPPORTED;
		return NULL;
	}
	xml_error(el, err, "<endpoint> needs a definition: address, http or "
	    "default, or the attribute \"key\"");
	return NULL;
}

static int
compile_parts(struct med_compile *c, const struct xml_el *el,
    struct endpoint *ep, struct err *err)
{
	const struct xml_el *kind = kind_of(el, &ep->type, err);
	const struct xml_el *text = xml_child(el, "description");

	if (!kind)
		return -1;
	if (text)
		xml_mark_opaque(text);
	/* Accepted on every kind, of no effect here. */
	xml_attr(kind, "statistics");
	xml_attr(kind, "trace");
	if (ep->type->compile(c, kind, &ep->node, err) < 0 ||
	    read_policy(c, kind, &ep->policy, err) < 0 ||
	    read_properties(c, kind, ep, err) < 0 ||
	    read_properties(c, el, ep, err) < 0)
		return -1;
	if (!ep->name.n)
		ep->name = ep->type->label(ep->node);
	return xml_reject_unknown(el, err);
}

struct endpoint *
endpoint_compile(struct med_compile *c, const struct xml_el *el)
{
	struct endpoint *ep = arena_zalloc(c->set->arena, sizeof(*ep));
	struct err err = { 0 };
	int result;

	ep->name = xml_attr(el, "name");
	ep->at = xml_pos(el);
	if (xml_attr(el, "template").p) {
		xml_error(el, &err, "not supported: endpoint templates");
		err.kind = ERR_UNSUPPORTED;
		result = -1;
	} else {
		result = compile_parts(c, el, ep, &err);
	}
	xml_mark_done(el);
	if (result == 0)
		return ep;
	if (err.kind != ERR_NONE && !err.at.file)
		err.at = xml_pos(el);
	med_report_left(c, &err);
	return NULL;
}

static int
endpoint_key(struct med_compile *c, const struct xml_el *el, struct str key,
    struct endpoint_ref *ref, struct err *err)
{
	struct med_value *value;

	if (med_value(c, el, "key", &value, err) < 0)
		return -1;
	ref->name = key;
	ref->at = xml_pos(el);
	if (value->expr)
		ref->dynamic = value;
	ref->next = c->endpoint_first;
	c->endpoint_first = ref;
	return xml_reject_unknown(el, err);
}

int
med_endpoint(struct med_compile *c, const struct xml_el *el,
    struct endpoint_ref **out, struct err *err)
{
	struct endpoint_ref *ref = arena_zalloc(c->set->arena, sizeof(*ref));
	struct str key = xml_attr(el, "key");

	*out = ref;
	if (key.n) {
		int result = endpoint_key(c, el, key, ref, err);

		xml_mark_done(el);
		return result;
	}
	ref->target = endpoint_compile(c, el);
	if (ref->target)
		return 0;
	err->kind = ERR_NONE;
	return -1;
}

/* ---- as the host sees them --------------------------------------------- */

enum endpoint_kind
endpoint_kind(const struct endpoint *ep)
{
	return ep->type->kind;
}

struct str
endpoint_name(const struct endpoint *ep)
{
	return ep->name;
}

int
endpoint_address(const struct endpoint *ep, struct message *msg,
    struct str *uri_out, struct fault *fault)
{
	return ep->type->address(ep->node, msg, uri_out, fault);
}

bool
endpoint_is_dynamic(const struct endpoint *ep)
{
	return ep->type->is_dynamic(ep->node);
}

const struct ep_policy *
endpoint_policy(const struct endpoint *ep)
{
	return &ep->policy;
}

int
endpoint_apply_properties(const struct endpoint *ep, struct message *msg,
    struct fault *fault)
{
	if (ep->type->apply)
		ep->type->apply(ep->node, msg);
	for (size_t i = 0; i < ep->property_count; i++) {
		const struct ep_property *p = &ep->property[i];
		struct str text = p->value;

		if (p->expr && med_expr_string(p->expr, msg, &text, fault) < 0)
			return -1;
		if (text.p)
			message_set_prop(msg, p->scope, p->name,
			    VALUE_OF_STR(text));
	}
	return 0;
}

struct str
endpoint_option(const struct endpoint *ep, const char *name)
{
	for (size_t i = 0; i < ep->property_count; i++) {
		const struct ep_property *p = &ep->property[i];

		if (p->scope == SCOPE_DEFAULT && !p->expr &&
		    str_is(p->name, name))
			return p->value;
	}
	return STR_NULL;
}
