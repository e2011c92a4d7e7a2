/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the envelope of a message in place (mediation.md 3.3). Sources are
 * VALUE_XML, whose nodes are copied, or anything else, taken as text. */
#ifndef MSG_XMLEDIT_H
#define MSG_XMLEDIT_H

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"
#include "msg/value.h"

struct message;

enum xmledit_action { XMLEDIT_REPLACE, XMLEDIT_CHILD, XMLEDIT_SIBLING };

/* The root element of markup, in a document of its own. */
int xmledit_parse(struct message *, struct str markup, struct value *out,
    struct err *) MUST_CHECK;
/* The first element of the body (VALUE_NULL when there is none), or the
 * envelope. */
int xmledit_body(struct message *, struct value *out, struct err *) MUST_CHECK;
int xmledit_envelope(struct message *, struct value *out, struct err *)
    MUST_CHECK;
/* Copies that later changes of the message leave alone. */
int xmledit_copy(struct message *, const struct value *, struct value *out,
    struct err *) MUST_CHECK;
/* The element around the first node; VALUE_NULL when there is none. */
void xmledit_parent(struct message *, const struct value *, struct value *out);
/* A copy of the node becomes the body; the headers stay. */
int xmledit_make_body(struct message *, const struct value *, struct err *)
    MUST_CHECK;
/* Takes nodes out of their tree. */
void xmledit_detach(struct message *, const struct value *);
/* Applies source to the first node of target; when that is in the envelope,
 * the caller says message_envelope_changed(). ERR_VALUE "Invalid Target object
 * to be enrich." when that can not be. */
int xmledit_apply(struct message *, const struct value *target,
    const struct value *source, enum xmledit_action, struct err *) MUST_CHECK;
/* Puts source in the place of the first element of the body, into the body, or
 * behind that element. */
int xmledit_apply_body(struct message *, const struct value *source,
    enum xmledit_action, struct err *) MUST_CHECK;
/* The source must be an Envelope. */
int xmledit_apply_envelope(struct message *, const struct value *source,
    struct err *) MUST_CHECK;

#endif
