/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdbool.h>
#include <time.h>

static struct {
	bool on;
	int64_t ms, wall_us;
} fixed;

int64_t
clock_ms(void)
{
	struct timespec t;

	if (fixed.on)
		return fixed.ms;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_wall_us(void)
{
	struct timespec t;

	if (fixed.on)
		return fixed.wall_us;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void
clock_set(int64_t ms, int64_t wall_us)
{
	fixed.on = true;
	fixed.ms = ms;
	fixed.wall_us = wall_us;
}

void
clock_unset(void)
{
	fixed.on = false;
}
