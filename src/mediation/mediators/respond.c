/* SPDX-License-Identifier: Apache-2.0 */
/* <respond/>: the message goes back to the client; ends the flow. */
#include "mediation/mediator.h"

static int
respond_compile(struct med_compile *c UNUSED, const struct xml_el *el UNUSED,
    void **node UNUSED, struct err *err UNUSED)
{
	return 0;
}

static enum med_next
respond_exec(struct med_run *run, const void *node UNUSED,
    struct message *msg, struct fault *fault)
{
	return med_respond(run, msg, fault);
}

static enum med_pass
respond_pass(const void *node UNUSED, struct med_shortcut *out)
{
	out->kind = SHORTCUT_RESPOND;
	return PASS_END;
}

const struct mediator_type mediator_respond = {
	.element = "respond",
	.origin = "RespondMediator",
	.compile = respond_compile,
	.exec = respond_exec,
	.pass = respond_pass,
};
