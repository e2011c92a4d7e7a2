/* SPDX-License-Identifier: Apache-2.0 */
/* Which endpoint gets a message, by a host whose endpoints are ready or not,
 * and fail or wait, as their names say. */
#include "fixture.h"

#include "mediation/epstate.h"

struct mock {
	struct fixture f;
	struct msg_pool *pool;
	struct med_engine *engine;
	struct message *msg;
	struct med_run *run;
	struct med_outcome out;
	struct med_limits limits;
	uint64_t turns, kept, client;
	const char *down;	/* names of endpoints that are not ready */
	char log[4096];		/* names of endpoints that were sent to */
};

static bool
starts(const struct endpoint *ep, const char *with)
{
	return str_starts(endpoint_name(ep), with);
}

/* "dead..." fails at once, "late..." by med_fail(), "bad..." by an error of
 * the message; "slow..." waits. */
static enum med_host_result
mock_send(void *ctx, struct med_run *run, enum med_sending how,
    const struct endpoint *ep, struct message *msg, struct fault *fault)
{
	struct mock *m = ctx;
	size_t n = strlen(m->log);

	(void)how;
	assert_ptr_equal(msg, med_run_message(run));
	snprintf(m->log + n, sizeof(m->log) - n, "%.*s ",
	    STR_FMT(endpoint_name(ep)));
	if (starts(ep, "late") || starts(ep, "slow"))
		return MED_HOST_WAIT;
	if (starts(ep, "dead"))
		fault_set(fault, FAULT_CONNECT_FAILED, "refused");
	else if (starts(ep, "bad"))
		fault_set(fault, FAULT_PARSE, "bad body");
	else
		return MED_HOST_DONE;
	return MED_HOST_FAULT;
}

static bool
mock_ready(void *ctx, const struct endpoint *ep)
{
	struct mock *m = ctx;
	struct str down = str_of(m->down ? m->down : "");

	return str_search(down, endpoint_name(ep)) == down.n;
}

static uint64_t
mock_number(void *ctx, enum med_number what, const struct endpoint *ep,
    uint64_t value)
{
	struct mock *m = ctx;

	(void)ep;
	switch (what) {
	case MED_TURN:
		return m->turns++;
	case MED_KEPT:
		return m->kept;
	case MED_KEEP:
		return m->kept = value;
	case MED_CLIENT_KEPT:
		return m->client;
	case MED_CLIENT_KEEP:
		return m->client = value;
	}
	return 0;
}

static enum med_host_result
mock_respond(void *ctx, struct med_run *run, struct message *msg,
    struct fault *fault)
{
	struct mock *m = ctx;

	(void)run, (void)msg, (void)fault;
	strcat(m->log, "reply ");
	return MED_HOST_DONE;
}

static void
mock_log(void *ctx, enum log_level level, struct str origin, struct str text)
{
	(void)ctx, (void)level, (void)origin, (void)text;
}

static const struct med_host host = {
	.send = mock_send, .ready = mock_ready, .number = mock_number,
	.respond = mock_respond, .log = mock_log,
};

#define EP(name) "<endpoint name='" name "'><address uri='ws://h/" name \
	"'/></endpoint>"
#define FAILOVER(children) "<endpoint name='G'><failover>" children \
	"</failover></endpoint>"

static void
setup(struct mock *m, const char *target, const char *more)
{
	struct buf b = { 0 };

	memset(m, 0, sizeof(*m));
	m->limits = (struct med_limits){ .steps = 1000, .depth = 20 };
	fixture_init(&m->f);
	buf_printf(&b, "<definitions " NS ">%s<sequence name='a'><send>%s"
	    "</send></sequence><sequence name='c'><call>%s</call><respond/>"
	    "</sequence></definitions>", more, target, target);
	fixture_file(&m->f, "synapse.xml", buf_cstr(&b));
	buf_fini(&b);
	fixture_must_load(&m->f);
	m->pool = msg_pool_new(4, NULL);
	m->engine = med_engine_new(&m->limits);
	m->msg = message_new(m->pool);
	message_set_wire(m->msg, STR("{}"), STR("application/json"), MSG_TEXT);
}

static void
teardown(struct mock *m)
{
	med_abort(&m->run);
	message_free(&m->msg);
	med_engine_free(&m->engine);
	msg_pool_free(&m->pool);
	fixture_fini(&m->f);
}

static enum med_state
start(struct mock *m, const char *sequence)
{
	enum med_state state;

	m->log[0] = '\0';
	state = med_start(m->engine, m->f.set, med_set_sequence(m->f.set,
	    str_of(sequence)), NULL, m->msg, &host, m, &m->run, &m->out);
	if (state == MED_DONE)
		m->run = NULL;
	return state;
}

static void
sends(struct mock *m, const char *want)
{
	assert_int_equal(start(m, "a"), MED_DONE);
	assert_string_equal(m->log, want);
	assert_false(m->out.unhandled);
}

static void
faults(struct mock *m, const char *want, int code)
{
	assert_int_equal(start(m, "a"), MED_DONE);
	assert_string_equal(m->log, want);
	assert_true(m->out.unhandled);
	assert_int_equal(m->out.fault.code, code);
}

static enum med_state
fail_now(struct mock *m, int code)
{
	struct fault fault;
	enum med_state state;

	fault_set(&fault, code, "it failed");
	state = med_fail(m->run, &fault, &m->out);
	if (state == MED_DONE)
		m->run = NULL;
	return state;
}

static void
test_failover(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, FAILOVER(EP("dead1") EP("x") EP("y")), "");
	sends(&m, "dead1 x ");
	m.down = "dead1 x";
	sends(&m, "y ");
	m.down = "dead1 x y";
	faults(&m, "", FAULT_NO_ENDPOINT);
	teardown(&m);
	setup(&m, FAILOVER(EP("dead1") EP("dead2")), "");
	faults(&m, "dead1 dead2 ", FAULT_CONNECT_FAILED);
	teardown(&m);
}

static void
test_later_failure(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, FAILOVER(EP("late1") EP("late2") EP("x")), "");
	assert_int_equal(start(&m, "a"), MED_WAITING);
	assert_int_equal(fail_now(&m, FAULT_TIMEOUT), MED_WAITING);
	assert_int_equal(fail_now(&m, FAULT_TIMEOUT), MED_DONE);
	assert_string_equal(m.log, "late1 late2 x ");
	assert_false(m.out.faulted);
	/* A call goes on behind, as if nothing had happened. */
	assert_int_equal(start(&m, "c"), MED_WAITING);
	assert_int_equal(fail_now(&m, FAULT_TIMEOUT), MED_WAITING);
	assert_int_equal(fail_now(&m, FAULT_TIMEOUT), MED_DONE);
	assert_string_equal(m.log, "late1 late2 x reply ");
	teardown(&m);
}

static void
test_answer_ends_the_attempt(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, FAILOVER(EP("slow") EP("x")), "");
	assert_int_equal(start(&m, "c"), MED_WAITING);
	assert_int_equal(med_resume(m.run, &m.out), MED_DONE);
	m.run = NULL;
	assert_string_equal(m.log, "slow reply ");
	assert_int_equal(start(&m, "c"), MED_WAITING);
	assert_int_equal(med_drop(m.run, &m.out), MED_DONE);
	m.run = NULL;
	assert_string_equal(m.log, "slow ");
	assert_false(m.out.faulted);
	teardown(&m);
}

static void
test_message_error_is_nobody_elses(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, FAILOVER(EP("bad") EP("x")), "");
	faults(&m, "bad ", FAULT_PARSE);
	teardown(&m);
}

static void
test_static_failover(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<endpoint name='G'><failover dynamic='false'>" EP("x")
	    EP("y") EP("z") "</failover></endpoint>", "");
	m.down = "x";
	sends(&m, "y ");
	m.down = NULL;
	sends(&m, "y ");
	m.down = "y";
	sends(&m, "x ");
	teardown(&m);
}

static void
test_turns(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<endpoint name='G'><loadbalance>" EP("x") EP("dead") EP("z")
	    "</loadbalance></endpoint>", "");
	sends(&m, "x ");
	sends(&m, "dead z ");
	sends(&m, "z ");
	m.down = "dead z";
	sends(&m, "x ");
	sends(&m, "x ");
	teardown(&m);
}

static void
test_sticky(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<endpoint name='G'><session type='simpleClientSession'>"
	    "<sessionTimeout>5</sessionTimeout></session><loadbalance>"
	    EP("x") EP("y") EP("z") "</loadbalance></endpoint>", "");
	m.turns = 1;
	sends(&m, "y ");
	sends(&m, "y ");
	m.down = "y";
	sends(&m, "z ");
	m.down = NULL;
	sends(&m, "z ");
	teardown(&m);
}

static void
test_recipients(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<endpoint name='G'><recipientlist>" EP("x") EP("dead")
	    EP("late") EP("y") "</recipientlist></endpoint>", "");
	assert_int_equal(start(&m, "a"), MED_WAITING);
	assert_ptr_not_equal(med_run_message(m.run), m.msg);
	assert_int_equal(fail_now(&m, FAULT_TIMEOUT), MED_DONE);
	assert_string_equal(m.log, "x dead late y ");
	assert_false(m.out.unhandled);
	/* One that is ended in the midst of it. */
	assert_int_equal(start(&m, "a"), MED_WAITING);
	teardown(&m);
}

static void
test_recipients_within_failover(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, FAILOVER("<endpoint name='R'><recipientlist>" EP("dead1")
	    EP("dead2") "</recipientlist></endpoint>" EP("x")), "");
	sends(&m, "dead1 dead2 x ");
	teardown(&m);
}

static void
test_too_many_recipients(void **state)
{
	struct mock m;
	struct buf list = { 0 };

	(void)state;
	setup(&m, "<endpoint name='G'><recipientlist><endpoints "
	    "value=\"{get-property('to')}\"/></recipientlist></endpoint>", "");
	for (int i = 0; i < 5000; i++)
		buf_addz(&list, "ws://h/,");
	message_set_prop(m.msg, SCOPE_DEFAULT, STR("to"),
	    VALUE_OF_STR(arena_str(message_arena(m.msg), buf_str(&list))));
	buf_fini(&list);
	assert_int_equal(start(&m, "a"), MED_DONE);
	assert_true(m.out.unhandled);
	assert_non_null(strstr(m.out.fault.message, "limits.steps"));
	teardown(&m);
}

static void
test_names(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, FAILOVER("<endpoint key='nobody'/><endpoint key='other'/>"),
	    EP("x") "<endpoint name='other' key='x'/>");
	sends(&m, "x ");
	teardown(&m);
	setup(&m, "<endpoint key=\"{'nobody'}\"/>", "");
	faults(&m, "", FAULT_NO_REFERENCE);
	teardown(&m);
}

static void
test_circle_of_computed_keys(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<endpoint key='p'/>", "<endpoint name='p' key=\"{'q'}\"/>"
	    "<endpoint name='q' key='p'/>");
	faults(&m, "", FAULT_NO_REFERENCE);
	teardown(&m);
	setup(&m, "<endpoint key='p'/>", "<endpoint name='p'><failover>"
	    "<endpoint key=\"{'p'}\"/></failover></endpoint>");
	faults(&m, "", FAULT_NO_ENDPOINT);
	teardown(&m);
}

/* ---- what does not load ------------------------------------------------ */

static void
test_refused(void **state)
{
	static const struct {
		const char *xml, *says;
	} rows[] = {
		{ "<failover/>", "must have child elements" },
		{ "<failover><timeout/>" EP("x") "</failover>", "timeout" },
		{ "<failover dynamic='x'>" EP("x") "</failover>", "dynamic" },
		{ "<failover><member hostName='h' httpPort='1'/></failover>",
		    "no <member>" },
		{ "<loadbalance/>", "must have child elements" },
		{ "<loadbalance algorithm='a.B'>" EP("x") "</loadbalance>",
		    "not supported: load balance algorithm" },
		{ "<loadbalance policy='p'>" EP("x") "</loadbalance>",
		    "not supported: load balance policy" },
		{ "<loadbalance>" EP("x") "<member hostName='h' httpPort='1'/>"
		    "</loadbalance>", "cannot have both member & endpoint" },
		{ "<loadbalance><member httpPort='1'/></loadbalance>",
		    "hostName" },
		{ "<loadbalance><member hostName='h'/></loadbalance>",
		    "httpPort" },
		{ "<loadbalance algorithm='WeightedRoundRobin'><endpoint "
		    "name='x'><address uri='ws://h/'/><property name="
		    "'loadbalance.weight' value='0'/></endpoint>"
		    "</loadbalance>", "loadbalance.weight" },
		{ "<recipientlist/>", "child/member/dynamic" },
		{ "<recipientlist><endpoints/></recipientlist>", "value" },
		{ "<recipientlist><endpoints value='x'/>" EP("x")
		    "</recipientlist>", "either" },
		{ "<session type='http'/><address uri='ws://h/'/>",
		    "goes with <loadbalance>" },
		{ "<session type='soap'/><loadbalance>" EP("x")
		    "</loadbalance>", "not supported: session type" },
		{ "<member hostName='h' httpPort='1'/>",
		    "not supported: member endpoint" },
		{ "<failover><endpoint key='E'/></failover>",
		    "leads to itself" },
		{ "<failover><endpoint template='T'/></failover>",
		    "Endpoint template \"T\" cannot be found" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char xml[1000];

		snprintf(xml, sizeof(xml), "<endpoint " NS " name='E'>%s"
		    "</endpoint>", rows[i].xml);
		fixture_refuses(xml, 0, rows[i].says);
	}
}

static void
refuses_template(const char *template, const char *use, const char *says)
{
	char xml[1000];

	snprintf(xml, sizeof(xml), "<definitions " NS ">%s%s</definitions>",
	    use, template);
	fixture_refuses(xml, 0, says);
}

static void
test_refused_templates(void **state)
{
	static const char t[] = "<template name='T'><parameter name='p'/>"
	    "<endpoint><address uri='$p'/></endpoint></template>";

	(void)state;
	refuses_template(t, "<endpoint name='e' template='T'/>",
	    "parameter \"p\" has no value");
	refuses_template(t, "<endpoint name='e' template='T'><parameter "
	    "name='q' value='1'/></endpoint>", "has no parameter \"q\"");
	refuses_template(t, "<endpoint name='e' template='T'><parameter "
	    "name='p'/></endpoint>", "\"name\" and \"value\"");
	refuses_template(t, t, "already exists");
	refuses_template("<template name='T'><endpoint template='T'/>"
	    "</template>", "<endpoint name='e' template='T'/>",
	    "within each other");
	refuses_template("<template name='T'><parameter name='p'/></template>",
	    "", "needs a <sequence> or an <endpoint>");
}

static void
test_template_values_are_escaped(void **state)
{
	struct mock m;

	(void)state;
	setup(&m, "<endpoint key='e'/>", "<endpoint name='e' template='T'>"
	    "<parameter name='p' value='ws://h/?a=1&amp;b=&lt;&quot;'/>"
	    "</endpoint><template name='T'><parameter name='p'/><endpoint>"
	    "<address uri='$p'/></endpoint></template>");
	sends(&m, "e ");
	teardown(&m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failover),
		cmocka_unit_test(test_later_failure),
		cmocka_unit_test(test_answer_ends_the_attempt),
		cmocka_unit_test(test_message_error_is_nobody_elses),
		cmocka_unit_test(test_static_failover),
		cmocka_unit_test(test_turns),
		cmocka_unit_test(test_sticky),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_recipients_within_failover),
		cmocka_unit_test(test_too_many_recipients),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_circle_of_computed_keys),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_templates),
		cmocka_unit_test(test_template_values_are_escaped),
	};

	xml_global_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
