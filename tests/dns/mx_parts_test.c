/* Names out of MX rdata, domains as they are asked for, and the cache of answers. */
#include "base/clock.h"
#include "base/text.h"
#include "dns/mx_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void mx_rdata_is_read_to_the_byte(void **state)
{
	static const char wire[] = "\x01\x02\x02Mx\x04Test\x00";
	const size_t len = sizeof(wire) - 1;
	struct mx_record record;

	(void)state;
	assert_true(mx_record_read(&record, wire, len));
	assert_int_equal(record.preference, 0x102);
	assert_string_equal(record.name, "mx.test");
	for (size_t cut = 0; cut < len; cut++)
		assert_false(mx_record_read(&record, wire, cut));
	assert_false(mx_record_read(&record, "\0\0\0x", 4));
	assert_true(mx_record_read(&record, "\0\0\0", 3));
	assert_string_equal(record.name, "");
	assert_false(mx_record_read(&record, "\0\0\xc0\x0c", 4));
}

static void bytes_that_no_host_has_cannot_pass_for_others(void **state)
{
	struct mx_record record;

	(void)state;
	assert_true(mx_record_read(&record,
				   "\0\0\x04"
				   "a.b\0\0",
				   8));
	assert_string_equal(record.name, "a?b?");
	assert_int_equal(mx_name_kind(record.name), MX_NAME_UNFIT);
}

static void the_longest_name_fits_and_a_longer_one_is_refused(void **state)
{
	char wire[300] = { 0 };
	struct mx_record record;
	size_t at = 2;

	(void)state;
	for (int i = 0; i < 3; i++, at += 64) {
		wire[at] = 63;
		memset(wire + at + 1, 'a', 63);
	}
	wire[at] = 61;
	memset(wire + at + 1, 'b', 61);
	assert_true(mx_record_read(&record, wire, at + 63));
	assert_int_equal(strlen(record.name), 253);
	assert_int_equal(mx_name_kind(record.name), MX_NAME_HOST);
	wire[at] = 62;
	memset(wire + at + 1, 'b', 62);
	assert_false(mx_record_read(&record, wire, at + 64));
}

static void domains_are_asked_for_in_one_spelling(void **state)
{
	static const char *const refused[] = {
		"",
		".",
		"..",
		"a..b",
		".a",
		"a b",
		"a\nb",
		"127.0.0.1",
		"[127.0.0.1]",
		"1.2",
		"a.0x1",
		"2a00::1",
		"\xe6\x97\xa5.jp",
		"a@b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test",
	};
	char name[256];
	char longest[256];

	(void)state;
	assert_true(mx_domain_normalise(name, SLICE("Mail_1.Example.JP.")));
	assert_string_equal(name, "mail_1.example.jp");
	assert_true(mx_domain_normalise(name, SLICE("jp")));
	for (size_t i = 0; i < array_count(refused); i++) {
		if (mx_domain_normalise(name, slice_of(refused[i])))
			fail_msg("taken: %s", refused[i]);
	}
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 63; i < sizeof(longest); i += 64)
		longest[i] = '.';
	assert_true(mx_domain_normalise(name, (struct slice){ longest, 253 }));
	assert_false(mx_domain_normalise(name, (struct slice){ longest, 254 }));
	assert_false(mx_domain_normalise(name, SLICE_NONE));
}

static struct mx_answer some_answer(u32 hosts)
{
	struct mx_answer answer = { .status = MX_OK, .secure = true, .ttl_s = 100,
				    .incomplete = hosts % 2 };

	for (u32 i = 0; i < hosts; i++) {
		struct mx_host *host = &answer.hosts[answer.host_count++];

		snprintf(host->name, sizeof(host->name), "mx%u.test", i);
		host->preference = (u16)(i * 10);
		host->address_first = (u8)(2 * i);
		host->address_count = 2;
		host->secure = i % 2;
		host->dane = (u8)(i % 4);
		host->tlsa_first = answer.tlsa_used;
		host->tlsa_len = (u16)i;
		memset(answer.tlsa + answer.tlsa_used, (int)i + 1, i);
		answer.tlsa_used += (u16)i;
		if (i % 3 == 1)
			snprintf(host->tlsa_base, sizeof(host->tlsa_base), "base%u.test", i);
		for (u32 j = 2 * i; j < 2 * i + 2; j++)
			answer.addresses[answer.address_count++] = (struct net_address){
				.family = 4, .port = 25, .ip = { 20, 0, (u8)i, (u8)j }
			};
	}
	if (hosts % 3 > 0)
		snprintf(answer.sts_id, sizeof(answer.sts_id), "id%u", hosts);
	if (hosts % 4 > 0)
		snprintf(answer.reports_to, sizeof(answer.reports_to), "mailto:t%u@x.test", hosts);
	for (u32 i = 0; i < hosts % 3; i++)
		answer.sts_addresses[answer.sts_address_count++] = (struct net_address){
			.family = 4, .port = 443, .ip = { 20, 1, 0, (u8)i }
		};
	snprintf(answer.text, sizeof(answer.text), "MX of x.test: found");
	return answer;
}

static void an_answer_comes_out_of_the_cache_as_it_went_in(void **state)
{
	for (u32 hosts = 0; hosts <= MX_HOSTS_MAX; hosts++) {
		struct mx_answer in = some_answer(hosts);
		struct mx_answer out;
		struct mx_entry *entry = mx_entry_pack("x.test", &in, 200 * NS_PER_S);

		(void)state;
		assert_non_null(entry);
		mx_entry_unpack(entry, &out, 100 * NS_PER_S);
		assert_memory_equal(&in, &out, sizeof(in));
		mx_entry_unpack(entry, &out, 150 * NS_PER_S);
		assert_int_equal(out.ttl_s, 50);
		mx_entry_unpack(entry, &out, 199 * NS_PER_S + 1);
		assert_int_equal(out.ttl_s, 1);
		mx_entry_unpack(entry, &out, 150 * NS_PER_S + 1);
		assert_int_equal(out.ttl_s, 50);
		mx_entry_drop(entry);
	}
}

static void put(struct mx_cache *cache, const char *name, u32 hosts, u64 expires_ns)
{
	struct mx_answer answer = some_answer(hosts);
	struct mx_entry *entry = mx_entry_pack(name, &answer, expires_ns);

	assert_non_null(entry);
	mx_cache_put(cache, entry);
	mx_entry_drop(entry);
}

static void the_cache_forgets_what_is_over(void **state)
{
	struct mx_cache cache;

	(void)state;
	assert_true(mx_cache_init(&cache, 1, 10, 1 << 20));
	put(&cache, "a.test", 1, 100);
	assert_non_null(mx_cache_find(&cache, "a.test", 99));
	assert_null(mx_cache_find(&cache, "b.test", 99));
	assert_null(mx_cache_find(&cache, "a.test", 100));
	assert_int_equal(cache.count, 0);
	assert_int_equal(cache.bytes, 0);
	mx_cache_done(&cache);
}

static void the_cache_is_bounded_and_the_longest_unused_goes_first(void **state)
{
	struct mx_cache cache;
	char name[32];

	(void)state;
	assert_true(mx_cache_init(&cache, 1, 10, 1 << 20));
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		put(&cache, name, 1, 1000);
	}
	assert_non_null(mx_cache_find(&cache, "n0.test", 1));
	put(&cache, "new.test", 1, 1000);
	assert_int_equal(cache.count, 10);
	assert_non_null(mx_cache_find(&cache, "n0.test", 1));
	assert_null(mx_cache_find(&cache, "n1.test", 1));
	put(&cache, "new.test", 2, 1000);
	assert_int_equal(cache.count, 10);
	mx_cache_done(&cache);
}

static void the_cache_keeps_within_its_bytes(void **state)
{
	struct mx_cache cache;
	char name[32];

	(void)state;
	assert_true(mx_cache_init(&cache, 1, 1000, 20000));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		put(&cache, name, MX_HOSTS_MAX, 1000);
		assert_true(cache.bytes <= 20000);
	}
	assert_in_range(cache.count, 10, 30);
	mx_cache_done(&cache);
}

static void an_answer_that_somebody_holds_outlives_the_cache(void **state)
{
	struct mx_cache cache;
	struct mx_answer answer;
	struct mx_entry *held;

	(void)state;
	assert_true(mx_cache_init(&cache, 1, 1, 1 << 20));
	put(&cache, "a.test", 3, 1000);
	held = mx_entry_hold(mx_cache_find(&cache, "a.test", 1));
	put(&cache, "b.test", 1, 1000);
	assert_null(mx_cache_find(&cache, "a.test", 1));
	mx_cache_done(&cache);
	mx_entry_unpack(held, &answer, 1);
	assert_int_equal(answer.host_count, 3);
	mx_entry_drop(held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mx_rdata_is_read_to_the_byte),
		cmocka_unit_test(bytes_that_no_host_has_cannot_pass_for_others),
		cmocka_unit_test(the_longest_name_fits_and_a_longer_one_is_refused),
		cmocka_unit_test(domains_are_asked_for_in_one_spelling),
		cmocka_unit_test(an_answer_comes_out_of_the_cache_as_it_went_in),
		cmocka_unit_test(the_cache_forgets_what_is_over),
		cmocka_unit_test(the_cache_is_bounded_and_the_longest_unused_goes_first),
		cmocka_unit_test(the_cache_keeps_within_its_bytes),
		cmocka_unit_test(an_answer_that_somebody_holds_outlives_the_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
