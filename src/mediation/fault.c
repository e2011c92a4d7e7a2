/* SPDX-License-Identifier: Apache-2.0 */
/* Faults: code, text, trail; ERROR_* properties; what the log says. */
#include "mediation/fault.h"

#include <stdarg.h>
#include <stdio.h>

#include "mediation/func.h"
#include "mediation/run.h"

int
fault_set(struct fault *f, int code, const char *fmt, ...)
{
	va_list ap;

	f->code = code;
	f->code_text[0] = '\0';
	f->detail[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(f->message, sizeof(f->message), fmt, ap);
	va_end(ap);
	f->message[strcspn(f->message, "\r\n")] = '\0';
	return -1;
}

int
med_fault_from(struct fault *f, const struct err *err)
{
	return fault_set(f,
	    err->kind == ERR_SYNTAX ? FAULT_PARSE : FAULT_MEDIATOR, "%s",
	    err->text);
}

int
med_fault_body(struct fault *f, const struct err *err)
{
	return fault_set(f, FAULT_PARSE, "%s", err->text);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static size_t
add_place(char *out, size_t n, size_t room, struct src_pos at,
    const char *element, const char **file)
{
	const char *name = at.file ? base_name(at.file) : "";

	if (n >= room)
		return n;
	n += (size_t)snprintf(out + n, room - n, "%s%s:%d %s",
	    n ? " > " : "", *file && strcmp(*file, name) == 0 ? "" : name,
	    at.line, element);
	*file = name;
	return n;
}

void
fault_trail(const struct med_run *r, char *out, size_t room)
{
	const char *file = NULL;
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < r->top; i++) {
		const struct frame *f = &r->frame[i];

		if (i == 0 && f->sequence)
			n = add_place(out, n, room, f->sequence->at,
			    "sequence", &file);
		if (f->list && f->at > f->list->node)
			n = add_place(out, n, room, f->at[-1].at,
			    f->at[-1].type->element, &file);
	}
}

static void
set_text(struct med_run *r, const char *name, const char *text)
{
	message_set_prop(r->msg, SCOPE_DEFAULT, str_of(name), VALUE_OF_STR(
	    arena_str(message_arena(r->msg), str_of(text))));
}

static void
set_code(struct med_run *r)
{
	const struct fault *f = &r->fault;
	struct value v = VALUE_OF_INT(f->code);

	if (f->code_text[0])
		set_text(r, "ERROR_CODE", f->code_text);
	else
		message_set_prop(r->msg, SCOPE_DEFAULT, STR("ERROR_CODE"), v);
}

static void
set_exception(struct med_run *r)
{
	struct str text = arena_printf(message_arena(r->msg),
	    "org.apache.synapse.SynapseException: %s", r->fault.message);
	struct value v = { .type = VALUE_OBJECT, .s = text };

	message_set_prop(r->msg, SCOPE_DEFAULT, STR("ERROR_EXCEPTION"), v);
}

static void
log_fault(struct med_run *r)
{
	struct arena *a = message_arena(r->msg);
	struct fault *f = &r->fault;
	const char *origin = r->node ? r->node->type->origin
	    : "SequenceMediator";

	med_log_as(r, LOG_L_ERROR, str_of(origin), arena_printf(a, "%s [%s]",
	    f->message, f->detail));
	med_log_as(r, LOG_L_WARN, STR("MediatorFaultHandler"), f->code_text[0]
	    ? arena_printf(a, "ERROR_CODE : %s ERROR_MESSAGE : %s",
	    f->code_text, f->message)
	    : arena_printf(a, "ERROR_CODE : %d ERROR_MESSAGE : %s", f->code,
	    f->message));
}

void
fault_publish(struct med_run *r)
{
	struct fault *f = &r->fault;
	struct value old;

	/* A plain mediator error does not hide a code that somebody set. */
	if (f->code != FAULT_MEDIATOR || f->code_text[0] ||
	    !message_prop(r->msg, SCOPE_DEFAULT, STR("ERROR_CODE"), &old)) {
		set_code(r);
		set_text(r, "ERROR_MESSAGE", f->message);
		set_text(r, "ERROR_DETAIL", f->detail);
		set_exception(r);
	}
	if (!r->again)
		log_fault(r);
	if (f->code == FAULT_PARSE)
		message_set_empty(r->msg);
}

/* ---- log --------------------------------------------------------------- */

void
med_log_as(struct med_run *r, enum log_level level, struct str origin,
    struct str text)
{
	struct str inbound;

	if (!log_on(level))
		return;
	inbound = message_prop_text(r->msg, SCOPE_DEFAULT,
	    STR("inbound.endpoint.name"));
	if (inbound.p)
		text = arena_printf(message_arena(r->msg),
		    "{inboundendpoint:%.*s} %.*s", STR_FMT(inbound),
		    STR_FMT(text));
	if (r->host->log)
		r->host->log(r->ctx, level, origin, text);
	else
		log_line(level, origin, text);
}

bool
med_log_on(struct med_run *r UNUSED, enum log_level level)
{
	return log_on(level);
}

void
med_log(struct med_run *r, enum log_level level, struct str text)
{
	med_log_as(r, level, str_of(r->node ? r->node->type->origin : ""),
	    text);
}
