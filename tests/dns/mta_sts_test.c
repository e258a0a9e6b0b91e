/* MTA-STS: announcements, policies, and what is known of a domain over time. */
#include "base/clock.h"
#include "base/text.h"
#include "dns/mta_sts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- announcements ---- */

static void check_txt(const char *text, enum sts_txt want, const char *id)
{
	char got[STS_ID_SIZE];

	if (sts_txt_read(got, slice_of(text)) != want)
		fail_msg("%s", text);
	if (want == STS_TXT_GOOD)
		assert_string_equal(got, id);
}

static void an_announcement_has_a_version_and_an_id(void **state)
{
	(void)state;
	check_txt("v=STSv1; id=20160831085700Z;", STS_TXT_GOOD, "20160831085700Z");
	check_txt("v=STSv1;id=a", STS_TXT_GOOD, "a");
	check_txt("v=STSv1 \t; id=aZ9 ; ", STS_TXT_GOOD, "aZ9");
	check_txt("v=STSv1; x=y; id=1; other=2;", STS_TXT_GOOD, "1");
	check_txt("v=STSv1; id=12345678901234567890123456789012;", STS_TXT_GOOD,
		  "12345678901234567890123456789012");
}

static void other_records_are_told_from_broken_ones(void **state)
{
	static const char *const others[] = { "", "v=spf1 -all", "v=STSv2; id=1", "v=STSv10; id=1",
					      "V=STSv1; id=1", " v=STSv1; id=1", "id=1; v=STSv1" };
	static const char *const broken[] = {
		"v=STSv1",	     "v=STSv1;",	   "v=STSv1; id=",	"v=STSv1; id=a-b",
		"v=STSv1; id=a b;",  "v=STSv1; id=a; id=b", "v=STSv1; id",	"v=STSv1;; id=a",
		"v=STSv1; ID=a",     "v=STSv1; id=123456789012345678901234567890123",
	};

	(void)state;
	for (size_t i = 0; i < array_count(others); i++)
		check_txt(others[i], STS_TXT_OTHER, "");
	for (size_t i = 0; i < array_count(broken); i++)
		check_txt(broken[i], STS_TXT_BROKEN, "");
}

/* ---- policies ---- */

static struct sts_policy read_good(const char *body)
{
	struct sts_policy policy;

	if (!sts_policy_read(&policy, slice_of(body)))
		fail_msg("%s", body);
	return policy;
}

static void a_policy_is_read(void **state)
{
	struct sts_policy policy = read_good("version: STSv1\r\nmode: enforce\r\nmx: mail.x.test\r\n"
					     "mx: *.X.test\r\nmx: backup.test.\r\nmax_age: 604800\r\n");

	(void)state;
	assert_int_equal(policy.mode, STS_ENFORCE);
	assert_int_equal(policy.max_age_s, 604800);
	assert_memory_equal(policy.mx, "mail.x.test\0*.x.test\0backup.test", policy.mx_len);
	assert_int_equal(policy.mx_len, 12 + 9 + 12);
}

static void order_line_ends_and_unknown_fields_do_not_count(void **state)
{
	struct sts_policy policy = read_good("max_age:1\n\nmx:a.test\nsome thing: else\n"
					     "mode:\ttesting  \nversion : STSv1");

	(void)state;
	assert_int_equal(policy.mode, STS_TESTING);
	assert_int_equal(policy.max_age_s, 1);
	assert_string_equal(policy.mx, "a.test");
}

static void of_a_field_given_twice_the_first_counts(void **state)
{
	struct sts_policy policy = read_good("version: STSv1\nmode: enforce\nmode: none\nmax_age: 5\n"
					     "max_age: nonsense\nversion: STSv9\nmx: a.test\n");

	(void)state;
	assert_int_equal(policy.mode, STS_ENFORCE);
	assert_int_equal(policy.max_age_s, 5);
}

static void an_age_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(read_good("version: STSv1\nmode: none\nmax_age: 99999999999").max_age_s,
			 STS_AGE_MAX_S);
	assert_int_equal(read_good("version: STSv1\nmode: none\nmax_age: 0").max_age_s, 0);
}

static void what_is_no_policy_is_refused(void **state)
{
	static const char *const refused[] = {
		"",
		"<html>not found</html>",
		"version: STSv1\nmode: enforce\nmax_age: 5\n",	/* no mx */
		"version: STSv1\nmode: enforce\nmx: a.test\n",	/* no age */
		"version: STSv1\nmx: a.test\nmax_age: 5\n",
		"mode: enforce\nmx: a.test\nmax_age: 5\n",
		"version: STSv2\nmode: enforce\nmx: a.test\nmax_age: 5\n",
		"version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: -5\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 5 days\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 18446744073709551616\n",
		"version: STSv1\nmode: enforce\nmx: *\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: *.\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: a.*.test\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: *.*.test\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: .a.test\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: a test\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: 192.0.2.1\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx:\nmax_age: 5\n",
		"version: STSv1\nmode: enforce\nmx: a.test\nmax_age: 5\nno colon\n",
	};
	struct sts_policy policy;

	(void)state;
	for (size_t i = 0; i < array_count(refused); i++) {
		if (sts_policy_read(&policy, slice_of(refused[i])))
			fail_msg("taken: %s", refused[i]);
	}
	assert_false(sts_policy_read(&policy, SLICE("version: STSv1\nmode: enforce\nmx: a\0b.test\n"
						    "max_age: 5\n")));
}

static void more_patterns_than_there_is_room_for_are_refused(void **state)
{
	char body[STS_MX_BYTES_MAX * 2];
	struct sts_policy policy;
	size_t len;

	(void)state;
	for (u32 count = 200; count <= 300; count++) {
		len = (size_t)snprintf(body, sizeof(body), "version:STSv1\nmode:enforce\nmax_age:5\n");
		for (u32 i = 0; i < count; i++)
			len += (size_t)snprintf(body + len, sizeof(body) - len, "mx:a%03u.tt\n", i);
		/* Each takes seven bytes and its NUL. */
		assert_int_equal(sts_policy_read(&policy, (struct slice){ body, len }),
				 count <= STS_MX_BYTES_MAX / 8);
	}
}

static void a_wildcard_stands_for_one_label(void **state)
{
	struct sts_policy policy = read_good("version: STSv1\nmode: enforce\nmax_age: 5\n"
					     "mx: mx.a.test\nmx: *.b.test\n");

	(void)state;
	assert_true(sts_policy_allows(&policy, "mx.a.test"));
	assert_true(sts_policy_allows(&policy, "any.b.test"));
	assert_false(sts_policy_allows(&policy, "other.a.test"));
	assert_false(sts_policy_allows(&policy, "x.mx.a.test"));
	assert_false(sts_policy_allows(&policy, "b.test"));
	assert_false(sts_policy_allows(&policy, ".b.test"));
	assert_false(sts_policy_allows(&policy, "any.any.b.test"));
	assert_false(sts_policy_allows(&policy, "anyb.test"));
	assert_false(sts_policy_allows(&policy, ""));
}

/* ---- over time ---- */

#define NOW 1000000000ull

static struct sts_entry entry_with(u32 max_age_s)
{
	struct sts_policy policy = read_good("version: STSv1\nmode: enforce\nmax_age: 5\nmx: a.test");
	struct sts_entry entry = { .id = "" };

	policy.max_age_s = max_age_s;
	sts_entry_fetched(&entry, "one", &policy, NOW);
	return entry;
}

static void what_is_announced_and_not_known_is_fetched(void **state)
{
	const struct sts_entry nothing = { .id = "" };

	(void)state;
	assert_true(sts_entry_is_old(NULL, "one", NOW));
	assert_true(sts_entry_is_old(&nothing, "one", NOW));
	assert_false(sts_entry_is_old(NULL, "", NOW));
	assert_false(sts_entry_is_alive(&nothing, NOW));
}

static void another_id_is_fetched_and_the_same_one_is_not(void **state)
{
	const struct sts_entry entry = entry_with(86400);
	const u64 later = NOW + STS_RETRY_MS;

	(void)state;
	assert_false(sts_entry_is_old(&entry, "one", later));
	assert_true(sts_entry_is_old(&entry, "two", later));
	assert_false(sts_entry_is_old(&entry, "", later));
	assert_false(sts_entry_is_old(&entry, "two", later - 1)); /* not at each change */
}

static void a_policy_counts_until_its_time_is_over(void **state)
{
	const struct sts_entry entry = entry_with(86400);

	(void)state;
	assert_true(sts_entry_is_alive(&entry, NOW));
	assert_true(sts_entry_is_alive(&entry, NOW + 86400 * MS_PER_S - 1));
	assert_false(sts_entry_is_alive(&entry, NOW + 86400 * MS_PER_S));
}

static void a_policy_is_fetched_anew_before_its_time_is_over(void **state)
{
	const struct sts_entry short_one = entry_with(3600);
	const struct sts_entry long_one = entry_with(STS_AGE_MAX_S);

	(void)state;
	assert_false(sts_entry_is_old(&short_one, "one", NOW + 1800 * MS_PER_S - 1));
	assert_true(sts_entry_is_old(&short_one, "one", NOW + 1800 * MS_PER_S));
	assert_false(sts_entry_is_old(&long_one, "one", NOW + STS_REFRESH_MS - 1));
	assert_true(sts_entry_is_old(&long_one, "one", NOW + STS_REFRESH_MS));
}

static void a_fetch_that_failed_takes_nothing_away_and_is_not_tried_at_once(void **state)
{
	struct sts_entry entry = entry_with(86400);
	struct sts_entry nothing = { .id = "" };
	const u64 later = NOW + STS_REFRESH_MS / 2;

	(void)state;
	sts_entry_failed(&entry, later);
	assert_true(sts_entry_is_alive(&entry, later));
	assert_string_equal(entry.id, "one");
	assert_false(sts_entry_is_old(&entry, "two", later + STS_RETRY_MS - 1));
	assert_true(sts_entry_is_old(&entry, "two", later + STS_RETRY_MS));
	sts_entry_failed(&nothing, NOW);
	assert_false(sts_entry_is_alive(&nothing, NOW));
	assert_false(sts_entry_is_old(&nothing, "one", NOW + 1));
	assert_true(sts_entry_is_old(&nothing, "one", NOW + STS_RETRY_MS));
}

/* ---- kept ---- */

static void check_kept(const struct sts_entry *entry)
{
	struct sts_entry back;
	struct buf text;

	buf_init(&text, STS_ENTRY_TEXT_MAX);
	sts_entry_write(entry, &text);
	assert_false(text.failed);
	assert_true(sts_entry_read(&back, buf_slice(&text)));
	assert_string_equal(back.id, entry->id);
	assert_true(back.fetched_ms == entry->fetched_ms && back.tried_ms == entry->tried_ms);
	assert_int_equal(back.policy.mode, entry->policy.mode);
	assert_int_equal(back.policy.max_age_s, entry->policy.max_age_s);
	assert_int_equal(back.policy.mx_len, entry->policy.mx_len);
	assert_memory_equal(back.policy.mx, entry->policy.mx, entry->policy.mx_len);
	buf_done(&text);
}

static void an_entry_is_read_as_it_was_written(void **state)
{
	struct sts_entry entry = entry_with(86400);
	struct sts_entry nothing = { .tried_ms = 5 };
	struct sts_policy policy;

	(void)state;
	check_kept(&entry);
	check_kept(&nothing);
	policy = read_good("version: STSv1\nmode: testing\nmax_age: 5\nmx: a.test\nmx: *.b.test\n");
	sts_entry_fetched(&entry, "12345678901234567890123456789012", &policy, UINT64_MAX / 2);
	check_kept(&entry);
}

static void what_was_not_written_by_us_is_refused(void **state)
{
	static const char *const refused[] = {
		"",
		"one",
		"one 1 2 enforce",
		"one 1 2 enforce x a.test",
		"one 1 2 perhaps 5 a.test",
		"o-e 1 2 enforce 5 a.test",
		"one 1 x enforce 5 a.test",
		"one 1 2 enforce 5 a.test ",
		"one 1 2 enforce 5 a..test",
	};
	struct sts_entry entry;

	(void)state;
	for (size_t i = 0; i < array_count(refused); i++) {
		if (sts_entry_read(&entry, slice_of(refused[i])))
			fail_msg("taken: %s", refused[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_announcement_has_a_version_and_an_id),
		cmocka_unit_test(other_records_are_told_from_broken_ones),
		cmocka_unit_test(a_policy_is_read),
		cmocka_unit_test(order_line_ends_and_unknown_fields_do_not_count),
		cmocka_unit_test(of_a_field_given_twice_the_first_counts),
		cmocka_unit_test(an_age_is_bounded),
		cmocka_unit_test(what_is_no_policy_is_refused),
		cmocka_unit_test(more_patterns_than_there_is_room_for_are_refused),
		cmocka_unit_test(a_wildcard_stands_for_one_label),
		cmocka_unit_test(what_is_announced_and_not_known_is_fetched),
		cmocka_unit_test(another_id_is_fetched_and_the_same_one_is_not),
		cmocka_unit_test(a_policy_counts_until_its_time_is_over),
		cmocka_unit_test(a_policy_is_fetched_anew_before_its_time_is_over),
		cmocka_unit_test(a_fetch_that_failed_takes_nothing_away_and_is_not_tried_at_once),
		cmocka_unit_test(an_entry_is_read_as_it_was_written),
		cmocka_unit_test(what_was_not_written_by_us_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
