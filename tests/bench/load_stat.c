/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "alloccount.h"

/* Below 128 ns each has its bucket; above, each power of two has 64. */
static unsigned
hist_shift(uint64_t ns)
{
	unsigned shift = 0;

	while (ns >> shift >= 128)
		shift++;
	return shift;
}

void
hist_add(struct hist *h, uint64_t ns)
{
	unsigned shift = hist_shift(ns);

	h->bucket[shift * 64 + (ns >> shift)]++;
	h->count++;
	if (ns > h->max)
		h->max = ns;
}

double
hist_quantile_us(const struct hist *h, double quantile)
{
	uint64_t wanted = (uint64_t)(quantile * (double)h->count), seen = 0;
	uint64_t shift;

	for (uint64_t i = 0; i < HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen <= wanted)
			continue;
		shift = i < 128 ? 0 : i / 64 - 1;
		return (double)((i - shift * 64) << shift) / 1e3;
	}
	return (double)h->max / 1e3;
}

static size_t
read_file(const char *name, char *text, size_t size)
{
	FILE *f = fopen(name, "r");
	size_t n = 0;

	if (f) {
		n = fread(text, 1, size - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return n;
}

/* Of one thread, to the nanosecond; 0 where the kernel does not count. */
static double
thread_time(long pid, const char *tid)
{
	char name[128], text[128];

	snprintf(name, sizeof name, "/proc/%ld/task/%.20s/schedstat", pid, tid);
	if (!read_file(name, text, sizeof text))
		return 0;
	return strtod(text, NULL) / 1e9;
}

static double
threads_time(long pid)
{
	char name[64];
	struct dirent *entry;
	double sum = 0;
	DIR *d;

	snprintf(name, sizeof name, "/proc/%ld/task", pid);
	d = opendir(name);
	if (!d)
		return 0;
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			sum += thread_time(pid, entry->d_name);
	closedir(d);
	return sum;
}

/* The same to the clock tick, from a kernel without schedstat. */
static double
ticks_time(long pid)
{
	char name[64], text[1024], *after;
	unsigned long user = 0, sys = 0;

	snprintf(name, sizeof name, "/proc/%ld/stat", pid);
	read_file(name, text, sizeof text);
	after = strrchr(text, ')');
	if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u "
	    "%*u %*u %lu %lu", &user, &sys) != 2)
		return 0;
	return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

static double
cpu_of(long pid)
{
	double s = threads_time(pid);

	return s > 0 ? s : ticks_time(pid);
}

/* Mapped at the first call, for ever. */
static const struct alloc_counts *
alloc_slots(const char *file)
{
	static const struct alloc_counts *slots;
	int fd;
	void *map;

	if (slots)
		return slots;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		bench_die(LOAD, file);
	map = mmap(NULL, ALLOC_SLOTS * sizeof *slots, PROT_READ, MAP_SHARED,
	    fd, 0);
	if (map == MAP_FAILED)
		bench_die(LOAD, file);
	close(fd);
	slots = map;
	return slots;
}

/* A process that is not counted must not pass for one that calls nothing. */
static uint64_t
allocs_of(const char *file, long pid)
{
	const struct alloc_counts *slots = alloc_slots(file);

	for (int i = 0; i < ALLOC_SLOTS; i++)
		if (slots[i].pid == (uint64_t)pid)
			return slots[i].allocs;
	fprintf(stderr, LOAD ": %s: no process %ld\n", file, pid);
	exit(2);
}

struct usage
usage_of(const struct load_options *o)
{
	struct usage u = { .allocs = 0 };
	const char *pids = o->pids;
	char *end;
	long pid;

	while (pids && *pids) {
		pid = strtol(pids, &end, 10);
		if (end == pids)
			break;
		u.cpu_s += cpu_of(pid);
		if (o->alloc_file)
			u.allocs += allocs_of(o->alloc_file, pid);
		pids = *end == ',' ? end + 1 : end;
	}
	return u;
}

double
cpu_of_self(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
