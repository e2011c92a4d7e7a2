/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive doubly linked list with a head that is itself a link. A link that
 * is in no list points to itself, so list_del() twice is harmless. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include "base/attr.h"

struct list {
	struct list *next, *prev;
};

static inline void
list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool
list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void
list_add_tail(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

static inline void
list_add_head(struct list *head, struct list *l)
{
	list_add_tail(head->next, l);
}

static inline void
list_del(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}

/* The body may delete the current element, and no other. */
#define list_each(head, it, type, member)                                     \
	for (struct list *it##_l = (head)->next, *it##_n = it##_l->next;      \
	     it##_l != (head); it##_l = it##_n, it##_n = it##_l->next)        \
		for (type *it = container_of(it##_l, type, member); it; it = NULL)

#define list_first(head, type, member) \
	(list_empty(head) ? NULL : container_of((head)->next, type, member))

#endif
