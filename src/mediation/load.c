/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders of MI's layout (mediation.md 1.1). */
#include <errno.h>

#include "base/must.h"
#include "mediation/compile.h"
#include "mediation/source_priv.h"

const char *const load_files[] = {
	"synapse.xml", "registry.xml", "task-manager.xml", NULL,
};

/* What is in them tells what it is. */
const char *const load_folders[] = {
	"local-entries", "endpoints", "sequences", "templates",
	"inbound-endpoints", "proxy-services", "api", "tasks",
	"message-stores", "message-processors", "priority-executors",
	"event-sources", "imports", NULL,
};

bool
load_is_artifact(struct str name)
{
	return name.n && name.p[0] != '.' && str_ends(name, ".xml");
}

/* FNV-1a with 128 bits: hash[0] is the high half; the prime is 2^88 + 0x13b. */
static void
digest_add(uint64_t hash[2], const void *data, size_t n)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++) {
		uint64_t lo = hash[1] ^ p[i];
		uint64_t a = (lo & 0xffffffff) * 0x13b;
		uint64_t b = (lo >> 32) * 0x13b + (a >> 32);

		hash[0] = hash[0] * 0x13b + (b >> 32) + (lo << 24);
		hash[1] = b << 32 | (a & 0xffffffff);
	}
}

/* The name counts without the root, which differs from place to place. */
static void
digest_file(struct med_compile *c, enum med_tree tree, struct str name,
    struct str text)
{
	const unsigned char which = (unsigned char)tree;

	digest_add(c->hash, &which, 1);
	digest_add(c->hash, name.p, name.n);
	digest_add(c->hash, "", 1);
	digest_add(c->hash, text.p, text.n);
	digest_add(c->hash, "", 1);
}

int
load_file(struct med_compile *c, enum med_tree tree, struct str name,
    struct str *out, struct err *err)
{
	if (source_read(c->set->source, tree, name, c->set->arena, out, err) <
	    0)
		return -1;
	digest_file(c, tree, name, *out);
	return 0;
}

static void
on_report(void *ctx, const struct err *err)
{
	struct med_compile *c = ctx;

	med_report(c, err);
}

const struct xml_el *
load_xml(struct med_compile *c, const char *path, struct str text)
{
	struct err err = { 0 };
	struct xml_file *f = xml_file_parse(c->set->arena, path, text,
	    on_report, c, &err);

	if (!f) {
		med_report(c, &err);
		return NULL;
	}
	c->file = xrealloc(c->file, (c->file_count + 1) * sizeof(*c->file));
	c->file[c->file_count++] = f;
	return xml_file_root(f);
}

static void
load_one(struct med_compile *c, struct str name)
{
	const char *path = source_path(c->set->source, MED_TREE_ARTIFACTS,
	    name, c->set->arena);
	struct err err = { 0 };
	struct str text;

	if (load_file(c, MED_TREE_ARTIFACTS, name, &text, &err) == 0) {
		(void)load_xml(c, path, text);
		return;
	}
	err.at = (struct src_pos){ .file = path };
	med_report(c, &err);
}

static void
report_folder(struct med_compile *c, struct str name, struct err *err)
{
	err->at.file = source_path(c->set->source, MED_TREE_ARTIFACTS, name,
	    c->set->arena);
	med_report(c, err);
}

static void
load_folder(struct med_compile *c, const char *folder)
{
	struct str *names;
	struct err err = { 0 };
	size_t n;

	if (source_names(c->set->source, MED_TREE_ARTIFACTS, str_of(folder),
	    c->scratch, &names, &n, &err) < 0) {
		if (err.kind != ERR_NOTFOUND)
			report_folder(c, str_of(folder), &err);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (load_is_artifact(names[i]))
			load_one(c, arena_printf(c->scratch, "%s/%.*s",
			    folder, STR_FMT(names[i])));
}

static void
load_one_if_there(struct med_compile *c, const char *name)
{
	struct err err = { 0 };

	switch (source_look(c->set->source, MED_TREE_ARTIFACTS, str_of(name),
	    &err)) {
	case SOURCE_NOTHING:
		break;
	case SOURCE_FILE:
	case SOURCE_FOLDER:
		load_one(c, str_of(name));
		break;
	case SOURCE_HIDDEN:
		report_folder(c, str_of(name), &err);
		break;
	}
}

static void
load_folders_and_files(struct med_compile *c)
{
	for (size_t i = 0; load_files[i]; i++)
		load_one_if_there(c, load_files[i]);
	for (size_t i = 0; load_folders[i]; i++)
		load_folder(c, load_folders[i]);
}

void
load_tree(struct med_compile *c)
{
	struct err err = { 0 };

	switch (source_look(c->set->source, MED_TREE_ARTIFACTS, STR(""),
	    &err)) {
	case SOURCE_NOTHING:
		errno = ENOENT;
		err_sys(&err, "cannot read the artifacts");
		report_folder(c, STR(""), &err);
		break;
	case SOURCE_FILE:
		load_one(c, STR(""));
		break;
	case SOURCE_FOLDER:
		load_folders_and_files(c);
		break;
	case SOURCE_HIDDEN:
		report_folder(c, STR(""), &err);
		break;
	}
}
