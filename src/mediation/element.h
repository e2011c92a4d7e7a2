/* SPDX-License-Identifier: Apache-2.0 */
/* Part of mediator.h: an element of an artifact, as compile sees it. */
#ifndef MEDIATION_ELEMENT_H
#define MEDIATION_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct xml_el;

struct src_pos xml_pos(const struct xml_el *);
struct str xml_name(const struct xml_el *);		/* local name */
/* Value of an attribute; p == NULL when absent. What is in elements.def and not
 * read has no effect, which is an error. */
struct str xml_attr(const struct xml_el *, const char *name);
/* true/false in any case; dflt when absent; -1 with err for other text. */
int xml_attr_bool(const struct xml_el *, const char *name, bool dflt,
    bool *out, struct err *) MUST_CHECK;
int xml_attr_int(const struct xml_el *, const char *name, int64_t dflt,
    int64_t *out, struct err *) MUST_CHECK;
/* First child element of that name in the synapse namespace, or NULL; and the
 * next one with the same name. The same holds for them. */
const struct xml_el *xml_child(const struct xml_el *, const char *name);
const struct xml_el *xml_next(const struct xml_el *);
/* All child elements of the synapse namespace in order, whatever their name. */
const struct xml_el *xml_first_child(const struct xml_el *);
const struct xml_el *xml_next_child(const struct xml_el *);
struct str xml_text(const struct xml_el *);	/* direct text and CDATA, untrimmed */
/* Inner first element as markup with inherited namespaces; p NULL if none. */
struct str xml_inner_markup(const struct xml_el *, struct arena *);
/* The URI bound to a namespace prefix there; p NULL when it is not bound. */
struct str xml_lookup_ns(const struct xml_el *, struct str prefix);
/* The same without text that is blank. */
struct str xml_inner_markup_stripped(const struct xml_el *, struct arena *);
/* Is there an element of one of these names (NULL-ended) anywhere below? */
bool xml_contains(const struct xml_el *, const char *const *names);
bool xml_has_child_elements(const struct xml_el *);
int xml_error(const struct xml_el *, struct err *, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
