/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include "base/arena.h"
#include "base/snap.h"
#include "mediation/source.h"
#include "mediation/source_priv.h"

#define SEQ(name) "<sequence " NS " name='" name "'><drop/></sequence>"

static char registry[80];

static void
make(struct fixture *f)
{
	fixture_init(f);
	snprintf(registry, sizeof(registry), "%s/registry", f->root);
	f->config.registry = registry;
	fixture_file(f, "sequences/b.xml", SEQ("b"));
	fixture_file(f, "sequences/a.xml", SEQ("a"));
	fixture_file(f, "sequences/.hidden.xml", "<broken");
	fixture_file(f, "sequences/notes.txt", "no artifact");
	fixture_file(f, "registry/config/x/y/t.txt", "deep");
	fixture_file(f, "registry/config/x.txt", "text");
	fixture_file(f, "registry/config/.x", "hidden");
	fixture_file(f, "registry/governance/seq.xml", SEQ("z"));
	fixture_file(f, "registry/elsewhere/t", "no key leads here");
	fixture_file(f, "entry.txt", "from elsewhere");
}

static struct med_source *
capture(struct fixture *f, int64_t max)
{
	diag_init(&f->diag);
	return med_source_capture(f->root, f->config.registry, max, &f->diag);
}

static struct med_source *
must_capture(struct fixture *f)
{
	struct med_source *s = capture(f, 1 << 20);

	if (!s)
		diag_print(&f->diag, stderr);
	assert_non_null(s);
	return s;
}

/* What another process makes of it. */
static struct med_source *
hand_over(struct fixture *f, struct med_source *from)
{
	struct err err;
	int fd = med_source_seal(from, &err);
	struct med_source *to;

	assert_true(fd >= 0 && snap_is_sealed(fd));
	to = med_source_snapshot(fd, f->root, f->config.registry, &err);
	assert_non_null(to);
	close(fd);
	return to;
}

static void
remove_all(struct fixture *f)
{
	nftw(f->root, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- asking ------------------------------------------------------------ */

static void
check_contents(struct med_source *s)
{
	struct arena *a = arena_new(0);
	struct str *names, text;
	struct err err;
	size_t n;

	assert_int_equal(source_look(s, MED_TREE_ARTIFACTS, STR(""), NULL),
	    SOURCE_FOLDER);
	assert_int_equal(source_look(s, MED_TREE_ARTIFACTS, STR("endpoints"),
	    NULL), SOURCE_NOTHING);
	assert_int_equal(source_look(s, MED_TREE_REGISTRY, STR("config/x"),
	    NULL), SOURCE_FOLDER);
	assert_int_equal(source_look(s, MED_TREE_REGISTRY, STR("config/x.txt"),
	    NULL), SOURCE_FILE);
	assert_int_equal(source_names(s, MED_TREE_REGISTRY, STR("config/x"),
	    a, &names, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(str_is(names[0], "y"));
	assert_int_equal(source_names(s, MED_TREE_ARTIFACTS, STR("endpoints"),
	    a, &names, &n, &err), -1);
	assert_int_equal(err.kind, ERR_NOTFOUND);
	assert_int_equal(source_read(s, MED_TREE_REGISTRY,
	    STR("config/x/y/t.txt"), a, &text, &err), 0);
	assert_string_equal(text.p, "deep");
	assert_int_equal(source_read(s, MED_TREE_REGISTRY, STR("config/none"),
	    a, &text, &err), -1);
	assert_int_equal(err.kind, ERR_NOTFOUND);
	assert_int_equal(source_read(s, MED_TREE_REGISTRY, STR("config/x"),
	    a, &text, &err), -1);
	arena_free(&a);
}

static void
test_same_answers(void **state UNUSED)
{
	struct fixture f;
	struct med_source *disk, *taken, *given;

	make(&f);
	disk = med_source_disk(f.root, registry);
	taken = must_capture(&f);
	given = hand_over(&f, taken);
	check_contents(disk);
	check_contents(taken);
	remove_all(&f);
	check_contents(taken);
	med_source_put(&taken);
	check_contents(given);
	med_source_put(&given);
	med_source_put(&disk);
	fixture_fini(&f);
}

static void
test_sorted_and_only_artifacts(void **state UNUSED)
{
	struct fixture f;
	struct arena *a = arena_new(0);
	struct med_source *s;
	struct str *names;
	struct err err;
	size_t n;

	make(&f);
	s = must_capture(&f);
	assert_int_equal(source_names(s, MED_TREE_ARTIFACTS, STR("sequences"),
	    a, &names, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_true(str_is(names[0], "a.xml") && str_is(names[1], "b.xml"));
	assert_int_equal(source_look(s, MED_TREE_REGISTRY, STR("elsewhere"),
	    NULL), SOURCE_NOTHING);
	assert_int_equal(source_look(s, MED_TREE_REGISTRY, STR("config/.x"),
	    NULL), SOURCE_NOTHING);
	assert_string_equal(source_path(s, MED_TREE_REGISTRY, STR("config/q"),
	    a) + strlen(f.root), "/registry/config/q");
	med_source_put(&s);
	arena_free(&a);
	fixture_fini(&f);
}

/* ---- loading ----------------------------------------------------------- */

static void
must_have(struct med_set *set, const char *key, const char *text)
{
	struct arena *a = arena_new(0);
	struct str out;

	assert_true(med_set_entry(set, str_of(key), a, &out));
	assert_true(str_is(out, text));
	arena_free(&a);
}

static void
must_lack(struct med_set *set, const char *key)
{
	struct str out;

	assert_false(med_set_entry(set, str_of(key), NULL, &out));
}

static void
check_set(struct med_set *set)
{
	assert_non_null(med_set_sequence(set, STR("a")));
	assert_non_null(med_set_sequence(set, STR("gov:seq.xml")));
	must_have(set, "e", "from elsewhere");
	must_have(set, "conf:x.txt", "text");
	must_have(set, "conf:/x//./y/../y/t.txt", "deep");
	must_lack(set, "conf:x");
	must_lack(set, "conf:");
	must_lack(set, "");
	must_lack(set, "conf:.x");
	must_lack(set, "conf:../config/x.txt");
	must_lack(set, "conf:x/../../config/x.txt");
}

static struct med_set *
load(struct fixture *f, struct med_source *source)
{
	struct med_set *set;

	f->config.source = source;
	fixture_must_load(f);
	assert_int_equal(f->diag.warnings, 0);
	set = f->set;
	f->set = NULL;
	return set;
}

/* Also: a local entry's file goes along, once it was asked for. */
static void
test_same_sets(void **state UNUSED)
{
	struct fixture f;
	struct med_source *taken, *given;
	struct med_set *disk, *one, *two;
	char entry[300];

	make(&f);
	snprintf(entry, sizeof(entry), "<localEntry " NS " key='e' "
	    "src='file:%s/entry.txt'/>", f.root);
	fixture_file(&f, "local-entries/e.xml", entry);
	fixture_file(&f, "sequences/r.xml", "<sequence " NS " name='r'>"
	    "<sequence key='gov:seq.xml'/></sequence>");
	disk = load(&f, NULL);
	taken = must_capture(&f);
	one = load(&f, taken);
	given = hand_over(&f, taken);
	med_source_put(&taken);
	remove_all(&f);
	two = load(&f, given);
	med_source_put(&given);
	check_set(one);
	check_set(two);
	assert_string_equal(med_set_digest(disk), med_set_digest(one));
	assert_string_equal(med_set_digest(one), med_set_digest(two));
	med_set_put(&disk);
	med_set_put(&one);
	med_set_put(&two);
	fixture_fini(&f);
}

static void
test_root_may_be_a_file(void **state UNUSED)
{
	struct fixture f;
	struct med_source *taken, *given;
	struct med_set *set;
	char path[100];

	make(&f);
	snprintf(path, sizeof(path), "%s/sequences/a.xml", f.root);
	taken = med_source_capture(path, "", 1000, &f.diag);
	assert_non_null(taken);
	given = hand_over(&f, taken);
	set = load(&f, given);
	assert_non_null(med_set_sequence(set, STR("a")));
	assert_null(med_set_sequence(set, STR("b")));
	med_set_put(&set);
	med_source_put(&given);
	med_source_put(&taken);
	fixture_fini(&f);
}

static void
test_diagnostics_name_the_file(void **state UNUSED)
{
	struct fixture f;
	struct med_source *taken;
	char path[100];

	make(&f);
	fixture_file(&f, "sequences/c.xml", "<sequence " NS " name='c'>\n"
	    "<nonsense/></sequence>");
	taken = must_capture(&f);
	f.config.source = taken;
	fixture_load(&f);
	assert_null(f.set);
	snprintf(path, sizeof(path), "%s/sequences/c.xml", f.root);
	assert_string_equal(f.diag.item[0].file, path);
	assert_int_equal(f.diag.item[0].line, 2);
	med_source_put(&taken);
	fixture_fini(&f);
}

/* ---- what cannot be taken ---------------------------------------------- */

static void
test_limit(void **state UNUSED)
{
	struct fixture f;
	struct med_source *s;
	size_t all = 2 * strlen(SEQ("a")) + strlen("deep") + strlen("text") +
	    strlen(SEQ("z"));

	make(&f);
	assert_null(capture(&f, (int64_t)all - 1));
	assert_true(fixture_said(&f, DIAG_ERROR, 0, "does not fit"));
	assert_int_equal(f.diag.errors, 1);
	s = capture(&f, (int64_t)all);
	assert_non_null(s);
	med_source_put(&s);
	fixture_fini(&f);
}

/* A local entry counts too; it is told where it is asked for. */
static void
test_limit_of_elsewhere(void **state UNUSED)
{
	struct fixture f;
	struct med_source *s;
	char entry[300];

	fixture_init(&f);
	fixture_file(&f, "entry.txt", "0123456789");
	snprintf(entry, sizeof(entry), "<localEntry " NS " key='e' "
	    "src='file:%s/entry.txt'/>", f.root);
	fixture_file(&f, "local-entries/e.xml", entry);
	s = capture(&f, (int64_t)strlen(entry) + 9);
	assert_non_null(s);
	f.config.source = s;
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 1, "artifacts.max_size"));
	med_source_put(&s);
	fixture_fini(&f);
}

static void
refuses(struct fixture *f, const char *text)
{
	assert_null(capture(f, 1 << 20));
	assert_true(fixture_said(f, DIAG_ERROR, 0, text));
}

static void
test_links(void **state UNUSED)
{
	struct fixture f;
	struct med_source *s;
	char path[100];

	make(&f);
	snprintf(path, sizeof(path), "%s/sequences/l.xml", f.root);
	assert_return_code(symlink("/etc/passwd", path), 0);
	refuses(&f, "leads out of");
	unlink(path);
	assert_return_code(symlink("nowhere", path), 0);
	refuses(&f, "cannot be read: No such file");
	unlink(path);
	/* Out of the registry, though not out of the artifacts. */
	snprintf(path, sizeof(path), "%s/config/l", registry);
	assert_return_code(symlink("../../entry.txt", path), 0);
	refuses(&f, "leads out of");
	unlink(path);
	assert_return_code(symlink("x", path), 0);
	s = must_capture(&f);
	f.set = load(&f, s);
	must_have(f.set, "conf:l/y/t.txt", "deep");
	med_source_put(&s);
	fixture_fini(&f);
}

static void
test_what_is_no_snapshot(void **state UNUSED)
{
	struct err err;
	FILE *plain = tmpfile();

	assert_null(med_source_snapshot(fileno(plain), "/r", "", &err));
	assert_non_null(strstr(err.text, "not sealed"));
	assert_null(med_source_snapshot(-1, "/r", "", &err));
	fclose(plain);
}

/* Sealed and well-formed, but nothing that a capture would have made. */
static void
test_strange_snapshot(void **state UNUSED)
{
	struct snap_entry e[] = {
		{ .tree = MED_TREE_ARTIFACTS, .kind = SNAP_FOLDER,
		  .name = STR("") },
		{ .tree = MED_TREE_ARTIFACTS, .kind = SNAP_FILE,
		  .name = STR("sequences"), .data = STR("<x/>") },
		{ .tree = MED_TREE_ARTIFACTS, .kind = SNAP_FOLDER,
		  .name = STR("endpoints") },
		{ .tree = MED_TREE_ARTIFACTS, .kind = SNAP_FOLDER,
		  .name = STR("endpoints/e.xml") },
		{ .tree = MED_TREE_ARTIFACTS, .kind = SNAP_FILE,
		  .name = STR("endpoints//f.xml"), .data = STR("<x/>") },
		{ .tree = 77, .kind = SNAP_FILE, .name = STR("../../x"),
		  .data = STR("") },
	};
	struct fixture f;
	struct err err;
	int fd = snap_write(e, ARRAY_LEN(e), &err);

	fixture_init(&f);
	f.config.source = med_source_snapshot(fd, f.root, "", &err);
	assert_non_null(f.config.source);
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 0, "was not there"));
	med_source_put(&f.config.source);
	close(fd);
	/* Nothing at all. */
	fd = snap_write(NULL, 0, &err);
	f.config.source = med_source_snapshot(fd, f.root, "", &err);
	fixture_load(&f);
	assert_null(f.set);
	assert_true(fixture_said(&f, DIAG_ERROR, 0, "cannot read"));
	med_source_put(&f.config.source);
	close(fd);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_sorted_and_only_artifacts),
		cmocka_unit_test(test_same_sets),
		cmocka_unit_test(test_root_may_be_a_file),
		cmocka_unit_test(test_diagnostics_name_the_file),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_limit_of_elsewhere),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_what_is_no_snapshot),
		cmocka_unit_test(test_strange_snapshot),
	};
	int result;

	xml_global_init();
	result = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return result;
}
