/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/content.h"

static const struct {
	const char *name;
	enum content_kind kind;
} types[] = {
	{ "application/json", CONTENT_JSON },
	{ "text/json", CONTENT_JSON },
	{ "application/xml", CONTENT_XML },
	{ "text/xml", CONTENT_SOAP11 },
	{ "application/soap+xml", CONTENT_SOAP12 },
	{ "text/plain", CONTENT_TEXT },
	{ "application/octet-stream", CONTENT_BINARY },
};

static bool
iends(struct str s, struct str end)
{
	return s.n > end.n && str_ieq(str_from(s, s.n - end.n), end);
}

enum content_kind
content_kind_of(struct str type)
{
	if (type.n == 0)
		return CONTENT_NONE;
	type = str_trim(str_head(type, str_find(type, ';')));
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_iis(type, types[i].name))
			return types[i].kind;
	if (iends(type, STR("+json")))
		return CONTENT_JSON;
	if (iends(type, STR("+xml")))
		return CONTENT_XML;
	return CONTENT_NONE;
}

bool
content_is_text(enum content_kind kind)
{
	return kind != CONTENT_BINARY;
}
