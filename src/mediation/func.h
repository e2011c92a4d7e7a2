/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: template parameters of a run ($func:x). */
#ifndef MEDIATION_FUNC_H
#define MEDIATION_FUNC_H

#include "mediation/run.h"

struct func_arg {
	struct str name;
	struct value value;
	struct expr *deferred;	/* evaluated when it is read */
};

struct func_scope {
	struct func_scope *outer;
	const struct func_arg *arg;
	size_t count;
};

void func_enter(struct med_run *, struct func_scope *);
/* Makes scope the current one again; NULL ends them all. */
void func_leave(struct med_run *, struct func_scope *);
/* Runs a template's sequence with scope; on_error may be NULL. */
void run_enter_template(struct med_run *, const struct med_template *,
    const struct sequence_ref *on_error, struct func_scope *);
/* A line as somebody else than the mediator that runs. */
void med_log_as(struct med_run *, enum log_level, struct str origin,
    struct str text);

#endif
