/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/board.h"

#include <setjmp.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { PROCESSES = 4, ROUNDS = 20000 };

static struct board *
new_board(void)
{
	struct err err;
	struct board *b = board_new(&err);

	assert_non_null(b);
	return b;
}

static void
test_found_by_name(void **state)
{
	struct board *b = new_board();
	char name[BOARD_NAME_WORDS * 8];
	struct board_endpoint *e;

	(void)state;
	assert_null(board_endpoint(b, STR("E"), BOARD_FIND));
	e = board_endpoint(b, STR("E"), BOARD_MAKE);
	assert_non_null(e);
	assert_ptr_equal(board_endpoint(b, STR("E"), BOARD_FIND), e);
	assert_ptr_equal(board_endpoint(b, STR("E"), BOARD_MAKE), e);
	assert_ptr_not_equal(board_endpoint(b, STR("F"), BOARD_MAKE), e);
	assert_true(board_endpoint_used(e));
	assert_int_equal(board_endpoint_name(e, name), 1);
	assert_int_equal(name[0], 'E');
	board_free(&b);
}

static void
test_long_name_is_cut(void **state)
{
	struct board *b = new_board();
	char name[BOARD_NAME_WORDS * 8], text[300];
	struct board_endpoint *e;

	(void)state;
	memset(text, 'x', sizeof(text));
	e = board_endpoint(b, (struct str){ text, sizeof(text) }, BOARD_MAKE);
	assert_int_equal(board_endpoint_name(e, name), sizeof(name));
	/* The key is made of all of it. */
	assert_ptr_not_equal(board_endpoint(b, (struct str){ text,
	    sizeof(text) - 1 }, BOARD_MAKE), e);
	board_free(&b);
}

static void
test_swap_counts_a_change(void **state)
{
	struct board *b = new_board();
	struct board_endpoint *e = board_endpoint(b, STR("E"), BOARD_MAKE);
	uint64_t seen = board_endpoint_changes(b), old = 0;

	(void)state;
	assert_true(board_endpoints_same(b, seen));
	assert_true(board_endpoint_swap(b, e, &old, 7));
	assert_false(board_endpoints_same(b, seen));
	seen = board_endpoint_changes(b);
	old = 6;
	assert_false(board_endpoint_swap(b, e, &old, 8));
	assert_int_equal(old, 7);
	assert_int_equal(board_endpoint_state(e), 7);
	assert_true(board_endpoints_same(b, seen));
	board_free(&b);
}

static void
test_full_table(void **state)
{
	struct board *b = new_board();
	unsigned made = 0;

	(void)state;
	for (unsigned i = 0; i < BOARD_ENDPOINTS * 4; i++) {
		char text[32];

		snprintf(text, sizeof(text), "endpoint %u", i);
		made += board_endpoint(b, str_of(text), BOARD_MAKE) != NULL;
	}
	assert_in_range(made, BOARD_ENDPOINTS / 2, BOARD_ENDPOINTS);
	assert_null(board_endpoint(b, STR("one more"), BOARD_FIND));
	board_free(&b);
}

static void
hammer(struct board *b)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct board_endpoint *e = board_endpoint(b, i % 2 ? STR("A")
		    : STR("B"), BOARD_MAKE);
		uint64_t old = board_endpoint_state(e);

		while (!board_endpoint_swap(b, e, &old, old + 1))
			;
		(void)board_endpoint_count(e);
	}
}

/* Nothing is lost, and each name has one slot, whoever was first. */
static void
test_many_processes(void **state)
{
	struct board *b = new_board();
	struct board_endpoint *e;
	unsigned used = 0;
	int status;

	(void)state;
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			hammer(b);
			_exit(0);
		}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (size_t i = 0; i < BOARD_ENDPOINTS; i++)
		used += board_endpoint_used(&b->endpoint[i]);
	assert_int_equal(used, 2);
	e = board_endpoint(b, STR("A"), BOARD_FIND);
	assert_int_equal(board_endpoint_state(e), PROCESSES * ROUNDS / 2);
	assert_int_equal(board_endpoint_number(e), PROCESSES * ROUNDS / 2);
	assert_int_equal(board_endpoint_changes(b), PROCESSES * ROUNDS);
	board_free(&b);
}

/* One that is killed anywhere in it leaves a board that works. */
static void
test_killed_writers(void **state)
{
	(void)state;
	for (useconds_t us = 0; us < 2000; us += 100) {
		struct board *b = new_board();
		struct board_endpoint *e;
		uint64_t old;
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				hammer(b);
		usleep(us);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		e = board_endpoint(b, STR("A"), BOARD_MAKE);
		assert_non_null(e);
		old = board_endpoint_state(e);
		assert_true(board_endpoint_swap(b, e, &old, old + 1));
		assert_int_equal(board_endpoint_state(e), old + 1);
		board_free(&b);
	}
}

/* A slot whose maker died before it wrote the name. */
static void
test_name_is_made_good(void **state)
{
	struct board *b = new_board();
	struct board_endpoint *e = board_endpoint(b, STR("E"), BOARD_MAKE);
	char name[BOARD_NAME_WORDS * 8];

	(void)state;
	atomic_store(&e->named, 0);
	assert_int_equal(board_endpoint_name(e, name), 0);
	assert_ptr_equal(board_endpoint(b, STR("E"), BOARD_MAKE), e);
	assert_int_equal(board_endpoint_name(e, name), 1);
	board_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_name),
		cmocka_unit_test(test_long_name_is_cut),
		cmocka_unit_test(test_swap_counts_a_change),
		cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_many_processes),
		cmocka_unit_test(test_killed_writers),
		cmocka_unit_test(test_name_is_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
