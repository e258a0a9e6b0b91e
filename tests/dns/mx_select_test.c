/* MX selection from records as they were found: null MX, implicit MX, forbidden places, order,
 * limits. */
#include "base/text.h"
#include "dns/mx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct mx_params plain = { .ipv4 = true, .ipv6 = true };

static struct net_address address_of(const char *text)
{
	struct net_address address;

	if (!net_address_parse(&address, slice_of(text), false))
		fail_msg("not an address: %s", text);
	return address;
}

static struct mx_found *found_new(void)
{
	struct mx_found *found = calloc(1, sizeof(*found));

	assert_non_null(found);
	found->ttl_s = 3600;
	return found;
}

static size_t add_mx(struct mx_found *found, u16 preference, const char *name)
{
	struct mx_record *record = &found->records[found->record_count];

	record->preference = preference;
	slice_copy(record->name, sizeof(record->name), slice_of(name));
	return found->record_count++;
}

static void add_address(struct mx_found *found, size_t host, const char *text)
{
	found->host_addresses[host][found->host_address_count[host]++] = address_of(text);
}

static void add_host(struct mx_found *found, u16 preference, const char *name, const char *address)
{
	add_address(found, add_mx(found, preference, name), address);
}

static struct mx_answer select_with(struct mx_found *found, const struct mx_params *params)
{
	struct mx_answer answer;

	mx_select(found, params, SLICE("x.test"), &answer);
	free(found);
	return answer;
}

static void a_sole_null_mx_means_no_mail_whatever_addresses_there_are(void **state)
{
	static const char *const roots[] = { "", "." };

	(void)state;
	for (size_t i = 0; i < array_count(roots); i++) {
		struct mx_found *found = found_new();
		struct mx_answer answer;

		add_host(found, 0, roots[i], "20.0.0.1");
		answer = select_with(found, &plain);
		assert_int_equal(answer.status, MX_NULL);
		assert_int_equal(answer.host_count, 0);
		assert_int_equal(answer.address_count, 0);
		assert_string_equal(answer.text,
				    "MX of x.test: the domain takes no mail (null MX)");
	}
}

/* Not as RFC 7505 section 3 wants it, but what else could be meant. */
static void a_root_mx_is_null_at_any_preference_and_however_often(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_host(found, 10, ".", "20.0.0.1");
	add_mx(found, 20, ".");
	answer = select_with(found, &plain);
	assert_int_equal(answer.status, MX_NULL);
	assert_int_equal(answer.address_count, 0);
}

static void a_null_mx_beside_a_real_one_does_not_count(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_mx(found, 0, ".");
	add_host(found, 10, "mx.x.test", "20.0.0.1");
	answer = select_with(found, &plain);
	assert_int_equal(answer.status, MX_OK);
	assert_int_equal(answer.host_count, 1);
	assert_string_equal(answer.hosts[0].name, "mx.x.test");
}

/* Every address of the case, and more of its kind. */
static const char *const forbidden[] = {
	"127.0.0.1",
	"0.0.0.0",
	"::1",
	"::",
	"::ffff:127.0.0.1",
	"169.254.169.254",
	"10.0.0.5",
	"192.168.1.1",
	"100.64.0.1",
	"fe80::1",
	"fd00::1",
	"224.0.0.1",
	"255.255.255.255",
	"172.16.0.1",
	"172.31.255.254",
	"127.1.2.3",
	"0.1.2.3",
	"192.0.2.1",
	"198.18.0.1",
	"240.0.0.1",
	"::ffff:10.0.0.5",
	"::ffff:169.254.169.254",
	"64:ff9b::7f00:1",
	"64:ff9b::a00:5",
	"2002:7f00:1::1",
	"ff02::1",
	"fec0::1",
	"2001:db8::1",
	"::7f00:1",
	"20.0.0.99",
	"::ffff:20.0.0.99",
	"2a00:9::9",
};

static struct mx_params with_own(struct net_address own[2])
{
	struct mx_params params = plain;

	own[0] = address_of("20.0.0.99");
	own[1] = address_of("2a00:9::9");
	own[0].port = 25;
	params.own = own;
	params.own_count = 2;
	return params;
}

static void an_mx_that_leads_inside_or_to_ourselves_is_never_handed_out(void **state)
{
	struct net_address own[2];
	struct mx_params params = with_own(own);

	(void)state;
	for (size_t i = 0; i < array_count(forbidden); i++) {
		struct mx_found *found = found_new();
		struct mx_answer answer;

		add_host(found, 10, "mx.x.test", forbidden[i]);
		answer = select_with(found, &params);
		if (answer.status != MX_ONLY_FORBIDDEN || answer.address_count != 0)
			fail_msg("%s: status %d", forbidden[i], answer.status);
	}
}

static void the_good_address_beside_a_bad_one_is_used(void **state)
{
	struct net_address own[2];
	struct mx_params params = with_own(own);
	struct net_address good = address_of("20.0.0.7");

	(void)state;
	for (size_t i = 0; i < array_count(forbidden); i++) {
		struct mx_found *found = found_new();
		struct mx_answer answer;

		add_host(found, 10, "mx.x.test", forbidden[i]);
		add_address(found, 0, "20.0.0.7");
		answer = select_with(found, &params);
		assert_int_equal(answer.status, MX_OK);
		assert_int_equal(answer.address_count, 1);
		assert_true(net_address_same_host(&answer.addresses[0], &good));
		assert_int_equal(answer.addresses[0].port, 25);
	}
}

static void an_allowed_range_may_be_mailed_to_but_never_our_own_address(void **state)
{
	struct net_range allowed[2];
	struct net_address own = address_of("127.0.0.2");
	struct mx_params params = plain;
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	assert_true(net_range_parse(&allowed[0], SLICE("127.0.0.0/8")));
	assert_true(net_range_parse(&allowed[1], SLICE("fd00::/8")));
	params.allowed = allowed;
	params.allowed_count = 2;
	params.own = &own;
	params.own_count = 1;
	add_host(found, 10, "mx.x.test", "127.0.0.1");
	add_address(found, 0, "127.0.0.2");
	add_address(found, 0, "fd00::1");
	add_address(found, 0, "10.0.0.1");
	add_address(found, 0, "::ffff:127.0.0.3");
	answer = select_with(found, &params);
	assert_int_equal(answer.status, MX_OK);
	assert_int_equal(answer.address_count, 2);
	assert_int_equal(answer.addresses[0].ip[3], 1);
	assert_int_equal(answer.addresses[1].family, 6);
}

static void names_that_are_no_hosts_are_not_used(void **state)
{
	static const struct {
		const char *name;
		enum mx_status status;
	} rows[] = {
		{ "localhost", MX_ONLY_FORBIDDEN },
		{ "localhost.localdomain", MX_ONLY_FORBIDDEN },
		{ "mx.localhost", MX_ONLY_FORBIDDEN },
		{ "20.0.0.1", MX_NO_HOST },
		{ "127.0.0.1", MX_NO_HOST },
		{ "127.1", MX_NO_HOST },
		{ "2130706433", MX_NO_HOST },
		{ "0x7f.0x1", MX_NO_HOST },
		{ "2a00:1::1", MX_NO_HOST },
		{ "[20.0.0.1]", MX_NO_HOST },
		{ "a b.test", MX_NO_HOST },
		{ "a..test", MX_NO_HOST },
		{ "mx?.test", MX_NO_HOST },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct mx_found *found = found_new();
		struct mx_answer answer;

		add_host(found, 10, rows[i].name, "20.0.0.1");
		answer = select_with(found, &plain);
		if (answer.status != rows[i].status || answer.host_count != 0)
			fail_msg("%s: status %d", rows[i].name, answer.status);
	}
}

static void a_domain_without_mx_is_its_own_mail_host(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_address(found, 0, "2a00:1::1");
	add_address(found, 0, "20.0.0.1");
	answer = select_with(found, &plain);
	assert_int_equal(answer.status, MX_OK);
	assert_true(answer.implicit);
	assert_int_equal(answer.host_count, 1);
	assert_string_equal(answer.hosts[0].name, "x.test");
	assert_int_equal(answer.hosts[0].address_count, 2);
	assert_int_equal(select_with(found_new(), &plain).status, MX_NO_HOST);
}

static void a_failed_mx_query_is_temporary_and_never_falls_back(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	found->failed = true;
	add_address(found, 0, "20.0.0.1");
	answer = select_with(found, &plain);
	assert_int_equal(answer.status, MX_TEMPORARY);
	assert_int_equal(answer.host_count, 0);
	assert_int_equal(answer.ttl_s, MX_TTL_MIN_S);
	assert_string_equal(answer.text, "MX of x.test: server failure");
}

static void a_failure_outweighs_nxdomain_and_bogus_outweighs_both(void **state)
{
	struct mx_found *found = found_new();

	(void)state;
	found->nxdomain = true;
	assert_int_equal(select_with(found, &plain).status, MX_NO_DOMAIN);
	found = found_new();
	found->nxdomain = true;
	found->failed = true;
	assert_int_equal(select_with(found, &plain).status, MX_TEMPORARY);
	found = found_new();
	found->nxdomain = true;
	found->failed = true;
	found->bogus = true;
	assert_int_equal(select_with(found, &plain).status, MX_BOGUS);
}

static void hosts_whose_addresses_could_not_be_learned_make_it_temporary(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_host(found, 10, "a.test", "127.0.0.1");
	found->host_failed[add_mx(found, 20, "b.test")] = true;
	found->host_bogus[add_mx(found, 30, "c.test")] = true;
	assert_int_equal(select_with(found, &plain).status, MX_TEMPORARY);
	found = found_new();
	found->host_bogus[add_mx(found, 30, "c.test")] = true;
	assert_int_equal(select_with(found, &plain).status, MX_BOGUS);
	/* A host that works is used, and the rest is looked at again soon. */
	found = found_new();
	found->host_failed[add_mx(found, 10, "b.test")] = true;
	add_host(found, 20, "a.test", "20.0.0.1");
	answer = select_with(found, &plain);
	assert_int_equal(answer.status, MX_OK);
	assert_string_equal(answer.hosts[0].name, "a.test");
	assert_int_equal(answer.ttl_s, 300);
	assert_true(answer.incomplete);
	/* One family that failed counts as well; a host that has no address at all does not. */
	found = found_new();
	add_host(found, 10, "a.test", "20.0.0.1");
	found->host_failed[0] = true;
	assert_true(select_with(found, &plain).incomplete);
	found = found_new();
	add_host(found, 10, "a.test", "20.0.0.1");
	add_mx(found, 20, "b.test");
	assert_false(select_with(found, &plain).incomplete);
}

static void hosts_come_by_preference_and_equal_ones_as_they_were(void **state)
{
	static const char *const order[] = { "d.test", "a.test", "c.test", "b.test" };
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_host(found, 20, "a.test", "20.0.0.1");
	add_host(found, 65535, "b.test", "20.0.0.2");
	add_host(found, 20, "c.test", "20.0.0.3");
	add_host(found, 0, "d.test", "20.0.0.4");
	answer = select_with(found, &plain);
	assert_int_equal(answer.host_count, 4);
	for (size_t i = 0; i < array_count(order); i++) {
		assert_string_equal(answer.hosts[i].name, order[i]);
		assert_int_equal(answer.hosts[i].address_first, i);
		assert_int_equal(answer.hosts[i].address_count, 1);
	}
	assert_int_equal(answer.addresses[0].ip[3], 4);
}

static void a_host_listed_twice_counts_once_at_its_best(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_host(found, 20, "a.test", "20.0.0.1");
	add_host(found, 10, "a.test", "20.0.0.1");
	add_address(found, 1, "20.0.0.1");
	answer = select_with(found, &plain);
	assert_int_equal(answer.host_count, 1);
	assert_int_equal(answer.hosts[0].preference, 10);
	assert_int_equal(answer.address_count, 1);
}

static void the_best_sixteen_hosts_share_the_room_for_addresses(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	for (int i = 0; i < MX_RECORDS_MAX; i++) {
		char name[32];
		size_t host;

		snprintf(name, sizeof(name), "h%d.test", i);
		host = add_mx(found, (u16)(MX_RECORDS_MAX - i), name);
		for (int j = 0; j < MX_HOST_ADDRESSES_MAX; j++) {
			char text[32];

			snprintf(text, sizeof(text), "20.0.%d.%d", i, j + 1);
			add_address(found, host, text);
		}
	}
	answer = select_with(found, &plain);
	assert_int_equal(answer.host_count, MX_HOSTS_MAX);
	assert_int_equal(answer.address_count, MX_ADDRESSES_MAX);
	for (u32 i = 0; i < answer.host_count; i++) {
		assert_int_equal(answer.hosts[i].preference, i + 1);
		assert_int_equal(answer.hosts[i].address_first, 2 * i);
		assert_int_equal(answer.hosts[i].address_count, 2);
		assert_int_equal(answer.addresses[2 * i].ip[2], MX_RECORDS_MAX - 1 - i);
	}
}

static void a_family_that_is_switched_off_is_left_out(void **state)
{
	struct mx_params params = { .ipv4 = true };
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	add_host(found, 10, "a.test", "2a00:1::1");
	assert_int_equal(select_with(found, &params).status, MX_NO_HOST);
	found = found_new();
	add_host(found, 10, "a.test", "2a00:1::1");
	add_address(found, 0, "20.0.0.1");
	answer = select_with(found, &params);
	assert_int_equal(answer.address_count, 1);
	assert_int_equal(answer.addresses[0].family, 4);
}

static void a_host_is_secure_only_with_a_secure_mx(void **state)
{
	for (int mx = 0; mx < 2; mx++) {
		struct mx_found *found = found_new();
		struct mx_answer answer;

		(void)state;
		found->secure = mx;
		add_host(found, 10, "a.test", "20.0.0.1");
		add_host(found, 20, "b.test", "20.0.0.2");
		found->host_secure[0] = true;
		answer = select_with(found, &plain);
		assert_int_equal(answer.secure, mx);
		assert_int_equal(answer.hosts[0].secure, mx);
		assert_false(answer.hosts[1].secure);
	}
}

static void tlsa_records_come_with_a_host_that_is_secure_and_with_no_other(void **state)
{
	for (int mx = 0; mx < 2; mx++) {
		struct mx_found *found = found_new();
		struct mx_answer answer;

		(void)state;
		found->secure = mx;
		add_host(found, 20, "b.test", "20.0.0.2");
		add_host(found, 10, "a.test", "20.0.0.1");
		for (u32 i = 0; i < 2; i++) {
			found->host_secure[i] = i == 1;
			found->host_dane[i] = DANE_USABLE;
			found->host_tlsa_first[i] = (u16)(i * 3);
			found->host_tlsa_len[i] = 3;
		}
		memcpy(found->tlsa, "onetwo", 6);
		found->tlsa_used = 6;
		answer = select_with(found, &plain);
		assert_string_equal(answer.hosts[0].name, "a.test");
		assert_int_equal(answer.hosts[0].dane, mx ? DANE_USABLE : DANE_ABSENT);
		assert_int_equal(answer.hosts[0].tlsa_len, mx ? 3 : 0);
		assert_int_equal(answer.tlsa_used, mx ? 3 : 0);
		assert_memory_equal(answer.tlsa, "two", answer.tlsa_used);
		assert_int_equal(answer.hosts[1].dane, DANE_ABSENT);
	}
}

static void a_host_whose_tlsa_records_failed_is_there_and_the_answer_incomplete(void **state)
{
	struct mx_found *found = found_new();
	struct mx_answer answer;

	(void)state;
	found->secure = true;
	found->ttl_s = 3600;
	add_host(found, 10, "a.test", "20.0.0.1");
	found->host_secure[0] = true;
	found->host_dane[0] = DANE_FAILED;
	answer = select_with(found, &plain);
	assert_int_equal(answer.status, MX_OK);
	assert_int_equal(answer.hosts[0].dane, DANE_FAILED);
	assert_true(answer.incomplete);
	assert_int_equal(answer.ttl_s, 300);
}

static void the_ttl_stays_between_its_limits(void **state)
{
	static const u32 rows[][2] = { { 0, 30 }, { 29, 30 }, { 31, 31 }, { 86401, 86400 } };

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct mx_found *found = found_new();

		found->ttl_s = rows[i][0];
		add_host(found, 10, "a.test", "20.0.0.1");
		assert_int_equal(select_with(found, &plain).ttl_s, rows[i][1]);
	}
}

static struct mx_answer four_equal_between_two(void)
{
	struct mx_found *found = found_new();

	add_host(found, 1, "first.test", "20.0.0.1");
	for (int i = 0; i < 4; i++) {
		char name[32];

		snprintf(name, sizeof(name), "e%d.test", i);
		add_host(found, 5, name, "2a00:1::1");
		for (int j = 0; j < 3; j++) {
			char text[32];

			snprintf(text, sizeof(text), "20.0.%d.%d", i, j);
			add_address(found, found->record_count - 1, text);
		}
	}
	add_host(found, 9, "last.test", "20.0.0.9");
	return select_with(found, &plain);
}

static void shuffling_moves_equal_preferences_only_and_all_orders_are_as_likely(void **state)
{
	const struct mx_answer before = four_equal_between_two();
	u32 seen[4][4] = { { 0 } };
	u32 seen_address[3][3] = { { 0 } };
	struct random random;

	(void)state;
	random_seed(&random, 1);
	for (int round = 0; round < 6000; round++) {
		struct mx_answer answer = before;

		mx_shuffle(&answer, &random);
		assert_string_equal(answer.hosts[0].name, "first.test");
		assert_string_equal(answer.hosts[5].name, "last.test");
		for (int i = 0; i < 4; i++) {
			const struct mx_host *host = &answer.hosts[1 + i];
			int which = host->name[1] - '0';

			seen[which][i]++;
			assert_int_equal(host->address_first,
					 before.hosts[1 + which].address_first);
			assert_int_equal(answer.addresses[host->address_first].family, 6);
			for (int j = 0; which == 0 && j < 3; j++)
				seen_address[answer.addresses[host->address_first + 1 + j].ip[3]]
					    [j]++;
		}
	}
	/* 1,500 and 2,000 are expected; the bounds are beyond seven standard deviations. */
	for (int i = 0; i < 16; i++)
		assert_in_range(seen[i / 4][i % 4], 1260, 1740);
	for (int i = 0; i < 9; i++)
		assert_in_range(seen_address[i / 3][i % 3], 1740, 2260);
}

static void one_seed_gives_one_order(void **state)
{
	struct mx_answer a = four_equal_between_two();
	struct mx_answer b = a;
	struct random random;

	(void)state;
	random_seed(&random, 7);
	mx_shuffle(&a, &random);
	random_seed(&random, 7);
	mx_shuffle(&b, &random);
	assert_memory_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sole_null_mx_means_no_mail_whatever_addresses_there_are),
		cmocka_unit_test(a_root_mx_is_null_at_any_preference_and_however_often),
		cmocka_unit_test(a_null_mx_beside_a_real_one_does_not_count),
		cmocka_unit_test(an_mx_that_leads_inside_or_to_ourselves_is_never_handed_out),
		cmocka_unit_test(the_good_address_beside_a_bad_one_is_used),
		cmocka_unit_test(an_allowed_range_may_be_mailed_to_but_never_our_own_address),
		cmocka_unit_test(names_that_are_no_hosts_are_not_used),
		cmocka_unit_test(a_domain_without_mx_is_its_own_mail_host),
		cmocka_unit_test(a_failed_mx_query_is_temporary_and_never_falls_back),
		cmocka_unit_test(a_failure_outweighs_nxdomain_and_bogus_outweighs_both),
		cmocka_unit_test(hosts_whose_addresses_could_not_be_learned_make_it_temporary),
		cmocka_unit_test(hosts_come_by_preference_and_equal_ones_as_they_were),
		cmocka_unit_test(a_host_listed_twice_counts_once_at_its_best),
		cmocka_unit_test(the_best_sixteen_hosts_share_the_room_for_addresses),
		cmocka_unit_test(a_family_that_is_switched_off_is_left_out),
		cmocka_unit_test(a_host_is_secure_only_with_a_secure_mx),
		cmocka_unit_test(tlsa_records_come_with_a_host_that_is_secure_and_with_no_other),
		cmocka_unit_test(
			a_host_whose_tlsa_records_failed_is_there_and_the_answer_incomplete),
		cmocka_unit_test(the_ttl_stays_between_its_limits),
		cmocka_unit_test(
			shuffling_moves_equal_preferences_only_and_all_orders_are_as_likely),
		cmocka_unit_test(one_seed_gives_one_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
