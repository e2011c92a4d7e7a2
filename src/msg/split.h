/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML bodies taken apart and put together: elements out of one message become
 * the body of others, results come back. Nodes live in the message they are
 * in; what is put into another one is a copy.
 */
#ifndef MSG_SPLIT_H
#define MSG_SPLIT_H

#include <stddef.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct _xmlDoc;
struct _xmlNode;
struct expr;
struct message;
struct value;

struct split {
	struct _xmlNode **node;		/* elements */
	size_t count;
	struct _xmlNode *parent;	/* where the first one was */
};

/* The elements that the XPath finds; none is no error, what is no element of
 * the message is. */
int split_find(struct message *, const struct expr *, struct split *out,
    struct err *) MUST_CHECK;
/* The same for a value; none when it is no XML. */
int split_of(const struct value *, struct split *out, struct err *) MUST_CHECK;
/* Takes elements out of the body; out->node are then copies. */
void split_take(struct message *, struct split *);
/* The element becomes the whole body. */
int split_set_body(struct message *, const struct _xmlNode *, struct err *)
    MUST_CHECK;
/* The body becomes empty, but stays XML; header blocks stay. */
int split_clear_body(struct message *, struct err *) MUST_CHECK;
/* Appends to what the XPath finds first. */
int split_attach(struct message *, const struct expr *path,
    const struct _xmlNode *, struct err *) MUST_CHECK;
/* Appends to a node of the message. */
void split_append(struct message *, struct _xmlNode *parent,
    const struct _xmlNode *);
/* Elements, wherever they are, make room for the children of root. */
void split_replace(struct message *, const struct split *old,
    const struct _xmlNode *root);

/* A root element by itself, to collect in; goes with the arena. NULL when the
 * name is no XML name. */
struct _xmlNode *split_new_root(struct arena *, struct str name);
/* Returns roughly the memory that the copy takes. */
size_t split_collect(struct _xmlNode *root, const struct _xmlNode *);
/* The same for text that is an element. */
int split_collect_markup(struct _xmlNode *root, struct str markup,
    struct err *) MUST_CHECK;
/* Next element below; the first one after NULL. */
struct _xmlNode *split_next(const struct _xmlNode *root,
    const struct _xmlNode *after);
struct str split_name(const struct _xmlNode *);	/* local name */
/* Roughly the memory that a document takes. */
size_t split_weight(const struct _xmlDoc *);

#endif
