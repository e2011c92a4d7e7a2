/* SPDX-License-Identifier: Apache-2.0 */
/* get-property() and the variables of XPath (mediation.md 4.2). */
#include "msg/expr_priv.h"

#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "msg/expr_date.h"
#include "msg/json.h"
#include "msg/xml.h"

#define SOAP11_URI "http://schemas.xmlsoap.org/soap/envelope/"
#define SOAP12_URI "http://www.w3.org/2003/05/soap-envelope"
/* SimpleDateFormat's own pattern in the US locale. */
#define DEFAULT_DATE "M/d/yy, h:mm a"

static struct value
text_value(struct str s)
{
	return s.p ? VALUE_OF_STR(s) : VALUE_OF_STR(STR(""));
}

static int
system_date(struct message *m, struct str pattern, struct value *out,
    struct err *err)
{
	struct date now;
	struct str text;

	date_of_ms(clock_wall_us() / 1000, &now);
	if (date_format(&now, DATE_SIMPLE, pattern, message_arena(m), &text,
	    err) == -1)
		return -1;
	*out = VALUE_OF_STR(text);
	return 0;
}

static bool
is_fault(struct message *m)
{
	xmlNode *body, *first = NULL;

	if (message_soap_body(m, &body, &first, NULL) == -1 || !first ||
	    !first->ns || strcmp((const char *)first->name, "Fault") != 0)
		return false;
	return strcmp((const char *)first->ns->href, SOAP11_URI) == 0 ||
	    strcmp((const char *)first->ns->href, SOAP12_URI) == 0;
}

static struct str
message_format_name(struct message *m)
{
	switch (message_kind(m)) {
	case CONTENT_SOAP11:
		return STR("soap11");
	case CONTENT_SOAP12:
		return STR("soap12");
	case CONTENT_NONE:
	case CONTENT_JSON:
	case CONTENT_XML:
	case CONTENT_TEXT:
	case CONTENT_BINARY:
		break;
	}
	return STR("pox");
}

/* The names that get-property() answers itself. */
static bool
built_in(struct message *m, struct str key, struct value *out)
{
	static const char *const addressing[] = {
		"To", "From", "Action", "FaultTo", "ReplyTo", "RelatesTo",
	};

	for (size_t i = 0; i < ARRAY_LEN(addressing); i++)
		if (str_is(key, addressing[i])) {
			*out = text_value(message_addressing(m, key));
			return true;
		}
	if (str_is(key, "MessageID"))
		*out = text_value(message_id(m));
	else if (str_is(key, "FAULT"))
		*out = text_value(is_fault(m) ? STR("TRUE") : STR(""));
	else if (str_is(key, "MESSAGE_FORMAT"))
		*out = text_value(message_format_name(m));
	else if (str_is(key, "OperationName") ||
	    str_is(key, "OperationNamespace"))
		*out = text_value(STR(""));
	else
		return false;
	return true;
}

/* A property, or null. */
static bool
property(struct message *m, enum msg_scope scope, struct str name,
    struct value *out)
{
	if (message_prop(m, scope, name, out))
		return true;
	*out = (struct value){ .type = VALUE_NULL };
	return false;
}

static bool
entry(struct message *m, struct str key, struct value *out)
{
	const struct msg_context *c = message_context(m);
	struct str text;

	if (!c->entry || !c->entry(c->entry_ctx, key, message_arena(m), &text))
		return false;
	*out = VALUE_OF_STR(text);
	return true;
}

static bool
function_param(struct message *m, struct str name, struct value *out)
{
	const struct msg_context *c = message_context(m);

	if (c->func && c->func(c->func_ctx, name, message_arena(m), out))
		return true;
	*out = (struct value){ .type = VALUE_NULL };
	return false;
}

static bool
environment(struct message *m, struct str name, struct value *out)
{
	const char *text;

	if (property(m, SCOPE_ENV, name, out))
		return true;
	text = getenv(arena_str(message_arena(m), name).p);
	if (text)
		*out = VALUE_OF_STR(str_of(text));
	return text != NULL;
}

static void
by_scope(struct message *m, enum msg_scope scope, struct str key,
    struct value *out)
{
	bool found = false;

	*out = (struct value){ .type = VALUE_NULL };
	switch (scope) {
	case SCOPE_DEFAULT:
		if (!built_in(m, key, out) && !property(m, scope, key, out))
			(void)entry(m, key, out);
		return;
	case SCOPE_AXIS2:
	case SCOPE_TRANSPORT:
	case SCOPE_OPERATION:
		(void)property(m, scope, key, out);
		return;
	case SCOPE_FUNC:
		(void)function_param(m, key, out);
		return;
	case SCOPE_REGISTRY:
		found = property(m, scope, key, out) || entry(m, key, out);
		break;
	case SCOPE_ENV:
		found = environment(m, key, out);
		break;
	case SCOPE_SYSTEM:
	case SCOPE_FILE:
		found = property(m, scope, key, out);
		break;
	case SCOPE_AXIS2_CLIENT:
	case SCOPE_TRACE:
	case SCOPE_ANALYTICS:
		break;
	}
	if (!found)
		*out = VALUE_OF_STR(STR(""));
}

/* The scopes that get-property() knows. */
static bool
scope_of(struct str word, enum msg_scope *out)
{
	static const struct {
		const char *word;
		enum msg_scope scope;
	} all[] = {
		{ "default", SCOPE_DEFAULT }, { "axis2", SCOPE_AXIS2 },
		{ "transport", SCOPE_TRANSPORT },
		{ "operation", SCOPE_OPERATION }, { "func", SCOPE_FUNC },
		{ "registry", SCOPE_REGISTRY }, { "system", SCOPE_SYSTEM },
		{ "env", SCOPE_ENV }, { "file", SCOPE_FILE },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_is(word, all[i].word)) {
			*out = all[i].scope;
			return true;
		}
	return false;
}

int
expr_get_property(struct message *m, const struct str *args, size_t count,
    struct value *out, struct err *err)
{
	enum msg_scope scope = SCOPE_DEFAULT;
	struct str key, pattern = STR(DEFAULT_DATE);
	bool scoped = count > 1 && scope_of(args[0], &scope);

	*out = VALUE_OF_STR(STR(""));
	if (count == 0)
		return 0;
	if (count > 3)
		return err_set(err, ERR_VALUE,
		    "get-property() takes at most three arguments");
	if (count == 3 && !scoped)
		scope = SCOPE_COUNT;
	key = scoped || count == 3 ? args[1] : args[0];
	if (count == 3 || (count == 2 && !scoped))
		pattern = args[count - 1];
	if (key.n == 0)
		return 0;
	if (str_is(key, "SYSTEM_DATE"))
		return system_date(m, pattern, out, err);
	if (str_is(key, "SYSTEM_TIME"))
		*out = VALUE_OF_STR(arena_printf(message_arena(m), "%lld",
		    (long long)(clock_wall_us() / 1000)));
	else if (count < 3 || scoped)
		by_scope(m, scope, key, out);
	return 0;
}

struct str
expr_query_param(struct str url, struct str key, struct arena *arena)
{
	struct str rest = str_from(url, str_find(url, '?') + 1), part;

	while (str_next(&rest, '&', &part)) {
		size_t eq = str_find(part, '=');
		struct str value;

		if (!str_ieq(str_head(part, eq), key))
			continue;
		value = str_from(part, eq + 1);
		value = str_head(value, str_find(value, '='));
		value = expr_percent_decode(value, arena);
		return value.p ? value : STR("");
	}
	return STR("");
}

/* $X:k where property X holds an object: its member k as text. */
static int
member_of_property(struct message *m, struct str name, struct str key,
    struct value *out)
{
	struct value box;
	const struct cJSON *member;

	if (!message_prop(m, SCOPE_DEFAULT, name, &box) ||
	    box.type != VALUE_JSON)
		return -1;
	member = json_member(box.json, key);
	if (!member)
		return -1;
	*out = VALUE_OF_STR(expr_json_text(member, message_arena(m)));
	return 0;
}

static bool
scope_of_prefix(struct str prefix, enum msg_scope *out)
{
	static const struct {
		const char *prefix;
		enum msg_scope scope;
	} all[] = {
		{ "ctx", SCOPE_DEFAULT }, { "axis2", SCOPE_AXIS2 },
		{ "trp", SCOPE_TRANSPORT }, { "operation", SCOPE_OPERATION },
		{ "sys", SCOPE_SYSTEM }, { "func", SCOPE_FUNC },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (str_is(prefix, all[i].prefix)) {
			*out = all[i].scope;
			return true;
		}
	return false;
}

int
expr_variable(struct message *m, struct str prefix, struct str name,
    struct value *out)
{
	enum msg_scope scope;

	*out = (struct value){ .type = VALUE_NULL };
	if (scope_of_prefix(prefix, &scope)) {
		if (scope == SCOPE_DEFAULT)
			(void)property(m, scope, name, out);
		else
			by_scope(m, scope, name, out);
		return 0;
	}
	if (str_is(prefix, "var")) {
		if (!message_var(m, name, out))
			*out = (struct value){ .type = VALUE_NULL };
		return 0;
	}
	if (!str_is(prefix, "url"))
		return member_of_property(m, prefix, name, out);
	*out = VALUE_OF_STR(expr_query_param(message_addressing(m, STR("To")),
	    name, message_arena(m)));
	return 0;
}
