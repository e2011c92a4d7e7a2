/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles for testing the master without a gateway. The file "plan" in
 * artifacts.root is the plan itself ("digest D" and "listen PORT NAME" lines);
 * the check makes a snapshot of it, and the workers see only that. A line of it
 * may be one of these words:
 *   bad     the check finds errors
 *   silent  the check ends without an answer
 *   bare    the check sends a plan without a snapshot
 *   open    the check sends one that can still be changed
 *   refuse  worker 1 answers FAILED to PREPARE
 *   differ  worker 1 reports another digest
 *   die     worker 1 dies on PREPARE
 *   crash   every worker dies at its start
 * A worker answers each connection with "INDEX PID GENERATION PORT\n".
 */
#ifndef UNIT_MASTER_FAKE_ROLES_H
#define UNIT_MASTER_FAKE_ROLES_H

struct heritage;

int fake_check(const struct heritage *);
int fake_worker(const struct heritage *);

#endif
