/*
 * The body stream, cut at every place and at random ones, against canonical forms made by a second,
 * slow implementation that sees the whole body; header fields against a second one too. The first
 * byte of the input seeds the cuts.
 */
#include "base/check.h"
#include "base/random.h"
#include "dkim/canon.h"

#include <stdlib.h>
#include <string.h>

#define CUT_EVERYWHERE_MAX 300

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool at_crlf(const u8 *p, size_t at, size_t len)
{
	return at + 1 < len && p[at] == '\r' && p[at + 1] == '\n';
}

/* Line by line; `out` has room for len + 2. */
static size_t slow_body(const u8 *p, size_t len, bool relaxed, u8 *out)
{
	size_t done = 0;
	size_t keep = 0; /* end of the last line that is not empty */
	size_t at = 0;

	while (at < len) {
		size_t begin = done;

		for (; at < len && !at_crlf(p, at, len); at++) {
			bool blank = relaxed && (p[at] == ' ' || p[at] == '\t');

			if (blank && done > begin && out[done - 1] == ' ')
				continue;
			out[done++] = blank ? ' ' : p[at];
		}
		if (relaxed && done > begin && out[done - 1] == ' ')
			done--;
		at += 2;
		keep = done > begin ? done + 2 : keep;
		out[done++] = '\r';
		out[done++] = '\n';
	}
	if (keep == 0 && !relaxed) {
		memcpy(out, "\r\n", 2);
		keep = 2;
	}
	return keep;
}

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

	if (!plain)
		return;
	plain_len = slow_body(p, len, canon == DKIM_RELAXED, plain);
	hash_of(plain, plain_len, want);
	dkim_body_init(&prefix, canon);
	for (size_t i = 0; i <= len && i <= CUT_EVERYWHERE_MAX; i++) {
		rest = prefix; /* i single bytes were fed; now all that is left at once */
		dkim_body_feed(&rest, p + i, len - i);
		dkim_body_finish(&rest, got);
		ASSERT(memcmp(got, want, sizeof(got)) == 0 && rest.hashed_bytes == plain_len);
		if (i < len)
			dkim_body_feed(&prefix, p + i, 1);
	}
	random_seed(&random, seed);
	dkim_body_init(&rest, canon);
	for (size_t at = 0; at < len;) {
		size_t step = min_size(1 + random_below(&random, 80), len - at);

		dkim_body_feed(&rest, p + at, step);
		at += step;
	}
	dkim_body_finish(&rest, got);
	ASSERT(memcmp(got, want, sizeof(got)) == 0);
	free(plain);
}

/* RFC 6376 section 3.4.2, one step after the other, each over the whole text. */
static size_t slow_header(const u8 *value, size_t len, u8 *out)
{
	size_t n = 0;
	size_t done = 0;

	for (size_t i = 0; i < len; i++) {
		if (at_crlf(value, i, len))
			i++;
		else
			out[n++] = value[i] == '\t' ? ' ' : value[i];
	}
	for (size_t i = 0; i < n; i++) {
		if (out[i] != ' ' || (done > 0 && out[done - 1] != ' '))
			out[done++] = out[i];
	}
	return done > 0 && out[done - 1] == ' ' ? done - 1 : done;
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
