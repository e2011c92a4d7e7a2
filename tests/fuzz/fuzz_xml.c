/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML texts: what is accepted prints as a text that reads as the same tree, no
 * document type gets through, an envelope can be put around it, and what comes
 * of it as JSON is JSON.
 */
#include "fuzz.h"

#include <libxml/tree.h>

#include "base/must.h"
#include "base/utf8.h"
#include "msg/convert.h"
#include "msg/json.h"
#include "msg/xml.h"

static struct arena *arena;

static void
check_tree(xmlDoc *doc)
{
	struct err err;
	xmlNode *root = xmlDocGetRootElement(doc);
	struct str markup = xml_markup(root, arena), around;
	xmlDoc *again = xml_parse(arena, markup, 0, &err);
	struct cJSON *json;

	must(root && !doc->intSubset && utf8_valid(markup.p, markup.n));
	must(again);
	must(str_eq(xml_markup(xmlDocGetRootElement(again), arena), markup));
	must(xml_string_value(root, arena).p);
	json = convert_to_json(root, arena, &err);
	if (json)
		must(json_parse(arena, json_text(json, arena), 1024, &err));
	else
		must(err.kind == ERR_VALUE || err.kind == ERR_LIMIT);
	must(!xml_make_envelope(doc, XML_WRAP, &err));
	around = xml_markup(xmlDocGetRootElement(doc), arena);
	must(str_search(around, markup) < around.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str text = { (const char *)p, n };
	struct err err = { .kind = ERR_NONE };
	xmlDoc *doc;

	if (!arena) {
		xml_global_init();
		arena = arena_new(0);
	}
	doc = xml_parse(arena, text, 0, &err);
	if (doc)
		check_tree(doc);
	else
		must(err.kind == ERR_SYNTAX || err.kind == ERR_LIMIT);
	(void)xml_looks_like_element(text);
	arena_reset(arena);
	return 0;
}
