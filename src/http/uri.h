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
	uint16_t port;		/* default of the scheme when none is written */
	bool port_written, ipv6;
	struct str authority;	/* host:port as written, for Host */
	struct str path;	/* "" or begins with / */
	struct str query;	/* p == NULL: none */
	struct str target;	/* path?query as written; may be empty */
};

/* Absolute URIs with an authority. Scheme in any case, host needed, no
 * user info, no fragment (RFC 6455 3), no blanks or control characters. */
int uri_split(struct str, struct uri *, struct err *) MUST_CHECK;
/* A request target in origin form: path must begin with / and hold only
 * characters that RFC 3986 allows. */
int uri_split_target(struct str, struct str *path_out, struct str *query_out,
    struct err *) MUST_CHECK;
/* Appends s with %XX decoded. False for a bad escape or %00. */
bool uri_decode(struct buf *, struct str s);

#endif
