/* SPDX-License-Identifier: Apache-2.0 */
/* <foreach collection="${...}">: the second mediator of that name. */
#ifndef MEDIATION_MEDIATORS_FOREACH2_H
#define MEDIATION_MEDIATORS_FOREACH2_H

#include "mediation/mediator.h"

struct foreach2;

int foreach2_compile(struct med_compile *, const struct xml_el *,
    const struct foreach2 **out, struct err *) MUST_CHECK;
enum med_next foreach2_exec(struct med_run *, const struct foreach2 *,
    struct message *, struct fault *);

#endif
