/* SPDX-License-Identifier: Apache-2.0 */
/* <default/>: the message's own To address. */
#include "mediation/endpoint.h"

static int
default_compile(struct med_compile *c UNUSED, const struct xml_el *el,
    void **node UNUSED, struct err *err UNUSED)
{
	static const char *const no_effect[] = { "format", "optimize",
		"encoding" };

	for (size_t i = 0; i < ARRAY_LEN(no_effect); i++)
		(void)xml_attr(el, no_effect[i]);
	return 0;
}

static int
default_address(const void *node UNUSED, struct message *msg,
    struct str *uri_out, struct fault *fault)
{
	*uri_out = message_addressing(msg, STR("To"));
	if (uri_out->n)
		return 0;
	return fault_set(fault, FAULT_MEDIATOR, "there is no endpoint to send "
	    "to: the message has no To address");
}

static bool
default_is_dynamic(const void *node UNUSED)
{
	return true;
}

static struct str
default_label(const void *node UNUSED)
{
	return STR("default");
}

const struct endpoint_type endpoint_type_default = {
	.element = "default",
	.kind = ENDPOINT_DEFAULT,
	.compile = default_compile,
	.address = default_address,
	.is_dynamic = default_is_dynamic,
	.label = default_label,
};
