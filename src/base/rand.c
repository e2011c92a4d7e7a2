/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#include "base/must.h"

static struct {
	unsigned char bytes[4096];
	size_t left;
	bool hooked;
} pool;

/* Runs in a new child: what the parent holds in stock is not ours to draw,
 * nor to know. */
static void
forget(void)
{
	memset(pool.bytes, 0, sizeof(pool.bytes));
	pool.left = 0;
}

static void
refill(void)
{
	size_t got = 0;

	if (!pool.hooked) {
		must(pthread_atfork(NULL, NULL, forget) == 0);
		pool.hooked = true;
	}
	while (got < sizeof(pool.bytes)) {
		ssize_t n = getrandom(pool.bytes + got,
		    sizeof(pool.bytes) - got, 0);

		must(n > 0 || errno == EINTR);
		if (n > 0)
			got += (size_t)n;
	}
	pool.left = sizeof(pool.bytes);
}

void
rand_bytes(void *p, size_t n)
{
	unsigned char *to = p;

	while (n) {
		size_t take;

		if (pool.left == 0)
			refill();
		take = n < pool.left ? n : pool.left;
		pool.left -= take;
		memcpy(to, pool.bytes + pool.left, take);
		/* Not kept: a later reader of our memory learns nothing. */
		memset(pool.bytes + pool.left, 0, take);
		to += take, n -= take;
	}
}

uint32_t
rand_u32(void)
{
	uint32_t v;

	/* Wanted for every frame of a client: without a loop or a call. */
	if (LIKELY(pool.left >= sizeof(v))) {
		pool.left -= sizeof(v);
		memcpy(&v, pool.bytes + pool.left, sizeof(v));
		memset(pool.bytes + pool.left, 0, sizeof(v));
	} else {
		rand_bytes(&v, sizeof(v));
	}
	return v;
}
