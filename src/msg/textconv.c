/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/textconv.h"

#include <libxml/tree.h>

#include "msg/convert.h"
#include "msg/json.h"
#include "msg/xml.h"

int
textconv_to_json(struct str markup, struct arena *a, struct buf *out,
    struct err *err)
{
	struct str wrapped = arena_printf(a, "<jsonObject>%.*s</jsonObject>",
	    STR_FMT(markup));
	struct _xmlDoc *doc = xml_parse(a, wrapped, 0, err);
	struct cJSON *json;

	if (!doc)
		return -1;
	json = convert_to_json(xmlDocGetRootElement(doc), a, err);
	if (!json)
		return -1;
	json_print(json, out);
	return 0;
}

static void
print_children(const xmlNode *root, struct buf *out)
{
	for (const xmlNode *n = root->children; n; n = n->next)
		xml_print(n, out);
}

int
textconv_to_xml(struct str text, struct arena *a, struct buf *out,
    struct err *err)
{
	struct cJSON *json = json_parse(a, text, 0, err);
	struct _xmlDoc *doc;
	xmlNode *root;

	if (!json)
		return -1;
	doc = xmlNewDoc((const xmlChar *)"1.0");
	if (!doc)
		return err_set(err, ERR_LIMIT, "out of memory");
	xml_keep_doc(a, doc);
	root = convert_to_xml(doc, json, a, err);
	if (!root)
		return -1;
	xmlDocSetRootElement(doc, root);
	print_children(root, out);
	return 0;
}
