/* SPDX-License-Identifier: Apache-2.0 */
/* <condition> of rewrite and conditionalRouter: and, or, not, equal and match,
 * of texts of a message. */
#ifndef MEDIATION_MEDIATORS_CONDITION_H
#define MEDIATION_MEDIATORS_CONDITION_H

#include "mediation/mediator.h"

struct condition;

/* The first element inside el; *out is NULL when there is none. */
int condition_read(struct med_compile *, const struct xml_el *,
    struct condition **out, struct err *) MUST_CHECK;
/* url: what type="url" and "param" look at. -1 when it cannot be told: err
 * says why (the URL is none, a regex gave up), or is ERR_NONE and fault has
 * it. */
int condition_test(const struct condition *, struct message *, struct str url,
    bool *out, struct err *, struct fault *) MUST_CHECK;

#endif
