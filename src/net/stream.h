/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A buffered duplex byte stream over a socket. Reading goes through one large
 * buffer that the whole loop shares, so an idle stream owns none; the output
 * queue borrows from the loop's pool while something is queued.
 *
 * Writing: append to stream_out(), call stream_flush(). The bytes leave in one
 * send when the callback that is running returns (or in the same turn), not
 * inside the call; so the handler is never called from inside stream_flush().
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

struct loop;
struct stream;
struct sock_addr;

/* on_open and on_drain may be NULL. */
struct stream_handler {
	/* Connected (after stream_connect() only). */
	void (*on_open)(void *ctx);
	/* p is the handler's to change until it returns; all n bytes are
	 * consumed. */
	void (*on_data)(void *ctx, char *p, size_t n);
	/* The peer sent FIN; we may still write. Nothing more is read. */
	void (*on_eof)(void *ctx);
	/* The queue has been above the high mark and is now at or below the
	 * low one. */
	void (*on_drain)(void *ctx);
	/* Failed: connect ("connect: Connection refused", "connect timed out
	 * after 3000 ms" with ERR_TIMEOUT), read or write. Nothing more comes;
	 * the owner frees the stream. */
	void (*on_error)(void *ctx, const struct err *);
};

/* Takes fd (connected, non-blocking). Borrows handler and ctx for its life.
 * Reads from the start. When the poller refuses fd, on_error tells later. */
struct stream *stream_new(struct loop *, int fd, const struct stream_handler *,
    void *ctx) MUST_CHECK;
/* Starts to connect; the outcome arrives as on_open or on_error, never inside
 * this call. timeout_ms 0 = no limit of ours. */
struct stream *stream_connect(struct loop *, const struct sock_addr *,
    int64_t timeout_ms, const struct stream_handler *, void *ctx) MUST_CHECK;
/* Closes at once, forgetting what is queued. Allowed in its own callbacks; no
 * callback comes afterwards. *s becomes NULL; NULL is accepted. */
void stream_free(struct stream **);

/* Hands the descriptor's callbacks to another handler (after a handshake). */
void stream_set_handler(struct stream *, const struct stream_handler *,
    void *ctx);

/* The queue to append to. It is emptied by sending. */
struct buf *stream_out(struct stream *);
void stream_flush(struct stream *);
size_t stream_queued(const struct stream *);
/* Marks in bytes; default 256 KiB and 64 KiB. */
void stream_watermarks(struct stream *, size_t high, size_t low);
/* Above the high mark at a flush and not yet back at the low one. */
bool stream_congested(const struct stream *);
/* Nothing is delivered between pause and resume (the kernel's buffer fills
 * and TCP slows the peer); on_eof and on_error wait too, but a write error
 * does not. */
void stream_pause(struct stream *);
void stream_resume(struct stream *);
bool stream_paused(const struct stream *);
/* FIN once the queue is sent (it need not be flushed); reading goes on. What is
 * written after the FIN is dropped. */
void stream_finish(struct stream *);
int stream_fd(const struct stream *);
/* Totals since the start, for the access log. */
uint64_t stream_bytes_in(const struct stream *);
uint64_t stream_bytes_out(const struct stream *);
/* Those of them that have reached the peer: the kernel may hold megabytes for
 * one that is slow. A system call. */
uint64_t stream_bytes_taken(const struct stream *);

#endif
