/* Replies: every shape that servers send, cut at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "smtp/reply.h"

#include <stdlib.h>
#include <string.h>

struct shape {
	struct slice bytes;
	u16 code;        /* 0: an error */
	u16 enhanced[3];
	const char *text;
};

static const struct shape shapes[] = {
	{ SLICE("250 ok\r\n"), 250, { 0 }, "ok" },
	{ SLICE("250 ok\n"), 250, { 0 }, "ok" },
	{ SLICE("250\r\n"), 250, { 0 }, "" },
	{ SLICE("250\n"), 250, { 0 }, "" },
	{ SLICE("250 \r\n"), 250, { 0 }, "" },
	{ SLICE("250-a\r\n250-b\r\n250 c\r\n"), 250, { 0 }, "a / b / c" },
	{ SLICE("250-a\n250-\r\n250\n"), 250, { 0 }, "a" },
	{ SLICE("220-mx\r\n220-234 text\r\n220\r\n"), 220, { 0 }, "mx / 234 text" },
	{ SLICE("550 5.1.1 no such user\r\n"), 550, { 5, 1, 1 }, "5.1.1 no such user" },
	{ SLICE("550-5.7.606 a\n550 5.7.606 b\n"), 550, { 5, 7, 606 }, "5.7.606 a / 5.7.606 b" },
	{ SLICE("550-text first\r\n550 5.7.1 b\r\n"), 550, { 5, 7, 1 }, "text first / 5.7.1 b" },
	{ SLICE("450 4.2.1\r\n"), 450, { 4, 2, 1 }, "4.2.1" },
	{ SLICE("450 4.2.1\tx\r\n"), 450, { 4, 2, 1 }, "4.2.1?x" },
	{ SLICE("450 5.2.1 other class\r\n"), 450, { 0 }, "5.2.1 other class" },
	{ SLICE("550 5.1. x\r\n"), 550, { 0 }, "5.1. x" },
	{ SLICE("550 5.1 x\r\n"), 550, { 0 }, "5.1 x" },
	{ SLICE("550 5.1.1x\r\n"), 550, { 0 }, "5.1.1x" },
	{ SLICE("550 5.1.1234 x\r\n"), 550, { 0 }, "5.1.1234 x" },
	{ SLICE("550 5..1 x\r\n"), 550, { 0 }, "5..1 x" },
	{ SLICE("599 x\r\n"), 599, { 0 }, "x" },
	{ SLICE("200 x\r\n"), 200, { 0 }, "x" },
	{ SLICE("250 a\rb\r\n"), 250, { 0 }, "a?b" },
	{ SLICE("250 a\r\r\n"), 250, { 0 }, "a?" },
	{ SLICE("250 a\r\r\rb\r\n"), 250, { 0 }, "a???b" },
	{ SLICE("250 \x01\x1b[0m\x7f\0\xff\r\n"), 250, { 0 }, "??[0m??\xff" },
	{ SLICE("\r\n"), 0, { 0 }, NULL },
	{ SLICE("\n"), 0, { 0 }, NULL },
	{ SLICE("2\r\n"), 0, { 0 }, NULL },
	{ SLICE("22\r\n"), 0, { 0 }, NULL },
	{ SLICE("22\rx"), 0, { 0 }, NULL },
	{ SLICE("220\rx"), 0, { 0 }, NULL },
	{ SLICE("220\r\r\n"), 0, { 0 }, NULL },
	{ SLICE("199 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("100 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("600 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("000 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("2a0 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("25a x\r\n"), 0, { 0 }, NULL },
	{ SLICE("250x\r\n"), 0, { 0 }, NULL },
	{ SLICE("250\tx\r\n"), 0, { 0 }, NULL },
	{ SLICE("2500 x\r\n"), 0, { 0 }, NULL },
	{ SLICE(" 250 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("-250 x\r\n"), 0, { 0 }, NULL },
	{ SLICE("250-a\r\n251 b\r\n"), 0, { 0 }, NULL },
	{ SLICE("250-a\r\n\r\n"), 0, { 0 }, NULL },
	{ SLICE("250-a\r\nb\r\n"), 0, { 0 }, NULL },
	{ SLICE("SSH-2.0-x\r\n"), 0, { 0 }, NULL },
};

static void check_reply(const struct smtp_reply *reply, const struct shape *shape)
{
	assert_int_equal(reply->code, shape->code);
	assert_memory_equal(reply->enhanced, shape->enhanced, sizeof(shape->enhanced));
	assert_int_equal(reply->text_len, strlen(shape->text));
	assert_memory_equal(reply->text, shape->text, reply->text_len);
}

/* Feeds all; returns the first result that is not MORE. *used counts over all calls. */
static enum smtp_reply_result feed_in_bits(struct smtp_reply_parser *parser, struct slice bytes,
					   size_t cut, size_t *used)
{
	enum smtp_reply_result result = SMTP_REPLY_MORE;

	*used = 0;
	while (bytes.len > 0 && result == SMTP_REPLY_MORE) {
		size_t len = cut > 0 ? min_size(cut, bytes.len) : 1;
		size_t taken = 0;
		char *exact = malloc(len); /* reading beyond is caught by the sanitizer */

		memcpy(exact, bytes.ptr, len);
		result = smtp_reply_feed(parser, (struct slice){ exact, len }, &taken, NULL, NULL);
		free(exact);
		if (result == SMTP_REPLY_MORE)
			assert_int_equal(taken, len);
		*used += taken;
		bytes = slice_from(bytes, taken);
		cut = cut > 0 ? SIZE_MAX : 0; /* one cut, then the rest; or bytes */
	}
	return result;
}

static void every_shape_is_read_the_same_however_it_is_cut(void **state)
{
	(void)state;
	for (u32 i = 0; i < array_count(shapes); i++) {
		const struct shape *shape = &shapes[i];

		for (size_t cut = 0; cut <= shape->bytes.len; cut++) {
			struct smtp_reply_parser parser;
			size_t used;
			enum smtp_reply_result result;

			smtp_reply_parser_init(&parser);
			result = feed_in_bits(&parser, shape->bytes, cut, &used);
			if (shape->code == 0) {
				assert_int_equal(result, SMTP_REPLY_ERROR);
				continue;
			}
			assert_int_equal(result, SMTP_REPLY_DONE);
			assert_int_equal(used, shape->bytes.len);
			check_reply(&parser.reply, shape);
		}
	}
}

static void several_replies_in_one_packet_come_one_by_one(void **state)
{
	struct slice packet = SLICE("250 a\r\n550-5.1.1 b\r\n550 5.1.1 c\r\n354\r\n25");
	struct smtp_reply_parser parser;
	size_t used;

	(void)state;
	smtp_reply_parser_init(&parser);
	assert_int_equal(smtp_reply_feed(&parser, packet, &used, NULL, NULL), SMTP_REPLY_DONE);
	assert_int_equal(used, 7);
	assert_int_equal(parser.reply.code, 250);
	packet = slice_from(packet, used);
	assert_int_equal(smtp_reply_feed(&parser, packet, &used, NULL, NULL), SMTP_REPLY_DONE);
	assert_int_equal(parser.reply.code, 550);
	assert_int_equal(parser.reply.enhanced[0], 5);
	packet = slice_from(packet, used);
	assert_int_equal(smtp_reply_feed(&parser, packet, &used, NULL, NULL), SMTP_REPLY_DONE);
	assert_int_equal(parser.reply.code, 354);
	assert_int_equal(parser.reply.enhanced[0], 0); /* nothing stays from the one before */
	assert_int_equal(parser.reply.text_len, 0);
	packet = slice_from(packet, used);
	assert_int_equal(smtp_reply_feed(&parser, packet, &used, NULL, NULL), SMTP_REPLY_MORE);
	assert_int_equal(used, 2);
	assert_int_equal(smtp_reply_feed(&parser, SLICE("0 x\n"), &used, NULL, NULL),
			 SMTP_REPLY_DONE);
	assert_int_equal(parser.reply.code, 250);
}

static enum smtp_reply_result feed_line_of(size_t len)
{
	static char line[SMTP_LINE_MAX + 16];
	struct smtp_reply_parser parser;
	size_t used;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	memcpy(line + len, "\r\n", 2);
	smtp_reply_parser_init(&parser);
	return smtp_reply_feed(&parser, (struct slice){ line, len + 2 }, &used, NULL, NULL);
}

static void a_line_has_a_maximum(void **state)
{
	(void)state;
	assert_int_equal(feed_line_of(SMTP_LINE_MAX), SMTP_REPLY_DONE);
	assert_int_equal(feed_line_of(SMTP_LINE_MAX + 1), SMTP_REPLY_ERROR);
}

static void an_endless_line_is_refused_byte_by_byte_too(void **state)
{
	struct smtp_reply_parser parser;
	enum smtp_reply_result result = SMTP_REPLY_MORE;
	size_t fed = 0;
	size_t used;

	(void)state;
	smtp_reply_parser_init(&parser);
	while (result == SMTP_REPLY_MORE && fed < 2 * SMTP_LINE_MAX) {
		struct slice byte = fed < 4 ? (struct slice){ "250 " + fed, 1 } :
					      (struct slice){ "\r", 1 };

		result = smtp_reply_feed(&parser, byte, &used, NULL, NULL);
		fed++;
	}
	assert_int_equal(result, SMTP_REPLY_ERROR);
	assert_true(fed <= SMTP_LINE_MAX + 2);
}

static void a_reply_has_a_maximum_of_lines(void **state)
{
	(void)state;
	for (u32 lines = SMTP_LINES_MAX; lines <= SMTP_LINES_MAX + 1; lines++) {
		struct smtp_reply_parser parser;
		size_t used;
		enum smtp_reply_result result;

		smtp_reply_parser_init(&parser);
		for (u32 i = 1; i < lines; i++)
			assert_int_equal(smtp_reply_feed(&parser, SLICE("250-line\r\n"), &used,
							 NULL, NULL),
					 SMTP_REPLY_MORE);
		result = smtp_reply_feed(&parser, SLICE("250 last\r\n"), &used, NULL, NULL);
		assert_int_equal(result, lines == SMTP_LINES_MAX ? SMTP_REPLY_DONE :
								   SMTP_REPLY_ERROR);
	}
}

static void text_is_kept_up_to_its_maximum(void **state)
{
	struct smtp_reply_parser parser;
	size_t used;

	(void)state;
	smtp_reply_parser_init(&parser);
	for (u32 i = 0; i < 50; i++)
		assert_int_equal(smtp_reply_feed(&parser, SLICE("250-0123456789\r\n"), &used, NULL,
						 NULL),
				 SMTP_REPLY_MORE);
	assert_int_equal(smtp_reply_feed(&parser, SLICE("250 x\r\n"), &used, NULL, NULL),
			 SMTP_REPLY_DONE);
	assert_int_equal(parser.reply.text_len, SMTP_REPLY_TEXT_MAX);
	assert_memory_equal(parser.reply.text, "0123456789 / 0123456789 / ", 26);
}

struct lines {
	u32 count;
	char text[8][SMTP_LINE_KEPT + 1];
};

static void keep_line(void *context, u32 number, struct slice text)
{
	struct lines *lines = context;

	assert_int_equal(number, lines->count);
	assert_true(text.len <= SMTP_LINE_KEPT);
	slice_copy(lines->text[lines->count++], sizeof(lines->text[0]), text);
}

static void lines_are_shown_as_they_came(void **state)
{
	struct slice bytes = SLICE("250-mx\r\n250-SIZE 10\n250-\r\n250 ");
	struct slice end = SLICE("\r\n");
	char longer[2 * SMTP_LINE_KEPT];
	struct smtp_reply_parser parser;
	struct lines lines = { 0 };
	size_t used;

	(void)state;
	memset(longer, 'k', sizeof(longer));
	smtp_reply_parser_init(&parser);
	for (size_t i = 0; i < bytes.len; i++)
		assert_int_equal(smtp_reply_feed(&parser, (struct slice){ bytes.ptr + i, 1 }, &used,
						 keep_line, &lines),
				 SMTP_REPLY_MORE);
	assert_int_equal(smtp_reply_feed(&parser, (struct slice){ longer, sizeof(longer) }, &used,
					 keep_line, &lines),
			 SMTP_REPLY_MORE);
	assert_int_equal(smtp_reply_feed(&parser, end, &used, keep_line, &lines), SMTP_REPLY_DONE);
	assert_int_equal(lines.count, 4);
	assert_string_equal(lines.text[0], "mx");
	assert_string_equal(lines.text[1], "SIZE 10");
	assert_string_equal(lines.text[2], "");
	assert_int_equal(strlen(lines.text[3]), SMTP_LINE_KEPT);
}

/* Bytes of the kind that replies are made of, so that the deep states are reached. */
static size_t random_reply_bytes(struct random *random, char *to, size_t max)
{
	static const char alphabet[] = "2222550022--  \r\n\r\n\r\n..1x\t\x01";
	size_t len = (size_t)random_below(random, max) + 1;

	for (size_t i = 0; i < len; i++)
		to[i] = alphabet[random_below(random, sizeof(alphabet) - 1)];
	if (random_below(random, 2))
		memcpy(to, "250-", min_size(len, 4));
	return len;
}

static void random_bytes_are_read_the_same_however_they_are_cut(void **state)
{
	struct random random;

	(void)state;
	random_seed(&random, 5321);
	for (u32 run = 0; run < 20000; run++) {
		char bytes[64];
		size_t len = random_reply_bytes(&random, bytes, sizeof(bytes));
		struct smtp_reply_parser whole;
		struct smtp_reply_parser cut;
		size_t used[2];
		enum smtp_reply_result result;

		smtp_reply_parser_init(&whole);
		smtp_reply_parser_init(&cut);
		result = smtp_reply_feed(&whole, (struct slice){ bytes, len }, &used[0], NULL,
					 NULL);
		assert_int_equal(feed_in_bits(&cut, (struct slice){ bytes, len }, 0, &used[1]),
				 result);
		if (result == SMTP_REPLY_ERROR)
			continue;
		assert_int_equal(used[0], used[1]);
		assert_int_equal(whole.reply.code, cut.reply.code);
		assert_int_equal(whole.reply.text_len, cut.reply.text_len);
		assert_memory_equal(whole.reply.text, cut.reply.text, whole.reply.text_len);
		assert_memory_equal(whole.reply.enhanced, cut.reply.enhanced,
				    sizeof(whole.reply.enhanced));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_is_read_the_same_however_it_is_cut),
		cmocka_unit_test(several_replies_in_one_packet_come_one_by_one),
		cmocka_unit_test(a_line_has_a_maximum),
		cmocka_unit_test(an_endless_line_is_refused_byte_by_byte_too),
		cmocka_unit_test(a_reply_has_a_maximum_of_lines),
		cmocka_unit_test(text_is_kept_up_to_its_maximum),
		cmocka_unit_test(lines_are_shown_as_they_came),
		cmocka_unit_test(random_bytes_are_read_the_same_however_they_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
