/* SPDX-License-Identifier: Apache-2.0 */
/* What <onComplete> asks for: pieces of messages made into one body. */
#ifndef MEDIATION_MEDIATORS_GATHER_H
#define MEDIATION_MEDIATORS_GATHER_H

#include "mediation/mediator.h"

struct gather {
	struct expr *expr;
	bool json;
	bool merge;			/* aggregateElementType="child" */
	struct str enclosing;		/* property; p NULL: none */
};

/* All of one group, in an arena. */
struct gathered {
	struct arena *arena;
	struct cJSON *json;		/* array, or the merged object */
	struct _xmlNode *xml;		/* the pieces are its children */
	size_t count;
};

int gather_read(struct med_compile *, const struct xml_el *on_complete,
    struct gather *, struct err *) MUST_CHECK;
/* The first element of the body. */
int gather_default(struct med_compile *, const struct xml_el *,
    struct gather *, struct err *) MUST_CHECK;

void gather_start(const struct gather *, struct gathered *, struct arena *);
/* *more: memory that it took beside the arena. */
int gather_add(const struct gather *, struct gathered *, struct message *,
    size_t *more, struct fault *) MUST_CHECK;
/* All of it becomes the body of msg. */
int gather_finish(const struct gather *, const struct gathered *,
    struct message *msg, struct fault *) MUST_CHECK;

#endif
