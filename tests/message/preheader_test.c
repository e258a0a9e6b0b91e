/* The preheader is the first text of the HTML, hidden, and found again. */
#include "message/fixture.h"

#include "message/html_text.h"
#include "message/preheader.h"

static void check(const char *html, const char *before)
{
	struct slice text = slice_of(html);
	size_t place = strlen(before);
	struct buf out;
	struct buf plain;
	struct slice tail;

	buf_init(&out, 1u << 20);
	buf_init(&plain, 1u << 20);
	assert_true(preheader_add(text, SLICE("a < b {{name|default:\"<\"}}"), &out));
	assert_slice(slice_first(buf_slice(&out), place), slice_first(text, place));
	assert_true(slice_has_prefix(slice_from(buf_slice(&out), place),
				     SLICE("<div style=\"display:none;")));
	assert_has(&out, SLICE("\">a &lt; b {{name|default:\"<\"}}&#847;"));
	tail = slice_from(text, place);
	assert_slice(slice_from(buf_slice(&out), out.len - tail.len), tail);
	assert_true(preheader_is_there(buf_slice(&out)));
	assert_false(preheader_is_there(text));
	/* It is no part of what is read. */
	assert_true(html_text_make(buf_slice(&out), &plain));
	assert_true(slice_find(buf_slice(&plain), SLICE("a < b")) < 0);
	buf_done(&out);
	buf_done(&plain);
}

static void it_stands_where_the_body_begins(void **state)
{
	(void)state;
	check("<!DOCTYPE html><html><head><title>t</title><style>x</style></head>\n<BODY class=\"a\">x",
	      "<!DOCTYPE html><html><head><title>t</title><style>x</style></head>\n<BODY class=\"a\">");
	check("<html><head><meta charset=utf-8></head><p>x</p>",
	      "<html><head><meta charset=utf-8></head>");
	check("<p>x</p><body>", "");
	check("{{#if name}}<b>x</b>{{/if}}", "");
	check("x", "");
	check("", "");
}

static void hidden_text_behind_what_is_seen_is_none(void **state)
{
	(void)state;
	assert_true(preheader_is_there(SLICE("<body> <span style='display:none'>x</span>y")));
	assert_false(preheader_is_there(SLICE("<body>y<span style='display:none'>x</span>")));
	assert_false(preheader_is_there(SLICE("<body><img src=a><span hidden>x</span>")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_stands_where_the_body_begins),
		cmocka_unit_test(hidden_text_behind_what_is_seen_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
