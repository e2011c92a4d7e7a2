/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#define PORT "<parameter name='inbound.ws.port'>9092</parameter>"

/* One inbound endpoint with these parameters, beside a few sequences. */
static void
write_inbound(struct fixture *f, const char *attributes, const char *params)
{
	struct buf b = { 0 };

	buf_printf(&b, "<inboundEndpoint " NS " %s>\n<parameters>\n%s\n"
	    "</parameters></inboundEndpoint>", attributes, params);
	fixture_file(f, "inbound-endpoints/a.xml", buf_cstr(&b));
	fixture_file(f, "sequences/a.xml", "<sequence " NS " name='in'/>");
	fixture_file(f, "sequences/b.xml", "<sequence " NS " name='out'/>");
	fixture_file(f, "sequences/c.xml", "<sequence " NS " name='err'/>");
	buf_fini(&b);
}

static const struct med_inbound *
load_params(struct fixture *f, const char *params)
{
	fixture_init(f);
	write_inbound(f, "name='i' protocol='ws' sequence='in' onError='err'",
	    params);
	fixture_must_load(f);
	assert_int_equal(med_set_inbound_count(f->set), 1);
	return med_set_inbound(f->set, 0);
}

static void
refuses(const char *attributes, const char *params, int line,
    const char *text)
{
	struct fixture f;

	fixture_init(&f);
	write_inbound(&f, attributes, params);
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, line, text));
	fixture_fini(&f);
}

static void
refuses_param(const char *name, const char *value, const char *text)
{
	char params[300];

	snprintf(params, sizeof(params), PORT "\n<parameter name='%s'>%s"
	    "</parameter>", name, value);
	refuses("name='i' protocol='ws'", params, 4, text);
}

static void
test_defaults(void **state)
{
	struct fixture f;
	const struct med_inbound *in = load_params(&f, PORT);

	(void)state;
	assert_int_equal(in->port, 9092);
	assert_int_equal(in->protocol, INBOUND_WS);
	assert_false(in->suspended);
	assert_true(str_is(sequence_name(in->sequence), "in"));
	assert_true(str_is(sequence_name(in->on_error), "err"));
	assert_ptr_equal(in->outflow, med_set_main(f.set));
	assert_ptr_equal(in->outflow_fault, med_set_fault(f.set));
	assert_null(in->on_connect);
	assert_null(in->outflow_name.p);
	assert_int_equal(in->broadcast, BROADCAST_NONE);
	assert_int_equal(in->lifecycle, LIFECYCLE_DEFAULT);
	assert_int_equal(in->backend_close, BACKEND_RECONNECT);
	assert_null(in->default_content_type.p);
	assert_int_equal(in->shutdown_code, 1001);
	assert_true(str_is(in->shutdown_reason, "shutdown"));
	assert_null(in->path.p);
	assert_ptr_equal(in, med_set_find_inbound(f.set, STR("i")));
	fixture_fini(&f);
}

static void
test_all_parameters(void **state)
{
	struct fixture f;
	const struct med_inbound *in = load_params(&f, PORT
	    "<parameter name='ws.client.side.broadcast.level'>2</parameter>"
	    "<parameter name='ws.outflow.dispatch.sequence'>out</parameter>"
	    "<parameter name='ws.outflow.dispatch.fault.sequence'>err"
	    "</parameter>"
	    "<parameter name='ws.boss.thread.pool.size'>2</parameter>"
	    "<parameter name='ws.worker.thread.pool.size'>4</parameter>"
	    "<parameter name='ws.subprotocol.handler.class'>"
	    "org.example.EchoSubprotocolHandler</parameter>"
	    "<parameter name='ws.default.content.type'>text/plain</parameter>"
	    "<parameter name='ws.shutdown.status.code'>4000</parameter>"
	    "<parameter name='ws.shutdown.status.message'>bye</parameter>"
	    "<parameter name='dispatch.custom.sequence'>true</parameter>"
	    "<parameter name='sequential'>true</parameter>"
	    "<parameter name='ws.path'>/quotes/*</parameter>"
	    "<parameter name='ws.backend.close'>propagate</parameter>"
	    "<parameter name='ws.dispatch.lifecycle.events'>false</parameter>"
	    "<parameter name='ws.connect.sequence'>in</parameter>"
	    "<parameter name='ws.disconnect.sequence'>out</parameter>");

	(void)state;
	assert_int_equal(in->broadcast, BROADCAST_OTHERS);
	assert_true(str_is(sequence_name(in->outflow), "out"));
	assert_true(str_is(in->outflow_name, "out"));
	assert_true(str_is(sequence_name(in->outflow_fault), "err"));
	assert_true(in->echo_handler);
	assert_true(str_is(in->default_content_type, "text/plain"));
	assert_int_equal(in->shutdown_code, 4000);
	assert_true(str_is(in->shutdown_reason, "bye"));
	assert_true(in->dispatch_custom);
	assert_true(str_is(in->path, "/quotes/"));
	assert_true(in->path_is_prefix);
	assert_int_equal(in->backend_close, BACKEND_PROPAGATE);
	assert_int_equal(in->lifecycle, LIFECYCLE_OFF);
	assert_true(str_is(sequence_name(in->on_connect), "in"));
	assert_true(str_is(sequence_name(in->on_disconnect), "out"));
	assert_int_equal(f.diag.warnings, 0);
	fixture_fini(&f);
}

static void
test_unresolvable_names_fall_back(void **state)
{
	struct fixture f;
	const struct med_inbound *in;

	(void)state;
	fixture_init(&f);
	write_inbound(&f, "name='i' protocol='ws' sequence='nosuch'", PORT);
	fixture_must_load(&f);
	in = med_set_inbound(f.set, 0);
	assert_ptr_equal(in->sequence, med_set_main(f.set));
	assert_ptr_equal(in->on_error, med_set_fault(f.set));
	assert_true(fixture_said(&f, DIAG_WARNING, 1,
	    "sequence \"nosuch\" is not defined"));
	fixture_fini(&f);
}

static void
test_configured_outflow(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	write_inbound(&f, "name='i' protocol='ws'", PORT);
	f.config.outflow = "out";
	f.config.outflow_fault = "nosuch";
	fixture_must_load(&f);
	assert_true(str_is(sequence_name(med_set_inbound(f.set, 0)->outflow),
	    "out"));
	assert_ptr_equal(med_set_inbound(f.set, 0)->outflow_fault,
	    med_set_fault(f.set));
	fixture_fini(&f);
}

static void
test_bad_values(void **state)
{
	(void)state;
	refuses("name='i' protocol='ws'", "<parameter name='inbound.ws.port'> "
	    "9092 </parameter>", 3, "Validation failed for the port parameter "
	    " 9092 ");
	refuses("name='i' protocol='ws'", "", 1, "Validation failed for the "
	    "port parameter null");
	refuses("name='i' protocol='ws'", "<parameter name='inbound.ws.port'>"
	    "65536</parameter>", 3, "Validation failed for the port parameter");
	refuses_param("ws.client.side.broadcast.level", "3",
	    "Validation failed. Unknown client broadcast level.");
	refuses_param("ws.client.side.broadcast.level", "-1",
	    "Validation failed. Unknown client broadcast level.");
	refuses_param("ws.client.side.broadcast.level", "x", "Validation "
	    "failed. Broadcast level parameter should not contain any special "
	    "characters");
	refuses_param("ws.subprotocol.handler.class", "org.x.Other",
	    "not supported: the Java class org.x.Other");
	refuses_param("ws.pipeline.handler.class", "org.x.Pipe",
	    "not supported: the Java class org.x.Pipe");
	refuses_param("ws.path", "quotes", "must be a path");
	refuses_param("ws.path", "/a*", "must be a path");
	refuses_param("ws.path", "/a/*/b", "must be a path");
	refuses_param("ws.backend.close", "x", "\"reconnect\" or \"propagate\"");
	refuses_param("ws.dispatch.lifecycle.events", "x", "\"true\" or");
	refuses_param("wss.ssl.client.verify", "x", "\"require\"");
	refuses_param("ws.boss.thread.pool.size", "x", "whole number");
	refuses_param("ws.default.content.type", "$FILE:x", "not supported");
	refuses_param("ws.default.content.type", "$SYSTEM:WSGW_NO_SUCH_VAR",
	    "WSGW_NO_SUCH_VAR is not set");
}

static void
test_bad_attributes(void **state)
{
	(void)state;
	refuses("protocol='ws'", PORT, 1, "Inbound Endpoint name cannot be "
	    "null");
	refuses("name='i'", PORT, 1, "Protocol or Class should be specified");
	refuses("name='i' protocol='WS'", PORT, 1, "\"WS\" is no inbound "
	    "protocol");
	refuses("name='i' protocol='http'", PORT, 1, "not supported: inbound "
	    "protocol http");
	refuses("name='i' class='x.Y'", PORT, 1, "not supported: the Java "
	    "inbound endpoint class x.Y");
	refuses("name='i' protocol='ws' sequnce='x'", PORT, 1, "did you mean "
	    "\"sequence\"?");
	refuses("name='i' protocol='wss'", PORT, 1, "keyStoreFile or "
	    "keyStorePass not defined");
	refuses("name='i' protocol='wss'", PORT
	    "<parameter name='wss.ssl.key.store.file'>f</parameter>"
	    "<parameter name='wss.ssl.key.store.pass'>p</parameter>", 1,
	    "wss needs TLS, which this version does not have");
}

static void
test_values(void **state)
{
	struct fixture f;
	const struct med_inbound *in;

	(void)state;
	setenv("WSGW_TEST_TYPE", "text/x", 1);
	fixture_init(&f);
	fixture_file(&f, "local-entries/p.xml",
	    "<localEntry " NS " key='port'>9093</localEntry>");
	write_inbound(&f, "name='i' protocol='ws' suspend='TRUE'", PORT
	    "<parameter name='inbound.ws.port' key='port'/>"
	    "<parameter name='ws.default.content.type'>"
	    "$SYSTEM:WSGW_TEST_TYPE</parameter>"
	    "<parameter name='ws.shutdown.status.message'><a/></parameter>");
	fixture_must_load(&f);
	in = med_set_inbound(f.set, 0);
	/* The last of a name wins. */
	assert_int_equal(in->port, 9093);
	assert_true(in->suspended);
	assert_true(str_is(in->default_content_type, "text/x"));
	assert_true(str_starts(in->shutdown_reason, "<a"));
	fixture_fini(&f);
	refuses("name='i' protocol='ws'", "<parameter name='inbound.ws.port' "
	    "key='none'/>", 3, "Registry entry defined with key : none not "
	    "found");
}

static void
test_warnings(void **state)
{
	struct fixture f;
	const struct med_inbound *in = load_params(&f, PORT
	    "<parameter name='ws.use.port.ofset'>true</parameter>"
	    "<parameter name='ws.shutdown.status.code'>1005</parameter>");

	(void)state;
	assert_int_equal(in->shutdown_code, 1001);
	assert_true(fixture_said(&f, DIAG_WARNING, 3, "did you mean "
	    "\"ws.use.port.offset\"?"));
	assert_true(fixture_said(&f, DIAG_WARNING, 3, "\"1005\" is no close "
	    "code"));
	fixture_fini(&f);
}

static void
test_port_offset(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	write_inbound(&f, "name='i' protocol='ws'", PORT
	    "<parameter name='ws.use.port.offset'>true</parameter>");
	f.config.port_offset = 10;
	fixture_must_load(&f);
	assert_int_equal(med_set_inbound(f.set, 0)->port, 9102);
	fixture_fini(&f);
}

static void
two(struct fixture *f, const char *first, const char *second)
{
	struct buf b = { 0 };
	const char *params[] = { first, second };

	fixture_init(f);
	for (int i = 0; i < 2; i++) {
		char name[40];

		buf_clear(&b);
		buf_printf(&b, "<inboundEndpoint " NS " name='i%d' "
		    "protocol='ws'><parameters>%s</parameters>"
		    "</inboundEndpoint>", i, params[i]);
		snprintf(name, sizeof(name), "inbound-endpoints/%d.xml", i);
		fixture_file(f, name, buf_cstr(&b));
	}
	buf_fini(&b);
	fixture_load(f);
}

static void
test_one_port_twice(void **state)
{
	struct fixture f;

	(void)state;
	two(&f, PORT, PORT);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 1, "Another endpoint named : "
	    "i0 is currently using this port: 9092"));
	fixture_fini(&f);
	two(&f, PORT "<parameter name='ws.path'>/a</parameter>",
	    PORT "<parameter name='ws.path'>/a</parameter>");
	assert_null(f.set);
	fixture_fini(&f);
	two(&f, PORT "<parameter name='ws.path'>/a</parameter>",
	    PORT "<parameter name='ws.path'>/a/*</parameter>");
	assert_non_null(f.set);
	assert_int_equal(med_set_inbound_count(f.set), 2);
	fixture_fini(&f);
	two(&f, "<parameter name='inbound.ws.port'>0</parameter>",
	    "<parameter name='inbound.ws.port'>0</parameter>");
	assert_non_null(f.set);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_parameters),
		cmocka_unit_test(test_unresolvable_names_fall_back),
		cmocka_unit_test(test_configured_outflow),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_bad_attributes),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_port_offset),
		cmocka_unit_test(test_one_port_twice),
	};
	int failed;

	xml_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return failed;
}
