/* SPDX-License-Identifier: Apache-2.0 */
/* The table of elements: what it makes the loader say, and that it agrees with
 * what the loader reads. */
#include "mediation/elements.h"

#include <cjson/cJSON.h>
#include <glob.h>

#include "fixture.h"
#include "mediation/xmlread.h"

struct doc {
	struct arena *arena;
	struct xml_file *file;
	const struct xml_el *root;
	int reported;
};

static void
on_report(void *ctx, const struct err *err)
{
	struct doc *d = ctx;

	(void)err;
	d->reported++;
}

static void
parse(struct doc *d, const char *text)
{
	struct err err;

	*d = (struct doc){ .arena = arena_new(0) };
	d->file = xml_file_parse(d->arena, "f.xml", str_of(text), on_report, d,
	    &err);
	assert_non_null(d->file);
	d->root = xml_file_root(d->file);
}

static void
done(struct doc *d)
{
	xml_file_free(&d->file);
	arena_free(&d->arena);
}

/* ---- complaints -------------------------------------------------------- */

static void
test_unknown_is_refused(void **state)
{
	struct doc d;
	struct err err;

	(void)state;
	parse(&d, "<sequence " NS " key='k' ky='x' description='d'>\n"
	    "<log/></sequence>");
	(void)xml_attr(d.root, "key");
	assert_int_equal(element_check(d.root, "sequence", &err), -1);
	/* The last one is returned, others were reported. */
	assert_int_equal(d.reported, 1);
	assert_int_equal(err.kind, ERR_UNSUPPORTED);
	assert_int_equal(err.at.line, 2);
	assert_string_equal(err.text, "unknown element \"log\" in <sequence>; "
	    "none is allowed here");
	done(&d);
	parse(&d, "<throwError " NS " typ='x'/>");
	assert_int_equal(element_check(d.root, "throwError", &err), -1);
	assert_string_equal(err.text, "unknown attribute \"typ\" in "
	    "<throwError>; did you mean \"type\"?; allowed here: type, "
	    "errorMessage");
	done(&d);
	parse(&d, "<drop " NS " x='1'/>");
	assert_int_equal(element_check(d.root, "drop", &err), -1);
	assert_string_equal(err.text, "unknown attribute \"x\" in <drop>; "
	    "none is allowed here");
	done(&d);
}

static void
test_parts_are_looked_into(void **state)
{
	struct doc d;
	struct err err;

	(void)state;
	parse(&d, "<log " NS "><message x='1'/></log>");
	(void)xml_child(d.root, "message");
	assert_int_equal(element_check(d.root, "log", &err), -1);
	assert_string_equal(err.text, "unknown attribute \"x\" in <message>; "
	    "none is allowed here");
	done(&d);
	parse(&d, "<log " NS "><message x='1'/></log>");
	xml_mark_opaque(xml_any_child(d.root));
	assert_int_equal(element_check(d.root, "log", &err), 0);
	done(&d);
	parse(&d, "<log " NS ">\n<message xmlns=''/></log>");
	assert_int_equal(element_check(d.root, "log", &err), -1);
	assert_non_null(strstr(err.text, "(not in the namespace "
	    "http://ws.apache.org/ns/synapse) \"message\" in <log>"));
	assert_int_equal(err.at.line, 2);
	done(&d);
}

static void
test_what_nobody_read_has_no_effect(void **state)
{
	struct doc d;
	struct err err;

	(void)state;
	parse(&d, "<property " NS " name='a' group='1'/>");
	(void)xml_attr(d.root, "name");
	assert_int_equal(element_check(d.root, "property", &err), -1);
	assert_string_equal(err.text, "attribute \"group\" has no effect in "
	    "this <property>");
	done(&d);
	parse(&d, "<filter " NS "><then/></filter>");
	assert_int_equal(element_check(d.root, "filter", &err), -1);
	assert_string_equal(err.text, "<then> has no effect in this <filter>");
	done(&d);
}

static void
test_how_many(void **state)
{
	struct doc d;
	struct err err;

	(void)state;
	parse(&d, "<send " NS ">\n<endpoint/>\n<endpoint/></send>");
	xml_mark_done(xml_child(d.root, "endpoint"));
	assert_int_equal(element_check(d.root, "send", &err), -1);
	assert_int_equal(d.reported, 0);
	assert_int_equal(err.at.line, 3);
	assert_string_equal(err.text, "more than one <endpoint> in <send>");
	done(&d);
	parse(&d, "<sequence " NS "/>");
	assert_int_equal(element_check(d.root, "sequence", &err), -1);
	assert_string_equal(err.text, "<sequence> needs the attribute \"key\"");
	done(&d);
}

/* ---- the table itself -------------------------------------------------- */

static void
test_keys_resolve(void **state)
{
	(void)state;
	for (size_t i = 0; i < attribute_count; i++)
		if (!element_find(attribute_rows[i].element))
			fail_msg("no element %s", attribute_rows[i].element);
	for (size_t i = 0; i < child_count; i++)
		if (!element_find(child_rows[i].element) ||
		    !element_find(child_rows[i].child))
			fail_msg("no element %s or %s", child_rows[i].element,
			    child_rows[i].child);
	for (size_t i = 0; i < element_count; i++)
		assert_ptr_equal(element_find(element_rows[i].key),
		    &element_rows[i]);
}

static bool
has_word(const char *words, const char *word)
{
	size_t n;

	for (; *words; words += n + (words[n] == '|')) {
		n = strcspn(words, "|");
		if (strlen(word) == n && strncmp(words, word, n) == 0)
			return true;
	}
	return false;
}

static void
test_defaults_are_of_their_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < attribute_count; i++) {
		const struct attribute_row *a = &attribute_rows[i];
		const char *words = a->type == ATTR_BOOL ? "true|false"
		    : a->words;

		if (*a->dflt && words && !has_word(words, a->dflt))
			fail_msg("%s %s: %s", a->element, a->name, a->dflt);
		if (*a->dflt && a->need == NEED_REQUIRED)
			fail_msg("%s %s: required, with a default", a->element,
			    a->name);
	}
}

/* ---- the table and the code -------------------------------------------- */

enum { MAX_ROWS = 1000 };
static bool attribute_asked[MAX_ROWS], child_asked[MAX_ROWS];

static int complaints;

static void complain(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* All of them are shown, each once for each time it is met. */
static void
complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	complaints++;
}

static void
ask_attribute(const struct element *e, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < attribute_count; i++) {
		if (!attribute_belongs(&attribute_rows[i], e) ||
		    strcmp(attribute_rows[i].name, name) != 0)
			continue;
		attribute_asked[i] = found = true;
	}
	if (!found && strcmp(name, "description") != 0)
		complain("elements.def: <%s> reads the attribute %s, which has "
		    "no row", e->key, name);
}

static void
ask_child(const struct element *e, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < child_count; i++) {
		if (!child_belongs(&child_rows[i], e) ||
		    strcmp(element_name(child_rows[i].child), name) != 0)
			continue;
		child_asked[i] = found = true;
	}
	if (!found && strcmp(name, "description") != 0)
		complain("elements.def: <%s> reads the child %s, which has "
		    "no row", e->key, name);
}

static void
on_element(const struct xml_el *el, const struct element *e)
{
	unsigned n;
	const char *const *names = xml_asked_attrs(el, &n);

	for (unsigned i = 0; i < n; i++)
		ask_attribute(e, names[i]);
	names = xml_asked_children(el, &n);
	for (unsigned i = 0; i < n; i++)
		ask_child(e, names[i]);
	for (size_t i = 0; xml_asked_all_children(el) && i < child_count; i++)
		if (child_belongs(&child_rows[i], e))
			child_asked[i] = true;
}

static void
load_file(const char *path)
{
	struct fixture f;

	fixture_init(&f);
	f.config.root = path;
	fixture_load(&f);
	fixture_fini(&f);
}

static size_t
load_all(const char *pattern)
{
	const char *top = getenv("srcdir");
	char path[4096];
	glob_t found;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", pattern);
	if (glob(path, 0, NULL, &found) != 0)
		return 0;
	n = found.gl_pathc;
	for (size_t i = 0; i < n; i++)
		load_file(found.gl_pathv[i]);
	globfree(&found);
	return n;
}

/* What the golden tests leave out. */
static const char rest[] =
    "<definitions " NS ">"
    "<endpoint name='e'><http uri-template='http://localhost/' method='GET'>"
    "<timeout><duration>1</duration></timeout>"
    "<suspendOnFailure><errorCodes>1</errorCodes></suspendOnFailure>"
    "<markForSuspension><retryDelay>1</retryDelay></markForSuspension>"
    "<retryConfig><enabledErrorCodes>1</enabledErrorCodes></retryConfig>"
    "<property name='a' value='b'/></http></endpoint>"
    "<endpoint name='f'><failover><endpoint key='e'/></failover></endpoint>"
    "<endpoint name='l'><loadbalance><endpoint key='e'/></loadbalance>"
    "<session type='http'><sessionTimeout>1</sessionTimeout></session>"
    "</endpoint>"
    "<endpoint name='r'><recipientlist><endpoints value='http://localhost/'/>"
    "</recipientlist></endpoint>"
    "<template name='et'><parameter name='p'/><endpoint>"
    "<address uri='$p'/></endpoint></template>"
    "<endpoint name='u' template='et'>"
    "<parameter name='p' value='http://localhost/'/></endpoint>"
    "<localEntry key='k'>text</localEntry>"
    "<template name='t'><parameter name='p'/><sequence/></template>"
    "<inboundEndpoint name='i' protocol='ws'><parameters>"
    "<parameter name='inbound.ws.port'>0</parameter>"
    "</parameters></inboundEndpoint>"
    "</definitions>";

static void
load_rest(void)
{
	struct fixture f;

	fixture_init(&f);
	fixture_file(&f, "synapse.xml", rest);
	fixture_must_load(&f);
	fixture_fini(&f);
}

/* A whole file of definitions is taken apart by artifact.c. */
static bool
is_for_the_loader(const char *key)
{
	return strcmp(key, "definitions") != 0 && key[0] != '*';
}

/* By its name; a mediator would be read by med_children(). */
static bool
is_asked_for(const struct child_row *c)
{
	return c->max != CHILD_REFUSED && is_for_the_loader(c->element) &&
	    element_find(c->child)->class != CLASS_MEDIATOR;
}

static void
test_rows_are_what_is_read(void **state)
{
	(void)state;
	assert_true(attribute_count < MAX_ROWS && child_count < MAX_ROWS);
	element_watch(on_element);
	assert_true(load_all("tests/sequences/*/*/sequence.xml") > 50);
	(void)load_all("tests/sequences/*/*/artifacts/*.xml");
	assert_true(load_all("etc/*/*.xml") > 0);
	load_rest();
	element_watch(NULL);
	for (size_t i = 0; i < attribute_count; i++) {
		const struct attribute_row *a = &attribute_rows[i];

		if (!attribute_asked[i] && a->type != ATTR_REFUSED &&
		    is_for_the_loader(a->element))
			complain("elements.def: no compile that a test runs "
			    "reads the attribute %s of <%s>", a->name,
			    a->element);
	}
	for (size_t i = 0; i < child_count; i++) {
		const struct child_row *c = &child_rows[i];

		if (!child_asked[i] && is_asked_for(c))
			complain("elements.def: no compile that a test runs "
			    "reads the child %s of <%s>", c->child, c->element);
	}
	assert_int_equal(complaints, 0);
}

/* ---- what is printed --------------------------------------------------- */

static char *
printed(void print(FILE *))
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	print(f);
	fclose(f);
	return text;
}

static void
test_list(void **state)
{
	char *text = printed(elements_list);

	(void)state;
	assert_non_null(strstr(text, "mediator  log  supported  level "));
	assert_non_null(strstr(text, "mediator  class  refused: it runs a "
	    "Java class\n"));
	assert_non_null(strstr(text, "artifact  proxy  refused: "));
	assert_non_null(strstr(text, "parameter  ws.path  supported\n"));
	assert_null(strstr(text, "localEntry  refused"));
	free(text);
}

static void
test_list_is_json(void **state)
{
	char *text = printed(elements_list_json);
	cJSON *json = cJSON_Parse(text);
	int kinds[2] = { 0 };
	cJSON *e;

	(void)state;
	assert_true(cJSON_IsArray(json));
	cJSON_ArrayForEach(e, json)
		kinds[strcmp(cJSON_GetStringValue(cJSON_GetObjectItem(e,
		    "state")), "refused") == 0]++;
	assert_true(kinds[0] >= (int)(element_count / 2));
	assert_true(kinds[1] > 10);
	cJSON_Delete(json);
	free(text);
}

static void
test_manual(void **state)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	assert_true(elements_manual(f, "log"));
	assert_true(elements_manual(f, "parameters"));
	assert_false(elements_manual(f, "nonsense"));
	fclose(f);
	assert_non_null(strstr(text, "level\n    *simple* | *headers* | *full* "
	    "| *custom* [``simple``]; "));
	assert_non_null(strstr(text, "<property>\n    *elements*"));
	assert_non_null(strstr(text, "    name\n        *text*, required\n"));
	assert_non_null(strstr(text, "inbound.ws.port\n    *number*; "));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unknown_is_refused),
		cmocka_unit_test(test_parts_are_looked_into),
		cmocka_unit_test(test_what_nobody_read_has_no_effect),
		cmocka_unit_test(test_how_many),
		cmocka_unit_test(test_keys_resolve),
		cmocka_unit_test(test_defaults_are_of_their_type),
		cmocka_unit_test(test_rows_are_what_is_read),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_list_is_json),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
