/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: what a set is made of, and what loading works with. */
#ifndef MEDIATION_SET_H
#define MEDIATION_SET_H

#include "base/arena.h"
#include "base/hmap.h"
#include "mediation/endpoint.h"
#include "mediation/inbound.h"
#include "mediation/mediation.h"
#include "mediation/mediator.h"
#include "mediation/xmlread.h"

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
	const struct endpoint *target;
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
	struct ep_policy policy;
	const struct ep_property *property;
	size_t property_count;
};

struct entry {
	struct str text;
	struct src_pos at;
};

struct med_set {
	unsigned refs;
	struct arena *arena;
	char digest[33];
	const char *root, *registry;
	struct hmap sequences, endpoints, entries, templates, inbounds;
	struct hmap resources;		/* of the registry, as they are read */
	struct med_inbound **inbound;
	size_t inbound_count;
	const struct sequence *main, *fault, *pre_mediate;
	const struct endpoint *to_endpoint;	/* <default/> */
};

/* What compile works with; lives while a set is loaded. */
struct med_compile {
	struct med_set *set;
	const struct med_config *config;
	struct diag *diag;
	struct arena *scratch;
	/* References: sequences and templates once for each name. */
	struct hmap sequence_refs, template_refs;
	struct sequence_ref *sequence_first, **sequence_last;
	struct endpoint_ref *endpoint_first;
	struct template_ref *template_first;
	struct xml_file **file;		/* all that was parsed */
	size_t file_count;
	uint64_t hash[2];		/* of all bytes read */
	/* of the artifact in hand: */
	enum med_body body;
	struct reach *reach;
	unsigned unsupported, wrong;	/* errors of either kind */
};

/* ---- compile.c --------------------------------------------------------- */

/* Puts an error into the diag, counted against the artifact in hand. */
void med_report(struct med_compile *, const struct err *);
/* The same for one who has an err that may be in the diag already. */
void med_report_left(struct med_compile *, const struct err *);
/* All mediators of a sequence-like element, with its attributes. Never NULL;
 * what is wrong is reported. */
struct sequence *med_sequence(struct med_compile *, const struct xml_el *,
    struct str name);
struct sequence_ref *med_sequence_ref_at(struct med_compile *, struct str name,
    struct src_pos);

/* ---- registry.c -------------------------------------------------------- */

const struct mediator_type *registry_mediator(struct str element);
const struct endpoint_type *registry_endpoint(struct str element);
/* Why an element that MI knows is not supported; NULL when MI does not know it
 * either. */
const char *registry_refusal(struct str element);
/* NULL-ended, for "did you mean". */
const char *const *registry_names(void);

/* ---- endpoint.c -------------------------------------------------------- */

/* An <endpoint> with a definition inside; NULL after a report. */
struct endpoint *endpoint_compile(struct med_compile *, const struct xml_el *);

/* ---- shortcut.c -------------------------------------------------------- */

/* After all references are resolved. */
void shortcut_find(struct med_compile *, struct sequence *);

/* ---- inbound.c --------------------------------------------------------- */

void inbound_compile(struct med_compile *, const struct xml_el *);
/* After all artifacts are read: names, ports. */
void inbound_link(struct med_compile *);

/* ---- template.c -------------------------------------------------------- */

void template_compile(struct med_compile *, const struct xml_el *);

/* ---- entry.c ----------------------------------------------------------- */

void entry_compile(struct med_compile *, const struct xml_el *);
/* While loading: a key that must resolve. */
int entry_find(struct med_compile *, struct str key, struct str *out,
    struct err *) MUST_CHECK;
/* Path of a registry key below root; -1 for one that leaves it. */
int entry_path(const char *root, struct str key, struct arena *,
    const char **path_out, struct err *) MUST_CHECK;

/* ---- load.c ------------------------------------------------------------ */

/* Reads a whole file into the arena. */
int file_read(const char *path, struct arena *, struct str *out, struct err *)
    MUST_CHECK;
/* The same while loading: counts towards the digest. */
int load_file(struct med_compile *, const char *path, struct arena *,
    struct str *out, struct err *) MUST_CHECK;
/* NULL after a report. */
const struct xml_el *load_xml(struct med_compile *, const char *path,
    struct str text);
/* Everything below root (or the one file that root is), as parsed. */
void load_tree(struct med_compile *);

/* ---- artifact.c -------------------------------------------------------- */

/* One artifact, whatever it is, or <definitions>; in the first pass the local
 * entries only, in the second all others. */
enum load_pass { PASS_ENTRIES, PASS_REST };
void artifact_compile(struct med_compile *, const struct xml_el *,
    enum load_pass);
void artifact_sequence(struct med_compile *, const struct xml_el *,
    struct str name);

#endif
