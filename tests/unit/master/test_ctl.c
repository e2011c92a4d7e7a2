/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/sock.h"

static void
test_status(void **state)
{
	struct stat st;
	struct str s;

	(void)state;
	start_ready(NULL);
	assert_int_equal(stat(ctl_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	s = ask("status");
	assert_true(contains(s, "\"version\":\"1.2\",\"pid\":"));
	assert_true(contains(s, "\"worker\":2,\"pid\":"));
	assert_true(contains(ask("help"), "\nreload "));
	s = ask("connections");
	assert_true(str_starts(s, "wsgw 1 ok "));
	assert_true(contains(s, "{\"worker\":1,\"id\":1}\n{\"worker\":1}\n"
	    "{\"worker\":1,\"id\":3}\n"));
	assert_true(contains(s, "{\"worker\":2,\"id\":3}\n"));
	stop(SIGTERM);
}

static void
test_refused(void **state)
{
	char longest[300];
	struct str s;

	(void)state;
	start_ready(NULL);
	assert_true(str_starts(ask("destroy"), "wsgw 1 refused "));
	assert_true(contains(ask("destroy"), "unknown command \"destroy\""));
	assert_true(contains(ask_raw("wsgw 2 status\n"), "the gateway speaks "
	    "version 1 of the control protocol, not \"2\""));
	assert_true(contains(ask_raw("GET / HTTP/1.1\r\n"),
	    "this is no request of wsgwctl: \"GET / HTTP/1.1\\r\""));
	assert_true(contains(ask_raw("\n"), "this is no request"));
	assert_true(contains(ask_raw("wsgw 1\n"), "unknown command \"\""));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	s = ask_raw(longest);
	assert_true(s.n == 0 || contains(s, "the request is too long"));
	assert_true(contains(ask("status"), "\"state\":\"running\""));
	stop(SIGTERM);
}

static void
test_too_many(void **state)
{
	struct err err;
	int fds[16];

	(void)state;
	start_ready(NULL);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		assert_true((fds[i] = sock_connect_unix(ctl_path, &err)) >= 0);
	assert_true(contains(ask("status"), "too many control connections"));
	close(fds[3]);
	while (contains(ask("status"), "too many control connections"))
		;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (i != 3)
			close(fds[i]);
	stop(SIGTERM);
}

static void
test_stop(void **state)
{
	(void)state;
	start_ready(NULL);
	assert_true(contains(ask("stop"), "stopping gracefully"));
	assert_int_equal(exit_status(), 0);
	start_ready(NULL);
	assert_true(contains(ask("stop now"), "stopping"));
	assert_int_equal(exit_status(), 0);
}

#define row(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_status), row(test_refused), row(test_too_many),
		row(test_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
