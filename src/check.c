/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <poll.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "gateway/artifacts.h"
#include "ipc/chan.h"
#include "ipc/heritage.h"
#include "mediation/inbound.h"
#include "mediation/mediation.h"
#include "mediation/source.h"
#include "msg/xml.h"

/* A name that would break the line it stands in. */
static bool
is_plain(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < 0x20)
			return false;
	return name.n > 0;
}

static void
make_plan(const struct med_set *set, struct diag *diag, struct buf *to)
{
	size_t n = med_set_inbound_count(set);

	buf_printf(to, "digest %s\n", med_set_digest(set));
	for (size_t i = 0; i < n; i++) {
		const struct med_inbound *in = med_set_inbound(set, i);

		if (in->suspended)
			continue;
		if (!is_plain(in->name))
			diag_error(diag, in->at, "the name of an inbound "
			    "endpoint must not hold control characters");
		buf_printf(to, "listen %u %.*s\n", in->port,
		    STR_FMT(in->name));
	}
	if (buf_len(to) > CHAN_TEXT_MAX)
		diag_error(diag, (struct src_pos){ 0 },
		    "too many inbound endpoints");
}

/* Diagnostics are added to diag, the plan to plan. Returns a snapshot of all
 * that the set was loaded from, or -1. */
static int
check(const struct config *c, struct diag *diag, struct buf *plan)
{
	struct med_source *source = artifacts_capture(c, diag);
	struct med_set *set = NULL;
	struct err err = { 0 };
	int fd = -1;

	xml_global_init();
	if (source)
		set = artifacts_load(c, source, diag);
	if (set) {
		make_plan(set, diag, plan);
		fd = med_source_seal(source, &err);
		if (fd < 0)
			diag_add(diag, DIAG_ERROR, &err);
	}
	med_set_put(&set);
	med_source_put(&source);
	xml_global_fini();
	return fd;
}

/* --- over the channel ------------------------------------------------------- */

static void
diag_text(const struct diag *diag, struct buf *to)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	must(f != NULL);
	diag_print(diag, f);
	fclose(f);
	buf_add(to, text, n < CHAN_TEXT_MAX ? n : CHAN_TEXT_MAX);
	free(text);
}

static int
send_all(struct chan *c, const struct chan_msg *msg, struct err *err)
{
	struct pollfd p = { .fd = chan_fd(c), .events = POLLOUT };

	if (chan_send(c, msg, err) < 0)
		return -1;
	while (chan_wants_write(c)) {
		(void)poll(&p, 1, -1);
		if (chan_flush(c, err) < 0)
			return -1;
	}
	return 0;
}

static int
report(const struct heritage *h, const struct diag *diag, struct buf *plan,
    int snapshot_fd, struct err *err)
{
	struct chan *chan = chan_new(h->chan_fd);
	struct buf text = { 0 };
	struct chan_msg msg = { .type = CHAN_PLAN, .number = h->generation,
		.text = buf_str(plan), .fds = &snapshot_fd, .fd_count = 1 };
	int result = 0;

	if (diag->errors == 0)
		result = send_all(chan, &msg, err);
	diag_text(diag, &text);
	msg = (struct chan_msg){ .type = CHAN_DIAG,
		.number = diag->errors ? 1 : 0, .text = buf_str(&text) };
	if (result == 0)
		result = send_all(chan, &msg, err);
	buf_fini(&text);
	chan_free(&chan);
	return result;
}

int
check_main(const struct heritage *h)
{
	struct diag *diag = xmalloc(sizeof(*diag));
	struct buf plan = { 0 };
	struct err err;
	int status, fd;

	diag_init(diag);
	fd = check(h->config, diag, &plan);
	status = diag->errors ? EX_CONFIG : EXIT_SUCCESS;
	if (report(h, diag, &plan, fd, &err) < 0) {
		log_error("check: %s", err.text);
		status = EXIT_FAILURE;
	}
	if (fd >= 0)
		close(fd);
	buf_fini(&plan);
	free(diag);
	return status;
}

/* --- in the foreground -------------------------------------------------------- */

int
check_print(const struct config *c, enum check_level level, FILE *to)
{
	struct diag *diag = xmalloc(sizeof(*diag));
	struct buf plan = { 0 };
	int status, fd;

	diag_init(diag);
	fd = check(c, diag, &plan);
	if (fd >= 0)
		close(fd);
	if (diag->errors || level == CHECK_ALL)
		diag_print(diag, to);
	status = diag->errors ? EX_CONFIG : EXIT_SUCCESS;
	buf_fini(&plan);
	free(diag);
	return status;
}
