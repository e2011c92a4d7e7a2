/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSONPath in the dialect that Synapse artifacts are written in (mediation.md
 * 4.3): compiled once, read and written on cJSON trees. Private to msg and to
 * those who change JSON by paths.
 */
#ifndef MSG_JSONPATH_H
#define MSG_JSONPATH_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct cJSON;
struct jsonpath;

/* Copies into the arena. A leading "$." may be missing, one trailing dot is
 * dropped. NULL after a syntax error with err->at.column set (1-based place
 * within text; line 0). */
struct jsonpath *jsonpath_compile(struct arena *, struct str text,
    struct err *) MUST_CHECK;
/* Only names and single indices: it gives one value, else an array. */
bool jsonpath_is_definite(const struct jsonpath *);
/* "$": the document itself. */
bool jsonpath_is_root(const struct jsonpath *);
/* The last step is a single index: a number is not spelled anew. */
bool jsonpath_ends_in_index(const struct jsonpath *);
/* As written. */
struct str jsonpath_text(const struct jsonpath *);

/* One value that a path selects. */
struct jsonpath_hit {
	struct cJSON *node;
	struct cJSON *parent;	/* NULL: the document, or made by a function */
	bool by_key;		/* a number is rendered anew (rule 4) */
};

struct jsonpath_hits {
	struct jsonpath_hit *hit;
	size_t count;
};

enum jsonpath_result { JSONPATH_FAILED = -1, JSONPATH_FOUND, JSONPATH_ABSENT };

/*
 * All that the path selects in the document; a definite path selects one. The
 * list lives in the arena, nodes are those of the document. ABSENT when the
 * path does not exist (with an indefinite path an empty list is FOUND); then
 * err says "No results for path: ...". FAILED when it took too much
 * (ERR_LIMIT).
 */
enum jsonpath_result jsonpath_select(const struct jsonpath *,
    struct cJSON *root, struct arena *, struct jsonpath_hits *out,
    struct err *) MUST_CHECK;

/*
 * The value: the node itself of a definite path, else an array of what was
 * selected. Numbers taken by key are nodes of their own, spelled anew. The
 * result shares nodes with the document and must not be changed.
 */
enum jsonpath_result jsonpath_read(const struct jsonpath *,
    struct cJSON *root, struct arena *, struct cJSON **out, struct err *)
    MUST_CHECK;

/*
 * Writing. The path must exist: ABSENT leaves all as it was and fills err.
 * Indefinite paths change every match. Values are copied into the arena of the
 * tree. *root changes when the path is "$".
 */
enum jsonpath_result jsonpath_set(const struct jsonpath *, struct cJSON **root,
    const struct cJSON *value, struct arena *, struct err *) MUST_CHECK;
/* "$" empties the document: {} or []. Nothing matched by an indefinite path is
 * no fault. */
enum jsonpath_result jsonpath_delete(const struct jsonpath *,
    struct cJSON **root, struct arena *, struct err *) MUST_CHECK;
/* Gives the members that the path selects another name; ABSENT also when it
 * selects elements of arrays. */
enum jsonpath_result jsonpath_rename(const struct jsonpath *,
    struct cJSON *root, struct str name, struct arena *, struct err *)
    MUST_CHECK;
/* Appends to arrays; FAILED with ERR_VALUE when one selected is no array. */
enum jsonpath_result jsonpath_append(const struct jsonpath *,
    struct cJSON *root, const struct cJSON *value, struct arena *,
    struct err *) MUST_CHECK;

/* A number as it prints when taken by key: 1.50 is 1.5, 1e3 is 1000, 12345678.9
 * is 1.23456789E7 (mediation.md 0 rule 4). */
struct str jsonpath_number_text(struct str spelled, struct arena *);

#endif
