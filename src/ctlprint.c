/* SPDX-License-Identifier: Apache-2.0 */
#include "ctlprint.h"

#include <stdbool.h>

#include "base/buf.h"
#include "base/utf8.h"

/* The gateway writes no blanks between tokens and nests four deep at most;
 * deeper values are printed as they came. */
struct cursor {
	struct str s;
	size_t at;
	FILE *to;
};

static char
peek(const struct cursor *c)
{
	return c->at < c->s.n ? c->s.p[c->at] : '\0';
}

static bool
accept(struct cursor *c, char ch)
{
	if (peek(c) != ch)
		return false;
	c->at++;
	return true;
}

static uint32_t
hex4(struct str s)
{
	uint32_t v = 0;

	for (size_t i = 0; i < s.n; i++) {
		char ch = ascii_lower(s.p[i]);

		v = v * 16 + (uint32_t)(ch >= 'a' ? ch - 'a' + 10 : ch - '0');
	}
	return v;
}

static void
add_escape(struct cursor *c, struct buf *to)
{
	char utf8[4], ch = peek(c);

	c->at++;
	if (ch == 'n') {
		buf_putc(to, '\n');
	} else if (ch == 't') {
		buf_putc(to, '\t');
	} else if (ch == 'u') {
		uint32_t code = hex4(str_head(str_from(c->s, c->at), 4));

		c->at += 4;
		if (code >= 0x20 && code != 0x7F)
			buf_add(to, utf8, utf8_encode(code & 0xFFFF, utf8));
	} else {
		buf_putc(to, ch);
	}
}

static void
take_string(struct cursor *c, struct buf *to)
{
	if (!accept(c, '"'))
		return;
	while (c->at < c->s.n && peek(c) != '"') {
		if (accept(c, '\\')) {
			add_escape(c, to);
		} else {
			buf_putc(to, peek(c));
			c->at++;
		}
	}
	accept(c, '"');
}

/* A value of any kind as it stands, strings without their quotes. */
static void
take_plain(struct cursor *c, struct buf *to)
{
	size_t from = c->at;
	int depth = 0;

	if (peek(c) == '"') {
		take_string(c, to);
		return;
	}
	while (c->at < c->s.n) {
		char ch = peek(c);

		if (ch == '"') {
			struct buf skipped = { 0 };

			take_string(c, &skipped);
			buf_fini(&skipped);
			continue;
		}
		if (depth == 0 && (ch == ',' || ch == '}' || ch == ']'))
			break;
		depth += ch == '{' || ch == '[';
		depth -= ch == '}' || ch == ']';
		c->at++;
	}
	buf_add_str(to, str_head(str_from(c->s, from), c->at - from));
}

/* An object within a row holds counters: those at zero say nothing. */
enum pairs { PAIRS_ALL, PAIRS_NOT_ZERO };

static void
print_pairs(struct cursor *c, const char *sep, enum pairs which)
{
	struct buf b = { 0 }, value = { 0 };

	if (!accept(c, '{'))
		return;
	while (c->at < c->s.n && !accept(c, '}')) {
		buf_clear(&b);
		take_string(c, &b);
		accept(c, ':');
		if (peek(c) == '{') {
			print_pairs(c, sep, PAIRS_NOT_ZERO);
		} else {
			buf_clear(&value);
			take_plain(c, &value);
			if (which == PAIRS_ALL || !str_is(buf_str(&value), "0"))
				fprintf(c->to, "%s%s=%s", sep, buf_cstr(&b),
				    buf_cstr(&value));
		}
		sep = " ";
		accept(c, ',');
	}
	buf_fini(&b);
	buf_fini(&value);
}

static void
print_rows(struct cursor *c)
{
	struct buf b = { 0 };

	accept(c, '[');
	fputc('\n', c->to);
	while (c->at < c->s.n && !accept(c, ']')) {
		if (peek(c) == '{') {
			print_pairs(c, "  ", PAIRS_ALL);
		} else {
			take_plain(c, &b);
			fprintf(c->to, "  %s", buf_cstr(&b));
			buf_clear(&b);
		}
		fputc('\n', c->to);
		accept(c, ',');
	}
	buf_fini(&b);
}

/* A text of several lines starts below its key. */
static void
print_text(struct str s, const char *indent, FILE *to)
{
	struct str line;

	if (str_find(s, '\n') == s.n) {
		fprintf(to, " %.*s\n", STR_FMT(s));
		return;
	}
	fputc('\n', to);
	while (s.n && str_next(&s, '\n', &line))
		fprintf(to, "%s  %.*s\n", indent, STR_FMT(line));
}

static void
print_members(struct cursor *c, const char *indent)
{
	struct buf b = { 0 };

	if (!accept(c, '{'))
		return;
	while (c->at < c->s.n && !accept(c, '}')) {
		buf_clear(&b);
		take_string(c, &b);
		fprintf(c->to, "%s%s:", indent, buf_cstr(&b));
		accept(c, ':');
		buf_clear(&b);
		if (peek(c) == '{' && !indent[0]) {
			fputc('\n', c->to);
			print_members(c, "  ");
		} else if (peek(c) == '[') {
			print_rows(c);
		} else {
			take_plain(c, &b);
			print_text(buf_str(&b), indent, c->to);
		}
		accept(c, ',');
	}
	buf_fini(&b);
}

void
ctlprint_outline(struct str json, FILE *to)
{
	struct cursor c = { .s = str_trim(json), .to = to };

	print_members(&c, "");
}

void
ctlprint_lines(struct str lines, FILE *to)
{
	struct str line;

	while (lines.n && str_next(&lines, '\n', &line)) {
		struct cursor c = { .s = line, .to = to };

		if (!line.n)
			continue;
		print_pairs(&c, "", PAIRS_ALL);
		fputc('\n', to);
	}
}

void
ctlprint_array(struct str lines, FILE *to)
{
	const char *sep = "";
	struct str line;

	fputc('[', to);
	while (lines.n && str_next(&lines, '\n', &line)) {
		if (!line.n)
			continue;
		fprintf(to, "%s\n%.*s", sep, STR_FMT(line));
		sep = ",";
	}
	fputs("\n]\n", to);
}
