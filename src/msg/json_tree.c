/* SPDX-License-Identifier: Apache-2.0 */
/* Building, changing and asking JSON trees. */
#include "msg/json.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/must.h"
#include "msg/json_node.h"

static cJSON *
node_make(struct arena *a, int type)
{
	cJSON *n = arena_zalloc(a, sizeof(*n));

	n->type = type;
	return n;
}

struct cJSON *
json_new_object(struct arena *a)
{
	return node_make(a, cJSON_Object);
}

struct cJSON *
json_new_array(struct arena *a)
{
	return node_make(a, cJSON_Array);
}

struct cJSON *
json_new_bool(struct arena *a, bool yes)
{
	return node_make(a, yes ? cJSON_True : cJSON_False);
}

struct cJSON *
json_new_null(struct arena *a)
{
	return node_make(a, cJSON_NULL);
}

/* U+0000 as C0 80. */
static struct str
hide_nuls(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n * 2 + 1), *o = p;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i]) {
			*o++ = s.p[i];
		} else {
			*o++ = (char)0xC0;
			*o++ = (char)0x80;
		}
	}
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

/* A copy fit for a node, and how it prints. */
static struct str
keep_text(struct arena *a, struct str s, int *flags)
{
	must(s.n < INT_MAX / 2);
	*flags = node_scan_slice(s) == s.n ? NODE_PLAIN : 0;
	if (s.n && memchr(s.p, '\0', s.n)) {
		*flags |= NODE_NUL;
		return hide_nuls(a, s);
	}
	return arena_str(a, s.p ? s : STR(""));
}

static void
set_key(struct arena *a, cJSON *n, struct str key)
{
	int flags;
	struct str kept = keep_text(a, key, &flags);

	n->type &= ~NODE_KEY_FLAGS;
	if (flags & NODE_PLAIN)
		n->type |= NODE_KEY_PLAIN;
	if (flags & NODE_NUL)
		n->type |= NODE_KEY_NUL;
	n->string = UNCONST(kept.p);
	node_set_key_len(n, kept.n);
}

static void
move_key(cJSON *to, const cJSON *from)
{
	to->type = (to->type & ~NODE_KEY_FLAGS) |
	    (from->type & NODE_KEY_FLAGS);
	to->string = from->string;
	node_set_key_len(to, node_key_len(from));
}

struct cJSON *
json_new_string(struct arena *a, struct str s)
{
	int flags;
	struct str kept = keep_text(a, s, &flags);
	cJSON *n = node_make(a, cJSON_String | flags);

	n->valuestring = UNCONST(kept.p);
	n->valueint = (int)kept.n;
	return n;
}

struct cJSON *
json_new_number(struct arena *a, struct str text)
{
	cJSON *n = node_make(a, cJSON_Number);

	must(text.n < INT_MAX / 2);
	n->valuestring = UNCONST(arena_str(a, text).p);
	n->valueint = (int)text.n;
	return n;
}

/* The node alone, without children and links. */
static cJSON *
copy_node(struct arena *a, const cJSON *from)
{
	cJSON *n = arena_alloc(a, sizeof(*n));

	*n = *from;
	n->next = n->prev = n->child = NULL;
	if (n->string)
		n->string = UNCONST(arena_str(a, node_raw_key(from)).p);
	if (node_is_box(n))
		n->valuestring = NULL;
	else if (n->valuestring)
		n->valuestring = UNCONST(arena_str(a,
		    node_raw_value(from)).p);
	return n;
}

struct cJSON *
json_copy(struct arena *a, const cJSON *from)
{
	cJSON *root = copy_node(a, from), *box = root;
	const cJSON *at = from->child, *from_box = from;

	root->string = NULL;
	root->type &= ~NODE_KEY_FLAGS;
	node_set_key_len(root, 0);
	if (!node_is_box(from))
		return root;
	for (;;) {
		while (!at) {
			if (from_box == from)
				return root;
			at = from_box->next;
			from_box = node_box(from_box);
			box = node_box(box);
		}
		json_append(box, copy_node(a, at));
		if (node_is_box(at) && at->child) {
			from_box = at;
			box = box->child->prev;
			at = at->child;
		} else {
			at = at->next;
		}
	}
}

void
json_append(struct cJSON *box, struct cJSON *item)
{
	cJSON *head = box->child;

	must(node_is_box(box));
	node_set_box(item, box);
	item->next = NULL;
	if (!head) {
		box->child = item;
		item->prev = item;
		return;
	}
	item->prev = head->prev;
	head->prev->next = item;
	head->prev = item;
}

void
json_add(struct arena *a, struct cJSON *object, struct str key,
    struct cJSON *item)
{
	set_key(a, item, key);
	json_append(object, item);
}

void
json_set(struct arena *a, struct cJSON *object, struct str key,
    struct cJSON *item)
{
	cJSON *old = json_member(object, key);

	if (old)
		json_replace(object, old, item);
	else
		json_add(a, object, key, item);
}

void
json_rename(struct arena *a, struct cJSON *item, struct str key)
{
	set_key(a, item, key);
}

/* key has NULs: compares in the nodes' form. */
static cJSON *
member_with_nul(const cJSON *object, struct str key)
{
	for (cJSON *n = object->child; n; n = n->next) {
		struct str raw = node_raw_key(n);
		size_t k = 0, i = 0;

		for (; k < key.n && i < raw.n; k++, i++) {
			if (key.p[k] == '\0' && raw.p[i] == (char)0xC0)
				i++;
			else if (key.p[k] != raw.p[i])
				break;
		}
		if (k == key.n && i == raw.n)
			return n;
	}
	return NULL;
}

struct cJSON *
json_member(const struct cJSON *object, struct str key)
{
	if (!object || !(object->type & cJSON_Object))
		return NULL;
	if (UNLIKELY(key.n && memchr(key.p, '\0', key.n)))
		return member_with_nul(object, key);
	for (cJSON *n = object->child; n; n = n->next)
		if (node_key_len(n) == key.n &&
		    memcmp(n->string, key.p, key.n) == 0)
			return n;
	return NULL;
}

void
json_detach(struct cJSON *parent, struct cJSON *item)
{
	cJSON *head = parent->child;

	if (item == head) {
		parent->child = item->next;
		if (item->next)
			item->next->prev = head->prev;
	} else {
		item->prev->next = item->next;
		if (item->next)
			item->next->prev = item->prev;
		else
			head->prev = item->prev;
	}
	item->next = item->prev = NULL;
	node_set_box(item, NULL);
}

void
json_replace(struct cJSON *parent, struct cJSON *old, struct cJSON *item)
{
	if (old == item)
		return;
	if (parent->type & cJSON_Object)
		move_key(item, old);
	node_set_box(item, parent);
	item->next = old->next;
	item->prev = old->prev == old ? item : old->prev;
	if (parent->child == old) {
		parent->child = item;
	} else {
		old->prev->next = item;
	}
	if (old->next)
		old->next->prev = item;
	else
		parent->child->prev = item;
	old->next = old->prev = NULL;
	node_set_box(old, NULL);
}

enum json_type
json_type_of(const struct cJSON *n)
{
	switch (node_type(n)) {
	case cJSON_Object:
		return JSON_OBJECT;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_String:
		return JSON_STRING;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_True:
		return JSON_TRUE;
	case cJSON_False:
		return JSON_FALSE;
	default:
		return JSON_NULL;
	}
}

struct cJSON *
json_first(const struct cJSON *box)
{
	return box->child;
}

struct cJSON *
json_next(const struct cJSON *item)
{
	return item->next;
}

struct cJSON *
json_parent(const struct cJSON *box)
{
	return node_is_box(box) ? node_box(box) : NULL;
}

size_t
json_count(const struct cJSON *box)
{
	size_t n = 0;

	for (const cJSON *c = box->child; c; c = c->next)
		n++;
	return n;
}

/* C0 80 back to U+0000. */
static struct str
show_nuls(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1), *o = p;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == (char)0xC0) {
			*o++ = '\0';
			i++;
		} else {
			*o++ = s.p[i];
		}
	}
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

struct str
json_string(const struct cJSON *n, struct arena *a)
{
	struct str s = node_raw_value(n);

	must(!node_is_box(n));
	return n->type & NODE_NUL ? show_nuls(a, s) : s;
}

struct str
json_key(const struct cJSON *n, struct arena *a)
{
	struct str s = node_raw_key(n);

	return n->type & NODE_KEY_NUL ? show_nuls(a, s) : s;
}

struct str
json_number_text(const struct cJSON *n)
{
	must(n->type & cJSON_Number);
	return node_raw_value(n);
}

double
json_number(const struct cJSON *n)
{
	must(n->type & cJSON_Number);
	return strtod(n->valuestring, NULL);
}
