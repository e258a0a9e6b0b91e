/* The editor of a sequence: what starts it, whom it is about, when it may send. */
#include "base/text.h"
#include "campaign/sequence_text.h"
#include "store/audience_attribute.h"
#include "store/audience_list.h"
#include "store/audience_segment.h"
#include "web/page_sequence.h"
#include "web/setting.h"
#include "web/template_preview.h"

#include <stdio.h>
#include <string.h>

#define FROM_MAX 1500

enum word {
	NEW, WHAT, WHOM, WHEN, SAVE, NAME_HINT, BY_LIST, BY_EVENT, BY_DATE, YEARLY, ALL, NO_DATE,
	NOBODY, LIST_HINT, DATE_HINT, EVENT_HINT, FROM_HINT, DAYS_HINT, HOURS_HINT, EXIT_HINT,
	LATE_HINT, TRACK, CANNOT, STAYS,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[NEW] = { { "New sequence", "ステップメールを作成" } },
	[WHAT] = { { "What starts it", "開始のきっかけ" } },
	[WHOM] = { { "Who sends, and who leaves", "差出人と終了条件" } },
	[WHEN] = { { "When it sends", "配信する時間" } },
	[SAVE] = { { "Save", "保存" } },
	[NAME_HINT] = { { "Only you see it.", "社内での管理用です。受信者には表示されません。" } },
	[BY_LIST] = { { "somebody joins a list", "リストへの登録" } },
	[BY_EVENT] = { { "an event that a program tells", "プログラムから通知されるイベント" } },
	[BY_DATE] = { { "around a date of the contact, once", "連絡先の日付を基準に1回" } },
	[YEARLY] = { { "around a date of the contact, every year", "連絡先の日付を基準に毎年" } },
	[ALL] = { { "all active contacts", "すべての有効な連絡先" } },
	[NO_DATE] = { { "no date", "使わない" } },
	[NOBODY] = { { "nobody", "なし" } },
	[LIST_HINT] = { { "Its members alone are reached; who leaves it leaves the sequence.",
			  "このリストの登録者だけに配信します。退会するとステップメールも終了します。" } },
	[DATE_HINT] = { { "For a sequence around a date: a birthday, the end of a contract.",
			  "日付を基準にする場合: 誕生日、契約終了日など。" } },
	[EVENT_HINT] = { { "For an event: a name such as order.paid, which a program sends to "
			   "/api/v1/events.",
			   "イベントの場合: order.paid などの名前。プログラムが /api/v1/events に送ります。" } },
	[FROM_HINT] = { { "Shop <shop@example.jp>", "例: ショップ <shop@example.jp>" } },
	[DAYS_HINT] = { { "mon-fri; empty: every day.", "例: mon-fri。空欄なら毎日です。" } },
	[HOURS_HINT] = { { "09:00-18:00; empty: day and night. What is due outside waits.",
			   "例: 09:00-18:00。空欄なら終日です。時間外の配信は次の時間帯まで待ちます。" } },
	[EXIT_HINT] = { { "Such as: has bought. Asked before each step.",
			  "例: 購入済み。各ステップの前に確認します。" } },
	[LATE_HINT] = { { "Hours; a step that could not be sent for longer is left out. Empty: "
			  "never; around a date: 24.",
			  "時間数。これより遅れたステップは配信しません。空欄なら無制限"
			  "（日付基準では24時間）です。" } },
	[TRACK] = { { "Count opens and clicks", "開封とクリックを計測する" } },
	[CANNOT] = { { "It was not saved: see the field that is marked.",
		       "保存していません。印の付いた項目を確認してください。" } },
	[STAYS] = { { "What starts it stays, since it has begun.",
		      "開始済みのため、きっかけは変更できません。" } },
};

static const struct words labels[SEQUENCE_FIELDS] = {
	[SEQUENCE_FIELD_NAME] = { { "Name", "名前" } },
	[SEQUENCE_FIELD_START] = { { "It starts by", "きっかけ" } },
	[SEQUENCE_FIELD_LIST] = { { "List", "リスト" } },
	[SEQUENCE_FIELD_ATTRIBUTE] = { { "Date", "日付の属性" } },
	[SEQUENCE_FIELD_EVENT] = { { "Event", "イベント名" } },
	[SEQUENCE_FIELD_ZONE] = { { "Time zone", "タイムゾーン" } },
	[SEQUENCE_FIELD_FROM] = { { "From", "差出人" } },
	[SEQUENCE_FIELD_REPLY_TO] = { { "Reply to", "返信先" } },
	[SEQUENCE_FIELD_DAYS] = { { "Days", "曜日" } },
	[SEQUENCE_FIELD_HOURS] = { { "Hours", "時間帯" } },
	[SEQUENCE_FIELD_EXIT] = { { "Who is in this segment leaves", "終了するセグメント" } },
	[SEQUENCE_FIELD_LATE_HOURS] = { { "At most so late", "遅れの上限" } },
};

/* What is wrong in a field, in Japanese; in English the order says it. */
static const char *const problems_ja[SEQUENCE_FIELDS] = {
	[SEQUENCE_FIELD_NAME] = "名前を入力してください。",
	[SEQUENCE_FIELD_START] = "きっかけを選んでください。開始後は変更できません。",
	[SEQUENCE_FIELD_LIST] = "リストを選んでください。開始後は変更できません。",
	[SEQUENCE_FIELD_ATTRIBUTE] = "日付の属性を選んでください。",
	[SEQUENCE_FIELD_EVENT] = "イベント名は英数字と . _ - で入力してください。",
	[SEQUENCE_FIELD_ZONE] = "タイムゾーンが見つかりません。例: Asia/Tokyo",
	[SEQUENCE_FIELD_FROM] = "このアドレスからは送信できません。",
	[SEQUENCE_FIELD_REPLY_TO] = "メールアドレスを確認してください。",
	[SEQUENCE_FIELD_DAYS] = "曜日は mon-fri のように入力してください。",
	[SEQUENCE_FIELD_HOURS] = "時間帯は 09:00-18:00 のように入力してください。",
	[SEQUENCE_FIELD_EXIT] = "セグメントが見つかりません。",
	[SEQUENCE_FIELD_LATE_HOURS] = "時間数を数字で入力してください。",
	[SEQUENCE_FIELD_TRACK] = "確認してください。",
};

struct editor {
	struct page page;
	const struct slice *of; /* by field */
	enum sequence_field wrong; /* SEQUENCE_FIELDS: none */
	struct slice problem;
	bool has_begun;
};

/* ---- fields ---- */

static struct slice problem_of(const struct editor *editor, enum sequence_field field)
{
	if (editor->wrong != field)
		return SLICE("");
	return editor->page.language == LANGUAGE_JAPANESE ? slice_of(problems_ja[field])
							  : editor->problem;
}

static void show_field(struct editor *editor, enum sequence_field field,
		       const struct words *hint)
{
	page_field(&editor->page,
		   &(struct page_field){ .name = sequence_field_name(field),
					 .label = &labels[field],
					 .hint = hint,
					 .value = editor->of[field],
					 .error_text = problem_of(editor, field),
					 .autocomplete = "off",
					 .is_required = field == SEQUENCE_FIELD_NAME ||
							field == SEQUENCE_FIELD_FROM });
}

static void begin_choice(struct editor *editor, enum sequence_field field,
			 const struct words *hint, const struct words *none)
{
	page_select_begin(&editor->page,
			  &(struct page_field){ .name = sequence_field_name(field),
						.label = &labels[field],
						.hint = hint,
						.error_text = problem_of(editor, field) });
	if (none)
		page_option(&editor->page, SLICE(""), none, editor->of[field].len == 0);
}

static void show_starts(struct editor *editor)
{
	static const enum word of[AUDIENCE_SEQUENCE_STARTS] = {
		[AUDIENCE_SEQUENCE_BY_LIST] = BY_LIST,
		[AUDIENCE_SEQUENCE_BY_EVENT] = BY_EVENT,
		[AUDIENCE_SEQUENCE_BY_DATE] = BY_DATE,
		[AUDIENCE_SEQUENCE_YEARLY] = YEARLY,
	};

	begin_choice(editor, SEQUENCE_FIELD_START, NULL, NULL);
	for (u32 i = AUDIENCE_SEQUENCE_BY_LIST; i < AUDIENCE_SEQUENCE_STARTS; i++) {
		struct slice name = slice_of(audience_sequence_start_names[i]);

		page_option(&editor->page, name, &words[of[i]],
			    slice_equal(name, editor->of[SEQUENCE_FIELD_START]));
	}
	page_select_end(&editor->page);
}

static void show_lists(struct editor *editor)
{
	struct audience_list list = { 0 };

	begin_choice(editor, SEQUENCE_FIELD_LIST, &words[LIST_HINT], &words[ALL]);
	while (audience_list_after(editor->page.call->web->reader, list.id, &list) == STORE_OK)
		page_option_text(&editor->page, DIGITS(list.id), list.title,
				 slice_equal(editor->of[SEQUENCE_FIELD_LIST], DIGITS(list.id)));
	page_select_end(&editor->page);
}

static void show_dates(struct editor *editor)
{
	struct attribute attribute = { 0 };

	begin_choice(editor, SEQUENCE_FIELD_ATTRIBUTE, &words[DATE_HINT], &words[NO_DATE]);
	while (attribute_after(editor->page.call->web->reader, attribute.id, &attribute) ==
	       STORE_OK) {
		if (attribute.type == ATTRIBUTE_DATE)
			page_option_text(&editor->page, DIGITS(attribute.id), attribute.name,
					 slice_equal(editor->of[SEQUENCE_FIELD_ATTRIBUTE],
						     DIGITS(attribute.id)));
	}
	page_select_end(&editor->page);
}

static void show_exits(struct editor *editor)
{
	struct audience_segment segment = { 0 };

	begin_choice(editor, SEQUENCE_FIELD_EXIT, &words[EXIT_HINT], &words[NOBODY]);
	while (audience_segment_after(editor->page.call->web->reader, segment.id, &segment) ==
	       STORE_OK)
		page_option_text(&editor->page, DIGITS(segment.id), segment.name,
				 slice_equal(editor->of[SEQUENCE_FIELD_EXIT],
					     DIGITS(segment.id)));
	page_select_end(&editor->page);
}

static void show_fields(struct editor *editor)
{
	struct page *page = &editor->page;

	show_field(editor, SEQUENCE_FIELD_NAME, &words[NAME_HINT]);
	page_group_begin(page, &words[WHAT]);
	if (editor->has_begun)
		page_paragraph(page, &words[STAYS]);
	show_starts(editor);
	show_lists(editor);
	show_dates(editor);
	show_field(editor, SEQUENCE_FIELD_EVENT, &words[EVENT_HINT]);
	page_group_end(page);
	page_group_begin(page, &words[WHOM]);
	show_field(editor, SEQUENCE_FIELD_FROM, &words[FROM_HINT]);
	show_field(editor, SEQUENCE_FIELD_REPLY_TO, NULL);
	show_exits(editor);
	page_check(page, "track", &words[TRACK],
		   !slice_equal(editor->of[SEQUENCE_FIELD_TRACK], SLICE("no")));
	page_group_end(page);
	page_group_begin(page, &words[WHEN]);
	page_zone(page, &(struct page_field){ .name = sequence_field_name(SEQUENCE_FIELD_ZONE),
					      .label = &labels[SEQUENCE_FIELD_ZONE],
					      .value = editor->of[SEQUENCE_FIELD_ZONE],
					      .error_text = problem_of(editor,
								       SEQUENCE_FIELD_ZONE) });
	show_field(editor, SEQUENCE_FIELD_DAYS, &words[DAYS_HINT]);
	show_field(editor, SEQUENCE_FIELD_HOURS, &words[HOURS_HINT]);
	show_field(editor, SEQUENCE_FIELD_LATE_HOURS, &words[LATE_HINT]);
	page_group_end(page);
}

/* Within a transaction. `id` 0: a new one. */
static void show(struct editor *editor, struct call *call, u32 id)
{
	const struct page_head head = { .place = PLACE_SEQUENCES,
					.title = id > 0 ? &page_sequence_title : &words[NEW],
					.named = id > 0 ? editor->of[SEQUENCE_FIELD_NAME]
							: SLICE(""),
					.crumbs = { { "/admin/sequences",
						      &page_sequence_title } } };

	page_begin(&editor->page, call, &head);
	if (editor->wrong < SEQUENCE_FIELDS)
		page_message(&editor->page, TONE_BAD, &words[CANNOT]);
	if (id > 0)
		PAGE_FORM(&editor->page, "/admin/sequences/{}", DIGITS(id));
	else
		PAGE_FORM(&editor->page, "/admin/sequences");
	show_fields(editor);
	page_submit(&editor->page, TONE_GOOD, &words[SAVE]);
	page_form_end(&editor->page);
	page_end(&editor->page, editor->wrong < SEQUENCE_FIELDS ? 422 : 200);
}

/* ---- showing ---- */

void page_sequence_new(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct slice of[SEQUENCE_FIELDS] = { 0 };
	struct editor editor = { .of = of, .wrong = SEQUENCE_FIELDS };
	struct time_zone zone;
	struct buf from;

	if (audience_begin_read(txn) != STORE_OK) {
		audience_abort(txn);
		call_refuse(call, 503, NULL, "contacts cannot be read");
		return;
	}
	buf_init(&from, FROM_MAX);
	template_from(txn, &from);
	of[SEQUENCE_FIELD_START] = SLICE("list");
	of[SEQUENCE_FIELD_FROM] = buf_slice(&from);
	of[SEQUENCE_FIELD_REPLY_TO] = setting_get(txn, SETTING_REPLY_TO);
	setting_zone(txn, &zone);
	of[SEQUENCE_FIELD_ZONE] = slice_of(zone.name);
	show(&editor, call, 0);
	audience_abort(txn);
	buf_done(&from);
}

void page_sequence_edit(struct call *call)
{
	struct slice of[SEQUENCE_FIELDS] = { 0 };
	struct editor editor = { .of = of, .wrong = SEQUENCE_FIELDS };
	struct page_digits digits[4];
	struct audience_sequence s;

	if (sequence_find(call, &s)) {
		of[SEQUENCE_FIELD_NAME] = s.of[SEQUENCE_NAME];
		of[SEQUENCE_FIELD_START] = slice_of(audience_sequence_start_names[s.start]);
		of[SEQUENCE_FIELD_LIST] = page_digits(&digits[0], s.list);
		of[SEQUENCE_FIELD_ATTRIBUTE] = page_digits(&digits[1], s.attribute);
		of[SEQUENCE_FIELD_EXIT] = page_digits(&digits[2], s.exit_segment);
		of[SEQUENCE_FIELD_LATE_HOURS] =
			s.late_hours > 0 ? page_digits(&digits[3], s.late_hours) : SLICE("");
		of[SEQUENCE_FIELD_EVENT] = s.of[SEQUENCE_EVENT];
		of[SEQUENCE_FIELD_ZONE] = s.of[SEQUENCE_ZONE];
		of[SEQUENCE_FIELD_FROM] = s.of[SEQUENCE_FROM];
		of[SEQUENCE_FIELD_REPLY_TO] = s.of[SEQUENCE_REPLY_TO];
		of[SEQUENCE_FIELD_DAYS] = s.of[SEQUENCE_DAYS];
		of[SEQUENCE_FIELD_HOURS] = s.of[SEQUENCE_HOURS];
		of[SEQUENCE_FIELD_TRACK] = s.tracks ? SLICE("yes") : SLICE("no");
		editor.has_begun = s.state != AUDIENCE_SEQUENCE_DRAFT;
		show(&editor, call, s.id);
	}
	audience_abort(call->web->reader);
}

/* ---- saving ---- */

static void show_again(struct call *call, const struct sequence_order *order)
{
	struct editor editor = { .of = order->texts.of,
				 .wrong = SEQUENCE_FIELD_NAME,
				 .problem = slice_of(order->error.text),
				 .has_begun = order->state > AUDIENCE_SEQUENCE_DRAFT };

	if (!sequence_field_find(slice_of(order->pointer + 1), &editor.wrong))
		editor.wrong = SEQUENCE_FIELD_NAME;
	if (audience_begin_read(call->web->reader) == STORE_OK)
		show(&editor, call, order->kind == SEQUENCE_CREATE ? 0 : order->id);
	else
		call_refuse(call, 503, NULL, "contacts cannot be read");
	audience_abort(call->web->reader);
}

static void on_saved(struct call *call, struct call_order *base)
{
	struct sequence_order *order = container_of(base, struct sequence_order, base);

	if (!call_order_is_well(call, base))
		return;
	if (order->outcome == SEQUENCE_IS_WRONG)
		show_again(call, order);
	else
		page_sequence_answer(call, base);
}

static void save(struct call *call, u32 id)
{
	struct sequence_order *order =
		sequence_order_new(call, id > 0 ? SEQUENCE_CHANGE : SEQUENCE_CREATE);

	if (!order)
		return;
	order->id = id;
	for (u32 i = 0; i < SEQUENCE_FIELDS; i++) {
		struct slice value = form_text(call->form, sequence_field_name(i));

		order->texts.of[i] = arena_copy(&order->arena, value.ptr ? value : SLICE(""));
		order->texts.given |= 1u << i;
	}
	order->texts.of[SEQUENCE_FIELD_TRACK] = form_has(call->form, "track") ? SLICE("yes")
									      : SLICE("no");
	if (sequence_order_customer(order, call)) {
		sequence_order_give(order, call, on_saved);
		return;
	}
	show_again(call, order);
	sequence_order_free(order);
}

void page_sequences_add(struct call *call)
{
	save(call, 0);
}

void page_sequence_save(struct call *call)
{
	u32 id = 0;

	if (slice_to_u32(slice_of(call->argument), &id) && id > 0)
		save(call, id);
	else
		call_problem_page(call, 404, NULL);
}
