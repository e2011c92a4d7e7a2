/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a set is read from: the disk as it is at that moment, or a snapshot,
 * in which one process captured all that is there, so that others load the
 * very same bytes, also later, and without a look at the disk.
 */
#ifndef MEDIATION_SOURCE_H
#define MEDIATION_SOURCE_H

#include <stdint.h>
#include "base/attr.h"
#include "base/diag.h"
#include "base/err.h"

struct med_source;

/* Names count from the root of their tree and have no "." or "..": "" is the
 * root itself; those of ELSEWHERE are paths as they were written. */
enum med_tree { MED_TREE_ARTIFACTS, MED_TREE_REGISTRY, MED_TREE_ELSEWHERE };

/* Paths are copied; registry "" = none. Each starts with one reference. */
struct med_source *med_source_disk(const char *root, const char *registry)
    MUST_CHECK;
/*
 * Takes all artifacts and all of the registry from the disk, at most max_bytes
 * of it. Local entries from elsewhere are added as they are read. NULL when
 * diag has errors.
 */
struct med_source *med_source_capture(const char *root, const char *registry,
    int64_t max_bytes, struct diag *) MUST_CHECK;
/* What another process captured; the paths are for messages. fd stays the
 * caller's. */
struct med_source *med_source_snapshot(int fd, const char *root,
    const char *registry, struct err *) MUST_CHECK;
/* The snapshot of one that was captured, with all that was read up to now;
 * the caller's to close. */
int med_source_seal(struct med_source *, struct err *) MUST_CHECK;
struct med_source *med_source_get(struct med_source *);
void med_source_put(struct med_source **);

#endif
