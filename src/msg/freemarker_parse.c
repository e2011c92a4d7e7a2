/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: text to tree, and the white space that directives leave. */
#include "msg/freemarker_priv.h"

/* Texts, directives and ${...} in the order in which they stand. */
struct mark {
	struct fm_node *text;		/* or NULL */
	bool shows;			/* ${...} */
};

struct scan {
	struct fm_parse s;
	struct mark *mark;
	size_t count, cap;
	unsigned depth;
	unsigned loops;			/* around here */
};

static void
add_mark(struct scan *t, struct fm_node *text, bool shows)
{
	if (t->count == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		struct mark *m = arena_alloc(t->s.arena, cap * sizeof(*m));

		if (t->count)
			memcpy(m, t->mark, t->count * sizeof(*m));
		t->mark = m;
		t->cap = cap;
	}
	t->mark[t->count++] = (struct mark){ text, shows };
}

static struct fm_node *
new_node(struct scan *t, enum fm_kind kind)
{
	struct fm_node *n = arena_zalloc(t->s.arena, sizeof(*n));

	n->kind = kind;
	return n;
}

static bool
at(const struct scan *t, const char *word)
{
	return str_starts((struct str){ t->s.p, (size_t)(t->s.end - t->s.p) },
	    word);
}

/* Where text ends and something else begins. */
static bool
at_markup(const struct scan *t)
{
	return at(t, "${") || at(t, "<#") || at(t, "</#") || at(t, "<@") ||
	    at(t, "</@");
}

/* ---- the end of a tag --------------------------------------------------- */

static int
end_tag(struct scan *t, const char *from)
{
	fm_skip_space(&t->s);
	if (at(t, "/>"))
		t->s.p++;
	if (!at(t, ">"))
		return fm_error(&t->s, t->s.p < t->s.end ? t->s.p : from,
		    t->s.p < t->s.end ? "\">\" is expected here to end the "
		    "directive" : "the directive is not closed with \">\"");
	t->s.p++;
	add_mark(t, NULL, false);
	return 0;
}

static const struct fm_expr *
tag_expr(struct scan *t)
{
	struct fm_expr *e;

	t->s.in_tag = true;
	e = fm_parse_expr(&t->s);
	t->s.in_tag = false;
	return e;
}

static bool
accept_end(struct scan *t, const char *tag)
{
	size_t n = strlen(tag);
	const char *from = t->s.p;

	if (!at(t, tag))
		return false;
	t->s.p += n;
	fm_skip_space(&t->s);
	if (!at(t, ">") && !at(t, "/>")) {
		t->s.p = from;
		return false;
	}
	t->s.p += at(t, "/>") ? 2 : 1;
	add_mark(t, NULL, false);
	return true;
}

static int
expect_end(struct scan *t, const char *tag, const char *from)
{
	if (accept_end(t, tag))
		return 0;
	if (t->s.p >= t->s.end)
		return fm_error(&t->s, from, "Unexpected end of file reached. "
		    "You have an unclosed directive: %s> is missing", tag);
	return fm_error(&t->s, t->s.p, "%s> is expected before this", tag);
}

/* ---- directives --------------------------------------------------------- */

static int parse_block(struct scan *, struct fm_node **out);

static int
parse_if(struct scan *t, const char *from, struct fm_node *n)
{
	for (;;) {
		if (!(n->expr = tag_expr(t)) || end_tag(t, from) < 0 ||
		    parse_block(t, &n->body) < 0)
			return -1;
		if (!at(t, "<#elseif") && !at(t, "<#elseIf"))
			break;
		t->s.p += 8;
		n = n->other = new_node(t, FM_IF);
	}
	if (accept_end(t, "<#else")) {
		n = n->other = new_node(t, FM_IF);
		if (parse_block(t, &n->body) < 0)
			return -1;
	}
	return expect_end(t, "</#if", from);
}

static int
read_name(struct scan *t, struct str *out)
{
	fm_skip_space(&t->s);
	*out = fm_read_name(&t->s);
	if (out->n == 0)
		return fm_error(&t->s, t->s.p, "a name is expected here");
	*out = arena_str(t->s.arena, *out);
	return 0;
}

static int
parse_list_head(struct scan *t, struct fm_node *n)
{
	struct str word;

	if (!(n->expr = tag_expr(t)))
		return -1;
	if (read_name(t, &word) < 0 || !str_is(word, "as")) {
		fm_error(&t->s, t->s.p, "\"as\" and a name are expected in "
		    "<#list> (<#items> is not supported)");
		return -1;
	}
	if (read_name(t, &n->text) < 0)
		return -1;
	fm_skip_space(&t->s);
	if (!at(t, ","))
		return 0;
	t->s.p++;
	return read_name(t, &n->second);
}

static int
parse_list(struct scan *t, const char *from, struct fm_node *n)
{
	if (parse_list_head(t, n) < 0 || end_tag(t, from) < 0)
		return -1;
	t->loops++;
	if (parse_block(t, &n->body) < 0)
		return -1;
	t->loops--;
	if (accept_end(t, "<#else") && parse_block(t, &n->other) < 0)
		return -1;
	return expect_end(t, "</#list", from);
}

/* #sep lasts to its end, or to the end of what is around it. */
static int
parse_sep(struct scan *t, const char *from, struct fm_node *n)
{
	if (!t->loops)
		return fm_error(&t->s, from, "#sep must be inside a #list");
	if (end_tag(t, from) < 0 || parse_block(t, &n->body) < 0)
		return -1;
	(void)accept_end(t, "</#sep");
	return 0;
}

static int
assign_operator(struct scan *t, struct fm_node *n)
{
	static const struct { const char *text; enum fm_op op; } all[] = {
		{ "+=", FM_OP_ADD }, { "-=", FM_OP_SUBTRACT },
		{ "*=", FM_OP_MULTIPLY }, { "/=", FM_OP_DIVIDE },
		{ "=", FM_OP_STRING },
	};

	fm_skip_space(&t->s);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (at(t, all[i].text)) {
			t->s.p += strlen(all[i].text);
			n->op = all[i].op;
			return 0;
		}
	return fm_error(&t->s, t->s.p, "\"=\" is expected here");
}

/* The name of one; a string literal may be one too. */
static int
assign_name(struct scan *t, struct str *out)
{
	const struct fm_expr *e;

	fm_skip_space(&t->s);
	if (!at(t, "\"") && !at(t, "'"))
		return read_name(t, out);
	if (!(e = tag_expr(t)))
		return -1;
	if (e->op != FM_OP_STRING)
		return fm_error(&t->s, t->s.p, "a name is expected here");
	*out = e->text;
	return 0;
}

/* <#assign a = 1 b = 2>, or <#assign a>text</#assign>. Adds nodes to last. */
static int
parse_assign(struct scan *t, const char *from, struct fm_node *n,
    const char *end)
{
	if (assign_name(t, &n->text) < 0)
		return -1;
	fm_skip_space(&t->s);
	if (at(t, ">")) {
		n->op = FM_OP_STRING;
		if (end_tag(t, from) < 0 || parse_block(t, &n->body) < 0)
			return -1;
		return expect_end(t, end, from);
	}
	for (;;) {
		if (assign_operator(t, n) < 0 || !(n->expr = tag_expr(t)))
			return -1;
		fm_skip_space(&t->s);
		if (at(t, ","))
			t->s.p++;
		fm_skip_space(&t->s);
		if (at(t, ">") || at(t, "/>"))
			return end_tag(t, from);
		n = n->next = new_node(t, FM_ASSIGN);
		if (assign_name(t, &n->text) < 0)
			return -1;
	}
}

static int
unsupported(struct scan *t, const char *from, struct str name)
{
	fm_error(&t->s, from, "not supported: the directive #%.*s",
	    STR_FMT(name));
	if (t->s.err)
		t->s.err->kind = ERR_UNSUPPORTED;
	return -1;
}

/* Behind <#name; *out is NULL where nothing is to be done at run time. */
static int
parse_directive(struct scan *t, const char *from, struct str name,
    struct fm_node **out)
{
	if (str_is(name, "if")) {
		*out = new_node(t, FM_IF);
		return parse_if(t, from, *out);
	}
	if (str_is(name, "list")) {
		*out = new_node(t, FM_LIST);
		return parse_list(t, from, *out);
	}
	if (str_is(name, "sep")) {
		*out = new_node(t, FM_SEP);
		return parse_sep(t, from, *out);
	}
	if (str_is(name, "assign") || str_is(name, "global")) {
		*out = new_node(t, FM_ASSIGN);
		return parse_assign(t, from, *out, str_is(name, "assign") ?
		    "</#assign" : "</#global");
	}
	if (str_is(name, "break")) {
		if (!t->loops)
			return fm_error(&t->s, from,
			    "#break must be inside a #list");
		*out = new_node(t, FM_BREAK);
		return end_tag(t, from);
	}
	return unsupported(t, from, name);
}

static int
skip_comment(struct scan *t)
{
	struct str rest = { t->s.p, (size_t)(t->s.end - t->s.p) };
	size_t n = str_search(rest, STR("-->"));

	if (n == rest.n)
		return fm_error(&t->s, t->s.p, "the comment is not closed "
		    "with \"-->\"");
	t->s.p += n + 3;
	add_mark(t, NULL, false);
	return 0;
}

static int
parse_output(struct scan *t, struct fm_node **out)
{
	const char *from = t->s.p;

	t->s.p += 2;
	*out = new_node(t, FM_OUTPUT);
	if (!((*out)->expr = fm_parse_expr(&t->s)))
		return -1;
	fm_skip_space(&t->s);
	if (!at(t, "}"))
		return fm_error(&t->s, t->s.p < t->s.end ? t->s.p : from,
		    t->s.p < t->s.end ? "\"}\" is expected here to end "
		    "${...}" : "${...} is not closed with \"}\"");
	t->s.p++;
	add_mark(t, NULL, true);
	return 0;
}

static struct fm_node *
parse_text(struct scan *t)
{
	const char *from = t->s.p++;
	struct fm_node *n = new_node(t, FM_TEXT);

	while (t->s.p < t->s.end && !at_markup(t))
		t->s.p++;
	n->text = (struct str){ from, (size_t)(t->s.p - from) };
	add_mark(t, n, false);
	return n;
}

/* What only the directive around a block can make sense of. */
static bool
ends_block(const struct scan *t)
{
	return at(t, "</#") || at(t, "<#else");
}

static int
parse_one(struct scan *t, struct fm_node **out)
{
	const char *from = t->s.p;
	struct str name;

	*out = NULL;
	if (at(t, "${"))
		return parse_output(t, out);
	if (at(t, "<#--"))
		return skip_comment(t);
	if (at(t, "<@") || at(t, "</@"))
		return unsupported(t, from, STR("macro (and its calls)"));
	if (!at(t, "<#")) {
		*out = parse_text(t);
		return 0;
	}
	t->s.p += 2;
	name = fm_read_name(&t->s);
	return parse_directive(t, from, name, out);
}

static int
parse_block(struct scan *t, struct fm_node **out)
{
	if (++t->depth > FM_NESTING)
		return fm_error(&t->s, t->s.p, "directives are nested too "
		    "deeply");
	*out = NULL;
	while (t->s.p < t->s.end && !ends_block(t)) {
		if (parse_one(t, out) < 0)
			return -1;
		while (*out)
			out = &(*out)->next;
	}
	t->depth--;
	return 0;
}

/* ---- white space -------------------------------------------------------- */

/*
 * A line on which there is nothing but directives and blanks leaves nothing.
 * mark[from] is the text in which the line begins (or the first mark), to the
 * one in which it ends.
 */
struct line {
	struct fm_node *text;	/* where it begins; NULL: with a directive */
	size_t keep;		/* bytes of text that are not of this line */
	bool tags, other;
	bool first;		/* text opens the template: left alone */
};

static void
end_line(struct line *l)
{
	if (l->tags && !l->other && l->text && !l->first)
		l->text->text.n = l->keep;
}

/* Length up to and with the first line's end; 0 when there is none. */
static size_t
first_line(struct str s)
{
	size_t n = str_find(s, '\n');

	return n < s.n ? n + 1 : 0;
}

static size_t
last_line(struct str s)
{
	size_t n = s.n;

	while (n > 0 && s.p[n - 1] != '\n')
		n--;
	return n;
}

static void
strip_text(struct line *l, struct fm_node *n, bool first)
{
	struct str s = n->text;
	size_t head = first_line(s), cut = 0;
	struct str rest;

	if (!head) {		/* all of it is of this line */
		if (str_blank(s) && !l->tags) {
			l->text = n;
			l->keep = 0;
			l->first = first;
		} else {
			l->other = true;
		}
		return;
	}
	if (l->tags && !l->other && str_blank(str_head(s, head)))
		cut = head;
	else
		l->other = true;
	end_line(l);
	rest = str_from(s, last_line(s));
	n->text = str_from(s, cut);
	*l = (struct line){ .text = n, .keep = n->text.n - rest.n,
	    .other = !str_blank(rest), .first = first };
}

static void
strip(struct scan *t)
{
	struct line l = { .text = NULL };

	for (size_t i = 0; i < t->count; i++) {
		if (t->mark[i].text)
			strip_text(&l, t->mark[i].text, i == 0);
		else if (t->mark[i].shows)
			l.other = true;
		else
			l.tags = true;
	}
	end_line(&l);
}

/* ---- all ---------------------------------------------------------------- */

/* <#ftl ...> at the very start, which says nothing that matters here. */
static int
skip_header(struct scan *t)
{
	struct str rest;
	size_t n;

	fm_skip_space(&t->s);
	if (!at(t, "<#ftl")) {
		t->s.p = t->s.begin;
		return 0;
	}
	rest = (struct str){ t->s.p, (size_t)(t->s.end - t->s.p) };
	n = str_find(rest, '>');
	if (n == rest.n)
		return fm_error(&t->s, t->s.p, "<#ftl is not closed with \">\"");
	if (str_search(str_head(rest, n), STR("ns_prefixes")) < n ||
	    str_search(str_head(rest, n), STR("output_format")) < n)
		return unsupported(t, t->s.p, STR("ftl with ns_prefixes or "
		    "output_format"));
	t->s.p += n + 1;
	rest = str_from(rest, n + 1);
	n = first_line(rest);
	if (str_blank(str_head(rest, n)))
		t->s.p += n;
	return 0;
}

struct freemarker *
freemarker_compile(struct arena *a, struct str text, struct err *err)
{
	struct freemarker *f = arena_zalloc(a, sizeof(*f));
	struct err ignored = { 0 };
	struct scan t = { .s = { .arena = a, .err = err ? err : &ignored } };

	text = arena_str(a, text.p ? text : STR(""));
	t.s.begin = t.s.p = text.p;
	t.s.end = text.p + text.n;
	if (skip_header(&t) < 0 || parse_block(&t, &f->body) < 0)
		return NULL;
	if (t.s.p < t.s.end) {
		fm_error(&t.s, t.s.p, "this directive has no start: "
		    "%.*s", (int)(t.s.end - t.s.p > 12 ? 12 :
		    t.s.end - t.s.p), t.s.p);
		return NULL;
	}
	strip(&t);
	f->reads_body = t.s.reads_body;
	return f;
}

bool
freemarker_reads_body(const struct freemarker *f)
{
	return f->reads_body;
}
