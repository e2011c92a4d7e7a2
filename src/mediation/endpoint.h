/* SPDX-License-Identifier: Apache-2.0 */
/* For authors of kinds of endpoint: one file in endpoints/, one row in
 * endpoints.def. */
#ifndef MEDIATION_ENDPOINT_H
#define MEDIATION_ENDPOINT_H

#include "mediation/epstate.h"
#include "mediation/mediator.h"

/* How a group chooses among its children. */
enum ep_choice {
	EP_FIRST,		/* the first one that is ready */
	EP_KEPT,		/* the one that had the last message, while
				   it is ready; else the first */
	EP_TURNS,		/* one after the other, by weight */
	EP_ALL,			/* each gets a copy */
};

struct ep_child {
	struct endpoint_ref *ref;
	unsigned weight;	/* EP_TURNS: messages in a row */
};

struct ep_group {
	const char *title;	/* in the log: "Failover" */
	enum ep_choice choice;
	bool move_on;		/* when one fails another gets the message */
	bool weighted;		/* children have loadbalance.weight */
	struct ep_child *child;
	size_t count;
	struct med_value *list;	/* EP_ALL: addresses, instead of children */
};

struct endpoint_type {
	const char *element;		/* "address", "http", "default" ... */
	enum endpoint_kind kind;
	/* The children that all kinds share are read by the caller. */
	int (*compile)(struct med_compile *, const struct xml_el *,
	    void **node, struct err *);
	/* Groups have this one and none of the others below. */
	const struct ep_group *(*group)(const void *node);
	bool takes_session;		/* <session> may stand beside it */
	bool child_only;		/* of a group, not of <endpoint> */
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
/* The <endpoint> or <member> children of a group. */
int endpoint_children(struct med_compile *, const struct xml_el *,
    struct ep_group *, struct err *) MUST_CHECK;

#endif
