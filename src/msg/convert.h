/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to XML and back, as Synapse does it with its options at their defaults
 * (mediation.md 6.2, 6.3, 6.5). Private to msg. */
#ifndef MSG_CONVERT_H
#define MSG_CONVERT_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct cJSON;
struct _xmlDoc;
struct _xmlNode;

/* jsonObject, jsonArray or jsonValue; of the document, in no tree yet. */
struct _xmlNode *convert_to_xml(struct _xmlDoc *, const struct cJSON *,
    struct arena *scratch, struct err *) MUST_CHECK;
/* The JSON of an element, in the arena. */
struct cJSON *convert_to_json(const struct _xmlNode *, struct arena *,
    struct err *) MUST_CHECK;
/* As java.math.BigDecimal prints a number; p == NULL when its exponent is
 * beyond what that type can hold. */
struct str convert_decimal(struct str number, struct arena *);
/* Element name for a member name, and back. */
struct str convert_key_to_name(struct str key, struct arena *);
struct str convert_name_to_key(struct str name, struct arena *);

#endif
