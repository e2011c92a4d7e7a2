/* SPDX-License-Identifier: Apache-2.0 */
/* XPath in three files: expr_xpath.c (compiling, results), expr_xpath_scan.c
 * (what can be told from the text) and expr_xpath_lib.c (libxml2 at run
 * time). */
#ifndef MSG_EXPR_XPATH_H
#define MSG_EXPR_XPATH_H

#include <libxml/xpath.h>
#include "msg/expr_priv.h"

/* Forms that need no XPath engine. */
enum xp_kind {
	XP_ENGINE,
	XP_PROPERTY,		/* get-property('a'), get-property('s','a') */
	XP_VARIABLE,		/* $ctx:a */
	XP_STRING,		/* 'abc' */
	XP_TRUE, XP_FALSE,
};

struct xp {
	enum xp_kind kind;
	struct str arg[3];		/* of get-property; prefix and name */
	size_t arg_count;

	xmlXPathCompExpr *compiled;	/* XP_ENGINE */
	xmlNs *ns;			/* prefixes, also those made up */
	xmlNs **ns_list;
	int ns_count;
	bool node_test;			/* has node() in it */
	bool node_test_last;		/* ends in node() */
	struct str source;
	bool reads_body;
};

/* What the text shows. False when a simple form does not apply. */
bool xp_scan_simple(struct str source, struct xp *);
bool xp_scan_reads_body(struct str source);
/* Prefixes of variables and functions, each once; returns how many. */
size_t xp_scan_prefixes(struct str source, struct str *out, size_t max);
/* A function that wsgw refuses, or NULL; *at_out is its place. */
const char *xp_scan_refused(struct str source, size_t *at_out);

/* Longer or deeper than libxml2's recursion should be asked to follow. */
enum { XP_TOKENS_MAX = 5000, XP_DEPTH_MAX = 200 };
bool xp_scan_too_much(struct str source, size_t *at_out);

/* Namespace of a prefix that the artifact does not declare. */
#define XP_PREFIX_URI "urn:wsgw:prefix:"

/* Compiles source; the compiled form goes with the arena. */
int xp_engine_compile(struct xp *, struct arena *, struct err *) MUST_CHECK;
/* The result must be freed with xmlXPathFreeObject() once what it holds has
 * been copied; NULL after an error. */
xmlXPathObject *xp_engine_run(const struct xp *, struct message *,
    struct err *) MUST_CHECK;

#endif
