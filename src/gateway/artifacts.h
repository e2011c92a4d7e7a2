/* SPDX-License-Identifier: Apache-2.0 */
/* Loading a set as the settings say; for workers, wsgw -t and wsgwseq. */
#ifndef GATEWAY_ARTIFACTS_H
#define GATEWAY_ARTIFACTS_H

#include "base/attr.h"
#include "base/diag.h"

struct config;
struct med_set;

/* NULL when diag has errors. xml_global_init() must have been called. */
struct med_set *artifacts_load(const struct config *, struct diag *)
    MUST_CHECK;

#endif
