/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For authors of mediators: one file in mediators/, one row in mediators.def.
 * The two halves never meet: compile sees XML and no message, exec sees a
 * message and no XML.
 */
#ifndef MEDIATION_MEDIATOR_H
#define MEDIATION_MEDIATOR_H

#include <stdbool.h>
#include <stddef.h>
#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "mediation/element.h"
#include "mediation/group.h"
#include "mediation/mediation.h"
#include "msg/expr.h"
#include "msg/message.h"

struct med_compile;		/* what compile works with (opaque) */
struct med_list;		/* compiled children, in order (opaque) */

enum med_next {
	MED_NEXT,		/* go on with the next mediator */
	MED_CHILDREN,		/* run the list given to med_enter(), then go on */
	MED_STOP,		/* the flow ends here, in all enclosing sequences */
	MED_WAIT,		/* the host will resume; then go on with the next */
	MED_WAIT_STOP,		/* the host will resume; then as MED_STOP */
	MED_FAULT,		/* fault is filled */
};

/* What a node does to a message that nobody looks at. */
enum med_pass {
	PASS_NO,		/* more than can be told */
	PASS_ON,		/* nothing that anybody could see later */
	PASS_END,		/* ends the flow as the shortcut says */
};

struct mediator_type {
	const char *element;		/* the XML name */
	const char *origin;		/* class name shown in the log */
	enum med_body body;		/* what it may do to the body itself */
	/* -1 after an error (in err or in the diag). *node lives in the set's arena. */
	int (*compile)(struct med_compile *, const struct xml_el *,
	    void **node, struct err *);
	enum med_next (*exec)(struct med_run *, const void *node,
	    struct message *, struct fault *);
	/* For sequence_shortcut(), after all references are resolved; NULL:
	 * PASS_NO. */
	enum med_pass (*pass)(const void *node, struct med_shortcut *);
};

/* ---- while compiling ---------------------------------------------------- */

struct arena *med_arena(struct med_compile *);
/* An expression attribute; *out is NULL when it is absent. Errors carry the place. */
int med_expr(struct med_compile *, const struct xml_el *, const char *attr,
    struct expr **out, struct err *) MUST_CHECK;
/* Value: static text or {expr} (mediation.md 2.1). */
struct med_value;
int med_value(struct med_compile *, const struct xml_el *, const char *attr,
    struct med_value **out, struct err *) MUST_CHECK;
/* The same for text that is no attribute; what names its place in errors. */
int med_value_text(struct med_compile *, const struct xml_el *,
    const char *what, struct str text, struct med_value **out, struct err *)
    MUST_CHECK;
struct expr *med_expr_text(struct med_compile *, const struct xml_el *,
    const char *what, struct str text, struct err *) MUST_CHECK;
struct expr *med_expr_as(struct med_compile *, const struct xml_el *,
    const char *what, enum expr_language, struct str text, struct err *)
    MUST_CHECK;
/* The namespaces in scope, for expressions that are compiled later. */
void med_scope(struct med_compile *, const struct xml_el *,
    struct expr_scope *out);
/* Text with ${...} inside. */
struct expr_template *med_template_text(struct med_compile *,
    const struct xml_el *, struct str text, struct err *) MUST_CHECK;
/* Says that a node may do that to the body, where mediator_type.body does not
 * hold for all nodes of the type. */
void med_reaches_body(struct med_compile *, enum med_body);
/* A local entry or registry resource that must exist at load. */
bool med_entry(struct med_compile *, struct str key, struct str *out,
    struct err *) MUST_CHECK;
void med_warn(struct med_compile *, const struct xml_el *, const char *text);
/* For the first place only, of all that have this text (a literal). */
void med_warn_once(struct med_compile *, const struct xml_el *,
    const char *text);
/* The mediators inside el become a list; those named in skip (NULL-ended, may
 * be NULL) are left to the caller. */
int med_children(struct med_compile *, const struct xml_el *,
    const char *const *skip, struct med_list **out, struct err *) MUST_CHECK;
/* A whole sequence-like element, with onError and the like; an anonymous one
 * has the name "". Never NULL; what is wrong is reported. */
struct sequence *med_sequence(struct med_compile *, const struct xml_el *,
    struct str name);
/* The name of a sequence to be run later; it may be defined after this one,
 * or not at all (a fault at run time). */
struct sequence_ref;
struct sequence_ref *med_sequence_ref(struct med_compile *,
    const struct xml_el *, struct str name) MUST_CHECK;
/* The same for a sequence template. */
struct template_ref;
struct template_ref *med_template(struct med_compile *, const struct xml_el *,
    struct str name) MUST_CHECK;
/* An <endpoint> element, inline or by key. */
struct endpoint_ref;
/* The endpoint that it always stands for, or NULL. */
const struct endpoint *endpoint_ref_fixed(const struct endpoint_ref *);
int med_endpoint(struct med_compile *, const struct xml_el *,
    struct endpoint_ref **out, struct err *) MUST_CHECK;
/* The same by name. */
struct endpoint_ref *med_endpoint_ref(struct med_compile *,
    const struct xml_el *, struct str name) MUST_CHECK;

/* ---- while running (run.c) --------------------------------------------- */

/* Text of a value; *out p == NULL for Java's null. */
int med_value_string(const struct med_value *, struct message *,
    struct str *out, struct fault *) MUST_CHECK;
bool med_value_is_constant(const struct med_value *, struct str *text_out);
/* Wrappers that turn an err into a fault (601000 when the body is broken). */
int med_expr_string(const struct expr *, struct message *, struct str *out,
    struct fault *) MUST_CHECK;
int med_expr_truth(const struct expr *, struct message *, bool *out,
    struct fault *) MUST_CHECK;
int med_fault_from(struct fault *, const struct err *);
/* For a body that could not be had as JSON, XML or text: always 601000. */
int med_fault_body(struct fault *, const struct err *);

/* Before returning MED_CHILDREN: the list to run. Called at most once by an
 * exec or after function. */
void med_enter(struct med_run *, const struct med_list *);
/*
 * The same for loops: when the list is over, after() is called and decides as
 * exec does: MED_CHILDREN (having entered again), MED_NEXT, MED_STOP or
 * MED_FAULT. A list that stops goes no further than here. state must live as
 * long as the message. With list NULL, after() is called at once, or when a
 * MED_WAIT that is returned is over.
 */
enum med_end { MED_ENDED, MED_STOPPED, MED_FAULTED };
typedef enum med_next med_after_fn(struct med_run *, void *state, enum med_end,
    struct message *, struct fault *);
void med_enter_then(struct med_run *, const struct med_list *, med_after_fn *,
    void *state);
void med_enter_sequence_then(struct med_run *, const struct sequence *,
    med_after_fn *, void *state);
/*
 * A branch: list (or sequence) runs on a message of its own, which is taken,
 * or, with NULL, on the one in hand. Its faults go to copies of the handlers
 * there are, and no further (MED_BRANCH_SHIELDED), or only to handlers of its
 * own before after() gets MED_FAULTED (MED_BRANCH_OPEN). after() sees the branch's message, which is
 * freed when it returns; that of the run is med_run_message(). Copies count
 * towards limits.steps by their size.
 */
enum med_branch { MED_BRANCH_SHIELDED, MED_BRANCH_OPEN };
void med_enter_branch(struct med_run *, enum med_branch, const struct med_list *,
    const struct sequence *, struct message *, med_after_fn *, void *state);
/* The same for a sequence, with its onError; NULL when it does not exist. */
const struct sequence *sequence_resolve(const struct sequence_ref *);
struct str sequence_ref_name(const struct sequence_ref *);
const struct sequence *med_find_sequence(struct med_run *, struct str name);
void med_enter_sequence(struct med_run *, const struct sequence *);
/* A template with arguments; returns what exec should. */
struct med_arg {
	struct str name;
	struct med_value *value;
};
enum med_next med_call_template(struct med_run *, const struct template_ref *,
    const struct sequence_ref *on_error, const struct med_arg *, size_t count,
    struct message *, struct fault *);
/* The sending side of <send> and <call>: resolves the reference and asks the
 * host. ep NULL: no endpoint was given. */
enum med_next med_send_to(struct med_run *, enum med_sending,
    const struct endpoint_ref *ep, struct message *, struct fault *);
/* Marks the message as a response and hands it to the host; ends the flow. */
enum med_next med_respond(struct med_run *, struct message *, struct fault *);
const struct med_host *med_host(struct med_run *, void **ctx_out);
/* An empty buf to compose text in, so that nobody asks the heap for it; good
 * until exec returns. */
struct buf *med_scratch(struct med_run *);
/* A line in the log, as the mediator that runs. */
bool med_log_on(struct med_run *, enum log_level);
void med_log(struct med_run *, enum log_level, struct str text);

#endif
