/* How long the client waits, for what, and what does not prolong it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smtp/peer.h"

#define CHUNKING "250-mx\r\n250-CHUNKING\r\n250 PIPELINING\r\n"
#define PIPELINING "250-mx\r\n250 PIPELINING\r\n"

/* No two alike. */
static const struct smtp_timeouts timeouts = {
	.ms = {
		[SMTP_TIMEOUT_GREETING] = 1001, [SMTP_TIMEOUT_EHLO] = 1002,
		[SMTP_TIMEOUT_TLS] = 1003,	[SMTP_TIMEOUT_MAIL] = 1004,
		[SMTP_TIMEOUT_RCPT] = 1005,	[SMTP_TIMEOUT_DATA] = 1006,
		[SMTP_TIMEOUT_BLOCK] = 1007,	[SMTP_TIMEOUT_DOT] = 1008,
		[SMTP_TIMEOUT_RSET] = 1009,	[SMTP_TIMEOUT_QUIT] = 1010,
		[SMTP_TIMEOUT_MESSAGE] = 60000,
	},
};

struct test {
	struct peer peer;
	struct peer_message messages[2];
	enum smtp_failure failure; /* of CLOSE */
	enum smtp_stage stage;
};

static void note(struct peer *peer, const struct smtp_event *event)
{
	struct test *test = peer->user;

	if (event->type != SMTP_EVENT_CLOSE)
		return;
	test->failure = event->failure;
	test->stage = event->stage;
}

static void start(struct test *test, enum smtp_tls_policy tls)
{
	const struct smtp_client_params params = { .ehlo_name = SLICE("client.test"),
						   .tls = tls,
						   .depth = 2,
						   .capability_mask = ~0u,
						   .timeouts = &timeouts };

	memset(test, 0, sizeof(*test));
	peer_init(&test->peer, &params, 1);
	test->peer.user = test;
	test->peer.on_event = note;
	for (u32 i = 0; i < array_count(test->messages); i++)
		peer_message_to(&test->messages[i], "b@y.test", "Subject: x\r\n\r\nsome text\r\n");
}

static void say(struct test *test, const char *text)
{
	test->peer.now_ns += NS_PER_S / 2;
	peer_packet(&test->peer, slice_of(text));
}

static void opened(struct test *test, const char *ehlo)
{
	start(test, SMTP_TLS_NEVER);
	say(test, "220 mx\r\n");
	say(test, ehlo);
	assert_true(smtp_client_is_idle(&test->peer.client));
}

static void give(struct test *test, u32 which)
{
	peer_give(&test->peer, &test->messages[which]);
	peer_send(&test->peer);
}

static void check_wait(const struct test *test, enum smtp_timeout which)
{
	u64 deadline = smtp_client_deadline(&test->peer.client);

	assert_int_equal(deadline - test->peer.now_ns, timeouts.ms[which] * NS_PER_MS);
}

static void tick(struct test *test)
{
	test->peer.now_ns = smtp_client_deadline(&test->peer.client);
	smtp_client_tick(&test->peer.client, test->peer.now_ns);
	peer_take_events(&test->peer);
	peer_send(&test->peer);
}

static void each_step_has_its_own_timeout(void **state)
{
	struct test test;

	(void)state;
	start(&test, SMTP_TLS_OPPORTUNISTIC);
	check_wait(&test, SMTP_TIMEOUT_GREETING);
	say(&test, "220 mx\r\n");
	check_wait(&test, SMTP_TIMEOUT_EHLO);
	say(&test, "250-mx\r\n250 STARTTLS\r\n");
	check_wait(&test, SMTP_TIMEOUT_EHLO);
	say(&test, "220 go\r\n");
	check_wait(&test, SMTP_TIMEOUT_TLS);
	smtp_client_tls_started(&test.peer.client, test.peer.now_ns);
	peer_send(&test.peer);
	check_wait(&test, SMTP_TIMEOUT_EHLO);
	say(&test, "502 no\r\n");
	check_wait(&test, SMTP_TIMEOUT_EHLO);
	say(&test, "250 mx\r\n");
	assert_true(smtp_client_deadline(&test.peer.client) == UINT64_MAX);
	give(&test, 0);
	check_wait(&test, SMTP_TIMEOUT_MAIL);
	say(&test, "250 ok\r\n");
	check_wait(&test, SMTP_TIMEOUT_RCPT);
	say(&test, "250 ok\r\n");
	check_wait(&test, SMTP_TIMEOUT_DATA);
	test.peer.window = 10;
	say(&test, "354 go\r\n");
	check_wait(&test, SMTP_TIMEOUT_BLOCK);
	test.peer.window = UINT64_MAX;
	peer_send(&test.peer);
	check_wait(&test, SMTP_TIMEOUT_DOT);
	say(&test, "250 taken\r\n");
	assert_true(smtp_client_deadline(&test.peer.client) == UINT64_MAX);
	give(&test, 1);
	say(&test, "250 ok\r\n");
	say(&test, "550 no\r\n");
	check_wait(&test, SMTP_TIMEOUT_RSET);
	say(&test, "250 ok\r\n");
	smtp_client_quit(&test.peer.client, test.peer.now_ns);
	peer_send(&test.peer);
	check_wait(&test, SMTP_TIMEOUT_QUIT);
	tick(&test);
	assert_int_equal(test.failure, SMTP_FAILURE_NONE);
	peer_done(&test.peer);
}

static void bdat_waits_as_for_the_dot_and_rset_in_front_as_for_mail(void **state)
{
	struct test test;

	(void)state;
	opened(&test, CHUNKING);
	give(&test, 0);
	give(&test, 1);
	say(&test, "250 ok\r\n250 ok\r\n");
	check_wait(&test, SMTP_TIMEOUT_DOT);
	say(&test, "250 taken\r\n");
	check_wait(&test, SMTP_TIMEOUT_MAIL);
	say(&test, "250 reset\r\n");
	check_wait(&test, SMTP_TIMEOUT_MAIL);
	tick(&test);
	assert_int_equal(test.failure, SMTP_FAILURE_TIMEOUT);
	assert_int_equal(test.messages[1].recipients[0].verdict, SMTP_VERDICT_IN_DOUBT);
	peer_done(&test.peer);
}

static void without_any_given_the_timeouts_are_those_of_the_standard(void **state)
{
	const struct smtp_client_params params = { .ehlo_name = SLICE("client.test"),
						   .depth = 1,
						   .capability_mask = ~0u };
	struct peer peer;

	(void)state;
	peer_init(&peer, &params, 1);
	assert_true(smtp_client_deadline(&peer.client) == peer.now_ns + 300 * NS_PER_S);
	peer_closed(&peer);
	peer_done(&peer);
}

/* A line now and then, a byte now and then: it is one reply, and has the time of one. */
static void a_reply_that_drips_is_waited_for_once(void **state)
{
	static const char drops[] = "220-one\r\n220-two\r\n22";
	struct test test;
	u64 deadline;

	(void)state;
	start(&test, SMTP_TLS_NEVER);
	deadline = smtp_client_deadline(&test.peer.client);
	for (size_t i = 0; i + 1 < sizeof(drops); i++) {
		test.peer.now_ns += 10 * NS_PER_MS;
		peer_packet(&test.peer, (struct slice){ drops + i, 1 });
		assert_true(smtp_client_deadline(&test.peer.client) == deadline);
	}
	tick(&test);
	assert_true(test.peer.over);
	assert_int_equal(test.failure, SMTP_FAILURE_TIMEOUT);
	assert_int_equal(test.stage, SMTP_STAGE_GREETING);
	peer_done(&test.peer);
}

/* Takes a byte each second; returns how many until the client had enough. */
static u32 drip(struct test *test)
{
	u32 taken = 0;

	for (; !test->peer.over && taken < 1000; taken++) {
		test->peer.now_ns += NS_PER_S;
		if (test->peer.now_ns >= smtp_client_deadline(&test->peer.client)) {
			tick(test);
			continue;
		}
		test->peer.window = 1;
		peer_send(&test->peer);
	}
	return taken;
}

static void content_that_drips_has_the_time_of_a_message(void **state)
{
	static const char *const ehlos[] = { PIPELINING, CHUNKING };
	static char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 3, "\r\n", 3);
	for (u32 i = 0; i < array_count(ehlos); i++) {
		struct test test;

		opened(&test, ehlos[i]);
		peer_message_text(&test.messages[0], slice_of(text));
		test.peer.window = 80;
		give(&test, 0);
		say(&test, i == 0 ? "250 ok\r\n250 ok\r\n354 go\r\n" : "250 ok\r\n250 ok\r\n");
		assert_in_range(drip(&test), 58, 61);
		assert_true(test.peer.over);
		assert_int_equal(test.failure, SMTP_FAILURE_TIMEOUT);
		assert_int_equal(test.stage, SMTP_STAGE_BODY);
		assert_int_equal(test.messages[0].recipients[0].verdict, SMTP_VERDICT_UNSENT);
		peer_done(&test.peer);
	}
}

static void a_messages_time_begins_when_it_is_its_turn(void **state)
{
	struct test test;
	u64 begun;

	(void)state;
	opened(&test, CHUNKING);
	give(&test, 0);
	give(&test, 1);
	test.peer.now_ns += NS_PER_S;
	say(&test, "250 ok\r\n250 ok\r\n250 taken\r\n");
	begun = test.peer.now_ns;
	say(&test, "250 reset\r\n250 ok\r\n250 ok\r\n");
	assert_true(test.messages[1].transaction.ends_ns ==
		    begun + timeouts.ms[SMTP_TIMEOUT_MESSAGE] * NS_PER_MS);
	tick(&test);
	assert_int_equal(test.stage, SMTP_STAGE_DOT);
	assert_int_equal(test.messages[0].recipients[0].verdict, SMTP_VERDICT_ACCEPTED);
	assert_int_equal(test.messages[1].recipients[0].verdict, SMTP_VERDICT_IN_DOUBT);
	peer_done(&test.peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_step_has_its_own_timeout),
		cmocka_unit_test(bdat_waits_as_for_the_dot_and_rset_in_front_as_for_mail),
		cmocka_unit_test(without_any_given_the_timeouts_are_those_of_the_standard),
		cmocka_unit_test(a_reply_that_drips_is_waited_for_once),
		cmocka_unit_test(content_that_drips_has_the_time_of_a_message),
		cmocka_unit_test(a_messages_time_begins_when_it_is_its_turn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
