/* SPDX-License-Identifier: Apache-2.0 */
/* Changing a document at the places a path selects. */
#include "msg/jsonpath.h"

#include <cjson/cJSON.h>
#include "msg/json.h"
#include "msg/jsonpath_priv.h"

/* A path may select a node twice: the second time it is in no tree. */
static bool
is_attached(const struct jsonpath_hit *h)
{
	return h->parent && h->node->prev;
}

enum jsonpath_result
jsonpath_set(const struct jsonpath *path, struct cJSON **root,
    const struct cJSON *value, struct arena *arena, struct err *err)
{
	struct jsonpath_hits hits;
	enum jsonpath_result rc = jsonpath_select(path, *root, arena, &hits,
	    err);

	if (rc != JSONPATH_FOUND)
		return rc;
	for (size_t i = 0; i < hits.count; i++) {
		const struct jsonpath_hit *h = &hits.hit[i];

		if (is_attached(h))
			json_replace(h->parent, h->node, json_copy(arena, value));
		else if (!h->parent && h->node == *root)
			*root = json_copy(arena, value);
	}
	return rc;
}

enum jsonpath_result
jsonpath_delete(const struct jsonpath *path, struct cJSON **root,
    struct arena *arena, struct err *err)
{
	struct jsonpath_hits hits;
	enum jsonpath_result rc = jsonpath_select(path, *root, arena, &hits,
	    err);

	if (rc != JSONPATH_FOUND)
		return rc;
	for (size_t i = 0; i < hits.count; i++) {
		const struct jsonpath_hit *h = &hits.hit[i];

		if (is_attached(h))
			json_detach(h->parent, h->node);
		else if (!h->parent && h->node == *root)
			*root = json_type_of(*root) == JSON_ARRAY ?
			    json_new_array(arena) : json_new_object(arena);
	}
	return rc;
}

/* A member that has the name already makes way. */
static void
rename_one(const struct jsonpath_hit *h, struct str name, struct arena *arena)
{
	struct cJSON *next;

	if (!is_attached(h))
		return;
	for (struct cJSON *c = json_first(h->parent); c; c = next) {
		next = json_next(c);
		if (c != h->node && str_eq(json_key(c, arena), name))
			json_detach(h->parent, c);
	}
	json_rename(arena, h->node, name);
}

enum jsonpath_result
jsonpath_rename(const struct jsonpath *path, struct cJSON *root,
    struct str name, struct arena *arena, struct err *err)
{
	struct jsonpath_hits hits;
	enum jsonpath_result rc = jsonpath_select(path, root, arena, &hits,
	    err);

	if (rc != JSONPATH_FOUND)
		return rc;
	for (size_t i = 0; i < hits.count; i++)
		if (!hits.hit[i].parent ||
		    json_type_of(hits.hit[i].parent) != JSON_OBJECT) {
			(void)err_set(err, ERR_NOTFOUND,
			    "%.*s selects what has no name",
			    STR_FMT(jsonpath_text(path)));
			return JSONPATH_ABSENT;
		}
	for (size_t i = 0; i < hits.count; i++)
		rename_one(&hits.hit[i], name, arena);
	return rc;
}

enum jsonpath_result
jsonpath_append(const struct jsonpath *path, struct cJSON *root,
    const struct cJSON *value, struct arena *arena, struct err *err)
{
	struct jsonpath_hits hits;
	enum jsonpath_result rc = jsonpath_select(path, root, arena, &hits,
	    err);

	if (rc != JSONPATH_FOUND)
		return rc;
	for (size_t i = 0; i < hits.count; i++)
		if (json_type_of(hits.hit[i].node) != JSON_ARRAY) {
			(void)err_set(err, ERR_VALUE, "%.*s is no array",
			    STR_FMT(jsonpath_text(path)));
			return JSONPATH_FAILED;
		}
	for (size_t i = 0; i < hits.count; i++)
		json_append(hits.hit[i].node, json_copy(arena, value));
	return rc;
}
