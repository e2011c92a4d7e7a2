/* SPDX-License-Identifier: Apache-2.0 */
#include "master/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/must.h"
#include "base/str.h"
#include "config/config.h"
#include "master/master.h"

/* The number in the file, or 0. */
static pid_t
read_pid(int fd)
{
	char text[24];
	ssize_t n = pread(fd, text, sizeof(text), 0);
	uint64_t pid;

	if (n <= 0 || !str_to_u64(str_trim((struct str){ text, (size_t)n }),
	    &pid) || pid > INT32_MAX)
		return 0;
	return (pid_t)pid;
}

/* Whoever held the file may have removed it before we got the lock. */
static bool
still_there(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int
open_locked(const char *path, struct err *err)
{
	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		    0644);

		if (fd < 0)
			return err_sys(err, "cannot open the pid file %s",
			    path);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				err_set(err, ERR_INUSE, "wsgw is running "
				    "already: pid %ld holds %s",
				    (long)read_pid(fd), path);
			else
				err_sys(err, "cannot lock %s", path);
			close(fd);
			return -1;
		}
		if (still_there(fd, path))
			return fd;
		close(fd);
	}
}

int
pidfile_open(struct pidfile *p, const char *path, struct err *err)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	*p = (struct pidfile){ .fd = -1 };
	if (!path[0])
		return 0;
	p->fd = open_locked(path, err);
	if (p->fd < 0)
		return -1;
	p->path = xstrdup(path);
	if (ftruncate(p->fd, 0) < 0 || pwrite(p->fd, text, (size_t)n, 0) != n) {
		err_sys(err, "cannot write the pid file %s", path);
		pidfile_close(p);
		return -1;
	}
	return 0;
}

void
pidfile_close(struct pidfile *p)
{
	if (p->path)
		unlink(p->path);
	pidfile_leave(p);
}

void
pidfile_leave(struct pidfile *p)
{
	if (p->path)
		close(p->fd);
	free(p->path);
	p->path = NULL;
}

int
pidfile_read(const char *path, pid_t *out, struct err *err)
{
	int fd, busy;

	if (!path[0])
		return err_set(err, ERR_STATE, "process.pid_file is not set");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_STATE,
		    "wsgw is not running: there is no %s", path);
	if (fd < 0)
		return err_sys(err, "cannot open the pid file %s", path);
	busy = flock(fd, LOCK_SH | LOCK_NB) < 0;
	*out = read_pid(fd);
	close(fd);
	if (!busy)
		return err_set(err, ERR_STATE,
		    "wsgw is not running: %s was left behind", path);
	if (*out <= 0)
		return err_set(err, ERR_STATE, "there is no pid in %s", path);
	return 0;
}

int
master_signal(const struct config *c, int signo, struct err *err)
{
	pid_t pid;

	if (pidfile_read(c->process_pid_file, &pid, err) < 0)
		return -1;
	if (kill(pid, signo) < 0)
		return err_sys(err, "cannot signal pid %ld", (long)pid);
	return 0;
}
