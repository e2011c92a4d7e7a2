/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP back-ends for <call> and <send>, by libcurl's multi interface on our own
 * loop. Private to gateway; curl's headers are included in backend_http.c
 * only. */
#ifndef GATEWAY_BACKEND_HTTP_H
#define GATEWAY_BACKEND_HTTP_H

#include "base/attr.h"
#include "base/err.h"
#include "gateway/gateway.h"

struct http_client;

struct http_client *http_client_new(struct worker *, struct err *) MUST_CHECK;
/* Requests under way end without a word. */
void http_client_free(struct http_client **);

/*
 * Sends a message of ev's run; the run waits, then lane_resume(), or
 * lane_fail() with a code of mediation.md 7, or lane_drop() as the endpoint's
 * responseAction has it. MED_CALL: body, headers and HTTP_SC of the answer
 * become the message's. MED_SEND: the answer runs the inbound's outflow
 * sequence as a message of its own.
 */
enum med_host_result http_client_send(struct http_client *, struct event *,
    enum med_sending, const struct backend_key *, struct message *,
    struct fault *);
/* The session ends: forget its requests. */
void http_client_cancel(struct http_client *, struct session *);

#endif
