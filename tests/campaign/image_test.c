/* What an image is, by its bytes. */
#include "base/text.h"
#include "campaign/image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PNG_OF(sides) "\x89PNG\r\n\x1a\n\0\0\0\rIHDR" sides "\x08\x02\0\0\0"
#define JPEG_APP "\xff\xe0\0\x10" "JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
#define FRAME(marker, sides) "\xff" marker "\0\x11\x08" sides "\x03\x01\x22\0\x02\x11\x01\x03\x11\x01"

struct sample {
	const char *bytes;
	size_t len;
	enum image_problem problem;
	enum image_kind kind;
	u32 width, height;
};

#define SAMPLE(literal, ...) { literal, sizeof(literal) - 1, __VA_ARGS__ }

static const struct sample samples[] = {
	SAMPLE(PNG_OF("\0\0\x02\x58\0\0\0\x20"), IMAGE_GOOD, IMAGE_PNG, 600, 32),
	SAMPLE("GIF89a\x03\0\x02\x01\0\0\0;", IMAGE_GOOD, IMAGE_GIF, 3, 258),
	SAMPLE("GIF87a\x01\0\x01\0", IMAGE_GOOD, IMAGE_GIF, 1, 1),
	SAMPLE("\xff\xd8" JPEG_APP FRAME("\xc0", "\0\x20\x02\x58"), IMAGE_GOOD, IMAGE_JPEG, 600, 32),
	/* Progressive, behind a comment and filling bytes. */
	SAMPLE("\xff\xd8\xff\xfe\0\x04hi\xff\xff" FRAME("\xc2", "\0\x01\0\x02"), IMAGE_GOOD, IMAGE_JPEG,
	       2, 1),
	/* C4 is a table and no frame. */
	SAMPLE("\xff\xd8\xff\xc4\0\x07\x08\0\x01\0\x01" FRAME("\xc1", "\0\x05\0\x06"), IMAGE_GOOD,
	       IMAGE_JPEG, 6, 5),
	SAMPLE("RIFF\x1a\0\0\0WEBPVP8 \x0e\0\0\0\x30\x01\0\x9d\x01\x2a\x58\x02\x20\0", IMAGE_GOOD,
	       IMAGE_WEBP, 600, 32),
	SAMPLE("RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\x57\xc2\x07\0", IMAGE_GOOD, IMAGE_WEBP, 600, 32),
	SAMPLE("RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0\x57\x02\0\x1f\0\0", IMAGE_GOOD, IMAGE_WEBP,
	       600, 32),

	SAMPLE("", IMAGE_EMPTY, 0, 0, 0),
	SAMPLE("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", IMAGE_UNKNOWN, 0, 0, 0),
	SAMPLE("<!doctype html><script>alert(1)</script>", IMAGE_UNKNOWN, 0, 0, 0),
	SAMPLE("%PDF-1.7", IMAGE_UNKNOWN, 0, 0, 0),
	SAMPLE("BM\0\0", IMAGE_UNKNOWN, 0, 0, 0),
	SAMPLE("GIF90a\x01\0\x01\0", IMAGE_UNKNOWN, 0, 0, 0),
	SAMPLE("RIFF\0\0\0\0WAVEfmt ", IMAGE_UNKNOWN, 0, 0, 0),

	SAMPLE("\x89PNG\r\n\x1a\n", IMAGE_DAMAGED, 0, 0, 0),
	SAMPLE("\x89PNG\r\n\x1a\n\0\0\0\rIDAT\0\0\0\x01\0\0\0\x01", IMAGE_DAMAGED, 0, 0, 0),
	SAMPLE("GIF89a\0\0\x02\x01", IMAGE_DAMAGED, 0, 0, 0),
	SAMPLE("\xff\xd8" JPEG_APP, IMAGE_DAMAGED, 0, 0, 0),
	SAMPLE("\xff\xd8" JPEG_APP "\xff\xda\0\x08" FRAME("\xc0", "\0\x20\x02\x58"), IMAGE_DAMAGED, 0, 0,
	       0),
	SAMPLE("\xff\xd8\xff\xfe\0\x01" FRAME("\xc0", "\0\x20\x02\x58"), IMAGE_DAMAGED, 0, 0, 0),
	SAMPLE("RIFF\x1a\0\0\0WEBPVP8 \x0e\0\0\0\x30\x01\0\0\0\0\x58\x02\x20\0", IMAGE_DAMAGED, 0, 0, 0),

	SAMPLE(PNG_OF("\0\0\x27\x11\0\0\0\x01"), IMAGE_TOO_LARGE, 0, 0, 0),
	SAMPLE(PNG_OF("\0\0\x27\x10\0\0\x27\x10"), IMAGE_TOO_LARGE, 0, 0, 0),
	SAMPLE(PNG_OF("\xff\xff\xff\xff\xff\xff\xff\xff"), IMAGE_TOO_LARGE, 0, 0, 0),
	SAMPLE(PNG_OF("\0\0\x27\x10\0\0\x13\x88"), IMAGE_GOOD, IMAGE_PNG, 10000, 5000),
};

static enum image_problem read_in_pieces(const struct sample *sample, size_t step,
					 struct image_facts *facts)
{
	struct slice rest = { sample->bytes, sample->len };
	struct image_reader reader;

	image_reader_init(&reader);
	while (rest.len > 0) {
		struct slice piece = slice_first(rest, step);

		image_reader_feed(&reader, piece);
		rest = slice_from(rest, piece.len);
	}
	return image_reader_end(&reader, facts);
}

static void kind_and_size_are_read_from_the_bytes_however_they_come(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_count(samples); i++) {
		const struct sample *sample = &samples[i];

		for (size_t step = 1; step <= 40; step++) {
			struct image_facts facts;
			enum image_problem problem = read_in_pieces(sample, step, &facts);

			if (problem != sample->problem)
				fail_msg("sample %zu in pieces of %zu: %s", i, step,
					 image_problem_words(problem, false));
			if (problem != IMAGE_GOOD)
				continue;
			assert_int_equal(facts.kind, sample->kind);
			assert_int_equal(facts.width, sample->width);
			assert_int_equal(facts.height, sample->height);
		}
	}
}

static void an_image_that_is_cut_off_is_never_taken_for_another(void **state)
{
	(void)state;
	for (size_t i = 0; i < array_count(samples); i++) {
		for (size_t len = 0; len < samples[i].len; len++) {
			struct sample cut = samples[i];
			struct image_facts facts;

			cut.len = len;
			if (read_in_pieces(&cut, 7, &facts) != IMAGE_GOOD)
				continue;
			assert_int_equal(facts.kind, samples[i].kind);
			assert_int_equal(facts.width, samples[i].width);
			assert_int_equal(facts.height, samples[i].height);
		}
	}
}

static void a_segment_of_any_length_may_stand_before_the_frame(void **state)
{
	static char bytes[2 + 20 * 65537 + 64] = "\xff\xd8";
	static const char frame[] = FRAME("\xc0", "\0\x20\x02\x58");
	struct sample sample = { .bytes = bytes };
	struct image_facts facts;
	size_t at = 2;

	(void)state;
	for (u32 i = 0; i < 20; i++) {
		memcpy(bytes + at, "\xff\xe2\xff\xff", 4); /* a profile of colours */
		memset(bytes + at + 4, 0xff, 65533);
		at += 65537;
	}
	memcpy(bytes + at, frame, sizeof(frame) - 1);
	sample.len = at + sizeof(frame) - 1;
	for (size_t step = 1; step < 70000; step += 9973) {
		assert_int_equal(read_in_pieces(&sample, step, &facts), IMAGE_GOOD);
		assert_int_equal(facts.width, 600);
	}
}

static void each_problem_has_words_in_both_languages(void **state)
{
	(void)state;
	for (u32 i = IMAGE_EMPTY; i < IMAGE_PROBLEMS; i++) {
		assert_true(image_problem_words((enum image_problem)i, false)[0]);
		assert_string_not_equal(image_problem_words((enum image_problem)i, false),
					image_problem_words((enum image_problem)i, true));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kind_and_size_are_read_from_the_bytes_however_they_come),
		cmocka_unit_test(an_image_that_is_cut_off_is_never_taken_for_another),
		cmocka_unit_test(a_segment_of_any_length_may_stand_before_the_frame),
		cmocka_unit_test(each_problem_has_words_in_both_languages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
