/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alloccount.so: preloaded, counts the heap calls of a program and of each
 * process it forks, in the file $ALLOCCOUNT, which all of them map. Whoever
 * reads the file sees the counts of the moment: the program needs no signal
 * and takes no part.
 */
#include "alloccount.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* The allocator's own names in the C library; asking the dynamic linker for
 * the next malloc() would allocate. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

void *memalign(size_t, size_t);

static struct alloc_counts before_any;
static struct alloc_counts *slots, *mine = &before_any;

/* A process without a slot of its own goes on in its parent's. */
static void
take_slot(void)
{
	if (!slots)
		return;
	for (unsigned i = 0; i < ALLOC_SLOTS; i++) {
		uint64_t none = 0;

		if (!atomic_compare_exchange_strong(&slots[i].pid, &none,
		    (uint64_t)getpid()))
			continue;
		mine = &slots[i];
		return;
	}
}

__attribute__((constructor)) static void
begin(void)
{
	const char *name = getenv("ALLOCCOUNT");
	int fd = name ? open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	size_t size = ALLOC_SLOTS * sizeof *slots;
	void *map;

	if (fd < 0)
		return;
	if (ftruncate(fd, (off_t)size) == 0) {
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    fd, 0);
		slots = map == MAP_FAILED ? NULL : map;
	}
	close(fd);
	take_slot();
	pthread_atfork(NULL, NULL, take_slot);
}

static void
count(size_t bytes)
{
	atomic_fetch_add_explicit(&mine->allocs, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&mine->bytes, bytes, memory_order_relaxed);
}

void *
malloc(size_t n)
{
	count(n);
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	count(n * size);
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	count(n);
	return __libc_realloc(p, n);
}

void *
memalign(size_t align, size_t n)
{
	count(n);
	return __libc_memalign(align, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	return memalign(align, n);
}

int
posix_memalign(void **p_out, size_t align, size_t n)
{
	void *p = memalign(align, n);

	if (!p)
		return ENOMEM;
	*p_out = p;
	return 0;
}

void
free(void *p)
{
	if (p)
		atomic_fetch_add_explicit(&mine->frees, 1,
		    memory_order_relaxed);
	__libc_free(p);
}
