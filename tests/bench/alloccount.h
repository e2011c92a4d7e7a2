/* SPDX-License-Identifier: Apache-2.0 */
/* alloccount: the file that alloccount.so counts in and wsgw-load reads. */
#ifndef BENCH_ALLOCCOUNT_H
#define BENCH_ALLOCCOUNT_H

#include <stdatomic.h>
#include <stdint.h>

enum { ALLOC_SLOTS = 64 };

/* One process; the file is an array of ALLOC_SLOTS of these. */
struct alloc_counts {
	_Atomic uint64_t pid;		/* 0: free */
	_Atomic uint64_t allocs;	/* malloc and its kin */
	_Atomic uint64_t frees;
	_Atomic uint64_t bytes;		/* asked for */
};

#endif
