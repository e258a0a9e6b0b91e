/* Output: vectors, short sends, replies that overtake the word that bytes were sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/command.h"
#include "smtp/peer.h"

#define HELLO "220 mx\r\n"
#define CHUNKING "250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n"
#define PIPELINING "250-mx\r\n250 PIPELINING\r\n"

static const struct smtp_client_params params = { .ehlo_name = SLICE("client.test"),
						  .depth = SMTP_DEPTH_MAX,
						  .capability_mask = ~0u };

static void open_session(struct peer *peer, const char *ehlo)
{
	peer_init(peer, &params, 1);
	peer_packet(peer, SLICE(HELLO));
	peer_packet(peer, slice_of(ehlo));
	assert_true(smtp_client_is_idle(&peer->client));
	buf_reset(&peer->wire);
}

/* Asks for output and tells nothing yet: a send that the kernel has not answered. */
static size_t take_output(struct peer *peer, struct smtp_output *output)
{
	static struct iovec iov[PEER_IOV_MAX];

	*output = (struct smtp_output){ .iov = iov, .iov_max = PEER_IOV_MAX };
	return smtp_client_output(&peer->client, output) ? output->bytes : 0;
}

static void answer(struct peer *peer, const char *text)
{
	smtp_client_receive(&peer->client, slice_of(text), peer->now_ns);
	peer_take_events(peer);
}

static void dialogue_of_eight(struct peer *peer, const char *ehlo, u32 iov_max, bool bytewise)
{
	static struct peer_message messages[SMTP_DEPTH_MAX];
	struct iovec iov[PEER_IOV_MAX];
	struct smtp_output output = { .iov = iov, .iov_max = iov_max };

	open_session(peer, ehlo);
	for (u32 i = 0; i < SMTP_DEPTH_MAX; i++) {
		peer_message_to(&messages[i], "b@y.test", ".one\r\n..two\r\nthree\r\n.\r\n");
		peer_give(peer, &messages[i]);
	}
	for (u32 turn = 0; turn < 3 * SMTP_DEPTH_MAX; turn++) {
		while (smtp_client_output(&peer->client, &output)) {
			size_t take = bytewise ? 1 : iov[0].iov_len;

			assert_true(output.iov_count <= iov_max);
			buf_add(&peer->wire, iov[0].iov_base, take);
			for (u32 i = 1; !bytewise && i < output.iov_count; i++) {
				buf_add(&peer->wire, iov[i].iov_base, iov[i].iov_len);
				take += iov[i].iov_len;
			}
			smtp_client_sent(&peer->client, take, peer->now_ns);
		}
		if (peer->in_flight > 0)
			answer(peer, strcmp(ehlo, CHUNKING) == 0 ? "250\r\n250\r\n250\r\n" :
			       turn % 2 == 0 ? "250\r\n250\r\n354\r\n" : "250\r\n");
	}
	assert_int_equal(peer->in_flight, 0);
}

static void vectors_of_one_and_of_many_give_the_same_bytes(void **state)
{
	static const char *const offers[] = { PIPELINING, CHUNKING };

	(void)state;
	for (u32 o = 0; o < array_count(offers); o++) {
		struct peer reference;

		dialogue_of_eight(&reference, offers[o], PEER_IOV_MAX, false);
		assert_true(reference.wire.len > SMTP_DEPTH_MAX * 60);
		for (u32 iov_max = 1; iov_max <= 20; iov_max++) {
			for (u32 bytewise = 0; bytewise <= 1; bytewise++) {
				struct peer peer;

				dialogue_of_eight(&peer, offers[o], iov_max, bytewise);
				assert_int_equal(peer.wire.len, reference.wire.len);
				assert_memory_equal(peer.wire.ptr, reference.wire.ptr,
						    reference.wire.len);
				peer_done(&peer);
			}
		}
		peer_done(&reference);
	}
}

static void everything_of_several_messages_goes_in_one_output(void **state)
{
	struct peer peer;
	struct peer_message messages[3];
	struct smtp_output output;

	(void)state;
	open_session(&peer, CHUNKING);
	for (u32 i = 0; i < 3; i++) {
		peer_message_to(&messages[i], "b@y.test", "x\r\n");
		peer_give(&peer, &messages[i]);
	}
	take_output(&peer, &output);
	assert_int_equal(output.iov_count, 6); /* commands and content, three times */
	assert_int_equal(output.ending_count, 3);
	for (u32 i = 0; i < 3; i++)
		assert_ptr_equal(output.ending[i], &messages[i].transaction);
	smtp_client_sent(&peer.client, output.bytes, peer.now_ns);
	assert_int_equal(take_output(&peer, &output), 0);
	peer_closed(&peer);
	peer_done(&peer);
}

static void a_message_told_as_sent_in_part_is_not_ended(void **state)
{
	struct peer peer;
	struct peer_message messages[2];
	struct smtp_output output;
	size_t all;

	(void)state;
	open_session(&peer, CHUNKING);
	peer_message_to(&messages[0], "b@y.test", "first\r\n");
	peer_message_to(&messages[1], "b@y.test", "second\r\n");
	peer_give(&peer, &messages[0]);
	peer_give(&peer, &messages[1]);
	all = take_output(&peer, &output);
	assert_true(messages[0].transaction.ended && messages[1].transaction.ended);
	smtp_client_sent(&peer.client, all - 1, peer.now_ns);
	assert_true(messages[0].transaction.ended);
	assert_false(messages[1].transaction.ended);
	/* Its last byte is in the next output, which says so again. */
	assert_int_equal(take_output(&peer, &output), 1);
	assert_int_equal(output.ending_count, 1);
	assert_ptr_equal(output.ending[0], &messages[1].transaction);
	smtp_client_sent(&peer.client, 0, peer.now_ns);
	assert_false(messages[1].transaction.ended);
	peer_closed(&peer);
	assert_int_equal(messages[0].recipients[0].verdict, SMTP_VERDICT_IN_DOUBT);
	assert_int_equal(messages[1].recipients[0].verdict, SMTP_VERDICT_UNSENT);
	peer_done(&peer);
}

static void done_waits_for_the_word_that_content_is_gone(void **state)
{
	struct peer peer;
	struct peer_message message;
	struct smtp_output output;

	(void)state;
	open_session(&peer, CHUNKING);
	peer_message_to(&message, "b@y.test", "text\r\n");
	peer_give(&peer, &message);
	take_output(&peer, &output);
	answer(&peer, "250\r\n250\r\n250 taken\r\n");
	assert_int_equal(message.recipients[0].verdict, SMTP_VERDICT_ACCEPTED);
	assert_false(message.done); /* the kernel may still read it */
	assert_false(smtp_client_is_idle(&peer.client));
	assert_true(smtp_client_deadline(&peer.client) != UINT64_MAX);
	smtp_client_sent(&peer.client, output.bytes, peer.now_ns);
	peer_take_events(&peer);
	assert_true(message.done);
	assert_true(smtp_client_is_idle(&peer.client));
	assert_true(smtp_client_deadline(&peer.client) == UINT64_MAX);
	peer_done(&peer);
}

static void an_answer_that_overtakes_a_short_send_stands(void **state)
{
	struct peer peer;
	struct peer_message message;
	struct smtp_output output;

	(void)state;
	open_session(&peer, CHUNKING);
	peer_message_to(&message, "b@y.test", "text\r\n");
	peer_give(&peer, &message);
	take_output(&peer, &output);
	answer(&peer, "250\r\n250\r\n550 no\r\n");
	assert_int_equal(message.recipients[0].verdict, SMTP_VERDICT_PERMANENT);
	smtp_client_sent(&peer.client, output.bytes - 2, peer.now_ns);
	peer_take_events(&peer);
	assert_false(message.done);
	/* The two bytes that the host was promised, then RSET. */
	peer_send(&peer);
	assert_int_equal(peer.wire.len, 8);
	assert_memory_equal(peer.wire.ptr, "\r\nRSET\r\n", 8);
	answer(&peer, "250\r\n");
	assert_true(message.done);
	peer_done(&peer);
}

static void an_accepted_message_stays_ended_after_a_short_send(void **state)
{
	struct peer peer;
	struct peer_message message;
	struct smtp_output output;

	(void)state;
	open_session(&peer, CHUNKING);
	peer_message_to(&message, "b@y.test", "text\r\n");
	peer_give(&peer, &message);
	take_output(&peer, &output);
	answer(&peer, "250\r\n250\r\n250 taken\r\n");
	smtp_client_sent(&peer.client, output.bytes - 1, peer.now_ns);
	assert_true(message.transaction.ended);
	assert_int_equal(take_output(&peer, &output), 1);
	assert_int_equal(output.ending_count, 0);
	smtp_client_sent(&peer.client, 1, peer.now_ns);
	peer_take_events(&peer);
	assert_true(message.done);
	peer_done(&peer);
}

/* One message to one recipient; true when its content went out before RCPT was answered. */
static bool goes_at_once(struct peer *peer, const char *rcpt_reply)
{
	static struct peer_message message;
	bool at_once;

	peer_message_to(&message, "b@y.test", "text\r\n");
	peer_give(peer, &message);
	peer_send(peer);
	at_once = message.transaction.ended;
	answer(peer, "250\r\n");
	answer(peer, rcpt_reply);
	peer_send(peer);
	answer(peer, message.transaction.ended && rcpt_reply[0] != '2' ? "503\r\n" : "250\r\n");
	peer_send(peer);
	if (!message.done) /* RSET */
		answer(peer, "250\r\n");
	assert_true(message.done);
	return at_once;
}

static void caution_lasts_for_twenty_messages(void **state)
{
	struct peer peer;

	(void)state;
	open_session(&peer, CHUNKING);
	assert_true(goes_at_once(&peer, "250\r\n"));
	assert_true(goes_at_once(&peer, "550\r\n"));
	for (u32 i = 0; i < 20; i++)
		assert_false(goes_at_once(&peer, "250\r\n"));
	assert_true(goes_at_once(&peer, "250\r\n"));
	peer_done(&peer);
}

static void close_with_a_send_under_way_ends_everything(void **state)
{
	struct peer peer;
	struct peer_message message;
	struct smtp_output output;
	size_t bytes;

	(void)state;
	open_session(&peer, CHUNKING);
	peer_message_to(&message, "b@y.test", "text\r\n");
	peer_give(&peer, &message);
	bytes = take_output(&peer, &output);
	peer_closed(&peer);
	assert_int_equal(message.recipients[0].verdict, SMTP_VERDICT_IN_DOUBT);
	/* What comes late is let pass. */
	smtp_client_sent(&peer.client, bytes, peer.now_ns);
	smtp_client_receive(&peer.client, SLICE("250 ok\r\n"), peer.now_ns);
	smtp_client_closed(&peer.client, peer.now_ns);
	smtp_client_tick(&peer.client, peer.now_ns);
	smtp_client_tls_started(&peer.client, peer.now_ns);
	smtp_client_tls_failed(&peer.client, peer.now_ns);
	smtp_client_quit(&peer.client, peer.now_ns);
	peer_take_events(&peer);
	assert_false(smtp_client_may_give(&peer.client));
	peer_done(&peer);
}

static void a_hundred_long_recipients_pass_the_small_buffer(void **state)
{
	static char addresses[SMTP_RECIPIENTS_MAX][330];
	static struct peer_message message;
	struct peer peer;
	size_t commands = 0;

	(void)state;
	open_session(&peer, PIPELINING);
	peer_message_to(&message, "", "x\r\n");
	message.transaction.recipient_count = SMTP_RECIPIENTS_MAX;
	for (u32 i = 0; i < SMTP_RECIPIENTS_MAX; i++) {
		memset(addresses[i], 'a', 320);
		snprintf(addresses[i] + 310, 12, "%u@y.test", i);
		message.recipients[i].address = slice_of(addresses[i]);
	}
	peer_give(&peer, &message);
	peer_send(&peer);
	for (size_t at = 0; at < peer.wire.len; at++)
		commands += peer.wire.ptr[at] == '\n';
	assert_int_equal(commands, SMTP_RECIPIENTS_MAX + 2);
	for (u32 i = 0; i < SMTP_RECIPIENTS_MAX + 1; i++)
		answer(&peer, i % 2 ? "550 no\r\n" : "250 ok\r\n");
	answer(&peer, "354\r\n");
	peer_send(&peer);
	answer(&peer, "250 ok\r\n");
	assert_true(message.done);
	for (u32 i = 0; i < SMTP_RECIPIENTS_MAX; i++)
		assert_int_equal(message.recipients[i].verdict,
				 i % 2 ? SMTP_VERDICT_ACCEPTED : SMTP_VERDICT_PERMANENT);
	peer_done(&peer);
}

/* Commands of every length meet the end of the buffer at every place. */
static void commands_wait_for_room_and_none_is_lost(void **state)
{
	static char address[SMTP_PATH_MAX];
	static struct peer_message message;
	struct peer peer;

	(void)state;
	memset(address, 'a', sizeof(address));
	for (u32 len = 1; len <= SMTP_PATH_MAX; len++) {
		open_session(&peer, CHUNKING);
		peer_message_to(&message, "", "x\r\n");
		message.transaction.recipient_count = 5;
		for (u32 i = 0; i < 5; i++)
			message.recipients[i].address = (struct slice){ address, len };
		peer_give(&peer, &message);
		peer_send(&peer);
		assert_int_equal(peer.wire.len,
				 strlen("MAIL FROM:<a@x.test>\r\nBDAT 3 LAST\r\nx\r\n") +
					 5 * (strlen("RCPT TO:<>\r\n") + len));
		answer(&peer, "250\r\n250\r\n250\r\n250\r\n250\r\n250\r\n250 taken\r\n");
		assert_true(message.done);
		peer_done(&peer);
	}
}

static void gifts_do_not_put_off_the_timeout(void **state)
{
	struct peer peer;
	struct peer_message messages[2];
	u64 deadline;

	(void)state;
	open_session(&peer, PIPELINING);
	peer_message_to(&messages[0], "b@y.test", "x\r\n");
	peer_message_to(&messages[1], "b@y.test", "x\r\n");
	peer_give(&peer, &messages[0]);
	peer_send(&peer);
	deadline = smtp_client_deadline(&peer.client);
	peer.now_ns += 60 * NS_PER_S;
	peer_give(&peer, &messages[1]);
	peer_send(&peer);
	assert_true(smtp_client_deadline(&peer.client) == deadline);
	smtp_client_tick(&peer.client, deadline - 1);
	peer_take_events(&peer);
	assert_false(peer.over);
	smtp_client_tick(&peer.client, deadline);
	peer_take_events(&peer);
	assert_true(peer.over);
	peer_done(&peer);
}

static void each_stage_has_a_name(void **state)
{
	(void)state;
	for (u32 i = SMTP_STAGE_GREETING; i <= SMTP_STAGE_QUIT; i++)
		assert_true(strlen(smtp_stage_name((enum smtp_stage)i)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_one_and_of_many_give_the_same_bytes),
		cmocka_unit_test(everything_of_several_messages_goes_in_one_output),
		cmocka_unit_test(a_message_told_as_sent_in_part_is_not_ended),
		cmocka_unit_test(done_waits_for_the_word_that_content_is_gone),
		cmocka_unit_test(an_answer_that_overtakes_a_short_send_stands),
		cmocka_unit_test(an_accepted_message_stays_ended_after_a_short_send),
		cmocka_unit_test(caution_lasts_for_twenty_messages),
		cmocka_unit_test(close_with_a_send_under_way_ends_everything),
		cmocka_unit_test(a_hundred_long_recipients_pass_the_small_buffer),
		cmocka_unit_test(commands_wait_for_room_and_none_is_lost),
		cmocka_unit_test(gifts_do_not_put_off_the_timeout),
		cmocka_unit_test(each_stage_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
