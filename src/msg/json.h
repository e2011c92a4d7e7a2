/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON behind a wall: cJSON's tree with a reader and printer of our own.
 * Strict (RFC 8259); numbers keep their text (valuestring of a number node),
 * order and duplicates are kept; nodes and strings live in an arena (cJSON's
 * hooks are never used on such trees: nothing is freed one by one). U+0000
 * inside a string is kept as the two bytes C0 80 in the node and printed as
 * \u0000.
 *
 * Nodes know their length and their container, so trees are built and changed
 * by the functions here only, never by cJSON's own or by writing to a node.
 * Of a node's fields, next, child, type & 0xFF, string, and the valuestring of
 * strings and numbers may be read; valueint and valuedouble mean something
 * else here.
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

/* depth 0 = 128. err->at has line and column (a byte, 1-based) of the fault;
 * ERR_SYNTAX, or ERR_LIMIT for depth and size. The text is not needed
 * afterwards. */
struct cJSON *json_parse(struct arena *, struct str text, size_t depth,
    struct err *) MUST_CHECK;
/* Compact; numbers by their text, strings escaped as mediation.md 6.3 says
 * (" \ control characters; / and non-ASCII untouched). Works on a part of a
 * tree too. */
void json_print(const struct cJSON *, struct buf *);
struct str json_text(const struct cJSON *, struct arena *);
/* Appends s escaped for a JSON string, without quotes. */
void json_escape(struct buf *, struct str s);

/* Nodes in an arena. Strings are copied. */
struct cJSON *json_new_object(struct arena *) MUST_CHECK;
struct cJSON *json_new_array(struct arena *) MUST_CHECK;
struct cJSON *json_new_string(struct arena *, struct str) MUST_CHECK;
struct cJSON *json_new_number(struct arena *, struct str text) MUST_CHECK;
struct cJSON *json_new_bool(struct arena *, bool) MUST_CHECK;
struct cJSON *json_new_null(struct arena *) MUST_CHECK;
/* Deep, in no tree and without a key. */
struct cJSON *json_copy(struct arena *, const struct cJSON *) MUST_CHECK;

/* Asking. The member is the first of that name; NULL when there is none or it
 * is no object. */
enum json_type {
	JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY,
	JSON_OBJECT,
};
enum json_type json_type_of(const struct cJSON *);
struct cJSON *json_member(const struct cJSON *object, struct str key);
struct cJSON *json_first(const struct cJSON *box);
struct cJSON *json_next(const struct cJSON *item);
/* The container around an object or array; NULL for a root. */
struct cJSON *json_parent(const struct cJSON *box);
size_t json_count(const struct cJSON *box);

/* Trees. A node may be in one tree only. */
void json_append(struct cJSON *array, struct cJSON *item);
/* Appends without looking whether the name is there already. */
void json_add(struct arena *, struct cJSON *object, struct str key,
    struct cJSON *item);
void json_set(struct arena *, struct cJSON *object, struct str key,
    struct cJSON *item);	/* replaces the first of that name in place */
/* Another name for a member, in its place. */
void json_rename(struct arena *, struct cJSON *item, struct str key);
void json_detach(struct cJSON *parent, struct cJSON *item);
void json_replace(struct cJSON *parent, struct cJSON *old, struct cJSON *item);

/* Text of a string (with real NULs) or of a number as spelled; name of a
 * member (p == NULL when it has none). Both end in NUL. */
struct str json_string(const struct cJSON *, struct arena *);
struct str json_key(const struct cJSON *, struct arena *);
struct str json_number_text(const struct cJSON *);
double json_number(const struct cJSON *);	/* 1e400 is infinite */
/* Is s, from end to end, a JSON number? */
bool json_is_number(struct str s);

#endif
