/* SPDX-License-Identifier: Apache-2.0 */
/* The table of elements for wsgw -L and for the manual. */
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "mediation/elements.h"

static const char *const class_names[] = {
	[CLASS_ARTIFACT] = "artifact", [CLASS_MEDIATOR] = "mediator",
	[CLASS_ENDPOINT] = "endpoint", [CLASS_GROUP] = "endpoint",
	[CLASS_PART] = "part",
};
static const char *const type_names[] = {
	[ATTR_TEXT] = "text", [ATTR_NAME] = "name", [ATTR_BOOL] = "true|false",
	[ATTR_INT] = "number", [ATTR_KEY] = "key",
	[ATTR_EXPRESSION] = "expression", [ATTR_VALUE] = "value",
	[ATTR_REGEX] = "regex", [ATTR_URI] = "uri", [ATTR_ENUM] = "word",
	[ATTR_ANYCASE] = "word", [ATTR_REFUSED] = "refused",
};

/* What MI knows and wsgw does not run. */
static const struct {
	const char *class, *name, *reason;
} refused[] = {
#define REFUSED(element, reason) { "mediator", element, reason },
#include "mediation/refused.def"
#undef REFUSED
#define ARTIFACT(element, fn, pass, reason) { "artifact", element, reason },
#include "mediation/artifacts.def"
#undef ARTIFACT
};

static bool
is_listed(const struct attribute_row *a, const struct element *e)
{
	return strcmp(a->element, e->key) == 0 && a->type != ATTR_REFUSED;
}

/* ---- one line each ----------------------------------------------------- */

static void
list_attributes(FILE *f, const struct element *e)
{
	const char *sep = "  ";

	fputs("supported", f);
	for (size_t i = 0; i < attribute_count; i++) {
		const struct attribute_row *a = &attribute_rows[i];

		if (!is_listed(a, e))
			continue;
		fprintf(f, "%s%s%s", sep, a->name,
		    a->need == NEED_REQUIRED ? "!" : "");
		sep = " ";
	}
	fputc('\n', f);
}

void
elements_list(FILE *f)
{
	for (size_t i = 0; i < element_count; i++) {
		const struct element *e = &element_rows[i];

		fprintf(f, "%-8s  %s  ", class_names[e->class], e->key);
		if (element_is_refused(e))
			fprintf(f, "refused: %s\n", e->doc);
		else
			list_attributes(f, e);
	}
	for (size_t i = 0; i < parameter_count; i++)
		fprintf(f, "parameter  %s  supported\n",
		    parameter_rows[i].name);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (refused[i].reason)
			fprintf(f, "%-8s  %s  refused: %s\n", refused[i].class,
			    refused[i].name, refused[i].reason);
}

/* ---- JSON -------------------------------------------------------------- */

/* The texts of the table are ASCII. */
static void
json_text(FILE *f, const char *name, const char *text)
{
	fprintf(f, "\"%s\": \"", name);
	for (; *text; text++)
		fprintf(f, *text == '"' || *text == '\\' ? "\\%c" : "%c",
		    *text);
	fputc('"', f);
}

static void
json_type(FILE *f, enum attribute_type type, const char *words,
    const char *dflt, const char *doc)
{
	json_text(f, "type", words ? words : type_names[type]);
	fputs(", ", f);
	json_text(f, "default", dflt);
	fputs(", ", f);
	json_text(f, "text", doc);
}

static void
json_attributes(FILE *f, const struct element *e)
{
	const char *sep = "";

	fputs(", \"attributes\": [", f);
	for (size_t i = 0; i < attribute_count; i++) {
		const struct attribute_row *a = &attribute_rows[i];

		if (!is_listed(a, e))
			continue;
		fprintf(f, "%s\n  {", sep);
		json_text(f, "name", a->name);
		fprintf(f, ", \"required\": %s, ",
		    a->need == NEED_REQUIRED ? "true" : "false");
		json_type(f, a->type, a->words, a->dflt, a->doc);
		fputc('}', f);
		sep = ",";
	}
	fputc(']', f);
}

static void
json_children(FILE *f, const struct element *e)
{
	const char *sep = "";

	fputs(", \"children\": [", f);
	for (size_t i = 0; i < child_count; i++) {
		if (strcmp(child_rows[i].element, e->key) != 0 ||
		    child_rows[i].max == CHILD_REFUSED)
			continue;
		fprintf(f, "%s\"%s\"", sep, child_rows[i].child);
		sep = ", ";
	}
	fputc(']', f);
}

static void
json_head(FILE *f, const char *class, const char *name, const char *state)
{
	fputc('{', f);
	json_text(f, "kind", class);
	fputs(", ", f);
	json_text(f, "name", name);
	fputs(", ", f);
	json_text(f, "state", state);
}

void
elements_list_json(FILE *f)
{
	const char *sep = "[\n";

	for (size_t i = 0; i < element_count; i++, sep = ",\n") {
		const struct element *e = &element_rows[i];

		fputs(sep, f);
		json_head(f, class_names[e->class], e->key,
		    element_is_refused(e) ? "refused" : "supported");
		fputs(", ", f);
		json_text(f, "text", e->doc);
		json_attributes(f, e);
		json_children(f, e);
		fputc('}', f);
	}
	for (size_t i = 0; i < parameter_count; i++) {
		const struct parameter_row *p = &parameter_rows[i];

		fputs(sep, f);
		json_head(f, "parameter", p->name, "supported");
		fputs(", ", f);
		json_type(f, p->type, p->words, p->dflt, p->doc);
		fputc('}', f);
	}
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (!refused[i].reason)
			continue;
		fputs(sep, f);
		json_head(f, refused[i].class, refused[i].name, "refused");
		fputs(", ", f);
		json_text(f, "text", refused[i].reason);
		fputc('}', f);
	}
	fputs("\n]\n", f);
}

/* ---- manual ------------------------------------------------------------ */

/* Characters that mean something in reStructuredText lose that. */
static void
rst_text(FILE *f, const char *text)
{
	for (; *text; text++)
		fprintf(f, strchr("\\*`|_", *text) ? "\\%c" : "%c", *text);
}

static void
rst_type(FILE *f, enum attribute_type type, const char *words,
    const char *dflt)
{
	size_t n;

	if (!words)
		words = type_names[type];
	for (; *words; words += n + (words[n] == '|')) {
		n = strcspn(words, "|");
		fprintf(f, "*%.*s*%s", (int)n, words, words[n] ? " | " : "");
	}
	/* What is literal may not end in a blank. */
	if (*dflt)
		fprintf(f, strchr(dflt, ' ') ? " [``\"%s\"``]" : " [``%s``]",
		    dflt);
}

static void
rst_about(FILE *f, const char *text)
{
	if (*text) {
		fputs("; ", f);
		rst_text(f, text);
	}
	fputs("\n\n", f);
}

static void
indent(FILE *f, int depth)
{
	fprintf(f, "%*s", 4 * depth, "");
}

static void
rst_attribute(FILE *f, const struct attribute_row *a, int depth)
{
	indent(f, depth);
	fprintf(f, "%s\n", a->name);
	indent(f, depth + 1);
	rst_type(f, a->type, a->words, a->dflt);
	fputs(a->need == NEED_REQUIRED ? ", required" : "", f);
	rst_about(f, a->doc);
}

/* The elements around the one that is shown. */
struct around {
	const struct element *element;
	const struct around *next;
};

/* What may hold itself is described once, where it is met first. */
static bool
is_shown(const char *child, const struct around *a)
{
	for (; a; a = a->next)
		for (size_t i = 0; i < child_count; i++)
			if (strcmp(child_rows[i].child, child) == 0 &&
			    strcmp(child_rows[i].element, a->element->key) == 0)
				return true;
	return false;
}

static void rst_child(FILE *, const struct child_row *,
    const struct around *, int depth);

/* Parts nest as deep as the table makes them. */
static void
rst_inside(FILE *f, const struct element *e, const struct around *outer,
    int depth)
{
	struct around here = { e, outer };

	for (size_t i = 0; i < attribute_count; i++)
		if (is_listed(&attribute_rows[i], e))
			rst_attribute(f, &attribute_rows[i], depth);
	for (size_t i = 0; i < child_count; i++)
		if (strcmp(child_rows[i].element, e->key) == 0 &&
		    child_rows[i].max != CHILD_REFUSED &&
		    !is_shown(child_rows[i].child, outer))
			rst_child(f, &child_rows[i], &here, depth);
}

static void
rst_child(FILE *f, const struct child_row *c, const struct around *around,
    int depth)
{
	const struct element *e = element_find(c->child);

	indent(f, depth);
	fprintf(f, "<%s>\n", element_name(c->child));
	indent(f, depth + 1);
	fprintf(f, "*%s*%s", e->content == INSIDE_MEDIATORS &&
	    e->class == CLASS_PART ? "mediators" : c->max == CHILD_MANY
	    ? "elements" : "element", c->min > 0 ? ", required" : "");
	rst_about(f, e->doc);
	if (e->class == CLASS_PART)
		rst_inside(f, e, around, depth + 1);
}

static void
rst_parameters(FILE *f)
{
	for (size_t i = 0; i < parameter_count; i++) {
		const struct parameter_row *p = &parameter_rows[i];

		fprintf(f, "%s\n    ", p->name);
		rst_type(f, p->type, p->words, p->dflt);
		rst_about(f, p->doc);
	}
}

bool
elements_manual(FILE *f, const char *key)
{
	const struct element *e = element_find(key);

	if (strcmp(key, "parameters") == 0)
		rst_parameters(f);
	else if (e)
		rst_inside(f, e, NULL, 0);
	return e || strcmp(key, "parameters") == 0;
}
