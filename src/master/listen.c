/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "master/state.h"
#include "net/sock.h"

enum { BACKLOG = 4096 };

static bool
serves(const struct listener *l, const struct plan_item *it)
{
	if (it->wanted)
		return !l->name && l->port == it->wanted;
	return l->name && strcmp(l->name, it->name) == 0;
}

static struct listener *
find(struct master *m, const struct plan_item *it)
{
	list_each(&m->listeners, l, struct listener, link)
		if (serves(l, it))
			return l;
	return NULL;
}

static void
listener_free(struct listener *l, unsigned count)
{
	list_del(&l->link);
	for (unsigned i = 0; i < count; i++)
		if (l->fd[i] >= 0)
			close(l->fd[i]);
	free(l->fd);
	free(l->name);
	free(l);
}

static int
try_bind(int family, uint16_t port)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, off = 0, result, sys;
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off,
		    sizeof(off));
		result = bind(fd, (const void *)&in6, sizeof(in6));
	} else {
		result = bind(fd, (const void *)&in, sizeof(in));
	}
	sys = errno;
	close(fd);
	errno = sys;
	return result;
}

/* With SO_REUSEPORT a second gateway of the same user would silently take half
 * of the connections: without it the kernel tells that the port is taken. */
static int
probe(uint16_t port, struct err *err)
{
	int result = try_bind(AF_INET6, port);

	if (result < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
		result = try_bind(AF_INET, port);
	if (result < 0 && errno == EADDRINUSE)
		return err_sys(err, "listen on [::]:%u", port);
	return 0;	/* any other failure comes again, and is told there */
}

static int
bind_all(struct master *m, struct listener *l, uint16_t wanted,
    struct err *err)
{
	struct sock_addr a;

	if (wanted && probe(wanted, err) < 0)
		return -1;
	l->port = wanted;
	for (unsigned i = 0; i < m->worker_count; i++) {
		l->fd[i] = sock_listen(NULL, l->port, BACKLOG, err);
		if (l->fd[i] < 0)
			return -1;
		if (l->port == 0 && sock_local_addr(l->fd[i], &a) == 0)
			l->port = sock_addr_port(&a);
	}
	return 0;
}

static int
add(struct master *m, const struct plan_item *it, struct err *err)
{
	struct listener *l = xcalloc(1, sizeof(*l));

	l->fd = xcalloc(m->worker_count, sizeof(*l->fd));
	for (unsigned i = 0; i < m->worker_count; i++)
		l->fd[i] = -1;
	l->fresh = true;
	if (!it->wanted)
		l->name = xstrdup(it->name);
	list_add_tail(&m->listeners, &l->link);
	if (bind_all(m, l, it->wanted, err) < 0)
		return err_wrap(err, "inbound %s", it->name);
	return 0;
}

int
listen_bind(struct master *m, struct plan *plan, struct err *err)
{
	for (size_t i = 0; i < plan->count; i++) {
		struct plan_item *it = &plan->item[i];

		if (!find(m, it) && add(m, it, err) < 0) {
			listen_rollback(m);
			return -1;
		}
		it->port = find(m, it)->port;
	}
	return 0;
}

void
listen_rollback(struct master *m)
{
	list_each(&m->listeners, l, struct listener, link)
		if (l->fresh)
			listener_free(l, m->worker_count);
}

static bool
needed(const struct plan *plan, const struct listener *l)
{
	for (size_t i = 0; i < plan->count; i++)
		if (serves(l, &plan->item[i]))
			return true;
	return false;
}

void
listen_commit(struct master *m)
{
	list_each(&m->listeners, l, struct listener, link) {
		l->fresh = false;
		if (!needed(m->plan, l))
			listener_free(l, m->worker_count);
	}
}

void
listen_close_all(struct master *m)
{
	list_each(&m->listeners, l, struct listener, link)
		listener_free(l, m->worker_count);
}
