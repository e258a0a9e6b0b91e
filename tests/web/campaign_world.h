/*
 * For tests of the threads that bring contacts to the sender and read its log: a real sender (planner,
 * queue, worker and control socket of a thread of their own), an audience with people, campaigns. Mail
 * goes to a port where nobody is, so rows stay.
 */
#ifndef TESTS_WEB_CAMPAIGN_WORLD_H
#define TESTS_WEB_CAMPAIGN_WORLD_H

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
#include "web/identity.h"
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
	struct identity_checker *identity; /* NULL: DNS is not asked */
	u16 list;
} web;

static inline void must(enum store_result result)
{
	if (result != STORE_OK)
		fail_msg("%d: %s", result, audience_error_text(web.txn));
}

static inline void start_bringer(void)
{
	const struct bringer_params params = { .config = &the.config,
					       .audience = web.audience,
					       .scribe = web.scribe,
					       .links = &web.keys,
					       .identity = web.identity };
	struct error error;

	web.bringer = bringer_open(&params, &error);
	if (!web.bringer)
		fail_msg("%s", error.text);
}

static inline void stop_bringer(void)
{
	bringer_close(web.bringer);
	web.bringer = NULL;
}

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
	stop_bringer();
	scribe_close(web.scribe);
	audience_txn_close(web.txn);
	audience_close(web.audience);
	remove_tree(web.path);
	return daemon_teardown(state);
}

/* ---- what there is ---- */

static inline void add_list(void)
{
	struct audience_list list = { .name = SLICE("weekly"), .title = SLICE("Weekly") };

	must(audience_list_add(web.txn, &list));
	web.list = list.id;
}

/* Every third is not in the list, and of those that are every seventh has gone. */
static inline bool is_meant(u32 i)
{
	return i % 3 != 0 && i % 7 != 0;
}

static inline void add_people(u32 count)
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

static inline struct draft good_draft(void)
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

static inline u32 schedule(const struct draft *draft, u64 start_ms)
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

static inline struct audience_campaign head_of(u32 id)
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

static inline void set_state(u32 id, enum audience_campaign_state state, u32 flags, u64 cursor)
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

static inline struct audience_campaign wait_for(u32 id, u32 states)
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
static inline json_t *status_of(u32 sender)
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
static inline void assert_each_once(u32 sender, u32 people)
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
static inline void assert_noted(u32 id, u32 people)
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

#endif
