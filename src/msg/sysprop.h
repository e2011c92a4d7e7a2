/* SPDX-License-Identifier: Apache-2.0 */
/* Properties of scope system: Java's system properties, one map a process. */
#ifndef MSG_SYSPROP_H
#define MSG_SYSPROP_H

#include <stdbool.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

/* Copies. -1 with ERR_LIMIT when there are too many or one is too large: the
 * names may come from a peer. */
int sysprop_set(struct str name, struct str value, struct err *) MUST_CHECK;
/* The value is good until it is set again. */
bool sysprop_get(struct str name, struct str *out);
/* Forgets them all. */
void sysprop_clear(void);

#endif
