/*
 * The body stream, cut at every place (a long one at some) and at random ones, against canonical
 * forms made by a second, slow implementation that sees the whole body; header fields against a
 * second one too. The first byte of the input seeds the cuts.
 */
#include "base/check.h"
#include "base/random.h"
#include "dkim/canon.h"
#include "dkim_slow.h"

#include <stdlib.h>
#include <string.h>

#define CUT_EVERYWHERE_MAX 512 /* bytes; longer bodies are cut at about so many places: */
#define CUTS_OF_LONG 48

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void hash_of(const void *bytes, size_t len, u8 out[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, bytes, len);
	sha256_finish(&hash, out);
}

static void check_body(const u8 *p, size_t len, enum dkim_canon canon, u64 seed)
{
	u8 *plain = malloc(len + 2);
	size_t plain_len;
	struct random random;
	struct dkim_body prefix;
	struct dkim_body rest;
	u8 want[SHA256_SIZE];
	u8 got[SHA256_SIZE];
	size_t step = len <= CUT_EVERYWHERE_MAX ? 1 : len / CUTS_OF_LONG;

	if (!plain)
		return;
	plain_len = slow_body(p, len, canon == DKIM_RELAXED, plain);
	hash_of(plain, plain_len, want);
	dkim_body_init(&prefix, canon);
	for (size_t i = 0; i <= len; i += step) {
		rest = prefix; /* i bytes were fed, `step` at a time; now all that is left at once
				*/
		dkim_body_feed(&rest, p + i, len - i);
		dkim_body_finish(&rest, got);
		ASSERT(memcmp(got, want, sizeof(got)) == 0 && rest.hashed_bytes == plain_len);
		if (i < len)
			dkim_body_feed(&prefix, p + i, min_size(step, len - i));
	}
	random_seed(&random, seed);
	dkim_body_init(&rest, canon);
	for (size_t at = 0; at < len;) {
		size_t part = min_size(1 + random_below(&random, 80), len - at);

		dkim_body_feed(&rest, p + at, part);
		at += part;
	}
	dkim_body_finish(&rest, got);
	ASSERT(memcmp(got, want, sizeof(got)) == 0);
	free(plain);
}

static void check_header(const u8 *p, size_t len)
{
	struct slice value = { (const char *)p, len };
	u8 *plain = malloc(len + 4);
	struct sha256 direct;
	struct buf out;
	u8 want[SHA256_SIZE];
	u8 got[SHA256_SIZE];
	size_t n;

	if (!plain)
		return;
	memcpy(plain, "n:", 2);
	n = 2 + slow_header(p, len, plain + 2);
	buf_init(&out, len + 16);
	dkim_header_canonical(&out, DKIM_RELAXED, SLICE("N "), value);
	ASSERT(!out.failed && out.len == n + 2 && memcmp(out.ptr, plain, n) == 0 &&
	       memcmp(out.ptr + n, "\r\n", 2) == 0);
	hash_of(out.ptr, out.len, want);
	sha256_init(&direct);
	dkim_header_hash(&direct, DKIM_RELAXED, SLICE("N "), value);
	sha256_finish(&direct, got);
	ASSERT(memcmp(got, want, sizeof(got)) == 0);
	buf_done(&out);
	free(plain);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 seed = size > 0 ? data[0] : 0;

	if (size > 0) {
		data++;
		size--;
	}
	check_body(data, size, DKIM_SIMPLE, seed);
	check_body(data, size, DKIM_RELAXED, seed);
	check_header(data, size);
	return 0;
}
