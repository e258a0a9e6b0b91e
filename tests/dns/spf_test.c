/*
 * SPF as receivers evaluate it: each case of spf_cases.txt is a test, by the groups of RFC 7208. The
 * same cases are put to another implementation by tests/integration/test_spf_verifier.py.
 */
#include "spf_cases.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CASES "tests/dns/spf_cases.txt"
#define TESTS_MAX 512

static struct spf_cases cases;

/* Tests run in the order of the file, each goes on to its own case. */
static void test_case(void **state)
{
	struct spf spf;
	enum spf_result result;

	(void)state;
	assert_true(spf_cases_next(&cases));
	result = spf_cases_evaluate(&cases, &spf);
	if (strcmp(spf_result_name(result), cases.fields[4]) != 0)
		print_error("%s\n", spf.why);
	assert_string_equal(spf_result_name(result), cases.fields[4]);
	assert_string_equal(spf.explanation, cases.fields[5]);
	/* Whatever it is, the operator is told why; only a domain without a record has no more to say. */
	assert_true(spf.why[0] != '\0' || result == SPF_NONE);
	assert_true(spf.lookups <= SPF_LOOKUPS_MAX);
}

static void test_why_names_the_term_and_the_record_it_is_in(void **state)
{
	static const struct {
		const char *record;
		const char *inner;
		const char *why;
	} rows[] = {
		{ "v=spf1 ip4:192.0.2.1 -all", "", "matched: ip4:192.0.2.1" },
		{ "v=spf1 include:inner.example.com -all", "v=spf1 +all",
		  "matched: include:inner.example.com" },
		{ "v=spf1 a/33", "", "the prefix length is wrong: a/33" },
		{ "v=spf1 include:inner.example.com", "v=spf1 ipv4:1.2.3.4",
		  "there is no such mechanism: ipv4:1.2.3.4, in the record of inner.example.com" },
		{ "v=spf1 \\x1b[2J\\xff", "", "there is no such mechanism: ?[2J?" },
		{ "v=spf1 redirect=inner.example.com", "v=spf1 ~all",
		  "matched: ~all, in the record of inner.example.com" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		char line[500];
		struct spf spf = { .ask = spf_cases_ask, .arg = &cases, .sender = "a@example.com" };

		cases.row_count = 0;
		snprintf(line, sizeof(line), "example.com TXT \"%s\"", rows[i].record);
		zone_add_row(&cases, slice_of(line));
		snprintf(line, sizeof(line), "inner.example.com TXT \"%s\"", rows[i].inner);
		zone_add_row(&cases, slice_of(line));
		assert_true(net_address_parse(&spf.address, SLICE("192.0.2.1"), false));
		(void)spf_evaluate(&spf);
		assert_string_equal(spf.why, rows[i].why);
		snprintf(line, sizeof(line), "%s: %s%s%s", spf_reason_text(spf.reason), spf.term,
			 spf.in[0] ? ", in the record of " : "", spf.in);
		assert_string_equal(line, rows[i].why);
	}
}

int main(void)
{
	static struct CMUnitTest tests[TESTS_MAX];
	static char names[TESTS_MAX][160];
	size_t count = 0;

	spf_cases_open(&cases, CASES);
	while (count + 1 < TESTS_MAX && spf_cases_next(&cases)) {
		snprintf(names[count], sizeof(names[count]), "%.40s: %.100s", cases.zone, cases.fields[0]);
		tests[count] = (struct CMUnitTest){ .name = names[count], .test_func = test_case };
		count++;
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(
		test_why_names_the_term_and_the_record_it_is_in);
	spf_cases_open(&cases, CASES);
	return _cmocka_run_group_tests("spf", tests, count, NULL, NULL);
}
