/* What row_values.h promises. */
#include "store/fixture.h"

#include "base/random.h"
#include "store/row_values.h"

static void values_come_back_and_trailing_empty_ones_cost_nothing(void **state)
{
	struct slice values[] = { SLICE("a"), SLICE(""), SLICE("b\0c"), SLICE(""), SLICE("") };
	struct slice back[7];
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	row_values_pack(&out, values, array_count(values));
	assert_int_equal(out.len, 2 + 1 + 4);
	assert_true(row_values_unpack(buf_slice(&out), back, array_count(back)));
	for (size_t i = 0; i < array_count(back); i++) {
		assert_non_null(back[i].ptr);
		assert_true(slice_equal(back[i], i < 5 ? values[i] : SLICE("")));
	}
	buf_done(&out);
}

static void no_values_are_no_bytes(void **state)
{
	struct slice values[] = { SLICE(""), SLICE_NONE };
	struct slice back;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	row_values_pack(&out, values, 2);
	row_values_pack(&out, NULL, 0);
	assert_int_equal(out.len, 0);
	assert_true(row_values_unpack(buf_slice(&out), &back, 1));
	assert_int_equal(back.len, 0);
	assert_true(row_values_unpack(SLICE(""), NULL, 0));
	buf_done(&out);
}

static void lengths_at_the_edges_of_their_encoding_come_back(void **state)
{
	static const size_t lens[] = { 127, 128, 16383, 16384, 2097151, 2097152 };
	struct slice values[array_count(lens)];
	struct slice back[array_count(lens)];
	char *bytes = calloc(1, lens[array_count(lens) - 1]);
	struct buf out;

	(void)state;
	buf_init(&out, 1u << 24);
	for (size_t i = 0; i < array_count(lens); i++)
		values[i] = (struct slice){ bytes, lens[i] };
	row_values_pack(&out, values, array_count(lens));
	assert_true(row_values_unpack(buf_slice(&out), back, array_count(lens)));
	for (size_t i = 0; i < array_count(lens); i++)
		assert_int_equal(back[i].len, lens[i]);
	buf_done(&out);
	free(bytes);
}

static void damaged_bytes_and_too_many_values_are_refused(void **state)
{
	struct slice back[2];

	(void)state;
	assert_true(row_values_unpack(SLICE("\1a\1b"), back, 2));
	assert_false(row_values_unpack(SLICE("\1a\1b\1c"), back, 2));
	assert_false(row_values_unpack(SLICE("\2a"), back, 2));
	assert_false(row_values_unpack(SLICE("\x80"), back, 2));
	assert_false(row_values_unpack(SLICE("\xff\xff\xff\xff\xff\xff"), back, 2));
	assert_false(row_values_unpack(SLICE("\xff\xff\xff\xff\x7f"), back, 2));
	assert_false(row_values_unpack(SLICE("\1a"), back, 0));
}

static void a_full_buffer_is_marked_failed(void **state)
{
	struct slice values[] = { SLICE("abcdef") };
	struct buf out;

	(void)state;
	buf_init(&out, 6);
	row_values_pack(&out, values, 1);
	assert_true(out.failed);
	buf_done(&out);
}

static void random_values_come_back(void **state)
{
	struct random random;
	char bytes[300];

	(void)state;
	random_seed(&random, 7);
	random_bytes(bytes, sizeof(bytes));
	for (int round = 0; round < 2000; round++) {
		struct slice values[20];
		struct slice back[20];
		size_t count = random_below(&random, 21);
		struct buf out;

		buf_init(&out, 1u << 16);
		for (size_t i = 0; i < count; i++)
			values[i] = (struct slice){ bytes, random_below(&random, 2) *
								   random_below(&random, 300) };
		row_values_pack(&out, values, count);
		assert_true(row_values_unpack(buf_slice(&out), back, 20));
		for (size_t i = 0; i < 20; i++)
			assert_true(slice_equal(back[i], i < count ? values[i] : SLICE("")));
		buf_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_come_back_and_trailing_empty_ones_cost_nothing),
		cmocka_unit_test(no_values_are_no_bytes),
		cmocka_unit_test(lengths_at_the_edges_of_their_encoding_come_back),
		cmocka_unit_test(damaged_bytes_and_too_many_values_are_refused),
		cmocka_unit_test(a_full_buffer_is_marked_failed),
		cmocka_unit_test(random_values_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
