/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/sysprop.h"

#include <stdlib.h>

#include "base/hmap.h"

enum { MAX_COUNT = 4096, MAX_BYTES = 65536 };

/* Process-wide, as the scope is by its definition. */
static struct hmap all;

int
sysprop_set(struct str name, struct str value, struct err *err)
{
	void *old = hmap_get(&all, name);

	if (name.n + value.n > MAX_BYTES)
		return err_set(err, ERR_LIMIT, "a system property may have at "
		    "most %d bytes", MAX_BYTES);
	if (!old && hmap_count(&all) >= MAX_COUNT)
		return err_set(err, ERR_LIMIT, "there may be at most %d "
		    "system properties", MAX_COUNT);
	hmap_set(&all, name, str_dup(value));
	free(old);
	return 0;
}

bool
sysprop_get(struct str name, struct str *out)
{
	const char *value = hmap_get(&all, name);

	if (!value)
		return false;
	*out = str_of(value);
	return true;
}

void
sysprop_clear(void)
{
	struct str name;
	void *value;

	for (size_t at = 0; hmap_next(&all, &at, &name, &value); )
		free(value);
	hmap_fini(&all);
}
