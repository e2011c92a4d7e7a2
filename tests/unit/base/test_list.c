/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct thing {
	int value;
	struct list link;
};

static int
joined(struct list *head)
{
	int n = 0;

	list_each (head, it, struct thing, link)
		n = n * 10 + it->value;
	return n;
}

static int
joined_backwards(struct list *head)
{
	int n = 0;

	for (struct list *l = head->prev; l != head; l = l->prev)
		n = n * 10 + container_of(l, struct thing, link)->value;
	return n;
}

static void
order(void **state UNUSED)
{
	struct list head;
	struct thing t[4] = { { .value = 1 }, { .value = 2 }, { .value = 3 },
		{ .value = 4 } };

	list_init(&head);
	assert_true(list_empty(&head));
	assert_null(list_first(&head, struct thing, link));
	assert_int_equal(joined(&head), 0);
	list_add_tail(&head, &t[1].link);
	list_add_tail(&head, &t[2].link);
	list_add_head(&head, &t[0].link);
	list_add_tail(&head, &t[3].link);
	assert_false(list_empty(&head));
	assert_int_equal(joined(&head), 1234);
	assert_int_equal(joined_backwards(&head), 4321);
	assert_ptr_equal(list_first(&head, struct thing, link), &t[0]);
}

static void
delete_twice(void **state UNUSED)
{
	struct list head;
	struct thing t[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };

	list_init(&head);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		list_add_tail(&head, &t[i].link);
	list_del(&t[1].link);
	list_del(&t[1].link);
	assert_true(list_empty(&t[1].link));
	assert_int_equal(joined(&head), 13);
	assert_int_equal(joined_backwards(&head), 31);
	list_add_head(&head, &t[1].link);
	assert_int_equal(joined(&head), 213);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		list_del(&t[i].link);
	assert_true(list_empty(&head));
}

static void
delete_while_walking(void **state UNUSED)
{
	struct list head;
	struct thing t[5];
	int seen = 0;

	list_init(&head);
	for (int i = 0; i < 5; i++) {
		t[i].value = i + 1;
		list_add_tail(&head, &t[i].link);
	}
	list_each (&head, it, struct thing, link) {
		seen = seen * 10 + it->value;
		if (it->value % 2)
			list_del(&it->link);
	}
	assert_int_equal(seen, 12345);
	assert_int_equal(joined(&head), 24);
}

static void
leave_early(void **state UNUSED)
{
	struct list head;
	struct thing t[3] = { { .value = 1 }, { .value = 2 }, { .value = 3 } };
	int seen = 0;

	list_init(&head);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		list_add_tail(&head, &t[i].link);
	list_each (&head, it, struct thing, link) {
		if (it->value == 2)
			continue;
		seen = seen * 10 + it->value;
	}
	assert_int_equal(seen, 13);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(delete_twice),
		cmocka_unit_test(delete_while_walking),
		cmocka_unit_test(leave_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
