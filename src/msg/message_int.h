/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of a message. Private to the message_*.c files. */
#ifndef MSG_MESSAGE_INT_H
#define MSG_MESSAGE_INT_H

#include <stdint.h>
#include "msg/message.h"

/* Which of a body's forms are at hand and true. */
enum {
	HAS_BYTES = 1 << 0,	/* bytes, of kind bytes_kind */
	HAS_JSON = 1 << 1,	/* json */
	HAS_DOC = 1 << 2,	/* doc: an envelope around the body */
};

/* A property, or a variable (scope VARIABLES). */
struct prop {
	struct prop *next;
	uint64_t tag;		/* scope, and length of name */
	struct str name;
	struct value value;
	bool gone;		/* deleted: hides the context's */
};

enum { VARIABLES = 15, ADDRESSES = 6 };

/* All that a new message starts without. */
struct msg_state {
	unsigned has;			/* HAS_ bits; 0: an empty body */
	enum content_kind kind;		/* of the body */
	enum content_kind bytes_kind;	/* what bytes are */
	enum msg_frame frame;
	bool whole;		/* bytes are a body as it came, of any kind */
	bool borrowed;		/* bytes and type are the wire's */
	bool changed;
	bool empty_doc;		/* doc is true though there is no body */
	bool response;
	bool has_address;	/* address[] is in use */
	bool has_context;
	struct str bytes, type;
	struct cJSON *json;
	struct _xmlDoc *doc;	/* the last envelope, also when out of date */
	struct prop *props, *last_prop;
	struct prop **index;	/* of many properties, by hash; or NULL */
	size_t prop_count, index_size;
	struct str id;
};

struct message {
	struct msg_state s;
	struct arena *arena;
	size_t chunk;			/* of the arena */
	struct msg_pool *pool;
	struct message *next_idle;
	struct msg_context context;
	struct str address[ADDRESSES];
};

struct msg_pool {
	struct msg_limits limits;
	struct message *idle;
	unsigned idle_count, keep;
	unsigned out;			/* messages in use */
	unsigned small;			/* in a row that fitted easily */
	/* The content type that was looked up last. */
	char type_text[64];
	size_t type_len;
	enum content_kind type_kind;
};

/* Checks that a body of that size may be built. */
int message_check_size(const struct message *, struct err *);
/* The body is replaced by another form: drops the others. */
void message_body_is(struct message *, unsigned has, enum content_kind);
/* The value of an own property; the context is not asked. */
bool message_own_prop(const struct message *, enum msg_scope, struct str name,
    struct value *out);
/* Forgets own values of that name without hiding the context's. */
void message_forget_prop(struct message *, enum msg_scope, struct str name);

#endif
