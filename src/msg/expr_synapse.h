/* SPDX-License-Identifier: Apache-2.0 */
/* The ${...} language (mediation.md 4.4) in several files:
 * expr_synapse.c (entry), _parse.c and _parse_path.c (text to tree), _eval.c
 * (operators), _path.c (payload, variables, properties), _call.c, _text.c and
 * _math.c (functions), _value.c (what values are). */
#ifndef MSG_EXPR_SYNAPSE_H
#define MSG_EXPR_SYNAPSE_H

#include "msg/expr_priv.h"
#include "msg/jsonpath.h"

enum sx_type {
	SX_NULL, SX_STRING, SX_BOOL, SX_INT, SX_LONG, SX_DOUBLE,
	SX_BIG,			/* a number that fits none of those: text only */
	SX_JSON,		/* object or array */
	SX_XML,
};

/*
 * A value. What came out of JSON keeps its node. A number taken from an array
 * of JSON by index keeps its spelling and counts as a double whatever it looks
 * like (lazy).
 */
struct sx {
	enum sx_type type;
	bool lazy;
	union {
		struct str s;		/* STRING, BIG */
		bool b;
		int64_t i;		/* INT, LONG */
		double d;
		struct value xml;
	};
	struct str spelled;		/* lazy */
	const struct cJSON *node;
};

enum sx_kind {
	SX_LITERAL, SX_LIST, SX_CHAIN, SX_CONDITION, SX_CALL,
	SX_PATH, SX_PROPERTY,
};

enum sx_operator {
	SX_EQ, SX_NE, SX_LT, SX_LE, SX_GT, SX_GE, SX_AND, SX_OR, SX_ADD, SX_SUB,
	SX_MUL, SX_DIV, SX_MOD,
};

enum sx_function {
#define FUNCTION(name, word, min, max) SX_F_##name,
#include "msg/expr_synapse_functions.def"
#undef FUNCTION
	SX_F_COUNT
};

/* Where a path begins. */
enum sx_root { SX_PAYLOAD, SX_VARIABLE, SX_RESULT };

/* Text of a path up to a hole that an expression fills. */
struct sx_piece {
	struct str text;
	struct sx_node *hole;		/* NULL in the last piece */
	bool negated;			/* of a slice */
	struct sx_piece *next;
};

struct sx_node {
	enum sx_kind kind;
	size_t at;			/* place in the text */
	size_t count;
	struct sx_node **child;		/* operands, elements, arguments */
	union {
		struct sx literal;
		enum sx_operator *ops;	/* CHAIN: count - 1 of them */
		struct {
			enum sx_function id;
			struct expr *xpath;	/* of a literal argument */
		} call;
		struct {
			enum sx_root root;
			struct str name;	/* of the variable */
			struct jsonpath *fixed;	/* without holes; may be NULL */
			struct sx_piece *pieces;
		} path;
		struct {
			enum msg_scope scope;
			struct str name;
		} property;
	};
};

/* An expression and what it needs to run. */
struct sx_program {
	struct sx_node *root;
	struct expr_scope scope;	/* for xpath() at run time */
	bool reads_body;
	struct expr *body_xpath;	/* "payload" alone: $body of XML */
};

struct sx_parser {
	struct arena *arena;
	struct str text;
	size_t at;
	unsigned depth, nodes;
	struct sx_program *program;
	struct err *err;
};

struct sx_run {
	const struct sx_program *program;
	struct message *m;
	struct arena *arena;
	struct err *err;
	bool fault;			/* err is one of mediation, not ours */
};

enum { SX_DEPTH_MAX = 64, SX_NODES_MAX = 20000, SX_TEXT_MAX = 16 << 20 };

/* expr_synapse_parse.c */
int sx_parse(struct sx_parser *, struct sx_node **out) MUST_CHECK;
int sx_parse_expression(struct sx_parser *, struct sx_node **out) MUST_CHECK;
int sx_parse_factor(struct sx_parser *, struct sx_node **out) MUST_CHECK;
struct sx_node *sx_new_node(struct sx_parser *, enum sx_kind, size_t at);
void sx_add_child(struct sx_parser *, struct sx_node *, struct sx_node *);
int sx_syntax(const struct sx_parser *, const char *what);
void sx_blanks(struct sx_parser *);
char sx_peek(const struct sx_parser *);
bool sx_take(struct sx_parser *, char c);
struct str sx_word(const struct sx_parser *);
int sx_take_string(struct sx_parser *, struct str *out) MUST_CHECK;
/* A word that begins a factor inside of a filter. */
bool sx_starts_factor(const struct sx_parser *);
/* expr_synapse_parse_path.c: the steps behind a root, if there are any. */
int sx_parse_path(struct sx_parser *, struct sx_node *) MUST_CHECK;

/* expr_synapse_eval.c: -1 when there is an error. */
int sx_eval(struct sx_run *, const struct sx_node *, struct sx *out)
    MUST_CHECK;
int sx_error(struct sx_run *, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* expr_synapse_path.c */
int sx_eval_path(struct sx_run *, const struct sx_node *, struct sx *out)
    MUST_CHECK;
int sx_eval_property(struct sx_run *, const struct sx_node *, struct sx *out)
    MUST_CHECK;
/* expr_synapse_call.c and its parts; args are not null. */
int sx_call(struct sx_run *, const struct sx_node *, struct sx *out)
    MUST_CHECK;
int sx_call_text(struct sx_run *, enum sx_function, const struct sx *args,
    size_t count, struct sx *out) MUST_CHECK;
int sx_call_math(struct sx_run *, enum sx_function, const struct sx *args,
    size_t count, struct sx *out) MUST_CHECK;
int sx_arithmetic(struct sx_run *, enum sx_operator, const struct sx *,
    const struct sx *, struct sx *out) MUST_CHECK;

/* expr_synapse_value.c */
struct sx sx_string(struct str);	/* without quotes around it */
struct sx sx_bool(bool);
struct sx sx_int(int64_t);		/* INT or LONG by its size */
struct sx sx_double(double);
struct sx sx_of_json(const struct cJSON *, bool lazy, struct arena *);
struct sx sx_of_value(const struct value *, struct arena *);
/* Text of a header or property: a number if it looks like one. */
struct sx sx_of_text(struct str);
struct str sx_text(const struct sx *, struct arena *);
void sx_value(const struct sx *, struct value *out);
bool sx_is_integer(const struct sx *);
bool sx_is_double(const struct sx *);
bool sx_is_numeric(const struct sx *);
double sx_as_double(const struct sx *);
/* A JSON array or object, or a text that holds one; NULL if not. */
const struct cJSON *sx_as_box(const struct sx *, int want_array,
    struct arena *);

#endif
