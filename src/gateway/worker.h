/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gateway: one worker process, the place where siblings meet: streams (net),
 * frames (ws), messages (msg), sequences (mediation).
 */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

struct heritage;

/* The role "worker". Returns the exit status. */
int worker_main(const struct heritage *);

#endif
