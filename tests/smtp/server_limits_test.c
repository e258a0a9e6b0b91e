/* What a client may not do for long, or too often; time; and how the caller's side of it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/dialogue.h"

static const struct dialogue here = { .name = "here" };

static void begin_as(struct host *host, const struct smtp_server_params *params)
{
	host_init(host, params);
	host_start(host, false);
	host_send(host);
	host_packet(host, SLICE("EHLO c.test\r\n"));
	host_send(host);
	buf_reset(&host->said);
	buf_reset(&host->log);
}

static void begin(struct host *host)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);

	begin_as(host, &params);
}

static void say(struct host *host, const char *text, const char *want)
{
	host_packet(host, slice_of(text));
	dialogue_settle(host);
	dialogue_hear(host, &here, 0, want);
}

static void say_envelope(struct host *host)
{
	say(host, "MAIL FROM:<a@x.test>\r\nRCPT TO:<b@y.test>\r\n",
	    "250 2.1.0 ok\n250 2.1.5 ok\n");
}

static void the_usual_limits_are_those_of_the_rfc(void **state)
{
	const struct smtp_server_params *usual = &smtp_server_usual;

	(void)state;
	assert_true(usual->recipients_max >= 100);
	assert_true(usual->command_ms >= 5 * 60 * 1000);
	assert_true(sizeof(struct smtp_server) - SMTP_SERVER_LINE_MAX < 2048);
}

static void recipients_over_the_limit_are_temporary(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	say_envelope(&host);
	say(&host, "RCPT TO:<b@y.test>\r\nRCPT TO:<no@y.test>\r\nRCPT TO:<b@y.test>\r\n"
		   "RCPT TO:<b@y.test>\r\n",
	    "250 2.1.5 ok\n550 x.0.0 no??250 ok\n250 2.1.5 ok\n452 4.5.3 too many recipients\n");
	say(&host, "DATA\r\n", "354 go on, end with a dot\n");
	say(&host, ".\r\n", "250 2.0.0 taken\n");
	say_envelope(&host);
	host_done(&host);
}

static void too_many_errors_close_and_a_message_forgives_them(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct host host;

	(void)state;
	params.errors_max = 3;
	begin_as(&host, &params);
	say(&host, "WHAT\r\nWHAT\r\n", "500 5.5.1 unknown command\n500 5.5.1 unknown command\n");
	say_envelope(&host);
	say(&host, "BDAT 0 LAST\r\n", "250 2.0.0 taken\n");
	say(&host, "WHAT\r\nWHAT\r\nNOOP\r\nWHAT\r\nNOOP\r\n",
	    "500 5.5.1 unknown command\n500 5.5.1 unknown command\n250 2.0.0 ok\n"
	    "500 5.5.1 unknown command\n421 4.7.0 too many errors\n");
	assert_true(host.over);
	assert_int_equal(host.why, SMTP_SERVER_WHY_ERRORS);
	host_done(&host);
}

static void guessing_recipients_is_an_error_each_time(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct host host;

	(void)state;
	params.errors_max = 2;
	begin_as(&host, &params);
	say(&host, "MAIL FROM:<>\r\nRCPT TO:<no1@y.test>\r\nRCPT TO:<later@y.test>\r\n"
		   "RCPT TO:<no2@y.test>\r\nRCPT TO:<b@y.test>\r\n",
	    "250 2.1.0 ok\n550 x.0.0 no??250 ok\n451 x.0.0 no??250 ok\n550 x.0.0 no??250 ok\n"
	    "421 4.7.0 too many errors\n");
	assert_true(host.over);
	host_done(&host);
}

/* RCPT_MAX of them and DATA may be in the pipeline; a flood is not let pass. */
static void what_stands_behind_a_refused_mail_is_no_error_up_to_a_point(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct host host;

	(void)state;
	params.errors_max = 2;
	begin_as(&host, &params);
	for (u32 i = 0; i < 5; i++)
		say(&host,
		    "MAIL FROM:<later@x.test>\r\nRCPT TO:<b@y.test>\r\nRCPT TO:<b@y.test>\r\n"
		    "RCPT TO:<b@y.test>\r\nDATA\r\n",
		    "451 x.0.0 no??250 ok\n503 5.5.1 MAIL first\n503 5.5.1 MAIL first\n"
		    "503 5.5.1 MAIL first\n503 5.5.1 MAIL first\n");
	assert_false(host.over);
	for (u32 i = 0; i < 3; i++)
		host_packet(&host, SLICE("BDAT 0 LAST\r\n"));
	host_send(&host);
	assert_true(host.over);
	host_done(&host);
}

static void idle_commands_come_to_an_end(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct host host;

	(void)state;
	params.idle_max = 3; /* EHLO was one */
	begin_as(&host, &params);
	say(&host, "NOOP\r\nRSET\r\nVRFY b\r\nNOOP\r\n",
	    "250 2.0.0 ok\n250 2.0.0 ok\n421 4.7.0 too many commands\n");
	assert_int_equal(host.why, SMTP_SERVER_WHY_ERRORS);
	host_done(&host);
}

static void messages_come_to_an_end(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct host host;

	(void)state;
	params.messages_max = 1;
	begin_as(&host, &params);
	say_envelope(&host);
	say(&host, "BDAT 0 LAST\r\nMAIL FROM:<a@x.test>\r\n",
	    "250 2.0.0 taken\n421 4.7.0 enough messages for one connection\n");
	assert_true(host.over);
	host_done(&host);
}

static void a_line_may_be_as_long_as_the_buffer_and_no_longer(void **state)
{
	static char line[SMTP_SERVER_LINE_MAX + 8];

	(void)state;
	memset(line, 'x', sizeof(line));
	for (size_t len = SMTP_SERVER_LINE_MAX - 3; len <= SMTP_SERVER_LINE_MAX + 3; len++) {
		for (size_t cut = 1; cut < len; cut += cut == 1 ? len - 5 : 1) {
			struct host host;
			bool fits = len <= SMTP_SERVER_LINE_MAX;

			begin(&host);
			memcpy(line, "NOOP ", 5);
			memcpy(line + len - 2, "\r\n", 2);
			host_packet(&host, (struct slice){ line, cut });
			host_packet(&host, (struct slice){ line + cut, len - cut });
			say(&host, "NOOP\r\n",
			    fits ? "250 2.0.0 ok\n250 2.0.0 ok\n" :
				   "500 5.5.2 line too long\n250 2.0.0 ok\n");
			host_done(&host);
			memset(line, 'x', sizeof(line));
		}
	}
}

static void a_line_without_end_closes(void **state)
{
	static char flood[4096];
	struct host host;
	u32 packets = 0;

	(void)state;
	memset(flood, 'x', sizeof(flood));
	begin(&host);
	while (!host.over && packets++ < 100) {
		host_packet(&host, (struct slice){ flood, sizeof(flood) });
		host_send(&host);
	}
	assert_true(host.over);
	assert_in_range(packets, 10, 20);
	dialogue_hear(&host, &here, 0, "500 5.5.2 line too long\n");
	host_done(&host);
}

static void a_client_that_does_not_read_replies_is_not_read(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	for (u32 i = 0; i < 1000; i++)
		host_packet(&host, SLICE("HELP\r\n"));
	assert_in_range(host.held.len, 900 * 6, 999 * 6);
	dialogue_settle(&host);
	assert_int_equal(host.held.len, 0);
	assert_int_equal(host.said.len, 99 * 20 + 29); /* idle_max, and 421 */
	host_done(&host);
}

static void a_command_has_its_time_however_slowly_it_comes(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	for (u32 i = 0; i < 5; i++) {
		host_packet(&host, SLICE("x"));
		host_wait(&host, 59 * 1000);
	}
	assert_false(host.over);
	host_packet(&host, SLICE("x"));
	host_wait(&host, 5000);
	host_send(&host);
	dialogue_hear(&host, &here, 0, "421 4.4.2 too slow\n");
	assert_true(host.over);
	assert_int_equal(host.why, SMTP_SERVER_WHY_TIMEOUT);
	host_done(&host);
}

static void a_message_has_its_time_however_steadily_it_comes(void **state)
{
	struct host host;
	u32 seconds = 0;

	(void)state;
	begin(&host);
	say_envelope(&host);
	say(&host, "DATA\r\n", "354 go on, end with a dot\n");
	while (!host.over && seconds < 5000) {
		host_packet(&host, SLICE("."));
		host_wait(&host, 100 * 1000);
		seconds += 100;
		host_send(&host);
	}
	assert_int_equal(seconds, 3600);
	dialogue_hear(&host, &here, 0, "421 4.4.2 too slow\n");
	assert_string_equal(buf_text(&host.log),
			    "MAIL <a@x.test>\nRCPT <b@y.test>\nCLOSE timeout\n");
	host_done(&host);
}

static void content_that_stops_is_waited_for_as_long_as_a_command(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	say_envelope(&host);
	say(&host, "DATA\r\nx", "354 go on, end with a dot\n554 5.5.0 spoke before it was asked\n");
	assert_true(host.over);
	host_done(&host);
	begin(&host);
	say_envelope(&host);
	say(&host, "DATA\r\n", "354 go on, end with a dot\n");
	host_wait(&host, 299 * 1000);
	host_packet(&host, SLICE("x"));
	host_wait(&host, 299 * 1000);
	assert_false(host.over);
	host_wait(&host, 1000);
	host_send(&host);
	assert_true(host.over);
	host_done(&host);
}

static void no_timeout_runs_while_the_caller_thinks(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	host.answers_late = true;
	host_packet(&host, SLICE("MAIL FROM:<a@x.test>\r\n"));
	assert_true(smtp_server_deadline(&host.server) == UINT64_MAX);
	host.now_ns += 3600 * NS_PER_S;
	dialogue_settle(&host);
	assert_true(smtp_server_deadline(&host.server) == host.now_ns + 300 * NS_PER_S);
	host_done(&host);
}

static void an_answer_behind_the_end_of_the_connection_is_nothing(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	say_envelope(&host);
	host.answers_late = true;
	host_packet(&host, SLICE("BDAT 2 LAST\r\n\r\nNOOP\r\n"));
	assert_true(host.asked);
	host_closed(&host);
	smtp_server_accept(&host.server, host.now_ns);
	smtp_server_refuse(&host.server, 421, SLICE("4.0.0 no"), host.now_ns);
	assert_int_equal(smtp_server_output(&host.server).len, 0);
	host_done(&host);
}

static void a_pause_sends_away_who_speaks_in_it(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX);
	struct host host;

	(void)state;
	params.pause_ms = 2000;
	for (u32 early = 0; early < 2; early++) {
		host_init(&host, &params);
		host_start(&host, false);
		host_wait(&host, 1999);
		assert_int_equal(smtp_server_output(&host.server).len, 0);
		if (early)
			host_packet(&host, SLICE("E"));
		else
			host_wait(&host, 1);
		host_send(&host);
		dialogue_hear(&host, &here, 0,
			      early ? "554 5.5.0 spoke before it was asked\n" : GREETING);
		assert_int_equal(host.over, early);
		host_done(&host);
	}
}

static void who_does_not_take_the_last_reply_is_not_waited_for(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	host_packet(&host, SLICE("QUIT\r\n"));
	assert_false(host.over);
	host_wait(&host, 9999);
	assert_false(host.over);
	host_wait(&host, 1);
	assert_true(host.over);
	assert_int_equal(host.why, SMTP_SERVER_WHY_QUIT);
	assert_int_equal(smtp_server_output(&host.server).len, 0);
	host_done(&host);
}

static void leaving_waits_for_the_message_and_for_nothing_else(void **state)
{
	struct host host;

	(void)state;
	begin(&host);
	smtp_server_leave(&host.server, host.now_ns);
	host_take_events(&host);
	host_send(&host);
	dialogue_hear(&host, &here, 0, "421 4.3.2 going away\n");
	assert_true(host.over);
	host_done(&host);

	begin(&host);
	say_envelope(&host);
	say(&host, "DATA\r\n", "354 go on, end with a dot\n");
	smtp_server_leave(&host.server, host.now_ns);
	host_take_events(&host);
	assert_false(host.over);
	say(&host, "x\r\n.\r\nNOOP\r\n", "250 2.0.0 taken\n421 4.3.2 going away\n");
	assert_true(host.over);
	assert_int_equal(host.why, SMTP_SERVER_WHY_CALLER);
	host_done(&host);
}

static void a_handshake_that_fails_or_hangs_closes(void **state)
{
	struct smtp_server_params params = dialogue_params(PORT_MX_TLS);

	(void)state;
	for (u32 hangs = 0; hangs < 2; hangs++) {
		struct host host;

		begin_as(&host, &params);
		host_packet(&host, SLICE("STARTTLS\r\n"));
		host_send(&host);
		assert_true(host.wants_tls);
		if (hangs)
			host_wait(&host, 120 * 1000);
		else
			smtp_server_tls_failed(&host.server, host.now_ns);
		host_take_events(&host);
		assert_true(host.over);
		assert_int_equal(host.why,
				 hangs ? SMTP_SERVER_WHY_TIMEOUT : SMTP_SERVER_WHY_TLS);
		host_done(&host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_limits_are_those_of_the_rfc),
		cmocka_unit_test(recipients_over_the_limit_are_temporary),
		cmocka_unit_test(too_many_errors_close_and_a_message_forgives_them),
		cmocka_unit_test(guessing_recipients_is_an_error_each_time),
		cmocka_unit_test(what_stands_behind_a_refused_mail_is_no_error_up_to_a_point),
		cmocka_unit_test(idle_commands_come_to_an_end),
		cmocka_unit_test(messages_come_to_an_end),
		cmocka_unit_test(a_line_may_be_as_long_as_the_buffer_and_no_longer),
		cmocka_unit_test(a_line_without_end_closes),
		cmocka_unit_test(a_client_that_does_not_read_replies_is_not_read),
		cmocka_unit_test(a_command_has_its_time_however_slowly_it_comes),
		cmocka_unit_test(a_message_has_its_time_however_steadily_it_comes),
		cmocka_unit_test(content_that_stops_is_waited_for_as_long_as_a_command),
		cmocka_unit_test(no_timeout_runs_while_the_caller_thinks),
		cmocka_unit_test(an_answer_behind_the_end_of_the_connection_is_nothing),
		cmocka_unit_test(a_pause_sends_away_who_speaks_in_it),
		cmocka_unit_test(who_does_not_take_the_last_reply_is_not_waited_for),
		cmocka_unit_test(leaving_waits_for_the_message_and_for_nothing_else),
		cmocka_unit_test(a_handshake_that_fails_or_hangs_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
