/* SPDX-License-Identifier: Apache-2.0 */
/* The table elements.def: what may stand in an artifact, for the loader's
 * checks and for those who print it. */
#ifndef MEDIATION_ELEMENTS_H
#define MEDIATION_ELEMENTS_H

#include <stdbool.h>
#include <stdio.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum element_class {
	CLASS_ARTIFACT, CLASS_MEDIATOR, CLASS_ENDPOINT, CLASS_GROUP, CLASS_PART,
};
enum element_content {
	INSIDE_NOTHING, INSIDE_TEXT, INSIDE_MEDIATORS, INSIDE_ANYTHING,
};
enum attribute_type {
	ATTR_TEXT, ATTR_NAME, ATTR_BOOL, ATTR_INT, ATTR_KEY, ATTR_EXPRESSION,
	ATTR_VALUE, ATTR_REGEX, ATTR_URI, ATTR_ENUM, ATTR_ANYCASE,
	ATTR_REFUSED,
};
enum attribute_need { NEED_OPTIONAL, NEED_REQUIRED };
enum child_max { CHILD_1 = 1, CHILD_MANY, CHILD_REFUSED };

struct element {
	const char *key;
	enum element_class class;
	enum element_content content;
	const char *doc;
};

struct attribute_row {
	const char *element, *name;
	enum attribute_type type;
	const char *words;	/* ENUM, ANYCASE: with | between; or NULL */
	const char *dflt;
	enum attribute_need need;
	const char *doc;
};

struct child_row {
	const char *element, *child;
	int min;
	enum child_max max;
};

/* A parameter of <inboundEndpoint>; words as those of an attribute. */
struct parameter_row {
	const char *name;
	enum attribute_type type;
	const char *words, *dflt, *doc;
};

extern const struct element element_rows[];
extern const struct attribute_row attribute_rows[];
extern const struct child_row child_rows[];
extern const struct parameter_row parameter_rows[];
extern const size_t element_count, attribute_count, child_count,
    parameter_count;

/* NULL: no row. */
const struct element *element_find(const char *key);
/* The XML name: what follows the last slash of the key. */
const char *element_name(const char *key);
/* Is this a row of the element, or of all of its class? */
bool attribute_belongs(const struct attribute_row *, const struct element *);
bool child_belongs(const struct child_row *, const struct element *);
/* Is it in the table only to be refused with a reason? */
bool element_is_refused(const struct element *);

struct xml_el;

/*
 * After compile: an error for each attribute and child that is not in the
 * table, lacks, stands there twice, or has no effect because compile did not
 * look at it. The last one is in err, the others were reported. What has been
 * dealt with (xml_mark_done) is not looked into.
 */
int element_check(const struct xml_el *, const char *key, struct err *)
    MUST_CHECK;

/* For a test of the table: told of each element that is checked. */
typedef void element_watch_fn(const struct xml_el *, const struct element *);
void element_watch(element_watch_fn *);

/* ---- elements_print.c, elements_schema.c ------------------------------- */

/* One line for each element: what it is, its name, whether it is supported,
 * its attributes. As JSON: an array of objects. */
void elements_list(FILE *);
void elements_list_json(FILE *);
/* An element and its parts in reStructuredText; "parameters": those of inbound
 * endpoints. False when there is no such element. */
bool elements_manual(FILE *, const char *key) MUST_CHECK;
/* An XML Schema of all artifacts. */
void elements_schema(FILE *);

#endif
