/* The resolver against a real name server, with signed, broken, lame and silent zones. */
#include "base/clock.h"
#include "base/text.h"
#include "dns/mx.h"
#include "dns/zone_server.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

#define PATIENCE_MS 60000

static bool no_threads;
static pthread_t last_thread;

/* In front of libc's, for libunbound, too. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
		   void *argument)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	if (no_threads)
		return EAGAIN;
	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	if (real(thread, attr, run, argument) != 0)
		return EAGAIN;
	last_thread = *thread;
	return 0;
}

static struct mx_params test_params(void)
{
	return (struct mx_params){
		.trust_anchor_file = "",
		.trust_anchors = zones.anchor_list,
		.trust_anchor_count = 2,
		.stub_zones = zones.stub_list,
		.stub_zone_count = STUB_COUNT,
		.ipv4 = true,
		.ipv6 = true,
		.seed = 1,
	};
}

static struct mx_resolver *open_with(const struct mx_params *params)
{
	struct error error = { "" };
	struct mx_resolver *resolver = mx_resolver_open(params, &error);

	if (!resolver)
		fail_msg("%s", error.text);
	return resolver;
}

static struct mx_resolver *open_resolver(void)
{
	struct mx_params params = test_params();

	return open_with(&params);
}

/* The next answer, through the descriptor as a loop would do it. */
static void wait_answer(struct mx_resolver *resolver, u64 *cookie, struct mx_answer *answer)
{
	struct pollfd ready = { .fd = mx_resolver_fd(resolver), .events = POLLIN };

	while (!mx_next_answer(resolver, cookie, answer)) {
		if (poll(&ready, 1, PATIENCE_MS) != 1)
			fail_msg("no answer");
		mx_resolver_process(resolver);
	}
}

static struct mx_answer look_up(struct mx_resolver *resolver, const char *domain)
{
	struct mx_answer answer;
	u64 cookie = 0;

	assert_true(mx_lookup(resolver, slice_of(domain), 77));
	wait_answer(resolver, &cookie, &answer);
	assert_int_equal(cookie, 77);
	return answer;
}

static struct mx_counters count(const struct mx_resolver *resolver)
{
	struct mx_counters counters;

	mx_resolver_count(resolver, &counters);
	return counters;
}

static void check_first(const struct mx_answer *answer, const char *host, const char *address)
{
	char text[NET_ADDRESS_TEXT_SIZE];

	assert_int_equal(answer->status, MX_OK);
	assert_true(answer->host_count >= 1);
	assert_string_equal(answer->hosts[0].name, host);
	net_address_format(text, &answer->addresses[answer->hosts[0].address_first], true);
	assert_string_equal(text, address);
}

static void hosts_come_with_their_addresses_in_order(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	struct mx_answer answer = look_up(resolver, "Two.Plain.Example.");

	(void)state;
	check_first(&answer, "mx1.plain.example", "[2a00:1::1]:25");
	assert_int_equal(answer.host_count, 2);
	assert_int_equal(answer.hosts[0].preference, 10);
	assert_int_equal(answer.hosts[0].address_count, 2);
	assert_string_equal(answer.hosts[1].name, "mx2.plain.example");
	assert_int_equal(answer.hosts[1].preference, 20);
	assert_int_equal(answer.address_count, 3);
	assert_false(answer.implicit);
	assert_false(answer.secure);
	answer = look_up(resolver, "one.plain.example");
	assert_in_range(answer.ttl_s, 590, 600);
	mx_resolver_close(resolver);
}

static void every_kind_of_answer_gets_its_status(void **state)
{
	static const struct {
		const char *domain;
		enum mx_status status;
	} rows[] = {
		{ "null.plain.example", MX_NULL },
		{ "null.signed.example", MX_NULL },
		{ "nullmix.plain.example", MX_OK },
		{ "implicit.plain.example", MX_OK },
		{ "empty.plain.example", MX_NO_HOST },
		{ "nowhere.plain.example", MX_NO_HOST },
		{ "hostless.plain.example", MX_NO_HOST },
		{ "literal.plain.example", MX_NO_HOST },
		{ "inside.plain.example", MX_ONLY_FORBIDDEN },
		{ "local.plain.example", MX_ONLY_FORBIDDEN },
		{ "localhost", MX_ONLY_FORBIDDEN },
		{ "mixed.plain.example", MX_OK },
		{ "absent.plain.example", MX_NO_DOMAIN },
		{ "absent.signed.example", MX_NO_DOMAIN },
		{ "dangling.plain.example", MX_NO_DOMAIN },
		{ "alias.plain.example", MX_OK },
		{ "chain1.plain.example", MX_OK },
		{ "mxalias.plain.example", MX_OK },
		{ "loop1.plain.example", MX_TEMPORARY },
		{ "self.plain.example", MX_TEMPORARY },
		{ "mxloop.plain.example", MX_TEMPORARY },
		{ "deep1.plain.example", MX_TEMPORARY },
		{ "deep29.plain.example", MX_OK },
		{ "one.signed.example", MX_OK },
		{ "one.broken.example", MX_BOGUS },
		{ "brokenhost.plain.example", MX_BOGUS },
		{ "x.lame.example", MX_TEMPORARY },
		{ "not a domain", MX_NO_DOMAIN },
		{ "[192.0.2.1]", MX_NO_DOMAIN },
		{ "192.0.2.1", MX_NO_DOMAIN },
		{ "", MX_NO_DOMAIN },
	};
	struct mx_resolver *resolver = open_resolver();

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct mx_answer answer = look_up(resolver, rows[i].domain);

		if (answer.status != rows[i].status)
			fail_msg("%s: status %d, %s", rows[i].domain, answer.status, answer.text);
		assert_int_equal(answer.host_count > 0, rows[i].status == MX_OK);
		assert_in_range(answer.ttl_s, MX_TTL_MIN_S, MX_TTL_MAX_S);
	}
	mx_resolver_close(resolver);
}

static void what_is_signed_is_secure_and_what_is_not_is_not(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	struct mx_answer answer = look_up(resolver, "one.signed.example");

	(void)state;
	assert_true(answer.secure);
	assert_true(answer.hosts[0].secure);
	answer = look_up(resolver, "mixed.signed.example");
	assert_true(answer.secure);
	assert_false(answer.hosts[0].secure);
	answer = look_up(resolver, "implicit.signed.example");
	assert_true(answer.implicit && answer.secure && answer.hosts[0].secure);
	answer = look_up(resolver, "absent.signed.example");
	assert_true(answer.secure);
	answer = look_up(resolver, "one.plain.example");
	assert_false(answer.secure || answer.hosts[0].secure);
	mx_resolver_close(resolver);
}

static void the_good_address_of_a_mixed_host_and_no_other_is_given(void **state)
{
	struct net_address own;
	struct mx_params params = test_params();
	struct mx_resolver *resolver;
	struct mx_answer answer;

	(void)state;
	assert_true(net_address_parse(&own, SLICE("20.0.0.99"), false));
	params.own = &own;
	params.own_count = 1;
	resolver = open_with(&params);
	answer = look_up(resolver, "mixed.plain.example");
	assert_int_equal(answer.address_count, 1);
	check_first(&answer, "half-inner.plain.example", "20.0.0.5:25");
	answer = look_up(resolver, "own.plain.example");
	assert_int_equal(answer.status, MX_ONLY_FORBIDDEN);
	assert_int_equal(answer.address_count, 0);
	mx_resolver_close(resolver);
}

static void an_allowed_range_opens_the_inside(void **state)
{
	struct mx_params params = test_params();
	struct mx_resolver *resolver;
	struct net_range allowed;
	struct mx_answer answer;

	(void)state;
	assert_true(net_range_parse(&allowed, SLICE("127.0.0.0/8")));
	params.allowed = &allowed;
	params.allowed_count = 1;
	resolver = open_with(&params);
	answer = look_up(resolver, "inside.plain.example");
	assert_int_equal(answer.host_count, 1);
	assert_int_equal(answer.address_count, 1);
	check_first(&answer, "inner.plain.example", "127.0.0.1:25");
	mx_resolver_close(resolver);
}

static void a_big_answer_comes_over_tcp_and_keeps_to_the_limits(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	struct mx_answer answer = look_up(resolver, "big.plain.example");

	(void)state;
	/* 120 exchangers, ten of them better than the rest; each has one address. */
	assert_int_equal(answer.status, MX_OK);
	assert_int_equal(answer.host_count, MX_HOSTS_MAX);
	for (u32 i = 0; i < MX_HOSTS_MAX; i++)
		assert_int_equal(answer.hosts[i].preference, i < 10 ? 5 : 10);
	assert_int_equal(answer.address_count, MX_HOSTS_MAX);
	/* The MX query, and two for each of the hosts that are kept. */
	assert_int_equal(count(resolver).queries, 1 + 2 * MX_HOSTS_MAX);
	answer = look_up(resolver, "wide.plain.example");
	assert_int_equal(answer.host_count, 1);
	assert_int_equal(answer.address_count, 2 * MX_HOST_ADDRESSES_MAX);
	for (u32 i = 0; i < answer.address_count; i++)
		assert_int_equal(answer.addresses[i].family, i % 2 ? 4 : 6);
	mx_resolver_close(resolver);
}

static void equal_preferences_change_places_between_answers(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	u32 first[4] = { 0 };

	(void)state;
	for (int i = 0; i < 400; i++) {
		struct mx_answer answer = look_up(resolver, "equal.plain.example");

		assert_int_equal(answer.host_count, 4);
		first[answer.hosts[0].name[1] - '1']++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(first[i], 50, 150);
	assert_int_equal(count(resolver).cached, 399);
	mx_resolver_close(resolver);
}

static void lookups_of_one_name_share_the_work_and_all_get_their_answer(void **state)
{
	enum { CALLS = 1000 };
	struct mx_resolver *resolver = open_resolver();
	bool seen[CALLS] = { false };
	struct mx_counters counters;
	struct mx_answer answer;
	u64 cookie;

	(void)state;
	for (u64 i = 0; i < CALLS; i++)
		assert_true(mx_lookup(
			resolver, i % 2 ? SLICE("two.plain.example") : SLICE("TWO.plain.example."),
			i));
	for (int i = 0; i < CALLS; i++) {
		wait_answer(resolver, &cookie, &answer);
		check_first(&answer, "mx1.plain.example", "[2a00:1::1]:25");
		assert_true(cookie < CALLS && !seen[cookie]);
		seen[cookie] = true;
	}
	assert_false(mx_next_answer(resolver, &cookie, &answer));
	counters = count(resolver);
	assert_int_equal(counters.lookups, CALLS);
	assert_int_equal(counters.shared, CALLS - 1);
	assert_int_equal(counters.queries, 5);
	assert_int_equal(counters.pending, 0);
	assert_int_equal(counters.names, 1);
	mx_resolver_close(resolver);
}

static void answers_are_kept_good_and_bad(void **state)
{
	static const char *const domains[] = { "one.plain.example", "absent.plain.example",
					       "null.plain.example", "one.broken.example",
					       "loop1.plain.example" };
	struct mx_resolver *resolver = open_resolver();
	u64 queries;

	(void)state;
	for (size_t i = 0; i < array_count(domains); i++)
		look_up(resolver, domains[i]);
	queries = count(resolver).queries;
	for (size_t i = 0; i < array_count(domains); i++)
		look_up(resolver, domains[i]);
	assert_int_equal(count(resolver).queries, queries);
	assert_int_equal(count(resolver).cached, array_count(domains));
	mx_resolver_close(resolver);
}

static void ttls_are_the_least_seen_within_their_limits(void **state)
{
	struct mx_resolver *resolver = open_resolver();

	(void)state;
	assert_int_equal(look_up(resolver, "short.plain.example").ttl_s, MX_TTL_MIN_S);
	/* The host has no AAAA record, and the zone's negative answers live 60 s. */
	assert_in_range(look_up(resolver, "long.plain.example").ttl_s, 55, 60);
	assert_int_equal(look_up(resolver, "loop1.plain.example").ttl_s, MX_TTL_MIN_S);
	assert_in_range(look_up(resolver, "absent.plain.example").ttl_s, 55, 60);
	mx_resolver_close(resolver);
}

static void a_cached_answer_makes_the_descriptor_readable(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	struct pollfd ready = { .fd = mx_resolver_fd(resolver), .events = POLLIN };
	struct mx_answer answer;
	u64 cookie;

	(void)state;
	look_up(resolver, "one.plain.example");
	mx_resolver_process(resolver);
	assert_int_equal(poll(&ready, 1, 0), 0);
	assert_true(mx_lookup(resolver, SLICE("one.plain.example"), 5));
	assert_int_equal(poll(&ready, 1, 0), 1);
	mx_resolver_process(resolver);
	assert_int_equal(poll(&ready, 1, 0), 0);
	assert_true(mx_next_answer(resolver, &cookie, &answer));
	assert_int_equal(cookie, 5);
	mx_resolver_close(resolver);
}

static void a_server_that_never_answers_is_temporary_when_the_time_is_over(void **state)
{
	struct mx_params params = test_params();
	struct mx_resolver *resolver;
	struct mx_answer answer;
	u64 start_ns;

	(void)state;
	params.timeout_ms = 700;
	resolver = open_with(&params);
	start_ns = clock_mono_ns();
	answer = look_up(resolver, "x.dead.example");
	assert_int_equal(answer.status, MX_TEMPORARY);
	assert_true(clock_mono_ns() - start_ns >= 700 * NS_PER_MS);
	assert_int_equal(count(resolver).timeouts, 1);
	/* A host that cannot be learned does not keep mail from one that can. */
	answer = look_up(resolver, "halfdead.plain.example");
	check_first(&answer, "mx1.plain.example", "[2a00:1::1]:25");
	assert_int_equal(answer.host_count, 1);
	assert_in_range(answer.ttl_s, MX_TTL_MIN_S, 300);
	assert_int_equal(look_up(resolver, "alldead.plain.example").status, MX_TEMPORARY);
	/* And the resolver goes on. */
	assert_int_equal(look_up(resolver, "one.plain.example").status, MX_OK);
	mx_resolver_close(resolver);
}

/* What waits is answered, what comes is asked. */
static void a_resolver_whose_thread_ended_is_opened_anew(void **state)
{
	struct mx_params params = test_params();
	struct mx_resolver *resolver;
	struct pollfd ready;
	u64 start_ns;

	(void)state;
#ifdef __SANITIZE_THREAD__
	skip(); /* It takes a thread that is cancelled inside of epoll_wait for its own fault. */
#endif
	params.timeout_ms = 1000;
	resolver = open_with(&params);
	assert_int_equal(pthread_cancel(last_thread), 0);
	start_ns = clock_mono_ns();
	assert_int_equal(look_up(resolver, "one.plain.example").status, MX_TEMPORARY);
	ready = (struct pollfd){ .fd = mx_resolver_fd(resolver), .events = POLLIN };
	while (count(resolver).renewals == 0 && poll(&ready, 1, PATIENCE_MS) == 1)
		mx_resolver_process(resolver);
	assert_int_equal(count(resolver).renewals, 1);
	assert_true(clock_mono_ns() - start_ns < 20 * NS_PER_S);
	assert_int_equal(look_up(resolver, "halfdead.plain.example").status, MX_OK);
	mx_resolver_close(resolver);
}

static void servers_that_are_silent_for_long_are_no_reason_to_open_it_anew(void **state)
{
	struct mx_params params = test_params();
	struct mx_resolver *resolver;
	struct mx_answer answer;
	char domain[64];
	u64 cookie;

	(void)state;
	params.timeout_ms = 400;
	resolver = open_with(&params);
	for (u32 i = 0; i < 64; i++) {
		snprintf(domain, sizeof(domain), "n%u.dead.example", i);
		assert_true(mx_lookup(resolver, slice_of(domain), i));
		if (i % 4 < 3)
			continue;
		for (u32 j = 0; j < 4; j++) {
			wait_answer(resolver, &cookie, &answer);
			assert_int_equal(answer.status, MX_TEMPORARY);
		}
	}
	assert_int_equal(count(resolver).renewals, 0);
	assert_int_equal(count(resolver).timeouts, 64);
	mx_resolver_close(resolver);
}

static void a_closed_port_is_temporary(void **state)
{
	struct mx_params params = test_params();
	struct mx_resolver *resolver;

	(void)state;
	params.timeout_ms = 3000;
	resolver = open_with(&params);
	assert_int_equal(look_up(resolver, "x.closed.example").status, MX_TEMPORARY);
	mx_resolver_close(resolver);
}

static void more_names_at_once_than_the_limit_are_refused_and_taken_later(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	char domain[64];
	struct mx_answer answer;
	u64 cookie;

	(void)state;
	for (u32 i = 1; i <= MX_LOOKUPS_MAX; i++) {
		snprintf(domain, sizeof(domain), "n%u.plain.example", i);
		assert_true(mx_lookup(resolver, slice_of(domain), i));
	}
	assert_int_equal(count(resolver).pending, MX_LOOKUPS_MAX);
	assert_false(mx_lookup(resolver, SLICE("one.plain.example"), 999));
	/* A name that is under way is no more work. */
	assert_true(mx_lookup(resolver, SLICE("n1.plain.example"), 1));
	for (u32 i = 0; i <= MX_LOOKUPS_MAX; i++) {
		wait_answer(resolver, &cookie, &answer);
		assert_in_range(cookie, 1, MX_LOOKUPS_MAX);
		assert_int_equal(answer.status, MX_OK);
	}
	assert_int_equal(look_up(resolver, "one.plain.example").status, MX_OK);
	mx_resolver_close(resolver);
}

static void closing_with_lookups_pending_is_clean(void **state)
{
	struct mx_resolver *resolver = open_resolver();
	char domain[64];

	(void)state;
	for (u32 i = 1; i <= MX_LOOKUPS_MAX; i++) {
		snprintf(domain, sizeof(domain), i % 2 ? "n%u.plain.example" : "n%u.dead.example",
			 i);
		assert_true(mx_lookup(resolver, slice_of(domain), i));
		assert_true(mx_lookup(resolver, slice_of(domain), i));
	}
	usleep(20000);
	mx_resolver_process(resolver);
	mx_resolver_close(resolver);
	mx_resolver_close(open_resolver());
	mx_resolver_close(NULL);
}

static void resolvers_do_not_disturb_each_other(void **state)
{
	struct mx_resolver *a = open_resolver();
	struct mx_resolver *b = open_resolver();

	(void)state;
	assert_int_equal(look_up(a, "one.plain.example").status, MX_OK);
	mx_resolver_close(a);
	assert_int_equal(look_up(b, "one.signed.example").status, MX_OK);
	assert_int_equal(count(b).lookups, 1);
	mx_resolver_close(b);
}

static void a_forwarder_is_asked_when_there_is_one(void **state)
{
	struct mx_params params = test_params();
	const char *forwarder = strchr(zones.stubs[0], ' ') + 1;
	struct mx_resolver *resolver;
	struct mx_answer answer;

	(void)state;
	params.stub_zone_count = 0;
	params.forwarders = &forwarder;
	params.forwarder_count = 1;
	params.trust_anchor_count = 0;
	resolver = open_with(&params);
	answer = look_up(resolver, "one.plain.example");
	check_first(&answer, "mx1.plain.example", "[2a00:1::1]:25");
	mx_resolver_close(resolver);
}

static void wrong_options_are_refused_by_name(void **state)
{
	static const char *const bad_server = "256.0.0.1";
	static const char *const bad_stub = "plain.example";
	static const char *const bad_anchor = "signed.example. DS nonsense";
	struct mx_params params[5];
	static const char *const errors[5] = {
		"dns: forwarder 256.0.0.1: ",
		"dns: stub zone \"plain.example\" names no server",
		"dns: trust anchors, root hints or stub zones: ",
		"dns: trust anchor file /nonexistent/key cannot be read: No such file or directory",
		"dns: root hints /nonexistent/hints cannot be read: No such file or directory",
	};

	(void)state;
	for (size_t i = 0; i < 5; i++)
		params[i] = test_params();
	params[0].forwarders = &bad_server;
	params[0].forwarder_count = 1;
	params[1].stub_zones = &bad_stub;
	params[1].stub_zone_count = 1;
	params[2].trust_anchors = &bad_anchor;
	params[2].trust_anchor_count = 1;
	params[3].trust_anchor_file = "/nonexistent/key";
	params[4].root_hints_file = "/nonexistent/hints";
	for (size_t i = 0; i < 5; i++) {
		struct error error = { "" };

		assert_null(mx_resolver_open(&params[i], &error));
		if (strncmp(error.text, errors[i], strlen(errors[i])) != 0)
			fail_msg("%s", error.text);
	}
}

static void a_thread_that_cannot_be_had_is_told_at_the_start(void **state)
{
	struct mx_params params = test_params();
	struct error error = { "" };

	(void)state;
	no_threads = true;
	assert_null(mx_resolver_open(&params, &error));
	no_threads = false;
	assert_string_equal(error.text, "dns: libunbound's thread does not start");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_come_with_their_addresses_in_order),
		cmocka_unit_test(every_kind_of_answer_gets_its_status),
		cmocka_unit_test(what_is_signed_is_secure_and_what_is_not_is_not),
		cmocka_unit_test(the_good_address_of_a_mixed_host_and_no_other_is_given),
		cmocka_unit_test(an_allowed_range_opens_the_inside),
		cmocka_unit_test(a_big_answer_comes_over_tcp_and_keeps_to_the_limits),
		cmocka_unit_test(equal_preferences_change_places_between_answers),
		cmocka_unit_test(lookups_of_one_name_share_the_work_and_all_get_their_answer),
		cmocka_unit_test(answers_are_kept_good_and_bad),
		cmocka_unit_test(ttls_are_the_least_seen_within_their_limits),
		cmocka_unit_test(a_cached_answer_makes_the_descriptor_readable),
		cmocka_unit_test(a_server_that_never_answers_is_temporary_when_the_time_is_over),
		cmocka_unit_test(a_closed_port_is_temporary),
		cmocka_unit_test(a_resolver_whose_thread_ended_is_opened_anew),
		cmocka_unit_test(servers_that_are_silent_for_long_are_no_reason_to_open_it_anew),
		cmocka_unit_test(more_names_at_once_than_the_limit_are_refused_and_taken_later),
		cmocka_unit_test(closing_with_lookups_pending_is_clean),
		cmocka_unit_test(resolvers_do_not_disturb_each_other),
		cmocka_unit_test(a_forwarder_is_asked_when_there_is_one),
		cmocka_unit_test(wrong_options_are_refused_by_name),
		cmocka_unit_test(a_thread_that_cannot_be_had_is_told_at_the_start),
	};

	return cmocka_run_group_tests(tests, zones_serve, zones_stop);
}
