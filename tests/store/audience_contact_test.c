/* What audience_contact.h and audience.h promise. */
#include "store/audience_fixture.h"

#include "base/random.h"
#include "store/audience_contact.h"
#include "store/audience_count.h"

static u64 counted(enum audience_counted what, u32 of)
{
	u64 count = 77;

	must(audience_count_get(txn, what, of, &count));
	return count;
}

static u64 members(u16 list, enum member_state state)
{
	return counted(COUNTED_MEMBERS, (u32)list * 8 + (u32)state);
}

static u32 add(const char *address, struct slice lists, struct slice values)
{
	struct contact contact = { .state = CONTACT_ACTIVE,
				   .created_ms = 5,
				   .changed_ms = 6,
				   .address = slice_of(address),
				   .lists = lists,
				   .values = values };

	must(contact_add(txn, &contact, slice_of(address)));
	return contact.id;
}

static void one_comes_back_as_it_was_added(void **state)
{
	struct contact back;
	struct contact_member member;
	struct buf lists;
	struct buf values;
	u32 id;

	(void)state;
	buf_init(&lists, 1000);
	buf_init(&values, 1000);
	contact_add_member(&lists, SLICE_NONE,
			   &(struct contact_member){ 3, MEMBER_PENDING, 4000000000u });
	contact_put_value(&values, 1, SLICE("森"));
	contact_put_value(&values, 65535, SLICE("-12.5"));
	must(audience_begin(txn));
	id = add("ann@x.test", buf_slice(&lists), buf_slice(&values));
	must(audience_commit(txn));
	audience_fixture_close();
	audience_fixture_open();
	must(audience_begin_read(txn));
	must(contact_get(txn, id, &back));
	assert_int_equal(back.state, CONTACT_ACTIVE);
	assert_int_equal(back.created_ms, 5);
	assert_int_equal(back.changed_ms, 6);
	must_slice(back.address, "ann@x.test");
	assert_true(contact_find_member(back.lists, 3, &member));
	assert_int_equal(member.state, MEMBER_PENDING);
	assert_int_equal(member.since_s, 4000000000u);
	assert_false(contact_find_member(back.lists, 4, &member));
	must_slice(contact_find_value(back.values, 1), "森");
	must_slice(contact_find_value(back.values, 65535), "-12.5");
	assert_null(contact_find_value(back.values, 2).ptr);
	must(contact_find(txn, SLICE("ann@x.test"), &id));
	assert_int_equal(id, back.id);
	must_be(STORE_NOT_FOUND, contact_find(txn, SLICE("bob@x.test"), &id));
	must_be(STORE_NOT_FOUND, contact_get(txn, back.id + 1, &back));
	assert_int_equal(counted(COUNTED_CONTACTS, CONTACT_ACTIVE), 1);
	assert_int_equal(members(3, MEMBER_PENDING), 1);
	buf_done(&lists);
	buf_done(&values);
}

static void a_change_moves_counters_and_list_entries(void **state)
{
	struct contact before;
	struct contact after;
	struct buf lists;
	struct buf other;
	enum member_state member;
	u32 found;
	u32 id;

	(void)state;
	buf_init(&lists, 1000);
	buf_init(&other, 1000);
	contact_add_member(&lists, SLICE_NONE, &(struct contact_member){ 7, MEMBER_ACTIVE, 1 });
	must(audience_begin(txn));
	id = add("ann@x.test", buf_slice(&lists), SLICE_NONE);
	must(contact_get(txn, id, &before));
	contact_add_member(&other, before.lists, &(struct contact_member){ 2, MEMBER_ACTIVE, 9 });
	buf_reset(&lists);
	contact_add_member(&lists, buf_slice(&other),
			   &(struct contact_member){ 7, MEMBER_LEFT, 9 });
	after = before;
	after.state = CONTACT_UNSUBSCRIBED;
	after.lists = buf_slice(&lists);
	must(contact_put(txn, &before, &after));
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	assert_int_equal(counted(COUNTED_CONTACTS, CONTACT_ACTIVE), 0);
	assert_int_equal(counted(COUNTED_CONTACTS, CONTACT_UNSUBSCRIBED), 1);
	assert_int_equal(members(7, MEMBER_ACTIVE), 0);
	assert_int_equal(members(7, MEMBER_LEFT), 1);
	assert_int_equal(members(2, MEMBER_ACTIVE), 1);
	must(member_after(txn, 7, 0, &found, &member));
	assert_int_equal(found, id);
	assert_int_equal(member, MEMBER_LEFT);
	must_be(STORE_NOT_FOUND, member_after(txn, 7, id, &found, &member));
	audience_abort(txn);
	buf_done(&lists);
	buf_done(&other);
}

static void nothing_of_one_who_was_erased_is_left(void **state)
{
	struct history_event event = { .at_ms = 9, .kind = HISTORY_CREATED };
	enum member_state member;
	struct contact contact;
	struct buf lists;
	struct slice key;
	u32 other;
	u32 found;
	u32 id;

	(void)state;
	buf_init(&lists, 1000);
	contact_add_member(&lists, SLICE_NONE, &(struct contact_member){ 7, MEMBER_ACTIVE, 1 });
	must(audience_begin(txn));
	id = add("ann@x.test", buf_slice(&lists), SLICE_NONE);
	other = add("bob@x.test", buf_slice(&lists), SLICE_NONE);
	must(contact_history_add(txn, id, &event));
	must(contact_history_add(txn, other, &event));
	must(contact_erase(txn, id, SLICE("ann@x.test")));
	must_be(STORE_NOT_FOUND, contact_get(txn, id, &contact));
	must_be(STORE_NOT_FOUND, contact_find(txn, SLICE("ann@x.test"), &found));
	must_be(STORE_NOT_FOUND, contact_history_before(txn, id, UINT64_MAX, 0, &event));
	must(contact_history_before(txn, other, UINT64_MAX, 0, &event));
	must(member_after(txn, 7, 0, &found, &member));
	assert_int_equal(found, other);
	must(contact_find_after(txn, SLICE_NONE, &key, &found));
	assert_int_equal(found, other);
	must_slice(key, "bob@x.test");
	assert_int_equal(counted(COUNTED_CONTACTS, CONTACT_ACTIVE), 1);
	assert_int_equal(members(7, MEMBER_ACTIVE), 1);
	/* Its number is never another's. */
	assert_int_equal(add("ann@x.test", SLICE_NONE, SLICE_NONE), other + 1);
	audience_abort(txn);
	assert_int_equal(audience_begin_read(txn), STORE_OK);
	assert_int_equal(counted(COUNTED_CONTACTS, CONTACT_ACTIVE), 0);
	buf_done(&lists);
}

static void history_is_told_newest_first(void **state)
{
	struct history_event event = { .at_ms = 9,
				       .kind = HISTORY_CONSENT,
				       .fields = { SLICE("form 2"), SLICE("news"), SLICE("") },
				       .field_count = 3 };
	u32 id;

	(void)state;
	must(audience_begin(txn));
	id = add("ann@x.test", SLICE_NONE, SLICE_NONE);
	must(contact_history_add(txn, id, &event));
	event.kind = HISTORY_CONFIRMED;
	must(contact_history_add(txn, id, &event));
	event.at_ms = 10;
	event.kind = HISTORY_UNSUBSCRIBED;
	must(contact_history_add(txn, id, &event));
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(contact_history_before(txn, id, UINT64_MAX, 0, &event));
	assert_int_equal(event.kind, HISTORY_UNSUBSCRIBED);
	must(contact_history_before(txn, id, event.at_ms, event.number, &event));
	assert_int_equal(event.kind, HISTORY_CONFIRMED);
	must(contact_history_before(txn, id, event.at_ms, event.number, &event));
	assert_int_equal(event.kind, HISTORY_CONSENT);
	must_slice(event.fields[0], "form 2");
	must_slice(event.fields[1], "news");
	assert_int_equal(event.fields[2].len, 0);
	must_be(STORE_NOT_FOUND,
		contact_history_before(txn, id, event.at_ms, event.number, &event));
}

static void values_are_merged_in_order(void **state)
{
	struct buf values;
	struct buf changes;
	struct buf merged;
	struct slice rest;
	struct slice value;
	u16 last = 0;
	u16 id;
	u32 count = 0;

	(void)state;
	buf_init(&values, 1000);
	buf_init(&changes, 1000);
	buf_init(&merged, 1000);
	contact_put_value(&values, 2, SLICE("old"));
	contact_put_value(&values, 4, SLICE("stays"));
	contact_put_value(&values, 6, SLICE("goes"));
	contact_put_value(&changes, 1, SLICE("first"));
	contact_put_value(&changes, 2, SLICE("new"));
	contact_put_value(&changes, 6, SLICE(""));
	contact_put_value(&changes, 9, SLICE("last"));
	contact_merge_values(&merged, buf_slice(&values), buf_slice(&changes));
	rest = buf_slice(&merged);
	for (; contact_next_value(&rest, &id, &value); count++) {
		assert_true(id > last);
		last = id;
	}
	assert_int_equal(count, 4);
	assert_int_equal(rest.len, 0);
	must_slice(contact_find_value(buf_slice(&merged), 1), "first");
	must_slice(contact_find_value(buf_slice(&merged), 2), "new");
	must_slice(contact_find_value(buf_slice(&merged), 4), "stays");
	must_slice(contact_find_value(buf_slice(&merged), 9), "last");
	buf_done(&values);
	buf_done(&changes);
	buf_done(&merged);
}

static void readers_see_the_last_commit_beside_the_writer(void **state)
{
	struct audience_txn *reader = audience_txn_open(audience);
	struct contact contact;
	u32 id;

	(void)state;
	assert_non_null(reader);
	must(audience_begin(txn));
	id = add("ann@x.test", SLICE_NONE, SLICE_NONE);
	must(audience_begin_read(reader));
	must_be(STORE_NOT_FOUND, contact_get(reader, id, &contact));
	must(audience_commit(txn));
	must_be(STORE_NOT_FOUND, contact_get(reader, id, &contact));
	audience_abort(reader);
	must(audience_begin_read(reader));
	must(contact_get(reader, id, &contact));
	audience_txn_close(reader);
}

/* Random changes against a model in memory; counters and indexes are looked at in the end. */
#define MODEL_CONTACTS 60
#define MODEL_LISTS 9

static struct {
	u32 id; /* 0: not there */
	u8 state;
	u8 members[MODEL_LISTS];
} model[MODEL_CONTACTS];

static struct slice model_lists(u32 at, struct buf *out)
{
	buf_reset(out);
	for (u16 list = 0; list < MODEL_LISTS; list++) {
		struct buf old = *out;
		struct contact_member member = { (u16)(list + 1),
						 (enum member_state)model[at].members[list], at };

		if (member.state == 0)
			continue;
		buf_init(out, 1000);
		contact_add_member(out, buf_slice(&old), &member);
		buf_done(&old);
	}
	return buf_slice(out);
}

static void step(struct random *seed, struct buf *lists)
{
	u32 at = (u32)(random_below(seed, MODEL_CONTACTS));
	struct contact before;
	struct contact after = { .state = CONTACT_ACTIVE };
	char address[32];

	snprintf(address, sizeof(address), "c%u@x.test", at);
	if (model[at].id && random_below(seed, 4) == 0) {
		must(contact_erase(txn, model[at].id, slice_of(address)));
		memset(&model[at], 0, sizeof(model[at]));
		return;
	}
	for (u32 list = 0; list < MODEL_LISTS; list++)
		model[at].members[list] = (u8)(random_below(seed, 4));
	if (!model[at].id) {
		model[at].state = CONTACT_ACTIVE;
		model[at].id = add(address, model_lists(at, lists), SLICE_NONE);
		return;
	}
	must(contact_get(txn, model[at].id, &before));
	model[at].state = (u8)(random_below(seed, 5) + 1);
	after = before;
	after.state = (enum contact_state)model[at].state;
	after.lists = model_lists(at, lists);
	must(contact_put(txn, &before, &after));
}

static void compare(void)
{
	u64 states[8] = { 0 };
	u64 counts[MODEL_LISTS][4] = { { 0 } };
	enum member_state state;
	u32 found;

	for (u32 at = 0; at < MODEL_CONTACTS; at++) {
		states[model[at].state] += model[at].id != 0;
		for (u32 list = 0; list < MODEL_LISTS; list++)
			counts[list][model[at].members[list]] += model[at].id != 0;
	}
	for (u32 i = 1; i <= CONTACT_COMPLAINED; i++)
		assert_int_equal(counted(COUNTED_CONTACTS, i), states[i]);
	for (u16 list = 0; list < MODEL_LISTS; list++) {
		u64 walked[4] = { 0 };

		found = 0;
		while (member_after(txn, (u16)(list + 1), found, &found, &state) == STORE_OK)
			walked[state]++;
		for (u32 i = 1; i < 4; i++) {
			assert_int_equal(members((u16)(list + 1), (enum member_state)i),
					 counts[list][i]);
			assert_int_equal(walked[i], counts[list][i]);
		}
	}
}

static void counters_and_lists_follow_whatever_happens(void **state)
{
	struct buf lists;
	struct random seed;

	(void)state;
	random_seed(&seed, 42);
	memset(model, 0, sizeof(model));
	buf_init(&lists, 1000);
	for (u32 round = 0; round < 40; round++) {
		must(audience_begin(txn));
		for (u32 i = 0; i < 25; i++)
			step(&seed, &lists);
		must(audience_commit(txn));
		must(audience_begin_read(txn));
		compare();
		audience_abort(txn);
	}
	buf_done(&lists);
}

#define audience_test(name)                                                                        \
	cmocka_unit_test_setup_teardown(name, audience_fixture_setup, audience_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_test(one_comes_back_as_it_was_added),
		audience_test(a_change_moves_counters_and_list_entries),
		audience_test(nothing_of_one_who_was_erased_is_left),
		audience_test(history_is_told_newest_first),
		audience_test(values_are_merged_in_order),
		audience_test(readers_see_the_last_commit_beside_the_writer),
		audience_test(counters_and_lists_follow_whatever_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
