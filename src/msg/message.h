/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message: bytes until somebody looks. The body is kept as it was received;
 * JSON, XML and text trees are made on first use and printed only if the body
 * was changed. A message that nobody touched leaves byte for byte as it came.
 *
 * Everything a message holds lives in its arena, which goes back to the pool
 * with it.
 */
#ifndef MSG_MESSAGE_H
#define MSG_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "msg/content.h"
#include "msg/value.h"

struct message;
struct msg_pool;
struct _xmlDoc;
struct _xmlNode;

enum msg_scope {
	SCOPE_DEFAULT, SCOPE_AXIS2, SCOPE_AXIS2_CLIENT, SCOPE_TRANSPORT,
	SCOPE_OPERATION, SCOPE_TRACE, SCOPE_ANALYTICS,
	SCOPE_COUNT,
	/* read or written elsewhere, not kept in the message: */
	SCOPE_SYSTEM = SCOPE_COUNT, SCOPE_REGISTRY, SCOPE_ENV, SCOPE_FILE,
	SCOPE_FUNC,
};

/* "default" and "synapse", "axis2" ...; false for a word that is none. */
bool msg_scope_parse(struct str, enum msg_scope *out);

/*
 * What surrounds a message: properties that the connection has and that are
 * looked up only when somebody asks, entries of the artifacts, the template
 * parameters of the run. Each function may be NULL. get returns false when it
 * has none of that name.
 */
struct msg_context {
	bool (*get)(void *ctx, enum msg_scope, struct str name, struct arena *,
	    struct value *out);
	void *ctx;
	/* local entries and registry, by key; false when there is none */
	bool (*entry)(void *ctx, struct str key, struct arena *,
	    struct str *text_out);
	void *entry_ctx;
	/* template parameters ($func:x) */
	bool (*func)(void *ctx, struct str name, struct arena *,
	    struct value *out);
	void *func_ctx;
};

struct msg_limits {
	size_t json_depth, xml_depth;	/* 0 = default (128, 256) */
	size_t max_bytes;		/* of a body that is built; 0 = 16 MiB */
};

/* keep: how many idle messages stay in stock. One pool a worker. */
struct msg_pool *msg_pool_new(unsigned keep, const struct msg_limits *)
    MUST_CHECK;
/* All its messages must be back. */
void msg_pool_free(struct msg_pool **);

/* A request without body (for those who look, an empty SOAP 1.1 envelope). */
struct message *message_new(struct msg_pool *) MUST_CHECK;
void message_free(struct message **);
struct arena *message_arena(struct message *);
/* Deep copies, with a new id (clone, iterate): all; all but the body; only
 * properties and variables. */
struct message *message_copy(struct message *) MUST_CHECK;
struct message *message_fork(struct message *) MUST_CHECK;
void message_copy_props(struct message *to, struct message *from);
size_t message_weight(const struct message *);	/* roughly, in bytes */

/* Borrows ctx (copied struct; what it points to must live as long). */
void message_set_context(struct message *, const struct msg_context *);
struct msg_context *message_context(struct message *);

/*
 * The body as it came from the wire. Borrows bytes until message_own() or
 * message_free(). type is the content type as configured (p == NULL: none) and
 * borrowed too; the body is looked at by the builder of its kind, and nobody
 * can look into CONTENT_NONE. Text frames are UTF-8 already.
 */
enum msg_frame { MSG_TEXT, MSG_BINARY };
void message_set_wire(struct message *, struct str bytes, struct str type,
    enum msg_frame);
/* Copies what is borrowed: the message will outlive the callback. */
void message_own(struct message *);

enum content_kind message_kind(const struct message *);
bool message_is_empty(const struct message *);	/* no body at all */
bool message_is_response(const struct message *);
void message_set_response(struct message *, bool);
/* "urn:uuid:...", made when first asked for. */
struct str message_id(struct message *);
/* Addressing headers: To, From, Action, FaultTo, ReplyTo, RelatesTo. Absent
 * when not set; setting STR_NULL clears. */
struct str message_addressing(const struct message *, struct str name);
/* -1 for a name that is none of those. Copies. */
int message_set_addressing(struct message *, struct str name, struct str);

/* Properties. Own ones first, then the context's. False when there is none. */
bool message_prop(struct message *, enum msg_scope, struct str name,
    struct value *out);
/* As text; p == NULL when there is none. */
struct str message_prop_text(struct message *, enum msg_scope, struct str name);
/* True only for Boolean true (the Java type, not the word). */
bool message_prop_is_true(struct message *, enum msg_scope, struct str name);
/* Copies name; the value must live in the message's arena, or be constant for
 * longer. axis2 messageType also sets ContentType. VALUE_NULL is a no-op in
 * default scope (mediation.md 0 rule 8). */
void message_set_prop(struct message *, enum msg_scope, struct str name,
    struct value);
/* Also hides what the context has of that name. */
void message_del_prop(struct message *, enum msg_scope, struct str name);
/* Steps through the own properties of a scope in order of setting; *at starts
 * at NULL. */
bool message_next_prop(const struct message *, enum msg_scope,
    const void **at, struct str *name_out, struct value *out);

/* Variables of <variable> (per message). */
bool message_var(const struct message *, struct str name, struct value *out);
void message_set_var(struct message *, struct str name, struct value);
void message_del_var(struct message *, struct str name);
bool message_next_var(const struct message *, const void **at,
    struct str *name_out, struct value *out);

/*
 * Views of the body. Each parses or converts on first use and keeps the
 * result; -1 with ERR_SYNTAX or ERR_LIMIT when it cannot be had (the callers
 * turn that into fault 601000); ERR_NOTFOUND from message_json() when there is
 * no body.
 */
/* The JSON tree; of a body that is no JSON, its XML converted (6.3). */
int message_json(struct message *, struct cJSON **root_out, struct err *)
    MUST_CHECK;
/* The whole body as JSON text ($): untouched bytes where it is JSON. */
int message_json_text(struct message *, struct str *out, struct err *)
    MUST_CHECK;
/* The SOAP envelope around the body; JSON is converted (6.2). Nodes belong to
 * the message. */
int message_envelope(struct message *, struct _xmlDoc **out, struct err *)
    MUST_CHECK;
/* SOAP Body element of the envelope, and its first child element or NULL. */
int message_soap_body(struct message *, struct _xmlNode **body_out,
    struct _xmlNode **first_out, struct err *) MUST_CHECK;
/* Text of a text body (the wrapper's text). */
int message_text(struct message *, struct str *out, struct err *) MUST_CHECK;

/* The tree that message_json()/message_envelope() gave was changed in place:
 * the other views are stale, the body is now this one. */
void message_json_changed(struct message *);
void message_envelope_changed(struct message *);

/* Replacing the body. Bytes are copied; trees must live in the message's arena
 * or longer. */
void message_set_json_text(struct message *, struct str);	/* not checked */
void message_set_json(struct message *, struct cJSON *root);
void message_set_text(struct message *, struct str);
void message_set_binary(struct message *, struct str);
/* The root element becomes the only child of the SOAP body, header blocks stay;
 * an Envelope replaces the envelope. Takes the document, also after an error. */
int message_set_xml(struct message *, struct _xmlDoc *doc, struct err *)
    MUST_CHECK;
/* A whole body that came from elsewhere (an HTTP answer): copies. */
void message_set_body(struct message *, struct str bytes, struct str type,
    enum msg_frame);
void message_set_empty(struct message *);

/* Was the body changed since message_set_wire()? */
bool message_changed(const struct message *);

/*
 * What goes out on the wire: untouched, the same bytes and frame type; changed,
 * the formatter of axis2 messageType (6.6; without one, of what the body is).
 * bytes are good until the message changes or is freed. none: there is nothing
 * to send (empty body, NO_ENTITY_BODY).
 */
struct msg_output {
	struct str bytes;
	enum msg_frame frame;
	struct str type;
	bool none;
};
int message_format(struct message *, struct msg_output *, struct err *)
    MUST_CHECK;

/* Appends "Payload: {..}" or "Envelope: <..>", as <log level="full"> has it. A
 * body that cannot be parsed is shown as the bytes it is. */
void message_describe(struct message *, struct buf *);

#endif
