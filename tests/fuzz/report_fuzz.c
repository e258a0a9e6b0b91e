/*
 * Any message, read as one that came back: what a report promises holds (smtp/report_check.h), it is
 * the same at a second reading, with little memory it is the same or incomplete, and with CRLF line
 * ends a short one means the same as with LF.
 */
#include "smtp/report_check.h"

#include <stdlib.h>

static const struct slice known_lines[] = {
	{ "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n", 72 },
	{ "Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n", 74 },
	{ "Content-Type: multipart/mixed; boundary*0=b; boundary*1*=%62\n", 61 },
	{ "Content-Type: message/delivery-status\n", 38 },
	{ "Content-Type: message/global-delivery-status\n", 45 },
	{ "Content-Type: message/feedback-report\n", 38 },
	{ "Content-Type: message/disposition-notification\n", 47 },
	{ "Content-Type: message/rfc822\n", 29 },
	{ "Content-Type: text/rfc822-headers\n", 34 },
	{ "Content-Type: text/plain; charset=iso-2022-jp\n", 46 },
	{ "Content-Type: text/plain; charset=Shift_JIS\n", 44 },
	{ "Content-Type: text/html; charset=utf-8\n", 39 },
	{ "Content-Transfer-Encoding: quoted-printable\n", 44 },
	{ "Content-Transfer-Encoding: base64\n", 34 },
	{ "--b\n", 4 },
	{ "--b--\n", 6 },
	{ "\n", 1 },
	{ "\r\n", 2 },
	{ "From: mailer-daemon@x.example\n", 30 },
	{ "Subject: Undelivered Mail Returned to Sender\n", 45 },
	{ "Subject: Out of office\n", 23 },
	{ "Subject: unsubscribe\n", 21 },
	{ "Subject: =?iso-2022-jp?B?GyRCR1s/Lg==?=\n", 40 },
	{ "Auto-Submitted: auto-replied\n", 29 },
	{ "X-Failed-Recipients: a@x.example, b@x.example\n", 46 },
	{ "Reporting-MTA: dns; x.example\n", 30 },
	{ "Original-Envelope-Id: a+2Bb\n", 28 },
	{ "Final-Recipient: rfc822; a@x.example\n", 37 },
	{ "Original-Recipient: utf-8; \\x{592A}@x.example\n", 46 },
	{ "Action: failed\n", 15 },
	{ "Action: delayed\n", 16 },
	{ "Status: 5.1.1\n", 14 },
	{ "Status: 4.2.2\n", 14 },
	{ "Diagnostic-Code: smtp; 550 5.1.1 user unknown\n", 46 },
	{ "Feedback-Type: abuse\n", 21 },
	{ "Original-Rcpt-To: <a@x.example>\n", 32 },
	{ "Incidents: 3\n", 13 },
	{ "X-HmXmrOriginalRecipient: a@x.example\n", 38 },
	{ "Hi. This is the qmail-send program at x.example.\n", 49 },
	{ "<a@x.example>:\n", 15 },
	{ "--- Below this line is a copy of the message.\n", 46 },
	{ "Message-ID: <a@x.example>\n", 26 },
	{ "To: a@x.example\n", 16 },
	{ "user unknown", 12 },
	{ "mailbox full", 12 },
	{ "550 5.1.1 ", 10 },
	{ "\x1b$B", 3 },
	{ "=?utf-8?q?=41?=", 15 },
	{ "<b@x.example>", 13 },
	{ "&lt;", 4 },
	{ "<p>", 3 },
};
#define LINES_HEAD 0
#include "line_mutator.h"

#define SHORT_MAX 200 /* octets of a message that no limit cuts, however its lines end */
#define LITTLE_MAX (12u << 10) /* octets of an arena; most messages take about half of it */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_same(const struct report *a, const struct report *b)
{
	const struct report_recipient *x = a->recipients;
	const struct report_recipient *y = b->recipients;

	ASSERT(a->kind == b->kind && a->form == b->form);
	ASSERT(a->recipient_count == b->recipient_count);
	ASSERT(slice_equal(a->subject, b->subject) && slice_equal(a->from, b->from));
	ASSERT(slice_equal(a->original.message_id, b->original.message_id));
	for (; x && y; x = x->next, y = y->next) {
		ASSERT(x->kind == y->kind && x->reason == y->reason && x->code == y->code);
		ASSERT(memcmp(x->status, y->status, sizeof(x->status)) == 0);
		ASSERT(slice_equal(x->address, y->address) && slice_equal(x->original, y->original));
		ASSERT(slice_equal(x->diagnostic, y->diagnostic));
	}
	ASSERT(!x && !y);
}

/* From a block of its own size, so that a sanitizer sees the first octet too far. */
static void read_copy(struct slice message, struct report *report, struct arena *arena)
{
	static char *copy;

	free(copy);
	copy = malloc(message.len + 1);
	ASSERT(copy);
	if (message.len > 0)
		memcpy(copy + 1, message.ptr, message.len);
	report_read((struct slice){ copy + 1, message.len }, report, arena);
}

static void check_line_ends(struct slice message)
{
	struct buf crlf;
	struct buf lf;
	struct arena arenas[2];
	struct report reports[2];

	buf_init(&crlf, 4 * SHORT_MAX);
	buf_init(&lf, 4 * SHORT_MAX);
	for (size_t i = 0; i < message.len; i++) {
		if (message.ptr[i] == '\r')
			continue;
		if (message.ptr[i] == '\n')
			buf_add_char(&crlf, '\r');
		buf_add_char(&crlf, message.ptr[i]);
		buf_add_char(&lf, message.ptr[i]);
	}
	for (u32 i = 0; i < 2; i++) {
		arena_init(&arenas[i], REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
		report_read(buf_slice(i ? &lf : &crlf), &reports[i], &arenas[i]);
		check_report(&reports[i]);
	}
	check_same(&reports[0], &reports[1]);
	arena_done(&arenas[0]);
	arena_done(&arenas[1]);
	buf_done(&crlf);
	buf_done(&lf);
}

/* How much memory there is at the second reading: any change of the input is another amount. */
static size_t little_memory(struct slice message)
{
	u32 hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < message.len; i++)
		hash = (hash ^ (u8)message.ptr[i]) * 16777619u;
	return hash % LITTLE_MAX;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice message = { (const char *)data, size };
	struct report first;
	struct report second;
	struct arena arena;
	struct arena small;

	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	arena_init(&small, 256, little_memory(message));
	report_read(message, &first, &arena);
	check_report(&first);
	report_read(message, &second, &small);
	ASSERT(second.is_incomplete || second.kind == first.kind);
	if (second.is_incomplete)
		ASSERT(second.kind == REPORT_UNKNOWN && !second.recipients);
	read_copy(message, &second, &arena);
	check_report(&second);
	check_same(&first, &second);
	if (size <= SHORT_MAX)
		check_line_ends(message);
	arena_done(&arena);
	arena_done(&small);
	return 0;
}
