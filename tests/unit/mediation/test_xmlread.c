/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/xmlread.h"

#include "fixture.h"

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

static int
parse(struct doc *d, const char *text, struct err *err)
{
	*err = (struct err){ 0 };
	*d = (struct doc){ .arena = arena_new(0) };
	d->file = xml_file_parse(d->arena, "f.xml", str_of(text), on_report, d,
	    err);
	if (!d->file)
		return -1;
	d->root = xml_file_root(d->file);
	return 0;
}

static void
done(struct doc *d)
{
	xml_file_free(&d->file);
	arena_free(&d->arena);
}

static void
refuses(const char *text, int line, const char *says)
{
	struct doc d;
	struct err err;

	assert_int_equal(parse(&d, text, &err), -1);
	assert_string_equal(err.at.file, "f.xml");
	assert_int_equal(err.at.line, line);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" is not in \"%s\"", says, err.text);
	done(&d);
}

static void
test_malformed(void **state)
{
	(void)state;
	refuses("<a>\n<b>\n</a>", 3, "Opening and ending tag mismatch");
	refuses("", 1, "Document is empty");
	refuses("<a x='1' x='2'/>", 1, "redefined");
	refuses("<a>\n<p:b/></a>", 2, "Namespace prefix p");
	refuses("<!DOCTYPE a [<!ENTITY x 'y'>]>\n<a>&x;</a>", 1, "DTD");
	refuses("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", 1, "DTD");
}

static void
test_depth_is_limited(void **state)
{
	struct buf b = { 0 };
	struct doc d;
	struct err err;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addz(&b, "<a>");
	assert_int_equal(parse(&d, buf_cstr(&b), &err), -1);
	assert_non_null(strstr(err.text, "depth"));
	done(&d);
	buf_fini(&b);
}

static void
test_positions(void **state)
{
	struct doc d;
	struct err err;
	const struct xml_el *k;

	(void)state;
	assert_int_equal(parse(&d, "<a\n  x='1'\n  y='2'>\n<b/>\n\n<c\n/></a>",
	    &err), 0);
	/* A start tag over several lines counts where it begins. */
	assert_int_equal(xml_pos(d.root).line, 1);
	k = xml_any_child(d.root);
	assert_int_equal(xml_pos(k).line, 4);
	k = xml_any_next(k);
	assert_int_equal(xml_pos(k).line, 6);
	assert_null(xml_any_next(k));
	done(&d);
}

static void
test_lines_beyond_16_bits(void **state)
{
	struct buf b = { 0 };
	struct doc d;
	struct err err;

	(void)state;
	buf_addz(&b, "<a>");
	for (int i = 0; i < 70000; i++)
		buf_putc(&b, '\n');
	buf_addz(&b, "<b/></a>");
	assert_int_equal(parse(&d, buf_cstr(&b), &err), 0);
	assert_int_equal(xml_pos(xml_any_child(d.root)).line, 70001);
	done(&d);
	buf_fini(&b);
}

static void
test_attributes(void **state)
{
	struct doc d;
	struct err err;
	bool b;
	int64_t n;

	(void)state;
	assert_int_equal(parse(&d, "<a s='x &lt; y' e='' t='TRUE' n='-7' "
	    "bad='7x' b='yes'/>", &err), 0);
	assert_true(str_is(xml_attr(d.root, "s"), "x < y"));
	assert_non_null(xml_attr(d.root, "e").p);
	assert_null(xml_attr(d.root, "none").p);
	assert_int_equal(xml_attr_bool(d.root, "t", false, &b, &err), 0);
	assert_true(b);
	assert_int_equal(xml_attr_bool(d.root, "none", true, &b, &err), 0);
	assert_true(b);
	assert_int_equal(xml_attr_bool(d.root, "b", true, &b, &err), -1);
	assert_string_equal(err.text, "attribute \"b\" must be \"true\" or "
	    "\"false\", not \"yes\"");
	assert_int_equal(xml_attr_int(d.root, "n", 0, &n, &err), 0);
	assert_int_equal(n, -7);
	assert_int_equal(xml_attr_int(d.root, "bad", 0, &n, &err), -1);
	done(&d);
}

static void
test_children_by_namespace(void **state)
{
	struct doc d;
	struct err err;
	const struct xml_el *k;

	(void)state;
	assert_int_equal(parse(&d, "<a " NS "><b n='1'/><b xmlns=''/><c/>"
	    "<b n='2'/></a>", &err), 0);
	assert_true(xml_in_synapse(d.root));
	k = xml_child(d.root, "b");
	assert_true(str_is(xml_attr(k, "n"), "1"));
	k = xml_next(k);
	assert_true(str_is(xml_attr(k, "n"), "2"));
	assert_null(xml_next(k));
	k = xml_first_child(d.root);
	k = xml_next_child(k);
	assert_true(str_is(xml_name(k), "c"));
	done(&d);
}

static void
test_text_and_markup(void **state)
{
	struct doc d;
	struct err err;
	struct str s;

	(void)state;
	assert_int_equal(parse(&d, "<a " NS " xmlns:p='urn:p'> x<![CDATA[<&]]>"
	    "<!-- no -->y </a>", &err), 0);
	assert_true(str_is(xml_text(d.root), " x<&y "));
	assert_null(xml_inner_markup(d.root, d.arena).p);
	done(&d);
	assert_int_equal(parse(&d, "<a " NS " xmlns:p='urn:p'>\n<p:b> <c/> "
	    "</p:b></a>", &err), 0);
	s = xml_inner_markup_stripped(d.root, d.arena);
	assert_true(str_search(s, STR("urn:p")) < s.n);
	assert_true(str_search(s, STR(" <c")) == s.n);
	done(&d);
}

static void
test_namespaces(void **state)
{
	struct doc d;
	struct err err;
	struct expr_scope scope;

	(void)state;
	assert_int_equal(parse(&d, "<a " NS " xmlns:p='urn:p'><b "
	    "xmlns:p='urn:q'/></a>", &err), 0);
	assert_true(str_is(xml_lookup_ns(d.root, STR("p")), "urn:p"));
	assert_true(str_is(xml_lookup_ns(xml_any_child(d.root), STR("p")),
	    "urn:q"));
	assert_null(xml_lookup_ns(d.root, STR("z")).p);
	xml_scope(xml_any_child(d.root), d.arena, &scope);
	assert_int_equal(scope.at.line, 1);
	assert_true(scope.count >= 2);
	for (size_t i = 0; i < scope.count; i++)
		if (str_is(scope.ns[i].prefix, "p"))
			assert_true(str_is(scope.ns[i].uri, "urn:q"));
	done(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_depth_is_limited),
		cmocka_unit_test(test_positions),
		cmocka_unit_test(test_lines_beyond_16_bits),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_children_by_namespace),
		cmocka_unit_test(test_text_and_markup),
		cmocka_unit_test(test_namespaces),
	};
	int failed;

	xml_global_init();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return failed;
}
