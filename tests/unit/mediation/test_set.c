/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

/* ---- what loads -------------------------------------------------------- */

static void
test_empty_folder_has_main_and_fault(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_must_load(&f);
	assert_non_null(med_set_main(f.set));
	assert_true(str_is(sequence_name(med_set_fault(f.set)), "fault"));
	assert_int_equal(f.diag.warnings, 0);
	assert_int_equal(med_set_inbound_count(f.set), 0);
	fixture_fini(&f);
}

static void
test_own_main_replaces_builtin(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/m.xml",
	    "<sequence " NS " name='main'><drop/></sequence>");
	fixture_must_load(&f);
	assert_ptr_equal(med_set_main(f.set),
	    med_set_sequence(f.set, STR("main")));
	assert_int_equal(sequence_body(med_set_main(f.set)), MED_BODY_NONE);
	fixture_fini(&f);
}

static void
test_missing_folder(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.config.root = "/nonexistent/artifacts";
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 0, "cannot read"));
	fixture_fini(&f);
}

static void
test_references_in_any_order(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='a' "
	    "onError='z'><sequence key='z'/><send><endpoint key='e'/></send>"
	    "</sequence>");
	fixture_file(&f, "sequences/z.xml",
	    "<sequence " NS " name='z'><log level='full'/></sequence>");
	fixture_file(&f, "endpoints/e.xml", "<endpoint " NS " name='e'>"
	    "<address uri='ws://h/'/></endpoint>");
	fixture_must_load(&f);
	assert_int_equal(f.diag.warnings, 0);
	fixture_fini(&f);
}

static void
test_definitions(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "synapse.xml", "<definitions " NS ">"
	    "<registry provider='x'><parameter name='p'>1</parameter></registry>"
	    "<taskManager/><sequence name='s'><drop/></sequence>"
	    "<endpoint name='e'><address uri='ws://h/'/></endpoint>"
	    "<localEntry key='k'>text</localEntry></definitions>");
	fixture_file(&f, "registry.xml", "<registry " NS " provider='x'/>");
	fixture_must_load(&f);
	assert_non_null(med_set_sequence(f.set, STR("s")));
	assert_int_equal(f.diag.warnings, 3);
	assert_true(fixture_said(&f, DIAG_WARNING, 1,
	    "<registry> is ignored: it makes no difference here"));
	fixture_fini(&f);
}

static void
test_only_xml_files_count(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml.bak", "garbage");
	fixture_file(&f, "sequences/.hidden.xml", "garbage");
	fixture_file(&f, "sequences/readme.txt", "garbage");
	fixture_must_load(&f);
	fixture_fini(&f);
}

static void
test_one_file_as_root(void **state)
{
	struct fixture f;
	char path[100];

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "one.xml", "<sequence " NS " name='s'/>");
	snprintf(path, sizeof(path), "%s/one.xml", f.root);
	f.config.root = path;
	fixture_must_load(&f);
	assert_non_null(med_set_sequence(f.set, STR("s")));
	fixture_fini(&f);
}

static void
test_digest_follows_content(void **state)
{
	struct fixture f;
	char before[33], renamed[33];

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='s'/>");
	fixture_must_load(&f);
	strcpy(before, med_set_digest(f.set));
	assert_int_equal(strlen(before), 32);
	med_set_put(&f.set);
	fixture_must_load(&f);
	assert_string_equal(before, med_set_digest(f.set));
	med_set_put(&f.set);
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='t'/>");
	fixture_must_load(&f);
	strcpy(renamed, med_set_digest(f.set));
	assert_string_not_equal(before, renamed);
	fixture_fini(&f);
}

/* FNV-1a of 128 bits of no bytes at all is its offset basis. */
static void
test_digest_of_nothing(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_must_load(&f);
	assert_string_equal(med_set_digest(f.set),
	    "6c62272e07bb014262b821756295c58d");
	fixture_fini(&f);
}

static void
test_body_is_summed_over_what_is_reached(void **state)
{
	static const struct {
		const char *name;
		enum med_body body;
	} want[] = {
		{ "none", MED_BODY_NONE }, { "reads", MED_BODY_READ },
		{ "far", MED_BODY_READ }, { "onerror", MED_BODY_READ },
		{ "writes", MED_BODY_WRITE }, { "dynamic", MED_BODY_WRITE },
	};
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "synapse.xml", "<definitions " NS ">"
	    "<sequence name='none'><property name='a' value='1'/>"
	    "<log level='simple'/><respond/></sequence>"
	    "<sequence name='reads'><filter xpath='json-eval($.a)'><drop/>"
	    "</filter></sequence>"
	    "<sequence name='far'><in><sequence key='mid'/></in></sequence>"
	    "<sequence name='mid'><sequence key='reads'/></sequence>"
	    "<sequence name='onerror' onError='reads'/>"
	    "<sequence name='writes'><payloadFactory media-type='text'>"
	    "<format>x</format></payloadFactory></sequence>"
	    "<sequence name='dynamic'><sequence key=\"{get-property('x')}\"/>"
	    "</sequence></definitions>");
	fixture_must_load(&f);
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_int_equal(sequence_body(med_set_sequence(f.set,
		    str_of(want[i].name))), want[i].body);
	fixture_fini(&f);
}

/* ---- what does not ----------------------------------------------------- */

static void
test_refused_sequences(void **state)
{
	(void)state;
	fixture_refuses("<sequence " NS " name='a'>\n<lgo/></sequence>", 2,
	    "Unknown mediator referenced by configuration element : "
	    "{http://ws.apache.org/ns/synapse}lgo; did you mean <log>?");
	fixture_refuses("<sequence " NS " name='a'>\n<log xmlns=''/>"
	    "</sequence>", 2, "Unknown mediator referenced by configuration "
	    "element : log");
	fixture_refuses("<sequence " NS " name='a'>\n\n<class name='x.Y'/>"
	    "</sequence>", 3, "not supported: class mediator (it runs a Java");
	fixture_refuses("<sequence " NS " name='a'><http.get/></sequence>", 1,
	    "operations of connectors are not supported");
	fixture_refuses("<sequence " NS " name='a'>\n<log levl='full'/>"
	    "</sequence>", 2, "unknown attribute \"levl\" in <log>; did you "
	    "mean \"level\"?");
	fixture_refuses("<sequence " NS "/>", 1, "needs a name");
	fixture_refuses("<sequence " NS " key='x'/>", 1, "Referred sequences "
	    "are not allowed at the top level");
	fixture_refuses("<sequence " NS " name='a'", 1, "");
	fixture_refuses("<sequence name='a'/>", 1, "its namespace is \"\"");
	fixture_refuses("<sequence " NS " name='a'><filter xpath='//['>"
	    "<drop/></filter></sequence>", 1, "Invalid XPath expression "
	    "for attribute 'xpath' : //[");
	fixture_refuses("<nonsense " NS "/>", 1,
	    "Invalid configuration element at the top level");
	fixture_refuses("<proxy " NS " name='p'/>", 1,
	    "not supported: <proxy>");
}

static void
test_misspelt_property_is_told_once(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='a'>\n"
	    "<property name='websocket.accept.contentType' scope='axis2' "
	    "value='x'/>\n<property name='websocket.accept.contentType' "
	    "scope='axis2' value='x'/></sequence>");
	fixture_must_load(&f);
	assert_int_equal(f.diag.warnings, 1);
	assert_true(fixture_said(&f, DIAG_WARNING, 2, "probably meant "
	    "websocket.accept.contenType"));
	fixture_fini(&f);
}

static void
caret_is_at(const char *xml, int line, int column)
{
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", xml);
	fixture_load(&f);
	assert_null(f.set);
	assert_int_equal(f.diag.item[0].line, line);
	assert_int_equal(f.diag.item[0].column, column);
	fixture_fini(&f);
}

static void
test_caret_is_under_the_fault(void **state)
{
	(void)state;
	caret_is_at("<sequence " NS " name='a'>\n"
	    "<filter xpath=\"json-eval($.a[)\"><drop/></filter></sequence>",
	    2, 30);
	/* An attribute on a line of its own, behind others, with entities. */
	caret_is_at("<sequence " NS " name='a'>\n<property name='&lt;'\n"
	    "\n   expression = 'json-eval($.a[?(@.b &lt; 1 @)])'"
	    "/></sequence>", 4, 45);
	caret_is_at("<sequence " NS " name='a'>\n"
	    "<sequence key='{json-eval($.a[)}'/></sequence>", 2, 31);
}

static void
test_all_errors_are_shown(void **state)
{
	struct fixture f;
	struct buf b = { 0 };

	(void)state;
	fixture_init(&f);
	buf_addz(&b, "<sequence " NS " name='a'>\n");
	for (int i = 0; i < 30; i++)
		buf_addz(&b, "<filter xpath='true()'><then><bogus/>\n</then>"
		    "</filter>");
	buf_addz(&b, "</sequence>");
	fixture_file(&f, "sequences/a.xml", buf_cstr(&b));
	fixture_load(&f);
	assert_null(f.set);
	assert_int_equal(f.diag.errors, 30);
	assert_int_equal(f.diag.count, DIAG_MAX);
	for (int i = 0; i < DIAG_MAX; i++)
		assert_int_equal(f.diag.item[i].line, i + 2);
	buf_fini(&b);
	fixture_fini(&f);
}

static void
test_duplicates(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='s'/>");
	fixture_file(&f, "sequences/b.xml", "\n<sequence " NS " name='s'/>");
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 2,
	    "Sequence named : s already exists."));
	assert_true(strstr(f.diag.item[0].text, "/sequences/a.xml:1)") != NULL);
	fixture_fini(&f);
}

static void
test_lenient_switches_off(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml",
	    "<sequence " NS " name='a'>\n<class name='x'/></sequence>");
	fixture_file(&f, "sequences/b.xml", "<sequence " NS " name='b'/>");
	fixture_file(&f, "proxy-services/p.xml", "<proxy " NS " name='p'/>");
	f.config.lenient = true;
	fixture_must_load(&f);
	assert_null(med_set_sequence(f.set, STR("a")));
	assert_non_null(med_set_sequence(f.set, STR("b")));
	assert_true(fixture_said(&f, DIAG_WARNING, 2, "not supported: class"));
	assert_true(fixture_said(&f, DIAG_WARNING, 1,
	    "sequence a is switched off"));
	assert_true(fixture_said(&f, DIAG_WARNING, 1,
	    "proxy p is switched off"));
	fixture_fini(&f);
}

static void
test_lenient_keeps_other_errors(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml",
	    "<sequence " NS " name='a'><log level='bad'/></sequence>");
	f.config.lenient = true;
	fixture_load(&f);
	assert_null(f.set);
	fixture_fini(&f);
}

static void
test_ws_address_needs_the_sender(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='a'><send>\n"
	    "<endpoint><address uri='ws://h:1/'/></endpoint></send>"
	    "</sequence>");
	f.config.ws_sender = false;
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 2,
	    "transport.ws.sender.enable"));
	fixture_fini(&f);
}

static void
test_endpoint_policy(void **state)
{
	(void)state;
	fixture_refuses("<endpoint " NS " name='e'><address uri='http://h/'>\n"
	    "<timeout><duration>x</duration></timeout></address></endpoint>",
	    2, "<duration> must be a whole number of at least 0, not \"x\"");
	fixture_refuses("<endpoint " NS " name='e'><address uri='http://h/'>\n"
	    "<timeout><responseAction>x</responseAction></timeout></address>"
	    "</endpoint>", 2, "Invalid timeout action");
	fixture_refuses("<endpoint " NS " name='e'><address uri='http://h/'>\n"
	    "<suspendOnFailure><errorCodes>1,b</errorCodes></suspendOnFailure>"
	    "</address></endpoint>", 2, "<errorCodes> has \"b\"");
	fixture_refuses("<endpoint " NS " name='e'><address uri='http://h/'>\n"
	    "<timout/></address></endpoint>", 2, "did you mean \"timeout\"?");
	fixture_refuses("<endpoint " NS " name='e'><wsdl/></endpoint>", 1,
	    "not supported: wsdl endpoint");
	fixture_refuses("<endpoint " NS " name='e'/>", 1,
	    "<endpoint> needs a definition");
	fixture_refuses("<endpoint " NS "><address uri='x'/></endpoint>", 1,
	    "needs a name");
}

/* ---- entries ----------------------------------------------------------- */

static void
entry_is(struct fixture *f, const char *key, const char *text)
{
	struct arena *a = arena_new(0);
	struct str out;
	bool found = med_set_entry(f->set, str_of(key), a, &out);

	assert_int_equal(found, text != NULL);
	if (text && !str_is(out, text))
		fail_msg("%s is \"%.*s\"", key, STR_FMT(out));
	arena_free(&a);
}

static void
test_local_entries(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "local-entries/a.xml",
	    "<localEntry " NS " key='text'> \n<![CDATA[{\"a\":1}]]> "
	    "</localEntry>");
	fixture_file(&f, "local-entries/b.xml", "<localEntry " NS " key='xml'>"
	    "<description>d</description><x xmlns=''>1</x></localEntry>");
	fixture_must_load(&f);
	entry_is(&f, "text", "{\"a\":1}");
	entry_is(&f, "xml", "<x>1</x>");
	entry_is(&f, "none", NULL);
	fixture_fini(&f);
	fixture_refuses("<localEntry " NS ">x</localEntry>", 1, "The 'key' "
	    "attribute is required for a local registry entry");
}

static void
test_registry(void **state)
{
	struct fixture f;
	char registry[100];

	(void)state;
	fixture_init(&f);
	fixture_file(&f, "reg/config/a/b.txt", "conf");
	fixture_file(&f, "reg/governance/a/b.txt", "gov");
	fixture_file(&f, "reg/governance/mi-resources/r.txt", "res");
	fixture_file(&f, "reg/local/l", "loc");
	fixture_file(&f, "reg/config/seq.xml",
	    "<sequence " NS " name='other'><drop/></sequence>");
	fixture_file(&f, "secret", "secret");
	fixture_file(&f, "sequences/a.xml", "<sequence " NS " name='a'>"
	    "<sequence key='conf:/seq.xml'/></sequence>");
	snprintf(registry, sizeof(registry), "%s/reg", f.root);
	f.config.registry = registry;
	fixture_must_load(&f);
	entry_is(&f, "conf:/a/b.txt", "conf");
	entry_is(&f, "conf:a/b.txt", "conf");
	entry_is(&f, "gov:/a/b.txt", "gov");
	entry_is(&f, "/a/b.txt", "gov");
	entry_is(&f, "resources:r.txt", "res");
	entry_is(&f, "local:l", "loc");
	entry_is(&f, "conf:/a/../a/b.txt", "conf");
	entry_is(&f, "conf:/a", NULL);
	entry_is(&f, "conf:/../../secret", NULL);
	entry_is(&f, "conf:../../secret", NULL);
	/* A resource that is a sequence is one, by its key. */
	assert_non_null(med_set_sequence(f.set, STR("conf:/seq.xml")));
	assert_int_equal(f.diag.warnings, 0);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty_folder_has_main_and_fault),
		cmocka_unit_test(test_own_main_replaces_builtin),
		cmocka_unit_test(test_missing_folder),
		cmocka_unit_test(test_references_in_any_order),
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_only_xml_files_count),
		cmocka_unit_test(test_one_file_as_root),
		cmocka_unit_test(test_digest_follows_content),
		cmocka_unit_test(test_digest_of_nothing),
		cmocka_unit_test(test_body_is_summed_over_what_is_reached),
		cmocka_unit_test(test_refused_sequences),
		cmocka_unit_test(test_misspelt_property_is_told_once),
		cmocka_unit_test(test_caret_is_under_the_fault),
		cmocka_unit_test(test_all_errors_are_shown),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_lenient_switches_off),
		cmocka_unit_test(test_lenient_keeps_other_errors),
		cmocka_unit_test(test_ws_address_needs_the_sender),
		cmocka_unit_test(test_endpoint_policy),
		cmocka_unit_test(test_local_entries),
		cmocka_unit_test(test_registry),
	};
	int failed;

	xml_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return failed;
}
