/* TLSA records: which are usable for mail, and how they are kept. */
#include "base/text.h"
#include "dns/dane.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct dane_record record_of(u8 usage, u8 selector, u8 matching, size_t len)
{
	static const char data[DANE_DATA_MAX + 1];

	return (struct dane_record){ usage, selector, matching, { data, len } };
}

static void rdata_is_read_to_the_byte(void **state)
{
	struct dane_record record;

	(void)state;
	assert_true(dane_record_read(&record, "\3\1\2data", 7));
	assert_int_equal(record.usage, DANE_EE);
	assert_int_equal(record.selector, DANE_PUBLIC_KEY);
	assert_int_equal(record.matching, DANE_SHA512);
	assert_true(slice_equal(record.data, SLICE("data")));
	assert_true(dane_record_read(&record, "\3\1\2", 3));
	assert_int_equal(record.data.len, 0);
	assert_false(dane_record_read(&record, "\3\1", 2));
	assert_false(dane_record_read(&record, NULL, 0));
}

static void only_ta_and_ee_of_dns_itself_are_usable(void **state)
{
	(void)state;
	for (u32 usage = 0; usage < 256; usage++) {
		struct dane_record record = record_of((u8)usage, 1, 1, 32);

		assert_int_equal(dane_record_is_usable(&record), usage == 2 || usage == 3);
	}
}

static void selectors_and_matching_types_must_be_known(void **state)
{
	(void)state;
	for (u32 n = 0; n < 256; n++) {
		struct dane_record by_selector = record_of(3, (u8)n, 1, 32);
		struct dane_record by_matching = record_of(2, 0, (u8)n, 32);

		assert_int_equal(dane_record_is_usable(&by_selector), n <= 1);
		assert_int_equal(dane_record_is_usable(&by_matching), n <= 1);
	}
}

static void digests_have_their_length_and_whole_data_a_limit(void **state)
{
	static const struct {
		u8 matching;
		size_t len;
		bool usable;
	} cases[] = {
		{ 0, 0, false },	    { 0, 1, true },   { 0, DANE_DATA_MAX, true },
		{ 0, DANE_DATA_MAX + 1, false }, { 1, 0, false },  { 1, 31, false },
		{ 1, 32, true },	    { 1, 33, false }, { 1, 64, false },
		{ 2, 32, false },	    { 2, 63, false }, { 2, 64, true },
		{ 2, 65, false },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct dane_record record = record_of(3, 0, cases[i].matching, cases[i].len);

		if (dane_record_is_usable(&record) != cases[i].usable)
			fail_msg("matching %u, %zu bytes", cases[i].matching, cases[i].len);
	}
}

static void packed_records_come_back_as_they_were(void **state)
{
	const struct dane_record in[] = { { 3, 1, 1, SLICE("abc") },
					  { 2, 0, 2, SLICE("") },
					  { 255, 254, 253, SLICE("defgh") } };
	u8 bytes[64];
	size_t used = 0;
	struct slice packed;
	struct dane_record out;

	(void)state;
	for (size_t i = 0; i < array_count(in); i++)
		used += dane_record_pack(bytes + used, sizeof(bytes) - used, &in[i]);
	assert_int_equal(used, 5 * 3 + 3 + 0 + 5);
	packed = (struct slice){ (const char *)bytes, used };
	for (size_t i = 0; i < array_count(in); i++) {
		assert_true(dane_record_next(&packed, &out));
		assert_int_equal(out.usage, in[i].usage);
		assert_int_equal(out.selector, in[i].selector);
		assert_int_equal(out.matching, in[i].matching);
		assert_true(slice_equal(out.data, in[i].data));
	}
	assert_false(dane_record_next(&packed, &out));
}

static void what_does_not_fit_is_not_packed_in_part(void **state)
{
	const struct dane_record record = { 3, 1, 1, SLICE("abc") };
	u8 bytes[8] = { 0 };

	(void)state;
	for (size_t room = 0; room < sizeof(bytes); room++)
		assert_int_equal(dane_record_pack(bytes, room, &record), 0);
	assert_int_equal(bytes[0] | bytes[1] | bytes[2], 0);
	assert_int_equal(dane_record_pack(bytes, sizeof(bytes), &record), sizeof(bytes));
}

static void packed_bytes_that_end_early_are_no_record(void **state)
{
	const struct dane_record record = { 3, 1, 1, SLICE("abc") };
	struct dane_record out;
	u8 bytes[8];

	(void)state;
	assert_int_equal(dane_record_pack(bytes, sizeof(bytes), &record), sizeof(bytes));
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct slice packed = { (const char *)bytes, len };

		assert_false(dane_record_next(&packed, &out));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rdata_is_read_to_the_byte),
		cmocka_unit_test(only_ta_and_ee_of_dns_itself_are_usable),
		cmocka_unit_test(selectors_and_matching_types_must_be_known),
		cmocka_unit_test(digests_have_their_length_and_whole_data_a_limit),
		cmocka_unit_test(packed_records_come_back_as_they_were),
		cmocka_unit_test(what_does_not_fit_is_not_packed_in_part),
		cmocka_unit_test(packed_bytes_that_end_early_are_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
