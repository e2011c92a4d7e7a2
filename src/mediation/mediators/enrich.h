/* SPDX-License-Identifier: Apache-2.0 */
/* A compiled <enrich>; for enrich*.c only. */
#ifndef MEDIATION_MEDIATORS_ENRICH_H
#define MEDIATION_MEDIATORS_ENRICH_H

#include "mediation/mediator.h"
#include "msg/jsonpath.h"

enum enrich_type {
	ENRICH_CUSTOM, ENRICH_ENVELOPE, ENRICH_BODY, ENRICH_PROPERTY,
	ENRICH_INLINE, ENRICH_KEY,
};

enum enrich_action {
	ENRICH_REPLACE, ENRICH_CHILD, ENRICH_SIBLING, ENRICH_REMOVE,
};

/* A part of inline text: as it stands, or {expression}. */
struct enrich_piece {
	struct str text;
	struct expr *expr;
	bool quoted;		/* it stands in quotes */
};

struct enrich {
	enum enrich_type from, to;
	enum enrich_action action;
	bool clone;
	/* ENRICH_CUSTOM, ENRICH_KEY: expr, and path when it is json-eval() */
	struct expr *from_expr, *to_expr;
	struct jsonpath *const *from_path;	/* several for remove */
	size_t from_paths;
	struct jsonpath *to_path;
	struct str from_property, to_property;
	/* ENRICH_INLINE: markup, or text in pieces, or the key of an entry */
	struct str markup, key;
	const struct enrich_piece *piece;
	size_t pieces;
	/* all but envelope, with json-eval() wherever there is a path */
	bool may_be_json;
};

#endif
