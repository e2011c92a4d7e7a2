/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/regex_java.h"

#include "base/buf.h"

/* Where the walk through a pattern stands. */
struct walk {
	struct str pattern;
	size_t at;
	bool in_class;		/* between [ and ] */
	struct buf out;
};

static struct str
rest_of(const struct walk *w)
{
	return str_from(w->pattern, w->at);
}

/* Copies n bytes as they are. */
static void
copy(struct walk *w, size_t n)
{
	struct str s = str_head(rest_of(w), n);

	buf_add_str(&w->out, s);
	w->at += s.n;
}

/* Four hex digits behind \u at offset from; false when they are not there. */
static bool
read_hex4(const struct walk *w, size_t from, uint32_t *out)
{
	struct str s = str_from(w->pattern, from);

	if (!str_starts(s, "\\u") || s.n < 6)
		return false;
	*out = 0;
	for (size_t i = 2; i < 6; i++) {
		char c = ascii_lower(s.p[i]);

		if (c >= '0' && c <= '9')
			*out = *out * 16 + (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*out = *out * 16 + (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}

static bool
take_unicode(struct walk *w)
{
	uint32_t code, low;
	size_t n = 6;

	if (!read_hex4(w, w->at, &code))
		return false;
	if (code >= 0xD800 && code <= 0xDBFF &&
	    read_hex4(w, w->at + 6, &low) && low >= 0xDC00 && low <= 0xDFFF) {
		code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
		n = 12;
	}
	buf_printf(&w->out, "\\x{%x}", (unsigned)code);
	w->at += n;
	return true;
}

/* \p{Name} and \P{Name}, where the name is not Unicode's own. */
static bool
take_property(struct walk *w)
{
	static const struct {
		const char *java, *posix;
	} classes[] = {
		{ "Lower", "lower" }, { "Upper", "upper" },
		{ "ASCII", "ascii" }, { "Alpha", "alpha" },
		{ "Digit", "digit" }, { "Alnum", "alnum" },
		{ "Punct", "punct" }, { "Graph", "graph" },
		{ "Print", "print" }, { "Blank", "blank" },
		{ "Cntrl", "cntrl" }, { "XDigit", "xdigit" },
		{ "Space", "space" },
	};
	struct str s = rest_of(w), name;
	bool negative = s.n > 1 && s.p[1] == 'P';

	if (!str_starts(s, "\\p{") && !str_starts(s, "\\P{"))
		return false;
	name = str_from(s, 3);
	name = str_head(name, str_find(name, '}'));
	if (name.n + 4 > s.n)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (str_is(name, classes[i].java)) {
			buf_printf(&w->out, w->in_class ? "[:%s%s:]" :
			    "[[:%s%s:]]", negative ? "^" : "",
			    classes[i].posix);
			w->at += name.n + 4;
			return true;
		}
	if (!str_starts(name, "Is") || name.n < 3)
		return false;
	name = str_from(name, 2);
	if (str_is(name, "Alphabetic"))
		name = STR("L");
	buf_printf(&w->out, "\\%c{%.*s}", negative ? 'P' : 'p',
	    STR_FMT(name));
	w->at += str_find(s, '}') + 1;
	return true;
}

static void
take_escape(struct walk *w)
{
	struct str s = rest_of(w);

	if (str_starts(s, "\\Q")) {
		copy(w, str_search(s, STR("\\E")));
		copy(w, 2);
	} else if (!take_unicode(w) && !take_property(w)) {
		copy(w, 2);
	}
}

/* A bracket, an intersection, or anything else of one byte. */
static int
take_byte(struct walk *w, struct err *err)
{
	char c = w->pattern.p[w->at];

	if (w->in_class && (c == '[' || str_starts(rest_of(w), "&&"))) {
		err_set(err, ERR_UNSUPPORTED, "regular expression: %s at "
		    "offset %zu is not supported", c == '[' ?
		    "a class within a class" : "an intersection (&&)", w->at);
		if (err)
			err->at.column = (int)w->at + 1;
		return -1;
	}
	if (c == '[') {
		w->in_class = true;
		copy(w, 1);
		if (str_starts(rest_of(w), "^"))
			copy(w, 1);
		return 0;
	}
	if (c == ']')
		w->in_class = false;
	copy(w, 1);
	return 0;
}

int
regex_from_java(struct arena *a, struct str pattern, struct str *out,
    struct err *err)
{
	struct walk w = { .pattern = pattern };
	int rc = 0;

	*out = pattern;
	if (str_find(pattern, '[') == pattern.n &&
	    str_find(pattern, '\\') == pattern.n)
		return 0;
	while (rc == 0 && w.at < pattern.n) {
		if (pattern.p[w.at] == '\\')
			take_escape(&w);
		else
			rc = take_byte(&w, err);
	}
	if (rc == 0)
		*out = arena_str(a, buf_str(&w.out));
	buf_fini(&w.out);
	return rc;
}
