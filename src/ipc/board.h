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
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { BOARD_SLOTS = 256, BOARD_ENDPOINTS = 1024, BOARD_NAME_WORDS = 13 };

struct board_slot {
	/* Each slot on its own cache lines: writers do not disturb others. */
	_Alignas(64) _Atomic int64_t pid;	/* 0 = nobody */
	_Atomic int64_t started_us;	/* wall clock */
	_Atomic int64_t generation;	/* set in use */
#define METRIC(field, name, kind, help) _Atomic int64_t field;
#include "ipc/metrics.def"
#undef METRIC
};

/*
 * What all workers know of an endpoint that failed once, or of a group that
 * takes turns. Anybody writes; each field is a word that is exchanged whole,
 * so a writer that dies at any instruction leaves nothing half done. A slot
 * is never given back.
 */
struct board_endpoint {
	_Alignas(64) _Atomic uint64_t key;	/* of the name; 0 = free */
	_Atomic uint64_t state, number;		/* meaning: the workers' */
	/* The name, for people, cut at the end of a word; named is set when all
	 * of it is there. */
	_Atomic uint64_t named, name[BOARD_NAME_WORDS];
};

struct board {
	struct board_slot slot[BOARD_SLOTS];
	/* Counts the changes of state of endpoints, whoever makes them. */
	_Alignas(64) _Atomic uint64_t endpoint_changes;
	struct board_endpoint endpoint[BOARD_ENDPOINTS];
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

/* ---- endpoints (board_endpoint.c) -------------------------------------- */

enum board_want { BOARD_FIND, BOARD_MAKE };
/* NULL: there is none, or no room for one. */
struct board_endpoint *board_endpoint(struct board *, struct str name,
    enum board_want);
/* As far as it is known; at most BOARD_NAME_WORDS * 8 bytes, no NUL. */
size_t board_endpoint_name(const struct board_endpoint *, char *out);
bool board_endpoint_used(const struct board_endpoint *);
uint64_t board_endpoint_state(const struct board_endpoint *);
/* Sets it when it is still *old; else *old is what it is now. */
bool board_endpoint_swap(struct board *, struct board_endpoint *,
    uint64_t *old, uint64_t state) MUST_CHECK;
/* Returns what it was. */
uint64_t board_endpoint_count(struct board_endpoint *);
uint64_t board_endpoint_number(const struct board_endpoint *);
void board_endpoint_set_number(struct board_endpoint *, uint64_t);
void board_endpoint_changed(struct board *);
/* To be asked before the states that are read. */
uint64_t board_endpoint_changes(const struct board *);
/* True: no state is another one than when that was the number. */
static inline bool
board_endpoints_same(const struct board *b, uint64_t changes)
{
	return atomic_load_explicit(&b->endpoint_changes,
	    memory_order_relaxed) == changes;
}

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
