/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mediation: the engine. Artifacts in, effects out through struct med_host.
 * It sees no socket, no process and no clock of its own; it never performs an
 * effect, it asks its host for it.
 */
#ifndef MEDIATION_MEDIATION_H
#define MEDIATION_MEDIATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "mediation/fault.h"
#include "mediation/target.h"
#include "mediation/later.h"

struct arena;
struct endpoint;
struct med_inbound;
struct med_run;
struct med_set;
struct med_source;
struct message;
struct sequence;

/* ---- sets -------------------------------------------------------------- */

struct med_config {
	const char *root;		/* artifacts, MI's layout */
	const char *registry;		/* "" = none */
	struct med_source *source;	/* NULL = the disk below these two; the
					   set holds a reference */
	bool ws_sender;			/* transport.ws.sender.enable */
	bool lenient;			/* artifacts.unsupported = warn */
	const char *outflow, *outflow_fault;	/* defaults by name; "" = main, fault */
	int64_t port_offset;
	/* Judges the URI of an address endpoint at load; may be NULL. */
	int (*check_uri)(struct str uri, struct err *);
};

/*
 * Loads every artifact below root. All or nothing: NULL when diag has errors.
 * A set is immutable and counted; it starts with one reference.
 */
struct med_set *med_set_load(const struct med_config *, struct diag *)
    MUST_CHECK;
struct med_set *med_set_get(struct med_set *);
void med_set_put(struct med_set **);
/* Hex digest (FNV-1a, 128 bits) over names and bytes of all
 * files read: two processes that loaded the same files have the same. */
const char *med_set_digest(const struct med_set *);

size_t med_set_inbound_count(const struct med_set *);
const struct med_inbound *med_set_inbound(const struct med_set *, size_t);
/* NULL when there is none. */
const struct med_inbound *med_set_find_inbound(const struct med_set *,
    struct str name);
const struct sequence *med_set_sequence(const struct med_set *,
    struct str name);
/* Never NULL: the built-in ones where the artifacts have none. */
const struct sequence *med_set_main(const struct med_set *);
const struct sequence *med_set_fault(const struct med_set *);
struct str sequence_name(const struct sequence *);
/* Local entry or registry resource as text (mediation.md 1.4, 1.5); entry
 * function of a message's context, ctx = the set. */
bool med_set_entry(void *set, struct str key, struct arena *, struct str *out);

/* What a sequence does to the body, summed over all it can reach. */
enum med_body { MED_BODY_NONE, MED_BODY_READ, MED_BODY_WRITE };
enum med_body sequence_body(const struct sequence *);

/*
 * A sequence that does no more than hand each message on as it is: what the
 * host may then do without a run, with the same outcome. A host takes the
 * shortcut only while nothing stands in its way (the connection is open, the
 * endpoint is ready); whatever else happens is for a run.
 */
enum med_shortcut_kind { SHORTCUT_SEND, SHORTCUT_RESPOND };
struct med_shortcut {
	enum med_shortcut_kind kind;
	const struct endpoint *endpoint;	/* SEND: a fixed ws address */
	/* SEND: axis2 properties that the sequence sets; p == NULL: not */
	struct str subprotocol, accept_type;
};
/* NULL when there is more to the sequence. */
const struct med_shortcut *sequence_shortcut(const struct sequence *);

/* ---- the host ---------------------------------------------------------- */

enum med_host_result {
	MED_HOST_DONE,
	MED_HOST_WAIT,		/* until med_resume() or med_fail() */
	MED_HOST_FAULT,		/* fault is filled */
};

enum med_sending { MED_SEND, MED_CALL };

/* Numbers that a host keeps with a group of endpoints; 0 at first. */
enum med_number {
	MED_TURN,	/* returned, and one more; one for all processes */
	MED_KEPT,	/* returned; one for all processes */
	MED_KEEP,	/* set to value */
	MED_CLIENT_KEPT, MED_CLIENT_KEEP,	/* the same, of this client */
};

struct med_host {
	/*
	 * <send> and <call> to a leaf endpoint (address, http, default). The
	 * message stays the run's. For MED_CALL with an answer, the host puts
	 * the answer into the message before it resumes. When a leaf is a
	 * child of a group and fails, at once or later by med_fail(), send is
	 * called again for the next child. The message may be another one than
	 * that of med_start(): after a wait, med_run_message() has it.
	 */
	enum med_host_result (*send)(void *ctx, struct med_run *,
	    enum med_sending, const struct endpoint *, struct message *,
	    struct fault *);
	/* Would send to this leaf be tried now? NULL: to all. */
	bool (*ready)(void *ctx, const struct endpoint *);
	/* NULL: numbers are always 0. */
	uint64_t (*number)(void *ctx, enum med_number, const struct endpoint *,
	    uint64_t value);
	/* <respond>, and <send/> of a response. */
	enum med_host_result (*respond)(void *ctx, struct med_run *,
	    struct message *, struct fault *);
	/* A line of the log mediator or of the engine; origin is the class name
	 * that MI would show ("LogMediator"); text begins with MI's
	 * "{inboundendpoint:NAME} " where the message has the property
	 * inbound.endpoint.name. May be NULL: base/log is used. */
	void (*log)(void *ctx, enum log_level, struct str origin,
	    struct str text);
	/* Called before each mediator, for those who show steps; NULL else. */
	void (*step)(void *ctx, struct src_pos at, struct str element,
	    unsigned depth);
	/* What outlives ctx, for groups (later.h). NULL: nothing does. */
	void *(*home)(void *ctx);
};

/* ---- runs -------------------------------------------------------------- */

struct med_limits {
	unsigned steps;			/* mediators a run may execute */
	unsigned depth;			/* nested sequences */
	/* 0: any number */
	size_t memory;			/* bytes of a message and its copies */
	unsigned groups;		/* that wait for messages */
	size_t group_memory;		/* bytes of them all */
	int64_t group_time;		/* ms, of those without a timeout */
};

/* Stock of runs, one a worker. */
struct med_engine;
struct med_engine *med_engine_new(const struct med_limits *) MUST_CHECK;
void med_engine_set_limits(struct med_engine *, const struct med_limits *);
/* No run may be left. */
void med_engine_free(struct med_engine **);

/* What became of a run that is over. */
struct med_outcome {
	bool faulted;		/* a fault was raised, handled or not */
	bool unhandled;		/* and no handler took it to its end */
	struct fault fault;	/* the last one; only when faulted */
};

enum med_state { MED_DONE, MED_WAITING };

/*
 * Runs sequence (then, on a fault, the nearest onError, last on_fault, which
 * may be NULL) on a message. Borrows message, host and ctx until it is over;
 * holds a reference to the set. MED_WAITING: *run_out is the run, to be
 * continued by med_resume(), med_fail() or ended by med_abort(); the message
 * must own its bytes before the callback returns (message_own()).
 */
enum med_state med_start(struct med_engine *, struct med_set *,
    const struct sequence *, const struct sequence *on_fault,
    struct message *, const struct med_host *, void *ctx,
    struct med_run **run_out, struct med_outcome *) MUST_CHECK;
/* The same for a group whose time is up; *group becomes NULL. */
enum med_state med_start_group(struct med_engine *, struct med_group **group,
    const struct sequence *on_fault, struct message *, const struct med_host *,
    void *ctx, struct med_run **run_out, struct med_outcome *) MUST_CHECK;
/* After MED_HOST_WAIT. MED_DONE: the run is gone. Never from inside a host
 * function of the same run. */
enum med_state med_resume(struct med_run *, struct med_outcome *) MUST_CHECK;
enum med_state med_fail(struct med_run *, const struct fault *,
    struct med_outcome *) MUST_CHECK;
/* The message is dropped where it is: the flow ends as after <drop/>. */
enum med_state med_drop(struct med_run *, struct med_outcome *) MUST_CHECK;
/* Ends it without another step; *run becomes NULL; NULL is accepted. */
void med_abort(struct med_run **);
struct message *med_run_message(struct med_run *);
struct med_set *med_run_set(struct med_run *);

#endif
