/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that tie names of elements to code. */
#include "base/attr.h"
#include "mediation/compile.h"

#define MEDIATOR(name, element) extern const struct mediator_type mediator_##name;
#include "mediation/mediators.def"
#undef MEDIATOR
#define ENDPOINT(name, element) \
	extern const struct endpoint_type endpoint_type_##name;
#include "mediation/endpoints.def"
#undef ENDPOINT

static const struct mediator_type *const mediators[] = {
#define MEDIATOR(name, element) &mediator_##name,
#include "mediation/mediators.def"
#undef MEDIATOR
};

static const char *const names[] = {
#define MEDIATOR(name, element) element,
#include "mediation/mediators.def"
#undef MEDIATOR
	NULL
};

static const struct endpoint_type *const endpoints[] = {
#define ENDPOINT(name, element) &endpoint_type_##name,
#include "mediation/endpoints.def"
#undef ENDPOINT
};

/* Elements that MI knows and wsgw does not run. */
static const struct {
	const char *element, *reason;
} refused[] = {
#define REFUSED(element, reason) { element, reason },
#include "mediation/refused.def"
#undef REFUSED
};

const struct mediator_type *
registry_mediator(struct str element)
{
	for (size_t i = 0; i < ARRAY_LEN(mediators); i++)
		if (str_is(element, names[i]))
			return mediators[i];
	return NULL;
}

const struct endpoint_type *
registry_endpoint(struct str element)
{
	for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
		if (str_is(element, endpoints[i]->element))
			return endpoints[i];
	return NULL;
}

const char *
registry_refusal(struct str element)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (str_is(element, refused[i].element))
			return refused[i].reason;
	return NULL;
}

const char *const *
registry_names(void)
{
	return names;
}
