/* SPDX-License-Identifier: Apache-2.0 */
/* Files and folders of MI's layout (mediation.md 1.1). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "mediation/compile.h"

enum { MAX_FILE = 64 << 20 };

/* In the order in which they are read; what is in them tells what it is. */
static const char *const folders[] = {
	"local-entries", "endpoints", "sequences", "templates",
	"inbound-endpoints", "proxy-services", "api", "tasks",
	"message-stores", "message-processors", "priority-executors",
	"event-sources", "imports",
};

static int
read_all(int fd, const char *path, struct arena *a, struct str *out,
    struct err *err)
{
	struct stat st;
	size_t n = 0;
	char *p;

	if (fstat(fd, &st) < 0)
		return err_sys(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_IO, "%s: not a regular file", path);
	if (st.st_size > MAX_FILE)
		return err_set(err, ERR_LIMIT, "%s: larger than %d MiB", path,
		    MAX_FILE >> 20);
	p = arena_alloc(a, (size_t)st.st_size + 1);
	while (n < (size_t)st.st_size) {
		ssize_t got = read(fd, p + n, (size_t)st.st_size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "%s", path);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	p[n] = '\0';
	*out = (struct str){ p, n };
	return 0;
}

int
file_read(const char *path, struct arena *a, struct str *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result;

	if (fd < 0)
		return err_sys(err, "%s", path);
	result = read_all(fd, path, a, out, err);
	close(fd);
	return result;
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
digest_file(struct med_compile *c, const char *path, struct str text)
{
	size_t root = strlen(c->set->root);
	const char *name = strncmp(path, c->set->root, root) == 0
	    ? path + root : path;

	digest_add(c->hash, name, strlen(name) + 1);
	digest_add(c->hash, text.p, text.n);
	digest_add(c->hash, "", 1);
}

int
load_file(struct med_compile *c, const char *path, struct arena *a,
    struct str *out, struct err *err)
{
	if (file_read(path, a, out, err) < 0)
		return -1;
	digest_file(c, path, *out);
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
load_path(struct med_compile *c, const char *path)
{
	struct err err = { 0 };
	struct str text;

	path = arena_strdup(c->set->arena, path);
	if (load_file(c, path, c->scratch, &text, &err) == 0) {
		(void)load_xml(c, path, text);
		return;
	}
	err.at = (struct src_pos){ .file = path };
	med_report(c, &err);
}

static int
is_xml(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(str_of(d->d_name), ".xml");
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void
load_folder(struct med_compile *c, const char *name)
{
	const char *dir = arena_printf(c->scratch, "%s/%s", c->set->root,
	    name).p;
	struct dirent **found;
	int n = scandir(dir, &found, is_xml, by_bytes);
	struct err err;

	if (n < 0 && errno == ENOENT)
		return;
	if (n < 0) {
		err_sys(&err, "cannot read the folder %s", dir);
		med_report(c, &err);
		return;
	}
	for (int i = 0; i < n; i++) {
		load_path(c, arena_printf(c->scratch, "%s/%s", dir,
		    found[i]->d_name).p);
		free(found[i]);
	}
	free(found);
}

static void
load_one_if_there(struct med_compile *c, const char *name)
{
	const char *path = arena_printf(c->scratch, "%s/%s", c->set->root,
	    name).p;

	if (access(path, F_OK) == 0)
		load_path(c, path);
}

void
load_tree(struct med_compile *c)
{
	struct stat st;
	struct err err;

	if (stat(c->set->root, &st) < 0) {
		err_sys(&err, "cannot read the artifacts in %s", c->set->root);
		med_report(c, &err);
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		load_path(c, c->set->root);
		return;
	}
	load_one_if_there(c, "synapse.xml");
	load_one_if_there(c, "registry.xml");
	load_one_if_there(c, "task-manager.xml");
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		load_folder(c, folders[i]);
}
