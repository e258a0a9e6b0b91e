/*
 * The thread that brings contacts to the sender, against a real one: planner, queue, worker and
 * control socket of a thread of their own. Mail goes to a port where nobody is, so rows stay.
 */
#include "send/daemon.h"

#include "base/remove_tree.h"
#include "campaign/draft.h"
#include "store/audience_activity.h"
#include "store/audience_campaign.h"
#include "store/audience_campaign_count.h"
#include "store/audience_campaign_link.h"
#include "store/audience_contact.h"
#include "store/audience_hold.h"
#include "store/audience_list.h"
#include "web/bringer.h"
#include "web/link_key.h"
#include "web/log_follower.h"
#include "web/meter.h"

#define PEOPLE 5000
#define PATIENCE_MS 60000
#define STATE(name) (1u << AUDIENCE_CAMPAIGN_##name)

static struct {
	char path[128];
	struct audience *audience;
	struct audience_txn *txn;
	struct scribe *scribe;
	struct meter_scribe meter;
	struct link_keys keys;
	struct bringer *bringer;
	u16 list;
} web;

static void must(enum store_result result)
{
	if (result != STORE_OK)
		fail_msg("%d: %s", result, audience_error_text(web.txn));
}

static void start_bringer(void)
{
	const struct bringer_params params = { .config = &the.config,
					       .audience = web.audience,
					       .scribe = web.scribe,
					       .links = &web.keys };
	struct error error;

	web.bringer = bringer_open(&params, &error);
	if (!web.bringer)
		fail_msg("%s", error.text);
}

static void stop_bringer(void)
{
	bringer_close(web.bringer);
	web.bringer = NULL;
}

static int set_up(void **state)
{
	struct store_params params = { .path = web.path, .map_size_max = 256ull << 20 };
	struct error error = { "" };

	daemon_setup(state);
	the.config.web.url = "https://news.courier.example";
	snprintf(web.path, sizeof(web.path), "%s/audience", the.dir);
	web.audience = audience_open(&params, &error);
	if (!web.audience)
		fail_msg("%s", error.text);
	web.txn = audience_txn_open(web.audience);
	web.scribe = scribe_open(web.audience, &web.meter, &error);
	assert_true(link_key_open(web.scribe, clock_wall_ms(), &web.keys, &error));
	return 0;
}

static int tear_down(void **state)
{
	stop_bringer();
	scribe_close(web.scribe);
	audience_txn_close(web.txn);
	audience_close(web.audience);
	remove_tree(web.path);
	return daemon_teardown(state);
}

/* ---- what there is ---- */

static void add_list(void)
{
	struct audience_list list = { .name = SLICE("weekly"), .title = SLICE("Weekly") };

	must(audience_list_add(web.txn, &list));
	web.list = list.id;
}

/* Every third is not in the list, and of those that are every seventh has gone. */
static bool is_meant(u32 i)
{
	return i % 3 != 0 && i % 7 != 0;
}

static void add_people(u32 count)
{
	must(audience_begin(web.txn));
	add_list();
	for (u32 i = 1; i <= count; i++) {
		struct contact contact = { .state = i % 7 == 0 ? CONTACT_UNSUBSCRIBED
								: CONTACT_ACTIVE,
					   .created_ms = 1,
					   .lists = SLICE(""),
					   .values = SLICE("") };
		const struct contact_member member = { web.list, MEMBER_ACTIVE, 1 };
		struct buf lists;
		char address[64];

		snprintf(address, sizeof(address), "u%u@d%u.example", i, i % 50);
		contact.address = slice_of(address);
		buf_init(&lists, 64);
		if (i % 3 != 0)
			contact_add_member(&lists, SLICE(""), &member);
		contact.lists = buf_slice(&lists);
		must(contact_add(web.txn, &contact, slice_of(address)));
		buf_done(&lists);
	}
	must(audience_commit(web.txn));
}

static struct draft good_draft(void)
{
	static char list[8];
	struct draft draft = { 0 };

	snprintf(list, sizeof(list), "%u", web.list);
	draft.of[DRAFT_NAME] = SLICE("週報 December");
	draft.of[DRAFT_FROM] = SLICE("News <news@courier.example>");
	draft.of[DRAFT_SUBJECT] = SLICE("News");
	draft.of[DRAFT_TEXT] = SLICE("https://courier.example/a {{unsubscribe_url}}\n");
	draft.of[DRAFT_LIST] = slice_of(list);
	return draft;
}

static u32 schedule(const struct draft *draft, u64 start_ms)
{
	struct audience_campaign campaign = { .state = AUDIENCE_CAMPAIGN_SCHEDULED,
					      .created_ms = 1,
					      .start_ms = start_ms,
					      .customer = SLICE("courier.example"),
					      .reason = SLICE("") };
	struct buf packed;

	buf_init(&packed, 65536);
	draft_pack(draft, &packed);
	campaign.draft = buf_slice(&packed);
	must(audience_begin(web.txn));
	must(audience_campaign_add(web.txn, &campaign));
	must(audience_commit(web.txn));
	buf_done(&packed);
	return campaign.id;
}

static struct audience_campaign head_of(u32 id)
{
	static char reason[AUDIENCE_CAMPAIGN_REASON_MAX + 1];
	struct audience_campaign campaign;

	must(audience_begin_read(web.txn));
	must(audience_campaign_get(web.txn, id, &campaign));
	assert_true(slice_copy(reason, sizeof(reason), campaign.reason));
	audience_abort(web.txn);
	campaign.reason = slice_of(reason);
	return campaign;
}

static void set_state(u32 id, enum audience_campaign_state state, u32 flags, u64 cursor)
{
	struct audience_campaign campaign;
	struct buf draft;

	buf_init(&draft, 65536);
	must(audience_begin(web.txn));
	must(audience_campaign_get(web.txn, id, &campaign));
	buf_add_slice(&draft, campaign.draft);
	campaign.draft = buf_slice(&draft);
	campaign.customer = SLICE("courier.example");
	campaign.reason = SLICE("");
	campaign.state = state;
	campaign.flags |= flags;
	if (cursor != UINT64_MAX)
		campaign.cursor = cursor;
	must(audience_campaign_put(web.txn, &campaign));
	must(audience_commit(web.txn));
	buf_done(&draft);
	if (web.bringer)
		bringer_wake(web.bringer);
}

static struct audience_campaign wait_for(u32 id, u32 states)
{
	struct audience_campaign head = head_of(id);

	for (u32 i = 0; i < PATIENCE_MS / 10 && !(states >> head.state & 1); i++) {
		usleep(10000);
		head = head_of(id);
	}
	if (!(states >> head.state & 1))
		fail_msg("%s %.*s", audience_campaign_state_names[head.state],
			 SLICE_FMT(head.reason));
	return head;
}

/* What the sender has of it: its status, to be released. */
static json_t *status_of(u32 sender)
{
	struct answer answer = ask(json_pack("{s:s, s:i}", "command", "campaign.status", "id",
					     (int)sender));
	json_t *status;

	assert_int_equal(answer.end, CONTROL_REPLY);
	status = json_incref(json_array_get(answer.items, 0));
	answer_done(&answer);
	return status;
}

/* Everyone who is meant has one row, and nobody else has any. */
static void assert_each_once(u32 sender, u32 people)
{
	struct answer answer = ask(json_pack("{s:s, s:i, s:i}", "command", "campaign.report", "id",
					     (int)sender, "limit", 100000));
	u8 *seen = calloc(people + 1, 1);
	size_t meant = 0;

	assert_int_equal(answer.end, CONTROL_REPLY);
	for (size_t i = 0; i < json_array_size(answer.items); i++) {
		unsigned n;

		assert_int_equal(sscanf(text_of(json_array_get(answer.items, i), "address"),
					"u%u@", &n),
				 1);
		assert_true(n <= people && is_meant(n) && !seen[n]++);
	}
	for (u32 i = 1; i <= people; i++)
		meant += is_meant(i);
	assert_int_equal(json_array_size(answer.items), meant);
	free(seen);
	answer_done(&answer);
}

/* And it is noted of each of them that he was handed over, once. */
static void assert_noted(u32 id, u32 people)
{
	struct activity activity;
	u64 sent;
	u64 meant = 0;

	must(audience_begin_read(web.txn));
	for (u32 i = 1; i <= people; i++) {
		must(activity_get(web.txn, id, i, &activity));
		assert_int_equal(activity.of[ACTIVITY_SENT] > 0, is_meant(i));
		meant += is_meant(i);
	}
	must(campaign_count_get(web.txn, id, CAMPAIGN_SENT, 0, &sent));
	audience_abort(web.txn);
	assert_int_equal(sent, meant);
}

/* ---- behaviour ---- */

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

static void after_a_restore_nothing_begins_before_somebody_says_so(void **state)
{
	struct draft draft;
	u32 id;

	(void)state;
	add_people(10);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	must(audience_begin(web.txn));
	must(audience_hold(web.txn));
	must(audience_commit(web.txn));
	start_bringer();
	usleep(300000);
	assert_int_equal(head_of(id).state, AUDIENCE_CAMPAIGN_SCHEDULED);
	must(audience_begin(web.txn));
	must(audience_release(web.txn));
	must(audience_commit(web.txn));
	bringer_wake(web.bringer);
	wait_for(id, STATE(SENDING));
}

static u64 counted(u32 id, enum campaign_counted what)
{
	u64 count;

	must(audience_begin_read(web.txn));
	must(campaign_count_get(web.txn, id, what, 0, &count));
	audience_abort(web.txn);
	return count;
}

/* Its threads come and go, as a process that dies; each entry counts once. */
static void what_became_of_each_is_counted_once_whoever_ends_in_between(void **state)
{
	struct audience_campaign head;
	struct draft draft;
	struct answer answer;
	u32 id;
	u64 sent;

	(void)state;
	add_people(PEOPLE);
	draft = good_draft();
	id = schedule(&draft, clock_wall_ms());
	start_bringer();
	head = wait_for(id, STATE(SENDING));
	sent = counted(id, CAMPAIGN_SENT);
	/* It is there before anything happens: who is new begins at the log's end. */
	for (u32 i = 0; i < 200 && counted(id, CAMPAIGN_BOUNCED) + counted(id, CAMPAIGN_CALLED_OFF) <
					   sent; i++) {
		struct error error = { "" };
		struct log_follower *follower =
			log_follower_open(&the.config, web.audience, web.scribe, &error);

		assert_non_null(follower);
		if (i == 0) {
			usleep(300000);
			answer = ask(json_pack("{s:s, s:i}", "command", "campaign.cancel", "id",
					       (int)head.sender));
			assert_int_equal(answer.end, CONTROL_REPLY);
			answer_done(&answer);
		}
		usleep(20000);
		log_follower_close(follower);
	}
	assert_int_equal(counted(id, CAMPAIGN_BOUNCED) + counted(id, CAMPAIGN_CALLED_OFF), sent);
	wait_for(id, STATE(CANCELLED));
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
		TEST(after_a_restore_nothing_begins_before_somebody_says_so),
		TEST(outside_of_its_hours_nothing_starts),
		TEST(what_became_of_each_is_counted_once_whoever_ends_in_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
