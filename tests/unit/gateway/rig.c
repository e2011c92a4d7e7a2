/* SPDX-License-Identifier: Apache-2.0 */
#include "rig.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "base/clock.h"
#include "base/diag.h"
#include "config/config.h"
#include "gateway/artifacts.h"
#include "mediation/source.h"
#include "net/resolve.h"

/* What the kernel takes for a peer that does not read; little, but not so
 * little that TCP waits before it sends. */
enum { RECEIVE = 128 * 1024 };

#define NS " xmlns=\"http://ws.apache.org/ns/synapse\" "

int
listen_somewhere(uint16_t *port_out)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int small = RECEIVE;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 10), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port_out = ntohs(a.sin_port);
	return fd;
}

static void
rig_write(struct rig *r, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.xml", r->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

void
rig_turn(struct rig *r)
{
	struct err err;

	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(r->w.loop, i < 19 ? 0 : 1, &err),
		    0);
}

void
rig_later(struct rig *r, int64_t ms)
{
	r->now_ms += ms;
	clock_set(r->now_ms, 0);
	rig_turn(r);
}

void
rig_init(struct rig *r, const char *settings, const char *body)
{
	static char text[2000];
	struct diag *diag = malloc(sizeof(*diag));
	struct med_source *source;
	struct med_limits limits;
	struct err err;
	int fd;

	memset(r, 0, sizeof(*r));
	snprintf(r->dir, sizeof(r->dir), "/tmp/wsgw-unit-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->now_ms = 1000000;
	clock_set(r->now_ms, 0);
	snprintf(text, sizeof(text), "<definitions" NS "><sequence name=\"in\">"
	    "%s</sequence><sequence name=\"back\"><respond/></sequence>"
	    "<inboundEndpoint name=\"door\" protocol=\"ws\" sequence=\"in\">"
	    "<parameters><parameter name=\"inbound.ws.port\">0</parameter>"
	    "<parameter name=\"ws.outflow.dispatch.sequence\">back</parameter>"
	    "<parameter name=\"ws.dispatch.lifecycle.events\">false"
	    "</parameter></parameters></inboundEndpoint></definitions>", body);
	rig_write(r, "synapse", text);
	snprintf(text, sizeof(text), "artifacts: { root = \"%s\"; registry = "
	    "\"\"; }; transport: { ws = { sender = { enable = true; }; }; };"
	    "log: { access = { target = \"\"; }; }; %s", r->dir, settings);
	diag_init(diag);
	r->config = config_parse("the test", str_of(text), diag);
	if (!r->config)
		diag_print(diag, stderr);
	assert_non_null(r->config);
	source = artifacts_capture(r->config, diag);
	assert_non_null(source);
	r->w.set = artifacts_load(r->config, source, diag);
	if (!r->w.set)
		diag_print(diag, stderr);
	assert_non_null(r->w.set);
	med_source_put(&source);
	free(diag);
	r->w.config = r->config;
	r->w.shared = board_new(&err);
	assert_non_null(r->w.shared);
	r->w.board = &r->w.shared->slot[0];
	list_init(&r->w.listeners);
	list_init(&r->w.sessions);
	r->w.loop = loop_new(NULL, &err);
	assert_non_null(r->w.loop);
	r->w.resolver = resolver_new(r->w.loop, &err);
	assert_non_null(r->w.resolver);
	worker_limits(r->config, &limits);
	r->w.engine = med_engine_new(&limits);
	r->w.pool = msg_pool_new(8, NULL);
	fd = listen_somewhere(&r->port);
	listener_new(&r->w, fd, r->port, "door");
}

void
rig_fini(struct rig *r)
{
	char path[200];

	while (!list_empty(&r->w.listeners))
		listener_free(list_first(&r->w.listeners, struct listener,
		    link));
	list_each(&r->w.sessions, s, struct session, link)
		session_kill(s);
	rig_turn(r);
	assert_int_equal(r->w.session_count, 0);
	assert_int_equal(board_get(r->w.board, connections), 0);
	assert_int_equal(board_get(r->w.board, backends), 0);
	resolver_free(&r->w.resolver);
	med_set_put(&r->w.set);
	med_engine_free(&r->w.engine);
	msg_pool_free(&r->w.pool);
	hmap_fini(&r->w.endpoints);
	hmap_fini(&r->w.groups);
	hmap_fini(&r->w.warned);
	loop_free(&r->w.loop);
	board_free(&r->w.shared);
	config_free(&r->config);
	snprintf(path, sizeof(path), "%s/synapse.xml", r->dir);
	unlink(path);
	rmdir(r->dir);
	clock_unset();
}

int
rig_connect(struct rig *r)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(r->port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = RECEIVE, on = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

void
rig_say(struct rig *r, int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	rig_turn(r);
}

int
rig_client(struct rig *r)
{
	int fd = rig_connect(r);
	char answer[400];

	rig_say(r, fd, "GET /x HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	assert_true(recv(fd, answer, sizeof(answer), MSG_DONTWAIT) > 12);
	assert_memory_equal(answer, "HTTP/1.1 101", 12);
	return fd;
}

void
rig_send(struct rig *r, int fd, uint32_t n)
{
	static const char zeros[65536];
	unsigned char head[14] = { 0x82, (unsigned char)(0x80 | n) };
	size_t len = 6;

	if (n > 125) {
		head[1] = 0xff;
		for (int i = 0; i < 4; i++)
			head[6 + i] = (unsigned char)(n >> (24 - 8 * i));
		len = sizeof(head);
	}
	assert_int_equal(send(fd, head, len, 0), len);
	while (n > 0) {
		ssize_t did = send(fd, zeros, n < sizeof(zeros) ? n :
		    sizeof(zeros), MSG_DONTWAIT);

		if (did > 0)
			n -= (uint32_t)did;
		rig_turn(r);
	}
}

void
rig_read(struct rig *r, int fd, size_t n)
{
	static char p[65536];

	while (n > 0) {
		ssize_t did = recv(fd, p, n < sizeof(p) ? n : sizeof(p),
		    MSG_DONTWAIT);

		assert_int_not_equal(did, 0);
		if (did > 0)
			n -= (size_t)did;
		rig_turn(r);
	}
}

struct session *
rig_session(struct rig *r)
{
	return list_first(&r->w.sessions, struct session, link);
}
