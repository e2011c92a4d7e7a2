/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/ws.h"

static const struct {
	unsigned code;
	bool may_send;
	const char *text;
} codes[] = {
#define WS_CLOSE(name, code, may_send, text) { code, may_send, text },
#include "ws/close.def"
#undef WS_CLOSE
};

const char *
ws_close_text(unsigned code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].text;
	return "";
}

bool
ws_close_sendable(unsigned code)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].code == code)
			return codes[i].may_send;
	return code >= 3000 && code <= 4999;
}
