/* What wrap_links.h and link_fill.h promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/link_fill.h"
#include "campaign/wrap_links.h"

#include <stdio.h>
#include <string.h>

#define BASE "https://m.shop.example"
#define LINK(n) BASE "/t/c/{{hk_track}}/" n
#define PIXEL                                                                                      \
	"<img src=\"" BASE "/t/o/{{hk_track}}\" width=\"1\" height=\"1\" alt=\"\" "                \
	"style=\"display:block;border:0;width:1px;height:1px\">"

static struct wrap_links wrap;
static struct buf out;
static struct error error;

static void begin(bool opens, bool clicks)
{
	assert_true(wrap_links_init(&wrap, SLICE(BASE), &error));
	wrap.opens = opens;
	wrap.clicks = clicks;
	buf_init(&out, 1u << 20);
}

static void end(void)
{
	buf_done(&out);
	wrap_links_done(&wrap);
}

static void check(bool is_html, const char *in, const char *wanted)
{
	begin(false, true);
	assert_true(is_html ? wrap_links_html(&wrap, slice_of(in), &out, &error)
			    : wrap_links_text(&wrap, slice_of(in), &out, &error));
	assert_string_equal(buf_text(&out), wanted);
	end();
}

static void links_that_people_click_are_replaced_and_nothing_else(void **state)
{
	(void)state;
	check(true, "<a href=\"https://a.example/\">x</a> <img src=\"https://a.example/i.png\">",
	      "<a href=\"" LINK("1") "\">x</a> <img src=\"https://a.example/i.png\">");
	check(true, "<a href='http://a.example'>x</a><a href=https://b.example/?a&amp;b>y</a>",
	      "<a href='" LINK("1") "'>x</a><a href=\"" LINK("2") "\">y</a>");
	check(true, "<a href=\"mailto:a@b.example\">m</a><a href=\"tel:1\">t</a><a href=\"#x\">",
	      "<a href=\"mailto:a@b.example\">m</a><a href=\"tel:1\">t</a><a href=\"#x\">");
	check(true, "<form action=\"https://a.example/\"><link href=\"https://a.example/s.css\">",
	      "<form action=\"https://a.example/\"><link href=\"https://a.example/s.css\">");
}

static void our_own_links_stay(void **state)
{
	static const char *const texts[] = {
		"<a href=\"" BASE "/u/{{hk_unsubscribe}}\">x</a>",
		"<a href=\"" BASE "/p/{{hk_preferences}}\">x</a>",
		"<a href=\"" BASE "/v/abc\">x</a>",
		"<a href=\"https://elsewhere.example/?u={{hk_unsubscribe}}\">x</a>",
		"<a href=\"https://a.example/#notrack\">x</a>",
		"<a href=\"{{shop}}\">x</a>",
		"<a href=\"https://{{shop}}/\">x</a>",
		"<a href=\"https://a.example\\@b.example/\">x</a>",
	};

	(void)state;
	for (size_t i = 0; i < array_count(texts); i++)
		check(true, texts[i], texts[i]);
	check(true, "<a href=\"" BASE "/shop\">x</a>", "<a href=\"" LINK("1") "\">x</a>");
}

/* Whoever clicks later is no round of a loop: what stands for its item could not be filled in. */
static void links_with_fields_in_a_loop_stay(void **state)
{
	(void)state;
	check(true,
	      "{{#each items as p}}<a href=\"https://a.example/{{p}}\">x</a>{{#else}}"
	      "<a href=\"https://a.example/\">y</a>{{/each}}<a href=\"https://a.example/{{p}}\">z</a>",
	      "{{#each items as p}}<a href=\"https://a.example/{{p}}\">x</a>{{#else}}"
	      "<a href=\"" LINK("1") "\">y</a>{{/each}}<a href=\"" LINK("2") "\">z</a>");
	check(false, "{{#each items}}\nhttps://a.example/{{this}}\n{{/each}}\nhttps://a.example/{{p}}",
	      "{{#each items}}\nhttps://a.example/{{this}}\n{{/each}}\n" LINK("1"));
}

static void a_url_has_one_number_in_all_parts(void **state)
{
	(void)state;
	begin(false, true);
	assert_true(wrap_links_html(&wrap,
				    SLICE("<a href=\"https://a.example/?x={{n}}&amp;y\">1</a>"
					  "<a href=\"https://b.example/\">2</a>"
					  "<a href=\"https://a.example/?x={{n}}&y\">3</a>"),
				    &out, &error));
	assert_string_equal(buf_text(&out),
			    "<a href=\"" LINK("1") "\">1</a><a href=\"" LINK("2") "\">2</a>"
			    "<a href=\"" LINK("1") "\">3</a>");
	buf_reset(&out);
	assert_true(wrap_links_text(&wrap, SLICE("see https://b.example/ or https://c.example"),
				    &out, &error));
	assert_string_equal(buf_text(&out), "see " LINK("2") " or " LINK("3"));
	assert_int_equal(wrap.count, 3);
	assert_true(slice_equal(wrap.urls[0], SLICE("https://a.example/?x={{n}}&y")));
	end();
}

static void urls_in_text_end_where_people_see_them_end(void **state)
{
	(void)state;
	check(false, "詳しくはhttps://a.example/をご覧ください。",
	      "詳しくは" LINK("1") "をご覧ください。");
	check(false, "(https://a.example/x), <https://b.example/>.",
	      "(" LINK("1") "), <" LINK("2") ">.");
	check(false, "https://a.example/w_(x)?", LINK("1") "?");
	check(false, "https://a.example/?n={{n|default:\"a b\"}}\nend", LINK("1") "\nend");
	check(false, "no link: htt https:// http:/x {{https://a.example}}",
	      "no link: htt https:// http:/x {{https://a.example}}");
}

static void the_pixel_stands_at_the_end_of_what_is_seen(void **state)
{
	(void)state;
	begin(true, true);
	assert_true(wrap_links_html(
		&wrap, SLICE("<body><a href=\"https://a.example/\">x</a></BODY></html>"), &out,
		&error));
	assert_string_equal(buf_text(&out),
			    "<body><a href=\"" LINK("1") "\">x</a>" PIXEL "</BODY></html>");
	end();
	begin(true, false);
	assert_true(wrap_links_html(&wrap, SLICE("<a href=\"https://a.example/\">x</a>"), &out,
				    &error));
	assert_string_equal(buf_text(&out), "<a href=\"https://a.example/\">x</a>" PIXEL);
	end();
}

static void what_is_off_is_not_touched(void **state)
{
	static const char html[] = "<a HREF = https://a.example/>x</a>\r\n<body></body>";

	(void)state;
	begin(false, false);
	assert_true(wrap_links_html(&wrap, slice_of(html), &out, &error));
	assert_string_equal(buf_text(&out), html);
	buf_reset(&out);
	assert_true(wrap_links_text(&wrap, SLICE("https://a.example/"), &out, &error));
	assert_string_equal(buf_text(&out), "https://a.example/");
	assert_int_equal(wrap.count, 0);
	end();
}

static void too_many_links_are_refused(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1u << 20);
	for (u32 i = 0; i <= WRAP_LINKS_MAX; i++)
		buf_add_format(&text, "https://a.example/%u ", i);
	begin(false, true);
	assert_false(wrap_links_text(&wrap, buf_slice(&text), &out, &error));
	assert_non_null(strstr(error.text, "more than 1000"));
	end();
	buf_done(&text);
}

static void only_an_origin_may_stand_before_links(void **state)
{
	static const char *const bases[] = { "", "https://", "m.example", "https://m.example/",
					     "https://{{x}}", "ftp://m.example" };

	(void)state;
	for (size_t i = 0; i < array_count(bases); i++) {
		assert_false(wrap_links_init(&wrap, slice_of(bases[i]), &error));
		wrap_links_done(&wrap);
	}
}

/* ---- filling ---- */

static struct slice find(void *owner, struct slice name)
{
	(void)owner;
	if (slice_equal(name, SLICE("name")))
		return SLICE("森 &?#/\r\n");
	if (slice_equal(name, SLICE("blank")))
		return SLICE("  ");
	return SLICE_NONE;
}

static void check_filled(const char *url, const char *wanted)
{
	const struct link_values values = { .find = find };
	struct buf filled;

	buf_init(&filled, LINK_FILLED_MAX);
	assert_int_equal(link_fill(slice_of(url), &values, &filled), wanted != NULL);
	assert_int_equal(link_is_fillable(slice_of(url)), wanted != NULL);
	if (wanted)
		assert_string_equal(buf_text(&filled), wanted);
	buf_done(&filled);
}

static void values_are_percent_encoded(void **state)
{
	(void)state;
	check_filled("https://a.example/?n={{name}}&x", "https://a.example/?n=%E6%A3%AE%20%26%3F%23"
							"%2F%0D%0A&x");
	check_filled("https://a.example/{{ none | default:\"a\\\"b|c\" }}",
		     "https://a.example/a%22b%7Cc");
	check_filled("https://a.example/{{blank|trim|default:\"d\"|url}}#{{none}}",
		     "https://a.example/d#");
}

static void a_location_is_plain_ascii(void **state)
{
	(void)state;
	check_filled("https://a.example/日本?q=a b\"<>\r\nSet-Cookie: x\x01",
		     "https://a.example/%E6%97%A5%E6%9C%AC?q=a%20b%22%3C%3ESet-Cookie:%20x%01");
	check_filled("HTTPS://a.example?{{{{x}}", "HTTPS://a.example?%7B%7Bx%7D%7D");
}

static void no_field_chooses_the_host(void **state)
{
	static const char *const urls[] = {
		"{{name}}",
		"https://{{name}}/",
		"https://a{{name}}/",
		"https://a.example@{{name}}/",
		"https://a.example\\x/",
		"javascript:alert(1)",
		"//a.example/",
		"https:///x",
		"https://",
		"https://a.example/{{#if name}}x{{/if}}",
		"https://a.example/{{name|upper}}",
		"https://a.example/{{item name}}",
		"https://a.example/{{}}",
	};

	(void)state;
	for (size_t i = 0; i < array_count(urls); i++)
		check_filled(urls[i], NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_that_people_click_are_replaced_and_nothing_else),
		cmocka_unit_test(our_own_links_stay),
		cmocka_unit_test(links_with_fields_in_a_loop_stay),
		cmocka_unit_test(a_url_has_one_number_in_all_parts),
		cmocka_unit_test(urls_in_text_end_where_people_see_them_end),
		cmocka_unit_test(the_pixel_stands_at_the_end_of_what_is_seen),
		cmocka_unit_test(what_is_off_is_not_touched),
		cmocka_unit_test(too_many_links_are_refused),
		cmocka_unit_test(only_an_origin_may_stand_before_links),
		cmocka_unit_test(values_are_percent_encoded),
		cmocka_unit_test(a_location_is_plain_ascii),
		cmocka_unit_test(no_field_chooses_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
