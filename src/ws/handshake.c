/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/handshake.h"

/* OpenSSL has a type of the name that err.def gives to a kind. */
#define ERR_STATE openssl_err_state
#include <openssl/evp.h>
#undef ERR_STATE
#include <stdio.h>

#include "base/b64.h"
#include "base/must.h"
#include "base/rand.h"
#include "http/emit.h"
#include "http/head.h"
#include "http/uri.h"

enum { KEY_BYTES = 16, SHA1_BYTES = 20, ACCEPT_LEN = 28 };

#define ALLOW_GET "Allow: GET\r\n"
#define UPGRADE_WEBSOCKET "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION_13 "Sec-WebSocket-Version: 13\r\n"

static int
refuse(struct ws_refusal *r, int status, const char *extra, const char *text)
{
	r->status = status;
	r->extra = extra;
	snprintf(r->text, sizeof(r->text), "%s", text);
	return -1;
}

static int
refuse_400(struct ws_refusal *r, const char *text)
{
	return refuse(r, 400, "", text);
}

/* A body would lie where frames are expected (RFC 9112 section 11.2). */
static int
check_body(const struct http_head *h, struct ws_refusal *r)
{
	uint64_t length;

	switch (http_body(h, &length)) {
	case HTTP_BODY_NONE:
		return 0;
	case HTTP_BODY_LENGTH:
		if (length > WS_BODY_LARGE)
			return refuse(r, 413, "", "request body is too large");
		return refuse_400(r, "an upgrade request has no body");
	case HTTP_BODY_CODED:
		return refuse_400(r, "an upgrade request has no body");
	case HTTP_BODY_BAD:
		return refuse_400(r,
		    "bad Content-Length or Transfer-Encoding");
	}
	unreachable();
}

static int
check_target(const struct http_head *h, struct ws_refusal *r)
{
	struct str path, query;

	if (uri_split_target(h->target, &path, &query, NULL) < 0)
		return refuse_400(r, "bad request target");
	if (http_count(h, "Host") != 1)
		return refuse_400(r, "exactly one Host header is needed");
	if (!uri_is_authority(http_get(h, "Host")))
		return refuse_400(r, "bad Host header");
	return 0;
}

static int
check_upgrade(const struct http_head *h, struct ws_refusal *r)
{
	if (!http_has_token(h, "Upgrade", "websocket"))
		return refuse(r, 426, UPGRADE_WEBSOCKET,
		    "this is a WebSocket endpoint");
	if (!http_has_token(h, "Connection", "upgrade"))
		return refuse_400(r, "Connection header without \"upgrade\"");
	if (http_count(h, "Sec-WebSocket-Version") > 1)
		return refuse_400(r, "more than one Sec-WebSocket-Version");
	if (!str_is(http_get(h, "Sec-WebSocket-Version"), "13"))
		return refuse(r, 426, UPGRADE_WEBSOCKET VERSION_13,
		    "WebSocket version 13 is needed");
	return 0;
}

static int
check_key(const struct http_head *h, struct ws_refusal *r)
{
	struct str key = http_get(h, "Sec-WebSocket-Key");
	char bytes[WS_KEY_LEN];
	size_t n;

	if (http_count(h, "Sec-WebSocket-Key") != 1)
		return refuse_400(r,
		    "exactly one Sec-WebSocket-Key header is needed");
	if (key.n != WS_KEY_LEN || !b64_decode(key.p, key.n, bytes, &n) ||
	    n != KEY_BYTES)
		return refuse_400(r,
		    "Sec-WebSocket-Key is not base64 of 16 bytes");
	return 0;
}

int
ws_check_request(const struct http_head *h, struct ws_refusal *r)
{
	if (!str_is(h->method, "GET"))
		return refuse(r, 405, ALLOW_GET, "only GET is allowed");
	if (h->minor == 0)
		return refuse_400(r, "HTTP/1.1 is needed");
	if (check_body(h, r) < 0 || check_target(h, r) < 0 ||
	    check_upgrade(h, r) < 0)
		return -1;
	return check_key(h, r);
}

/* Length of the part up to the comma that ends it; commas in quotes or
 * parentheses do not. */
static size_t
part_len(struct str s)
{
	unsigned depth = 0;
	char quote = '\0';

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || (c == '\'' && depth))
			quote = c;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (c == ',' && depth == 0)
			return i;
	}
	return depth || quote ? str_find(s, ',') : s.n;
}

/* Takes the next part that is not empty off *rest. */
static bool
next_protocol(struct str *rest, struct str *part_out)
{
	while (rest->n) {
		size_t n = part_len(*rest);

		*part_out = str_trim(str_head(*rest, n));
		*rest = str_from(*rest, n + 1);
		if (part_out->n)
			return true;
	}
	return false;
}

size_t
ws_offered_protocols(const struct http_head *h, struct str *out, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < h->count; i++) {
		struct str rest = h->header[i].value, part;

		if (!str_iis(h->header[i].name, "Sec-WebSocket-Protocol"))
			continue;
		while (count < max && next_protocol(&rest, &part))
			out[count++] = part;
	}
	return count;
}

/* RFC 6455 4.2.2 (5.4): base64 of SHA-1 of the key and a fixed text. */
static void
make_accept(struct str key, char *out)
{
	static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[WS_KEY_LEN + sizeof(guid) - 1];
	unsigned n;

	must(key.n == WS_KEY_LEN);
	memcpy(text, key.p, WS_KEY_LEN);
	memcpy(text + WS_KEY_LEN, guid, sizeof(guid) - 1);
	must(EVP_Digest(text, sizeof(text), digest, &n, EVP_sha1(), NULL) == 1);
	must(n == SHA1_BYTES && b64_encoded_len(n) == ACCEPT_LEN);
	b64_encode(digest, n, out);
}

void
ws_accept_write(struct buf *b, const struct http_head *h, struct str protocol,
    struct str extra)
{
	char accept[ACCEPT_LEN];

	make_accept(http_get(h, "Sec-WebSocket-Key"), accept);
	http_emit_status(b, 101);
	buf_addz(b, UPGRADE_WEBSOCKET);
	http_emit_header(b, STR("Sec-WebSocket-Accept"),
	    (struct str){ accept, sizeof(accept) });
	if (protocol.p)
		http_emit_header(b, STR("Sec-WebSocket-Protocol"), protocol);
	buf_add_str(b, extra);
	http_emit_end(b);
}

void
ws_refuse_write(struct buf *b, const struct ws_refusal *r)
{
	http_emit_text(b, r->status, HTTP_CLOSE, str_of(r->extra),
	    str_of(r->text));
}

/* The target with its path, which a URI may leave out. */
static void
emit_target(struct buf *b, struct str target)
{
	struct buf whole = { 0 };

	if (target.n == 0 || target.p[0] != '/')
		buf_putc(&whole, '/');
	buf_add_str(&whole, target);
	http_emit_request(b, STR("GET"), buf_str(&whole));
	buf_fini(&whole);
}

void
ws_dial_write(struct buf *b, struct ws_dial *d)
{
	char bytes[KEY_BYTES];

	rand_bytes(bytes, sizeof(bytes));
	b64_encode(bytes, sizeof(bytes), d->key);
	d->key[WS_KEY_LEN] = '\0';
	emit_target(b, d->target);
	http_emit_header(b, STR("Host"), d->host);
	buf_addz(b, UPGRADE_WEBSOCKET VERSION_13);
	http_emit_header(b, STR("Sec-WebSocket-Key"), str_of(d->key));
	if (d->origin.p)
		http_emit_header(b, STR("Origin"), d->origin);
	if (d->protocol.p)
		http_emit_header(b, STR("Sec-WebSocket-Protocol"),
		    d->protocol);
	buf_add_str(b, d->headers);
	http_emit_end(b);
}

static bool
was_offered(struct str offer, struct str protocol)
{
	struct str part;

	if (offer.p && str_eq(offer, protocol))
		return true;
	while (next_protocol(&offer, &part))
		if (str_eq(part, protocol))
			return true;
	return false;
}

static int
check_protocol(const struct http_head *h, const struct ws_dial *d,
    struct str *protocol_out, struct err *err)
{
	*protocol_out = http_get(h, "Sec-WebSocket-Protocol");
	if (!protocol_out->p)
		return 0;
	if (http_count(h, "Sec-WebSocket-Protocol") > 1)
		return err_set(err, ERR_PROTOCOL,
		    "answer with more than one Sec-WebSocket-Protocol");
	if (!was_offered(d->protocol, *protocol_out))
		return err_set(err, ERR_PROTOCOL, "answer with subprotocol "
		    "\"%.*s\", which was not offered",
		    STR_FMT(str_head(*protocol_out, 100)));
	return 0;
}

int
ws_check_response(const struct http_head *h, const struct ws_dial *d,
    struct str *protocol_out, struct err *err)
{
	char accept[ACCEPT_LEN];

	if (h->status != 101)
		return err_set(err, ERR_PROTOCOL,
		    "answer is %d %.*s, not 101", h->status,
		    STR_FMT(str_head(h->reason, 100)));
	if (h->minor == 0)
		return err_set(err, ERR_PROTOCOL, "answer is not HTTP/1.1");
	if (http_count(h, "Upgrade") != 1 ||
	    !str_iis(http_get(h, "Upgrade"), "websocket"))
		return err_set(err, ERR_PROTOCOL,
		    "answer without \"Upgrade: websocket\"");
	if (!http_has_token(h, "Connection", "upgrade"))
		return err_set(err, ERR_PROTOCOL,
		    "answer without \"Connection: Upgrade\"");
	make_accept(str_of(d->key), accept);
	if (http_count(h, "Sec-WebSocket-Accept") != 1 ||
	    !str_eq(http_get(h, "Sec-WebSocket-Accept"),
	    (struct str){ accept, sizeof(accept) }))
		return err_set(err, ERR_PROTOCOL,
		    "answer without the right Sec-WebSocket-Accept");
	if (http_count(h, "Sec-WebSocket-Extensions"))
		return err_set(err, ERR_PROTOCOL,
		    "answer with an extension that was not offered");
	return check_protocol(h, d, protocol_out, err);
}
