/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "ipc/board.h"
#include "master/state.h"
#include "mediation/epstate.h"

static const char *
state_name(enum master_state state)
{
	switch (state) {
	case MASTER_STARTING:
		return "starting";
	case MASTER_RUNNING:
		return "running";
	case MASTER_QUITTING:
		return "draining";
	case MASTER_STOPPING:
	case MASTER_DONE:
		return "stopping";
	}
	unreachable();
}

static const char *
worker_state(const struct worker *w)
{
	if (!w->pid)
		return "down";
	return w->started ? "running" : "starting";
}

static void
add_text(struct buf *to, const char *key, const char *value)
{
	buf_printf(to, "\"%s\":", key);
	log_json_string(to, str_of(value));
}

static void
add_counters(struct buf *to, const struct board_slot *slot)
{
	for (size_t i = 0; i < board_metric_count; i++)
		buf_printf(to, "%s\"%s\":%" PRId64, i ? "," : "",
		    board_metrics[i].name, board_read(slot, &board_metrics[i]));
}

static void
add_worker(const struct master *m, const struct worker *w, struct buf *to)
{
	const struct board_slot *slot = &m->board->slot[w->index];

	buf_printf(to, "{\"worker\":%u,\"pid\":%ld,\"state\":\"%s\","
	    "\"uptime_s\":%" PRId64 ",\"deaths\":%u,\"generation\":%" PRId64
	    ",\"counters\":{", w->index + 1, (long)w->pid, worker_state(w),
	    w->pid ? (clock_ms() - w->born_ms) / 1000 : 0, w->deaths,
	    board_get(slot, generation));
	add_counters(to, slot);
	buf_addz(to, "}}");
}

static void
add_totals(const struct master *m, struct buf *to)
{
	for (size_t i = 0; i < board_metric_count; i++) {
		int64_t sum = 0;

		for (unsigned w = 0; w < m->worker_count; w++)
			sum += board_read(&m->board->slot[w],
			    &board_metrics[i]);
		buf_printf(to, "%s\"%s\":%" PRId64, i ? "," : "",
		    board_metrics[i].name, sum);
	}
}

static void
add_listeners(const struct master *m, struct buf *to)
{
	for (size_t i = 0; m->plan && i < m->plan->count; i++) {
		buf_addz(to, i ? ",{" : "{");
		add_text(to, "inbound", m->plan->item[i].name);
		buf_printf(to, ",\"port\":%u}", m->plan->item[i].port);
	}
}

static void
add_outcome(const struct outcome *o, struct buf *to)
{
	if (!o->any) {
		buf_addz(to, "null");
		return;
	}
	buf_printf(to, "{\"ok\":%s,\"generation\":%" PRId64
	    ",\"age_s\":%" PRId64 ",\"text\":", o->ok ? "true" : "false",
	    o->generation, (clock_wall_us() - o->at_us) / 1000000);
	log_json_string(to, buf_str(&o->text));
	buf_putc(to, '}');
}

/* Endpoints that are not active: the others are not worth a line. */
static void
add_endpoint(const struct board_endpoint *e, struct buf *to)
{
	struct ep_state s = ep_unpack(board_endpoint_state(e));
	char name[BOARD_NAME_WORDS * 8];
	struct str text = { name, board_endpoint_name(e, name) };
	int64_t wait = s.next_ms - clock_ms();

	if (s.phase == EP_ACTIVE)
		return;
	if (buf_data(to)[buf_len(to) - 1] == '}')
		buf_putc(to, ',');
	buf_addz(to, "{\"endpoint\":");
	log_json_string(to, text);
	buf_printf(to, ",\"state\":\"%s\",\"retry_in_ms\":%" PRId64
	    ",\"timeouts\":%u,\"suspensions\":%u}",
	    s.phase == EP_TIMEOUT ? "timeout" : "suspended",
	    wait > 0 ? wait : 0, s.timeouts, s.suspensions);
}

static void
add_endpoints(const struct master *m, struct buf *to)
{
	for (size_t i = 0; i < BOARD_ENDPOINTS; i++)
		if (board_endpoint_used(&m->board->endpoint[i]))
			add_endpoint(&m->board->endpoint[i], to);
}

void
status_json(const struct master *m, struct buf *to)
{
	buf_putc(to, '{');
	add_text(to, "version", m->p.version);
	buf_printf(to, ",\"pid\":%ld,\"state\":\"%s\",\"uptime_s\":%" PRId64
	    ",\"generation\":%" PRId64 ",", (long)getpid(),
	    state_name(m->state), (clock_ms() - m->started_ms) / 1000,
	    m->generation);
	add_text(to, "config", m->p.config_file);
	buf_putc(to, ',');
	add_text(to, "artifacts", m->config->artifacts_root);
	buf_addz(to, ",\"last_reload\":");
	add_outcome(&m->last, to);
	buf_addz(to, ",\"listeners\":[");
	add_listeners(m, to);
	buf_addz(to, "],\"endpoints\":[");
	add_endpoints(m, to);
	buf_addz(to, "],\"workers\":[");
	for (unsigned i = 0; i < m->worker_count; i++) {
		buf_addz(to, i ? "," : "");
		add_worker(m, &m->worker[i], to);
	}
	buf_addz(to, "],\"totals\":{");
	add_totals(m, to);
	buf_addz(to, "}}\n");
}
