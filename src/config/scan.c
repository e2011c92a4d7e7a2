/* SPDX-License-Identifier: Apache-2.0 */
#include "config/scan.h"

#include <inttypes.h>
#include <stdbool.h>

struct scan {
	struct str in;
	size_t at;
	int line;
	struct buf *to;
};

static struct str
ahead(const struct scan *s)
{
	return str_from(s->in, s->at);
}

static void
pass(struct scan *s, size_t n)
{
	struct str part = str_head(ahead(s), n);

	for (size_t i = 0; i < part.n; i++)
		s->line += part.p[i] == '\n';
	buf_add_str(s->to, part);
	s->at += part.n;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '*';
}

/* With its quotes; 0 when the last one is missing. */
static size_t
string_len(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

static int
pass_string(struct scan *s, struct err *err)
{
	size_t n = string_len(ahead(s));

	if (n == 0)
		return err_at(err, (struct src_pos){ NULL, s->line, 0 },
		    "the string that begins here has no end");
	pass(s, n);
	return 0;
}

static size_t
word_len(struct str s)
{
	size_t n = 0;

	while (n < s.n && (is_word(s.p[n]) || s.p[n] == '.'))
		n++;
	return n;
}

static int
pass_word(struct scan *s, struct err *err)
{
	struct str word = str_head(ahead(s), word_len(ahead(s)));
	bool whole = true;
	int64_t n;

	for (size_t i = 0; i < word.n; i++)
		whole &= is_digit(word.p[i]) || (i == 0 && word.p[i] == '-');
	pass(s, word.n);
	if (!whole)
		return 0;
	if (!str_to_i64(word, &n))
		return err_at(err, (struct src_pos){ NULL, s->line, 0 },
		    "%.*s is too large a number", STR_FMT(str_head(word, 60)));
	if (n > INT32_MAX || n < INT32_MIN)
		buf_putc(s->to, 'L');
	return 0;
}

int
scan_text(struct str text, struct buf *to, struct err *err)
{
	struct scan s = { .in = text, .line = 1, .to = to };

	while (s.at < text.n) {
		struct str rest = ahead(&s);
		char c = rest.p[0];

		if (c == '\0')
			return err_at(err, (struct src_pos){ NULL, s.line, 0 },
			    "there is a NUL byte in the file");
		if (c == '@')
			return err_at(err, (struct src_pos){ NULL, s.line, 0 },
			    "@include is not supported: put the file into "
			    "include_dir");
		if (c == '#' || str_starts(rest, "//"))
			pass(&s, str_find(rest, '\n'));
		else if (str_starts(rest, "/*"))
			pass(&s, 4 + str_search(str_from(rest, 2), STR("*/")));
		else if (c == '"' && pass_string(&s, err) < 0)
			return -1;
		else if (c != '"' && !is_word(c))
			pass(&s, 1);
		else if (c != '"' && pass_word(&s, err) < 0)
			return -1;
	}
	buf_putc(to, '\n');	/* ends a comment in the last line */
	return 0;
}
