/* SPDX-License-Identifier: Apache-2.0 */
/* Heads, whole and byte by byte, and the handshake on top of them. */
#include "fuzz.h"

#include <string.h>

#include "base/must.h"
#include "base/utf8.h"
#include "http/emit.h"
#include "http/head.h"
#include "ws/handshake.h"

static const struct http_limits limits = {
	.line_bytes = 300, .head_bytes = 1200, .headers = 20,
};

static void
check_slices(const struct http_head *h, const char *p, size_t used)
{
	for (size_t i = 0; i < h->count; i++) {
		struct str name = h->header[i].name;
		struct str value = h->header[i].value;

		must(http_is_token(name) && http_safe_value(value));
		must(name.p >= p && value.p + value.n <= p + used);
		must(value.n == 0 || !strchr(" \t", value.p[0]));
	}
}

/* A head that is done ends in an empty line and holds no other. */
static void
check_end(const char *p, size_t used)
{
	struct str s = { p, used };
	size_t start = str_starts(s, "\r\n") ? 2 : 0;

	must(str_ends(s, "\r\n\r\n"));
	must(str_search(str_from(s, start), STR("\r\n\r\n")) + 4 ==
	    used - start);
}

static void
check_upgrade(const struct http_head *h)
{
	struct ws_refusal refusal;
	struct str offers[8];
	struct buf b = { 0 };
	struct str out;

	for (size_t n = ws_offered_protocols(h, offers, 8); n-- > 0;)
		must(offers[n].n && http_safe_value(offers[n]));
	if (ws_check_request(h, &refusal) < 0)
		ws_refuse_write(&b, &refusal);
	else
		ws_accept_write(&b, h, http_get(h, "Sec-WebSocket-Protocol"),
		    STR(""));
	out = buf_str(&b);
	must(str_starts(out, "HTTP/1.1 "));
	must(str_search(out, STR("\r\n\r\n")) < out.n);
	must(utf8_valid(out.p, out.n));
	buf_fini(&b);
}

static void
try_request(const char *p, size_t n)
{
	struct http_head h, again;
	size_t scanned = 0, used = 0, used_again = 0;
	int status = 0, status_again = 0;
	enum http_result r, step = HTTP_MORE;
	struct err err;

	r = http_parse_request(p, n, &scanned, &limits, &h, &used, &status,
	    &err);
	scanned = 0;
	for (size_t i = 0; i <= n && step == HTTP_MORE; i++)
		step = http_parse_request(p, i, &scanned, &limits, &again,
		    &used_again, &status_again, &err);
	must(step == r && used == used_again && status == status_again);
	if (r != HTTP_DONE)
		return;
	must(used <= n && used <= limits.head_bytes + 2);
	check_end(p, used);
	check_slices(&h, p, used);
	check_upgrade(&h);
}

static void
try_response(const char *p, size_t n)
{
	static const struct ws_dial dial = {
		.key = "dGhlIHNhbXBsZSBub25jZQ==",
		.protocol = { "a, b", 4 },
	};
	struct http_head h;
	size_t scanned = 0, used = 0;
	enum http_result r, step = HTTP_MORE;
	struct str protocol;
	struct err err;

	r = http_parse_response(p, n, &scanned, &limits, &h, &used, &err);
	scanned = 0;
	for (size_t i = 0; i <= n && step == HTTP_MORE; i++)
		step = http_parse_response(p, i, &scanned, &limits, &h, &used,
		    &err);
	must(step == r);
	if (r != HTTP_DONE)
		return;
	check_end(p, used);
	check_slices(&h, p, used);
	must(h.status >= 100 && h.status <= 999);
	if (ws_check_response(&h, &dial, &protocol, &err) == 0)
		must(!protocol.p || str_is(protocol, "a") ||
		    str_is(protocol, "b") || str_is(protocol, "a, b"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	try_request((const char *)p, n);
	try_response((const char *)p, n);
	return 0;
}
