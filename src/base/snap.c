/* SPDX-License-Identifier: Apache-2.0 */
#include "base/snap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/must.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U		/* Linux 6.3 */
#endif

enum { SNAP_VERSION = 1,
	SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK };

static const char magic[8] = "wsgwsnap";

struct head {
	char magic[8];
	uint32_t version, count;
	uint64_t size, digest;
};
_Static_assert(sizeof(struct head) == 32, "head has padding");

/* Places are counted from the first byte of the head. */
struct row {
	uint32_t tree, kind;
	uint64_t name_at, name_len, data_at, data_len;
};
_Static_assert(sizeof(struct row) == 40, "row has padding");

struct snap {
	struct str bytes;
	size_t count;
	void *map;			/* NULL: the bytes are borrowed */
};

/* ---- digest ------------------------------------------------------------ */

static const uint64_t digest_start = 0xcbf29ce484222325;

static uint64_t
digest_add(uint64_t h, const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	return h;
}

/* ---- writing ----------------------------------------------------------- */

static int
compare(uint32_t tree_a, struct str a, uint32_t tree_b, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;

	if (tree_a != tree_b)
		return tree_a < tree_b ? -1 : 1;
	if (c != 0 || a.n == b.n)
		return c;
	return a.n < b.n ? -1 : 1;
}

static int
by_place(const void *pa, const void *pb)
{
	const struct snap_entry *a = pa, *b = pb;

	return compare(a->tree, a->name, b->tree, b->name);
}

/* A folder has no data, and so not even the NUL. */
static size_t
data_room(const struct snap_entry *e)
{
	return e->kind == SNAP_FILE ? e->data.n + 1 : 0;
}

static void
add_rows(const struct snap_entry *e, size_t n, struct buf *to)
{
	uint64_t name_at = sizeof(struct head) + n * sizeof(struct row);
	uint64_t data_at = name_at;

	for (size_t i = 0; i < n; i++)
		data_at += e[i].name.n + 1;
	for (size_t i = 0; i < n; i++) {
		const struct row row = { .tree = e[i].tree,
			.kind = (uint32_t)e[i].kind, .name_at = name_at,
			.name_len = e[i].name.n, .data_at = data_at,
			.data_len = e[i].data.n };

		buf_add(to, &row, sizeof(row));
		name_at += e[i].name.n + 1;
		data_at += data_room(&e[i]);
	}
	for (size_t i = 0; i < n; i++) {
		buf_add_str(to, e[i].name);
		buf_putc(to, '\0');
	}
}

/* Head, index and names. */
static void
add_front(const struct snap_entry *e, size_t n, struct buf *to)
{
	struct head h = { .version = SNAP_VERSION, .count = (uint32_t)n };
	uint64_t digest;

	memcpy(h.magic, magic, sizeof(magic));
	buf_add(to, &h, sizeof(h));
	add_rows(e, n, to);
	h.size = buf_len(to);
	digest = digest_add(digest_start, buf_data(to) + sizeof(h),
	    buf_len(to) - sizeof(h));
	for (size_t i = 0; i < n; i++) {
		h.size += data_room(&e[i]);
		digest = digest_add(digest, e[i].data.p, data_room(&e[i]));
	}
	h.digest = digest;
	memcpy(buf_data(to), &h, sizeof(h));
}

static int
write_all(int fd, struct str s, struct err *err)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(err, "cannot write the snapshot");
		s = str_from(s, (size_t)n);
	}
	return 0;
}

static int
fill(int fd, const struct snap_entry *e, size_t n, struct err *err)
{
	struct buf front = { 0 };
	int result;

	add_front(e, n, &front);
	result = write_all(fd, buf_str(&front), err);
	buf_fini(&front);
	for (size_t i = 0; i < n && result == 0; i++)
		result = write_all(fd, (struct str){ e[i].data.p,
		    data_room(&e[i]) }, err);
	if (result == 0 && fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) < 0)
		return err_sys(err, "cannot seal the snapshot");
	return result;
}

static int
make_memory(struct err *err)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("wsgw-snapshot", flags | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("wsgw-snapshot", flags);
	return fd < 0 ? err_sys(err, "cannot make a snapshot") : fd;
}

int
snap_write(struct snap_entry *e, size_t n, struct err *err)
{
	int fd;

	if (n > SNAP_COUNT_MAX)
		return err_set(err, ERR_LIMIT, "a snapshot holds at most %d "
		    "files and folders, not %zu", SNAP_COUNT_MAX, n);
	if (n)
		qsort(e, n, sizeof(*e), by_place);
	fd = make_memory(err);
	if (fd >= 0 && fill(fd, e, n, err) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool
snap_is_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	return seals >= 0 && (seals & SEALS) == SEALS;
}

/* ---- reading ----------------------------------------------------------- */

static struct row
row_at(const struct snap *s, size_t i)
{
	struct row row;

	memcpy(&row, s->bytes.p + sizeof(struct head) + i * sizeof(row),
	    sizeof(row));
	return row;
}

/* Is there a text of that length with its NUL? */
static bool
holds(const struct snap *s, uint64_t at, uint64_t len)
{
	return at < s->bytes.n && len < s->bytes.n - at &&
	    s->bytes.p[at + len] == '\0';
}

static bool
is_row(const struct snap *s, const struct row *r)
{
	if (!holds(s, r->name_at, r->name_len) ||
	    memchr(s->bytes.p + r->name_at, '\0', r->name_len))
		return false;
	if (r->kind == SNAP_FOLDER)
		return r->data_len == 0;
	return r->kind == SNAP_FILE && holds(s, r->data_at, r->data_len);
}

static bool
rows_are_good(const struct snap *s)
{
	struct snap_entry e, before = { .tree = 0 };

	for (size_t i = 0; i < s->count; i++) {
		struct row r = row_at(s, i);

		if (!is_row(s, &r))
			return false;
		e = snap_at(s, i);
		if (i > 0 && by_place(&before, &e) >= 0)
			return false;
		before = e;
	}
	return true;
}

static int
check(struct snap *s, struct err *err)
{
	struct head h;

	if (s->bytes.n < sizeof(h))
		return err_set(err, ERR_PROTOCOL,
		    "a snapshot of %zu bytes has no head", s->bytes.n);
	memcpy(&h, s->bytes.p, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) != 0 ||
	    h.version != SNAP_VERSION)
		return err_set(err, ERR_PROTOCOL,
		    "not a snapshot of this version");
	if (h.size != s->bytes.n || h.count > SNAP_COUNT_MAX ||
	    h.count > (h.size - sizeof(h)) / sizeof(struct row))
		return err_set(err, ERR_PROTOCOL,
		    "the snapshot is cut: it has %zu bytes", s->bytes.n);
	if (h.digest != digest_add(digest_start, s->bytes.p + sizeof(h),
	    s->bytes.n - sizeof(h)))
		return err_set(err, ERR_PROTOCOL,
		    "the snapshot does not agree with its digest");
	s->count = h.count;
	if (!rows_are_good(s))
		return err_set(err, ERR_PROTOCOL,
		    "the snapshot has a broken index");
	return 0;
}

struct snap *
snap_parse(struct str bytes, struct err *err)
{
	struct snap *s = xcalloc(1, sizeof(*s));

	s->bytes = bytes;
	if (check(s, err) < 0)
		snap_free(&s);
	return s;
}

struct snap *
snap_map(int fd, struct err *err)
{
	struct snap *s;
	struct stat st;
	void *p;

	if (!snap_is_sealed(fd)) {
		err_set(err, ERR_PROTOCOL, "the snapshot is not sealed");
		return NULL;
	}
	if (fstat(fd, &st) < 0) {
		err_sys(err, "snapshot");
		return NULL;
	}
	if (st.st_size == 0)
		return snap_parse(STR(""), err);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		err_sys(err, "cannot map the snapshot");
		return NULL;
	}
	s = snap_parse((struct str){ p, (size_t)st.st_size }, err);
	if (s)
		s->map = p;
	else
		munmap(p, (size_t)st.st_size);
	return s;
}

void
snap_free(struct snap **s)
{
	if (!*s)
		return;
	if ((*s)->map)
		munmap((*s)->map, (*s)->bytes.n);
	free(*s);
	*s = NULL;
}

size_t
snap_count(const struct snap *s)
{
	return s->count;
}

struct snap_entry
snap_at(const struct snap *s, size_t i)
{
	struct row r = row_at(s, i);
	struct snap_entry e = { .tree = r.tree, .kind = SNAP_FOLDER,
		.name = { s->bytes.p + r.name_at, (size_t)r.name_len },
		.data = STR("") };

	if (r.kind == SNAP_FILE) {
		e.kind = SNAP_FILE;
		e.data = (struct str){ s->bytes.p + r.data_at,
			(size_t)r.data_len };
	}
	return e;
}

size_t
snap_seek(const struct snap *s, uint32_t tree, struct str name)
{
	size_t from = 0, to = s->count;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		struct snap_entry e = snap_at(s, mid);

		if (compare(e.tree, e.name, tree, name) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

bool
snap_find(const struct snap *s, uint32_t tree, struct str name,
    struct snap_entry *out)
{
	size_t i = snap_seek(s, tree, name);

	if (i == s->count)
		return false;
	*out = snap_at(s, i);
	return compare(out->tree, out->name, tree, name) == 0;
}
