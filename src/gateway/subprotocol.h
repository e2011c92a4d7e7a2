/* SPDX-License-Identifier: Apache-2.0 */
/* Which subprotocols an inbound speaks and what they say about the content of
 * frames (websocket.md 3.3, decisions.md "content types"). */
#ifndef GATEWAY_SUBPROTOCOL_H
#define GATEWAY_SUBPROTOCOL_H

#include <stdbool.h>
#include "base/str.h"

enum subprotocol_kind {
	SUBPROTOCOL_NONE,
	SUBPROTOCOL_TYPED,	/* fixes the content type */
	SUBPROTOCOL_ECHO,	/* every frame goes back, no mediation */
};

struct subprotocol {
	enum subprotocol_kind kind;
	struct str type;	/* content type; into name, or constant */
};

/* Is name one that can be spoken? Case-insensitive for the synapse(...) form,
 * which some client libraries write in lower case. */
bool subprotocol_parse(struct str name, bool echo_offered,
    struct subprotocol *out);

#endif
