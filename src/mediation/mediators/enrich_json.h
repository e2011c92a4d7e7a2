/* SPDX-License-Identifier: Apache-2.0 */
/* <enrich> on a JSON body. */
#ifndef MEDIATION_MEDIATORS_ENRICH_JSON_H
#define MEDIATION_MEDIATORS_ENRICH_JSON_H

#include "mediation/mediators/enrich.h"

enum med_next enrich_json(struct med_run *, const struct enrich *,
    struct message *, struct fault *);

#endif
