/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: the parts of wsgw-load. load.c reads the options and prints the
 * result; load_run.c holds the loop and the measured window; load_conn.c one
 * connection; the rest is small change.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <signal.h>

#include "bench.h"

#define LOAD "wsgw-load"

enum load_mode { LOAD_ECHO, LOAD_CONNECT, LOAD_IDLE };
enum load_kind { KIND_JSON, KIND_TEXT, KIND_BINARY };
/* What a reply must be: the message; of its length; anything whole. */
enum load_check { CHECK_ECHO, CHECK_LENGTH, CHECK_ANY };

/* Why a connection or a message failed; each is counted. */
enum load_fail {
	FAIL_CONNECT, FAIL_HANDSHAKE, FAIL_CLOSED, FAIL_CONTENT, FAIL_PROTOCOL,
	FAIL_STALL, FAIL_COUNT
};

struct load_options {
	enum load_mode mode;
	enum load_kind kind;
	enum load_check check;
	int port;
	int conns;
	uint32_t depth;			/* messages of a connection in flight */
	size_t size;			/* of a message */
	uint64_t window_ns, warmup_ns;
	uint64_t count;			/* ends the window early; or 0 */
	const char *path, *protocol, *header;
	const char *pids;		/* whose CPU time counts; or NULL */
	const char *alloc_file;		/* where their heap calls stand */
};

/* What the processes of -p have used up so far. */
struct usage {
	double cpu_s;			/* user and system, of all threads */
	uint64_t allocs;		/* with alloc_file */
};

/* Times by their logarithm, exact to 1/64. */
enum { HIST_BUCKETS = 64 * 60 };
struct hist {
	uint64_t count, max;
	uint64_t bucket[HIST_BUCKETS];
};

/* What the connections send: copies of one masked frame in a row, so that one
 * send() takes many. */
struct burst {
	uint8_t *payload;
	uint8_t *frames;
	size_t frame_size, copies;
};

enum conn_state { CONN_CONNECTING, CONN_UPGRADING, CONN_OPEN, CONN_CLOSING,
	CONN_DEAD };
enum { PONG_MAX = 6 + 125, RESPONSE_MAX = 1024 };

struct conn {
	int fd;
	enum conn_state state;
	uint32_t awaited;		/* replies to come */
	uint32_t unsent;		/* frames not yet wholly sent */
	size_t sent;			/* bytes of the first of them */
	uint64_t *since;		/* ring of depth: when issued */
	uint32_t oldest;		/* the place of the next reply's */
	uint64_t began;			/* connect() */
	struct frame in;
	uint64_t got;			/* bytes of the message so far */
	bool in_message, wrong;
	uint8_t pong[PONG_MAX];
	size_t pong_size;		/* waits for the end of a frame */
	char response[RESPONSE_MAX];
	size_t response_len;
};

struct load {
	struct load_options options;
	struct burst burst;
	int epoll;
	struct conn *conns;
	int started, opening, open;
	bool measuring, ended;
	uint64_t progress_ns;		/* when the last reply came */
	uint64_t from_ns, to_ns;	/* the window, as it came about */
	uint64_t fails[FAIL_COUNT];
	struct usage before, used;	/* at its start; in it */
	double own_cpu_s;
	struct hist hist;
};

/* load_conn.c. A failed connection is counted and is CONN_DEAD. */
void conn_start(struct load *, struct conn *);
void conn_on_event(struct load *, struct conn *, uint32_t events);
/* Sends the first depth messages. */
void conn_begin(struct load *, struct conn *);
void load_fail(struct load *, struct conn *, enum load_fail);

/* load_run.c. extern is what stops it: a signal's number. */
extern volatile sig_atomic_t load_stopped;
void load_run(struct load *);

/* load_payload.c */
struct burst burst_new(const struct load_options *);

/* load_stat.c */
void hist_add(struct hist *, uint64_t ns);
double hist_quantile_us(const struct hist *, double quantile);
struct usage usage_of(const struct load_options *);
double cpu_of_self(void);

#endif
