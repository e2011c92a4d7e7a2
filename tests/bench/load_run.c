/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { OPENING_MAX = 64, POLL_MS = 100 };
#define SECOND UINT64_C(1000000000)
#define OPEN_LIMIT (60 * SECOND)
#define STALL_LIMIT (2 * SECOND)

volatile sig_atomic_t load_stopped;

static void
poll_once(struct load *l, uint64_t until)
{
	struct epoll_event ev[BENCH_EVENTS];
	uint64_t now = now_ns();
	uint64_t left_ms = until > now ? (until - now) / 1000000 + 1 : 0;
	int n = epoll_wait(l->epoll, ev, BENCH_EVENTS,
	    left_ms < POLL_MS ? (int)left_ms : POLL_MS);

	for (int i = 0; i < n; i++)
		conn_on_event(l, ev[i].data.ptr, ev[i].events);
}

static void
open_all(struct load *l)
{
	uint64_t limit = now_ns() + OPEN_LIMIT;
	int all = l->options.conns;

	while (!load_stopped && now_ns() < limit) {
		while (l->started < all && l->opening < OPENING_MAX)
			conn_start(l, &l->conns[l->started++]);
		if (l->started == all && !l->opening)
			return;
		poll_once(l, limit);
	}
	if (!load_stopped)
		l->fails[FAIL_STALL] += (uint64_t)l->opening;
}

static void
begin_all(struct load *l)
{
	l->progress_ns = now_ns();
	for (int i = 0; i < l->options.conns; i++) {
		if (l->options.mode == LOAD_ECHO)
			conn_begin(l, &l->conns[i]);
		else if (l->options.mode == LOAD_CONNECT)
			conn_start(l, &l->conns[i]);
	}
}

static void
check_progress(struct load *l)
{
	uint64_t now = now_ns();

	if (now < l->progress_ns + STALL_LIMIT)
		return;
	l->fails[FAIL_STALL]++;
	l->progress_ns = now;
}

static bool
goes_on(const struct load *l)
{
	uint64_t wanted = l->options.count;

	if (wanted && l->hist.count >= wanted)
		return false;
	return !load_stopped && l->open + l->opening > 0;
}

static void
run_until(struct load *l, uint64_t until)
{
	while (goes_on(l) && now_ns() < until) {
		poll_once(l, until);
		check_progress(l);
	}
}

/* The processor time is read at the very moments the counting begins and
 * ends, so that the two speak of the same messages. */
static void
measure(struct load *l)
{
	struct usage after;
	double own = cpu_of_self();

	l->before = usage_of(&l->options);
	l->from_ns = now_ns();
	l->measuring = true;
	run_until(l, l->from_ns + l->options.window_ns);
	l->measuring = false;
	l->to_ns = now_ns();
	after = usage_of(&l->options);
	l->used.cpu_s = after.cpu_s - l->before.cpu_s;
	l->used.allocs = after.allocs - l->before.allocs;
	l->own_cpu_s = cpu_of_self() - own;
	l->ended = true;
}

static void
hold(struct load *l)
{
	printf("{\"mode\":\"idle\",\"conns\":%d,\"open\":%d}\n",
	    l->options.conns, l->open);
	fflush(stdout);
	while (!load_stopped)
		poll_once(l, UINT64_MAX);
	l->ended = true;
}

void
load_run(struct load *l)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll < 0)
		bench_die(LOAD, "epoll");
	if (l->options.mode != LOAD_CONNECT)
		open_all(l);
	if (l->options.mode == LOAD_IDLE) {
		hold(l);
		return;
	}
	begin_all(l);
	run_until(l, now_ns() + l->options.warmup_ns);
	measure(l);
}
