/* SPDX-License-Identifier: Apache-2.0 */
/* Private to net: the loop's timers, a binary heap. */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop_timer;
struct timer_slot;

/* { 0 } is empty. */
struct timers {
	struct timer_slot *heap;
	size_t count, cap;
	bool running;		/* timers_run() is under way */
};

void timers_fini(struct timers *);
/* Borrows the timer until it fires or is stopped. */
void timers_set(struct timers *, struct loop_timer *, int64_t at_ms);
void timers_stop(struct timers *, struct loop_timer *);
/* When timers_run() has something to do (perhaps only to find a timer pushed
 * back); INT64_MAX = never. */
int64_t timers_next(const struct timers *);
/* Calls what is due at now_ms. */
void timers_run(struct timers *, int64_t now_ms);

#endif
