/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsgw-echo [-p PORT]: the back-end of the benchmarks. It costs as little as a
 * WebSocket server can, so that what stands before it is what is measured:
 * frames are unmasked and turned round in the buffer they were read into, and
 * leave with one send() for each recv().
 */
#include "bench.h"

#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "wsgw-echo"

/* A head that began in one read and ends in the next leaves before the bytes
 * it came with: the answer starts that much earlier in the buffer. */
enum { HEADROOM = 16, REQUEST_MAX = 16 * 1024 };

struct conn {
	int fd;
	bool open;			/* the 101 is sent */
	bool closing;			/* its Close is answered */
	struct frame in;
	char *request;			/* of the handshake, until open */
	size_t request_len;
	uint8_t *unsent;		/* what the socket did not take */
	size_t unsent_len, unsent_at;
};

static uint8_t buffer[HEADROOM + BENCH_CHUNK];

static void
conn_free(struct conn *c)
{
	close(c->fd);
	free(c->request);
	free(c->unsent);
	free(c);
}

/* False: the peer is gone. */
static bool
flush_unsent(struct conn *c)
{
	ssize_t n;

	while (c->unsent_at < c->unsent_len) {
		n = send(c->fd, c->unsent + c->unsent_at,
		    c->unsent_len - c->unsent_at, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		c->unsent_at += (size_t)n;
	}
	free(c->unsent);
	c->unsent = NULL;
	c->unsent_at = c->unsent_len = 0;
	return !c->closing;
}

/* Only called while nothing is unsent. */
static bool
put(struct conn *c, const uint8_t *p, size_t n)
{
	ssize_t sent = n ? send(c->fd, p, n, MSG_NOSIGNAL) : 0;

	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent < 0)
		sent = 0;
	if ((size_t)sent == n)
		return !c->closing;
	c->unsent_len = n - (size_t)sent;
	c->unsent = bench_alloc(PROGRAM, c->unsent_len);
	memcpy(c->unsent, p + sent, c->unsent_len);
	return true;
}

static uint8_t
answer_to(const struct frame *f)
{
	if (frame_op(f) == OP_PING)
		return (f->head[0] & 0xf0) | OP_PONG;
	return f->head[0];
}

static uint8_t *
copy_head(const struct frame *f, uint8_t *out)
{
	size_t n = frame_head_size(f) - 4;

	memcpy(out, f->head, n);
	out[0] = answer_to(f);
	out[1] &= 0x7f;
	return out + n;
}

/* Writes the answers to n bytes at in to out, which lies HEADROOM before. The
 * number of bytes written, or -1 if a frame is not masked. */
static ssize_t
turn_round(struct conn *c, const uint8_t *in, size_t n, uint8_t *out)
{
	struct frame *f = &c->in;
	uint8_t *o = out;
	size_t take;

	while (!c->closing && (n || f->in_payload)) {
		if (!f->in_payload) {
			take = frame_feed_head(f, in, n);
			in += take;
			n -= take;
			if (!f->in_payload)
				break;
			if (!(f->head[1] & 0x80))
				return -1;
			o = copy_head(f, o);
		}
		take = f->left < n ? f->left : n;
		frame_mask(o, in, take, f->head + frame_head_size(f) - 4,
		    f->done);
		o += take;
		in += take;
		n -= take;
		if (!frame_advance(f, take))
			break;
		c->closing = frame_op(f) == OP_CLOSE;
		frame_next(f);
	}
	return o - out;
}

/* in lies HEADROOM behind the start of buffer. */
static bool
on_frames(struct conn *c, const uint8_t *in, size_t n)
{
	ssize_t len = turn_round(c, in, n, buffer);

	return len >= 0 && put(c, buffer, (size_t)len);
}

/* The value of a header in a request head; its length. */
static size_t
header(const char *head, const char *name, const char **value_out)
{
	const char *line = strstr(head, "\r\n");
	size_t len = strlen(name);

	for (; line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, len) || line[len] != ':')
			continue;
		*value_out = line + len + 1 + strspn(line + len + 1, " \t");
		return strcspn(*value_out, ",\r");
	}
	return 0;
}

/* RFC 6455 section 4.2.2, step 5.4. */
static void
accept_value(const char *key, size_t n, char *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;
	char text[128];

	snprintf(text, sizeof text, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
	    (int)(n < 64 ? n : 64), key);
	if (!EVP_Digest(text, strlen(text), digest, &len, EVP_sha1(), NULL)) {
		errno = ENOTSUP;
		bench_die(PROGRAM, "SHA-1");
	}
	EVP_EncodeBlock((unsigned char *)out, digest, (int)len);
}

/* The first subprotocol that is offered is ours too. */
static int
write_answer(const char *head, char *out, size_t size)
{
	const char *key, *protocol = NULL;
	size_t key_len = header(head, "Sec-WebSocket-Key", &key);
	size_t n = header(head, "Sec-WebSocket-Protocol", &protocol);
	char value[64];

	if (!key_len)
		return -1;
	accept_value(key, key_len, value);
	return snprintf(out, size, "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n%s%.*s%s\r\n", value,
	    n ? "Sec-WebSocket-Protocol: " : "", (int)n, n ? protocol : "",
	    n ? "\r\n" : "");
}

static bool
upgrade(struct conn *c, const uint8_t *rest, size_t n)
{
	char answer[1024];
	int len = write_answer(c->request, answer, sizeof answer);

	if (len < 0 || (size_t)len >= sizeof answer)
		return false;
	c->open = true;
	free(c->request);
	c->request = NULL;
	if (!put(c, (const uint8_t *)answer, (size_t)len) || c->unsent)
		return false;
	return on_frames(c, rest, n);
}

static bool
on_request(struct conn *c, const uint8_t *in, size_t n)
{
	size_t had = c->request_len, used;
	char *end;

	if (had + n > REQUEST_MAX)
		return false;
	c->request = realloc(c->request, had + n + 1);
	if (!c->request)
		bench_die(PROGRAM, "memory");
	memcpy(c->request + had, in, n);
	c->request_len += n;
	c->request[had + n] = '\0';
	end = strstr(c->request, "\r\n\r\n");
	if (!end)
		return true;
	used = (size_t)(end + 4 - c->request) - had;
	end[2] = '\0';
	return upgrade(c, in + used, n - used);
}

/* False: the connection is over. A short read is the last that an edge told
 * of, unless it told of the end too. */
static bool
on_readable(struct conn *c, uint32_t events)
{
	uint8_t *in = buffer + HEADROOM;
	ssize_t n;

	while (!c->unsent) {
		n = recv(c->fd, in, BENCH_CHUNK, 0);
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		if (!(c->open ? on_frames : on_request)(c, in, (size_t)n))
			return false;
		if (n < BENCH_CHUNK && !(events & EPOLLRDHUP))
			return true;
	}
	return true;
}

static void
accept_all(int epoll, int listener)
{
	struct conn *c;
	int fd;

	while ((fd = bench_accept(listener)) >= 0) {
		c = bench_alloc(PROGRAM, sizeof *c);
		c->fd = fd;
		bench_watch(epoll, fd, c);
	}
}

static void
serve(int epoll, int listener)
{
	struct epoll_event ev[BENCH_EVENTS];
	struct conn *c;
	int n;

	for (;;) {
		n = epoll_wait(epoll, ev, BENCH_EVENTS, -1);
		for (int i = 0; i < n; i++) {
			c = ev[i].data.ptr;
			if (!c)
				accept_all(epoll, listener);
			else if (!flush_unsent(c) ||
			    !on_readable(c, ev[i].events))
				conn_free(c);
		}
	}
}

int
main(int argc, char **argv)
{
	int port = 0, listener, option;

	while ((option = getopt(argc, argv, "p:")) != -1) {
		if (option != 'p') {
			fprintf(stderr, "usage: " PROGRAM " [-p PORT]\n");
			return 2;
		}
		port = (int)bench_number(PROGRAM, 'p', optarg, 0, 65535);
	}
	signal(SIGPIPE, SIG_IGN);
	bench_raise_files();
	listener = bench_listen(PROGRAM, port);
	serve(bench_epoll(PROGRAM, listener), listener);
}
