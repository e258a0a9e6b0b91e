/*
 * Notices about anything that a receiver or a sender may have written: all 7bit and CRLF, and our
 * own reader of reports finds in each one recipient with the action that was told, no more.
 *
 * Input: a byte of choices, then texts of u8 length: address, ORCPT, host, reply, ENVID, and the
 * rest is the message.
 */
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/notice.h"
#include "smtp/report.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static struct slice take(struct slice *rest)
{
	struct slice text = SLICE_NONE;

	if (rest->len > 0) {
		text = slice_first(slice_from(*rest, 1), (u8)rest->ptr[0]);
		*rest = slice_from(*rest, 1 + text.len);
	}
	return text;
}

static void check_wire(struct slice message)
{
	size_t column = 0;

	for (size_t i = 0; i < message.len; i++) {
		u8 c = (u8)message.ptr[i];

		ASSERT(c < 0x80);
		ASSERT((c == '\n') == (i > 0 && message.ptr[i - 1] == '\r'));
		column = c == '\n' ? 0 : column + 1;
		ASSERT(column <= 1000);
	}
}

static void check_read(struct slice message, const struct notice_recipient *recipient)
{
	struct report report;
	struct arena arena;

	arena_init(&arena, REPORT_ARENA_CHUNK, 4u << 20);
	report_read(message, &report, &arena);
	ASSERT(report.form == REPORT_FORM_DSN);
	ASSERT(report.recipient_count == 1);
	if (recipient->action == NOTICE_DELAYED)
		ASSERT(report.kind == REPORT_DELAYED);
	else if (recipient->action == NOTICE_FAILED)
		ASSERT(report.kind == REPORT_SOFT || report.kind == REPORT_HARD);
	else
		ASSERT(report.kind == REPORT_NOTICE);
	arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice rest = { (const char *)data, size };
	struct notice_recipient recipient = { .status = { 5, 0, 0 }, .attempt_ms = 1795945800000 };
	struct notice notice = { .host = "mx.example.jp", .domain = "example.jp",
				 .sender = SLICE("a@example.jp"), .recipients = &recipient,
				 .count = 1 };
	struct buf out;

	if (size == 0)
		return 0;
	recipient.action = data[0] % 5;
	recipient.status[0] = recipient.action == NOTICE_FAILED	 ? 5 :
			      recipient.action == NOTICE_DELAYED ? 4 :
								   2;
	notice.language = data[0] / 5 % 3;
	notice.returns_all = data[0] & 0x80;
	recipient.class = data[0] % SMTP_CLASS_COUNT;
	recipient.code = data[0] & 0x40 ? 550 : 0;
	rest = slice_from(rest, 1);
	recipient.address = take(&rest);
	recipient.original = take(&rest);
	recipient.host = take(&rest);
	recipient.text = take(&rest);
	notice.envid = take(&rest);
	notice.original = rest;
	/* The planner knows addresses in wire form only. */
	if (recipient.address.len == 0 || !utf8_is_valid(recipient.address) ||
	    slice_find_char(recipient.address, '@') < 1)
		recipient.address = SLICE("b@example.net");
	buf_init(&out, 8u << 20);
	ASSERT(notice_write(&notice, &out));
	check_wire(buf_slice(&out));
	check_read(buf_slice(&out), &recipient);
	buf_done(&out);
	return 0;
}
