/* SPDX-License-Identifier: Apache-2.0 */
/* The table of settings, printed: as a file, as a page of the manual. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "config/opt.h"

static void
indent(struct buf *to, size_t depth)
{
	while (depth--)
		buf_addz(to, "  ");
}

static size_t
count_dots(struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == '.';
	return n;
}

/* Length of the group's name, with its dot: "log.error." of
 * "log.error.level". */
static size_t
group_len(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? (size_t)(dot - name) + 1 : 0;
}

/* How much of the groups of a and b is the same, up to and with a dot. */
static size_t
common_len(const char *a, const char *b)
{
	size_t n = 0, max = group_len(b), same = 0;

	if (group_len(a) < max)
		max = group_len(a);
	for (; n < max && a[n] == b[n]; n++)
		if (a[n] == '.')
			same = n + 1;
	return same;
}

static void
close_groups(struct buf *to, const char *name, size_t keep)
{
	struct str group = { name, group_len(name) };
	size_t depth = count_dots(group);
	size_t stay = count_dots(str_head(group, keep));

	while (depth-- > stay) {
		indent(to, depth);
		buf_addz(to, "};\n");
	}
}

static void
open_groups(struct buf *to, const char *name, size_t from)
{
	struct str rest = { name + from, group_len(name) - from }, part;
	size_t depth = count_dots((struct str){ name, from });

	while (str_next(&rest, '.', &part) && part.n) {
		indent(to, depth++);
		buf_printf(to, "%.*s:\n", STR_FMT(part));
		indent(to, depth - 1);
		buf_addz(to, "{\n");
	}
}

void
config_dump(const struct config *c, struct buf *to)
{
	const char *last = "";

	for (size_t i = 0; i < opt_count; i++) {
		const struct opt *o = &opt_table[i];
		size_t same = common_len(last, o->name);
		size_t n = group_len(o->name);

		close_groups(to, last, same);
		open_groups(to, o->name, same);
		indent(to, count_dots(str_of(o->name)));
		buf_printf(to, "%s = ", o->name + n);
		opt_format(o, c, to);
		buf_addz(to, ";\n");
		last = o->name;
	}
	close_groups(to, last, 0);
}

/* In rst, what stands between two backquotes is taken as it is. */
static void
print_default(const struct opt *o, FILE *to)
{
	bool number = o->dflt[0] >= '0' && o->dflt[0] <= '9' &&
	    o->dflt[strspn(o->dflt, "0123456789")] == '\0';

	if (o->type == OPT_BOOL || (number && o->type != OPT_TEXT))
		fprintf(to, "``%s``", o->dflt);
	else
		fprintf(to, "``\"%s\"``", o->dflt);
}

void
config_manual(FILE *to)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < opt_count; i++) {
		const struct opt *o = &opt_table[i];

		buf_clear(&b);
		opt_describe_type(o, &b);
		if (o->type == OPT_INT || o->type == OPT_COUNT ||
		    o->type == OPT_SIZE || o->type == OPT_TIME) {
			buf_addz(&b, "; ");
			opt_describe_range(o, &b);
		}
		fprintf(to, "``%s``\n    %s.\n\n    Takes %s. Default: ",
		    o->name, o->doc, buf_cstr(&b));
		print_default(o, to);
		fprintf(to, ". Changes take effect at a %s.\n\n",
		    o->when == OPT_LIVE ? "reload" : "restart");
	}
	buf_fini(&b);
}
