/* SPDX-License-Identifier: Apache-2.0 */
/* URIs, RFC 3986, as far as endpoints and request targets need them. */
#ifndef HTTP_URI_H
#define HTTP_URI_H

#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum uri_scheme { URI_WS, URI_WSS, URI_HTTP, URI_HTTPS, URI_OTHER };

/* Slices point into the text that was split. */
struct uri {
	enum uri_scheme scheme;
	struct str scheme_text;
	struct str host;	/* without the brackets of an IPv6 literal */
	uint16_t port;		/* default of the scheme when none is written,
				   0 for URI_OTHER */
	bool port_written, ipv6;
	struct str authority;	/* host:port as written, for Host */
	struct str path;	/* "" or begins with / */
	struct str query;	/* p == NULL: none */
	struct str target;	/* path?query as written; may be empty, may
				   begin with the ? */
};

/* Absolute URIs with an authority. Scheme in any case, host needed (a name of
 * letters, digits, - . _ ~, or an address), no user info, no fragment (RFC
 * 6455 3), no blanks or control characters. */
int uri_split(struct str, struct uri *, struct err *) MUST_CHECK;
/* A request target in origin form: path must begin with / and hold only
 * characters that RFC 3986 allows; the query may hold [ and ] as well, which
 * browsers send as they are. The absolute form (ws, wss, http, https) is taken
 * too and gives its path, "/" when that is empty. */
int uri_split_target(struct str, struct str *path_out, struct str *query_out,
    struct err *) MUST_CHECK;
/* host or host:port, as a Host header has it. */
bool uri_is_authority(struct str);
/* Appends s with %XX decoded. False for a bad escape or %00; nothing is
 * appended then. */
bool uri_decode(struct buf *, struct str s);

#endif
