/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static PRINTF_LIKE(5, 0) void
fill(struct err *err, enum err_kind kind, int sys, struct src_pos at,
    const char *fmt, va_list ap)
{
	err->kind = kind;
	err->sys = sys;
	err->at = at;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
}

int
err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	fill(err, kind, 0, (struct src_pos){ 0 }, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_sys(struct err *err, const char *fmt, ...)
{
	int sys = errno;
	enum err_kind kind = ERR_IO;
	size_t n;
	va_list ap;

	if (!err)
		return -1;
	if (sys == EACCES || sys == EPERM)
		kind = ERR_DENIED;
	else if (sys == EADDRINUSE)
		kind = ERR_INUSE;
	else if (sys == ENOENT)
		kind = ERR_NOTFOUND;
	va_start(ap, fmt);
	fill(err, kind, sys, (struct src_pos){ 0 }, fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(sys));
	return -1;
}

int
err_at(struct err *err, struct src_pos at, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, fmt);
	fill(err, ERR_SYNTAX, 0, at, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_wrap(struct err *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	size_t n;
	va_list ap;

	if (!err)
		return -1;
	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %.*s",
	    (int)(sizeof(err->text) - n), old);
	return -1;
}

const char *
err_kind_name(enum err_kind kind)
{
	static const char *const names[] = {
#define ERR(name, text) [ERR_##name] = text,
#include "base/err.def"
#undef ERR
	};

	return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "unknown";
}
