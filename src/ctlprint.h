/* SPDX-License-Identifier: Apache-2.0 */
/* The gateway's JSON answers, for people. Text that is not such JSON is printed
 * as far as it makes sense. */
#ifndef CTLPRINT_H
#define CTLPRINT_H

#include <stdio.h>
#include "base/str.h"

/* "key: value" a line; what is inside objects and arrays is indented, an
 * object in an array is one line "key=value ...". */
void ctlprint_outline(struct str json, FILE *to);
/* An object a line becomes "key=value ..." a line. */
void ctlprint_lines(struct str lines, FILE *to);
/* An object a line becomes one array. */
void ctlprint_array(struct str lines, FILE *to);

#endif
