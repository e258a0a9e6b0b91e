/*
 * Notices: what a person reads, what our own reader of reports makes of each, and that no text of a
 * stranger gets out of its place. Python's reader looks at them in tests/integration/test_notices.py.
 */
#include "message/notice.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/message.h"
#include "smtp/mail.h"
#include "smtp/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARRIVAL_MS 1795945800000ull /* 2026-11-29T09:50:00Z */

static const char original_text[] =
	"From: Hanako <hanako@example.jp>\r\nTo: taro@example.net\r\n"
	"Subject: =?UTF-8?B?44GU5rOo5paH44Gu5Lu2?=\r\nMessage-ID: <1.2@example.jp>\r\n"
	"Content-Type: text/plain\r\n\r\nHello,\r\n.\r\ngood bye.\r\n";

static struct notice_recipient taro(void)
{
	return (struct notice_recipient){
		.action = NOTICE_FAILED,
		.class = SMTP_CLASS_BAD_MAILBOX,
		.status = { 5, 1, 1 },
		.code = 550,
		.address = SLICE("taro@example.net"),
		.original = SLICE("rfc822;Taro+2Btag@example.net"),
		.host = SLICE("mx.example.net"),
		.text = SLICE("5.1.1 <taro@example.net>: User unknown"),
		.attempt_ms = ARRIVAL_MS + 60000,
	};
}

static struct notice sample(const struct notice_recipient *recipient)
{
	return (struct notice){
		.host = "mail.example.jp",
		.domain = "example.jp",
		.sender = SLICE("hanako@example.jp"),
		.envid = SLICE("order+3D17"),
		.original = slice_of(original_text),
		.language = NOTICE_BOTH,
		.arrival_ms = ARRIVAL_MS,
		.date_ms = ARRIVAL_MS + 61000,
		.recipients = recipient,
		.count = 1,
	};
}

/* The written notice, looked at for what holds of each; the reader's arena is reset by the next. */
static struct arena arena;
static struct buf bytes;
static struct report report;

static void check_wire(struct slice message)
{
	size_t column = 0;

	for (size_t i = 0; i < message.len; i++) {
		u8 c = (u8)message.ptr[i];

		assert_true(c < 0x80 && (c >= 0x20 || c == '\t' || c == '\r' || c == '\n'));
		assert_true((c == '\n') == (i > 0 && message.ptr[i - 1] == '\r'));
		column = c == '\n' ? 0 : column + 1;
		assert_true(column <= 999);
	}
}

static void write(const struct notice *notice)
{
	buf_reset(&bytes);
	assert_true(notice_write(notice, &bytes));
	check_wire(buf_slice(&bytes));
	arena_reset(&arena);
	report_read(buf_slice(&bytes), &report, &arena);
	assert_int_equal(report.form, REPORT_FORM_DSN);
	assert_int_equal(report.recipient_count, notice->count);
}

/* The text of the part with that number. */
static struct slice part_text(u32 number)
{
	const struct mail_part *part = mail_read(&arena, buf_slice(&bytes));

	for (; part; part = part->next) {
		if (slice_has_prefix_nocase(part->type, SLICE("multipart/")))
			continue;
		if (number-- == 0)
			return mail_content(&arena, part, 1 << 20);
	}
	fail_msg("no such part");
	return SLICE_NONE;
}

static bool has(struct slice text, const char *what)
{
	return slice_find(text, slice_of(what)) >= 0;
}

#define assert_says(text, what)                                                                    \
	do {                                                                                       \
		if (!has(text, what))                                                              \
			fail_msg("lacks \"%s\":\n%.*s", what, SLICE_FMT(text));                    \
	} while (0)

static void our_own_reader_understands_a_failure(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);

	(void)state;
	write(&notice);
	assert_int_equal(report.kind, REPORT_HARD);
	assert_int_equal(report.recipients->reason, REPORT_REASON_MAILBOX);
	assert_true(slice_equal(report.recipients->address, SLICE("taro@example.net")));
	assert_true(slice_equal(report.recipients->original, SLICE("Taro+tag@example.net")));
	assert_true(slice_equal(report.recipients->remote, SLICE("mx.example.net")));
	assert_true(has(report.recipients->diagnostic, "User unknown"));
	assert_int_equal(report.recipients->code, 550);
	assert_int_equal(report.recipients->status[1], 1);
	assert_true(slice_equal(report.reporting_mta, SLICE("mail.example.jp")));
	assert_true(slice_equal(report.envelope_id, SLICE("order=17")));
	assert_true(slice_equal(report.original.message_id, SLICE("1.2@example.jp")));
	assert_true(slice_equal(report.from, SLICE("postmaster@example.jp")));
}

static void every_action_is_understood(void **state)
{
	static const enum report_kind kinds[] = { REPORT_HARD, REPORT_DELAYED, REPORT_NOTICE,
						  REPORT_NOTICE, REPORT_NOTICE };

	(void)state;
	for (int action = NOTICE_FAILED; action <= NOTICE_EXPANDED; action++) {
		struct notice_recipient recipient = taro();
		struct notice notice = sample(&recipient);

		recipient.action = (enum notice_action)action;
		recipient.status[0] = action == NOTICE_FAILED ? 5 : action == NOTICE_DELAYED ? 4 : 2;
		if (action > NOTICE_DELAYED) {
			recipient.status[1] = recipient.status[2] = 0;
			recipient.class = SMTP_CLASS_NONE;
			recipient.code = 250;
			recipient.text = SLICE("2.0.0 Ok");
		}
		recipient.until_ms = ARRIVAL_MS + 86400000;
		write(&notice);
		if (report.kind != kinds[action])
			fail_msg("action %d is %s", action, report_kind_name(report.kind));
		if (action == NOTICE_DELAYED) {
			assert_says(part_text(0), "2026-11-30 09:50 (UTC)");
			assert_says(part_text(1), "Will-Retry-Until: Mon, 30 Nov 2026 09:50:00 +0000");
		}
	}
}

static void a_person_reads_who_why_and_what_to_do_in_both_languages(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);
	struct slice text;

	(void)state;
	write(&notice);
	text = part_text(0);
	assert_says(text, "taro@example.net");
	assert_says(text, "次の宛先にメールを配信できませんでした");
	assert_says(text, "このメールアドレスは存在しません");
	assert_says(text, "There is no such mail address.");
	assert_says(text, "Check the address for typing errors.");
	assert_says(text, "    550 5.1.1 <taro@example.net>: User unknown");
	assert_says(text, "mx.example.net");
	assert_says(text, "件名: ご注文の件");
	assert_says(text, "2026-11-29 09:50 (UTC)");
	notice.language = NOTICE_ENGLISH;
	write(&notice);
	assert_true(has(part_text(0), "no such mail address") && !has(part_text(0), "宛先"));
	assert_true(slice_equal(report.subject, SLICE("Not delivered: ご注文の件")));
	notice.language = NOTICE_JAPANESE;
	write(&notice);
	assert_true(has(part_text(0), "宛先") && !has(part_text(0), "Your message"));
	assert_true(slice_equal(report.subject, SLICE("メールを配信できませんでした: ご注文の件")));
}

static void every_class_has_its_advice(void **state)
{
	(void)state;
	for (u32 class = 0; class < SMTP_CLASS_COUNT + 1; class++) {
		struct notice_recipient recipient = taro();
		struct notice notice = sample(&recipient);

		recipient.class = (enum smtp_class)class;
		recipient.is_expired = class % 2;
		write(&notice);
		assert_true(utf8_is_valid(part_text(0)));
		assert_true(part_text(0).len > 600);
	}
}

static void nobody_answered_is_said_in_our_own_words(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);

	(void)state;
	recipient.code = 0;
	recipient.host = SLICE_NONE;
	recipient.class = SMTP_CLASS_TRANSIENT_HOST;
	recipient.is_expired = true;
	recipient.status[1] = 4;
	recipient.status[2] = 7;
	recipient.text = SLICE("connection timed out");
	write(&notice);
	assert_int_equal(report.kind, REPORT_SOFT);
	assert_says(part_text(0), "It was tried again and again until its time was over.");
	assert_says(part_text(0), "The reason:");
	assert_says(part_text(1), "Diagnostic-Code: x-hikyaku; connection timed out");
	assert_false(has(part_text(1), "Remote-MTA"));
}

static void the_whole_message_goes_back_only_when_that_was_asked_for(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);

	(void)state;
	write(&notice);
	assert_true(has(buf_slice(&bytes), "Content-Type: text/rfc822-headers"));
	assert_false(has(buf_slice(&bytes), "good bye."));
	assert_says(part_text(0), "The header of the message is attached.");
	notice.returns_all = true;
	write(&notice);
	assert_true(has(buf_slice(&bytes), "Content-Type: message/rfc822\r\n"));
	assert_true(has(buf_slice(&bytes), "\r\n.\r\ngood bye.\r\n"));
	recipient.action = NOTICE_DELAYED;
	write(&notice);
	assert_false(has(buf_slice(&bytes), "good bye."));
}

static void what_some_road_would_not_carry_goes_back_encoded(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);

	(void)state;
	notice.original = SLICE("From: a@example.jp\nSubject: \xe6\x97\xa5\n\n\xe6\x9c\xac\n");
	write(&notice);
	assert_true(has(buf_slice(&bytes), "message/global-headers"));
	assert_says(part_text(2), "Subject: \xe6\x97\xa5");
	notice.returns_all = true;
	write(&notice);
	assert_true(has(buf_slice(&bytes), "Content-Type: message/global\r\n"));
	assert_true(has(buf_slice(&bytes), "Content-Transfer-Encoding: base64"));
}

static void an_address_beyond_ascii_makes_a_global_notice(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);

	(void)state;
	recipient.address = SLICE("\xe5\xa4\xaa\xe9\x83\x8e@example.net");
	recipient.original = SLICE_NONE;
	write(&notice);
	assert_true(has(buf_slice(&bytes), "message/global-delivery-status"));
	assert_int_equal(report.kind, REPORT_HARD);
	assert_true(slice_equal(report.recipients->address, recipient.address));
}

static void strangers_words_stay_where_they_are_put(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);
	char boundary[64];
	i64 at;

	(void)state;
	write(&notice);
	at = slice_find(buf_slice(&bytes), SLICE("boundary=\""));
	assert_true(at > 0);
	snprintf(boundary, sizeof(boundary), "%.32s", bytes.ptr + at + 10);
	recipient.text = SLICE("no\r\n\r\nAction: delivered\nStatus: 2.0.0\n--x\r\n\x80\xff\x01.");
	recipient.original = SLICE("rfc822;a+0D+0AAction:+20delivered");
	recipient.host = SLICE("mx\r\nX-Evil: 1");
	notice.envid = SLICE("a+0Ab");
	notice.sender = SLICE("hanako@example.jp\r\nBcc: all@example.org");
	write(&notice);
	assert_int_equal(report.kind, REPORT_HARD);
	assert_int_equal(report.recipients->original.len, 0);
	assert_int_equal(report.envelope_id.len, 0);
	assert_false(has(buf_slice(&bytes), "\nBcc:"));
	assert_false(has(buf_slice(&bytes), "\nX-Evil"));
	assert_false(has(part_text(1), "\nAction: delivered"));
	/* One that knows another notice's boundary cannot end this one's parts. */
	snprintf(boundary + 32, 8, "--\r\n");
	notice.original = slice_of(boundary);
	write(&notice);
	assert_int_equal(report.kind, REPORT_HARD);
}

static void several_recipients_are_told_in_one(void **state)
{
	struct notice_recipient both[2] = { taro(), taro() };
	struct notice notice = sample(both);

	(void)state;
	both[1].address = SLICE("jiro@example.org");
	both[1].class = SMTP_CLASS_MAILBOX_FULL;
	both[1].status[1] = both[1].status[2] = 2;
	notice.count = 2;
	write(&notice);
	assert_true(slice_equal(report.recipients->next->address, SLICE("jiro@example.org")));
	assert_int_equal(report.recipients->next->reason, REPORT_REASON_FULL);
}

/* As letters are: compiled as somebody's own mail, without DKIM here. */
static void a_notice_can_be_sent_as_a_letter(void **state)
{
	struct message_options options = { .literal = true };
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);
	struct message_source source = { .name = "notice" };
	struct message_facts facts;
	struct message *message;
	struct error error;

	(void)state;
	for (int i = 0; i < 4; i++) {
		notice.returns_all = i & 1;
		if (i & 2) {
			notice.original = SLICE("Subject: \xe6\x97\xa5\n\n\xe6\x9c\xac\n");
			notice.sender = SLICE("\xe5\xa4\xaa@example.jp");
		}
		buf_reset(&bytes);
		assert_true(notice_write(&notice, &bytes));
		source.whole = buf_slice(&bytes);
		message = message_compile(&source, &options, &error);
		if (!message)
			fail_msg("%s", error.text);
		message_facts(message, &facts);
		assert_string_equal(facts.from_domain, "example.jp");
		assert_true(facts.body_is_shared);
		message_free(message);
	}
}

static void a_full_buffer_is_said(void **state)
{
	struct notice_recipient recipient = taro();
	struct notice notice = sample(&recipient);
	struct buf small;

	(void)state;
	write(&notice);
	for (size_t max = 0; max < bytes.len; max += 97) {
		buf_init(&small, max);
		assert_false(notice_write(&notice, &small));
		buf_done(&small);
	}
}

static int open_arena(void **state)
{
	(void)state;
	arena_init(&arena, REPORT_ARENA_CHUNK, 8u << 20);
	buf_init(&bytes, 4u << 20);
	return 0;
}

static int close_arena(void **state)
{
	(void)state;
	arena_done(&arena);
	buf_done(&bytes);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_own_reader_understands_a_failure),
		cmocka_unit_test(every_action_is_understood),
		cmocka_unit_test(a_person_reads_who_why_and_what_to_do_in_both_languages),
		cmocka_unit_test(every_class_has_its_advice),
		cmocka_unit_test(nobody_answered_is_said_in_our_own_words),
		cmocka_unit_test(the_whole_message_goes_back_only_when_that_was_asked_for),
		cmocka_unit_test(what_some_road_would_not_carry_goes_back_encoded),
		cmocka_unit_test(an_address_beyond_ascii_makes_a_global_notice),
		cmocka_unit_test(strangers_words_stay_where_they_are_put),
		cmocka_unit_test(several_recipients_are_told_in_one),
		cmocka_unit_test(a_notice_can_be_sent_as_a_letter),
		cmocka_unit_test(a_full_buffer_is_said),
	};

	return cmocka_run_group_tests(tests, open_arena, close_arena);
}
