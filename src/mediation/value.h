/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: what is behind struct med_value. */
#ifndef MEDIATION_VALUE_H
#define MEDIATION_VALUE_H

#include "mediation/mediator.h"

struct med_value {
	struct str text;
	struct expr *expr;	/* NULL: text as it is */
	bool deferred;		/* {{expr}}: evaluated where it is used */
};

#endif
