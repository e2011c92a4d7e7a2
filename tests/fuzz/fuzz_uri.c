/* SPDX-License-Identifier: Apache-2.0 */
/* URIs and request targets: the parts lie in the text, in order, and put
 * together again they are the text. */
#include "fuzz.h"

#include "base/must.h"
#include "http/emit.h"
#include "http/uri.h"

static void
add_target(struct buf *b, struct str path, struct str query)
{
	buf_add_str(b, path);
	if (query.p) {
		buf_putc(b, '?');
		buf_add_str(b, query);
	}
}

static void
check_uri(struct str s, const struct uri *u)
{
	struct buf b = { 0 };

	buf_add_str(&b, u->scheme_text);
	buf_addz(&b, "://");
	buf_add_str(&b, u->authority);
	add_target(&b, u->path, u->query);
	must(str_eq(buf_str(&b), s));
	buf_clear(&b);
	add_target(&b, u->path, u->query);
	must(str_eq(buf_str(&b), u->target));
	must(u->host.n && http_safe_value(s));
	must(uri_is_authority(u->authority));
	must(u->port || u->scheme == URI_OTHER);
	buf_fini(&b);
}

static void
check_target(struct str s)
{
	struct buf b = { 0 };
	struct str path, query;
	struct err err;

	if (uri_split_target(s, &path, &query, &err) < 0)
		return;
	must(path.n && path.p[0] == '/' && http_safe_value(s));
	if (s.p[0] == '/') {
		add_target(&b, path, query);
		must(str_eq(buf_str(&b), s));
		buf_clear(&b);
	}
	/* Every escape was checked: only a NUL can still be refused. */
	must(uri_decode(&b, path) || str_search(path, STR("%00")) < path.n);
	must(buf_len(&b) <= path.n);
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str s = { (const char *)p, n };
	struct buf b = { 0 };
	struct uri u;
	struct err err;

	if (uri_split(s, &u, &err) == 0)
		check_uri(s, &u);
	check_target(s);
	must(uri_decode(&b, s) || buf_len(&b) == 0);
	buf_fini(&b);
	return 0;
}
