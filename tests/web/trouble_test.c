/* What the rooms below refuse with, said on pages in Japanese: by the pattern of the sentence, with
 * its places and values as they are. */
#include "base/buf.h"
#include "base/text.h"
#include "web/trouble.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void check(const char *english, const char *japanese)
{
	struct trouble room;
	struct slice told = trouble_in(LANGUAGE_JAPANESE, slice_of(english), &room);

	if (!slice_equal(told, slice_of(japanese)))
		fail_msg("%s\nis said: %.*s\nand not: %s", english, SLICE_FMT(told), japanese);
}

static void a_sentence_is_said_with_what_is_in_it(void **state)
{
	(void)state;
	check("no memory", "メモリーが足りません");
	check("the condition has more than 64 parts", "条件が 64 個を超えています");
	check("\"contains\" cannot be asked of points, which is a number",
	      "「contains」は points（数値）には使えません");
	check("a whole number from 0 to 36500 is missing at the end",
	      "最後に 0～36500 の整数がありません");
	check("a day such as 2026-11-30 is missing at the end",
	      "最後に 2026-11-30 のような日付 がありません");
	check("a condition is expected here, not )", "ここには「)」ではなく 条件 が必要です");
}

static void a_place_in_front_stays_and_its_line_is_named(void **state)
{
	(void)state;
	check("mail (html):12: unknown field \"nickname\"",
	      "HTML の本文 12行目：「nickname」という項目はありません");
	check("news:3: Subject: field \"name\": a line end cannot stand in a header field",
	      "news 3行目：Subject：項目「name」：ヘッダーに改行は入れられません");
	check("html: お知らせ:2: there is no block \"footer\"",
	      "HTML：お知らせ 2行目：「footer」というブロックはありません");
	check("line 12, column 3: text behind a closing quote",
	      "12行目の3列目：閉じた引用符の後に文字があります");
	check("address \"a@\": the domain is empty", "アドレス「a@」：ドメインがありません");
	check("mail (text):4: ISO-2022-JP cannot carry \"①\" (U+2460): write (1) instead of a circled "
	      "digit, or send as UTF-8",
	      "テキストの本文 4行目：「①」（U+2460）は ISO-2022-JP では送れません：丸数字は (1) "
	      "のように書くか、UTF-8 で送ってください");
}

static void what_a_draft_lacks_has_the_words_of_the_draft(void **state)
{
	(void)state;
	check("subject: this is too long", "件名：長すぎます");
}

static void values_are_not_read_as_sentences(void **state)
{
	(void)state;
	check("unknown field \"no memory\"", "「no memory」という項目はありません");
	check("there is no list \"{1} [2] %s\"", "「{1} [2] %s」というリストはありません");
	check("a: b: c: unknown filter \": \"", "a：b：c：「: 」というフィルターはありません");
}

static void what_has_no_pattern_stays_as_it_is(void **state)
{
	struct trouble room;

	(void)state;
	check("", "");
	check("nobody has said this: ever", "nobody has said this: ever");
	check("テンプレート「a」: 長すぎます", "テンプレート「a」: 長すぎます");
	assert_true(slice_equal(trouble_in(LANGUAGE_ENGLISH, SLICE("no memory"), &room),
				SLICE("no memory")));
}

/* Every byte of values may be one that patterns are made of. */
static void hostile_text_costs_bounded_time_and_room(void **state)
{
	static const char *const pieces[] = { ": ", "\" ", "{1}", " is ", "(", "no " };
	struct trouble room;

	(void)state;
	for (size_t i = 0; i < array_count(pieces); i++) {
		struct buf text;

		buf_init(&text, 4096);
		buf_add_text(&text, "unknown field \"");
		while (text.len < 500)
			buf_add_text(&text, pieces[i]);
		(void)trouble_in(LANGUAGE_JAPANESE, buf_slice(&text), &room);
		while (text.len < TROUBLE_MAX + 10)
			buf_add_text(&text, pieces[i]);
		buf_add_text(&text, "\"");
		assert_true(slice_equal(trouble_in(LANGUAGE_JAPANESE, buf_slice(&text), &room),
					buf_slice(&text)));
		buf_done(&text);
	}
}

/* ---- the table ---- */

static bool is_hole(const char *at, char opens)
{
	return at[0] == opens && at[1] >= '1' && at[1] <= '5' && at[2] == opens + 2;
}

/* The pattern with "X1" for its first value, and so on. */
static void put(const char *pattern, struct buf *out)
{
	for (; *pattern; pattern++) {
		if (is_hole(pattern, '{') || is_hole(pattern, '[')) {
			buf_add_format(out, "X%c", pattern[1]);
			pattern += 2;
		} else {
			buf_add_char(out, *pattern);
		}
	}
}

static void no_pattern_hides_another_one(void **state)
{
	(void)state;
	for (u32 i = 0; i < trouble_words_count; i++) {
		struct buf english;
		struct buf japanese;

		buf_init(&english, 1024);
		buf_init(&japanese, 1024);
		put(trouble_words[i].english, &english);
		put(trouble_words[i].japanese, &japanese);
		check(buf_text(&english), buf_text(&japanese));
		buf_done(&english);
		buf_done(&japanese);
	}
}

static void a_translation_names_no_value_that_its_sentence_has_not(void **state)
{
	(void)state;
	for (u32 i = 0; i < trouble_words_count; i++) {
		for (const char *at = trouble_words[i].japanese; *at; at++) {
			char hole[4] = { '{', at[1], '}', '\0' };

			if ((is_hole(at, '{') || is_hole(at, '[')) &&
			    !strstr(trouble_words[i].english, hole))
				fail_msg("%s", trouble_words[i].japanese);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_is_said_with_what_is_in_it),
		cmocka_unit_test(a_place_in_front_stays_and_its_line_is_named),
		cmocka_unit_test(what_a_draft_lacks_has_the_words_of_the_draft),
		cmocka_unit_test(values_are_not_read_as_sentences),
		cmocka_unit_test(what_has_no_pattern_stays_as_it_is),
		cmocka_unit_test(hostile_text_costs_bounded_time_and_room),
		cmocka_unit_test(no_pattern_hides_another_one),
		cmocka_unit_test(a_translation_names_no_value_that_its_sentence_has_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
