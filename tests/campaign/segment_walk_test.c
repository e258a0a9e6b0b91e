/*
 * What segments mean, and what segment_walk.h promises: random conditions over random contacts in an
 * audience, in several zones and at several moments, against a second opinion.
 */
#include "store/fixture.h"

#include "campaign/segment_people.h"
#include "campaign/segment_walk.h"
#include "store/audience_campaign_count.h"

#include <locale.h>

#define PEOPLE 160
#define TREES 120

static struct audience *audience;
static struct audience_txn *txn;
static char folder[256];
static struct person people[PEOPLE];

static int set_up(void **state)
{
	struct store_params params = { .path = folder, .map_size_max = 256 * MIB };
	const char *tmp = getenv("TMPDIR");
	struct error error = { "" };

	(void)state;
	snprintf(folder, sizeof(folder), "%s/hikyaku-segment-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder) || !setlocale(LC_CTYPE, "C.UTF-8"))
		return -1;
	audience = audience_open(&params, &error);
	txn = audience ? audience_txn_open(audience) : NULL;
	return txn ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	audience_txn_close(txn);
	audience_close(audience);
	remove_tree(folder);
	return 0;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_conditions_find_whom_they_mean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
