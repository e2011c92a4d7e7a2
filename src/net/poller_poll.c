/* SPDX-License-Identifier: Apache-2.0 */
/* poll(2): for systems and sandboxes without epoll, and the reference that
 * keeps the epoll backend honest in tests. */
#include "net/poller.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "net/loop.h"

struct table {
	struct pollfd *pfd;	/* pfd[count], the descriptors waited for */
	void **udata;		/* beside pfd */
	size_t count, cap;
	size_t *place;		/* by fd: index in pfd + 1, or 0 */
	size_t places;
	size_t next;		/* where the next scan starts: nobody starves */
};

static int
init(struct poller *p, struct err *err UNUSED)
{
	p->state = xcalloc(1, sizeof(struct table));
	return 0;
}

static void
fini(struct poller *p)
{
	struct table *t = p->state;

	free(t->pfd);
	free(t->udata);
	free(t->place);
	free(t);
}

static void
make_room(struct table *t, int fd)
{
	size_t at = (size_t)fd, more;

	if (t->count == t->cap) {
		t->cap = t->cap ? 2 * t->cap : 64;
		t->pfd = xrealloc(t->pfd, t->cap * sizeof(*t->pfd));
		t->udata = xrealloc(t->udata, t->cap * sizeof(*t->udata));
	}
	if (at >= t->places) {
		more = at + 64;
		t->place = xrealloc(t->place, more * sizeof(*t->place));
		memset(t->place + t->places, 0,
		    (more - t->places) * sizeof(*t->place));
		t->places = more;
	}
}

static void
forget(struct table *t, int fd)
{
	size_t at = t->place[fd] - 1, last = --t->count;

	t->pfd[at] = t->pfd[last];
	t->udata[at] = t->udata[last];
	t->place[t->pfd[at].fd] = at + 1;
	t->place[fd] = 0;
}

static int
set(struct poller *p, int fd, unsigned had, unsigned want, void *udata)
{
	struct table *t = p->state;
	struct pollfd pfd = { .fd = fd };

	if (!want) {
		forget(t, fd);
		return 0;
	}
	if (!had) {
		make_room(t, fd);
		must(t->place[fd] == 0);
		t->place[fd] = ++t->count;
	}
	if (want & LOOP_READ)
		pfd.events |= POLLIN;
	if (want & LOOP_WRITE)
		pfd.events |= POLLOUT;
	t->pfd[t->place[fd] - 1] = pfd;
	t->udata[t->place[fd] - 1] = udata;
	return 0;
}

static unsigned
ready_of(short events)
{
	unsigned ready = 0;

	if (events & (POLLERR | POLLHUP | POLLNVAL))
		return LOOP_READ | LOOP_WRITE;
	if (events & POLLIN)
		ready |= LOOP_READ;
	if (events & POLLOUT)
		ready |= LOOP_WRITE;
	return ready;
}

static int
wait_events(struct poller *p, struct poll_event *out, int max, int timeout_ms)
{
	struct table *t = p->state;
	int left = poll(t->pfd, (nfds_t)t->count, timeout_ms), n = 0;

	if (left < 0)
		return errno == EINTR ? 0 : -1;
	if (left > max)
		left = max;
	for (size_t i = 0; i < t->count && n < left; i++) {
		if (t->next >= t->count)
			t->next = 0;
		if (t->pfd[t->next].revents)
			out[n++] = (struct poll_event){
				.udata = t->udata[t->next],
				.ready = ready_of(t->pfd[t->next].revents),
			};
		t->next++;
	}
	return n;
}

const struct poller_ops poller_poll = {
	.name = "poll",
	.init = init,
	.set = set,
	.wait = wait_events,
	.fini = fini,
};
