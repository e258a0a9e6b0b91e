/*
 * SMTP replies (RFC 5321 section 4.2): bytes in, replies out. Pure: no memory of its own beyond
 * the struct, no I/O. Replies may be cut at any byte and come several in one packet.
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

#include "base/types.h"

#define SMTP_REPLY_TEXT_MAX 400 /* kept of a reply's text; the rest is read and dropped */
#define SMTP_LINE_MAX 2048      /* a longer reply line (without its end) is a protocol error */
#define SMTP_LINES_MAX 256      /* more lines in one reply are a protocol error */
#define SMTP_LINE_KEPT 64       /* what on_line sees of a line; the longest EHLO keyword is 20 */

struct smtp_reply {
	u16 code;        /* 200-599, or 0 when there was none; 56z and up are seen in the field */
	u16 enhanced[3]; /* RFC 3463 class.subject.detail when given (0-999 each), else 0 */
	u16 text_len;
	/*
	 * Lines joined by " / ", without the three-digit codes (enhanced codes stay: the log wants
	 * the host's own words); control bytes as '?'. No NUL at the end.
	 */
	char text[SMTP_REPLY_TEXT_MAX];
};

enum smtp_reply_result {
	SMTP_REPLY_MORE,  /* all input used, reply not complete */
	SMTP_REPLY_DONE,  /* one reply complete; *used bytes were its own */
	SMTP_REPLY_ERROR, /* not SMTP: nonsense, over-long, too many lines, code changing midway */
};

struct smtp_reply_parser {
	struct smtp_reply reply;
	u16 line_len;  /* bytes of the current line, without its end */
	u16 line_code; /* digits read so far */
	u16 lines;     /* complete lines of the current reply */
	u8 kept_len;
	bool last;     /* the current line is the reply's last */
	bool after_cr; /* a CR was read; whether it belongs to a line end shows at the next byte */
	bool complete; /* the next byte starts a new reply */
	char kept[SMTP_LINE_KEPT];
};

void smtp_reply_parser_init(struct smtp_reply_parser *parser);

/*
 * on_line, when not NULL, sees the first SMTP_LINE_KEPT bytes of each complete line's text (behind
 * the code and as it came) and the line's number, from 0: EHLO keywords are read there. Bare LF
 * ends a line too (be liberal); a bare CR is an ordinary (masked) byte. After DONE the reply is in
 * parser->reply until the next call. After ERROR the parser needs smtp_reply_parser_init.
 */
enum smtp_reply_result smtp_reply_feed(struct smtp_reply_parser *parser, struct slice input,
				       size_t *used,
				       void (*on_line)(void *context, u32 number,
						       struct slice text),
				       void *context) MUST_CHECK;

static inline bool smtp_reply_is(const struct smtp_reply *reply, u16 class)
{
	return reply->code / 100 == class;
}

#endif
