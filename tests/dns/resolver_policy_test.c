/*
 * What the resolver finds of TLSA records and MTA-STS announcements, by a real name server with
 * signed and broken zones.
 */
#include "base/text.h"
#include "dns/mx.h"
#include "dns/zone_server.h"

#include <poll.h>
#include <string.h>

#define PATIENCE_MS 60000

static struct mx_answer look_up_by(const char *domain,
				   bool (*ask)(struct mx_resolver *resolver, struct slice name,
					       u64 cookie))
{
	const struct mx_params params = {
		.trust_anchor_file = "",
		.trust_anchors = zones.anchor_list,
		.trust_anchor_count = 2,
		.stub_zones = zones.stub_list,
		.stub_zone_count = STUB_COUNT,
		.ipv4 = true,
		.ipv6 = true,
		.mta_sts = true,
		.tls_report = true,
		.seed = 1,
	};
	struct error error = { "" };
	struct mx_resolver *resolver = mx_resolver_open(&params, &error);
	struct mx_answer answer;
	u64 cookie;

	if (!resolver)
		fail_msg("%s", error.text);
	assert_true(ask(resolver, slice_of(domain), 1));
	while (!mx_next_answer(resolver, &cookie, &answer)) {
		struct pollfd ready = { .fd = mx_resolver_fd(resolver), .events = POLLIN };

		if (poll(&ready, 1, PATIENCE_MS) != 1)
			fail_msg("no answer");
		mx_resolver_process(resolver);
	}
	mx_resolver_close(resolver);
	assert_int_equal(answer.status, MX_OK);
	return answer;
}

static struct mx_answer look_up(const char *domain)
{
	return look_up_by(domain, mx_lookup);
}

/* How many records the host has; the first one, when there is one, is the zone's 3 1 1. */
static u32 count_tlsa(const struct mx_answer *answer, const struct mx_host *host)
{
	struct slice packed = { (const char *)answer->tlsa + host->tlsa_first, host->tlsa_len };
	struct dane_record record;
	u32 count = 0;

	while (dane_record_next(&packed, &record)) {
		assert_true(dane_record_is_usable(&record));
		assert_memory_equal(record.data.ptr + 1, "\x11\x22\x33", 3);
		count++;
	}
	return count;
}

static void check(const char *domain, enum dane_finding finding, u32 count, const char *base)
{
	struct mx_answer answer = look_up(domain);

	assert_int_equal(answer.host_count, 1);
	if (answer.hosts[0].dane != finding)
		fail_msg("%s: %u", domain, answer.hosts[0].dane);
	assert_int_equal(count_tlsa(&answer, &answer.hosts[0]), count);
	assert_string_equal(answer.hosts[0].tlsa_base, base);
	assert_false(answer.incomplete);
}

static void usable_records_of_a_secure_host_come_with_it(void **state)
{
	(void)state;
	check("one.signed.example", DANE_USABLE, 1, "");
	check("roll.signed.example", DANE_USABLE, 2, "");
}

static void a_domain_without_mx_is_its_own_host(void **state)
{
	(void)state;
	check("alone.signed.example", DANE_USABLE, 1, "");
}

static void records_of_which_none_is_usable_are_told_as_such(void **state)
{
	(void)state;
	check("unusable.signed.example", DANE_UNUSABLE, 0, "");
}

static void a_host_that_has_none_is_as_ever(void **state)
{
	(void)state;
	check("bare.signed.example", DANE_ABSENT, 0, "");
}

static void what_is_not_secure_counts_for_nothing(void **state)
{
	(void)state;
	check("one.plain.example", DANE_ABSENT, 0, "");
	/* MX secure, host not; and the other way round. */
	check("mixed.signed.example", DANE_ABSENT, 0, "");
	check("towards.plain.example", DANE_ABSENT, 0, "");
}

static void an_alias_is_followed_and_comes_second_itself(void **state)
{
	(void)state;
	check("alias.signed.example", DANE_USABLE, 1, "mx1.signed.example");
	check("ownalias.signed.example", DANE_USABLE, 1, "");
}

static void of_many_records_a_bounded_number_is_kept(void **state)
{
	(void)state;
	check("many.signed.example", DANE_USABLE, DANE_RECORDS_MAX, "");
}

static void bogus_records_fail_the_host_and_not_the_others(void **state)
{
	struct mx_answer answer = look_up("tlsa.broken.example");

	(void)state;
	assert_int_equal(answer.host_count, 2);
	assert_string_equal(answer.hosts[0].name, "tlsa-mx.broken.example");
	assert_int_equal(answer.hosts[0].dane, DANE_FAILED);
	assert_int_equal(answer.hosts[0].tlsa_len, 0);
	assert_int_equal(answer.hosts[1].dane, DANE_ABSENT);
	assert_true(answer.incomplete);
	assert_true(answer.ttl_s <= 300);
}

static void an_announced_policy_comes_with_the_addresses_of_its_host(void **state)
{
	struct mx_answer answer = look_up("one.plain.example");
	u32 families = 0;

	(void)state;
	assert_string_equal(answer.sts_id, "abc123");
	/* One of the three is on loopback: nothing is fetched from there. */
	assert_int_equal(answer.sts_address_count, 2);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(answer.sts_addresses[i].port, 443);
		families += answer.sts_addresses[i].family;
	}
	assert_int_equal(families, 4 + 6);
	answer = look_up("long.plain.example");
	assert_string_equal(answer.sts_id, "abc123");
	assert_int_equal(answer.sts_address_count, 0);
}

static void two_announcements_or_a_broken_one_are_none(void **state)
{
	static const char *const domains[] = { "two.plain.example", "short.plain.example",
					       "one.signed.example" };

	(void)state;
	for (size_t i = 0; i < array_count(domains); i++) {
		struct mx_answer answer = look_up(domains[i]);

		assert_string_equal(answer.sts_id, "");
		assert_int_equal(answer.sts_address_count, 0);
	}
}

static void where_reports_about_tls_are_wanted_is_known(void **state)
{
	struct mx_answer answer = look_up("one.plain.example");

	(void)state;
	assert_string_equal(answer.reports_to,
			    "mailto:tls@one.plain.example,https://reports.example/v1");
	/* Two records, one without a place that can be used, none. */
	assert_string_equal(look_up("two.plain.example").reports_to, "");
	assert_string_equal(look_up("short.plain.example").reports_to, "");
	assert_string_equal(look_up("one.signed.example").reports_to, "");
}

static void a_host_of_reports_is_asked_for_its_own_addresses(void **state)
{
	struct mx_answer mail = look_up("mta-sts.one.plain.example");
	struct mx_answer own = look_up_by("mta-sts.one.plain.example", mx_lookup_addresses);
	struct mx_answer other = look_up_by("null.plain.example", mx_lookup_addresses);

	(void)state;
	assert_int_equal(own.host_count, 1);
	assert_string_equal(own.hosts[0].name, "mta-sts.one.plain.example");
	/* The one on loopback is left out, as ever. */
	assert_int_equal(own.address_count, 2);
	assert_int_equal(mail.address_count, 2);
	assert_int_equal(other.host_count, 1);
	/* It takes no mail, but has an address. */
	assert_string_equal(other.hosts[0].name, "null.plain.example");
	assert_int_equal(other.address_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usable_records_of_a_secure_host_come_with_it),
		cmocka_unit_test(a_domain_without_mx_is_its_own_host),
		cmocka_unit_test(records_of_which_none_is_usable_are_told_as_such),
		cmocka_unit_test(a_host_that_has_none_is_as_ever),
		cmocka_unit_test(what_is_not_secure_counts_for_nothing),
		cmocka_unit_test(an_alias_is_followed_and_comes_second_itself),
		cmocka_unit_test(of_many_records_a_bounded_number_is_kept),
		cmocka_unit_test(bogus_records_fail_the_host_and_not_the_others),
		cmocka_unit_test(an_announced_policy_comes_with_the_addresses_of_its_host),
		cmocka_unit_test(two_announcements_or_a_broken_one_are_none),
		cmocka_unit_test(where_reports_about_tls_are_wanted_is_known),
		cmocka_unit_test(a_host_of_reports_is_asked_for_its_own_addresses),
	};

	return cmocka_run_group_tests(tests, zones_serve, zones_stop);
}
