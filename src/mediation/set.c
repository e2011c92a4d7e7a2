/* SPDX-License-Identifier: Apache-2.0 */
/* A set: read, compile, link; then immutable and counted. */
#include "mediation/set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "mediation/compile.h"

/* What MI ships for those who have none of their own. */
static const char builtin[] =
    "<definitions xmlns=\"" SYNAPSE_NS "\">\n"
    "<sequence name=\"main\">\n"
    "<log level=\"custom\"><property name=\"main sequence executed for call "
    "to non-existent\" expression=\"get-property('To')\"/></log>\n"
    "<property name=\"NO_ENTITY_BODY\" value=\"true\" scope=\"axis2\" "
    "type=\"BOOLEAN\"/>\n"
    "<property name=\"HTTP_SC\" value=\"404\" scope=\"axis2\"/>\n"
    "<respond/>\n"
    "</sequence>\n"
    "<sequence name=\"fault\">\n"
    "<log level=\"full\">\n"
    "<property name=\"MESSAGE\" value=\"Executing default 'fault' "
    "sequence\"/>\n"
    "<property name=\"ERROR_CODE\" "
    "expression=\"get-property('ERROR_CODE')\"/>\n"
    "<property name=\"ERROR_MESSAGE\" "
    "expression=\"get-property('ERROR_MESSAGE')\"/>\n"
    "</log>\n"
    "<drop/>\n"
    "</sequence>\n"
    "</definitions>\n";

/* ---- counted ----------------------------------------------------------- */

struct med_set *
med_set_get(struct med_set *set)
{
	set->refs++;
	return set;
}

void
med_set_put(struct med_set **sp)
{
	struct med_set *set = *sp;

	if (!set)
		return;
	*sp = NULL;
	must(set->refs > 0);
	if (--set->refs > 0)
		return;
	hmap_fini(&set->sequences);
	hmap_fini(&set->endpoints);
	hmap_fini(&set->entries);
	hmap_fini(&set->resources);
	hmap_fini(&set->templates);
	hmap_fini(&set->inbounds);
	arena_free(&set->arena);
	med_source_put(&set->source);
	free(set->inbound);
	free(set);
}

const char *
med_set_digest(const struct med_set *set)
{
	return set->digest;
}

size_t
med_set_inbound_count(const struct med_set *set)
{
	return set->inbound_count;
}

const struct med_inbound *
med_set_inbound(const struct med_set *set, size_t i)
{
	must(i < set->inbound_count);
	return set->inbound[i];
}

const struct med_inbound *
med_set_find_inbound(const struct med_set *set, struct str name)
{
	return hmap_get(&set->inbounds, name);
}

const struct sequence *
med_set_sequence(const struct med_set *set, struct str name)
{
	return hmap_get(&set->sequences, name);
}

const struct sequence *
med_set_main(const struct med_set *set)
{
	return set->main;
}

const struct sequence *
med_set_fault(const struct med_set *set)
{
	return set->fault;
}

/* ---- linking ----------------------------------------------------------- */

/* What an artifact with an error would have defined is missing, too: after
 * errors nothing is said about names. */

/* A registry resource that holds a <sequence> is one by its key. */
static void
sequence_from_registry(struct med_compile *c, struct str key)
{
	const struct xml_el *el = entry_artifact(c, key);

	if (el && xml_in_synapse(el) && str_is(xml_name(el), "sequence")) {
		(void)xml_attr(el, "name");
		artifact_sequence(c, el, key);
	}
}

static void
link_sequences(struct med_compile *c)
{
	/* Resources may refer to further ones: the list grows meanwhile. */
	for (struct sequence_ref *r = c->sequence_first; r; r = r->next) {
		if (!med_set_sequence(c->set, r->name))
			sequence_from_registry(c, r->name);
		r->target = med_set_sequence(c->set, r->name);
		if (!r->target && !c->diag->errors)
			diag_warn(c->diag, r->at, "sequence \"%.*s\" is not "
			    "defined", STR_FMT(r->name));
	}
}

static void
link_templates(struct med_compile *c)
{
	for (struct template_ref *r = c->template_first; r; r = r->next) {
		r->target = hmap_get(&c->set->templates, r->name);
		if (!r->target && !c->diag->errors)
			diag_warn(c->diag, r->at, "template \"%.*s\" is not "
			    "defined", STR_FMT(r->name));
	}
}

static bool
widen(struct sequence *s, enum med_body least)
{
	bool changed = false;

	if (least > s->body) {
		s->body = least;
		changed = true;
	}
	for (const struct reach *r = s->reach; r; r = r->next) {
		const struct sequence *to = r->ref ? r->ref->target
		    : r->template->target ? r->template->target->sequence
		    : NULL;

		if (to && to->body > s->body) {
			s->body = to->body;
			changed = true;
		}
	}
	return changed;
}

/* Sums up what is done to bodies over all that a sequence can reach. */
static void
sum_bodies(struct med_set *set)
{
	enum med_body least = set->pre_mediate ? set->pre_mediate->body
	    : MED_BODY_NONE;
	bool changed;

	do {
		void *p;
		struct str name;
		size_t at = 0;

		changed = false;
		while (hmap_next(&set->sequences, &at, &name, &p))
			changed |= widen(p, least);
		for (at = 0; hmap_next(&set->templates, &at, &name, &p); ) {
			struct med_template *t = p;

			changed |= widen(t->sequence, least);
		}
	} while (changed);
}

/* ---- loading ----------------------------------------------------------- */

static void
compile_all(struct med_compile *c)
{
	size_t n = c->file_count;

	for (int pass = PASS_ENTRIES; pass <= PASS_REST; pass++)
		for (size_t i = 0; i < n; i++)
			artifact_compile(c, xml_file_root(c->file[i]),
			    (enum load_pass)pass);
}

/* main and fault, where the artifacts have none. */
static void
add_builtin(struct med_compile *c)
{
	const struct xml_el *root = load_xml(c, "(built in)", str_of(builtin));

	must(root);
	for (const struct xml_el *k = xml_any_child(root); k;
	    k = xml_any_next(k)) {
		struct str name = xml_attr(k, "name");

		if (!med_set_sequence(c->set, name))
			artifact_sequence(c, k, name);
	}
	c->set->main = med_set_sequence(c->set, STR("main"));
	c->set->fault = med_set_sequence(c->set, STR("fault"));
	must(c->set->main && c->set->fault);
}

/* To the message's To address, wherever that is: so many endpoints in one, and
 * no state that would be about all of them. */
static const struct endpoint *
any_address(struct med_set *set, struct str name)
{
	struct endpoint *ep = arena_zalloc(set->arena, sizeof(*ep));

	ep->type = registry_endpoint(STR("default"));
	ep->name = name;
	ep->policy = (struct ep_policy){ .initial_ms = -1, .factor = 1,
	    .stateless = true };
	return ep;
}

static struct med_set *
set_new(const struct med_config *config)
{
	struct med_set *set = xcalloc(1, sizeof(*set));

	set->refs = 1;
	set->arena = arena_new(65536);
	set->source = config->source ? med_source_get(config->source) :
	    med_source_disk(config->root, config->registry);
	return set;
}

static void
find_shortcuts(struct med_compile *c)
{
	size_t at = 0;
	struct str name;
	void *s;

	while (hmap_next(&c->set->sequences, &at, &name, &s))
		shortcut_find(c, s);
}

static void
load(struct med_compile *c)
{
	load_tree(c);
	compile_all(c);
	add_builtin(c);
	link_sequences(c);
	c->set->pre_mediate = med_set_sequence(c->set, STR("pre-mediate"));
	endpoint_link(c);
	link_templates(c);
	inbound_link(c);
	c->set->to_endpoint = any_address(c->set, STR("default"));
	c->set->address_endpoint = any_address(c->set, STR("recipient"));
	sum_bodies(c->set);
	/* A faulty set is thrown away; pre-mediate sees every message. */
	if (!c->diag->errors && !c->set->pre_mediate)
		find_shortcuts(c);
	snprintf(c->set->digest, sizeof(c->set->digest),
	    "%016" PRIx64 "%016" PRIx64, c->hash[0], c->hash[1]);
}

struct med_set *
med_set_load(const struct med_config *config, struct diag *diag)
{
	struct med_compile c = { .set = set_new(config), .config = config,
	    .diag = diag, .scratch = arena_new(65536),
	    .hash = { 0x6c62272e07bb0142, 0x62b821756295c58d } };
	struct med_set *set = c.set;
	int before = diag->errors;

	c.sequence_last = &c.sequence_first;
	load(&c);
	for (size_t i = 0; i < c.file_count; i++)
		xml_file_free(&c.file[i]);
	free(c.file);
	hmap_fini(&c.sequence_refs);
	hmap_fini(&c.template_refs);
	hmap_fini(&c.endpoint_templates);
	arena_free(&c.scratch);
	if (diag->errors > before)
		med_set_put(&set);
	return set;
}
