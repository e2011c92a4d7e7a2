/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a snapshot: whatever the reader lets pass can be walked, found
 * again and read to the NUL that ends each text. Tried as they come and, so
 * that the index is reached, with size and digest as they ought to be.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/snap.h"

enum { HEAD = 32, AT_SIZE = 16, AT_DIGEST = 24 };

static void
mend(uint8_t *p, size_t n)
{
	uint64_t size = n, h = 0xcbf29ce484222325;

	for (size_t i = HEAD; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3;
	memcpy(p + AT_SIZE, &size, sizeof(size));
	memcpy(p + AT_DIGEST, &h, sizeof(h));
}

static void
walk(const struct snap *s)
{
	for (size_t i = 0; i < snap_count(s); i++) {
		struct snap_entry e = snap_at(s, i), found;

		must(strlen(e.name.p) == e.name.n);
		must(e.data.p[e.data.n] == '\0');
		must(strlen(e.data.p) <= e.data.n);
		must(snap_seek(s, e.tree, e.name) == i);
		must(snap_find(s, e.tree, e.name, &found));
		must(found.kind == e.kind && found.data.p == e.data.p);
	}
}

static void
try(const uint8_t *p, size_t n)
{
	struct err err = { 0 };
	struct snap *s = snap_parse((struct str){ (const char *)p, n }, &err);

	must((s == NULL) == (err.kind != ERR_NONE));
	if (s)
		walk(s);
	snap_free(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t *copy;

	try(p, n);
	if (n < HEAD)
		return 0;
	copy = xmalloc(n);
	memcpy(copy, p, n);
	mend(copy, n);
	try(copy, n);
	free(copy);
	return 0;
}
