/* The plain text that is made of an HTML text reads well, and stays a template. */
#include "message/fixture.h"

#include "message/html_text.h"

static void check(const char *html, const char *wanted)
{
	struct buf out;

	buf_init(&out, 1u << 20);
	assert_true(html_text_make(slice_of(html), &out));
	if (!slice_equal(buf_slice(&out), slice_of(wanted)))
		fail_msg("of \"%s\": \"%.*s\", not \"%s\"", html, SLICE_FMT(buf_slice(&out)),
			 wanted);
	buf_done(&out);
}

static void paragraphs_and_lines_are_told_apart(void **state)
{
	(void)state;
	check("<p>One\n  two</p><p>Three<br>four</p>", "One two\n\nThree\nfour");
	check("<div>a</div><div>b</div>c", "a\nb\nc");
	check("  <div> <span> a </span>  b </div>  ", "a b");
	check("a<br><br><br><br><br>b", "a\n\n\nb");
	check("a<hr>b", "a\n\n--------------------\n\nb");
	check("x <b>bold</b>ly &amp; &lt;so&gt; &#12354;&nbsp;&copy;", "x boldly & <so> あ ©");
	check("<pre>a\n  b</pre>c", "a\n  b\n\nc");
	check("", "");
}

static void headings_are_underlined(void **state)
{
	(void)state;
	check("<h1>News</h1><p>a</p><h2>お知らせ</h2>b<h3>c</h3>d",
	      "News\n====\n\na\n\nお知らせ\n--------\n\nb\n\nc\n\nd");
	check("<h1>Hi {{name}}</h1>", "Hi {{name}}\n===========");
	check("<h1> </h1>x", "x");
}

static void lists_are_numbered_and_nested(void **state)
{
	(void)state;
	check("x<ul><li>a</li><li>b<ol><li>c<li>d</ol></li><li>e</ul>y",
	      "x\n\n- a\n- b\n  1. c\n  2. d\n- e\n\ny");
	check("<li>a", "- a");
	check("<ol>{{#each items}}<li>{{this}}</li>{{/each}}</ol>",
	      "{{#each items}}\n{{_index}}. {{this}}\n{{/each}}\n");
}

static void tables_are_read_row_by_row(void **state)
{
	(void)state;
	check("<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>500</td></tr></table>z",
	      "Item Price\nTea 500\nz");
	check("<table><tr><td><p>a</p></td><td><p>b</p></td></tr></table>", "a\n\nb");
}

static void links_are_followed_by_where_they_lead(void **state)
{
	(void)state;
	check("See <a href=\"https://x.test/?a=1&amp;b=2\">our shop</a>!",
	      "See our shop <https://x.test/?a=1&b=2>!");
	check("<a href=\"https://x.test/\">https://x.test</a> <a href='mailto:a@x.test'>a@x.test</a>",
	      "https://x.test a@x.test");
	check("<a href=\"#top\">top</a> <a>none</a> <a href=\"\">empty</a>", "top none empty");
	check("<a href=\"https://x.test/p\"><img src=a alt=\"Spring &amp; sale\"></a><img src=b alt=''>"
	      "<img src=c>",
	      "[Spring & sale] <https://x.test/p>");
	check("<a href=\"https://x.test/p\"><img src=a></a>", "<https://x.test/p>");
	check("<a href=\"https://x.test/{{name}}?n={{name|trim}}&amp;m={{name|url}}\">x</a>",
	      "x <https://x.test/{{name}}?n={{name|trim|url}}&m={{name|url|url}}>");
}

static void what_is_not_seen_is_left_out(void **state)
{
	(void)state;
	check("<html><head><title>t</title><style>p{}</style></head><body>"
	      "<div style=\"display: none; max-height:0\">pre<div>header</div></div>"
	      "<!-- c --><script>x</script><p hidden>h<p>seen<!--[if mso]>m<![endif]--></p>",
	      "seen");
	check("<span style=\"opacity:0.5;font-size:0.9em\">a</span>"
	      "<span style='font-size:0px'>b</span>&zwnj;&shy;\xe2\x80\x8b",
	      "a");
}

static void line_ends_between_japanese_characters_are_no_spaces(void **state)
{
	(void)state;
	check("<p>春の\n    お知らせ</p>", "春のお知らせ");
	check("<p>春の\n  sale と\nwinter</p>", "春の sale と winter");
	check("<p>春 の</p>", "春 の");
}

static void fields_conditions_and_loops_stay_where_they_were(void **state)
{
	(void)state;
	check("<p>{{name|trim|default:\"お客様\"}}様 {{note|raw}} {{a|default:\"|raw\" | raw |upper}}</p>",
	      "{{name|trim|default:\"お客様\"}}様 {{note}} {{a|default:\"|raw\" |upper}}");
	check("<p>a</p>{{#if x}}<p>b</p>{{#else}}\n<p>c</p>{{/if}}<p>d</p>",
	      "a\n\n{{#if x}}\nb\n\n{{#else}}\nc\n\n{{/if}}\nd");
	check("<p>Hello {{#if x}}Ann{{#else}}you{{/if}}!</p>",
	      "Hello {{#if x}}Ann{{#else}}you{{/if}}!");
	check("<div hidden>{{#if x}}a{{name}}{{/if}}</div>b", "{{#if x}}\n{{/if}}\nb");
	check("{{>foot}}", "{{>foot}}");
}

/* Braces that were none of the language's do not become a tag. */
static void braces_stay_braces(void **state)
{
	(void)state;
	check("&#123;&#123;name}}", "{{{{name}}");
	check("{&#123;&#123;x", "{{{{{x");
	check("&#123;{{name}} {{{{ &#123;{{{{", "{ {{name}} {{{{ { {{{{");
}

/* What is made compiles when the HTML does, and shows the same words. */
static void the_text_compiles_as_its_html_does(void **state)
{
	static const char html[] =
		"<html><body><div style=\"display:none\">{{#if note}}pre {{note}}{{/if}}</div>"
		"<h1>{{name}}様</h1><p {{#if name}}class=\"x\"{{/if}}>&#123;&#123;{{#if note = "
		"\"1\"}}one{{#else}}<b>many</b>{{/if}}</p><ol>{{#each link as l}}<li>{{l}} "
		"{{#if not _last}}<br>{{/if}}</li>{{/each}}</ol></body></html>";
	struct fixture f;
	struct buf text;

	(void)state;
	fixture_init(&f);
	buf_init(&text, 1u << 20);
	assert_true(html_text_make(slice_of(html), &text));
	if (!fixture_compile_body(&f, buf_slice(&text)))
		fail_msg("%s", f.error.text);
	f.values[0] = SLICE("太郎");
	f.values[2] = SLICE("\xfd\x01" "a\x01" "b");
	f.options.encoding = MESSAGE_ENCODING_8BIT;
	assert_int_equal(fixture_compose(&f, true), MESSAGE_OK);
	assert_has(&f.bytes, SLICE("\r\n1=\r\n=2E=20a=\r\n=20=\r\n"));
	f.source.html = slice_of(html);
	message_free(f.message);
	f.message = message_compile(&f.source, &f.options, &f.error);
	assert_non_null(f.message);
	buf_done(&text);
	fixture_done(&f);
}

static void a_small_buffer_is_told(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	assert_false(html_text_make(SLICE("<p>too much</p>"), &out));
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paragraphs_and_lines_are_told_apart),
		cmocka_unit_test(headings_are_underlined),
		cmocka_unit_test(lists_are_numbered_and_nested),
		cmocka_unit_test(tables_are_read_row_by_row),
		cmocka_unit_test(links_are_followed_by_where_they_lead),
		cmocka_unit_test(what_is_not_seen_is_left_out),
		cmocka_unit_test(line_ends_between_japanese_characters_are_no_spaces),
		cmocka_unit_test(fields_conditions_and_loops_stay_where_they_were),
		cmocka_unit_test(braces_stay_braces),
		cmocka_unit_test(the_text_compiles_as_its_html_does),
		cmocka_unit_test(a_small_buffer_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
