/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broadcast ring: what one worker says to all others, in shared memory
 * that the master makes before it forks.
 *
 * Each worker index has a lane of its own, which only that worker writes and
 * all others read. So writers never meet, and one that is killed in the middle
 * of a record leaves nothing that anybody waits for: the record was never
 * published, and its successor begins at the same place. A record becomes
 * visible by one atomic store. A reader that falls behind by more than the
 * lane's size is lapped: it learns how many records it lost and goes on with
 * what comes next. Readers take the lane for hostile input: lengths, sequence
 * and checksum are looked at. doc/ring.md has the whole protocol.
 */
#ifndef IPC_RING_H
#define IPC_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct ring;
struct ring_reader;

enum { RING_LANES_MAX = 256 };

/* bytes: of all lanes together; each gets its share, at least 64 KiB. Before
 * the fork; children inherit it. */
struct ring *ring_new(unsigned lanes, size_t bytes, struct err *) MUST_CHECK;
void ring_free(struct ring **);
unsigned ring_lanes(const struct ring *);
/* The largest record that ring_publish() takes: nearly half of a lane. */
size_t ring_max_record(const struct ring *);

/* Only the worker with that index writes its lane. Call once in a new worker,
 * before the first publish. */
void ring_writer_start(struct ring *, unsigned lane);
/* Joins the parts to one record and wakes the readers that sleep. -1
 * (ERR_LIMIT) when it is too large. */
int ring_publish(struct ring *, unsigned lane, const struct str *part,
    size_t parts, struct err *) MUST_CHECK;

/* Reads all lanes but its own, from now on. */
struct ring_reader *ring_reader_new(struct ring *, unsigned self) MUST_CHECK;
void ring_reader_free(struct ring_reader **);

enum ring_result {
	RING_GOT,	/* *record: good until the next call */
	RING_EMPTY,
	RING_LAPPED,	/* *lost records of that lane are gone */
	RING_BAD,	/* what lay there was no record: *lost as for LAPPED */
};
/* The next record, the lanes in turn; those of one lane in order. */
enum ring_result ring_read(struct ring_reader *, unsigned *lane_out,
    struct str *record, uint64_t *lost) MUST_CHECK;

/* A descriptor (eventfd) that becomes readable when this worker slept and
 * something was published. */
int ring_wake_fd(const struct ring *, unsigned self);
/* Before the worker waits. False: something is there already, do not wait. */
bool ring_sleep(struct ring_reader *) MUST_CHECK;
/* After it waited. */
void ring_awake(struct ring_reader *);
/* When the descriptor is readable: empties it. */
void ring_woken(struct ring_reader *);

#endif
