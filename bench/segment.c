/*
 * Contacts per second that segments are evaluated over: an audience is made in DIRECTORY (unless it
 * is there) with so many contacts, five values each, two lists, a campaign and behaviour of half of
 * them; then conditions of several kinds are walked in slices of 100,000, as a count does.
 *
 * usage: segment DIRECTORY [contacts]
 */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/segment_catalog.h"
#include "campaign/segment_walk.h"
#include "store/audience_attribute.h"
#include "store/audience_campaign_count.h"
#include "store/audience_list.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 20000
#define SLICE_SIZE 100000
#define NOW_MS 1796007600000ull /* 2026-11-30 */
#define DAY_S 86400u

static void must(enum store_result result, struct audience_txn *txn)
{
	if (result == STORE_OK)
		return;
	fprintf(stderr, "segment: %s\n", audience_error_text(txn));
	exit(1);
}

static void put_names(struct audience_txn *txn)
{
	static const struct attribute attributes[] = {
		{ .type = ATTRIBUTE_TEXT, .name = { "prefecture", 10 } },
		{ .type = ATTRIBUTE_NUMBER, .name = { "points", 6 } },
		{ .type = ATTRIBUTE_DATE, .name = { "birthday", 8 } },
		{ .type = ATTRIBUTE_TEXT, .name = { "given", 5 } },
		{ .type = ATTRIBUTE_YES_NO, .name = { "paper", 5 } },
	};
	static const char *const lists[] = { "news", "vip" };

	for (size_t i = 0; i < array_count(attributes); i++) {
		struct attribute attribute = attributes[i];

		must(attribute_add(txn, &attribute), txn);
	}
	for (size_t i = 0; i < array_count(lists); i++) {
		struct audience_list list = { .name = slice_of(lists[i]), .title = slice_of(lists[i]) };

		must(audience_list_add(txn, &list), txn);
	}
}

static void put_contact(struct audience_txn *txn, u32 i, struct buf *lists, struct buf *values)
{
	static const char *const prefectures[] = { "東京都", "大阪府", "北海道", "愛知県", "福岡県" };
	char address[64];
	char text[32];
	struct contact contact = { .state = i % 10 == 9 ? CONTACT_UNSUBSCRIBED : CONTACT_ACTIVE,
				   .created_ms = NOW_MS - (u64)(i % 1000) * DAY_S * 1000 };
	struct contact_member news = { 1, MEMBER_ACTIVE, (u32)(NOW_MS / 1000) - i % 100 * DAY_S };
	struct contact_member vip = { 2, MEMBER_ACTIVE, 0 };

	buf_reset(lists);
	buf_reset(values);
	contact_add_member(lists, SLICE_NONE, &news);
	if (i % 50 == 0) {
		buf_reset(lists);
		contact_add_member(lists, SLICE_NONE, &vip);
	}
	contact_put_value(values, 1, slice_of(prefectures[i % 5]));
	snprintf(text, sizeof(text), "%u", i % 997);
	contact_put_value(values, 2, slice_of(text));
	snprintf(text, sizeof(text), "%04u-%02u-%02u", 1950 + i % 60, 1 + i % 12, 1 + i % 28);
	contact_put_value(values, 3, slice_of(text));
	contact_put_value(values, 4, SLICE("太郎"));
	contact_put_value(values, 5, i % 2 ? SLICE("1") : SLICE("0"));
	snprintf(address, sizeof(address), "user%08u@domain%u.example", i, i % 1000);
	contact.address = slice_of(address);
	contact.lists = buf_slice(lists);
	contact.values = buf_slice(values);
	must(contact_add(txn, &contact, contact.address), txn);
}

static void put_behaviour(struct audience_txn *txn, u32 id)
{
	u32 at_s = (u32)(NOW_MS / 1000) - id % 200 * DAY_S;
	struct behaviour behaviour = { .of = { [BEHAVIOUR_LAST_SENT] = at_s,
					       [BEHAVIOUR_LAST_OPEN] = id % 3 ? 0 : at_s,
					       [BEHAVIOUR_SENT] = 5 } };
	struct activity activity = { .of = { [ACTIVITY_SENT] = at_s,
					     [ACTIVITY_LAST_OPEN] = id % 3 ? 0 : at_s } };

	if (id % 2)
		return;
	must(behaviour_put(txn, id, &behaviour), txn);
	must(activity_put(txn, 1, id, &activity), txn);
	must(campaign_count_change(txn, 1, CAMPAIGN_SENT, 0, 1), txn);
}

static void fill(struct audience_txn *txn, u32 contacts)
{
	struct buf lists;
	struct buf values;

	buf_init(&lists, 1000);
	buf_init(&values, 10000);
	must(audience_begin(txn), txn);
	put_names(txn);
	for (u32 i = 0; i < contacts; i++) {
		put_contact(txn, i, &lists, &values);
		if (i % BATCH == BATCH - 1) {
			must(audience_commit(txn), txn);
			must(audience_begin(txn), txn);
		}
	}
	for (u32 id = 1; id <= contacts; id++)
		put_behaviour(txn, id);
	must(audience_commit(txn), txn);
	buf_done(&lists);
	buf_done(&values);
}

static struct segment *read_text(struct audience_txn *txn, const char *text)
{
	struct segment_problem problem;
	struct segment_catalog catalog;
	struct segment *segment;

	must(audience_begin_read(txn), txn);
	segment_catalog_init(&catalog, txn);
	segment = segment_of_text(slice_of(text), &catalog.names, &problem);
	audience_abort(txn);
	if (segment)
		return segment;
	fprintf(stderr, "segment: %s: %s\n", text, problem.error.text);
	exit(1);
}

static void measure(struct audience_txn *txn, const char *text, u32 contacts)
{
	static struct time_zone zone;
	struct segment_clock clock = { NOW_MS, &zone };
	struct segment *segment = read_text(txn, text);
	struct segment_walk *walk = segment_walk_open(segment, &clock);
	enum segment_walk_result result = SEGMENT_WALK_PAUSED;
	struct contact contact;
	u64 longest = 0;
	u64 found = 0;
	u64 begin;
	double seconds;

	if (!walk || !time_zone_find(SLICE("Asia/Tokyo"), &zone))
		exit(1);
	begin = clock_mono_ns();
	while (result == SEGMENT_WALK_PAUSED) {
		u64 start = clock_mono_ns();

		must(audience_begin_read(txn), txn);
		segment_walk_begin(walk, txn, segment_walk_after(walk), SLICE_SIZE);
		while ((result = segment_walk_next(walk, &contact)) == SEGMENT_WALK_FOUND)
			found++;
		audience_abort(txn);
		longest = max_u64(longest, clock_mono_ns() - start);
	}
	seconds = (double)(clock_mono_ns() - begin) / NS_PER_S;
	printf("%10.0f contacts/s %6.3f s, slice %5.1f ms, %8llu looked at, %8llu found  %s\n",
	       contacts / seconds, seconds, (double)longest / NS_PER_MS,
	       (unsigned long long)segment_walk_seen(walk), (unsigned long long)found, text);
	segment_walk_close(walk);
	segment_free(segment);
}

int main(int argc, char **argv)
{
	static const char *const texts[] = {
		"everyone",
		"state = active",
		"prefecture = \"東京都\"",
		"given contains \"郎\" and points >= 900",
		"birthday anniversary within 7 days",
		"domain = \"domain7.example\"",
		"opened within 90 days",
		"not opened",
		"opened campaign 1",
		"not opened campaign 1 and sent campaign 1",
		"consent",
		"in list \"vip\"",
		"in list \"vip\" and opened within 90 days",
		"state = active and in list \"news\" and (prefecture in (\"東京都\", \"大阪府\") or points > 500) "
		"and not (opened within 30 days or clicked) and birthday before 1990-01-01",
	};
	struct store_params params = { .path = argc > 1 ? argv[1] : NULL, .map_size_max = 16ull << 30 };
	struct error error = { "" };
	u32 contacts = argc > 2 ? (u32)strtoul(argv[2], NULL, 10) : 1000000;
	struct audience *audience;
	struct audience_txn *txn;
	struct contact first;

	if (argc < 2) {
		fprintf(stderr, "usage: segment DIRECTORY [contacts]\n");
		return 2;
	}
	audience = audience_open(&params, &error);
	txn = audience ? audience_txn_open(audience) : NULL;
	if (!txn) {
		fprintf(stderr, "segment: %s\n", error.text);
		return 1;
	}
	must(audience_begin_read(txn), txn);
	if (contact_after(txn, 0, &first) == STORE_NOT_FOUND) {
		audience_abort(txn);
		fill(txn, contacts);
	} else {
		audience_abort(txn);
	}
	for (size_t i = 0; i < array_count(texts); i++)
		measure(txn, texts[i], contacts);
	audience_txn_close(txn);
	audience_close(audience);
	return 0;
}
