/* The reply reader, fed any bytes: the same replies whole and byte by byte, within its limits. */
#include "base/check.h"
#include "smtp/reply.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_line(void *context, u32 number, struct slice text)
{
	(void)context;
	ASSERT(number < SMTP_LINES_MAX && text.len <= SMTP_LINE_KEPT);
	ASSERT(memchr(text.ptr, '\n', text.len) == NULL);
}

static void check_reply(const struct smtp_reply *reply)
{
	ASSERT(reply->code >= 200 && reply->code <= 599);
	ASSERT(reply->text_len <= SMTP_REPLY_TEXT_MAX);
	ASSERT(reply->enhanced[0] == 0 || reply->enhanced[0] == reply->code / 100);
	ASSERT(reply->enhanced[1] <= 999 && reply->enhanced[2] <= 999);
	for (u32 i = 0; i < reply->text_len; i++)
		ASSERT((unsigned char)reply->text[i] >= 0x20 && reply->text[i] != 0x7f);
}

/* One reply, byte by byte. */
static enum smtp_reply_result feed_bytes(struct smtp_reply_parser *parser, struct slice input,
					 size_t *used)
{
	enum smtp_reply_result result = SMTP_REPLY_MORE;
	size_t one;

	for (*used = 0; *used < input.len && result == SMTP_REPLY_MORE; (*used)++) {
		struct slice byte = { input.ptr + *used, 1 };

		result = smtp_reply_feed(parser, byte, &one, check_line, NULL);
		ASSERT(one == 1);
	}
	return result;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice input = { (const char *)data, size };
	struct smtp_reply_parser whole;
	struct smtp_reply_parser bytes;
	enum smtp_reply_result result = SMTP_REPLY_DONE;

	smtp_reply_parser_init(&whole);
	smtp_reply_parser_init(&bytes);
	while (input.len > 0 && result == SMTP_REPLY_DONE) {
		size_t used = 0;
		size_t used_bytes = 0;

		result = smtp_reply_feed(&whole, input, &used, check_line, NULL);
		ASSERT(feed_bytes(&bytes, input, &used_bytes) == result);
		if (result == SMTP_REPLY_ERROR)
			break;
		ASSERT(used == used_bytes);
		ASSERT(result == SMTP_REPLY_DONE || used == input.len);
		if (result == SMTP_REPLY_DONE)
			check_reply(&whole.reply);
		ASSERT(whole.reply.text_len == bytes.reply.text_len);
		ASSERT(memcmp(whole.reply.text, bytes.reply.text, whole.reply.text_len) == 0);
		ASSERT(memcmp(whole.reply.enhanced, bytes.reply.enhanced,
			      sizeof(whole.reply.enhanced)) == 0);
		input.ptr += used;
		input.len -= used;
	}
	return 0;
}
