/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON behind a wall: cJSON's tree with a reader and printer of our own.
 * Strict (RFC 8259); numbers keep their text (valuestring of a number node),
 * order and duplicates are kept; nodes and strings live in an arena (cJSON's
 * hooks are never used on such trees: nothing is freed one by one). U+0000
 * inside a string is kept as the two bytes C0 80 in the node and printed as
 * \u0000.
 */
#ifndef MSG_JSON_H
#define MSG_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct cJSON;

/* depth 0 = 128. err->at.column is the byte of the fault (1-based, on
 * err->at.line). */
struct cJSON *json_parse(struct arena *, struct str text, size_t depth,
    struct err *) MUST_CHECK;
/* Compact; numbers by their text, strings escaped as mediation.md 6.3 says
 * (" \ control characters; / and non-ASCII untouched). */
void json_print(const struct cJSON *, struct buf *);
/* Appends s escaped for a JSON string, without quotes. */
void json_escape(struct buf *, struct str s);

/* Nodes in an arena. Strings are copied. */
struct cJSON *json_new_object(struct arena *) MUST_CHECK;
struct cJSON *json_new_array(struct arena *) MUST_CHECK;
struct cJSON *json_new_string(struct arena *, struct str) MUST_CHECK;
struct cJSON *json_new_number(struct arena *, struct str text) MUST_CHECK;
struct cJSON *json_new_bool(struct arena *, bool) MUST_CHECK;
struct cJSON *json_new_null(struct arena *) MUST_CHECK;
struct cJSON *json_copy(struct arena *, const struct cJSON *) MUST_CHECK;

/* Trees. A node may be in one tree only. */
void json_append(struct cJSON *array, struct cJSON *item);
void json_set(struct arena *, struct cJSON *object, struct str key,
    struct cJSON *item);	/* replaces the first of that name in place */
struct cJSON *json_member(const struct cJSON *object, struct str key);
void json_detach(struct cJSON *parent, struct cJSON *item);
void json_replace(struct cJSON *parent, struct cJSON *old, struct cJSON *item);

/* Text of a string (with real NULs) or of a number as spelled. */
struct str json_string(const struct cJSON *, struct arena *);
struct str json_number_text(const struct cJSON *);
double json_number(const struct cJSON *);
/* Is s a JSON number / a whole JSON text? */
bool json_is_number(struct str s);

#endif
