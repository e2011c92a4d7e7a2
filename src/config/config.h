/* SPDX-License-Identifier: Apache-2.0 */
/* config: /etc/wsgw.conf becomes one immutable struct. Only here is libconfig
 * known. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/str.h"

struct config {
#define CONFIG_C_BOOL bool
#define CONFIG_C_INT int64_t
#define CONFIG_C_COUNT int64_t
#define CONFIG_C_SIZE int64_t
#define CONFIG_C_TIME int64_t
#define CONFIG_C_TEXT const char *
#define CONFIG_C_WORD const char *
#define OPTION(field, name, type, dflt, min, max, when, doc) \
	CONFIG_C_##type field;
#include "config/options.def"
#undef OPTION
};

/*
 * Reads file (and its include_dir), then the -g settings ("key=value;..." in
 * the file's own syntax, where a key may also be written "process.workers";
 * NULL = none). NULL after errors, all of which are in
 * diag: unknown names with the nearest known one, wrong types, values out of
 * range, each with file and line.
 */
struct config *config_load(const char *file, const char *settings,
    struct diag *) MUST_CHECK;
/* The same from memory; name is used in messages. No include_dir is read. */
struct config *config_parse(const char *name, struct str text, struct diag *)
    MUST_CHECK;
void config_free(struct config **);

/* The effective settings in the file's syntax: wsgw -T, and what the master
 * hands to its workers; config_parse() of it gives the same config. */
void config_dump(const struct config *, struct buf *to);
/* What needs a restart stays as it was: takes those settings of old over into
 * new and appends the names of the ones that differ, comma separated. */
void config_keep(struct config *new, const struct config *old,
    struct buf *names);
/* reStructuredText of all settings, for wsgw.conf(5). */
void config_manual(FILE *to);

#endif
