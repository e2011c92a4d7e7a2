/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/attr.h"

enum { DRAWN = 64 };

/* By both ways of asking. */
static void
draw(unsigned char *to)
{
	rand_bytes(to, DRAWN / 2);
	for (size_t i = DRAWN / 2; i < DRAWN; i += sizeof(uint32_t)) {
		uint32_t v = rand_u32();

		memcpy(to + i, &v, sizeof(v));
	}
}

/* Draws in a new child and hands the bytes up. */
static void
draw_in_child(unsigned char *to)
{
	int pipe_fd[2], status;
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		unsigned char mine[DRAWN];

		draw(mine);
		_exit(write(pipe_fd[1], mine, sizeof(mine)) != DRAWN);
	}
	assert_int_equal(read(pipe_fd[0], to, DRAWN), DRAWN);
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
no_child_repeats(void **state UNUSED)
{
	unsigned char drawn[6][DRAWN];

	(void)rand_u32();	/* something is in stock when we fork */
	draw_in_child(drawn[0]);
	draw(drawn[1]);
	draw_in_child(drawn[2]);
	draw_in_child(drawn[3]);
	draw(drawn[4]);
	draw(drawn[5]);
	for (size_t i = 0; i < ARRAY_LEN(drawn); i++)
		for (size_t j = 0; j < i; j++) {
			assert_memory_not_equal(drawn[i], drawn[j], 8);
			assert_memory_not_equal(drawn[i] + DRAWN / 2,
			    drawn[j] + DRAWN / 2, 8);
		}
}

/* All of a request is filled and nothing beside it, over any page border. */
static void
fills_exactly(void **state UNUSED)
{
	static const size_t sizes[] = { 0, 1, 2, 7, 8, 255, 4095, 4096, 4097,
		9000, 20000 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		size_t n = sizes[i], zeros = 0;
		unsigned char *p = calloc(1, n + 16);

		assert_non_null(p);
		rand_bytes(p + 8, n);
		for (size_t k = 0; k < 8; k++) {
			assert_int_equal(p[k], 0);
			assert_int_equal(p[8 + n + k], 0);
		}
		for (size_t k = 0; k < n; k++)
			zeros += p[8 + k] == 0;
		/* 1 in 256 is expected; 1 in 16 does not happen by chance. */
		if (n >= 255)
			assert_true(zeros < n / 16);
		free(p);
	}
}

static void
every_bit_moves(void **state UNUSED)
{
	uint32_t ones = 0, zeros = 0;

	for (int i = 0; i < 4000; i++) {
		uint32_t v = rand_u32();

		ones |= v;
		zeros |= ~v;
	}
	assert_int_equal(ones, UINT32_MAX);
	assert_int_equal(zeros, UINT32_MAX);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_child_repeats),
		cmocka_unit_test(fills_exactly),
		cmocka_unit_test(every_bit_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
