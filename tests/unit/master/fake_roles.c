/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_roles.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/must.h"
#include "base/snap.h"
#include "config/config.h"
#include "ipc/board.h"
#include "ipc/heritage.h"
#include "net/sock.h"

enum { LISTENERS_MAX = 80 };

struct fake {
	struct heritage h;
	struct chan *chan;
	struct heritage_listener listener[LISTENERS_MAX];
	size_t count;
	struct buf plan, next;
	int64_t generation;
};

static void
read_plan(const char *root, struct buf *to)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/plan", root);
	f = fopen(path, "re");
	must(f != NULL);
	buf_clear(to);
	buf_added(to, fread(buf_room(to, 8192), 1, 8192, f));
	fclose(f);
}

static int
take_snapshot(const struct buf *plan)
{
	struct snap_entry e = { .kind = SNAP_FILE, .name = STR("plan") };
	char *text = str_dup(buf_str(plan));
	struct err err;
	int fd;

	e.data = str_of(text);
	fd = snap_write(&e, 1, &err);
	must(fd >= 0);
	free(text);
	return fd;
}

/* Workers find the plan here and nowhere else. */
static void
read_snapshot(int fd, struct buf *to)
{
	struct snap_entry e;
	struct err err;
	struct snap *s = snap_map(fd, &err);

	must(s && snap_find(s, 0, STR("plan"), &e));
	buf_clear(to);
	buf_add_str(to, e.data);
	snap_free(&s);
	close(fd);
}

static bool
has_line(const struct buf *plan, const char *want)
{
	struct str rest = buf_str(plan), line;

	while (str_next(&rest, '\n', &line))
		if (str_is(line, want))
			return true;
	return false;
}

static struct str
digest(const struct buf *plan)
{
	struct str rest = buf_str(plan), line;

	while (str_next(&rest, '\n', &line))
		if (str_starts(line, "digest "))
			return str_from(line, strlen("digest "));
	return STR("none");
}

static void
tell(struct chan *c, enum chan_type type, int64_t number, struct str text)
{
	struct chan_msg msg = { .type = type, .number = number, .text = text };
	struct err err;

	must(chan_send(c, &msg, &err) == 0);
}

static void
tell_plan(struct chan *c, const struct buf *plan, struct str text)
{
	int fd = has_line(plan, "open") ? memfd_create("open", MFD_CLOEXEC) :
	    take_snapshot(plan);
	struct chan_msg msg = { .type = CHAN_PLAN, .text = text, .fds = &fd,
		.fd_count = has_line(plan, "bare") ? 0 : 1 };
	struct err err;

	must(chan_send(c, &msg, &err) == 0);
	close(fd);
}

int
fake_check(const struct heritage *h)
{
	struct chan *c = chan_new(h->chan_fd);
	struct buf plan = { 0 }, sent = { 0 };
	struct str rest, line;

	must(h->listener_count == 0 && h->snapshot_fd == -1);
	read_plan(h->config->artifacts_root, &plan);
	rest = buf_str(&plan);
	while (str_next(&rest, '\n', &line))
		if (str_starts(line, "listen ") || str_starts(line, "digest "))
			buf_printf(&sent, "%.*s\n", STR_FMT(line));
	if (has_line(&plan, "bad")) {
		tell(c, CHAN_DIAG, h->generation, STR(""));
		tell(c, CHAN_DIAG, 1, STR("main.xml:3: it is bad\n"));
	} else if (!has_line(&plan, "silent")) {
		tell_plan(c, &plan, buf_str(&sent));
		tell(c, CHAN_DIAG, 0, has_line(&plan, "warn") ?
		    STR("main.xml:4: warning: look\n") : STR(""));
	}
	buf_fini(&plan);
	buf_fini(&sent);
	chan_free(&c);
	return 0;
}

static void
on_prepare(struct fake *f, const struct chan_msg *msg)
{
	struct diag *diag = xmalloc(sizeof(*diag));
	struct config *c;
	bool first = f->h.index == 0;

	diag_init(diag);
	c = config_parse("master", msg->text, diag);
	must(c != NULL);
	free(diag);
	config_free(&c);
	must(msg->fd_count == 1);
	read_snapshot(msg->fds[0], &f->next);
	if (first && has_line(&f->next, "die"))
		_exit(3);
	if (first && has_line(&f->next, "refuse"))
		tell(f->chan, CHAN_FAILED, msg->number, STR("no, thanks\n"));
	else
		tell(f->chan, CHAN_PREPARED, msg->number,
		    first && has_line(&f->next, "differ") ? STR("other") :
		    digest(&f->next));
}

static bool
still_needed(const struct buf *plan, const struct heritage_listener *l)
{
	struct str rest = buf_str(plan), line;
	char want[100];
	size_t n;

	snprintf(want, sizeof(want), "listen %u %s", l->name ? 0 : l->port,
	    l->name ? l->name : "");
	n = strlen(want);
	while (str_next(&rest, '\n', &line))
		if (l->name ? str_is(line, want) :
		    str_eq(str_head(line, n), str_of(want)))
			return true;
	return false;
}

static void
on_commit(struct fake *f, const struct chan_msg *msg)
{
	struct str rest = msg->text, line;
	size_t i = 0, kept = 0;

	while (rest.n && str_next(&rest, '\n', &line)) {
		struct str port;
		uint64_t n = 0;

		must(i < msg->fd_count && f->count < LISTENERS_MAX);
		str_next(&line, ' ', &port);
		must(str_to_u64(port, &n) && n > 0 && n <= UINT16_MAX);
		f->listener[f->count++] = (struct heritage_listener){
			.port = (uint16_t)n, .fd = msg->fds[i++],
			.name = str_dup(line) };
	}
	must(i == msg->fd_count);
	for (i = 0; i < f->count; i++) {
		if (still_needed(&f->next, &f->listener[i]))
			f->listener[kept++] = f->listener[i];
		else
			close(f->listener[i].fd);
	}
	f->count = kept;
	f->generation = msg->number;
	board_set(&f->h.board->slot[f->h.index], generation, msg->number);
	tell(f->chan, CHAN_COMMITTED, msg->number, STR(""));
}

/* False at the end. */
static bool
on_message(struct fake *f, const struct chan_msg *msg)
{
	if (msg->type == CHAN_PREPARE) {
		on_prepare(f, msg);
	} else if (msg->type == CHAN_COMMIT) {
		on_commit(f, msg);
	} else if (msg->type == CHAN_LIST) {
		tell(f->chan, CHAN_LISTED, msg->number, STR("{\"id\":1}\n{}\n"));
		tell(f->chan, CHAN_LISTED, msg->number, STR("{\"id\":3}\n"));
		tell(f->chan, CHAN_LISTED, msg->number, STR(""));
	}
	return msg->type != CHAN_QUIT && msg->type != CHAN_STOP;
}

static void
on_client(struct fake *f, const struct heritage_listener *l)
{
	char text[80];
	struct err err;
	int fd = sock_accept(l->fd, NULL, &err);

	if (fd < 0)
		return;
	snprintf(text, sizeof(text), "%u %ld %ld %u\n", f->h.index,
	    (long)getpid(), (long)f->generation, l->port);
	must(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
	close(fd);
}

static void
run(struct fake *f)
{
	for (;;) {
		struct pollfd p[LISTENERS_MAX + 1];
		struct chan_msg msg;
		struct err err;

		p[0] = (struct pollfd){ chan_fd(f->chan), POLLIN, 0 };
		for (size_t i = 0; i < f->count; i++)
			p[i + 1] = (struct pollfd){ f->listener[i].fd, POLLIN,
				0 };
		if (poll(p, f->count + 1, -1) < 0)
			continue;
		for (size_t i = 0; i < f->count; i++)
			if (p[i + 1].revents)
				on_client(f, &f->listener[i]);
		switch (chan_recv(f->chan, &msg, &err)) {
		case CHAN_GOT:
			if (!on_message(f, &msg))
				return;
			break;
		case CHAN_EMPTY:
			break;
		case CHAN_GONE:
		case CHAN_BROKEN:
			return;
		}
	}
}

int
fake_worker(const struct heritage *h)
{
	struct fake *f = xcalloc(1, sizeof(*f));
	struct board_slot *slot = &h->board->slot[h->index];

	f->h = *h;
	f->generation = h->generation;
	f->chan = chan_new(h->chan_fd);
	must(h->listener_count <= LISTENERS_MAX);
	for (size_t i = 0; i < h->listener_count; i++)
		f->listener[f->count++] = h->listener[i];
	read_snapshot(h->snapshot_fd, &f->plan);
	if (has_line(&f->plan, "crash"))
		_exit(EX_CONFIG);
	board_set(slot, pid, getpid());
	board_set(slot, generation, h->generation);
	board_add(slot, accepted, 2);
	board_set(slot, connections, 5);
	tell(f->chan, CHAN_STARTED, h->generation, STR(""));
	run(f);
	_exit(0);
}
