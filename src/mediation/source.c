/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/source.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/must.h"
#include "base/snap.h"
#include "mediation/source_priv.h"

enum { DISK_FILE_MAX = 64 << 20 };

struct med_source {
	unsigned refs;
	char *root, *registry;
	struct snap *snap;		/* NULL: the disk is asked */
	int fd;				/* of what was captured, else -1 */
	struct capture more;		/* and read from elsewhere since */
};

const char *
source_path(const struct med_source *s, enum med_tree tree, struct str name,
    struct arena *a)
{
	const char *root = "";

	switch (tree) {
	case MED_TREE_ARTIFACTS:
		root = s->root;
		break;
	case MED_TREE_REGISTRY:
		root = s->registry;
		break;
	case MED_TREE_ELSEWHERE:
		return arena_str(a, name).p;
	}
	if (!name.n)
		return arena_strdup(a, root);
	return arena_printf(a, "%s/%.*s", root, STR_FMT(name)).p;
}

/* ---- snapshots --------------------------------------------------------- */

static enum source_kind
snap_look(const struct med_source *s, enum med_tree tree, struct str name)
{
	struct snap_entry e;

	if (!snap_find(s->snap, tree, name, &e))
		return SOURCE_NOTHING;
	return e.kind == SNAP_FOLDER ? SOURCE_FOLDER : SOURCE_FILE;
}

/* The next entry below a folder; false when there is none. */
static bool
is_inside(const struct snap_entry *e, uint32_t tree, struct str folder,
    struct str *name_out)
{
	if (e->tree != tree || !str_starts(e->name, folder.p))
		return false;
	*name_out = str_from(e->name, folder.n);
	return true;
}

static int
snap_names(const struct med_source *s, enum med_tree tree, struct str name,
    struct arena *a, struct str **out, size_t *count_out, struct err *err)
{
	struct str prefix = arena_printf(a, "%.*s/", STR_FMT(name)), below;
	size_t from, to, end = snap_count(s->snap);

	if (snap_look(s, tree, name) != SOURCE_FOLDER)
		return err_set(err, ERR_NOTFOUND, "is no folder");
	from = to = snap_seek(s->snap, tree, prefix);
	while (to < end) {
		struct snap_entry e = snap_at(s->snap, to);

		if (!is_inside(&e, tree, prefix, &below))
			break;
		to++;
	}
	*out = arena_alloc(a, (to - from) * sizeof(**out));
	*count_out = 0;
	for (; from < to; from++) {
		struct snap_entry e = snap_at(s->snap, from);

		if (is_inside(&e, tree, prefix, &below) &&
		    str_find(below, '/') == below.n)
			(*out)[(*count_out)++] = below;
	}
	return 0;
}

/* A local entry's file: the first who asks for it takes it along. */
static int
read_more(struct med_source *s, struct str name, struct str *out,
    struct err *err)
{
	for (size_t i = 0; i < s->more.count; i++)
		if (str_eq(s->more.entry[i].name, name)) {
			*out = s->more.entry[i].data;
			return 0;
		}
	return capture_file(&s->more, MED_TREE_ELSEWHERE, name, out, err);
}

static int
snap_read(struct med_source *s, enum med_tree tree, struct str name,
    struct str *out, struct err *err)
{
	struct snap_entry e;

	if (snap_find(s->snap, tree, name, &e) && e.kind == SNAP_FILE) {
		*out = e.data;
		return 0;
	}
	if (s->fd >= 0 && tree == MED_TREE_ELSEWHERE)
		return read_more(s, name, out, err);
	return err_set(err, ERR_NOTFOUND, "was not there when the artifacts "
	    "were taken");
}

/* ---- either ------------------------------------------------------------ */

enum source_kind
source_look(struct med_source *s, enum med_tree tree, struct str name,
    struct err *err)
{
	struct arena *a;
	enum source_kind kind;

	if (s->snap)
		return snap_look(s, tree, name);
	if (tree == MED_TREE_REGISTRY && !s->registry[0])
		return SOURCE_NOTHING;
	a = arena_new(0);
	kind = disk_look(source_path(s, tree, name, a), err);
	arena_free(&a);
	return kind;
}

int
source_names(struct med_source *s, enum med_tree tree, struct str name,
    struct arena *a, struct str **out, size_t *count_out, struct err *err)
{
	if (s->snap)
		return snap_names(s, tree, name, a, out, count_out, err);
	return disk_names(source_path(s, tree, name, a), a, out, count_out,
	    err);
}

int
source_read(struct med_source *s, enum med_tree tree, struct str name,
    struct arena *a, struct str *out, struct err *err)
{
	if (s->snap)
		return snap_read(s, tree, name, out, err);
	return disk_read(source_path(s, tree, name, a), DISK_FILE_MAX, a, out,
	    err);
}

/* ---- life -------------------------------------------------------------- */

/* Paths are put together with "/". */
static char *
without_slash(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	return str_dup((struct str){ path, n });
}

struct med_source *
med_source_disk(const char *root, const char *registry)
{
	struct med_source *s = xcalloc(1, sizeof(*s));

	s->refs = 1;
	s->fd = -1;
	s->root = without_slash(root);
	s->registry = without_slash(registry ? registry : "");
	return s;
}

static void
capture_fini(struct capture *c)
{
	arena_free(&c->arena);
	free(c->entry);
	c->entry = NULL;
	c->count = c->cap = 0;
}

/* From now on what was captured is read, and nothing else. */
static int
freeze(struct med_source *s, struct err *err)
{
	s->fd = snap_write(s->more.entry, s->more.count, err);
	if (s->fd < 0)
		return -1;
	s->snap = snap_map(s->fd, err);
	if (!s->snap)
		return -1;
	capture_fini(&s->more);
	s->more.arena = arena_new(0);
	return 0;
}

struct med_source *
med_source_capture(const char *root, const char *registry, int64_t max_bytes,
    struct diag *diag)
{
	struct med_source *s = med_source_disk(root, registry);
	int before = diag->errors;
	struct err err;

	s->more = (struct capture){ .source = s, .arena = arena_new(0),
		.max_bytes = max_bytes, .left = max_bytes, .diag = diag };
	capture_all(&s->more);
	if (diag->errors == before && freeze(s, &err) < 0)
		diag_add(diag, DIAG_ERROR, &err);
	if (diag->errors > before)
		med_source_put(&s);
	return s;
}

struct med_source *
med_source_snapshot(int fd, const char *root, const char *registry,
    struct err *err)
{
	struct med_source *s = med_source_disk(root, registry);

	s->snap = snap_map(fd, err);
	if (!s->snap)
		med_source_put(&s);
	return s;
}

int
med_source_seal(struct med_source *s, struct err *err)
{
	size_t n = snap_count(s->snap), all = n + s->more.count;
	struct snap_entry *e;
	int fd;

	must(s->fd >= 0);
	if (!s->more.count) {
		fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? err_sys(err, "cannot copy a descriptor") : fd;
	}
	e = xcalloc(all, sizeof(*e));
	for (size_t i = 0; i < n; i++)
		e[i] = snap_at(s->snap, i);
	memcpy(e + n, s->more.entry, s->more.count * sizeof(*e));
	fd = snap_write(e, all, err);
	free(e);
	return fd;
}

struct med_source *
med_source_get(struct med_source *s)
{
	s->refs++;
	return s;
}

void
med_source_put(struct med_source **sp)
{
	struct med_source *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	must(s->refs > 0);
	if (--s->refs > 0)
		return;
	capture_fini(&s->more);
	snap_free(&s->snap);
	if (s->fd >= 0)
		close(s->fd);
	free(s->root);
	free(s->registry);
	free(s);
}
