/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One artifact file: it loads or it is refused with an error that names a
 * place; what loads can be run on a message and comes to an end.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"
#include "mediation/mediation.h"
#include "msg/message.h"
#include "msg/xml.h"

static struct msg_pool *pool;
static struct med_engine *engine;

static enum med_host_result
on_send(void *ctx UNUSED, struct med_run *run UNUSED,
    enum med_sending how UNUSED, const struct endpoint *ep,
    struct message *msg, struct fault *fault)
{
	struct str uri;

	must(endpoint_name(ep).p && endpoint_policy(ep));
	if (endpoint_apply_properties(ep, msg, fault) < 0 ||
	    endpoint_address(ep, msg, &uri, fault) < 0)
		return MED_HOST_FAULT;
	return MED_HOST_DONE;
}

static enum med_host_result
on_respond(void *ctx UNUSED, struct med_run *run UNUSED, struct message *msg,
    struct fault *fault)
{
	struct msg_output o;
	struct err err;

	if (message_format(msg, &o, &err) == 0)
		return MED_HOST_DONE;
	fault_set(fault, FAULT_SEND, "%s", err.text);
	return MED_HOST_FAULT;
}

static void
on_log(void *ctx UNUSED, enum log_level level UNUSED,
    struct str origin UNUSED, struct str text UNUSED)
{
}

static void
run(struct med_set *set, const struct sequence *s, struct str body,
    struct str type)
{
	static const struct med_host host = { .send = on_send,
	    .respond = on_respond, .log = on_log };
	struct msg_context context = { .entry = med_set_entry,
	    .entry_ctx = set };
	struct message *msg = message_new(pool);
	struct med_outcome out;
	struct med_run *waiting;

	message_set_context(msg, &context);
	message_set_wire(msg, body, type, MSG_TEXT);
	must(med_start(engine, set, s, med_set_fault(set), msg, &host, NULL,
	    &waiting, &out) == MED_DONE);
	must(out.faulted || !out.unhandled);
	message_free(&msg);
}

static void
run_all(struct med_set *set)
{
	static const char *const names[] = { "main", "fault", "s", "case" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct sequence *s = med_set_sequence(set,
		    str_of(names[i]));

		if (!s)
			continue;
		run(set, s, STR("{\"a\":[1,{\"b\":\"x\"}]}"),
		    STR("application/json"));
		run(set, s, STR("<r a='1'><b>x</b><b/></r>"),
		    STR("application/xml"));
	}
}

static void
init(void)
{
	static const struct med_limits limits = { .steps = 500, .depth = 10 };

	if (engine)
		return;
	xml_global_init();
	log_threshold = LOG_L_ERROR;
	log_threshold++;
	pool = msg_pool_new(4, NULL);
	engine = med_engine_new(&limits);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct med_config config = { .registry = "", .ws_sender = true,
	    .lenient = n % 2 };
	struct diag *diag = xmalloc(sizeof(*diag));
	int fd = memfd_create("artifact", MFD_CLOEXEC);
	char path[40];
	struct med_set *set;

	init();
	must(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config.root = path;
	diag_init(diag);
	set = med_set_load(&config, diag);
	must((set == NULL) == (diag->errors > 0));
	for (int i = 0; i < diag->count; i++)
		must(diag->item[i].file[0] && diag->item[i].text[0]);
	if (set)
		run_all(set);
	med_set_put(&set);
	close(fd);
	free(diag);
	return 0;
}
