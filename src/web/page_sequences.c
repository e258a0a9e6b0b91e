/* /admin/sequences: step mail, all of it and one; what is sent when, and what became of it. */
#include "base/text.h"
#include "campaign/sequence_text.h"
#include "store/audience_attribute.h"
#include "store/audience_campaign_count.h"
#include "store/audience_hold.h"
#include "store/audience_list.h"
#include "store/audience_segment.h"
#include "web/page_campaign.h"
#include "web/page_sequence.h"

#include <string.h>

enum word {
	NEW, NONE, START, GOES_ON, PAUSE, ARCHIVE, DELETE, EDIT, ADD_STEP, STEPS, NO_STEPS,
	CONTACTS, STATE, REASON, STARTED_BY, LIST, ALL, FROM, ZONE, HOURS, EXIT, BY_LIST,
	BY_EVENT, BY_DATE, YEARLY, PREVIEW, REPORT, EARLIER, LATER, REMOVE, MOVE, AT_ONCE,
	DAY_LATER, HOUR_LATER, DAY_BEFORE, DAY_AFTER, DAYS_LATER, HOURS_LATER, DAYS_BEFORE,
	ON_THE_DAY, DAYS_AFTER, AT, ON_DAYS, ONLY, HINT, HELD, TO_HOLD,
	WORD_COUNT,
};

const struct words page_sequence_title = { { "Step mail", "ステップメール" } };

static const struct words words[WORD_COUNT] = {
	[NEW] = { { "New sequence", "ステップメールを作成" } },
	[NONE] = { { "No step mail yet. A sequence sends message after message to each contact by "
		     "itself: after a sign-up, after an event, or around a date.",
		     "ステップメールはまだありません。登録後・出来事の後・誕生日などを起点に、"
		     "連絡先ごとに順番に自動で配信します。" } },
	[START] = { { "Start", "開始" } },
	[GOES_ON] = { { "Go on", "再開" } },
	[PAUSE] = { { "Pause", "一時停止" } },
	[ARCHIVE] = { { "End for good", "終了" } },
	[DELETE] = { { "Delete", "削除" } },
	[EDIT] = { { "Edit", "編集" } },
	[ADD_STEP] = { { "Add a step", "ステップを追加" } },
	[STEPS] = { { "Steps", "ステップ" } },
	[NO_STEPS] = { { "It has no steps yet.", "ステップはまだありません。" } },
	[CONTACTS] = { { "Who is where", "連絡先の状況" } },
	[STATE] = { { "State", "状態" } },
	[REASON] = { { "Paused, because", "停止の理由" } },
	[STARTED_BY] = { { "Starts", "開始のきっかけ" } },
	[LIST] = { { "List", "リスト" } },
	[ALL] = { { "all active contacts", "すべての有効な連絡先" } },
	[FROM] = { { "From", "差出人" } },
	[ZONE] = { { "Time zone", "タイムゾーン" } },
	[HOURS] = { { "Hours of sending", "配信する時間帯" } },
	[EXIT] = { { "Who is in this segment leaves", "このセグメントに入ったら終了" } },
	[BY_LIST] = { { "when somebody joins {1}", "「{1}」に登録したとき" } },
	[BY_EVENT] = { { "by the event {1}", "イベント「{1}」が起きたとき" } },
	[BY_DATE] = { { "around {1}, once", "「{1}」の日を基準に（1回）" } },
	[YEARLY] = { { "around {1}, every year", "「{1}」の日を基準に（毎年）" } },
	[PREVIEW] = { { "Preview and test", "プレビューとテスト" } },
	[REPORT] = { { "Report", "レポート" } },
	[EARLIER] = { { "Move up", "上へ" } },
	[LATER] = { { "Move down", "下へ" } },
	[REMOVE] = { { "Delete the step", "ステップを削除" } },
	[MOVE] = { { "Change the order", "並べ替え" } },
	[AT_ONCE] = { { "at once", "すぐに" } },
	[DAY_LATER] = { { "1 day later", "1日後" } },
	[HOUR_LATER] = { { "1 hour later", "1時間後" } },
	[DAY_BEFORE] = { { "the day before", "前日" } },
	[DAY_AFTER] = { { "the day after", "翌日" } },
	[DAYS_LATER] = { { "{1} days later", "{1}日後" } },
	[HOURS_LATER] = { { "{1} hours later", "{1}時間後" } },
	[DAYS_BEFORE] = { { "{1} days before", "{1}日前" } },
	[ON_THE_DAY] = { { "on the day", "当日" } },
	[DAYS_AFTER] = { { "{1} days after", "{1}日後" } },
	[AT] = { { "at {1}", "{1}に" } },
	[ON_DAYS] = { { "on {1}", "曜日: {1}" } },
	[ONLY] = { { "only: {1}", "条件: {1}" } },
	[HELD] = { { "A backup was brought back: nothing is sent by itself before somebody "
		     "says so.",
		     "バックアップから復元されたため、自動の配信を止めています。" } },
	[TO_HOLD] = { { "Let it go on, at the campaigns", "キャンペーンのページで再開する" } },
	[HINT] = { { "A step that is added later is for everybody who waits, and for nobody who is "
		     "through. A step that is moved or edited is not sent again.",
		     "後から追加したステップは待機中の連絡先に配信され、完了した連絡先には配信されません。"
		     "移動・編集したステップが再度配信されることはありません。" } },
};

static const struct words states[AUDIENCE_SEQUENCE_STATES] = {
	[0] = { { "unknown", "不明" } },
	[AUDIENCE_SEQUENCE_DRAFT] = { { "draft", "下書き" } },
	[AUDIENCE_SEQUENCE_RUNNING] = { { "running", "実行中" } },
	[AUDIENCE_SEQUENCE_PAUSED] = { { "paused", "一時停止" } },
	[AUDIENCE_SEQUENCE_ARCHIVED] = { { "ended", "終了" } },
};

const struct words page_enrolment_states[SEQUENCE_LEFT + 1] = {
	[0] = { { "unknown", "不明" } },
	[SEQUENCE_WAITING] = { { "waiting", "待機中" } },
	[SEQUENCE_THROUGH] = { { "through", "完了" } },
	[SEQUENCE_LEFT] = { { "left", "離脱" } },
};

/* ---- parts ---- */

static void show_state(struct page *page, const struct audience_sequence *s)
{
	static const enum page_tone tones[AUDIENCE_SEQUENCE_STATES] = {
		[AUDIENCE_SEQUENCE_RUNNING] = TONE_GOOD,
		[AUDIENCE_SEQUENCE_PAUSED] = TONE_WARNING,
	};

	page_badge(page, tones[s->state], &states[s->state]);
}

static u64 in_state(struct audience_txn *txn, u32 sequence, enum sequence_state state)
{
	u64 count;

	return enrolment_count(txn, sequence, state, &count) == STORE_OK ? count : 0;
}

static void show_starts(struct page *page, const struct audience_sequence *s)
{
	static const enum word of[AUDIENCE_SEQUENCE_STARTS] = {
		[AUDIENCE_SEQUENCE_BY_LIST] = BY_LIST,
		[AUDIENCE_SEQUENCE_BY_EVENT] = BY_EVENT,
		[AUDIENCE_SEQUENCE_BY_DATE] = BY_DATE,
		[AUDIENCE_SEQUENCE_YEARLY] = YEARLY,
	};
	struct audience_txn *txn = page->call->web->reader;
	struct audience_list list;
	struct attribute attribute;
	struct slice name = s->of[SEQUENCE_EVENT];

	if (s->start == AUDIENCE_SEQUENCE_BY_LIST)
		name = audience_list_get(txn, s->list, &list) == STORE_OK ? list.title : SLICE("?");
	else if (s->start != AUDIENCE_SEQUENCE_BY_EVENT)
		name = attribute_get(txn, s->attribute, &attribute) == STORE_OK ? attribute.name
										: SLICE("?");
	PAGE_SENTENCE(page, &words[of[s->start]], name);
}

static void show_count(struct page *page, u32 count, enum word one, enum word many)
{
	if (count == 1)
		page_words(page, &words[one]);
	else
		PAGE_SENTENCE(page, &words[many], DIGITS(count));
}

static void show_wait(struct page *page, const struct audience_sequence *s,
		      const struct sequence_step *step)
{
	const bool is_by_date = s->start >= AUDIENCE_SEQUENCE_BY_DATE;

	if (is_by_date && step->days == 0)
		page_words(page, &words[ON_THE_DAY]);
	else if (is_by_date && step->days < 0)
		show_count(page, (u32)-step->days, DAY_BEFORE, DAYS_BEFORE);
	else if (is_by_date)
		show_count(page, (u32)step->days, DAY_AFTER, DAYS_AFTER);
	else if (step->days == 0 && step->hours == 0)
		page_words(page, &words[AT_ONCE]);
	if (step->hours > 0)
		show_count(page, step->hours, HOUR_LATER, HOURS_LATER);
	if (step->hours > 0 && step->days > 0)
		PAGE_HTML(page, " + ");
	if (!is_by_date && step->days > 0)
		show_count(page, (u32)step->days, DAY_LATER, DAYS_LATER);
}

void page_step_when(struct page *page, const struct audience_sequence *s,
		    const struct sequence_step *step)
{
	struct audience_segment segment;
	struct buf text;

	show_wait(page, s, step);
	buf_init(&text, 256);
	sequence_add_at(step->at_minute, &text);
	if (text.len > 0) {
		PAGE_HTML(page, " ");
		PAGE_SENTENCE(page, &words[AT], buf_slice(&text));
	}
	buf_reset(&text);
	sequence_add_weekdays(step->weekdays, &text);
	if (text.len > 0) {
		PAGE_HTML(page, ", ");
		PAGE_SENTENCE(page, &words[ON_DAYS], buf_slice(&text));
	}
	buf_done(&text);
	if (step->segment > 0 && audience_segment_get(page->call->web->reader, step->segment,
						      &segment) == STORE_OK) {
		PAGE_HTML(page, ", ");
		PAGE_SENTENCE(page, &words[ONLY], segment.name);
	}
}

void page_step_subject(struct page *page, u32 step)
{
	struct audience_campaign campaign;
	struct draft draft;
	bool is_there = sequence_step_draft(page->call->web->reader, step, &campaign, &draft) &&
			draft.of[DRAFT_SUBJECT].len > 0;

	page_text(page, is_there ? draft.of[DRAFT_SUBJECT] : SLICE("-"));
}

/* ---- all of them ---- */

/* Within a transaction. */
static void show_held(struct page *page)
{
	bool is_held;

	if (audience_is_held(page->call->web->reader, &is_held) != STORE_OK || !is_held)
		return;
	page_message(page, TONE_WARNING, &words[HELD]);
	PAGE_HTML(page, "<p>");
	PAGE_LINK(page, &words[TO_HOLD], "/admin/campaigns");
	PAGE_HTML(page, "</p>");
}

void page_sequences(struct call *call)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Starts", "開始のきっかけ" } }, false },
		{ { { "Steps", "ステップ" } }, true },
		{ { { "Waiting", "待機中" } }, true },
		{ { { "Through", "完了" } }, true },
		{ { { NULL, NULL } }, false },
	};
	const struct page_head head = { .place = PLACE_SEQUENCES, .title = &page_sequence_title };
	struct audience_txn *txn = call->web->reader;
	struct audience_sequence s = { 0 };
	enum store_result result;
	struct page page;
	u32 count = 0;

	page_begin(&page, call, &head);
	if (web_route_is_open(call, "/admin/sequences/new")) {
		PAGE_HTML(&page, "<div class=\"actions\">");
		PAGE_ACTION(&page, &words[NEW], "/admin/sequences/new");
		PAGE_HTML(&page, "</div>");
	}
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		show_held(&page);
	page_table_begin(&page, &page_sequence_title, columns);
	if (result == STORE_OK) {
		while (audience_sequence_after(txn, s.id, &s) == STORE_OK) {
			count++;
			page_row_begin(&page);
			page_cell(&page);
			PAGE_LINK_TEXT(&page, s.of[SEQUENCE_NAME], "/admin/sequences/{}",
				       DIGITS(s.id));
			page_cell(&page);
			show_state(&page, &s);
			page_cell(&page);
			show_starts(&page, &s);
			page_cell_number(&page, s.step_count);
			page_cell_number(&page, in_state(txn, s.id, SEQUENCE_WAITING));
			page_cell_number(&page, in_state(txn, s.id, SEQUENCE_THROUGH));
			page_row_end(&page);
		}
	}
	audience_abort(txn);
	page_table_end(&page);
	if (count == 0)
		page_nothing(&page, &words[NONE]);
	page_end(&page, 200);
}

/* ---- one ---- */

static void button(struct page *page, u32 id, const char *verb, enum page_tone tone,
		   enum word word)
{
	PAGE_BUTTON(page, tone, &words[word], "/admin/sequences/{}/{}", DIGITS(id),
		    slice_of(verb));
}

static void show_actions(struct page *page, const struct audience_sequence *s)
{
	PAGE_HTML(page, "<div class=\"actions\">");
	if (s->state != AUDIENCE_SEQUENCE_DRAFT)
		PAGE_ACTION(page, &words[CONTACTS], "/admin/sequences/{}/contacts",
			    DIGITS(s->id));
	if (s->state != AUDIENCE_SEQUENCE_ARCHIVED) {
		PAGE_ACTION(page, &words[EDIT], "/admin/sequences/{}/edit", DIGITS(s->id));
		PAGE_ACTION(page, &words[ADD_STEP], "/admin/sequences/{}/steps/new",
			    DIGITS(s->id));
	}
	if (s->state == AUDIENCE_SEQUENCE_DRAFT || s->state == AUDIENCE_SEQUENCE_PAUSED)
		button(page, s->id, "start", TONE_GOOD,
		       s->state == AUDIENCE_SEQUENCE_DRAFT ? START : GOES_ON);
	if (s->state == AUDIENCE_SEQUENCE_RUNNING)
		button(page, s->id, "pause", TONE_NEUTRAL, PAUSE);
	if (s->state == AUDIENCE_SEQUENCE_DRAFT)
		button(page, s->id, "delete", TONE_BAD, DELETE);
	else if (s->state != AUDIENCE_SEQUENCE_ARCHIVED)
		button(page, s->id, "archive", TONE_BAD, ARCHIVE);
	PAGE_HTML(page, "</div>");
}

static void show_facts(struct page *page, const struct audience_sequence *s)
{
	struct audience_txn *txn = page->call->web->reader;
	struct audience_segment segment;
	struct audience_list list;

	page_card_begin(page, NULL);
	page_facts_begin(page);
	page_fact(page, &words[STATE]);
	show_state(page, s);
	if (s->state == AUDIENCE_SEQUENCE_PAUSED && s->of[SEQUENCE_REASON].len > 0) {
		page_fact(page, &words[REASON]);
		page_trouble(page, s->of[SEQUENCE_REASON]);
	}
	page_fact(page, &words[STARTED_BY]);
	show_starts(page, s);
	page_fact(page, &words[LIST]);
	if (s->list > 0 && audience_list_get(txn, s->list, &list) == STORE_OK)
		page_text(page, list.title);
	else
		page_words(page, &words[ALL]);
	page_fact(page, &words[FROM]);
	page_text(page, s->of[SEQUENCE_FROM]);
	page_fact(page, &words[ZONE]);
	page_text(page, s->of[SEQUENCE_ZONE].len > 0 ? s->of[SEQUENCE_ZONE] : SLICE("UTC"));
	if (s->of[SEQUENCE_DAYS].len + s->of[SEQUENCE_HOURS].len > 0) {
		page_fact(page, &words[HOURS]);
		page_text(page, s->of[SEQUENCE_DAYS]);
		PAGE_HTML(page, " ");
		page_text(page, s->of[SEQUENCE_HOURS]);
	}
	if (s->exit_segment > 0 &&
	    audience_segment_get(txn, s->exit_segment, &segment) == STORE_OK) {
		page_fact(page, &words[EXIT]);
		page_text(page, segment.name);
	}
	page_facts_end(page);
	page_card_end(page);
}

static void show_order(struct page *page, const struct audience_sequence *s, u32 index)
{
	const u32 step = s->steps[index].id;

	PAGE_HTML(page, "<details class=\"more\"><summary>");
	page_words(page, &words[MOVE]);
	PAGE_HTML(page, "</summary>");
	PAGE_FORM(page, "/admin/sequences/{}/steps/{}/order", DIGITS(s->id), DIGITS(step));
	if (index > 0)
		page_submit_as(page, TONE_NEUTRAL, &words[EARLIER], "do", SLICE("up"));
	if (index + 1 < s->step_count)
		page_submit_as(page, TONE_NEUTRAL, &words[LATER], "do", SLICE("down"));
	page_submit_as(page, TONE_BAD, &words[REMOVE], "do", SLICE("delete"));
	page_form_end(page);
	PAGE_HTML(page, "</details>");
}

static void show_step(struct page *page, const struct audience_sequence *s, u32 index)
{
	struct audience_txn *txn = page->call->web->reader;
	const struct sequence_step *step = &s->steps[index];
	u64 delivered = page_campaign_counted(txn, step->id, CAMPAIGN_DELIVERED);
	u64 waiting = 0;

	page_row_begin(page);
	page_cell_number(page, index + 1);
	page_cell(page);
	PAGE_HTML(page, "<a");
	PAGE_URL(page, "href", "/admin/sequences/{}/steps/{}", DIGITS(s->id), DIGITS(step->id));
	PAGE_HTML(page, ">");
	page_step_subject(page, step->id);
	PAGE_HTML(page, "</a><div class=\"hint\">");
	page_step_when(page, s, step);
	PAGE_HTML(page, "</div>");
	PAGE_LINK(page, &words[PREVIEW], "/admin/campaigns/{}/preview", DIGITS(step->id));
	PAGE_HTML(page, " · ");
	PAGE_LINK(page, &words[REPORT], "/admin/campaigns/{}", DIGITS(step->id));
	if (s->state != AUDIENCE_SEQUENCE_ARCHIVED &&
	    web_route_is_open(page->call, "/admin/sequences/new"))
		show_order(page, s, index);
	if (enrolment_count_for(txn, step->id, &waiting) != STORE_OK)
		waiting = 0;
	page_cell_number(page, waiting);
	page_cell_number(page, page_campaign_counted(txn, step->id, CAMPAIGN_SENT));
	page_cell_number(page, page_campaign_counted(txn, step->id, CAMPAIGN_PASSED_BY));
	page_cell_number(page, delivered);
	page_cell(page);
	page_percent(page, page_campaign_counted(txn, step->id, CAMPAIGN_OPENED), delivered);
	page_cell(page);
	page_percent(page, page_campaign_counted(txn, step->id, CAMPAIGN_CLICKED), delivered);
	page_row_end(page);
}

static void show_steps(struct page *page, const struct audience_sequence *s)
{
	static const struct page_column columns[] = {
		{ { { "No.", "番号" } }, true },
		{ { { "Step", "ステップ" } }, false },
		{ { { "Waiting", "待機中" } }, true },
		{ { { "Sent", "配信" } }, true },
		{ { { "Passed by", "スキップ" } }, true },
		{ { { "Delivered", "到達" } }, true },
		{ { { "Opened", "開封" } }, true },
		{ { { "Clicked", "クリック" } }, true },
		{ { { NULL, NULL } }, false },
	};

	page_heading(page, &words[STEPS]);
	if (s->step_count == 0) {
		page_nothing(page, &words[NO_STEPS]);
		return;
	}
	page_table_begin(page, &words[STEPS], columns);
	for (u32 i = 0; i < s->step_count; i++)
		show_step(page, s, i);
	page_table_end(page);
	if (s->state == AUDIENCE_SEQUENCE_RUNNING || s->state == AUDIENCE_SEQUENCE_PAUSED)
		page_paragraph(page, &words[HINT]);
}

static void show_counts(struct page *page, const struct audience_sequence *s)
{
	page_tiles_begin(page);
	for (u32 i = SEQUENCE_WAITING; i <= SEQUENCE_LEFT; i++)
		page_tile(page, &page_enrolment_states[i],
			  in_state(page->call->web->reader, s->id, (enum sequence_state)i));
	page_tiles_end(page);
}

void page_sequence(struct call *call)
{
	struct page_head head = { .place = PLACE_SEQUENCES,
				  .title = &page_sequence_title,
				  .crumbs = { { "/admin/sequences", &page_sequence_title } } };
	struct audience_sequence s;
	struct page page;

	if (sequence_find(call, &s)) {
		head.named = s.of[SEQUENCE_NAME];
		head.refresh_s = s.state == AUDIENCE_SEQUENCE_RUNNING ? 30 : 0;
		page_begin(&page, call, &head);
		if (web_route_is_open(call, "/admin/sequences/new"))
			show_actions(&page, &s);
		show_facts(&page, &s);
		if (s.state != AUDIENCE_SEQUENCE_DRAFT)
			show_counts(&page, &s);
		show_steps(&page, &s);
		page_end(&page, 200);
	}
	audience_abort(call->web->reader);
}
