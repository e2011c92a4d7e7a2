/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/artifacts.h"

#include "config/config.h"
#include "http/uri.h"
#include "mediation/mediation.h"
#include "mediation/source.h"

static int
check_uri(struct str text, struct err *err)
{
	struct uri uri;

	if (uri_split(text, &uri, err) < 0)
		return -1;
	if (uri.scheme == URI_OTHER)
		return err_set(err, ERR_VALUE,
		    "scheme \"%.*s\" is not one of ws, wss, http, https",
		    STR_FMT(uri.scheme_text));
	if (uri.scheme == URI_WSS)
		return err_set(err, ERR_UNSUPPORTED,
		    "wss:// back-ends need TLS, which this version does not "
		    "have");
#ifndef HAVE_CURL
	if (uri.scheme == URI_HTTP || uri.scheme == URI_HTTPS)
		return err_set(err, ERR_UNSUPPORTED,
		    "HTTP back-ends need libcurl, which this build does not "
		    "have");
#endif
	return 0;
}

struct med_source *
artifacts_capture(const struct config *c, struct diag *diag)
{
	return med_source_capture(c->artifacts_root, c->artifacts_registry,
	    c->artifacts_max_size, diag);
}

struct med_set *
artifacts_load(const struct config *c, struct med_source *source,
    struct diag *diag)
{
	const struct med_config mc = {
		.root = c->artifacts_root,
		.registry = c->artifacts_registry,
		.source = source,
		.ws_sender = c->transport_ws_sender_enable,
		.lenient = str_is(str_of(c->artifacts_unsupported), "warn"),
		.outflow = c->transport_ws_sender_outflow_dispatch_sequence,
		.outflow_fault =
		    c->transport_ws_sender_outflow_dispatch_fault_sequence,
		.port_offset = c->port_offset,
		.check_uri = check_uri,
	};

	return med_set_load(&mc, diag);
}

struct med_set *
artifacts_load_snapshot(const struct config *c, int fd, struct diag *diag)
{
	struct err err = { 0 };
	struct med_source *source = med_source_snapshot(fd, c->artifacts_root,
	    c->artifacts_registry, &err);
	struct med_set *set = NULL;

	if (source)
		set = artifacts_load(c, source, diag);
	else
		diag_add(diag, DIAG_ERROR, &err);
	med_source_put(&source);
	return set;
}
