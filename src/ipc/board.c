/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/board.h"

#include <stddef.h>
#include <sys/mman.h>

const struct metric board_metrics[] = {
#define METRIC(field, name, kind, help) \
	{ name, help, METRIC_##kind, offsetof(struct board_slot, field) },
#include "ipc/metrics.def"
#undef METRIC
};
const size_t board_metric_count = ARRAY_LEN(board_metrics);

struct board *
board_new(struct err *err)
{
	void *p = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		err_sys(err, "cannot map the scoreboard");
		return NULL;
	}
	return p;
}

void
board_free(struct board **b)
{
	if (*b)
		munmap(*b, sizeof(**b));
	*b = NULL;
}

int64_t
board_read(const struct board_slot *slot, const struct metric *m)
{
	const char *p = (const char *)slot + m->offset;

	return atomic_load_explicit((const _Atomic int64_t *)(const void *)p,
	    memory_order_relaxed);
}

void
board_clear_gauges(struct board_slot *slot)
{
	for (size_t i = 0; i < board_metric_count; i++) {
		const struct metric *m = &board_metrics[i];
		char *p = (char *)slot + m->offset;

		if (m->kind == METRIC_GAUGE)
			atomic_store_explicit((_Atomic int64_t *)(void *)p, 0,
			    memory_order_relaxed);
	}
}
