/* SPDX-License-Identifier: Apache-2.0 */
/* Private to ws: the frame header and masking, RFC 6455 sections 5.2 and 5.3.
 * What a frame may hold and when is conn.c's affair. */
#ifndef WS_FRAME_H
#define WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_HEAD_MAX = 14,
	FRAME_CONTROL_MAX = 125,	/* payload of a control frame */
	FRAME_FIN = 0x80, FRAME_RSV = 0x70, FRAME_OPCODE = 0x0f,
	FRAME_MASKED = 0x80, FRAME_LEN7 = 0x7f,
	FRAME_LEN16 = 126, FRAME_LEN64 = 127,
};

struct frame_key {
	uint8_t byte[4];	/* as on the wire */
};

/* Length of the header that has this second byte. */
static inline size_t
frame_head_len(uint8_t second)
{
	size_t n = second & FRAME_MASKED ? 6 : 2;
	unsigned len7 = second & FRAME_LEN7;

	return len7 < FRAME_LEN16 ? n : len7 == FRAME_LEN16 ? n + 2 : n + 8;
}

/* The two below for payloads beyond 125 bytes. */
uint64_t frame_long_payload_len(const uint8_t *head, bool *shortest_out);
size_t frame_write_long_head(uint8_t *to, uint8_t first, uint8_t masked,
    uint64_t len);

/* The payload length that a whole header declares; *shortest_out tells
 * whether it is written in as few bytes as it can be. */
static inline uint64_t
frame_payload_len(const uint8_t *head, bool *shortest_out)
{
	unsigned len7 = head[1] & FRAME_LEN7;

	if (len7 >= FRAME_LEN16)
		return frame_long_payload_len(head, shortest_out);
	*shortest_out = true;
	return len7;
}

/* Writes a header without its key; returns its length, at most 10. first is
 * FIN and opcode, masked is FRAME_MASKED or 0. */
static inline size_t
frame_write_head(uint8_t *to, uint8_t first, uint8_t masked, uint64_t len)
{
	if (len >= FRAME_LEN16)
		return frame_write_long_head(to, first, masked, len);
	to[0] = first;
	to[1] = (uint8_t)(masked | len);
	return 2;
}

/*
 * to[i] = from[i] ^ key.byte[i % 4]; from and to are the same or do not
 * overlap. Returns whether a byte written has its high bit set, in other words
 * is not ASCII.
 */
bool frame_mask(char *to, const char *from, size_t n, struct frame_key key);
/* The same in plain C; what machines without vectors run, and what tests hold
 * the other one against. */
bool frame_mask_plain(char *to, const char *from, size_t n,
    struct frame_key key);
/* The key for what comes after n bytes. */
struct frame_key frame_key_after(struct frame_key, size_t n);

#endif
