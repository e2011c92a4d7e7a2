/* SPDX-License-Identifier: Apache-2.0 */
#include "http/uri.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "base/must.h"

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether all of s is letters, digits, escapes and characters of also. */
static bool
only(struct str s, const char *also)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (is_alpha(c) || is_digit(c))
			continue;
		if (c == '%') {
			if (s.n - i < 3 || hex_value(s.p[i + 1]) < 0 ||
			    hex_value(s.p[i + 2]) < 0)
				return false;
			i += 2;
		} else if (c == '\0' || !strchr(also, c)) {
			return false;
		}
	}
	return true;
}

/* RFC 3986 3.3: unreserved, sub-delims and ":" "@" beside the slash. */
#define PATH_CHARS "-._~!$&'()*+,;=:@/"

static bool
is_path(struct str s)
{
	return only(s, PATH_CHARS);
}

static bool
is_query(struct str s)
{
	return only(s, PATH_CHARS "?[]");
}

static bool
is_ipv6(struct str s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return strlen(text) == s.n && inet_pton(AF_INET6, text, &address) == 1;
}

static bool
is_host_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) &&
		    (s.p[i] == '\0' || !strchr("-._~", s.p[i])))
			return false;
	return s.n > 0 && s.n <= 255;
}

/* Takes the host off the front of *s. */
static bool
take_host(struct str *s, struct uri *u)
{
	size_t end;

	u->ipv6 = s->n && s->p[0] == '[';
	if (u->ipv6) {
		end = str_find(*s, ']');
		if (end == s->n)
			return false;
		u->host = str_from(str_head(*s, end), 1);
		*s = str_from(*s, end + 1);
		return is_ipv6(u->host);
	}
	end = str_find(*s, ':');
	u->host = str_head(*s, end);
	*s = str_from(*s, end);
	return is_host_name(u->host);
}

/* What follows the host: nothing, ":" or ":port". */
static bool
take_port(struct str s, struct uri *u)
{
	uint64_t port;

	if (s.n == 0)
		return true;
	if (s.p[0] != ':')
		return false;
	s = str_from(s, 1);
	if (s.n == 0)
		return true;
	if (!is_digit(s.p[0]) || !str_to_u64(s, &port) || port == 0 ||
	    port > 65535)
		return false;
	u->port = (uint16_t)port;
	u->port_written = true;
	return true;
}

static int
split_authority(struct uri *u, struct err *err)
{
	struct str rest = u->authority;

	if (str_find(rest, '@') < rest.n)
		return err_set(err, ERR_VALUE,
		    "user information is not allowed in a URI");
	if (rest.n == 0)
		return err_set(err, ERR_SYNTAX, "URI without a host");
	if (!take_host(&rest, u))
		return err_set(err, ERR_SYNTAX, "\"%.*s\" is not a host",
		    STR_FMT(u->authority));
	if (!take_port(rest, u))
		return err_set(err, ERR_SYNTAX, "\"%.*s\" has a bad port",
		    STR_FMT(u->authority));
	return 0;
}

bool
uri_is_authority(struct str s)
{
	struct uri u = { .authority = s };

	return split_authority(&u, NULL) == 0;
}

static const struct {
	const char *name;
	enum uri_scheme scheme;
	uint16_t port;
} schemes[] = {
	{ "ws", URI_WS, 80 },
	{ "wss", URI_WSS, 443 },
	{ "http", URI_HTTP, 80 },
	{ "https", URI_HTTPS, 443 },
};

static bool
take_scheme(struct str *s, struct uri *u)
{
	size_t end = str_find(*s, ':');

	u->scheme_text = str_head(*s, end);
	if (end == s->n || end == 0 || !is_alpha(s->p[0]))
		return false;
	for (size_t i = 0; i < end; i++)
		if (!is_alpha(s->p[i]) && !is_digit(s->p[i]) &&
		    (s->p[i] == '\0' || !strchr("+-.", s->p[i])))
			return false;
	u->scheme = URI_OTHER;
	u->port = 0;
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_iis(u->scheme_text, schemes[i].name)) {
			u->scheme = schemes[i].scheme;
			u->port = schemes[i].port;
		}
	*s = str_from(*s, end + 1);
	return true;
}

/* path[?query] */
static int
split_target(struct str s, struct str *path_out, struct str *query_out,
    struct err *err)
{
	size_t mark = str_find(s, '?');

	if (str_find(s, '#') < s.n)
		return err_set(err, ERR_VALUE,
		    "a fragment is not allowed in a URI");
	*path_out = str_head(s, mark);
	*query_out = mark < s.n ? str_from(s, mark + 1) : STR_NULL;
	if (!is_path(*path_out))
		return err_set(err, ERR_SYNTAX,
		    "character in the path that a URI may not hold");
	if (!is_query(*query_out))
		return err_set(err, ERR_SYNTAX,
		    "character in the query that a URI may not hold");
	return 0;
}

int
uri_split(struct str s, struct uri *u, struct err *err)
{
	size_t end = 0;

	*u = (struct uri){ 0 };
	if (!take_scheme(&s, u))
		return err_set(err, ERR_SYNTAX, "URI without a scheme");
	if (!str_starts(s, "//"))
		return err_set(err, ERR_SYNTAX,
		    "URI without // behind its scheme");
	s = str_from(s, 2);
	while (end < s.n && !(s.p[end] == '/' || s.p[end] == '?' ||
	    s.p[end] == '#'))
		end++;
	u->authority = str_head(s, end);
	if (split_authority(u, err) < 0)
		return -1;
	u->target = str_from(s, end);
	return split_target(u->target, &u->path, &u->query, err);
}

int
uri_split_target(struct str s, struct str *path_out, struct str *query_out,
    struct err *err)
{
	struct uri u;

	if (s.n && s.p[0] == '/')
		return split_target(s, path_out, query_out, err);
	if (str_search(s, STR("://")) == s.n)
		return err_set(err, ERR_SYNTAX,
		    "request target does not begin with /");
	if (uri_split(s, &u, err) < 0)
		return -1;
	if (u.scheme == URI_OTHER)
		return err_set(err, ERR_UNSUPPORTED,
		    "scheme of the request target is not ws or http");
	*path_out = u.path.n ? u.path : STR("/");
	*query_out = u.query;
	return 0;
}

bool
uri_decode(struct buf *b, struct str s)
{
	size_t before = buf_len(b);

	for (size_t i = 0; i < s.n; i++) {
		int high, low;

		if (s.p[i] != '%') {
			buf_putc(b, s.p[i]);
			continue;
		}
		high = i + 1 < s.n ? hex_value(s.p[i + 1]) : -1;
		low = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;
		if (high < 0 || low < 0 || high + low == 0) {
			buf_truncate(b, before);
			return false;
		}
		buf_putc(b, (char)(high << 4 | low));
		i += 2;
	}
	return true;
}
