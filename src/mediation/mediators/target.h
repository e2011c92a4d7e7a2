/* SPDX-License-Identifier: Apache-2.0 */
/* <target>: where clone, iterate and conditionalRouter send copies. */
#ifndef MEDIATION_MEDIATORS_TARGET_H
#define MEDIATION_MEDIATORS_TARGET_H

#include "mediation/mediator.h"

struct target {
	struct str to, action;		/* p NULL: as they are */
	/* the first one that is there; none: nothing happens */
	const struct sequence *sequence;
	const struct sequence_ref *ref;
	struct endpoint_ref *endpoint;
};

int target_read(struct med_compile *, const struct xml_el *, struct target *,
    struct err *) MUST_CHECK;

/* Runs the target as a branch on msg, which is taken (NULL: on the one in
 * hand). Returns what exec or after() should. */
enum med_next target_enter(struct med_run *, const struct target *,
    enum med_branch, struct message *msg, med_after_fn *, void *state,
    struct fault *);

/* What a copy knows of where it came from: aggregateCorelation and
 * messageSequence "number/count". id: of the mediator; p NULL: none. */
void target_mark(struct message *copy, struct message *from, struct str id,
    size_t number, size_t count);
/* Properties of scope operation are those of the whole exchange. */
void target_share(struct message *to, struct message *branch);
/* Default properties of a branch that failed. */
void target_take_props(struct message *to, struct message *branch);

#endif
