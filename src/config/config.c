/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <dirent.h>
#include <errno.h>
#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/must.h"
#include "config/opt.h"
#include "config/scan.h"

enum { FILE_MAX = 1 << 20, NAME_MAX_LEN = 200 };

struct loaded {
	struct config c;
	struct arena *arena;
};

/* Where the settings of one document go, and what is said about them. */
struct reader {
	struct loaded *to;
	struct diag *diag;
	const char *file;		/* for messages */
	bool lines;			/* line numbers mean something */
	bool included;			/* from include_dir */
};

static struct src_pos
pos_of(const struct reader *r, const config_setting_t *s)
{
	return (struct src_pos){ r->file,
		r->lines ? (int)config_setting_source_line(s) : 0, 0 };
}

/* --- what is known at a level ------------------------------------------ */

/* The next part of an option's name below prefix, or absent when it is not
 * there: ("log.error.level", "log") gives "error". */
static struct str
member_at(const struct opt *o, struct str prefix)
{
	struct str name = str_of(o->name);

	if (prefix.n) {
		if (name.n <= prefix.n || name.p[prefix.n] != '.' ||
		    !str_eq(str_head(name, prefix.n), prefix))
			return STR_NULL;
		name = str_from(name, prefix.n + 1);
	}
	return str_head(name, str_find(name, '.'));
}

static bool
is_group(struct str path)
{
	for (size_t i = 0; i < opt_count; i++)
		if (member_at(&opt_table[i], path).p)
			return true;
	return false;
}

/* Names of a level, or, with whole, of all options; NULL at the end. */
static const char **
candidates(struct arena *a, struct str prefix)
{
	const char **list = arena_alloc(a, (opt_count + 1) * sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < opt_count; i++) {
		struct str m = member_at(&opt_table[i], prefix);

		if (m.p && (n == 0 || !str_is(m, list[n - 1])))
			list[n++] = arena_str(a, m).p;
	}
	list[n] = NULL;
	return list;
}

static const char *
leaf(const struct opt *o)
{
	const char *dot = strrchr(o->name, '.');

	return dot ? dot + 1 : o->name;
}

/* The option whose last part is most like name, wherever it stands. */
static const char *
nearest_leaf(struct arena *a, struct str name)
{
	const char **list = arena_alloc(a, (opt_count + 1) * sizeof(*list));
	const char *near;
	size_t i;

	for (i = 0; i < opt_count; i++)
		list[i] = leaf(&opt_table[i]);
	list[i] = NULL;
	near = str_nearest(name, list);
	for (i = 0; near && list[i] != near; i++)
		;
	return near ? opt_table[i].name : NULL;
}

static void
unknown(struct reader *r, const config_setting_t *s, struct str prefix)
{
	struct str name = str_of(config_setting_name(s));
	struct arena *a = arena_new(0);
	const char **known = candidates(a, prefix);
	const char *near = str_nearest(name, known);
	struct buf list = { 0 };

	if (!near)
		near = nearest_leaf(a, name);
	if (near) {
		buf_printf(&list, "did you mean \"%s\"?", near);
	} else {
		buf_addz(&list, "known here: ");
		for (size_t i = 0; known[i]; i++)
			buf_printf(&list, "%s%s", i ? ", " : "", known[i]);
	}
	diag_error(r->diag, pos_of(r, s), "unknown setting \"%.*s\"; %s",
	    (int)(name.n > NAME_MAX_LEN ? NAME_MAX_LEN : name.n), name.p,
	    buf_cstr(&list));
	buf_fini(&list);
	arena_free(&a);
}

/* --- one document ------------------------------------------------------- */

static const char *
kind_of(const config_setting_t *s)
{
	switch (config_setting_type(s)) {
	case CONFIG_TYPE_GROUP:
		return "a group { ... }";
	case CONFIG_TYPE_LIST:
		return "a list ( ... )";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ... ]";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_STRING:
		return "a string";
	default:
		return "a number";
	}
}

static int
set_value(struct reader *r, const struct opt *o, const config_setting_t *s,
    struct err *err)
{
	struct config *c = &r->to->c;

	switch (config_setting_type(s)) {
	case CONFIG_TYPE_BOOL:
		return opt_set_bool(o, c, config_setting_get_bool(s), err);
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return opt_set_number(o, c, config_setting_get_int64(s), err);
	case CONFIG_TYPE_STRING:
		return opt_set_text(o, c, r->to->arena,
		    str_of(config_setting_get_string(s)), err);
	default:
		return opt_wrong_type(o, kind_of(s), err);
	}
}

static void
take_option(struct reader *r, const struct opt *o, const config_setting_t *s)
{
	struct err err;

	if (r->included && strcmp(o->name, "include_dir") == 0) {
		diag_error(r->diag, pos_of(r, s),
		    "\"include_dir\" may stand in the main file only");
		return;
	}
	if (set_value(r, o, s, &err) == 0)
		return;
	err.at = pos_of(r, s);
	diag_add(r->diag, DIAG_ERROR, &err);
}

static void take_group(struct reader *, const config_setting_t *,
    struct str prefix);

static void
take_member(struct reader *r, const config_setting_t *s, struct str prefix)
{
	struct buf b = { 0 };
	const struct opt *o;
	struct str path;

	if (prefix.n)
		buf_printf(&b, "%.*s.", STR_FMT(prefix));
	buf_addz(&b, config_setting_name(s));
	path = buf_str(&b);
	o = opt_find(path);
	if (o)
		take_option(r, o, s);
	else if (!is_group(path))
		unknown(r, s, prefix);
	else if (!config_setting_is_group(s))
		diag_error(r->diag, pos_of(r, s),
		    "\"%.*s\" takes a group { ... }, not %s", STR_FMT(path),
		    kind_of(s));
	else
		take_group(r, s, path);
	buf_fini(&b);
}

/* Recursion ends where the names known do: three levels down. */
static void
take_group(struct reader *r, const config_setting_t *group, struct str prefix)
{
	unsigned n = (unsigned)config_setting_length(group);

	for (unsigned i = 0; i < n; i++)
		take_member(r, config_setting_get_elem(group, i), prefix);
}

/* 0 with the document in *cfg, which the caller destroys in any case. */
static int
parse_document(struct reader *r, struct str text, config_t *cfg)
{
	struct buf ready = { 0 };
	struct err err;
	int ok = CONFIG_TRUE;

	config_init(cfg);
	if (scan_text(text, &ready, &err) == 0) {
		ok = config_read_string(cfg, buf_cstr(&ready));
		if (ok == CONFIG_FALSE)
			err_at(&err, (struct src_pos){ NULL,
			    config_error_line(cfg), 0 }, "%s",
			    config_error_text(cfg));
	} else {
		ok = CONFIG_FALSE;
	}
	buf_fini(&ready);
	if (ok == CONFIG_TRUE)
		return 0;
	err.at.file = r->file;
	if (!r->lines)
		err.at.line = 0;
	return diag_add(r->diag, DIAG_ERROR, &err);
}

static void
take_document(struct reader *r, struct str text)
{
	config_t cfg;

	if (parse_document(r, text, &cfg) == 0)
		take_group(r, config_root_setting(&cfg), STR(""));
	config_destroy(&cfg);
}

/* --- the -g settings ----------------------------------------------------- */

/* Length of the first statement of s: up to a ';' or line end outside of
 * strings and brackets. */
static size_t
statement_len(struct str s)
{
	bool quoted = false;
	int depth = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (quoted) {
			if (c == '\\')
				i++;
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[' || c == '(') {
			depth++;
		} else if (c == '}' || c == ']' || c == ')') {
			depth--;
		} else if ((c == ';' || c == '\n') && depth <= 0) {
			return i;
		}
	}
	return s.n;
}

/* "a.b = v" becomes "a:{b = v;};": libconfig has no dotted names. */
static void
undot(struct str s, struct buf *to)
{
	size_t eq = str_find(s, '='), dots = 0;
	struct str rest = str_head(s, eq), part;

	if (eq == s.n || memchr(rest.p, '{', rest.n) ||
	    memchr(rest.p, '"', rest.n)) {
		buf_add_str(to, s);
		return;
	}
	for (; str_next(&rest, '.', &part) && rest.p; dots++)
		buf_printf(to, "%.*s:{", STR_FMT(str_trim(part)));
	buf_add_str(to, str_trim(part));
	buf_add_str(to, str_from(s, eq));
	while (dots--)
		buf_addz(to, ";}");
}

/* Each statement is its own document, so that one may name a group again. */
static void
take_settings(struct reader *r, struct str all)
{
	while (all.n) {
		size_t n = statement_len(all);
		struct buf b = { 0 };

		if (!str_blank(str_head(all, n))) {
			undot(str_trim(str_head(all, n)), &b);
			take_document(r, buf_str(&b));
		}
		buf_fini(&b);
		all = str_from(all, n + 1);
	}
}

/* --- files ---------------------------------------------------------------- */

static int
read_file(const char *path, struct buf *to, struct err *err)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	size_t n;
	int result = 0;

	if (!f)
		return err_sys(err, "cannot open");
	if (fstat(fileno(f), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(f);
		return err_set(err, ERR_IO, "is a folder, not a file");
	}
	while (buf_len(to) <= FILE_MAX &&
	    (n = fread(buf_room(to, 4096), 1, 4096, f)) > 0)
		buf_added(to, n);
	if (ferror(f))
		result = err_sys(err, "cannot read");
	else if (buf_len(to) > FILE_MAX)
		result = err_set(err, ERR_LIMIT, "is larger than 1M");
	fclose(f);
	return result;
}

static void
take_file(struct reader *r)
{
	struct buf text = { 0 };
	struct err err;

	if (read_file(r->file, &text, &err) == 0)
		take_document(r, buf_str(&text));
	else
		diag_error(r->diag, (struct src_pos){ r->file, 0, 0 }, "%s",
		    err.text);
	buf_fini(&text);
}

static int
is_conf(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(str_of(d->d_name), ".conf");
}

static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The folder of the default may be missing; one that was named may not. */
static void
take_include_dir(struct reader *r, const char *dir)
{
	struct dirent **list;
	struct buf path = { 0 };
	int n = scandir(dir, &list, is_conf, by_name);

	if (n < 0) {
		const struct opt *o = opt_find(STR("include_dir"));

		if (errno != ENOENT || strcmp(dir, o->dflt) != 0)
			diag_error(r->diag, (struct src_pos){ r->file, 0, 0 },
			    "cannot read include_dir %s: %s", dir,
			    strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		struct reader sub = *r;

		buf_clear(&path);
		buf_printf(&path, "%s/%s", dir, list[i]->d_name);
		sub.file = buf_cstr(&path);
		sub.included = true;
		take_file(&sub);
		free(list[i]);
	}
	free(list);
	buf_fini(&path);
}

/* --- public ----------------------------------------------------------------*/

static struct loaded *
new_loaded(void)
{
	struct loaded *l = xcalloc(1, sizeof(*l));

	l->arena = arena_new(0);
	for (size_t i = 0; i < opt_count; i++)
		opt_set_default(&opt_table[i], &l->c, l->arena);
	return l;
}

static struct config *
finish(struct loaded *l, const struct diag *diag, int errors_before)
{
	struct config *c = &l->c;

	if (diag->errors > errors_before)
		config_free(&c);
	return c;
}

/* -g has the last word, also about include_dir; said once, applied twice. */
static void
look_ahead(const struct reader *r, struct str settings)
{
	struct diag *unheard = xmalloc(sizeof(*unheard));
	struct reader first = *r;

	diag_init(unheard);
	first.diag = unheard;
	take_settings(&first, settings);
	free(unheard);
}

struct config *
config_load(const char *file, const char *settings, struct diag *diag)
{
	int before = diag->errors;
	struct loaded *l = new_loaded();
	struct reader r = { .to = l, .diag = diag, .file = file,
		.lines = true };
	struct reader g = { .to = l, .diag = diag, .file = "-g" };
	struct str extra = settings ? str_of(settings) : STR("");

	take_file(&r);
	look_ahead(&g, extra);
	if (l->c.include_dir[0])
		take_include_dir(&r, l->c.include_dir);
	take_settings(&g, extra);
	return finish(l, diag, before);
}

struct config *
config_parse(const char *name, struct str text, struct diag *diag)
{
	int before = diag->errors;
	struct loaded *l = new_loaded();
	struct reader r = { .to = l, .diag = diag, .file = name,
		.lines = true };

	take_document(&r, text);
	return finish(l, diag, before);
}

void
config_free(struct config **c)
{
	struct loaded *l;

	if (!*c)
		return;
	l = container_of(*c, struct loaded, c);
	arena_free(&l->arena);
	free(l);
	*c = NULL;
}

void
config_keep(struct config *new, const struct config *old, struct buf *names)
{
	struct loaded *l = container_of(new, struct loaded, c);
	const char *sep = "";

	for (size_t i = 0; i < opt_count; i++) {
		const struct opt *o = &opt_table[i];

		if (o->when == OPT_LIVE || opt_same(o, new, old))
			continue;
		buf_printf(names, "%s%s", sep, o->name);
		sep = ", ";
		opt_copy(o, new, l->arena, old);
	}
}
