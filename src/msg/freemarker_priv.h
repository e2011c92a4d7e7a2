/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of templates. Private to the freemarker_*.c files. */
#ifndef MSG_FREEMARKER_PRIV_H
#define MSG_FREEMARKER_PRIV_H

#include <stdint.h>
#include "msg/freemarker.h"
#include "msg/json.h"

struct fm_builtin;

enum {
	FM_HEIGHT = 200,		/* of an expression's tree */
	FM_NESTING = 64,		/* of directives, and of brackets */
	FM_STEPS = 5 * 1000 * 1000,
};

enum fm_op {
	FM_OP_STRING, FM_OP_NUMBER, FM_OP_TRUE, FM_OP_FALSE, FM_OP_LIST,
	FM_OP_NAME, FM_OP_DOT, FM_OP_INDEX, FM_OP_BUILTIN, FM_OP_PAREN,
	FM_OP_DEFAULT, FM_OP_EXISTS, FM_OP_TEXT,
	FM_OP_NOT, FM_OP_NEGATE, FM_OP_PLUS,
	FM_OP_ADD, FM_OP_SUBTRACT, FM_OP_MULTIPLY, FM_OP_DIVIDE, FM_OP_MODULO,
	FM_OP_EQ, FM_OP_NE, FM_OP_LT, FM_OP_LE, FM_OP_GT, FM_OP_GE,
	FM_OP_AND, FM_OP_OR,
	FM_OP_RANGE, FM_OP_RANGE_BELOW, FM_OP_RANGE_COUNT,
};

struct fm_expr {
	enum fm_op op;
	unsigned height;
	const struct fm_expr *a, *b;	/* b of LIST, BUILTIN: the first item */
	struct fm_expr *next;		/* item after this one */
	struct str text;		/* of a STRING; a NAME, DOT: its name */
	double number;
	const struct fm_builtin *builtin;
	struct str source;		/* as written */
	struct src_pos at;
};

enum fm_kind {
	FM_TEXT, FM_OUTPUT, FM_IF, FM_LIST, FM_SEP, FM_ASSIGN, FM_BREAK,
};

struct fm_node {
	enum fm_kind kind;
	struct fm_node *next;
	struct str text;		/* TEXT; name of ASSIGN and of a loop */
	struct str second;		/* LIST over a map: the value's name */
	const struct fm_expr *expr;	/* IF: NULL = #else */
	enum fm_op op;			/* ASSIGN: ADD for +=; STRING for = */
	struct fm_node *body;
	struct fm_node *other;		/* IF: the next branch; LIST: #else */
};

struct freemarker {
	struct fm_node *body;
	bool reads_body;
};

struct fm_parse {
	struct arena *arena;
	const char *begin, *p, *end;
	bool in_tag;		/* > ends the expression */
	unsigned nesting;
	bool reads_body;
	const char *placed;	/* whose place is known, or NULL */
	struct src_pos place;
	struct err *err;
};

/* Each sets err and returns NULL, or -1. */
struct fm_expr *fm_parse_expr(struct fm_parse *) MUST_CHECK;
int fm_error(struct fm_parse *, const char *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
struct src_pos fm_place(struct fm_parse *, const char *at);
void fm_skip_space(struct fm_parse *);
struct str fm_read_name(struct fm_parse *);	/* n == 0: none */

enum fm_type {
	FM_V_NONE, FM_V_STRING, FM_V_NUMBER, FM_V_BOOL, FM_V_JSON, FM_V_XML,
	FM_V_LIST, FM_V_RANGE, FM_V_SCOPE,
};
enum fm_scope { FM_S_ARGS, FM_S_CTX, FM_S_AXIS2, FM_S_TRP, FM_S_VARS };

struct fm_value {
	enum fm_type type;
	union {
		struct str s;
		double n;
		bool b;
		const struct cJSON *json;	/* an object or array */
		struct {
			struct _xmlNode **node;
			size_t count;
			bool one;	/* a node, not a list of one */
		} xml;
		struct {
			const struct fm_value *item;
			size_t count;
		} list;
		struct {
			double from;
			int step;
			size_t count;
		} range;
		enum fm_scope scope;
	};
};

#define FM_STRING(str) ((struct fm_value){ .type = FM_V_STRING, .s = (str) })
#define FM_NUMBER(x) ((struct fm_value){ .type = FM_V_NUMBER, .n = (x) })
#define FM_BOOL(x) ((struct fm_value){ .type = FM_V_BOOL, .b = (x) })
/* A variable; those of loops know where they are. */
struct fm_var {
	struct fm_var *next;
	struct str name;
	struct fm_value value;
	bool loop, has_next;
	size_t index;
};

struct fm_run {
	const struct freemarker_data *data;
	struct arena *arena;
	struct buf *out;
	size_t out_from;		/* where out began */
	struct fm_var *loops, *assigned;
	bool has_payload;
	struct fm_value payload;
	unsigned steps;
	size_t taken, max;		/* bytes of strings */
	struct err *err;
};

int fm_eval(struct fm_run *, const struct fm_expr *, struct fm_value *)
    MUST_CHECK;
/* The same; something missing is an error. */
int fm_eval_present(struct fm_run *, const struct fm_expr *,
    struct fm_value *) MUST_CHECK;
/* In brackets, a missing step inside is missing as a whole. */
int fm_eval_or_missing(struct fm_run *, const struct fm_expr *,
    struct fm_value *) MUST_CHECK;
int fm_eval_text(struct fm_run *, const struct fm_expr *, struct str *)
    MUST_CHECK;
int fm_eval_number(struct fm_run *, const struct fm_expr *, double *)
    MUST_CHECK;
int fm_eval_truth(struct fm_run *, const struct fm_expr *, bool *) MUST_CHECK;
int fm_binary(struct fm_run *, const struct fm_expr *, struct fm_value *)
    MUST_CHECK;
int fm_add(struct fm_run *, const struct fm_expr *at, const struct fm_value *,
    const struct fm_value *, struct fm_value *) MUST_CHECK;

int fm_fail(struct fm_run *, const struct fm_expr *at, enum err_kind,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
/* at: the expression whose value is not what it must be. */
int fm_expected(struct fm_run *, const struct fm_expr *at, const char *what,
    const struct fm_value *);
int fm_take(struct fm_run *, const struct fm_expr *, size_t) MUST_CHECK;
int fm_step(struct fm_run *, const struct fm_expr *at) MUST_CHECK;
struct fm_var *fm_find_var(struct fm_run *, struct str name);

/* What the data have of that name; FM_V_NONE when nothing. */
int fm_root(struct fm_run *, const struct fm_expr *at, struct str name,
    struct fm_value *) MUST_CHECK;
int fm_member(struct fm_run *, const struct fm_expr *at,
    const struct fm_value *, struct str name, struct fm_value *) MUST_CHECK;
bool fm_is_list(const struct fm_value *);
bool fm_is_map(const struct fm_value *);
bool fm_has_content(const struct fm_value *);
size_t fm_size(const struct fm_value *);
/* Steps through a list, or the values of a map; { 0 } is the start. */
struct fm_walk {
	size_t index;
	const struct cJSON *json;	/* of the item it gave last */
};
bool fm_next(struct fm_run *, const struct fm_value *, struct fm_walk *,
    struct fm_value *item_out);
int fm_at(struct fm_run *, const struct fm_expr *at, const struct fm_value *,
    size_t index, struct fm_value *) MUST_CHECK;
/* As ${...} shows it. */
int fm_text(struct fm_run *, const struct fm_expr *at,
    const struct fm_value *, struct str *) MUST_CHECK;
/* Strings as they are; nodes as text; false for what is no string. */
int fm_string(struct fm_run *, const struct fm_expr *at,
    const struct fm_value *, struct str *) MUST_CHECK;
bool fm_is_string(const struct fm_value *);
const char *fm_type_name(const struct fm_value *);
struct str fm_number_text(struct arena *, double);	/* 1,234.5 */
struct str fm_number_c(struct arena *, double);		/* 1234.5 */
struct str fm_number_pattern(struct arena *, double, struct str pattern);
struct fm_value fm_of_json(struct fm_run *, const struct cJSON *);

/* NULL when there is none of that name. */
const struct fm_builtin *fm_builtin_find(struct str name);
bool fm_builtin_args_ok(const struct fm_builtin *, size_t);
int fm_builtin_call(struct fm_run *, const struct fm_expr *,
    struct fm_value *) MUST_CHECK;

#endif
