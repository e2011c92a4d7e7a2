/* SPDX-License-Identifier: Apache-2.0 */
/* The role "check": loads settings and artifacts as a worker would, and says
 * what it found. It holds no socket and no privilege. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include "base/attr.h"

struct config;
struct heritage;

/* Sends CHAN_PLAN, if all is well, and CHAN_DIAG; returns the exit status. */
int check_main(const struct heritage *) MUST_CHECK;
/* The same in the foreground, for wsgw -t: diagnostics to a file. Returns 0 or
 * 78. */
enum check_level { CHECK_ALL, CHECK_ERRORS_ONLY };
int check_print(const struct config *, enum check_level, FILE *to) MUST_CHECK;

#endif
