/* SPDX-License-Identifier: Apache-2.0 */
/* <address uri="ws://host:port/path"/>; uri may be {expression}. */
#include "mediation/endpoint.h"

struct address {
	struct str uri;		/* as written */
	struct med_value *value;
	bool dynamic;
};

static int
address_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	static const char *const no_effect[] = { "format", "optimize",
		"encoding" };
	struct address *a = arena_zalloc(med_arena(c), sizeof(*a));
	struct str text;

	*node = a;
	for (size_t i = 0; i < ARRAY_LEN(no_effect); i++)
		(void)xml_attr(el, no_effect[i]);
	a->uri = xml_attr(el, "uri");
	if (str_blank(a->uri))
		return xml_error(el, err,
		    "Invalid address endpoint: the attribute \"uri\" is "
		    "required");
	if (med_value(c, el, "uri", &a->value, err) < 0)
		return -1;
	a->dynamic = !med_value_is_constant(a->value, &text);
	return a->dynamic ? 0 : endpoint_check_uri(c, el, a->uri, err);
}

static int
address_of(const void *node, struct message *msg, struct str *uri_out,
    struct fault *fault)
{
	const struct address *a = node;

	*uri_out = a->uri;
	if (!a->dynamic)
		return 0;
	if (med_value_string(a->value, msg, uri_out, fault) < 0)
		return -1;
	if (str_blank(*uri_out))
		return fault_set(fault, FAULT_MEDIATOR,
		    "the endpoint address %.*s is empty for this message",
		    STR_FMT(a->uri));
	return 0;
}

static bool
address_is_dynamic(const void *node)
{
	const struct address *a = node;

	return a->dynamic;
}

static struct str
address_label(const void *node)
{
	const struct address *a = node;

	return a->uri;
}

const struct endpoint_type endpoint_type_address = {
	.element = "address",
	.kind = ENDPOINT_ADDRESS,
	.compile = address_compile,
	.address = address_of,
	.is_dynamic = address_is_dynamic,
	.label = address_label,
};
