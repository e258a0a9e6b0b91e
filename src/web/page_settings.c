/* What counts for the whole service: who sends, defaults, time zone. */
#include "base/text.h"
#include "message/address.h"
#include "web/page.h"
#include "web/setting.h"

#include <stdlib.h>

enum word {
	TITLE,
	SENDER,
	SENDER_HINT,
	NAME,
	ADDRESS,
	CONTACT,
	CONTACT_HINT,
	PHONE,
	DEFAULTS,
	FROM_NAME,
	FROM_ADDRESS,
	REPLY_TO,
	ZONE,
	ZONE_HINT,
	LANGUAGE,
	ENGLISH,
	JAPANESE,
	TRACKING,
	OPENS,
	CLICKS,
	SAVE,
	SAVED,
	BAD_ADDRESS,
	BAD_CONTACT,
	BAD_ZONE,
	TOO_LONG,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Settings", "設定" } },
	[SENDER] = { { "Who sends", "送信者情報" } },
	[SENDER_HINT] = { { "The law asks for these in every mailing; they are set into its foot.",
			    "特定電子メール法などで表示が義務づけられています。メールのフッターに表示します。" } },
	[NAME] = { { "Company or name", "会社名または氏名" } },
	[ADDRESS] = { { "Postal address", "住所" } },
	[CONTACT] = { { "Where complaints and questions go", "苦情・問い合わせの受付先" } },
	[CONTACT_HINT] = { { "A web page (https://...) or an e-mail address.",
			     "WebページのURL（https://...）またはメールアドレス。" } },
	[PHONE] = { { "Telephone", "電話番号" } },
	[DEFAULTS] = { { "Defaults of new campaigns", "新しいキャンペーンの初期値" } },
	[FROM_NAME] = { { "Name in From", "差出人名" } },
	[FROM_ADDRESS] = { { "Address in From", "差出人アドレス" } },
	[REPLY_TO] = { { "Replies go to", "返信先アドレス" } },
	[ZONE] = { { "Time zone, minutes east of UTC", "タイムゾーン（UTCとの差、分）" } },
	[ZONE_HINT] = { { "540 is Japan, 0 London in winter, -300 New York in winter.",
			  "日本は540です。" } },
	[LANGUAGE] = { { "Language of pages for contacts", "連絡先向けページの言語" } },
	[ENGLISH] = { { "English", "English" } },
	[JAPANESE] = { { "日本語", "日本語" } },
	[TRACKING] = { { "Measuring", "計測" } },
	[OPENS] = { { "Count opens", "開封を計測する" } },
	[CLICKS] = { { "Count clicks", "クリックを計測する" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "The settings are saved.", "設定を保存しました。" } },
	[BAD_ADDRESS] = { { "This is no e-mail address.", "メールアドレスの形式が正しくありません。" } },
	[BAD_CONTACT] = { { "This is no web page and no e-mail address.",
			    "URLまたはメールアドレスを入力してください。" } },
	[BAD_ZONE] = { { "A number from -720 to 840.", "-720から840までの数値を入力してください。" } },
	[TOO_LONG] = { { "This is too long.", "長すぎます。" } },
};

/* What is shown: of the store, or of a form that was not right. */
struct sheet {
	struct slice values[SETTINGS];
	const struct words *problems[SETTINGS];
	bool is_wrong;
};

static void text_field(struct page *page, const struct sheet *sheet, enum setting setting,
		       const struct words *label, const struct words *hint)
{
	page_field(page, &(struct page_field){ .name = setting_name(setting),
					       .label = label,
					       .hint = hint,
					       .error = sheet->problems[setting],
					       .value = sheet->values[setting],
					       .rows = setting == SETTING_SENDER_ADDRESS ? 3 : 0 });
}

static void show(struct call *call, const struct sheet *sheet)
{
	const struct slice *values = sheet->values;
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_SETTINGS, .title = &words[TITLE] });
	PAGE_FORM(&page, "/admin/settings");
	page_card_begin(&page, &words[SENDER]);
	page_paragraph(&page, &words[SENDER_HINT]);
	text_field(&page, sheet, SETTING_SENDER_NAME, &words[NAME], NULL);
	text_field(&page, sheet, SETTING_SENDER_ADDRESS, &words[ADDRESS], NULL);
	text_field(&page, sheet, SETTING_SENDER_CONTACT, &words[CONTACT], &words[CONTACT_HINT]);
	text_field(&page, sheet, SETTING_SENDER_PHONE, &words[PHONE], NULL);
	page_card_end(&page);
	page_card_begin(&page, &words[DEFAULTS]);
	text_field(&page, sheet, SETTING_FROM_NAME, &words[FROM_NAME], NULL);
	text_field(&page, sheet, SETTING_FROM_ADDRESS, &words[FROM_ADDRESS], NULL);
	text_field(&page, sheet, SETTING_REPLY_TO, &words[REPLY_TO], NULL);
	text_field(&page, sheet, SETTING_ZONE, &words[ZONE], &words[ZONE_HINT]);
	page_select_begin(&page, &(struct page_field){ .name = setting_name(SETTING_LANGUAGE),
						       .label = &words[LANGUAGE] });
	page_option(&page, SLICE("ja"), &words[JAPANESE],
		    slice_equal(values[SETTING_LANGUAGE], SLICE("ja")));
	page_option(&page, SLICE("en"), &words[ENGLISH],
		    slice_equal(values[SETTING_LANGUAGE], SLICE("en")));
	page_select_end(&page);
	page_group_begin(&page, &words[TRACKING]);
	page_check(&page, setting_name(SETTING_TRACK_OPENS), &words[OPENS],
		   slice_equal(values[SETTING_TRACK_OPENS], SLICE("1")));
	page_check(&page, setting_name(SETTING_TRACK_CLICKS), &words[CLICKS],
		   slice_equal(values[SETTING_TRACK_CLICKS], SLICE("1")));
	page_group_end(&page);
	page_card_end(&page);
	page_submit(&page, TONE_GOOD, &words[SAVE]);
	page_form_end(&page);
	page_end(&page, sheet->is_wrong ? 422 : 200);
}

void page_settings(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct sheet sheet = { .is_wrong = false };

	if (audience_begin_read(txn) != STORE_OK) {
		call_refuse(call, 503, NULL, "settings cannot be read");
		return;
	}
	for (u32 i = 0; i < SETTINGS; i++)
		sheet.values[i] = setting_get(txn, (enum setting)i);
	show(call, &sheet);
	audience_abort(txn);
}

/* ---- saving ---- */

static bool is_address(struct slice text)
{
	struct address address;
	struct error ignored;

	return text.len == 0 || address_parse(&address, text, &ignored);
}

static bool is_zone(struct slice text)
{
	bool is_west = slice_has_prefix(text, SLICE("-"));
	u32 minutes;

	return slice_to_u32(slice_from(text, is_west ? 1 : 0), &minutes) &&
	       minutes <= (is_west ? 720u : 840u);
}

/* One line, but for the postal address: a header field or a foot is made of it. */
static bool is_line(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

static const struct words *check(enum setting setting, struct slice value)
{
	bool has_scheme = slice_has_prefix_nocase(value, SLICE("https://")) ||
			  slice_has_prefix_nocase(value, SLICE("http://"));

	if (value.len > SETTING_TEXT_MAX)
		return &words[TOO_LONG];
	switch (setting) {
	case SETTING_FROM_ADDRESS:
	case SETTING_REPLY_TO: return is_address(value) ? NULL : &words[BAD_ADDRESS];
	case SETTING_SENDER_CONTACT:
		return (has_scheme && is_line(value)) || is_address(value) ? NULL
									   : &words[BAD_CONTACT];
	case SETTING_ZONE: return is_zone(value) ? NULL : &words[BAD_ZONE];
	case SETTING_SENDER_ADDRESS: return NULL;
	default: return is_line(value) ? NULL : &words[TOO_LONG];
	}
}

static struct slice value_of(const struct call *call, enum setting setting)
{
	switch (setting) {
	case SETTING_TRACK_OPENS:
	case SETTING_TRACK_CLICKS:
		return form_has(call->form, setting_name(setting)) ? SLICE("1") : SLICE("0");
	case SETTING_LANGUAGE:
		return slice_equal(form_get(call->form, "language"), SLICE("en")) ? SLICE("en")
										   : SLICE("ja");
	default: return form_text(call->form, setting_name(setting));
	}
}

struct settings_order {
	struct call_order base;
	struct call_author author;
	size_t lengths[SETTINGS]; /* of the values, one behind the other in bytes */
	struct buf bytes;
};

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct settings_order *order =
		container_of(scribe_order, struct settings_order, base.order);
	struct slice rest = buf_slice(&order->bytes);
	enum store_result result = STORE_OK;

	for (u32 i = 0; result == STORE_OK && i < SETTINGS; i++) {
		result = setting_put(txn, (enum setting)i,
				     slice_first(rest, order->lengths[i]));
		rest = slice_from(rest, order->lengths[i]);
	}
	return result == STORE_OK ? call_audit(txn, &order->author, "setting.change", SLICE(""))
				  : result;
}

static void free_order(struct call_order *base)
{
	struct settings_order *order = container_of(base, struct settings_order, base);

	buf_done(&order->bytes);
}

static void on_written(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/settings");
}

void page_settings_save(struct call *call)
{
	struct settings_order *order;
	struct sheet sheet = { .is_wrong = false };

	for (u32 i = 0; i < SETTINGS; i++) {
		sheet.values[i] = value_of(call, (enum setting)i);
		sheet.problems[i] = check((enum setting)i, sheet.values[i]);
		sheet.is_wrong = sheet.is_wrong || sheet.problems[i];
	}
	if (sheet.is_wrong) {
		show(call, &sheet);
		return;
	}
	order = calloc(1, sizeof(*order));
	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	buf_init(&order->bytes, (size_t)SETTINGS * SETTING_TEXT_MAX);
	for (u32 i = 0; i < SETTINGS; i++) {
		order->lengths[i] = sheet.values[i].len;
		buf_add_slice(&order->bytes, sheet.values[i]);
	}
	if (order->bytes.failed) {
		buf_done(&order->bytes);
		free(order);
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	order->base.order.apply = apply;
	order->base.answer = on_written;
	order->base.done = free_order;
	call_author(call, &order->author);
	call_give_order(call, &order->base);
}
