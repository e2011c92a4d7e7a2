/* SPDX-License-Identifier: Apache-2.0 */
/* Functions on texts. Places and lengths count as Java counts: a character
 * beyond U+FFFF is two. */
#include "msg/expr_synapse.h"

#include <locale.h>
#include <string.h>
#include <wctype.h>
#include "base/buf.h"
#include "base/must.h"
#include "base/utf8.h"
#include "msg/json.h"
#include "msg/regex.h"

static int
bad_argument(struct sx_run *r, const char *function)
{
	return sx_error(r, "Invalid argument provided for %s function",
	    function);
}

static size_t
units_of(char lead)
{
	unsigned char c = (unsigned char)lead;

	return (c & 0xC0) == 0x80 ? 0 : c >= 0xF0 ? 2 : 1;
}

static int64_t
length_of(struct str s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += (int64_t)units_of(s.p[i]);
	return n;
}

/* The byte where unit index begins; one in the middle of a character gives
 * that character's start. */
static size_t
byte_of(struct str s, int64_t index)
{
	size_t i = 0;

	while (i < s.n) {
		size_t units = units_of(s.p[i]);

		if (units > 0 && index < (int64_t)units)
			return i;
		index -= (int64_t)units;
		i++;
	}
	return i;
}

static size_t
char_len(struct str s)
{
	uint32_t code;
	size_t n = utf8_decode(s.p, s.n, &code);

	return n ? n : 1;
}

static locale_t
unicode(void)
{
	static locale_t locale;

	if (!locale)
		locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return locale;
}

static uint32_t
change_case(uint32_t c, enum sx_function id)
{
	locale_t l = unicode();

	if (c < 0x80 || !l) {
		if (id == SX_F_TO_UPPER)
			return c >= 'a' && c <= 'z' ? c - 32 : c;
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	}
	return (uint32_t)(id == SX_F_TO_UPPER ? towupper_l((wint_t)c, l) :
	    towlower_l((wint_t)c, l));
}

static struct str
cased(struct str s, enum sx_function id, struct arena *arena)
{
	struct str in = expr_clean_utf8(s, arena);
	char *p = arena_alloc(arena, in.n * 4 + 1), *o = p;
	uint32_t c;

	while (in.n > 0) {
		in = str_from(in, utf8_decode(in.p, in.n, &c));
		if (c == 0xDF && id == SX_F_TO_UPPER) {
			*o++ = 'S';
			*o++ = 'S';
			continue;
		}
		o += utf8_encode(change_case(c, id), o);
	}
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

static int
call_case(struct sx_run *r, enum sx_function id, const struct sx *a,
    struct sx *out)
{
	if (a->type != SX_STRING && (!a->node || a->type == SX_JSON))
		return bad_argument(r, id == SX_F_TO_UPPER ? "toUpper" :
		    "toLower");
	*out = sx_string(cased(sx_text(a, r->arena), id, r->arena));
	return 0;
}

static int
call_length(struct sx_run *r, const struct sx *a, struct sx *out)
{
	if (a->type == SX_STRING)
		*out = sx_int(length_of(a->s));
	else if (a->type == SX_JSON && json_type_of(a->node) == JSON_ARRAY)
		*out = sx_int((int64_t)json_count(a->node));
	else
		return bad_argument(r, "length");
	return 0;
}

/* Everything up to U+0020 counts as blank. */
static struct str
trimmed(struct str s)
{
	while (s.n > 0 && (unsigned char)s.p[0] <= ' ')
		s = str_from(s, 1);
	while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ')
		s.n--;
	return s;
}

static int
call_substring(struct sx_run *r, const struct sx *a, size_t count,
    struct sx *out)
{
	int64_t length, end;
	size_t from;

	if (a[0].type != SX_STRING || !sx_is_integer(&a[1]) ||
	    (count > 2 && !sx_is_integer(&a[2])))
		return bad_argument(r, "subString");
	length = length_of(a[0].s);
	end = count > 2 ? a[2].i : length;
	if (a[1].i < 0 || a[1].i > end || end > length)
		return sx_error(r, "Invalid subString indices: start=%lld, "
		    "end=%lld, string length=%lld", (long long)a[1].i,
		    (long long)end, (long long)length);
	from = byte_of(a[0].s, a[1].i);
	*out = sx_string(str_head(str_from(a[0].s, from),
	    byte_of(a[0].s, end) - from));
	return 0;
}

static int
call_char_at(struct sx_run *r, const struct sx *a, struct sx *out)
{
	struct str rest;

	if (a[0].type != SX_STRING || !sx_is_integer(&a[1]))
		return bad_argument(r, "charAt");
	if (a[1].i < 0 || a[1].i >= length_of(a[0].s))
		return sx_error(r, "Invalid index provided for charAt "
		    "function: %lld", (long long)a[1].i);
	rest = str_from(a[0].s, byte_of(a[0].s, a[1].i));
	*out = sx_string(str_head(rest, char_len(rest)));
	return 0;
}

static int
call_index_of(struct sx_run *r, const struct sx *a, size_t count,
    struct sx *out)
{
	size_t from = 0, at;
	struct str rest;

	if (a[0].type != SX_STRING || a[1].type != SX_STRING ||
	    (count > 2 && !sx_is_integer(&a[2])))
		return bad_argument(r, "indexOf");
	if (count > 2 && a[2].i > 0)
		from = byte_of(a[0].s, a[2].i);
	rest = str_from(a[0].s, from);
	at = str_search(rest, a[1].s);
	if (at >= rest.n && a[1].s.n > 0)
		*out = sx_int(-1);
	else
		*out = sx_int(length_of(str_head(a[0].s, from +
		    (a[1].s.n ? at : 0))));
	return 0;
}

static int
call_test(struct sx_run *r, enum sx_function id, const struct sx *a,
    struct sx *out)
{
	struct str s = a[0].s, part = a[1].s;
	bool yes = part.n <= s.n;

	if (a[0].type != SX_STRING || a[1].type != SX_STRING)
		return bad_argument(r, "startsWith, endsWith or contains");
	if (part.n > 0 && yes) {
		if (id == SX_F_STARTS_WITH)
			yes = memcmp(s.p, part.p, part.n) == 0;
		else if (id == SX_F_ENDS_WITH)
			yes = memcmp(s.p + s.n - part.n, part.p, part.n) == 0;
		else
			yes = str_search(s, part) < s.n;
	}
	*out = sx_bool(yes);
	return 0;
}

/* Between all characters too when nothing is looked for. */
static bool
replace_all(struct str s, struct str from, struct str to, struct buf *b)
{
	while (buf_len(b) <= SX_TEXT_MAX) {
		size_t at = from.n ? str_search(s, from) : 0;

		buf_add_str(b, str_head(s, at));
		if (from.n && at >= s.n)
			return true;
		buf_add_str(b, to);
		s = str_from(s, at + from.n);
		if (from.n > 0)
			continue;
		if (s.n == 0)
			return true;
		at = char_len(s);
		buf_add_str(b, str_head(s, at));
		s = str_from(s, at);
	}
	return false;
}

static int
call_replace(struct sx_run *r, const struct sx *a, struct sx *out)
{
	struct buf b = { 0 };
	bool done;

	if (a[0].type != SX_STRING || a[1].type != SX_STRING ||
	    a[2].type != SX_STRING)
		return bad_argument(r, "replace");
	done = replace_all(a[0].s, a[1].s, a[2].s, &b);
	if (done)
		*out = sx_string(arena_str(r->arena, buf_str(&b)));
	buf_fini(&b);
	return done ? 0 : sx_error(r, "the result of replace is too long");
}

static void
drop_empty_tail(struct cJSON *list, struct arena *arena)
{
	struct cJSON *last = NULL, *from = NULL, *next;

	for (last = json_first(list); last; last = json_next(last))
		if (json_string(last, arena).n > 0)
			from = NULL;
		else if (!from)
			from = last;
	for (; from; from = next) {
		next = json_next(from);
		json_detach(list, from);
	}
}

/* String.split(): an empty match in front does not count, empty parts at the
 * end are dropped. */
static int
split_all(struct sx_run *r, struct str s, const struct regex *pattern,
    struct cJSON *list)
{
	size_t from = 0, at = 0, start, end;
	int rc = 0;

	while (at <= s.n && (rc = regex_search(pattern, s, at, &start, &end,
	    r->err)) == 1) {
		if (end > 0) {
			json_append(list, json_new_string(r->arena,
			    str_head(str_from(s, from), start - from)));
			from = end;
		}
		at = end > start ? end : end + char_len(str_from(s, end));
	}
	if (rc == -1)
		return -1;
	json_append(list, json_new_string(r->arena, str_from(s, from)));
	if (from > 0)
		drop_empty_tail(list, r->arena);
	return 0;
}

static int
call_split(struct sx_run *r, const struct sx *a, struct sx *out)
{
	const struct regex *pattern;
	struct cJSON *list = json_new_array(r->arena);

	if (a[0].type != SX_STRING || a[1].type != SX_STRING)
		return bad_argument(r, "split");
	pattern = regex_compile_search(r->arena, a[1].s, r->err);
	if (!pattern || split_all(r, a[0].s, pattern, list) == -1)
		return -1;
	*out = (struct sx){ .type = SX_JSON, .node = list };
	return 0;
}

/* The bytes of a text in the charset of the second argument. */
static int
coded(struct sx_run *r, const char *function, const struct sx *a,
    size_t count, struct str *out)
{
	enum expr_charset charset = CHARSET_UTF8;

	if (a[0].type != SX_STRING || (count > 1 && a[1].type != SX_STRING))
		return bad_argument(r, function);
	if (count > 1 && !expr_charset_parse(a[1].s, &charset))
		return sx_error(r, "Invalid charset provided for %s function. "
		    "Charset: %.*s", function, STR_FMT(a[1].s));
	*out = expr_to_charset(a[0].s, charset, r->arena);
	return 0;
}

static int
call_url_encode(struct sx_run *r, const struct sx *a, size_t count,
    struct sx *out)
{
	struct str s;
	bool plain = count > 1 && !str_is(a[1].s, "UTF-8");
	char *p;

	if (coded(r, "urlEncode", a, count, &s) == -1)
		return -1;
	s = expr_percent_encode(s, plain ? ".-*_ " : ".-_", r->arena);
	if (plain) {
		p = UNCONST(s.p);
		for (size_t i = 0; i < s.n; i++)
			if (p[i] == ' ')
				p[i] = '+';
	}
	*out = sx_string(s);
	return 0;
}

static int
call_coding(struct sx_run *r, enum sx_function id, const struct sx *a,
    size_t count, struct sx *out)
{
	struct str s;

	if (id == SX_F_URL_ENCODE)
		return call_url_encode(r, a, count, out);
	if (coded(r, "the", a, count, &s) == -1)
		return -1;
	if (id == SX_F_BASE64_ENCODE)
		s = expr_base64_encode(s, r->arena);
	else if (id == SX_F_URL_DECODE)
		s = expr_percent_decode(s, r->arena);
	else
		s = expr_base64_decode(s, BASE64_STRICT, r->arena);
	if (!s.p)
		return sx_error(r, id == SX_F_URL_DECODE ?
		    "the text is not URL-encoded" : "the text is no base64");
	*out = sx_string(expr_clean_utf8(s, r->arena));
	return 0;
}

int
sx_call_text(struct sx_run *r, enum sx_function id, const struct sx *a,
    size_t count, struct sx *out)
{
	if (id == SX_F_LENGTH)
		return call_length(r, a, out);
	if (id == SX_F_TO_UPPER || id == SX_F_TO_LOWER)
		return call_case(r, id, a, out);
	if (id == SX_F_SUBSTRING)
		return call_substring(r, a, count, out);
	if (id == SX_F_CHAR_AT)
		return call_char_at(r, a, out);
	if (id == SX_F_INDEX_OF)
		return call_index_of(r, a, count, out);
	if (id == SX_F_REPLACE)
		return call_replace(r, a, out);
	if (id == SX_F_SPLIT)
		return call_split(r, a, out);
	if (id == SX_F_STARTS_WITH || id == SX_F_ENDS_WITH ||
	    id == SX_F_CONTAINS)
		return call_test(r, id, a, out);
	if (id != SX_F_TRIM)
		return call_coding(r, id, a, count, out);
	if (a->type != SX_STRING)
		return bad_argument(r, "trim");
	*out = sx_string(trimmed(a->s));
	return 0;
}
