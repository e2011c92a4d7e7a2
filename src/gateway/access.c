/* SPDX-License-Identifier: Apache-2.0 */
/* The access log: one line for each client connection that has ended. */
#include "gateway/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "config/config.h"
#include "net/stream.h"
#include "mediation/inbound.h"
#include "ws/ws.h"

struct access_log {
	int fd;
	char *path;		/* NULL: stderr */
	bool json;
	struct buf line;
};

static int
open_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	return fd < 0 ? err_sys(err, "cannot open access log %s", path) : fd;
}

int
access_open(const struct config *c, struct access_log **out, struct err *err)
{
	const char *target = c->log_access_target;
	struct access_log *a;
	int fd = STDERR_FILENO;

	*out = NULL;
	if (!*target)
		return 0;
	if (strcmp(target, "stderr") != 0) {
		fd = open_file(target, err);
		if (fd < 0)
			return -1;
	}
	a = xcalloc(1, sizeof(*a));
	a->fd = fd;
	a->path = fd == STDERR_FILENO ? NULL : xstrdup(target);
	a->json = strcmp(c->log_access_format, "json") == 0;
	*out = a;
	return 0;
}

void
access_close(struct access_log **ap)
{
	struct access_log *a = *ap;

	if (!a)
		return;
	*ap = NULL;
	if (a->path)
		close(a->fd);
	free(a->path);
	buf_fini(&a->line);
	free(a);
}

int
access_reopen(struct access_log *a, struct err *err)
{
	int fd;

	if (!a || !a->path)
		return 0;
	fd = open_file(a->path, err);
	if (fd < 0)
		return -1;
	close(a->fd);
	a->fd = fd;
	return 0;
}

static const char *
who(const struct session *s)
{
	switch (s->closed_by) {
	case CLOSED_BY_NOBODY:
		return "refused";
	case CLOSED_BY_CLIENT:
		return "client";
	case CLOSED_BY_US:
		return "gateway";
	case CLOSED_BY_ERROR:
		return "error";
	}
	return "";
}

/* What the side that closed said; 1006 when there was no Close at all. */
static unsigned
close_code(const struct session *s)
{
	unsigned received = s->ws ? ws_close_received(s->ws) : 0;
	unsigned sent = s->ws ? ws_close_sent(s->ws) : 0;

	if (!s->ws)
		return 0;
	if (s->closed_by == CLOSED_BY_CLIENT)
		return received ? received : WS_CLOSE_ABNORMAL;
	return sent ? sent : WS_CLOSE_ABNORMAL;
}

struct record {
	struct str inbound, target, protocol;
	double seconds;
	unsigned long long bytes_in, bytes_out, messages_in, messages_out;
	unsigned code;
};

static void
add_quoted(struct buf *b, struct str s)
{
	struct str part;

	buf_addz(b, " \"");
	while (str_next(&s, '"', &part)) {
		log_escape(b, part);
		if (s.p)
			buf_addz(b, "\\\"");
	}
	buf_putc(b, '"');
}

static void
text_line(struct buf *b, const struct session *s, const struct record *r)
{
	log_timestamp(b);
	buf_printf(b, " %s", s->peer);
	add_quoted(b, r->inbound);
	add_quoted(b, r->target);
	add_quoted(b, r->protocol);
	buf_printf(b, " %.3fs in %llu/%llu out %llu/%llu close %u by %s",
	    r->seconds, r->messages_in, r->bytes_in, r->messages_out,
	    r->bytes_out, r->code, who(s));
}

static void
json_line(struct buf *b, const struct session *s, const struct record *r)
{
	buf_addz(b, "{\"time\":\"");
	log_timestamp(b);
	buf_printf(b, "\",\"peer\":\"%s\",\"inbound\":", s->peer);
	log_json_string(b, r->inbound);
	buf_addz(b, ",\"path\":");
	log_json_string(b, r->target);
	buf_addz(b, ",\"subprotocol\":");
	log_json_string(b, r->protocol);
	buf_printf(b, ",\"seconds\":%.3f,\"messages_in\":%llu,\"bytes_in\":"
	    "%llu,\"messages_out\":%llu,\"bytes_out\":%llu,\"close_code\":%u,"
	    "\"closed_by\":\"%s\"}", r->seconds, r->messages_in, r->bytes_in,
	    r->messages_out, r->bytes_out, r->code, who(s));
}

void
access_write(struct access_log *a, struct session *s)
{
	struct record r;
	struct str none = STR("-");
	ssize_t n;

	if (!a)
		return;
	r = (struct record){
		.inbound = s->inbound ? s->inbound->name : none,
		.target = s->target.p ? s->target : none,
		.protocol = s->protocol_text.p ? s->protocol_text : none,
		.seconds = (double)(loop_now(s->worker->loop) -
		    s->started_ms) / 1000,
		.bytes_in = stream_bytes_in(s->stream),
		.bytes_out = stream_bytes_out(s->stream),
		.messages_in = s->messages_in,
		.messages_out = s->messages_out,
		.code = close_code(s),
	};
	/* A load balancer's probe that said nothing is not worth a line. */
	if (r.bytes_in == 0)
		return;
	a->line.from = a->line.to = 0;
	if (a->json)
		json_line(&a->line, s, &r);
	else
		text_line(&a->line, s, &r);
	buf_putc(&a->line, '\n');
	do
		n = write(a->fd, buf_data(&a->line), buf_len(&a->line));
	while (n < 0 && errno == EINTR);
}
