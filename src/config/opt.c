/* SPDX-License-Identifier: Apache-2.0 */
#include "config/opt.h"

#include <inttypes.h>
#include <stdint.h>

#include "base/must.h"
#include "config/config.h"

const struct opt opt_table[] = {
#define OPTION(field, name, type, dflt, min, max, when, doc)    \
	{ name, OPT_##type, OPT_##when, dflt, min, max, doc, \
	  offsetof(struct config, field) },
#include "config/options.def"
#undef OPTION
};
const size_t opt_count = ARRAY_LEN(opt_table);

struct unit {
	const char *name;
	int64_t factor;
};

/* The largest first: a value is written with the first that divides it. */
static const struct unit size_units[] = {
	{ "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { NULL, 0 }
};
static const struct unit time_units[] = {
	{ "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
	{ NULL, 0 }
};

const struct opt *
opt_find(struct str name)
{
	for (size_t i = 0; i < opt_count; i++)
		if (str_is(name, opt_table[i].name))
			return &opt_table[i];
	return NULL;
}

static void *
field(const struct opt *o, struct config *c)
{
	return (char *)c + o->offset;
}

static const void *
field_const(const struct opt *o, const struct config *c)
{
	return (const char *)c + o->offset;
}

static int64_t
number(const struct opt *o, const struct config *c)
{
	return *(const int64_t *)field_const(o, c);
}

static const char *
text(const struct opt *o, const struct config *c)
{
	return *(const char *const *)field_const(o, c);
}

/* The words between the braces of the doc. */
static struct str
words_of(const struct opt *o)
{
	struct str s = str_of(o->doc);
	struct str inner = str_from(s, str_find(s, '{') + 1);

	return str_head(inner, str_find(inner, '}'));
}

static void
list_words(const struct opt *o, struct buf *to)
{
	struct str rest = words_of(o), word;

	for (const char *sep = ""; str_next(&rest, '|', &word); sep = ", ")
		buf_printf(to, "%s\"%.*s\"", sep, STR_FMT(word));
}

void
opt_describe_type(const struct opt *o, struct buf *to)
{
	switch (o->type) {
	case OPT_BOOL:
		buf_addz(to, "true or false");
		break;
	case OPT_INT:
		buf_addz(to, "a whole number");
		break;
	case OPT_COUNT:
		buf_addz(to, "a whole number or \"auto\"");
		break;
	case OPT_SIZE:
		buf_addz(to, "bytes, or a string like \"64K\", \"1M\", \"2G\"");
		break;
	case OPT_TIME:
		buf_addz(to, "seconds, or a string like \"500ms\", \"10s\", "
		    "\"5m\", \"1h\"");
		break;
	case OPT_TEXT:
		buf_addz(to, "a string");
		break;
	case OPT_WORD:
		buf_addz(to, "one of ");
		list_words(o, to);
		break;
	}
}

static void
format_units(int64_t n, const struct unit *units, struct buf *to)
{
	for (; units->name && n; units++)
		if (n % units->factor == 0) {
			buf_printf(to, "%" PRId64 "%s", n / units->factor,
			    units->name);
			return;
		}
	buf_printf(to, "%" PRId64, n);
}

/* A number of this option for people: 1500 -> "1500ms". */
static void
format_number(const struct opt *o, int64_t n, struct buf *to)
{
	if (o->type == OPT_TIME)
		format_units(n, time_units, to);
	else if (o->type == OPT_SIZE)
		format_units(n, size_units, to);
	else
		buf_printf(to, "%" PRId64, n);
}

void
opt_describe_range(const struct opt *o, struct buf *to)
{
	if (o->type == OPT_BOOL || o->type == OPT_TEXT || o->type == OPT_WORD)
		return;
	buf_addz(to, "between ");
	format_number(o, o->min, to);
	buf_addz(to, " and ");
	format_number(o, o->max, to);
}

int
opt_wrong_type(const struct opt *o, const char *given, struct err *err)
{
	struct buf b = { 0 };

	opt_describe_type(o, &b);
	err_set(err, ERR_VALUE, "\"%s\" takes %s, not %s", o->name,
	    buf_cstr(&b), given);
	buf_fini(&b);
	return -1;
}

static int
wrong_text(const struct opt *o, struct str s, struct err *err)
{
	struct buf b = { 0 };

	buf_putc(&b, '"');
	buf_add_str(&b, str_head(s, 60));
	buf_putc(&b, '"');
	opt_wrong_type(o, buf_cstr(&b), err);
	buf_fini(&b);
	return -1;
}

static int
out_of_range(const struct opt *o, struct str given, struct err *err)
{
	struct buf b = { 0 };

	opt_describe_range(o, &b);
	err_set(err, ERR_VALUE, "\"%s\" must be %s, not %.*s", o->name,
	    buf_cstr(&b), STR_FMT(given));
	buf_fini(&b);
	return -1;
}

/* n in the option's own unit; given is how it was written. */
static int
store_number(const struct opt *o, struct config *c, int64_t n,
    struct str given, struct err *err)
{
	if (n < o->min || n > o->max)
		return out_of_range(o, given, err);
	*(int64_t *)field(o, c) = n;
	return 0;
}

int
opt_set_bool(const struct opt *o, struct config *c, bool v, struct err *err)
{
	if (o->type != OPT_BOOL)
		return opt_wrong_type(o, v ? "true" : "false", err);
	*(bool *)field(o, c) = v;
	return 0;
}

int
opt_set_number(const struct opt *o, struct config *c, int64_t n,
    struct err *err)
{
	char given[24];
	struct str s;

	snprintf(given, sizeof(given), "%" PRId64, n);
	s = str_of(given);
	switch (o->type) {
	case OPT_INT:
	case OPT_COUNT:
	case OPT_SIZE:
		return store_number(o, c, n, s, err);
	case OPT_TIME:
		if (n > INT64_MAX / 1000 || n < INT64_MIN / 1000)
			return out_of_range(o, s, err);
		return store_number(o, c, n * 1000, s, err);
	case OPT_BOOL:
	case OPT_TEXT:
	case OPT_WORD:
		break;
	}
	return opt_wrong_type(o, given, err);
}

/* "10s" with the units of the option; a bare number is taken as in the file
 * without quotes. */
static int
set_with_unit(const struct opt *o, struct config *c, struct str s,
    const struct unit *units, struct err *err)
{
	size_t digits = 0;
	int64_t n;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (!str_to_i64(str_head(s, digits), &n))
		return wrong_text(o, s, err);
	if (digits == s.n)
		return opt_set_number(o, c, n, err);
	while (units->name && !str_is(str_from(s, digits), units->name))
		units++;
	if (!units->name)
		return wrong_text(o, s, err);
	if (n > INT64_MAX / units->factor)
		return out_of_range(o, s, err);
	return store_number(o, c, n * units->factor, s, err);
}

static int
set_word(const struct opt *o, struct config *c, struct arena *a, struct str s,
    struct err *err)
{
	struct str rest = words_of(o), word;

	while (str_next(&rest, '|', &word))
		if (str_eq(word, s)) {
			*(const char **)field(o, c) = arena_str(a, s).p;
			return 0;
		}
	return wrong_text(o, s, err);
}

static int
set_string(const struct opt *o, struct config *c, struct arena *a,
    struct str s, struct err *err)
{
	if ((int64_t)s.n < o->min)
		return err_set(err, ERR_VALUE, "\"%s\" must not be empty",
		    o->name);
	if ((int64_t)s.n > o->max)
		return err_set(err, ERR_VALUE,
		    "\"%s\" may have at most %" PRId64 " characters", o->name,
		    o->max);
	*(const char **)field(o, c) = arena_str(a, s).p;
	return 0;
}

int
opt_set_text(const struct opt *o, struct config *c, struct arena *a,
    struct str s, struct err *err)
{
	switch (o->type) {
	case OPT_TEXT:
		return set_string(o, c, a, s, err);
	case OPT_WORD:
		return set_word(o, c, a, s, err);
	case OPT_SIZE:
		return set_with_unit(o, c, s, size_units, err);
	case OPT_TIME:
		return set_with_unit(o, c, s, time_units, err);
	case OPT_COUNT:
		if (!str_is(s, "auto"))
			break;
		*(int64_t *)field(o, c) = 0;
		return 0;
	case OPT_BOOL:
	case OPT_INT:
		break;
	}
	return wrong_text(o, s, err);
}

void
opt_set_default(const struct opt *o, struct config *c, struct arena *a)
{
	struct str s = str_of(o->dflt);
	struct err err;
	int64_t n;

	if (o->type == OPT_BOOL)
		must(opt_set_bool(o, c, str_is(s, "true"), &err) == 0);
	else if (str_to_i64(s, &n) && o->type != OPT_TEXT)
		must(opt_set_number(o, c, n, &err) == 0);
	else
		must(opt_set_text(o, c, a, s, &err) == 0);
}

bool
opt_same(const struct opt *o, const struct config *a, const struct config *b)
{
	switch (o->type) {
	case OPT_BOOL:
		return *(const bool *)field_const(o, a) ==
		    *(const bool *)field_const(o, b);
	case OPT_INT:
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		return number(o, a) == number(o, b);
	case OPT_TEXT:
	case OPT_WORD:
		return strcmp(text(o, a), text(o, b)) == 0;
	}
	unreachable();
}

void
opt_copy(const struct opt *o, struct config *to, struct arena *a,
    const struct config *from)
{
	switch (o->type) {
	case OPT_BOOL:
		*(bool *)field(o, to) = *(const bool *)field_const(o, from);
		break;
	case OPT_INT:
	case OPT_COUNT:
	case OPT_SIZE:
	case OPT_TIME:
		*(int64_t *)field(o, to) = number(o, from);
		break;
	case OPT_TEXT:
	case OPT_WORD:
		*(const char **)field(o, to) = arena_strdup(a, text(o, from));
		break;
	}
}

static void
format_string(const char *s, struct buf *to)
{
	buf_putc(to, '"');
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '"' || ch == '\\')
			buf_printf(to, "\\%c", ch);
		else if (ch < 0x20 || ch == 0x7F)
			buf_printf(to, "\\x%02x", ch);
		else
			buf_putc(to, *s);
	}
	buf_putc(to, '"');
}

void
opt_format(const struct opt *o, const struct config *c, struct buf *to)
{
	int64_t n;

	switch (o->type) {
	case OPT_BOOL:
		buf_addz(to, *(const bool *)field_const(o, c) ? "true" : "false");
		break;
	case OPT_COUNT:
	case OPT_INT:
		n = number(o, c);
		if (n == 0 && o->type == OPT_COUNT)
			buf_addz(to, "\"auto\"");
		else	/* L: more than 32 bits may be needed */
			buf_printf(to, "%" PRId64 "%s", n,
			    n > INT32_MAX ? "L" : "");
		break;
	case OPT_SIZE:
	case OPT_TIME:
		buf_putc(to, '"');
		format_number(o, number(o, c), to);
		buf_putc(to, '"');
		break;
	case OPT_TEXT:
	case OPT_WORD:
		format_string(text(o, c), to);
		break;
	}
}
