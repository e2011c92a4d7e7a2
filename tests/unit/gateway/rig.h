/* SPDX-License-Identifier: Apache-2.0 */
/* A worker without a master, on a clock that the test sets: real sockets, and
 * what a client or a back-end does is written out here. */
#ifndef TESTS_UNIT_GATEWAY_RIG_H
#define TESTS_UNIT_GATEWAY_RIG_H

#include "gateway/gateway.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "ipc/board.h"

struct rig {
	struct worker w;
	struct config *config;
	uint16_t port;
	int64_t now_ms;
	char dir[32];
};

/* body: of the inbound's sequence; the outflow is <respond/>. */
void rig_init(struct rig *, const char *settings, const char *body);
/* All must have come to its end. */
void rig_fini(struct rig *);
/* Turns until nothing more happens at this time. */
void rig_turn(struct rig *);
void rig_later(struct rig *, int64_t ms);

int listen_somewhere(uint16_t *port_out);
int rig_connect(struct rig *);
/* A client that has its 101. */
int rig_client(struct rig *);
void rig_say(struct rig *, int fd, const char *text);
/* A binary message of n zeros, masked with zeros; in pieces, so that the
 * worker can take it while it comes. */
void rig_send(struct rig *, int fd, uint32_t n);
/* Reads n bytes, which come. */
void rig_read(struct rig *, int fd, size_t n);
/* The only one, or NULL. */
struct session *rig_session(struct rig *);

#endif
