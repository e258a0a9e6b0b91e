#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "web/scgi.h"

#include <stdio.h>
#include <stdlib.h>

#define PAIR(name, value) name "\0" value "\0"
#define SMALLEST PAIR("CONTENT_LENGTH", "0") PAIR("SCGI", "1")

/* The netstring around a content. */
static void wrap(struct buf *out, struct slice content)
{
	buf_init(out, 1u << 20);
	buf_add_format(out, "%zu:", content.len);
	buf_add_slice(out, content);
	buf_add_char(out, ',');
}

static enum scgi_result read_whole(struct scgi_head *head, struct slice bytes, size_t *used)
{
	scgi_head_init(head);
	return scgi_head_feed(head, bytes, used);
}

static void check_text(struct slice bytes, enum scgi_result expected)
{
	struct scgi_head head;
	size_t used;

	assert_int_equal(read_whole(&head, bytes, &used), expected);
	scgi_head_done(&head);
}

static void check_content(struct slice content, enum scgi_result expected)
{
	struct buf bytes;

	wrap(&bytes, content);
	check_text(buf_slice(&bytes), expected);
	buf_done(&bytes);
}

static void a_head_gives_its_values_and_leaves_the_body(void **state)
{
	struct slice content = SLICE(PAIR("CONTENT_LENGTH", "27") PAIR("SCGI", "1")
					     PAIR("REQUEST_METHOD", "POST") PAIR("QUERY_STRING", ""));
	struct scgi_head head;
	struct buf bytes;
	size_t used;

	(void)state;
	wrap(&bytes, content);
	buf_add_text(&bytes, "What is the answer to life?");
	assert_int_equal(read_whole(&head, buf_slice(&bytes), &used), SCGI_READY);
	assert_int_equal(used, bytes.len - 27);
	assert_int_equal(head.content_length, 27);
	assert_true(slice_equal(scgi_head_find(&head, SLICE("REQUEST_METHOD")), SLICE("POST")));
	assert_non_null(scgi_head_find(&head, SLICE("QUERY_STRING")).ptr);
	assert_int_equal(scgi_head_find(&head, SLICE("QUERY_STRING")).len, 0);
	assert_null(scgi_head_find(&head, SLICE("REQUEST")).ptr);
	scgi_head_done(&head);
	buf_done(&bytes);
}

static void a_head_may_be_cut_anywhere(void **state)
{
	struct slice content = SLICE(SMALLEST PAIR("HTTP_ACCEPT", "*/*"));
	struct buf bytes;

	(void)state;
	wrap(&bytes, content);
	for (size_t cut = 0; cut < bytes.len; cut++) {
		struct slice whole = buf_slice(&bytes);
		struct scgi_head head;
		size_t used;

		assert_int_equal(read_whole(&head, slice_first(whole, cut), &used), SCGI_MORE);
		assert_int_equal(used, cut);
		assert_int_equal(scgi_head_feed(&head, slice_from(whole, cut), &used), SCGI_READY);
		assert_int_equal(used, bytes.len - cut);
		assert_true(slice_equal(scgi_head_find(&head, SLICE("HTTP_ACCEPT")), SLICE("*/*")));
		scgi_head_done(&head);
	}
	buf_done(&bytes);
}

static void lengths_that_are_no_plain_number_are_refused(void **state)
{
	(void)state;
	check_text(SLICE(":"), SCGI_BAD);
	check_text(SLICE("+24:"), SCGI_BAD);
	check_text(SLICE(" 24:"), SCGI_BAD);
	check_text(SLICE("024:"), SCGI_BAD);
	check_text(SLICE("24 :"), SCGI_BAD);
	check_text(SLICE("GET / HTTP/1.1\r\n"), SCGI_BAD);
	check_text(SLICE("65537:"), SCGI_BAD);
	check_text(SLICE("100000:"), SCGI_BAD);
	check_text(SLICE("65536:"), SCGI_MORE);
	check_text(SLICE("0:,"), SCGI_BAD);
	check_text(SLICE("24:" SMALLEST "x"), SCGI_BAD);
}

static void pairs_that_could_be_read_in_two_ways_are_refused(void **state)
{
	(void)state;
	check_content(SLICE(SMALLEST), SCGI_READY);
	check_content(SLICE(PAIR("SCGI", "1") PAIR("CONTENT_LENGTH", "0")), SCGI_BAD);
	check_content(SLICE(PAIR("CONTENT_LENGTH", "0")), SCGI_BAD);
	check_content(SLICE(PAIR("CONTENT_LENGTH", "0") PAIR("SCGI", "2")), SCGI_BAD);
	check_content(SLICE(PAIR("CONTENT_LENGTH", "") PAIR("SCGI", "1")), SCGI_BAD);
	check_content(SLICE(PAIR("CONTENT_LENGTH", "-1") PAIR("SCGI", "1")), SCGI_BAD);
	check_content(SLICE(PAIR("CONTENT_LENGTH", "0x10") PAIR("SCGI", "1")), SCGI_BAD);
	check_content(SLICE(PAIR("CONTENT_LENGTH", "99999999999999999999") PAIR("SCGI", "1")),
		      SCGI_BAD);
	check_content(SLICE(SMALLEST PAIR("A", "1") PAIR("A", "1")), SCGI_BAD);
	check_content(SLICE(SMALLEST PAIR("CONTENT_LENGTH", "5")), SCGI_BAD);
	check_content(SLICE(SMALLEST PAIR("", "x")), SCGI_BAD);
	check_content(SLICE(SMALLEST "A\0"), SCGI_BAD);
	check_content(SLICE(SMALLEST "A\0value without an end"), SCGI_BAD);
}

static void pairs_are_bounded(void **state)
{
	struct buf content;

	(void)state;
	buf_init(&content, 1u << 16);
	buf_add_slice(&content, SLICE(SMALLEST));
	for (u32 i = 2; i < SCGI_PAIRS_MAX; i++) {
		buf_add_format(&content, "NAME_%u", i);
		buf_add(&content, "\0\0", 2);
	}
	check_content(buf_slice(&content), SCGI_READY);
	buf_add_slice(&content, SLICE("ONE_MORE\0\0"));
	check_content(buf_slice(&content), SCGI_BAD);
	buf_done(&content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_head_gives_its_values_and_leaves_the_body),
		cmocka_unit_test(a_head_may_be_cut_anywhere),
		cmocka_unit_test(lengths_that_are_no_plain_number_are_refused),
		cmocka_unit_test(pairs_that_could_be_read_in_two_ways_are_refused),
		cmocka_unit_test(pairs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
