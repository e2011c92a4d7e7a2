/* SPDX-License-Identifier: Apache-2.0 */
/* <target> of <clone> and <iterate>: what is done with a copy of the message. */
#ifndef MEDIATION_MEDIATORS_SPLIT_TARGET_H
#define MEDIATION_MEDIATORS_SPLIT_TARGET_H

#include "mediation/mediator.h"

struct split_target {
	const struct med_list *list;
	const struct sequence_ref *ref;
	struct str to, action;
};

int split_target_read(struct med_compile *, const struct xml_el *,
    struct split_target *, struct err *) MUST_CHECK;
/* Takes copy; marks it as number i of n of the group of id, and runs it as a
 * branch. Returns what exec should. */
enum med_next split_target_run(struct med_run *, const struct split_target *,
    enum med_branch, struct message *copy, med_after_fn *, void *state,
    struct fault *);
/* Property names of that id. */
struct split_names {
	struct str sequence, correlation;
};
void split_names_make(struct med_compile *, struct str id,
    struct split_names *);
void split_mark(struct message *copy, const struct split_names *,
    struct str parent_id, size_t i, size_t n);

#endif
