/* Dialogues with the server: commands, extensions, TLS, AUTH, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/dialogue.h"

static void mail_is_taken(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "one message, one command at a time",
		  .turns = { EHLO, "MAIL FROM:<a@x.test>\r\n", "250 2.1.0 ok\n",
			     "RCPT TO:<b@y.test>\r\n", "250 2.1.5 ok\n", "DATA\r\n",
			     "354 go on, end with a dot\n", "Subject: x\r\n\r\nhi\r\n.\r\n",
			     "250 2.0.0 taken\n", BYE },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nRCPT <b@y.test>\nEND 18\nCLOSE quit\n" },
		{ .name = "pipelined, and the next message behind the dot",
		  .turns = { EHLO,
			     "MAIL FROM:<>\r\nRCPT TO:<b@y.test>\r\nRCPT TO:<no@y.test>\r\n"
			     "RCPT TO:<later@y.test>\r\nDATA\r\n",
			     "250 2.1.0 ok\n250 2.1.5 ok\n550 x.0.0 no??250 ok\n"
			     "451 x.0.0 no??250 ok\n354 go on, end with a dot\n",
			     "x\r\n.\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",
			     "250 2.0.0 taken\n250 2.1.0 ok\n250 2.1.5 ok\n"
			     "354 go on, end with a dot\n",
			     ".\r\nQUIT\r\n", "250 2.0.0 taken\n221 2.0.0 bye\n" },
		  .events = "EHLO c.test\nMAIL <>\nRCPT <b@y.test>\nRCPT <no@y.test>\n"
			    "RCPT <later@y.test>\nEND 3\nMAIL <a@x.test>\nRCPT <b@y.test>\n"
			    "END 0\nCLOSE quit\n" },
		{ .name = "HELO, lower case, a space behind the colon, one at the end",
		  .turns = { "helo c.test\r\n", "250 mx.test\n", "mail from: <a@x.test> \r\n",
			     "250 2.1.0 ok\n", "Rcpt To:<PostMaster>\r\n", "250 2.1.5 ok\n",
			     "data\r\n", "354 go on, end with a dot\n", "x\r\n.\r\n",
			     "250 2.0.0 taken\n", "quit\t\r\n", "221 2.0.0 bye\n" },
		  .events = "HELO c.test\nMAIL <a@x.test>\nRCPT <PostMaster>\nEND 3\nCLOSE quit\n" },
		{ .name = "the caller refuses the message, then the next is taken",
		  .turns = { EHLO, "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",
			     "250 2.1.0 ok\n250 2.1.5 ok\n354 go on, end with a dot\n",
			     "refuse\r\n.\r\n", "554 x.0.0 no??250 ok\n",
			     "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",
			     "250 2.1.0 ok\n250 2.1.5 ok\n354 go on, end with a dot\n",
			     "defer\r\n.\r\n", "452 x.0.0 no??250 ok\n", "RCPT TO:<b@y.test>\r\n",
			     "503 5.5.1 MAIL first\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nRCPT <b@y.test>\nEND 8\n"
			    "MAIL <a@x.test>\nRCPT <b@y.test>\nEND 7\nCLOSE closed\n" },
		{ .name = "all parameters",
		  .turns = { EHLO,
			     "MAIL FROM:<a@x.test> SIZE=10 BODY=8BITMIME RET=HDRS ENVID=q+2B1\r\n",
			     "250 2.1.0 ok\n",
			     "RCPT TO:<b@y.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+40y\r\n",
			     "250 2.1.5 ok\n", "DATA\r\n", "354 go on, end with a dot\n",
			     "\xc3\xa9\r\n.\r\n", "250 2.0.0 taken\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test> size 10 8bit headers envid q+2B1\n"
			    "RCPT <b@y.test> notify 10 orcpt rfc822;b+40y\nEND 4\nCLOSE closed\n" },
		{ .name = "SMTPUTF8",
		  .turns = { EHLO, "MAIL FROM:<\xc3\xa9@x.test> SMTPUTF8\r\n", "250 2.1.0 ok\n",
			     "RCPT TO:<\xe6\x97\xa5@\xc3\xa9.test>\r\n", "250 2.1.5 ok\n",
			     "RSET\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<\xc3\xa9@y.test>\r\n",
			     "250 2.0.0 ok\n250 2.1.0 ok\n553 5.6.7 address needs SMTPUTF8\n" },
		  .events = "EHLO c.test\nMAIL <\xc3\xa9@x.test> utf8\n"
			    "RCPT <\xe6\x97\xa5@\xc3\xa9.test>\nRESET\nMAIL <a@x.test>\n"
			    "CLOSE closed\n" },
	};

	(void)state;
	dialogues_run(table);
}

static void commands_out_of_order_are_refused_and_the_dialogue_goes_on(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "before EHLO",
		  .turns = { "MAIL FROM:<a@x.test>\r\n", "503 5.5.1 EHLO first\n",
			     "RCPT TO:<b@y.test>\r\n", "503 5.5.1 MAIL first\n", "DATA\r\n",
			     "503 5.5.1 MAIL first\n", "STARTTLS\r\n", "502 5.5.1 no TLS here\n",
			     "AUTH PLAIN\r\n", "502 5.5.1 no AUTH here\n", "NOOP hm\r\n",
			     "250 2.0.0 ok\n", "RSET\r\n", "250 2.0.0 ok\n", "VRFY b\r\n",
			     "252 2.0.0 try RCPT\n", "HELP\r\n", "214 2.0.0 RFC 5321\n", BYE },
		  .events = "CLOSE quit\n" },
		{ .name = "within a transaction",
		  .turns = { EHLO, "DATA\r\n", "503 5.5.1 MAIL first\n",
			     "MAIL FROM:<a@x.test>\r\nMAIL FROM:<b@x.test>\r\n",
			     "250 2.1.0 ok\n503 5.5.1 MAIL within a transaction\n", "DATA\r\n",
			     "503 5.5.1 RCPT first\n", "RCPT TO:<no@y.test>\r\nDATA\r\n",
			     "550 x.0.0 no??250 ok\n554 5.5.1 no valid recipients\n",
			     "RCPT TO:<b@y.test>\r\n", "250 2.1.5 ok\n", "DATA x\r\n",
			     "501 5.5.4 nothing may follow\n", "RSET\r\n", "250 2.0.0 ok\n",
			     "DATA\r\n", "503 5.5.1 MAIL first\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nRCPT <no@y.test>\nRCPT <b@y.test>\n"
			    "RESET\nCLOSE closed\n" },
		{ .name = "EHLO ends a transaction",
		  .turns = { EHLO, "MAIL FROM:<a@x.test>\r\n", "250 2.1.0 ok\n", EHLO,
			     "RCPT TO:<b@y.test>\r\n", "503 5.5.1 MAIL first\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nEHLO c.test\nCLOSE closed\n" },
		{ .name = "MAIL refused, and what stood behind it in the pipeline",
		  .turns = { EHLO,
			     "MAIL FROM:<later@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\n",
			     "451 x.0.0 no??250 ok\n503 5.5.1 MAIL first\n503 5.5.1 MAIL first\n",
			     "MAIL FROM:<a@x.test>\r\n", "250 2.1.0 ok\n" },
		  .events = "EHLO c.test\nMAIL <later@x.test>\nMAIL <a@x.test>\nCLOSE closed\n" },
		{ .name = "nonsense",
		  .turns = { "\r\n", "500 5.5.1 unknown command\n", "EHLO\r\n",
			     "501 5.5.4 one name has to follow\n", "EHLO a b\r\n",
			     "501 5.5.4 one name has to follow\n", "EHLOx\r\n",
			     "500 5.5.1 unknown command\n", "EHLO \xc3\xa9.test\r\n",
			     "500 5.5.2 not in ASCII\n", "NOOP \x07\r\n",
			     "500 5.5.2 control characters\n", "EXPN list\r\n",
			     "502 5.5.1 not here\n", "VRFY\r\n", "501 5.5.4 whom?\n", "EHLO [::1]\r\n",
			     OFFERS OFFERS_LAST },
		  .events = "EHLO [::1]\nCLOSE closed\n" },
		{ .name = "what may not be behind MAIL and RCPT",
		  .turns = { EHLO, "MAIL FROM:a@x.test\r\n", "501 5.1.3 bad address\n",
			     "MAIL TO:<a@x.test>\r\n", "501 5.5.4 FROM: or TO: has to follow\n",
			     "MAIL FROM:<a@x.test> SIZE=101\r\n", "552 5.3.4 message too large\n",
			     "MAIL FROM:<a@x.test> BODY=BINARYMIME\r\n", "501 5.5.4 bad parameter\n",
			     "MAIL FROM:<a@x.test> AUTH=<>\r\n", "555 5.5.4 unknown parameter\n",
			     "MAIL FROM:<a@x.test> SIZE=100\r\n", "250 2.1.0 ok\n",
			     "RCPT TO:<>\r\n", "501 5.1.3 nobody is named\n",
			     "RCPT TO:<b@y.test> NOTIFY=NEVER,DELAY\r\n", "501 5.5.4 bad parameter\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test> size 100\nCLOSE closed\n" },
		{ .name = "parameters after HELO",
		  .turns = { "HELO c.test\r\n", "250 mx.test\n", "MAIL FROM:<a@x.test> SIZE=1\r\n",
			     "555 5.5.4 unknown parameter\n" },
		  .events = "HELO c.test\nCLOSE closed\n" },
		{ .name = "the caller's 421",
		  .turns = { EHLO, "MAIL FROM:<gone@x.test>\r\nRCPT TO:<b@y.test>\r\n",
			     "421 x.0.0 no??250 ok\n", "NOOP\r\n", "" },
		  .events = "EHLO c.test\nMAIL <gone@x.test>\nCLOSE we closed\n" },
		{ .name = "a web browser",
		  .turns = { "POST / HTTP/1.1\r\nHost: mx.test\r\n\r\nMAIL FROM:<a@x.test>\r\n",
			     "554 5.5.0 this is SMTP\n" },
		  .events = "CLOSE no SMTP\n" },
	};

	(void)state;
	dialogues_run(table);
}

static void who_does_not_listen_is_sent_away(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "before the greeting",
		  .early = true,
		  .turns = { "EHLO c.test\r\n",
			     "220 mx.test ESMTP\n554 5.5.0 spoke before it was asked\n" },
		  .events = "CLOSE spoke early\n" },
		{ .name = "behind EHLO",
		  .early = true,
		  .turns = { "", "", "EHLO c.test\r\nMAIL FROM:<a@x.test>\r\n",
			     OFFERS OFFERS_LAST "554 5.5.0 spoke before it was asked\n" },
		  .events = "EHLO c.test\nCLOSE spoke early\n" },
		{ .name = "content before the 354",
		  .early = true,
		  .turns = { "", "", EHLO, "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\nDATA\r\nx",
			     "250 2.1.0 ok\n250 2.1.5 ok\n354 go on, end with a dot\n"
			     "554 5.5.0 spoke before it was asked\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nRCPT <b@y.test>\nCLOSE spoke early\n" },
		{ .name = "content behind a DATA that is refused is no command",
		  .early = true,
		  .turns = { "", "", EHLO, "DATA now\r\nMAIL FROM:<a@x.test>\r\n",
			     "501 5.5.4 nothing may follow\n554 5.5.0 spoke before it was asked\n" },
		  .events = "EHLO c.test\nCLOSE spoke early\n" },
	};

	(void)state;
	dialogues_run(table);
}

static void tls_begins_anew_and_nothing_is_carried_into_it(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "EHLO, STARTTLS, EHLO",
		  .port = PORT_MX_TLS,
		  .turns = { "STARTTLS\r\n", "503 5.5.1 EHLO first\n", "EHLO c.test\r\n",
			     OFFERS "250-STARTTLS\n" OFFERS_LAST, "STARTTLS now\r\n",
			     "501 5.5.4 nothing may follow\n", "MAIL FROM:<a@x.test>\r\n",
			     "250 2.1.0 ok\n", "STARTTLS\r\n", "220 2.0.0 go on\n",
			     "RCPT TO:<b@y.test>\r\n", "503 5.5.1 MAIL first\n",
			     "MAIL FROM:<a@x.test>\r\n", "503 5.5.1 EHLO first\n", EHLO,
			     "STARTTLS\r\n", "503 5.5.1 TLS is on\n" },
		  .events = "EHLO c.test\nMAIL <a@x.test>\nTLS\nEHLO c.test\nCLOSE closed\n" },
		{ .name = "P10: commands behind STARTTLS, CVE-2011-0411",
		  .port = PORT_MX_TLS,
		  .early = true,
		  .turns = { "", "", "EHLO c.test\r\n", OFFERS "250-STARTTLS\n" OFFERS_LAST,
			     "STARTTLS\r\nRSET\r\nMAIL FROM:<a@x.test>\r\n",
			     "220 2.0.0 go on\n554 5.5.0 bytes behind STARTTLS\n" },
		  .events = "EHLO c.test\nCLOSE TLS failed\n" },
	};

	(void)state;
	dialogues_run(table);
}

static void a_byte_behind_starttls_closes_until_the_220_is_given_out(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX_TLS);

	(void)state;
	for (u32 given = 0; given < 2; given++) {
		struct host host;

		host_init(&host, &params);
		host_start(&host, false);
		host_send(&host);
		host_packet(&host, SLICE("EHLO c.test\r\n"));
		host_send(&host);
		host_packet(&host, SLICE("STARTTLS\r\n"));
		/* The socket has not told yet that it is gone; the handshake may begin all the same. */
		assert_int_equal(given ? smtp_server_output(&host.server).len : 0, given ? 17 : 0);
		host_packet(&host, SLICE("\x16\x03\x01"));
		assert_false(host.wants_tls);
		if (given) {
			smtp_server_sent(&host.server, 17, host.now_ns);
			host_take_events(&host);
			assert_true(host.wants_tls);
			assert_int_equal(host.held.len, 3);
			host_tls(&host);
			assert_true(host.server.tls_active);
		} else {
			host_send(&host);
			assert_true(host.over);
			assert_int_equal(host.why, SMTP_SERVER_WHY_TLS);
		}
		host_done(&host);
	}
}

#define HELLO_SECURE                                                                               \
	"EHLO c.test\r\n", OFFERS "250-AUTH PLAIN LOGIN\n" OFFERS_LAST

static void a_submission_port_wants_tls_and_a_password(void **state)
{
	static const struct dialogue table[] = {
		{ .name = "nothing in the clear",
		  .port = PORT_SUBMISSION,
		  .turns = { "EHLO c.test\r\n", OFFERS "250-STARTTLS\n" OFFERS_LAST,
			     "MAIL FROM:<a@x.test>\r\n", "530 5.7.0 STARTTLS first\n",
			     "AUTH PLAIN AGEAYg==\r\n", "538 5.7.11 STARTTLS first\n", "STARTTLS\r\n",
			     "220 2.0.0 go on\n", "AUTH PLAIN AGEAYg==\r\n", "503 5.5.1 not now\n",
			     HELLO_SECURE, "MAIL FROM:<a@x.test>\r\n", "530 5.7.0 AUTH first\n",
			     "AUTH PLAIN AGEAYg==\r\n", "235 2.7.0 welcome\n",
			     "MAIL FROM:<a@x.test> AUTH=<>\r\n", "250 2.1.0 ok\n" },
		  .events = "EHLO c.test\nTLS\nEHLO c.test\nAUTH  a b\nMAIL <a@x.test>\n"
			    "CLOSE closed\n" },
		{ .name = "PLAIN behind a 334, LOGIN with and without a first response",
		  .port = PORT_SUBMISSION_TLS,
		  .turns = { HELLO_SECURE, "AUTH PLAIN\r\n", "334 \n", "cgBhAGJhZA==\r\n",
			     "535 x.0.0 no??250 ok\n", "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\n",
			     "YQ==\r\n", "334 UGFzc3dvcmQ6\n", "YmFk\r\n", "535 x.0.0 no??250 ok\n",
			     "AUTH LOGIN YW5u\r\n", "334 UGFzc3dvcmQ6\n", "c2VjcmV0\r\n",
			     "235 2.7.0 welcome\n", "AUTH LOGIN\r\n", "503 5.5.1 not now\n" },
		  .events = "EHLO c.test\nAUTH r a bad\nAUTH  a bad\nAUTH  ann secret\n"
			    "CLOSE closed\n" },
		{ .name = "in the clear where nobody listens, and behind TLS all the same",
		  .port = PORT_SUBMISSION_CLEAR,
		  .turns = { "EHLO c.test\r\n",
			     OFFERS "250-STARTTLS\n250-AUTH PLAIN LOGIN\n" OFFERS_LAST,
			     "MAIL FROM:<a@x.test>\r\n", "530 5.7.0 AUTH first\n",
			     "AUTH PLAIN AGEAYg==\r\n", "235 2.7.0 welcome\n",
			     "MAIL FROM:<a@x.test>\r\n", "250 2.1.0 ok\n", "STARTTLS\r\n",
			     "220 2.0.0 go on\n", HELLO_SECURE, "MAIL FROM:<a@x.test>\r\n",
			     "530 5.7.0 AUTH first\n" },
		  .events = "EHLO c.test\nAUTH  a b\nMAIL <a@x.test>\nTLS\nEHLO c.test\n"
			    "CLOSE closed\n" },
		{ .name = "cancelled, and bad responses",
		  .port = PORT_SUBMISSION_TLS,
		  .turns = { HELLO_SECURE, "AUTH PLAIN\r\n", "334 \n", "*\r\n",
			     "501 5.7.0 cancelled\n", "AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\n",
			     "YQ==\r\n", "334 UGFzc3dvcmQ6\n", "*\r\n", "501 5.7.0 cancelled\n",
			     "AUTH PLAIN =\r\n", "501 5.5.2 bad name or password\n",
			     "AUTH PLAIN AGEA YgA=\r\n", "501 5.5.2 bad base64\n",
			     "AUTH PLAIN AGEAYgBj\r\n", "501 5.5.2 bad name or password\n",
			     "AUTH CRAM-MD5\r\n", "504 5.5.4 PLAIN or LOGIN\n" },
		  .events = "EHLO c.test\nCLOSE closed\n" },
		{ .name = "the third bad password is the last",
		  .port = PORT_SUBMISSION_TLS,
		  .turns = { HELLO_SECURE, "AUTH PLAIN AGEAYmFk\r\nAUTH PLAIN AGEAYmFk\r\n",
			     "535 x.0.0 no??250 ok\n535 x.0.0 no??250 ok\n",
			     "AUTH PLAIN AGEAYmFk\r\nNOOP\r\n",
			     "535 x.0.0 no??250 ok\n421 4.7.0 too many bad passwords\n" },
		  .events = "EHLO c.test\nAUTH  a bad\nAUTH  a bad\nAUTH  a bad\n"
			    "CLOSE too many errors\n" },
	};

	(void)state;
	dialogues_run(table);
}

static void a_password_is_wiped_when_it_was_answered(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_SUBMISSION_TLS);
	struct host host;

	(void)state;
	host_init(&host, &params);
	host_start(&host, true);
	host_send(&host);
	host_packet(&host, SLICE("EHLO c.test\r\n"));
	host_send(&host);
	host.answers_late = true;
	host_packet(&host, SLICE("AUTH PLAIN AGFubgBzZWNyZXQ=\r\n"));
	assert_memory_equal(host.server.line + 5, "secret", 6);
	host_answer(&host);
	for (u32 i = 0; i < sizeof(host.server.line); i++)
		assert_int_equal(host.server.line[i], 0);
	host_done(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mail_is_taken),
		cmocka_unit_test(commands_out_of_order_are_refused_and_the_dialogue_goes_on),
		cmocka_unit_test(who_does_not_listen_is_sent_away),
		cmocka_unit_test(tls_begins_anew_and_nothing_is_carried_into_it),
		cmocka_unit_test(a_byte_behind_starttls_closes_until_the_220_is_given_out),
		cmocka_unit_test(a_submission_port_wants_tls_and_a_password),
		cmocka_unit_test(a_password_is_wiped_when_it_was_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
