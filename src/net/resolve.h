/* SPDX-License-Identifier: Apache-2.0 */
/* Names to addresses, off the loop: one helper thread calls getaddrinfo(). */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct loop;
struct resolver;
struct resolve_query;
struct sock_addr;

/* addr[count], at most 16, lives until the callback returns; on failure count
 * is 0 and err says why (ERR_NOTFOUND, ERR_TIMEOUT, ERR_IO). */
typedef void resolve_fn(void *ctx, const struct sock_addr *addr, size_t count,
    const struct err *);

/* The thread starts with the first name that is no literal address. */
struct resolver *resolver_new(struct loop *, struct err *) MUST_CHECK;
/* Queries under way are cancelled; their callbacks do not run. Does not wait
 * for a name server. Allowed inside a callback. */
void resolver_free(struct resolver **);
/* Copies host (a name or a literal address). The callback never runs inside
 * this call. Good answers are kept for 30 seconds. No limit of time: a query
 * that lasts too long is cancelled by who made it. */
struct resolve_query *resolve_start(struct resolver *, struct str host,
    uint16_t port, resolve_fn *, void *ctx) MUST_CHECK;
/* Its callback will not run. Not after the callback has run. */
void resolve_cancel(struct resolve_query *);

#endif
