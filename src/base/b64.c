/* SPDX-License-Identifier: Apache-2.0 */
#include "base/b64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
b64_encoded_len(size_t n)
{
	return (n + 2) / 3 * 4;
}

void
b64_encode(const void *p, size_t n, char *out)
{
	const uint8_t *in = p;

	for (; n >= 3; n -= 3, in += 3) {
		*out++ = alphabet[in[0] >> 2];
		*out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = alphabet[(in[1] & 15) << 2 | in[2] >> 6];
		*out++ = alphabet[in[2] & 63];
	}
	if (n == 0)
		return;
	*out++ = alphabet[in[0] >> 2];
	if (n == 1) {
		*out++ = alphabet[(in[0] & 3) << 4];
		*out++ = '=';
	} else {
		*out++ = alphabet[(in[0] & 3) << 4 | in[1] >> 4];
		*out++ = alphabet[(in[1] & 15) << 2];
	}
	*out = '=';
}

static int
value(char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;

	return at ? (int)(at - alphabet) : -1;
}

bool
b64_decode(const char *p, size_t n, void *out, size_t *len_out)
{
	uint8_t *to = out;
	size_t pad = 0;

	if (n % 4)
		return false;
	if (n && p[n - 1] == '=')
		pad = p[n - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < n; i += 4) {
		bool last = i + 4 == n;
		int v[4];

		for (size_t j = 0; j < 4; j++) {
			v[j] = last && j >= 4 - pad ? 0 : value(p[i + j]);
			if (v[j] < 0)
				return false;
		}
		*to++ = (uint8_t)(v[0] << 2 | v[1] >> 4);
		if (!last || pad < 2)
			*to++ = (uint8_t)(v[1] << 4 | v[2] >> 2);
		else if (v[1] & 15)
			return false;
		if (!last || pad < 1)
			*to++ = (uint8_t)(v[2] << 6 | v[3]);
		else if (pad == 1 && (v[2] & 3))
			return false;
	}
	*len_out = (size_t)(to - (uint8_t *)out);
	return true;
}
