/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a set as the settings say: check takes all files from the disk, at
 * one time, workers read what it took. */
#ifndef GATEWAY_ARTIFACTS_H
#define GATEWAY_ARTIFACTS_H

#include "base/attr.h"
#include "base/diag.h"

struct config;
struct med_set;
struct med_source;

/* NULL when diag has errors. */
struct med_source *artifacts_capture(const struct config *, struct diag *)
    MUST_CHECK;
/* NULL when diag has errors. xml_global_init() must have been called; the set
 * keeps the source for as long as it needs it. */
struct med_set *artifacts_load(const struct config *, struct med_source *,
    struct diag *) MUST_CHECK;
/* The same from the snapshot that another process has made; fd stays the
 * caller's. */
struct med_set *artifacts_load_snapshot(const struct config *, int fd,
    struct diag *) MUST_CHECK;

#endif
