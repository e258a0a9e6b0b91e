/* What the configuration reader refuses: each with its file, its line and the option. */
#include "base/config.h"
#include "base/fail_alloc.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

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

static void what_is_unknown_or_given_twice_is_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ "x = 1\n", "t.conf:1: no such option 'x'" },
		{ "\n\nqueue {\n\n x = 1 }\n", "t.conf:5: queue: no such option 'x'" },
		{ CUSTOMER "submission { }\n",
		  "t.conf:2: submission: there is no section \"receive\"" },
		{ CUSTOMER "receive { hostname = a.example }\n"
			   "submission { listen-clear = {\"0.0.0.0:587\"} }\n",
		  "t.conf:3: submission: listen-clear: \"0.0.0.0:587\" is not an address of this "
		  "machine alone, such as 127.0.0.1:587" },
		{ CUSTOMER "receive { }\n", "t.conf:2: receive: hostname: is missing" },
		{ CUSTOMER "receive { hostname = a.example\n listen = {\"a\"} }\n",
		  "t.conf:3: receive: listen: \"a\" is not an address with port such as "
		  "0.0.0.0:25 or [::]:25" },
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
		{ CUSTOMER "reply \"r\" { class = rate text = {\"abc\"} }\n"
			   "reply \"r\" { class = rate text = {\"abd\"} }\n",
		  "t.conf:3: found duplicate title 'r'" },
		{ CUSTOMER "site \"a\" { mx = {\"*.x.example\"} }\n"
			   "site \"b\" {\nmx = {\"*.X.example\"} }\n",
		  "t.conf:4: site \"b\": mx: \"*.x.example\" is in site \"a\", too" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static const struct refusal wrong_values[] = {
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
	{ "hook \"a\" { url = \"https://u:p@x/\" secret-file = \"/s\" }\n",
	  "t.conf:1: hook \"a\": url: \"https://u:p@x/\" is not a URL that begins with https:// "
	  "(or http://), without a password" },
	{ "hook \"a\" { url = \"https://x/\" secret-file = \"/s\" events = {\"opened\"} }\n",
	  "t.conf:1: hook \"a\": events: \"opened\" is not an outcome of the delivery log, such as "
	  "delivered, failed or bounced" },
	{ "queue { log-size-max = 100K }\n",
	  "t.conf:1: queue: log-size-max: \"100K\" is not a size from 1M to 64T" },
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
	{ "dns { block-lists = {\"zen\"} }\n",
	  "t.conf:1: dns: block-lists: \"zen\" is not a block list's domain name, or none" },
	{ "dns { root-hints = \"x\" }\n",
	  "t.conf:1: dns: root-hints: \"x\" is not an absolute path" },
	{ "dns { trust-anchors = {\"\"} }\n",
	  "t.conf:1: dns: trust-anchors: \"\" is not a DS or DNSKEY line" },
	{ "site \"default\" { sessions = 0 }\n",
	  "t.conf:1: site \"default\": sessions: \"0\" is not a number from 1 to 65536" },
	{ "site \"default\" { tls = maybe }\n",
	  "t.conf:1: site \"default\": tls: \"maybe\" is not opportunistic, never, "
	  "required, unpublished, verify or dane" },
	{ "site \"default\" { connect-timeout = 1ms }\n",
	  "t.conf:1: site \"default\": connect-timeout: \"1ms\" is not a duration from "
	  "100ms to "
	  "5m" },
	{ "site \"default\" { dot-timeout = 2h }\n",
	  "t.conf:1: site \"default\": dot-timeout: \"2h\" is not a duration from 100ms to 1h" },
	{ "site \"default\" { message-timeout = 10ms }\n",
	  "t.conf:1: site \"default\": message-timeout: \"10ms\" is not a duration from 1s to "
	  "1d" },
	{ "site \"default\" { tls-kernel = yes }\n",
	  "t.conf:1: site \"default\": tls-kernel: \"yes\" is not auto, always or never" },
	{ "site \"default\" { odd-dots = no }\n",
	  "t.conf:1: site \"default\": odd-dots: \"no\" is not quoted or raw" },
	{ "route \"*\" { relay = \"relay.example:25\" }\n",
	  "t.conf:1: route \"*\": relay: \"relay.example:25\" is not an address with port "
	  "such as "
	  "127.0.0.1:2525 or [::1]:2525" },
	{ "route \"*\" { relay = \"127.0.0.1:65536\" }\n",
	  "t.conf:1: route \"*\": relay: \"127.0.0.1:65536\" is not an address with port "
	  "such as "
	  "127.0.0.1:2525 or [::1]:2525" },
	{ "reply \"r\" {\nclass = slow }\n",
	  "t.conf:2: reply \"r\": class: \"slow\" is not a class of replies such as rate, "
	  "reputation or bad-mailbox" },
	{ "reply \"r\" { class = unknown }\n",
	  "t.conf:1: reply \"r\": class: \"unknown\" is not a class of replies such as rate, "
	  "reputation or bad-mailbox" },
	{ "reply \"r\" { code = 250 }\n",
	  "t.conf:1: reply \"r\": code: \"250\" is not a reply code or its leading digits, such "
	  "as 4, 55 or 550" },
	{ "reply \"r\" { code = 5500 }\n",
	  "t.conf:1: reply \"r\": code: \"5500\" is not a reply code or its leading digits, such "
	  "as 4, 55 or 550" },
	{ "reply \"r\" { code = \"4x\" }\n",
	  "t.conf:1: reply \"r\": code: \"4x\" is not a reply code or its leading digits, such "
	  "as 4, 55 or 550" },
	{ "reply \"r\" { enhanced = \"5\" }\n",
	  "t.conf:1: reply \"r\": enhanced: \"5\" is not an enhanced code such as 5.7.1, or 5.7 "
	  "for any detail" },
	{ "reply \"r\" { enhanced = \"2.1.0\" }\n",
	  "t.conf:1: reply \"r\": enhanced: \"2.1.0\" is not an enhanced code such as 5.7.1, or "
	  "5.7 for any detail" },
	{ "reply \"r\" { enhanced = \"5.7.1.1\" }\n",
	  "t.conf:1: reply \"r\": enhanced: \"5.7.1.1\" is not an enhanced code such as 5.7.1, or "
	  "5.7 for any detail" },
	{ "reply \"r\" { enhanced = \"5.7.01\" }\n",
	  "t.conf:1: reply \"r\": enhanced: \"5.7.01\" is not an enhanced code such as 5.7.1, or "
	  "5.7 for any detail" },
	{ "reply \"r\" { text = {\"ab\"} }\n",
	  "t.conf:1: reply \"r\": text: \"ab\" is not words of a reply, 3 to 120 bytes" },
	{ "reply \"r\" { text = {\"a    \"} }\n",
	  "t.conf:1: reply \"r\": text: \"a    \" is not words of a reply, 3 to 120 bytes" },
	{ "reply \"r\" { mx = {\"*x\"} }\n",
	  "t.conf:1: reply \"r\": mx: \"*x\" is not a host name or a pattern such as "
	  "*.example.com" },
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

static void values_out_of_shape_or_range_are_refused(void **state)
{
	(void)state;
	check_refusals(wrong_values, array_count(wrong_values));
}

static void a_web_server_with_two_certificates_or_half_of_one_is_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ CUSTOMER "www { key = \"/k.pem\" }\n",
		  "t.conf:2: www: key: there is no certificate" },
		{ CUSTOMER "www { acme = true certificate = \"/c.pem\" }\n",
		  "t.conf:2: www: acme: there is a certificate of your own: take one away" },
		{ CUSTOMER "www { acme-directory = \"http://ca.test/dir\" }\n",
		  "t.conf:2: www: acme-directory: write https" },
		{ CUSTOMER "www { site = \"/a\\\"b\" }\n",
		  "t.conf:2: www: site: \"/a\"b\" is not an absolute path without quotes and "
		  "backslashes" },
	};

	(void)state;
	check_refusals(refusals, array_count(refusals));
}

static void what_is_missing_or_does_not_fit_together_is_refused(void **state)
{
	static const struct refusal refusals[] = {
		{ "", "t.conf:1: no section \"customer\"" },
		{ CUSTOMER "hook \"a b\" { url = \"https://x\" secret-file = \"/s\" }\n",
		  "t.conf:2: hook \"a b\": its title is not 1 to 63 letters, digits, '-', '_' and '.'" },
		{ CUSTOMER "hook \"a\" { url = \"http://x/\" secret-file = \"/s\" }\n",
		  "t.conf:2: hook \"a\": url: http goes with allow-private alone: write https" },
		{ CUSTOMER "hook \"a\" { url = \"https://x/\" secret-file = \"/s\" "
			   "customers = {\"n.example\"} }\n",
		  "t.conf:2: hook \"a\": customers: no customer n.example" },
		{ CUSTOMER "reply \"r\" { text = {\"abc\"}\n}\n",
		  "t.conf:3: reply \"r\": class: is missing" },
		{ CUSTOMER "reply \"r\" { class = rate code = 4\n}\n",
		  "t.conf:3: reply \"r\": one of \"text\", \"enhanced\" and \"mx\" must be there" },
		{ CUSTOMER "reply \"r\" { class = rate code = 450\nenhanced = \"5.7.1\" }\n",
		  "t.conf:3: reply \"r\": enhanced: no reply with code 450 has it" },
		{ CUSTOMER "reply \"r\" { class = rate\n"
			   "text = {\"aa1\",\"aa2\",\"aa3\",\"aa4\",\"aa5\",\"aa6\",\"aa7\","
			   "\"aa8\",\"aa9\"} }\n",
		  "t.conf:3: reply \"r\": text: more than 8 of them" },
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
	assert_string_equal(error.text, "t.conf:1: retry: schedule: more than 256 items");
	len = (size_t)snprintf(text, 256, "%s", CUSTOMER);
	for (int i = 0; i < CONFIG_SITES_MAX; i++)
		len += (size_t)snprintf(text + len, 64, "site s%d { mx = {m%d.example} }\n", i, i);
	assert_false(parse(&config, text, &error));
	assert_string_equal(error.text, "t.conf:258: more than 255 sections \"site\"");
	free(text);
}

/* What the n-th allocation's failure makes a process of its own say on stderr. */
static void words_without_memory(u64 n, char out[4096], bool *failed)
{
	size_t len = 0;
	ssize_t got;
	int ends[2];
	int status;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (child == 0) {
		struct config config;
		struct error error = { "" };

		dup2(ends[1], STDERR_FILENO);
		fail_alloc(n);
		if (!parse(&config, CUSTOMER, &error))
			fprintf(stderr, "%s\n", error.text);
		_exit(fail_alloc_end());
	}
	close(ends[1]);
	while ((got = read(ends[0], out + len, 4095 - len)) > 0)
		len += (size_t)got;
	out[len] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	*failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static void want_of_memory_is_told_with_the_file_even_where_libconfuse_ends_the_process(void **state)
{
	bool failed = true;
	u32 ended = 0;

	(void)state;
	for (u64 n = 1; failed; n++) {
		char words[4096];

		words_without_memory(n, words, &failed);
		if (!strstr(words, "out of dynamic memory"))
			continue;
		ended++;
		/* The program's own rules are read first. */
		assert_true(strstr(words, "\nhikyaku: t.conf: out of memory\n") ||
			    strstr(words, "\nhikyaku: providers.conf: out of memory\n"));
	}
	assert_true(ended > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_unknown_or_given_twice_is_refused),
		cmocka_unit_test(values_out_of_shape_or_range_are_refused),
		cmocka_unit_test(a_web_server_with_two_certificates_or_half_of_one_is_refused),
		cmocka_unit_test(what_is_missing_or_does_not_fit_together_is_refused),
		cmocka_unit_test(broken_syntax_is_refused_and_leaves_no_trace_for_the_next_file),
		cmocka_unit_test(more_than_the_limits_is_refused),
		cmocka_unit_test(want_of_memory_is_told_with_the_file_even_where_libconfuse_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
