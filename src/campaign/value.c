#include "campaign/value.h"

#include "base/text.h"
#include "base/utf8.h"
#include "campaign/value_date.h"
#include "store/contact_record.h"

#include <string.h>

static const char *const words[VALUE_PROBLEMS][2] = {
	[VALUE_GOOD] = { "good", "問題ありません" },
	[VALUE_TOO_LONG] = { "longer than 4,096 bytes", "4,096バイトを超えています" },
	[VALUE_CONTROL] = { "has control characters", "制御文字が含まれています" },
	[VALUE_NO_NUMBER] = { "is no number", "数値ではありません" },
	[VALUE_NUMBER_LONG] = { "is a number of more than 30 digits", "数値が30桁を超えています" },
	[VALUE_NO_DATE] = { "is no date; write 2026-11-30",
			    "日付ではありません(例: 2026-11-30)" },
	[VALUE_DATE_UNCLEAR] = { "could be two dates; write 2026-11-30",
				 "月と日の順序が判断できません(例: 2026-11-30)" },
	[VALUE_DAY_MISSING] = { "is a day that there is not", "存在しない日付です" },
	[VALUE_NO_CHOICE] = { "is none of the choices", "選択肢にありません" },
	[VALUE_NO_YES_NO] = { "is neither yes nor no", "「はい」か「いいえ」ではありません" },
	[VALUE_NO_STATE] = { "is no state: active, unsubscribed, bounced, complained, pending",
			     "状態ではありません(有効、配信停止、不達、迷惑メール報告、確認待ち)" },
};

const char *value_problem_words(enum value_problem problem, bool japanese)
{
	return words[problem < VALUE_PROBLEMS ? problem : VALUE_GOOD][japanese];
}

/* ---- white space and width ---- */

static bool is_blank(u32 code)
{
	return code == ' ' || code == '\t' || code == '\n' || code == '\r' || code == 0x3000 ||
	       code == 0xa0;
}

struct slice value_trim(struct slice text)
{
	static const struct slice blanks[] = { SLICE(" "),  SLICE("\t"),	      SLICE("\n"),
					       SLICE("\r"), SLICE("\xe3\x80\x80"),
					       SLICE("\xc2\xa0") };
	u32 code;
	size_t len;

	while ((len = utf8_decode(text, &code)) > 0 && is_blank(code))
		text = slice_from(text, len);
	for (size_t i = 0; i < array_count(blanks); i++) {
		size_t end = blanks[i].len;

		if (text.len < end ||
		    memcmp(text.ptr + text.len - end, blanks[i].ptr, end) != 0)
			continue;
		text.len -= end;
		i = SIZE_MAX; /* from the first one again */
	}
	return text;
}

/* Full-width forms of ASCII and the minus signs of Japanese keyboards to ASCII. */
size_t value_narrow(char *out, size_t size, struct slice text)
{
	size_t at = 0;
	u32 code;
	size_t len;

	while ((len = utf8_decode(text, &code)) > 0) {
		if (code >= 0xff01 && code <= 0xff5e)
			code -= 0xff01 - 0x21;
		else if (code == 0x2212 || code == 0x2010 || code == 0x2013 || code == 0x30fc)
			code = '-';
		else if (code == 0x3000 || code == 0xa0)
			code = ' ';
		if (at + 4 > size)
			return SIZE_MAX;
		at += utf8_encode(out + at, code);
		text = slice_from(text, len);
	}
	return at;
}

/* ---- numbers ---- */

/* Thousands are grouped by threes, or the comma is no such. */
static bool drop_commas(char *digits, size_t *len)
{
	size_t out = 0;
	size_t since = 0;
	bool grouped = false;

	for (size_t i = 0; i < *len; i++) {
		if (digits[i] != ',') {
			digits[out++] = digits[i];
			since++;
			continue;
		}
		if (since == 0 || since > 3 || (grouped && since != 3))
			return false;
		grouped = true;
		since = 0;
	}
	*len = out;
	return !grouped || since == 3;
}

static bool are_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.ptr[i]))
			return false;
	}
	return true;
}

static struct slice drop_unit(struct slice s)
{
	static const struct slice units[] = { SLICE("円"), SLICE("%"), SLICE("点"), SLICE("歳") };

	for (size_t i = 0; i < array_count(units); i++) {
		if (s.len > units[i].len &&
		    memcmp(s.ptr + s.len - units[i].len, units[i].ptr, units[i].len) == 0)
			return slice_trim(slice_first(s, s.len - units[i].len));
	}
	return s;
}

static enum value_problem read_number(struct buf *out, struct slice text)
{
	char room[128];
	size_t len = value_narrow(room, sizeof(room), text);
	struct slice s;
	struct slice whole;
	struct slice part;
	bool negative;

	if (len == SIZE_MAX)
		return VALUE_NO_NUMBER;
	s = slice_trim((struct slice){ room, len });
	if (slice_has_prefix(s, SLICE("¥")))
		s = slice_from(s, sizeof("¥") - 1);
	else if (slice_has_prefix(s, SLICE("\\")))
		s = slice_from(s, 1);
	s = drop_unit(s);
	negative = s.len > 0 && s.ptr[0] == '-';
	if (s.len > 0 && (negative || s.ptr[0] == '+'))
		s = slice_trim(slice_from(s, 1));
	part = s;
	whole = slice_split(&part, '.');
	len = whole.len;
	memmove(room, whole.ptr, len);
	if (!drop_commas(room, &len))
		return VALUE_NO_NUMBER;
	whole = (struct slice){ room, len };
	if (whole.len + part.len == 0 || !are_digits(whole) || !are_digits(part))
		return VALUE_NO_NUMBER;
	while (whole.len > 0 && whole.ptr[0] == '0')
		whole = slice_from(whole, 1);
	while (part.len > 0 && part.ptr[part.len - 1] == '0')
		part.len--;
	if (whole.len + part.len > VALUE_DIGITS_MAX)
		return VALUE_NUMBER_LONG;
	if (negative && whole.len + part.len > 0)
		buf_add_char(out, '-');
	buf_add_slice(out, whole.len > 0 ? whole : SLICE("0"));
	if (part.len > 0) {
		buf_add_char(out, '.');
		buf_add_slice(out, part);
	}
	return VALUE_GOOD;
}

/* ---- choices, yes and no ---- */

static enum value_problem read_choice(struct buf *out, struct slice choices, struct slice text)
{
	struct slice loose = SLICE_NONE;

	while (choices.ptr) {
		struct slice choice = slice_split(&choices, '\n');

		if (slice_equal(choice, text)) {
			buf_add_slice(out, choice);
			return VALUE_GOOD;
		}
		if (!loose.ptr && choice.len > 0 && slice_equal_nocase(choice, text))
			loose = choice;
	}
	buf_add_slice(out, loose);
	return loose.ptr ? VALUE_GOOD : VALUE_NO_CHOICE;
}

static bool is_among(const char *const *list, struct slice text)
{
	for (; *list; list++) {
		if (slice_equal_nocase(text, slice_of(*list)))
			return true;
	}
	return false;
}

static enum value_problem read_yes_no(struct buf *out, struct slice text)
{
	static const char *const yes[] = { "1",	 "yes",	 "y",	"true", "t",	"on", "x",  "o",
					   "はい", "有",  "有り", "あり", "可", "済", "希望する",
					   "○", "◯", "〇", "◎", "✓", "✔", "●", "真", NULL };
	static const char *const no[] = { "0",	"no", "n",  "false", "f",  "off", "いいえ", "無",
					  "無し", "なし", "不可", "未", "希望しない", "×", "✕",
					  "✗", "-", "偽", NULL };
	char room[64];
	size_t len = value_narrow(room, sizeof(room), text);
	struct slice s = { room, len };

	if (len == SIZE_MAX)
		return VALUE_NO_YES_NO;
	if (is_among(yes, s))
		buf_add_char(out, '1');
	else if (is_among(no, s))
		buf_add_char(out, '0');
	else
		return VALUE_NO_YES_NO;
	return VALUE_GOOD;
}

/* ---- text ---- */

static enum value_problem read_text(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		u8 c = (u8)text.ptr[i];

		if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
			return VALUE_CONTROL;
	}
	buf_add_slice(out, text);
	return VALUE_GOOD;
}

enum value_problem value_read(struct buf *out, enum attribute_type type, struct slice choices,
			      struct slice text)
{
	text = value_trim(text);
	if (text.len == 0)
		return VALUE_GOOD;
	if (text.len > CONTACT_VALUE_MAX)
		return VALUE_TOO_LONG;
	switch (type) {
	case ATTRIBUTE_NUMBER: return read_number(out, text);
	case ATTRIBUTE_DATE: return value_read_date(out, text);
	case ATTRIBUTE_CHOICE: return read_choice(out, choices, text);
	case ATTRIBUTE_YES_NO: return read_yes_no(out, text);
	case ATTRIBUTE_TEXT:
	case ATTRIBUTE_TYPES: break;
	}
	return read_text(out, text);
}

/* ---- formulas ---- */

bool value_is_formula(struct slice cell)
{
	while (cell.len > 0 && cell.ptr[0] == '\'')
		cell = slice_from(cell, 1);
	return cell.len > 0 && memchr("=+-@\t\r", cell.ptr[0], 6) != NULL;
}

struct slice value_undo_guard(struct slice cell)
{
	if (cell.len > 0 && cell.ptr[0] == '\'' && value_is_formula(slice_from(cell, 1)))
		return slice_from(cell, 1);
	return cell;
}

/* ---- guessing ---- */

void value_guess_add(struct value_guess *guess, struct slice text)
{
	char room[256];
	struct buf out = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

	text = value_trim(text);
	if (text.len == 0)
		return;
	guess->seen++;
	/* A telephone number or a postal code would lose its zeros, and is nothing to add up. */
	if (text.len > 1 && text.ptr[0] == '0' && ascii_is_digit(text.ptr[1]))
		guess->zero_led++;
	if (read_number(&out, text) == VALUE_GOOD)
		guess->numbers++;
	buf_reset(&out);
	if (value_read_date(&out, text) == VALUE_GOOD)
		guess->dates++;
	buf_reset(&out);
	if (read_yes_no(&out, text) == VALUE_GOOD)
		guess->yes_nos++;
}

enum attribute_type value_guess_type(const struct value_guess *guess)
{
	if (guess->seen == 0)
		return ATTRIBUTE_TEXT;
	if (guess->dates == guess->seen)
		return ATTRIBUTE_DATE;
	if (guess->yes_nos == guess->seen)
		return ATTRIBUTE_YES_NO;
	if (guess->numbers == guess->seen && guess->zero_led == 0)
		return ATTRIBUTE_NUMBER;
	return ATTRIBUTE_TEXT;
}
