/* SPDX-License-Identifier: Apache-2.0 */
/* Time. Monotonic milliseconds for timers, wall time for people; tests may
 * set both. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);		/* monotonic; only differences mean anything */
int64_t clock_wall_us(void);	/* microseconds since 1970-01-01 UTC */
/* From now on both clocks stand still at these values, until clock_unset(). */
void clock_set(int64_t ms, int64_t wall_us);
void clock_unset(void);

#endif
