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
/* The same into an arena. */
struct str xml_markup(const struct _xmlNode *, struct arena *);
/* Direct text of an element as it stands; content of any other node. Good
 * until the node changes. */
struct str xml_own_text(const struct _xmlNode *, struct arena *);
/* mediation.md 0 rule 1: own direct text, trimmed (NBSP is blank), else the
 * markup. */
struct str xml_string_value(const struct _xmlNode *, struct arena *);
/* SOAP. XML_WRAP puts an envelope around the root whatever it is;
 * XML_EXPECT_SOAP takes nothing but an envelope with a Body. */
enum xml_wrap { XML_WRAP, XML_WRAP_UNLESS_SOAP, XML_EXPECT_SOAP };
int xml_make_envelope(struct _xmlDoc *, enum xml_wrap, struct err *)
    MUST_CHECK;
struct _xmlDoc *xml_new_envelope(struct arena *) MUST_CHECK;
bool xml_is_envelope(struct _xmlDoc *);
struct _xmlNode *xml_soap_body(struct _xmlDoc *);	/* or NULL */
struct _xmlNode *xml_soap_header(struct _xmlDoc *);	/* or NULL */
/* Makes one where there is none. */
struct _xmlNode *xml_soap_header_make(struct _xmlDoc *);
/* Header blocks of an envelope into one that has none. */
void xml_copy_headers(struct _xmlDoc *to, struct _xmlDoc *from);
/* <name xmlns="http://ws.apache.org/commons/ns/payload">text</name> */
struct _xmlNode *xml_new_wrapper(struct _xmlDoc *, const char *name,
    struct str text) MUST_CHECK;
/* From now on the document goes with the arena. */
void xml_keep_doc(struct arena *, struct _xmlDoc *);
int xml_copy_doc(struct arena *, struct _xmlDoc *from, struct _xmlDoc **out,
    struct err *) MUST_CHECK;

/* & < > " ' as entities. */
void xml_escape(struct buf *, struct str);
/* Does the text parse as one XML element? (Cheap tests first.) */
bool xml_looks_like_element(struct str);

#endif
