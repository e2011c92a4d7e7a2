/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench: what the programs of "make bench" share. They take nothing from src/,
 * so that a fault there cannot hide itself in the ruler that measures it. All
 * of them stay on 127.0.0.1, have one thread, and end on any error of their
 * own with exit status 2.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes asked for in one recv(). */
enum { BENCH_CHUNK = 256 * 1024 };
enum { BENCH_EVENTS = 256 };
enum { FRAME_HEAD_MAX = 14 };

enum {
	OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2,
	OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10
};

/*
 * One direction of a WebSocket stream, whatever pieces it arrives in: either
 * within a frame's head or, once in_payload is set, within its payload.
 */
struct frame {
	uint8_t head[FRAME_HEAD_MAX];
	uint8_t head_len;		/* bytes of it that are there */
	bool in_payload;
	uint64_t left;			/* payload bytes to come */
	uint64_t done;			/* and those past */
};

/*
 * Takes what is missing of the head from n bytes at p; the number taken. The
 * head is whole when in_payload is set afterwards, perhaps with 0 bytes left.
 */
size_t frame_feed_head(struct frame *, const uint8_t *p, size_t n);
/* Moves n <= left bytes on through the payload. True at the frame's end. */
bool frame_advance(struct frame *, size_t n);
/* Ready for the next head. */
void frame_next(struct frame *);
/* Bytes of the head, as far as the bytes that are there tell. */
size_t frame_head_size(const struct frame *);
unsigned frame_op(const struct frame *);
bool frame_fin(const struct frame *);

/* Writes a head for n bytes of payload, masked if key is not NULL; its size. */
size_t frame_put_head(uint8_t *out, uint8_t first, uint64_t n,
    const uint8_t *key);
/* to = from XOR key, which stands at byte number at of the payload. The two
 * may be one; to may also lie before from. */
void frame_mask(uint8_t *to, const uint8_t *from, size_t n,
    const uint8_t *key, uint64_t at);

uint64_t now_ns(void);
/* Prints what and errno's text; exit status 2. */
void bench_die(const char *program, const char *what)
    __attribute__((noreturn));
/* Never NULL. */
void *bench_alloc(const char *program, size_t n);
/* As many descriptors as the system gives us. */
void bench_raise_files(void);
/* A number within [min, max], or wrong usage of option. */
long bench_number(const char *program, char option, const char *text,
    long min, long max);

/* A listening socket on 127.0.0.1; port 0 lets the system choose. Prints the
 * port on standard output: whoever started us may connect now. */
int bench_listen(const char *program, int port);
/* The next waiting connection, non-blocking; -1 if there is none. */
int bench_accept(int listener);
/* epoll_create1() with listener in it, whose data is a NULL pointer. */
int bench_epoll(const char *program, int listener);
/* Adds fd for all edges, and sends its small writes at once. */
void bench_watch(int epoll, int fd, void *ptr);

#endif
