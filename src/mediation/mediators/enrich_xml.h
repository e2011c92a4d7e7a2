/* SPDX-License-Identifier: Apache-2.0 */
/* <enrich> on the envelope of a message. */
#ifndef MEDIATION_MEDIATORS_ENRICH_XML_H
#define MEDIATION_MEDIATORS_ENRICH_XML_H

#include "mediation/mediators/enrich.h"

enum med_next enrich_xml(struct med_run *, const struct enrich *,
    struct message *, struct fault *);

#endif
