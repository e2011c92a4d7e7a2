/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct diag diag;

static struct config *
parse(const char *text)
{
	diag_init(&diag);
	return config_parse("wsgw.conf", str_of(text), &diag);
}

/* text is refused with this many errors, the first of which is "line: said" */
static void
refused(const char *text, int errors, int line, const char *said)
{
	struct config *c = parse(text);

	assert_null(c);
	assert_int_equal(diag.errors, errors);
	assert_string_equal(diag.item[0].file, "wsgw.conf");
	assert_int_equal(diag.item[0].line, line);
	assert_string_equal(diag.item[0].text, said);
}

static struct config *
accepted(const char *text)
{
	struct config *c = parse(text);

	assert_non_null(c);
	assert_int_equal(diag.count, 0);
	return c;
}

static void
test_defaults(void **state)
{
	struct config *c = accepted("");

	(void)state;
	assert_int_equal(c->process_workers, 0);
	assert_int_equal(c->process_drain_time, 30000);
	assert_int_equal(c->limits_message_size, 1 << 20);
	assert_int_equal(c->limits_steps, 100000);
	assert_false(c->transport_ws_sender_enable);
	assert_string_equal(c->log_error_target, "stderr");
	config_free(&c);
	assert_null(c);
	config_free(&c);
}

static void
test_every_type(void **state)
{
	struct config *c = accepted(
	    "# a comment\n"
	    "port_offset = 100;\n"
	    "process: { workers = 3; drain_time = 15; };\n"
	    "limits = { message_size = \"64K\"; close_timeout = \"250ms\";\n"
	    "  handshake_timeout = \"2m\"; send_queue = 8192 };\n"
	    "transport: { ws = { sender = { enable = true; }; }; };\n"
	    "log: { error = { target = \"/tmp/\\\"x\\\"\"; level = \"debug\"; }; }");

	(void)state;
	assert_int_equal(c->port_offset, 100);
	assert_int_equal(c->process_workers, 3);
	assert_int_equal(c->process_drain_time, 15000);
	assert_int_equal(c->limits_message_size, 65536);
	assert_int_equal(c->limits_close_timeout, 250);
	assert_int_equal(c->limits_handshake_timeout, 120000);
	assert_int_equal(c->limits_send_queue, 8192);
	assert_true(c->transport_ws_sender_enable);
	assert_string_equal(c->log_error_target, "/tmp/\"x\"");
	assert_string_equal(c->log_error_level, "debug");
	config_free(&c);
}

static void
test_units(void **state)
{
	struct config *c = accepted("process: { workers = \"auto\"; "
	    "drain_time = \"1h\"; }; limits: { message_size = \"1G\"; "
	    "send_queue = \"5M\"; close_timeout = \"7\"; };");

	(void)state;
	assert_int_equal(c->process_workers, 0);
	assert_int_equal(c->process_drain_time, 3600000);
	assert_int_equal(c->limits_message_size, 1 << 30);
	assert_int_equal(c->limits_send_queue, 5 << 20);
	assert_int_equal(c->limits_close_timeout, 7000);
	config_free(&c);
}

static void
test_unknown(void **state)
{
	(void)state;
	refused("process:\n{\n  worker = 3;\n};", 1, 3,
	    "unknown setting \"worker\"; did you mean \"workers\"?");
	refused("workers = 3;", 1, 1,
	    "unknown setting \"workers\"; did you mean \"process.workers\"?");
	refused("\nadmin: { frobnicate = 1; };", 1, 2,
	    "unknown setting \"frobnicate\"; known here: socket");
	refused("proces: { workers = 3; };", 1, 1,
	    "unknown setting \"proces\"; did you mean \"process\"?");
	refused("log: { level = \"info\"; };", 1, 1,
	    "unknown setting \"level\"; did you mean \"log.error.level\"?");
}

static void
test_wrong_type(void **state)
{
	(void)state;
	refused("port_offset = \"7\";", 1, 1,
	    "\"port_offset\" takes a whole number, not \"7\"");
	refused("port_offset = 1.5;", 1, 1, "\"port_offset\" takes a whole "
	    "number, not a number with a fraction");
	refused("process: { workers = \"many\"; };", 1, 1,
	    "\"process.workers\" takes a whole number or \"auto\", "
	    "not \"many\"");
	refused("process: { user = 7; };", 1, 1,
	    "\"process.user\" takes a string, not 7");
	refused("process: { drain_time = \"10 s\"; };", 1, 1,
	    "\"process.drain_time\" takes seconds, or a string like "
	    "\"500ms\", \"10s\", \"5m\", \"1h\", not \"10 s\"");
	refused("limits: { message_size = \"1X\"; };", 1, 1,
	    "\"limits.message_size\" takes bytes, or a string like \"64K\", "
	    "\"1M\", \"2G\", not \"1X\"");
	refused("limits: { message_size = \"\"; };", 1, 1,
	    "\"limits.message_size\" takes bytes, or a string like \"64K\", "
	    "\"1M\", \"2G\", not \"\"");
	refused("log: { error = { level = \"loud\"; }; };", 1, 1,
	    "\"log.error.level\" takes one of \"trace\", \"debug\", "
	    "\"info\", \"warn\", \"error\", not \"loud\"");
	refused("transport: { ws: { sender: { enable = 1; }; }; };", 1, 1,
	    "\"transport.ws.sender.enable\" takes true or false, not 1");
	refused("process: { workers = true; };", 1, 1,
	    "\"process.workers\" takes a whole number or \"auto\", not true");
	refused("limits = 5;", 1, 1,
	    "\"limits\" takes a group { ... }, not a number");
	refused("limits = [ 5 ];", 1, 1,
	    "\"limits\" takes a group { ... }, not an array [ ... ]");
	refused("port_offset = { };", 1, 1, "\"port_offset\" takes a whole "
	    "number, not a group { ... }");
}

static void
test_range(void **state)
{
	(void)state;
	refused("limits: { depth = 0; };", 1, 1,
	    "\"limits.depth\" must be between 1 and 1000, not 0");
	refused("port_offset = -1;", 1, 1,
	    "\"port_offset\" must be between 0 and 60000, not -1");
	refused("process: { workers = 257; };", 1, 1,
	    "\"process.workers\" must be between 1 and 256, not 257");
	refused("process: { open_files = 4294967396; };", 1, 1,
	    "\"process.open_files\" must be between 64 and 10000000, "
	    "not 4294967396");
	refused("process: { drain_time = \"25h\"; };", 1, 1,
	    "\"process.drain_time\" must be between 0 and 24h, not 25h");
	refused("process: { drain_time = \"9223372036854775807h\"; };", 1, 1,
	    "\"process.drain_time\" must be between 0 and 24h, "
	    "not 9223372036854775807h");
	refused("process: { drain_time = 9223372036854775807; };", 1, 1,
	    "\"process.drain_time\" must be between 0 and 24h, "
	    "not 9223372036854775807");
	refused("port_offset = 99999999999999999999;", 1, 1,
	    "99999999999999999999 is too large a number");
	refused("artifacts: { root = \"\"; };", 1, 1,
	    "\"artifacts.root\" must not be empty");
}

static void
test_too_long(void **state)
{
	char text[200];

	(void)state;
	snprintf(text, sizeof(text), "process: { user = \"%065d\"; };", 0);
	refused(text, 1, 1,
	    "\"process.user\" may have at most 64 characters");
}

static void
test_several(void **state)
{
	(void)state;
	refused("a = 1;\nprocess: { b = 2; workers = 3; };\nport_offset = 1.0;",
	    3, 1, "unknown setting \"a\"; known here: include_dir, "
	    "port_offset, process, log, admin, artifacts, transport, limits, broadcast");
	assert_int_equal(diag.item[1].line, 2);
	assert_int_equal(diag.item[2].line, 3);
}

static void
test_syntax(void **state)
{
	(void)state;
	refused("port_offset = 1;\n\nlimits = = 2;", 1, 3,
	    "syntax error");
	refused("process: {", 1, 2, "syntax error");
	refused("port_offset = 1;\nport_offset = 2;", 1, 2,
	    "duplicate setting name");
	refused("/* \n */ @include \"x\"", 1, 2,
	    "@include is not supported: put the file into include_dir");
	diag_init(&diag);
	assert_null(config_parse("x", (struct str){ "#\n\0", 3 }, &diag));
	assert_int_equal(diag.item[0].line, 2);
	assert_string_equal(diag.item[0].text,
	    "there is a NUL byte in the file");
}

/* What only looks like a number or an @include is left alone. */
static void
test_comments(void **state)
{
	struct config *c = accepted("/* @include 99999999999999999999 */\n"
	    "// @include\n# \"\nlog: { error: { "
	    "target = \"@include 4294967296 \\\" 4294967296\"; }; }; # end");

	(void)state;
	assert_string_equal(c->log_error_target,
	    "@include 4294967296 \" 4294967296");
	config_free(&c);
}

static void
test_dump(void **state)
{
	struct config *c = accepted("port_offset = 7;\n"
	    "process: { user = \"a\\\"\\\\b\\x01\\n\xC3\xA4\"; "
	    "drain_time = \"1500ms\"; workers = 2; };\n"
	    "limits: { message_size = 1025; send_queue = \"2M\"; "
	    "connections = 10000000; };\n"
	    "transport: { ws: { sender: { enable = true; }; }; };");
	struct buf one = { 0 }, two = { 0 };
	struct config *again;

	(void)state;
	config_dump(c, &one);
	again = accepted(buf_cstr(&one));
	assert_string_equal(again->process_user, "a\"\\b\x01\n\xC3\xA4");
	assert_int_equal(again->process_drain_time, 1500);
	assert_int_equal(again->limits_message_size, 1025);
	assert_int_equal(again->limits_send_queue, 2 << 20);
	assert_int_equal(again->process_workers, 2);
	assert_true(again->transport_ws_sender_enable);
	config_dump(again, &two);
	assert_string_equal(buf_cstr(&one), buf_cstr(&two));
	buf_fini(&one);
	buf_fini(&two);
	config_free(&c);
	config_free(&again);
}

static void
test_keep(void **state)
{
	struct config *old = accepted("port_offset = 7; limits: { steps = 10; };"
	    "admin: { socket = \"/a\"; };");
	struct config *new = accepted("port_offset = 8; limits: { steps = 20; };"
	    "admin: { socket = \"/b\"; };");
	struct buf names = { 0 };

	(void)state;
	config_keep(new, old, &names);
	config_free(&old);
	assert_string_equal(buf_cstr(&names), "port_offset, admin.socket");
	assert_int_equal(new->port_offset, 7);
	assert_int_equal(new->limits_steps, 20);
	assert_string_equal(new->admin_socket, "/a");
	buf_fini(&names);
	config_free(&new);
}

/* --- files ---------------------------------------------------------------- */

static char dir[64], conf[96];

static void
write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
make_dir(void **state)
{
	char d[80];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/wsgw-test-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(conf, sizeof(conf), "%s/wsgw.conf", dir);
	snprintf(d, sizeof(d), "%s/d", dir);
	diag_init(&diag);
	return mkdir(d, 0700);
}

static int
remove_dir(void **state)
{
	static const char *const names[] = { "d/a.conf", "d/b.conf",
		"d/c.txt", "wsgw.conf", "d", "" };
	char path[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	return 0;
}

static void
write_main(const char *more)
{
	char text[300];

	snprintf(text, sizeof(text), "include_dir = \"%s/d\";\n%s", dir, more);
	write_file("wsgw.conf", text);
}

static void
test_include_dir(void **state)
{
	struct config *c;

	(void)state;
	write_main("port_offset = 1; limits: { steps = 11; depth = 12; };");
	write_file("d/b.conf", "limits: { depth = 22; };");
	write_file("d/a.conf", "limits: { steps = 21; depth = 21; };");
	write_file("d/c.txt", "not read");
	c = config_load(conf, "limits.steps = 31", &diag);
	assert_non_null(c);
	assert_int_equal(diag.count, 0);
	assert_int_equal(c->port_offset, 1);
	assert_int_equal(c->limits_steps, 31);
	assert_int_equal(c->limits_depth, 22);
	config_free(&c);
}

static void
test_include_errors(void **state)
{
	(void)state;
	write_main("x = 1;");
	write_file("d/a.conf", "\ninclude_dir = \"/\";");
	write_file("d/b.conf", "port_offset = ;");
	assert_null(config_load(conf, "y = 1", &diag));
	assert_int_equal(diag.errors, 4);
	assert_string_equal(diag.item[0].file, conf);
	assert_int_equal(diag.item[0].line, 2);
	assert_string_equal(diag.item[1].text,
	    "\"include_dir\" may stand in the main file only");
	assert_int_equal(diag.item[1].line, 2);
	assert_non_null(strstr(diag.item[2].file, "/d/b.conf"));
	assert_string_equal(diag.item[3].file, "-g");
}

static void
test_no_file(void **state)
{
	(void)state;
	assert_null(config_load(conf, NULL, &diag));
	assert_int_equal(diag.errors, 1);
	assert_string_equal(diag.item[0].file, conf);
	assert_string_equal(diag.item[0].text,
	    "cannot open: No such file or directory");
	diag_init(&diag);
	assert_null(config_load(dir, NULL, &diag));
	assert_string_equal(diag.item[0].text, "is a folder, not a file");
}

static void
test_include_dir_missing(void **state)
{
	(void)state;
	write_file("wsgw.conf", "include_dir = \"/nonexistent/d\";");
	assert_null(config_load(conf, NULL, &diag));
	assert_string_equal(diag.item[0].text, "cannot read include_dir "
	    "/nonexistent/d: No such file or directory");
}

static void
test_settings(void **state)
{
	struct config *c;

	(void)state;
	write_file("wsgw.conf", "port_offset = 1;");
	c = config_load(conf, "include_dir=\"\"; port_offset=2;\n"
	    "process: { workers = 3; user = \"a;b\" }; process.user=\"c;d.e\";"
	    "transport.ws.sender.enable = true;;", &diag);
	assert_non_null(c);
	assert_int_equal(diag.count, 0);
	assert_int_equal(c->port_offset, 2);
	assert_int_equal(c->process_workers, 3);
	assert_string_equal(c->process_user, "c;d.e");
	assert_true(c->transport_ws_sender_enable);
	config_free(&c);
}

static void
test_settings_errors(void **state)
{
	(void)state;
	write_file("wsgw.conf", "");
	assert_null(config_load(conf, "include_dir=\"\";process.worker=2;"
	    "limits.depth=0; workers", &diag));
	assert_int_equal(diag.errors, 3);
	assert_string_equal(diag.item[0].text,
	    "unknown setting \"worker\"; did you mean \"workers\"?");
	assert_string_equal(diag.item[0].file, "-g");
	assert_int_equal(diag.item[0].line, 0);
	assert_string_equal(diag.item[1].text,
	    "\"limits.depth\" must be between 1 and 1000, not 0");
	assert_string_equal(diag.item[2].text, "syntax error");
}

static void
test_manual(void **state)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	config_manual(f);
	fclose(f);
#define OPTION(field, name, type, dflt, min, max, when, doc) \
	assert_non_null(strstr(text, "``" name "``\n    " doc));
#include "config/options.def"
#undef OPTION
	assert_non_null(strstr(text, "Takes seconds, or a string like "
	    "\"500ms\", \"10s\", \"5m\", \"1h\"; between 0 and 24h. Default: "
	    "``\"30s\"``. Changes take effect at a reload."));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_wrong_type),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_comments),
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_keep),
		cmocka_unit_test_setup_teardown(test_include_dir, make_dir,
		    remove_dir),
		cmocka_unit_test_setup_teardown(test_include_errors, make_dir,
		    remove_dir),
		cmocka_unit_test_setup_teardown(test_no_file, make_dir,
		    remove_dir),
		cmocka_unit_test_setup_teardown(test_include_dir_missing,
		    make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(test_settings, make_dir,
		    remove_dir),
		cmocka_unit_test_setup_teardown(test_settings_errors,
		    make_dir, remove_dir),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
