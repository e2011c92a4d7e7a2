/* SPDX-License-Identifier: Apache-2.0 */
/* Messages and their pool. */
#include "msg/message.h"

#include <stdlib.h>

#include "base/must.h"
#include "base/rand.h"
#include "msg/json.h"
#include "msg/message_int.h"
#include "msg/split.h"
#include "msg/xml.h"

enum {
	CHUNK_MIN = 16 * 1024,
	CHUNK_MAX = 256 * 1024,
	SMALL_RUN = 256,	/* this many small ones, and a chunk shrinks */
};

struct msg_pool *
msg_pool_new(unsigned keep, const struct msg_limits *limits)
{
	struct msg_pool *pool = xcalloc(1, sizeof(*pool));

	pool->keep = keep;
	if (limits)
		pool->limits = *limits;
	if (!pool->limits.max_bytes)
		pool->limits.max_bytes = 16 << 20;
	return pool;
}

static void
message_destroy(struct message *m)
{
	arena_free(&m->arena);
	free(m);
}

void
msg_pool_free(struct msg_pool **poolp)
{
	struct msg_pool *pool = *poolp;

	if (!pool)
		return;
	*poolp = NULL;
	must(pool->out == 0);
	while (pool->idle) {
		struct message *m = pool->idle;

		pool->idle = m->next_idle;
		message_destroy(m);
	}
	free(pool);
}

struct message *
message_new(struct msg_pool *pool)
{
	struct message *m = pool->idle;

	pool->out++;
	if (LIKELY(m != NULL)) {
		pool->idle = m->next_idle;
		pool->idle_count--;
		m->s = (struct msg_state){ 0 };
		return m;
	}
	m = xcalloc(1, sizeof(*m));
	m->pool = pool;
	m->chunk = CHUNK_MIN;
	m->arena = arena_new(m->chunk);
	return m;
}

static void
set_chunk(struct message *m, size_t used)
{
	size_t want = CHUNK_MIN;

	while (want < CHUNK_MAX && used > want - want / 4)
		want *= 2;
	if (want == m->chunk)
		return;
	arena_free(&m->arena);
	m->arena = arena_new(want);
	m->chunk = want;
}

/*
 * The chunk that an arena keeps follows the messages, so that those of usual
 * size never ask the heap: it grows at once and shrinks after many that were
 * far smaller.
 */
static void
fit_arena(struct message *m, size_t used)
{
	struct msg_pool *pool = m->pool;

	if (UNLIKELY(used > m->chunk - m->chunk / 8)) {
		set_chunk(m, used);
	} else if (UNLIKELY(m->chunk != CHUNK_MIN)) {
		if (used > m->chunk / 4)
			pool->small = 0;
		else if (++pool->small >= SMALL_RUN)
			set_chunk(m, used);
	}
}

void
message_free(struct message **mp)
{
	struct message *m = *mp;
	struct msg_pool *pool;

	if (!m)
		return;
	*mp = NULL;
	pool = m->pool;
	must(pool->out > 0);
	pool->out--;
	if (pool->idle_count >= pool->keep) {
		message_destroy(m);
		return;
	}
	fit_arena(m, arena_used(m->arena));
	arena_reset(m->arena);
	m->next_idle = pool->idle;
	pool->idle = m;
	pool->idle_count++;
}

struct arena *
message_arena(struct message *m)
{
	return m->arena;
}

void
message_set_context(struct message *m, const struct msg_context *ctx)
{
	m->context = *ctx;
	m->s.has_context = true;
}

struct msg_context *
message_context(struct message *m)
{
	if (!m->s.has_context) {
		m->context = (struct msg_context){ .get = NULL };
		m->s.has_context = true;
	}
	return &m->context;
}

bool
message_is_response(const struct message *m)
{
	return m->s.response;
}

void
message_set_response(struct message *m, bool response)
{
	m->s.response = response;
}

struct str
message_id(struct message *m)
{
	uint8_t r[16];

	if (m->s.id.p)
		return m->s.id;
	rand_bytes(r, sizeof(r));
	r[6] = (uint8_t)((r[6] & 0x0F) | 0x40);
	r[8] = (uint8_t)((r[8] & 0x3F) | 0x80);
	m->s.id = arena_printf(m->arena, "urn:uuid:%02x%02x%02x%02x-%02x%02x-"
	    "%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0], r[1], r[2],
	    r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12],
	    r[13], r[14], r[15]);
	return m->s.id;
}

static int
address_index(struct str name)
{
	static const char *const names[ADDRESSES] = {
		"To", "From", "Action", "FaultTo", "ReplyTo", "RelatesTo",
	};

	for (int i = 0; i < ADDRESSES; i++)
		if (str_is(name, names[i]))
			return i;
	return -1;
}

struct str
message_addressing(const struct message *m, struct str name)
{
	int i = m->s.has_address ? address_index(name) : -1;

	return i < 0 ? STR_NULL : m->address[i];
}

int
message_set_addressing(struct message *m, struct str name, struct str value)
{
	int i = address_index(name);

	if (i < 0)
		return -1;
	if (!m->s.has_address) {
		m->s.has_address = true;
		for (int k = 0; k < ADDRESSES; k++)
			m->address[k] = STR_NULL;
	}
	m->address[i] = arena_str(m->arena, value);
	return 0;
}

static void
copy_body(struct message *to, struct message *from)
{
	struct err err;

	to->s.has = from->s.has & HAS_BYTES;
	if (from->s.has & HAS_BYTES)
		to->s.bytes = arena_str(to->arena, from->s.bytes);
	else if (from->s.has & HAS_JSON) {
		to->s.json = json_copy(to->arena, from->s.json);
		to->s.has = HAS_JSON;
	}
	/* An envelope that is not needed for the body may have headers. */
	if (!from->s.doc || (to->s.has && !xml_soap_header(from->s.doc)))
		return;
	if (!xml_copy_doc(to->arena, from->s.doc, &to->s.doc, &err) &&
	    !to->s.has)
		to->s.has = from->s.has & HAS_DOC;
}

struct message *
message_fork(struct message *from)
{
	struct message *to = message_new(from->pool);

	to->s.kind = from->s.kind;
	to->s.frame = from->s.frame;
	to->s.changed = true;
	to->s.response = from->s.response;
	to->s.type = arena_str(to->arena, from->s.type);
	if (from->s.has_context)
		message_set_context(to, &from->context);
	if (from->s.has_address) {
		to->s.has_address = true;
		for (int i = 0; i < ADDRESSES; i++)
			to->address[i] = arena_str(to->arena,
			    from->address[i]);
	}
	message_copy_props(to, from);
	return to;
}

struct message *
message_copy(struct message *from)
{
	struct message *to = message_fork(from);

	to->s.bytes_kind = from->s.bytes_kind;
	to->s.whole = from->s.whole;
	to->s.changed = from->s.changed;
	copy_body(to, from);
	return to;
}

size_t
message_weight(const struct message *m)
{
	size_t n = arena_used(m->arena);

	return m->s.doc ? n + split_weight(m->s.doc) : n;
}
