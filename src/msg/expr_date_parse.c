/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a date by a DateTimeFormatter pattern. */
#include "msg/expr_date.h"

#include <string.h>

enum field {
	YEAR, MONTH, DAY, YEARDAY, WEEKDAY, HOUR24, HOUR12, HALF, MINUTE,
	SECOND, MILLI, FIELD_COUNT
};

struct parse {
	struct str text;
	int value[FIELD_COUNT];
	unsigned has;			/* bit per field */
};

static bool
put(struct parse *p, enum field field, int value)
{
	if ((p->has & 1U << field) && p->value[field] != value)
		return false;
	p->has |= 1U << field;
	p->value[field] = value;
	return true;
}

static bool
has(const struct parse *p, enum field field)
{
	return p->has & 1U << field;
}

static size_t
digits_ahead(struct str s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* Digits that the numbers right behind this one need. */
static size_t
reserved(struct str pattern)
{
	struct date_field f;
	size_t n = 0;

	while (date_next_field(&pattern, &f) && f.letter &&
	    strchr("MdHhmsSDkK", f.letter) && f.count != 1 &&
	    !(f.letter == 'M' && f.count > 2))
		n += (size_t)f.count;
	return n;
}

static bool
take_number(struct parse *p, size_t min, size_t max, int *out)
{
	size_t n = digits_ahead(p->text);
	int value = 0;

	if (n > max)
		n = max;
	if (n < min || n == 0 || n > 9)
		return false;
	for (size_t i = 0; i < n; i++)
		value = value * 10 + (p->text.p[i] - '0');
	p->text = str_from(p->text, n);
	*out = value;
	return true;
}

static bool
parse_year(struct parse *p, int count, struct str rest)
{
	size_t kept = reserved(rest), n = digits_ahead(p->text);
	int year;

	if (count == 2)
		return take_number(p, 2, 2, &year) && put(p, YEAR, 2000 + year);
	n = n > kept ? n - kept : 0;
	if (n > 4 && kept == 0 && count >= 4)
		n = 4;
	return take_number(p, count == 1 ? 1 : (size_t)count, n, &year) &&
	    put(p, YEAR, year);
}

/* Full or three letters; the full one first. */
static bool
parse_name(struct parse *p, const char *const *names, int n, int count,
    int *out)
{
	for (int i = 0; i < n; i++) {
		struct str name = str_of(names[i]);

		if (count < 4)
			name = str_head(name, 3);
		if (str_eq(str_head(p->text, name.n), name)) {
			p->text = str_from(p->text, name.n);
			*out = i;
			return true;
		}
	}
	return false;
}

static bool
parse_half(struct parse *p)
{
	bool pm = str_starts(p->text, "PM");

	if (!pm && !str_starts(p->text, "AM"))
		return false;
	p->text = str_from(p->text, 2);
	return put(p, HALF, pm);
}

static bool
parse_fraction(struct parse *p, int count)
{
	size_t n = (size_t)count;
	int ms = 0;

	if (digits_ahead(p->text) < n)
		return false;
	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < n ? p->text.p[i] - '0' : 0);
	p->text = str_from(p->text, n);
	return put(p, MILLI, ms);
}

static bool
parse_number_field(struct parse *p, char letter, int count)
{
	static const struct {
		char letter;
		enum field field;
		int min, max;
	} all[] = {
		{ 'M', MONTH, 1, 12 }, { 'L', MONTH, 1, 12 },
		{ 'd', DAY, 1, 31 }, { 'D', YEARDAY, 1, 366 },
		{ 'H', HOUR24, 0, 23 }, { 'k', HOUR24, 1, 24 },
		{ 'h', HOUR12, 1, 12 }, { 'K', HOUR12, 0, 11 },
		{ 'm', MINUTE, 0, 59 }, { 's', SECOND, 0, 59 },
	};
	int value;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].letter != letter)
			continue;
		if (!take_number(p, (size_t)count, count == 1 ? 9 :
		    (size_t)count, &value) ||
		    value < all[i].min || value > all[i].max)
			return false;
		if (letter == 'k')
			value %= 24;
		if (letter == 'h')
			value %= 12;
		return put(p, all[i].field, value);
	}
	return false;
}

static bool
parse_field(struct parse *p, const struct date_field *f, struct str rest)
{
	int i;

	if (f->count == -1)
		return false;
	if (f->letter == '\0') {
		if (!str_eq(str_head(p->text, f->text.n), f->text))
			return false;
		p->text = str_from(p->text, f->text.n);
		return true;
	}
	if (f->letter == 'y' || f->letter == 'u')
		return parse_year(p, f->count, rest);
	if (f->letter == 'E')
		return parse_name(p, date_days, 7, f->count, &i) &&
		    put(p, WEEKDAY, i);
	if ((f->letter == 'M' || f->letter == 'L') && f->count >= 3)
		return parse_name(p, date_months, 12, f->count, &i) &&
		    put(p, MONTH, i + 1);
	if (f->letter == 'a')
		return parse_half(p);
	if (f->letter == 'S')
		return parse_fraction(p, f->count);
	return parse_number_field(p, f->letter, f->count);
}

/* Behind a '[': up to behind the ']' that closes it. */
static void
skip_optional(struct str *pattern)
{
	struct date_field f;
	int depth = 1;

	while (depth > 0 && date_next_field(pattern, &f))
		depth += f.letter == '[' ? 1 : f.letter == ']' ? -1 : 0;
}

/* Optional parts that do not fit are passed over as if they were not there. */
static bool
parse_all(struct parse *p, struct str pattern)
{
	struct parse saved[8];
	struct str behind[8];
	size_t depth = 0;
	struct date_field f;

	while (date_next_field(&pattern, &f)) {
		if (f.letter == '[') {
			if (depth == ARRAY_LEN(saved))
				return false;
			saved[depth] = *p;
			behind[depth] = pattern;
			skip_optional(&behind[depth++]);
		} else if (f.letter == ']') {
			if (depth-- == 0)
				return false;
		} else if (!parse_field(p, &f, pattern)) {
			if (depth == 0)
				return false;
			*p = saved[--depth];
			pattern = behind[depth];
		}
	}
	return depth == 0 && p->text.n == 0;
}

/* The day a month does not have becomes its last one. */
static bool
resolve_date(struct parse *p, struct date *out)
{
	int days;

	if (!has(p, YEAR))
		return false;
	out->year = p->value[YEAR];
	if (has(p, MONTH) && has(p, DAY)) {
		out->month = p->value[MONTH];
		out->day = p->value[DAY];
		days = date_month_days(out->year, out->month);
		if (out->day > days)
			out->day = days;
	} else if (has(p, YEARDAY)) {
		out->day = p->value[YEARDAY];
		out->month = 1;
		while (out->month < 12 &&
		    out->day > (days = date_month_days(out->year, out->month))) {
			out->day -= days;
			out->month++;
		}
		if (out->day > 31)
			return false;
	} else {
		return false;
	}
	date_complete(out);
	return !has(p, WEEKDAY) || p->value[WEEKDAY] == out->weekday;
}

static bool
resolve_time(struct parse *p, struct date *out)
{
	if (has(p, HOUR24))
		out->hour = p->value[HOUR24];
	else if (has(p, HOUR12) && has(p, HALF))
		out->hour = p->value[HOUR12] + 12 * p->value[HALF];
	else
		return false;
	out->minute = p->value[MINUTE];
	out->second = p->value[SECOND];
	out->millisecond = p->value[MILLI];
	return true;
}

int
date_parse(struct str text, struct str pattern, struct date *out,
    struct err *err)
{
	struct parse p = { .text = text };

	*out = (struct date){ 0 };
	if (parse_all(&p, pattern)) {
		out->has_date = resolve_date(&p, out);
		out->has_time = resolve_time(&p, out);
		if (out->has_date || out->has_time)
			return 0;
	}
	return err_set(err, ERR_VALUE, "Invalid date/time or source format "
	    "provided for formatDateTime function. Source: %.*s Format: %.*s",
	    STR_FMT(text), STR_FMT(pattern));
}
