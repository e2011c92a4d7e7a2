/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static struct board *
new_board(void)
{
	struct err err;
	struct board *b = board_new(&err);

	assert_non_null(b);
	return b;
}

static const struct metric *
find(const char *name)
{
	for (size_t i = 0; i < board_metric_count; i++)
		if (strcmp(board_metrics[i].name, name) == 0)
			return &board_metrics[i];
	fail_msg("no metric %s", name);
	return NULL;
}

static void
test_zeroed(void **state)
{
	struct board *b = new_board();

	(void)state;
	for (size_t i = 0; i < BOARD_SLOTS; i++)
		for (size_t m = 0; m < board_metric_count; m++)
			assert_int_equal(board_read(&b->slot[i],
			    &board_metrics[m]), 0);
	board_free(&b);
	assert_null(b);
	board_free(&b);
}

static void
test_shared_over_fork(void **state)
{
	struct board *b = new_board();
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		board_add(&b->slot[3], messages_in, 40);
		board_add(&b->slot[3], messages_in, 2);
		board_set(&b->slot[3], connections, 7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(board_read(&b->slot[3], find("messages_in_total")),
	    42);
	assert_int_equal(board_get(&b->slot[3], connections), 7);
	assert_int_equal(board_get(&b->slot[2], messages_in), 0);
	assert_int_equal(board_get(&b->slot[4], messages_in), 0);
	board_free(&b);
}

static void
test_clear_gauges(void **state)
{
	struct board *b = new_board();

	(void)state;
	board_set(&b->slot[0], connections, 7);
	board_set(&b->slot[0], accepted, 9);
	board_set(&b->slot[1], connections, 8);
	board_clear_gauges(&b->slot[0]);
	assert_int_equal(board_read(&b->slot[0], find("connections")), 0);
	assert_int_equal(board_read(&b->slot[0], find("accepted_total")), 9);
	assert_int_equal(board_get(&b->slot[1], connections), 8);
	board_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_shared_over_fork),
		cmocka_unit_test(test_clear_gauges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
