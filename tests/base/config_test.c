/* The sender's configuration: what is read, and every refusal with its file and line. */
#include "base/config.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXAMPLE "src/send/hikyaku.conf.example"
/* A whole customer on one line: what every file needs. */
#define CUSTOMER                                                                                   \
	"customer \"example.jp\" { address \"192.0.2.10\" { ehlo = \"mail.example.jp\" } "         \
	"dkim \"s1\" { key = \"/k.pem\" } }\n"

static bool parse(struct config *config, const char *text, struct error *error)
{
	return config_parse(config, slice_of(text), "t.conf", error);
}

static void must_parse(struct config *config, const char *text)
{
	struct error error = { "" };

	if (!parse(config, text, &error))
		fail_msg("refused: %s", error.text);
}

struct refusal {
	const char *text;
	const char *error;
};

static void check_refusals(const struct refusal *refusals, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct config config;
		struct error error = { "" };

		if (parse(&config, refusals[i].text, &error)) {
			config_free(&config);
			fail_msg("accepted: %s", refusals[i].text);
		}
		assert_string_equal(error.text, refusals[i].error);
	}
}

static void the_least_file_gives_every_default(void **state)
{
	static const u64 schedule[] = { 300000, 900000, 3600000, 7200000, 14400000 };
	struct config c;

	(void)state;
	must_parse(&c, CUSTOMER);
	assert_string_equal(c.data, "/data");
	assert_string_equal(c.control, "/run/hikyaku/send.sock");
	assert_int_equal(c.workers, 0);
	assert_int_equal(c.log, CONFIG_LOG_INFO);
	assert_string_equal(c.metrics_listen, "127.0.0.1:9641");
	assert_int_equal(c.dns.forwarders.count, 0);
	assert_null(c.dns.trust_anchor_file);
	assert_null(c.dns.root_hints);
	assert_true(c.dns.ipv4 && c.dns.ipv6);
	assert_true(c.queue.map_size_max == 64ull << 30);
	assert_int_equal(c.queue.commit_interval_ms, 5);
	assert_int_equal(c.queue.durability, CONFIG_DURABILITY_FULL);
	assert_int_equal(c.queue.in_flight, 65536);
	assert_int_equal(c.queue.in_doubt_delay_ms, 900000);
	assert_true(c.queue.log_keep_ms == 30ull * 86400000);
	assert_int_equal(c.retry.schedule.count, array_count(schedule));
	assert_memory_equal(c.retry.schedule.ms, schedule, sizeof(schedule));
	assert_int_equal(c.retry.jitter_percent, 20);
	assert_int_equal(c.retry.expire_ms, 3 * 86400000);
	assert_int_equal(c.customer_count, 1);
	assert_true(c.customers[0].sign);
	assert_string_equal(c.customers[0].bounce, "bounce");
	assert_null(c.customers[0].unsubscribe_url);
	assert_null(c.customers[0].unsubscribe_mailto);
	assert_int_equal(c.site_count, 1);
	assert_string_equal(c.sites[0].name, "default");
	assert_int_equal(c.sites[0].sessions, 20);
	assert_int_equal(c.sites[0].messages_per_session, 100);
	assert_int_equal(c.sites[0].rate_per_s, 0);
	assert_int_equal(c.sites[0].depth, 4);
	assert_int_equal(c.sites[0].recipients_per_message, 100);
	assert_int_equal(c.sites[0].idle_ms, 10000);
	assert_int_equal(c.sites[0].connect_timeout_ms, 30000);
	assert_int_equal(c.sites[0].tls, CONFIG_TLS_OPPORTUNISTIC);
	assert_int_equal(c.route_count, 0);
	config_free(&c);
	config_free(&c);
}

static void every_option_is_read(void **state)
{
	struct config c;

	(void)state;
	must_parse(
		&c,
		"data = /srv/h; control = '/run/x.sock'; workers = 3; log = debug\n"
		"metrics { listen = \"[0:0::1]:80\" }\n"
		"dns { forwarders = {\"192.0.2.53\", \"2001:db8::1@5353\"}\n"
		" trust-anchor-file = \"/a\" root-hints = \"/b\" trust-anchors = {\". DS 1 2 3 "
		"AA\"}\n"
		" stub-zones = {\"Test 127.0.0.1@5300\"} allow-destinations = {\"127.0.0.0/8\"}\n"
		" ipv4 = true ipv6 = false }\n"
		"queue { map-size-max = 2M; commit-interval = 1; durability = relaxed;\n"
		" in-flight = 7; in-doubt-delay = 0; log-keep = 2h }\n"
		"retry { schedule = {1m, 1m, 90s}; jitter = 0; expire = 1h }\n"
		"customer \"A.Example.\" { address \"any\" { ehlo = \"Mx.A.example\" }\n"
		" address \"2001:DB8:0::1\" { ehlo = \"mx.a.example\" }\n"
		" dkim \"S1\" { key = \"/k1\" } dkim \"s2.x_y\" { key = \"/k2\" } bounce = b\n"
		" unsubscribe-url = \"https://a.example:8443/u?t={{_token}}\"\n"
		" unsubscribe-mailto = \"{{_token}}-u@a.example\" }\n"
		"customer b.example { sign = false address 192.0.2.1 { ehlo = mx.b.example } }\n"
		"site big { mx = {\"*.Big.example\", \"mx.big2.example.\"}; rate = 5; tls = never "
		"}\n"
		"site default { sessions = 9; depth = 2; tls = required; idle = 1ms;\n"
		" messages-per-session = 1; recipients-per-message = 2; connect-timeout = 100ms }\n"
		"route \"*\" { relay = \"127.0.0.1:2525\" }\n");
	assert_string_equal(c.data, "/srv/h");
	assert_string_equal(c.control, "/run/x.sock");
	assert_int_equal(c.workers, 3);
	assert_int_equal(c.log, CONFIG_LOG_DEBUG);
	assert_string_equal(c.metrics_listen, "[::1]:80");
	assert_int_equal(c.dns.forwarders.count, 2);
	assert_string_equal(c.dns.forwarders.items[1], "2001:db8::1@5353");
	assert_string_equal(c.dns.trust_anchor_file, "/a");
	assert_string_equal(c.dns.root_hints, "/b");
	assert_string_equal(c.dns.trust_anchors.items[0], ". DS 1 2 3 AA");
	assert_string_equal(c.dns.stub_zones.items[0], "test 127.0.0.1@5300");
	assert_string_equal(c.dns.allow_destinations.items[0], "127.0.0.0/8");
	assert_true(c.dns.ipv4 && !c.dns.ipv6);
	assert_int_equal(c.queue.map_size_max, 2 << 20);
	assert_int_equal(c.queue.commit_interval_ms, 1000);
	assert_int_equal(c.queue.durability, CONFIG_DURABILITY_RELAXED);
	assert_int_equal(c.queue.in_flight, 7);
	assert_int_equal(c.queue.in_doubt_delay_ms, 0);
	assert_int_equal(c.queue.log_keep_ms, 7200000);
	assert_int_equal(c.retry.schedule.count, 3);
	assert_int_equal(c.retry.schedule.ms[2], 90000);
	assert_int_equal(c.retry.jitter_percent, 0);
	assert_int_equal(c.retry.expire_ms, 3600000);
	assert_int_equal(c.customer_count, 2);
	assert_string_equal(c.customers[0].domain, "a.example");
	assert_int_equal(c.customers[0].address_count, 2);
	assert_string_equal(c.customers[0].addresses[0].ip, "any");
	assert_string_equal(c.customers[0].addresses[0].ehlo, "mx.a.example");
	assert_string_equal(c.customers[0].addresses[1].ip, "2001:db8::1");
	assert_int_equal(c.customers[0].dkim_count, 2);
	assert_string_equal(c.customers[0].dkim[0].selector, "s1");
	assert_string_equal(c.customers[0].dkim[1].selector, "s2.x_y");
	assert_string_equal(c.customers[0].dkim[1].key, "/k2");
	assert_string_equal(c.customers[0].bounce, "b");
	assert_string_equal(c.customers[0].unsubscribe_url,
			    "https://a.example:8443/u?t={{_token}}");
	assert_string_equal(c.customers[0].unsubscribe_mailto, "{{_token}}-u@a.example");
	assert_false(c.customers[1].sign);
	assert_int_equal(c.customers[1].dkim_count, 0);
	assert_int_equal(c.site_count, 2);
	assert_int_equal(c.sites[0].tls, CONFIG_TLS_REQUIRED);
	assert_int_equal(c.sites[0].idle_ms, 1);
	assert_int_equal(c.sites[0].connect_timeout_ms, 100);
	assert_int_equal(c.sites[0].messages_per_session, 1);
	assert_int_equal(c.sites[0].recipients_per_message, 2);
	assert_string_equal(c.sites[1].name, "big");
	assert_string_equal(c.sites[1].mx.items[0], "*.big.example");
	assert_string_equal(c.sites[1].mx.items[1], "mx.big2.example");
	assert_string_equal(c.routes[0].domain, "*");
	assert_string_equal(c.routes[0].relay, "127.0.0.1:2525");
	config_free(&c);
}

static void a_site_inherits_from_the_default_wherever_that_stands(void **state)
{
	struct config c;

	(void)state;
	must_parse(&c, CUSTOMER "site \"a\" { mx = {\"mx.a.example\"} rate = 5 }\n"
				"site \"default\" { sessions = 9 rate = 7 }\n");
	assert_int_equal(c.sites[1].sessions, 9);
	assert_int_equal(c.sites[1].rate_per_s, 5);
	assert_int_equal(c.sites[1].depth, 4);
	assert_int_equal(c.sites[0].rate_per_s, 7);
	config_free(&c);
}

static void the_example_parses_and_holds_the_defaults(void **state)
{
	struct error error = { "" };
	struct config least;
	struct config example;

	(void)state;
	if (!config_read(&example, EXAMPLE, &error))
		fail_msg("%s", error.text);
	must_parse(&least, CUSTOMER);
	assert_string_equal(example.data, least.data);
	assert_string_equal(example.control, least.control);
	assert_int_equal(example.log, least.log);
	assert_string_equal(example.metrics_listen, least.metrics_listen);
	assert_memory_equal(&example.queue, &least.queue, sizeof(least.queue));
	assert_memory_equal(&example.dns, &least.dns, sizeof(least.dns));
	assert_int_equal(example.retry.schedule.count, least.retry.schedule.count);
	assert_memory_equal(example.retry.schedule.ms, least.retry.schedule.ms,
			    least.retry.schedule.count * sizeof(u64));
	assert_int_equal(example.retry.expire_ms, least.retry.expire_ms);
	assert_memory_equal(&example.sites[0].sessions, &least.sites[0].sessions,
			    sizeof(struct config_site) - offsetof(struct config_site, sessions));
	assert_string_equal(example.customers[0].bounce, least.customers[0].bounce);
	assert_int_equal(example.customers[0].address_count, 2);
	assert_int_equal(example.route_count, 1);
	config_free(&example);
	config_free(&least);
}

static void the_example_names_every_option(void **state)
{
	static const char *const names[] = {
		"data",
		"control",
		"workers",
		"log",
		"listen",
		"forwarders",
		"trust-anchor-file",
		"root-hints",
		"trust-anchors",
		"stub-zones",
		"allow-destinations",
		"ipv4",
		"ipv6",
		"map-size-max",
		"commit-interval",
		"durability",
		"in-flight",
		"in-doubt-delay",
		"log-keep",
		"schedule",
		"jitter",
		"expire",
		"ehlo",
		"key",
		"sign",
		"bounce",
		"unsubscribe-url",
		"unsubscribe-mailto",
		"mx",
		"sessions",
		"messages-per-session",
		"rate",
		"depth",
		"recipients-per-message",
		"idle",
		"tls",
		"connect-timeout",
		"relay",
	};
	static char text[16384];
	FILE *file = fopen(EXAMPLE, "r");
	size_t len;

	(void)state;
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	for (size_t i = 0; i < array_count(names); i++) {
		char assignment[64];

		snprintf(assignment, sizeof(assignment), "%s = ", names[i]);
		if (!strstr(text, assignment))
			fail_msg("the example lacks %s", names[i]);
	}
}

static void what_is_unknown_or_given_twice_is_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ "x = 1\n", "t.conf:1: no such option 'x'" },
		{ "\n\nqueue {\n\n x = 1 }\n", "t.conf:5: queue: no such option 'x'" },
		{ "nonsense { }\n", "t.conf:1: no such option 'nonsense'" },
		{ CUSTOMER "site \"s\" {\n y = 1 }\n", "t.conf:3: site \"s\": no such option 'y'" },
		{ "log = info\n# x\nlog = warn\n", "t.conf:3: log: given twice, first in line 1" },
		{ "log = info\nlog = info\n", "t.conf:2: log: given twice, first in line 1" },
		{ "dns { forwarders = {\"192.0.2.1\"}\n forwarders = {\"192.0.2.2\"} }\n",
		  "t.conf:2: dns: forwarders: given twice, first in line 1" },
		{ "dns { forwarders = {\"192.0.2.1\"}\n forwarders = {} }\n" CUSTOMER,
		  "t.conf:1: dns: forwarders: given twice" },
		{ "dns { forwarders = {\"192.0.2.1\",\n\"192.0.2.1\"} }\n",
		  "t.conf:2: dns: forwarders: \"192.0.2.1\" is there twice" },
		{ "queue { }\nqueue {\n}\n", "t.conf:3: queue: this section is there twice" },
		{ CUSTOMER CUSTOMER, "t.conf:2: found duplicate title 'example.jp'" },
		{ CUSTOMER "customer \"Example.JP\" {\n}\n",
		  "t.conf:3: customer \"Example.JP\": this customer is there twice" },
		{ "site \"default\" {}\nsite \"default\" {}\n",
		  "t.conf:2: found duplicate title 'default'" },
		{ CUSTOMER "route \"a.example\" { relay = \"192.0.2.1:25\" }\n"
			   "route \"A.example.\" { relay = \"192.0.2.1:25\" }\n",
		  "t.conf:3: route \"A.example.\": this route is there twice" },
		{ "customer \"a.example\" { address \"2001:db8::1\" { ehlo = \"m.a.example\" }\n"
		  "address \"2001:DB8::1\" { ehlo = \"m.a.example\" } dkim \"s\" { key = \"/k\" } "
		  "}\n",
		  "t.conf:2: address \"2001:DB8::1\": this address is there twice" },
		{ CUSTOMER "site \"a\" { mx = {\"*.x.example\"} }\n"
			   "site \"b\" {\nmx = {\"*.X.example\"} }\n",
		  "t.conf:4: site \"b\": mx: \"*.x.example\" is in site \"a\", too" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static void values_out_of_shape_or_range_are_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ "data = \"relative\"\n", "t.conf:1: data: \"relative\" is not an absolute path" },
		{ "data = \"\"\n", "t.conf:1: data: \"\" is not an absolute path" },
		{ "control = "
		  "\"/0123456789012345678901234567890123456789012345678901234567890123456789"
		  "0123456789012345678901234567890123456\"\n",
		  "t.conf:1: control: "
		  "\"/012345678901234567890123456789012345678901234567890123456789012"
		  "3456789012345678\" is not an absolute path of at most 107 bytes" },
		{ "workers = 257\n", "t.conf:1: workers: \"257\" is not a number from 0 to 256" },
		{ "workers = -1\n", "t.conf:1: workers: \"-1\" is not a number from 0 to 256" },
		{ "workers = 4294967296\n",
		  "t.conf:1: workers: \"4294967296\" is not a number from 0 to 256" },
		{ "log = loud\n", "t.conf:1: log: \"loud\" is not error, warn, info or debug" },
		{ "metrics { listen = \"localhost:1\" }\n",
		  "t.conf:1: metrics: listen: \"localhost:1\" is not an address with port such as "
		  "127.0.0.1:9641 or [::1]:9641" },
		{ "queue {\nmap-size-max = 12Q }\n",
		  "t.conf:2: queue: map-size-max: \"12Q\" is not a size from 1M to 64T" },
		{ "queue { map-size-max = 99999999T }\n",
		  "t.conf:1: queue: map-size-max: \"99999999T\" is not a size from 1M to 64T" },
		{ "queue { map-size-max = 1K }\n",
		  "t.conf:1: queue: map-size-max: \"1K\" is not a size from 1M to 64T" },
		{ "queue { commit-interval = 2s }\n",
		  "t.conf:1: queue: commit-interval: \"2s\" is not a duration from 0ms to 1s" },
		{ "queue { durability = some }\n",
		  "t.conf:1: queue: durability: \"some\" is not full or relaxed" },
		{ "queue { in-flight = 0 }\n",
		  "t.conf:1: queue: in-flight: \"0\" is not a number from 1 to 4194304" },
		{ "queue { log-keep = 59m }\n",
		  "t.conf:1: queue: log-keep: \"59m\" is not a duration from 1h to 3650d" },
		{ "retry { schedule = {\"5m\",\n\"soon\"} }\n",
		  "t.conf:2: retry: schedule: \"soon\" is not a duration from 1s to 7d" },
		{ "retry { jitter = 101 }\n",
		  "t.conf:1: retry: jitter: \"101\" is not a number from 0 to 100" },
		{ "dns { ipv4 = yes }\n", "t.conf:1: dns: ipv4: \"yes\" is not true or false" },
		{ "dns { forwarders = {\"dns.example\"} }\n",
		  "t.conf:1: dns: forwarders: \"dns.example\" is not an IP address, with @port "
		  "behind it "
		  "if need be" },
		{ "dns { forwarders = {\"192.0.2.1@0\"} }\n",
		  "t.conf:1: dns: forwarders: \"192.0.2.1@0\" is not an IP address, with @port "
		  "behind it "
		  "if need be" },
		{ "dns { stub-zones = {\"test\"} }\n", "t.conf:1: dns: stub-zones: \"test\" is not "
						       "a zone, a space and an IP address with "
						       "@port if need be" },
		{ "dns { allow-destinations = {\"10.1.0.0/8\"} }\n",
		  "t.conf:1: dns: allow-destinations: \"10.1.0.0/8\" is not a range such as "
		  "10.0.0.0/8, "
		  "with no bits set behind the prefix" },
		{ "dns { root-hints = \"x\" }\n",
		  "t.conf:1: dns: root-hints: \"x\" is not an absolute path" },
		{ "dns { trust-anchors = {\"\"} }\n",
		  "t.conf:1: dns: trust-anchors: \"\" is not a DS or DNSKEY line" },
		{ "site \"default\" { sessions = 0 }\n",
		  "t.conf:1: site \"default\": sessions: \"0\" is not a number from 1 to 65536" },
		{ "site \"default\" { tls = maybe }\n",
		  "t.conf:1: site \"default\": tls: \"maybe\" is not opportunistic, never or "
		  "required" },
		{ "site \"default\" { connect-timeout = 1ms }\n",
		  "t.conf:1: site \"default\": connect-timeout: \"1ms\" is not a duration from "
		  "100ms to "
		  "5m" },
		{ "route \"*\" { relay = \"relay.example:25\" }\n",
		  "t.conf:1: route \"*\": relay: \"relay.example:25\" is not an address with port "
		  "such as "
		  "127.0.0.1:2525 or [::1]:2525" },
		{ "route \"*\" { relay = \"127.0.0.1:65536\" }\n",
		  "t.conf:1: route \"*\": relay: \"127.0.0.1:65536\" is not an address with port "
		  "such as "
		  "127.0.0.1:2525 or [::1]:2525" },
		{ "customer \"a.example\" { bounce = \"a+b\" }\n",
		  "t.conf:1: customer \"a.example\": bounce: \"a+b\" is not 1 to 24 letters, "
		  "digits, '-' "
		  "and '_'" },
		{ "customer \"a.example\" { unsubscribe-url = \"http://a.example/{{_token}}\" }\n",
		  "t.conf:1: customer \"a.example\": unsubscribe-url: "
		  "\"http://a.example/{{_token}}\" is "
		  "not an https URL with {{_token}} in its path or query" },
		{ "customer \"a.example\" { unsubscribe-mailto = \"u@a.example\" }\n",
		  "t.conf:1: customer \"a.example\": unsubscribe-mailto: \"u@a.example\" is not an "
		  "address with {{_token}} in its local part" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static void what_is_missing_or_does_not_fit_together_is_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ "", "t.conf:1: no section \"customer\"" },
		{ "customer \"nodot\" { }\n",
		  "t.conf:1: customer \"nodot\": its title is not a domain name" },
		{ "customer \"192.0.2.1\" { }\n",
		  "t.conf:1: customer \"192.0.2.1\": its title is not a domain name" },
		{ "customer \"a.example\" {\n}\n",
		  "t.conf:2: customer \"a.example\": no section \"address\"" },
		{ "customer \"a.example\" { address \"192.0.2.1\" {\n} }\n",
		  "t.conf:2: address \"192.0.2.1\": ehlo: is missing" },
		{ "customer \"a.example\" { address \"192.0.2.256\" { ehlo = \"m.a.example\" } }\n",
		  "t.conf:1: address \"192.0.2.256\": its title is not an IP address or \"any\"" },
		{ "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" } }\n",
		  "t.conf:1: customer \"a.example\": no section \"dkim\"" },
		{ "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" }\n"
		  "dkim \"s\" { } }\n",
		  "t.conf:2: dkim \"s\": key: is missing" },
		{ "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" }\n"
		  "dkim \"s!\" { key = \"/k\" } }\n",
		  "t.conf:2: dkim \"s!\": its title is not a DKIM selector" },
		{ "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" }\n"
		  "dkim a { key = /k } dkim b { key = /k } dkim c { key = /k } }\n",
		  "t.conf:2: customer \"a.example\": more than 2 sections \"dkim\"" },
		{ "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" }\n"
		  "sign = false dkim a { key = /k }\n}\n",
		  "t.conf:2: customer \"a.example\": sign: false, but there is a section "
		  "\"dkim\"" },
		{ CUSTOMER "dns { ipv4 = false\nipv6 = false\n}\n",
		  "t.conf:3: dns: ipv6: either ipv4 or ipv6 must be true" },
		{ CUSTOMER "retry { schedule = {2h}\nexpire = 1h\n}\n",
		  "t.conf:3: retry: expire: earlier than the first retry" },
		{ CUSTOMER "site \"a\" {\n}\n", "t.conf:3: site \"a\": no pattern in \"mx\"" },
		{ CUSTOMER "site \"default\" {\nmx = {\"a.example\"}\n}\n",
		  "t.conf:3: site \"default\": mx: the default site takes no patterns" },
		{ CUSTOMER "site \"\" { }\n", "t.conf:2: site \"\": its title is not a name" },
		{ CUSTOMER "route \"*\" {\n}\n", "t.conf:3: route \"*\": relay: is missing" },
		{ CUSTOMER "route \"a.*\" { relay = \"192.0.2.1:25\" }\n",
		  "t.conf:2: route \"a.*\": its title is not a domain, \"*.domain\" or \"*\"" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static void broken_syntax_is_refused_and_leaves_no_trace_for_the_next_file(void **state)
{
	static const struct refusal refusals[] = {
		{ "data = \"/x\nlog = info\n", "t.conf:1: string without an end on its line" },
		{ "\n\n/* no end\n\n", "t.conf:3: comment without an end" },
		{ "data = '/x", "t.conf:1: string without an end on its line" },
		{ "data = \"/\\x41\"\n", "t.conf:1: unknown escape in a string" },
		{ "data = \"/${HOME}\"\n", "t.conf:1: environment variables are not read" },
		{ "data = ${HOME}\n", "t.conf:1: environment variables are not read" },
		{ "dns { forwarders += {\"192.0.2.1\"} }\n",
		  "t.conf:1: '+' outside quotes: write each list once" },
		{ "\"queue|in-flight\" = 1\n", "t.conf:1: '|' has no meaning here" },
		{ "data = \"/\x01\"\n", "t.conf:1: control character" },
		{ CUSTOMER "queue {\n in-flight = 1\n",
		  "t.conf:2: opening brace without a closing one" },
		{ "dns { forwarders = {\n\n", "t.conf:1: opening brace without a closing one" },
		{ "\n}\n", "t.conf:2: closing brace without an opening one" },
		{ "{{{{{{{{{\n", "t.conf:1: too many braces within braces" },
		{ "{}\n", "t.conf:1: unexpected token '{'" },
		{ "data = \n", "t.conf:2: premature end of file" },
		{ "data /x\n", "t.conf:1: missing equal sign after option 'data'" },
		{ "customer { }\n", "t.conf:1: missing title for section 'customer'" },
		{ "queue = 1\n", "t.conf:1: missing opening brace for section 'queue'" },
		{ "workers = {1}\n", "t.conf:1: unexpected token '{'" },
		{ "include(\"/etc/passwd\")\n", "t.conf:1: no such option 'include'" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(refusals); i++) {
		struct config config;

		check_refusals(&refusals[i], 1);
		must_parse(&config, CUSTOMER);
		config_free(&config);
	}
}

static void comments_of_every_kind_and_length_are_skipped(void **state)
{
	struct config config;
	char text[512];

	(void)state;
	must_parse(&config, "#\n//\n/**/\n/***/\n" CUSTOMER);
	config_free(&config);
	for (int len = 0; len < 140; len++) {
		snprintf(text, sizeof(text),
			 "#%.*s\n" CUSTOMER "//%.*s\n/*%.*s\n*/ workers = 1 # \xff", len,
			 "****************************************************************"
			 "****************************************************************"
			 "****************",
			 len, "\t ;\" '${x}", len, "# // \" ");
		must_parse(&config, text);
		assert_int_equal(config.workers, 1);
		config_free(&config);
	}
	must_parse(&config, "\xef\xbb\xbfworkers = 2\r\n" CUSTOMER);
	assert_int_equal(config.workers, 2);
	config_free(&config);
}

static void more_than_the_limits_is_refused(void **state)
{
	struct config config;
	struct error error;
	char *text = malloc(CONFIG_FILE_MAX + 2);
	size_t len;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', CONFIG_FILE_MAX + 1);
	assert_false(config_parse(&config, (struct slice){ text, CONFIG_FILE_MAX + 1 }, "t.conf",
				  &error));
	assert_string_equal(error.text, "t.conf: longer than 1048576 bytes");
	len = (size_t)snprintf(text, 64, "%s", "retry { schedule = {1m");
	for (int i = 0; i < CONFIG_LIST_MAX; i++)
		len += (size_t)snprintf(text + len, 8, ",1m");
	snprintf(text + len, 8, "} }\n");
	assert_false(parse(&config, text, &error));
	assert_string_equal(error.text, "t.conf:1: retry: schedule: more than 64 items");
	len = (size_t)snprintf(text, 256, "%s", CUSTOMER);
	for (int i = 0; i < CONFIG_SITES_MAX; i++)
		len += (size_t)snprintf(text + len, 64, "site s%d { mx = {m%d.example} }\n", i, i);
	assert_false(parse(&config, text, &error));
	assert_string_equal(error.text, "t.conf:258: more than 255 sections \"site\"");
	free(text);
}

static void a_file_that_is_not_there_is_named(void **state)
{
	struct config config;
	struct error error;

	(void)state;
	assert_false(config_read(&config, "/nonexistent/hikyaku.conf", &error));
	assert_string_equal(error.text, "/nonexistent/hikyaku.conf: No such file or directory");
	assert_false(config_read(&config, "/", &error));
	assert_string_equal(error.text, "/: Is a directory");
	config_free(&config);
}

static void patterns_match_whole_names_and_names_below(void **state)
{
	static const struct {
		const char *pattern;
		const char *name;
		bool matches;
	} rows[] = {
		{ "*", "a.example", true },
		{ "*", "", true },
		{ "*.example.com", "a.example.com", true },
		{ "*.example.com", "A.B.Example.COM.", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "badexample.com", false },
		{ "*.example.com", ".example.com", false },
		{ "*.example.com", "a.example.com.evil.test", false },
		{ "example.com", "EXAMPLE.com", true },
		{ "example.com", "a.example.com", false },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		if (config_pattern_matches(rows[i].pattern, slice_of(rows[i].name)) !=
		    rows[i].matches)
			fail_msg("%s against %s", rows[i].pattern, rows[i].name);
	}
}

static void sites_routes_and_customers_are_found(void **state)
{
	struct config c;

	(void)state;
	must_parse(&c, CUSTOMER "site \"g\" { mx = {\"*.google.example\"} }\n"
				"route \"*\" { relay = \"192.0.2.1:25\" }\n"
				"route \"*.a.example\" { relay = \"192.0.2.2:25\" }\n"
				"route \"*.b.a.example\" { relay = \"192.0.2.3:25\" }\n"
				"route \"x.b.a.example\" { relay = \"192.0.2.4:25\" }\n");
	assert_string_equal(config_site_of(&c, SLICE("MX1.google.example"))->name, "g");
	assert_string_equal(config_site_of(&c, SLICE("mx.other.example"))->name, "default");
	assert_string_equal(config_route_of(&c, SLICE("else.example"))->relay, "192.0.2.1:25");
	assert_string_equal(config_route_of(&c, SLICE("y.a.example"))->relay, "192.0.2.2:25");
	assert_string_equal(config_route_of(&c, SLICE("y.b.a.example"))->relay, "192.0.2.3:25");
	assert_string_equal(config_route_of(&c, SLICE("x.b.a.example"))->relay, "192.0.2.4:25");
	assert_ptr_equal(config_customer_of(&c, SLICE("EXAMPLE.jp.")), &c.customers[0]);
	assert_null(config_customer_of(&c, SLICE("mail.example.jp")));
	config_free(&c);
	must_parse(&c, CUSTOMER);
	assert_null(config_route_of(&c, SLICE("else.example")));
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_file_gives_every_default),
		cmocka_unit_test(every_option_is_read),
		cmocka_unit_test(a_site_inherits_from_the_default_wherever_that_stands),
		cmocka_unit_test(the_example_parses_and_holds_the_defaults),
		cmocka_unit_test(the_example_names_every_option),
		cmocka_unit_test(what_is_unknown_or_given_twice_is_refused),
		cmocka_unit_test(values_out_of_shape_or_range_are_refused),
		cmocka_unit_test(what_is_missing_or_does_not_fit_together_is_refused),
		cmocka_unit_test(broken_syntax_is_refused_and_leaves_no_trace_for_the_next_file),
		cmocka_unit_test(comments_of_every_kind_and_length_are_skipped),
		cmocka_unit_test(more_than_the_limits_is_refused),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(patterns_match_whole_names_and_names_below),
		cmocka_unit_test(sites_routes_and_customers_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
