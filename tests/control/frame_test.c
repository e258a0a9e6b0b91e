/* Frames: the same bytes cut anywhere give the same frames, and nothing else passes for one. */
#include "base/text.h"
#include "control/frame.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add(struct buf *out, enum frame_type type, const char *text)
{
	assert_true(frame_add(out, type, slice_of(text)));
}

/* A stream with every type, empty payloads and bytes of all values. */
static void make_stream(struct buf *out)
{
	char all[256];

	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	add(out, FRAME_REQUEST, "{\"command\":\"status\"}");
	assert_true(frame_add(out, FRAME_DATA, (struct slice){ all, sizeof(all) }));
	add(out, FRAME_DATA, "");
	add(out, FRAME_END, "");
	add(out, FRAME_ITEM, "{}");
	add(out, FRAME_REPLY, "{\"count\":1}");
	add(out, FRAME_ERROR, "{\"error\":\"no\"}");
}

/* Writes what the decoder saw as text, so that two runs can be compared. */
static void drain(struct frame_decoder *decoder, struct slice bytes, struct buf *seen)
{
	enum frame_result result;
	struct frame frame;

	while ((result = frame_decoder_take(decoder, &bytes, &frame, NULL)) == FRAME_READY) {
		buf_add_format(seen, "%s %zu:", frame_type_name(frame.type), frame.payload.len);
		buf_add_slice(seen, frame.payload);
		buf_add_char(seen, '\n');
	}
	assert_int_equal(result, FRAME_MORE);
	assert_int_equal(bytes.len, 0);
}

static void expect_split(struct slice stream, const size_t *cuts, size_t count, struct slice whole)
{
	struct frame_decoder decoder;
	struct buf seen;
	size_t at = 0;

	frame_decoder_init(&decoder);
	buf_init(&seen, 1 << 20);
	for (size_t i = 0; i <= count; i++) {
		size_t end = i < count ? cuts[i] : stream.len;
		size_t len = end - at;
		/* A copy of its own size: reading past the piece is seen by the sanitizer. */
		char *piece = malloc(len ? len : 1);

		memcpy(piece, stream.ptr + at, len);
		drain(&decoder, (struct slice){ piece, len }, &seen);
		free(piece);
		at = end;
	}
	assert_true(frame_decoder_is_idle(&decoder));
	assert_int_equal(seen.len, whole.len);
	assert_memory_equal(seen.ptr, whole.ptr, whole.len);
	buf_done(&seen);
	frame_decoder_done(&decoder);
}

static void test_every_split_gives_the_same_frames(void **state)
{
	struct frame_decoder decoder;
	struct buf stream;
	struct buf whole;
	size_t every[1024];

	(void)state;
	buf_init(&stream, 1 << 20);
	buf_init(&whole, 1 << 20);
	make_stream(&stream);
	frame_decoder_init(&decoder);
	drain(&decoder, buf_slice(&stream), &whole);
	frame_decoder_done(&decoder);
	assert_non_null(strstr(buf_text(&whole), "REQUEST 20:{\"command\":\"status\"}\nDATA 256:"));

	for (size_t a = 0; a <= stream.len; a++) {
		for (size_t b = a; b <= stream.len; b += 3)
			expect_split(buf_slice(&stream), (size_t[]){ a, b }, 2, buf_slice(&whole));
	}
	for (size_t i = 0; i < stream.len; i++)
		every[i] = i;
	expect_split(buf_slice(&stream), every, stream.len, buf_slice(&whole));
	buf_done(&stream);
	buf_done(&whole);
}

static void test_a_frame_that_lies_whole_in_the_input_is_not_copied(void **state)
{
	struct frame_decoder decoder;
	struct frame frame;
	struct slice bytes;
	struct buf stream;

	(void)state;
	buf_init(&stream, 1024);
	add(&stream, FRAME_ITEM, "{\"a\":1}");
	frame_decoder_init(&decoder);
	bytes = buf_slice(&stream);
	assert_int_equal(frame_decoder_take(&decoder, &bytes, &frame, NULL), FRAME_READY);
	assert_ptr_equal(frame.payload.ptr, stream.ptr + FRAME_HEAD_SIZE);
	assert_null(decoder.partial.ptr);
	frame_decoder_done(&decoder);
	buf_done(&stream);
}

static enum frame_result take_bytes(const void *bytes, size_t len, struct error *error)
{
	struct frame_decoder decoder;
	struct slice input = { bytes, len };
	struct frame frame;
	enum frame_result result;

	error->text[0] = '\0';
	frame_decoder_init(&decoder);
	result = frame_decoder_take(&decoder, &input, &frame, error);
	if (result == FRAME_BAD) {
		struct slice good = { "\0\0\0\0\x03", 5 };

		/* Once bad, for ever bad. */
		assert_int_equal(frame_decoder_take(&decoder, &good, &frame, NULL), FRAME_BAD);
		assert_false(frame_decoder_is_idle(&decoder));
	}
	frame_decoder_done(&decoder);
	return result;
}

static void test_a_length_above_the_maximum_is_refused_before_the_payload(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(take_bytes("\x00\x10\x00\x01\x02", 5, &error), FRAME_BAD);
	assert_string_equal(error.text, "not a control frame: length 1048577");
	assert_int_equal(take_bytes("\xff\xff\xff\xff\x02", 5, &error), FRAME_BAD);
	assert_int_equal(take_bytes("\x00\x10\x00\x00\x02", 5, &error), FRAME_MORE);
}

static void test_types_that_do_not_exist_are_refused(void **state)
{
	struct error error;

	(void)state;
	for (int type = 0; type < 256; type++) {
		char head[5] = { 0, 0, 0, 0, (char)type };
		bool is_known = type >= FRAME_REQUEST && type <= FRAME_ERROR;

		assert_int_equal(take_bytes(head, 5, &error), is_known ? FRAME_READY : FRAME_BAD);
	}
	assert_string_equal(error.text, "not a control frame: type 255");
}

static void test_an_end_with_a_payload_is_refused(void **state)
{
	struct error error;

	(void)state;
	assert_int_equal(take_bytes("\0\0\0\1\3x", 6, &error), FRAME_BAD);
}

static void test_other_protocols_are_refused_at_the_first_bytes(void **state)
{
	static const char *const garbage[] = { "GET / HTTP/1.1\r\n\r\n", "EHLO example.jp\r\n",
					       "{\"command\":\"status\"}",
					       "\x16\x03\x01\x02"
					       "abc" };
	struct error error;

	(void)state;
	for (size_t i = 0; i < array_count(garbage); i++)
		assert_int_equal(take_bytes(garbage[i], strlen(garbage[i]), &error), FRAME_BAD);
}

static void test_the_largest_frame_passes_and_a_larger_one_cannot_be_made(void **state)
{
	char *payload = calloc(1, FRAME_PAYLOAD_MAX + 1);
	struct frame_decoder decoder;
	struct frame frame;
	struct slice bytes;
	struct buf stream;

	(void)state;
	buf_init(&stream, 4 << 20);
	assert_false(
		frame_add(&stream, FRAME_DATA, (struct slice){ payload, FRAME_PAYLOAD_MAX + 1 }));
	assert_int_equal(stream.len, 0);
	assert_true(frame_add(&stream, FRAME_DATA, (struct slice){ payload, FRAME_PAYLOAD_MAX }));
	frame_decoder_init(&decoder);
	for (size_t at = 0; at < stream.len; at += 65536) {
		bytes = slice_first(slice_from(buf_slice(&stream), at), 65536);
		if (frame_decoder_take(&decoder, &bytes, &frame, NULL) == FRAME_READY)
			break;
	}
	assert_true(frame_decoder_is_idle(&decoder));
	assert_int_equal(frame.payload.len, FRAME_PAYLOAD_MAX);
	frame_decoder_done(&decoder);
	buf_done(&stream);
	free(payload);
}

static void test_memory_follows_what_arrived_not_what_was_announced(void **state)
{
	struct frame_decoder decoder;
	struct frame frame;
	struct slice head = { "\x00\x0f\xff\xff\x02xyz", 8 };

	(void)state;
	frame_decoder_init(&decoder);
	assert_int_equal(frame_decoder_take(&decoder, &head, &frame, NULL), FRAME_MORE);
	assert_true(decoder.partial.size < 4096);
	assert_false(frame_decoder_is_idle(&decoder));
	frame_decoder_done(&decoder);
}

static void test_a_full_buffer_refuses_a_frame_and_keeps_what_it_holds(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 32);
	add(&out, FRAME_ITEM, "{\"a\":1}");
	assert_int_equal(out.len, 12);
	assert_false(frame_add(&out, FRAME_ITEM, SLICE("{\"much\":\"longer than the rest\"}")));
	assert_int_equal(out.len, 12);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_split_gives_the_same_frames),
		cmocka_unit_test(test_a_frame_that_lies_whole_in_the_input_is_not_copied),
		cmocka_unit_test(test_a_length_above_the_maximum_is_refused_before_the_payload),
		cmocka_unit_test(test_types_that_do_not_exist_are_refused),
		cmocka_unit_test(test_an_end_with_a_payload_is_refused),
		cmocka_unit_test(test_other_protocols_are_refused_at_the_first_bytes),
		cmocka_unit_test(test_the_largest_frame_passes_and_a_larger_one_cannot_be_made),
		cmocka_unit_test(test_memory_follows_what_arrived_not_what_was_announced),
		cmocka_unit_test(test_a_full_buffer_refuses_a_frame_and_keeps_what_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
