/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: how a source is asked, and made. */
#ifndef MEDIATION_SOURCE_PRIV_H
#define MEDIATION_SOURCE_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"
#include "mediation/source.h"

struct arena;
struct snap_entry;

enum source_kind {
	SOURCE_NOTHING,
	SOURCE_FILE,		/* or what else is no folder */
	SOURCE_FOLDER,
	SOURCE_HIDDEN,		/* cannot be known: err says why */
};
enum source_kind source_look(struct med_source *, enum med_tree,
    struct str name, struct err *) MUST_CHECK;
/* What is in a folder, sorted by bytes. ERR_NOTFOUND: there is none. */
int source_names(struct med_source *, enum med_tree, struct str name,
    struct arena *, struct str **out, size_t *count_out, struct err *)
    MUST_CHECK;
/* The text ends in NUL; it lives in the arena or as long as the source. err
 * says why, without the path. */
int source_read(struct med_source *, enum med_tree, struct str name,
    struct arena *, struct str *out, struct err *) MUST_CHECK;
/* Where it is, or was, on the disk. */
const char *source_path(const struct med_source *, enum med_tree,
    struct str name, struct arena *) MUST_CHECK;

/* ---- disk.c: the disk alone -------------------------------------------- */

enum source_kind disk_look(const char *path, struct err *) MUST_CHECK;
int disk_names(const char *path, struct arena *, struct str **out,
    size_t *count_out, struct err *) MUST_CHECK;
/* A regular file of at most max bytes: ERR_LIMIT beyond. */
int disk_read(const char *path, int64_t max, struct arena *, struct str *out,
    struct err *) MUST_CHECK;

/* ---- capture.c --------------------------------------------------------- */

/* What was taken so far. */
struct capture {
	const struct med_source *source;	/* for the paths */
	struct arena *arena;			/* of names and bytes */
	struct snap_entry *entry;
	size_t count, cap;
	int64_t max_bytes, left;
	struct diag *diag;
	bool full;				/* said so */
};
/* Adds both trees; what is wrong goes to the diag. */
void capture_all(struct capture *);
int capture_file(struct capture *, enum med_tree, struct str name,
    struct str *out, struct err *) MUST_CHECK;

/* ---- load.c ------------------------------------------------------------ */

/* What there may be in the folder of the artifacts, NULL-ended, in the order
 * in which it is read. */
extern const char *const load_files[], *const load_folders[];
bool load_is_artifact(struct str name);

#endif
