/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipc: what crosses a process boundary, and nothing else.
 *
 * The scoreboard: shared memory made by the master before it forks, one slot
 * per worker index, each field written by that worker alone with relaxed
 * atomics and read by anybody.
 */
#ifndef IPC_BOARD_H
#define IPC_BOARD_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/attr.h"
#include "base/err.h"

enum { BOARD_SLOTS = 256 };

struct board_slot {
	/* Each slot on its own cache lines: writers do not disturb others. */
	_Alignas(64) _Atomic int64_t pid;	/* 0 = nobody */
	_Atomic int64_t started_us;	/* wall clock */
	_Atomic int64_t generation;	/* set in use */
#define METRIC(field, name, kind, help) _Atomic int64_t field;
#include "ipc/metrics.def"
#undef METRIC
};

struct board {
	struct board_slot slot[BOARD_SLOTS];
};

/* Anonymous shared mapping, zeroed. */
struct board *board_new(struct err *) MUST_CHECK;
void board_free(struct board **);

/* One writer a slot: a load and a store, no locked instruction. */
#define board_add(slot, field, n)                                             \
	atomic_store_explicit(&(slot)->field,                                 \
	    atomic_load_explicit(&(slot)->field, memory_order_relaxed) + (n), \
	    memory_order_relaxed)
#define board_set(slot, field, n) \
	atomic_store_explicit(&(slot)->field, (n), memory_order_relaxed)
#define board_get(slot, field) \
	atomic_load_explicit(&(slot)->field, memory_order_relaxed)

/* The rows of metrics.def, for those who print them. */
enum metric_kind { METRIC_GAUGE, METRIC_COUNTER };
struct metric {
	const char *name, *help;
	enum metric_kind kind;
	size_t offset;			/* of its field in struct board_slot */
};
extern const struct metric board_metrics[];
extern const size_t board_metric_count;
int64_t board_read(const struct board_slot *, const struct metric *);
/* What a dead worker leaves behind: gauges to zero, counters stay. */
void board_clear_gauges(struct board_slot *);

#endif
