/* Block lists: which name is asked, and which answers mean that an address is on one. */
#include "base/text.h"
#include "dns/block_list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char name[QUESTION_NAME_SIZE];
static char code[NET_ADDRESS_TEXT_SIZE];

static bool name_of(const char *text, const char *zone)
{
	struct net_address address;

	assert_true(net_address_parse(&address, slice_of(text), false));
	return block_list_name(name, &address, zone);
}

static enum block_list_says says(enum question_status status, const char *bytes, size_t count)
{
	struct question_answer answer = { .status = status, .count = count };

	for (size_t i = 0; i < count; i++)
		answer.records[i] = (struct question_record){ (const u8 *)bytes + 4 * i, 4 };
	return block_list_read(&answer, code);
}

static void test_addresses_are_asked_backwards(void **state)
{
	char zone[260];

	(void)state;
	assert_true(name_of("192.0.2.10", "zen.example.org"));
	assert_string_equal(name, "10.2.0.192.zen.example.org");
	assert_true(name_of("2001:db8::1", "v6.example.org"));
	assert_string_equal(name, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
				  "v6.example.org");
	memset(zone, 'a', sizeof(zone));
	zone[253 - strlen("1.2.0.192.")] = '\0';
	assert_true(name_of("192.0.2.1", zone));
	assert_false(name_of("192.0.2.10", zone));
}

static void test_an_answer_in_127_means_listed(void **state)
{
	(void)state;
	assert_int_equal(says(QUESTION_OK, "\x7f\0\0\x02", 1), BLOCK_LIST_LISTED);
	assert_string_equal(code, "127.0.0.2");
	assert_int_equal(says(QUESTION_OK, "\x7f\xff\xfe\x02", 1), BLOCK_LIST_LISTED);
	assert_int_equal(says(QUESTION_NO_DOMAIN, "", 0), BLOCK_LIST_CLEAN);
	assert_int_equal(says(QUESTION_NO_DATA, "", 0), BLOCK_LIST_CLEAN);
	assert_string_equal(code, "");
}

static void test_127_255_255_means_that_it_does_not_answer_us(void **state)
{
	(void)state;
	assert_int_equal(says(QUESTION_OK, "\x7f\xff\xff\xfe", 1), BLOCK_LIST_REFUSES);
	assert_string_equal(code, "127.255.255.254");
	/* Beside a real entry the entry counts. */
	assert_int_equal(says(QUESTION_OK, "\x7f\xff\xff\xfe\x7f\0\0\x04", 2), BLOCK_LIST_LISTED);
	assert_string_equal(code, "127.0.0.4");
}

static void test_other_answers_are_no_entries(void **state)
{
	(void)state;
	/* A zone that was given up, with a wildcard for whoever bought the name. */
	assert_int_equal(says(QUESTION_OK, "\xcb\0\x71\x05", 1), BLOCK_LIST_STRANGE);
	assert_string_equal(code, "203.0.113.5");
	assert_int_equal(says(QUESTION_TIMEOUT, "", 0), BLOCK_LIST_SILENT);
	assert_int_equal(says(QUESTION_FAILED, "", 0), BLOCK_LIST_SILENT);
	assert_int_equal(says(QUESTION_BOGUS, "", 0), BLOCK_LIST_SILENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses_are_asked_backwards),
		cmocka_unit_test(test_an_answer_in_127_means_listed),
		cmocka_unit_test(test_127_255_255_means_that_it_does_not_answer_us),
		cmocka_unit_test(test_other_answers_are_no_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
