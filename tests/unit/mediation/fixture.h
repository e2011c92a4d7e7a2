/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of artifacts made for one test, and a host that records. */
#ifndef TESTS_MEDIATION_FIXTURE_H
#define TESTS_MEDIATION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"
#include "mediation/inbound.h"
#include "mediation/mediation.h"
#include "msg/message.h"
#include "msg/xml.h"

#define NS "xmlns=\"http://ws.apache.org/ns/synapse\""

struct fixture {
	char root[64];
	struct diag diag;
	struct med_config config;
	struct med_set *set;
};

static inline void
fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->root, "/tmp/wsgw-test-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->config = (struct med_config){ .root = f->root, .registry = "",
	    .ws_sender = true, .outflow = "", .outflow_fault = "" };
	diag_init(&f->diag);
}

static inline int
fixture_remove(const char *path, const struct stat *st UNUSED, int flag UNUSED,
    struct FTW *at UNUSED)
{
	return remove(path);
}

static inline void
fixture_fini(struct fixture *f)
{
	med_set_put(&f->set);
	nftw(f->root, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Writes root/name, with the folders in between. */
static inline void
fixture_file(struct fixture *f, const char *name, const char *text)
{
	char path[300];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	for (char *p = path + strlen(f->root) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*p = '/';
	}
	out = fopen(path, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static inline void
fixture_load(struct fixture *f)
{
	diag_init(&f->diag);
	f->set = med_set_load(&f->config, &f->diag);
}

/* Loads, and fails with the diagnostics when it does not work. */
static inline void
fixture_must_load(struct fixture *f)
{
	fixture_load(f);
	if (!f->set)
		diag_print(&f->diag, stderr);
	assert_non_null(f->set);
}

/* Is there a diagnostic at that line with that text? */
static inline bool
fixture_said(const struct fixture *f, enum diag_level level, int line,
    const char *text)
{
	for (int i = 0; i < f->diag.count; i++)
		if (f->diag.item[i].level == level &&
		    (line == 0 || f->diag.item[i].line == line) &&
		    strstr(f->diag.item[i].text, text))
			return true;
	diag_print(&f->diag, stderr);
	return false;
}

/* One sequence file alone; it must be refused with that text there. */
static inline void
fixture_refuses(const char *xml, int line, const char *text)
{
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "sequences/a.xml", xml);
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, line, text));
	fixture_fini(&f);
}

#endif
