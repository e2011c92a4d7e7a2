/* SPDX-License-Identifier: Apache-2.0 */
#include "seqreport.h"

#include <stdlib.h>
#include <time.h>

#include "base/b64.h"
#include "base/hmap.h"
#include "base/must.h"
#include "base/utf8.h"

struct seqreport {
	bool steps;
	struct hmap numbers;		/* of groups: name -> uint64_t */
	/* for --json, comma separated objects */
	struct buf replies, sent, log;
	/* for people, in order */
	struct buf text;
};

struct seqreport *
seqreport_new(bool steps)
{
	struct seqreport *r = xcalloc(1, sizeof(*r));

	r->steps = steps;
	return r;
}

void
seqreport_free(struct seqreport **rp)
{
	struct seqreport *r = *rp;
	size_t at = 0;
	struct str name;
	void *number;

	if (!r)
		return;
	*rp = NULL;
	while (hmap_next(&r->numbers, &at, &name, &number))
		free(number);
	hmap_fini(&r->numbers);
	buf_fini(&r->replies);
	buf_fini(&r->sent);
	buf_fini(&r->log);
	buf_fini(&r->text);
	free(r);
}

/* ---- recording --------------------------------------------------------- */

static void
add_key(struct buf *b, const char *key, struct str value)
{
	buf_printf(b, "\"%s\":", key);
	log_json_string(b, value);
}

static void
add_base64(struct buf *b, struct str s)
{
	size_t n = b64_encoded_len(s.n);

	buf_addz(b, "\"body_base64\":\"");
	b64_encode(s.p, s.n, buf_room(b, n));
	buf_added(b, n);
	buf_putc(b, '"');
}

/* The rest of an object: what went out. */
static void
add_output(struct buf *b, const struct msg_output *o)
{
	bool text = o->frame == MSG_TEXT && utf8_valid(o->bytes.p, o->bytes.n);

	add_key(b, "content_type", o->type.p ? o->type : STR(""));
	buf_printf(b, ",\"opcode\":\"%s\",",
	    o->frame == MSG_TEXT ? "text" : "binary");
	if (text)
		add_key(b, "body", o->bytes.p ? o->bytes : STR(""));
	else
		add_base64(b, o->bytes);
	buf_putc(b, '}');
}

static void
begin_object(struct buf *b)
{
	buf_addz(b, buf_len(b) ? ",{" : "{");
}

static void
show_output(struct seqreport *r, const char *what, struct str where,
    const struct msg_output *o)
{
	buf_printf(&r->text, "%s%s%.*s", what, where.n ? " " : "",
	    STR_FMT(where));
	if (o->none) {
		buf_addz(&r->text, ": nothing\n");
		return;
	}
	buf_printf(&r->text, ", %s, %.*s: ",
	    o->frame == MSG_TEXT ? "text" : "binary", STR_FMT(o->type));
	log_escape(&r->text, o->bytes);
	buf_putc(&r->text, '\n');
}

static int
format(struct message *msg, struct msg_output *o, struct fault *fault)
{
	struct err err;

	if (message_format(msg, o, &err) == 0)
		return 0;
	return fault_set(fault, FAULT_SEND, "%s", err.text);
}

static enum med_host_result
on_respond(void *ctx, struct med_run *run UNUSED, struct message *msg,
    struct fault *fault)
{
	struct seqreport *r = ctx;
	struct msg_output o;

	if (format(msg, &o, fault) < 0)
		return MED_HOST_FAULT;
	show_output(r, "reply", STR(""), &o);
	if (o.none)
		return MED_HOST_DONE;
	begin_object(&r->replies);
	add_output(&r->replies, &o);
	return MED_HOST_DONE;
}

static enum med_host_result
on_send(void *ctx, struct med_run *run UNUSED, enum med_sending how,
    const struct endpoint *ep, struct message *msg, struct fault *fault)
{
	struct seqreport *r = ctx;
	struct msg_output o;
	struct str uri;

	if (endpoint_apply_properties(ep, msg, fault) < 0 ||
	    endpoint_address(ep, msg, &uri, fault) < 0 ||
	    format(msg, &o, fault) < 0)
		return MED_HOST_FAULT;
	show_output(r, how == MED_CALL ? "call" : "send", uri, &o);
	begin_object(&r->sent);
	add_key(&r->sent, "endpoint", endpoint_name(ep));
	buf_putc(&r->sent, ',');
	add_key(&r->sent, "address", uri);
	buf_putc(&r->sent, ',');
	add_output(&r->sent, &o);
	return MED_HOST_DONE;
}

static uint64_t
on_number(void *ctx, enum med_number what, const struct endpoint *ep,
    uint64_t value)
{
	struct seqreport *r = ctx;
	uint64_t *n = hmap_get(&r->numbers, endpoint_name(ep));

	if (!n) {
		n = xcalloc(1, sizeof(*n));
		hmap_set(&r->numbers, endpoint_name(ep), n);
	}
	if (what == MED_TURN)
		return (*n)++;
	if (what == MED_KEEP || what == MED_CLIENT_KEEP)
		*n = value;
	return *n;
}

static void
on_log(void *ctx, enum log_level level, struct str origin, struct str text)
{
	struct seqreport *r = ctx;

	begin_object(&r->log);
	add_key(&r->log, "level", str_of(log_level_name(level)));
	buf_putc(&r->log, ',');
	add_key(&r->log, "origin", origin);
	buf_putc(&r->log, ',');
	add_key(&r->log, "text", text);
	buf_putc(&r->log, '}');
	buf_printf(&r->text, "log %s %.*s: ", log_level_name(level),
	    STR_FMT(origin));
	log_escape(&r->text, text);
	buf_putc(&r->text, '\n');
}

static void
on_step(void *ctx, struct src_pos at, struct str element, unsigned depth)
{
	struct seqreport *r = ctx;
	const char *slash = strrchr(at.file, '/');

	if (r->steps)
		buf_printf(&r->text, "%*s%s:%d %.*s\n", (int)depth * 2, "",
		    slash ? slash + 1 : at.file, at.line, STR_FMT(element));
}

static void *
on_home(void *ctx)
{
	return ctx;
}

const struct med_host *
seqreport_host(void)
{
	static const struct med_host host = { .send = on_send,
	    .number = on_number, .respond = on_respond, .log = on_log,
	    .step = on_step, .home = on_home };

	return &host;
}

/* ---- printing ---------------------------------------------------------- */

static void
add_fault(struct buf *b, const struct med_outcome *out)
{
	const struct fault *f = &out->fault;

	if (!out->faulted) {
		buf_addz(b, "null");
		return;
	}
	buf_addz(b, "{\"code\":");
	if (f->code_text[0])
		log_json_string(b, str_of(f->code_text));
	else
		buf_printf(b, "%d", f->code);
	buf_putc(b, ',');
	add_key(b, "message", str_of(f->message));
	buf_putc(b, ',');
	add_key(b, "detail", str_of(f->detail));
	buf_printf(b, ",\"handled\":%s}", out->unhandled ? "false" : "true");
}

static void
add_value(struct buf *b, struct message *msg, const struct value *v)
{
	struct str text = value_text(v, message_arena(msg));

	if (!text.p)
		buf_addz(b, "null");
	else if (v->type == VALUE_BOOL || v->type == VALUE_SHORT ||
	    v->type == VALUE_INT || v->type == VALUE_LONG)
		buf_add_str(b, text);
	else
		log_json_string(b, text);
}

static void
add_scope(struct buf *b, struct message *msg, enum msg_scope scope,
    const char *name)
{
	const void *at = NULL;
	struct str key;
	struct value v;
	const char *comma = "";

	buf_printf(b, "\"%s\":{", name);
	while (message_next_prop(msg, scope, &at, &key, &v)) {
		buf_addz(b, comma);
		log_json_string(b, key);
		buf_putc(b, ':');
		add_value(b, msg, &v);
		comma = ",";
	}
	buf_putc(b, '}');
}

void
seqreport_json(const struct seqreport *r, struct message *msg,
    const struct med_outcome *out, FILE *to)
{
	struct buf b = { 0 };

	buf_addz(&b, "{\"replies\":[");
	buf_add_str(&b, buf_str(&r->replies));
	buf_addz(&b, "],\"sent\":[");
	buf_add_str(&b, buf_str(&r->sent));
	buf_addz(&b, "],\"log\":[");
	buf_add_str(&b, buf_str(&r->log));
	buf_addz(&b, "],\"fault\":");
	add_fault(&b, out);
	buf_addz(&b, ",\"properties\":{");
	add_scope(&b, msg, SCOPE_DEFAULT, "default");
	buf_putc(&b, ',');
	add_scope(&b, msg, SCOPE_AXIS2, "axis2");
	buf_putc(&b, ',');
	add_scope(&b, msg, SCOPE_TRANSPORT, "transport");
	buf_addz(&b, "}}\n");
	fwrite(buf_data(&b), 1, buf_len(&b), to);
	buf_fini(&b);
}

void
seqreport_text(const struct seqreport *r, const struct med_outcome *out,
    FILE *to)
{
	const struct fault *f = &out->fault;

	if (buf_len(&r->text))
		fwrite(buf_data(&r->text), 1, buf_len(&r->text), to);
	if (out->unhandled)
		fprintf(to, "unhandled fault: %s [%s]\n", f->message,
		    f->detail);
	else if (out->faulted)
		fprintf(to, "handled fault: %s [%s]\n", f->message, f->detail);
}

/* ---- bench ------------------------------------------------------------- */

static enum med_host_result
discard(void *ctx UNUSED, struct med_run *run UNUSED, struct message *msg,
    struct fault *fault)
{
	struct msg_output o;

	return format(msg, &o, fault) < 0 ? MED_HOST_FAULT : MED_HOST_DONE;
}

static enum med_host_result
discard_sent(void *ctx, struct med_run *run, enum med_sending how UNUSED,
    const struct endpoint *ep, struct message *msg, struct fault *fault)
{
	struct str uri;

	if (endpoint_address(ep, msg, &uri, fault) < 0)
		return MED_HOST_FAULT;
	return discard(ctx, run, msg, fault);
}

const struct med_host *
seqbench_host(void)
{
	static const struct med_host host = { .send = discard_sent,
	    .respond = discard };

	return &host;
}

static int64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void
seqbench_start(struct seqbench *b)
{
	(void)alloc_count(&b->allocations);
	b->cpu_ns = cpu_ns();
}

void
seqbench_print(const struct seqbench *b, uint64_t runs, FILE *to)
{
	double ns = (double)(cpu_ns() - b->cpu_ns);
	uint64_t now;

	fprintf(to, "%.1f ns of CPU a run", ns / (double)runs);
	if (alloc_count(&now))
		fprintf(to, ", %.2f allocations a run",
		    (double)(now - b->allocations) / (double)runs);
	fprintf(to, ", %llu runs\n", (unsigned long long)runs);
}
