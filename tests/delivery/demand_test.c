/* What a domain's MX answer and its MTA-STS policy demand of its hosts. */
#include "delivery/demand.h"

#include "base/fail_alloc.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct mx_host *add_host(struct mx_answer *answer, const char *name, u8 finding)
{
	struct mx_host *host = &answer->hosts[answer->host_count++];

	snprintf(host->name, sizeof(host->name), "%s", name);
	host->dane = finding;
	host->tlsa_first = answer->tlsa_used;
	return host;
}

/* To the host that was added last. */
static void add_record(struct mx_answer *answer, const char *data)
{
	const struct dane_record record = { 3, 1, 1, slice_of(data) };
	size_t len = dane_record_pack(answer->tlsa + answer->tlsa_used,
				      MX_TLSA_BYTES_MAX - answer->tlsa_used, &record);

	assert_true(len > 0);
	answer->tlsa_used += (u16)len;
	answer->hosts[answer->host_count - 1].tlsa_len += (u16)len;
}

static struct demand *make(const struct mx_answer *answer)
{
	struct demand *demand;

	assert_true(demand_make(&demand, answer, NULL));
	return demand;
}

static struct mx_answer two_hosts(bool turned)
{
	struct mx_answer answer = { .status = MX_OK, .secure = true };

	for (u32 i = 0; i < 2; i++) {
		bool first = (i == 0) != turned;

		add_host(&answer, first ? "mx1.test" : "mx2.test", DANE_USABLE);
		add_record(&answer, first == turned ? "record b" : "record a");
		add_record(&answer, first == turned ? "record a" : "record b");
	}
	return answer;
}

static void where_nothing_is_published_nothing_is_demanded(void **state)
{
	struct mx_answer answer = { .status = MX_OK };

	(void)state;
	assert_null(make(&answer));
	add_host(&answer, "mx1.test", DANE_ABSENT);
	add_host(&answer, "mx2.test", DANE_ABSENT);
	assert_null(make(&answer));
	assert_null(demand_of(NULL, "mx1.test"));
	demand_give(demand_take(NULL));
}

static void every_finding_has_its_level(void **state)
{
	struct mx_answer answer = { .status = MX_OK };
	struct demand *demand;
	struct slice packed;
	struct dane_record record;

	(void)state;
	add_host(&answer, "absent.test", DANE_ABSENT);
	add_host(&answer, "unusable.test", DANE_UNUSABLE);
	add_host(&answer, "usable.test", DANE_USABLE);
	add_record(&answer, "some data");
	snprintf(answer.hosts[2].tlsa_base, sizeof(answer.hosts[2].tlsa_base), "base.test");
	add_host(&answer, "failed.test", DANE_FAILED);
	demand = make(&answer);
	assert_int_equal(demand_of(demand, "absent.test")->level, DEMAND_NOTHING);
	assert_int_equal(demand_of(demand, "unusable.test")->level, DEMAND_TLS);
	assert_int_equal(demand_of(demand, "usable.test")->level, DEMAND_DANE);
	assert_int_equal(demand_of(demand, "failed.test")->level, DEMAND_AWAY);
	assert_null(demand_of(demand, "other.test"));
	assert_string_equal(demand_of(demand, "usable.test")->base, "base.test");
	assert_string_equal(demand_of(demand, "failed.test")->base, "failed.test");
	packed = demand_of(demand, "usable.test")->tlsa;
	assert_true(dane_record_next(&packed, &record));
	assert_true(slice_equal(record.data, SLICE("some data")));
	assert_int_equal(packed.len, 0);
	demand_give(demand);
}

/* DANE alone counts where it says something; elsewhere the policy does. */
static void a_policy_fills_what_dane_leaves_open(void **state)
{
	static const enum demand_level levels[3][4][2] = {
		/* By mode and finding; of a host that the policy names, and of another. */
		[STS_NONE] = {
			[DANE_ABSENT] = { DEMAND_NOTHING, DEMAND_NOTHING },
			[DANE_UNUSABLE] = { DEMAND_TLS, DEMAND_TLS },
			[DANE_USABLE] = { DEMAND_DANE, DEMAND_DANE },
			[DANE_FAILED] = { DEMAND_AWAY, DEMAND_AWAY },
		},
		[STS_TESTING] = {
			[DANE_ABSENT] = { DEMAND_WISH, DEMAND_WISH_OTHER },
			[DANE_UNUSABLE] = { DEMAND_TLS, DEMAND_TLS },
			[DANE_USABLE] = { DEMAND_DANE, DEMAND_DANE },
			[DANE_FAILED] = { DEMAND_AWAY, DEMAND_AWAY },
		},
		[STS_ENFORCE] = {
			[DANE_ABSENT] = { DEMAND_PKIX, DEMAND_OTHER },
			[DANE_UNUSABLE] = { DEMAND_PKIX, DEMAND_OTHER },
			[DANE_USABLE] = { DEMAND_DANE, DEMAND_DANE },
			[DANE_FAILED] = { DEMAND_AWAY, DEMAND_AWAY },
		},
	};

	(void)state;
	for (u32 mode = 0; mode < 3; mode++) {
		struct sts_policy policy = { .mode = mode, .mx_len = 8, .mx = "in.test" };

		for (u8 finding = 0; finding < 4; finding++) {
			struct mx_answer answer = { .status = MX_OK };
			struct demand *demand;

			add_host(&answer, "failed.test", DANE_FAILED); /* so that there is one */
			add_host(&answer, "in.test", finding);
			add_host(&answer, "out.test", finding);
			assert_true(demand_make(&demand, &answer, &policy));
			assert_int_equal(demand_of(demand, "in.test")->level,
					 levels[mode][finding][0]);
			assert_int_equal(demand_of(demand, "out.test")->level,
					 levels[mode][finding][1]);
			demand_give(demand);
		}
	}
}

/* Name servers turn answers round, and equal preferences change places. */
static void the_order_of_hosts_and_records_does_not_count(void **state)
{
	struct mx_answer straight = two_hosts(false);
	struct mx_answer turned = two_hosts(true);
	struct demand *a = make(&straight);
	struct demand *b = make(&turned);

	(void)state;
	assert_true(demand_same(a, b));
	assert_true(demand_of(a, "mx1.test")->id == demand_of(b, "mx1.test")->id);
	assert_true(slice_equal(demand_of(a, "mx2.test")->tlsa, demand_of(b, "mx2.test")->tlsa));
	demand_give(a);
	demand_give(b);
}

static void whatever_else_differs_counts(void **state)
{
	const struct mx_answer same = two_hosts(false);
	struct mx_answer others[6];
	struct demand *demand = make(&same);

	(void)state;
	for (size_t i = 0; i < array_count(others); i++)
		others[i] = same;
	others[0].hosts[0].dane = DANE_UNUSABLE;
	others[1].hosts[0].name[2] = '9';
	others[2].tlsa[others[2].hosts[1].tlsa_first + 6] ^= 1;
	others[3].hosts[1].tlsa_len /= 2;
	others[4].host_count = 1;
	memcpy(others[5].hosts[1].tlsa_base, "base.test", 10);
	for (size_t i = 0; i < array_count(others); i++) {
		struct demand *other = make(&others[i]);

		if (demand_same(demand, other))
			fail_msg("change %zu", i);
		demand_give(other);
	}
	assert_false(demand_same(demand, NULL));
	assert_false(demand_same(NULL, demand));
	assert_true(demand_same(NULL, NULL));
	demand_give(demand);
}

static void it_outlives_the_answer_and_all_but_the_last_who_hold_it(void **state)
{
	struct mx_answer answer = two_hosts(false);
	struct demand *demand = make(&answer);

	(void)state;
	memset(&answer, 0xff, sizeof(answer));
	assert_ptr_equal(demand_take(demand), demand);
	demand_give(demand);
	assert_string_equal(demand_of(demand, "mx1.test")->base, "mx1.test");
	demand_give(demand);
}

static void without_memory_it_says_so(void **state)
{
	const struct mx_answer answer = two_hosts(false);
	struct demand *demand;

	(void)state;
	fail_alloc(1);
	assert_false(demand_make(&demand, &answer, NULL));
	assert_true(fail_alloc_end());
	assert_null(demand);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_nothing_is_published_nothing_is_demanded),
		cmocka_unit_test(every_finding_has_its_level),
		cmocka_unit_test(a_policy_fills_what_dane_leaves_open),
		cmocka_unit_test(the_order_of_hosts_and_records_does_not_count),
		cmocka_unit_test(whatever_else_differs_counts),
		cmocka_unit_test(it_outlives_the_answer_and_all_but_the_last_who_hold_it),
		cmocka_unit_test(without_memory_it_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
