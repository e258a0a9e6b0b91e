/* What counts for the whole service: who sends, defaults, time zone. */
#include "base/text.h"
#include "web/page.h"
#include "web/setting_order.h"

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
	DATA,
	PENDING_DAYS,
	PENDING_HINT,
	SAVE,
	SAVED,
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
	[ZONE] = { { "Time zone", "タイムゾーン" } },
	[ZONE_HINT] = { { "Pages show its clock, and its days count in segments and reports. New"
			  " campaigns begin with it.",
			  "画面の日時、セグメントやレポートの日付に使います。新しいキャンペーンの初期値にもなります。" } },
	[LANGUAGE] = { { "Language of pages for contacts", "連絡先向けページの言語" } },
	[ENGLISH] = { { "English", "English" } },
	[JAPANESE] = { { "日本語", "日本語" } },
	[TRACKING] = { { "Measuring", "計測" } },
	[OPENS] = { { "Count opens", "開封を計測する" } },
	[CLICKS] = { { "Count clicks", "クリックを計測する" } },
	[DATA] = { { "Personal data", "個人データ" } },
	[PENDING_DAYS] = { { "Days that a confirmation is waited for", "登録確認を待つ日数" } },
	[PENDING_HINT] = { { "Who has not confirmed by then is erased; 0: nobody is.",
			     "期間内に確認されなかった連絡先は削除されます。0なら削除しません。" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "The settings are saved.", "設定を保存しました。" } },
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
	page_zone(&page, &(struct page_field){ .name = setting_name(SETTING_ZONE),
					       .label = &words[ZONE],
					       .hint = &words[ZONE_HINT],
					       .error = sheet->problems[SETTING_ZONE],
					       .value = values[SETTING_ZONE] });
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
	page_card_begin(&page, &words[DATA]);
	text_field(&page, sheet, SETTING_PENDING_DAYS, &words[PENDING_DAYS], &words[PENDING_HINT]);
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
	sheet.values[SETTING_ZONE] = slice_of(call->zone.name);
	show(call, &sheet);
	audience_abort(txn);
}

/* ---- saving ---- */

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

static void on_written(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/settings");
}

void page_settings_save(struct call *call)
{
	struct setting_order *order;
	struct sheet sheet = { .is_wrong = false };

	for (u32 i = 0; i < SETTINGS; i++) {
		sheet.values[i] = value_of(call, (enum setting)i);
		sheet.problems[i] = setting_check((enum setting)i, sheet.values[i]);
		sheet.is_wrong = sheet.is_wrong || sheet.problems[i];
	}
	if (sheet.is_wrong) {
		show(call, &sheet);
		return;
	}
	order = setting_order_open(call, on_written);
	if (!order)
		return;
	for (u32 i = 0; i < SETTINGS; i++)
		setting_order_add(order, (enum setting)i, sheet.values[i]);
	setting_order_give(order, call);
}
