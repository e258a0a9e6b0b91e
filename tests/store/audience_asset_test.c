/* What audience_asset.h promises. */
#include "store/audience_fixture.h"

#include "store/audience_asset.h"

static struct audience_asset asset_of(u8 first, u64 size)
{
	struct audience_asset asset = { .kind = 1,
					.width = 600,
					.height = 32,
					.size = size,
					.created_ms = 5,
					.changed_ms = 6 };

	memset(asset.id, first, sizeof(asset.id));
	asset.of[ASSET_NAME] = SLICE("夏.png");
	asset.of[ASSET_ALT] = SLICE("Sale");
	asset.of[ASSET_FILE] = SLICE("a.1");
	asset.of[ASSET_BY] = SLICE("user mori");
	return asset;
}

static void an_image_comes_back_as_it_was_kept(void **state)
{
	const struct audience_asset kept = asset_of(7, 1ull << 33);
	struct audience_asset back;

	(void)state;
	must(audience_asset_put(txn, &kept));
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(audience_asset_get(txn, kept.id, &back));
	assert_memory_equal(back.id, kept.id, sizeof(kept.id));
	assert_int_equal(back.kind, 1);
	assert_int_equal(back.width, 600);
	assert_int_equal(back.height, 32);
	assert_true(back.size == 1ull << 33);
	assert_int_equal(back.created_ms, 5);
	assert_int_equal(back.changed_ms, 6);
	must_slice(back.of[ASSET_NAME], "夏.png");
	must_slice(back.of[ASSET_ALT], "Sale");
	must_slice(back.of[ASSET_FILE], "a.1");
	must_slice(back.of[ASSET_BY], "user mori");
}

static void images_are_walked_by_their_ids_and_summed(void **state)
{
	static const u8 firsts[] = { 0, 9, 0xff };
	struct audience_asset_total total;
	struct audience_asset one;

	(void)state;
	must_be(STORE_NOT_FOUND, audience_asset_after(txn, NULL, &one));
	for (u32 i = 0; i < array_count(firsts); i++) {
		const struct audience_asset kept = asset_of(firsts[2 - i], 100 + i);

		must(audience_asset_put(txn, &kept));
	}
	must(audience_asset_after(txn, NULL, &one));
	assert_int_equal(one.id[0], 0);
	must(audience_asset_after(txn, one.id, &one));
	assert_int_equal(one.id[0], 9);
	must(audience_asset_after(txn, one.id, &one));
	assert_int_equal(one.id[0], 0xff);
	must_be(STORE_NOT_FOUND, audience_asset_after(txn, one.id, &one));
	must(audience_asset_sum(txn, &total));
	assert_int_equal(total.count, 3);
	assert_int_equal(total.bytes, 303);
	must(audience_asset_delete(txn, one.id));
	must_be(STORE_NOT_FOUND, audience_asset_delete(txn, one.id));
	must_be(STORE_NOT_FOUND, audience_asset_get(txn, one.id, &one));
	must(audience_asset_sum(txn, &total));
	assert_int_equal(total.count, 2);
}

static void texts_as_long_as_they_may_be_have_room(void **state)
{
	static const size_t lengths[ASSET_TEXTS] = { ASSET_NAME_MAX, ASSET_ALT_MAX, ASSET_FILE_MAX,
						     ASSET_BY_MAX };
	static char text[ASSET_ALT_MAX];
	struct audience_asset kept = asset_of(1, 1);
	struct audience_asset back;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (u32 i = 0; i < ASSET_TEXTS; i++)
		kept.of[i] = (struct slice){ text, lengths[i] };
	must(audience_asset_put(txn, &kept));
	must(audience_asset_get(txn, kept.id, &back));
	for (u32 i = 0; i < ASSET_TEXTS; i++)
		assert_int_equal(back.of[i].len, lengths[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(an_image_comes_back_as_it_was_kept),
		audience_writing_test(images_are_walked_by_their_ids_and_summed),
		audience_writing_test(texts_as_long_as_they_may_be_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
