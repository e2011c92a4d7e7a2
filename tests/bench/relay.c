/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsgw-relay [-l PORT] [-w] -b PORT: the floor under a gateway's CPU time. One
 * recv() and one send() take what is there from one side to the other.
 *
 * Plain, it is a TCP relay. With -w it does what every WebSocket gateway must,
 * and nothing more: it reads each frame's head, brings the client's payload in
 * the clear and masks it anew with a key of its own.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PROGRAM "wsgw-relay"

enum { CLIENT, BACKEND };

struct side {
	int fd;
	struct pair *pair;
	bool ends;			/* there is an end to be read */
	uint8_t *unsent;		/* read here, not taken by the other */
	size_t unsent_len, unsent_at;
	size_t ending;			/* of CRLF CRLF, the bytes seen */
	struct frame in;
};

struct pair {
	struct side side[2];
	struct pair *next_over;		/* freed after the loop's turn */
	bool over;
};

struct relay {
	int epoll, listener;
	int backend_port;
	bool frames;
	struct pair *over;
};

static const uint8_t own_key[4] = { 0x95, 0xe9, 0xd1, 0x5b };
static uint8_t buffer[BENCH_CHUNK];

static struct side *
other_side(struct side *s)
{
	return &s->pair->side[s == &s->pair->side[CLIENT]];
}

/* The last used bytes of the head are at p; those of the key become ours. */
static void
replace_key(const struct frame *f, uint8_t *p, size_t used)
{
	size_t first = f->head_len - used, key_at;

	if (f->head_len < 2 || !(f->head[1] & 0x80))
		return;
	key_at = frame_head_size(f) - 4;
	for (size_t i = 0; i < used; i++)
		if (first + i >= key_at)
			p[i] = own_key[first + i - key_at];
}

/* Two passes on purpose: a gateway needs the content in the clear between. */
static void
remask(const struct frame *f, uint8_t *p, size_t n)
{
	if (!(f->head[1] & 0x80))
		return;
	frame_mask(p, p, n, f->head + frame_head_size(f) - 4, f->done);
	frame_mask(p, p, n, own_key, f->done);
}

static void
walk_frames(struct frame *f, uint8_t *p, size_t n)
{
	size_t take;

	while (n || f->in_payload) {
		if (!f->in_payload) {
			take = frame_feed_head(f, p, n);
			replace_key(f, p, take);
		} else {
			take = f->left < n ? f->left : n;
			remask(f, p, take);
			if (!frame_advance(f, take))
				return;
			frame_next(f);
		}
		p += take;
		n -= take;
	}
}

/* The number of bytes of n at p that still belong to the handshake. */
static size_t
skip_handshake(struct side *s, const uint8_t *p, size_t n)
{
	static const char ending[] = "\r\n\r\n";
	size_t i = 0;

	for (; i < n && s->ending < 4; i++) {
		if (p[i] == (uint8_t)ending[s->ending])
			s->ending++;
		else
			s->ending = p[i] == '\r';
	}
	return i;
}

/* False: the side that should take it is gone. */
static bool
push_unsent(struct side *s)
{
	ssize_t n;

	while (s->unsent_at < s->unsent_len) {
		n = send(other_side(s)->fd, s->unsent + s->unsent_at,
		    s->unsent_len - s->unsent_at, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		s->unsent_at += (size_t)n;
	}
	free(s->unsent);
	s->unsent = NULL;
	s->unsent_at = s->unsent_len = 0;
	return true;
}

static bool
pass_on(struct side *s, const uint8_t *p, size_t n)
{
	ssize_t sent = send(other_side(s)->fd, p, n, MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN)
		return false;
	if (sent < 0)
		sent = 0;
	if ((size_t)sent == n)
		return true;
	s->unsent_len = n - (size_t)sent;
	s->unsent = bench_alloc(PROGRAM, s->unsent_len);
	memcpy(s->unsent, p + sent, s->unsent_len);
	return true;
}

/* A short read is the last that an edge told of, unless it told of the end
 * too. False: one of the sides is gone. */
static bool
move_bytes(const struct relay *r, struct side *s)
{
	size_t head;
	ssize_t n;

	if (!push_unsent(s))
		return false;
	while (!s->unsent) {
		n = recv(s->fd, buffer, sizeof buffer, 0);
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		if (r->frames) {
			head = skip_handshake(s, buffer, (size_t)n);
			walk_frames(&s->in, buffer + head, (size_t)n - head);
		}
		if (!pass_on(s, buffer, (size_t)n))
			return false;
		if ((size_t)n < sizeof buffer && !s->ends)
			return true;
	}
	return true;
}

static bool
on_side(const struct relay *r, struct side *s, uint32_t events)
{
	if (events & EPOLLRDHUP)
		s->ends = true;
	if ((events & ~(uint32_t)EPOLLOUT) && !move_bytes(r, s))
		return false;
	if ((events & EPOLLOUT) && other_side(s)->unsent)
		return move_bytes(r, other_side(s));
	return true;
}

static int
connect_backend(const struct relay *r)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)r->backend_port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
pair_new(const struct relay *r, int client)
{
	int backend = connect_backend(r);
	struct pair *p;

	if (backend < 0) {
		fprintf(stderr, PROGRAM ": back-end: %s\n", strerror(errno));
		close(client);
		return;
	}
	p = bench_alloc(PROGRAM, sizeof *p);
	p->side[CLIENT] = (struct side){ .fd = client, .pair = p };
	p->side[BACKEND] = (struct side){ .fd = backend, .pair = p };
	for (int i = CLIENT; i <= BACKEND; i++)
		bench_watch(r->epoll, p->side[i].fd, &p->side[i]);
}

/* An event of the other side may still be in this turn's list. */
static void
pair_end(struct relay *r, struct pair *p)
{
	p->over = true;
	p->next_over = r->over;
	r->over = p;
}

static void
free_over(struct relay *r)
{
	struct pair *p;

	while ((p = r->over)) {
		r->over = p->next_over;
		for (int i = CLIENT; i <= BACKEND; i++) {
			close(p->side[i].fd);
			free(p->side[i].unsent);
		}
		free(p);
	}
}

static void
serve(struct relay *r)
{
	struct epoll_event ev[BENCH_EVENTS];
	struct side *s;
	int n, fd;

	for (;;) {
		n = epoll_wait(r->epoll, ev, BENCH_EVENTS, -1);
		for (int i = 0; i < n; i++) {
			s = ev[i].data.ptr;
			if (s && !s->pair->over &&
			    !on_side(r, s, ev[i].events))
				pair_end(r, s->pair);
			while (!s && (fd = bench_accept(r->listener)) >= 0)
				pair_new(r, fd);
		}
		free_over(r);
	}
}

static int
usage(void)
{
	fprintf(stderr, "usage: " PROGRAM " [-l PORT] [-w] -b PORT\n");
	return 2;
}

int
main(int argc, char **argv)
{
	struct relay r = { .backend_port = 0 };
	int port = 0, option;

	while ((option = getopt(argc, argv, "l:b:w")) != -1) {
		if (option == 'w')
			r.frames = true;
		else if (option == 'l')
			port = (int)bench_number(PROGRAM, 'l', optarg, 0,
			    65535);
		else if (option == 'b')
			r.backend_port = (int)bench_number(PROGRAM, 'b',
			    optarg, 1, 65535);
		else
			return usage();
	}
	if (!r.backend_port || optind < argc)
		return usage();
	signal(SIGPIPE, SIG_IGN);
	bench_raise_files();
	r.listener = bench_listen(PROGRAM, port);
	r.epoll = bench_epoll(PROGRAM, r.listener);
	serve(&r);
}
