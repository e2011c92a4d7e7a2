/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static char name[] = "/tmp/wsgw-test-diag-XXXXXX";
static struct diag d;

static int
write_source(void **state UNUSED)
{
	static const char text[] = "first\n"
	    "\t<filter \xC3\xA9 xpath=\"x\"/>\r\n"
	    "\n"
	    "last, without an end";
	int fd = mkstemp(name);

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		return -1;
	return close(fd);
}

static int
drop_source(void **state UNUSED)
{
	return unlink(name);
}

static int
fresh(void **state UNUSED)
{
	memset(&d, 'x', sizeof(d));
	diag_init(&d);
	return 0;
}

/* %F in want stands for the name of the source file. */
static void
prints(const char *want)
{
	char got[8000], full[8000] = "";
	FILE *f = fmemopen(got, sizeof(got), "w");

	assert_non_null(f);
	diag_print(&d, f);
	fputc('\0', f);
	fclose(f);
	for (char *to = full; *want; want++)
		if (want[0] == '%' && want[1] == 'F') {
			to = strcpy(to, name) + strlen(name);
			want++;
		} else {
			*to++ = *want;
			*to = '\0';
		}
	assert_string_equal(got, full);
}

static struct src_pos
at(int line, int column)
{
	return (struct src_pos){ name, line, column };
}

static void
nothing(void **state UNUSED)
{
	prints("");
	assert_int_equal(d.errors, 0);
	assert_int_equal(d.warnings, 0);
}

static void
with_line_and_caret(void **state UNUSED)
{
	assert_int_equal(diag_error(&d, at(1, 3), "bad %s", "thing"), -1);
	prints("%F:1: bad thing\n    first\n      ^\n");
}

static void
without_column(void **state UNUSED)
{
	assert_int_equal(diag_warn(&d, at(1, 0), "odd"), 0);
	prints("%F:1: warning: odd\n    first\n");
	assert_int_equal(d.warnings, 1);
	assert_int_equal(d.errors, 0);
}

/* The caret stands under the byte, behind the same tabs, and a character of
 * two bytes takes one place. */
static void
tabs_and_characters(void **state UNUSED)
{
	diag_error(&d, at(2, 2), "a");
	diag_error(&d, at(2, 13), "b");
	prints("%F:2: a\n    \t<filter \xC3\xA9 xpath=\"x\"/>\n"
	    "    \t^\n"
	    "%F:2: b\n    \t<filter \xC3\xA9 xpath=\"x\"/>\n"
	    "    \t          ^\n");
}

static void
caret_at_the_ends(void **state UNUSED)
{
	diag_error(&d, at(1, 6), "behind");
	diag_error(&d, at(1, 7), "beyond");
	diag_error(&d, at(3, 1), "empty");
	diag_error(&d, at(4, 1), "last");
	prints("%F:1: behind\n    first\n         ^\n"
	    "%F:1: beyond\n    first\n"
	    "%F:3: empty\n    \n    ^\n"
	    "%F:4: last\n    last, without an end\n    ^\n");
}

static void
no_such_place(void **state UNUSED)
{
	diag_error(&d, at(5, 1), "behind the end");
	diag_error(&d, at(0, 0), "whole file");
	diag_error(&d, (struct src_pos){ "/nonexistent/a.xml", 3, 1 }, "gone");
	diag_error(&d, (struct src_pos){ "/", 3, 1 }, "a folder");
	diag_error(&d, (struct src_pos){ 0 }, "nowhere");
	prints("%F:5: behind the end\n%F: whole file\n"
	    "/nonexistent/a.xml:3: gone\n/:3: a folder\nnowhere\n");
}

static void
only_so_many(void **state UNUSED)
{
	char want[4000] = "";

	for (int i = 0; i < DIAG_MAX; i++) {
		diag_error(&d, (struct src_pos){ 0 }, "e%d", i);
		sprintf(want + strlen(want), "e%d\n", i);
	}
	prints(want);
	assert_int_equal(diag_error(&d, at(1, 1), "one more"), -1);
	assert_int_equal(diag_warn(&d, at(1, 1), "and one"), 0);
	assert_int_equal(d.errors, DIAG_MAX + 1);
	assert_int_equal(d.warnings, 1);
	assert_int_equal(d.count, DIAG_MAX);
	strcat(want, "and 2 more\n");
	prints(want);
}

/* What is added is copied: file names and texts may go. */
static void
copied(void **state UNUSED)
{
	char file[] = "a.xml";
	struct err err;

	err_at(&err, (struct src_pos){ file, 7, 0 }, "text");
	assert_int_equal(diag_add(&d, DIAG_ERROR, &err), -1);
	assert_int_equal(diag_add(&d, DIAG_WARNING, &err), 0);
	memset(file, '?', 5);
	memset(err.text, '?', 4);
	prints("a.xml:7: text\na.xml:7: warning: text\n");
}

/* A path that does not fit keeps its end, where the file's name is. */
static void
long_names(void **state UNUSED)
{
	char file[600], want[700];
	size_t room = sizeof(d.item[0].file) - 1;

	memset(file, 'd', sizeof(file));
	strcpy(file + sizeof(file) - 7, "/a.xml");
	diag_error(&d, (struct src_pos){ file, 7, 0 }, "text");
	snprintf(want, sizeof(want), "...%s:7: text\n",
	    file + strlen(file) - (room - 3));
	prints(want);
}

#define row(f) cmocka_unit_test_setup(f, fresh)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		row(nothing), row(with_line_and_caret), row(without_column),
		row(tabs_and_characters), row(caret_at_the_ends),
		row(no_such_place), row(only_so_many), row(copied),
		row(long_names),
	};

	return cmocka_run_group_tests(tests, write_source, drop_source);
}
