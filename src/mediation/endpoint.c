/* SPDX-License-Identifier: Apache-2.0 */
/* What all endpoints have: policy, properties, references. */
#include "mediation/endpoint.h"


#include "mediation/compile.h"
#include "mediation/value.h"

/* ---- policy ------------------------------------------------------------ */

/* Separated by commas or blanks. */
static bool
next_code(struct str *rest, struct str *out)
{
	size_t n = 0;

	while (rest->n && strchr(", \t\r\n", rest->p[0]))
		*rest = str_from(*rest, 1);
	while (n < rest->n && !strchr(", \t\r\n", rest->p[n]))
		n++;
	*out = str_head(*rest, n);
	*rest = str_from(*rest, n);
	return n > 0;
}

static int
read_codes(struct med_compile *c, const struct xml_el *el, const int **out,
    size_t *count, struct err *err)
{
	struct str rest = xml_text(el), part;
	int *code = arena_alloc(c->set->arena, (rest.n + 1) * sizeof(*code));
	size_t n = 0;

	while (next_code(&rest, &part)) {
		int64_t v;

		/* -1 is no error at all: a list that never applies. */
		if (!str_to_i64(part, &v) || v < -1 || v > 9999999)
			return xml_error(el, err, "The error codes should be "
			    "specified as valid numbers separated by commas : "
			    "<%.*s> has \"%.*s\"", STR_FMT(xml_name(el)),
			    STR_FMT(part));
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
	if (!str_to_i64(text, &v) || v < min || v > INT64_C(1) << 40)
		return xml_error(el, err, "<%s> must be a whole number of at "
		    "least %lld, not \"%.*s\"", name, (long long)min,
		    STR_FMT(text));
	*out = v;
	return 0;
}

/* <duration>ms</duration>, or {expression}. */
static int
read_duration(struct med_compile *c, const struct xml_el *timeout,
    struct endpoint *ep, struct err *err)
{
	const struct xml_el *el = xml_child(timeout, "duration");
	struct str text = el ? str_trim(xml_text(el)) : STR("");

	if (str_starts(text, "{"))
		return med_value_text(c, el, "<duration>", text, &ep->timeout,
		    err);
	return read_number(timeout, "duration", 0, &ep->policy.timeout_ms, err);
}

static int
read_timeout(struct med_compile *c, const struct xml_el *el,
    struct endpoint *ep, struct err *err)
{
	const struct xml_el *action = xml_child(el, "responseAction");
	struct str text;

	if (read_duration(c, el, ep, err) < 0)
		return -1;
	if (!action)
		action = xml_child(el, "action");
	/* Who gives a time wants to hear of it. */
	text = action ? str_trim(xml_text(action)) : STR("fault");
	if (str_iis(text, "discard"))
		ep->policy.action = EP_DISCARD;
	else if (str_iis(text, "fault"))
		ep->policy.action = EP_FAULT;
	else if (!str_iis(text, "never"))
		return xml_error(action, err, "Invalid timeout action, action "
		    ": %.*s is not supported (fault, discard or never)",
		    STR_FMT(text));
	else
		ep->policy.action = EP_NEVER;
	return 0;
}

/* Of Synapse 1.2, in seconds. */
static int
read_old_suspend(const struct xml_el *el, struct ep_policy *p, struct err *err)
{
	int64_t seconds = -1;

	if (read_number(el, "suspendDurationOnFailure", 0, &seconds, err) < 0)
		return -1;
	if (seconds >= 0)
		p->initial_ms = seconds > INT32_MAX ? INT64_C(1000) * INT32_MAX
		    : seconds * 1000;
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
	p->retries = retries > EP_RETRIES_MAX ? EP_RETRIES_MAX
	    : (unsigned)retries;
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
    struct endpoint *ep, struct err *err)
{
	struct ep_policy *p = &ep->policy;
	static const char *const no_effect[] = {
		"enableAddressing", "enableRM", "enableSec",
	};
	const struct xml_el *k;

	if ((k = xml_child(el, "timeout")) && read_timeout(c, k, ep, err) < 0)
		return -1;
	if (read_old_suspend(el, p, err) < 0)
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

#define KINDS "address, http, default, failover, loadbalance, recipientlist"

static const struct xml_el *
kind_of(const struct xml_el *el, const struct endpoint_type **type,
    struct err *err)
{
	for (const struct xml_el *k = xml_any_child(el); k;
	    k = xml_any_next(k)) {
		if (!xml_in_synapse(k) || str_is(xml_name(k), "property") ||
		    str_is(xml_name(k), "session") ||
		    str_is(xml_name(k), "description"))
			continue;
		*type = registry_endpoint(xml_name(k));
		if (*type && !(*type)->child_only) {
			(void)xml_child(el, (*type)->element);
			return k;
		}
		xml_error(k, err, "not supported: %.*s endpoint (" KINDS
		    " are)", STR_FMT(xml_name(k)));
		err->kind = ERR_UNSUPPORTED;
		return NULL;
	}
	xml_error(el, err, "<endpoint> needs a definition: " KINDS ", or the "
	    "attribute \"key\" or \"template\"");
	return NULL;
}

/* <session type="..."/>: a client stays with the child that it got first. */
static int
read_session(const struct xml_el *el, struct endpoint *ep, struct err *err)
{
	const struct xml_el *session = xml_child(el, "session");
	struct str type;
	int64_t timeout;

	if (!session)
		return 0;
	type = xml_attr(session, "type");
	if (!ep->type->takes_session)
		return xml_error(session, err, "<session> goes with "
		    "<loadbalance> only");
	/* Without effect: a session ends with the client's connection. */
	if (read_number(session, "sessionTimeout", 0, &timeout, err) < 0)
		return -1;
	ep->sticky = str_is(type, "simpleClientSession") ||
	    str_is(type, "http");
	if (ep->sticky)
		return 0;
	xml_error(session, err, "not supported: session type \"%.*s\" "
	    "(simpleClientSession and http are: by the client's connection)",
	    STR_FMT(type));
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static struct str
place_name(struct med_compile *c, struct src_pos at)
{
	const char *slash = strrchr(at.file, '/');

	return arena_printf(c->set->arena, "AnonymousEndpoint (%s:%d)",
	    slash ? slash + 1 : at.file, at.line);
}

static int
compile_leaf(struct med_compile *c, const struct xml_el *kind,
    struct endpoint *ep, struct err *err)
{
	if (read_policy(c, kind, ep, err) < 0 ||
	    read_properties(c, kind, ep, err) < 0)
		return -1;
	if (!ep->name.n)
		ep->name = ep->type->label(ep->node);
	return 0;
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
	if (ep->type->compile(c, kind, &ep->node, err) < 0)
		return -1;
	if (!ep->type->group && compile_leaf(c, kind, ep, err) < 0)
		return -1;
	if (read_session(el, ep, err) < 0 ||
	    read_properties(c, el, ep, err) < 0)
		return -1;
	if (!ep->name.n)
		ep->name = place_name(c, ep->at);
	return element_check(el, "endpoint", err);
}

static struct endpoint *
endpoint_new(struct med_compile *c, const struct xml_el *el)
{
	struct endpoint *ep = arena_zalloc(c->set->arena, sizeof(*ep));

	ep->at = xml_pos(el);
	ep->policy = (struct ep_policy){ .initial_ms = -1, .factor = 1 };
	ep->next = c->endpoint_made;
	c->endpoint_made = ep;
	return ep;
}

static int endpoint_key(struct med_compile *, const struct xml_el *,
    struct str key, struct endpoint_ref *, struct err *);

static int
compile_other(struct med_compile *c, const struct xml_el *el, struct str key,
    struct endpoint *ep, struct err *err)
{
	struct endpoint_ref *ref = arena_zalloc(c->set->arena, sizeof(*ref));

	ep->other = ref;
	return endpoint_key(c, el, key, ref, err);
}

static struct endpoint *
compile_any(struct med_compile *c, const struct xml_el *el, struct err *err)
{
	struct endpoint *ep;
	struct str key = xml_attr(el, "key"), name = xml_attr(el, "name");

	if (xml_attr(el, "template").p) {
		ep = endpoint_template_use(c, el, err);
		if (ep && name.n)
			ep->name = name;
		return ep;
	}
	ep = endpoint_new(c, el);
	ep->name = name;
	if ((key.n ? compile_other(c, el, key, ep, err)
	    : compile_parts(c, el, ep, err)) < 0)
		return NULL;
	return ep;
}

struct endpoint *
endpoint_compile(struct med_compile *c, const struct xml_el *el)
{
	struct err err = { 0 };
	struct endpoint *ep = compile_any(c, el, &err);

	xml_mark_done(el);
	if (ep)
		return ep;
	if (err.kind != ERR_NONE && !err.at.file)
		err.at = xml_pos(el);
	med_report_left(c, &err);
	return NULL;
}

/* ---- groups ------------------------------------------------------------ */

static int
compile_member(struct med_compile *c, const struct xml_el *el,
    struct endpoint_ref **out, struct err *err)
{
	struct endpoint_ref *ref = arena_zalloc(c->set->arena, sizeof(*ref));
	struct endpoint *ep = endpoint_new(c, el);

	*out = ref;
	ref->target = ep;
	ep->type = registry_endpoint(STR("member"));
	if (ep->type->compile(c, el, &ep->node, err) < 0)
		return -1;
	ep->name = ep->type->label(ep->node);
	return 0;
}

int
endpoint_children(struct med_compile *c, const struct xml_el *el,
    struct ep_group *g, struct err *err)
{
	const struct xml_el *first = xml_child(el, "endpoint");
	const struct xml_el *member = xml_child(el, "member");
	size_t n = 0;
	int result = 0;

	if (first && member)
		return xml_error(member, err, "Invalid Synapse configuration. "
		    "<%.*s> element cannot have both member & endpoint child "
		    "elements", STR_FMT(xml_name(el)));
	first = first ? first : member;
	for (const struct xml_el *k = first; k; k = xml_next(k))
		n++;
	g->child = arena_zalloc(c->set->arena, n * sizeof(*g->child));
	for (const struct xml_el *k = first; k; k = xml_next(k)) {
		struct ep_child *child = &g->child[g->count++];

		child->weight = 1;
		if ((member ? compile_member(c, k, &child->ref, err)
		    : med_endpoint(c, k, &child->ref, err)) < 0)
			result = -1;
	}
	return result;
}

const struct ep_group *
endpoint_group(const struct endpoint *ep)
{
	return ep->type && ep->type->group ? ep->type->group(ep->node) : NULL;
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
	return element_check(el, "endpoint", err);
}

struct endpoint_ref *
med_endpoint_ref(struct med_compile *c, const struct xml_el *el,
    struct str name)
{
	struct endpoint_ref *ref = arena_zalloc(c->set->arena, sizeof(*ref));

	ref->name = name;
	ref->at = xml_pos(el);
	ref->next = c->endpoint_first;
	c->endpoint_first = ref;
	return ref;
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

/* ---- linking ----------------------------------------------------------- */

/* A local entry or registry resource that holds an <endpoint> is one by its
 * key. */
static struct endpoint *
from_entry(struct med_compile *c, const struct endpoint_ref *r)
{
	struct entry *e = hmap_get(&c->set->entries, r->name);
	const struct xml_el *el = NULL;
	struct endpoint *ep;

	if (e && str_search(e->text, STR("<endpoint")) < e->text.n)
		el = load_xml(c, e->at.file, e->text);
	else if (!e)
		el = entry_artifact(c, r->name);
	if (!el || !xml_in_synapse(el) || !str_is(xml_name(el), "endpoint"))
		return NULL;
	(void)xml_attr(el, "name");
	ep = endpoint_compile(c, el);
	if (ep)
		hmap_set(&c->set->endpoints, r->name, ep);
	return ep;
}

static void
resolve(struct med_compile *c, struct endpoint_ref *r)
{
	r->target = hmap_get(&c->set->endpoints, r->name);
	if (!r->target)
		r->target = from_entry(c, r);
	if (!r->target)
		diag_warn(c->diag, r->at, "endpoint \"%.*s\" is not defined",
		    STR_FMT(r->name));
}

static void visit(struct med_compile *, struct endpoint *);

static void
visit_ref(struct med_compile *c, const struct endpoint_ref *ref)
{
	if (ref->target)
		visit(c, ref->target);
}

/* No endpoint may be below itself. */
static void
visit(struct med_compile *c, struct endpoint *ep)
{
	const struct ep_group *g = endpoint_group(ep);

	if (ep->link == LINK_OPEN)
		diag_error(c->diag, ep->at, "endpoint \"%.*s\" leads to "
		    "itself", STR_FMT(ep->name));
	if (ep->link != LINK_UNSEEN)
		return;
	ep->link = LINK_OPEN;
	if (ep->other)
		visit_ref(c, ep->other);
	for (size_t i = 0; g && i < g->count; i++)
		visit_ref(c, g->child[i].ref);
	ep->link = LINK_DONE;
}

static void
read_weights(struct med_compile *c, const struct endpoint *ep,
    const struct ep_group *g)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct endpoint *child = endpoint_static(g->child[i].ref);
		struct str text = child
		    ? endpoint_option(child, "loadbalance.weight") : STR_NULL;
		int64_t weight;

		if (!text.p)
			continue;
		if (str_to_i64(str_trim(text), &weight) && weight > 0 &&
		    weight <= 10000)
			g->child[i].weight = (unsigned)weight;
		else
			diag_error(c->diag, ep->at, "loadbalance.weight of "
			    "\"%.*s\" must be a whole number from 1 to 10000, "
			    "not \"%.*s\"", STR_FMT(child->name),
			    STR_FMT(text));
	}
}

void
endpoint_link(struct med_compile *c)
{
	struct endpoint_ref *r;

	/* What a key brings in may refer to further ones. */
	while ((r = c->endpoint_first)) {
		c->endpoint_first = r->next;
		if (!r->dynamic)
			resolve(c, r);
	}
	for (struct endpoint *ep = c->endpoint_made; ep; ep = ep->next) {
		const struct ep_group *g = endpoint_group(ep);

		visit(c, ep);
		if (g && g->weighted)
			read_weights(c, ep, g);
	}
}

const struct endpoint *
endpoint_static(const struct endpoint_ref *ref)
{
	while (!ref->dynamic && ref->target && ref->target->other)
		ref = ref->target->other;
	return ref->dynamic ? NULL : ref->target;
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

int64_t
endpoint_timeout_ms(const struct endpoint *ep, struct message *msg)
{
	struct fault fault;
	struct str text;
	int64_t ms;

	if (!ep->timeout)
		return ep->policy.timeout_ms;
	if (med_value_string(ep->timeout, msg, &text, &fault) < 0 ||
	    !str_to_i64(str_trim(text), &ms) || ms < 0)
		return 0;
	return ms;
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
