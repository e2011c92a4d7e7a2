/* SPDX-License-Identifier: Apache-2.0 */
/* Local entries and the registry: texts by key (mediation.md 1.4, 1.5). */
#include <stdio.h>

#include "mediation/compile.h"
#include "mediation/source_priv.h"

/* ---- registry ---------------------------------------------------------- */

static const struct {
	const char *prefix, *folder;
} roots[] = {
	{ "conf:", "config" },
	{ "gov:", "governance" },
	{ "local:", "local" },
	{ "resources:", "governance/mi-resources" },
	{ "", "governance" },
};

/* Drops the last part; false when there is none. */
static bool
step_up(struct buf *name, size_t prefix)
{
	size_t n = buf_len(name);

	if (n == prefix)
		return false;
	while (buf_data(name)[--n] != '/')
		;
	buf_truncate(name, n);
	return true;
}

/* Adds a path without "." and ".."; false when it leads out. What begins with
 * a dot is no resource either. */
static bool
add_path(struct buf *name, struct str path)
{
	size_t prefix = buf_len(name);
	struct str part;

	if (path.n && memchr(path.p, '\0', path.n))
		return false;
	while (str_next(&path, '/', &part)) {
		if (str_is(part, "..")) {
			if (!step_up(name, prefix))
				return false;
		} else if (part.n && !str_is(part, ".")) {
			if (part.p[0] == '.')
				return false;
			buf_putc(name, '/');
			buf_add_str(name, part);
		}
	}
	return true;
}

/* The name of the file of a key; false when there is none. */
static bool
find(struct med_source *source, struct str key, struct arena *a,
    struct str *out)
{
	struct buf name = { 0 };
	bool fine;
	size_t i = 0;

	if (!key.n)
		return false;
	while (!str_starts(key, roots[i].prefix))
		i++;
	buf_addz(&name, roots[i].folder);
	fine = add_path(&name, str_from(key, strlen(roots[i].prefix)));
	*out = arena_str(a, buf_str(&name));
	buf_fini(&name);
	return fine && source_look(source, MED_TREE_REGISTRY, *out, NULL) ==
	    SOURCE_FILE;
}

const struct xml_el *
entry_artifact(struct med_compile *c, struct str key)
{
	struct str name, text;

	if (!find(c->set->source, key, c->set->arena, &name) ||
	    load_file(c, MED_TREE_REGISTRY, name, &text, NULL) < 0)
		return NULL;
	return load_xml(c, source_path(c->set->source, MED_TREE_REGISTRY, name,
	    c->set->arena), text);
}

/* A registry resource, kept for as long as the set lives. */
static struct entry *
registry_entry(struct med_set *set, struct str key)
{
	struct entry *e = hmap_get(&set->resources, key);
	struct arena *scratch;
	struct str name, text;

	if (e)
		return e;
	scratch = arena_new(0);
	if (find(set->source, key, scratch, &name) && source_read(set->source,
	    MED_TREE_REGISTRY, name, set->arena, &text, NULL) == 0) {
		e = arena_zalloc(set->arena, sizeof(*e));
		e->text = text;
		hmap_set(&set->resources, key, e);
	}
	arena_free(&scratch);
	return e;
}

bool
med_set_entry(void *ctx, struct str key, struct arena *a UNUSED,
    struct str *out)
{
	struct med_set *set = ctx;
	struct entry *e = hmap_get(&set->entries, key);

	if (!e)
		e = registry_entry(set, key);
	if (!e)
		return false;
	*out = e->text;
	return true;
}

int
entry_find(struct med_compile *c, struct str key, struct str *out,
    struct err *err)
{
	if (med_set_entry(c->set, key, c->set->arena, out))
		return 0;
	return err_set(err, ERR_VALUE, "Registry entry defined with key : "
	    "%.*s not found", STR_FMT(key));
}

/* ---- local entries ----------------------------------------------------- */

static int
from_source(struct med_compile *c, const struct xml_el *el, struct str src,
    struct entry *e, struct err *err)
{
	struct err why;

	if (!str_istarts(src, "file:")) {
		xml_error(el, err, "not supported: a local entry from %.*s "
		    "(only file: is)", STR_FMT(src));
		err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	src = str_from(src, 5);
	while (str_starts(src, "//"))
		src = str_from(src, 1);
	if (load_file(c, MED_TREE_ELSEWHERE, src, &e->text, err) == 0)
		return 0;
	why = *err;
	return xml_error(el, err, "local entry: %.*s: %s", STR_FMT(src),
	    why.text);
}

static int
read_entry(struct med_compile *c, const struct xml_el *el, struct str key,
    struct entry *e, struct err *err)
{
	struct str src = xml_attr(el, "src");
	const struct xml_el *k = xml_any_child(el);

	if (!key.p)
		return xml_error(el, err, "The 'key' attribute is required "
		    "for a local registry entry");
	if (src.p)
		return from_source(c, el, src, e, err);
	while (k && xml_in_synapse(k) && str_is(xml_name(k), "description"))
		k = xml_any_next(k);
	e->text = k ? xml_el_markup(k, c->set->arena) : str_trim(xml_text(el));
	for (k = xml_any_child(el); k; k = xml_any_next(k))
		xml_mark_opaque(k);
	return 0;
}

void
entry_compile(struct med_compile *c, const struct xml_el *el)
{
	struct str key = xml_attr(el, "key");
	struct entry *e = arena_zalloc(c->set->arena, sizeof(*e));
	struct entry *old = key.p ? hmap_get(&c->set->entries, key) : NULL;
	struct err err = { 0 };
	int result = read_entry(c, el, key, e, &err);

	e->at = xml_pos(el);
	if (result == 0 && old)
		result = xml_error(el, &err, "Duplicate local entry : %.*s "
		    "(the first is at %s:%d)", STR_FMT(key), old->at.file,
		    old->at.line);
	if (result == 0)
		result = element_check(el, "localEntry", &err);
	xml_mark_done(el);
	if (result < 0)
		med_report_left(c, &err);
	else
		hmap_set(&c->set->entries, key, e);
}
