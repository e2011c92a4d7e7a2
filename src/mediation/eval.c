/* SPDX-License-Identifier: Apache-2.0 */
/* What mediators ask for while they run. */
#include "mediation/run.h"
#include "mediation/value.h"

int
med_expr_string(const struct expr *e, struct message *msg, struct str *out,
    struct fault *fault)
{
	struct err err = { 0 };

	if (expr_string(e, msg, out, &err) == 0)
		return 0;
	return med_fault_from(fault, &err);
}

int
med_expr_truth(const struct expr *e, struct message *msg, bool *out,
    struct fault *fault)
{
	struct err err = { 0 };

	if (expr_truth(e, msg, out, &err) == 0)
		return 0;
	return med_fault_from(fault, &err);
}

int
med_value_string(const struct med_value *v, struct message *msg,
    struct str *out, struct fault *fault)
{
	*out = v->text;
	return v->expr ? med_expr_string(v->expr, msg, out, fault) : 0;
}

bool
med_value_is_constant(const struct med_value *v, struct str *text_out)
{
	*text_out = v->text;
	return v->expr == NULL;
}

const struct sequence *
sequence_resolve(const struct sequence_ref *ref)
{
	return ref->target;
}

struct str
sequence_ref_name(const struct sequence_ref *ref)
{
	return ref->name;
}

struct str
sequence_name(const struct sequence *s)
{
	return s->name;
}

enum med_body
sequence_body(const struct sequence *s)
{
	return s->body;
}

/* ---- sending ----------------------------------------------------------- */

static const struct endpoint *
resolve(struct med_run *r, const struct endpoint_ref *ref,
    struct message *msg, struct fault *fault)
{
	const struct endpoint *ep;
	struct str key = ref->name;

	if (!ref->dynamic) {
		ep = ref->target;
	} else {
		if (med_value_string(ref->dynamic, msg, &key, fault) < 0)
			return NULL;
		ep = hmap_get(&r->set->endpoints, key);
	}
	if (!ep)
		fault_set(fault, FAULT_MEDIATOR, "Reference to non-existent "
		    "endpoint for key : %.*s", STR_FMT(key));
	return ep;
}

static enum med_next
next_of(enum med_host_result result, enum med_next done, enum med_next wait)
{
	switch (result) {
	case MED_HOST_DONE:
		return done;
	case MED_HOST_WAIT:
		return wait;
	case MED_HOST_FAULT:
		break;
	}
	return MED_FAULT;
}

enum med_next
med_respond(struct med_run *r, struct message *msg, struct fault *fault)
{
	message_set_response(msg, true);
	message_set_addressing(msg, STR("To"), STR_NULL);
	return next_of(r->host->respond(r->ctx, r, msg, fault), MED_STOP,
	    MED_WAIT_STOP);
}

enum med_next
med_send_to(struct med_run *r, enum med_sending how,
    const struct endpoint_ref *ref, struct message *msg, struct fault *fault)
{
	enum med_next done = how == MED_SEND ? MED_STOP : MED_NEXT;
	enum med_next wait = how == MED_SEND ? MED_WAIT_STOP : MED_WAIT;
	const struct endpoint *ep;

	if (!ref && how == MED_SEND && message_is_response(msg))
		return med_respond(r, msg, fault);
	ep = ref ? resolve(r, ref, msg, fault) : r->set->to_endpoint;
	if (!ep)
		return MED_FAULT;
	if (!ref && !message_addressing(msg, STR("To")).n) {
		fault_set(fault, FAULT_MEDIATOR, "there is no endpoint to "
		    "send to: none is given, and the message has no To "
		    "address");
		return MED_FAULT;
	}
	return next_of(r->host->send(r->ctx, r, how, ep, msg, fault), done,
	    wait);
}
