/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/chan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/list.h"
#include "base/must.h"

enum { CHAN_MAGIC = 0x57534357, FD_ROOM = CMSG_SPACE(64 * sizeof(int)) };

/* Both ends are forks of one program: no byte order, no padding. */
struct wire_head {
	uint32_t magic, type;
	int64_t number;
	uint32_t text_len, fd_count;
};
_Static_assert(sizeof(struct wire_head) == 24, "wire_head has padding");
_Static_assert(CHAN_FDS_MAX == 64, "FD_ROOM is for 64");

/* Room for descriptors, aligned as the kernel wants it. */
union fd_room {
	struct cmsghdr align;
	char bytes[FD_ROOM];
};

struct queued {
	struct list link;
	struct chan_msg msg;		/* text and fds are this one's own */
	int fds[CHAN_FDS_MAX];
	char text[];
};

struct chan {
	int fd;
	struct list queue;
	int fds[CHAN_FDS_MAX];		/* of the message last received */
	struct wire_head head;		/* the same */
	char text[CHAN_TEXT_MAX];
};

int
chan_pair(int fds_out[2], struct err *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0, fds_out) < 0)
		return err_sys(err, "cannot make a channel");
	return 0;
}

struct chan *
chan_new(int fd)
{
	struct chan *c = xmalloc(sizeof(*c));

	c->fd = fd;
	list_init(&c->queue);
	return c;
}

static void
close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static void
queued_free(struct queued *q)
{
	list_del(&q->link);
	close_all(q->fds, q->msg.fd_count);
	free(q);
}

void
chan_free(struct chan **c)
{
	if (!*c)
		return;
	list_each(&(*c)->queue, q, struct queued, link)
		queued_free(q);
	close((*c)->fd);
	free(*c);
	*c = NULL;
}

int
chan_fd(const struct chan *c)
{
	return c->fd;
}

/* --- sending -------------------------------------------------------------- */

enum sent { SENT_DONE, SENT_LATER, SENT_FAILED };

static enum sent
send_now(struct chan *c, const struct chan_msg *m, struct err *err)
{
	struct wire_head head = { .magic = CHAN_MAGIC,
		.type = (uint32_t)m->type, .number = m->number,
		.text_len = (uint32_t)m->text.n,
		.fd_count = (uint32_t)m->fd_count };
	struct iovec iov[2] = { { &head, sizeof(head) },
		{ UNCONST(m->text.p), m->text.n } };
	union fd_room room = { .bytes = { 0 } };
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = m->text.n ? 2 : 1 };
	ssize_t n;

	if (m->fd_count) {
		struct cmsghdr *cm;

		h.msg_control = room.bytes;
		h.msg_controllen = CMSG_SPACE(m->fd_count * sizeof(int));
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(m->fd_count * sizeof(int));
		memcpy(CMSG_DATA(cm), m->fds, m->fd_count * sizeof(int));
	}
	do
		n = sendmsg(c->fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return SENT_DONE;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
		return SENT_LATER;
	err_sys(err, "channel");
	if (err && (err->sys == EPIPE || err->sys == ECONNRESET))
		err->kind = ERR_CLOSED;
	return SENT_FAILED;
}

/* The caller may close its descriptors at once, so ours are copies. */
static int
enqueue(struct chan *c, const struct chan_msg *m, struct err *err)
{
	struct queued *q = xmalloc(sizeof(*q) + m->text.n);

	q->msg = (struct chan_msg){ .type = m->type, .number = m->number,
		.text = { q->text, m->text.n }, .fds = q->fds };
	if (m->text.n)
		memcpy(q->text, m->text.p, m->text.n);
	list_add_tail(&c->queue, &q->link);
	for (size_t i = 0; i < m->fd_count; i++) {
		int fd = fcntl(m->fds[i], F_DUPFD_CLOEXEC, 0);

		if (fd < 0) {
			err_sys(err, "channel: cannot copy a descriptor");
			queued_free(q);
			return -1;
		}
		q->fds[q->msg.fd_count++] = fd;
	}
	return 0;
}

int
chan_send(struct chan *c, const struct chan_msg *m, struct err *err)
{
	if (m->text.n > CHAN_TEXT_MAX || m->fd_count > CHAN_FDS_MAX)
		return err_set(err, ERR_LIMIT, "channel: a message of %zu "
		    "bytes and %zu descriptors is too large", m->text.n,
		    m->fd_count);
	if (!list_empty(&c->queue))
		return enqueue(c, m, err);
	switch (send_now(c, m, err)) {
	case SENT_DONE:
		return 0;
	case SENT_LATER:
		return enqueue(c, m, err);
	case SENT_FAILED:
		break;
	}
	return -1;
}

bool
chan_wants_write(const struct chan *c)
{
	return !list_empty(&c->queue);
}

int
chan_flush(struct chan *c, struct err *err)
{
	list_each(&c->queue, q, struct queued, link) {
		switch (send_now(c, &q->msg, err)) {
		case SENT_DONE:
			queued_free(q);
			continue;
		case SENT_LATER:
			return 0;
		case SENT_FAILED:
			return -1;
		}
	}
	return 0;
}

/* --- receiving ------------------------------------------------------------ */

static bool
known_type(uint32_t type)
{
	switch ((enum chan_type)type) {
	case CHAN_PREPARE:
	case CHAN_COMMIT:
	case CHAN_ROLLBACK:
	case CHAN_REOPEN:
	case CHAN_QUIT:
	case CHAN_STOP:
	case CHAN_LIST:
	case CHAN_STARTED:
	case CHAN_PREPARED:
	case CHAN_FAILED:
	case CHAN_COMMITTED:
	case CHAN_LISTED:
	case CHAN_PLAN:
	case CHAN_DIAG:
		return true;
	}
	return false;
}

static size_t
take_fds(struct chan *c, struct msghdr *h)
{
	size_t n = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm; cm = CMSG_NXTHDR(h, cm)) {
		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(c->fds, CMSG_DATA(cm), n * sizeof(int));
	}
	return n;
}

static bool
well_formed(const struct chan *c, const struct msghdr *h, size_t n,
    size_t fd_count)
{
	return n >= sizeof(c->head) && c->head.magic == CHAN_MAGIC &&
	    known_type(c->head.type) &&
	    c->head.text_len == n - sizeof(c->head) &&
	    c->head.fd_count == fd_count &&
	    !(h->msg_flags & (MSG_TRUNC | MSG_CTRUNC));
}

enum chan_result
chan_recv(struct chan *c, struct chan_msg *out, struct err *err)
{
	struct iovec iov[2] = { { &c->head, sizeof(c->head) },
		{ c->text, sizeof(c->text) } };
	union fd_room room;
	struct msghdr h = { .msg_iov = iov, .msg_iovlen = 2,
		.msg_control = room.bytes, .msg_controllen = sizeof(room) };
	size_t fd_count;
	ssize_t n;

	do
		n = recvmsg(c->fd, &h, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return CHAN_EMPTY;
	if (n <= 0)
		return CHAN_GONE;
	fd_count = take_fds(c, &h);
	if (!well_formed(c, &h, (size_t)n, fd_count)) {
		close_all(c->fds, fd_count);
		err_set(err, ERR_PROTOCOL,
		    "channel: %zd bytes that are no message", n);
		return CHAN_BROKEN;
	}
	*out = (struct chan_msg){ .type = (enum chan_type)c->head.type,
		.number = c->head.number,
		.text = { c->text, c->head.text_len },
		.fds = c->fds, .fd_count = fd_count };
	return CHAN_GOT;
}
