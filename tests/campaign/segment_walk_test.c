/*
 * What segments mean, and what segment_walk.h promises: random conditions over random contacts in an
 * audience, in several zones and at several moments, against a second opinion.
 */
#include "store/audience_fixture.h"

#include "campaign/segment_people.h"
#include "campaign/segment_walk.h"
#include "store/audience_campaign_count.h"

#include <locale.h>

#define PEOPLE 160
#define TREES 120

static struct person people[PEOPLE];

static int set_up(void **state)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return -1;
	return audience_fixture_setup(state);
}

/* ---- putting people into the audience ---- */

static void put_behaviour(const struct person *p)
{
	struct behaviour behaviour = { .of = { [BEHAVIOUR_LAST_SENT] = (u32)p->sent_s,
					       [BEHAVIOUR_LAST_OPEN] = (u32)p->opened_s,
					       [BEHAVIOUR_LAST_CLICK] = (u32)p->clicked_s } };

	if (p->sent_s || p->opened_s || p->clicked_s)
		must(behaviour_put(txn, p->id, &behaviour));
	for (u32 i = 1; i <= CAMPAIGNS; i++) {
		struct activity activity = { .of = { [ACTIVITY_SENT] = (u32)p->c_sent_s[i],
						     [ACTIVITY_LAST_OPEN] = (u32)p->c_opened_s[i],
						     [ACTIVITY_LAST_CLICK] = (u32)p->c_clicked_s[i] } };

		for (u32 link = 1; link <= LINKS; link++) {
			if (p->c_link[i][link])
				activity_add_link(&activity, link);
		}
		must(activity_put(txn, i, p->id, &activity));
	}
}

static void put_consent(const struct person *p)
{
	struct history_event event = { .at_ms = p->consent_s * 1000, .kind = HISTORY_CONSENT };

	if (p->consent_s == 0)
		return;
	must(contact_history_add(txn, p->id, &event));
	event.kind = HISTORY_CHANGED;
	event.at_ms += 5000;
	must(contact_history_add(txn, p->id, &event));
}

static void put_person(struct person *p)
{
	struct contact contact = { .state = (enum contact_state)p->state,
				   .created_ms = p->created_s * 1000,
				   .changed_ms = p->changed_s * 1000,
				   .address = slice_of(p->address) };
	struct buf lists;
	struct buf next;
	struct buf values;

	buf_init(&lists, 1000);
	buf_init(&next, 1000);
	buf_init(&values, 10000);
	for (u16 i = 1; i <= LISTS; i++) {
		struct contact_member member = { i, (enum member_state)p->list_state[i],
						 (u32)p->list_since_s[i] };

		if (p->list_state[i] == 0)
			continue;
		buf_reset(&next);
		contact_add_member(&next, buf_slice(&lists), &member);
		buf_reset(&lists);
		buf_add_slice(&lists, buf_slice(&next));
	}
	for (u16 i = 1; i <= ATTRIBUTES; i++) {
		if (p->values[i])
			contact_put_value(&values, i, slice_of(p->values[i]));
	}
	contact.lists = buf_slice(&lists);
	contact.values = buf_slice(&values);
	must(contact_add(txn, &contact, contact.address));
	p->id = contact.id;
	put_behaviour(p);
	put_consent(p);
	buf_done(&lists);
	buf_done(&next);
	buf_done(&values);
}

static void erase_people(void)
{
	for (u32 i = 0; i < PEOPLE; i++) {
		if (people[i].id > 0)
			must(contact_erase(txn, people[i].id, slice_of(people[i].address)));
		people[i].id = 0;
	}
}

static void put_people(struct random *r, u64 now_s)
{
	must(audience_begin(txn));
	erase_people();
	for (u32 i = 0; i < PEOPLE; i++) {
		person_make(&people[i], r, now_s);
		put_person(&people[i]);
	}
	/* So that one campaign's index is worth walking. */
	must(campaign_count_change(txn, 2, CAMPAIGN_SENT, 0, 1));
	must(audience_commit(txn));
}

/* ---- asking ---- */

static struct segment *read_tree(const struct tree *tree, struct random *r, struct buf *text)
{
	struct segment_problem problem;
	struct segment *segment;

	/* Too many brackets were added, perhaps. */
	for (u32 tries = 0; tries < 100; tries++) {
		buf_reset(text);
		tree_print(tree, r, text);
		segment = segment_of_text(buf_slice(text), &segment_test_names, &problem);
		if (segment)
			return segment;
		if (!strstr(problem.error.text, "nested"))
			break;
	}
	fail_msg("%s: %s", buf_text(text), problem.error.text);
	return NULL;
}

/* Which of the people are found, in slices of random lengths, each in a transaction of its own. */
static void walk_all(const struct segment *segment, const struct segment_clock *clock, struct random *r,
		     bool *found)
{
	struct segment_walk *walk = segment_walk_open(segment, clock);
	enum segment_walk_result result = SEGMENT_WALK_PAUSED;
	u32 last = 0;

	assert_non_null(walk);
	memset(found, 0, PEOPLE * sizeof(*found));
	while (result == SEGMENT_WALK_PAUSED) {
		struct contact contact;

		must(audience_begin_read(txn));
		segment_walk_begin(walk, txn, segment_walk_after(walk), 1 + (u32)random_below(r, 60));
		while ((result = segment_walk_next(walk, &contact)) == SEGMENT_WALK_FOUND) {
			assert_true(contact.id > last);
			last = contact.id;
			assert_in_range(contact.id, people[0].id, people[PEOPLE - 1].id);
			found[contact.id - people[0].id] = true;
		}
		audience_abort(txn);
	}
	assert_int_equal(result, SEGMENT_WALK_ENDED);
	segment_walk_close(walk);
}

static void must_agree(const struct tree *tree, const struct segment_clock *clock, struct random *r)
{
	u64 now_s = clock->now_ms / 1000;
	bool found[PEOPLE];
	struct buf text;
	struct segment *segment;

	buf_init(&text, SEGMENT_TEXT_MAX);
	segment = read_tree(tree, r, &text);
	walk_all(segment, clock, r, found);
	for (u32 i = 0; i < PEOPLE; i++) {
		if (found[i] != tree_holds(tree, &people[i], now_s))
			fail_msg("%s at %llu: contact %u is %sfound", buf_text(&text),
				 (unsigned long long)now_s, people[i].id, found[i] ? "" : "not ");
	}
	segment_free(segment);
	buf_done(&text);
}

static void random_conditions_find_whom_they_mean(void **state)
{
	static const struct {
		const char *zone;
		u64 now_s;
	} clocks[] = {
		{ "UTC", 1796007600 },		     /* 2026-11-30 */
		{ "Asia/Tokyo", 1796007600 },	     /* 2026-12-01 there */
		{ "America/New_York", 1772339400 },  /* 2026-02-28 23:30, the week before summer time */
		{ "America/New_York", 1793511000 },  /* 2026-11-01 01:30, for the first time */
		{ "Pacific/Auckland", 1835442000 },  /* 2028-02-29 */
		{ "Asia/Tokyo", 1866988800 },	     /* 2029-03-01 */
		{ "America/Havana", 1772946000 },    /* 2026-03-08: its midnight is skipped */
	};
	static struct time_zone zone;
	struct random r;

	(void)state;
	random_seed(&r, 20261130);
	for (size_t c = 0; c < array_count(clocks); c++) {
		struct segment_clock clock = { clocks[c].now_s * 1000, &zone };

		setenv("TZ", clocks[c].zone, 1);
		tzset();
		assert_true(time_zone_find(slice_of(clocks[c].zone), &zone));
		put_people(&r, clocks[c].now_s);
		for (u32 i = 0; i < TREES; i++) {
			struct tree *tree = tree_make(&r, (u32)random_below(&r, 4));

			must_agree(tree, &clock, &r);
			tree_free(tree);
		}
	}
}

/* ---- one contact, a sample, and why ---- */

static struct segment *read_text(const char *text)
{
	struct segment_problem problem;
	struct segment *segment = segment_of_text(slice_of(text), &segment_test_names, &problem);

	if (!segment)
		fail_msg("%s: %s", text, problem.error.text);
	return segment;
}

static void a_random_contact_is_explained_as_it_is_found(void **state)
{
	static struct time_zone zone;
	struct segment_clock clock = { 1796007600000, &zone };
	struct buf text;
	struct random r;

	(void)state;
	random_seed(&r, 7);
	setenv("TZ", "UTC", 1);
	tzset();
	assert_true(time_zone_find(SLICE("UTC"), &zone));
	put_people(&r, clock.now_ms / 1000);
	buf_init(&text, SEGMENT_TEXT_MAX);
	for (u32 i = 0; i < TREES; i++) {
		struct tree *tree = tree_make(&r, 3);
		struct segment *segment = read_tree(tree, &r, &text);
		struct segment_walk *walk = segment_walk_open(segment, &clock);
		const struct person *person = &people[random_below(&r, PEOPLE)];
		bool held[SEGMENT_NODES_MAX];
		struct contact contact;
		bool good;

		assert_non_null(walk);
		must(audience_begin_read(txn));
		must(contact_get(txn, person->id, &contact));
		assert_int_equal(segment_walk_holds(walk, txn, &contact, &good),
				 tree_holds(tree, person, clock.now_ms / 1000));
		assert_true(good);
		assert_int_equal(segment_run_explain(segment_walk_run(walk), &contact, held),
				 tree_holds(tree, person, clock.now_ms / 1000));
		audience_abort(txn);
		segment_walk_close(walk);
		segment_free(segment);
		tree_free(tree);
	}
	buf_done(&text);
}

static void must_find(struct segment_walk *walk, const struct segment_node *test, u32 id,
		      const char *wanted)
{
	struct contact contact;
	struct buf out;

	buf_init(&out, 1000);
	must(contact_get(txn, id, &contact));
	segment_run_found(segment_walk_run(walk), test, &contact, &out);
	assert_string_equal(buf_text(&out), wanted);
	buf_done(&out);
}

static void each_part_says_whether_it_held_and_what_was_found(void **state)
{
	struct segment *segment =
		read_text("(prefecture = \"東京\" or points > 5) and not opened within 3 days "
			  "and in list \"vip\" and wants_paper = yes and state = active");
	/* In order: all, any, prefecture, points, not, opened, in list, wants_paper, state. */
	static const bool wanted[] = { false, true, false, true, false, true, true, true, true };
	static struct time_zone zone;
	struct segment_clock clock = { 1796007600000, &zone };
	struct segment_walk *walk;
	const struct segment_node *node = segment->root->first;
	struct contact contact;
	struct person p = { .state = 2,
			    .address = "why@x.test",
			    .values = { [1] = "大阪", [2] = "12.5", [4] = "1" },
			    .list_state = { [1] = 2 },
			    .list_since_s = { [1] = 1795996800 },
			    .opened_s = 1795966800 };
	bool held[SEGMENT_NODES_MAX];

	(void)state;
	assert_true(time_zone_find(SLICE("Asia/Tokyo"), &zone));
	must(audience_begin(txn));
	put_person(&p);
	must(audience_commit(txn));
	walk = segment_walk_open(segment, &clock);
	assert_non_null(walk);
	must(audience_begin_read(txn));
	segment_walk_begin(walk, txn, 0, 0);
	must(contact_get(txn, p.id, &contact));
	assert_false(segment_run_explain(segment_walk_run(walk), &contact, held));
	assert_int_equal(segment->node_count, array_count(wanted));
	assert_memory_equal(held, wanted, sizeof(wanted));
	must_find(walk, node->first, p.id, "大阪");
	must_find(walk, node->first->next, p.id, "12.5");
	node = node->next;
	must_find(walk, node->first, p.id, "2026-11-30 00:40");
	node = node->next;
	must_find(walk, node, p.id, "2026-11-30 09:00");
	must_find(walk, node->next, p.id, "yes");
	must_find(walk, node->next->next, p.id, "active");
	audience_abort(txn);
	must(audience_begin(txn));
	must(contact_erase(txn, p.id, slice_of(p.address)));
	must(audience_commit(txn));
	segment_walk_close(walk);
	segment_free(segment);
}

static void a_sample_is_near_the_whole(void **state)
{
	struct segment *segment = read_text("state in (pending, active)");
	static const struct time_zone utc;
	struct segment_clock clock = { 1796007600000, &utc };
	struct segment_walk *walk = segment_walk_open(segment, &clock);
	struct segment_sample sample;
	u32 held = 0;

	(void)state;
	assert_non_null(walk);
	for (u32 i = 0; i < PEOPLE; i++)
		held += people[i].state <= 2;
	must(audience_begin_read(txn));
	assert_true(segment_walk_sample(walk, txn, 20000, &sample));
	audience_abort(txn);
	assert_int_equal(sample.total, PEOPLE);
	assert_true(sample.seen > 0);
	/* Within a tenth of all: 20,000 are far more than needed for that. */
	assert_in_range((u64)sample.held * PEOPLE / sample.seen + 16, held, held + 32);
	segment_walk_close(walk);
	segment_free(segment);
}

static void an_anchored_walk_looks_at_no_others(void **state)
{
	struct segment *segment = read_text("in list \"vip\" and state != bounced");
	static const struct time_zone utc;
	struct segment_clock clock = { 1796007600000, &utc };
	struct segment_walk *walk = segment_walk_open(segment, &clock);
	struct contact contact;
	u32 found = 0;
	u32 wanted = 0;

	(void)state;
	/* So few are on that list that it is worth it. */
	must(audience_begin(txn));
	erase_people();
	for (u32 i = 0; i < PEOPLE; i++) {
		people[i].list_state[1] = i % 20 ? 0 : 1 + i / 20 % 3;
		put_person(&people[i]);
		wanted += people[i].list_state[1] == 2 && people[i].state != 3;
	}
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	segment_walk_begin(walk, txn, 0, UINT32_MAX);
	while (segment_walk_next(walk, &contact) == SEGMENT_WALK_FOUND)
		found++;
	audience_abort(txn);
	assert_int_equal(found, wanted);
	assert_int_equal(segment_walk_total(walk), PEOPLE / 20);
	assert_int_equal(segment_walk_seen(walk), PEOPLE / 20);
	segment_walk_close(walk);
	segment_free(segment);
}

static void contacts_may_change_while_a_walk_goes_on(void **state)
{
	struct segment *segment = read_text("not sent campaign 9");
	static const struct time_zone utc;
	struct segment_clock clock = { 1796007600000, &utc };
	struct segment_walk *walk = segment_walk_open(segment, &clock);
	struct activity sent = { .of = { [ACTIVITY_SENT] = 1795996800 } };
	struct contact contact;
	struct contact other;
	u32 found = 0;

	(void)state;
	must(audience_begin(txn));
	segment_walk_begin(walk, txn, 0, UINT32_MAX);
	while (segment_walk_next(walk, &contact) == SEGMENT_WALK_FOUND) {
		found++;
		/* As an expansion does: each is noted, and others are looked at. */
		must(activity_put(txn, 9, contact.id, &sent));
		must(contact_get(txn, people[PEOPLE - 1].id, &other));
	}
	must(audience_commit(txn));
	assert_int_equal(found, PEOPLE);
	must(audience_begin_read(txn));
	segment_walk_begin(walk, txn, 0, UINT32_MAX);
	assert_int_equal(segment_walk_next(walk, &contact), SEGMENT_WALK_ENDED);
	audience_abort(txn);
	segment_walk_close(walk);
	segment_free(segment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_conditions_find_whom_they_mean),
		cmocka_unit_test(a_random_contact_is_explained_as_it_is_found),
		cmocka_unit_test(each_part_says_whether_it_held_and_what_was_found),
		cmocka_unit_test(a_sample_is_near_the_whole),
		cmocka_unit_test(an_anchored_walk_looks_at_no_others),
		cmocka_unit_test(contacts_may_change_while_a_walk_goes_on),
	};

	return cmocka_run_group_tests(tests, set_up, audience_fixture_teardown);
}
