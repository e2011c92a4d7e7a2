/* SPDX-License-Identifier: Apache-2.0 */
/* <log level category separator><message>text</message>?<property/>*</log>:
 * one line, exactly as MI writes it (mediation.md 3.1). */
#include "base/buf.h"
#include "mediation/mediator.h"
#include "msg/soap.h"

enum level { LEVEL_DEFAULT, LEVEL_SIMPLE, LEVEL_HEADERS, LEVEL_FULL,
	LEVEL_CUSTOM };

struct item {
	struct str name, value;
	struct expr *expr;
};

struct log {
	enum level level;
	enum log_level category;
	struct str separator;
	struct expr_template *message;
	const struct item *item;
	size_t count;
	bool message_id, full_payload;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_level(const struct xml_el *el, struct log *l, struct err *err)
{
	static const char *const words[] = {
		[LEVEL_SIMPLE] = "simple", [LEVEL_HEADERS] = "headers",
		[LEVEL_FULL] = "full", [LEVEL_CUSTOM] = "custom",
	};
	struct str text = xml_attr(el, "level");

	if (!text.p)
		return 0;
	for (int i = LEVEL_SIMPLE; i <= LEVEL_CUSTOM; i++) {
		if (str_iis(str_trim(text), words[i])) {
			l->level = (enum level)i;
			return 0;
		}
	}
	return xml_error(el, err, "Invalid log level. Level has to be one of "
	    "the following : simple, headers, full, custom");
}

static int
read_category(const struct xml_el *el, struct log *l, struct err *err)
{
	static const struct {
		const char *word;
		enum log_level level;
	} table[] = {
		{ "INFO", LOG_L_INFO }, { "TRACE", LOG_L_TRACE },
		{ "DEBUG", LOG_L_DEBUG }, { "WARN", LOG_L_WARN },
		{ "ERROR", LOG_L_ERROR }, { "FATAL", LOG_L_ERROR },
	};
	struct str text = xml_attr(el, "category");

	l->category = LOG_L_INFO;
	if (!text.p)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (str_iis(str_trim(text), table[i].word)) {
			l->category = table[i].level;
			return 0;
		}
	}
	return xml_error(el, err, "Invalid log category. Category has to be "
	    "one of the following : INFO, TRACE, DEBUG, WARN, ERROR, FATAL");
}

/* The two characters \n and \t stand for what they do in C. */
static struct str
unescape(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char next = i + 1 < s.n ? s.p[i + 1] : '\0';

		p[n++] = s.p[i];
		if (s.p[i] == '\\' && (next == 'n' || next == 't')) {
			p[n - 1] = next == 'n' ? '\n' : '\t';
			i++;
		}
	}
	return (struct str){ p, n };
}

static int
read_item(struct med_compile *c, const struct xml_el *el, struct item *it,
    struct err *err)
{
	it->name = xml_attr(el, "name");
	it->value = xml_attr(el, "value");
	if (!it->name.n)
		return xml_error(el, err, "Entry for a property should have a "
		    "name: the attribute \"name\" is required");
	if (med_expr(c, el, "expression", &it->expr, err) < 0)
		return -1;
	if (!it->expr && !it->value.p)
		it->value = str_trim(xml_inner_markup(el, med_arena(c)));
	if (it->expr || it->value.n)
		return 0;
	return xml_error(el, err, "Entry attribute value cannot be empty: "
	    "<property> needs either \"value\" or \"expression\"");
}

static int
read_items(struct med_compile *c, const struct xml_el *el, struct log *l,
    struct err *err)
{
	struct item *it;
	size_t n = 0;

	for (const struct xml_el *k = xml_child(el, "property"); k;
	    k = xml_next(k))
		n++;
	it = arena_zalloc(med_arena(c), n * sizeof(*it));
	l->item = it;
	for (const struct xml_el *k = xml_child(el, "property"); k;
	    k = xml_next(k))
		if (read_item(c, k, &it[l->count++], err) < 0)
			return -1;
	return 0;
}

static int
log_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct log *l = arena_zalloc(med_arena(c), sizeof(*l));
	const struct xml_el *message = xml_child(el, "message");
	struct str sep = xml_attr(el, "separator");

	*node = l;
	if (read_level(el, l, err) < 0 || read_category(el, l, err) < 0 ||
	    read_items(c, el, l, err) < 0 ||
	    xml_attr_bool(el, "logMessageID", false, &l->message_id, err) < 0 ||
	    xml_attr_bool(el, "logFullPayload", false, &l->full_payload,
	    err) < 0)
		return -1;
	l->separator = sep.p ? unescape(med_arena(c), sep) : STR(", ");
	if (l->full_payload)
		l->level = LEVEL_FULL;
	if (l->level == LEVEL_FULL || l->level == LEVEL_HEADERS)
		med_reaches_body(c, MED_BODY_READ);
	if (!message)
		return 0;
	l->message = med_template_text(c, message, unescape(med_arena(c),
	    str_trim(xml_text(message))), err);
	return l->message ? 0 : -1;
}

/* ---- exec -------------------------------------------------------------- */

static void
add_sep(const struct log *l, struct buf *b)
{
	if (buf_len(b))
		buf_add_str(b, l->separator);
}

static int
add_items(const struct log *l, struct message *msg, struct buf *b,
    struct fault *fault)
{
	for (size_t i = 0; i < l->count; i++) {
		struct str text = l->item[i].value;

		if (l->item[i].expr && med_expr_string(l->item[i].expr, msg,
		    &text, fault) < 0)
			return -1;
		add_sep(l, b);
		buf_add_str(b, l->item[i].name);
		buf_addz(b, " = ");
		buf_add_str(b, text.p ? text : STR("null"));
	}
	return 0;
}

static void
add_header(const struct log *l, struct buf *b, const char *name,
    struct str value)
{
	if (!value.n)
		return;
	add_sep(l, b);
	buf_addz(b, name);
	buf_add_str(b, value);
}

static void
add_correlation(const struct log *l, struct message *msg, struct buf *b)
{
	add_header(l, b, "correlation_id: ", message_prop_text(msg,
	    SCOPE_AXIS2, STR("correlation_id")));
}

static void
add_simple(const struct log *l, struct message *msg, struct buf *b)
{
	struct str to = message_addressing(msg, STR("To"));

	add_sep(l, b);
	buf_addz(b, "To: ");
	buf_add_str(b, to);
	add_header(l, b, "From: ", message_addressing(msg, STR("From")));
	add_header(l, b, "WSAction: ", message_addressing(msg, STR("Action")));
	add_header(l, b, "ReplyTo: ", message_addressing(msg, STR("ReplyTo")));
	add_header(l, b, "MessageID: ", message_id(msg));
	add_correlation(l, msg, b);
	add_header(l, b, "Direction: ", message_is_response(msg)
	    ? STR("response") : STR("request"));
}

static int
add_message(const struct log *l, struct message *msg, struct buf *b,
    struct fault *fault)
{
	struct err err = { 0 };
	struct str text;

	if (!l->message)
		return 0;
	if (expr_template_string(l->message, msg, &text, &err) < 0)
		return med_fault_from(fault, &err);
	buf_add_str(b, text);
	return 0;
}

static int
add_headers(const struct log *l, struct message *msg, struct buf *b,
    struct fault *fault)
{
	struct err err = { 0 };

	add_sep(l, b);
	if (soap_describe_headers(msg, l->separator, b, &err) < 0)
		return med_fault_body(fault, &err);
	return 0;
}

static void
add_payload(const struct log *l, struct message *msg, struct buf *b)
{
	add_sep(l, b);
	message_describe(msg, b);
}

static int
compose(const struct log *l, struct message *msg, struct buf *b,
    struct fault *fault)
{
	bool simple = l->level == LEVEL_SIMPLE || l->level == LEVEL_FULL ||
	    (l->level == LEVEL_DEFAULT && !l->message);

	if (l->message_id && l->level == LEVEL_DEFAULT && l->message) {
		add_header(l, b, "MessageID: ", message_id(msg));
		add_correlation(l, msg, b);
		add_sep(l, b);
	}
	if (l->level != LEVEL_CUSTOM && add_message(l, msg, b, fault) < 0)
		return -1;
	if (simple)
		add_simple(l, msg, b);
	if (l->level == LEVEL_HEADERS &&
	    add_headers(l, msg, b, fault) < 0)
		return -1;
	if (add_items(l, msg, b, fault) < 0)
		return -1;
	if (l->level == LEVEL_FULL)
		add_payload(l, msg, b);
	return 0;
}

static enum med_next
log_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct log *l = node;
	struct buf *b;

	if (!med_log_on(run, l->category))
		return MED_NEXT;
	b = med_scratch(run);
	if (compose(l, msg, b, fault) < 0)
		return MED_FAULT;
	med_log(run, l->category, buf_str(b));
	return MED_NEXT;
}

const struct mediator_type mediator_log = {
	.element = "log",
	.origin = "LogMediator",
	.compile = log_compile,
	.exec = log_exec,
};
