/* SPDX-License-Identifier: Apache-2.0 */
/* A URI in the pieces that rewrite works on, taken apart and put together as
 * java.net.URI does: pieces are decoded, and quoted again where they must. */
#ifndef MEDIATION_MEDIATORS_URI_FRAGMENTS_H
#define MEDIATION_MEDIATORS_URI_FRAGMENTS_H

#include "mediation/mediator.h"

enum uri_fragment {
	FRAGMENT_PROTOCOL, FRAGMENT_USER, FRAGMENT_HOST, FRAGMENT_PATH,
	FRAGMENT_QUERY, FRAGMENT_REF,
	FRAGMENT_TEXTS,
	FRAGMENT_PORT = FRAGMENT_TEXTS, FRAGMENT_FULL,
};

struct uri_fragments {
	struct str text[FRAGMENT_TEXTS];	/* p NULL: there is none */
	int32_t port;				/* -1: there is none */
};

/* "protocol" and so on; false for a word that is none. */
bool uri_fragment_parse(struct str name, enum uri_fragment *out);
/* %XX as the bytes they stand for; what is no UTF-8 then becomes U+FFFD. */
struct str uri_fragment_decode(struct str, struct arena *);
/* Of a URI without authority nothing but protocol and ref is kept, as there. */
int uri_fragments_split(struct str uri, struct arena *,
    struct uri_fragments *out, struct err *) MUST_CHECK;
int uri_fragments_join(const struct uri_fragments *, struct arena *,
    struct str *out, struct err *) MUST_CHECK;

#endif
