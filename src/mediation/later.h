/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of mediation.h: what waits when its run is over. An aggregate gathers
 * messages of several runs; when its time is up, it goes on as a run of its
 * own, for the home that the last message came from.
 */
#ifndef MEDIATION_LATER_H
#define MEDIATION_LATER_H

#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"

struct med_engine;
struct med_group;
struct med_set;

/* Time, for an engine; it has none of its own. */
struct med_clock {
	int64_t (*now)(void *ctx);	/* ms, never backwards */
	/* Asks for med_engine_wake() at that time, in place of what was asked
	 * for before. */
	void (*wake)(void *ctx, int64_t at_ms);
	/* A group whose time is up, for a home that was not forgotten: taken,
	 * to be started with a new message, or dropped. From med_engine_wake()
	 * only. */
	void (*again)(void *ctx, void *home, struct med_group *);
	void *ctx;
};
/* Borrows. Without a clock no time is ever up. */
void med_engine_set_clock(struct med_engine *, const struct med_clock *);
void med_engine_wake(struct med_engine *);
/* Ends of home: what waits for it finds nobody when its time is up. */
void med_engine_forget(struct med_engine *, const void *home);
/* Groups that wait for messages. */
unsigned med_engine_groups(const struct med_engine *);

/* Lives as long as the group. */
struct med_set *med_group_set(const struct med_group *);
/* *group becomes NULL; NULL is accepted. */
void med_group_drop(struct med_group **);

#endif
