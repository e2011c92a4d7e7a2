/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static void
holds(void)
{
	must(1 + 1 == 2);
}

static void
plain(void)
{
	must(1 + 1 == 3);
}

static void
with_context(void)
{
	char text[] = "reading frame 7";

	must_context(text);
	memset(text, '?', sizeof(text));
	must(1 + 1 == 3);
}

static void
context_cleared(void)
{
	must_context("something");
	must_context(NULL);
	must(1 + 1 == 3);
}

static void
context_too_long(void)
{
	char big[1000];

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	must_context(big);
	must(1 + 1 == 3);
}

static void
cannot_be_reached(void)
{
	unreachable();
}

/* Runs f in a child; gives what it wrote to stderr. */
static const char *
in_child(void (*f)(void), int *status)
{
	static char text[4096];
	int fd[2];
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		dup2(fd[1], STDERR_FILENO);
		close(fd[0]);
		f();
		_exit(0);
	}
	close(fd[1]);
	while ((got = read(fd[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	return text;
}

static void
silent_when_it_holds(void **state UNUSED)
{
	int status;

	assert_string_equal(in_child(holds, &status), "");
	assert_int_equal(status, 0);
}

static void
report(void **state UNUSED)
{
	static const struct {
		void (*f)(void);
		const char *says, *says_not;
	} rows[] = {
		{ plain, ": plain: 1 + 1 == 3 does not hold (pid", "while" },
		{ with_context, "does not hold, while reading frame 7 (pid",
		  "?" },
		{ context_cleared, "does not hold (pid", "something" },
		{ context_too_long, "while bbbb", NULL },
		{ cannot_be_reached, "cannot_be_reached: unreachable", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int status;
		const char *text = in_child(rows[i].f, &status);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
		assert_memory_equal(text, "wsgw: bug: ", 11);
		assert_non_null(strstr(text, "test_must.c:"));
		assert_non_null(strstr(text, rows[i].says));
		assert_int_equal(text[strlen(text) - 1], '\n');
		if (rows[i].says_not)
			assert_null(strstr(text, rows[i].says_not));
	}
}

static void
memory(void **state UNUSED)
{
	char *p = xmalloc(0), *z = xstrdup("text");
	unsigned char *zeros = xcalloc(5, 3), *none = xcalloc(0, 8);

	assert_non_null(p);
	assert_non_null(none);
	assert_string_equal(z, "text");
	for (int i = 0; i < 15; i++)
		assert_int_equal(zeros[i], 0);
	p = xrealloc(p, 100);
	memset(p, 'p', 100);
	p = xrealloc(p, 0);
	assert_non_null(p);
	free(p), free(z), free(zeros), free(none);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_when_it_holds),
		cmocka_unit_test(report),
		cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
