/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Artifact files as trees of elements with positions. The only place of this
 * folder that knows libxml2. Strings live in the set's arena, elements until
 * xml_file_free(). How elements are read is in mediator.h.
 */
#ifndef MEDIATION_XMLREAD_H
#define MEDIATION_XMLREAD_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/str.h"
#include "mediation/mediator.h"
#include "msg/expr.h"

#define SYNAPSE_NS "http://ws.apache.org/ns/synapse"

struct xml_file;

/* Takes what a reader has to complain about beyond the one error it returns. */
typedef void xml_report_fn(void *ctx, const struct err *);

/*
 * One file's bytes, which must live until xml_file_free(). path must live as
 * long as the positions that point to it.
 * NULL when it is not well-formed, holds a DTD or nests too deep: err has the
 * reason and the place.
 */
struct xml_file *xml_file_parse(struct arena *strings, const char *path,
    struct str text, xml_report_fn *report, void *ctx, struct err *)
    MUST_CHECK;
void xml_file_free(struct xml_file **);
const struct xml_el *xml_file_root(const struct xml_file *);

/* Namespace URI of an element; "" when it has none. */
struct str xml_namespace(const struct xml_el *);
bool xml_in_synapse(const struct xml_el *);
/* Child elements whatever their namespace; not marked as known. */
const struct xml_el *xml_any_child(const struct xml_el *);
const struct xml_el *xml_any_next(const struct xml_el *);
/* The caller has dealt with it (and everything below). */
void xml_mark_done(const struct xml_el *);
/* Its attributes and children are of a language of their own. */
void xml_mark_opaque(const struct xml_el *);
/* For element_check(): the attribute at that place, false after the last one;
 * and whether compile looked at it, or at the element. */
bool xml_attr_at(const struct xml_el *, size_t, struct str *name,
    bool *was_read);
bool xml_has_attr(const struct xml_el *, const char *name);
bool xml_was_read(const struct xml_el *);
bool xml_is_settled(const struct xml_el *);	/* marked done or opaque */
/* The names that compile asked for, whether they are there or not. */
const char *const *xml_asked_attrs(const struct xml_el *, unsigned *count);
const char *const *xml_asked_children(const struct xml_el *, unsigned *count);
bool xml_asked_all_children(const struct xml_el *);
/* One error more than can be returned. */
void xml_report(const struct xml_el *, const struct err *);
/* The element itself as markup with inherited namespaces. */
struct str xml_el_markup(const struct xml_el *, struct arena *);
/* Line and column of a byte of an attribute's value; the element's position when
 * p points into none. */
struct src_pos xml_place(const struct xml_el *, const char *p);
/* Namespaces in scope there; lives in the arena. */
void xml_scope(const struct xml_el *, struct arena *, struct expr_scope *out);

#endif
