/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of mediator.h: what a mediator keeps when a run is over. A group
 * belongs to a node and a key, and to the worker. What is kept lives in the
 * arena of the group's message, which has the properties of the first one.
 */
#ifndef MEDIATION_GROUP_H
#define MEDIATION_GROUP_H

#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/str.h"
#include "mediation/mediation.h"

struct med_group;

/* Time is up: runs on a new message that has the group's properties; returns
 * what exec would. */
typedef enum med_next med_due_fn(struct med_run *, const void *node,
    struct med_group *, struct message *, struct fault *);

struct med_group *med_group_find(struct med_run *, const void *node,
    struct str key);
/* due is called after timeout_ms; 0: never, but then limits.group_time ends
 * the group without more than a line in the log. NULL after a fault: there are
 * too many. state is zeroed. */
struct med_group *med_group_new(struct med_run *, const void *node,
    struct str key, struct message *first, int64_t timeout_ms, med_due_fn *due,
    size_t state_size, struct fault *) MUST_CHECK;
struct message *med_group_message(struct med_group *);
void *med_group_state(struct med_group *);
/* After something was added; more: what it takes beside the arena. -1 when all
 * groups together take too much: then this one is gone. */
int med_group_grown(struct med_run *, struct med_group *, size_t more,
    struct fault *) MUST_CHECK;

/* Milliseconds, of the engine's clock; 0 when it has none. */
int64_t med_now(struct med_run *);

#endif
