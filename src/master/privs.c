/* SPDX-License-Identifier: Apache-2.0 */
#include "master/privs.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "master/master.h"

static int
find_group(const char *name, gid_t *out, struct err *err)
{
	const struct group *g = getgrnam(name);

	if (!g)
		return err_set(err, ERR_DENIED, "group \"%s\" does not exist: "
		    "create it with \"groupadd --system %s\", or set "
		    "process.group", name, name);
	*out = g->gr_gid;
	return 0;
}

int
privs_find(const struct config *c, struct privs *out, struct err *err)
{
	const struct passwd *pw;

	*out = (struct privs){ .change = false };
	if (geteuid() != 0 || !c->process_user[0])
		return 0;
	pw = getpwnam(c->process_user);
	if (!pw)
		return err_set(err, ERR_DENIED, "user \"%s\" does not exist: "
		    "create it with \"useradd --system --user-group "
		    "--no-create-home --shell /usr/sbin/nologin %s\", or set "
		    "process.user", c->process_user, c->process_user);
	*out = (struct privs){ .change = true, .uid = pw->pw_uid,
		.gid = pw->pw_gid };
	snprintf(out->user, sizeof(out->user), "%s", c->process_user);
	if (!c->process_group[0])
		return 0;
	return find_group(c->process_group, &out->gid, err);
}

int
privs_drop(const struct privs *p, struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot give up privileges");
	if (!p->change)
		return 0;
	if (initgroups(p->user, p->gid) < 0 || setgid(p->gid) < 0 ||
	    setuid(p->uid) < 0)
		return err_sys(err, "cannot become user %s", p->user);
	if (p->uid != 0 && (setuid(0) == 0 || setgid(0) == 0))
		return err_set(err, ERR_DENIED,
		    "could become root again after user %s", p->user);
	/* setuid() took it away, and with it the core of a crash. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_sys(err, "cannot allow core dumps");
	return 0;
}

int
master_drop_privileges(const struct config *c, struct err *err)
{
	struct privs p;

	if (privs_find(c, &p, err) < 0)
		return -1;
	return privs_drop(&p, err);
}

void
privs_set_open_files(int64_t n)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	if (r.rlim_max != RLIM_INFINITY && (int64_t)r.rlim_max < n) {
		const struct rlimit more = { (rlim_t)n, (rlim_t)n };

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
		log_warn("process.open_files: %" PRId64 " is more than the "
		    "limit of %" PRId64, n, (int64_t)r.rlim_max);
		n = (int64_t)r.rlim_max;
	}
	r.rlim_cur = (rlim_t)n;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		log_warn("process.open_files: %s", strerror(errno));
}

void
privs_make_folder(const char *path)
{
	char *folder = xstrdup(path), *slash = strrchr(folder, '/');

	if (slash && slash != folder) {
		*slash = '\0';
		if (mkdir(folder, 0755) < 0 && errno != EEXIST)
			log_debug("cannot make %s: %s", folder,
			    strerror(errno));
	}
	free(folder);
}

void
privs_make_log(const struct privs *p, const char *target)
{
	struct stat st;
	int fd;

	if (!p->change || target[0] != '/')
		return;
	privs_make_folder(target);
	fd = open(target, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, 0640);
	if (fd < 0)
		return;		/* whoever opens it to write tells why */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == 0 && st.st_size == 0 &&
	    fchown(fd, p->uid, p->gid) < 0)
		log_warn("cannot give %s to user %s: %s", target, p->user,
		    strerror(errno));
	close(fd);
}
