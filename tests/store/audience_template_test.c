/* What audience_template.h promises. */
#include "store/audience_fixture.h"

#include "store/audience_campaign.h"
#include "store/audience_campaign_text.h"
#include "store/audience_template.h"

static const struct audience_template_version body = {
	.made_ms = 5,
	.by = SLICE("user mori"),
	.of = { [AUDIENCE_TEMPLATE_SUBJECT] = SLICE("{{name}} 様"),
		[AUDIENCE_TEMPLATE_HTML] = SLICE("<p>x</p>"),
		[AUDIENCE_TEMPLATE_TEXT] = SLICE("x") },
};

static struct audience_template named(const char *name)
{
	return (struct audience_template){ .kind = AUDIENCE_TEMPLATE_BLOCK,
					   .language = 1,
					   .created_ms = 3,
					   .changed_ms = 4,
					   .by = SLICE("user mori"),
					   .name = slice_of(name) };
}

static u32 add(const char *name)
{
	struct audience_template one = named(name);

	must(audience_template_add(txn, &one, &body));
	return one.id;
}

static void save(u32 id, const char *name, u32 version, struct slice text)
{
	struct audience_template_version next = body;
	struct audience_template one = named(name);

	one.id = id;
	one.version = version;
	next.of[AUDIENCE_TEMPLATE_TEXT] = text;
	must(audience_template_save(txn, &one, &next));
}

static void a_template_comes_back_as_it_was_kept(void **state)
{
	struct audience_template one = named("Footer");
	struct audience_template back;
	struct audience_template_version version;

	(void)state;
	must(audience_template_add(txn, &one, &body));
	assert_int_equal(one.version, 1);
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(audience_template_get(txn, one.id, &back));
	assert_int_equal(back.id, one.id);
	assert_int_equal(back.version, 1);
	assert_int_equal(back.kind, AUDIENCE_TEMPLATE_BLOCK);
	assert_int_equal(back.language, 1);
	assert_int_equal(back.created_ms, 3);
	assert_int_equal(back.changed_ms, 4);
	assert_true(slice_equal(back.name, SLICE("Footer")));
	assert_true(slice_equal(back.by, SLICE("user mori")));
	must(audience_template_version(txn, one.id, 1, &version));
	assert_int_equal(version.number, 1);
	assert_int_equal(version.made_ms, 5);
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++)
		assert_true(slice_equal(version.of[i], body.of[i].ptr ? body.of[i] : SLICE("")));
	must_be(STORE_NOT_FOUND, audience_template_get(txn, one.id + 1, &back));
	must_be(STORE_NOT_FOUND, audience_template_version(txn, one.id, 2, &version));
}

static void a_template_is_found_by_its_name_in_any_letter_case(void **state)
{
	struct audience_template found;
	u32 id = add("Footer 共通");

	(void)state;
	add("other");
	must(audience_template_find(txn, SLICE("fOOTER 共通"), &found));
	assert_int_equal(found.id, id);
	must_be(STORE_NOT_FOUND, audience_template_find(txn, SLICE("Footer"), &found));
	must_be(STORE_NOT_FOUND, audience_template_find(txn, SLICE(""), &found));
	/* Under another name, by that one alone. */
	save(id, "Foot", 2, SLICE("y"));
	must_be(STORE_NOT_FOUND, audience_template_find(txn, SLICE("Footer 共通"), &found));
	must(audience_template_find(txn, SLICE("foot"), &found));
	assert_int_equal(found.version, 2);
}

static void each_save_is_a_version_and_the_last_fifty_stay(void **state)
{
	struct audience_template_version version;
	u32 id = add("a");
	u32 other = add("b");
	u32 count = 0;

	(void)state;
	for (u32 i = 2; i <= 53; i++)
		save(id, "a", i, i == 53 ? SLICE("last") : SLICE("y"));
	must_be(STORE_NOT_FOUND, audience_template_version(txn, id, 3, &version));
	must(audience_template_version(txn, id, 4, &version));
	version.number = UINT32_MAX;
	while (audience_template_version_before(txn, id, version.number, &version) == STORE_OK)
		assert_int_equal(version.number, 53 - count++);
	assert_int_equal(count, AUDIENCE_TEMPLATE_VERSIONS_MAX);
	must(audience_template_version(txn, id, 53, &version));
	assert_true(slice_equal(version.of[AUDIENCE_TEMPLATE_TEXT], SLICE("last")));
	must(audience_template_version(txn, other, 1, &version));
	assert_true(slice_equal(version.of[AUDIENCE_TEMPLATE_TEXT], SLICE("x")));
}

static void a_head_may_change_without_a_version(void **state)
{
	struct audience_template one = named("renamed");
	struct audience_template_version version;
	u32 count;

	(void)state;
	one.id = add("a");
	one.version = 1;
	must(audience_template_save(txn, &one, NULL));
	must(audience_template_find(txn, SLICE("renamed"), &one));
	must(audience_template_version(txn, one.id, 1, &version));
	must_be(STORE_NOT_FOUND, audience_template_version(txn, one.id, 2, &version));
	must(audience_template_count(txn, &count));
	assert_int_equal(count, 1);
}

static void deleting_takes_name_and_versions_along(void **state)
{
	struct audience_template found;
	struct audience_template_version version;
	u32 id = add("a");
	u32 other = add("b");

	(void)state;
	save(id, "a", 2, SLICE("y"));
	must(audience_template_delete(txn, id));
	must_be(STORE_NOT_FOUND, audience_template_get(txn, id, &found));
	must_be(STORE_NOT_FOUND, audience_template_find(txn, SLICE("a"), &found));
	must_be(STORE_NOT_FOUND, audience_template_version(txn, id, 1, &version));
	must_be(STORE_NOT_FOUND, audience_template_version(txn, id, 2, &version));
	must(audience_template_after(txn, 0, &found));
	assert_int_equal(found.id, other);
	must_be(STORE_NOT_FOUND, audience_template_delete(txn, id));
	/* Its id is never another's. */
	assert_true(add("a") > other);
}

static void kept_texts_go_with_their_campaign(void **state)
{
	struct audience_campaign campaign = { .state = AUDIENCE_CAMPAIGN_DRAFT,
					      .customer = SLICE("shop.example"),
					      .reason = SLICE(""),
					      .draft = SLICE("d") };
	struct slice texts;

	(void)state;
	must(audience_campaign_add(txn, &campaign));
	must_be(STORE_NOT_FOUND, campaign_text_get(txn, campaign.id, &texts));
	must(campaign_text_put(txn, campaign.id, SLICE("as it was")));
	must(campaign_text_get(txn, campaign.id, &texts));
	assert_true(slice_equal(texts, SLICE("as it was")));
	must(audience_campaign_delete(txn, campaign.id));
	must_be(STORE_NOT_FOUND, campaign_text_get(txn, campaign.id, &texts));
	must(campaign_text_delete(txn, campaign.id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(a_template_comes_back_as_it_was_kept),
		audience_writing_test(a_template_is_found_by_its_name_in_any_letter_case),
		audience_writing_test(each_save_is_a_version_and_the_last_fifty_stay),
		audience_writing_test(a_head_may_change_without_a_version),
		audience_writing_test(deleting_takes_name_and_versions_along),
		audience_writing_test(kept_texts_go_with_their_campaign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
