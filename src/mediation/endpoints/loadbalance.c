/* SPDX-License-Identifier: Apache-2.0 */
/* <loadbalance algorithm policy failover><endpoint/>+|<member/>+
 * </loadbalance>: the children take turns. */
#include "mediation/endpoint.h"

#define ALGORITHMS "org.apache.synapse.endpoints.algorithms."

static int
unsupported(const struct xml_el *el, const char *attr, struct str text,
    struct err *err)
{
	xml_error(el, err, "not supported: load balance %s \"%.*s\" ("
	    "RoundRobin and WeightedRoundRobin are)", attr, STR_FMT(text));
	err->kind = ERR_UNSUPPORTED;
	return -1;
}

static int
read_algorithm(const struct xml_el *el, struct ep_group *g, struct err *err)
{
	struct str policy = xml_attr(el, "policy");
	struct str name = xml_attr(el, "algorithm");
	struct str tail = str_starts(name, ALGORITHMS)
	    ? str_from(name, sizeof(ALGORITHMS) - 1) : name;

	if (policy.n && !str_iis(policy, "roundRobin"))
		return unsupported(el, "policy", policy, err);
	g->weighted = str_is(tail, "WeightedRoundRobin");
	if (name.n && !g->weighted && !str_is(tail, "RoundRobin"))
		return unsupported(el, "algorithm", name, err);
	return 0;
}

static int
loadbalance_compile(struct med_compile *c, const struct xml_el *el,
    void **node, struct err *err)
{
	struct ep_group *g = arena_zalloc(med_arena(c), sizeof(*g));

	*node = g;
	g->title = "Loadbalance";
	g->choice = EP_TURNS;
	(void)xml_attr(el, "buildMessage");
	if (read_algorithm(el, g, err) < 0 ||
	    xml_attr_bool(el, "failover", true, &g->move_on, err) < 0 ||
	    endpoint_children(c, el, g, err) < 0)
		return -1;
	return g->count ? 0 : xml_error(el, err, "Invalid Synapse "
	    "configuration. A LoadbalanceEndpoint must have child elements, "
	    "but it does not have any child elements");
}

static const struct ep_group *
loadbalance_group(const void *node)
{
	return node;
}

const struct endpoint_type endpoint_type_loadbalance = {
	.element = "loadbalance",
	.kind = ENDPOINT_GROUP,
	.compile = loadbalance_compile,
	.group = loadbalance_group,
	.takes_session = true,
};
