/* SPDX-License-Identifier: Apache-2.0 */
/* <recipientlist><endpoint/>+|<member/>+|<endpoints value/></recipientlist>:
 * each gets a copy. */
#include "mediation/endpoint.h"

static int
read_list(struct med_compile *c, const struct xml_el *el, struct ep_group *g,
    struct err *err)
{
	int64_t cache;

	/* How many endpoints MI keeps for it; addresses need none here. */
	if (xml_attr_int(el, "max-cache", 0, &cache, err) < 0 ||
	    med_value(c, el, "value", &g->list, err) < 0)
		return -1;
	return g->list ? 0 : xml_error(el, err, "<endpoints> needs the "
	    "attribute \"value\"");
}

static int
recipientlist_compile(struct med_compile *c, const struct xml_el *el,
    void **node, struct err *err)
{
	struct ep_group *g = arena_zalloc(med_arena(c), sizeof(*g));
	const struct xml_el *list = xml_child(el, "endpoints");

	*node = g;
	g->title = "Recipient List";
	g->choice = EP_ALL;
	if (endpoint_children(c, el, g, err) < 0 ||
	    (list && read_list(c, list, g, err) < 0))
		return -1;
	if (g->count && list)
		return xml_error(list, err, "<recipientlist> takes either "
		    "<endpoints> or children of their own");
	return g->count || list ? 0 : xml_error(el, err, "Invalid Synapse "
	    "configuration. A RecipientListEndpoint must have child/member "
	    "elements, but it does not have any child/member/dynamic endpoint "
	    "elements");
}

static const struct ep_group *
recipientlist_group(const void *node)
{
	return node;
}

const struct endpoint_type endpoint_type_recipientlist = {
	.element = "recipientlist",
	.kind = ENDPOINT_GROUP,
	.compile = recipientlist_compile,
	.group = recipientlist_group,
};
