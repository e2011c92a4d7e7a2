/* SPDX-License-Identifier: Apache-2.0 */
/* An <inboundEndpoint> as compiled: immutable, lives as long as its set.
 * Reference: websocket.md 2, decisions.md "The gateway". */
#ifndef MEDIATION_INBOUND_H
#define MEDIATION_INBOUND_H

#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/str.h"

struct sequence;

enum inbound_protocol { INBOUND_WS, INBOUND_WSS };
enum inbound_broadcast { BROADCAST_NONE, BROADCAST_ALL, BROADCAST_OTHERS };
enum inbound_backend_close { BACKEND_RECONNECT, BACKEND_PROPAGATE };
/* ws.dispatch.lifecycle.events: by default the events run the sequence but
 * make no HTTP calls (decisions.md row 1). */
enum inbound_lifecycle { LIFECYCLE_DEFAULT, LIFECYCLE_ON, LIFECYCLE_OFF };

struct med_inbound {
	struct str name;
	struct src_pos at;
	enum inbound_protocol protocol;
	uint16_t port;			/* offset applied; 0 = any free one */
	bool suspended;
	/* NULL where MI would not find it either and no fallback exists */
	const struct sequence *sequence;	/* client events */
	const struct sequence *on_error;
	const struct sequence *outflow;		/* back-end messages */
	const struct sequence *outflow_fault;
	const struct sequence *on_connect;	/* ws.connect.sequence or NULL */
	const struct sequence *on_disconnect;
	struct str outflow_name, outflow_fault_name;	/* as configured; p NULL = absent */
	enum inbound_broadcast broadcast;
	enum inbound_lifecycle lifecycle;
	enum inbound_backend_close backend_close;
	struct str default_content_type;	/* p == NULL: none */
	unsigned shutdown_code;
	struct str shutdown_reason;
	bool dispatch_custom;			/* dispatch.custom.sequence */
	struct str path;			/* ws.path; p == NULL: all paths */
	bool path_is_prefix;			/* it ended in / * (without blank) and holds the part before the * */
	bool echo_handler;	/* a handler class of the kind of
				   EchoSubprotocolHandler: offers "echo" */
};

#endif
