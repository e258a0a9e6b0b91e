/* What a form's texts may be. */
#include "campaign/sign_up.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/address.h"

#define NAME_MAX_LEN 64

static const struct text_rule {
	const char *name;
	u16 max;
	bool is_required;
	bool has_lines;
} rules[FORM_TEXTS] = {
	[FORM_NAME] = { "name", NAME_MAX_LEN, true, false },
	[FORM_LISTS] = { "lists", 400, false, false },
	[FORM_FIELDS] = { "fields", 400, false, false },
	[FORM_FROM] = { "from", 400, false, false },
	[FORM_REDIRECT] = { "redirect", 2000, false, false },
	[FORM_ORIGINS] = { "origins", 4000, false, true },
	[FORM_COLOUR] = { "colour", 7, false, false },
	[FORM_TITLE_JA] = { "title_ja", 300, false, false },
	[FORM_TITLE_EN] = { "title_en", 300, false, false },
	[FORM_INTRO_JA] = { "intro_ja", 4000, false, true },
	[FORM_INTRO_EN] = { "intro_en", 4000, false, true },
	[FORM_CONSENT_JA] = { "consent_ja", 1000, false, true },
	[FORM_CONSENT_EN] = { "consent_en", 1000, false, true },
	[FORM_BUTTON_JA] = { "button_ja", 100, false, false },
	[FORM_BUTTON_EN] = { "button_en", 100, false, false },
	[FORM_DONE_JA] = { "done_ja", 4000, false, true },
	[FORM_DONE_EN] = { "done_en", 4000, false, true },
	[FORM_SUBJECT_JA] = { "subject_ja", 300, false, false },
	[FORM_SUBJECT_EN] = { "subject_en", 300, false, false },
	[FORM_MAIL_JA] = { "mail_ja", 4000, false, true },
	[FORM_MAIL_EN] = { "mail_en", 4000, false, true },
};

const char *sign_up_text_name(u32 text)
{
	return text < FORM_TEXTS ? rules[text].name : NULL;
}

const char *sign_up_problem_words(enum sign_up_problem problem, bool japanese)
{
	static const struct {
		const char *english;
		const char *japanese;
	} words[SIGN_UP_PROBLEMS] = {
		[SIGN_UP_GOOD] = { "", "" },
		[SIGN_UP_MISSING] = { "this has to be said", "入力してください" },
		[SIGN_UP_TOO_LONG] = { "this is too long", "長すぎます" },
		[SIGN_UP_BAD_NAME] = { "small letters, digits and hyphens, a letter first",
				       "英小文字・数字・ハイフンで、英字から始めてください" },
		[SIGN_UP_BAD_IDS] = { "there is no such list or attribute",
				      "存在しないリストまたは属性です" },
		[SIGN_UP_BAD_ADDRESS] = { "this is no mail address",
					  "メールアドレスとして正しくありません" },
		[SIGN_UP_BAD_URL] = { "a URL that begins with https:// or http://",
				      "https:// または http:// で始まる URL を入力してください" },
		[SIGN_UP_BAD_ORIGIN] = { "one a line, like https://shop.example",
					 "https://shop.example のように 1 行に 1 つ入力してください" },
		[SIGN_UP_BAD_COLOUR] = { "a colour like #1a73e8",
					 "#1a73e8 のような色を入力してください" },
		[SIGN_UP_CONTROL] = { "this has characters that nobody can see",
				      "使用できない文字が含まれています" },
	};

	return japanese ? words[problem].japanese : words[problem].english;
}

static bool has_bad_control(struct slice text, bool has_lines)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_line = c == '\n' || c == '\r' || c == '\t';

		if (((u8)c < ' ' && !(has_lines && is_line)) || c == 0x7f)
			return true;
	}
	return !utf8_is_valid(text);
}

static bool is_name(struct slice name)
{
	if (name.len == 0 || name.ptr[0] < 'a' || name.ptr[0] > 'z' ||
	    slice_equal(name, SLICE("confirm")))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!(c >= 'a' && c <= 'z') && !ascii_is_digit(c) && c != '-')
			return false;
	}
	return true;
}

bool sign_up_next_id(struct slice *ids, u16 *id, bool *is_required)
{
	struct slice one;
	u32 number;

	if (!ids->ptr || ids->len == 0)
		return false;
	one = slice_trim(slice_split(ids, ','));
	*is_required = one.len > 0 && one.ptr[one.len - 1] == '*';
	one.len -= *is_required;
	if (!slice_to_u32(one, &number) || number == 0 || number > UINT16_MAX)
		return false;
	*id = (u16)number;
	return true;
}

static bool are_ids(struct slice ids, u32 max)
{
	bool is_required;
	u32 count = 0;
	u16 id;

	while (ids.ptr && ids.len > 0) {
		if (!sign_up_next_id(&ids, &id, &is_required) || ++count > max)
			return false;
	}
	return true;
}

static size_t scheme_length(struct slice url)
{
	if (slice_has_prefix(url, SLICE("https://")))
		return 8;
	return slice_has_prefix(url, SLICE("http://")) ? 7 : 0;
}

/* Without blanks, and with a host. */
static bool is_url(struct slice url)
{
	size_t scheme = scheme_length(url);

	for (size_t i = 0; i < url.len; i++) {
		if ((u8)url.ptr[i] <= ' ' || (u8)url.ptr[i] >= 0x7f || url.ptr[i] == '\\' ||
		    url.ptr[i] == '"')
			return false;
	}
	return scheme > 0 && url.len > scheme && url.ptr[scheme] != '/';
}

static bool are_origins(struct slice origins)
{
	while (origins.ptr) {
		struct slice line = slice_split(&origins, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = slice_trim(line);
		if (line.len > 0 &&
		    (!is_url(line) ||
		     slice_find_char(slice_from(line, scheme_length(line)), '/') >= 0))
			return false;
	}
	return true;
}

static bool is_colour(struct slice colour)
{
	if (colour.len != 7 || colour.ptr[0] != '#')
		return colour.len == 0;
	for (size_t i = 1; i < colour.len; i++) {
		if (ascii_hex_value(colour.ptr[i]) < 0)
			return false;
	}
	return true;
}

static bool is_mailbox(struct slice from)
{
	struct address address;
	struct error error;
	struct buf name;
	bool is_good;

	buf_init(&name, 1000);
	is_good = address_parse_mailbox(&address, &name, from, &error);
	buf_done(&name);
	return is_good;
}

static enum sign_up_problem check(enum form_text text, struct slice value)
{
	const struct text_rule *rule = &rules[text];

	if (value.len == 0)
		return rule->is_required ? SIGN_UP_MISSING : SIGN_UP_GOOD;
	if (value.len > rule->max)
		return SIGN_UP_TOO_LONG;
	if (has_bad_control(value, rule->has_lines))
		return SIGN_UP_CONTROL;
	switch (text) {
	case FORM_NAME: return is_name(value) ? SIGN_UP_GOOD : SIGN_UP_BAD_NAME;
	case FORM_LISTS: return are_ids(value, SIGN_UP_LISTS_MAX) ? SIGN_UP_GOOD : SIGN_UP_BAD_IDS;
	case FORM_FIELDS:
		return are_ids(value, SIGN_UP_FIELDS_MAX) ? SIGN_UP_GOOD : SIGN_UP_BAD_IDS;
	case FORM_FROM: return is_mailbox(value) ? SIGN_UP_GOOD : SIGN_UP_BAD_ADDRESS;
	case FORM_REDIRECT: return is_url(value) ? SIGN_UP_GOOD : SIGN_UP_BAD_URL;
	case FORM_ORIGINS: return are_origins(value) ? SIGN_UP_GOOD : SIGN_UP_BAD_ORIGIN;
	case FORM_COLOUR: return is_colour(value) ? SIGN_UP_GOOD : SIGN_UP_BAD_COLOUR;
	default: return SIGN_UP_GOOD;
	}
}

enum sign_up_problem sign_up_check(const struct audience_form *form, enum form_text *text)
{
	for (u32 i = 0; i < FORM_TEXTS; i++) {
		enum sign_up_problem problem = check((enum form_text)i, form->of[i]);

		*text = (enum form_text)i;
		if (problem != SIGN_UP_GOOD)
			return problem;
	}
	*text = FORM_FROM;
	return form->is_single || form->of[FORM_FROM].len > 0 ? SIGN_UP_GOOD : SIGN_UP_MISSING;
}

bool sign_up_admits_origin(const struct audience_form *form, struct slice origin)
{
	struct slice rest = form->of[FORM_ORIGINS];

	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0 && slice_equal_nocase(slice_trim(line), origin))
			return true;
	}
	return false;
}
