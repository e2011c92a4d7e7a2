/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The error log: stderr, a file or syslog; as text or as JSON lines. One line
 * a record; control characters are escaped, so nobody can forge a line. A
 * record below the level costs one compare.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum log_level { LOG_L_TRACE, LOG_L_DEBUG, LOG_L_INFO, LOG_L_WARN, LOG_L_ERROR };
enum log_format { LOG_F_TEXT, LOG_F_JSON };

/* "trace" "debug" "info" "warn" "error"; false for any other word. */
bool log_level_parse(struct str, enum log_level *out);
const char *log_level_name(enum log_level);

/* target: "stderr", "syslog" or a path. Before the first call all goes to
 * stderr at info. On failure the old sink stays. */
int log_open(const char *target, enum log_level, enum log_format,
    struct err *) MUST_CHECK;
/* Opens a file sink again by its name, after rotation. */
int log_reopen(struct err *) MUST_CHECK;
void log_close(void);
/* Who speaks: "master", "worker 1"; copied. */
void log_process(const char *name);

extern enum log_level log_threshold;

static inline bool
log_on(enum log_level level)
{
	return UNLIKELY(level >= log_threshold);
}

#define log_at(level, ...) \
	(log_on(level) ? log_write(level, __VA_ARGS__) : (void)0)
/* log.h is not syslog.h: the levels carry an L so that both can be included. */
#define log_trace(...) log_at(LOG_L_TRACE, __VA_ARGS__)
#define log_debug(...) log_at(LOG_L_DEBUG, __VA_ARGS__)
#define log_info(...) log_at(LOG_L_INFO, __VA_ARGS__)
#define log_warn(...) log_at(LOG_L_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_L_ERROR, __VA_ARGS__)

/* Cut after 1023 bytes. None of these touches errno. */
void log_write(enum log_level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Any length; origin names the part that speaks ("LogMediator"), may be
 * empty. */
void log_line(enum log_level, struct str origin, struct str text);

/*
 * At most one record a second for each *at (caller's storage, { 0 }); the next
 * one that passes tells how many were left out.
 */
struct log_rate {
	int64_t last_ms;
	unsigned suppressed;
};
void log_limited(struct log_rate *at, enum log_level, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Appends s with control characters and invalid UTF-8 as \n \t \r \xHH, and
 * the backslash doubled. */
void log_escape(struct buf *, struct str s);
/* Appends s as a JSON string with its quotes. */
void log_json_string(struct buf *, struct str s);
/* Appends "2024-01-01T10:00:00.000Z" for the wall clock. */
void log_timestamp(struct buf *);

#endif
