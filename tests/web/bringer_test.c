/* The thread that brings contacts to the sender, against a real one. */
#include "campaign_world.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void everyone_who_is_meant_is_brought_once(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	struct slice url;
	json_t *status;
	u32 id;

	(void)state;
	add_people(PEOPLE);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	assert_each_once(head.sender, PEOPLE);
	assert_noted(id, PEOPLE);
	status = status_of(head.sender);
	assert_string_equal(text_of(status, "state"), "running");
	assert_string_equal(text_of(status, "list"), "weekly");
	assert_true(json_is_false(json_object_get(status, "open")));
	assert_non_null(strstr(text_of(status, "name"), "週報 December #1-"));
	json_decref(status);
	must(audience_begin_read(web.txn));
	must(campaign_link_get(web.txn, id, 1, &url));
	assert_true(slice_equal(url, SLICE("https://courier.example/a")));
	audience_abort(web.txn);
}

static void ended_at_any_moment_it_goes_on_and_brings_nobody_twice(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	u32 id;

	(void)state;
	add_people(PEOPLE);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	do {
		start_bringer();
		usleep(3000);
		stop_bringer();
		head = head_of(id);
	} while (head.state != AUDIENCE_CAMPAIGN_SENDING);
	assert_each_once(head.sender, PEOPLE);
	assert_noted(id, PEOPLE);
}

/* It died between the sender's word and its own note: all that it has is the sender's cursor. */
static void what_was_handed_over_and_not_noted_is_noted_later(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	u64 before;
	u64 after;
	u32 id;

	(void)state;
	add_people(PEOPLE);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	stop_bringer();
	must(audience_begin_read(web.txn));
	must(campaign_count_get(web.txn, id, CAMPAIGN_SENT, 0, &before));
	audience_abort(web.txn);
	set_state(id, AUDIENCE_CAMPAIGN_RUNNING, 0, 0);
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	assert_each_once(head.sender, PEOPLE);
	must(audience_begin_read(web.txn));
	must(campaign_count_get(web.txn, id, CAMPAIGN_SENT, 0, &after));
	audience_abort(web.txn);
	assert_int_equal(after, 2 * before); /* each was walked over once more, and not sent */
}

static void a_later_one_waits_for_its_time(void **state)
{
	struct draft draft;
	u32 later;
	u32 now;

	(void)state;
	add_people(100);
	draft = good_draft();
	later = schedule(&draft, clock_wall_ms() + 3600000);
	now = schedule(&draft, clock_wall_ms());
	start_bringer();
	wait_for(now, STATE(SENDING));
	assert_int_equal(head_of(later).state, AUDIENCE_CAMPAIGN_SCHEDULED);
	assert_int_equal(head_of(later).sender, 0);
}

static void one_whose_time_is_long_over_asks_for_a_decision(void **state)
{
	struct draft draft;
	u32 id;

	(void)state;
	add_people(10);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms() - 2 * 86400000ull);
	start_bringer();
	assert_true(wait_for(id, STATE(PAUSED)).reason.len > 0);
}

static void a_draft_that_cannot_be_sent_pauses_with_the_reason(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	u32 id;

	(void)state;
	add_people(10);
	draft = good_draft();
	draft.of[DRAFT_SUBJECT] = SLICE("For {{nobody}}");
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(PAUSED));
	assert_true(slice_has_prefix(head.reason, SLICE("subject: ")));
	assert_int_equal(head.sender, 0);
}

static void pausing_and_going_on_is_carried_out_at_the_sender(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	const char *wanted[] = { "paused", "running" };
	u32 id;

	(void)state;
	add_people(100);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	for (u32 i = 0; i < 2; i++) {
		bool is_so = false;

		set_state(id, i == 0 ? AUDIENCE_CAMPAIGN_PAUSED : AUDIENCE_CAMPAIGN_SENDING,
			  i == 0 ? 0 : AUDIENCE_CAMPAIGN_RESUMES, UINT64_MAX);
		for (u32 k = 0; k < PATIENCE_MS / 10 && !is_so; k++) {
			json_t *status = status_of(head.sender);

			is_so = strcmp(text_of(status, "state"), wanted[i]) == 0;
			json_decref(status);
			usleep(10000);
		}
		assert_true(is_so);
	}
	wait_for(id, STATE(SENDING));
}

static void a_pause_by_the_senders_operator_is_not_undone(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	u32 id;

	(void)state;
	add_people(100);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	ask_number(json_pack("{s:s, s:i}", "command", "campaign.pause", "id", (int)head.sender),
		   "id");
	bringer_wake(web.bringer);
	assert_true(wait_for(id, STATE(PAUSED)).reason.len > 0);
}

static void a_cancelled_one_is_cancelled_at_the_sender_and_over(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	json_t *status;
	u32 id;

	(void)state;
	add_people(100);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	wait_for(id, STATE(SENDING));
	set_state(id, AUDIENCE_CAMPAIGN_CANCELLED, 0, UINT64_MAX);
	for (u32 i = 0; i < PATIENCE_MS / 10 && head_of(id).finished_ms == 0; i++)
		usleep(10000);
	head = head_of(id);
	assert_true(head.finished_ms > 0);
	status = status_of(head.sender);
	assert_string_equal(text_of(status, "state"), "cancelled");
	json_decref(status);
}

/* It sends at noon of the day before yesterday's weekday alone: not now. */
static void outside_of_its_hours_nothing_starts(void **state)
{
	static const char *const days[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	struct clock_date date;
	struct draft draft;
	u32 id;

	(void)state;
	add_people(10);
	clock_date_of(clock_wall_ms(), &date);
	draft = good_draft();
	draft.of[DRAFT_DAYS] = slice_of(days[(date.weekday + 5) % 7]);
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	usleep(1500000);
	assert_int_equal(head_of(id).state, AUDIENCE_CAMPAIGN_SCHEDULED);
}

/* ---- what DNS says ---- */

/* A name server that knows no name: its socket. */
static void *nobody_is_known(void *argument)
{
	const int *socket = argument;
	u8 message[1500];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(*socket, message, sizeof(message), 0, (struct sockaddr *)&from,
			     &size)) >= 12) {
		message[2] |= 0x84; /* an answer, with authority (RFC 1035 section 4.1.1) */
		message[3] = 3;	    /* NXDOMAIN */
		(void)sendto(*socket, message, (size_t)n, 0, (struct sockaddr *)&from, size);
		size = sizeof(from);
	}
	return NULL;
}

/* The time has come of one that was scheduled when all was well; and of one that may go anyway. */
static void one_that_dns_does_not_vouch_for_is_paused_unless_it_was_overridden(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct identity_params params = { &the.config, web.audience, web.scribe };
	int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t size = sizeof(at);
	char forwarder[32];
	const char *forwarders[] = { forwarder };
	struct audience_campaign head;
	struct draft draft;
	struct error error;
	pthread_t thread;
	u32 id;

	(void)state;
	assert_int_equal(bind(socket_fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(getsockname(socket_fd, (struct sockaddr *)&at, &size), 0);
	assert_int_equal(pthread_create(&thread, NULL, nobody_is_known, &socket_fd), 0);
	snprintf(forwarder, sizeof(forwarder), "127.0.0.1@%u", ntohs(at.sin_port));
	the.config.dns.forwarders = (struct config_list){ .items = forwarders, .count = 1 };
	the.config.dns.trust_anchor_file = ""; /* none: it could sign nothing */
	add_people(10);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	web.identity = identity_checker_open(&params, &error);
	assert_non_null(web.identity);
	start_bringer();
	head = wait_for(id, STATE(PAUSED));
	assert_non_null(strstr(head.reason.ptr, "receivers would refuse mail of courier.example: "));
	assert_non_null(strstr(head.reason.ptr, "DKIM s1: no such name"));
	assert_int_equal(head.sender, 0);
	set_state(id, AUDIENCE_CAMPAIGN_SCHEDULED, AUDIENCE_CAMPAIGN_UNVOUCHED, UINT64_MAX);
	wait_for(id, STATE(SENDING));
	stop_bringer();
	identity_checker_close(web.identity);
	web.identity = NULL;
	shutdown(socket_fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(socket_fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everyone_who_is_meant_is_brought_once),
		TEST(ended_at_any_moment_it_goes_on_and_brings_nobody_twice),
		TEST(what_was_handed_over_and_not_noted_is_noted_later),
		TEST(a_later_one_waits_for_its_time),
		TEST(one_whose_time_is_long_over_asks_for_a_decision),
		TEST(a_draft_that_cannot_be_sent_pauses_with_the_reason),
		TEST(pausing_and_going_on_is_carried_out_at_the_sender),
		TEST(a_pause_by_the_senders_operator_is_not_undone),
		TEST(a_cancelled_one_is_cancelled_at_the_sender_and_over),
		TEST(outside_of_its_hours_nothing_starts),
		TEST(one_that_dns_does_not_vouch_for_is_paused_unless_it_was_overridden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
