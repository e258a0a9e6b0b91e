#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call_stand.h"
#include "web/page.h"

static struct page page;

static void begin(void)
{
	buf_reset(&stand.call.answer_body);
	page = (struct page){ .call = &stand.call, .out = &stand.call.answer_body };
}

static void is(const char *expected)
{
	assert_string_equal(buf_text(page.out), expected);
	begin();
}

static void text_cannot_become_markup(void **state)
{
	(void)state;
	begin();
	page_cstr(&page, "<b>&\"'x");
	is("&lt;b&gt;&amp;&quot;&#39;x");
	page_attribute(&page, "value", SLICE("\" onclick=\"a\n"));
	is(" value=\"&quot; onclick=&quot;a\n\"");
	page_cstr(&page, "\xe6\xa3\xae\xff" "a\x01" "b\xc2\x85\x7f");
	is("\xe6\xa3\xae\xef\xbf\xbd" "a\xef\xbf\xbd" "b\xef\xbf\xbd\xef\xbf\xbd");
	page_text(&page, (struct slice){ "a\0b", 3 });
	is("a\xef\xbf\xbd" "b");
}

static void a_url_of_ours_goes_where_its_format_says(void **state)
{
	(void)state;
	begin();
	PAGE_URL(&page, "href", "/admin/contacts/{}?after={}&x=1", SLICE("../a?b#c"),
		 SLICE("\xe6\xa3\xae&\""));
	is(" href=\"/admin/contacts/..%2Fa%3Fb%23c?after=%E6%A3%AE%26%22&amp;x=1\"");
	PAGE_URL(&page, "href", "/admin");
	is(" href=\"/admin\"");
}

static void a_url_of_others_is_one_of_the_web_or_of_mail(void **state)
{
	(void)state;
	begin();
	page_foreign_url(&page, "href", SLICE("https://a.test/?x=1&y=\"2\""));
	is(" href=\"https://a.test/?x=1&amp;y=&quot;2&quot;\"");
	page_foreign_url(&page, "href", SLICE("javascript:alert(1)"));
	is(" href=\"#\"");
	page_foreign_url(&page, "href", SLICE(" javascript:alert(1)"));
	is(" href=\"#\"");
	page_foreign_url(&page, "href", SLICE("data:text/html,x"));
	is(" href=\"#\"");
	page_foreign_url(&page, "href", SLICE("MAILTO:a@b.test"));
	is(" href=\"MAILTO:a@b.test\"");
}

static void numbers_are_read_easily(void **state)
{
	(void)state;
	begin();
	page_number(&page, 0);
	is("0");
	page_number(&page, 999);
	is("999");
	page_number(&page, 1234567);
	is("1,234,567");
	page_number(&page, UINT64_MAX);
	is("18,446,744,073,709,551,615");
	page_percent(&page, 1, 3);
	is("33.3%");
	page_percent(&page, 0, 0);
	is("&ndash;");
	page_percent(&page, UINT64_MAX, UINT64_MAX);
	is("100.0%");
	page_bytes(&page, 1023);
	is("1023 B");
	page_bytes(&page, 1536);
	is("1.5 KB");
	page_bytes(&page, 300u << 20);
	is("300 MB");
}

static void moments_are_of_the_zone_that_was_set(void **state)
{
	(void)state;
	begin();
	assert_true(time_zone_find(SLICE("Asia/Tokyo"), &stand.call.zone));
	page_time(&page, 1780000000000);
	is("<time datetime=\"2026-05-28T20:26:40.000Z\">2026-05-29 05:26</time>");
	/* Four hours behind UTC in summer, five in winter. */
	assert_true(time_zone_find(SLICE("America/New_York"), &stand.call.zone));
	page_time(&page, 1780000000000);
	is("<time datetime=\"2026-05-28T20:26:40.000Z\">2026-05-28 16:26</time>");
	page_time(&page, 1770000000000);
	is("<time datetime=\"2026-02-02T02:40:00.000Z\">2026-02-01 21:40</time>");
	page_date(&page, 1770000000000);
	is("<time datetime=\"2026-02-02T02:40:00.000Z\">2026-02-01</time>");
	page_time(&page, 0);
	is("&ndash;");
}

static void a_time_zone_is_chosen_by_its_city_within_its_region(void **state)
{
	static const struct words label = { { "Zone", "" } };
	const char *at;

	(void)state;
	begin();
	page_zone(&page, &(struct page_field){ .name = "zone",
					       .label = &label,
					       .value = SLICE("asia/tokyo") });
	at = strstr(buf_text(page.out), "<optgroup label=\"Asia\">");
	assert_non_null(at);
	at = strstr(at, "<option value=\"Asia/Tokyo\" selected>Tokyo (UTC+09:00)</option>");
	assert_non_null(at);
	assert_non_null(strstr(at, "</optgroup>"));
	assert_non_null(strstr(buf_text(page.out), "\"America/St_Johns\">St Johns (UTC-03:30)<"));
	assert_non_null(strstr(buf_text(page.out), "\"UTC\">UTC (UTC+00:00)<"));
	/* It alone is chosen. */
	assert_ptr_equal(strstr(buf_text(page.out), " selected"),
			 at + strlen("<option value=\"Asia/Tokyo\""));
	assert_null(strstr(at + strlen("<option value=\"Asia/Tokyo\" selected"), " selected"));
	begin();
}

static void sentences_put_values_where_each_language_wants_them(void **state)
{
	static const struct words sentence = { { "{1} of {2}", "{2}\xe4\xb8\xad{1}{x" } };

	(void)state;
	begin();
	PAGE_SENTENCE(&page, &sentence, SLICE("<1>"), SLICE("{1}"));
	is("&lt;1&gt; of {1}");
	page.language = LANGUAGE_JAPANESE;
	PAGE_SENTENCE(&page, &sentence, SLICE("a"), SLICE("b"));
	is("b\xe4\xb8\xad" "a{x");
}

static void a_field_is_tied_to_its_label_hint_and_error(void **state)
{
	static const struct words label = { { "Name", "" } };
	static const struct words hint = { { "Any", "" } };

	(void)state;
	begin();
	page_field(&page, &(struct page_field){ .name = "n",
						.label = &label,
						.hint = &hint,
						.error_text = SLICE("<no>"),
						.value = SLICE("\"v\""),
						.is_required = true });
	is("<div class=\"field\"><label for=\"f1\">Name <span class=\"required\">required</span>"
	   "</label><p class=\"hint\" id=\"h1\">Any</p><p class=\"error\" id=\"e1\">&lt;no&gt;</p>"
	   "<input id=\"f1\" name=\"n\" required aria-invalid=\"true\" aria-describedby=\"h1 e1\""
	   " type=\"text\" value=\"&quot;v&quot;\"></div>");
	page_field(&page, &(struct page_field){
				  .name = "t", .label = &label, .value = SLICE("\n</textarea>"),
				  .rows = 2 });
	is("<div class=\"field\"><label for=\"f1\">Name</label><textarea id=\"f1\" name=\"t\" "
	   "rows=\"2\">\n\n&lt;/textarea&gt;</textarea></div>");
}

static void a_moment_is_the_browser_s_own_field_unless_it_is_to_be_mended(void **state)
{
	static const struct words label = { { "Time", "" } };

	(void)state;
	begin();
	page_moment(&page, &(struct page_field){
				   .name = "at", .label = &label, .value = SLICE("2026-12-01 09:00") });
	is("<div class=\"field\"><label for=\"f1\">Time</label><input id=\"f1\" name=\"at\""
	   " type=\"datetime-local\" value=\"2026-12-01T09:00\"></div>");
	page_moment(&page, &(struct page_field){ .name = "at", .label = &label });
	is("<div class=\"field\"><label for=\"f1\">Time</label><input id=\"f1\" name=\"at\""
	   " type=\"datetime-local\"></div>");
	page_moment(&page,
		    &(struct page_field){ .name = "at", .label = &label, .value = SLICE("noon") });
	is("<div class=\"field\"><label for=\"f1\">Time</label><input id=\"f1\" name=\"at\""
	   " type=\"text\" value=\"noon\"></div>");
}

static void the_language_is_what_the_browser_wants_most(void **state)
{
	(void)state;
	assert_int_equal(language_wanted(SLICE("")), LANGUAGE_ENGLISH);
	assert_int_equal(language_wanted(SLICE_NONE), LANGUAGE_ENGLISH);
	assert_int_equal(language_wanted(SLICE("ja")), LANGUAGE_JAPANESE);
	assert_int_equal(language_wanted(SLICE("ja-JP,ja;q=0.9,en;q=0.8")), LANGUAGE_JAPANESE);
	assert_int_equal(language_wanted(SLICE("fr, ja;q=0.2, en-GB;q=0.3")), LANGUAGE_ENGLISH);
	assert_int_equal(language_wanted(SLICE("en;q=0,JA;q=0.001")), LANGUAGE_JAPANESE);
	assert_int_equal(language_wanted(SLICE("en;q=x,ja;q=0.5")), LANGUAGE_JAPANESE);
}

static int open_stand(void **state)
{
	(void)state;
	stand_open("");
	return stand_begin_call(SLICE("{}")) ? 0 : -1;
}

static int close_stand(void **state)
{
	(void)state;
	stand_end_call();
	stand_close();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_cannot_become_markup),
		cmocka_unit_test(a_url_of_ours_goes_where_its_format_says),
		cmocka_unit_test(a_url_of_others_is_one_of_the_web_or_of_mail),
		cmocka_unit_test(numbers_are_read_easily),
		cmocka_unit_test(moments_are_of_the_zone_that_was_set),
		cmocka_unit_test(a_time_zone_is_chosen_by_its_city_within_its_region),
		cmocka_unit_test(sentences_put_values_where_each_language_wants_them),
		cmocka_unit_test(a_field_is_tied_to_its_label_hint_and_error),
		cmocka_unit_test(a_moment_is_the_browser_s_own_field_unless_it_is_to_be_mended),
		cmocka_unit_test(the_language_is_what_the_browser_wants_most),
	};

	return cmocka_run_group_tests(tests, open_stand, close_stand);
}
