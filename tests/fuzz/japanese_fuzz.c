/*
 * Any UTF-8 text as ISO-2022-JP: what is written is RFC 1468's form and reads back, through the C
 * library's own tables, as the text it came from with its kana in full width (but for the signs
 * that japanese.h says it turns into others); what does not fit into a room is cut where it says.
 */
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/japanese.h"

#include <iconv.h>
#include <string.h>

#define OUT_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* ASCII or ESC $ B and pairs of 0x21 to 0x7e; every line ends in ASCII. */
static void check_form(struct slice out)
{
	bool kanji = false;

	for (size_t i = 0; i < out.len; i++) {
		if (out.ptr[i] == '\x1b' && !kanji &&
		    slice_has_prefix(slice_from(out, i), SLICE("\x1b$B"))) {
			kanji = true;
			i += 2;
		} else if (kanji && slice_has_prefix(slice_from(out, i), SLICE("\x1b(B"))) {
			kanji = false;
			i += 2;
		} else if (kanji) {
			ASSERT(i + 1 < out.len);
			ASSERT(out.ptr[i] >= 0x21 && out.ptr[i] <= 0x7e);
			i++;
			ASSERT(out.ptr[i] >= 0x21 && out.ptr[i] <= 0x7e);
		} else {
			ASSERT((u8)out.ptr[i] < 0x80);
		}
	}
	ASSERT(!kanji);
}

/* Whether japanese.h turns it into a sign that only looks alike: then the form alone is judged. */
static bool is_turned(u32 code)
{
	static const u32 turned[] = { 0xa0,   0xa5,   0xa2,   0xa3,   0xac,   0x203e, 0x2022,
				      0x2014, 0x2015, 0x2016, 0x2225, 0x2212, 0xff0d, 0x301c,
				      0xff5e, 0xffe0, 0xffe1, 0xffe2, 0xffe3, 0xffe5 };

	for (size_t i = 0; i < array_count(turned); i++) {
		if (code == turned[i])
			return true;
	}
	return false;
}

static bool has_turned(struct slice text)
{
	u32 code;

	while (text.len > 0) {
		text = slice_from(text, utf8_decode(text, &code));
		if (is_turned(code))
			return true;
	}
	return false;
}

/* Full-width forms of U+FF61 to U+FF9F; kana and what they become with a mark behind them. */
static const char full_width[] = "。「」、・ヲァィゥェォャュョッ"
				 "ーアイウエオカキクケコサシスセ"
				 "ソタチツテトナニヌネノハヒフヘ"
				 "ホマミムメモヤユヨラリルレロワ"
				 "ン゛゜";
static const char voiced[] = "かがきぎくぐけげこごさざしじすず"
			     "せぜそぞただちぢつづてでとどはば"
			     "ひびふぶへべほぼカガキギクグケゲ"
			     "コゴサザシジスズセゼソゾタダチヂ"
			     "ツヅテデトドハバヒビフブヘベホボ"
			     "ウヴ";
static const char half_voiced[] = "はぱひぴふぷへぺほぽハパヒピフプ"
				  "ヘペホポ";

/* The second of each pair for the first, three bytes each; NULL when it is none. */
static const char *second_of(const char *pairs, const char *first)
{
	for (; *pairs; pairs += 6) {
		if (memcmp(pairs, first, 3) == 0)
			return pairs + 3;
	}
	return NULL;
}

/* Half-width kana as full-width ones, marks joined to what stands before them. */
static void normalise(struct slice text, struct buf *out)
{
	size_t last = SIZE_MAX; /* where a kana stands that may take a mark */

	while (text.len > 0) {
		u32 code;
		size_t len = utf8_decode(text, &code);
		bool mark = code == 0x3099 || code == 0xff9e;
		bool half_mark = code == 0x309a || code == 0xff9f;
		const char *joined = NULL;

		if ((mark || half_mark) && last != SIZE_MAX)
			joined = second_of(mark ? voiced : half_voiced, out->ptr + last);
		if (joined) {
			memcpy(out->ptr + last, joined, 3);
			last = SIZE_MAX;
		} else {
			last = len == 3 ? out->len : SIZE_MAX;
			if (code >= 0xff61 && code <= 0xff9f)
				buf_add(out, full_width + (code - 0xff61) * 3, 3);
			else
				buf_add(out, text.ptr, len);
		}
		text = slice_from(text, len);
	}
}

static void check_back(struct slice out, struct slice text)
{
	static iconv_t converter;
	static char back[OUT_MAX];
	struct buf want;
	char *in = (char *)(uintptr_t)out.ptr;
	char *to = back;
	size_t left = out.len;
	size_t room = sizeof(back);

	if (!converter)
		converter = iconv_open("UTF-8", "ISO-2022-JP");
	ASSERT(converter != (iconv_t)-1);
	iconv(converter, NULL, NULL, NULL, NULL);
	ASSERT(iconv(converter, &in, &left, &to, &room) != (size_t)-1 && left == 0);
	buf_init(&want, OUT_MAX);
	normalise(text, &want);
	ASSERT(slice_equal((struct slice){ back, (size_t)(to - back) }, buf_slice(&want)));
	buf_done(&want);
}

static void check_fit(struct slice text, size_t room)
{
	struct buf out;
	size_t fits = japanese_fit(text, room);
	u32 bad;
	u32 code;

	buf_init(&out, OUT_MAX);
	ASSERT(fits <= text.len && japanese_encode(&out, slice_first(text, fits), &bad) &&
	       out.len <= room);
	if (fits < text.len) {
		/* It was the most: with one more character it is too long. */
		size_t next = japanese_next(slice_from(text, fits), &code);

		buf_reset(&out);
		ASSERT(japanese_encode(&out, slice_first(text, fits + next), &bad) &&
		       out.len > room);
	}
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct buf out;
	u32 bad = 0;

	if (size < 1)
		return 0;
	text = slice_from(text, 1);
	buf_init(&out, OUT_MAX);
	if (!japanese_encode(&out, text, &bad)) {
		ASSERT(bad >= 0x80 && japanese_advice(bad)[0]);
	} else if (utf8_is_valid(text) && slice_find_char(text, '\x1b') < 0) {
		check_form(buf_slice(&out));
		if (!has_turned(text))
			check_back(buf_slice(&out), text);
		check_fit(text, data[0]);
	}
	buf_done(&out);
	return 0;
}
