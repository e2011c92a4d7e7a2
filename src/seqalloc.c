/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what is taken from the heap, for wsgwseq --bench: this program's
 * malloc() stands before that of glibc. AddressSanitizer has its own. */
#include <stdlib.h>

#include "base/attr.h"
#include "seqreport.h"

#if defined(__GLIBC__) && !BUILT_WITH_ASAN

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static uint64_t taken;

void *
malloc(size_t size)
{
	taken++;
	return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	taken++;
	return __libc_calloc(count, size);
}

void *
realloc(void *p, size_t size)
{
	taken++;
	return __libc_realloc(p, size);
}

bool
alloc_count(uint64_t *out)
{
	*out = taken;
	return true;
}

#else

bool
alloc_count(uint64_t *out)
{
	*out = 0;
	return false;
}

#endif
