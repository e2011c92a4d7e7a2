/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of a body and how one is made from another. */
#include <libxml/tree.h>

#include "base/b64.h"
#include "base/must.h"
#include "msg/convert.h"
#include "msg/json.h"
#include "msg/message_int.h"
#include "msg/xml.h"

void
message_body_is(struct message *m, unsigned has, enum content_kind kind)
{
	m->s.has = has;
	m->s.kind = kind;
	m->s.changed = true;
	m->s.whole = false;
	m->s.borrowed = false;
	if (!(has & HAS_BYTES))
		m->s.bytes = STR_NULL;
	if (!(has & HAS_JSON))
		m->s.json = NULL;
}

/* Most messages are of the type of the one before. */
static enum content_kind
kind_of(struct msg_pool *pool, struct str type)
{
	if (type.n && type.n == pool->type_len &&
	    memcmp(type.p, pool->type_text, type.n) == 0)
		return pool->type_kind;
	if (type.n == 0 || type.n > sizeof(pool->type_text))
		return content_kind_of(type);
	memcpy(pool->type_text, type.p, type.n);
	pool->type_len = type.n;
	pool->type_kind = content_kind_of(type);
	return pool->type_kind;
}

void
message_set_wire(struct message *m, struct str bytes, struct str type,
    enum msg_frame frame)
{
	m->s.bytes = bytes.p ? bytes : STR("");
	m->s.type = type;
	m->s.frame = frame;
	m->s.kind = m->s.bytes_kind = kind_of(m->pool, type);
	m->s.has = HAS_BYTES;
	m->s.whole = m->s.borrowed = true;
	m->s.changed = false;
	m->s.json = NULL;
	m->s.doc = NULL;
}

void
message_own(struct message *m)
{
	if (!m->s.borrowed)
		return;
	m->s.bytes = arena_str(m->arena, m->s.bytes);
	m->s.type = arena_str(m->arena, m->s.type);
	m->s.borrowed = false;
}

/* type stays borrowed when only the body is replaced. */
static void
keep_type(struct message *m)
{
	if (m->s.borrowed)
		m->s.type = arena_str(m->arena, m->s.type);
}

enum content_kind
message_kind(const struct message *m)
{
	return m->s.kind;
}

bool
message_is_empty(const struct message *m)
{
	return m->s.has == 0;
}

bool
message_changed(const struct message *m)
{
	return m->s.changed;
}

int
message_check_size(const struct message *m, struct err *err)
{
	if (m->s.bytes.n > m->pool->limits.max_bytes)
		return err_set(err, ERR_LIMIT, "body of %zu bytes is too long "
		    "to be looked into (limit %zu)", m->s.bytes.n,
		    m->pool->limits.max_bytes);
	return 0;
}

static struct str
base64_of(struct message *m, struct str s)
{
	size_t n = b64_encoded_len(s.n);
	char *p = arena_alloc(m->arena, n + 1);

	b64_encode(s.p, s.n, p);
	p[n] = '\0';
	return (struct str){ p, n };
}

static bool
is_xml_kind(enum content_kind kind)
{
	return kind == CONTENT_XML || kind == CONTENT_SOAP11 ||
	    kind == CONTENT_SOAP12;
}

/* Body child made from what the body is; *out stays NULL without a body. */
static int
wrap_bytes(struct message *m, xmlDoc *doc, xmlNode **out, struct err *err)
{
	struct cJSON *json;

	switch (m->s.kind) {
	case CONTENT_JSON:
		if (!(m->s.has & HAS_JSON) && str_blank(m->s.bytes))
			return 0;
		if (message_json(m, &json, err))
			return -1;
		*out = convert_to_xml(doc, json, m->arena, err);
		return *out ? 0 : -1;
	case CONTENT_TEXT:
		*out = xml_new_wrapper(doc, "text", m->s.bytes);
		return 0;
	case CONTENT_BINARY:
		*out = xml_new_wrapper(doc, "binary",
		    base64_of(m, m->s.bytes));
		return 0;
	case CONTENT_NONE:
	case CONTENT_XML:
	case CONTENT_SOAP11:
	case CONTENT_SOAP12:
		return 0;
	}
	return 0;
}

static int
build_envelope(struct message *m, struct err *err)
{
	xmlDoc *doc;

	if (m->s.has && message_check_size(m, err))
		return -1;
	if (is_xml_kind(m->s.kind) && m->s.has & HAS_BYTES &&
	    !str_blank(m->s.bytes)) {
		doc = xml_parse(m->arena, m->s.bytes,
		    m->pool->limits.xml_depth, err);
		if (!doc || xml_make_envelope(doc, m->s.kind == CONTENT_XML ?
		    XML_WRAP : XML_EXPECT_SOAP, err))
			return -1;
	} else {
		xmlNode *child = NULL;

		doc = xml_new_envelope(m->arena);
		if (m->s.has && wrap_bytes(m, doc, &child, err))
			return -1;
		if (child)
			xmlAddChild(xml_soap_body(doc), child);
	}
	if (m->s.doc)
		xml_copy_headers(doc, m->s.doc);
	m->s.doc = doc;
	m->s.has |= m->s.has ? HAS_DOC : 0;
	return 0;
}

int
message_envelope(struct message *m, struct _xmlDoc **out, struct err *err)
{
	bool have = m->s.has & HAS_DOC || (m->s.has == 0 && m->s.empty_doc);

	if (!have && build_envelope(m, err))
		return -1;
	m->s.empty_doc = m->s.has == 0;
	*out = m->s.doc;
	return 0;
}

int
message_soap_body(struct message *m, struct _xmlNode **body_out,
    struct _xmlNode **first_out, struct err *err)
{
	xmlDoc *doc;
	xmlNode *body;

	if (message_envelope(m, &doc, err))
		return -1;
	body = xml_soap_body(doc);
	if (body_out)
		*body_out = body;
	if (first_out)
		*first_out = body ? xmlFirstElementChild(body) : NULL;
	return 0;
}

static int
json_of_xml(struct message *m, struct cJSON **out, struct err *err)
{
	xmlNode *first;

	if (message_soap_body(m, NULL, &first, err))
		return -1;
	if (!first)
		return err_set(err, ERR_NOTFOUND, "the message has no body");
	*out = convert_to_json(first, m->arena, err);
	return *out ? 0 : -1;
}

int
message_json(struct message *m, struct cJSON **out, struct err *err)
{
	if (!(m->s.has & HAS_JSON)) {
		if (m->s.kind != CONTENT_JSON) {
			if (json_of_xml(m, &m->s.json, err))
				return -1;
		} else {
			if (message_check_size(m, err))
				return -1;
			if (m->s.has == 0 || str_blank(m->s.bytes))
				return err_set(err, ERR_NOTFOUND,
				    "the message has no body");
			m->s.json = json_parse(m->arena, m->s.bytes,
			    m->pool->limits.json_depth, err);
			if (!m->s.json)
				return -1;
		}
		m->s.has |= HAS_JSON;
	}
	*out = m->s.json;
	return 0;
}

int
message_json_text(struct message *m, struct str *out, struct err *err)
{
	struct cJSON *json;

	if (m->s.has & HAS_BYTES && m->s.bytes_kind == CONTENT_JSON) {
		*out = m->s.bytes;
		return 0;
	}
	if (m->s.has == 0) {
		*out = STR("");
		return 0;
	}
	if (message_json(m, &json, err))
		return -1;
	*out = json_text(json, m->arena);
	if (m->s.kind == CONTENT_JSON) {
		m->s.bytes = *out;
		m->s.bytes_kind = CONTENT_JSON;
		m->s.has |= HAS_BYTES;
	}
	return 0;
}

int
message_text(struct message *m, struct str *out, struct err *err)
{
	xmlNode *first;

	if (m->s.has & HAS_BYTES && m->s.bytes_kind == CONTENT_TEXT) {
		*out = m->s.bytes;
		return 0;
	}
	if (message_soap_body(m, NULL, &first, err))
		return -1;
	*out = first ? xml_own_text(first, m->arena) : STR("");
	return 0;
}

void
message_json_changed(struct message *m)
{
	must(m->s.has & HAS_JSON);
	keep_type(m);
	message_body_is(m, HAS_JSON, CONTENT_JSON);
}

void
message_envelope_changed(struct message *m)
{
	enum content_kind kind = is_xml_kind(m->s.kind) ? m->s.kind :
	    CONTENT_XML;

	must(m->s.doc);
	keep_type(m);
	message_body_is(m, HAS_DOC, kind);
}

static void
set_bytes(struct message *m, struct str bytes, enum content_kind kind)
{
	keep_type(m);
	message_body_is(m, HAS_BYTES, kind);
	m->s.bytes = arena_str(m->arena, bytes.p ? bytes : STR(""));
	m->s.bytes_kind = kind;
}

void
message_set_json_text(struct message *m, struct str text)
{
	set_bytes(m, text, CONTENT_JSON);
}

void
message_set_text(struct message *m, struct str text)
{
	set_bytes(m, text, CONTENT_TEXT);
}

void
message_set_binary(struct message *m, struct str bytes)
{
	set_bytes(m, bytes, CONTENT_BINARY);
}

void
message_set_json(struct message *m, struct cJSON *root)
{
	keep_type(m);
	message_body_is(m, HAS_JSON, CONTENT_JSON);
	m->s.json = root;
}

int
message_set_xml(struct message *m, struct _xmlDoc *doc, struct err *err)
{
	enum content_kind kind = is_xml_kind(m->s.kind) ? m->s.kind :
	    CONTENT_XML;
	bool envelope = xml_is_envelope(doc);

	xml_keep_doc(m->arena, doc);
	if (xml_make_envelope(doc, XML_WRAP_UNLESS_SOAP, err))
		return -1;
	if (m->s.doc && !envelope)
		xml_copy_headers(doc, m->s.doc);
	keep_type(m);
	message_body_is(m, HAS_DOC, kind);
	m->s.doc = doc;
	return 0;
}

void
message_set_body(struct message *m, struct str bytes, struct str type,
    enum msg_frame frame)
{
	message_set_wire(m, arena_str(m->arena, bytes),
	    arena_str(m->arena, type), frame);
	m->s.borrowed = false;
	m->s.changed = true;
	message_forget_prop(m, SCOPE_AXIS2, STR("messageType"));
	message_forget_prop(m, SCOPE_AXIS2, STR("ContentType"));
}

void
message_set_empty(struct message *m)
{
	keep_type(m);
	message_body_is(m, 0, CONTENT_NONE);
	m->s.empty_doc = false;
}
