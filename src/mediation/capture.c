/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a set may be made of, taken from the disk at one go: what the
 * loader would read of the artifacts, and the registry whole, since messages
 * may ask for any of its resources.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/must.h"
#include "base/snap.h"
#include "mediation/source_priv.h"

enum { DEPTH_MAX = 32 };

/* The keys lead nowhere else. */
static const char *const registry_folders[] = {
	"config", "governance", "local", NULL,
};

static void
complain(struct capture *c, const char *path, struct err *err)
{
	err->at = (struct src_pos){ .file = path };
	diag_add(c->diag, DIAG_ERROR, err);
}

/* ---- links ------------------------------------------------------------- */

static bool
is_below(const char *path, const char *root)
{
	size_t n = strlen(root);

	return strncmp(path, root, n) == 0 &&
	    (path[n] == '\0' || path[n] == '/' || n == 1);
}

/* What stands above it has been looked at before: only it can lead out. */
static int
stays_inside(const char *path, const char *root, struct err *err)
{
	char *real, *real_root;
	struct stat st;
	int result = 0;

	if (lstat(path, &st) < 0)
		return err_sys(err, "cannot be read");
	if (!S_ISLNK(st.st_mode))
		return 0;
	real = realpath(path, NULL);
	if (!real)
		return err_sys(err, "cannot follow the symbolic link");
	real_root = realpath(root, NULL);
	if (!real_root || !is_below(real, real_root))
		result = err_set(err, ERR_DENIED, "the symbolic link leads "
		    "out of %s, to %s: put a copy there instead", root, real);
	free(real);
	free(real_root);
	return result;
}

/* ---- files and folders ------------------------------------------------- */

static int
add(struct capture *c, enum med_tree tree, enum snap_kind kind,
    struct str name, struct str data, struct err *err)
{
	if (c->count == SNAP_COUNT_MAX)
		return err_set(err, ERR_LIMIT, "is one too many: artifacts "
		    "and registry may have %d files and folders",
		    SNAP_COUNT_MAX);
	if (c->count == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 64;
		c->entry = xrealloc(c->entry, c->cap * sizeof(*c->entry));
	}
	c->entry[c->count++] = (struct snap_entry){ .tree = tree,
		.kind = kind, .name = arena_str(c->arena, name),
		.data = data };
	return 0;
}

int
capture_file(struct capture *c, enum med_tree tree, struct str name,
    struct str *out, struct err *err)
{
	const char *path = source_path(c->source, tree, name, c->arena);

	if (disk_read(path, c->left, c->arena, out, err) < 0) {
		if (err->kind == ERR_LIMIT)
			err_set(err, ERR_LIMIT, "does not fit: artifacts and "
			    "registry would be larger than "
			    "artifacts.max_size, %" PRId64 " bytes",
			    c->max_bytes);
		return -1;
	}
	c->left -= (int64_t)out->n;
	return add(c, tree, SNAP_FILE, name, *out, err);
}

/* Two complaints about one limit would be one too many. */
static void
take_file(struct capture *c, enum med_tree tree, struct str name)
{
	struct err err = { 0 };
	struct str text;

	if (c->full || capture_file(c, tree, name, &text, &err) == 0)
		return;
	c->full = err.kind == ERR_LIMIT;
	complain(c, source_path(c->source, tree, name, c->arena), &err);
}

static enum source_kind
look(struct capture *c, enum med_tree tree, struct str name)
{
	const char *path = source_path(c->source, tree, name, c->arena);
	const char *root = source_path(c->source, tree, STR(""), c->arena);
	enum source_kind kind;
	struct err err = { 0 };

	kind = disk_look(path, &err);
	if (kind != SOURCE_HIDDEN && name.n &&
	    stays_inside(path, root, &err) < 0)
		kind = err.kind == ERR_NOTFOUND ? SOURCE_NOTHING
		    : SOURCE_HIDDEN;
	if (kind == SOURCE_HIDDEN)
		complain(c, path, &err);
	return kind;
}

typedef void take_fn(struct capture *, enum med_tree, struct str name,
    unsigned depth);

/* Calls take for each that is not hidden. */
static void
take_names(struct capture *c, enum med_tree tree, struct str name,
    unsigned depth, take_fn *take)
{
	const char *path = source_path(c->source, tree, name, c->arena);
	struct err err = { 0 };
	struct str *names;
	size_t n;

	if (disk_names(path, c->arena, &names, &n, &err) < 0 ||
	    add(c, tree, SNAP_FOLDER, name, STR(""), &err) < 0) {
		complain(c, path, &err);
		return;
	}
	for (size_t i = 0; i < n && !c->full; i++)
		if (names[i].p[0] != '.')
			take(c, tree, arena_printf(c->arena, "%s/%s", name.p,
			    names[i].p), depth);
}

/* ---- artifacts --------------------------------------------------------- */

static void
take_artifact(struct capture *c, enum med_tree tree, struct str name,
    unsigned depth UNUSED)
{
	if (load_is_artifact(name) && look(c, tree, name) != SOURCE_HIDDEN)
		take_file(c, tree, name);
}

static void
take_artifacts(struct capture *c)
{
	const enum med_tree tree = MED_TREE_ARTIFACTS;
	struct err err = { 0 };

	if (add(c, tree, SNAP_FOLDER, STR(""), STR(""), &err) < 0)
		complain(c, "", &err);
	for (size_t i = 0; load_files[i]; i++) {
		struct str name = str_of(load_files[i]);
		enum source_kind kind = look(c, tree, name);

		if (kind == SOURCE_FILE || kind == SOURCE_FOLDER)
			take_file(c, tree, name);
	}
	for (size_t i = 0; load_folders[i]; i++) {
		struct str name = str_of(load_folders[i]);
		enum source_kind kind = look(c, tree, name);

		if (kind == SOURCE_FILE || kind == SOURCE_FOLDER)
			take_names(c, tree, name, 0, take_artifact);
	}
}

/* ---- registry ---------------------------------------------------------- */

static void
take_resource(struct capture *c, enum med_tree tree, struct str name,
    unsigned depth)
{
	struct err err;

	switch (look(c, tree, name)) {
	case SOURCE_NOTHING:	/* then it has vanished: that is worth a word */
	case SOURCE_FILE:
		take_file(c, tree, name);
		break;
	case SOURCE_FOLDER:
		if (depth < DEPTH_MAX) {
			take_names(c, tree, name, depth + 1, take_resource);
			break;
		}
		err_set(&err, ERR_LIMIT, "folders nest deeper than %d: does a "
		    "symbolic link lead to a folder above?", DEPTH_MAX);
		c->full = true;
		complain(c, source_path(c->source, tree, name, c->arena),
		    &err);
		break;
	case SOURCE_HIDDEN:
		break;
	}
}

static void
take_registry(struct capture *c)
{
	for (size_t i = 0; registry_folders[i]; i++) {
		struct str name = str_of(registry_folders[i]);

		if (look(c, MED_TREE_REGISTRY, name) == SOURCE_FOLDER)
			take_names(c, MED_TREE_REGISTRY, name, 0,
			    take_resource);
	}
}

static void
complain_of_nothing(struct capture *c, const char *root)
{
	struct err err;

	errno = ENOENT;
	err_sys(&err, "cannot read the artifacts");
	complain(c, root, &err);
}

void
capture_all(struct capture *c)
{
	const enum med_tree tree = MED_TREE_ARTIFACTS;
	const char *root = source_path(c->source, tree, STR(""), c->arena);

	switch (look(c, tree, STR(""))) {
	case SOURCE_FOLDER:
		take_artifacts(c);
		break;
	case SOURCE_FILE:
		take_file(c, tree, STR(""));
		break;
	case SOURCE_NOTHING:
		complain_of_nothing(c, root);
		break;
	case SOURCE_HIDDEN:
		break;
	}
	if (source_path(c->source, MED_TREE_REGISTRY, STR(""), c->arena)[0] &&
	    !c->full)
		take_registry(c);
}
