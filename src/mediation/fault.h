/* SPDX-License-Identifier: Apache-2.0 */
/* Part of mediation.h: what a mediator raises and onError gets to see. */
#ifndef MEDIATION_FAULT_H
#define MEDIATION_FAULT_H

#include "base/attr.h"

/* Codes of mediation.md 7. */
enum fault_code {
	FAULT_MEDIATOR = 0,
	FAULT_CONNECT_FAILED = 101503, FAULT_TIMEOUT = 101504,
	FAULT_CLOSED = 101505, FAULT_CONNECT_TIMEOUT = 101508,
	FAULT_SEND = 101500, FAULT_PROTOCOL = 101506,
	FAULT_NO_ENDPOINT = 303000, FAULT_SUSPENDED = 303001,
	FAULT_LOADBALANCE_MOVED = 303100, FAULT_FAILOVER_MOVED = 304100,
	FAULT_NO_REFERENCE = 305100,
	FAULT_CALL = 401003, FAULT_TEMPLATE_PARAMETER = 500101,
	FAULT_TOO_LARGE = 400413, FAULT_PARSE = 601000,
};

struct fault {
	int code;
	char code_text[32];	/* throwError's free text; "" = code */
	char message[480];	/* one line */
	char detail[700];	/* trail: "main.xml:3 sequence > :9 filter" */
};
/* Fills and returns MED_HOST_FAULT's sign, -1. */
int fault_set(struct fault *, int code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif
