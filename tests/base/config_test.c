/* The sender's configuration: what is read of it, and what is found in it. */
#include "base/config.h"
#include "base/text.h"
#include "smtp/client.h"

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
	assert_int_equal(c.dns.block_lists.count, 3);
	assert_string_equal(c.dns.block_lists.items[0], "zen.spamhaus.org");
	assert_string_equal(c.dns.block_lists.items[2], "b.barracudacentral.org");
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
	assert_int_equal(c.customers[0].notice_language, CONFIG_NOTICE_BOTH);
	assert_int_equal(c.retry.delay_notice_ms, 4 * 3600000);
	assert_null(c.customers[0].unsubscribe_url);
	assert_null(c.customers[0].unsubscribe_mailto);
	/* Further ones come with the program. */
	assert_true(c.site_count > 30 && c.provider_rules);
	assert_int_equal(c.sites[0].own, 0);
	assert_int_equal(c.sites[0].per_minute, 0);
	assert_int_equal(c.sites[0].per_hour, 0);
	assert_int_equal(c.sites[0].per_day, 0);
	assert_true(c.sites[0].adaptive);
	assert_int_equal(c.receive.listen.count, 0);
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

/* The client's own defaults and those of the file must not drift apart. */
static void the_usual_timeouts_are_those_of_the_smtp_client(void **state)
{
	const u32 *usual = smtp_timeouts_usual.ms;
	struct config c;

	(void)state;
	must_parse(&c, CUSTOMER);
	assert_int_equal(c.sites[0].greeting_timeout_ms, usual[SMTP_TIMEOUT_GREETING]);
	assert_int_equal(c.sites[0].ehlo_timeout_ms, usual[SMTP_TIMEOUT_EHLO]);
	assert_int_equal(c.sites[0].tls_timeout_ms, usual[SMTP_TIMEOUT_TLS]);
	assert_int_equal(c.sites[0].mail_timeout_ms, usual[SMTP_TIMEOUT_MAIL]);
	assert_int_equal(c.sites[0].rcpt_timeout_ms, usual[SMTP_TIMEOUT_RCPT]);
	assert_int_equal(c.sites[0].data_timeout_ms, usual[SMTP_TIMEOUT_DATA]);
	assert_int_equal(c.sites[0].block_timeout_ms, usual[SMTP_TIMEOUT_BLOCK]);
	assert_int_equal(c.sites[0].dot_timeout_ms, usual[SMTP_TIMEOUT_DOT]);
	assert_int_equal(c.sites[0].quit_timeout_ms, usual[SMTP_TIMEOUT_QUIT]);
	assert_int_equal(c.sites[0].message_timeout_ms, usual[SMTP_TIMEOUT_MESSAGE]);
	config_free(&c);
}

static const char every_option[] =
	"data = /srv/h; control = '/run/x.sock'; workers = 3; log = debug\n"
	"metrics { listen = \"[0:0::1]:80\" }\n"
	"dns { forwarders = {\"192.0.2.53\", \"2001:db8::1@5353\"}\n"
	" trust-anchor-file = \"/a\" root-hints = \"/b\" trust-anchors = {\". DS 1 2 3 "
	"AA\"}\n"
	" stub-zones = {\"Test 127.0.0.1@5300\"} allow-destinations = {\"127.0.0.0/8\"}\n"
	" block-lists = {\"Key.List.example.\", none}\n"
	" ipv4 = true ipv6 = false }\n"
	"queue { map-size-max = 2M; commit-interval = 1; durability = relaxed;\n"
	" in-flight = 7; in-doubt-delay = 0; log-keep = 2h }\n"
	"retry { schedule = {1m, 1m, 90s}; jitter = 0; expire = 1h\n"
	" delay-notice = 0s\n"
	" class mailbox-full { schedule = {2h}; expire = 1d } }\n"
	"customer \"A.Example.\" { address \"any\" { ehlo = \"Mx.A.example\" }\n"
	" address \"2001:DB8:0::1\" { ehlo = \"mx.a.example\" }\n"
	" dkim \"S1\" { key = \"/k1\" } dkim \"s2.x_y\" { key = \"/k2\" } bounce = b\n"
	" notice-language = japanese\n"
	" unsubscribe-url = \"https://a.example:8443/u?t={{_token}}\"\n"
	" unsubscribe-mailto = \"{{_token}}-u@a.example\" }\n"
	"customer b.example { sign = false address 192.0.2.1 { ehlo = mx.b.example } }\n"
	"site big { mx = {\"*.Big.example\", \"mx.big2.example.\"}; rate = 5; tls = never "
	"}\n"
	"site default { sessions = 9; depth = 2; tls = required; idle = 1ms; odd-dots = raw;\n"
	" tls-kernel = never;\n"
	" bad-mailbox-strikes = 3; bad-mailbox-apart = 1h;\n"
	" messages-per-session = 1; recipients-per-message = 2; connect-timeout = 100ms;\n"
	" greeting-timeout = 1s; ehlo-timeout = 2s; tls-timeout = 3s; mail-timeout = 4s;\n"
	" rcpt-timeout = 5s; data-timeout = 6s; block-timeout = 7s; dot-timeout = 8s;\n"
	" quit-timeout = 9s; message-timeout = 1d }\n"
	"receive { listen = {\"127.0.0.1:2500\"} hostname = MX.a.example; spool = \"/s\"\n"
	" spool-max = 1M; spool-free = 0; message-max = 64K; connections = 8;\n"
	" connections-per-client = 2; tls-certificate = \"/c.pem\" }\n"
	"route \"*\" { relay = \"127.0.0.1:2525\" }\n";

static void a_receiver_listens_everywhere_unless_told(void **state)
{
	struct config c;

	(void)state;
	must_parse(&c, CUSTOMER "receive { hostname = mx.example.jp }\n");
	assert_int_equal(c.receive.listen.count, 2);
	assert_string_equal(c.receive.listen.items[1], "[::]:25");
	assert_string_equal(c.receive.spool, "/data/receive/spool");
	assert_null(c.receive.tls_certificate);
	assert_true(c.receive.spool_max == 4ull << 30 && c.receive.spool_free == 1ull << 30);
	assert_int_equal(c.receive.message_max, 50 << 20);
	assert_int_equal(c.receive.connections, 5000);
	assert_int_equal(c.receive.connections_per_client, 20);
	config_free(&c);
}

static void every_option_is_read(void **state)
{
	struct config c;

	(void)state;
	must_parse(&c, every_option);
	assert_string_equal(c.data, "/srv/h");
	assert_string_equal(c.control, "/run/x.sock");
	assert_int_equal(c.workers, 3);
	assert_int_equal(c.log, CONFIG_LOG_DEBUG);
	assert_string_equal(c.metrics_listen, "[::1]:80");
	assert_int_equal(c.dns.forwarders.count, 2);
	assert_string_equal(c.dns.forwarders.items[1], "2001:db8::1@5353");
	assert_int_equal(c.receive.listen.count, 1);
	assert_string_equal(c.receive.listen.items[0], "127.0.0.1:2500");
	assert_string_equal(c.receive.hostname, "mx.a.example");
	assert_string_equal(c.receive.spool, "/s");
	assert_string_equal(c.receive.tls_certificate, "/c.pem");
	assert_int_equal(c.receive.spool_max, 1 << 20);
	assert_int_equal(c.receive.spool_free, 0);
	assert_int_equal(c.receive.message_max, 65536);
	assert_int_equal(c.receive.connections, 8);
	assert_int_equal(c.receive.connections_per_client, 2);
	assert_string_equal(c.dns.trust_anchor_file, "/a");
	assert_string_equal(c.dns.root_hints, "/b");
	assert_string_equal(c.dns.trust_anchors.items[0], ". DS 1 2 3 AA");
	assert_string_equal(c.dns.stub_zones.items[0], "test 127.0.0.1@5300");
	assert_string_equal(c.dns.allow_destinations.items[0], "127.0.0.0/8");
	assert_int_equal(c.dns.block_lists.count, 2);
	assert_string_equal(c.dns.block_lists.items[0], "key.list.example");
	assert_string_equal(c.dns.block_lists.items[1], "none");
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
	assert_int_equal(c.retry.delay_notice_ms, 0);
	assert_int_equal(c.customers[0].notice_language, CONFIG_NOTICE_JAPANESE);
	assert_int_equal(c.retry.expire_ms, 3600000);
	assert_int_equal(c.retry.classes[SMTP_CLASS_MAILBOX_FULL].schedule.ms[0], 7200000);
	assert_int_equal(c.retry.classes[SMTP_CLASS_MAILBOX_FULL].expire_ms, 86400000);
	assert_int_equal(c.retry.classes[SMTP_CLASS_RATE].schedule.count, 3);
	config_free(&c);
}

static void every_option_of_titled_sections_is_read(void **state)
{
	struct config c;

	(void)state;
	must_parse(&c, every_option);
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
	assert_true(c.sites[1].own != 0 && c.sites[1].shipped == 0);
	assert_int_equal(c.sites[0].tls, CONFIG_TLS_REQUIRED);
	assert_int_equal(c.sites[0].tls_kernel, CONFIG_TLS_KERNEL_NEVER);
	assert_int_equal(c.sites[0].odd_dots, CONFIG_DOTS_RAW);
	assert_int_equal(c.sites[0].bad_mailbox_strikes, 3);
	assert_int_equal(c.sites[0].bad_mailbox_apart_ms, 3600 * 1000);
	assert_int_equal(c.sites[0].idle_ms, 1);
	assert_int_equal(c.sites[0].connect_timeout_ms, 100);
	assert_int_equal(c.sites[0].greeting_timeout_ms, 1000);
	assert_int_equal(c.sites[0].ehlo_timeout_ms, 2000);
	assert_int_equal(c.sites[0].tls_timeout_ms, 3000);
	assert_int_equal(c.sites[0].mail_timeout_ms, 4000);
	assert_int_equal(c.sites[0].rcpt_timeout_ms, 5000);
	assert_int_equal(c.sites[0].data_timeout_ms, 6000);
	assert_int_equal(c.sites[0].block_timeout_ms, 7000);
	assert_int_equal(c.sites[0].dot_timeout_ms, 8000);
	assert_int_equal(c.sites[0].quit_timeout_ms, 9000);
	assert_int_equal(c.sites[0].message_timeout_ms, 86400000);
	assert_int_equal(c.sites[1].dot_timeout_ms, 8000);
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
	assert_memory_equal(&example.dns, &least.dns, offsetof(struct config_dns, block_lists));
	assert_int_equal(example.dns.block_lists.count, least.dns.block_lists.count);
	for (size_t i = 0; i < least.dns.block_lists.count; i++)
		assert_string_equal(example.dns.block_lists.items[i], least.dns.block_lists.items[i]);
	assert_true(example.dns.ipv4 == least.dns.ipv4 && example.dns.ipv6 == least.dns.ipv6);
	assert_int_equal(example.retry.schedule.count, least.retry.schedule.count);
	assert_memory_equal(example.retry.schedule.ms, least.retry.schedule.ms,
			    least.retry.schedule.count * sizeof(u64));
	assert_int_equal(example.retry.expire_ms, least.retry.expire_ms);
	assert_memory_equal(&example.sites[0].sessions, &least.sites[0].sessions,
			    offsetof(struct config_site, own) -
				    offsetof(struct config_site, sessions));
	assert_string_equal(example.customers[0].bounce, least.customers[0].bounce);
	assert_int_equal(example.customers[0].address_count, 2);
	assert_int_equal(example.route_count, 1);
	assert_int_equal(example.reply_count, 1);
	config_free(&example);
	config_free(&least);
}

static const char *const option_names[] = {
	"data",
	"control",
	"workers",
	"log",
	"provider-rules",
	"tls-report",
	"tls-report-contact",
	"listen",
	"forwarders",
	"trust-anchor-file",
	"root-hints",
	"trust-anchors",
	"stub-zones",
	"allow-destinations",
	"block-lists",
	"ipv4",
	"ipv6",
	"mta-sts",
	"map-size-max",
	"commit-interval",
	"durability",
	"in-flight",
	"in-doubt-delay",
	"log-keep",
	"schedule",
	"jitter",
	"delay-notice",
	"expire",
	"blocks-fail",
	"hard",
	"soft",
	"ehlo",
	"class",
	"code",
	"enhanced",
	"text",
	"key",
	"sign",
	"bounce",
	"notice-language",
	"unsubscribe-url",
	"unsubscribe-mailto",
	"mx",
	"sessions",
	"messages-per-session",
	"rate",
	"per-minute",
	"per-hour",
	"per-day",
	"total-sessions",
	"total-rate",
	"total-per-minute",
	"total-per-hour",
	"total-per-day",
	"reserve",
	"warm-up-first",
	"warm-up-growth",
	"warm-up-target",
	"warm-up",
	"adaptive",
	"depth",
	"recipients-per-message",
	"idle",
	"tls",
	"tls-kernel",
	"odd-dots",
	"bad-mailbox-strikes",
	"bad-mailbox-apart",
	"connect-timeout",
	"greeting-timeout",
	"ehlo-timeout",
	"tls-timeout",
	"mail-timeout",
	"rcpt-timeout",
	"data-timeout",
	"block-timeout",
	"dot-timeout",
	"quit-timeout",
	"message-timeout",
	"relay",
};

static void the_example_names_every_option(void **state)
{
	static char text[16384];
	FILE *file = fopen(EXAMPLE, "r");
	size_t len;

	(void)state;
	assert_non_null(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[len] = '\0';
	for (size_t i = 0; i < array_count(option_names); i++) {
		char assignment[64];

		snprintf(assignment, sizeof(assignment), "%s = ", option_names[i]);
		if (!strstr(text, assignment))
			fail_msg("the example lacks %s", option_names[i]);
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

static void patterns_of_replies_are_read_in_their_order(void **state)
{
	struct config c;
	const struct config_reply *r;

	(void)state;
	must_parse(&c, CUSTOMER "reply \"b\" { class = greylisted code = 45 enhanced = \"4.7\"\n"
				"  text = {\"Come  BACK\", \" soon\"} mx = {\"*.X.example\"} }\n"
				"reply \"a\" { class = \"mailbox-full\" enhanced = \"5.2.122\" }\n"
				"reply \"c\" { class = rate mx = {\"mx.y.example\"} }\n");
	assert_int_equal(c.reply_count, 3);
	r = &c.replies[0];
	assert_string_equal(r->name, "b");
	assert_int_equal(r->class, SMTP_CLASS_GREYLISTED);
	assert_int_equal(r->code, 45);
	assert_memory_equal(r->enhanced, ((u16[]){ 4, 7, SMTP_ANY_DETAIL }), sizeof(r->enhanced));
	assert_int_equal(r->text.count, 2);
	assert_string_equal(r->text.items[0], "come back");
	assert_string_equal(r->text.items[1], " soon");
	assert_string_equal(r->mx.items[0], "*.x.example");
	r = &c.replies[1];
	assert_int_equal(r->class, SMTP_CLASS_MAILBOX_FULL);
	assert_int_equal(r->code, 0);
	assert_memory_equal(r->enhanced, ((u16[]){ 5, 2, 122 }), sizeof(r->enhanced));
	assert_int_equal(r->text.count, 0);
	r = &c.replies[2];
	assert_memory_equal(r->enhanced, ((u16[]){ 0, 0, 0 }), sizeof(r->enhanced));
	assert_int_equal(r->mx.count, 1);
	config_free(&c);
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

static void submission_has_its_ports_unless_told(void **state)
{
	struct config c;

	(void)state;
	must_parse(&c, CUSTOMER "receive { hostname = mx.example.jp }\n");
	assert_null(c.submission.users);
	config_free(&c);
	must_parse(&c, CUSTOMER "receive { hostname = mx.example.jp listen = {\"none\"} }\n"
				"submission { listen = {\"none\"} listen-clear = {\"[::1]:587\"} }\n");
	assert_string_equal(c.receive.listen.items[0], CONFIG_NOWHERE);
	assert_string_equal(c.submission.listen.items[0], CONFIG_NOWHERE);
	assert_string_equal(c.submission.listen_tls.items[0], "0.0.0.0:465");
	assert_string_equal(c.submission.listen_clear.items[0], "[::1]:587");
	assert_string_equal(c.submission.users, "/data/etc/users");
	assert_int_equal(c.submission.message_max, 25 << 20);
	assert_int_equal(c.submission.recipients, 100);
	assert_int_equal(c.submission.per_hour, 10000);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(submission_has_its_ports_unless_told),
		cmocka_unit_test(the_least_file_gives_every_default),
		cmocka_unit_test(the_usual_timeouts_are_those_of_the_smtp_client),
		cmocka_unit_test(a_receiver_listens_everywhere_unless_told),
		cmocka_unit_test(every_option_is_read),
		cmocka_unit_test(every_option_of_titled_sections_is_read),
		cmocka_unit_test(a_site_inherits_from_the_default_wherever_that_stands),
		cmocka_unit_test(the_example_parses_and_holds_the_defaults),
		cmocka_unit_test(the_example_names_every_option),
		cmocka_unit_test(comments_of_every_kind_and_length_are_skipped),
		cmocka_unit_test(a_file_that_is_not_there_is_named),
		cmocka_unit_test(patterns_match_whole_names_and_names_below),
		cmocka_unit_test(patterns_of_replies_are_read_in_their_order),
		cmocka_unit_test(sites_routes_and_customers_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
