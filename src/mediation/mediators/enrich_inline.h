/* SPDX-License-Identifier: Apache-2.0 */
/* Inline text of <enrich> with {expressions} in it. */
#ifndef MEDIATION_MEDIATORS_ENRICH_INLINE_H
#define MEDIATION_MEDIATORS_ENRICH_INLINE_H

#include "mediation/mediators/enrich.h"

/* Splits the text at its expressions. */
int enrich_read_pieces(struct med_compile *, const struct xml_el *,
    struct enrich *, struct str text, struct err *) MUST_CHECK;
/* The inline text of this message. */
int enrich_inline_text(const struct enrich *, struct message *,
    struct str *out, struct fault *) MUST_CHECK;

#endif
