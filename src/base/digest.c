/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "base/must.h"

static const EVP_MD *
method(enum digest d)
{
	switch (d) {
	case DIGEST_MD5:
		return EVP_md5();
	case DIGEST_SHA1:
		return EVP_sha1();
	case DIGEST_SHA224:
		return EVP_sha224();
	case DIGEST_SHA256:
		return EVP_sha256();
	case DIGEST_SHA384:
		return EVP_sha384();
	case DIGEST_SHA512:
		return EVP_sha512();
	}
	unreachable();
}

bool
digest_hmac(enum digest d, struct str key, struct str data,
    uint8_t out[DIGEST_LEN_MAX], size_t *len_out)
{
	unsigned len = 0;

	if (key.n > INT_MAX || !HMAC(method(d), key.p ? key.p : "",
	    (int)key.n, (const unsigned char *)(data.p ? data.p : ""), data.n,
	    out, &len))
		return false;
	*len_out = len;
	return true;
}
