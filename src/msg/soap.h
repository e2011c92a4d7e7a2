/* SPDX-License-Identifier: Apache-2.0 */
/* The SOAP header blocks of a message. Each function makes the envelope when
 * there is none yet; -1 when the body cannot be had as XML. */
#ifndef MSG_SOAP_H
#define MSG_SOAP_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct message;

/* "local : text" of each block, with separator between. */
int soap_describe_headers(struct message *, struct str separator,
    struct buf *, struct err *) MUST_CHECK;
/* Adds a block {uri}name; prefix may be empty. */
int soap_add_header(struct message *, struct str uri, struct str prefix,
    struct str name, struct str text, struct err *) MUST_CHECK;
/* Adds a block {uri}name that holds an element. */
int soap_add_header_markup(struct message *, struct str uri,
    struct str prefix, struct str name, struct str markup, struct err *)
    MUST_CHECK;
/* Adds an element as a block of its own. */
int soap_add_block(struct message *, struct str markup, struct err *)
    MUST_CHECK;
/* Removes the blocks of that name; one that is not there is no error. */
int soap_remove_header(struct message *, struct str uri, struct str name,
    struct err *) MUST_CHECK;

#endif
