/* SPDX-License-Identifier: Apache-2.0 */
/* What properties and expressions hold. Values own nothing: what they point
 * to lives in the arena of the message (or longer). */
#ifndef MSG_VALUE_H
#define MSG_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct cJSON;
struct _xmlNode;

enum value_type {
	VALUE_NULL, VALUE_STRING, VALUE_BOOL, VALUE_SHORT, VALUE_INT,
	VALUE_LONG, VALUE_FLOAT, VALUE_DOUBLE, VALUE_JSON, VALUE_XML,
	VALUE_OBJECT,		/* something of the engine's; prints as s */
};

struct value {
	enum value_type type;
	union {
		struct str s;			/* STRING, OBJECT */
		bool b;
		int64_t i;			/* SHORT INT LONG */
		double d;			/* FLOAT DOUBLE */
		const struct cJSON *json;
		struct {
			struct _xmlNode **node;	/* elements, attributes, text */
			size_t count;
		} xml;
	};
};

#define VALUE_OF_STR(str) ((struct value){ .type = VALUE_STRING, .s = (str) })
#define VALUE_OF_BOOL(bool_) ((struct value){ .type = VALUE_BOOL, .b = (bool_) })
#define VALUE_OF_INT(int_) ((struct value){ .type = VALUE_INT, .i = (int_) })

/* The text of a value as Synapse prints it: Java doubles, own text of an
 * element or its markup (mediation.md 0 rules 1, 2). VALUE_NULL gives
 * p == NULL. */
struct str value_text(const struct value *, struct arena *);

/* Deep, into another arena. */
struct value value_copy(const struct value *, struct arena *);

/* Java's Double.toString (mediation.md 4.3, last but two). */
struct str value_double_text(double, struct arena *);

/*
 * Converts as <property type="..."> does (mediation.md 3.1). type: STRING
 * INTEGER SHORT LONG FLOAT DOUBLE BOOLEAN OM JSON. decimals: the text came
 * from an expression, so INTEGER and SHORT take "5.7" and cut it.
 */
enum value_source { VALUE_FROM_CONSTANT, VALUE_FROM_EXPRESSION };
int value_convert(struct str text, struct str type, enum value_source,
    struct arena *, struct value *out, struct err *) MUST_CHECK;
/* Whether type is one that value_convert() knows. */
bool value_type_known(struct str type);

#endif
