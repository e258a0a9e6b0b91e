/* Sites: what the operator says, what comes with the program, and which of them counts. */
#include "base/config.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct config config;

static void parse(const char *sites)
{
	struct error error = { "" };
	char text[2048];

	snprintf(text, sizeof(text),
		 "customer \"a.example\" { sign = false address \"any\" { ehlo = \"m.a.example\" } }\n%s",
		 sites);
	config_free(&config);
	if (!config_parse(&config, slice_of(text), "f", &error))
		fail_msg("%s", error.text);
}

static const struct config_site *site_of(const char *host)
{
	return config_site_of(&config, slice_of(host));
}

static int tear_down(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

/* The option's number, for bits in `own` and `shipped`. */
static u64 bit(const char *name)
{
	for (size_t i = 0;; i++) {
		assert_non_null(config_site_option(i));
		if (strcmp(config_site_option(i), name) == 0)
			return 1ull << i;
	}
}

static void large_receivers_have_rules_of_their_own(void **state)
{
	static const struct {
		const char *host;
		const char *name;
	} cases[] = {
		{ "gmail-smtp-in.l.google.com", "gmail" },
		{ "alt4.aspmx.l.google.com.", "gmail" },
		{ "outlook-com.olc.protection.outlook.com", "outlook" },
		{ "example-com.mail.protection.outlook.com", "microsoft365" },
		{ "mta7.am0.yahoodns.net", "yahoo" },
		{ "mx01.mail.icloud.com", "icloud" },
		{ "mfsmax.docomo.ne.jp", "docomo" },
		{ "mx.au.com", "au" },
		{ "mx.softbank.ne.jp", "softbank" },
		{ "mx.rakumail.jp", "rakuten-mobile" },
		{ "mx.ocn.ad.jp", "ocn" },
		{ "mx1.mail.yahoo.co.jp", "yahoo-japan" },
		{ "google.com", "default" },
		{ "mx.example.jp", "default" },
	};

	(void)state;
	parse("");
	for (size_t i = 0; i < array_count(cases); i++)
		assert_string_equal(site_of(cases[i].host)->name, cases[i].name);
}

static void what_a_rule_leaves_out_is_the_operators_default(void **state)
{
	(void)state;
	parse("site \"default\" { sessions = 7 tls = \"required\" per-hour = 900 }");
	assert_int_equal(site_of("mx.qq.com")->sessions, 3);
	assert_int_equal(site_of("mx.qq.com")->tls, CONFIG_TLS_REQUIRED);
	assert_int_equal(site_of("mx.qq.com")->per_hour, 900);
	assert_int_equal(site_of("mx.example")->sessions, 7);
	assert_true(site_of("mx.example")->own == (bit("sessions") | bit("tls") | bit("per-hour")));
	assert_true(site_of("mx.qq.com")->own == 0);
	assert_true(site_of("mx.qq.com")->shipped & bit("sessions"));
	assert_false(site_of("mx.qq.com")->shipped & bit("tls"));
}

static void a_section_of_the_same_name_changes_single_options_of_a_rule(void **state)
{
	const struct config_site *gmail;

	(void)state;
	parse("site \"gmail\" { rate = 5 sessions = 2 }");
	gmail = site_of("gmail-smtp-in.l.google.com");
	assert_string_equal(gmail->name, "gmail");
	assert_int_equal(gmail->rate_per_s, 5);
	assert_int_equal(gmail->sessions, 2);
	assert_int_equal(gmail->messages_per_session, 90);
	assert_true(gmail->own == (bit("rate") | bit("sessions")));
	/* With patterns of its own it is about these. */
	parse("site \"gmail\" { mx = {\"mx.example\"} }");
	assert_string_equal(site_of("gmail-smtp-in.l.google.com")->name, "default");
	assert_int_equal(site_of("mx.example")->messages_per_session, 90);
}

static void a_section_with_a_rules_patterns_takes_its_place(void **state)
{
	(void)state;
	parse("site \"mine\" { mx = {\"*.google.com\"} sessions = 1 }");
	assert_string_equal(site_of("gmail-smtp-in.l.google.com")->name, "mine");
	assert_int_equal(site_of("gmail-smtp-in.l.google.com")->messages_per_session, 100);
	assert_string_equal(site_of("x.googlemail.com")->name, "gmail");
}

static void the_rules_can_be_left_out(void **state)
{
	struct error error = { "" };

	(void)state;
	parse("provider-rules = false");
	assert_int_equal(config.site_count, 1);
	assert_string_equal(site_of("gmail-smtp-in.l.google.com")->name, "default");
	config_free(&config);
	/* Then a section of that name is one like any other. */
	assert_false(config_parse(&config,
				  SLICE("provider-rules = false site \"gmail\" { rate = 1 }\n"
					"customer \"a.example\" { sign = false\n"
					"address \"any\" { ehlo = \"m.a.example\" } }"),
				  "f", &error));
	assert_string_equal(error.text, "f:1: site \"gmail\": no pattern in \"mx\"");
}

static void options_are_shown_and_set_one_by_one(void **state)
{
	static const struct {
		const char *option;
		const char *value;
	} good[] = {
		{ "sessions", "3" }, { "rate", "12" },	 { "per-day", "5000" },
		{ "idle", "30s" },   { "tls", "never" }, { "adaptive", "false" },
	};
	static const struct {
		const char *option;
		const char *value;
		const char *told;
	} bad[] = {
		{ "sessions", "0", "sessions: \"0\" is not a number from 1 to 65536" },
		{ "rate", "fast", "rate: \"fast\" is not a number from 0 to 1000000" },
		{ "tls", "maybe", "tls: \"maybe\" is not opportunistic, never, required, "
		  "unpublished, verify or dane" },
		{ "adaptive", "1", "adaptive: \"1\" is not true or false" },
		{ "mx", "x.example", "a site has no option \"mx\" that can be set" },
		{ "speed", "1", "a site has no option \"speed\" that can be set" },
	};
	struct config_site site;
	struct config_site other;
	struct error error;

	(void)state;
	parse("");
	site = config.sites[0];
	other = config.sites[1];
	for (size_t i = 0; i < array_count(good); i++) {
		struct buf text;
		size_t index = 0;

		assert_true(config_site_set(&site, slice_of(good[i].option),
					    slice_of(good[i].value), &error));
		while (strcmp(config_site_option(index), good[i].option) != 0)
			index++;
		buf_init(&text, 256);
		config_site_value(&site, index, &text);
		assert_string_equal(buf_text(&text), good[i].value);
		buf_done(&text);
	}
	for (size_t i = 0; i < array_count(bad); i++) {
		assert_false(config_site_set(&site, slice_of(bad[i].option),
					     slice_of(bad[i].value), &error));
		assert_string_equal(error.text, bad[i].told);
	}
	config_site_lay_over(&other, &site);
	assert_string_equal(other.name, config.sites[1].name);
	assert_int_equal(other.per_day, 5000);
	assert_int_equal(other.messages_per_session, config.sites[1].messages_per_session);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(large_receivers_have_rules_of_their_own, tear_down),
		cmocka_unit_test_teardown(what_a_rule_leaves_out_is_the_operators_default,
					  tear_down),
		cmocka_unit_test_teardown(
			a_section_of_the_same_name_changes_single_options_of_a_rule, tear_down),
		cmocka_unit_test_teardown(a_section_with_a_rules_patterns_takes_its_place,
					  tear_down),
		cmocka_unit_test_teardown(the_rules_can_be_left_out, tear_down),
		cmocka_unit_test_teardown(options_are_shown_and_set_one_by_one, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
