/* SPDX-License-Identifier: Apache-2.0 */
#include "net/poller.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop.h"

static int
init(struct poller *p, struct err *err)
{
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	if (p->fd < 0)
		return err_sys(err, "epoll_create1");
	return 0;
}

static int
set(struct poller *p, int fd, unsigned had, unsigned want, void *udata)
{
	struct epoll_event ev = { .data.ptr = udata };
	int op = !want ? EPOLL_CTL_DEL : had ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (want & LOOP_READ)
		ev.events |= EPOLLIN;
	if (want & LOOP_WRITE)
		ev.events |= EPOLLOUT;
	return epoll_ctl(p->fd, op, fd, &ev);
}

static unsigned
ready_of(uint32_t events)
{
	unsigned ready = 0;

	if (events & (EPOLLERR | EPOLLHUP))
		return LOOP_READ | LOOP_WRITE;
	if (events & EPOLLIN)
		ready |= LOOP_READ;
	if (events & EPOLLOUT)
		ready |= LOOP_WRITE;
	return ready;
}

static int
wait_events(struct poller *p, struct poll_event *out, int max, int timeout_ms)
{
	struct epoll_event ev[POLL_BATCH];
	int n;

	must(max <= POLL_BATCH);
	n = epoll_wait(p->fd, ev, max, timeout_ms);
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (int i = 0; i < n; i++)
		out[i] = (struct poll_event){
			.udata = ev[i].data.ptr,
			.ready = ready_of(ev[i].events),
		};
	return n;
}

static void
fini(struct poller *p)
{
	close(p->fd);
}

const struct poller_ops poller_epoll = {
	.name = "epoll",
	.init = init,
	.set = set,
	.wait = wait_events,
	.fini = fini,
};
