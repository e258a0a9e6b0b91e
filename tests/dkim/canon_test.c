/* Canonical forms: known answers, every way of cutting, and a slow second implementation. */
#include "dkim/canon.h"

#include "base/random.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hash_cut(struct slice body, enum dkim_canon canon, size_t a, size_t b, u8 out[32])
{
	struct dkim_body state;

	dkim_body_init(&state, canon);
	dkim_body_feed(&state, body.ptr, a);
	dkim_body_feed(&state, body.ptr + a, b - a);
	dkim_body_feed(&state, body.ptr + b, body.len - b);
	dkim_body_finish(&state, out);
}

static void hash_by_byte(struct slice body, enum dkim_canon canon, u8 out[32])
{
	struct dkim_body state;

	dkim_body_init(&state, canon);
	for (size_t i = 0; i < body.len; i++)
		dkim_body_feed(&state, body.ptr + i, 1);
	dkim_body_finish(&state, out);
}

static void assert_base64(const u8 digest[32], const char *want)
{
	char text[45] = "";

	base64_encode(text, digest, 32);
	assert_string_equal(text, want);
}

struct known {
	struct slice body;
	const char *relaxed;
	const char *simple;
};

#define EMPTY_HASH "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define CRLF_HASH "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY="
#define HELLO_HASH "Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg="

static const struct known known[] = {
	{ { "Line  one \t\r\n\r\n\t\r\n\r\n", 20 },
	  "o+nRqNPZUrLVJGqWtj6vd90YClPeFaQOBNO/CqBNBok=",
	  "N5rmNefypvhrgakDwtwiSY+5XTf01nWPEEOVwWQeLoU=" },
	{ { " \tC \r\nD \t E\r\n\r\n\r\n", 17 },
	  "unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo=",
	  NULL },
	{ { "\r\n\r\nX\r\n", 7 }, "SUiX/kysEJxLlncJrbHe8FTnAtQh/bLbO70YB/PzTwg=", NULL },
	{ { "", 0 }, EMPTY_HASH, CRLF_HASH },
	{ { "\r\n", 2 }, EMPTY_HASH, CRLF_HASH },
	{ { " \r\n\t\r\n", 6 }, EMPTY_HASH, "QFgmHccm4zHlCym5D6fCgInZoJSzpHz6S1jj9S0VVGg=" },
	{ { "Hello", 5 }, HELLO_HASH, HELLO_HASH },
	{ { "Hello\r\n", 7 }, HELLO_HASH, HELLO_HASH },
};

static void body_hashes_are_the_known_ones_for_every_cut(void **state)
{
	u8 digest[32];

	(void)state;
	for (size_t i = 0; i < array_count(known); i++) {
		for (int canon = DKIM_SIMPLE; canon <= DKIM_RELAXED; canon++) {
			const char *want =
				canon == DKIM_SIMPLE ? known[i].simple : known[i].relaxed;

			if (!want)
				continue;
			for (size_t a = 0; a <= known[i].body.len; a++) {
				for (size_t b = a; b <= known[i].body.len; b++) {
					hash_cut(known[i].body, (enum dkim_canon)canon, a, b,
						 digest);
					assert_base64(digest, want);
				}
			}
			hash_by_byte(known[i].body, (enum dkim_canon)canon, digest);
			assert_base64(digest, want);
		}
	}
}

/*
 * RFC 6376 section 3.4 word by word, on the whole body: cut into lines at CRLF, treat each line,
 * drop empty lines at the end, put the lines together.
 */
static size_t canonical_by_lines(struct slice body, enum dkim_canon canon, char *out)
{
	size_t len = 0;
	size_t keep = 0;

	while (body.len > 0) {
		i64 end = slice_find(body, SLICE("\r\n"));
		struct slice line = end < 0 ? body : slice_first(body, (size_t)end);
		size_t begin = len;

		body = end < 0 ? SLICE_NONE : slice_from(body, (size_t)end + 2);
		for (size_t i = 0; i < line.len; i++) {
			char c = line.ptr[i];
			bool blank = canon == DKIM_RELAXED && (c == ' ' || c == '\t');

			if (!blank)
				out[len++] = c;
			else if (len == begin || out[len - 1] != ' ')
				out[len++] = ' ';
		}
		if (canon == DKIM_RELAXED && len > begin && out[len - 1] == ' ')
			len--;
		if (len > begin)
			keep = len + 2;
		out[len++] = '\r';
		out[len++] = '\n';
	}
	if (keep == 0 && canon == DKIM_SIMPLE) {
		memcpy(out, "\r\n", 2);
		keep = 2;
	}
	return keep;
}

static void assert_same_as_by_lines(struct slice body, enum dkim_canon canon, struct random *random)
{
	char *plain = malloc(body.len + 4);
	struct dkim_body state;
	struct sha256 hash;
	u8 want[32];
	u8 got[32];
	size_t len;

	assert_non_null(plain);
	len = canonical_by_lines(body, canon, plain);
	sha256_init(&hash);
	sha256_add(&hash, plain, len);
	sha256_finish(&hash, want);
	dkim_body_init(&state, canon);
	for (size_t at = 0; at < body.len;) {
		size_t step = 1 + random_below(random, 1 + random_below(random, body.len));

		step = min_size(step, body.len - at);
		dkim_body_feed(&state, body.ptr + at, step);
		at += step;
	}
	dkim_body_finish(&state, got);
	assert_memory_equal(got, want, 32);
	assert_int_equal(state.hashed_bytes, len);
	free(plain);
}

static void all_short_bodies_agree_with_the_rfc_done_by_lines(void **state)
{
	static const char alphabet[] = { ' ', '\t', '\r', '\n', 'a' };
	struct random random;
	char body[8];

	(void)state;
	random_seed(&random, 7);
	for (size_t len = 0, count = 1; len <= 7; len++, count *= sizeof(alphabet)) {
		for (size_t n = 0; n < count; n++) {
			size_t rest = n;

			for (size_t i = 0; i < len; i++, rest /= sizeof(alphabet))
				body[i] = alphabet[rest % sizeof(alphabet)];
			for (int canon = DKIM_SIMPLE; canon <= DKIM_RELAXED; canon++)
				assert_same_as_by_lines((struct slice){ body, len },
							(enum dkim_canon)canon, &random);
		}
	}
}

/* Words, blanks and line ends in proportions that change with the round. */
static size_t random_body(struct random *random, char *body, size_t max)
{
	size_t len = random_below(random, max);
	u64 plain = 1 + random_below(random, 40);

	for (size_t i = 0; i < len; i++) {
		u64 pick = random_below(random, plain + 6);

		if (pick == 0)
			body[i] = '\t';
		else if (pick <= 2)
			body[i] = ' ';
		else if (pick == 3)
			body[i] = random_below(random, 2) ? '\r' : '\n';
		else if (pick <= 5 && i + 1 < len)
			body[i] = '\r', body[++i] = '\n';
		else
			body[i] = (char)random_u64(random);
	}
	return len;
}

static void random_bodies_agree_with_the_rfc_done_by_lines(void **state)
{
	static char body[4096];
	struct random random;

	(void)state;
	random_seed(&random, 20261125);
	for (int round = 0; round < 20000; round++) {
		size_t len = random_body(&random, body, round % 50 ? 300 : sizeof(body));

		for (int canon = DKIM_SIMPLE; canon <= DKIM_RELAXED; canon++)
			assert_same_as_by_lines((struct slice){ body, len }, (enum dkim_canon)canon,
						&random);
	}
}

static void a_copied_state_goes_on_from_the_shared_prefix(void **state)
{
	struct dkim_body prefix;
	struct dkim_body one;
	struct dkim_body two;
	u8 got[32];
	u8 want[32];

	(void)state;
	dkim_body_init(&prefix, DKIM_RELAXED);
	dkim_body_feed(&prefix, "Dear \t", 6);
	one = prefix;
	two = prefix;
	dkim_body_feed(&one, "Ann\r\n", 5);
	dkim_body_finish(&one, got);
	hash_cut(SLICE("Dear Ann\r\n"), DKIM_RELAXED, 0, 0, want);
	assert_memory_equal(got, want, 32);
	dkim_body_feed(&two, "\r\n", 2);
	dkim_body_finish(&two, got);
	hash_cut(SLICE("Dear\r\n"), DKIM_RELAXED, 0, 0, want);
	assert_memory_equal(got, want, 32);
}

static void assert_header(const char *name, const char *value, enum dkim_canon canon,
			  const char *want)
{
	struct sha256 direct;
	struct sha256 hash;
	struct buf out;
	u8 a[32];
	u8 b[32];

	buf_init(&out, 4096);
	dkim_header_canonical(&out, canon, slice_of(name), slice_of(value));
	assert_string_equal(buf_text(&out), want);
	sha256_init(&direct);
	dkim_header_hash(&direct, canon, slice_of(name), slice_of(value));
	sha256_finish(&direct, a);
	sha256_init(&hash);
	sha256_add(&hash, want, strlen(want));
	sha256_finish(&hash, b);
	assert_memory_equal(a, b, 32);
	buf_done(&out);
}

static void relaxed_header_fields_lose_folds_and_outer_blanks(void **state)
{
	(void)state;
	assert_header("List-Unsubscribe", "\r\n\t<https://u.example/x>", DKIM_RELAXED,
		      "list-unsubscribe:<https://u.example/x>\r\n");
	assert_header("Name ", " example \t\r\n  value\t", DKIM_RELAXED, "name:example value\r\n");
	assert_header("A", " X ", DKIM_RELAXED, "a:X\r\n");
	assert_header("B ", " Y\t\r\n\tZ  ", DKIM_RELAXED, "b:Y Z\r\n");
	assert_header("Empty", "", DKIM_RELAXED, "empty:\r\n");
	assert_header("Empty", " \r\n\t ", DKIM_RELAXED, "empty:\r\n");
	assert_header("X", "a:b \xc3\xa9", DKIM_RELAXED, "x:a:b \xc3\xa9\r\n");
}

static void simple_header_fields_stay_as_they_are(void **state)
{
	(void)state;
	assert_header("B ", " Y\t\r\n\tZ  ", DKIM_SIMPLE, "B : Y\t\r\n\tZ  \r\n");
}

static void long_header_values_keep_every_byte(void **state)
{
	static char value[3001];
	static char want[3010];

	(void)state;
	memset(value, 'v', 3000);
	memcpy(want, "n:", 2);
	memset(want + 2, 'v', 3000);
	memcpy(want + 3002, "\r\n", 3);
	assert_header("N", value, DKIM_RELAXED, want);
	assert_header("n", value, DKIM_SIMPLE, want);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_hashes_are_the_known_ones_for_every_cut),
		cmocka_unit_test(all_short_bodies_agree_with_the_rfc_done_by_lines),
		cmocka_unit_test(random_bodies_agree_with_the_rfc_done_by_lines),
		cmocka_unit_test(a_copied_state_goes_on_from_the_shared_prefix),
		cmocka_unit_test(relaxed_header_fields_lose_folds_and_outer_blanks),
		cmocka_unit_test(simple_header_fields_stay_as_they_are),
		cmocka_unit_test(long_header_values_keep_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
