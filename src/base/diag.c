/* SPDX-License-Identifier: Apache-2.0 */
#include "base/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void
diag_init(struct diag *d)
{
	d->errors = d->warnings = d->count = 0;
}

/* A name that is too long loses its front. */
static void
copy_name(char *to, size_t room, const char *name)
{
	size_t n = strlen(name);

	if (n < room)
		memcpy(to, name, n + 1);
	else
		snprintf(to, room, "...%s", name + n - (room - 4));
}

int
diag_add(struct diag *d, enum diag_level level, const struct err *err)
{
	struct diag_item *it;
	int result = level == DIAG_ERROR ? -1 : 0;

	if (level == DIAG_ERROR)
		d->errors++;
	else
		d->warnings++;
	if (d->count == DIAG_MAX)
		return result;
	it = &d->item[d->count++];
	it->level = level;
	it->line = err->at.line;
	it->column = err->at.column;
	copy_name(it->file, sizeof(it->file), err->at.file ? err->at.file : "");
	snprintf(it->text, sizeof(it->text), "%s", err->text);
	return result;
}

static PRINTF_LIKE(4, 0) int
add_text(struct diag *d, enum diag_level level, struct src_pos at,
    const char *fmt, va_list ap)
{
	struct err err = { .kind = ERR_SYNTAX, .at = at };

	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	return diag_add(d, level, &err);
}

int
diag_error(struct diag *d, struct src_pos at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_text(d, DIAG_ERROR, at, fmt, ap);
	va_end(ap);
	return -1;
}

int
diag_warn(struct diag *d, struct src_pos at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_text(d, DIAG_WARNING, at, fmt, ap);
	va_end(ap);
	return 0;
}

/* Columns count bytes; a character of several takes one place. */
static void
print_caret(const char *line, int column, FILE *to)
{
	fputs("    ", to);
	for (int i = 0; i < column - 1; i++)
		if (line[i] == '\t')
			fputc('\t', to);
		else if (((unsigned char)line[i] & 0xC0) != 0x80)
			fputc(' ', to);
	fputs("^\n", to);
}

static void
print_source(const struct diag_item *it, FILE *to)
{
	FILE *f = fopen(it->file, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = -1;
	int at = 0;

	if (!f)
		return;
	while (at < it->line && (n = getline(&line, &cap, f)) >= 0)
		at++;
	if (n > 0 && at == it->line && n < 500) {
		while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
			line[--n] = '\0';
		fprintf(to, "    %s\n", line);
		if (it->column > 0 && it->column <= n + 1)
			print_caret(line, it->column, to);
	}
	free(line);
	fclose(f);
}

void
diag_print(const struct diag *d, FILE *to)
{
	for (int i = 0; i < d->count; i++) {
		const struct diag_item *it = &d->item[i];

		if (it->file[0] && it->line > 0)
			fprintf(to, "%s:%d: ", it->file, it->line);
		else if (it->file[0])
			fprintf(to, "%s: ", it->file);
		fprintf(to, "%s%s\n",
		    it->level == DIAG_WARNING ? "warning: " : "", it->text);
		if (it->file[0] && it->line > 0)
			print_source(it, to);
	}
	if (d->errors + d->warnings > d->count)
		fprintf(to, "and %d more\n",
		    d->errors + d->warnings - d->count);
}
