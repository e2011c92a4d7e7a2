/* SPDX-License-Identifier: Apache-2.0 */
/* A header, a key and a payload: the header survives being written again, and
 * the ways to mask agree. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "ws/frame.h"

static void
check_head(const uint8_t *head)
{
	uint8_t again[FRAME_HEAD_MAX];
	bool shortest;
	size_t len = frame_head_len(head[1]);
	size_t without_key = head[1] & FRAME_MASKED ? len - 4 : len;
	uint64_t payload = frame_payload_len(head, &shortest);
	size_t written = frame_write_head(again, head[0],
	    head[1] & FRAME_MASKED, payload);

	must(len <= FRAME_HEAD_MAX);
	must(shortest == (written == without_key));
	if (shortest)
		must(memcmp(again, head, written) == 0);
}

/* Masking in two steps, split at cut. */
static bool
mask_split(char *to, const char *from, size_t n, struct frame_key key,
    size_t cut)
{
	bool high = frame_mask(to, from, cut, key);

	key = frame_key_after(key, cut);
	return frame_mask(to + cut, from + cut, n - cut, key) || high;
}

static void
check_mask(const char *from, size_t n, struct frame_key key, size_t cut)
{
	char *a = xmalloc(n + 1), *b = xmalloc(n + 1), *c = xmalloc(n + 1);
	bool high = false;

	for (size_t i = 0; i < n; i++) {
		a[i] = (char)((uint8_t)from[i] ^ key.byte[i % 4]);
		high = high || (a[i] & 0x80);
	}
	must(frame_mask_plain(b, from, n, key) == high);
	must(memcmp(a, b, n) == 0);
	must(mask_split(c, from, n, key, n ? cut % n : 0) == high);
	must(memcmp(a, c, n) == 0);
	frame_mask(c, c, n, key);
	must(n == 0 || memcmp(c, from, n) == 0);
	free(a);
	free(b);
	free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct frame_key key;

	if (n < FRAME_HEAD_MAX + sizeof(key.byte))
		return 0;
	check_head(p);
	memcpy(key.byte, p + FRAME_HEAD_MAX, sizeof(key.byte));
	p += FRAME_HEAD_MAX + sizeof(key.byte);
	n -= FRAME_HEAD_MAX + sizeof(key.byte);
	check_mask((const char *)p, n, key, n ? p[0] : 0);
	return 0;
}
