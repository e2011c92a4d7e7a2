/* SPDX-License-Identifier: Apache-2.0 */
#include "master/plan.h"

#include <stdlib.h>

#include "base/must.h"

static int
take_listen(struct plan *p, struct str line, struct err *err)
{
	struct str rest = str_from(line, strlen("listen ")), port;
	uint64_t n;

	if (!str_next(&rest, ' ', &port) || !str_to_u64(port, &n) ||
	    n > UINT16_MAX || rest.n == 0)
		return err_set(err, ERR_PROTOCOL, "bad line in a plan: %.*s",
		    STR_FMT(str_head(line, 80)));
	p->item = xrealloc(p->item, (p->count + 1) * sizeof(*p->item));
	p->item[p->count++] = (struct plan_item){ .name = str_dup(rest),
		.wanted = (uint16_t)n, .port = (uint16_t)n };
	return 0;
}

static int
take_line(struct plan *p, struct str line, struct err *err)
{
	if (str_starts(line, "listen "))
		return take_listen(p, line, err);
	if (!str_starts(line, "digest ") || p->digest)
		return err_set(err, ERR_PROTOCOL, "bad line in a plan: %.*s",
		    STR_FMT(str_head(line, 80)));
	p->digest = str_dup(str_from(line, strlen("digest ")));
	return 0;
}

struct plan *
plan_parse(struct str text, struct err *err)
{
	struct plan *p = xcalloc(1, sizeof(*p));
	struct str line;

	while (text.n && str_next(&text, '\n', &line))
		if (take_line(p, line, err) < 0) {
			plan_free(&p);
			return NULL;
		}
	if (p->digest)
		return p;
	plan_free(&p);
	err_set(err, ERR_PROTOCOL, "a plan without a digest");
	return NULL;
}

void
plan_free(struct plan **p)
{
	if (!*p)
		return;
	for (size_t i = 0; i < (*p)->count; i++)
		free((*p)->item[i].name);
	free((*p)->item);
	free((*p)->digest);
	free(*p);
	*p = NULL;
}
