/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: heads of HTTP/1.1 messages and URIs; sans-IO, bytes in, slices out.
 * It knows nothing of bodies beyond their announced length.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum { HTTP_MAX_HEADERS = 100 };

struct http_header {
	struct str name, value;		/* value without outer blanks */
};

struct http_limits {
	size_t line_bytes;	/* request or status line, without its end */
	size_t head_bytes;	/* all of the head */
	size_t headers;		/* at most HTTP_MAX_HEADERS */
};

/* Slices point into the bytes that were parsed. */
struct http_head {
	/* request: */
	struct str method, target;
	/* response: */
	int status;
	struct str reason;
	/* both: */
	int minor;		/* HTTP/1.minor */
	size_t count;
	struct http_header header[HTTP_MAX_HEADERS];
};

enum http_result { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/*
 * Looks at the n bytes received so far (from the start of the head each time).
 * HTTP_DONE: *used_out is the length of the head including its empty line.
 * HTTP_BAD: *status_out is the answer to give (400, 414, 431, 505) and err one
 * line of why. It is told as soon as it is certain, not at the end of the head.
 * RFC 9112, strictly: lines end in CR LF (one empty line before a request is
 * skipped); obs-fold, bare CR or LF, blanks before the colon, names that are
 * no tokens and control characters are refused. Header values of a request
 * are UTF-8, of which ASCII is a part. *scanned (0 at first) remembers how far
 * the search for the end has come; the struct http_head is written only by
 * HTTP_DONE and HTTP_BAD.
 */
enum http_result http_parse_request(const char *p, size_t n, size_t *scanned,
    const struct http_limits *, struct http_head *, size_t *used_out,
    int *status_out, struct err *) MUST_CHECK;
enum http_result http_parse_response(const char *p, size_t n, size_t *scanned,
    const struct http_limits *, struct http_head *, size_t *used_out,
    struct err *) MUST_CHECK;

/* First header of that name (any case); p == NULL when there is none. */
struct str http_get(const struct http_head *, const char *name);
/* How many headers of that name there are. */
size_t http_count(const struct http_head *, const char *name);
/* Whether any header of that name has token in its comma list (any case). */
bool http_has_token(const struct http_head *, const char *name,
    const char *token);
/* RFC 9110 token characters only, and not empty. */
bool http_is_token(struct str);

/* What a request's head says of a body behind it, RFC 9112 section 6. */
enum http_body {
	HTTP_BODY_NONE,		/* nothing said, or a length of 0 */
	HTTP_BODY_LENGTH,	/* *length_out bytes, at least 1 */
	HTTP_BODY_CODED,	/* Transfer-Encoding alone */
	HTTP_BODY_BAD,		/* two lengths, both kinds, no number: 400 */
};
enum http_body http_body(const struct http_head *, uint64_t *length_out)
    MUST_CHECK;

#endif
