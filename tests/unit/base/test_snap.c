/* SPDX-License-Identifier: Apache-2.0 */
#include "base/snap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* Where things are in the format: the reader is not asked for it. */
enum { HEAD = 32, ROW = 40, AT_VERSION = 8, AT_COUNT = 12, AT_SIZE = 16,
	AT_DIGEST = 24, ROW_TREE = 0, ROW_KIND = 4, ROW_NAME = 8,
	ROW_NAME_LEN = 16, ROW_DATA = 24, ROW_DATA_LEN = 32 };

static struct snap_entry
file(uint32_t tree, const char *name, struct str data)
{
	return (struct snap_entry){ .tree = tree, .kind = SNAP_FILE,
		.name = str_of(name), .data = data };
}

static struct snap_entry
folder(uint32_t tree, const char *name)
{
	return (struct snap_entry){ .tree = tree, .kind = SNAP_FOLDER,
		.name = str_of(name) };
}

static int
write_some(void)
{
	struct snap_entry e[] = { file(1, "b/x.xml", STR("<x/>")),
		file(0, "b/x.xml", STR("other")), folder(0, "b"),
		file(0, "b", STR("")), file(0, "", STR("a\0b")),
		file(0, "b/", STR("slash")) };
	struct err err;
	int fd;

	e[3].name = STR("a");
	fd = snap_write(e, ARRAY_LEN(e), &err);
	assert_true(fd >= 0);
	return fd;
}

static struct str
bytes_of(int fd)
{
	struct stat st;
	char *p;

	assert_return_code(fstat(fd, &st), 0);
	p = malloc((size_t)st.st_size + 1);
	assert_int_equal(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
	return (struct str){ p, (size_t)st.st_size };
}

static struct str
some_bytes(void)
{
	int fd = write_some();
	struct str s = bytes_of(fd);

	close(fd);
	return s;
}

static void
must_find(const struct snap *s, uint32_t tree, const char *name,
    enum snap_kind kind, struct str data)
{
	struct snap_entry e;

	assert_true(snap_find(s, tree, str_of(name), &e));
	assert_int_equal(e.kind, kind);
	assert_true(str_eq(e.data, data));
	assert_int_equal(e.data.p[e.data.n], '\0');
	assert_int_equal(e.name.p[e.name.n], '\0');
}

static void
there_and_back(void **state UNUSED)
{
	int fd = write_some();
	struct snap_entry e;
	struct err err;
	struct snap *s = snap_map(fd, &err);

	assert_non_null(s);
	close(fd);
	assert_int_equal(snap_count(s), 6);
	must_find(s, 0, "", SNAP_FILE, STR("a\0b"));
	must_find(s, 0, "a", SNAP_FILE, STR(""));
	must_find(s, 0, "b", SNAP_FOLDER, STR(""));
	must_find(s, 0, "b/", SNAP_FILE, STR("slash"));
	must_find(s, 0, "b/x.xml", SNAP_FILE, STR("other"));
	must_find(s, 1, "b/x.xml", SNAP_FILE, STR("<x/>"));
	assert_false(snap_find(s, 1, STR("b"), &e));
	assert_false(snap_find(s, 2, STR(""), &e));
	assert_false(snap_find(s, 0, STR("b/x.xm"), &e));
	assert_int_equal(snap_seek(s, 0, STR("b")), 2);
	assert_int_equal(snap_seek(s, 0, STR("b/x")), 4);
	assert_int_equal(snap_seek(s, 9, STR("")), 6);
	snap_free(&s);
	assert_null(s);
	snap_free(&s);
}

static void
empty_one(void **state UNUSED)
{
	struct err err;
	struct snap_entry e;
	int fd = snap_write(NULL, 0, &err);
	struct snap *s = snap_map(fd, &err);

	assert_non_null(s);
	assert_int_equal(snap_count(s), 0);
	assert_false(snap_find(s, 0, STR(""), &e));
	snap_free(&s);
	close(fd);
}

static void
nobody_can_change_it(void **state UNUSED)
{
	int fd = write_some(), open_one = memfd_create("x",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct str copy = bytes_of(fd);
	struct err err;

	assert_true(snap_is_sealed(fd));
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_ptr_equal(mmap(NULL, 100, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0), MAP_FAILED);
	/* The same bytes where somebody can. */
	assert_int_equal(write(open_one, copy.p, copy.n), copy.n);
	assert_false(snap_is_sealed(open_one));
	assert_null(snap_map(open_one, &err));
	assert_non_null(strstr(err.text, "not sealed"));
	assert_false(snap_is_sealed(STDIN_FILENO));
	assert_null(snap_map(-1, &err));
	free(UNCONST(copy.p));
	close(open_one);
	close(fd);
}

/* ---- what is no snapshot ----------------------------------------------- */

/* So that the reader goes on to what lies behind the digest. */
static void
mend(struct str s)
{
	uint64_t size = s.n, h = 0xcbf29ce484222325;
	char *p = UNCONST(s.p);

	for (size_t i = HEAD; i < s.n; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3;
	memcpy(p + AT_SIZE, &size, sizeof(size));
	memcpy(p + AT_DIGEST, &h, sizeof(h));
}

static void
refused(struct str s, const char *why)
{
	struct err err;
	struct snap *snap = snap_parse(s, &err);

	assert_null(snap);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	if (!strstr(err.text, why))
		fail_msg("\"%s\" says nothing of \"%s\"", err.text, why);
}

/* In memory of the exact size, so that the sanitizer sees a step too far. */
static void
cut_anywhere(void **state UNUSED)
{
	struct str s = some_bytes();

	for (size_t n = 0; n < s.n; n++) {
		char *p = malloc(n + !n);
		struct err err;
		struct snap *snap;

		memcpy(p, s.p, n);
		refused((struct str){ p, n }, "snapshot");
		if (n >= HEAD) {
			mend((struct str){ p, n });
			snap = snap_parse((struct str){ p, n }, &err);
			assert_null(snap);
		}
		free(p);
	}
	free(UNCONST(s.p));
}

static void
any_byte_changed(void **state UNUSED)
{
	struct str s = some_bytes();
	char *p = UNCONST(s.p);

	for (size_t i = 0; i < s.n; i++)
		for (int bit = 0; bit < 8; bit += 3) {
			p[i] ^= (char)(1 << bit);
			refused(s, "snapshot");
			p[i] ^= (char)(1 << bit);
		}
	free(p);
}

static void
put(struct str s, size_t at, uint64_t value, size_t width)
{
	memcpy((char *)UNCONST(s.p) + at, &value, width);
}

static const struct {
	size_t at, width;
	uint64_t value;
	const char *why;
} lies[] = {
	{ 0, 1, 'W', "not a snapshot" },
	{ AT_VERSION, 4, 2, "not a snapshot" },
	{ AT_COUNT, 4, UINT32_MAX, "cut" },
	{ AT_COUNT, 4, SNAP_COUNT_MAX, "cut" },
	{ AT_COUNT, 4, 7, "index" },	/* names are no row */
	{ HEAD + ROW_KIND, 4, 0, "index" },
	{ HEAD + ROW_KIND, 4, 3, "index" },
	{ HEAD + ROW_TREE, 4, 1, "index" },	/* order */
	{ HEAD + ROW_NAME, 8, UINT64_MAX, "index" },
	{ HEAD + ROW_NAME_LEN, 8, UINT64_MAX, "index" },
	{ HEAD + ROW_NAME_LEN, 8, 1, "index" },
	{ HEAD + ROW_DATA, 8, UINT64_MAX, "index" },
	{ HEAD + ROW_DATA, 8, (uint64_t)INT64_MAX + 1, "index" },
	{ HEAD + ROW_DATA_LEN, 8, UINT64_MAX, "index" },
	{ HEAD + ROW_DATA_LEN, 8, 2, "index" },	/* no NUL behind it */
	{ HEAD + 2 * ROW + ROW_DATA_LEN, 8, 1, "index" },	/* a folder's */
};

static void
lies_in_the_index(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		struct str s = some_bytes();

		put(s, lies[i].at, lies[i].value, lies[i].width);
		mend(s);
		refused(s, lies[i].why);
		free(UNCONST(s.p));
	}
}

/* Places that add up to more than 2^64. */
static void
sums_that_overflow(void **state UNUSED)
{
	for (uint64_t at = 1; at < 300; at += 7) {
		struct str s = some_bytes();

		put(s, HEAD + ROW_DATA, at, 8);
		put(s, HEAD + ROW_DATA_LEN, UINT64_MAX - at + 1, 8);
		mend(s);
		refused(s, "index");
		free(UNCONST(s.p));
	}
}

static void
same_name_twice(void **state UNUSED)
{
	struct snap_entry e[] = { file(0, "a", STR("1")),
		file(0, "a", STR("2")) };
	struct err err;
	int fd = snap_write(e, 2, &err);

	assert_null(snap_map(fd, &err));
	assert_non_null(strstr(err.text, "index"));
	close(fd);
}

static void
too_many(void **state UNUSED)
{
	struct err err;

	assert_int_equal(snap_write(NULL, SNAP_COUNT_MAX + 1, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(empty_one),
		cmocka_unit_test(nobody_can_change_it),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(any_byte_changed),
		cmocka_unit_test(lies_in_the_index),
		cmocka_unit_test(sums_that_overflow),
		cmocka_unit_test(same_name_twice),
		cmocka_unit_test(too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
