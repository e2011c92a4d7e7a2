/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/uri_fragments.h"

#include "base/utf8.h"

/* What may stand in a piece as it is, beside letters and digits. */
#define MARKS "_-!.~'()*"
static const char in_user[] = MARKS ";:&=+$,";
static const char in_host[] = "-._~";
static const char in_path[] = MARKS ":@&=+$,;/";
static const char in_query[] = MARKS ";/?:@&=+$,[]";

bool
uri_fragment_parse(struct str name, enum uri_fragment *out)
{
	static const char *const names[] = {
		[FRAGMENT_PROTOCOL] = "protocol", [FRAGMENT_USER] = "user",
		[FRAGMENT_HOST] = "host", [FRAGMENT_PATH] = "path",
		[FRAGMENT_QUERY] = "query", [FRAGMENT_REF] = "ref",
		[FRAGMENT_PORT] = "port", [FRAGMENT_FULL] = "full",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_is(name, names[i])) {
			*out = (enum uri_fragment)i;
			return true;
		}
	}
	return false;
}

/* ---- characters -------------------------------------------------------- */

static bool
is_letter(char c)
{
	return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
stands(char c, const char *allowed)
{
	return is_letter(c) || is_digit(c) || (c && strchr(allowed, c));
}

static bool
is_escape(struct str s, size_t at)
{
	return s.n - at > 2 && s.p[at] == '%' && hex_digit(s.p[at + 1]) >= 0 &&
	    hex_digit(s.p[at + 2]) >= 0;
}

static int
check(struct str s, const char *allowed, const char *what, struct err *err)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x80 && !stands(s.p[i], allowed) &&
		    !is_escape(s, i))
			return err_set(err, ERR_SYNTAX,
			    "Illegal character in %s", what);
	return 0;
}

static struct str
add_utf8(char *out, struct str bytes)
{
	size_t n = 0;
	uint32_t code = 0;

	for (size_t i = 0, len; i < bytes.n; i += len ? len : 1) {
		len = utf8_decode(bytes.p + i, bytes.n - i, &code);
		n += utf8_encode(len ? code : 0xfffd, out + n);
	}
	return (struct str){ out, n };
}

struct str
uri_fragment_decode(struct str s, struct arena *a)
{
	char *p;
	size_t n = 0;

	if (str_find(s, '%') == s.n)
		return s;
	p = arena_alloc(a, s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (is_escape(s, i)) {
			p[n++] = (char)(hex_digit(s.p[i + 1]) << 4 |
			    hex_digit(s.p[i + 2]));
			i += 2;
		} else {
			p[n++] = s.p[i];
		}
	}
	if (utf8_valid(p, n))
		return (struct str){ p, n };
	return add_utf8(arena_alloc(a, 3 * n), (struct str){ p, n });
}

static void
add_quoted(struct buf *b, struct str s, const char *allowed)
{
	for (size_t i = 0; i < s.n; i++) {
		if (stands(s.p[i], allowed))
			buf_putc(b, s.p[i]);
		else
			buf_printf(b, "%%%02X", (unsigned char)s.p[i]);
	}
}

/* ---- taking apart ------------------------------------------------------ */

/* Length up to the first of those characters. */
static size_t
until(struct str s, const char *set)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] && strchr(set, s.p[i]))
			break;
	return i;
}

static int
parse_host(struct str s, struct uri_fragments *out, struct str *rest,
    struct err *err)
{
	bool literal = s.n && s.p[0] == '[';
	size_t n = str_find(s, literal ? ']' : ':') + (literal ? 1 : 0);
	struct str host = str_head(s, n);

	if (!host.n || n > s.n)
		return err_set(err, ERR_SYNTAX, "Expected hostname");
	out->text[FRAGMENT_HOST] = host;
	*rest = str_from(s, n);
	if (literal)
		return check(host, "[]:.%", "host", err);
	if (str_find(host, '%') < host.n || !str_eq(host,
	    str_head(host, utf8_ascii_run(host.p, host.n))))
		return err_set(err, ERR_SYNTAX, "Illegal character in host");
	return check(host, in_host, "host", err);
}

static int
parse_port(struct str s, struct uri_fragments *out, struct err *err)
{
	int64_t port;

	if (!s.n || str_is(s, ":"))
		return 0;
	if (s.p[0] != ':' || s.n < 2 || !is_digit(s.p[1]) ||
	    !str_to_i64(str_from(s, 1), &port) || port > INT32_MAX)
		return err_set(err, ERR_SYNTAX, "Malformed port number");
	out->port = (int32_t)port;
	return 0;
}

static int
parse_authority(struct str s, struct uri_fragments *out, struct err *err)
{
	size_t at = str_find(s, '@');
	struct str rest;

	if (at < s.n) {
		out->text[FRAGMENT_USER] = str_head(s, at);
		if (check(str_head(s, at), in_user, "user info", err) < 0)
			return -1;
		s = str_from(s, at + 1);
	}
	if (parse_host(s, out, &rest, err) < 0)
		return -1;
	return parse_port(rest, out, err);
}

static int
parse_scheme(struct str *s, struct uri_fragments *out, struct err *err)
{
	size_t n = until(*s, ":/?#");
	struct str scheme = str_head(*s, n);

	if (n == s->n || s->p[n] != ':')
		return 0;
	if (!n || !is_letter(scheme.p[0]))
		return err_set(err, ERR_SYNTAX, "Expected scheme name");
	for (size_t i = 0; i < n; i++)
		if (!stands(scheme.p[i], "+-."))
			return err_set(err, ERR_SYNTAX,
			    "Illegal character in scheme name");
	out->text[FRAGMENT_PROTOCOL] = scheme;
	*s = str_from(*s, n + 1);
	if (!s->n || s->p[0] == '#')
		return err_set(err, ERR_SYNTAX,
		    "Expected scheme-specific part");
	return 0;
}

static int
parse_path(struct str s, bool opaque, struct uri_fragments *out,
    struct err *err)
{
	size_t n = until(s, opaque ? "#" : "?#");
	struct str path = str_head(s, n);

	s = str_from(s, n);
	if (!opaque && path.n)
		out->text[FRAGMENT_PATH] = path;
	if (check(path, opaque ? in_query : in_path, "path", err) < 0)
		return -1;
	if (s.n && s.p[0] == '?') {
		n = until(s, "#");
		out->text[FRAGMENT_QUERY] = str_from(str_head(s, n), 1);
		s = str_from(s, n);
	}
	if (s.n)
		out->text[FRAGMENT_REF] = str_from(s, 1);
	if (check(out->text[FRAGMENT_QUERY], in_query, "query", err) < 0)
		return -1;
	return check(out->text[FRAGMENT_REF], in_query, "fragment", err);
}

/* Pieces as they are written. */
static int
parse(struct str s, struct uri_fragments *out, struct err *err)
{
	size_t n;

	*out = (struct uri_fragments){ .port = -1 };
	if (parse_scheme(&s, out, err) < 0)
		return -1;
	if (out->text[FRAGMENT_PROTOCOL].p && s.p[0] != '/')
		return parse_path(s, true, out, err);
	if (!str_starts(s, "//"))
		return parse_path(s, false, out, err);
	s = str_from(s, 2);
	n = until(s, "/?#");
	if (!s.n)
		return err_set(err, ERR_SYNTAX, "Expected authority");
	if (n && parse_authority(str_head(s, n), out, err) < 0)
		return -1;
	return parse_path(str_from(s, n), false, out, err);
}

int
uri_fragments_split(struct str uri, struct arena *a,
    struct uri_fragments *out, struct err *err)
{
	if (parse(uri, out, err) < 0)
		return -1;
	for (size_t i = 0; i < FRAGMENT_TEXTS; i++)
		if (i != FRAGMENT_HOST)
			out->text[i] = uri_fragment_decode(out->text[i], a);
	return 0;
}

/* ---- putting together -------------------------------------------------- */

static void
add_authority(struct buf *b, const struct uri_fragments *f)
{
	struct str host = f->text[FRAGMENT_HOST];
	bool bare = host.n && str_find(host, ':') < host.n && host.p[0] != '[';

	buf_addz(b, "//");
	if (f->text[FRAGMENT_USER].p) {
		add_quoted(b, f->text[FRAGMENT_USER], in_user);
		buf_putc(b, '@');
	}
	buf_addz(b, bare ? "[" : "");
	buf_add_str(b, host);
	buf_addz(b, bare ? "]" : "");
	if (f->port != -1)
		buf_printf(b, ":%d", (int)f->port);
}

static void
compose(struct buf *b, const struct uri_fragments *f)
{
	const struct str *text = f->text;

	if (text[FRAGMENT_PROTOCOL].p) {
		buf_add_str(b, text[FRAGMENT_PROTOCOL]);
		buf_putc(b, ':');
	}
	if (text[FRAGMENT_HOST].p)
		add_authority(b, f);
	add_quoted(b, text[FRAGMENT_PATH], in_path);
	if (text[FRAGMENT_QUERY].p) {
		buf_putc(b, '?');
		add_quoted(b, text[FRAGMENT_QUERY], in_query);
	}
	if (text[FRAGMENT_REF].p) {
		buf_putc(b, '#');
		add_quoted(b, text[FRAGMENT_REF], in_query);
	}
}

int
uri_fragments_join(const struct uri_fragments *f, struct arena *a,
    struct str *out, struct err *err)
{
	struct str path = f->text[FRAGMENT_PATH];
	struct uri_fragments pieces;
	struct buf b = { 0 };
	int rc = 0;

	compose(&b, f);
	*out = arena_str(a, buf_str(&b));
	buf_fini(&b);
	if (f->text[FRAGMENT_PROTOCOL].p && path.n && path.p[0] != '/')
		rc = err_set(err, ERR_SYNTAX, "Relative path in absolute URI");
	if (rc < 0 || parse(*out, &pieces, err) < 0)
		return -1;
	return 0;
}
