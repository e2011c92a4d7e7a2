/* SPDX-License-Identifier: Apache-2.0 */
/* What goes out on the wire, and how the log shows a body. */
#include <libxml/tree.h>

#include "base/b64.h"
#include "msg/json.h"
#include "msg/message_int.h"
#include "msg/xml.h"

/* Into the arena: what is sent lives as long as the message. */
static struct str
take(struct message *m, struct buf *b)
{
	struct str s = arena_str(m->arena, buf_str(b));

	buf_fini(b);
	return s;
}

static int
format_first(struct message *m, struct msg_output *out, struct err *err)
{
	struct buf b = { .p = NULL };
	xmlNode *first;

	if (message_soap_body(m, NULL, &first, err))
		return -1;
	if (!first) {
		out->none = true;
		return 0;
	}
	xml_print(first, &b);
	out->bytes = take(m, &b);
	return 0;
}

static int
format_envelope(struct message *m, struct msg_output *out, struct err *err)
{
	struct buf b = { .p = NULL };
	xmlDoc *doc;

	if (message_envelope(m, &doc, err))
		return -1;
	buf_addz(&b, "<?xml version='1.0' encoding='UTF-8'?>");
	xml_print(xmlDocGetRootElement(doc), &b);
	out->bytes = take(m, &b);
	return 0;
}

/* The bytes within the wrapper of a binary body; the text of any other. */
static int
format_binary(struct message *m, struct msg_output *out, struct err *err)
{
	struct str text;
	char *p;
	size_t n;

	if (m->s.has & HAS_BYTES && m->s.bytes_kind == CONTENT_BINARY) {
		out->bytes = m->s.bytes;
		return 0;
	}
	if (message_text(m, &text, err))
		return -1;
	p = arena_alloc(m->arena, text.n / 4 * 3 + 3);
	if (m->s.kind != CONTENT_TEXT && b64_decode(text.p, text.n, p, &n))
		text = (struct str){ p, n };
	out->bytes = text;
	return 0;
}

static int
format_as(struct message *m, enum content_kind kind, struct msg_output *out,
    struct err *err)
{
	switch (kind) {
	case CONTENT_JSON:
		return message_json_text(m, &out->bytes, err);
	case CONTENT_XML:
		return format_first(m, out, err);
	case CONTENT_SOAP11:
	case CONTENT_SOAP12:
		return format_envelope(m, out, err);
	case CONTENT_TEXT:
		return message_text(m, &out->bytes, err);
	case CONTENT_BINARY:
		return format_binary(m, out, err);
	case CONTENT_NONE:
		out->bytes = m->s.bytes.p ? m->s.bytes : STR("");
		return 0;
	}
	return 0;
}

static struct str
default_type(enum content_kind kind)
{
	switch (kind) {
	case CONTENT_JSON:
		return STR("application/json");
	case CONTENT_XML:
		return STR("application/xml");
	case CONTENT_SOAP11:
		return STR("text/xml");
	case CONTENT_SOAP12:
		return STR("application/soap+xml");
	case CONTENT_TEXT:
		return STR("text/plain");
	case CONTENT_BINARY:
	case CONTENT_NONE:
		return STR("application/octet-stream");
	}
	return STR_NULL;
}

/* Text of an own axis2 property; p == NULL when there is none. */
static struct str
own_text(struct message *m, struct str name)
{
	struct value v;

	if (!m->s.props || !message_own_prop(m, SCOPE_AXIS2, name, &v))
		return STR_NULL;
	return value_text(&v, m->arena);
}

/* Bytes that are what is asked for already. */
static bool
as_it_is(const struct message *m, enum content_kind kind)
{
	return m->s.whole && m->s.has & HAS_BYTES &&
	    (m->s.kind == CONTENT_NONE || kind == CONTENT_NONE ||
	    kind == m->s.bytes_kind);
}

int
message_format(struct message *m, struct msg_output *out, struct err *err)
{
	struct str set = own_text(m, STR("messageType"));
	struct str advertised = own_text(m, STR("ContentType"));
	struct str type = set.p ? set : m->s.type;
	enum content_kind kind = m->s.bytes_kind;

	*out = (struct msg_output){ .frame = MSG_TEXT };
	out->none = message_is_empty(m) || (m->s.props &&
	    str_iis(own_text(m, STR("NO_ENTITY_BODY")), "true"));
	if (out->none)
		return 0;
	out->type = advertised.p ? advertised : type;
	if (set.p || !m->s.whole)
		kind = content_kind_of(type);
	if (as_it_is(m, kind)) {
		out->bytes = m->s.bytes;
		out->frame = m->s.frame;
		return 0;
	}
	if (kind == CONTENT_NONE)
		kind = m->s.kind;
	if (!out->type.p)
		out->type = default_type(kind);
	out->frame = content_is_text(kind) ? MSG_TEXT : MSG_BINARY;
	return format_as(m, kind, out, err);
}

void
message_describe(struct message *m, struct buf *b)
{
	struct str text;
	struct err err;
	xmlDoc *doc;

	if (m->s.kind == CONTENT_JSON &&
	    !message_json_text(m, &text, &err) && !str_blank(text)) {
		buf_addz(b, "Payload: ");
		buf_add_str(b, text);
		return;
	}
	buf_addz(b, "Envelope: ");
	if (message_envelope(m, &doc, &err))
		buf_add_str(b, m->s.bytes);
	else
		xml_print(xmlDocGetRootElement(doc), b);
}
