/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sock_addr
addr4(struct in_addr ip, uint16_t port)
{
	struct sock_addr a = { .len = sizeof(struct sockaddr_in) };
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr = ip,
		.sin_port = htons(port),
	};

	memcpy(&a.ss, &in, sizeof(in));
	return a;
}

static struct sock_addr
addr6(struct in6_addr ip, uint16_t port)
{
	struct sock_addr a = { .len = sizeof(struct sockaddr_in6) };
	struct sockaddr_in6 in = {
		.sin6_family = AF_INET6,
		.sin6_addr = ip,
		.sin6_port = htons(port),
	};

	memcpy(&a.ss, &in, sizeof(in));
	return a;
}

bool
sock_addr_parse(struct str host, uint16_t port, struct sock_addr *out)
{
	char z[INET6_ADDRSTRLEN + 2];
	struct in_addr ip4;
	struct in6_addr ip6;

	if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
		host = (struct str){ host.p + 1, host.n - 2 };
	else if (host.n > 0 && host.p[0] == '[')
		return false;
	if (host.n == 0 || host.n >= sizeof(z) || memchr(host.p, 0, host.n))
		return false;
	memcpy(z, host.p, host.n);
	z[host.n] = '\0';
	if (inet_pton(AF_INET, z, &ip4) == 1)
		*out = addr4(ip4, port);
	else if (inet_pton(AF_INET6, z, &ip6) == 1)
		*out = addr6(ip6, port);
	else
		return false;
	return true;
}

static const char *
text4(const void *ip, unsigned port, char to[SOCK_TEXT_MAX])
{
	char z[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, ip, z, sizeof(z));
	snprintf(to, SOCK_TEXT_MAX, "%s:%u", z, port);
	return to;
}

static const char *
text6(const struct in6_addr *ip, unsigned port, char to[SOCK_TEXT_MAX])
{
	char z[INET6_ADDRSTRLEN];

	/* A client of IPv4 on a socket of IPv6: people know it as IPv4. */
	if (IN6_IS_ADDR_V4MAPPED(ip))
		return text4(ip->s6_addr + 12, port, to);
	inet_ntop(AF_INET6, ip, z, sizeof(z));
	snprintf(to, SOCK_TEXT_MAX, "[%s]:%u", z, port);
	return to;
}

const char *
sock_addr_text(const struct sock_addr *a, char to[SOCK_TEXT_MAX])
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->len && a->ss.ss_family == AF_INET) {
		memcpy(&in, &a->ss, sizeof(in));
		return text4(&in.sin_addr, ntohs(in.sin_port), to);
	}
	if (a->len && a->ss.ss_family == AF_INET6) {
		memcpy(&in6, &a->ss, sizeof(in6));
		return text6(&in6.sin6_addr, ntohs(in6.sin6_port), to);
	}
	snprintf(to, SOCK_TEXT_MAX, "%s", a->len ? "unix" : "none");
	return to;
}

uint16_t
sock_addr_port(const struct sock_addr *a)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->len && a->ss.ss_family == AF_INET) {
		memcpy(&in, &a->ss, sizeof(in));
		return ntohs(in.sin_port);
	}
	if (a->len && a->ss.ss_family == AF_INET6) {
		memcpy(&in6, &a->ss, sizeof(in6));
		return ntohs(in6.sin6_port);
	}
	return 0;
}

void
sock_addr_set_port(struct sock_addr *a, uint16_t port)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (a->len && a->ss.ss_family == AF_INET) {
		memcpy(&in, &a->ss, sizeof(in));
		in.sin_port = htons(port);
		memcpy(&a->ss, &in, sizeof(in));
	} else if (a->len && a->ss.ss_family == AF_INET6) {
		memcpy(&in6, &a->ss, sizeof(in6));
		in6.sin6_port = htons(port);
		memcpy(&a->ss, &in6, sizeof(in6));
	}
}

static int
new_socket(int family)
{
	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static const struct sockaddr *
raw(const struct sock_addr *a)
{
	return (const struct sockaddr *)(const void *)&a->ss;
}

/* Closes fd without losing the errno that tells why. */
static void
close_quietly(int fd)
{
	int sys = errno;

	close(fd);
	errno = sys;
}

static void
no_delay(int fd)
{
	int on = 1;

	/* Fails on a UNIX socket, which has no delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Returns the descriptor, or -1 with errno. */
static int
listen_at(const struct sock_addr *a, int backlog)
{
	int fd = new_socket(a->ss.ss_family), on = 1, off = 0;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0 &&
	    (a->ss.ss_family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &off, sizeof(off)) == 0) &&
	    bind(fd, raw(a), a->len) == 0 && listen(fd, backlog) == 0)
		return fd;
	close_quietly(fd);
	return -1;
}

int
sock_listen(const char *host, uint16_t port, int backlog, struct err *err)
{
	struct sock_addr a = addr6(in6addr_any, port);
	char text[SOCK_TEXT_MAX];
	int fd;

	if (host && !sock_addr_parse(str_of(host), port, &a))
		return err_set(err, ERR_VALUE,
		    "listen on \"%s\": not a numeric address", host);
	fd = listen_at(&a, backlog);
	if (fd < 0 && !host &&
	    (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)) {
		a = addr4((struct in_addr){ htonl(INADDR_ANY) }, port);
		fd = listen_at(&a, backlog);
	}
	if (fd < 0)
		return err_sys(err, "listen on %s", sock_addr_text(&a, text));
	return fd;
}

static int
unix_addr(const char *path, struct sock_addr *out, struct err *err)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof(un.sun_path))
		return err_set(err, ERR_VALUE, "socket path \"%s\" is %s",
		    path, n ? "too long" : "empty");
	memcpy(un.sun_path, path, n);
	*out = (struct sock_addr){
		.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		    n + 1),
	};
	memcpy(&out->ss, &un, sizeof(un));
	return 0;
}

/* Removes the socket that a dead process left at path. */
static int
remove_stale(const char *path, const struct sock_addr *a, struct err *err)
{
	struct stat st;
	int fd, sys;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_sys(err, "listen on %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ERR_INUSE,
		    "listen on %s: is there and is no socket", path);
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return err_sys(err, "listen on %s", path);
	sys = connect(fd, raw(a), a->len) < 0 ? errno : 0;
	close(fd);
	if (sys != ECONNREFUSED && sys != ENOENT)
		return err_set(err, ERR_INUSE,
		    "listen on %s: a process is listening there", path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(err, "listen on %s", path);
	return 0;
}

static int
bind_unix(int fd, const char *path, const struct sock_addr *a, struct err *err)
{
	if (bind(fd, raw(a), a->len) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return err_sys(err, "listen on %s", path);
	if (remove_stale(path, a, err) < 0)
		return -1;
	if (bind(fd, raw(a), a->len) < 0)
		return err_sys(err, "listen on %s", path);
	return 0;
}

int
sock_listen_unix(const char *path, unsigned mode, struct err *err)
{
	enum { BACKLOG = 64 };
	struct sock_addr a;
	int fd;

	if (unix_addr(path, &a, err) < 0)
		return -1;
	fd = new_socket(AF_UNIX);
	if (fd < 0)
		return err_sys(err, "listen on %s", path);
	/* The mode before bind() shuts others out from the first moment; the
	 * one after it gives back what the umask took. */
	if (fchmod(fd, (mode_t)mode) < 0) {
		err_sys(err, "listen on %s", path);
		goto out;
	}
	if (bind_unix(fd, path, &a, err) < 0)
		goto out;
	if (chmod(path, (mode_t)mode) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	err_sys(err, "listen on %s", path);
out:
	close(fd);
	return -1;
}

int
sock_connect_unix(const char *path, struct err *err)
{
	struct sock_addr a;
	int fd;

	if (unix_addr(path, &a, err) < 0)
		return -1;
	fd = new_socket(AF_UNIX);
	if (fd >= 0 && connect(fd, raw(&a), a.len) == 0)
		return fd;
	err_sys(err, "connect to %s", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

int
sock_accept(int fd, struct sock_addr *peer_out, struct err *err)
{
	struct sock_addr peer = { .len = sizeof(peer.ss) };
	int conn;

	do {
		conn = accept4(fd, (struct sockaddr *)(void *)&peer.ss,
		    &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (conn < 0 && errno == EINTR);
	if (conn >= 0) {
		no_delay(conn);
		if (peer_out)
			*peer_out = peer;
		return conn;
	}
	switch (errno) {
	case EAGAIN:
		return err_set(err, ERR_STATE, "nobody waits to be accepted");
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		err_sys(err, "accept");
		if (err)
			err->kind = ERR_LIMIT;
		return -1;
	default:
		err_sys(err, "accept");
		if (err)
			err->kind = ERR_IO;
		return -1;
	}
}

int
sock_connect(const struct sock_addr *a, struct err *err)
{
	int fd = new_socket(a->ss.ss_family);

	if (fd < 0)
		return err_sys(err, "socket");
	no_delay(fd);
	if (connect(fd, raw(a), a->len) == 0 || errno == EINPROGRESS ||
	    errno == EINTR)
		return fd;
	err_sys(err, "connect");
	close(fd);
	return -1;
}

int
sock_connect_result(int fd, struct err *err)
{
	int sys = 0;
	socklen_t len = sizeof(sys);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &sys, &len) < 0)
		return err_sys(err, "connect");
	if (sys == 0)
		return 0;
	errno = sys;
	return err_sys(err, "connect");
}

int
sock_local_addr(int fd, struct sock_addr *out)
{
	*out = (struct sock_addr){ .len = sizeof(out->ss) };
	if (getsockname(fd, (struct sockaddr *)(void *)&out->ss,
	    &out->len) == 0)
		return 0;
	out->len = 0;
	return -1;
}

int
sock_set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}
