/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: addresses, listening, accepting, connecting. All descriptors are
 * close-on-exec and non-blocking. */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct sock_addr {
	socklen_t len;		/* 0 = none */
	struct sockaddr_storage ss;
};

enum { SOCK_TEXT_MAX = 64 };

/* Numeric addresses only ("127.0.0.1", "::1", "[::1]"); false for a name. */
bool sock_addr_parse(struct str host, uint16_t port, struct sock_addr *out);
/* "127.0.0.1:9092" (also for IPv4 mapped into IPv6), "[::1]:9092", "unix", or
 * "none" for a len of 0; returns to. */
const char *sock_addr_text(const struct sock_addr *, char to[SOCK_TEXT_MAX]);
/* 0 when there is none. */
uint16_t sock_addr_port(const struct sock_addr *);
void sock_addr_set_port(struct sock_addr *, uint16_t port);

/*
 * A listening TCP socket with SO_REUSEPORT and SO_REUSEADDR, on all addresses
 * (IPv6 with IPv4 mapped; IPv4 alone where the kernel has no IPv6) or on one
 * given by host (numeric; NULL = all). port 0 takes a free one. Returns the
 * descriptor, or -1 with ERR_INUSE naming address and port.
 */
int sock_listen(const char *host, uint16_t port, int backlog, struct err *)
    MUST_CHECK;
/* UNIX stream socket at path; a stale file there (nobody answers) is
 * replaced, a live one is ERR_INUSE. */
int sock_listen_unix(const char *path, unsigned mode, struct err *) MUST_CHECK;
int sock_connect_unix(const char *path, struct err *) MUST_CHECK;
/* Accepts one; -1 with ERR_STATE when there is none, ERR_LIMIT when out of
 * descriptors (EMFILE, ENFILE, ENOBUFS, ENOMEM), ERR_IO for one that died in
 * the queue. peer_out may be NULL. Sets TCP_NODELAY. */
int sock_accept(int fd, struct sock_addr *peer_out, struct err *) MUST_CHECK;
/* Starts to connect; -1 when it fails at once. Sets TCP_NODELAY. */
int sock_connect(const struct sock_addr *, struct err *) MUST_CHECK;
/* After writability: 0, or -1 and why it failed. */
int sock_connect_result(int fd, struct err *) MUST_CHECK;
/* 0, or -1 with errno. */
int sock_local_addr(int fd, struct sock_addr *out);
int sock_set_nonblocking(int fd);

#endif
