/* Reports that were made to do harm: bombs, depths, numbers of parts. What is within the limits counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/mail.h"
#include "smtp/report_check.h"

#define LARGE (1u << 20)

static struct arena arena;

static void read_report(struct slice message, struct report *report)
{
	read_and_check(&arena, message, report);
}

/* `unit` over and over, a mebibyte of it, behind `front`. */
static void read_repeated(const char *front, const char *unit)
{
	struct report report;
	struct buf message;

	buf_init(&message, 2 * LARGE);
	buf_add_text(&message, front);
	while (message.len + strlen(unit) < LARGE)
		buf_add_text(&message, unit);
	assert_false(message.failed);
	read_report(buf_slice(&message), &report);
	buf_done(&message);
}

static void bombs_of_a_mebibyte_are_read(void **state)
{
	static const char multipart[] = "From: postmaster@x.example\nSubject: Undeliverable\n"
					"Content-Type: multipart/mixed; boundary=b\n\n";
	static const char status[] = "Content-Type: message/delivery-status\n\n";
	static const char bounce[] = "From: mailer-daemon@x.example\nX-Failed-Recipients: a@x.example\n\n";
	static const char daemon[] = "From: mailer-daemon@x.example\n\nuser unknown\n\n";
	static const char html[] = "From: mailer-daemon@x.example\nContent-Type: text/html\n\n";
	static const struct {
		const char *front;
		const char *unit;
	} bombs[] = {
		{ multipart, "--b\n" },
		{ multipart, "--b\nContent-Type: multipart/mixed; boundary=b\n\n" },
		{ multipart, "--b\nContent-Type: text/plain\n\nx\n" },
		{ multipart, "--b\nContent-Type: multipart/mixed\n\n--c\nContent-Type: text/plain\n\n" },
		{ "Content-Type: multipart/mixed\n\n", "--c\n" },
		{ "Subject: ", "(" },
		{ "Subject: ", "=?utf-8?q?" },
		{ "Subject: ", "=?utf-8?b?=?utf-8?b?" },
		{ "From: ", "@" },
		{ "From: ", "\"@" },
		{ "From: ", "(\\" },
		{ "", "From: x@x.example\n" },
		{ "", "Content-Type: message/delivery-status\n" },
		{ "", ":" },
		{ "", "\r" },
		{ "", "\n" },
		{ "", " x" },
		{ status, "Final-Recipient: rfc822; a@x.example\nAction: failed\nStatus: 5.0.0\n\n" },
		{ status, "Final-Recipient: utf-8; \\x{\nAction: failed\n\n" },
		{ status, "\n\n" },
		{ "Content-Type: message/feedback-report\n\n", "Original-Rcpt-To: <a@x.example>\n" },
		{ "Content-Type: message/feedback-report\n\n", "Feedback-Type: abuse\n\n" },
		{ bounce, "a@x.example\n" },
		{ bounce, "<a@x.example>:\n\n" },
		{ bounce, "5.1.1 550\n\n" },
		{ bounce, "a\n\n" },
		{ bounce, "- original message" },
		{ bounce, "a@" },
		{ daemon, "a@x.example\n" },
		{ daemon, "<a@x.example>:\n\n" },
		{ daemon, "<a@x.example>: 550\n" },
		{ daemon, "mailer-daemon@x.example\n\n" },
		{ daemon, "message-id: a@x.example\n" },
		{ html, "<" },
		{ html, "<!--" },
		{ html, "<style>" },
		{ html, "&#" },
		{ html, "<p>&lt;a@x.example&gt;" },
		{ "From: mailer-daemon@x.example\nContent-Transfer-Encoding: base64\n\n", "QUFB" },
		{ "From: mailer-daemon@x.example\nContent-Transfer-Encoding: quoted-printable\n\n", "=" },
		{ "Content-Type: text/plain; charset=iso-2022-jp\n\n", "\x1b$B" },
		{ "Content-Type: text/plain; charset=x; charset*0=\"", "\\\"; charset*1*=%" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(bombs); i++)
		read_repeated(bombs[i].front, bombs[i].unit);
}

/* Multiparts inside each other, each with a boundary of its own; a bounce at the bottom. */
static void nest(struct buf *out, u32 depth)
{
	buf_add_text(out, "From: postmaster@x.example\nSubject: Undeliverable\n");
	for (u32 i = 0; i < depth; i++)
		buf_add_format(out, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
	buf_add_text(out, "Content-Type: text/plain\n\na@x.example: user unknown\n");
}

static void add_repeated(struct buf *out, const char *text, u32 count)
{
	for (u32 i = 0; i < count; i++)
		buf_add_text(out, text);
}

/* Everything that is kept of a message, as long and as often as it may be. */
static void the_largest_of_everything_fits_the_arena(void **state)
{
	struct report report;
	struct buf message;

	(void)state;
	buf_init(&message, 4u << 20);
	buf_add_text(&message, "From: ");
	add_repeated(&message, "x", 5000);
	buf_add_text(&message, "\nSubject: ");
	add_repeated(&message, "\xff", 5000);
	buf_add_text(&message, "\nContent-Type: multipart/report; boundary=b; x=");
	add_repeated(&message, "y", 5000);
	buf_add_text(&message, "\n\n--b\nContent-Type: text/html; charset=windows-1252; x=");
	add_repeated(&message, "y", 5000);
	buf_add_text(&message, "\nContent-Transfer-Encoding: base64\n\n");
	add_repeated(&message, "gICA", 90000); /* three euro signs, nine octets */
	buf_add_text(&message, "\n--b\nContent-Type: message/delivery-status\n"
			       "Content-Transfer-Encoding: quoted-printable\n\n");
	for (u32 i = 0; i < 70; i++) {
		static const char *const names[] = { "Final-Recipient: utf-8; ", "Status: ",
						     "Original-Recipient: rfc822; a+2Ba@",
						     "Remote-MTA: ", "Diagnostic-Code: smtp; " };

		for (u32 k = 0; k < array_count(names); k++) {
			buf_add_text(&message, names[k]);
			add_repeated(&message, k == 4 ? "\xff" : "x", k == 4 ? 1100 : 300);
			buf_add_char(&message, '\n');
		}
		buf_add_char(&message, '\n');
	}
	for (u32 i = 0; i < MAIL_PARTS_MAX; i++) {
		buf_add_text(&message, "\n--b\nContent-Type: multipart/x; boundary=\"");
		add_repeated(&message, "\\z", 2000);
		buf_add_text(&message, "\n\n");
	}
	assert_false(message.failed);
	read_report(buf_slice(&message), &report);
	assert_int_equal(report.form, REPORT_FORM_DSN);
	buf_done(&message);
}

static void what_lies_deeper_than_the_limit_is_left_unread(void **state)
{
	static const struct {
		u32 depth;
		enum report_kind kind;
	} cases[] = { { 1, REPORT_HARD },
		      { MAIL_DEPTH_MAX, REPORT_HARD },
		      { MAIL_DEPTH_MAX + 1, REPORT_UNKNOWN },
		      { 5000, REPORT_UNKNOWN } };

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct report report;
		struct buf message;

		buf_init(&message, LARGE);
		nest(&message, cases[i].depth);
		read_report(buf_slice(&message), &report);
		/* The subject and the sender tell of a bounce, though not whose. */
		if (cases[i].kind == REPORT_HARD)
			assert_int_equal(report.kind, REPORT_HARD);
		else
			assert_true(!report.recipients || report.recipients->address.len == 0);
		buf_done(&message);
	}
}

static void parts_beyond_the_limit_are_left_unread(void **state)
{
	struct report report;
	struct buf message;

	(void)state;
	for (u32 before = MAIL_PARTS_MAX - 2; before <= MAIL_PARTS_MAX; before++) {
		buf_init(&message, LARGE);
		buf_add_text(&message, "Content-Type: multipart/mixed; boundary=b\n\n");
		for (u32 i = 0; i < before; i++)
			buf_add_text(&message, "--b\nContent-Type: image/png\n\nx\n");
		buf_add_text(&message, "--b\nContent-Type: message/delivery-status\n\n"
				       "Final-Recipient: rfc822; a@x.example\nStatus: 5.1.1\n");
		read_report(buf_slice(&message), &report);
		/* The message itself is one of them. */
		assert_int_equal(report.kind,
				 before + 2 <= MAIL_PARTS_MAX ? REPORT_HARD : REPORT_UNKNOWN);
		buf_done(&message);
	}
}

static int set_up(void **state)
{
	(void)state;
	arena_init(&arena, REPORT_ARENA_CHUNK, REPORT_ARENA_MAX);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bombs_of_a_mebibyte_are_read),
		cmocka_unit_test(the_largest_of_everything_fits_the_arena),
		cmocka_unit_test(what_lies_deeper_than_the_limit_is_left_unread),
		cmocka_unit_test(parts_beyond_the_limit_are_left_unread),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
