/* What audience_attribute.h and audience_list.h promise. */
#include "store/audience_fixture.h"

#include "store/audience_attribute.h"
#include "store/audience_contact.h"
#include "store/audience_count.h"
#include "store/audience_list.h"

static u16 add_attribute(const char *name, enum attribute_type type)
{
	struct attribute attribute = { .type = type,
				       .name = slice_of(name),
				       .label_ja = SLICE("ランク"),
				       .label_en = SLICE("Rank"),
				       .choices = SLICE("金\n銀") };

	must(attribute_add(txn, &attribute));
	return attribute.id;
}

static void an_attribute_is_found_by_id_and_by_name_in_any_case(void **state)
{
	struct attribute back;
	u16 rank = add_attribute("rank", ATTRIBUTE_CHOICE);
	u16 birth = add_attribute("Birth_day", ATTRIBUTE_DATE);
	u32 count;

	(void)state;
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(attribute_get(txn, rank, &back));
	assert_int_equal(back.type, ATTRIBUTE_CHOICE);
	assert_false(back.is_required);
	must_slice(back.name, "rank");
	must_slice(back.label_ja, "ランク");
	must_slice(back.label_en, "Rank");
	must_slice(back.choices, "金\n銀");
	must(attribute_find(txn, SLICE("BIRTH_DAY"), &back));
	assert_int_equal(back.id, birth);
	must_be(STORE_NOT_FOUND, attribute_find(txn, SLICE("birth"), &back));
	must(attribute_count(txn, &count));
	assert_int_equal(count, 2);
	must(attribute_after(txn, rank, &back));
	assert_int_equal(back.id, birth);
	must_be(STORE_NOT_FOUND, attribute_after(txn, birth, &back));
}

static void a_deleted_attribute_s_id_is_never_given_again(void **state)
{
	struct attribute back;
	u16 first = add_attribute("a", ATTRIBUTE_TEXT);

	(void)state;
	must(attribute_delete(txn, first));
	must_be(STORE_NOT_FOUND, attribute_get(txn, first, &back));
	must_be(STORE_NOT_FOUND, attribute_delete(txn, first));
	assert_int_equal(add_attribute("a", ATTRIBUTE_TEXT), first + 1);
}

static void an_attribute_changes_in_place(void **state)
{
	struct attribute back;
	u16 id = add_attribute("a", ATTRIBUTE_TEXT);

	(void)state;
	must(attribute_get(txn, id, &back));
	back.is_required = true;
	back.label_en = SLICE("Other");
	must(attribute_put(txn, &back));
	must(attribute_get(txn, id, &back));
	assert_true(back.is_required);
	must_slice(back.label_en, "Other");
	must_slice(back.label_ja, "ランク");
}

static void names_are_words_and_none_that_every_contact_has(void **state)
{
	static const char *const good[] = { "a", "Name_2", "x__" };
	static const char *const bad[] = { "", "_a", "2a", "a-b", "a b", "é", "email", "ID",
					   "State", "名前" };

	(void)state;
	for (size_t i = 0; i < array_count(good); i++)
		assert_true(attribute_name_is_good(slice_of(good[i])));
	for (size_t i = 0; i < array_count(bad); i++)
		assert_false(attribute_name_is_good(slice_of(bad[i])));
	assert_true(audience_list_name_is_good(SLICE("spring-2026")));
	assert_false(audience_list_name_is_good(SLICE("spring 2026")));
	assert_false(audience_list_name_is_good(SLICE("")));
}

static u16 add_list(const char *name)
{
	struct audience_list list = { .is_public = true,
				      .is_default = true,
				      .created_ms = 7,
				      .name = slice_of(name),
				      .title = SLICE("お知らせ"),
				      .description = SLICE("月に一度") };

	must(audience_list_add(txn, &list));
	return list.id;
}

static void a_list_comes_back_as_it_was(void **state)
{
	struct audience_list back;
	u16 id = add_list("news");
	u32 count;

	(void)state;
	must(audience_list_find(txn, SLICE("NEWS"), &back));
	assert_int_equal(back.id, id);
	assert_true(back.is_public);
	assert_false(back.is_double);
	assert_true(back.is_default);
	assert_int_equal(back.created_ms, 7);
	must_slice(back.title, "お知らせ");
	must_slice(back.description, "月に一度");
	must(audience_list_count(txn, &count));
	assert_int_equal(count, 1);
	must_be(STORE_NOT_FOUND, audience_list_after(txn, id, &back));
}

static u32 add_member(const char *address, u16 list)
{
	struct contact contact = { .state = CONTACT_ACTIVE, .address = slice_of(address) };
	struct buf lists;

	buf_init(&lists, 100);
	contact_add_member(&lists, SLICE_NONE,
			   &(struct contact_member){ list, MEMBER_ACTIVE, 1 });
	contact.lists = buf_slice(&lists);
	must(contact_add(txn, &contact, slice_of(address)));
	buf_done(&lists);
	return contact.id;
}

static void a_list_is_deleted_in_slices_and_leaves_its_contacts(void **state)
{
	struct audience_list back;
	struct contact contact;
	u16 id = add_list("news");
	u32 ann = add_member("ann@x.test", id);
	u64 members;
	bool left;

	(void)state;
	add_member("bob@x.test", id);
	must(audience_list_delete(txn, id, 1, 99, &left));
	assert_true(left);
	must(audience_list_get(txn, id, &back));
	must(contact_get(txn, ann, &contact));
	assert_int_equal(contact.lists.len, 0);
	assert_int_equal(contact.changed_ms, 99);
	must(audience_list_delete(txn, id, 5, 99, &left));
	assert_false(left);
	must_be(STORE_NOT_FOUND, audience_list_get(txn, id, &back));
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(audience_count_get(txn, COUNTED_MEMBERS, (u32)id * 8 + MEMBER_ACTIVE, &members));
	assert_int_equal(members, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(an_attribute_is_found_by_id_and_by_name_in_any_case),
		audience_writing_test(a_deleted_attribute_s_id_is_never_given_again),
		audience_writing_test(an_attribute_changes_in_place),
		cmocka_unit_test(names_are_words_and_none_that_every_contact_has),
		audience_writing_test(a_list_comes_back_as_it_was),
		audience_writing_test(a_list_is_deleted_in_slices_and_leaves_its_contacts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
