/* SPDX-License-Identifier: Apache-2.0 */
/* Private to master: who the workers are, and the files made ready for them
 * while we still may. */
#ifndef MASTER_PRIVS_H
#define MASTER_PRIVS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/attr.h"
#include "base/err.h"

struct config;

struct privs {
	bool change;		/* started by root, with somebody to become */
	uid_t uid;
	gid_t gid;
	char user[65];
};

/* ERR_DENIED when started by root and user or group do not exist. */
int privs_find(const struct config *, struct privs *out, struct err *)
    MUST_CHECK;
/* For good; does nothing when there is nothing to change. */
int privs_drop(const struct privs *, struct err *) MUST_CHECK;
/* Asks for n descriptors; less, and a warning in the log, when n is too many. */
void privs_set_open_files(int64_t n);
/* Makes the folder that path is in, unless it is there; what cannot be made is
 * told by whoever opens path. */
void privs_make_folder(const char *path);
/* Makes a log file that the workers may open again; no link is followed and
 * nobody else's file is given away. "stderr", "syslog" and "" are no files. */
void privs_make_log(const struct privs *, const char *target);

#endif
