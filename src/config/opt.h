/* SPDX-License-Identifier: Apache-2.0 */
/* Private to config: the rows of options.def as a table, and how one value is
 * read and written. */
#ifndef CONFIG_OPT_H
#define CONFIG_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct config;

enum opt_type {
	OPT_BOOL, OPT_INT, OPT_COUNT, OPT_SIZE, OPT_TIME, OPT_TEXT, OPT_WORD
};
enum opt_when { OPT_LIVE, OPT_RESTART };

struct opt {
	const char *name;		/* "log.error.level" */
	enum opt_type type;
	enum opt_when when;
	const char *dflt;		/* as written */
	int64_t min, max;
	const char *doc;
	size_t offset;			/* in struct config */
};

extern const struct opt opt_table[];
extern const size_t opt_count;

/* The row of this name, or NULL. */
const struct opt *opt_find(struct str name);
/* Each sets the field, or says in err what is wrong, without a position.
 * Strings are copied into the arena. */
int opt_set_bool(const struct opt *, struct config *, bool, struct err *)
    MUST_CHECK;
int opt_set_number(const struct opt *, struct config *, int64_t, struct err *)
    MUST_CHECK;
int opt_set_text(const struct opt *, struct config *, struct arena *,
    struct str, struct err *) MUST_CHECK;
/* "takes a string, not ...": for a value of a kind that no setter takes. */
int opt_wrong_type(const struct opt *, const char *given, struct err *);
void opt_set_default(const struct opt *, struct config *, struct arena *);
bool opt_same(const struct opt *, const struct config *,
    const struct config *);
void opt_copy(const struct opt *, struct config *to, struct arena *,
    const struct config *from);
/* As it would be written in the file. */
void opt_format(const struct opt *, const struct config *, struct buf *to);
/* "a whole number or \"auto\"" */
void opt_describe_type(const struct opt *, struct buf *to);
/* The range, or nothing when there is none to speak of. */
void opt_describe_range(const struct opt *, struct buf *to);

#endif
