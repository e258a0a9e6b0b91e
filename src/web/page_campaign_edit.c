/* The editor of a campaign's draft, and what is wrong with it, at each field. */
#include "base/text.h"
#include "campaign/issue.h"
#include "store/audience_attribute.h"
#include "store/audience_list.h"
#include "store/audience_segment.h"
#include "store/audience_template.h"
#include "web/campaign_rows.h"
#include "web/image_show.h"
#include "web/mailing.h"
#include "web/page.h"
#include "web/page_campaign.h"
#include "web/setting.h"
#include "web/template_preview.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_ROWS 12
#define FROM_MAX 1500

enum word {
	TITLE, NEW, TEXTS, WHOM, HOW, NAME_HINT, FROM_HINT, PREHEADER_HINT, TEXT_HINT, ALL_CONTACTS,
	NO_SEGMENT, NO_ATTRIBUTE, EXCLUDE, AT_HINT, DEADLINE_HINT, OWN_CLOCK_HINT, DAYS_HINT,
	HOURS_HINT, PER_HOUR_HINT, CONDITION_HINT, SUBJECT_B_HINT, COMPARE, OPENS, CLICKS,
	SAVE, SAVED, NOT_YOURS, WRONG_STATE, GONE, CANNOT, NO_TEMPLATE, TEMPLATE_HINT, BEGIN,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Campaigns", "キャンペーン" } },
	[NEW] = { { "New campaign", "キャンペーンを作成" } },
	[TEXTS] = { { "What is sent", "内容" } },
	[WHOM] = { { "Whom it goes to", "宛先" } },
	[HOW] = { { "When and how", "配信日時と方法" } },
	[NAME_HINT] = { { "Only you see it.", "社内での管理用です。受信者には表示されません。" } },
	[FROM_HINT] = { { "Shop <shop@example.jp>", "例: ショップ <shop@example.jp>" } },
	[PREHEADER_HINT] = { { "What inboxes show behind the subject.",
			       "受信トレイで件名の後に表示される文です。" } },
	[TEXT_HINT] = { { "{{name}} is the contact's value; {{unsubscribe_url}}, "
			  "{{preferences_url}} and {{view_url}} are its own pages. Without a text "
			  "one is made of the HTML.",
			  "{{name}} は連絡先の値、{{unsubscribe_url}}・{{preferences_url}}・"
			  "{{view_url}} は受信者ごとのページです。"
			  "テキストがないときは HTML から作成します。" } },
	[ALL_CONTACTS] = { { "all active contacts", "すべての有効な連絡先" } },
	[NO_SEGMENT] = { { "everybody of them", "絞り込まない" } },
	[NO_ATTRIBUTE] = { { "one time for all", "全員同じ時刻" } },
	[EXCLUDE] = { { "Not those of", "除外するセグメント" } },
	[AT_HINT] = { { "By the clock of the time zone below; empty: at once.",
			"下のタイムゾーンの時刻です。空欄ならすぐに配信します。" } },
	[DEADLINE_HINT] = { { "By the same clock: nothing is sent from then on. Empty: none.",
			      "同じタイムゾーンの時刻です。これ以降は送信しません。空欄なら締切なし。" } },
	[OWN_CLOCK_HINT] = { { "An attribute with each contact's time zone: it goes at that time "
			       "of the contact's own clock.",
			       "連絡先のタイムゾーンを持つ属性。それぞれの現地時刻に配信します。" } },
	[DAYS_HINT] = { { "mon-fri,sun; empty: every day.", "例: mon-fri,sun。空欄なら毎日です。" } },
	[HOURS_HINT] = { { "09:00-18:00; empty: day and night.",
			   "例: 09:00-18:00。空欄なら終日です。" } },
	[PER_HOUR_HINT] = { { "Messages an hour; empty: as many as go.",
			      "1時間あたりの通数。空欄なら制限しません。" } },
	[CONDITION_HINT] = { { "As segments are written: opened within 90 days.",
			       "セグメントと同じ書き方です。例: opened within 90 days" } },
	[SUBJECT_B_HINT] = { { "Some get this, some the other; the rest gets the one that more "
			       "people open. Empty: one subject.",
			       "一部の受信者に2つの件名で配信し、反応の良い件名を残りの受信者に使います。"
			       "空欄なら比較しません。" } },
	[COMPARE] = { { "Two subjects", "件名の比較（A/B テスト）" } },
	[OPENS] = { { "opens", "開封" } },
	[CLICKS] = { { "clicks", "クリック" } },
	[NO_TEMPLATE] = { { "without a template", "テンプレートを使わない" } },
	[TEMPLATE_HINT] = { { "Its texts are sent as they are when the campaign is scheduled. "
			      "Without it, write your own below.",
			      "予約した時点のテンプレートの本文を配信します。"
			      "使わない場合は、以下に本文を入力してください。" } },
	[BEGIN] = { { "Begin with this template", "このテンプレートで始める" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[NOT_YOURS] = { { "This is not a domain that may be sent for.",
			  "このドメインからは送信できません。" } },
	[WRONG_STATE] = { { "Only a draft can be changed.", "変更できるのは下書きだけです。" } },
	[GONE] = { { "There is no such campaign.", "キャンペーンが見つかりません。" } },
	[CANNOT] = { { "It cannot be sent as it is: see the field that is marked.",
		       "このままでは配信できません。印の付いた項目を確認してください。" } },
};

static const struct words labels[DRAFT_FIELDS] = {
	[DRAFT_NAME] = { { "Name", "名前" } },
	[DRAFT_FROM] = { { "From", "差出人" } },
	[DRAFT_REPLY_TO] = { { "Reply to", "返信先" } },
	[DRAFT_SUBJECT] = { { "Subject", "件名" } },
	[DRAFT_PREHEADER] = { { "Preheader", "プリヘッダー" } },
	[DRAFT_TEXT] = { { "Text", "テキスト本文" } },
	[DRAFT_HTML] = { { "HTML", "HTML 本文" } },
	[DRAFT_TEMPLATE] = { { "Template", "テンプレート" } },
	[DRAFT_LIST] = { { "List", "リスト" } },
	[DRAFT_SEGMENT] = { { "Segment", "セグメント" } },
	[DRAFT_TRACK] = { { "Count opens and clicks", "開封とクリックを計測する" } },
	[DRAFT_ARCHIVE] = { { "Everybody may read it on the web", "Web で一般公開する" } },
	[DRAFT_AT] = { { "Time", "日時" } },
	[DRAFT_ZONE] = { { "Time zone", "タイムゾーン" } },
	[DRAFT_ZONE_ATTRIBUTE] = { { "By each contact's own clock", "受信者の現地時刻で配信" } },
	[DRAFT_DAYS] = { { "Days", "曜日" } },
	[DRAFT_HOURS] = { { "Hours", "時間帯" } },
	[DRAFT_PER_HOUR] = { { "At most an hour", "1時間あたりの上限" } },
	[DRAFT_DEADLINE] = { { "Deadline", "締切" } },
	[DRAFT_CONDITION] = { { "And this condition", "追加の条件" } },
	[DRAFT_SUBJECT_B] = { { "Another subject, to compare", "比較する件名" } },
	[DRAFT_AB_SHARE] = { { "Tried on so many in a hundred", "比較に使う割合（％）" } },
	[DRAFT_AB_HOURS] = { { "Decided after so many hours", "判定までの時間" } },
	[DRAFT_AB_BY] = { { "Decided by", "判定の基準" } },
	[DRAFT_INLINE] = { { "Images in the mail itself (it becomes larger)",
			     "画像をメールに埋め込む（メールの容量が増えます）" } },
};

/* What the form shows. */
struct editor {
	struct page page;
	const struct draft *draft;
	enum draft_field wrong; /* DRAFT_FIELDS: none */
	struct slice problem;
};

/* ---- fields ---- */

static void show_field(struct editor *editor, enum draft_field field, const struct words *hint,
		       u32 rows)
{
	page_field(&editor->page,
		   &(struct page_field){ .name = draft_field_name(field),
					 .label = &labels[field],
					 .hint = hint,
					 .value = editor->draft->of[field],
					 .error_text = editor->wrong == field ? editor->problem
									      : SLICE(""),
					 .autocomplete = "off",
					 .rows = rows,
					 .is_required = field == DRAFT_NAME ||
							field == DRAFT_FROM ||
							field == DRAFT_SUBJECT });
}

static void show_moment(struct editor *editor, enum draft_field field, const struct words *hint)
{
	page_moment(&editor->page,
		    &(struct page_field){ .name = draft_field_name(field),
					  .label = &labels[field],
					  .hint = hint,
					  .value = editor->draft->of[field],
					  .error_text = editor->wrong == field ? editor->problem
									       : SLICE("") });
}

static void begin_choice(struct editor *editor, enum draft_field field, const struct words *hint,
			 const struct words *none)
{
	page_select_begin(&editor->page,
			  &(struct page_field){ .name = draft_field_name(field),
						.label = &labels[field],
						.hint = hint,
						.error_text = editor->wrong == field
								      ? editor->problem
								      : SLICE("") });
	page_option(&editor->page, SLICE(""), none, editor->draft->of[field].len == 0);
}

static void show_lists(struct editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct audience_list list = { 0 };

	begin_choice(editor, DRAFT_LIST, NULL, &words[ALL_CONTACTS]);
	while (audience_list_after(txn, list.id, &list) == STORE_OK)
		page_option_text(&editor->page, DIGITS(list.id), list.title,
				 slice_equal(editor->draft->of[DRAFT_LIST], DIGITS(list.id)));
	page_select_end(&editor->page);
}

static bool is_among(struct slice numbers, struct slice number)
{
	while (numbers.len > 0) {
		if (slice_equal(slice_trim(slice_split(&numbers, ',')), number))
			return true;
	}
	return false;
}

static void show_segments(struct editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct audience_segment segment = { 0 };

	begin_choice(editor, DRAFT_SEGMENT, NULL, &words[NO_SEGMENT]);
	while (audience_segment_after(txn, segment.id, &segment) == STORE_OK)
		page_option_text(&editor->page, DIGITS(segment.id), segment.name,
				 slice_equal(editor->draft->of[DRAFT_SEGMENT],
					     DIGITS(segment.id)));
	page_select_end(&editor->page);
	segment.id = 0;
	page_group_begin(&editor->page, &words[EXCLUDE]);
	while (audience_segment_after(txn, segment.id, &segment) == STORE_OK)
		page_check_text(&editor->page, "exclude", DIGITS(segment.id), segment.name,
				is_among(editor->draft->of[DRAFT_EXCLUDE], DIGITS(segment.id)));
	page_group_end(&editor->page);
}

static void show_attributes(struct editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct attribute attribute = { 0 };

	begin_choice(editor, DRAFT_ZONE_ATTRIBUTE, &words[OWN_CLOCK_HINT], &words[NO_ATTRIBUTE]);
	while (attribute_after(txn, attribute.id, &attribute) == STORE_OK)
		page_option_text(&editor->page, attribute.name, attribute.name,
				 slice_equal_nocase(editor->draft->of[DRAFT_ZONE_ATTRIBUTE],
						    attribute.name));
	page_select_end(&editor->page);
}

/* What was saved without one goes by UTC. */
static void show_zone(struct editor *editor)
{
	struct slice zone = editor->draft->of[DRAFT_ZONE];

	page_zone(&editor->page,
		  &(struct page_field){ .name = draft_field_name(DRAFT_ZONE),
					.label = &labels[DRAFT_ZONE],
					.value = zone.len > 0 ? zone : SLICE("UTC"),
					.error_text = editor->wrong == DRAFT_ZONE ? editor->problem
										  : SLICE("") });
}

/* A draft that names a template in place of texts of its own. */
static void show_template(struct editor *editor)
{
	struct slice number = editor->draft->of[DRAFT_TEMPLATE];
	struct audience_template one;
	u32 id;

	begin_choice(editor, DRAFT_TEMPLATE, &words[TEMPLATE_HINT], &words[NO_TEMPLATE]);
	if (slice_to_u32(number, &id) &&
	    audience_template_get(editor->page.call->web->reader, id, &one) == STORE_OK)
		page_option_text(&editor->page, number, one.name, true);
	page_select_end(&editor->page);
}

/* What a new one may begin with. */
static void show_templates(struct editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct slice chosen = call_query(editor->page.call, "template");
	struct page *page = &editor->page;
	struct audience_template one = { 0 };
	u32 count = 0;

	while (audience_template_after(txn, one.id, &one) == STORE_OK) {
		if (one.kind != AUDIENCE_TEMPLATE_MAIL)
			continue;
		if (count++ == 0) {
			PAGE_SEARCH(page, "/admin/campaigns/new");
			begin_choice(editor, DRAFT_TEMPLATE, NULL, &words[NO_TEMPLATE]);
		}
		page_option_text(page, DIGITS(one.id), one.name,
				 slice_equal(chosen, DIGITS(one.id)));
	}
	if (count == 0)
		return;
	page_select_end(page);
	page_submit(page, TONE_NEUTRAL, &words[BEGIN]);
	page_form_end(page);
}

static void show_fields(struct editor *editor)
{
	struct page *page = &editor->page;
	const struct slice *of = editor->draft->of;

	page_group_begin(page, &words[TEXTS]);
	show_field(editor, DRAFT_NAME, &words[NAME_HINT], 0);
	show_field(editor, DRAFT_FROM, &words[FROM_HINT], 0);
	show_field(editor, DRAFT_REPLY_TO, NULL, 0);
	show_field(editor, DRAFT_SUBJECT, NULL, 0);
	show_field(editor, DRAFT_PREHEADER, &words[PREHEADER_HINT], 0);
	if (of[DRAFT_TEMPLATE].len > 0)
		show_template(editor);
	show_field(editor, DRAFT_HTML, &words[TEXT_HINT], TEXT_ROWS);
	image_show_choice(page, draft_field_name(DRAFT_HTML));
	show_field(editor, DRAFT_TEXT, NULL, TEXT_ROWS);
	page_check(page, "track", &labels[DRAFT_TRACK],
		   !slice_equal(of[DRAFT_TRACK], SLICE("no")));
	page_check(page, "archive", &labels[DRAFT_ARCHIVE],
		   slice_equal(of[DRAFT_ARCHIVE], SLICE("yes")));
	page_check(page, "inline", &labels[DRAFT_INLINE],
		   slice_equal(of[DRAFT_INLINE], SLICE("yes")));
	page_group_end(page);
	page_group_begin(page, &words[WHOM]);
	show_lists(editor);
	show_segments(editor);
	show_field(editor, DRAFT_CONDITION, &words[CONDITION_HINT], 2);
	page_group_end(page);
	page_group_begin(page, &words[COMPARE]);
	show_field(editor, DRAFT_SUBJECT_B, &words[SUBJECT_B_HINT], 0);
	show_field(editor, DRAFT_AB_SHARE, NULL, 0);
	show_field(editor, DRAFT_AB_HOURS, NULL, 0);
	begin_choice(editor, DRAFT_AB_BY, NULL, &words[OPENS]);
	page_option(page, SLICE("clicks"), &words[CLICKS],
		    slice_equal(of[DRAFT_AB_BY], SLICE("clicks")));
	page_select_end(page);
	page_group_end(page);
	page_group_begin(page, &words[HOW]);
	show_moment(editor, DRAFT_AT, &words[AT_HINT]);
	show_zone(editor);
	show_attributes(editor);
	show_field(editor, DRAFT_DAYS, &words[DAYS_HINT], 0);
	show_field(editor, DRAFT_HOURS, &words[HOURS_HINT], 0);
	show_field(editor, DRAFT_PER_HOUR, &words[PER_HOUR_HINT], 0);
	show_moment(editor, DRAFT_DEADLINE, &words[DEADLINE_HINT]);
	page_group_end(page);
}

/* Within a transaction. `id` 0: a new one. */
static void show(struct call *call, u32 id, const struct draft *draft, enum draft_field wrong,
		 struct slice problem)
{
	const struct page_head head = { .place = PLACE_CAMPAIGNS,
					.title = &words[id > 0 ? TITLE : NEW],
					.named = id > 0 ? draft->of[DRAFT_NAME] : SLICE(""),
					.crumbs = { { "/admin/campaigns", &words[TITLE] } } };
	struct editor editor = { .draft = draft, .wrong = wrong, .problem = problem };

	page_begin(&editor.page, call, &head);
	if (wrong < DRAFT_FIELDS)
		page_message(&editor.page, TONE_BAD, &words[CANNOT]);
	if (id == 0 && wrong == DRAFT_FIELDS)
		show_templates(&editor);
	if (id > 0)
		PAGE_FORM(&editor.page, "/admin/campaigns/{}", DIGITS(id));
	else
		PAGE_FORM(&editor.page, "/admin/campaigns");
	show_fields(&editor);
	page_submit(&editor.page, TONE_GOOD, &words[SAVE]);
	page_form_end(&editor.page);
	page_end(&editor.page, wrong < DRAFT_FIELDS ? 422 : 200);
}

/* ---- showing ---- */

/* The texts of a template to begin with; without one of that number nothing. */
static void begin_with(struct audience_txn *txn, struct slice number, struct draft *draft)
{
	struct audience_template_version version;
	struct audience_template one;
	u32 id;

	if (!slice_to_u32(number, &id) || audience_template_get(txn, id, &one) != STORE_OK ||
	    one.kind != AUDIENCE_TEMPLATE_MAIL ||
	    audience_template_version(txn, id, one.version, &version) != STORE_OK)
		return;
	draft->of[DRAFT_NAME] = one.name;
	draft->of[DRAFT_SUBJECT] = version.of[AUDIENCE_TEMPLATE_SUBJECT];
	draft->of[DRAFT_PREHEADER] = version.of[AUDIENCE_TEMPLATE_PREHEADER];
	draft->of[DRAFT_HTML] = version.of[AUDIENCE_TEMPLATE_HTML];
	draft->of[DRAFT_TEXT] = version.of[AUDIENCE_TEMPLATE_TEXT];
}

void page_campaign_new(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct draft draft = { 0 };
	struct buf from;

	if (audience_begin_read(txn) != STORE_OK) {
		audience_abort(txn);
		call_refuse(call, 503, NULL, "contacts cannot be read");
		return;
	}
	buf_init(&from, FROM_MAX);
	template_from(txn, &from);
	draft.of[DRAFT_FROM] = buf_slice(&from);
	draft.of[DRAFT_REPLY_TO] = setting_get(txn, SETTING_REPLY_TO);
	begin_with(txn, call_query(call, "template"), &draft);
	draft.of[DRAFT_ZONE] = slice_of(call->zone.name);
	show(call, 0, &draft, DRAFT_FIELDS, SLICE(""));
	audience_abort(txn);
	buf_done(&from);
}

/* What would be refused when it is to be sent. */
static bool check(struct call *call, const struct audience_campaign *campaign,
		  enum draft_field *field, struct error *error)
{
	struct campaign_rows *rows = calloc(1, sizeof(*rows));
	bool ok;

	*field = DRAFT_NAME;
	if (!rows)
		return error_set(error, "no memory");
	ok = campaign_rows_open(rows, call->web->reader, campaign, &call->web->config->web,
				call->web->links, CAMPAIGN_ROWS_SENT, field, error);
	campaign_rows_close(rows);
	free(rows);
	return ok;
}

void page_campaign_edit(struct call *call)
{
	struct audience_campaign campaign;
	enum draft_field field = DRAFT_FIELDS;
	struct draft draft;
	struct error error = { "" };

	if (mailing_find(call, &campaign)) {
		if (!draft_unpack(campaign.draft, &draft)) {
			call_problem_page(call, 404, &words[GONE]);
		} else {
			if (call_query(call, "check").len > 0 &&
			    check(call, &campaign, &field, &error))
				field = DRAFT_FIELDS;
			show(call, campaign.id, &draft, field, slice_of(error.text));
		}
	}
	audience_abort(call->web->reader);
}

/* ---- saving ---- */

static bool take_excluded(struct mailing_order *order, const struct form *form)
{
	struct slice value;
	struct buf all;
	u32 at = 0;

	buf_init(&all, 1024);
	while ((value = form_next(form, "exclude", &at)).ptr) {
		if (all.len > 0)
			buf_add_char(&all, ',');
		buf_add_slice(&all, slice_trim(value));
	}
	order->draft.of[DRAFT_EXCLUDE] = arena_copy_buf(&order->arena, &all);
	buf_done(&all);
	return order->draft.of[DRAFT_EXCLUDE].ptr != NULL;
}

static bool take_form(struct mailing_order *order, const struct form *form)
{
	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		const char *name = draft_field_name(i);
		char moment[FORM_MOMENT_SIZE];
		struct slice value;

		if (i == DRAFT_TEXT || i == DRAFT_HTML)
			value = form_get(form, name);
		else if (i == DRAFT_AT || i == DRAFT_DEADLINE)
			value = form_moment(form, name, moment);
		else
			value = form_text(form, name);
		/* There when the draft names one. */
		if (i == DRAFT_TEMPLATE && !form_has(form, "template"))
			continue;
		order->given |= 1u << i;
		order->draft.of[i] = arena_copy(&order->arena, value.ptr ? value : SLICE(""));
		if (!order->draft.of[i].ptr)
			return false;
	}
	order->draft.of[DRAFT_TRACK] = form_has(form, "track") ? SLICE("yes") : SLICE("no");
	order->draft.of[DRAFT_ARCHIVE] = form_has(form, "archive") ? SLICE("yes") : SLICE("no");
	order->draft.of[DRAFT_INLINE] = form_has(form, "inline") ? SLICE("yes") : SLICE("no");
	return take_excluded(order, form);
}

/* Each field by itself: a draft need not be whole. */
static bool check_form(struct call *call, struct mailing_order *order, enum draft_field *field,
		       struct error *error)
{
	bool japanese = call_language(call) == LANGUAGE_JAPANESE;
	struct address address;

	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		enum draft_problem problem = draft_check_field((enum draft_field)i,
							       order->draft.of[i]);

		*field = (enum draft_field)i;
		if (problem != DRAFT_GOOD)
			return error_set(error, "%s", draft_problem_words(problem, japanese));
	}
	*field = DRAFT_NAME;
	if (order->draft.of[DRAFT_NAME].len == 0)
		return error_set(error, "%s", draft_problem_words(DRAFT_MISSING, japanese));
	*field = DRAFT_FROM;
	if (!issue_from(order->draft.of[DRAFT_FROM], &address, error))
		return false;
	if (!config_customer_of(call->web->config, slice_of(address.domain)))
		return error_set(error, "%s", words[NOT_YOURS].text[japanese]);
	slice_copy(order->customer, sizeof(order->customer), slice_of(address.domain));
	*field = DRAFT_FIELDS;
	return true;
}

static void on_saved(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);
	struct page_digits digits;
	bool is_new = order->change.id == 0;
	struct slice id = page_digits(&digits, is_new ? order->shown.id : order->change.id);

	if (!call_order_is_well(call, base))
		return;
	if (!is_new && !order->change.is_there)
		call_problem_page(call, 404, &words[GONE]);
	else if (!is_new && !order->change.is_done)
		CALL_REDIRECT(call, TONE_BAD, &words[WRONG_STATE], "/admin/campaigns/{}", id);
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/campaigns/{}", id);
}

static void save(struct call *call, u32 id)
{
	struct mailing_order *order = mailing_order_new(call, id > 0 ? "mailing.change"
								      : "mailing.create");
	struct error error = { "" };
	enum draft_field field = DRAFT_FIELDS;

	if (!order)
		return;
	order->change.id = id;
	order->change.from = 1u << AUDIENCE_CAMPAIGN_DRAFT;
	order->change.edit = mailing_edit_texts;
	order->base.order.apply = id > 0 ? mailing_apply_change : mailing_apply_create;
	order->base.answer = on_saved;
	if (take_form(order, call->form) && check_form(call, order, &field, &error)) {
		call_give_order(call, &order->base);
		return;
	}
	if (!error.text[0])
		call_refuse(call, 413, NULL, "it is too large");
	else if (audience_begin_read(call->web->reader) == STORE_OK)
		show(call, id, &order->draft, field, slice_of(error.text));
	else
		call_refuse(call, 503, NULL, "contacts cannot be read");
	audience_abort(call->web->reader);
	mailing_order_free(order);
}

void page_campaigns_add(struct call *call)
{
	save(call, 0);
}

void page_campaign_save(struct call *call)
{
	u32 id = mailing_id(call);

	if (id > 0)
		save(call, id);
}
