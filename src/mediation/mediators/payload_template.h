/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of payloadFactory: $1, ${expression} and "${expression}" in one
 * pass; what is put in is never scanned again. */
#ifndef MEDIATION_MEDIATORS_PAYLOAD_TEMPLATE_H
#define MEDIATION_MEDIATORS_PAYLOAD_TEMPLATE_H

#include "mediation/mediator.h"

enum payload_media { PAYLOAD_XML, PAYLOAD_JSON, PAYLOAD_TEXT };

enum payload_kind { PIECE_TEXT, PIECE_ARG, PIECE_EXPR, PIECE_QUOTED };

struct payload_piece {
	enum payload_kind kind;
	struct str text;		/* PIECE_TEXT */
	struct expr *expr;
	size_t arg;			/* from 0 */
};

struct payload_template {
	const struct payload_piece *piece;
	size_t count;
	bool cut_short;		/* at a $n that has no argument */
};

/* An argument, prepared. */
enum payload_arg_kind { ARG_TEXT, ARG_LITERAL, ARG_XML, ARG_JSON };

struct payload_arg {
	struct str constant;		/* when expr is NULL */
	enum payload_arg_kind constant_kind;
	struct expr *expr;
	bool literal;
};

/* How the pieces are put in. */
struct payload_style {
	enum payload_media media;
	bool escape_xml;	/* escapeXmlChars */
	bool quote;		/* QUOTE_STRING_IN_PAYLOAD_FACTORY_JSON */
};

/* Lives in the arena. -1 when an expression is wrong. */
int payload_template_compile(struct arena *, struct str text, size_t args,
    const struct expr_scope *, struct payload_template *out, struct err *)
    MUST_CHECK;
bool payload_template_reads_body(const struct payload_template *);
enum payload_arg_kind payload_kind_of(struct str text, bool is_jsonpath);
/* Appends what stands for an argument. */
int payload_arg_fill(const struct payload_arg *, const struct payload_style *,
    struct message *, struct buf *out, struct fault *) MUST_CHECK;
/* Appends the text. */
int payload_template_fill(const struct payload_template *,
    const struct payload_style *, const struct payload_arg *,
    struct message *, struct buf *out, struct fault *) MUST_CHECK;

#endif
