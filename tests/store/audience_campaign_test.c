/* What audience_campaign.h promises. */
#include "store/audience_fixture.h"

#include "store/audience_campaign.h"
#include "store/audience_campaign_link.h"

static struct audience_campaign sample(void)
{
	return (struct audience_campaign){
		.state = AUDIENCE_CAMPAIGN_PAUSED,
		.flags = AUDIENCE_CAMPAIGN_HELD,
		.sender = 7,
		.last = 1000000,
		.created_ms = 1,
		.changed_ms = 2,
		.start_ms = 3,
		.started_ms = 4,
		.finished_ms = 5,
		.cursor = 1ull << 40,
		.customer = SLICE("shop.example"),
		.reason = SLICE("the sender is full"),
		.draft = SLICE("\x05""draft and more"),
	};
}

static u32 add(void)
{
	struct audience_campaign campaign = sample();

	must(audience_campaign_add(txn, &campaign));
	return campaign.id;
}

static void assert_same(const struct audience_campaign *a, const struct audience_campaign *b)
{
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->flags, b->flags);
	assert_int_equal(a->sender, b->sender);
	assert_int_equal(a->last, b->last);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->changed_ms, b->changed_ms);
	assert_int_equal(a->start_ms, b->start_ms);
	assert_int_equal(a->started_ms, b->started_ms);
	assert_int_equal(a->finished_ms, b->finished_ms);
	assert_int_equal(a->cursor, b->cursor);
	assert_true(slice_equal(a->customer, b->customer));
	assert_true(slice_equal(a->reason, b->reason));
	assert_true(slice_equal(a->draft, b->draft));
}

static void a_campaign_comes_back_as_it_was_kept(void **state)
{
	struct audience_campaign campaign = sample();
	struct audience_campaign back;

	(void)state;
	must(audience_campaign_add(txn, &campaign));
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(audience_campaign_get(txn, campaign.id, &back));
	assert_same(&campaign, &back);
	must_be(STORE_NOT_FOUND, audience_campaign_get(txn, campaign.id + 1, &back));
}

static void campaigns_are_walked_both_ways(void **state)
{
	struct audience_campaign found;
	u32 first = add();
	u32 second = add();

	(void)state;
	must(audience_campaign_after(txn, 0, &found));
	assert_int_equal(found.id, first);
	must(audience_campaign_after(txn, first, &found));
	assert_int_equal(found.id, second);
	must_be(STORE_NOT_FOUND, audience_campaign_after(txn, second, &found));
	must(audience_campaign_before(txn, UINT32_MAX, &found));
	assert_int_equal(found.id, second);
	must_be(STORE_NOT_FOUND, audience_campaign_before(txn, first, &found));
}

static void a_deleted_one_takes_its_links_along(void **state)
{
	struct audience_campaign campaign;
	struct slice url;
	u32 id = add();

	(void)state;
	must(campaign_link_put(txn, id, 1, SLICE("https://shop.example/")));
	must(audience_campaign_delete(txn, id));
	must_be(STORE_NOT_FOUND, audience_campaign_get(txn, id, &campaign));
	must_be(STORE_NOT_FOUND, campaign_link_get(txn, id, 1, &url));
	assert_int_equal(add(), id + 1); /* its id is in mail that was sent, perhaps */
}

#define TEST(name) audience_writing_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_campaign_comes_back_as_it_was_kept),
		TEST(campaigns_are_walked_both_ways),
		TEST(a_deleted_one_takes_its_links_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
