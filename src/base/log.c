/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/utf8.h"

enum sink { SINK_STDERR, SINK_FILE, SINK_SYSLOG };

static struct {
	enum sink sink;
	enum log_format format;
	int fd;
	char *path;
	char process[32];
	struct buf line;
} out = { .sink = SINK_STDERR, .fd = STDERR_FILENO };

enum log_level log_threshold = LOG_L_INFO;

static const char *const names[] = {
	[LOG_L_TRACE] = "trace", [LOG_L_DEBUG] = "debug", [LOG_L_INFO] = "info",
	[LOG_L_WARN] = "warn", [LOG_L_ERROR] = "error",
};

bool
log_level_parse(struct str s, enum log_level *level_out)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_is(s, names[i])) {
			*level_out = (enum log_level)i;
			return true;
		}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return names[level];
}

static int
open_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);

	return fd < 0 ? err_sys(err, "cannot open log file %s", path) : fd;
}

int
log_open(const char *target, enum log_level level, enum log_format format,
    struct err *err)
{
	int fd = STDERR_FILENO;
	enum sink sink = SINK_STDERR;

	if (strcmp(target, "syslog") == 0) {
		sink = SINK_SYSLOG;
		fd = -1;
	} else if (strcmp(target, "stderr") != 0) {
		sink = SINK_FILE;
		fd = open_file(target, err);
		if (fd < 0)
			return -1;
	}
	log_close();
	if (sink == SINK_SYSLOG)
		openlog("wsgw", LOG_PID | LOG_NDELAY, LOG_DAEMON);
	out.sink = sink;
	out.fd = fd;
	out.format = format;
	if (sink == SINK_FILE)
		out.path = xstrdup(target);
	log_threshold = level;
	return 0;
}

int
log_reopen(struct err *err)
{
	int fd;

	if (out.sink != SINK_FILE)
		return 0;
	fd = open_file(out.path, err);
	if (fd < 0)
		return -1;
	close(out.fd);
	out.fd = fd;
	return 0;
}

void
log_close(void)
{
	if (out.sink == SINK_FILE)
		close(out.fd);
	if (out.sink == SINK_SYSLOG)
		closelog();
	free(out.path);
	out.path = NULL;
	out.sink = SINK_STDERR;
	out.fd = STDERR_FILENO;
	buf_fini(&out.line);
}

void
log_process(const char *name)
{
	snprintf(out.process, sizeof(out.process), "%s", name);
}

static void
escape_byte(struct buf *b, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_addz(b, "\\n");
		break;
	case '\r':
		buf_addz(b, "\\r");
		break;
	case '\t':
		buf_addz(b, "\\t");
		break;
	case '\\':
		buf_addz(b, "\\\\");
		break;
	default:
		buf_printf(b, "\\x%02x", c);
		break;
	}
}

void
log_escape(struct buf *b, struct str s)
{
	size_t i = 0;

	while (i < s.n) {
		uint32_t code;
		size_t len = utf8_decode(s.p + i, s.n - i, &code);
		bool plain = len && code >= 0x20 && code != 0x7F &&
		    code != '\\' && (code < 0x80 || code > 0x9F) &&
		    code != 0x2028 && code != 0x2029;

		if (plain) {
			buf_add(b, s.p + i, len);
			i += len;
			continue;
		}
		for (size_t end = i + (len ? len : 1); i < end; i++)
			escape_byte(b, (unsigned char)s.p[i]);
	}
}

void
log_json_string(struct buf *b, struct str s)
{
	size_t i = 0;

	buf_putc(b, '"');
	while (i < s.n) {
		uint32_t code;
		size_t len = utf8_decode(s.p + i, s.n - i, &code);

		if (!len) {
			buf_addz(b, "\xEF\xBF\xBD");
			i++;
			continue;
		}
		if (code == '"' || code == '\\')
			buf_printf(b, "\\%c", (char)code);
		else if (code < 0x20 || code == 0x7F)
			buf_printf(b, "\\u%04x", (unsigned)code);
		else
			buf_add(b, s.p + i, len);
		i += len;
	}
	buf_putc(b, '"');
}

void
log_timestamp(struct buf *b)
{
	int64_t us = clock_wall_us();
	time_t sec = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&sec, &tm);
	buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
	    (int)(us % 1000000 / 1000));
}

static int
syslog_priority(enum log_level level)
{
	switch (level) {
	case LOG_L_TRACE:
	case LOG_L_DEBUG:
		return LOG_DEBUG;
	case LOG_L_INFO:
		return LOG_INFO;
	case LOG_L_WARN:
		return LOG_WARNING;
	case LOG_L_ERROR:
		return LOG_ERR;
	}
	return LOG_INFO;
}

static void
format_text(struct buf *b, enum log_level level, struct str origin,
    struct str text)
{
	if (out.sink != SINK_SYSLOG) {
		log_timestamp(b);
		buf_printf(b, " %s ", names[level]);
		if (out.process[0])
			buf_printf(b, "[%s] ", out.process);
	}
	if (origin.n) {
		log_escape(b, origin);
		buf_addz(b, ": ");
	}
	log_escape(b, text);
}

static void
format_json(struct buf *b, enum log_level level, struct str origin,
    struct str text)
{
	buf_addz(b, "{\"time\":\"");
	log_timestamp(b);
	buf_printf(b, "\",\"level\":\"%s\",\"pid\":%ld", names[level],
	    (long)getpid());
	if (out.process[0]) {
		buf_addz(b, ",\"process\":");
		log_json_string(b, str_of(out.process));
	}
	if (origin.n) {
		buf_addz(b, ",\"origin\":");
		log_json_string(b, origin);
	}
	buf_addz(b, ",\"message\":");
	log_json_string(b, text);
	buf_putc(b, '}');
}

/* A log that cannot be written has nowhere to say so: what is lost is lost. */
static void
write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		s = str_from(s, (size_t)n);
	}
}

void
log_line(enum log_level level, struct str origin, struct str text)
{
	struct buf *b = &out.line;
	int saved = errno;

	if (level < log_threshold)
		return;
	b->from = b->to = 0;
	if (out.format == LOG_F_JSON)
		format_json(b, level, origin, text);
	else
		format_text(b, level, origin, text);
	if (out.sink == SINK_SYSLOG) {
		syslog(syslog_priority(level), "%s", buf_cstr(b));
	} else {
		buf_putc(b, '\n');
		write_all(out.fd, buf_str(b));
	}
	if (b->cap > 65536)
		buf_fini(b);
	errno = saved;
}

static PRINTF_LIKE(2, 0) void
write_va(enum log_level level, const char *fmt, va_list ap, unsigned dropped)
{
	enum { TEXT = 1024, TAIL = 64 };
	char small[TEXT + TAIL];
	size_t n;

	vsnprintf(small, TEXT, fmt, ap);
	n = strlen(small);
	if (dropped)
		snprintf(small + n, TAIL, " (%u more of these were left out)",
		    dropped);
	log_line(level, STR(""), str_of(small));
}

void
log_write(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	write_va(level, fmt, ap, 0);
	va_end(ap);
}

void
log_limited(struct log_rate *at, enum log_level level, const char *fmt, ...)
{
	int64_t now = clock_ms();
	va_list ap;

	if (!log_on(level))
		return;
	if (at->last_ms && now - at->last_ms < 1000) {
		at->suppressed++;
		return;
	}
	va_start(ap, fmt);
	write_va(level, fmt, ap, at->suppressed);
	va_end(ap);
	at->last_ms = now ? now : 1;
	at->suppressed = 0;
}
