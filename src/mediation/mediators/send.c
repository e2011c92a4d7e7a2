/* SPDX-License-Identifier: Apache-2.0 */
/* <send><endpoint/>?</send>: hands the message to an endpoint; ends the flow. */
#include "mediation/mediator.h"

static int
send_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	const struct xml_el *ep = xml_child(el, "endpoint");
	struct endpoint_ref *ref = NULL;
	struct str receive = xml_attr(el, "receive");

	(void)xml_attr(el, "buildmessage");
	if (receive.n)
		med_warn(c, el, "attribute \"receive\" has no effect: what a "
		    "WebSocket back-end sends goes to the outflow sequence");
	if (ep && med_endpoint(c, ep, &ref, err) < 0)
		return -1;
	*node = ref;
	return 0;
}

static enum med_next
send_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	return med_send_to(run, MED_SEND, node, msg, fault);
}

static enum med_pass
send_pass(const void *node, struct med_shortcut *out)
{
	out->kind = SHORTCUT_SEND;
	out->endpoint = node ? endpoint_ref_fixed(node) : NULL;
	return out->endpoint ? PASS_END : PASS_NO;
}

const struct mediator_type mediator_send = {
	.element = "send",
	.origin = "SendMediator",
	.compile = send_compile,
	.exec = send_exec,
	.pass = send_pass,
};
