/* SPDX-License-Identifier: Apache-2.0 */
#include "http/emit.h"

#include "base/must.h"
#include "http/head.h"

bool
http_safe_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

const char *
http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} known[] = {
		{ 101, "Switching Protocols" },
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 426, "Upgrade Required" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i].status == status)
			return known[i].reason;
	return "Error";
}

void
http_emit_status(struct buf *b, int status)
{
	buf_printf(b, "HTTP/1.1 %d %s\r\n", status, http_reason(status));
}

void
http_emit_request(struct buf *b, struct str method, struct str target)
{
	must(http_is_token(method) && http_safe_value(target));
	buf_add_str(b, method);
	buf_putc(b, ' ');
	buf_add_str(b, target);
	buf_addz(b, " HTTP/1.1\r\n");
}

bool
http_emit_header(struct buf *b, struct str name, struct str value)
{
	if (!http_is_token(name) || !http_safe_value(value))
		return false;
	buf_add_str(b, name);
	buf_addz(b, ": ");
	buf_add_str(b, value);
	buf_addz(b, "\r\n");
	return true;
}

void
http_emit_end(struct buf *b)
{
	buf_addz(b, "\r\n");
}

void
http_emit_text(struct buf *b, int status, enum http_after after,
    struct str extra, struct str body)
{
	http_emit_status(b, status);
	buf_addz(b, "Content-Type: text/plain; charset=utf-8\r\n");
	buf_printf(b, "Content-Length: %zu\r\n", body.n ? body.n + 1 : 0);
	if (after == HTTP_CLOSE)
		buf_addz(b, "Connection: close\r\n");
	buf_add_str(b, extra);
	http_emit_end(b);
	buf_add_str(b, body);
	if (body.n)
		buf_putc(b, '\n');
}
