/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON texts: what is accepted prints as a text that reads as the same tree, a
 * copy of the tree prints alike, and as XML it is well-formed and comes back
 * without an error.
 */
#include "fuzz.h"

#include <libxml/tree.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/utf8.h"
#include "msg/convert.h"
#include "msg/json.h"
#include "msg/xml.h"

static struct arena *arena;

static void
check_xml(const struct cJSON *tree)
{
	struct err err;
	xmlDoc *doc = xml_new_envelope(arena);
	xmlNode *el = convert_to_xml(doc, tree, arena, &err);
	struct str markup;
	struct cJSON *back;

	if (!el) {
		must(err.kind == ERR_LIMIT);
		return;
	}
	xmlAddChild(xml_soap_body(doc), el);
	markup = xml_markup(el, arena);
	/* Prefixes that nobody declared are the one thing that may be wrong,
	 * and U+FFFE, which JSON knows and XML does not. */
	if (str_find(markup, ':') == markup.n &&
	    str_search(markup, STR("xmlns")) == markup.n &&
	    str_search(markup, STR("\xEF\xBF\xBE")) == markup.n &&
	    str_search(markup, STR("\xEF\xBF\xBF")) == markup.n)
		must(xml_parse(arena, markup, 0, &err) ||
		    err.kind == ERR_LIMIT);
	back = convert_to_json(el, arena, &err);
	if (back)
		must(json_parse(arena, json_text(back, arena), 600, &err));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str text = { (const char *)p, n }, printed;
	struct cJSON *tree, *again;
	struct err err = { .kind = ERR_NONE };

	if (!arena)
		arena = arena_new(0);
	tree = json_parse(arena, text, 0, &err);
	if (!tree) {
		must(err.kind == ERR_SYNTAX || err.kind == ERR_LIMIT);
		must(err.at.line > 0 && err.at.column > 0);
		arena_reset(arena);
		return 0;
	}
	must(utf8_valid(text.p, text.n));
	printed = json_text(tree, arena);
	must(utf8_valid(printed.p, printed.n));
	again = json_parse(arena, printed, 0, &err);
	must(again && str_eq(json_text(again, arena), printed));
	must(str_eq(json_text(json_copy(arena, tree), arena), printed));
	check_xml(tree);
	arena_reset(arena);
	return 0;
}
