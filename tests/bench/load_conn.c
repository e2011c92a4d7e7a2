/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* RFC 6455 section 1.3: the key and what must be answered to it. */
#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static const uint8_t pong_key[4] = { 0x2b, 0x6c, 0x91, 0xd4 };
static uint8_t buffer[BENCH_CHUNK];

void
load_fail(struct load *l, struct conn *c, enum load_fail why)
{
	if (l->ended)
		return;
	l->fails[why]++;
	if (c->state == CONN_CONNECTING || c->state == CONN_UPGRADING)
		l->opening--;
	else
		l->open--;
	close(c->fd);
	c->state = CONN_DEAD;
	if (l->options.mode == LOAD_CONNECT && l->fails[why] < 1000)
		conn_start(l, c);
}

/* A reset instead of a FIN at the end: else TIME_WAIT eats up the ports. */
static int
open_socket(void)
{
	struct linger reset = { .l_onoff = 1 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		bench_die(LOAD, "socket");
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	return fd;
}

void
conn_start(struct load *l, struct conn *c)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)l->options.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	*c = (struct conn){
		.fd = open_socket(), .state = CONN_CONNECTING,
		.since = c->since, .began = now_ns(),
	};
	l->opening++;
	if (connect(c->fd, (struct sockaddr *)&a, sizeof a) &&
	    errno != EINPROGRESS)
		load_fail(l, c, FAIL_CONNECT);
	else
		bench_watch(l->epoll, c->fd, c);
}

static int
write_request(const struct load_options *o, char *out, size_t size)
{
	return snprintf(out, size, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Version: 13\r\n"
	    "%s%s%s%s%s\r\n", o->path, o->port,
	    o->protocol ? "Sec-WebSocket-Protocol: " : "",
	    o->protocol ? o->protocol : "", o->protocol ? "\r\n" : "",
	    o->header ? o->header : "", o->header ? "\r\n" : "");
}

static void
send_request(struct load *l, struct conn *c)
{
	char text[4096];
	int len = write_request(&l->options, text, sizeof text), error = 0;
	socklen_t size = sizeof error;

	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error || len < 0 || (size_t)len >= sizeof text ||
	    send(c->fd, text, (size_t)len, MSG_NOSIGNAL) != len)
		load_fail(l, c, FAIL_CONNECT);
	else
		c->state = CONN_UPGRADING;
}

/* False: gone, and counted. */
static bool
send_pong(struct load *l, struct conn *c)
{
	ssize_t n = send(c->fd, c->pong, c->pong_size, MSG_NOSIGNAL);

	if (n < 0 && errno == EAGAIN)
		return true;
	if (n != (ssize_t)c->pong_size) {
		load_fail(l, c, FAIL_CLOSED);
		return false;
	}
	c->pong_size = 0;
	return true;
}

/* A pong may only go between two frames. */
static void
send_unsent(struct load *l, struct conn *c)
{
	const struct burst *b = &l->burst;
	size_t wanted, there;
	ssize_t n;

	while (c->unsent) {
		if (c->pong_size && !c->sent && !send_pong(l, c))
			return;
		there = b->copies * b->frame_size - c->sent;
		wanted = c->unsent * b->frame_size - c->sent;
		n = send(c->fd, b->frames + c->sent,
		    wanted < there ? wanted : there, MSG_NOSIGNAL);
		if (n < 0) {
			if (errno != EAGAIN)
				load_fail(l, c, FAIL_CLOSED);
			return;
		}
		c->sent += (size_t)n;
		c->unsent -= (uint32_t)(c->sent / b->frame_size);
		c->sent %= b->frame_size;
	}
	if (c->pong_size)
		send_pong(l, c);
}

static void
issue(const struct load *l, struct conn *c, uint64_t now)
{
	c->since[(c->oldest + c->awaited) % l->options.depth] = now;
	c->awaited++;
	c->unsent++;
}

void
conn_begin(struct load *l, struct conn *c)
{
	if (c->state != CONN_OPEN)
		return;
	while (c->awaited < l->options.depth)
		issue(l, c, now_ns());
	send_unsent(l, c);
}

static bool
is_good(const struct load_options *o, const struct conn *c)
{
	if (c->wrong || !c->awaited)
		return false;
	return o->check == CHECK_ANY || c->got == o->size;
}

static void
on_message(struct load *l, struct conn *c, uint64_t now)
{
	c->in_message = false;
	l->progress_ns = now;
	if (!is_good(&l->options, c) && !l->ended)
		l->fails[FAIL_CONTENT]++;
	if (!c->awaited)
		return;
	if (l->measuring)
		hist_add(&l->hist, now - c->since[c->oldest]);
	c->oldest = (c->oldest + 1) % l->options.depth;
	c->awaited--;
	if (!l->ended)
		issue(l, c, now);
}

static bool
is_control(const struct frame *f)
{
	return frame_op(f) >= OP_CLOSE;
}

/* RFC 6455 sections 5.1 to 5.5: what no server may send. */
static bool
is_forbidden(const struct conn *c)
{
	const struct frame *f = &c->in;

	if ((f->head[0] & 0x70) || (f->head[1] & 0x80))
		return true;
	if (is_control(f))
		return frame_op(f) > OP_PONG || !frame_fin(f) || f->left > 125;
	return frame_op(f) > OP_BINARY ||
	    (frame_op(f) == OP_CONTINUATION) != c->in_message;
}

static void
begin_frame(const struct load_options *o, struct conn *c)
{
	unsigned op = frame_op(&c->in);

	if (op == OP_TEXT || op == OP_BINARY) {
		c->in_message = true;
		c->got = 0;
		c->wrong = o->check == CHECK_ECHO &&
		    (op == OP_BINARY) != (o->kind == KIND_BINARY);
	} else if (op == OP_PING) {
		frame_put_head(c->pong, 0x80 | OP_PONG, c->in.left, pong_key);
	}
}

static void
take_payload(const struct load *l, struct conn *c, const uint8_t *p, size_t n)
{
	const struct load_options *o = &l->options;

	if (frame_op(&c->in) == OP_PING)
		frame_mask(c->pong + 6 + c->in.done, p, n, pong_key,
		    c->in.done);
	if (is_control(&c->in))
		return;
	if (o->check == CHECK_ECHO && !c->wrong)
		c->wrong = c->got + n > o->size ||
		    memcmp(l->burst.payload + c->got, p, n) != 0;
	c->got += n;
}

/* False: the connection is over. */
static bool
end_frame(struct load *l, struct conn *c, uint64_t now)
{
	if (frame_op(&c->in) == OP_CLOSE) {
		load_fail(l, c, FAIL_CLOSED);
		return false;
	}
	if (frame_op(&c->in) == OP_PING)
		c->pong_size = 6 + (size_t)c->in.done;
	else if (!is_control(&c->in) && frame_fin(&c->in))
		on_message(l, c, now);
	frame_next(&c->in);
	return true;
}

static void
on_frames(struct load *l, struct conn *c, const uint8_t *p, size_t n)
{
	struct frame *f = &c->in;
	uint64_t now = now_ns();
	size_t take;

	while (n || f->in_payload) {
		if (!f->in_payload) {
			take = frame_feed_head(f, p, n);
			if (f->in_payload && is_forbidden(c)) {
				load_fail(l, c, FAIL_PROTOCOL);
				return;
			}
			if (f->in_payload)
				begin_frame(&l->options, c);
		} else {
			take = f->left < n ? f->left : n;
			take_payload(l, c, p, take);
			if (!frame_advance(f, take))
				return;
			if (!end_frame(l, c, now))
				return;
		}
		p += take;
		n -= take;
	}
}

/* Close 1000, masked with a key of zeros. */
static void
say_goodbye(struct load *l, struct conn *c)
{
	static const uint8_t bye[] = { 0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8 };

	if (l->measuring)
		hist_add(&l->hist, now_ns() - c->began);
	c->state = CONN_CLOSING;
	if (send(c->fd, bye, sizeof bye, MSG_NOSIGNAL) != sizeof bye)
		load_fail(l, c, FAIL_CLOSED);
}

static bool
is_accepted(const struct load_options *o, const char *response)
{
	if (strncmp(response, "HTTP/1.1 101", 12) ||
	    !strstr(response, WS_ACCEPT))
		return false;
	return o->protocol ||
	    !strcasestr(response, "\r\nSec-WebSocket-Protocol:");
}

static void
on_response(struct load *l, struct conn *c, const uint8_t *p, size_t n)
{
	size_t had = c->response_len, room = RESPONSE_MAX - 1 - had, used;
	size_t keep = n < room ? n : room;
	char *end;

	memcpy(c->response + had, p, keep);
	c->response_len += keep;
	c->response[c->response_len] = '\0';
	end = strstr(c->response, "\r\n\r\n");
	if (!end && keep == n)
		return;
	if (!end || !is_accepted(&l->options, c->response)) {
		load_fail(l, c, FAIL_HANDSHAKE);
		return;
	}
	used = (size_t)(end + 4 - c->response) - had;
	c->state = CONN_OPEN;
	l->opening--;
	l->open++;
	if (l->options.mode == LOAD_CONNECT)
		say_goodbye(l, c);
	else
		on_frames(l, c, p + used, n - used);
}

/* connect mode: the Close came back, or the end. */
static void
start_again(struct load *l, struct conn *c)
{
	close(c->fd);
	c->state = CONN_DEAD;
	l->open--;
	l->progress_ns = now_ns();
	if (!l->ended)
		conn_start(l, c);
}

/* False: there is no more to read, for now or for ever. */
static bool
read_some(struct load *l, struct conn *c, uint32_t events)
{
	ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (c->state == CONN_CLOSING) {
		start_again(l, c);
		return false;
	}
	if (n <= 0) {
		load_fail(l, c, FAIL_CLOSED);
		return false;
	}
	if (c->state == CONN_UPGRADING)
		on_response(l, c, buffer, (size_t)n);
	else
		on_frames(l, c, buffer, (size_t)n);
	return c->state != CONN_DEAD && c->state != CONN_CONNECTING &&
	    ((size_t)n == sizeof buffer || (events & EPOLLRDHUP));
}

void
conn_on_event(struct load *l, struct conn *c, uint32_t events)
{
	const uint32_t broken = EPOLLERR | EPOLLHUP;

	if (c->state == CONN_CONNECTING && (events & (EPOLLOUT | broken)))
		send_request(l, c);
	if (c->state == CONN_DEAD || c->state == CONN_CONNECTING)
		return;
	if (events & (EPOLLIN | EPOLLRDHUP | broken))
		while (read_some(l, c, events))
			;
	if (c->state == CONN_OPEN)
		send_unsent(l, c);
}
