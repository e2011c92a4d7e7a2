/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a compiled path, for jsonpath*.c. */
#ifndef MSG_JSONPATH_PRIV_H
#define MSG_JSONPATH_PRIV_H

#include "msg/jsonpath.h"

struct regex;

enum jp_kind {
	JP_NAME,		/* .a ['a'] */
	JP_NAMES,		/* ['a','b'] */
	JP_INDEX,		/* [0] [-1] */
	JP_INDICES,		/* [0,2] */
	JP_SLICE,		/* [a:b] */
	JP_ANY,			/* * [*] */
	JP_FILTER,		/* [?(...)] */
	JP_SCAN,		/* .. ; the next step says what is looked for */
	JP_FUNCTION,		/* .length() */
};

enum jp_function {
#define FUNCTION(name, word) JP_##name,
#include "msg/jsonpath_functions.def"
#undef FUNCTION
	JP_FUNCTION_COUNT
};

/* An argument of a function or a side of a comparison. */
struct jp_operand {
	enum { JP_PATH, JP_LITERAL, JP_PATTERN } kind;
	const struct jsonpath *path;
	const struct cJSON *literal;
	const struct regex *pattern;
};

enum jp_operator {
	JP_EXISTS,
#define OPERATOR(name, text) JP_##name,
#include "msg/jsonpath_operators.def"
#undef OPERATOR
};

struct jp_filter {
	enum { JP_OR, JP_AND, JP_NOT, JP_TEST } kind;
	enum jp_operator op;		/* JP_TEST */
	bool wanted;			/* of JP_EXISTS: @.a or !@.a */
	struct jp_operand left, right;
	struct jp_filter *child, *next;	/* operands of OR, AND, NOT */
};

struct jp_step {
	enum jp_kind kind;
	bool after_definite;		/* all steps before are definite */
	struct jp_step *next;
	size_t count;
	union {
		struct str *names;
		long *indices;
		struct {
			bool has_from, has_to;
			long from, to;
		} slice;
		struct jp_filter *filter;
		struct {
			enum jp_function id;
			struct jp_operand *args;
		} function;
	};
};

struct jsonpath {
	struct str text;
	bool relative;			/* begins with @ */
	bool definite;
	bool plain;			/* names and single indices only */
	struct jp_step *first;
};

/* Where a path or filter is being read. */
struct jp_reader {
	struct arena *arena;
	struct str text;
	size_t at;
	unsigned depth, steps;
	struct err *err;
};

static inline char
jp_peek(const struct jp_reader *r)
{
	return r->at < r->text.n ? r->text.p[r->at] : '\0';
}

void jp_blanks(struct jp_reader *);
/* Takes c when it is next (after blanks). */
bool jp_take(struct jp_reader *, char c);
bool jp_take_word(struct jp_reader *, const char *word);
/* The error at the place of the reader; -1. */
int jp_fail(const struct jp_reader *, const char *what);
/* A quoted string with its escapes resolved. */
int jp_quoted(struct jp_reader *, struct str *out);
/* A path that begins with $ or @ inside a filter or an argument list. */
int jp_read_path(struct jp_reader *, struct jsonpath **out);
/* From behind "[?(" to behind the ")" that closes it. */
int jp_read_filter(struct jp_reader *, struct jp_filter **out);
/* 'a' "a" 1 true null [list] {object}; lists take bare words. */
int jp_read_literal(struct jp_reader *, const struct cJSON **out);
int jp_read_operand(struct jp_reader *, struct jp_operand *out);

enum {
	JP_DEPTH_MAX = 64,	/* of parentheses, lists and inner paths */
	JP_LENGTH_MAX = 1000,	/* steps of a path with its inner paths */
};

/* What one evaluation may take, with its inner paths. */
struct jp_budget {
	size_t steps;			/* left */
	size_t memory_end;		/* of arena_used() */
};

static inline void
jp_charge(struct jp_budget *b, size_t steps)
{
	b->steps = b->steps > steps ? b->steps - steps : 0;
}

/* Evaluation of one path. */
struct jp_walk {
	struct cJSON *root;
	struct arena *arena;
	struct err *err;
	struct jp_budget *budget;	/* shared with inner paths */
	unsigned depth;
	enum { JP_READING, JP_WRITING } mode;
	bool gather;			/* stop before the function */
	struct jsonpath_hits hits;
	size_t room;
};

enum {
	JP_STEPS_MAX = 5000000,
	JP_WALK_DEPTH_MAX = 10000,
	JP_MEMORY_MAX = 64 << 20,
};

/* Names and single indices from at on; needs no list of hits. */
enum jsonpath_result jp_follow(const struct jsonpath *,
    struct jsonpath_hit *at, struct jp_budget *);
/* Selects with the work still allowed; here is what @ stands for. */
enum jsonpath_result jp_select(const struct jsonpath *, struct cJSON *here,
    struct jp_walk *);
/* An array of copies of the hits, or the one of a definite path. */
enum jsonpath_result jp_collect(const struct jsonpath *, struct jp_walk *,
    struct cJSON **out);
void jp_add(struct jp_walk *, struct cJSON *node, struct cJSON *parent,
    bool by_key);
/* Looking through members and elements is work too. */
struct cJSON *jp_member(const struct cJSON *object, const char *key,
    struct jp_budget *);
struct cJSON *jp_element(const struct cJSON *array, long index,
    struct jp_budget *);
long jp_length(const struct cJSON *);
/* A node like that one for another list. */
struct cJSON *jp_copy(const struct cJSON *, bool by_key, struct arena *);
/* What an operand stands for; NULL when undefined. 0, -1. */
int jp_value(const struct jp_operand *, struct cJSON *here,
    const struct jp_walk *outer, struct cJSON **out);
/* 1, 0, -1. */
int jp_accept(const struct jp_filter *, struct cJSON *here,
    const struct jp_walk *);
/* Fills err; -1. */
int jp_too_much(struct err *);
enum jsonpath_result jp_call(const struct jp_step *, struct cJSON *model,
    struct jp_walk *, struct cJSON **out);

#endif
