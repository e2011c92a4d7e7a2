/* SPDX-License-Identifier: Apache-2.0 */
/* Private to config: a look at the text before libconfig sees it. */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Appends text to *to such that libconfig reads what is written: it cuts whole
 * numbers to 32 bits unless they end in L, and ends the process when a file
 * that is to be included cannot be read, so that @include is refused. Lines
 * stay where they are. -1 with the line, and no file, in err->at.
 */
int scan_text(struct str text, struct buf *to, struct err *) MUST_CHECK;

#endif
