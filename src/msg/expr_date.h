/* SPDX-License-Identifier: Apache-2.0 */
/* Dates by Java's patterns, in English and in the time zone of the process.
 * Private to expr*.c. */
#ifndef MSG_EXPR_DATE_H
#define MSG_EXPR_DATE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* A local date and time, as far as it is known. */
struct date {
	bool has_date, has_time, has_zone;
	int year, month, day;		/* month 1-12 */
	int weekday, yearday;		/* 0 = Sunday; 0 = 1 January */
	int hour, minute, second, millisecond;
	int offset_s;			/* east of UTC */
	char zone[16];
};

/*
 * The two dialects: SimpleDateFormat (get-property), which knows the zone, and
 * DateTimeFormatter (formatDateTime), which has a local time without zone and
 * optional parts in [ ]. u is the number of the weekday or the year.
 */
enum date_dialect { DATE_SIMPLE, DATE_FORMATTER };

/* The local time of that moment. */
void date_of_ms(int64_t epoch_ms, struct date *out);
/* -1 when the pattern has letters that mean nothing, or asks for what the date
 * does not have. */
int date_format(const struct date *, enum date_dialect, struct str pattern,
    struct arena *, struct str *out, struct err *) MUST_CHECK;
/* The whole text by a DateTimeFormatter pattern: a date, a time or both. */
int date_parse(struct str text, struct str pattern, struct date *out,
    struct err *) MUST_CHECK;

/* Fills weekday and yearday from the date. */
void date_complete(struct date *);
int date_month_days(int year, int month);

/* The next field of a pattern: a run of one letter, or text in letter 0. False
 * at the end; -1 in *count for a quote that is not closed. */
struct date_field {
	char letter;		/* '[' and ']' too */
	int count;
	struct str text;	/* quotes removed where they stood alone */
};
bool date_next_field(struct str *pattern, struct date_field *out);

extern const char *const date_months[12], *const date_days[7];

#endif
