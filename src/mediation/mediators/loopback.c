/* SPDX-License-Identifier: Apache-2.0 */
/* <loopback/>: a request becomes a response; ends the flow. */
#include "mediation/mediator.h"

static int
loopback_compile(struct med_compile *c UNUSED, const struct xml_el *el UNUSED,
    void **node UNUSED, struct err *err UNUSED)
{
	return 0;
}

static enum med_next
loopback_exec(struct med_run *run UNUSED, const void *node UNUSED,
    struct message *msg, struct fault *fault UNUSED)
{
	message_set_response(msg, true);
	message_set_addressing(msg, STR("To"), STR_NULL);
	return MED_STOP;
}

const struct mediator_type mediator_loopback = {
	.element = "loopback",
	.origin = "LoopBackMediator",
	.compile = loopback_compile,
	.exec = loopback_exec,
};
