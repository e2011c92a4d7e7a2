/* SPDX-License-Identifier: Apache-2.0 */
/* Templates, run. */
#include "msg/freemarker.h"

#include "msg/freemarker_priv.h"

enum { DEFAULT_OUTPUT = 16 << 20 };

enum flow { GO_ON, BREAK, FAILED };

static enum flow run_nodes(struct fm_run *, const struct fm_node *);

static enum flow
too_long(struct fm_run *r)
{
	err_set(r->err, ERR_LIMIT, "the template's output is longer than %zu "
	    "bytes", r->max);
	return FAILED;
}

static enum flow
show(struct fm_run *r, struct str text)
{
	if (buf_len(r->out) - r->out_from + text.n > r->max)
		return too_long(r);
	buf_add_str(r->out, text);
	return GO_ON;
}

static enum flow
run_output(struct fm_run *r, const struct fm_node *n)
{
	struct str text;

	if (fm_eval_text(r, n->expr, &text) < 0)
		return FAILED;
	return show(r, text);
}

static enum flow
run_if(struct fm_run *r, const struct fm_node *n)
{
	bool truth = true;

	for (; n; n = n->other) {
		if (n->expr && fm_eval_truth(r, n->expr, &truth) < 0)
			return FAILED;
		if (!n->expr || truth)
			return run_nodes(r, n->body);
	}
	return GO_ON;
}

/* ---- #list -------------------------------------------------------------- */

/* The key becomes the item, and the value a variable of its own. */
static void
over_map(struct fm_run *r, struct fm_var *item, struct fm_var *value,
    const struct fm_walk *w)
{
	value->value = item->value;
	item->value = FM_STRING(json_key(w->json, r->arena));
}

static enum flow
run_items(struct fm_run *r, const struct fm_node *n, const struct fm_value *v)
{
	struct fm_var value = { .next = r->loops, .name = n->second };
	struct fm_var item = { .next = n->second.p ? &value : r->loops,
	    .name = n->text, .loop = true };
	struct fm_var *outer = r->loops;
	enum flow flow = GO_ON;
	struct fm_walk w = { 0 };
	size_t size = fm_size(v);

	r->loops = &item;
	while (flow == GO_ON && fm_next(r, v, &w, &item.value)) {
		item.index = w.index - 1;
		item.has_next = w.index < size;
		if (n->second.p)
			over_map(r, &item, &value, &w);
		if (fm_step(r, n->expr) < 0)
			flow = FAILED;
		else
			flow = run_nodes(r, n->body);
	}
	r->loops = outer;
	return flow == BREAK ? GO_ON : flow;
}

static enum flow
run_list(struct fm_run *r, const struct fm_node *n)
{
	struct fm_value v;

	if (fm_eval_present(r, n->expr, &v) < 0)
		return FAILED;
	if (n->second.p ? v.type != FM_V_JSON || !fm_is_map(&v) :
	    !fm_is_list(&v)) {
		fm_expected(r, n->expr, n->second.p ? "extended hash" :
		    "sequence or collection", &v);
		return FAILED;
	}
	if (fm_size(&v) == 0)
		return run_nodes(r, n->other);
	return run_items(r, n, &v);
}

static enum flow
run_sep(struct fm_run *r, const struct fm_node *n)
{
	const struct fm_var *v = r->loops;

	while (v && !v->loop)
		v = v->next;
	return v && v->has_next ? run_nodes(r, n->body) : GO_ON;
}

/* ---- #assign ------------------------------------------------------------ */

static void
assign(struct fm_run *r, struct str name, const struct fm_value *value)
{
	struct fm_var *v = r->assigned;

	while (v && !str_eq(v->name, name))
		v = v->next;
	if (!v) {
		v = arena_zalloc(r->arena, sizeof(*v));
		v->name = name;
		v->next = r->assigned;
		r->assigned = v;
	}
	v->value = *value;
}

/* What the body shows is the value. */
static enum flow
capture(struct fm_run *r, const struct fm_node *n, struct fm_value *out)
{
	size_t from = buf_len(r->out);
	enum flow flow = run_nodes(r, n->body);
	struct str text = str_from(buf_str(r->out), from);

	if (flow != FAILED) {
		if (text.n > r->max - r->taken)
			return too_long(r);
		r->taken += text.n;
		*out = FM_STRING(arena_str(r->arena, text));
	}
	buf_truncate(r->out, from);
	return flow;
}

static int
changed(struct fm_run *r, const struct fm_node *n, struct fm_value *value)
{
	struct fm_expr name = { .op = FM_OP_NAME, .text = n->text,
	    .source = n->text, .at = n->expr->at };
	struct fm_expr change = { .op = n->op, .a = &name, .b = n->expr,
	    .source = n->text, .at = n->expr->at };

	if (n->op == FM_OP_STRING)
		return fm_eval_present(r, n->expr, value);
	return fm_binary(r, &change, value);
}

static enum flow
run_assign(struct fm_run *r, const struct fm_node *n)
{
	struct fm_value value;
	enum flow flow = GO_ON;

	if (n->expr) {
		if (changed(r, n, &value) < 0)
			return FAILED;
	} else {
		flow = capture(r, n, &value);
		if (flow == FAILED)
			return FAILED;
	}
	assign(r, n->text, &value);
	return flow;
}

/* ---- all ---------------------------------------------------------------- */

static enum flow
run_node(struct fm_run *r, const struct fm_node *n)
{
	switch (n->kind) {
	case FM_TEXT:
		return show(r, n->text);
	case FM_OUTPUT:
		return run_output(r, n);
	case FM_IF:
		return run_if(r, n);
	case FM_LIST:
		return run_list(r, n);
	case FM_SEP:
		return run_sep(r, n);
	case FM_ASSIGN:
		return run_assign(r, n);
	case FM_BREAK:
		break;
	}
	return BREAK;
}

static enum flow
run_nodes(struct fm_run *r, const struct fm_node *n)
{
	enum flow flow = GO_ON;

	for (; n && flow == GO_ON; n = n->next)
		flow = run_node(r, n);
	return flow;
}

int
freemarker_run(const struct freemarker *f, const struct freemarker_data *data,
    struct buf *out, struct err *err)
{
	struct err ignored = { 0 };
	struct fm_run r = { .data = data, .arena = message_arena(data->msg),
	    .out = out, .out_from = buf_len(out),
	    .max = data->max_output ? data->max_output : DEFAULT_OUTPUT,
	    .err = err ? err : &ignored };

	return run_nodes(&r, f->body) == FAILED ? -1 : 0;
}
