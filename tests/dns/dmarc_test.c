/* DMARC: records with all their tags, which record holds for a domain, and what is aligned. */
#include "base/text.h"
#include "dns/dmarc.h"
#include "spf_cases.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct spf_cases zone;
static struct dmarc_record record;
static enum dmarc_fault fault;

static enum dmarc_reading read(const char *text)
{
	fault = DMARC_FAULTS;
	return dmarc_read(slice_of(text), &record, &fault);
}

#define assert_slice(s, text) assert_true(slice_equal((s), slice_of(text)))

/* ---- records ---- */

static void test_tags_that_are_not_there_have_defaults(void **state)
{
	(void)state;
	assert_int_equal(read("v=DMARC1; p=quarantine"), DMARC_IS_RECORD);
	assert_int_equal(record.policy, DMARC_POLICY_QUARANTINE);
	assert_int_equal(record.subdomains, DMARC_POLICY_QUARANTINE);
	assert_false(record.is_dkim_strict);
	assert_false(record.is_spf_strict);
	assert_int_equal(record.percent, 100);
	assert_int_equal(record.interval_s, 86400);
	assert_int_equal(record.failure_options, DMARC_FAILURE_ALL);
	assert_int_equal(record.aggregate_to.len, 0);
	assert_int_equal(record.ignored.len, 0);
}

static void test_all_tags_are_read(void **state)
{
	(void)state;
	assert_int_equal(read("v = DMARC1 ;p=Reject; sp=none ; adkim=s;aspf=S; pct=20; ri=3600; fo=1:d:s;"
			      " rf=afrf; rua=mailto:a@example.com!10m, mailto:b@example.net;"
			      " ruf=mailto:c@example.com; unknown=x=y;"),
			 DMARC_IS_RECORD);
	assert_int_equal(record.policy, DMARC_POLICY_REJECT);
	assert_int_equal(record.subdomains, DMARC_POLICY_NONE);
	assert_true(record.is_dkim_strict && record.is_spf_strict);
	assert_int_equal(record.percent, 20);
	assert_int_equal(record.interval_s, 3600);
	assert_int_equal(record.failure_options, DMARC_FAILURE_ANY | DMARC_FAILURE_DKIM | DMARC_FAILURE_SPF);
	assert_slice(record.aggregate_to, "mailto:a@example.com!10m, mailto:b@example.net");
	assert_slice(record.failures_to, "mailto:c@example.com");
	assert_int_equal(record.ignored.len, 0);
}

static void test_a_record_begins_with_its_version(void **state)
{
	(void)state;
	assert_int_equal(read("p=none; v=DMARC1"), DMARC_IS_OTHER);
	assert_int_equal(read("v=DMARC2; p=none"), DMARC_IS_OTHER);
	assert_int_equal(read("v=dmarc1; p=none"), DMARC_IS_OTHER);
	assert_int_equal(read("v=DMARC1x; p=none"), DMARC_IS_OTHER);
	assert_int_equal(read("V=DMARC1; p=none"), DMARC_IS_OTHER);
	assert_int_equal(read(""), DMARC_IS_OTHER);
}

static void test_malformed_tags_fall_back_and_are_named(void **state)
{
	static const char *const tags[] = { "pct=101",  "pct=x", "adkim=strict", "aspf=", "ri=1h",
					    "fo=2",	"fo=",	 "rf=iodef",	 "junk",  "rua=example.com",
					    "ruf=mailto:" };

	(void)state;
	for (size_t i = 0; i < array_count(tags); i++) {
		char text[100];

		snprintf(text, sizeof(text), "v=DMARC1; p=reject; %s", tags[i]);
		assert_int_equal(read(text), DMARC_IS_RECORD);
		assert_slice(record.ignored, tags[i]);
		assert_int_equal(record.policy, DMARC_POLICY_REJECT);
		assert_int_equal(record.percent, 100);
		assert_false(record.is_dkim_strict || record.is_spf_strict);
		assert_int_equal(record.interval_s, 86400);
		assert_int_equal(record.failure_options, DMARC_FAILURE_ALL);
	}
}

static void test_without_a_policy_reports_alone_keep_a_record_alive(void **state)
{
	(void)state;
	assert_int_equal(read("v=DMARC1"), DMARC_IS_BROKEN);
	assert_int_equal(fault, DMARC_FAULT_NO_POLICY);
	assert_int_equal(read("v=DMARC1; p=refuse"), DMARC_IS_BROKEN);
	assert_int_equal(read("v=DMARC1; p=reject; sp=refuse"), DMARC_IS_BROKEN);
	assert_int_equal(read("v=DMARC1; p=; rua=nonsense"), DMARC_IS_BROKEN);
	assert_int_equal(read("v=DMARC1; rua=mailto:a@example.com"), DMARC_IS_RECORD);
	assert_int_equal(record.policy, DMARC_POLICY_NONE);
	assert_int_equal(read("v=DMARC1; p=reject; sp=x; rua=mailto:a@example.com"), DMARC_IS_RECORD);
	assert_int_equal(record.policy, DMARC_POLICY_NONE);
	assert_int_equal(record.subdomains, DMARC_POLICY_NONE);
}

static void test_a_tag_that_is_there_twice_breaks_the_record(void **state)
{
	(void)state;
	assert_int_equal(read("v=DMARC1; p=reject; p=none; rua=mailto:a@example.com"), DMARC_IS_BROKEN);
	assert_int_equal(fault, DMARC_FAULT_TWICE);
	assert_int_equal(read("v=DMARC1; p=reject; v=DMARC1"), DMARC_IS_BROKEN);
}

/* ---- organisations ---- */

static void test_an_organisation_is_one_label_below_a_public_suffix(void **state)
{
	static const char *const rows[][2] = {
		{ "example.com", "example.com" },
		{ "a.b.example.com", "example.com" },
		{ "News.Example.CO.JP", "example.co.jp" },
		{ "x.city.kawasaki.jp", "city.kawasaki.jp" }, /* an exception */
		{ "a.b.c.kawasaki.jp", "b.c.kawasaki.jp" },   /* a wildcard */
		{ "a.example.tokyo.jp", "example.tokyo.jp" },
		{ "a.b.github.io", "b.github.io" },
		{ "a.b.unheard-of", "b.unheard-of" },
		{ "co.jp", "co.jp" },
		{ "com", "com" },
		{ "a.b.xn--55qx5d.cn", "b.xn--55qx5d.cn" },
		{ "a.xn--r8jz45g.jp", "xn--r8jz45g.jp" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		char organisation[QUESTION_NAME_SIZE];

		dmarc_organisation(rows[i][0], organisation);
		assert_string_equal(organisation, rows[i][1]);
	}
}

static void test_relaxed_alignment_is_of_organisations_and_strict_of_names(void **state)
{
	(void)state;
	assert_true(dmarc_is_aligned("example.com", "Example.COM", true));
	assert_false(dmarc_is_aligned("example.com", "mail.example.com", true));
	assert_true(dmarc_is_aligned("example.com", "mail.example.com", false));
	assert_true(dmarc_is_aligned("news.example.com", "mail.example.com", false));
	assert_false(dmarc_is_aligned("example.com", "badexample.com", false));
	assert_false(dmarc_is_aligned("a.co.jp", "b.co.jp", false));
	assert_false(dmarc_is_aligned("example.com", "example.net", false));
}

/* ---- discovery ---- */

static void publish(const char *line)
{
	zone_add_row(&zone, slice_of(line));
}

static void find(const char *domain, struct dmarc_answer *answer)
{
	dmarc_find(spf_cases_ask, &zone, domain, answer);
}

static void test_the_domains_own_record_comes_first(void **state)
{
	struct dmarc_answer answer;

	(void)state;
	publish("_dmarc.example.co.jp TXT \"v=DMARC1; p=reject; sp=quarantine\"");
	publish("_dmarc.news.example.co.jp TXT \"v=DMARC1; p=none; adkim=s\"");
	find("news.example.co.jp", &answer);
	assert_int_equal(answer.status, DMARC_FOUND);
	assert_string_equal(answer.at, "news.example.co.jp");
	assert_int_equal(answer.policy, DMARC_POLICY_NONE);
	assert_true(answer.record.is_dkim_strict);
}

static void test_else_that_of_the_organisation_with_its_policy_for_subdomains(void **state)
{
	struct dmarc_answer answer;

	(void)state;
	publish("_dmarc.example.co.jp TXT \"v=DMARC1; p=reject; \" \"sp=quarantine\"");
	publish("_dmarc.deep.example.co.jp TXT \"v=DMARC1; p=none\"");
	publish("_dmarc.co.jp TXT \"v=DMARC1; p=none\"");
	find("a.deep.example.co.jp", &answer);
	assert_int_equal(answer.status, DMARC_FOUND);
	assert_string_equal(answer.at, "example.co.jp");
	assert_int_equal(answer.policy, DMARC_POLICY_QUARANTINE);
	find("EXAMPLE.co.jp", &answer);
	assert_int_equal(answer.policy, DMARC_POLICY_REJECT);
	find("other.co.jp", &answer);
	assert_int_equal(answer.status, DMARC_NONE);
	assert_string_equal(answer.at, "other.co.jp");
}

static void test_other_texts_do_not_count(void **state)
{
	struct dmarc_answer answer;

	(void)state;
	publish("_dmarc.example.com TXT \"v=spf1 -all\"");
	publish("_dmarc.example.com TXT \"v=DMARC1; p=none\"");
	publish("_dmarc.a.example.com TXT \"hello\"");
	find("a.example.com", &answer);
	assert_int_equal(answer.status, DMARC_FOUND);
	assert_string_equal(answer.at, "example.com");
}

static void test_two_records_are_none_and_end_the_search(void **state)
{
	struct dmarc_answer answer;

	(void)state;
	publish("_dmarc.example.com TXT \"v=DMARC1; p=none\"");
	publish("_dmarc.a.example.com TXT \"v=DMARC1; p=none\"");
	publish("_dmarc.a.example.com TXT \"v=DMARC1; p=none\"");
	find("a.example.com", &answer);
	assert_int_equal(answer.status, DMARC_SEVERAL);
	assert_string_equal(answer.at, "a.example.com");
}

static void test_a_broken_record_ends_the_search_too(void **state)
{
	struct dmarc_answer answer;

	(void)state;
	publish("_dmarc.example.com TXT \"v=DMARC1; p=none\"");
	publish("_dmarc.a.example.com TXT \"v=DMARC1; q=none\"");
	find("a.example.com", &answer);
	assert_int_equal(answer.status, DMARC_BROKEN);
	assert_string_equal(answer.at, "a.example.com");
	assert_int_equal(answer.fault, DMARC_FAULT_NO_POLICY);
}

static void test_no_answer_is_told_as_such(void **state)
{
	struct dmarc_answer answer;

	(void)state;
	publish("_dmarc.example.com FAIL");
	find("a.example.com", &answer);
	assert_int_equal(answer.status, DMARC_TEMPERROR);
	assert_string_equal(answer.at, "example.com");
}

static int empty_zone(void **state)
{
	(void)state;
	zone.row_count = 0;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags_that_are_not_there_have_defaults),
		cmocka_unit_test(test_all_tags_are_read),
		cmocka_unit_test(test_a_record_begins_with_its_version),
		cmocka_unit_test(test_malformed_tags_fall_back_and_are_named),
		cmocka_unit_test(test_without_a_policy_reports_alone_keep_a_record_alive),
		cmocka_unit_test(test_a_tag_that_is_there_twice_breaks_the_record),
		cmocka_unit_test(test_an_organisation_is_one_label_below_a_public_suffix),
		cmocka_unit_test(test_relaxed_alignment_is_of_organisations_and_strict_of_names),
		cmocka_unit_test_setup(test_the_domains_own_record_comes_first, empty_zone),
		cmocka_unit_test_setup(test_else_that_of_the_organisation_with_its_policy_for_subdomains,
				       empty_zone),
		cmocka_unit_test_setup(test_other_texts_do_not_count, empty_zone),
		cmocka_unit_test_setup(test_two_records_are_none_and_end_the_search, empty_zone),
		cmocka_unit_test_setup(test_a_broken_record_ends_the_search_too, empty_zone),
		cmocka_unit_test_setup(test_no_answer_is_told_as_such, empty_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
