/* The URLs of an HTML text are found, and replaced without touching another byte. */
#include "message/fixture.h"

#include "message/html_rewrite.h"
#include "message/html_walk.h"

struct seen {
	struct buf list;      /* "kind line tag url\n" for each */
	struct slice with;    /* replaces every URL; none: they stay */
	const char *fails_at; /* a URL that ends the walk */
};

static bool note(void *owner, const struct html_link *link, struct slice *replacement,
		 struct error *error)
{
	static const char *const kinds[] = { "anchor", "image", "sheet", "form", "other" };
	struct seen *seen = owner;

	buf_add_format(&seen->list, "%s %u %.*s %.*s\n", kinds[link->kind], link->line,
		       SLICE_FMT(link->tag), SLICE_FMT(link->url));
	if (seen->fails_at && slice_equal(link->url, slice_of(seen->fails_at)))
		return error_set(error, "not %.*s", SLICE_FMT(link->url));
	*replacement = seen->with;
	return true;
}

static void check(const char *html, struct slice with, const char *list, const char *wanted)
{
	struct seen seen = { .with = with };
	const struct html_links links = { .owner = &seen, .replace = note };
	struct error error;
	struct buf out;

	buf_init(&seen.list, 1u << 20);
	buf_init(&out, 1u << 20);
	assert_true(html_links_rewrite(slice_of(html), &links, &out, &error));
	assert_slice(buf_slice(&seen.list), slice_of(list));
	assert_slice(buf_slice(&out), slice_of(wanted));
	buf_reset(&seen.list);
	assert_true(html_links_rewrite(slice_of(html), &links, NULL, &error));
	assert_slice(buf_slice(&seen.list), slice_of(list));
	buf_done(&seen.list);
	buf_done(&out);
}

/* What is seen when nothing is replaced; the text stays as it is. */
static void check_seen(const char *html, const char *list)
{
	check(html, SLICE_NONE, list, html);
}

static void every_kind_of_url_is_told_apart(void **state)
{
	(void)state;
	check_seen("<a href=\"https://a.test/\">x</a>\n<AREA HREF='b'>\n<img alt=\"\" src=c>",
		   "anchor 1 a https://a.test/\nanchor 2 AREA b\nimage 3 img c\n");
	check_seen("<table background=\"a\"><td BACKGROUND=b><video poster=c src=d>",
		   "image 1 table a\nimage 1 td b\nimage 1 video c\nother 1 video d\n");
	check_seen("<link rel=stylesheet href=s.css><form action=\"/go\"><button formaction=g>",
		   "sheet 1 link s.css\nform 1 form /go\nform 1 button g\n");
	check_seen("<base href=b><iframe src=i><object data=o><blockquote cite=c>",
		   "other 1 base b\nother 1 iframe i\nother 1 object o\nother 1 blockquote c\n");
	check_seen("<a name=x>plain</a><p title=\"href=no\">href=\"no\"</p><a href>", "");
}

static void each_candidate_of_srcset_is_an_image(void **state)
{
	(void)state;
	check_seen("<img srcset=\"a.png, b.png 2x ,c,d.png 100w\" src=s>",
		   "image 1 img a.png\nimage 1 img b.png\nimage 1 img c,d.png\nimage 1 img s\n");
	check("<img srcset='a.png 1x, b.png 2x'>", SLICE("n&o"),
	      "image 1 img a.png\nimage 1 img b.png\n", "<img srcset='n&amp;o 1x, n&amp;o 2x'>");
}

static void replacing_a_url_touches_nothing_else(void **state)
{
	(void)state;
	check("<A\n\tclass = x  HREF = \"u\" Id='y' >t</A ><a href='v'/><a href=w>",
	      SLICE("https://t.test/?a=1&b=\"'<"), "anchor 1 A u\nanchor 2 a v\nanchor 2 a w\n",
	      "<A\n\tclass = x  HREF = \"https://t.test/?a=1&amp;b=&quot;'&lt;\" Id='y' >t</A >"
	      "<a href='https://t.test/?a=1&amp;b=\"&#39;&lt;'/>"
	      "<a href=\"https://t.test/?a=1&amp;b=&quot;'&lt;\">");
	check("x<a href=\"\">y", SLICE("z"), "anchor 1 a \n", "x<a href=\"z\">y");
}

static void references_are_decoded_for_the_reader(void **state)
{
	(void)state;
	check_seen("<a href=\" https://x.test/?a=1&amp;b=&#50;&#x33;&copy=4 \">",
		   "anchor 1 a https://x.test/?a=1&b=23&copy=4\n");
	check_seen("<a href=\"java&#115;cript&colon;x\">", "anchor 1 a javascript:x\n");
	/* What was no field does not become one. */
	check_seen("<a href=\"x&#123;&#123;name&#125;&rcub;\">", "anchor 1 a x%7B%7Bname%7D%7D\n");
	check_seen("<a href=\"&#0;&#xd800;&#x110000;&nosuch;&\">",
		   "anchor 1 a \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd&nosuch;&\n");
}

static void merge_fields_pass_as_written(void **state)
{
	(void)state;
	check_seen("<a href=\"https://x.test/{{name|default:\"a > b\"}}?c={{note}}\" id=i>",
		   "anchor 1 a https://x.test/{{name|default:\"a > b\"}}?c={{note}}\n");
	check("<a {{#if x = \"'>\"}}class='c'{{/if}} href='{{link|raw}}'>{{name|default:\"<a "
	      "href=x>\"}}",
	      SLICE("https://x.test/?u={{name|default:\"&\"}}&v='"), "anchor 1 a {{link|raw}}\n",
	      "<a {{#if x = \"'>\"}}class='c'{{/if}} "
	      "href='https://x.test/?u={{name|default:\"&\"}}&amp;v=&#39;'>"
	      "{{name|default:\"<a href=x>\"}}");
	check_seen("{{{{ <a href=\"{{{{x\"> {{ broken <a href=y>",
		   "anchor 1 a {{{{x\nanchor 1 a y\n");
}

static void comments_scripts_and_styles_are_not_looked_at(void **state)
{
	(void)state;
	check_seen("<!-- <a href=1> --><!--[if mso]><a href=2><![endif]-->"
		   "<!--[if !mso]><!--><a href=3><!--<![endif]--><!--><a href=4>",
		   "anchor 1 a 3\nanchor 1 a 4\n");
	check_seen("<script>'<a href=1>'</SCRIPT><style>/*<a href=2>*/</style >"
		   "<title><a href=3></title><textarea><a href=4></textarea><a href=5>",
		   "anchor 1 a 5\n");
	check_seen("<!DOCTYPE html><?xml <a href=1 ?>a < b <3 </3 <a href=2>", "anchor 1 a 2\n");
}

static void a_text_that_ends_too_early_stays_as_it_is(void **state)
{
	static const char html[] = "<p title='x'><!-- c --><a class=\"k\" href=\"https://x.test/"
				   "?a={{name|default:\"y\"}}\">t</a><script>1</script>";

	(void)state;
	for (size_t len = 0; len < sizeof(html); len++) {
		struct slice text = { html, len };
		struct seen seen = { 0 };
		const struct html_links links = { .owner = &seen, .replace = note };
		struct html_walk walk;
		struct html_token token;
		struct error error;
		struct buf out;
		size_t sum = 0;

		buf_init(&seen.list, 1u << 20);
		buf_init(&out, 1u << 20);
		assert_true(html_links_rewrite(text, &links, &out, &error));
		assert_slice(buf_slice(&out), text);
		html_walk_init(&walk, text);
		while (html_walk_next(&walk, &token)) {
			assert_ptr_equal(token.whole.ptr, html + sum);
			sum += token.whole.len;
		}
		assert_int_equal(sum, len);
		buf_done(&seen.list);
		buf_done(&out);
	}
}

static void who_replaces_can_end_the_walk(void **state)
{
	struct seen seen = { .fails_at = "b" };
	const struct html_links links = { .owner = &seen, .replace = note };
	struct error error;
	struct buf out;

	(void)state;
	buf_init(&seen.list, 1u << 20);
	buf_init(&out, 1u << 20);
	assert_false(html_links_rewrite(SLICE("<a href=a><a href=b><a href=c>"), &links, &out,
					&error));
	assert_string_equal(error.text, "not b");
	assert_slice(buf_slice(&seen.list), SLICE("anchor 1 a a\nanchor 1 a b\n"));
	seen.fails_at = NULL;
	buf_done(&out);
	buf_init(&out, 8);
	assert_false(html_links_rewrite(SLICE("<a href=a><a href=b>"), &links, &out, &error));
	assert_string_equal(error.text, "the HTML text would be too big");
	buf_done(&seen.list);
	buf_done(&out);
}

/* 2 MB of what makes careless readers begin anew at every byte. */
static void hostile_texts_cost_a_few_passes(void **state)
{
	static const char *const parts[] = { "<a href=\"{{\"", "<!--", "{{ \"", "<a b='", "</",
					     "{{\"\\\"{{", "<title>", "&#" };

	(void)state;
	for (size_t i = 0; i < array_count(parts); i++) {
		struct seen seen = { 0 };
		const struct html_links links = { .owner = &seen, .replace = note };
		struct error error;
		struct buf text;

		buf_init(&seen.list, 64u << 20);
		buf_init(&text, 3u << 20);
		while (text.len < 2u << 20)
			buf_add_text(&text, parts[i]);
		assert_true(html_links_rewrite(buf_slice(&text), &links, NULL, &error));
		buf_done(&text);
		buf_done(&seen.list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_url_is_told_apart),
		cmocka_unit_test(each_candidate_of_srcset_is_an_image),
		cmocka_unit_test(replacing_a_url_touches_nothing_else),
		cmocka_unit_test(references_are_decoded_for_the_reader),
		cmocka_unit_test(merge_fields_pass_as_written),
		cmocka_unit_test(comments_scripts_and_styles_are_not_looked_at),
		cmocka_unit_test(a_text_that_ends_too_early_stays_as_it_is),
		cmocka_unit_test(who_replaces_can_end_the_walk),
		cmocka_unit_test(hostile_texts_cost_a_few_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
