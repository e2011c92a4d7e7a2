/* SPDX-License-Identifier: Apache-2.0 */
/* For authors of kinds of endpoint: one file in endpoints/, one row in
 * endpoints.def. */
#ifndef MEDIATION_ENDPOINT_H
#define MEDIATION_ENDPOINT_H

#include "mediation/epstate.h"
#include "mediation/mediator.h"

struct endpoint_type {
	const char *element;		/* "address", "http", "default" ... */
	enum endpoint_kind kind;
	int (*compile)(struct med_compile *, const struct xml_el *,
	    void **node, struct err *);
	/* The address for this message. */
	int (*address)(const void *node, struct message *, struct str *uri_out,
	    struct fault *);
	bool (*is_dynamic)(const void *node);
};

/* Reads the children that all kinds share (timeout, suspendOnFailure ...). */
int endpoint_read_policy(struct med_compile *, const struct xml_el *,
    struct ep_policy *, struct err *) MUST_CHECK;

#endif
