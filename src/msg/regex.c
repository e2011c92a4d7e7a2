/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/must.h"
#include "msg/regex_java.h"

enum {
	MATCH_LIMIT = 1000000,		/* steps of one match */
	DEPTH_LIMIT = 20000,
	HEAP_LIMIT_KIB = 8192,
	JIT_STACK_FIRST = 32 * 1024,
	JIT_STACK_MAX = 512 * 1024,
	PATTERN_MAX = 64 * 1024,
};

#ifdef PCRE2_MATCH_INVALID_UTF
#define UTF_OPTIONS (PCRE2_UTF | PCRE2_MATCH_INVALID_UTF)
#else
#define UTF_OPTIONS PCRE2_UTF
#endif

struct regex {
	pcre2_code *code;
	uint32_t groups;	/* with group 0 */
};

/* What matching needs and no pattern owns: one of each per process. */
static struct {
	pcre2_compile_context *compile;
	pcre2_match_context *match;
	pcre2_match_data *data;
	uint32_t groups;	/* that data has room for */
} scratch;

static void
scratch_ready(uint32_t groups)
{
	pcre2_jit_stack *stack;

	if (!scratch.match) {
		scratch.compile = pcre2_compile_context_create(NULL);
		scratch.match = pcre2_match_context_create(NULL);
		must(scratch.compile && scratch.match);
		pcre2_set_newline(scratch.compile, PCRE2_NEWLINE_ANY);
		pcre2_set_max_pattern_length(scratch.compile, PATTERN_MAX);
		pcre2_set_match_limit(scratch.match, MATCH_LIMIT);
		pcre2_set_depth_limit(scratch.match, DEPTH_LIMIT);
		pcre2_set_heap_limit(scratch.match, HEAP_LIMIT_KIB);
		stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MAX,
		    NULL);
		pcre2_jit_stack_assign(scratch.match, NULL, stack);
	}
	if (groups > scratch.groups) {
		pcre2_match_data_free(scratch.data);
		scratch.groups = groups < 16 ? 16 : groups;
		scratch.data = pcre2_match_data_create(scratch.groups, NULL);
		must(scratch.data);
	}
}

static void
code_free(void *code)
{
	pcre2_code_free(code);
}

static struct regex *
compile(struct arena *a, struct str pattern, uint32_t options,
    struct err *err)
{
	struct regex *re = arena_zalloc(a, sizeof(*re));
	PCRE2_SIZE at = 0;
	PCRE2_UCHAR text[256];
	int code = 0;

	if (regex_from_java(a, pattern, &pattern, err))
		return NULL;
	scratch_ready(0);
	re->code = pcre2_compile((PCRE2_SPTR)(pattern.p ? pattern.p : ""),
	    pattern.n, UTF_OPTIONS | options, &code, &at, scratch.compile);
	if (!re->code) {
		pcre2_get_error_message(code, text, sizeof(text));
		err_set(err, ERR_SYNTAX, "regular expression: %s at offset "
		    "%zu", (const char *)text, at);
		if (err)
			err->at.column = (int)at + 1;
		return NULL;
	}
	arena_on_reset(a, code_free, re->code);
	/* Where code may not be made at run time the interpreter does it. */
	(void)pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE);
	pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
	re->groups++;
	scratch_ready(re->groups);
	return re;
}

struct regex *
regex_compile(struct arena *a, struct str pattern, struct err *err)
{
	return compile(a, pattern, PCRE2_ANCHORED | PCRE2_ENDANCHORED, err);
}

struct regex *
regex_compile_search(struct arena *a, struct str pattern, struct err *err)
{
	return compile(a, pattern, 0, err);
}

static int
match(const struct regex *re, struct str s, size_t from, struct err *err)
{
	PCRE2_SPTR p = (PCRE2_SPTR)(s.p ? s.p : "");
	PCRE2_UCHAR text[256];
	int rc;

	rc = pcre2_match(re->code, p, s.n, from, 0, scratch.data,
	    scratch.match);
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(re->code, p, s.n, from, PCRE2_NO_JIT,
		    scratch.data, scratch.match);
	if (rc >= 0)
		return 1;
	if (rc == PCRE2_ERROR_NOMATCH)
		return 0;
	pcre2_get_error_message(rc, text, sizeof(text));
	return err_set(err, ERR_LIMIT, "regular expression gave up: %s",
	    (const char *)text);
}

int
regex_matches(const struct regex *re, struct str s, struct err *err)
{
	return match(re, s, 0, err);
}

int
regex_group(const struct regex *re, struct str s, unsigned group,
    struct str *out, struct err *err)
{
	int rc = match(re, s, 0, err);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch.data);

	*out = STR_NULL;
	if (rc == 1 && group < re->groups && at[2 * group] != PCRE2_UNSET)
		*out = (struct str){ (s.p ? s.p : "") + at[2 * group],
			at[2 * group + 1] - at[2 * group] };
	return rc;
}

int
regex_search(const struct regex *re, struct str s, size_t from,
    size_t *start_out, size_t *end_out, struct err *err)
{
	int rc = match(re, s, from, err);
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch.data);

	if (rc == 1) {
		/* \K may put the start behind the end. */
		*end_out = at[1] > from ? at[1] : from;
		*start_out = at[0] < *end_out ? at[0] : *end_out;
	}
	return rc;
}

/* ---- replaceAll -------------------------------------------------------- */

struct replacing {
	const struct regex *re;
	struct str subject;
	struct buf *out;
	struct err *err;
};

static int
add_group(struct replacing *r, uint32_t group)
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(scratch.data);

	if (group >= r->re->groups)
		return err_set(r->err, ERR_VALUE, "replacement: No group %u",
		    (unsigned)group);
	if (at[2 * group] != PCRE2_UNSET && at[2 * group + 1] > at[2 * group])
		buf_add(r->out, r->subject.p + at[2 * group],
		    at[2 * group + 1] - at[2 * group]);
	return 0;
}

/* ${name}; rest begins behind the brace. */
static int
add_named(struct replacing *r, struct str *rest)
{
	size_t n = str_find(*rest, '}');
	char name[64];
	int group;

	if (n == rest->n || n == 0 || n >= sizeof(name))
		return err_set(r->err, ERR_VALUE,
		    "replacement: bad ${name} of a group");
	memcpy(name, rest->p, n);
	name[n] = '\0';
	*rest = str_from(*rest, n + 1);
	group = pcre2_substring_number_from_name(r->re->code,
	    (PCRE2_SPTR)name);
	if (group < 0)
		return err_set(r->err, ERR_VALUE,
		    "replacement: No group with name {%s}", name);
	return add_group(r, (uint32_t)group);
}

/* As many digits as still make a group that exists. */
static int
add_numbered(struct replacing *r, struct str *rest)
{
	uint32_t group, more;

	if (!rest->n || rest->p[0] < '0' || rest->p[0] > '9')
		return err_set(r->err, ERR_VALUE,
		    "replacement: Illegal group reference");
	group = (uint32_t)(rest->p[0] - '0');
	*rest = str_from(*rest, 1);
	while (rest->n && rest->p[0] >= '0' && rest->p[0] <= '9') {
		more = group * 10 + (uint32_t)(rest->p[0] - '0');
		if (more >= r->re->groups)
			break;
		group = more;
		*rest = str_from(*rest, 1);
	}
	return add_group(r, group);
}

static int
add_replacement(struct replacing *r, struct str with)
{
	while (with.n) {
		char c = with.p[0];

		with = str_from(with, 1);
		if (c == '$' && with.n && with.p[0] == '{') {
			with = str_from(with, 1);
			if (add_named(r, &with) < 0)
				return -1;
		} else if (c == '$') {
			if (add_numbered(r, &with) < 0)
				return -1;
		} else if (c == '\\' && !with.n) {
			return err_set(r->err, ERR_VALUE, "replacement: "
			    "character to be escaped is missing");
		} else if (c == '\\') {
			buf_putc(r->out, with.p[0]);
			with = str_from(with, 1);
		} else {
			buf_putc(r->out, c);
		}
	}
	return 0;
}

static size_t
one_character(struct str s, size_t at)
{
	size_t n = 1;

	while (at + n < s.n && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
		n++;
	return n;
}

int
regex_replace_all(const struct regex *re, struct str s, struct str with,
    size_t max, struct buf *out, struct err *err)
{
	struct replacing r = { re, s, out, err };
	size_t from = 0, copied = 0, start = 0, end = 0;
	int rc = 0;

	while (from <= s.n && (rc = regex_search(re, s, from, &start, &end,
	    err)) > 0) {
		/* \K may put the start anywhere. */
		start = start < copied ? copied : start;
		buf_add_str(out, str_head(str_from(s, copied),
		    start - copied));
		if (add_replacement(&r, with) < 0)
			return -1;
		if (buf_len(out) > max)
			return err_set(err, ERR_LIMIT,
			    "the result of a replacement is too long");
		copied = end;
		from = end > start ? end : end + one_character(s, end);
	}
	if (rc < 0)
		return -1;
	buf_add_str(out, str_from(s, copied));
	return 0;
}
