/* SPDX-License-Identifier: Apache-2.0 */
/* Branches that wait, and what waits when its run is over. */
#include "fixture.h"

/* ---- a host with a clock that it turns itself -------------------------- */

struct host {
	struct fixture f;
	struct msg_pool *pool;
	struct med_engine *engine;
	struct med_clock clock;
	struct med_limits limits;
	struct med_outcome out;
	struct med_run *run;
	struct message *msg;
	struct med_group *group;	/* handed back, not started */
	bool keep;			/* what is handed back */
	bool wait;			/* calls do */
	int64_t now, wake_at;
	int homes[2];			/* things that outlive a run */
	int home;
	char log[4096];
};

static void
note(struct host *h, const char *what, struct str text)
{
	size_t n = strlen(h->log);

	snprintf(h->log + n, sizeof(h->log) - n, "%s %.*s\n", what,
	    STR_FMT(text));
}

static void
note_body(struct host *h, const char *what, struct message *msg)
{
	struct msg_output o;
	struct err err;

	assert_int_equal(message_format(msg, &o, &err), 0);
	note(h, what, o.bytes);
}

static enum med_host_result
on_send(void *ctx, struct med_run *run UNUSED, enum med_sending how UNUSED,
    const struct endpoint *ep UNUSED, struct message *msg,
    struct fault *fault UNUSED)
{
	struct host *h = ctx;

	note_body(h, "send", msg);
	return h->wait ? MED_HOST_WAIT : MED_HOST_DONE;
}

static enum med_host_result
on_respond(void *ctx, struct med_run *run UNUSED, struct message *msg,
    struct fault *fault UNUSED)
{
	note_body(ctx, "reply", msg);
	return MED_HOST_DONE;
}

static void
on_log(void *ctx, enum log_level level, struct str origin UNUSED,
    struct str text)
{
	if (level >= LOG_L_WARN)
		note(ctx, "log", text);
}

static void *
home(void *ctx)
{
	struct host *h = ctx;

	return &h->homes[h->home];
}

static const struct med_host host = {
	.send = on_send, .respond = on_respond, .log = on_log, .home = home,
};

static int64_t
now(void *ctx)
{
	const struct host *h = ctx;

	return h->now;
}

static void
wake(void *ctx, int64_t at_ms)
{
	struct host *h = ctx;

	h->wake_at = at_ms;
}

static void
again(void *ctx, void *at, struct med_group *group)
{
	struct host *h = ctx;

	assert_ptr_equal(at, &h->homes[h->home]);
	assert_null(h->group);
	h->group = group;
	if (h->keep)
		return;
	assert_null(h->msg);
	h->msg = message_new(h->pool);
	if (med_start_group(h->engine, &h->group, NULL, h->msg, &host, h,
	    &h->run, &h->out) == MED_DONE)
		message_free(&h->msg);
	assert_null(h->group);
}

static void
setup(struct host *h, const char *sequence)
{
	struct buf b = { 0 };

	memset(h, 0, sizeof(*h));
	h->limits = (struct med_limits){ .steps = 1000, .depth = 20,
		.groups = 3, .group_memory = 100000, .group_time = 5000 };
	h->now = 1000;
	fixture_init(&h->f);
	buf_printf(&b, "<definitions " NS "><sequence name='s' onError='h'>%s"
	    "</sequence><sequence name='h'/></definitions>", sequence);
	fixture_file(&h->f, "synapse.xml", buf_cstr(&b));
	buf_fini(&b);
	fixture_must_load(&h->f);
	h->pool = msg_pool_new(4, NULL);
	h->engine = med_engine_new(&h->limits);
	h->clock = (struct med_clock){ .now = now, .wake = wake,
		.again = again, .ctx = h };
	med_engine_set_clock(h->engine, &h->clock);
	log_threshold = LOG_L_WARN;
}

/* All messages must be back, and all runs. */
static void
teardown(struct host *h)
{
	message_free(&h->msg);
	med_engine_free(&h->engine);
	msg_pool_free(&h->pool);
	fixture_fini(&h->f);
}

static enum med_state
begin(struct host *h, const char *body, const char *type)
{
	enum med_state state;

	assert_null(h->msg);
	h->msg = message_new(h->pool);
	message_set_wire(h->msg, str_of(body), str_of(type), MSG_TEXT);
	state = med_start(h->engine, h->f.set, med_set_sequence(h->f.set,
	    STR("s")), NULL, h->msg, &host, h, &h->run, &h->out);
	if (state == MED_DONE)
		message_free(&h->msg);
	return state;
}

static void
run_json(struct host *h, const char *body)
{
	assert_int_equal(begin(h, body, "application/json"), MED_DONE);
}

static void
turn_clock(struct host *h, int64_t to)
{
	h->now = to;
	if (h->wake_at && h->wake_at <= to) {
		h->wake_at = 0;
		med_engine_wake(h->engine);
	}
}

#define GATHER(condition, body) "<aggregate><correlateOn expression='" \
	"json-eval($.k)'/><completeCondition" condition "</completeCondition>" \
	"<onComplete expression='json-eval($.v)'>" body "</onComplete>" \
	"</aggregate>"
#define PAIRS GATHER(" timeout='2'><messageCount min='2'/>", "<respond/>")
#define CALL "<call><endpoint><address uri='ws://h/'/></endpoint></call>"

/* ---- groups ------------------------------------------------------------ */

static void
test_group_over_runs(void **state)
{
	struct host h;

	(void)state;
	setup(&h, PAIRS);
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	run_json(&h, "{\"k\":\"b\",\"v\":2}");
	assert_int_equal(med_engine_groups(h.engine), 2);
	run_json(&h, "{\"k\":\"a\",\"v\":3}");
	assert_string_equal(h.log, "reply [1,3]\n");
	assert_int_equal(med_engine_groups(h.engine), 1);
	teardown(&h);
}

static void
test_time_is_up(void **state)
{
	struct host h;

	(void)state;
	setup(&h, PAIRS);
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	turn_clock(&h, 2000);
	run_json(&h, "{\"k\":\"b\",\"v\":2}");
	assert_int_equal(h.wake_at, 3000);
	turn_clock(&h, 2999);
	assert_string_equal(h.log, "");
	turn_clock(&h, 3000);
	assert_string_equal(h.log, "log Aggregate mediator timeout occurred.\n"
	    "reply [1]\n");
	assert_int_equal(h.wake_at, 4000);
	h.log[0] = '\0';
	turn_clock(&h, 4000);
	assert_string_equal(h.log, "log Aggregate mediator timeout occurred.\n"
	    "reply [2]\n");
	assert_int_equal(h.wake_at, 0);
	assert_int_equal(med_engine_groups(h.engine), 0);
	teardown(&h);
}

static void
test_the_set_lives_as_long_as_its_groups(void **state)
{
	struct host h;

	(void)state;
	setup(&h, PAIRS);
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	med_set_put(&h.f.set);
	turn_clock(&h, 3000);
	assert_non_null(strstr(h.log, "reply [1]\n"));
	teardown(&h);
}

static void
test_nobody_at_home(void **state)
{
	struct host h;

	(void)state;
	setup(&h, PAIRS);
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	run_json(&h, "{\"k\":\"b\",\"v\":1}");
	h.home = 1;
	run_json(&h, "{\"k\":\"c\",\"v\":2}");
	med_engine_forget(h.engine, &h.homes[0]);
	assert_int_equal(med_engine_groups(h.engine), 3);
	/* It moves to where the last message came from. */
	turn_clock(&h, 3000);
	assert_string_equal(h.log, "log Aggregate mediator timeout occurred.\n"
	    "reply [2]\n");
	assert_int_equal(med_engine_groups(h.engine), 0);
	teardown(&h);
}

static void
test_group_without_timeout_is_dropped(void **state)
{
	struct host h;

	(void)state;
	setup(&h, GATHER("><messageCount min='2'/>", "<respond/>"));
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	assert_int_equal(h.wake_at, 6000);
	turn_clock(&h, 6000);
	assert_string_equal(h.log, "");
	assert_int_equal(med_engine_groups(h.engine), 0);
	teardown(&h);
}

static void
test_engine_ends_with_groups(void **state)
{
	struct host h;

	(void)state;
	setup(&h, PAIRS);
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	h.keep = true;
	turn_clock(&h, 3000);
	assert_non_null(h.group);
	run_json(&h, "{\"k\":\"a\",\"v\":2}");
	med_group_drop(&h.group);
	assert_int_equal(med_engine_groups(h.engine), 1);
	teardown(&h);
}

static void
test_group_waits_for_a_call(void **state)
{
	struct host h;

	(void)state;
	setup(&h, GATHER(" timeout='2'><messageCount min='2'/>",
	    CALL "<respond/>"));
	h.wait = true;
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	turn_clock(&h, 3000);
	assert_non_null(h.run);
	assert_int_equal(med_resume(h.run, &h.out), MED_DONE);
	assert_non_null(strstr(h.log, "send [1]\nreply [1]\n"));
	message_free(&h.msg);
	run_json(&h, "{\"k\":\"a\",\"v\":1}");
	turn_clock(&h, 6000);
	med_abort(&h.run);
	teardown(&h);
}

static void
test_groups_are_limited(void **state)
{
	struct host h;

	(void)state;
	setup(&h, PAIRS);
	for (int i = 0; i < 4; i++) {
		char body[40];

		snprintf(body, sizeof(body), "{\"k\":\"%c\",\"v\":1}", 'a' + i);
		run_json(&h, body);
		assert_int_equal(h.out.faulted, i == 3);
	}
	assert_non_null(strstr(h.out.fault.message, "(limits.groups)"));
	assert_int_equal(med_engine_groups(h.engine), 3);
	teardown(&h);
}

static void
test_memory_of_groups_is_limited(void **state)
{
	struct buf b = { 0 };
	struct host h;

	(void)state;
	setup(&h, GATHER("><messageCount min='9'/>", "<respond/>"));
	buf_addz(&b, "{\"k\":\"a\",\"v\":\"");
	for (int i = 0; i < 60000; i++)
		buf_putc(&b, 'x');
	buf_addz(&b, "\"}");
	run_json(&h, buf_cstr(&b));
	assert_false(h.out.faulted);
	run_json(&h, buf_cstr(&b));
	assert_true(h.out.faulted);
	assert_non_null(strstr(h.out.fault.message, "(limits.group_memory)"));
	assert_int_equal(med_engine_groups(h.engine), 0);
	buf_fini(&b);
	teardown(&h);
}

/* ---- branches ---------------------------------------------------------- */

#define TARGET(body) "<target><sequence>" body "</sequence></target>"
/* One inside the other, and a call in the middle. */
#define NEST "<clone continueParent='true'>" TARGET( \
	"<iterate expression='json-eval($.l)' continueParent='true'>" TARGET( \
	"<conditionalRouter continueAfter='true'><conditionalRoute>" \
	"<condition><not><equal source='x' value='y'/></not></condition>" \
	TARGET("<scatter-gather target='body' result-content-type='JSON'>" \
	"<aggregation expression='${payload}'/><sequence>" \
	"<foreach collection='${payload.m}'><sequence>" CALL \
	"</sequence></foreach></sequence></scatter-gather>") \
	"</conditionalRoute></conditionalRouter><respond/>") "</iterate>") \
	"</clone><respond/>"

static const char nested[] = "{\"l\":[{\"m\":[1,2]},{\"m\":[3]}]}";

static void
test_deep_branches_wait(void **state)
{
	struct host h;

	(void)state;
	setup(&h, NEST);
	h.wait = true;
	assert_int_equal(begin(&h, nested, "application/json"), MED_WAITING);
	assert_int_equal(med_resume(h.run, &h.out), MED_WAITING);
	assert_int_equal(med_resume(h.run, &h.out), MED_WAITING);
	assert_int_equal(med_resume(h.run, &h.out), MED_DONE);
	assert_false(h.out.faulted);
	assert_string_equal(h.log, "send 1\nsend 2\nreply [{\"m\":[1,2]}]\n"
	    "send 3\nreply [{\"m\":[3]}]\n"
	    "reply {\"l\":[{\"m\":[1,2]},{\"m\":[3]}]}\n");
	teardown(&h);
}

static void
test_deep_branches_end_anywhere(void **state)
{
	(void)state;
	for (int stop = 0; stop < 3; stop++) {
		struct host h;

		setup(&h, NEST);
		h.wait = true;
		assert_int_equal(begin(&h, nested, "application/json"),
		    MED_WAITING);
		for (int i = 0; i < stop; i++)
			assert_int_equal(med_resume(h.run, &h.out),
			    MED_WAITING);
		med_abort(&h.run);
		teardown(&h);
	}
}

static void
test_deep_branch_fails(void **state)
{
	struct fault fault;
	struct host h;

	(void)state;
	setup(&h, NEST);
	h.wait = true;
	assert_int_equal(begin(&h, nested, "application/json"), MED_WAITING);
	fault_set(&fault, FAULT_TIMEOUT, "late");
	assert_int_equal(med_fail(h.run, &fault, &h.out), MED_WAITING);
	assert_int_equal(med_resume(h.run, &h.out), MED_WAITING);
	assert_int_equal(med_resume(h.run, &h.out), MED_DONE);
	assert_true(h.out.faulted);
	assert_false(h.out.unhandled);
	/* What it was part of ended; the others did not. */
	assert_non_null(strstr(h.log, "send 3\nreply [{\"m\":[3]}]\n"));
	teardown(&h);
}

static void
test_xml_branch_is_aborted(void **state)
{
	struct host h;

	(void)state;
	setup(&h, "<iterate expression='//i' preservePayload='true' "
	    "attachPath='//l'>" TARGET("<iterate expression='//i'>"
	    TARGET(CALL) "</iterate>") "</iterate>");
	h.wait = true;
	assert_int_equal(begin(&h, "<r><l><i>1</i><i>2</i></l></r>",
	    "application/xml"), MED_WAITING);
	assert_string_equal(h.log, "send <i>1</i>\n");
	med_abort(&h.run);
	teardown(&h);
}

static void
test_sequential_fault_while_waiting(void **state)
{
	struct fault fault;
	struct host h;

	(void)state;
	setup(&h, "<iterate expression='json-eval($)' sequential='true'>"
	    TARGET(CALL) "</iterate>");
	h.wait = true;
	assert_int_equal(begin(&h, "[1,2]", "application/json"), MED_WAITING);
	fault_set(&fault, FAULT_CLOSED, "gone");
	assert_int_equal(med_fail(h.run, &fault, &h.out), MED_DONE);
	assert_int_equal(h.out.fault.code, FAULT_CLOSED);
	assert_string_equal(h.log, "send 1\nlog gone [synapse.xml:1 sequence "
	    "> :1 iterate > :1 call]\n"
	    "log ERROR_CODE : 101505 ERROR_MESSAGE : gone\n"
	    "log Executing fault sequence mediator : h\n");
	teardown(&h);
}

static void
test_memory_of_branches_is_limited(void **state)
{
	struct host h;

	(void)state;
	setup(&h, "<property name='p' expression=\"concat(get-property('p'), "
	    "get-property('p'), '0123456789')\"/><clone>"
	    TARGET("<sequence key='s'/>") "</clone>");
	h.limits.memory = 1 << 20;
	h.limits.depth = 1000;
	med_engine_set_limits(h.engine, &h.limits);
	run_json(&h, "{}");
	assert_true(h.out.faulted);
	assert_non_null(strstr(h.out.fault.message, "(limits.memory)"));
	teardown(&h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_over_runs),
		cmocka_unit_test(test_time_is_up),
		cmocka_unit_test(test_the_set_lives_as_long_as_its_groups),
		cmocka_unit_test(test_nobody_at_home),
		cmocka_unit_test(test_group_without_timeout_is_dropped),
		cmocka_unit_test(test_engine_ends_with_groups),
		cmocka_unit_test(test_group_waits_for_a_call),
		cmocka_unit_test(test_groups_are_limited),
		cmocka_unit_test(test_memory_of_groups_is_limited),
		cmocka_unit_test(test_deep_branches_wait),
		cmocka_unit_test(test_deep_branches_end_anywhere),
		cmocka_unit_test(test_deep_branch_fails),
		cmocka_unit_test(test_xml_branch_is_aborted),
		cmocka_unit_test(test_sequential_fault_while_waiting),
		cmocka_unit_test(test_memory_of_branches_is_limited),
	};
	int failed;

	xml_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return failed;
}
