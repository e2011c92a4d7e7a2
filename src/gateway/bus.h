/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcasts between the workers, over the ring of ipc. Private to gateway. */
#ifndef GATEWAY_BUS_H
#define GATEWAY_BUS_H

#include "base/attr.h"
#include "base/err.h"
#include "gateway/gateway.h"

struct bus;
struct ring;

/* Borrows the ring, which is NULL when there is a single worker: the bus then
 * does nothing. */
int bus_new(struct worker *, struct ring *, unsigned self, struct bus **out,
    struct err *) MUST_CHECK;
void bus_free(struct bus **);
/* To the groups of that key (see broadcast.c) in all other workers. */
void bus_publish(struct bus *, struct str key, enum msg_frame,
    struct str bytes);

#endif
