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
	/* The children that all kinds share are read by the caller. */
	int (*compile)(struct med_compile *, const struct xml_el *,
	    void **node, struct err *);
	/* The address for this message; lives as long as it, or the set. */
	int (*address)(const void *node, struct message *, struct str *uri_out,
	    struct fault *);
	/* What else it says about a message; NULL: nothing. */
	void (*apply)(const void *node, struct message *);
	bool (*is_dynamic)(const void *node);
	struct str (*label)(const void *node);	/* for an endpoint without name */
};

/* Judges a fixed address: scheme, and whether there is a sender for it. */
int endpoint_check_uri(struct med_compile *, const struct xml_el *,
    struct str uri, struct err *) MUST_CHECK;

#endif
