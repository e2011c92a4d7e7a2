/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timer.h"

#include <stdlib.h>

#include "base/must.h"
#include "net/loop.h"

/* The key is kept apart from the timer's at_ms, which may be later: see
 * timers_set(). It also spares the comparisons a look at the timer. */
struct timer_slot {
	int64_t key;
	struct loop_timer *timer;
};

void
timers_fini(struct timers *t)
{
	free(t->heap);
	*t = (struct timers){ 0 };
}

static void
put(struct timers *t, size_t i, struct timer_slot slot)
{
	t->heap[i] = slot;
	slot.timer->slot = i + 1;
}

static void
sift_up(struct timers *t, size_t i, struct timer_slot slot)
{
	while (i > 0 && t->heap[(i - 1) / 2].key > slot.key) {
		put(t, i, t->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	put(t, i, slot);
}

static void
sift_down(struct timers *t, size_t i, struct timer_slot slot)
{
	size_t child;

	while ((child = 2 * i + 1) < t->count) {
		if (child + 1 < t->count &&
		    t->heap[child + 1].key < t->heap[child].key)
			child++;
		if (t->heap[child].key >= slot.key)
			break;
		put(t, i, t->heap[child]);
		i = child;
	}
	put(t, i, slot);
}

/* Moves slot, whose key may be anything, from i to where it belongs. */
static void
settle(struct timers *t, size_t i, struct timer_slot slot)
{
	if (i > 0 && t->heap[(i - 1) / 2].key > slot.key)
		sift_up(t, i, slot);
	else
		sift_down(t, i, slot);
}

void
timers_set(struct timers *t, struct loop_timer *timer, int64_t at_ms)
{
	struct timer_slot slot = { .key = at_ms, .timer = timer };

	timer->at_ms = at_ms;
	if (timer->slot) {
		/* A later time costs nothing now: the slot keeps its key
		 * and is moved when that comes up. */
		if (at_ms < t->heap[timer->slot - 1].key)
			sift_up(t, timer->slot - 1, slot);
		return;
	}
	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->heap = xrealloc(t->heap, t->cap * sizeof(*t->heap));
	}
	sift_up(t, t->count++, slot);
}

void
timers_stop(struct timers *t, struct loop_timer *timer)
{
	size_t i = timer->slot;

	if (i == 0)
		return;
	must(i <= t->count && t->heap[i - 1].timer == timer);
	timer->slot = 0;
	t->count--;
	if (i - 1 < t->count)
		settle(t, i - 1, t->heap[t->count]);
}

int64_t
timers_next(const struct timers *t)
{
	return t->count ? t->heap[0].key : INT64_MAX;
}

void
timers_run(struct timers *t, int64_t now_ms)
{
	t->running = true;
	while (t->count && t->heap[0].key <= now_ms) {
		struct loop_timer *timer = t->heap[0].timer;

		if (timer->at_ms > now_ms) {
			sift_down(t, 0, (struct timer_slot){
			    .key = timer->at_ms, .timer = timer });
			continue;
		}
		timers_stop(t, timer);
		timer->on_time(timer->ctx);
	}
	t->running = false;
}
