/* SPDX-License-Identifier: Apache-2.0 */
/* <failover dynamic="true"><endpoint/>+</failover>: the first child that is
 * ready. */
#include "mediation/endpoint.h"

static int
failover_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct ep_group *g = arena_zalloc(med_arena(c), sizeof(*g));
	bool dynamic;

	*node = g;
	g->title = "Failover";
	g->move_on = true;
	(void)xml_attr(el, "buildMessage");
	if (xml_attr_bool(el, "dynamic", true, &dynamic, err) < 0)
		return -1;
	g->choice = dynamic ? EP_FIRST : EP_KEPT;
	if (xml_child(el, "member"))
		return xml_error(el, err, "<failover> takes <endpoint> "
		    "children, no <member>");
	if (endpoint_children(c, el, g, err) < 0)
		return -1;
	return g->count ? 0 : xml_error(el, err, "Invalid Synapse "
	    "configuration. A FailoverEndpoint must have child elements, but "
	    "it does not have any child elements");
}

static const struct ep_group *
failover_group(const void *node)
{
	return node;
}

const struct endpoint_type endpoint_type_failover = {
	.element = "failover",
	.kind = ENDPOINT_GROUP,
	.compile = failover_compile,
	.group = failover_group,
};
