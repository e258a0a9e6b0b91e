/* Where in an HTML text a field stands, and so how its value is escaped. */
#include "message/fixture.h"

#include "message/html.h"

static void check_place(const char *before, enum html_place wanted)
{
	struct html html;
	const char *why = NULL;
	enum html_place place;

	html_init(&html);
	html_feed(&html, slice_of(before));
	place = html_place(&html, &why);
	if (place != wanted)
		fail_msg("behind \"%s\": %d, not %d (%s)", before, place, wanted, why ? why : "");
	assert_int_equal(why != NULL, wanted == HTML_PLACE_REFUSED);
}

static void places_follow_tags_attributes_and_comments(void **state)
{
	static const struct {
		const char *before;
		enum html_place place;
	} cases[] = {
		{ "", HTML_PLACE_TEXT },
		{ "<p>", HTML_PLACE_TEXT },
		{ "a < b ", HTML_PLACE_TEXT },
		{ "a > b", HTML_PLACE_TEXT },
		{ "<br/>", HTML_PLACE_TEXT },
		{ "</p>", HTML_PLACE_TEXT },
		{ "<!DOCTYPE html>", HTML_PLACE_TEXT },
		{ "<!-- a <b ", HTML_PLACE_TEXT },
		{ "<!-- a <b c=\" -->", HTML_PLACE_TEXT },
		{ "<!--[if mso]><a href=\"", HTML_PLACE_URL },
		{ "<!--[if mso]><a href=\"?", HTML_PLACE_QUERY },
		{ "<!--[if mso]><b>x</b><![endif]-->", HTML_PLACE_TEXT },
		{ "<p title=\"", HTML_PLACE_ATTRIBUTE },
		{ "<p title='a\"b", HTML_PLACE_ATTRIBUTE },
		{ "<p title=\"?", HTML_PLACE_ATTRIBUTE },
		{ "<p title = \"", HTML_PLACE_ATTRIBUTE },
		{ "<p hidden\ntitle=\"a>b", HTML_PLACE_ATTRIBUTE },
		{ "<a href=\"", HTML_PLACE_URL },
		{ "<a href=\" ", HTML_PLACE_URL },
		{ "<a href=\"https://x/", HTML_PLACE_ATTRIBUTE },
		{ "<a href=\"https://x/?a=", HTML_PLACE_QUERY },
		{ "<a href=\"https://x/#", HTML_PLACE_QUERY },
		{ "<A HREF='https://x/?a=1&amp;b=", HTML_PLACE_QUERY },
		{ "<a class=\"?\" href=\"", HTML_PLACE_URL },
		{ "<a href=\"?\" title=\"", HTML_PLACE_ATTRIBUTE },
		{ "<img alt=x src='?", HTML_PLACE_QUERY },
		{ "<a href=\"?\">", HTML_PLACE_TEXT },
		{ "<style>p{}</style>", HTML_PLACE_TEXT },
		{ "<script>if (a<b) '</p>'</SCRIPT >", HTML_PLACE_TEXT },
		{ "<", HTML_PLACE_REFUSED },
		{ "<p", HTML_PLACE_REFUSED },
		{ "<p ", HTML_PLACE_REFUSED },
		{ "<p title", HTML_PLACE_REFUSED },
		{ "<p title=", HTML_PLACE_REFUSED },
		{ "<p title=a", HTML_PLACE_REFUSED },
		{ "<p title=\"a\" ", HTML_PLACE_REFUSED },
		{ "</", HTML_PLACE_REFUSED },
		{ "<style>", HTML_PLACE_REFUSED },
		{ "<style type=\"text/css\">p { ", HTML_PLACE_REFUSED },
		{ "<script>\"", HTML_PLACE_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++)
		check_place(cases[i].before, cases[i].place);
}

static void values_are_escaped_for_their_place(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	f.values[0] = SLICE("<i>\"'&");
	f.values[2] = SLICE("a b/\"");
	f.source.headers = SLICE("From: a@example.jp\n");
	f.source.html = SLICE("<p title='{{name}}'>{{name}}{{name|raw}}</p>\n"
			      "<a href=\"https://x/?q={{link}}\">x</a>{{link|url}}\n");
	f.source.whole = SLICE_NONE;
	f.options.encoding = MESSAGE_ENCODING_8BIT;
	assert_true(fixture_compile(&f, SLICE_NONE));
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_slice(
		fixture_body(&f.bytes),
		SLICE("<p "
		      "title='&lt;i&gt;&quot;&#39;&amp;'>&lt;i&gt;&quot;&#39;&amp;<i>\"'&</p>\r\n"
		      "<a href=\"https://x/?q=a%20b%2F%22\">x</a>a%20b%2F%22\r\n"));
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_follow_tags_attributes_and_comments),
		cmocka_unit_test(values_are_escaped_for_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
