/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"

static char folder[] = "/tmp/wsgw-test-log-XXXXXX";
static char path[80], moved[80];

static struct {
	int priority;
	char text[2000];
} syslogged;

/* In place of libc's, by both names that the compiler may choose. */
void syslog(int priority, const char *fmt, ...) PRINTF_LIKE(2, 3);
void __syslog_chk(int priority, int flag, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

void
syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	syslogged.priority = priority;
	vsnprintf(syslogged.text, sizeof(syslogged.text), fmt, ap);
	va_end(ap);
}

void
__syslog_chk(int priority, int flag UNUSED, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	syslogged.priority = priority;
	vsnprintf(syslogged.text, sizeof(syslogged.text), fmt, ap);
	va_end(ap);
}

static const char *
content(const char *name)
{
	static char text[300000];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	assert_true(fd >= 0);
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	return text;
}

static int
start(void **state UNUSED)
{
	struct err err;

	unlink(path);
	unlink(moved);
	/* 2024-02-29T12:34:56.789Z */
	clock_set(5000, INT64_C(1709210096789012));
	log_process("");
	return log_open(path, LOG_L_INFO, LOG_F_TEXT, &err);
}

static int
stop(void **state UNUSED)
{
	log_close();
	log_threshold = LOG_L_INFO;
	clock_unset();
	return 0;
}

#define STAMP "2024-02-29T12:34:56.789Z"

static void
text_lines(void **state UNUSED)
{
	log_info("port %d open", 9091);
	log_process("worker 1");
	log_error("gone");
	log_line(LOG_L_WARN, STR("LogMediator"), STR("a = 1"));
	assert_string_equal(content(path),
	    STAMP " info port 9091 open\n"
	    STAMP " error [worker 1] gone\n"
	    STAMP " warn [worker 1] LogMediator: a = 1\n");
}

static void
json_lines(void **state UNUSED)
{
	char want[600];
	struct err err;

	assert_int_equal(log_open(path, LOG_L_INFO, LOG_F_JSON, &err), 0);
	log_info("say \"hi\"\n");
	log_process("wor\"ker");
	log_line(LOG_L_ERROR, STR("Log\tMediator"), STR("a\\b\x01\xFF\x7F"));
	snprintf(want, sizeof(want),
	    "{\"time\":\"" STAMP "\",\"level\":\"info\",\"pid\":%ld,"
	    "\"message\":\"say \\\"hi\\\"\\u000a\"}\n"
	    "{\"time\":\"" STAMP "\",\"level\":\"error\",\"pid\":%ld,"
	    "\"process\":\"wor\\\"ker\",\"origin\":\"Log\\u0009Mediator\","
	    "\"message\":\"a\\\\b\\u0001\xEF\xBF\xBD\\u007f\"}\n",
	    (long)getpid(), (long)getpid());
	assert_string_equal(content(path), want);
}

static void
levels(void **state UNUSED)
{
	static const char *const names[] = { "trace", "debug", "info", "warn",
		"error" };
	struct err err;
	enum log_level level;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		level = LOG_L_ERROR;
		assert_true(log_level_parse(str_of(names[i]), &level));
		assert_int_equal(level, i);
		assert_string_equal(log_level_name(level), names[i]);
	}
	assert_false(log_level_parse(STR("Info"), &level));
	assert_false(log_level_parse(STR(""), &level));
	assert_false(log_level_parse(STR("warning"), &level));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *text;
		size_t lines = 0;

		unlink(path);
		assert_int_equal(log_open(path, (enum log_level)i, LOG_F_TEXT,
		    &err), 0);
		log_trace("x");
		log_debug("x");
		log_info("x");
		log_warn("x");
		log_error("x");
		log_line(LOG_L_TRACE, STR(""), STR("x"));
		for (text = content(path); *text; text++)
			lines += *text == '\n';
		assert_int_equal(lines, 5 - i + (i == 0));
	}
}

static const struct {
	struct str raw;
	const char *shown;
} escapes[] = {
	{ { "", 0 }, "" },
	{ { "plain ~!", 8 }, "plain ~!" },
	{ { "a\nb", 3 }, "a\\nb" },
	{ { "a\r\t\\", 4 }, "a\\r\\t\\\\" },
	{ { "\0\x01\x1B[31m", 7 }, "\\x00\\x01\\x1b[31m" },
	{ { "\x7F", 1 }, "\\x7f" },
	{ { "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9 },
	  "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
	/* invalid: alone, cut off, overlong, surrogate, too high */
	{ { "\x80", 1 }, "\\x80" },
	{ { "\xC3", 1 }, "\\xc3" },
	{ { "\xC3(", 2 }, "\\xc3(" },
	{ { "\xE2\x82", 2 }, "\\xe2\\x82" },
	{ { "\xC0\xAF", 2 }, "\\xc0\\xaf" },
	{ { "\xED\xA0\x80", 3 }, "\\xed\\xa0\\x80" },
	{ { "\xF4\x90\x80\x80", 4 }, "\\xf4\\x90\\x80\\x80" },
	{ { "\xFFok", 3 }, "\\xffok" },
	/* C1 controls, line and paragraph separator break lines too */
	{ { "\xC2\x85", 2 }, "\\xc2\\x85" },
	{ { "\xE2\x80\xA8", 3 }, "\\xe2\\x80\\xa8" },
	{ { "\xE2\x80\xA9", 3 }, "\\xe2\\x80\\xa9" },
	{ { "\xC2\xA0", 2 }, "\xC2\xA0" },
};

static void
escaped(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		struct buf b = { 0 };

		log_escape(&b, escapes[i].raw);
		assert_string_equal(buf_cstr(&b), escapes[i].shown);
		buf_fini(&b);
	}
}

static void
json_strings(void **state UNUSED)
{
	static const struct {
		struct str raw;
		const char *shown;
	} rows[] = {
		{ { "", 0 }, "\"\"" },
		{ { "a\"b\\c/", 6 }, "\"a\\\"b\\\\c/\"" },
		{ { "\0\n\x1F\x7F", 4 }, "\"\\u0000\\u000a\\u001f\\u007f\"" },
		{ { "\xC3\xA9", 2 }, "\"\xC3\xA9\"" },
		{ { "\xC3", 1 }, "\"\xEF\xBF\xBD\"" },
		{ { "\xED\xA0\x80", 3 },
		  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { 0 };

		log_json_string(&b, rows[i].raw);
		assert_string_equal(buf_cstr(&b), rows[i].shown);
		buf_fini(&b);
	}
}

/* Neither the text nor the origin nor an argument can begin a line. */
static void
nobody_forges_a_line(void **state UNUSED)
{
	const char *text;

	log_info("%s", "one\n" STAMP " error forged");
	log_line(LOG_L_INFO, STR("two\nforged"), STR("three\r\nforged"));
	text = content(path);
	assert_null(strstr(text, "\nforged"));
	assert_string_equal(text,
	    STAMP " info one\\n" STAMP " error forged\n"
	    STAMP " info two\\nforged: three\\r\\nforged\n");
}

static void
reopened(void **state UNUSED)
{
	struct err err;

	log_info("before");
	assert_int_equal(rename(path, moved), 0);
	log_info("between");
	assert_int_equal(log_reopen(&err), 0);
	log_info("after");
	assert_string_equal(content(moved), STAMP " info before\n" STAMP
	    " info between\n");
	assert_string_equal(content(path), STAMP " info after\n");
}

static void
failures_keep_the_sink(void **state UNUSED)
{
	struct err err;
	char nowhere[120];

	snprintf(nowhere, sizeof(nowhere), "%s/none/log", folder);
	assert_int_equal(log_open(nowhere, LOG_L_ERROR, LOG_F_JSON, &err), -1);
	assert_non_null(strstr(err.text, nowhere));
	assert_int_equal(err.kind, ERR_NOTFOUND);
	log_info("still here");
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(log_reopen(&err), -1);
	log_info("and here");
	assert_int_equal(rmdir(path), 0);
	assert_string_equal(content(moved), STAMP " info still here\n" STAMP
	    " info and here\n");
}

static void
file_is_private(void **state UNUSED)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0137, 0);
}

static void
appended(void **state UNUSED)
{
	struct err err;

	log_info("one");
	assert_int_equal(log_open(path, LOG_L_INFO, LOG_F_TEXT, &err), 0);
	log_info("two");
	assert_string_equal(content(path), STAMP " info one\n" STAMP
	    " info two\n");
}

static void
to_stderr(void **state UNUSED)
{
	int saved = dup(STDERR_FILENO), fd;
	struct err err;

	log_close();
	fd = open(moved, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(saved >= 0 && fd >= 0);
	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	log_info("closed goes to stderr");
	assert_int_equal(log_reopen(&err), 0);
	assert_int_equal(log_open("stderr", LOG_L_WARN, LOG_F_TEXT, &err), 0);
	log_info("not this");
	log_warn("but this");
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(fd);
	assert_string_equal(content(moved), STAMP
	    " info closed goes to stderr\n" STAMP " warn but this\n");
}

static void
to_syslog(void **state UNUSED)
{
	static const struct {
		enum log_level level;
		int priority;
	} rows[] = { { LOG_L_TRACE, 7 }, { LOG_L_DEBUG, 7 }, { LOG_L_INFO, 6 },
		{ LOG_L_WARN, 4 }, { LOG_L_ERROR, 3 } };
	struct err err;

	assert_int_equal(log_open("syslog", LOG_L_TRACE, LOG_F_TEXT, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		log_line(rows[i].level, STR("part"), STR("100%s\n"));
		assert_int_equal(syslogged.priority, rows[i].priority);
		/* time and name are the system log's business */
		assert_string_equal(syslogged.text, "part: 100%s\\n");
	}
	assert_int_equal(log_reopen(&err), 0);
}

static void
one_a_second(void **state UNUSED)
{
	struct log_rate rate = { 0 }, other = { 0 };

	clock_set(0, INT64_C(1709210096789012));
	for (int i = 0; i < 5; i++)
		log_limited(&rate, LOG_L_WARN, "n %d", i);
	log_limited(&other, LOG_L_WARN, "other");
	clock_set(999, INT64_C(1709210096789012));
	log_limited(&rate, LOG_L_WARN, "too early");
	clock_set(1001, INT64_C(1709210096789012));
	log_limited(&rate, LOG_L_WARN, "next");
	log_limited(&rate, LOG_L_DEBUG, "below the level counts for nothing");
	clock_set(2001, INT64_C(1709210096789012));
	log_limited(&rate, LOG_L_WARN, "last");
	assert_string_equal(content(path), STAMP " warn n 0\n"
	    STAMP " warn other\n"
	    STAMP " warn next (5 more of these were left out)\n"
	    STAMP " warn last\n");
}

/* However long the record, what was left out is told. */
static void
long_records(void **state UNUSED)
{
	struct log_rate rate = { 0 };
	char big[3000];
	const char *text;

	memset(big, 'b', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_limited(&rate, LOG_L_WARN, "%s", big);
	log_limited(&rate, LOG_L_WARN, "%s", big);
	clock_set(9000, INT64_C(1709210096789012));
	log_limited(&rate, LOG_L_WARN, "%s", big);
	text = content(path);
	assert_non_null(strstr(text, "bbb (1 more of these were left out)\n"));
	/* log_line() cuts nothing */
	unlink(path);
	assert_int_equal(log_reopen(NULL), 0);
	for (int i = 0; i < 2; i++) {
		static char huge[100001];

		memset(huge, 'h', sizeof(huge) - 1);
		log_line(LOG_L_INFO, STR(""), str_of(huge));
	}
	assert_int_equal(strlen(content(path)),
	    2 * (strlen(STAMP " info \n") + 100000));
}

static void
errno_is_left_alone(void **state UNUSED)
{
	struct log_rate rate = { 0 };

	log_close();
	/* a sink that fails */
	assert_int_equal(log_open("/dev/full", LOG_L_INFO, LOG_F_TEXT, NULL),
	    0);
	errno = EXDEV;
	log_info("lost");
	assert_int_equal(errno, EXDEV);
	log_limited(&rate, LOG_L_INFO, "lost");
	assert_int_equal(errno, EXDEV);
	log_line(LOG_L_INFO, STR(""), STR("lost"));
	assert_int_equal(errno, EXDEV);
}

static void
timestamps(void **state UNUSED)
{
	static const struct {
		int64_t us;
		const char *shown;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 999, "1970-01-01T00:00:00.000Z" },
		{ INT64_C(951827696001000), "2000-02-29T12:34:56.001Z" },
		{ INT64_C(4102444799999999), "2099-12-31T23:59:59.999Z" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { 0 };

		clock_set(1, rows[i].us);
		log_timestamp(&b);
		assert_string_equal(buf_cstr(&b), rows[i].shown);
		buf_fini(&b);
	}
}

static int
make_folder(void **state UNUSED)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	return 0;
}

static int
drop_folder(void **state UNUSED)
{
	unlink(path);
	unlink(moved);
	return rmdir(folder);
}

#define row(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		row(text_lines), row(json_lines), row(levels), row(escaped),
		row(json_strings), row(nobody_forges_a_line), row(reopened),
		row(failures_keep_the_sink), row(file_is_private),
		row(appended), row(to_stderr), row(to_syslog),
		row(one_a_second), row(long_records),
		row(errno_is_left_alone), row(timestamps),
	};

	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
