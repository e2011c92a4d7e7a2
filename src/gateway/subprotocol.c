/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/subprotocol.h"

#include "msg/content.h"

static const struct {
	const char *name, *type;
} tokens[] = {
#define SUBPROTOCOL(name, type) { name, type },
#include "gateway/subprotocol.def"
#undef SUBPROTOCOL
};

/* synapse(contentType='X') or synapse(contentType="X") */
static bool
parse_synapse_form(struct str name, struct str *type_out)
{
	static const char front[] = "synapse(contenttype=";
	struct str s;
	char quote;

	if (!str_istarts(name, front) || !str_ends(name, ")"))
		return false;
	s = str_from(name, sizeof(front) - 1);
	s = str_trim(str_head(s, s.n - 1));
	if (s.n < 2)
		return false;
	quote = s.p[0];
	if ((quote != '\'' && quote != '"') || s.p[s.n - 1] != quote)
		return false;
	*type_out = str_trim(str_head(str_from(s, 1), s.n - 2));
	return true;
}

bool
subprotocol_parse(struct str name, bool echo_offered, struct subprotocol *out)
{
	struct str type;

	if (echo_offered && str_is(name, "echo")) {
		*out = (struct subprotocol){ .kind = SUBPROTOCOL_ECHO };
		return true;
	}
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
		if (str_is(name, tokens[i].name)) {
			*out = (struct subprotocol){
				.kind = SUBPROTOCOL_TYPED,
				.type = str_of(tokens[i].type),
			};
			return true;
		}
	if (!parse_synapse_form(name, &type) ||
	    content_kind_of(type) == CONTENT_NONE)
		return false;
	*out = (struct subprotocol){ .kind = SUBPROTOCOL_TYPED, .type = type };
	return true;
}
