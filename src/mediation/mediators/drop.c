/* SPDX-License-Identifier: Apache-2.0 */
/* <drop/>: the message ends here, nothing is sent. */
#include "mediation/mediator.h"

static int
drop_compile(struct med_compile *c UNUSED, const struct xml_el *el UNUSED,
    void **node UNUSED, struct err *err UNUSED)
{
	return 0;
}

static enum med_next
drop_exec(struct med_run *run UNUSED, const void *node UNUSED,
    struct message *msg, struct fault *fault UNUSED)
{
	message_set_addressing(msg, STR("To"), STR_NULL);
	return MED_STOP;
}

const struct mediator_type mediator_drop = {
	.element = "drop",
	.origin = "DropMediator",
	.compile = drop_compile,
	.exec = drop_exec,
};
