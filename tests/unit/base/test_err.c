/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
set(void **state UNUSED)
{
	struct err err;

	memset(&err, 'x', sizeof(err));
	assert_int_equal(err_set(&err, ERR_LIMIT, "%d of %s", 3, "five"), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_int_equal(err.sys, 0);
	assert_null(err.at.file);
	assert_int_equal(err.at.line, 0);
	assert_string_equal(err.text, "3 of five");
}

static void
from_errno(void **state UNUSED)
{
	static const struct {
		int sys;
		enum err_kind kind;
	} rows[] = { { EACCES, ERR_DENIED }, { EPERM, ERR_DENIED },
		{ EADDRINUSE, ERR_INUSE }, { ENOENT, ERR_NOTFOUND },
		{ ECONNRESET, ERR_IO }, { EMFILE, ERR_IO } };
	char want[200];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err err;

		errno = rows[i].sys;
		assert_int_equal(err_sys(&err, "file %s", "f"), -1);
		assert_int_equal(err.kind, rows[i].kind);
		assert_int_equal(err.sys, rows[i].sys);
		strcpy(want, "file f: ");
		strcat(want, strerror(rows[i].sys));
		assert_string_equal(err.text, want);
	}
}

static void
positioned(void **state UNUSED)
{
	struct err err;

	assert_int_equal(err_at(&err, (struct src_pos){ "a.xml", 3, 9 }, "no"),
	    -1);
	assert_int_equal(err.kind, ERR_SYNTAX);
	assert_string_equal(err.at.file, "a.xml");
	assert_int_equal(err.at.line, 3);
	assert_int_equal(err.at.column, 9);
}

static void
wrapped(void **state UNUSED)
{
	struct err err;

	err_at(&err, (struct src_pos){ "a.xml", 3, 9 }, "bad thing");
	assert_int_equal(err_wrap(&err, "loading %s", "main"), -1);
	assert_string_equal(err.text, "loading main: bad thing");
	assert_int_equal(err.kind, ERR_SYNTAX);
	assert_int_equal(err.at.line, 3);
	err_wrap(&err, "outer");
	assert_string_equal(err.text, "outer: loading main: bad thing");
}

/* Whatever the length, the text ends inside its room. */
static void
too_long(void **state UNUSED)
{
	char big[2000];
	struct err err;

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&err, ERR_IO, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "in");
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "in: bbb", 7);
	errno = EIO;
	err_sys(&err, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "%s", big);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void
nobody_listens(void **state UNUSED)
{
	assert_int_equal(err_set(NULL, ERR_IO, "x"), -1);
	assert_int_equal(err_sys(NULL, "x"), -1);
	assert_int_equal(err_at(NULL, (struct src_pos){ 0 }, "x"), -1);
	assert_int_equal(err_wrap(NULL, "x"), -1);
}

static void
kinds_have_names(void **state UNUSED)
{
	int n = 0;

#define ERR(name, text) \
	assert_string_equal(err_kind_name(ERR_##name), text); \
	n++;
#include "base/err.def"
#undef ERR
	assert_true(n > 5);
	assert_string_equal(err_kind_name((enum err_kind)n), "unknown");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(set),
		cmocka_unit_test(from_errno),
		cmocka_unit_test(positioned),
		cmocka_unit_test(wrapped),
		cmocka_unit_test(too_long),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
