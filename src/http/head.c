/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include "base/must.h"
#include "base/utf8.h"

static bool
is_token_char(char c)
{
	unsigned char u = (unsigned char)c;

	return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') ||
	    (u >= '0' && u <= '9') || (u && u < 0x80 &&
	    strchr("!#$%&'*+-.^_`|~", c));
}

bool
http_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_char(s.p[i]))
			return false;
	return s.n > 0;
}

struct str
http_get(const struct http_head *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (str_iis(h->header[i].name, name))
			return h->header[i].value;
	return STR_NULL;
}

size_t
http_count(const struct http_head *h, const char *name)
{
	size_t count = 0;

	for (size_t i = 0; i < h->count; i++)
		count += str_iis(h->header[i].name, name);
	return count;
}

bool
http_has_token(const struct http_head *h, const char *name, const char *token)
{
	for (size_t i = 0; i < h->count; i++) {
		struct str rest = h->header[i].value, part;

		if (!str_iis(h->header[i].name, name))
			continue;
		while (str_next(&rest, ',', &part))
			if (str_iis(str_trim(part), token))
				return true;
	}
	return false;
}

static bool
all_digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n > 0;
}

enum http_body
http_body(const struct http_head *h, uint64_t *length_out)
{
	size_t lengths = http_count(h, "Content-Length");
	struct str length = http_get(h, "Content-Length");
	uint64_t n;

	if (http_count(h, "Transfer-Encoding"))
		return lengths || h->minor == 0 ? HTTP_BODY_BAD :
		    HTTP_BODY_CODED;
	if (lengths == 0)
		return HTTP_BODY_NONE;
	if (lengths > 1 || !all_digits(length) || !str_to_u64(length, &n))
		return HTTP_BODY_BAD;
	if (n == 0)
		return HTTP_BODY_NONE;
	*length_out = n;
	return HTTP_BODY_LENGTH;
}

/* One parse in hand. */
struct parse {
	const char *p;
	size_t n;
	const struct http_limits *limits;
	size_t start;		/* of the first line */
	int status;		/* the answer to give when it is bad */
	struct err *err;
};

static enum http_result
bad(struct parse *s, int status, enum err_kind kind, const char *why)
{
	s->status = status;
	err_set(s->err, kind, "%s", why);
	return HTTP_BAD;
}

static enum http_result
bad_syntax(struct parse *s, const char *why)
{
	return bad(s, 400, ERR_SYNTAX, why);
}

/* The byte at i, which is not the first one, ended a line properly. */
static bool
line_ends_at(const struct parse *s, size_t i)
{
	return i > 0 && s->p[i] == '\n' && s->p[i - 1] == '\r';
}

static enum http_result
check_byte(struct parse *s, size_t i)
{
	unsigned char c = (unsigned char)s->p[i];

	if (i > 0 && s->p[i - 1] == '\r' && c != '\n')
		return bad_syntax(s, "carriage return without line feed");
	if (c == '\n' && !line_ends_at(s, i))
		return bad_syntax(s, "line feed without carriage return");
	if ((c < 0x20 && c != '\t' && c != '\r' && c != '\n') || c == 0x7f)
		return bad_syntax(s, "control character in the head");
	return HTTP_MORE;
}

static enum http_result
too_much(struct parse *s, bool in_first_line)
{
	if (in_first_line)
		return bad(s, 414, ERR_LIMIT, "first line is too long");
	return bad(s, 431, ERR_LIMIT, "head is too large");
}

/*
 * Goes over the new bytes once: refuses what no head may hold, and finds the
 * empty line. *scanned counts the bytes looked at; a line is empty when the
 * bytes before its CR LF are the end of another line.
 */
static enum http_result
find_end(struct parse *s, size_t *scanned, size_t *end_out)
{
	const char *lf;
	size_t first_end = s->n;

	if (*scanned < s->start)
		*scanned = s->start;
	lf = memchr(s->p + s->start, '\n', *scanned - s->start);
	if (lf)
		first_end = (size_t)(lf - s->p);
	for (size_t i = *scanned; i < s->n; i++) {
		if (check_byte(s, i) == HTTP_BAD)
			return HTTP_BAD;
		if (i - s->start >= s->limits->head_bytes)
			return too_much(s, first_end == s->n);
		if (first_end == s->n &&
		    i - s->start >= s->limits->line_bytes + 2)
			return too_much(s, true);
		*scanned = i + 1;
		if (s->p[i] != '\n')
			continue;
		if (i == s->start + 1)
			return bad_syntax(s, "empty first line");
		if (first_end == s->n)
			first_end = i;
		else if (line_ends_at(s, i - 2)) {
			*end_out = i + 1;
			return HTTP_DONE;
		}
	}
	return HTTP_MORE;
}

/* Takes the line up to CR LF off *rest; there is one. */
static struct str
take_line(struct str *rest)
{
	size_t at = str_find(*rest, '\n');
	struct str line = str_head(*rest, at - 1);

	*rest = str_from(*rest, at + 1);
	return line;
}

static struct str
trim_blanks(struct str s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = str_from(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

static enum http_result
parse_header(struct parse *s, struct str line, struct http_header *to)
{
	size_t colon = str_find(line, ':');

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return bad_syntax(s, "header line begins with a blank");
	if (colon == line.n)
		return bad_syntax(s, "header line without a colon");
	to->name = str_head(line, colon);
	if (!http_is_token(to->name))
		return bad_syntax(s, "header name is not a token");
	to->value = trim_blanks(str_from(line, colon + 1));
	return HTTP_DONE;
}

static enum http_result
parse_headers(struct parse *s, struct str rest, struct http_head *h)
{
	size_t max = s->limits->headers;

	must(max <= HTTP_MAX_HEADERS);
	h->count = 0;
	for (;;) {
		struct str line = take_line(&rest);

		if (line.n == 0)
			return HTTP_DONE;
		if (h->count == max)
			return bad(s, 431, ERR_LIMIT, "too many header lines");
		if (parse_header(s, line, &h->header[h->count]) == HTTP_BAD)
			return HTTP_BAD;
		h->count++;
	}
}

/* "HTTP/1.x"; 505 for another version, 400 for anything else. */
static enum http_result
parse_version(struct parse *s, struct str v, int *minor_out)
{
	struct str digits = str_from(v, 5);

	if (!str_starts(v, "HTTP/") || digits.n != 3 || digits.p[1] != '.' ||
	    !all_digits(str_head(digits, 1)) ||
	    !all_digits(str_from(digits, 2)))
		return bad_syntax(s, "no HTTP version");
	if (digits.p[0] != '1')
		return bad(s, 505, ERR_UNSUPPORTED,
		    "HTTP version is not 1.1");
	*minor_out = digits.p[2] - '0';
	return HTTP_DONE;
}

/* method SP target SP version, with exactly one blank each. */
static enum http_result
parse_request_line(struct parse *s, struct str line, struct http_head *h)
{
	struct str rest = line, version;

	if (!str_next(&rest, ' ', &h->method) ||
	    !str_next(&rest, ' ', &h->target) || !rest.p)
		return bad_syntax(s,
		    "request line is not \"method target version\"");
	version = rest;
	if (!http_is_token(h->method))
		return bad_syntax(s, "method is not a token");
	if (h->target.n == 0)
		return bad_syntax(s, "request target is empty");
	for (size_t i = 0; i < h->target.n; i++)
		if (h->target.p[i] == '\t' || (h->target.p[i] & 0x80))
			return bad_syntax(s,
			    "request target holds a raw character");
	return parse_version(s, version, &h->minor);
}

/* version SP status [SP reason] */
static enum http_result
parse_status_line(struct parse *s, struct str line, struct http_head *h)
{
	struct str rest = line, version, code;

	if (!str_next(&rest, ' ', &version))
		return bad_syntax(s, "empty status line");
	if (parse_version(s, version, &h->minor) == HTTP_BAD)
		return HTTP_BAD;
	if (!str_next(&rest, ' ', &code) || code.n != 3 || !all_digits(code) ||
	    code.p[0] == '0')
		return bad_syntax(s, "status line without a status");
	h->status = (code.p[0] - '0') * 100 + (code.p[1] - '0') * 10 +
	    (code.p[2] - '0');
	h->reason = rest.p ? rest : STR("");
	return HTTP_DONE;
}

static enum http_result
check_values(struct parse *s, const struct http_head *h)
{
	for (size_t i = 0; i < h->count; i++)
		if (!utf8_valid(h->header[i].value.p, h->header[i].value.n))
			return bad_syntax(s, "header value is not UTF-8");
	return HTTP_DONE;
}

enum http_result
http_parse_request(const char *p, size_t n, size_t *scanned,
    const struct http_limits *limits, struct http_head *h, size_t *used_out,
    int *status_out, struct err *err)
{
	struct parse s = { .p = p, .n = n, .limits = limits, .err = err };
	enum http_result r;
	struct str rest;
	size_t end;

	/* RFC 9112 2.2: a client may have sent one CR LF too many. */
	if (n >= 2 && p[0] == '\r' && p[1] == '\n')
		s.start = 2;
	r = find_end(&s, scanned, &end);
	if (r == HTTP_DONE) {
		rest = (struct str){ p + s.start, end - s.start };
		h->status = 0;
		h->reason = STR_NULL;
		r = parse_request_line(&s, take_line(&rest), h);
		if (r == HTTP_DONE)
			r = parse_headers(&s, rest, h);
		if (r == HTTP_DONE)
			r = check_values(&s, h);
		*used_out = end;
	}
	if (r == HTTP_BAD)
		*status_out = s.status;
	return r;
}

enum http_result
http_parse_response(const char *p, size_t n, size_t *scanned,
    const struct http_limits *limits, struct http_head *h, size_t *used_out,
    struct err *err)
{
	struct parse s = { .p = p, .n = n, .limits = limits, .err = err };
	enum http_result r;
	struct str rest;
	size_t end;

	r = find_end(&s, scanned, &end);
	if (r != HTTP_DONE)
		return r;
	rest = (struct str){ p, end };
	h->method = h->target = STR_NULL;
	r = parse_status_line(&s, take_line(&rest), h);
	if (r == HTTP_DONE)
		r = parse_headers(&s, rest, h);
	*used_out = end;
	return r;
}
