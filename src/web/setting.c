#include "web/setting.h"

#include "base/text.h"
#include "message/address.h"

#include <stdio.h>

#define NAME_SIZE 64
#define DAYS_MAX 3650

static const struct {
	const char *name;
	const char *otherwise;
} rows[SETTINGS] = {
	[SETTING_SENDER_NAME] = { "sender-name", "" },
	[SETTING_SENDER_ADDRESS] = { "sender-address", "" },
	[SETTING_SENDER_CONTACT] = { "sender-contact", "" },
	[SETTING_SENDER_PHONE] = { "sender-phone", "" },
	[SETTING_FROM_NAME] = { "from-name", "" },
	[SETTING_FROM_ADDRESS] = { "from-address", "" },
	[SETTING_REPLY_TO] = { "reply-to", "" },
	[SETTING_ZONE] = { "zone", "" },
	[SETTING_LANGUAGE] = { "language", "ja" },
	[SETTING_TRACK_OPENS] = { "track-opens", "1" },
	[SETTING_TRACK_CLICKS] = { "track-clicks", "1" },
	[SETTING_PENDING_DAYS] = { "pending-days", "30" },
};

const char *setting_name(enum setting setting)
{
	return rows[setting].name;
}

enum word {
	BAD_ADDRESS,
	BAD_CONTACT,
	BAD_ZONE,
	BAD_LANGUAGE,
	BAD_SWITCH,
	BAD_DAYS,
	BAD_LINE,
	TOO_LONG,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[BAD_ADDRESS] = { { "This is no e-mail address.", "メールアドレスの形式が正しくありません。" } },
	[BAD_CONTACT] = { { "This is no web page and no e-mail address.",
			    "URLまたはメールアドレスを入力してください。" } },
	[BAD_ZONE] = { { "There is no time zone of this name.", "この名前のタイムゾーンはありません。" } },
	[BAD_LANGUAGE] = { { "A language is en or ja.", "言語は en か ja を指定してください。" } },
	[BAD_SWITCH] = { { "It is 1 or 0.", "1 か 0 を指定してください。" } },
	[BAD_DAYS] = { { "A number of days from 0 to 3650.", "0から3650までの日数を入力してください。" } },
	[BAD_LINE] = { { "This is to be one line of text.", "1行のテキストで入力してください。" } },
	[TOO_LONG] = { { "This is too long.", "長すぎます。" } },
};

static struct slice key_of(char key[NAME_SIZE], enum setting setting)
{
	int len = snprintf(key, NAME_SIZE, "web/%s", rows[setting].name);

	return (struct slice){ key, (size_t)len };
}

struct slice setting_get(struct audience_txn *txn, enum setting setting)
{
	char key[NAME_SIZE];
	struct slice value;

	if (audience_setting_get(txn, key_of(key, setting), &value) != STORE_OK)
		return slice_of(rows[setting].otherwise);
	return value;
}

enum store_result setting_put(struct audience_txn *txn, enum setting setting, struct slice value)
{
	char key[NAME_SIZE];

	return audience_setting_put(txn, key_of(key, setting), value);
}

void setting_zone(struct audience_txn *txn, struct time_zone *zone)
{
	bool is_japanese = slice_equal(setting_get(txn, SETTING_LANGUAGE), SLICE("ja"));

	if (!time_zone_find(setting_get(txn, SETTING_ZONE), zone) &&
	    !time_zone_find(is_japanese ? SLICE("Asia/Tokyo") : SLICE("UTC"), zone))
		*zone = (struct time_zone){ .name = "UTC" };
}

bool setting_is_on(struct audience_txn *txn, enum setting setting)
{
	return slice_equal(setting_get(txn, setting), SLICE("1"));
}

/* ---- what may be set ---- */

static bool is_address(struct slice text)
{
	struct address address;
	struct error ignored;

	return text.len == 0 || address_parse(&address, text, &ignored);
}

static bool is_line(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

static bool is_contact(struct slice text)
{
	bool has_scheme = slice_has_prefix_nocase(text, SLICE("https://")) ||
			  slice_has_prefix_nocase(text, SLICE("http://"));

	return (has_scheme && is_line(text)) || is_address(text);
}

static bool is_either(struct slice text, struct slice a, struct slice b)
{
	return slice_equal(text, a) || slice_equal(text, b);
}

/* One line, but for the postal address: a header field or a foot is made of it. */
const struct words *setting_check(enum setting setting, struct slice value)
{
	struct time_zone zone;
	u32 days;

	if (value.len > SETTING_TEXT_MAX)
		return &words[TOO_LONG];
	switch (setting) {
	case SETTING_FROM_ADDRESS:
	case SETTING_REPLY_TO: return is_address(value) ? NULL : &words[BAD_ADDRESS];
	case SETTING_SENDER_CONTACT: return is_contact(value) ? NULL : &words[BAD_CONTACT];
	case SETTING_ZONE: return time_zone_find(value, &zone) ? NULL : &words[BAD_ZONE];
	case SETTING_LANGUAGE:
		return is_either(value, SLICE("en"), SLICE("ja")) ? NULL : &words[BAD_LANGUAGE];
	case SETTING_TRACK_OPENS:
	case SETTING_TRACK_CLICKS:
		return is_either(value, SLICE("1"), SLICE("0")) ? NULL : &words[BAD_SWITCH];
	case SETTING_PENDING_DAYS:
		return slice_to_u32(value, &days) && days <= DAYS_MAX ? NULL : &words[BAD_DAYS];
	case SETTING_SENDER_ADDRESS: return NULL;
	default: return is_line(value) ? NULL : &words[BAD_LINE];
	}
}
