/* SPDX-License-Identifier: Apache-2.0 */
/* Private to master: what the check process found the artifacts to need. */
#ifndef MASTER_PLAN_H
#define MASTER_PLAN_H

#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct plan_item {
	char *name;		/* of the inbound */
	uint16_t wanted;	/* 0 = a free one */
	uint16_t port;		/* as bound; 0 until then when wanted is 0 */
};

struct plan {
	char *digest;
	struct plan_item *item;
	size_t count;
};

/* Text of CHAN_PLAN. NULL when it is not what ipc/chan.h says: the process
 * that wrote it is not trusted. */
struct plan *plan_parse(struct str text, struct err *) MUST_CHECK;
void plan_free(struct plan **);

#endif
