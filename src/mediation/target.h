/* SPDX-License-Identifier: Apache-2.0 */
/* Part of mediation.h: endpoints, as the host sees them. */
#ifndef MEDIATION_TARGET_H
#define MEDIATION_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/str.h"

struct endpoint;
struct ep_policy;
struct fault;
struct message;

enum endpoint_kind {
	ENDPOINT_ADDRESS, ENDPOINT_HTTP, ENDPOINT_DEFAULT,
	ENDPOINT_GROUP,			/* hosts see leaves only */
};
enum endpoint_kind endpoint_kind(const struct endpoint *);
/* Its name, or the URI of an anonymous one; the key of its state. */
struct str endpoint_name(const struct endpoint *);
/* The address for this message (dynamic parts filled in, To for default). */
int endpoint_address(const struct endpoint *, struct message *,
    struct str *uri_out, struct fault *) MUST_CHECK;
/* False for a fixed address: endpoint_address() always gives the same. */
bool endpoint_is_dynamic(const struct endpoint *);
const struct ep_policy *endpoint_policy(const struct endpoint *);
/* Its <timeout>, which may depend on the message; 0 = none. */
int64_t endpoint_timeout_ms(const struct endpoint *, struct message *);
/* Applies the <property> children to the message, and the method of an http
 * endpoint (axis2 HTTP_METHOD). The host calls it before it sends. */
int endpoint_apply_properties(const struct endpoint *, struct message *,
    struct fault *) MUST_CHECK;
/* Value of a default-scope constant <property> of the endpoint; p NULL = none. */
struct str endpoint_option(const struct endpoint *, const char *name);

#endif
