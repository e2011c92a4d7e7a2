/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/artifacts.h"

#include "config/config.h"
#include "http/uri.h"
#include "mediation/mediation.h"

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

struct med_set *
artifacts_load(const struct config *c, struct diag *diag)
{
	const struct med_config mc = {
		.root = c->artifacts_root,
		.registry = c->artifacts_registry,
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
