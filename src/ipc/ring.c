/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/must.h"

enum {
	LINE = 64,
	UNIT = 16,			/* records begin at multiples of it */
	COUNT_BITS = 24,
	LANE_MIN = 64 << 10,
	MAGIC = 0x77736772,
	SKIP = 0x736b6970,		/* the rest up to the lane's end */
};

/*
 * published: (position / UNIT) << COUNT_BITS | number of records, one word, so
 * that a reader who lost its place knows both at once. Positions only grow;
 * modulo the lane's size they are places in it.
 */
struct lane {
	alignas(LINE) _Atomic uint64_t published;
	/* Bytes before reserved - size are being written over. */
	alignas(LINE) _Atomic uint64_t reserved;
	alignas(LINE) _Atomic uint32_t sleeping;	/* its worker, as reader */
};

struct record {
	uint32_t magic, length;		/* of the payload */
	uint32_t number, check;
};
_Static_assert(sizeof(struct record) == UNIT, "a record begins with one unit");

struct ring {
	unsigned lanes;
	size_t size;			/* of a lane's data, a multiple of UNIT */
	size_t mapped;
	struct lane *lane;		/* shared, then the data of each */
	char *data;
	int wake[];			/* eventfd of each lane's worker */
};

struct ring_reader {
	struct ring *ring;
	unsigned self, next;		/* lane to look at first */
	char *copy;
	size_t copy_cap;
	struct {
		uint64_t at, number;
	} lane[];
};

static uint64_t
position(uint64_t published)
{
	return (published >> COUNT_BITS) * UNIT;
}

static uint64_t
number(uint64_t published)
{
	return published & ((1u << COUNT_BITS) - 1);
}

static uint64_t
publish_word(uint64_t pos, uint64_t n)
{
	return pos / UNIT << COUNT_BITS | (n & ((1u << COUNT_BITS) - 1));
}

static size_t
room(size_t payload)
{
	return sizeof(struct record) + (payload + UNIT - 1) / UNIT * UNIT;
}

static char *
place(const struct ring *r, unsigned lane, uint64_t pos)
{
	return r->data + (size_t)lane * r->size + (size_t)(pos % r->size);
}

/* Not against malice, against what a killed or mad writer leaves behind. */
static uint32_t
check_sum(const char *p, size_t n, uint32_t seed)
{
	uint64_t h = seed * UINT64_C(0x9E3779B97F4A7C15) + n, w;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&w, p, 8);
		h = (h ^ w) * UINT64_C(0xFF51AFD7ED558CCD);
		h ^= h >> 32;
	}
	w = 0;
	memcpy(&w, p, n);
	h = (h ^ w) * UINT64_C(0xC4CEB9FE1A85EC53);
	return (uint32_t)(h ^ h >> 32);
}

static int
open_wakes(struct ring *r, struct err *err)
{
	for (unsigned i = 0; i < r->lanes; i++) {
		r->wake[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (r->wake[i] < 0)
			return err_sys(err, "cannot make an eventfd");
	}
	return 0;
}

struct ring *
ring_new(unsigned lanes, size_t bytes, struct err *err)
{
	struct ring *r = xcalloc(1, sizeof(*r) + lanes * sizeof(r->wake[0]));
	size_t heads = lanes * sizeof(struct lane);
	void *p;

	must(lanes > 0 && lanes <= RING_LANES_MAX);
	r->lanes = lanes;
	r->size = bytes / lanes / LINE * LINE;
	if (r->size < LANE_MIN)
		r->size = LANE_MIN;
	r->mapped = heads + r->size * lanes;
	for (unsigned i = 0; i < lanes; i++)
		r->wake[i] = -1;
	p = mmap(NULL, r->mapped, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		err_sys(err, "cannot map %zu bytes for the broadcast ring",
		    r->mapped);
		free(r);
		return NULL;
	}
	r->lane = p;
	r->data = (char *)p + heads;
	if (open_wakes(r, err) < 0)
		ring_free(&r);
	return r;
}

void
ring_free(struct ring **rp)
{
	struct ring *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	for (unsigned i = 0; i < r->lanes; i++)
		if (r->wake[i] >= 0)
			close(r->wake[i]);
	munmap(r->lane, r->mapped);
	free(r);
}

unsigned
ring_lanes(const struct ring *r)
{
	return r->lanes;
}

size_t
ring_max_record(const struct ring *r)
{
	/* Twice a record, the second one at the lane's start, must fit. */
	return r->size / 2 - UNIT - sizeof(struct record);
}

/* ---- writing ----------------------------------------------------------- */

void
ring_writer_start(struct ring *r, unsigned lane)
{
	struct lane *l = &r->lane[lane];

	/* What the last writer had reserved and not published is ours again;
	 * reserved stays, so that readers go on to distrust that part. */
	atomic_store(&l->sleeping, 0);
	if (atomic_load(&l->reserved) < position(atomic_load(&l->published)))
		atomic_store(&l->reserved,
		    position(atomic_load(&l->published)));
}

/* Readers learn that the bytes up to end - size are gone before the first of
 * them changes. */
static void
reserve(struct lane *l, uint64_t end)
{
	if (atomic_load_explicit(&l->reserved, memory_order_relaxed) < end)
		atomic_store_explicit(&l->reserved, end, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

static void
wake_sleepers(struct ring *r, unsigned self)
{
	static const uint64_t one = 1;

	/* Pairs with the fence in ring_sleep(): either it sees the record, or
	 * this sees that it sleeps. */
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < r->lanes; i++) {
		struct lane *l = &r->lane[i];

		if (i == self || !atomic_load_explicit(&l->sleeping,
		    memory_order_relaxed))
			continue;
		/* The eventfd's counter only fails to grow when it is full:
		 * then it is readable anyway. */
		if (atomic_exchange(&l->sleeping, 0) &&
		    write(r->wake[i], &one, sizeof(one)) < 0)
			continue;
	}
}

static void
fill(struct ring *r, unsigned lane, uint64_t pos, uint64_t n,
    const struct str *part, size_t parts, size_t length)
{
	char *to = place(r, lane, pos);
	struct record rec = {
		.magic = MAGIC, .length = (uint32_t)length,
		.number = (uint32_t)n,
	};
	char *p = to + sizeof(rec);

	for (size_t i = 0; i < parts; i++) {
		if (part[i].n)
			memcpy(p, part[i].p, part[i].n);
		p += part[i].n;
	}
	rec.check = check_sum(to + sizeof(rec), length, rec.number);
	memcpy(to, &rec, sizeof(rec));
}

int
ring_publish(struct ring *r, unsigned lane, const struct str *part,
    size_t parts, struct err *err)
{
	struct lane *l = &r->lane[lane];
	uint64_t word = atomic_load_explicit(&l->published,
	    memory_order_relaxed);
	uint64_t pos = position(word), n = number(word);
	size_t length = 0, left;

	for (size_t i = 0; i < parts; i++)
		length += part[i].n;
	if (length > ring_max_record(r))
		return err_set(err, ERR_LIMIT, "a broadcast of %zu bytes is "
		    "larger than half of its share of "
		    "broadcast.ring_size, %zu bytes", length,
		    ring_max_record(r));
	left = r->size - (size_t)(pos % r->size);
	if (room(length) > left) {
		struct record skip = { .magic = SKIP };

		reserve(l, pos + left + room(length));
		memcpy(place(r, lane, pos), &skip, sizeof(skip));
		pos += left;
	} else {
		reserve(l, pos + room(length));
	}
	fill(r, lane, pos, n, part, parts, length);
	atomic_store_explicit(&l->published,
	    publish_word(pos + room(length), n + 1), memory_order_release);
	wake_sleepers(r, lane);
	return 0;
}

/* ---- reading ----------------------------------------------------------- */

struct ring_reader *
ring_reader_new(struct ring *r, unsigned self)
{
	struct ring_reader *rd = xcalloc(1, sizeof(*rd) +
	    r->lanes * sizeof(rd->lane[0]));

	rd->ring = r;
	rd->self = self;
	for (unsigned i = 0; i < r->lanes; i++) {
		uint64_t word = atomic_load(&r->lane[i].published);

		rd->lane[i].at = position(word);
		rd->lane[i].number = number(word);
	}
	return rd;
}

void
ring_reader_free(struct ring_reader **rdp)
{
	if (!*rdp)
		return;
	free((*rdp)->copy);
	free(*rdp);
	*rdp = NULL;
}

/* Goes on with what will be published next. */
static enum ring_result
give_up(struct ring_reader *rd, unsigned i, enum ring_result why,
    uint64_t *lost)
{
	uint64_t word = atomic_load_explicit(&rd->ring->lane[i].published,
	    memory_order_acquire);

	*lost = (number(word) - rd->lane[i].number) & ((1u << COUNT_BITS) - 1);
	rd->lane[i].at = position(word);
	rd->lane[i].number = number(word);
	return why;
}

/* Was anything that was read at pos written over meanwhile? */
static bool
lapped(const struct ring *r, unsigned i, uint64_t pos)
{
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&r->lane[i].reserved,
	    memory_order_relaxed) > pos + r->size;
}

static void
copy_out(struct ring_reader *rd, const char *p, size_t n)
{
	if (n > rd->copy_cap) {
		rd->copy_cap = n + n / 2 + 256;
		free(rd->copy);
		rd->copy = xmalloc(rd->copy_cap);
	}
	memcpy(rd->copy, p, n);
}

static enum ring_result
read_lane(struct ring_reader *rd, unsigned i, struct str *out, uint64_t *lost)
{
	struct ring *r = rd->ring;
	uint64_t end = position(atomic_load_explicit(&r->lane[i].published,
	    memory_order_acquire));
	struct record rec;

	while (rd->lane[i].at != end) {
		uint64_t at = rd->lane[i].at;
		size_t left = r->size - (size_t)(at % r->size);

		if (at > end || lapped(r, i, at))
			return give_up(rd, i, RING_LAPPED, lost);
		memcpy(&rec, place(r, i, at), sizeof(rec));
		if (lapped(r, i, at))
			return give_up(rd, i, RING_LAPPED, lost);
		if (rec.magic == SKIP) {
			rd->lane[i].at = at + left;
			continue;
		}
		if (rec.magic != MAGIC || rec.length > ring_max_record(r) ||
		    room(rec.length) > left || at + room(rec.length) > end ||
		    rec.number != rd->lane[i].number)
			return give_up(rd, i, RING_BAD, lost);
		copy_out(rd, place(r, i, at) + sizeof(rec), rec.length);
		if (lapped(r, i, at))
			return give_up(rd, i, RING_LAPPED, lost);
		if (check_sum(rd->copy, rec.length, rec.number) != rec.check)
			return give_up(rd, i, RING_BAD, lost);
		rd->lane[i].at = at + room(rec.length);
		rd->lane[i].number = (rec.number + 1u) &
		    ((1u << COUNT_BITS) - 1);
		*out = (struct str){ rd->copy, rec.length };
		return RING_GOT;
	}
	return RING_EMPTY;
}

enum ring_result
ring_read(struct ring_reader *rd, unsigned *lane_out, struct str *record,
    uint64_t *lost)
{
	unsigned lanes = rd->ring->lanes;

	for (unsigned k = 0; k < lanes; k++) {
		unsigned i = (rd->next + k) % lanes;
		enum ring_result result;

		if (i == rd->self)
			continue;
		result = read_lane(rd, i, record, lost);
		if (result == RING_EMPTY)
			continue;
		*lane_out = i;
		rd->next = (i + 1) % lanes;
		return result;
	}
	return RING_EMPTY;
}

/* ---- sleeping ---------------------------------------------------------- */

int
ring_wake_fd(const struct ring *r, unsigned self)
{
	return r->wake[self];
}

bool
ring_sleep(struct ring_reader *rd)
{
	struct ring *r = rd->ring;

	atomic_store_explicit(&r->lane[rd->self].sleeping, 1,
	    memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < r->lanes; i++) {
		if (i == rd->self || position(atomic_load_explicit(
		    &r->lane[i].published, memory_order_acquire)) ==
		    rd->lane[i].at)
			continue;
		atomic_store_explicit(&r->lane[rd->self].sleeping, 0,
		    memory_order_relaxed);
		return false;
	}
	return true;
}

void
ring_awake(struct ring_reader *rd)
{
	atomic_store_explicit(&rd->ring->lane[rd->self].sleeping, 0,
	    memory_order_relaxed);
}

void
ring_woken(struct ring_reader *rd)
{
	uint64_t count;

	/* Empty when somebody was faster: that is as good. */
	if (read(ring_wake_fd(rd->ring, rd->self), &count, sizeof(count)) < 0)
		return;
}
