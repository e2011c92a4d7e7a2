/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/message.h"

#include <libxml/tree.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "msg/json.h"
#include "msg/xml.h"

#define ENVELOPE "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">"
#define AFTER "</soapenv:Envelope>"
#define BODY(inner) ENVELOPE "<soapenv:Body>" inner "</soapenv:Body>" AFTER
#define EMPTY ENVELOPE "<soapenv:Body/>" AFTER
#define DECLARATION "<?xml version='1.0' encoding='UTF-8'?>"

static struct msg_pool *pool;
static struct message *m;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	pool = msg_pool_new(2, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	msg_pool_free(&pool);
	return 0;
}

static int
start(void **state)
{
	(void)state;
	m = message_new(pool);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	message_free(&m);
	assert_null(m);
	return 0;
}

#define assert_text(str, z) \
	assert_string_equal(arena_str(message_arena(m), str).p, z)

static void
wire(const char *bytes, const char *type)
{
	message_set_wire(m, str_of(bytes), str_of(type), MSG_TEXT);
}

static void
set_axis2(const char *name, const char *value)
{
	message_set_prop(m, SCOPE_AXIS2, str_of(name),
	    VALUE_OF_STR(str_of(value)));
}

static struct msg_output
format(void)
{
	struct msg_output out;

	if (message_format(m, &out, &err))
		fail_msg("%s", err.text);
	return out;
}

static void
assert_formats(const char *want, const char *type, enum msg_frame frame)
{
	struct msg_output out = format();

	assert_false(out.none);
	assert_text(out.bytes, want);
	assert_text(out.type, type);
	assert_int_equal(out.frame, frame);
	/* Asking twice gives the same. */
	assert_text(format().bytes, want);
}

static struct cJSON *
json(void)
{
	struct cJSON *root = NULL;

	if (message_json(m, &root, &err))
		fail_msg("%s", err.text);
	return root;
}

static xmlNode *
envelope(void)
{
	xmlDoc *doc = NULL;

	if (message_envelope(m, &doc, &err))
		fail_msg("%s", err.text);
	return xmlDocGetRootElement(doc);
}

static const char *
described(void)
{
	struct buf b = { .p = NULL };
	struct str s;

	message_describe(m, &b);
	s = arena_str(message_arena(m), buf_str(&b));
	buf_fini(&b);
	return s.p;
}

static void
a_new_message_is_empty(void **state)
{
	struct cJSON *root;
	struct str text;

	(void)state;
	assert_true(message_is_empty(m));
	assert_false(message_changed(m));
	assert_false(message_is_response(m));
	assert_int_equal(message_kind(m), CONTENT_NONE);
	assert_true(format().none);
	assert_int_equal(message_json(m, &root, &err), -1);
	assert_int_equal(err.kind, ERR_NOTFOUND);
	assert_int_equal(message_json_text(m, &text, &err), 0);
	assert_text(text, "");
	assert_text(xml_markup(envelope(), message_arena(m)), EMPTY);
	assert_ptr_equal(envelope(), envelope());
	assert_string_equal(described(), "Envelope: " EMPTY);
	assert_true(message_is_empty(m));
}

static void
untouched_bodies_leave_as_they_came(void **state)
{
	static const char *const types[] = {
		"application/json", "application/xml", "text/xml",
		"text/plain", "application/octet-stream", "some/thing",
	};
	static const char bytes[] = " {\"a\" : 1.50 }\n";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		for (int frame = MSG_TEXT; frame <= MSG_BINARY; frame++) {
			struct msg_output out;

			message_free(&m);
			m = message_new(pool);
			message_set_wire(m, str_of(bytes), str_of(types[i]),
			    (enum msg_frame)frame);
			out = format();
			assert_ptr_equal(out.bytes.p, bytes);
			assert_int_equal(out.bytes.n, sizeof(bytes) - 1);
			assert_int_equal(out.frame, frame);
			assert_text(out.type, types[i]);
			assert_false(message_changed(m));
		}
	}
}

static void
looking_is_not_touching(void **state)
{
	static const char bytes[] = "{ \"a\" : [ 1.50 ] }";

	(void)state;
	wire(bytes, "application/json");
	assert_int_equal(message_kind(m), CONTENT_JSON);
	assert_int_equal(json_count(json()), 1);
	assert_ptr_equal(json(), json());
	assert_text(xml_markup(envelope(), message_arena(m)),
	    BODY("<jsonObject><a>1.50</a></jsonObject>"));
	assert_string_equal(described(), "Payload: { \"a\" : [ 1.50 ] }");
	assert_ptr_equal(format().bytes.p, bytes);
}

static void
owning_copies_what_is_borrowed(void **state)
{
	char bytes[] = "{\"a\":1}", type[] = "application/json";

	(void)state;
	wire(bytes, type);
	message_own(m);
	memset(bytes, 'x', sizeof(bytes) - 1);
	memset(type, 'x', sizeof(type) - 1);
	assert_formats("{\"a\":1}", "application/json", MSG_TEXT);
	assert_int_equal(json_count(json()), 1);
}

static void
changed_json_is_printed(void **state)
{
	(void)state;
	message_set_wire(m, STR("{ \"a\" : 1.50, \"b\": [ ] }"),
	    STR("application/json"), MSG_BINARY);
	json_set(message_arena(m), json(), STR("c"),
	    json_new_null(message_arena(m)));
	envelope();
	message_json_changed(m);
	assert_true(message_changed(m));
	assert_formats("{\"a\":1.50,\"b\":[],\"c\":null}",
	    "application/json", MSG_TEXT);
	assert_text(xml_markup(envelope(), message_arena(m)), BODY(
	    "<jsonObject><a>1.50</a><c/></jsonObject>"));
}

static void
changed_xml_is_printed(void **state)
{
	xmlNode *body, *first;

	(void)state;
	wire("<?xml version='1.0'?><r><a>1</a></r>", "application/xml");
	assert_int_equal(message_soap_body(m, &body, &first, &err), 0);
	assert_string_equal((const char *)first->name, "r");
	assert_ptr_equal(first->parent, body);
	xmlNewChild(first, NULL, (const xmlChar *)"b",
	    (const xmlChar *)"2");
	json();
	message_envelope_changed(m);
	assert_formats("<r><a>1</a><b>2</b></r>", "application/xml",
	    MSG_TEXT);
	assert_text(json_text(json(), message_arena(m)),
	    "{\"r\":{\"a\":1,\"b\":2}}");
	assert_string_equal(described(),
	    "Envelope: " BODY("<r><a>1</a><b>2</b></r>"));
}

/* JSON that was changed as XML still leaves as JSON: the builder's type is
 * the message's type. */
static void
json_changed_as_xml(void **state)
{
	xmlNode *first;

	(void)state;
	wire("{\"a\":1}", "application/json");
	assert_int_equal(message_soap_body(m, NULL, &first, &err), 0);
	xmlNewChild(first, NULL, (const xmlChar *)"b",
	    (const xmlChar *)"x");
	message_envelope_changed(m);
	assert_int_equal(message_kind(m), CONTENT_XML);
	assert_formats("{\"a\":1,\"b\":\"x\"}", "application/json",
	    MSG_TEXT);
}

static const struct {
	const char *bytes, *type, *message_type, *want;
	enum msg_frame frame;
} formats[] = {
	{ "{\"a\":1}", "application/json", "application/xml",
	    "<jsonObject><a>1</a></jsonObject>", MSG_TEXT },
	{ "{\"a\":1}", "application/json", "text/xml", DECLARATION
	    BODY("<jsonObject><a>1</a></jsonObject>"), MSG_TEXT },
	{ "{ \"a\":1}", "application/json", "application/json; charset=UTF-8",
	    "{ \"a\":1}", MSG_TEXT },
	{ "\"x\"", "application/json", "text/plain", "x", MSG_TEXT },
	{ "{ }", "application/json", "what/ever", "{ }", MSG_TEXT },
	{ "<r><a>1</a></r>", "application/xml", "application/json",
	    "{\"r\":{\"a\":1}}", MSG_TEXT },
	{ "<r><a>1</a></r>", "application/xml", "text/xml",
	    DECLARATION BODY("<r><a>1</a></r>"), MSG_TEXT },
	{ "<r>own<a>1</a></r>", "application/xml", "text/plain", "own",
	    MSG_TEXT },
	{ "<r> <a/> </r>", "application/xml", "application/xml",
	    "<r> <a/> </r>", MSG_TEXT },
	{ BODY("<r>1</r>"), "text/xml", "application/xml", "<r>1</r>",
	    MSG_TEXT },
	{ BODY("<r>1</r>"), "text/xml", "application/json", "{\"r\":1}",
	    MSG_TEXT },
	{ "hi <there>", "text/plain", "application/json",
	    "{\"text\":\"hi <there>\"}", MSG_TEXT },
	{ "hi <there>", "text/plain", "application/xml", "<text "
	    "xmlns=\"http://ws.apache.org/commons/ns/payload\">hi "
	    "&lt;there&gt;</text>", MSG_TEXT },
	{ "hi", "text/plain", "application/octet-stream", "hi", MSG_BINARY },
	{ "hi", "application/octet-stream", "application/xml", "<binary "
	    "xmlns=\"http://ws.apache.org/commons/ns/payload\">aGk="
	    "</binary>", MSG_TEXT },
	{ "hi", "application/octet-stream", "text/plain", "aGk=", MSG_TEXT },
	{ "any", "some/thing", "application/json", "any", MSG_TEXT },
};

static void
message_type_chooses_the_formatter(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		message_free(&m);
		m = message_new(pool);
		wire(formats[i].bytes, formats[i].type);
		set_axis2("messageType", formats[i].message_type);
		assert_formats(formats[i].want, formats[i].message_type,
		    formats[i].frame);
		/* Formatting is not changing. */
		assert_false(message_changed(m));
	}
}

static void
content_type_only_changes_the_header(void **state)
{
	(void)state;
	wire("{ }", "application/json");
	set_axis2("ContentType", "text/other");
	assert_formats("{ }", "text/other", MSG_TEXT);
	set_axis2("messageType", "application/xml");
	assert_formats("<jsonObject/>", "application/xml", MSG_TEXT);
	set_axis2("ContentType", "x/y");
	assert_formats("<jsonObject/>", "x/y", MSG_TEXT);
}

static void
no_entity_body_sends_nothing(void **state)
{
	(void)state;
	wire("{}", "application/json");
	message_set_prop(m, SCOPE_AXIS2, STR("NO_ENTITY_BODY"),
	    VALUE_OF_BOOL(true));
	assert_true(format().none);
	message_del_prop(m, SCOPE_AXIS2, STR("NO_ENTITY_BODY"));
	assert_false(format().none);
}

static void
replaced_bodies(void **state)
{
	(void)state;
	/* Without any type the body says how it is formatted. */
	message_set_json_text(m, STR("{ \"a\":1 }"));
	assert_formats("{ \"a\":1 }", "application/json", MSG_TEXT);
	assert_int_equal(json_count(json()), 1);
	message_set_text(m, STR("hello"));
	assert_formats("hello", "text/plain", MSG_TEXT);
	message_set_binary(m, STR("\0\x01"));
	assert_int_equal(format().frame, MSG_BINARY);
	assert_true(str_eq(format().bytes, STR("\0\x01")));
	assert_text(format().type, "application/octet-stream");
	assert_int_equal(message_set_xml(m, xml_parse(NULL, STR("<r/>"), 0,
	    &err), &err), 0);
	assert_formats("<r/>", "application/xml", MSG_TEXT);
	message_set_json(m, json_parse(message_arena(m), STR("[ 1 ]"), 0,
	    &err));
	assert_formats("[1]", "application/json", MSG_TEXT);
	message_set_body(m, STR("<x/>"), STR("application/xml"), MSG_BINARY);
	assert_formats("<x/>", "application/xml", MSG_BINARY);
	assert_true(message_changed(m));
	message_set_empty(m);
	assert_true(message_is_empty(m));
	assert_true(format().none);
	assert_string_equal(described(), "Envelope: " EMPTY);
}

static void
a_new_body_brings_its_own_type(void **state)
{
	struct value v;

	(void)state;
	wire("{}", "application/json");
	set_axis2("messageType", "application/xml");
	message_set_body(m, STR("hello"), STR("text/plain"), MSG_TEXT);
	assert_formats("hello", "text/plain", MSG_TEXT);
	assert_true(message_prop(m, SCOPE_AXIS2, STR("messageType"), &v));
	assert_text(v.s, "text/plain");
	set_axis2("messageType", "application/json");
	assert_formats("{\"text\":\"hello\"}", "application/json", MSG_TEXT);
}

static void
an_envelope_replaces_the_envelope(void **state)
{
	(void)state;
	wire(ENVELOPE "<soapenv:Header><h>1</h></soapenv:Header>"
	    "<soapenv:Body><r/></soapenv:Body>" AFTER, "text/xml");
	/* Header blocks stay when the body goes. */
	envelope();
	assert_int_equal(message_set_xml(m, xml_parse(NULL, STR("<n/>"), 0,
	    &err), &err), 0);
	assert_formats(DECLARATION ENVELOPE "<soapenv:Header><h>1</h>"
	    "</soapenv:Header><soapenv:Body><n/></soapenv:Body>" AFTER,
	    "text/xml", MSG_TEXT);
	message_set_text(m, STR("t"));
	assert_text(xml_markup(envelope(), message_arena(m)), ENVELOPE
	    "<soapenv:Header><h>1</h></soapenv:Header><soapenv:Body><text "
	    "xmlns=\"http://ws.apache.org/commons/ns/payload\">t</text>"
	    "</soapenv:Body>" AFTER);
	assert_int_equal(message_set_xml(m, xml_parse(NULL,
	    STR(BODY("<o/>")), 0, &err), &err), 0);
	assert_formats(DECLARATION BODY("<o/>"), "text/xml", MSG_TEXT);
}

static void
bodies_that_cannot_be_built(void **state)
{
	static const struct {
		const char *bytes, *type;
	} table[] = {
		{ "{\"a\":", "application/json" }, { "x", "application/json" },
		{ "<a>", "application/xml" }, { "<r/>", "text/xml" },
		{ "<r/>", "application/soap+xml" },
	};
	struct cJSON *root;
	xmlDoc *doc;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		message_free(&m);
		m = message_new(pool);
		wire(table[i].bytes, table[i].type);
		assert_int_equal(message_json(m, &root, &err), -1);
		assert_int_equal(err.kind, ERR_SYNTAX);
		assert_int_equal(message_envelope(m, &doc, &err), -1);
		assert_non_null(strstr(described(), table[i].bytes));
		assert_formats(table[i].bytes, table[i].type, MSG_TEXT);
	}
}

static void
blank_bodies_have_an_empty_envelope(void **state)
{
	static const char *const types[] = {
		"application/json", "application/xml", "text/xml", "x/y",
	};
	struct cJSON *root;
	xmlNode *first;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		message_free(&m);
		m = message_new(pool);
		wire(" \n", types[i]);
		assert_int_equal(message_soap_body(m, NULL, &first, &err), 0);
		assert_null(first);
		assert_int_equal(message_json(m, &root, &err), -1);
		assert_int_equal(err.kind, ERR_NOTFOUND);
		assert_formats(" \n", types[i], MSG_TEXT);
		assert_string_equal(described(), "Envelope: " EMPTY);
	}
}

static void
limits_apply(void **state)
{
	struct msg_limits limits = { .json_depth = 2, .xml_depth = 2,
		.max_bytes = 20 };
	struct msg_pool *small = msg_pool_new(1, &limits);
	struct message *n = message_new(small);
	struct cJSON *root;
	xmlDoc *doc;

	(void)state;
	message_set_wire(n, STR("[[[1]]]"), STR("application/json"),
	    MSG_TEXT);
	assert_int_equal(message_json(n, &root, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	message_set_wire(n, STR("<a><b><c/></b></a>"), STR("application/xml"),
	    MSG_TEXT);
	assert_int_equal(message_envelope(n, &doc, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	message_set_wire(n, STR("[\"a body of 26 bytes....\"]"),
	    STR("application/json"), MSG_TEXT);
	assert_int_equal(message_json(n, &root, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(message_envelope(n, &doc, &err), -1);
	message_free(&n);
	msg_pool_free(&small);
}

static void
addressing(void **state)
{
	(void)state;
	assert_null(message_addressing(m, STR("To")).p);
	assert_int_equal(message_set_addressing(m, STR("To"), STR("ws://a")),
	    0);
	assert_text(message_addressing(m, STR("To")), "ws://a");
	assert_null(message_addressing(m, STR("From")).p);
	assert_int_equal(message_set_addressing(m, STR("To"), STR_NULL), 0);
	assert_null(message_addressing(m, STR("To")).p);
	assert_int_equal(message_set_addressing(m, STR("Else"), STR("x")),
	    -1);
}

static void
ids_are_urns_and_differ(void **state)
{
	struct message *other = message_new(pool);
	struct str id = message_id(m);

	(void)state;
	assert_int_equal(id.n, strlen("urn:uuid:") + 36);
	assert_true(str_starts(id, "urn:uuid:"));
	assert_int_equal(id.p[9 + 14], '4');
	assert_ptr_equal(message_id(m).p, id.p);
	assert_false(str_eq(message_id(other), id));
	message_free(&other);
}

static void
fill(struct message *from)
{
	struct arena *a = message_arena(from);
	struct value v = { .type = VALUE_JSON,
		.json = json_parse(a, STR("[1]"), 0, &err) };
	xmlDoc *doc = xml_parse(a, STR("<p:x xmlns:p='urn:p'><p:y z='1'/>"
	    "</p:x>"), 0, &err);

	message_set_prop(from, SCOPE_DEFAULT, STR("json"), v);
	v.type = VALUE_XML;
	v.xml.count = 1;
	v.xml.node = arena_alloc(a, sizeof(*v.xml.node));
	v.xml.node[0] = xmlDocGetRootElement(doc)->children;
	message_set_prop(from, SCOPE_DEFAULT, STR("xml"), v);
	message_set_prop(from, SCOPE_AXIS2, STR("text"),
	    VALUE_OF_STR(arena_str(a, STR("t"))));
	message_set_prop(from, SCOPE_DEFAULT, STR("gone"), VALUE_OF_INT(1));
	message_del_prop(from, SCOPE_DEFAULT, STR("gone"));
	message_set_var(from, STR("v"), VALUE_OF_INT(7));
	assert_int_equal(message_set_addressing(from, STR("To"), STR("a")),
	    0);
	message_set_response(from, true);
}

static void
copies_are_deep(void **state)
{
	struct message *from = message_new(pool);
	char bytes[] = "{\"a\":1}";
	struct value v;

	(void)state;
	message_set_wire(from, str_of(bytes), STR("application/json"),
	    MSG_BINARY);
	fill(from);
	message_id(from);
	message_free(&m);
	m = message_copy(from);
	assert_false(str_eq(message_id(m), message_id(from)));
	message_free(&from);
	memset(bytes, 'x', sizeof(bytes) - 1);
	/* The room of the one that is gone is used again. */
	from = message_new(pool);
	memset(arena_alloc(message_arena(from), 4000), 'x', 4000);

	assert_formats("{\"a\":1}", "application/json", MSG_BINARY);
	assert_false(message_changed(m));
	assert_true(message_is_response(m));
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("json")), "[1]");
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("xml")),
	    "<p:y xmlns:p=\"urn:p\" z=\"1\"/>");
	assert_text(message_prop_text(m, SCOPE_AXIS2, STR("text")), "t");
	assert_false(message_prop(m, SCOPE_DEFAULT, STR("gone"), &v));
	assert_true(message_var(m, STR("v"), &v));
	assert_int_equal(v.i, 7);
	assert_text(message_addressing(m, STR("To")), "a");
	message_free(&from);
}

static void
copies_of_changed_bodies(void **state)
{
	struct message *from = message_new(pool);

	(void)state;
	message_set_json(from, json_parse(message_arena(from), STR("[1]"), 0,
	    &err));
	message_free(&m);
	m = message_copy(from);
	json_append(json(), json_new_null(message_arena(m)));
	message_json_changed(m);
	assert_formats("[1,null]", "application/json", MSG_TEXT);
	assert_true(message_changed(from));

	assert_int_equal(message_set_xml(from, xml_parse(NULL, STR("<r/>"),
	    0, &err), &err), 0);
	message_free(&m);
	m = message_copy(from);
	message_free(&from);
	assert_formats("<r/>", "application/xml", MSG_TEXT);
	from = message_copy(m);
	message_set_empty(from);
	message_free(&m);
	m = message_copy(from);
	message_free(&from);
	assert_true(message_is_empty(m));
}

/* The same room serves message after message; the pool keeps what it may. */
static void
messages_are_used_again(void **state)
{
	struct message *many[5];

	(void)state;
	for (int round = 0; round < 600; round++) {
		size_t n = round % 50 == 0 ? 100000 : 1000;

		for (size_t i = 0; i < ARRAY_LEN(many); i++) {
			many[i] = message_new(pool);
			assert_true(message_is_empty(many[i]));
			assert_null(message_prop_text(many[i], SCOPE_DEFAULT,
			    STR("p")).p);
			assert_null(message_addressing(many[i],
			    STR("To")).p);
			memset(arena_alloc(message_arena(many[i]), n), 1, n);
			message_set_prop(many[i], SCOPE_DEFAULT, STR("p"),
			    VALUE_OF_INT(1));
			assert_int_equal(message_set_addressing(many[i],
			    STR("To"), STR("x")), 0);
		}
		for (size_t i = 0; i < ARRAY_LEN(many); i++)
			message_free(&many[i]);
	}
	message_free(&many[0]);
}

#define with_message(fn) cmocka_unit_test_setup_teardown(fn, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_message(a_new_message_is_empty),
		with_message(untouched_bodies_leave_as_they_came),
		with_message(looking_is_not_touching),
		with_message(owning_copies_what_is_borrowed),
		with_message(changed_json_is_printed),
		with_message(changed_xml_is_printed),
		with_message(json_changed_as_xml),
		with_message(message_type_chooses_the_formatter),
		with_message(content_type_only_changes_the_header),
		with_message(no_entity_body_sends_nothing),
		with_message(replaced_bodies),
		with_message(a_new_body_brings_its_own_type),
		with_message(an_envelope_replaces_the_envelope),
		with_message(bodies_that_cannot_be_built),
		with_message(blank_bodies_have_an_empty_envelope),
		with_message(limits_apply),
		with_message(addressing),
		with_message(ids_are_urns_and_differ),
		with_message(copies_are_deep),
		with_message(copies_of_changed_bodies),
		with_message(messages_are_used_again),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
