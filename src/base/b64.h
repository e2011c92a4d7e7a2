/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, RFC 4648 section 4. */
#ifndef BASE_B64_H
#define BASE_B64_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"

/* Bytes that encoding n bytes takes, without a NUL. */
size_t b64_encoded_len(size_t n);
/* Writes b64_encoded_len(n) characters; no NUL. */
void b64_encode(const void *p, size_t n, char *out);
/* Room for n / 4 * 3 + 3 bytes at out. Strict: padding required, no blanks.
 * False when the text is not base64. */
bool b64_decode(const char *p, size_t n, void *out, size_t *len_out)
    MUST_CHECK;

#endif
