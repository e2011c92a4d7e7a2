/* SPDX-License-Identifier: Apache-2.0 */
/* Local entries and the registry: texts by key (mediation.md 1.4, 1.5). */
#include <stdio.h>
#include <sys/stat.h>

#include "mediation/compile.h"

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

/* True when no ".." leads above where the path begins. */
static bool
stays_inside(struct str path)
{
	struct str part;
	int depth = 0;

	if (memchr(path.p, '\0', path.n))
		return false;
	while (str_next(&path, '/', &part)) {
		if (str_is(part, ".."))
			depth--;
		else if (part.n && !str_is(part, "."))
			depth++;
		if (depth < 0)
			return false;
	}
	return true;
}

int
entry_path(const char *root, struct str key, struct arena *a,
    const char **path_out, struct err *err)
{
	size_t i = 0;
	struct str rest;

	while (!str_starts(key, roots[i].prefix))
		i++;
	rest = str_from(key, strlen(roots[i].prefix));
	while (rest.n && rest.p[0] == '/')
		rest = str_from(rest, 1);
	if (!stays_inside(rest))
		return err_set(err, ERR_DENIED, "The registry key '%.*s' is "
		    "illegal which points to a location outside the registry",
		    STR_FMT(key));
	*path_out = arena_printf(a, "%s/%s/%.*s", root, roots[i].folder,
	    STR_FMT(rest)).p;
	return 0;
}

static bool
is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A registry resource, kept for as long as the set lives. */
static struct entry *
registry_entry(struct med_set *set, struct str key)
{
	struct entry *e = hmap_get(&set->resources, key);
	struct arena *scratch;
	const char *path;
	struct str text;

	if (e || !set->registry[0] || !key.n)
		return e;
	scratch = arena_new(0);
	if (entry_path(set->registry, key, scratch, &path, NULL) == 0 &&
	    is_file(path) &&
	    file_read(path, set->arena, &text, NULL) == 0) {
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
	const char *path;

	if (!str_istarts(src, "file:")) {
		xml_error(el, err, "not supported: a local entry from %.*s "
		    "(only file: is)", STR_FMT(src));
		err->kind = ERR_UNSUPPORTED;
		return -1;
	}
	src = str_from(src, 5);
	while (str_starts(src, "//"))
		src = str_from(src, 1);
	path = arena_str(c->scratch, src).p;
	if (load_file(c, path, c->set->arena, &e->text, err) == 0)
		return 0;
	return xml_error(el, err, "local entry: cannot read %s", path);
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
