/* SPDX-License-Identifier: Apache-2.0 */
/* Writing heads. No CR, LF or NUL gets through: whatever holds one, or another
 * control character but the tab, is refused by http_safe_value(), and the
 * writers leave such a header out. */
#ifndef HTTP_EMIT_H
#define HTTP_EMIT_H

#include <stdbool.h>
#include "base/buf.h"
#include "base/str.h"

bool http_safe_value(struct str);
/* "Switching Protocols" for 101 and so on; "Error" for one it does not know. */
const char *http_reason(int status);
void http_emit_status(struct buf *, int status);
/* target and method must be safe (the caller built or parsed them). */
void http_emit_request(struct buf *, struct str method, struct str target);
/* Leaves out a header whose name is no token or whose value is not safe;
 * returns whether it was written. */
bool http_emit_header(struct buf *, struct str name, struct str value);
void http_emit_end(struct buf *);
/* A complete answer: status, Content-Type: text/plain, Content-Length,
 * Connection: close for HTTP_CLOSE, extra (complete header lines or empty),
 * one line of body, to which the newline is added; an empty body stays
 * empty. */
enum http_after { HTTP_KEEP, HTTP_CLOSE };
void http_emit_text(struct buf *, int status, enum http_after,
    struct str extra, struct str body);

#endif
