/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of JSON and XML as text, for templates (mediation.md 3.2). */
#ifndef MSG_TEXTCONV_H
#define MSG_TEXTCONV_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* Markup of elements becomes the JSON object that has them as members. */
int textconv_to_json(struct str markup, struct arena *, struct buf *out,
    struct err *) MUST_CHECK;
/* JSON text becomes markup; of an object or array, that of its parts. */
int textconv_to_xml(struct str json, struct arena *, struct buf *out,
    struct err *) MUST_CHECK;

#endif
