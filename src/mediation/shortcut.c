/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the sequences that only hand messages on. */
#include "mediation/compile.h"

const struct endpoint *
endpoint_ref_fixed(const struct endpoint_ref *ref)
{
	const struct endpoint *ep = endpoint_static(ref);

	if (!ep || ep->property_count || endpoint_kind(ep) !=
	    ENDPOINT_ADDRESS || endpoint_is_dynamic(ep))
		return NULL;
	return ep;
}

static bool
is_ws(const struct endpoint *ep)
{
	struct str uri;
	struct fault fault;

	/* A fixed address asks for no message. */
	return endpoint_address(ep, NULL, &uri, &fault) == 0 &&
	    str_istarts(uri, "ws");
}

static bool
passes(const struct sequence *s, struct med_shortcut *out)
{
	for (size_t i = 0; i < s->list->count; i++) {
		const struct med_node *n = &s->list->node[i];

		switch (n->type->pass ? n->type->pass(n->data, out) : PASS_NO) {
		case PASS_ON:
			continue;
		case PASS_END:
			return out->kind == SHORTCUT_RESPOND ||
			    is_ws(out->endpoint);
		case PASS_NO:
			return false;
		}
	}
	return false;
}

void
shortcut_find(struct med_compile *c, struct sequence *s)
{
	struct med_shortcut found = { .kind = SHORTCUT_SEND };
	struct med_shortcut *kept;

	if (s->trace || !s->list || !passes(s, &found))
		return;
	kept = arena_alloc(c->set->arena, sizeof(*kept));
	*kept = found;
	s->shortcut = kept;
}

const struct med_shortcut *
sequence_shortcut(const struct sequence *s)
{
	return s ? s->shortcut : NULL;
}
