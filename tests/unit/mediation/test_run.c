/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

/* ---- a host that does as it is told ------------------------------------ */

struct mock {
	struct fixture f;
	struct msg_pool *pool;
	struct med_engine *engine;
	struct message *msg;
	struct med_run *run;
	struct med_outcome out;
	struct med_limits limits;
	enum med_host_result answer;	/* to the next send */
	bool answer_once;		/* then done again */
	struct fault answer_fault;
	char log[8192];			/* "W text\n" and "send uri\n" */
};

static void
note(struct mock *m, const char *fmt, ...)
{
	size_t n = strlen(m->log);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->log + n, sizeof(m->log) - n, fmt, ap);
	va_end(ap);
}

static enum med_host_result
answer(struct mock *m, struct fault *fault)
{
	enum med_host_result result = m->answer;

	if (result == MED_HOST_FAULT)
		*fault = m->answer_fault;
	if (m->answer_once)
		m->answer = MED_HOST_DONE;
	return result;
}

static enum med_host_result
mock_send(void *ctx, struct med_run *run, enum med_sending how,
    const struct endpoint *ep, struct message *msg, struct fault *fault)
{
	struct mock *m = ctx;
	struct str uri;

	(void)run;
	assert_int_equal(endpoint_address(ep, msg, &uri, fault), 0);
	note(m, "%s %.*s\n", how == MED_CALL ? "call" : "send", STR_FMT(uri));
	return answer(m, fault);
}

static enum med_host_result
mock_respond(void *ctx, struct med_run *run, struct message *msg,
    struct fault *fault)
{
	struct mock *m = ctx;
	struct msg_output o;
	struct err err;

	(void)run;
	assert_int_equal(message_format(msg, &o, &err), 0);
	note(m, "reply %.*s\n", STR_FMT(o.bytes));
	return answer(m, fault);
}

static void
mock_log(void *ctx, enum log_level level, struct str origin, struct str text)
{
	(void)origin;
	note(ctx, "%c %.*s\n", log_level_name(level)[0], STR_FMT(text));
}

static const struct med_host host = {
	.send = mock_send, .respond = mock_respond, .log = mock_log,
};

/* ---- cases ------------------------------------------------------------- */

static void
setup(struct mock *m, const char *definitions)
{
	struct buf b = { 0 };

	memset(m, 0, sizeof(*m));
	m->limits = (struct med_limits){ .steps = 1000, .depth = 20 };
	fixture_init(&m->f);
	buf_printf(&b, "<definitions " NS ">\n%s</definitions>", definitions);
	fixture_file(&m->f, "synapse.xml", buf_cstr(&b));
	buf_fini(&b);
	fixture_must_load(&m->f);
	m->pool = msg_pool_new(4, NULL);
	m->engine = med_engine_new(&m->limits);
	m->msg = message_new(m->pool);
	message_set_wire(m->msg, STR("{\"a\":1}"), STR("application/json"),
	    MSG_TEXT);
	log_threshold = LOG_L_INFO;
}

static void
teardown(struct mock *m)
{
	message_free(&m->msg);
	med_engine_free(&m->engine);
	msg_pool_free(&m->pool);
	fixture_fini(&m->f);
}

static enum med_state
start(struct mock *m, const char *sequence, const char *on_fault)
{
	const struct sequence *s = med_set_sequence(m->f.set,
	    str_of(sequence));

	assert_non_null(s);
	return med_start(m->engine, m->f.set, s, on_fault ? med_set_sequence(
	    m->f.set, str_of(on_fault)) : NULL, m->msg, &host, m, &m->run,
	    &m->out);
}

static void
runs(struct mock *m, const char *sequence, const char *want)
{
	m->log[0] = '\0';
	assert_int_equal(start(m, sequence, NULL), MED_DONE);
	assert_string_equal(m->log, want);
}

#define LOG(text) "<log level='custom'><property name='x' value='" text \
	"'/></log>"

static void
test_order_and_nesting(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" LOG("1") "<in>" LOG("2") "<in>"
	    LOG("3") "</in>" LOG("4") "</in><out>" LOG("no") "</out>"
	    "<sequence key='t'/>" LOG("6") "</sequence>"
	    "<sequence name='t'>" LOG("5") "</sequence>");
	runs(&m, "s", "i x = 1\ni x = 2\ni x = 3\ni x = 4\ni x = 5\n"
	    "i x = 6\n");
	assert_false(m.out.faulted);
	teardown(&m);
}

static void
test_stop_ends_everything(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><in><sequence key='t'/></in>" LOG("no")
	    "</sequence><sequence name='t'><respond/>" LOG("no")
	    "</sequence>");
	runs(&m, "s", "reply {\"a\":1}\n");
	assert_true(message_is_response(m.msg));
	teardown(&m);
}

static void
test_pre_mediate(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" LOG("s") "</sequence>"
	    "<sequence name='pre-mediate'>" LOG("pre") "</sequence>");
	runs(&m, "s", "i x = pre\ni x = s\n");
	teardown(&m);
	setup(&m, "<sequence name='s'>" LOG("s") "</sequence>"
	    "<sequence name='pre-mediate'><drop/></sequence>");
	runs(&m, "s", "");
	teardown(&m);
}

#define CALL "<call><endpoint><address uri='ws://h/'/></endpoint></call>"
#define SEND "<send><endpoint><address uri='ws://h/'/></endpoint></send>"

static void
test_call_waits_and_goes_on(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><in>" CALL LOG("after") "</in>"
	    LOG("end") "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	assert_string_equal(m.log, "call ws://h/\n");
	assert_ptr_equal(med_run_message(m.run), m.msg);
	assert_ptr_equal(med_run_set(m.run), m.f.set);
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	assert_string_equal(m.log, "call ws://h/\ni x = after\ni x = end\n");
	teardown(&m);
}

static void
test_send_waits_and_stops(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><in>" SEND LOG("no") "</in>" LOG("no")
	    "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	assert_string_equal(m.log, "send ws://h/\n");
	assert_false(m.out.faulted);
	teardown(&m);
}

static void
test_waits_twice(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" CALL CALL LOG("end") "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	assert_int_equal(med_resume(m.run, &m.out), MED_WAITING);
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	assert_string_equal(m.log, "call ws://h/\ncall ws://h/\ni x = end\n");
	teardown(&m);
}

static void
test_set_outlives_reload_while_waiting(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" CALL LOG("end") "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	med_set_put(&m.f.set);
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	assert_string_equal(m.log, "call ws://h/\ni x = end\n");
	teardown(&m);
}

static void
test_abort(void **state)
{
	struct mock m;
	struct med_run *none = NULL;

	(void)state;
	med_abort(&none);
	setup(&m, "<sequence name='s'>" CALL LOG("no") "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	med_abort(&m.run);
	assert_null(m.run);
	assert_string_equal(m.log, "call ws://h/\n");
	/* The run that went back to stock is as good as a new one. */
	m.answer = MED_HOST_DONE;
	runs(&m, "s", "call ws://h/\ni x = no\n");
	teardown(&m);
}

#define SHOW "<log level='custom'><property name='code' " \
	"expression=\"get-property('ERROR_CODE')\"/><property name='text' " \
	"expression=\"get-property('ERROR_MESSAGE')\"/></log>"
#define FAIL "<sequence key='nosuch'/>"
#define NOT_FOUND "Sequence named Value {name ='null', keyValue ='nosuch'} " \
	"cannot be found"

static void
test_fault_goes_to_the_nearest_handler(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s' onError='outer'>\n<in>\n"
	    "<sequence key='t'/></in>" LOG("no") "</sequence>\n"
	    "<sequence name='t' onError='inner'>\n<in>" FAIL "</in>" LOG("no")
	    "</sequence>"
	    "<sequence name='inner'>" SHOW "</sequence>"
	    "<sequence name='outer'>" LOG("no") "</sequence>");
	runs(&m, "s", "e " NOT_FOUND " [synapse.xml:2 sequence > :3 in > :4 "
	    "sequence > :6 in > :6 sequence]\n"
	    "w ERROR_CODE : 0 ERROR_MESSAGE : " NOT_FOUND "\n"
	    "w Executing fault sequence mediator : inner\n"
	    "i code = 0, text = " NOT_FOUND "\n");
	assert_true(m.out.faulted);
	assert_false(m.out.unhandled);
	assert_string_equal(m.out.fault.message, NOT_FOUND);
	assert_non_null(strstr(m.out.fault.detail, ":6 in"));
	teardown(&m);
}

static void
test_error_properties(void **state)
{
	struct mock m;
	struct value v;

	(void)state;
	setup(&m, "<sequence name='s' onError='h'>" FAIL "</sequence>"
	    "<sequence name='h'/>");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_true(message_prop(m.msg, SCOPE_DEFAULT, STR("ERROR_CODE"), &v));
	assert_int_equal(v.type, VALUE_INT);
	assert_int_equal(v.i, 0);
	assert_true(message_prop(m.msg, SCOPE_DEFAULT, STR("ERROR_DETAIL"),
	    &v));
	assert_true(str_is(v.s, "synapse.xml:2 sequence > :2 sequence"));
	assert_true(message_prop(m.msg, SCOPE_DEFAULT, STR("ERROR_EXCEPTION"),
	    &v));
	assert_int_equal(v.type, VALUE_OBJECT);
	teardown(&m);
}

static void
test_handler_is_popped_on_normal_end(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><sequence key='t'/>" FAIL "</sequence>"
	    "<sequence name='t' onError='inner'>" LOG("t") "</sequence>"
	    "<sequence name='inner'>" LOG("no") "</sequence>"
	    "<sequence name='last'>" LOG("last") "</sequence>");
	assert_int_equal(start(&m, "s", "last"), MED_DONE);
	assert_non_null(strstr(m.log, "x = last"));
	assert_null(strstr(m.log, "x = no"));
	assert_false(m.out.unhandled);
	teardown(&m);
}

static void
test_fault_in_handler_goes_up(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s' onError='outer'><sequence key='t'/>"
	    "</sequence><sequence name='t' onError='inner'>" FAIL
	    "</sequence><sequence name='inner'>" FAIL "</sequence>"
	    "<sequence name='outer'>" LOG("outer") "</sequence>"
	    "<sequence name='last'>" LOG("no") "</sequence>");
	assert_int_equal(start(&m, "s", "last"), MED_DONE);
	assert_non_null(strstr(m.log, "mediator : inner\n"));
	assert_non_null(strstr(m.log, "mediator : outer\ni x = outer\n"));
	assert_null(strstr(m.log, "x = no"));
	teardown(&m);
}

static void
test_unhandled(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" FAIL LOG("no") "</sequence>");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_true(m.out.unhandled);
	assert_null(strstr(m.log, "x = no"));
	teardown(&m);
}

static void
test_unknown_handler_is_a_warning(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s' onError='nosuch'>" LOG("1")
	    "</sequence>");
	runs(&m, "s", "w onError handler : nosuch for sequence : s cannot be "
	    "found\ni x = 1\n");
	teardown(&m);
}

static void
test_host_fault_has_its_code(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s' onError='h'>" SEND "</sequence>"
	    "<sequence name='h'>" SHOW "</sequence>");
	m.answer = MED_HOST_FAULT;
	fault_set(&m.answer_fault, FAULT_CONNECT_FAILED, "refused");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_non_null(strstr(m.log, "w ERROR_CODE : 101503 ERROR_MESSAGE : "
	    "refused\n"));
	assert_non_null(strstr(m.log, "i code = 101503, text = refused\n"));
	teardown(&m);
}

static void
test_fail_while_waiting(void **state)
{
	struct mock m;
	struct fault fault;

	(void)state;
	setup(&m, "<sequence name='s' onError='h'>" CALL LOG("no")
	    "</sequence><sequence name='h'>" SHOW "<in>" CALL LOG("end")
	    "</in></sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	fault_set(&fault, FAULT_TIMEOUT, "too late");
	/* The handler may wait too. */
	assert_int_equal(med_fail(m.run, &fault, &m.out), MED_WAITING);
	assert_non_null(strstr(m.log, "i code = 101504, text = too late\n"));
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	assert_non_null(strstr(m.log, "i x = end\n"));
	assert_null(strstr(m.log, "x = no"));
	assert_true(m.out.faulted);
	assert_false(m.out.unhandled);
	teardown(&m);
}

static void
test_broken_body(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s' onError='h'><property name='p' "
	    "expression='//a'/></sequence>"
	    "<sequence name='h'>" SHOW "</sequence>");
	message_set_wire(m.msg, STR("{\"a\":"), STR("application/json"),
	    MSG_TEXT);
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_non_null(strstr(m.log, "i code = 601000"));
	assert_true(message_is_empty(m.msg));
	teardown(&m);
}

static void
test_depth_is_limited(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><sequence key='s'/></sequence>"
	    "<sequence name='h'>" SHOW "</sequence>");
	assert_int_equal(start(&m, "s", "h"), MED_DONE);
	assert_non_null(strstr(m.log, "i code = 0, text = more than 20 nested "
	    "sequences (limits.depth)\n"));
	teardown(&m);
}

static void
test_steps_are_limited(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><sequence key='a'/><sequence key='a'/>"
	    "</sequence>"
	    "<sequence name='a'><sequence key='b'/><sequence key='b'/>"
	    "<sequence key='b'/><sequence key='b'/></sequence>"
	    "<sequence name='b'><sequence key='c'/><sequence key='c'/>"
	    "<sequence key='c'/><sequence key='c'/></sequence>"
	    "<sequence name='c'><sequence key='d'/><sequence key='d'/>"
	    "<sequence key='d'/><sequence key='d'/></sequence>"
	    "<sequence name='d'><in/><in/><in/><in/><in/><in/></sequence>"
	    "<sequence name='h'>" SHOW "</sequence>");
	m.limits.steps = 300;
	med_engine_set_limits(m.engine, &m.limits);
	assert_int_equal(start(&m, "s", "h"), MED_DONE);
	assert_non_null(strstr(m.log, "i code = 0, text = more than 300 "
	    "mediators for one message (limits.steps)\n"));
	teardown(&m);
}

/* A handler that fails into itself comes to an end too. */
static void
test_faults_are_limited(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s' onError='h'>" FAIL "</sequence>"
	    "<sequence name='h' onError='h'>" FAIL "</sequence>");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_true(m.out.unhandled);
	teardown(&m);
}

static void
test_templates(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<template name='t'><parameter name='p'/>"
	    "<parameter name='q' defaultValue='dq'/><parameter name='r'/>"
	    "<sequence><log level='custom'><property name='p' "
	    "expression='$func:p'/><property name='q' expression='$func:q'/>"
	    "<property name='r' expression='$func:r'/></log></sequence>"
	    "</template>"
	    "<template name='u'><parameter name='p'/><sequence>"
	    "<call-template target='t'><with-param name='p' value='inner'/>"
	    "</call-template><log level='custom'><property name='p' "
	    "expression='$func:p'/></log></sequence></template>"
	    "<sequence name='s'><call-template target='u'>"
	    "<with-param name='p' value='outer'/></call-template>"
	    "<log level='custom'><property name='p' expression='$func:p'/>"
	    "</log></sequence>");
	runs(&m, "s", "i p = inner, q = dq, r = null\ni p = outer\n"
	    "i p = null\n");
	teardown(&m);
}

static void
test_template_fault(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<template name='t'><parameter name='p'/><sequence>" FAIL
	    "</sequence></template>"
	    "<sequence name='s'><call-template target='t' onError='h'>"
	    "<with-param name='p' value='1'/></call-template></sequence>"
	    "<sequence name='h'><log level='custom'><property name='p' "
	    "expression='$func:p'/></log></sequence>"
	    "<sequence name='n'><call-template target='none'/></sequence>");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_non_null(strstr(m.log, "mediator : h\ni p = null\n"));
	assert_int_equal(start(&m, "n", NULL), MED_DONE);
	assert_non_null(strstr(m.log, "Sequence template none cannot be "
	    "found"));
	teardown(&m);
}

#define TWO_COPIES "<clone continueParent='true'><target><sequence>" CALL \
	LOG("1") "</sequence></target><target><sequence>" LOG("2") \
	"</sequence></target></clone>" LOG("parent")

static void
test_branch_waits(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" TWO_COPIES "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	/* The message in hand is the copy. */
	assert_ptr_not_equal(med_run_message(m.run), m.msg);
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	assert_string_equal(m.log, "call ws://h/\ni x = 1\ni x = 2\n"
	    "i x = parent\n");
	teardown(&m);
}

static void
test_branch_is_aborted(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" TWO_COPIES "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	med_abort(&m.run);
	teardown(&m);
}

static void
test_branch_fails_while_waiting(void **state)
{
	struct mock m;
	struct fault fault;

	(void)state;
	setup(&m, "<sequence name='s' onError='h'>" TWO_COPIES "</sequence>"
	    "<sequence name='h'>" SHOW "</sequence>");
	m.answer = MED_HOST_WAIT;
	assert_int_equal(start(&m, "s", NULL), MED_WAITING);
	fault_set(&fault, FAULT_TIMEOUT, "late");
	assert_int_equal(med_fail(m.run, &fault, &m.out), MED_DONE);
	assert_non_null(strstr(m.log, "i code = 101504, text = late\n"
	    "i x = 2\ni x = parent\n"));
	assert_true(m.out.faulted);
	assert_false(m.out.unhandled);
	teardown(&m);
}

static void
test_turns_of_loops_are_steps(void **state)
{
	struct mock m;
	struct buf b = { 0 };

	(void)state;
	setup(&m, "<sequence name='s'><iterate expression='json-eval($)'>"
	    "<target><sequence/></target></iterate></sequence>"
	    "<sequence name='f'><foreach expression='json-eval($)'>"
	    "<sequence/></foreach></sequence>");
	buf_putc(&b, '[');
	for (int i = 0; i < 5000; i++)
		buf_addz(&b, "1,");
	buf_addz(&b, "1]");
	message_set_wire(m.msg, buf_str(&b), STR("application/json"),
	    MSG_TEXT);
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_true(m.out.unhandled);
	assert_non_null(strstr(m.out.fault.message, "limits.steps"));
	message_set_wire(m.msg, buf_str(&b), STR("application/json"),
	    MSG_TEXT);
	assert_int_equal(start(&m, "f", NULL), MED_DONE);
	assert_true(m.out.unhandled);
	buf_fini(&b);
	teardown(&m);
}

static void
test_clones_of_clones_are_limited(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><clone><target sequence='s'/>"
	    "<target sequence='s'/></clone></sequence>");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_true(m.out.faulted);
	teardown(&m);
}

static void
test_inbound_name_in_log(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'>" LOG("1") "</sequence>");
	message_set_prop(m.msg, SCOPE_DEFAULT, STR("inbound.endpoint.name"),
	    VALUE_OF_STR(STR("web")));
	runs(&m, "s", "i {inboundendpoint:web} x = 1\n");
	teardown(&m);
}

static void
test_send_without_endpoint(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<sequence name='s'><send/></sequence>");
	assert_int_equal(start(&m, "s", NULL), MED_DONE);
	assert_true(m.out.unhandled);
	assert_non_null(strstr(m.out.fault.message, "no endpoint to send to"));
	message_set_addressing(m.msg, STR("To"), STR("ws://to/"));
	runs(&m, "s", "send ws://to/\n");
	message_set_response(m.msg, true);
	runs(&m, "s", "reply {\"a\":1}\n");
	teardown(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_and_nesting),
		cmocka_unit_test(test_stop_ends_everything),
		cmocka_unit_test(test_pre_mediate),
		cmocka_unit_test(test_call_waits_and_goes_on),
		cmocka_unit_test(test_send_waits_and_stops),
		cmocka_unit_test(test_waits_twice),
		cmocka_unit_test(test_set_outlives_reload_while_waiting),
		cmocka_unit_test(test_abort),
		cmocka_unit_test(test_fault_goes_to_the_nearest_handler),
		cmocka_unit_test(test_error_properties),
		cmocka_unit_test(test_handler_is_popped_on_normal_end),
		cmocka_unit_test(test_fault_in_handler_goes_up),
		cmocka_unit_test(test_unhandled),
		cmocka_unit_test(test_unknown_handler_is_a_warning),
		cmocka_unit_test(test_host_fault_has_its_code),
		cmocka_unit_test(test_fail_while_waiting),
		cmocka_unit_test(test_broken_body),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_steps_are_limited),
		cmocka_unit_test(test_faults_are_limited),
		cmocka_unit_test(test_templates),
		cmocka_unit_test(test_template_fault),
		cmocka_unit_test(test_branch_waits),
		cmocka_unit_test(test_branch_is_aborted),
		cmocka_unit_test(test_branch_fails_while_waiting),
		cmocka_unit_test(test_turns_of_loops_are_steps),
		cmocka_unit_test(test_clones_of_clones_are_limited),
		cmocka_unit_test(test_inbound_name_in_log),
		cmocka_unit_test(test_send_without_endpoint),
	};
	int failed;

	xml_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return failed;
}
