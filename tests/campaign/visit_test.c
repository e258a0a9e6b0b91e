/* The table in visit.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/visit.h"

#define CHROME                                                                                     \
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "        \
	"Chrome/126.0.0.0 Safari/537.36"

static void check(const char *agent, const char *address, enum visitor open, enum visitor click)
{
	struct visit visit = { .method = SLICE("GET"),
			       .agent = slice_of(agent),
			       .address = slice_of(address) };

	assert_int_equal(visit_judge_open(&visit), open);
	assert_int_equal(visit_judge_click(&visit), click);
}

static void readers_are_people(void **state)
{
	static const char *const agents[] = {
		CHROME,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
		"like Gecko) Mobile/15E148",
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.12.0",
		"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; Microsoft "
		"Outlook 16.0.4266; ms-office; MSOffice 16)",
		"Mozilla/5.0 (Linux; Android 14; SC-51D) AppleWebKit/537.36 Chrome/125.0 Mobile "
		"Safari/537.36 Line/14.9.0",
	};

	(void)state;
	for (size_t i = 0; i < array_count(agents); i++)
		check(agents[i], "192.0.2.1", VISITOR_PERSON, VISITOR_PERSON);
}

static void mail_privacy_fetches_pictures_and_follows_no_links(void **state)
{
	(void)state;
	check("Mozilla/5.0", "104.28.1.1", VISITOR_MACHINE, VISITOR_PERSON);
	check(CHROME, "17.58.0.1", VISITOR_MACHINE, VISITOR_PERSON);
	check(CHROME, "170.1.2.3", VISITOR_PERSON, VISITOR_PERSON);
}

static void image_proxies_fetch_for_who_reads(void **state)
{
	(void)state;
	check("Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
	      "GoogleImageProxy)",
	      "66.249.84.1", VISITOR_PERSON, VISITOR_MACHINE);
	check("YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
	      "98.136.0.1", VISITOR_PERSON, VISITOR_MACHINE);
}

static void programs_are_known_by_their_names(void **state)
{
	static const char *const agents[] = {
		"",
		"curl/7.88.1",
		"python-requests/2.31.0",
		"Barracuda Sentinel (EE)",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
		"HeadlessChrome/120.0.0.0 Safari/537.36",
		"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
	};

	(void)state;
	for (size_t i = 0; i < array_count(agents); i++)
		check(agents[i], "192.0.2.1", VISITOR_MACHINE, VISITOR_MACHINE);
}

static void who_only_looks_ahead_is_nobody(void **state)
{
	struct visit head = { .method = SLICE("HEAD"), .agent = SLICE(CHROME) };
	struct visit ahead = { .method = SLICE("GET"),
			       .agent = SLICE(CHROME),
			       .purpose = SLICE("prefetch;prerender") };

	(void)state;
	assert_int_equal(visit_judge_open(&head), VISITOR_NOBODY);
	assert_int_equal(visit_judge_click(&head), VISITOR_NOBODY);
	assert_int_equal(visit_judge_open(&ahead), VISITOR_NOBODY);
	assert_int_equal(visit_judge_click(&ahead), VISITOR_NOBODY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_are_people),
		cmocka_unit_test(mail_privacy_fetches_pictures_and_follows_no_links),
		cmocka_unit_test(image_proxies_fetch_for_who_reads),
		cmocka_unit_test(programs_are_known_by_their_names),
		cmocka_unit_test(who_only_looks_ahead_is_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
