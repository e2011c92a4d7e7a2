/* SPDX-License-Identifier: Apache-2.0 */
#include "master/ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "master/state.h"
#include "net/sock.h"

enum {
	CLIENTS_MAX = 16,
	REQUEST_TIME_MS = 5000, ANSWER_TIME_MS = 30000, LIST_TIME_MS = 5000,
};

/* --- answers ------------------------------------------------------------------ */

static void
answer(struct ctl_client *c, const char *status, struct str text)
{
	struct buf b = { 0 };

	buf_printf(&b, CTL_NAME " %d %s %zu\n", CTL_VERSION, status, text.n);
	buf_add_str(&b, text);
	buf_fini(&c->out);
	c->out = b;
	c->wait = CTL_WRITING;
	c->deadline_ms = clock_ms() + ANSWER_TIME_MS;
}

static void
written(struct ctl_client *c)
{
	c->wait = c->hold ? CTL_HELD : CTL_THROUGH;
	c->deadline_ms = 0;
}

static void
write_some(struct ctl_client *c)
{
	struct str s = buf_str(&c->out);
	ssize_t n = send(c->fd, s.p, s.n, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		c->wait = CTL_THROUGH;
		return;
	}
	buf_consume(&c->out, (size_t)n);
	if (buf_len(&c->out) == 0)
		written(c);
}

/* --- commands ------------------------------------------------------------------- */

static void
ctl_status(struct master *m, struct ctl_client *c, struct str arg)
{
	struct buf b = { 0 };

	(void)arg;
	status_json(m, &b);
	answer(c, "ok", buf_str(&b));
	buf_fini(&b);
}

static void
ctl_reload(struct master *m, struct ctl_client *c, struct str arg)
{
	(void)arg;
	if (m->state != MASTER_STARTING && m->state != MASTER_RUNNING) {
		answer(c, "failed", STR("the gateway is stopping\n"));
		return;
	}
	c->wait = CTL_NEXT_RELOAD;
	c->deadline_ms = 0;
	reload_request(m);
}

static void
ctl_quit(struct master *m, struct ctl_client *c, struct str arg)
{
	(void)arg;
	c->hold = true;
	answer(c, "ok", STR("stopping gracefully\n"));
	master_quit(m);
}

static void
ctl_stop(struct master *m, struct ctl_client *c, struct str arg)
{
	if (!str_is(arg, "now")) {
		ctl_quit(m, c, arg);
		return;
	}
	c->hold = true;
	answer(c, "ok", STR("stopping\n"));
	master_stop(m, EXIT_SUCCESS);
}

static void
ctl_reopen(struct master *m, struct ctl_client *c, struct str arg)
{
	(void)arg;
	master_reopen(m);
	answer(c, "ok", STR("log files opened again\n"));
}

static void
end_list_when_complete(struct master *m, struct ctl_client *c)
{
	struct buf text;

	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].list_id == c->list_id)
			return;
	text = c->out;
	c->out = (struct buf){ 0 };
	answer(c, "ok", buf_str(&text));
	buf_fini(&text);
}

static void
ctl_connections(struct master *m, struct ctl_client *c, struct str arg)
{
	struct chan_msg msg = { .type = CHAN_LIST, .number = ++m->last_list };

	(void)arg;
	list_each(&m->clients, other, struct ctl_client, link)
		if (other->wait == CTL_LIST) {
			answer(c, "failed",
			    STR("another list is being made, try again\n"));
			return;
		}
	c->wait = CTL_LIST;
	c->list_id = m->last_list;
	c->deadline_ms = clock_ms() + LIST_TIME_MS;
	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].chan && m->worker[i].started) {
			m->worker[i].list_id = c->list_id;
			worker_send(&m->worker[i], &msg);
		}
	end_list_when_complete(m, c);
}

static void ctl_help(struct master *, struct ctl_client *, struct str);

static const struct command {
	const char *name, *help;
	void (*fn)(struct master *, struct ctl_client *, struct str arg);
} commands[] = {
#define CTL(name, help) { #name, help, ctl_##name },
#include "master/ctl.def"
#undef CTL
};

static void
ctl_help(struct master *m, struct ctl_client *c, struct str arg)
{
	struct buf b = { 0 };

	(void)m;
	(void)arg;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		buf_printf(&b, "%-12s %s\n", commands[i].name,
		    commands[i].help);
	answer(c, "ok", buf_str(&b));
	buf_fini(&b);
}

/* --- requests --------------------------------------------------------------------- */

static void
refuse(struct ctl_client *c, const char *fmt, struct str what)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s \"", fmt);
	log_escape(&b, str_head(what, 40));
	buf_addz(&b, "\"\n");
	answer(c, "refused", buf_str(&b));
	buf_fini(&b);
}

static void
run_command(struct master *m, struct ctl_client *c, struct str name,
    struct str arg)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (str_is(name, commands[i].name)) {
			log_debug("control: %s", commands[i].name);
			commands[i].fn(m, c, arg);
			return;
		}
	refuse(c, "unknown command", name);
}

static void
on_request(struct master *m, struct ctl_client *c, struct str line)
{
	struct str rest = line, magic = STR(""), version = STR(""),
	    name = STR("");
	char text[120];

	str_next(&rest, ' ', &magic);
	str_next(&rest, ' ', &version);
	str_next(&rest, ' ', &name);
	snprintf(text, sizeof(text), "%d", CTL_VERSION);
	if (!str_is(magic, CTL_NAME)) {
		refuse(c, "this is no request of wsgwctl:", line);
	} else if (!str_is(version, text)) {
		snprintf(text, sizeof(text), "the gateway speaks version %d "
		    "of the control protocol, not", CTL_VERSION);
		refuse(c, text, version);
	} else {
		run_command(m, c, name, rest.p ? rest : STR(""));
	}
}

static void
read_some(struct master *m, struct ctl_client *c)
{
	size_t room = sizeof(c->line) - c->line_len;
	ssize_t n = recv(c->fd, c->line + c->line_len, room, 0);
	struct str all, line;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		c->wait = CTL_THROUGH;
		return;
	}
	c->line_len += (size_t)n;
	all = (struct str){ c->line, c->line_len };
	line = str_head(all, str_find(all, '\n'));
	if (line.n < all.n)
		on_request(m, c, line);
	else if (c->line_len == sizeof(c->line))
		refuse(c, "the request is too long:", line);
}

/* --- clients --------------------------------------------------------------------- */

int
ctl_open(struct master *m, struct err *err)
{
	const char *path = m->config->admin_socket;

	if (!path[0])
		return 0;
	privs_make_folder(path);
	m->ctl_fd = sock_listen_unix(path, 0660, err);
	if (m->ctl_fd < 0)
		return -1;
	if (m->privs.change && chown(path, (uid_t)-1, m->privs.gid) < 0)
		log_warn("cannot give %s to its group: %s", path,
		    strerror(errno));
	return 0;
}

static void
client_free(struct master *m, struct ctl_client *c)
{
	for (unsigned i = 0; i < m->worker_count; i++)
		if (c->list_id && m->worker[i].list_id == c->list_id)
			m->worker[i].list_id = 0;
	list_del(&c->link);
	close(c->fd);
	buf_fini(&c->out);
	free(c);
	m->client_count--;
}

void
ctl_close(struct master *m)
{
	list_each(&m->clients, c, struct ctl_client, link)
		client_free(m, c);
	if (m->ctl_fd < 0)
		return;
	unlink(m->config->admin_socket);
	close(m->ctl_fd);
	m->ctl_fd = -1;
}

void
ctl_accept(struct master *m)
{
	struct err err;
	struct ctl_client *c;
	int fd = sock_accept(m->ctl_fd, NULL, &err);

	if (fd < 0)
		return;
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->deadline_ms = clock_ms() + REQUEST_TIME_MS;
	list_add_tail(&m->clients, &c->link);
	if (++m->client_count > CLIENTS_MAX) {
		answer(c, "refused", STR("too many control connections\n"));
		write_some(c);
		c->wait = CTL_THROUGH;
	}
}

short
ctl_events(const struct ctl_client *c)
{
	if (c->wait == CTL_READING)
		return POLLIN;
	return c->wait == CTL_WRITING ? POLLOUT : 0;
}

void
ctl_on_ready(struct master *m, struct ctl_client *c, short revents)
{
	if (c->wait == CTL_READING && (revents & (POLLIN | POLLHUP)))
		read_some(m, c);
	else if (revents & (POLLERR | POLLHUP | POLLNVAL))
		c->wait = CTL_THROUGH;
	if (c->wait == CTL_WRITING)
		write_some(c);
}

int64_t
ctl_next_ms(const struct master *m)
{
	int64_t at = INT64_MAX;

	for (const struct list *l = m->clients.next; l != &m->clients;
	    l = l->next) {
		const struct ctl_client *c = container_of(UNCONST(l),
		    struct ctl_client, link);

		if (c->deadline_ms && c->deadline_ms < at)
			at = c->deadline_ms;
	}
	return at;
}

void
ctl_on_time(struct master *m)
{
	int64_t now = clock_ms();

	list_each(&m->clients, c, struct ctl_client, link) {
		if (!c->deadline_ms || now < c->deadline_ms)
			continue;
		if (c->wait == CTL_LIST)
			answer(c, "failed", STR("a worker does not answer\n"));
		else
			c->wait = CTL_THROUGH;
	}
}

void
ctl_sweep(struct master *m)
{
	list_each(&m->clients, c, struct ctl_client, link)
		if (c->wait == CTL_THROUGH)
			client_free(m, c);
}

/* --- what they wait for --------------------------------------------------------- */

void
ctl_reload_started(struct master *m)
{
	list_each(&m->clients, c, struct ctl_client, link)
		if (c->wait == CTL_NEXT_RELOAD)
			c->wait = CTL_RELOAD;
}

void
ctl_reload_done(struct master *m, bool ok, struct str text)
{
	struct buf b = { 0 };

	buf_add_str(&b, text);
	if (ok)
		buf_printf(&b, "reloaded: generation %" PRId64 "\n",
		    m->generation);
	list_each(&m->clients, c, struct ctl_client, link)
		if (c->wait == CTL_RELOAD ||
		    (!ok && c->wait == CTL_NEXT_RELOAD && !m->reload.queued))
			answer(c, ok ? "ok" : "failed", buf_str(&b));
	buf_fini(&b);
}

static struct ctl_client *
list_client(struct master *m, int64_t id)
{
	list_each(&m->clients, c, struct ctl_client, link)
		if (c->wait == CTL_LIST && c->list_id == id)
			return c;
	return NULL;
}

/* Each line is an object; the number of the worker becomes its first member. */
static void
add_lines(struct buf *to, unsigned index, struct str text)
{
	struct str line;

	while (text.n && str_next(&text, '\n', &line)) {
		if (line.n < 2 || line.p[0] != '{')
			continue;
		buf_printf(to, "{\"worker\":%u%s%.*s\n", index + 1,
		    line.p[1] == '}' ? "" : ",", STR_FMT(str_from(line, 1)));
	}
}

void
ctl_on_listed(struct master *m, struct worker *w, const struct chan_msg *msg)
{
	struct ctl_client *c = list_client(m, msg->number);

	if (!c || w->list_id != msg->number)
		return;
	if (buf_len(&c->out) + msg->text.n > CTL_ANSWER_MAX / 2) {
		answer(c, "failed", STR("the list is too long\n"));
		return;
	}
	add_lines(&c->out, w->index, msg->text);
	if (msg->text.n == 0) {
		w->list_id = 0;
		end_list_when_complete(m, c);
	}
}

void
ctl_on_worker_death(struct master *m, struct worker *w)
{
	struct ctl_client *c = list_client(m, w->list_id);

	w->list_id = 0;
	if (c)
		end_list_when_complete(m, c);
}
