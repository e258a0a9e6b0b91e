/* What became of TLS with a domain's hosts on one day: counted by policy and kind, kept as text. */
#include "base/text.h"
#include "delivery/tls_tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct net_address address(const char *text)
{
	struct net_address a;

	assert_true(net_address_parse(&a, slice_of(text), false));
	return a;
}

static void fail_one(struct tls_tally *tally, u32 policy, u8 outcome, const char *receiver, u64 count)
{
	struct tls_failure failure = { .outcome = outcome,
				       .count = count,
				       .receiver = address(receiver),
				       .host = "mx.x.test",
				       .reason = "certificate has expired" };

	assert_true(tls_tally_failed(tally, policy, &failure));
}

static int policy_of(struct tls_tally *tally, u8 type, const char *strings, const char *hosts)
{
	return tls_tally_policy(tally, type, slice_of(strings), slice_of(hosts));
}

static void the_same_policy_is_counted_once(void **state)
{
	struct tls_tally tally;

	(void)state;
	tls_tally_init(&tally);
	assert_true(tls_tally_is_empty(&tally));
	assert_int_equal(policy_of(&tally, TLS_POLICY_STS, "version: STSv1\n", "mx.x.test\n"), 0);
	assert_int_equal(policy_of(&tally, TLS_POLICY_NONE, "", ""), 1);
	assert_int_equal(policy_of(&tally, TLS_POLICY_STS, "version: STSv1\n", "mx.x.test\n"), 0);
	assert_int_equal(policy_of(&tally, TLS_POLICY_STS, "version: STSv1\n", "*.x.test\n"), 2);
	assert_false(tls_tally_is_empty(&tally));
	tls_tally_done(&tally);
}

static void of_many_policies_in_a_day_the_last_takes_the_rest(void **state)
{
	struct tls_tally tally;
	char text[32];

	(void)state;
	tls_tally_init(&tally);
	for (u32 i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "3 1 1 %02x\n", i);
		assert_int_equal(policy_of(&tally, TLS_POLICY_TLSA, text, ""),
				 i < TLS_POLICIES_MAX ? i : TLS_POLICIES_MAX - 1);
	}
	assert_int_equal(tally.policy_count, TLS_POLICIES_MAX);
	tls_tally_done(&tally);
}

static void a_long_policy_is_cut_behind_a_line(void **state)
{
	static char lines[TLS_STRINGS_MAX * 2];
	struct tls_tally tally;
	size_t len;

	(void)state;
	for (u32 i = 0; i < 100; i++)
		snprintf(lines + 50 * i, 51, "%049u\n", i);
	tls_tally_init(&tally);
	assert_int_equal(policy_of(&tally, TLS_POLICY_TLSA, lines, ""), 0);
	len = strlen(tally.policies[0].strings);
	assert_int_equal(len, TLS_STRINGS_MAX / 50 * 50);
	assert_int_equal(tally.policies[0].strings[len - 1], '\n');
	/* And is the same one when it comes again. */
	assert_int_equal(policy_of(&tally, TLS_POLICY_TLSA, lines, ""), 0);
	tls_tally_done(&tally);
}

static void failures_of_a_kind_are_one_with_a_count(void **state)
{
	struct tls_tally tally;

	(void)state;
	tls_tally_init(&tally);
	assert_int_equal(policy_of(&tally, TLS_POLICY_NONE, "", ""), 0);
	fail_one(&tally, 0, TLS_OUTCOME_EXPIRED, "192.0.2.1", 1);
	fail_one(&tally, 0, TLS_OUTCOME_EXPIRED, "192.0.2.1", 4);
	fail_one(&tally, 0, TLS_OUTCOME_EXPIRED, "192.0.2.2", 1);
	fail_one(&tally, 0, TLS_OUTCOME_NOT_TRUSTED, "192.0.2.1", 1);
	assert_int_equal(tally.detail_count, 3);
	assert_int_equal(tally.details[0].count, 5);
	assert_int_equal(tls_tally_failures(&tally, 0), 7);
	tls_tally_done(&tally);
}

/* Nothing is lost but the address: the sum stays right. */
static void beyond_a_bound_failures_are_told_apart_by_their_outcome_alone(void **state)
{
	struct tls_tally tally;
	char text[32];

	(void)state;
	tls_tally_init(&tally);
	assert_int_equal(policy_of(&tally, TLS_POLICY_NONE, "", ""), 0);
	for (u32 i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		fail_one(&tally, 0, i % 2 ? TLS_OUTCOME_EXPIRED : TLS_OUTCOME_NOT_TRUSTED, text, 1);
	}
	assert_int_equal(tally.detail_count, TLS_DETAILS_MAX + 2);
	assert_int_equal(tls_tally_failures(&tally, 0), 200);
	assert_string_equal(tally.details[TLS_DETAILS_MAX].host, "");
	assert_int_equal(tally.details[TLS_DETAILS_MAX].receiver.family, 0);
	tls_tally_done(&tally);
}

static void check_same(const struct tls_tally *a, const struct tls_tally *b)
{
	assert_string_equal(a->rua, b->rua);
	assert_int_equal(a->told, b->told);
	assert_int_equal(a->tries, b->tries);
	assert_int_equal(a->next_ms, b->next_ms);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->policy_count, b->policy_count);
	for (u32 i = 0; i < a->policy_count; i++) {
		assert_int_equal(a->policies[i].type, b->policies[i].type);
		assert_int_equal(a->policies[i].successes, b->policies[i].successes);
		assert_string_equal(a->policies[i].strings, b->policies[i].strings);
		assert_string_equal(a->policies[i].hosts, b->policies[i].hosts);
	}
	assert_int_equal(a->detail_count, b->detail_count);
	for (u32 i = 0; i < a->detail_count; i++) {
		assert_int_equal(a->details[i].count, b->details[i].count);
		assert_int_equal(a->details[i].outcome, b->details[i].outcome);
		assert_int_equal(a->details[i].policy, b->details[i].policy);
		assert_memory_equal(&a->details[i].receiver, &b->details[i].receiver,
				    sizeof(struct net_address));
		assert_memory_equal(&a->details[i].source, &b->details[i].source,
				    sizeof(struct net_address));
		assert_string_equal(a->details[i].host, b->details[i].host);
		assert_string_equal(a->details[i].reason, b->details[i].reason);
	}
}

static void fill(struct tls_tally *tally)
{
	const struct tls_failure bare = { .outcome = TLS_OUTCOME_STS_FETCH, .count = 2, .host = "",
					  .reason = "line\nend \xc3\xa9" };
	struct tls_failure whole = { .outcome = TLS_OUTCOME_HOST_MISMATCH,
				     .count = 1ull << 40,
				     .host = "mx.x.test",
				     .reason = "" };

	whole.source = address("2001:db8::1");
	whole.receiver = address("2001:db8::2");
	tls_tally_init(tally);
	slice_copy(tally->rua, sizeof(tally->rua), SLICE("mailto:a@x.test,https://x.test/r"));
	tally->told = 2;
	tally->tries = 3;
	tally->next_ms = 1234567890123;
	assert_int_equal(policy_of(tally, TLS_POLICY_STS, "version: STSv1\nmode: testing\n",
				   "mx.x.test\n*.y.test\n"), 0);
	assert_int_equal(policy_of(tally, TLS_POLICY_TLSA, "3 1 1 00ff\n", ""), 1);
	assert_int_equal(policy_of(tally, TLS_POLICY_NONE, "", ""), 2);
	tally->policies[0].successes = 7;
	fail_one(tally, 2, TLS_OUTCOME_NO_STARTTLS, "192.0.2.1", 9);
	assert_true(tls_tally_failed(tally, 0, &bare));
	assert_true(tls_tally_failed(tally, 1, &whole));
}

static void what_is_kept_comes_back(void **state)
{
	struct tls_tally tally;
	struct tls_tally back;
	struct buf text;

	(void)state;
	fill(&tally);
	buf_init(&text, TLS_TALLY_TEXT_MAX);
	tls_tally_write(&tally, &text);
	assert_false(text.failed);
	assert_true(tls_tally_read(&back, buf_slice(&text)));
	check_same(&tally, &back);
	tls_tally_done(&back);
	tls_tally_done(&tally);
	buf_done(&text);
}

/* The largest one that can be fits into a record. */
static void the_largest_tally_can_be_kept(void **state)
{
	static char lines[TLS_STRINGS_MAX];
	struct tls_tally tally;
	struct tls_tally back;
	struct buf text;

	(void)state;
	tls_tally_init(&tally);
	memset(tally.rua, 'a', sizeof(tally.rua) - 1);
	for (u32 i = 0; i < TLS_POLICIES_MAX; i++) {
		memset(lines, '0' + (int)i, sizeof(lines));
		for (size_t at = 15; at < sizeof(lines); at += 16)
			lines[at] = '\n';
		assert_int_equal(tls_tally_policy(&tally, TLS_POLICY_STS,
						  (struct slice){ lines, sizeof(lines) },
						  (struct slice){ lines, sizeof(lines) }), i);
		tally.policies[i].successes = UINT64_MAX;
	}
	for (u32 i = 0; i < TLS_DETAILS_MAX + TLS_POLICIES_MAX * TLS_OUTCOMES; i++) {
		char host[256];
		struct tls_failure failure = { .count = UINT64_MAX / 2, .host = host };

		memset(host, 'h', 253);
		snprintf(host + 240, 14, "%013u", i);
		failure.outcome = (u8)(TLS_OUTCOME_NO_STARTTLS + i % 11);
		failure.source = address("2001:db8:1111:2222:3333:4444:5555:6666");
		failure.receiver = failure.source;
		failure.reason = "a long reason that goes on and on and on and on and on and on and on and "
				 "on and on and on";
		assert_true(tls_tally_failed(&tally, i % TLS_POLICIES_MAX, &failure));
	}
	buf_init(&text, TLS_TALLY_TEXT_MAX);
	tls_tally_write(&tally, &text);
	assert_false(text.failed);
	assert_true(tls_tally_read(&back, buf_slice(&text)));
	check_same(&tally, &back);
	tls_tally_done(&back);
	tls_tally_done(&tally);
	buf_done(&text);
}

/* Whatever stands in the record, reading it ends, and takes nothing that could not be written. */
static void damaged_records_are_refused(void **state)
{
	static const char *const bad[] = {
		"x",
		"rua",
		"what is this\n",
		"policy unknown 1\n",
		"policy sts x\n",
		"string without policy\n",
		"policy sts 1\nhost a\npolicy sts 2\nhost a\n",
		"failure 0 certificate-expired 1 - - - \n",
		"policy sts 1\nfailure 1 certificate-expired 1 - - - \n",
		"policy sts 1\nfailure 0 ok 1 - - - \n",
		"policy sts 1\nfailure 0 certificate-expired 1 - - -\n",
		"policy sts 1\nfailure 0 certificate-expired 1 nowhere - - \n",
		"report 256 0 0\n",
		"report 0 0\n",
	};
	struct tls_tally tally;
	struct buf text;

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++) {
		if (tls_tally_read(&tally, slice_of(bad[i])))
			fail_msg("%s", bad[i]);
		assert_true(tls_tally_is_empty(&tally));
	}
	fill(&tally);
	buf_init(&text, TLS_TALLY_TEXT_MAX);
	tls_tally_write(&tally, &text);
	tls_tally_done(&tally);
	for (size_t len = 0; len < text.len; len++) {
		if (tls_tally_read(&tally, slice_first(buf_slice(&text), len)))
			tls_tally_done(&tally);
	}
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_policy_is_counted_once),
		cmocka_unit_test(of_many_policies_in_a_day_the_last_takes_the_rest),
		cmocka_unit_test(a_long_policy_is_cut_behind_a_line),
		cmocka_unit_test(failures_of_a_kind_are_one_with_a_count),
		cmocka_unit_test(beyond_a_bound_failures_are_told_apart_by_their_outcome_alone),
		cmocka_unit_test(what_is_kept_comes_back),
		cmocka_unit_test(the_largest_tally_can_be_kept),
		cmocka_unit_test(damaged_records_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
