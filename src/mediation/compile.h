/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: what loading works with. */
#ifndef MEDIATION_COMPILE_H
#define MEDIATION_COMPILE_H

#include "base/diag.h"
#include "mediation/elements.h"
#include "mediation/set.h"
#include "mediation/source.h"
#include "mediation/xmlread.h"

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
	struct endpoint *endpoint_made;	/* all of them, last first */
	struct hmap endpoint_templates;
	unsigned template_depth;
	struct template_ref *template_first;
	struct xml_file **file;		/* all that was parsed */
	size_t file_count;
	uint64_t hash[2];		/* of all bytes read */
	const char *warned[4];		/* texts of med_warn_once() */
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

/* An <endpoint> of any kind; NULL after a report. */
struct endpoint *endpoint_compile(struct med_compile *, const struct xml_el *);
/* After all are read: what they refer to, and that none is its own child. */
void endpoint_link(struct med_compile *);

/* ---- endpoint_template.c ----------------------------------------------- */

bool endpoint_template_is(const struct xml_el *template);
/* In the first pass, so that endpoints find it wherever it stands. */
void endpoint_template_read(struct med_compile *, const struct xml_el *);
/* <endpoint template="..."/>: the endpoint made of it; NULL with err, or after
 * a report. */
struct endpoint *endpoint_template_use(struct med_compile *,
    const struct xml_el *, struct err *);

/* ---- shortcut.c -------------------------------------------------------- */

/* After all references are resolved. */
void shortcut_find(struct med_compile *, struct sequence *);

/* ---- inbound.c --------------------------------------------------------- */

void inbound_compile(struct med_compile *, const struct xml_el *);
/* After all artifacts are read: names, ports. */
void inbound_link(struct med_compile *);

/* ---- template.c -------------------------------------------------------- */

void template_compile(struct med_compile *, const struct xml_el *);
/* The <parameter> children of a template. */
int template_params(struct med_compile *, const struct xml_el *,
    const struct med_param **out, size_t *count, struct err *) MUST_CHECK;

/* ---- entry.c ----------------------------------------------------------- */

void entry_compile(struct med_compile *, const struct xml_el *);
/* While loading: a key that must resolve. */
int entry_find(struct med_compile *, struct str key, struct str *out,
    struct err *) MUST_CHECK;
/* The registry resource of that key, parsed; NULL when there is none, or after
 * a report. */
const struct xml_el *entry_artifact(struct med_compile *, struct str key);

/* ---- load.c ------------------------------------------------------------ */

/* Reads a whole file, which then counts towards the digest. err is without
 * the path. */
int load_file(struct med_compile *, enum med_tree, struct str name,
    struct str *out, struct err *) MUST_CHECK;
/* NULL after a report. */
const struct xml_el *load_xml(struct med_compile *, const char *path,
    struct str text);
/* Everything below root (or the one file that root is), as parsed. */
void load_tree(struct med_compile *);

/* ---- artifact.c -------------------------------------------------------- */

/* One artifact, whatever it is, or <definitions>; in the first pass local
 * entries and endpoint templates only, in the second all others. */
enum load_pass { PASS_ENTRIES, PASS_REST };
void artifact_compile(struct med_compile *, const struct xml_el *,
    enum load_pass);
void artifact_sequence(struct med_compile *, const struct xml_el *,
    struct str name);

#endif
