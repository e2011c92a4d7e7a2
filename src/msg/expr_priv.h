/* SPDX-License-Identifier: Apache-2.0 */
/* What the languages of expr.c share. Private to expr*.c. */
#ifndef MSG_EXPR_PRIV_H
#define MSG_EXPR_PRIV_H

#include "msg/expr.h"

struct cJSON;

struct expr {
	const struct expr_ops *ops;
	enum expr_language language;
	struct str text;		/* as written */
	struct str source;		/* without json-eval( ) or ${ } */
	bool reads_body;
	const void *compiled;		/* of the language */
};

/* One row a language. */
struct expr_ops {
	/* Fills compiled and reads_body from source. Columns count from 1
	 * within source. */
	int (*compile)(struct expr *, struct arena *,
	    const struct expr_scope *, struct err *);
	int (*value)(const struct expr *, struct message *, struct value *,
	    struct err *);
	int (*string)(const struct expr *, struct message *, struct str *,
	    struct err *);
	int (*truth)(const struct expr *, struct message *, bool *,
	    struct err *);
};

extern const struct expr_ops expr_xpath_ops, expr_json_ops, expr_synapse_ops;

/* Boolean.parseBoolean: "true" in any case. */
bool expr_word_is_true(struct str);

/*
 * get-property() with one to three arguments (scope, key, date pattern as the
 * caller wrote them). Null is VALUE_NULL. False when there were no such
 * arguments.
 */
int expr_get_property(struct message *, const struct str *args, size_t count,
    struct value *out, struct err *) MUST_CHECK;
/* $prefix:name; 0 with VALUE_NULL when it is not set, -1 when a variable of
 * that kind cannot exist. */
int expr_variable(struct message *, struct str prefix, struct str name,
    struct value *out) MUST_CHECK;
/* The value of key in the query of a URL, decoded; "" when there is none. */
struct str expr_query_param(struct str url, struct str key, struct arena *);

/* Text functions of several languages. Bytes that are no UTF-8 afterwards
 * become U+FFFD. */
enum expr_charset { CHARSET_UTF8, CHARSET_ASCII, CHARSET_LATIN1 };
bool expr_charset_parse(struct str name, enum expr_charset *out);
/* The bytes of a text in a charset ('?' for what it lacks) and back. */
struct str expr_to_charset(struct str, enum expr_charset, struct arena *);
struct str expr_from_charset(struct str, enum expr_charset, struct arena *);
struct str expr_base64_encode(struct str, struct arena *);
/* Strict, or skipping what is not of the alphabet. p == NULL: it is not. */
enum expr_base64 { BASE64_STRICT, BASE64_LENIENT };
struct str expr_base64_decode(struct str, enum expr_base64, struct arena *);
/* Percent-encodes all but letters, digits and the bytes in safe. */
struct str expr_percent_encode(struct str, const char *safe, struct arena *);
/* Percent-decodes, '+' to blank; p == NULL for a bad escape. */
struct str expr_percent_decode(struct str, struct arena *);
struct str expr_join(struct str, struct str, struct arena *);
/* As Java has a string: valid UTF-8. */
struct str expr_clean_utf8(struct str, struct arena *);

/* The value of an own cJSON node as Synapse prints it. */
struct str expr_json_text(const struct cJSON *, struct arena *);

#endif
