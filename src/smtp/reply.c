#include "smtp/reply.h"

#include "base/text.h"

#include <string.h>

#define HEAD_LEN 4 /* three digits and the separator */

static void parser_next_line(struct smtp_reply_parser *parser)
{
	parser->line_len = 0;
	parser->line_code = 0;
	parser->kept_len = 0;
	parser->last = false;
	parser->after_cr = false;
}

void smtp_reply_parser_init(struct smtp_reply_parser *parser)
{
	/* The text is guarded by its length: not cleared, since this runs for each reply. */
	parser->reply.code = 0;
	memset(parser->reply.enhanced, 0, sizeof(parser->reply.enhanced));
	parser->reply.text_len = 0;
	parser->lines = 0;
	parser->complete = false;
	parser_next_line(parser);
}

/* One to three digits; moves *s behind them. */
static bool enhanced_number(struct slice *s, u16 *number)
{
	size_t len = 0;

	*number = 0;
	while (len < s->len && len < 3 && ascii_is_digit(s->ptr[len]))
		*number = (u16)(*number * 10 + (s->ptr[len++] - '0'));
	*s = slice_from(*s, len);
	return len > 0;
}

/*
 * RFC 2034 section 4: the enhanced code leads the text, and its class is the reply's. Anything
 * else there ("4.5 apples", "10.0.0.1 is listed") is plain text.
 */
static void reply_read_enhanced(struct smtp_reply *reply, struct slice text)
{
	u16 number[3];

	for (u32 i = 0; i < 3; i++) {
		if (i > 0) {
			if (text.len == 0 || text.ptr[0] != '.')
				return;
			text = slice_from(text, 1);
		}
		if (!enhanced_number(&text, &number[i]))
			return;
	}
	if (text.len > 0 && text.ptr[0] != ' ' && text.ptr[0] != '\t')
		return;
	if (number[0] == reply->code / 100)
		memcpy(reply->enhanced, number, sizeof(number));
}

static void reply_add_text(struct smtp_reply *reply, const char *bytes, size_t len)
{
	size_t room = SMTP_REPLY_TEXT_MAX - reply->text_len;
	char *to = reply->text + reply->text_len;

	len = min_size(len, room);
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		to[i] = byte < 0x20 || byte == 0x7f ? '?' : bytes[i];
	}
	reply->text_len = (u16)(reply->text_len + len);
}

/* Bytes of the current line's text, no line end among them. */
static bool parser_add_text(struct smtp_reply_parser *parser, const char *bytes, size_t len)
{
	size_t keep = min_size(len, (size_t)(SMTP_LINE_KEPT - parser->kept_len));

	if (len > (size_t)(SMTP_LINE_MAX - parser->line_len))
		return false;
	if (parser->line_len == HEAD_LEN && len > 0 && parser->reply.text_len > 0)
		reply_add_text(&parser->reply, " / ", 3);
	parser->line_len = (u16)(parser->line_len + len);
	memcpy(parser->kept + parser->kept_len, bytes, keep);
	parser->kept_len = (u8)(parser->kept_len + keep);
	reply_add_text(&parser->reply, bytes, len);
	return true;
}

/* Length of the run of text in front of the next CR, LF or the end of the input. */
static size_t text_run(struct slice input)
{
	const char *lf = memchr(input.ptr, '\n', input.len);
	size_t len = lf ? (size_t)(lf - input.ptr) : input.len;
	const char *cr = memchr(input.ptr, '\r', len);

	return cr ? (size_t)(cr - input.ptr) : len;
}

/*
 * A code that changes midway is refused: to go by the first or by the last line would be a guess
 * about where one reply ends, and a wrong guess shifts all later replies by one command. (Its range
 * was seen to at the first digit.)
 */
static bool parser_take_code(struct smtp_reply_parser *parser)
{
	u16 code = parser->line_code;

	if (parser->lines > 0)
		return code == parser->reply.code;
	parser->reply.code = code;
	return true;
}

/* One byte of code or separator. */
static bool parser_take_head(struct smtp_reply_parser *parser, char byte)
{
	if (parser->line_len == HEAD_LEN - 1) {
		if (byte != ' ' && byte != '-')
			return false;
		parser->last = byte == ' ';
		parser->line_len++;
		return true;
	}
	if (!ascii_is_digit(byte))
		return false;
	parser->line_code = (u16)(parser->line_code * 10 + (byte - '0'));
	parser->line_len++;
	if (parser->line_len == HEAD_LEN - 1)
		return parser_take_code(parser);
	return parser->line_len != 1 || (byte >= '2' && byte <= '5');
}

static enum smtp_reply_result parser_end_line(struct smtp_reply_parser *parser,
					      void (*on_line)(void *, u32, struct slice),
					      void *context)
{
	struct slice text = { parser->kept, parser->kept_len };
	bool last = parser->last || parser->line_len == HEAD_LEN - 1; /* "220" CRLF is a reply */

	if (parser->line_len < HEAD_LEN - 1 || parser->lines == SMTP_LINES_MAX)
		return SMTP_REPLY_ERROR;
	if (parser->reply.enhanced[0] == 0)
		reply_read_enhanced(&parser->reply, text);
	if (on_line)
		on_line(context, parser->lines, text);
	parser->lines++;
	parser->complete = last;
	parser_next_line(parser);
	return last ? SMTP_REPLY_DONE : SMTP_REPLY_MORE;
}

/* One byte that is not inside a run of text. */
static enum smtp_reply_result parser_take(struct smtp_reply_parser *parser, char byte,
					  void (*on_line)(void *, u32, struct slice),
					  void *context)
{
	bool good = true;

	if (byte == '\n')
		return parser_end_line(parser, on_line, context);
	if (parser->after_cr) {
		parser->after_cr = false;
		good = parser->line_len >= HEAD_LEN && parser_add_text(parser, "\r", 1);
	}
	if (byte == '\r')
		parser->after_cr = true;
	else if (parser->line_len < HEAD_LEN)
		good = good && parser_take_head(parser, byte);
	else
		good = good && parser_add_text(parser, &byte, 1);
	return good ? SMTP_REPLY_MORE : SMTP_REPLY_ERROR;
}

enum smtp_reply_result smtp_reply_feed(struct smtp_reply_parser *parser, struct slice input,
				       size_t *used,
				       void (*on_line)(void *context, u32 number,
						       struct slice text),
				       void *context)
{
	enum smtp_reply_result result = SMTP_REPLY_MORE;
	size_t at = 0;

	if (parser->complete)
		smtp_reply_parser_init(parser);
	while (at < input.len && result == SMTP_REPLY_MORE) {
		if (parser->line_len >= HEAD_LEN && !parser->after_cr) {
			size_t run = text_run(slice_from(input, at));

			if (run > 0 && !parser_add_text(parser, input.ptr + at, run))
				result = SMTP_REPLY_ERROR;
			at += run;
		}
		if (at < input.len && result == SMTP_REPLY_MORE)
			result = parser_take(parser, input.ptr[at++], on_line, context);
	}
	*used = at;
	return result;
}
