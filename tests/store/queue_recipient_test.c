/* What queue.h promises about who rows were for, and about reports that are done with. */
#include "store/fixture.h"

#include <stdio.h>

static u32 make_lane(struct fixture *f, struct queue_campaign *c, const char *domain)
{
	u32 number;

	must(queue_lane_create(f->queue, c, slice_of(domain), &number));
	return number;
}

static struct queue_campaign make_campaign(struct fixture *f)
{
	struct queue_campaign c = { .state = CAMPAIGN_READY, .doubt_policy = DOUBT_RESEND };

	snprintf(c.name, sizeof(c.name), "news");
	must(queue_campaign_create(f->queue, &c));
	return c;
}

/* Rows `from` to `to` of a lane, for u<seq>@<domain>. */
static void put_many(struct fixture *f, struct row_id first, const char *domain, u32 to, u64 age_ms)
{
	char (*texts)[64] = calloc(to, sizeof(*texts));
	struct slice *addresses = calloc(to, sizeof(*addresses));
	u32 count = 0;

	for (u32 seq = first.seq; seq <= to; seq++, count++) {
		snprintf(texts[count], sizeof(texts[count]), "u%u@%s", seq, domain);
		addresses[count] = slice_of(texts[count]);
	}
	must(queue_recipients_put(f->queue, &first, age_ms, addresses, count, false));
	free(texts);
	free(addresses);
}

static void must_be_for(struct fixture *f, u32 campaign, u32 lane, u32 seq, const char *address)
{
	char found[ROW_ADDRESS_MAX + 1];
	const struct row_id id = { campaign, lane, seq };

	must(queue_recipient_get(f->queue, &id, found));
	assert_string_equal(found, address);
}

static void must_be_unknown(struct fixture *f, u32 campaign, u32 lane, u32 seq)
{
	char found[ROW_ADDRESS_MAX + 1];
	const struct row_id id = { campaign, lane, seq };

	must_be(STORE_NOT_FOUND, queue_recipient_get(f->queue, &id, found));
}

static void every_row_of_every_batch_is_known_by_its_number(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c;
	char text[64];
	u32 x;
	u32 y;

	must(queue_begin(f->queue));
	c = make_campaign(f);
	x = make_lane(f, &c, "x.test");
	y = make_lane(f, &c, "y.test");
	put_many(f, (struct row_id){ c.id, x, 1 }, "x.test", 1, 5);
	put_many(f, (struct row_id){ c.id, y, 1 }, "y.test", 2, 5);
	put_many(f, (struct row_id){ c.id, x, 2 }, "x.test", 3000, 5);
	put_many(f, (struct row_id){ c.id, x, 3001 }, "x.test", 3001, 5);
	for (u32 seq = 1; seq <= 3001; seq++) {
		snprintf(text, sizeof(text), "u%u@x.test", seq);
		must_be_for(f, c.id, x, seq, text);
	}
	must_be_for(f, c.id, y, 2, "u2@y.test");
	must_be_unknown(f, c.id, y, 3);
	must_be_unknown(f, c.id, x, 3002);
	must_be_unknown(f, c.id, x, 0);
	must_be_unknown(f, c.id, 0, 1);
	must_be_unknown(f, c.id, y + 1, 1);
	must_be_unknown(f, c.id + 1, x, 1);
	queue_abort(f->queue);
}

static void the_longest_addresses_come_back_as_they_were(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c;
	char address[ROW_ADDRESS_MAX + 1];
	char domain[252];
	char quoted[] = "\"a@b \\\" c\"@x.test";
	struct slice both[] = { { address, ROW_ADDRESS_MAX }, slice_of(quoted) };
	u32 lane;

	memset(domain, 'd', sizeof(domain) - 1);
	domain[sizeof(domain) - 1] = '\0';
	memset(address, 'l', sizeof(address) - 1);
	address[ROW_ADDRESS_MAX] = '\0';
	memcpy(address + ROW_ADDRESS_MAX - strlen(domain), domain, strlen(domain));
	address[ROW_ADDRESS_MAX - strlen(domain) - 1] = '@';
	must(queue_begin(f->queue));
	c = make_campaign(f);
	lane = make_lane(f, &c, domain);
	must(queue_recipients_put(f->queue, &(struct row_id){ c.id, lane, 1 }, 0, both, 1, false));
	must_be_for(f, c.id, lane, 1, address);
	lane = make_lane(f, &c, "x.test");
	must(queue_recipients_put(f->queue, &(struct row_id){ c.id, lane, 1 }, 0, both + 1, 1,
				  false));
	must_be_for(f, c.id, lane, 1, quoted);
	queue_abort(f->queue);
}

static void an_address_is_found_within_the_looks_that_are_allowed(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c;
	struct row_id id;
	u32 lane;
	u32 looks = 1000;

	must(queue_begin(f->queue));
	c = make_campaign(f);
	make_lane(f, &c, "a.test");
	lane = make_lane(f, &c, "x.test");
	put_many(f, (struct row_id){ c.id, lane, 1 }, "x.test", 3000, 5);
	must(queue_recipient_find(f->queue, c.id, SLICE("U2999@X.test"), &looks, &id));
	assert_int_equal(id.domain, lane);
	assert_int_equal(id.seq, 2999);
	assert_in_range(1000 - looks, 5, 60);
	must_be(STORE_NOT_FOUND,
		queue_recipient_find(f->queue, c.id, SLICE("u3001@x.test"), &looks, &id));
	must_be(STORE_NOT_FOUND,
		queue_recipient_find(f->queue, c.id, SLICE("u1@b.test"), &looks, &id));
	must_be(STORE_NOT_FOUND, queue_recipient_find(f->queue, c.id, SLICE("u1"), &looks, &id));
	looks = 5;
	must_be(STORE_NOT_FOUND,
		queue_recipient_find(f->queue, c.id, SLICE("u2999@x.test"), &looks, &id));
	assert_int_equal(looks, 0);
	queue_abort(f->queue);
}

static void old_ones_go_from_the_front(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c;
	struct queue_campaign d;
	u32 lane;

	must(queue_begin(f->queue));
	c = make_campaign(f);
	d = make_campaign(f);
	lane = make_lane(f, &c, "x.test");
	assert_int_equal(make_lane(f, &d, "x.test"), lane);
	put_many(f, (struct row_id){ c.id, lane, 1 }, "x.test", 1000, 100);
	put_many(f, (struct row_id){ d.id, lane, 1 }, "x.test", 1, 200);
	must_be(STORE_NOT_FOUND, queue_recipients_trim(f->queue, 100, 1000));
	must_be_for(f, c.id, lane, 1, "u1@x.test");
	must(queue_recipients_trim(f->queue, 101, 1));
	must_be_unknown(f, c.id, lane, 1);
	must_be_for(f, c.id, lane, 1000, "u1000@x.test");
	must(queue_recipients_trim(f->queue, 101, 1000));
	must_be_unknown(f, c.id, lane, 1000);
	must_be_for(f, d.id, lane, 1, "u1@x.test");
	must_be(STORE_NOT_FOUND, queue_recipients_trim(f->queue, 101, 1000));
	queue_abort(f->queue);
}

/* Letters stand in one campaign for ever, which is among the first ones. */
static void letters_are_known_whole_and_stand_in_nobodys_way(void **state)
{
	static const struct slice to[] = { SLICE("ann@x.test"), SLICE("\"a@b\"@y.test") };
	struct fixture *f = *state;
	struct queue_campaign letters;
	struct queue_campaign c;
	u32 lane;

	must(queue_begin(f->queue));
	letters = make_campaign(f);
	c = make_campaign(f);
	lane = make_lane(f, &c, "x.test");
	must(queue_recipients_put(f->queue, &(struct row_id){ letters.id, 1, 1 }, 100, to, 2, true));
	must(queue_recipients_put(f->queue, &(struct row_id){ letters.id, 2, 1 }, 300, to, 1, true));
	put_many(f, (struct row_id){ c.id, lane, 1 }, "x.test", 1, 200);
	must_be_for(f, letters.id, 1, 2, "\"a@b\"@y.test");
	must_be_unknown(f, letters.id, 2, 2);
	must(queue_recipients_trim(f->queue, 250, 10));
	must_be_unknown(f, letters.id, 1, 1);
	must_be_for(f, letters.id, 2, 1, "ann@x.test");
	must_be_unknown(f, c.id, lane, 1);
	must_be(STORE_NOT_FOUND, queue_recipients_trim(f->queue, 250, 10));
	queue_abort(f->queue);
}

static void they_go_with_an_import_that_is_erased(void **state)
{
	struct fixture *f = *state;
	struct queue_campaign c;
	u32 lane;

	must(queue_begin(f->queue));
	c = make_campaign(f);
	lane = make_lane(f, &c, "x.test");
	put_many(f, (struct row_id){ c.id, lane, 1 }, "x.test", 1000, 100);
	while (queue_campaign_erase(f->queue, c.id, 10) == STORE_OK)
		;
	must_be(STORE_NOT_FOUND, queue_recipients_trim(f->queue, UINT64_MAX, 1));
	queue_abort(f->queue);
}

static void a_report_that_is_done_with_is_known_for_its_time(void **state)
{
	struct fixture *f = *state;
	char longest[REPORT_KEY_MAX];

	memset(longest, 'k', sizeof(longest));
	must(queue_begin(f->queue));
	must_be(STORE_NOT_FOUND, queue_report_has(f->queue, SLICE("b")));
	must(queue_report_put(f->queue, SLICE("b"), 10));
	must(queue_report_put(f->queue, SLICE("ab"), 20));
	must(queue_report_put(f->queue, (struct slice){ longest, sizeof(longest) }, 30));
	must(queue_commit(f->queue));
	fixture_reopen(f);
	must(queue_begin(f->queue));
	must(queue_report_has(f->queue, SLICE("b")));
	must(queue_report_has(f->queue, (struct slice){ longest, sizeof(longest) }));
	must_be(STORE_NOT_FOUND, queue_report_has(f->queue, SLICE("a")));
	/* The first that is young enough ends it, whatever stands behind. */
	must_be(STORE_NOT_FOUND, queue_reports_trim(f->queue, 20, 100));
	must(queue_reports_trim(f->queue, 21, 100));
	must_be(STORE_NOT_FOUND, queue_report_has(f->queue, SLICE("ab")));
	must_be(STORE_NOT_FOUND, queue_report_has(f->queue, SLICE("b")));
	must(queue_report_has(f->queue, (struct slice){ longest, sizeof(longest) }));
	queue_abort(f->queue);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		store_test(every_row_of_every_batch_is_known_by_its_number),
		store_test(the_longest_addresses_come_back_as_they_were),
		store_test(an_address_is_found_within_the_looks_that_are_allowed),
		store_test(old_ones_go_from_the_front),
		store_test(letters_are_known_whole_and_stand_in_nobodys_way),
		store_test(they_go_with_an_import_that_is_erased),
		store_test(a_report_that_is_done_with_is_known_for_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
