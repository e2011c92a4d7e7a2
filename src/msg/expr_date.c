/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/expr_date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/buf.h"

const char *const date_months[12] = {
	"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December",
};
const char *const date_days[7] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
	"Saturday",
};

int
date_month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

void
date_complete(struct date *d)
{
	static const int shift[] = { 0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4 };
	int y = d->year - (d->month < 3);

	d->weekday = ((y + y / 4 - y / 100 + y / 400 + shift[d->month - 1] +
	    d->day) % 7 + 7) % 7;
	d->yearday = d->day - 1;
	for (int m = 1; m < d->month; m++)
		d->yearday += date_month_days(d->year, m);
}

void
date_of_ms(int64_t epoch_ms, struct date *out)
{
	int64_t seconds = epoch_ms / 1000, ms = epoch_ms % 1000;
	time_t t;
	struct tm tm = { 0 };

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	t = (time_t)seconds;
	(void)localtime_r(&t, &tm);
	*out = (struct date){
		.has_date = true, .has_time = true, .has_zone = true,
		.year = tm.tm_year + 1900, .month = tm.tm_mon + 1,
		.day = tm.tm_mday, .weekday = tm.tm_wday,
		.yearday = tm.tm_yday, .hour = tm.tm_hour,
		.minute = tm.tm_min, .second = tm.tm_sec,
		.millisecond = (int)ms, .offset_s = (int)tm.tm_gmtoff,
	};
	(void)snprintf(out->zone, sizeof(out->zone), "%s",
	    tm.tm_zone ? tm.tm_zone : "UTC");
}

static bool
is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* 'text' or '' (a quote); of 'a''b' first a and a quote, then 'b'. */
static bool
next_quoted(struct str *pattern, struct date_field *out)
{
	size_t end = str_find(str_from(*pattern, 1), '\'');

	out->letter = '\0';
	out->count = 1;
	if (end + 1 >= pattern->n) {
		out->count = -1;
		*pattern = str_from(*pattern, pattern->n);
		return true;
	}
	if (end > 0 && end + 2 < pattern->n && pattern->p[end + 2] == '\'') {
		out->text = str_head(str_from(*pattern, 1), end + 1);
		*pattern = str_from(*pattern, end + 2);
		return true;
	}
	out->text = end == 0 ? STR("'") : str_head(str_from(*pattern, 1), end);
	*pattern = str_from(*pattern, end + 2);
	return true;
}

bool
date_next_field(struct str *pattern, struct date_field *out)
{
	char c;
	size_t n = 1;

	if (pattern->n == 0)
		return false;
	c = pattern->p[0];
	if (c == '\'')
		return next_quoted(pattern, out);
	if (is_letter(c))
		while (n < pattern->n && pattern->p[n] == c && n < 20)
			n++;
	out->letter = is_letter(c) || c == '[' || c == ']' ? c : '\0';
	out->count = (int)n;
	out->text = str_head(*pattern, n);
	*pattern = str_from(*pattern, n);
	return true;
}

/* The year that a week of Sunday to Saturday counts to: that of its end. */
static int
week_year(const struct date *d)
{
	int left = date_month_days(d->year, 12) - d->day;

	return d->year + (d->month == 12 && left < 6 - d->weekday);
}

static int
week_of_year(const struct date *d)
{
	int first = ((d->weekday - d->yearday) % 7 + 7) % 7;

	return week_year(d) > d->year ? 1 : (d->yearday + first) / 7 + 1;
}

static int
week_of_month(const struct date *d)
{
	int first = ((d->weekday - (d->day - 1)) % 7 + 7) % 7;

	return (d->day - 1 + first) / 7 + 1;
}

static void
add_number(struct buf *b, int value, int width)
{
	buf_printf(b, "%0*d", width, value);
}

static void
add_year(struct buf *b, int year, int count)
{
	if (count == 2)
		add_number(b, abs(year) % 100, 2);
	else
		add_number(b, year, count);
}

static void
add_name(struct buf *b, const char *name, int count)
{
	buf_printf(b, "%.*s", count >= 4 ? 20 : 3, name);
}

/* +01, +0100 or +01:00; Z for zero when asked. */
static void
add_offset(struct buf *b, const struct date *d, int count, bool zero_is_z)
{
	int minutes = abs(d->offset_s) / 60;
	char sign = d->offset_s < 0 ? '-' : '+';

	if (zero_is_z && minutes == 0)
		buf_putc(b, 'Z');
	else if (count == 1)
		buf_printf(b, "%c%02d", sign, minutes / 60);
	else
		buf_printf(b, "%c%02d%s%02d", sign, minutes / 60,
		    count == 3 ? ":" : "", minutes % 60);
}

static bool
add_date_part(struct buf *b, const struct date *d, char letter, int count,
    enum date_dialect dialect)
{
	switch (letter) {
	case 'y':
		add_year(b, d->year, count);
		return true;
	case 'u':
		if (dialect == DATE_FORMATTER)
			add_year(b, d->year, count);
		else
			add_number(b, d->weekday ? d->weekday : 7, count);
		return true;
	case 'Y':
		add_year(b, week_year(d), count);
		return true;
	case 'M':
	case 'L':
		if (count >= 3)
			add_name(b, date_months[d->month - 1], count);
		else
			add_number(b, d->month, count);
		return true;
	case 'd':
		add_number(b, d->day, count);
		return true;
	case 'D':
		add_number(b, d->yearday + 1, count);
		return true;
	case 'E':
		add_name(b, date_days[d->weekday], count);
		return true;
	case 'G':
		buf_addz(b, count >= 4 && dialect == DATE_FORMATTER ?
		    "Anno Domini" : "AD");
		return true;
	case 'w':
		add_number(b, week_of_year(d), count);
		return true;
	case 'W':
		add_number(b, week_of_month(d), count);
		return true;
	case 'F':
		add_number(b, (d->day - 1) / 7 + 1, count);
		return true;
	case 'Q':
	case 'q':
		if (dialect == DATE_SIMPLE)
			return false;
		if (count == 3)
			buf_putc(b, 'Q');
		add_number(b, (d->month + 2) / 3, count == 3 ? 1 : count);
		return true;
	default:
		return false;
	}
}

static void
add_fraction(struct buf *b, const struct date *d, int count,
    enum date_dialect dialect)
{
	if (dialect == DATE_SIMPLE) {
		add_number(b, d->millisecond, count);
		return;
	}
	for (int i = 0, unit = 100; i < count; i++, unit /= 10)
		buf_putc(b, unit ? (char)('0' + d->millisecond / unit % 10) :
		    '0');
}

static bool
add_time_part(struct buf *b, const struct date *d, char letter, int count,
    enum date_dialect dialect)
{
	switch (letter) {
	case 'a':
		buf_addz(b, d->hour < 12 ? "AM" : "PM");
		return true;
	case 'H':
		add_number(b, d->hour, count);
		return true;
	case 'k':
		add_number(b, d->hour ? d->hour : 24, count);
		return true;
	case 'K':
		add_number(b, d->hour % 12, count);
		return true;
	case 'h':
		add_number(b, d->hour % 12 ? d->hour % 12 : 12, count);
		return true;
	case 'm':
		add_number(b, d->minute, count);
		return true;
	case 's':
		add_number(b, d->second, count);
		return true;
	case 'S':
		add_fraction(b, d, count, dialect);
		return true;
	case 'n':
		if (dialect == DATE_SIMPLE)
			return false;
		add_number(b, d->millisecond * 1000000, count);
		return true;
	default:
		return false;
	}
}

static bool
add_zone_part(struct buf *b, const struct date *d, char letter, int count)
{
	if (letter == 'z')
		buf_addz(b, d->zone);
	else if (letter == 'Z')
		add_offset(b, d, 2, false);
	else if (letter == 'X' && count <= 3)
		add_offset(b, d, count, true);
	else
		return false;
	return true;
}

static bool
add_field(struct buf *b, const struct date *d, const struct date_field *f,
    enum date_dialect dialect)
{
	if (f->count == -1)
		return false;
	if (f->letter == '\0') {
		buf_add_str(b, f->text);
		return true;
	}
	if (f->letter == '[' || f->letter == ']') {
		if (dialect == DATE_SIMPLE)
			buf_add_str(b, f->text);
		return true;
	}
	return (d->has_date &&
	    add_date_part(b, d, f->letter, f->count, dialect)) ||
	    (d->has_time &&
	    add_time_part(b, d, f->letter, f->count, dialect)) ||
	    (d->has_zone && dialect == DATE_SIMPLE &&
	    add_zone_part(b, d, f->letter, f->count));
}

int
date_format(const struct date *d, enum date_dialect dialect,
    struct str pattern, struct arena *arena, struct str *out, struct err *err)
{
	struct buf b = { 0 };
	struct str rest = pattern;
	struct date_field f;
	bool ok = true;

	while (ok && date_next_field(&rest, &f))
		ok = add_field(&b, d, &f, dialect);
	if (ok)
		*out = arena_str(arena, buf_str(&b));
	buf_fini(&b);
	return ok ? 0 : err_set(err, ERR_VALUE,
	    "date pattern '%.*s' cannot be used here", STR_FMT(pattern));
}
