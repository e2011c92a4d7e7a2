/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes from the kernel (getrandom), fetched a page at a time. Safe
 * over fork: a child never repeats what its parent drew. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *p, size_t n);
uint32_t rand_u32(void);

#endif
