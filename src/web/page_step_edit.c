/* The editor of a step: when it goes, to whom, and what it says. */
#include "base/text.h"
#include "campaign/sequence_text.h"
#include "store/audience_segment.h"
#include "store/audience_template.h"
#include "web/page_sequence.h"

#include <stdio.h>

#define TEXT_ROWS 12

enum word {
	NEW, WHEN, WHAT, SAVE, DAYS_MOMENT, DAYS_DATE, HOURS_HINT, AT_HINT, WEEKDAYS_HINT,
	SEGMENT_HINT, EVERYBODY, OWN_TEXT, PREHEADER_HINT, TEXT_HINT, CANNOT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[NEW] = { { "Add a step", "ステップを追加" } },
	[WHEN] = { { "When it goes", "配信の時期" } },
	[WHAT] = { { "What is sent", "内容" } },
	[SAVE] = { { "Save", "保存" } },
	[DAYS_MOMENT] = { { "After the step before; 0: the same day.",
			    "前のステップからの日数。0なら同じ日です。" } },
	[DAYS_DATE] = { { "From the date: 0 is the day itself, -7 a week before, 3 three days "
			  "after.",
			  "基準日からの日数。0は当日、-7は1週間前、3は3日後です。" } },
	[HOURS_HINT] = { { "More hours to wait; around a date none.",
			   "さらに待つ時間。日付基準では使いません。" } },
	[AT_HINT] = { { "09:00, by the sequence's clock; empty: at any time.",
			"例: 09:00（ステップメールのタイムゾーン）。空欄なら時刻を指定しません。" } },
	[WEEKDAYS_HINT] = { { "mon-fri: it waits for such a day; empty: any day.",
			      "例: mon-fri。該当する曜日まで待ちます。空欄なら毎日です。" } },
	[SEGMENT_HINT] = { { "Who is not in it then goes on to the next step without this one.",
			     "該当しない連絡先には配信せず、次のステップに進みます。" } },
	[EVERYBODY] = { { "everybody", "全員" } },
	[OWN_TEXT] = { { "the text below", "下の本文を使う" } },
	[PREHEADER_HINT] = { { "What inboxes show behind the subject.",
			       "受信トレイで件名の後に表示される文です。" } },
	[TEXT_HINT] = { { "{{name}} is the contact's value; {{unsubscribe_url}}, "
			  "{{preferences_url}} and {{view_url}} are its own pages. Without a text "
			  "one is made of the HTML.",
			  "{{name}} は連絡先の値、{{unsubscribe_url}}・{{preferences_url}}・"
			  "{{view_url}} は受信者ごとのページです。"
			  "テキストがないときは HTML から作成します。" } },
	[CANNOT] = { { "It was not saved: see the field that is marked.",
		       "保存していません。印の付いた項目を確認してください。" } },
};

static const struct words labels[STEP_FIELDS] = {
	[STEP_FIELD_WAIT_DAYS] = { { "Days", "日数" } },
	[STEP_FIELD_WAIT_HOURS] = { { "Hours", "時間" } },
	[STEP_FIELD_AT] = { { "Time of day", "時刻" } },
	[STEP_FIELD_WEEKDAYS] = { { "Days of the week", "曜日" } },
	[STEP_FIELD_SEGMENT] = { { "Only for", "対象のセグメント" } },
	[STEP_FIELD_SUBJECT] = { { "Subject", "件名" } },
	[STEP_FIELD_PREHEADER] = { { "Preheader", "プリヘッダー" } },
	[STEP_FIELD_TEXT] = { { "Text", "テキスト本文" } },
	[STEP_FIELD_HTML] = { { "HTML", "HTML 本文" } },
	[STEP_FIELD_TEMPLATE] = { { "Template", "テンプレート" } },
};

static const char *const problems_ja[STEP_FIELDS] = {
	[STEP_FIELD_WAIT_DAYS] = "日数を確認してください。日付基準では前のステップより後にします。",
	[STEP_FIELD_WAIT_HOURS] = "時間数を数字で入力してください。",
	[STEP_FIELD_AT] = "時刻は 09:00 のように入力してください。",
	[STEP_FIELD_WEEKDAYS] = "曜日は mon-fri のように入力してください。",
	[STEP_FIELD_SEGMENT] = "セグメントが見つかりません。",
	[STEP_FIELD_SUBJECT] = "件名を確認してください。",
	[STEP_FIELD_PREHEADER] = "プリヘッダーを確認してください。",
	[STEP_FIELD_TEXT] = "テキスト本文を確認してください。",
	[STEP_FIELD_HTML] = "HTML 本文を確認してください。",
	[STEP_FIELD_TEMPLATE] = "テンプレートを確認してください。",
};

struct editor {
	struct page page;
	const struct audience_sequence *sequence;
	u32 step; /* 0: a new one */
	const struct slice *of; /* by field */
	enum step_field wrong; /* STEP_FIELDS: none */
	struct slice problem;
};

/* ---- fields ---- */

static struct slice problem_of(const struct editor *editor, enum step_field field)
{
	if (editor->wrong != field)
		return SLICE("");
	return editor->page.language == LANGUAGE_JAPANESE ? slice_of(problems_ja[field])
							  : editor->problem;
}

static void show_field(struct editor *editor, enum step_field field, const struct words *hint,
		       u32 rows)
{
	page_field(&editor->page,
		   &(struct page_field){ .name = step_field_name(field),
					 .label = &labels[field],
					 .hint = hint,
					 .value = editor->of[field],
					 .error_text = problem_of(editor, field),
					 .autocomplete = "off",
					 .rows = rows });
}

static void begin_choice(struct editor *editor, enum step_field field, const struct words *hint,
			 const struct words *none)
{
	page_select_begin(&editor->page,
			  &(struct page_field){ .name = step_field_name(field),
						.label = &labels[field],
						.hint = hint,
						.error_text = problem_of(editor, field) });
	page_option(&editor->page, SLICE(""), none, editor->of[field].len == 0);
}

static void show_segments(struct editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct audience_segment segment = { 0 };

	begin_choice(editor, STEP_FIELD_SEGMENT, &words[SEGMENT_HINT], &words[EVERYBODY]);
	while (audience_segment_after(txn, segment.id, &segment) == STORE_OK)
		page_option_text(&editor->page, DIGITS(segment.id), segment.name,
				 slice_equal(editor->of[STEP_FIELD_SEGMENT], DIGITS(segment.id)));
	page_select_end(&editor->page);
}

static void show_templates(struct editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct audience_template one = { 0 };

	begin_choice(editor, STEP_FIELD_TEMPLATE, NULL, &words[OWN_TEXT]);
	while (audience_template_after(txn, one.id, &one) == STORE_OK) {
		if (one.kind == AUDIENCE_TEMPLATE_MAIL)
			page_option_text(&editor->page, DIGITS(one.id), one.name,
					 slice_equal(editor->of[STEP_FIELD_TEMPLATE],
						     DIGITS(one.id)));
	}
	page_select_end(&editor->page);
}

static void show_fields(struct editor *editor)
{
	struct page *page = &editor->page;
	bool is_by_date = editor->sequence->start >= AUDIENCE_SEQUENCE_BY_DATE;

	page_group_begin(page, &words[WHEN]);
	show_field(editor, STEP_FIELD_WAIT_DAYS, &words[is_by_date ? DAYS_DATE : DAYS_MOMENT], 0);
	if (!is_by_date)
		show_field(editor, STEP_FIELD_WAIT_HOURS, &words[HOURS_HINT], 0);
	show_field(editor, STEP_FIELD_AT, &words[AT_HINT], 0);
	show_field(editor, STEP_FIELD_WEEKDAYS, &words[WEEKDAYS_HINT], 0);
	show_segments(editor);
	page_group_end(page);
	page_group_begin(page, &words[WHAT]);
	show_field(editor, STEP_FIELD_SUBJECT, NULL, 0);
	show_field(editor, STEP_FIELD_PREHEADER, &words[PREHEADER_HINT], 0);
	show_templates(editor);
	show_field(editor, STEP_FIELD_HTML, &words[TEXT_HINT], TEXT_ROWS);
	show_field(editor, STEP_FIELD_TEXT, NULL, TEXT_ROWS);
	page_group_end(page);
}

/* Within a transaction. */
static void show(struct editor *editor, struct call *call)
{
	const struct page_head head = {
		.place = PLACE_SEQUENCES,
		.title = editor->step > 0 ? &page_sequence_title : &words[NEW],
		.named = editor->step > 0 ? editor->of[STEP_FIELD_SUBJECT] : SLICE(""),
		.crumbs = { { "/admin/sequences", &page_sequence_title } },
	};

	page_begin(&editor->page, call, &head);
	if (editor->wrong < STEP_FIELDS)
		page_message(&editor->page, TONE_BAD, &words[CANNOT]);
	PAGE_HTML(&editor->page, "<p>");
	PAGE_LINK_TEXT(&editor->page, editor->sequence->of[SEQUENCE_NAME], "/admin/sequences/{}",
		       DIGITS(editor->sequence->id));
	PAGE_HTML(&editor->page, "</p>");
	if (editor->step > 0)
		PAGE_FORM(&editor->page, "/admin/sequences/{}/steps/{}",
			  DIGITS(editor->sequence->id), DIGITS(editor->step));
	else
		PAGE_FORM(&editor->page, "/admin/sequences/{}/steps",
			  DIGITS(editor->sequence->id));
	show_fields(editor);
	page_submit(&editor->page, TONE_GOOD, &words[SAVE]);
	page_form_end(&editor->page);
	page_end(&editor->page, editor->wrong < STEP_FIELDS ? 422 : 200);
}

/* ---- showing ---- */

void page_step_new(struct call *call)
{
	const struct slice of[STEP_FIELDS] = { [STEP_FIELD_WAIT_DAYS] = SLICE("0") };
	struct editor editor = { .of = of, .wrong = STEP_FIELDS };
	struct audience_sequence s;

	if (sequence_find(call, &s)) {
		editor.sequence = &s;
		show(&editor, call);
	}
	audience_abort(call->web->reader);
}

static const struct sequence_step *find_step(const struct call *call,
					     const struct audience_sequence *s)
{
	u32 id = 0;

	if (!slice_to_u32(slice_of(call->second), &id))
		return NULL;
	for (u32 i = 0; i < s->step_count; i++) {
		if (s->steps[i].id == id)
			return &s->steps[i];
	}
	return NULL;
}

static void show_kept(struct call *call, const struct audience_sequence *s,
		      const struct sequence_step *step)
{
	struct slice of[STEP_FIELDS] = { 0 };
	struct editor editor = { .sequence = s, .step = step->id, .of = of, .wrong = STEP_FIELDS };
	char rooms[2][64];
	struct buf at = { .ptr = rooms[0], .size = sizeof(rooms[0]), .max = sizeof(rooms[0]) };
	struct buf weekdays = { .ptr = rooms[1],
				.size = sizeof(rooms[1]),
				.max = sizeof(rooms[1]) };
	struct audience_campaign campaign;
	struct page_digits digits[2];
	struct draft draft;
	char days[16];

	snprintf(days, sizeof(days), "%d", step->days);
	of[STEP_FIELD_WAIT_DAYS] = slice_of(days);
	of[STEP_FIELD_WAIT_HOURS] = page_digits(&digits[0], step->hours);
	sequence_add_at(step->at_minute, &at);
	of[STEP_FIELD_AT] = buf_slice(&at);
	sequence_add_weekdays(step->weekdays, &weekdays);
	of[STEP_FIELD_WEEKDAYS] = buf_slice(&weekdays);
	if (step->segment > 0)
		of[STEP_FIELD_SEGMENT] = page_digits(&digits[1], step->segment);
	if (!sequence_step_draft(call->web->reader, step->id, &campaign, &draft)) {
		call_problem_page(call, 404, NULL);
		return;
	}
	for (u32 i = 0; i < STEP_FIELDS; i++) {
		enum draft_field field = step_field_draft((enum step_field)i);

		if (field < DRAFT_FIELDS)
			of[i] = draft.of[field];
	}
	show(&editor, call);
}

void page_step_edit(struct call *call)
{
	struct audience_sequence s;
	const struct sequence_step *step = NULL;
	bool is_there = sequence_find(call, &s);

	if (is_there)
		step = find_step(call, &s);
	if (step)
		show_kept(call, &s, step);
	else if (is_there)
		call_problem_page(call, 404, NULL);
	audience_abort(call->web->reader);
}

/* ---- saving ---- */

static void show_again(struct call *call, const struct sequence_order *order)
{
	struct editor editor = { .step = order->kind == SEQUENCE_STEP_ADD ? 0 : order->step,
				 .of = order->step_texts.of,
				 .wrong = STEP_FIELD_WAIT_DAYS,
				 .problem = slice_of(order->error.text) };
	struct audience_sequence s;

	if (!step_field_find(slice_of(order->pointer + 1), &editor.wrong))
		editor.wrong = STEP_FIELD_WAIT_DAYS;
	if (sequence_find(call, &s)) {
		editor.sequence = &s;
		show(&editor, call);
	}
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

static void save(struct call *call, enum sequence_act_kind kind, u32 step)
{
	struct sequence_order *order = sequence_order_new(call, kind);

	if (!order)
		return;
	order->step = step;
	if (!slice_to_u32(slice_of(call->argument), &order->id)) {
		sequence_order_free(order);
		call_problem_page(call, 404, NULL);
		return;
	}
	for (u32 i = 0; i < STEP_FIELDS; i++) {
		struct slice value = i == STEP_FIELD_TEXT || i == STEP_FIELD_HTML
					     ? form_get(call->form, step_field_name(i))
					     : form_text(call->form, step_field_name(i));

		order->step_texts.of[i] = arena_copy(&order->arena, value.ptr ? value : SLICE(""));
		order->step_texts.given |= 1u << i;
		if (!order->step_texts.of[i].ptr) {
			sequence_order_free(order);
			call_refuse(call, 413, NULL, "it is too large");
			return;
		}
	}
	sequence_order_give(order, call, on_saved);
}

void page_steps_add(struct call *call)
{
	save(call, SEQUENCE_STEP_ADD, 0);
}

void page_step_save(struct call *call)
{
	u32 step = 0;

	if (slice_to_u32(slice_of(call->second), &step) && step > 0)
		save(call, SEQUENCE_STEP_CHANGE, step);
	else
		call_problem_page(call, 404, NULL);
}
