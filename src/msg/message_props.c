/* SPDX-License-Identifier: Apache-2.0 */
/* Properties and variables: one list in order of setting, searched from its
 * front while it is short and by hash when it is long. */
#include <libxml/tree.h>

#include "base/hmap.h"
#include "base/must.h"
#include "msg/json.h"
#include "msg/message_int.h"
#include "msg/sysprop.h"
#include "msg/xml.h"

enum { INDEX_FROM = 32 };	/* this many, and a hash table helps */

bool
msg_scope_parse(struct str word, enum msg_scope *out)
{
	static const struct {
		const char *word;
		enum msg_scope scope;
	} scopes[] = {
		{ "default", SCOPE_DEFAULT }, { "synapse", SCOPE_DEFAULT },
		{ "axis2", SCOPE_AXIS2 },
		{ "axis2-client", SCOPE_AXIS2_CLIENT },
		{ "transport", SCOPE_TRANSPORT },
		{ "operation", SCOPE_OPERATION }, { "trace", SCOPE_TRACE },
		{ "analytics", SCOPE_ANALYTICS }, { "system", SCOPE_SYSTEM },
		{ "registry", SCOPE_REGISTRY }, { "env", SCOPE_ENV },
		{ "file", SCOPE_FILE }, { "func", SCOPE_FUNC },
	};

	for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
		if (str_is(word, scopes[i].word)) {
			*out = scopes[i].scope;
			return true;
		}
	return false;
}

static inline uint64_t
tag_of(unsigned scope, struct str name)
{
	return (uint64_t)scope << 56 | name.n;
}

/* Names of headers are the same in any case. */
static inline bool
same_name(unsigned scope, struct str a, struct str b)
{
	if (scope == SCOPE_TRANSPORT)
		return str_ieq(a, b);
	return memcmp(a.p, b.p, a.n) == 0;
}

static size_t
slot_of(const struct message *m, uint64_t tag, struct str name)
{
	uint64_t h = tag >> 56;
	char lower[64];

	if ((tag >> 56) == SCOPE_TRANSPORT) {
		/* The rest of a long header name is left to the search. */
		struct str head = str_head(name, sizeof(lower));

		for (size_t i = 0; i < head.n; i++)
			lower[i] = ascii_lower(head.p[i]);
		h += hash_bytes(lower, head.n);
	} else {
		h += hash_bytes(name.p, name.n);
	}
	return (size_t)h & (m->s.index_size - 1);
}

static void
index_put(struct message *m, struct prop *p)
{
	size_t i = slot_of(m, p->tag, p->name);

	while (m->s.index[i])
		i = (i + 1) & (m->s.index_size - 1);
	m->s.index[i] = p;
}

static void
index_grow(struct message *m)
{
	m->s.index_size = m->s.index_size ? m->s.index_size * 4 :
	    INDEX_FROM * 4;
	m->s.index = arena_zalloc(m->arena,
	    m->s.index_size * sizeof(struct prop *));
	for (struct prop *p = m->s.props; p; p = p->next)
		index_put(m, p);
}

static struct prop *
find(const struct message *m, unsigned scope, struct str name)
{
	uint64_t tag = tag_of(scope, name);

	if (name.n == 0)
		name.p = "";
	if (UNLIKELY(m->s.index != NULL)) {
		size_t i = slot_of(m, tag, name);

		for (; m->s.index[i]; i = (i + 1) & (m->s.index_size - 1)) {
			struct prop *p = m->s.index[i];

			if (p->tag == tag && same_name(scope, p->name, name))
				return p;
		}
		return NULL;
	}
	for (struct prop *p = m->s.props; p; p = p->next)
		if (p->tag == tag && same_name(scope, p->name, name))
			return p;
	return NULL;
}

static struct prop *
find_or_add(struct message *m, unsigned scope, struct str name)
{
	struct prop *p = find(m, scope, name);

	if (p)
		return p;
	p = arena_alloc(m->arena, sizeof(*p));
	*p = (struct prop){ .tag = tag_of(scope, name),
		.name = arena_str(m->arena, name.p ? name : STR("")),
		.gone = true };
	if (m->s.last_prop)
		m->s.last_prop->next = p;
	else
		m->s.props = p;
	m->s.last_prop = p;
	if (++m->s.prop_count < INDEX_FROM)
		return p;
	if (m->s.prop_count * 2 > m->s.index_size)
		index_grow(m);
	else
		index_put(m, p);
	return p;
}

bool
message_own_prop(const struct message *m, enum msg_scope scope,
    struct str name, struct value *out)
{
	const struct prop *p = find(m, scope, name);

	if (!p || p->gone || p->value.type == VALUE_NULL)
		return false;
	*out = p->value;
	return true;
}

static bool
is_type_name(struct str name)
{
	return str_is(name, "messageType") || str_is(name, "ContentType");
}

static bool
system_prop(struct message *m, struct str name, struct value *out)
{
	struct str text;

	if (!sysprop_get(name, &text))
		return false;
	*out = VALUE_OF_STR(arena_str(m->arena, text));
	return true;
}

bool
message_prop(struct message *m, enum msg_scope scope, struct str name,
    struct value *out)
{
	const struct prop *p = find(m, scope, name);

	if (p) {
		*out = p->value;
		return !p->gone && p->value.type != VALUE_NULL;
	}
	/* What the builder of the body says it is. */
	if (scope == SCOPE_AXIS2 && m->s.type.p && is_type_name(name)) {
		*out = VALUE_OF_STR(m->s.type);
		return true;
	}
	if (m->s.has_context && m->context.get &&
	    m->context.get(m->context.ctx, scope, name, m->arena, out))
		return true;
	return scope == SCOPE_SYSTEM && system_prop(m, name, out);
}

struct str
message_prop_text(struct message *m, enum msg_scope scope, struct str name)
{
	struct value v;

	if (!message_prop(m, scope, name, &v))
		return STR_NULL;
	return value_text(&v, m->arena);
}

bool
message_prop_is_true(struct message *m, enum msg_scope scope,
    struct str name)
{
	struct value v;

	return message_prop(m, scope, name, &v) && v.type == VALUE_BOOL &&
	    v.b;
}

static void
set(struct message *m, unsigned scope, struct str name, struct value v)
{
	struct prop *p = find_or_add(m, scope, name);

	p->value = v;
	p->gone = false;
}

void
message_set_prop(struct message *m, enum msg_scope scope, struct str name,
    struct value v)
{
	must(scope < SCOPE_COUNT);
	if (v.type == VALUE_NULL && scope == SCOPE_DEFAULT)
		return;
	if (v.type == VALUE_NULL && scope == SCOPE_TRANSPORT)
		v = VALUE_OF_STR(STR(""));
	set(m, scope, name, v);
	if (scope == SCOPE_AXIS2 && str_is(name, "messageType"))
		set(m, scope, STR("ContentType"), v);
}

void
message_del_prop(struct message *m, enum msg_scope scope, struct str name)
{
	must(scope < SCOPE_COUNT);
	find_or_add(m, scope, name)->gone = true;
}

/* The name stays in its place but is never found again. */
void
message_forget_prop(struct message *m, enum msg_scope scope, struct str name)
{
	struct prop *p = find(m, scope, name);

	if (p) {
		p->gone = true;
		p->tag = UINT64_MAX;
	}
}

static bool
next_of(const struct message *m, unsigned scope, const void **at,
    struct str *name_out, struct value *out)
{
	const struct prop *p = *at ? ((const struct prop *)*at)->next :
	    m->s.props;

	while (p && (p->gone || p->tag >> 56 != scope))
		p = p->next;
	if (!p)
		return false;
	*at = p;
	*name_out = p->name;
	*out = p->value;
	return true;
}

bool
message_next_prop(const struct message *m, enum msg_scope scope,
    const void **at, struct str *name_out, struct value *out)
{
	return next_of(m, scope, at, name_out, out);
}

bool
message_next_var(const struct message *m, const void **at,
    struct str *name_out, struct value *out)
{
	return next_of(m, VARIABLES, at, name_out, out);
}

bool
message_var(const struct message *m, struct str name, struct value *out)
{
	const struct prop *p = find(m, VARIABLES, name);

	if (!p || p->gone)
		return false;
	*out = p->value;
	return true;
}

void
message_set_var(struct message *m, struct str name, struct value v)
{
	set(m, VARIABLES, name, v);
}

void
message_del_var(struct message *m, struct str name)
{
	struct prop *p = find(m, VARIABLES, name);

	if (p)
		p->gone = true;
}

void
message_copy_props(struct message *to, struct message *from)
{
	for (const struct prop *p = from->s.props; p; p = p->next) {
		if (p->tag == UINT64_MAX)
			continue;
		if (p->gone)
			find_or_add(to, (unsigned)(p->tag >> 56), p->name);
		else
			set(to, (unsigned)(p->tag >> 56), p->name,
			    value_copy(&p->value, to->arena));
	}
}
