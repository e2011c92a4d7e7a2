/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msg: a message and what can be asked of it: body, properties, expressions.
 * It knows no sockets and no sequences.
 *
 * content.h: content types. What a type means for a body (mediation.md 6.1).
 */
#ifndef MSG_CONTENT_H
#define MSG_CONTENT_H

#include <stdbool.h>
#include "base/str.h"

enum content_kind {
	CONTENT_NONE,		/* no builder: nobody can look into the body */
	CONTENT_JSON,		/* application/json */
	CONTENT_XML,		/* application/xml: first child of the body */
	CONTENT_SOAP11,		/* text/xml: a whole envelope */
	CONTENT_SOAP12,		/* application/soap+xml */
	CONTENT_TEXT,		/* text/plain */
	CONTENT_BINARY,		/* application/octet-stream */
};

/* By exact name, then lower case; everything from ';' on is cut. Types with a
 * +json or +xml suffix count as those. CONTENT_NONE for one it does not know. */
enum content_kind content_kind_of(struct str content_type);
/* Whether a formatted message of that kind leaves as a text frame. */
bool content_is_text(enum content_kind);

#endif
