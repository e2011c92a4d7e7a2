/* SPDX-License-Identifier: Apache-2.0 */
/* libxml2 behind a wall: no network, no external entities, no DTD with
 * entities, limits on depth, size and names. */
#ifndef MSG_XML_H
#define MSG_XML_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct _xmlDoc;
struct _xmlNode;

/* Once per process, before anything else of this file. */
void xml_global_init(void);
void xml_global_fini(void);

/*
 * A document; it goes when the arena is reset (NULL arena: xml_doc_free()).
 * A DTD is refused. depth 0 = 256. err->at has line and column.
 */
struct _xmlDoc *xml_parse(struct arena *, struct str text, size_t depth,
    struct err *) MUST_CHECK;
void xml_doc_free(struct _xmlDoc **);
/* Appends the markup of one node with the namespace declarations it needs; no
 * XML declaration. */
void xml_print(const struct _xmlNode *, struct buf *);
/* mediation.md 0 rule 1: own direct text, trimmed (NBSP is blank), else the
 * markup. */
struct str xml_string_value(const struct _xmlNode *, struct arena *);
/* & < > " ' as entities. */
void xml_escape(struct buf *, struct str);
/* Does the text parse as one XML element? (Cheap tests first.) */
bool xml_looks_like_element(struct str);

#endif
