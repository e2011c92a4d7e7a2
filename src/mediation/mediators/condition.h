/* SPDX-License-Identifier: Apache-2.0 */
/* <condition>: and, or, not, equal and match, of texts of a message. */
#ifndef MEDIATION_MEDIATORS_CONDITION_H
#define MEDIATION_MEDIATORS_CONDITION_H

#include "mediation/mediator.h"

struct condition;

/* The only element inside el. */
int condition_read(struct med_compile *, const struct xml_el *,
    struct condition **out, struct err *) MUST_CHECK;
int condition_test(const struct condition *, struct message *, bool *out,
    struct fault *) MUST_CHECK;

#endif
