/* SPDX-License-Identifier: Apache-2.0 */
/* A stream that keeps what happens to it, for the tests of streams. */
#ifndef TESTS_STREAM_TEST_H
#define TESTS_STREAM_TEST_H

#include "net_test.h"

#include <stdlib.h>
#include <string.h>

#include "net/stream.h"

struct end {
	struct stream *s;
	int peer;		/* the other end of a pair */
	struct buf in;
	int opens, datas, eofs, drains, errors;
	struct err err;
	struct str echo;	/* on_data and on_open write it */
	struct end *victim;	/* freed by the next callback */
	bool pause;		/* on_data pauses */
	size_t queued_at_drain;
};

static UNUSED void
end_close(struct end *e)
{
	stream_free(&e->s);
	assert_null(e->s);
	buf_fini(&e->in);
	if (e->peer > 0)
		close(e->peer);
	e->peer = 0;
}

static void
kill_victim(struct end *e)
{
	struct end *victim = e->victim;

	if (!victim)
		return;
	e->victim = NULL;
	stream_free(&victim->s);
}

static void
end_echo(struct end *e)
{
	if (!e->s || !e->echo.n)
		return;
	buf_add_str(stream_out(e->s), e->echo);
	stream_flush(e->s);
}

static void
end_on_open(void *ctx)
{
	struct end *e = ctx;

	e->opens++;
	end_echo(e);
	kill_victim(e);
}

static void
end_on_data(void *ctx, char *p, size_t n)
{
	struct end *e = ctx;

	e->datas++;
	assert_true(n > 0);
	buf_add(&e->in, p, n);
	memset(p, 'z', n);	/* it is ours to change */
	end_echo(e);
	if (e->pause)
		stream_pause(e->s);
	kill_victim(e);
}

static void
end_on_eof(void *ctx)
{
	struct end *e = ctx;

	e->eofs++;
	kill_victim(e);
}

static void
end_on_drain(void *ctx)
{
	struct end *e = ctx;

	e->drains++;
	e->queued_at_drain = stream_queued(e->s);
	kill_victim(e);
}

static void
end_on_error(void *ctx, const struct err *why)
{
	struct end *e = ctx;

	e->errors++;
	e->err = *why;
	kill_victim(e);
}

static UNUSED const struct stream_handler end_handler = {
	.on_open = end_on_open,
	.on_data = end_on_data,
	.on_eof = end_on_eof,
	.on_drain = end_on_drain,
	.on_error = end_on_error,
};

static UNUSED void
end_pair(struct end *e, int type)
{
	int fd[2];

	make_pair(type, fd);
	e->s = stream_new(loop, fd[0], &end_handler, e);
	e->peer = fd[1];
}

static UNUSED void
peer_send(const struct end *e, const char *text)
{
	assert_int_equal(send(e->peer, text, strlen(text), MSG_NOSIGNAL),
	    strlen(text));
}

/* Exactly this is there to read now. */
static UNUSED void
peer_expect(int peer, const char *text)
{
	char got[256];
	ssize_t n = recv(peer, got, sizeof(got), MSG_DONTWAIT);

	assert_int_equal(n, strlen(text));
	assert_memory_equal(got, text, (size_t)n);
}

static UNUSED void
peer_expect_nothing(int peer)
{
	char c;

	assert_int_equal(recv(peer, &c, 1, MSG_DONTWAIT | MSG_PEEK), -1);
}

static UNUSED void
end_write(struct end *e, const char *text)
{
	buf_addz(stream_out(e->s), text);
	stream_flush(e->s);
}

static UNUSED bool
end_got(const struct end *e, const char *text)
{
	return str_is(buf_str(&e->in), text);
}

#endif
