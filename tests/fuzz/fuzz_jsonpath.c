/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSONPaths, one a text, on one document: what does not compile says where;
 * what does gives a value that prints as JSON, and can be written by.
 */
#include "fuzz.h"

#include <stdlib.h>

#include "base/must.h"
#include "msg/json.h"
#include "msg/jsonpath.h"

static const char document[] = "{\"a\":{\"b\":[1,2.50,{\"c\":\"x\"}],"
    "\"k\":null,\"t\":true,\"f\":12345678.9},\"l\":[{\"i\":1,\"n\":\"A\"},"
    "{\"i\":2,\"n\":\"B\",\"p\":9},{\"i\":\"3\",\"p\":1e400}],"
    "\"n\":[3,1,2],\"d\":1,\"d\":2,\"e\":[],\"g\":[[\"a\",\"b\"],[\"c\"]]}";

static struct arena *arena;

static struct cJSON *
fresh(void)
{
	struct cJSON *root = json_parse(arena, str_of(document), 0, NULL);

	must(root);
	return root;
}

static void
check_read(const struct jsonpath *path)
{
	struct cJSON *root = fresh(), *got = NULL;
	struct err err = { .kind = ERR_NONE };

	switch (jsonpath_read(path, root, arena, &got, &err)) {
	case JSONPATH_FOUND:
		must(jsonpath_is_definite(path) ||
		    json_type_of(got) == JSON_ARRAY);
		must(json_text(got, arena).n > 0);
		break;
	case JSONPATH_ABSENT:
		must(err.kind == ERR_NOTFOUND);
		break;
	case JSONPATH_FAILED:
		must(err.kind == ERR_LIMIT);
		break;
	}
	must(str_is(json_text(root, arena), document));
}

static void
check_write(const struct jsonpath *path)
{
	struct cJSON *root = fresh();
	struct cJSON *value = json_new_string(arena, STR("v"));
	enum jsonpath_result rc;

	rc = jsonpath_set(path, &root, value, arena, NULL);
	must(rc == JSONPATH_FOUND || str_is(json_text(root, arena), document));
	must(json_parse(arena, json_text(root, arena), 0, NULL));
	root = fresh();
	rc = jsonpath_delete(path, &root, arena, NULL);
	must(rc == JSONPATH_FOUND || str_is(json_text(root, arena), document));
	must(json_parse(arena, json_text(root, arena), 0, NULL));
	root = fresh();
	rc = jsonpath_rename(path, root, STR("n"), arena, NULL);
	must(rc == JSONPATH_FOUND || str_is(json_text(root, arena), document));
	rc = jsonpath_append(path, root, value, arena, NULL);
	must(rc == JSONPATH_FOUND || rc == JSONPATH_ABSENT ||
	    rc == JSONPATH_FAILED);
	must(json_parse(arena, json_text(root, arena), 0, NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct err err = { .kind = ERR_NONE };
	struct jsonpath *path;

	if (!arena)
		arena = arena_new(0);
	path = jsonpath_compile(arena, (struct str){ (const char *)p, n },
	    &err);
	if (path) {
		check_read(path);
		check_write(path);
	} else {
		must(err.kind == ERR_SYNTAX || err.kind == ERR_UNSUPPORTED);
		must(err.at.column > 0 && (size_t)err.at.column <= n + 1);
	}
	arena_reset(arena);
	return 0;
}
