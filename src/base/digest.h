/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed digests (HMAC, RFC 2104). */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/str.h"

enum digest {
	DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA224, DIGEST_SHA256, DIGEST_SHA384,
	DIGEST_SHA512,
};

enum { DIGEST_LEN_MAX = 64 };

/* False when the library refuses that algorithm. */
bool digest_hmac(enum digest, struct str key, struct str data,
    uint8_t out[DIGEST_LEN_MAX], size_t *len_out) MUST_CHECK;

#endif
