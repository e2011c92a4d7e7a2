/* SPDX-License-Identifier: Apache-2.0 */
/* What wsgwseq shows of a run: a host that records instead of sending. */
#ifndef SEQREPORT_H
#define SEQREPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/attr.h"
#include "base/buf.h"
#include "mediation/mediation.h"
#include "msg/message.h"

struct seqreport;

/* steps: record each mediator as it runs. */
struct seqreport *seqreport_new(bool steps) MUST_CHECK;
void seqreport_free(struct seqreport **);
/* Its ctx is the report. */
const struct med_host *seqreport_host(void);
void seqreport_json(const struct seqreport *, struct message *,
    const struct med_outcome *, FILE *to);
void seqreport_text(const struct seqreport *, const struct med_outcome *,
    FILE *to);

/* ---- --bench ----------------------------------------------------------- */

struct seqbench {
	int64_t cpu_ns;
	uint64_t allocations;
};

/* Calls of malloc() and its like so far; false when they are not counted. */
bool alloc_count(uint64_t *out);
/* A host that formats what is sent and throws it away. */
const struct med_host *seqbench_host(void);
void seqbench_start(struct seqbench *);
void seqbench_print(const struct seqbench *, uint64_t runs, FILE *to);

#endif
