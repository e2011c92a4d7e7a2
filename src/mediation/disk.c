/* SPDX-License-Identifier: Apache-2.0 */
/* The disk as a source: folders and regular files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "mediation/source_priv.h"

/* "Permission denied" alone helps nobody who is root and reads it. */
static int
cannot_read(const char *path, struct err *err)
{
	struct stat st;
	int sys = errno;

	err_sys(err, "cannot be read");
	if (err && sys == EACCES && stat(path, &st) == 0) {
		size_t n = strlen(err->text);

		snprintf(err->text + n, sizeof(err->text) - n,
		    " (mode %04o of uid %ld, gid %ld; read as uid %ld, gid "
		    "%ld)", (unsigned)st.st_mode & 07777, (long)st.st_uid,
		    (long)st.st_gid, (long)geteuid(), (long)getegid());
	}
	return -1;
}

enum source_kind
disk_look(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0)
		return S_ISDIR(st.st_mode) ? SOURCE_FOLDER : SOURCE_FILE;
	if (errno == ENOENT || errno == ENOTDIR)
		return SOURCE_NOTHING;
	cannot_read(path, err);
	return SOURCE_HIDDEN;
}

/* ---- folders ----------------------------------------------------------- */

static int
is_name(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int
disk_names(const char *path, struct arena *a, struct str **out,
    size_t *count_out, struct err *err)
{
	struct dirent **found;
	int n = scandir(path, &found, is_name, by_bytes);

	if (n < 0)
		return cannot_read(path, err);
	*out = arena_alloc(a, (size_t)n * sizeof(**out));
	*count_out = (size_t)n;
	for (int i = 0; i < n; i++) {
		(*out)[i] = arena_str(a, str_of(found[i]->d_name));
		free(found[i]);
	}
	free(found);
	return 0;
}

/* ---- files ------------------------------------------------------------- */

/* Up to n bytes; how many there were. */
static ssize_t
read_up_to(int fd, char *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, p + have, n - have);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

static int
read_open(int fd, const char *path, int64_t max, struct arena *a,
    struct str *out, struct err *err)
{
	struct stat st;
	ssize_t n;
	char *p;

	if (fstat(fd, &st) < 0)
		return cannot_read(path, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_IO, "not a regular file");
	if (st.st_size > max)
		return err_set(err, ERR_LIMIT, "%" PRId64 " bytes are too "
		    "many: %" PRId64 " are allowed", (int64_t)st.st_size, max);
	/* One more than there should be shows that it has grown. */
	p = arena_alloc(a, (size_t)st.st_size + 1);
	n = read_up_to(fd, p, (size_t)st.st_size + 1);
	if (n < 0)
		return cannot_read(path, err);
	if (n != st.st_size)
		return err_set(err, ERR_IO, "changed while it was read: try "
		    "again");
	p[n] = '\0';
	*out = (struct str){ p, (size_t)n };
	return 0;
}

int
disk_read(const char *path, int64_t max, struct arena *a, struct str *out,
    struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int result;

	if (fd < 0)
		return cannot_read(path, err);
	result = read_open(fd, path, max, a, out, err);
	close(fd);
	return result;
}
