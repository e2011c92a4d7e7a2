/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A snapshot: the bytes of many files as they were at one time, in one sealed
 * memory file that one process writes and others map. Who reads it trusts
 * nothing in it, but that a seal holds.
 *
 *   head    magic, version, count, size of all, FNV-1a (64 bits) of the rest
 *   index   one entry a file or folder, sorted by tree and name, no two alike
 *   names   each ends in NUL
 *   data    of each file, ends in NUL
 *
 * Numbers are in the order of the machine: both ends are of one program. What
 * a tree is, and which names it may have, is for those who use it.
 */
#ifndef BASE_SNAP_H
#define BASE_SNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct snap;

enum snap_kind { SNAP_FILE = 1, SNAP_FOLDER };
enum { SNAP_COUNT_MAX = 1 << 20 };

struct snap_entry {
	uint32_t tree;
	enum snap_kind kind;
	struct str name;	/* without NUL inside, ends in one */
	struct str data;	/* of a file; ends in NUL, not counted */
};

/* Sorts the entries. Returns a descriptor that can be read and nothing else:
 * neither the size nor a byte of it will ever change. */
int snap_write(struct snap_entry *, size_t n, struct err *) MUST_CHECK;
bool snap_is_sealed(int fd);

/* Maps it; fd stays the caller's and may be closed at once. NULL: it is not
 * sealed, or what snap_parse() says. */
struct snap *snap_map(int fd, struct err *) MUST_CHECK;
/* Borrows the bytes until snap_free(). NULL: this is no snapshot. */
struct snap *snap_parse(struct str bytes, struct err *) MUST_CHECK;
void snap_free(struct snap **);

/* Entries point into the snapshot. */
size_t snap_count(const struct snap *);
struct snap_entry snap_at(const struct snap *, size_t i);
/* The first entry that is not before tree and name; snap_count() if all are. */
size_t snap_seek(const struct snap *, uint32_t tree, struct str name);
bool snap_find(const struct snap *, uint32_t tree, struct str name,
    struct snap_entry *out);

#endif
