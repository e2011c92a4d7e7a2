/* SPDX-License-Identifier: Apache-2.0 */
/* JSON to XML (mediation.md 6.2). */
#include "msg/convert.h"

#include <libxml/tree.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/utf8.h"
#include "msg/json.h"

enum { MAX_DEPTH = 512, MAX_ATTRIBUTES = 1024 };

struct to_xml {
	xmlDoc *doc;
	struct arena *arena;
	struct err *err;
};

static bool
is_name_char(uint32_t c)
{
	if (c < 0x80)
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		    c == '.' || c == ':';
	return c == 0xB7 || (c >= 0xC0 && c != 0xD7 && c != 0xF7 &&
	    c != 0x37E && !(c >= 0x2000 && c <= 0x200B) &&
	    !(c >= 0x2010 && c <= 0x203E) && !(c >= 0x2041 && c <= 0x206F) &&
	    !(c >= 0x2190 && c <= 0x2BFF) && !(c >= 0x2FF0 && c <= 0x3000) &&
	    !(c >= 0xE000 && c <= 0xF8FF) && c != 0xFFFE && c != 0xFFFF);
}

static bool
is_name_start(uint32_t c)
{
	return is_name_char(c) && c != '-' && c != '.' && c != 0xB7 &&
	    !(c >= '0' && c <= '9') && !(c >= 0x300 && c <= 0x36F) &&
	    c != 0x203F && c != 0x2040;
}

/* Characters that no name has are written by number, so that a member name
 * can never become markup. */
static void
add_name(struct buf *b, struct str s, bool at_start)
{
	uint32_t c;
	size_t len;

	while ((len = utf8_decode(s.p, s.n, &c))) {
		if (at_start ? is_name_start(c) : is_name_char(c))
			buf_add(b, s.p, len);
		else
			buf_printf(b, "_JsonReader_%u_", (unsigned)c);
		at_start = false;
		s = str_from(s, len);
	}
}

static bool
is_plain_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 ||
		    !is_name_char((unsigned char)s.p[i]))
			return false;
	return s.n && is_name_start((unsigned char)s.p[0]);
}

struct str
convert_key_to_name(struct str key, struct arena *a)
{
	struct buf b = { .p = NULL };
	struct str name;

	if (is_plain_name(key))
		return key;
	if (key.n == 0)
		return STR("_JsonReader_PE_");
	if (key.p[0] >= '0' && key.p[0] <= '9') {
		buf_addz(&b, "_JsonReader_PD_");
		add_name(&b, key, false);
	} else if (key.p[0] == '$') {
		buf_addz(&b, "_JsonReader_PS_");
		add_name(&b, str_from(key, 1), false);
	} else {
		add_name(&b, key, true);
	}
	name = arena_str(a, buf_str(&b));
	buf_fini(&b);
	return name;
}

static const xmlChar *
zstr(struct arena *a, struct str s)
{
	return (const xmlChar *)arena_str(a, s).p;
}

static xmlNode *
new_element(const struct to_xml *to, struct str name)
{
	xmlNode *el = xmlNewDocNode(to->doc, NULL, zstr(to->arena, name),
	    NULL);

	must(el);
	return el;
}

static bool
is_scalar(const struct cJSON *n)
{
	enum json_type type = json_type_of(n);

	return type != JSON_OBJECT && type != JSON_ARRAY;
}

/* p == NULL for null. NUL, which XML cannot hold, becomes U+FFFD. */
static struct str
scalar_text(const struct to_xml *to, const struct cJSON *n)
{
	struct buf b = { .p = NULL };
	struct str s, part;

	switch (json_type_of(n)) {
	case JSON_TRUE:
		return STR("true");
	case JSON_FALSE:
		return STR("false");
	case JSON_NUMBER:
		return json_number_text(n);
	case JSON_STRING:
		break;
	case JSON_NULL:
	case JSON_ARRAY:
	case JSON_OBJECT:
		return STR_NULL;
	}
	s = json_string(n, to->arena);
	if (!s.n || !memchr(s.p, '\0', s.n))
		return s;
	str_next(&s, '\0', &part);
	buf_add_str(&b, part);
	while (str_next(&s, '\0', &part)) {
		buf_addz(&b, "\xEF\xBF\xBD");
		buf_add_str(&b, part);
	}
	s = arena_str(to->arena, buf_str(&b));
	buf_fini(&b);
	return s;
}

static void
add_text(const struct to_xml *to, xmlNode *el, struct str text)
{
	xmlNode *n;

	if (!text.p)
		return;
	n = xmlNewDocTextLen(to->doc, (const xmlChar *)text.p, (int)text.n);
	must(n);
	xmlAddChild(el, n);
}

static int fill(const struct to_xml *, xmlNode *el, const struct cJSON *,
    unsigned depth);

static int
add_element(const struct to_xml *to, xmlNode *parent, struct str name,
    const struct cJSON *value, unsigned depth)
{
	xmlNode *el = new_element(to, name);

	xmlAddChild(parent, el);
	return fill(to, el, value, depth);
}

/* An array that is no member's value. */
static int
add_items(const struct to_xml *to, xmlNode *el, const struct cJSON *array,
    unsigned depth)
{
	for (const struct cJSON *n = json_first(array); n; n = json_next(n)) {
		xmlNode *item = new_element(to, STR("jsonElement"));

		xmlAddChild(el, item);
		if (json_type_of(n) == JSON_ARRAY ?
		    add_element(to, item, STR("jsonArray"), n, depth) :
		    fill(to, item, n, depth))
			return -1;
	}
	return 0;
}

/* Also the array is a member's value: one element of its name for each item. */
static int
add_member(const struct to_xml *to, xmlNode *el, struct str name,
    const struct cJSON *value, unsigned depth)
{
	if (json_type_of(value) != JSON_ARRAY)
		return add_element(to, el, name, value, depth);
	for (const struct cJSON *n = json_first(value); n; n = json_next(n)) {
		xmlNode *item = new_element(to, name);

		xmlAddChild(el, item);
		if (json_type_of(n) == JSON_ARRAY ?
		    add_element(to, item, STR("jsonArray"), n, depth) :
		    fill(to, item, n, depth))
			return -1;
	}
	return 0;
}

static int
add_attribute(const struct to_xml *to, xmlNode *el, struct str name,
    const struct cJSON *value, unsigned *count)
{
	struct str text = scalar_text(to, value);

	if (++*count > MAX_ATTRIBUTES)
		return err_set(to->err, ERR_LIMIT, "JSON to XML: an object "
		    "has more than %d members that are attributes",
		    MAX_ATTRIBUTES);
	name = convert_key_to_name(name, to->arena);
	must(xmlSetNsProp(el, NULL, zstr(to->arena, name),
	    zstr(to->arena, text.p ? text : STR(""))));
	return 0;
}

static int
fill_object(const struct to_xml *to, xmlNode *el, const struct cJSON *object,
    unsigned depth)
{
	unsigned attributes = 0;

	for (const struct cJSON *n = json_first(object); n;
	    n = json_next(n)) {
		struct str key = json_key(n, to->arena);
		int rc = 0;

		if (is_scalar(n) && key.n > 1 && key.p[0] == '@')
			rc = add_attribute(to, el, str_from(key, 1), n,
			    &attributes);
		else if (is_scalar(n) && str_is(key, "$"))
			add_text(to, el, scalar_text(to, n));
		else
			rc = add_member(to, el,
			    convert_key_to_name(key, to->arena), n, depth);
		if (rc)
			return -1;
	}
	return 0;
}

static int
fill(const struct to_xml *to, xmlNode *el, const struct cJSON *value,
    unsigned depth)
{
	if (depth == 0)
		return err_set(to->err, ERR_LIMIT,
		    "JSON to XML: nested too deeply");
	switch (json_type_of(value)) {
	case JSON_OBJECT:
		return fill_object(to, el, value, depth - 1);
	case JSON_ARRAY:
		return add_items(to, el, value, depth - 1);
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_NUMBER:
	case JSON_STRING:
		add_text(to, el, scalar_text(to, value));
		return 0;
	}
	return 0;
}

struct _xmlNode *
convert_to_xml(struct _xmlDoc *doc, const struct cJSON *json,
    struct arena *scratch, struct err *err)
{
	struct to_xml to = { .doc = doc, .arena = scratch, .err = err };
	enum json_type type = json_type_of(json);
	xmlNode *root = new_element(&to,
	    type == JSON_OBJECT ? STR("jsonObject") :
	    type == JSON_ARRAY ? STR("jsonArray") : STR("jsonValue"));

	if (fill(&to, root, json, MAX_DEPTH)) {
		xmlFreeNode(root);
		return NULL;
	}
	return root;
}
