/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: what a set is made of. */
#ifndef MEDIATION_SET_H
#define MEDIATION_SET_H

#include "base/arena.h"
#include "base/hmap.h"
#include "mediation/endpoint.h"
#include "mediation/inbound.h"
#include "mediation/mediation.h"
#include "mediation/mediator.h"

typedef enum med_next med_exec_fn(struct med_run *, const void *node,
    struct message *, struct fault *);

struct med_node {
	med_exec_fn *exec;
	const void *data;
	const struct mediator_type *type;
	struct src_pos at;
};

struct med_list {
	const struct med_node *node;
	size_t count;
};

/* Another artifact by name: filled in when all are read. */
struct sequence_ref {
	struct sequence_ref *next;	/* all of a set, while it loads */
	struct str name;
	struct src_pos at;		/* first use */
	const struct sequence *target;	/* NULL: there is none */
};

struct endpoint_ref {
	struct endpoint_ref *next;
	struct str name;
	struct src_pos at;
	struct endpoint *target;	/* NULL: there is none */
	struct med_value *dynamic;	/* key="{...}"; NULL: static */
};

struct template_ref {
	struct template_ref *next;
	struct str name;
	struct src_pos at;
	const struct med_template *target;
};

/* One sequence that another one can reach, while loading. */
struct reach {
	struct reach *next;
	const struct sequence_ref *ref;		/* or */
	const struct template_ref *template;
};

struct sequence {
	struct str name;		/* "" for an anonymous one */
	struct src_pos at;
	const struct med_list *list;
	const struct sequence_ref *on_error;
	bool trace;
	enum med_body body;
	struct reach *reach;
	const struct med_shortcut *shortcut;
};

struct med_param {
	struct str name;
	bool mandatory;
	struct str dflt;		/* p NULL: none */
};

struct med_template {
	struct str name;
	struct src_pos at;
	const struct med_param *param;
	size_t param_count;
	struct sequence *sequence;
};

struct ep_property {
	struct str name;
	enum msg_scope scope;
	struct str value;		/* when expr is NULL */
	struct expr *expr;
};

struct endpoint {
	struct str name;
	struct src_pos at;
	const struct endpoint_type *type;
	void *node;
	/* type NULL: <endpoint name key/>, another one's name */
	const struct endpoint_ref *other;
	bool sticky;			/* <session>: a client keeps its child */
	struct ep_policy policy;
	struct med_value *timeout;	/* <duration>{...}, or NULL */
	const struct ep_property *property;
	size_t property_count;
	/* while loading: */
	struct endpoint *next;
	enum { LINK_UNSEEN, LINK_OPEN, LINK_DONE } link;
};

/* Where a static reference leads to, past other names; NULL: nowhere, or it
 * depends on the message. */
const struct endpoint *endpoint_static(const struct endpoint_ref *);
/* The children of a group; NULL for all other endpoints. */
const struct ep_group *endpoint_group(const struct endpoint *);

struct entry {
	struct str text;
	struct src_pos at;
};

struct med_set {
	unsigned refs;
	struct arena *arena;
	char digest[33];
	struct med_source *source;	/* resources are read later, too */
	struct hmap sequences, endpoints, entries, templates, inbounds;
	struct hmap resources;		/* of the registry, as they are read */
	struct med_inbound **inbound;
	size_t inbound_count;
	const struct sequence *main, *fault, *pre_mediate;
	const struct endpoint *to_endpoint;	/* <default/> */
	const struct endpoint *address_endpoint;	/* for a list of them */
};

#endif
