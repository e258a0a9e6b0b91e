/* Campaigns to contacts: all of them, and one: what it is, what may be done, what became of it. */
#include "base/text.h"
#include "store/audience_campaign_count.h"
#include "store/audience_hold.h"
#include "web/bringer.h"
#include "web/mailing.h"
#include "web/mailing_report.h"
#include "web/page.h"
#include "web/page_campaign.h"

#include <string.h>

#define PAGE_ROWS 50

enum word {
	TITLE, NEW, NONE, HELD, RELEASE, RELEASED, EDIT, PREVIEW, SCHEDULE, NOW, UNSCHEDULE, PAUSE,
	RESUME, CANCEL, DELETE, DONE_WORD, WRONG_STATE, GONE, WHEN, FROM, SUBJECT, SUBJECT_B,
	STARTED, ENDED, REASON, REPORT, RECIPIENTS, DELIVERED, OPENED, CLICKED, BOUNCED,
	UNSUBSCRIBED, COMPLAINED, DETAILS, CSV, STATE_WORD, RESEND, COPIED, KEEP, WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Campaigns", "キャンペーン" } },
	[NEW] = { { "New campaign", "キャンペーンを作成" } },
	[NONE] = { { "There is no campaign yet.", "キャンペーンはまだありません。" } },
	[HELD] = { { "A backup was brought back: nothing begins by itself before somebody says "
		     "that it may go on. Look at what is scheduled and running first.",
		     "バックアップから復元されたため、配信は自動的には始まりません。"
		     "予約中・配信中のキャンペーンを確認してから再開してください。" } },
	[RELEASE] = { { "Go on", "配信を再開" } },
	[RELEASED] = { { "It goes on.", "配信を再開しました。" } },
	[EDIT] = { { "Edit", "編集" } },
	[PREVIEW] = { { "Preview and test", "プレビューとテスト送信" } },
	[SCHEDULE] = { { "Send at its time", "予約する" } },
	[NOW] = { { "Send now", "今すぐ配信" } },
	[UNSCHEDULE] = { { "Make it a draft again", "下書きに戻す" } },
	[PAUSE] = { { "Pause", "一時停止" } },
	[RESUME] = { { "Go on", "再開" } },
	[CANCEL] = { { "Cancel", "中止" } },
	[DELETE] = { { "Delete the draft", "下書きを削除" } },
	[DONE_WORD] = { { "Done.", "実行しました。" } },
	[WRONG_STATE] = { { "That cannot be done in its present state.",
			    "現在の状態では実行できません。" } },
	[GONE] = { { "There is no such campaign.", "キャンペーンが見つかりません。" } },
	[WHEN] = { { "Start", "開始" } },
	[FROM] = { { "From", "差出人" } },
	[SUBJECT] = { { "Subject", "件名" } },
	[SUBJECT_B] = { { "Second subject", "比較する件名" } },
	[STARTED] = { { "Started", "開始日時" } },
	[ENDED] = { { "Ended", "終了日時" } },
	[REASON] = { { "Why it does not go on", "停止の理由" } },
	[CSV] = { { "As a table (CSV)", "CSV でダウンロード" } },
	[KEEP] = { { "Keep as a template", "テンプレートとして保存" } },
	[RESEND] = { { "Send again to those who did not open", "未開封者に再送" } },
	[COPIED] = { { "Here is a draft for them: give it another subject.",
		       "未開封者向けの下書きを作成しました。件名を変更してください。" } },
	[STATE_WORD] = { { "State", "状態" } },
};

static const struct page_head list_head = { .place = PLACE_CAMPAIGNS, .title = &words[TITLE] };

const struct words page_campaign_states[AUDIENCE_CAMPAIGN_STATES] = {
	[0] = { { "unknown", "不明" } },
	[AUDIENCE_CAMPAIGN_DRAFT] = { { "draft", "下書き" } },
	[AUDIENCE_CAMPAIGN_SCHEDULED] = { { "scheduled", "予約中" } },
	[AUDIENCE_CAMPAIGN_RUNNING] = { { "sending", "配信中" } },
	[AUDIENCE_CAMPAIGN_SENDING] = { { "sending", "配信中" } },
	[AUDIENCE_CAMPAIGN_PAUSED] = { { "paused", "一時停止" } },
	[AUDIENCE_CAMPAIGN_DONE] = { { "done", "完了" } },
	[AUDIENCE_CAMPAIGN_CANCELLED] = { { "cancelled", "中止" } },
	[AUDIENCE_CAMPAIGN_STEP] = { { "step", "ステップ" } },
};

static void show_state(struct page *page, enum audience_campaign_state state)
{
	static const enum page_tone tones[AUDIENCE_CAMPAIGN_STATES] = {
		[AUDIENCE_CAMPAIGN_RUNNING] = TONE_GOOD,
		[AUDIENCE_CAMPAIGN_SENDING] = TONE_GOOD,
		[AUDIENCE_CAMPAIGN_DONE] = TONE_GOOD,
		[AUDIENCE_CAMPAIGN_PAUSED] = TONE_WARNING,
		[AUDIENCE_CAMPAIGN_CANCELLED] = TONE_BAD,
	};

	if (state < AUDIENCE_CAMPAIGN_STATES)
		page_badge(page, tones[state], &page_campaign_states[state]);
}

/* ---- all of them ---- */

static void show_row(struct page *page, const struct audience_campaign *c)
{
	struct audience_txn *txn = page->call->web->reader;
	u64 delivered = page_campaign_counted(txn, c->id, CAMPAIGN_DELIVERED);
	struct draft draft = { 0 };
	bool is_good = draft_unpack(c->draft, &draft);

	page_row_begin(page);
	page_cell(page);
	PAGE_LINK_TEXT(page, is_good && draft.of[DRAFT_NAME].len > 0 ? draft.of[DRAFT_NAME]
								     : SLICE("-"),
		       "/admin/campaigns/{}", DIGITS(c->id));
	page_cell(page);
	show_state(page, c->state);
	page_cell_time(page, c->started_ms ? c->started_ms : c->start_ms);
	page_cell_number(page, page_campaign_counted(txn, c->id, CAMPAIGN_SENT));
	page_cell_number(page, delivered);
	page_cell(page);
	page_percent(page, page_campaign_counted(txn, c->id, CAMPAIGN_OPENED), delivered);
	page_cell(page);
	page_percent(page, page_campaign_counted(txn, c->id, CAMPAIGN_CLICKED), delivered);
	page_row_end(page);
}

static void show_held(struct page *page)
{
	bool is_held;

	if (audience_is_held(page->call->web->reader, &is_held) != STORE_OK || !is_held)
		return;
	page_message(page, TONE_WARNING, &words[HELD]);
	PAGE_BUTTON(page, TONE_GOOD, &words[RELEASE], "/admin/campaigns/release");
}

void page_campaigns(struct call *call)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false },	 { { { "State", "状態" } }, false },
		{ { { "Start", "開始" } }, false },	 { { { "Recipients", "宛先" } }, true },
		{ { { "Delivered", "到達" } }, true },	 { { { "Opened", "開封" } }, true },
		{ { { "Clicked", "クリック" } }, true }, { { { NULL, NULL } }, false },
	};
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	enum store_result result;
	u64 before = UINT32_MAX;
	struct page page;
	u32 count = 0;

	if (!web_query_number(call, SLICE("before"), &before))
		return;
	page_begin(&page, call, &list_head);
	PAGE_HTML(&page, "<div class=\"actions\">");
	PAGE_ACTION(&page, &words[NEW], "/admin/campaigns/new");
	PAGE_HTML(&page, "</div>");
	campaign.id = (u32)min_u64(before, UINT32_MAX);
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		show_held(&page);
	page_table_begin(&page, &words[TITLE], columns);
	while (result == STORE_OK && count < PAGE_ROWS) {
		result = audience_campaign_before(txn, campaign.id, &campaign);
		if (result == STORE_OK && !(campaign.flags & AUDIENCE_CAMPAIGN_OF_STEP))
			show_row(&page, &campaign), count++;
	}
	page_table_end(&page);
	audience_abort(txn);
	if (count == 0)
		page_nothing(&page, &words[NONE]);
	page_pager(&page, "/admin/campaigns?before={}", SLICE_NONE,
		   count == PAGE_ROWS ? DIGITS(campaign.id) : SLICE_NONE);
	page_end(&page, 200);
}

/* ---- one ---- */

static void button(struct page *page, u32 id, const char *verb, enum page_tone tone,
		   enum word word)
{
	PAGE_BUTTON(page, tone, &words[word], "/admin/campaigns/{}/{}", DIGITS(id),
		    slice_of(verb));
}

static void show_actions(struct page *page, const struct audience_campaign *c, bool has_time)
{
	PAGE_HTML(page, "<div class=\"actions\">");
	PAGE_ACTION(page, &words[PREVIEW], "/admin/campaigns/{}/preview", DIGITS(c->id));
	if (page->call->session.role != ACCOUNT_VIEWER)
		PAGE_LINK(page, &words[KEEP], "/admin/templates/new?campaign={}", DIGITS(c->id));
	switch (c->state) {
	case AUDIENCE_CAMPAIGN_DRAFT:
		PAGE_ACTION(page, &words[EDIT], "/admin/campaigns/{}/edit", DIGITS(c->id));
		button(page, c->id, "schedule", TONE_GOOD, has_time ? SCHEDULE : NOW);
		button(page, c->id, "delete", TONE_BAD, DELETE);
		break;
	case AUDIENCE_CAMPAIGN_SCHEDULED:
		button(page, c->id, "unschedule", TONE_NEUTRAL, UNSCHEDULE);
		button(page, c->id, "cancel", TONE_BAD, CANCEL);
		break;
	case AUDIENCE_CAMPAIGN_RUNNING:
	case AUDIENCE_CAMPAIGN_SENDING:
		button(page, c->id, "pause", TONE_NEUTRAL, PAUSE);
		button(page, c->id, "cancel", TONE_BAD, CANCEL);
		break;
	case AUDIENCE_CAMPAIGN_PAUSED:
		button(page, c->id, "resume", TONE_GOOD, RESUME);
		button(page, c->id, "cancel", TONE_BAD, CANCEL);
		break;
	case AUDIENCE_CAMPAIGN_DONE:
		button(page, c->id, "resend", TONE_NEUTRAL, RESEND);
		break;
	case AUDIENCE_CAMPAIGN_CANCELLED:
	case AUDIENCE_CAMPAIGN_STEP:
	case AUDIENCE_CAMPAIGN_STATES:
		break;
	}
	PAGE_HTML(page, "</div>");
}

static void show_facts(struct page *page, const struct audience_campaign *c,
		       const struct draft *draft)
{
	page_card_begin(page, NULL);
	page_facts_begin(page);
	page_fact(page, &words[STATE_WORD]);
	show_state(page, c->state);
	if (c->reason.len > 0) {
		page_fact(page, &words[REASON]);
		page_trouble(page, c->reason);
	}
	page_fact(page, &words[FROM]);
	page_text(page, draft->of[DRAFT_FROM]);
	page_fact(page, &words[SUBJECT]);
	page_text(page, draft->of[DRAFT_SUBJECT]);
	if (draft->of[DRAFT_SUBJECT_B].len > 0) {
		page_fact(page, &words[SUBJECT_B]);
		page_text(page, draft->of[DRAFT_SUBJECT_B]);
	}
	if (draft->of[DRAFT_AT].len > 0) {
		page_fact(page, &words[WHEN]);
		page_text(page, draft->of[DRAFT_AT]);
		PAGE_HTML(page, " ");
		page_text(page, draft->of[DRAFT_ZONE]);
	}
	if (c->started_ms > 0) {
		page_fact(page, &words[STARTED]);
		page_time(page, c->started_ms);
	}
	if (c->finished_ms > 0) {
		page_fact(page, &words[ENDED]);
		page_time(page, c->finished_ms);
	}
	page_facts_end(page);
	page_card_end(page);
}

static bool is_moving(enum audience_campaign_state state)
{
	return state == AUDIENCE_CAMPAIGN_RUNNING || state == AUDIENCE_CAMPAIGN_SENDING ||
	       state == AUDIENCE_CAMPAIGN_SCHEDULED;
}

static void show_one(struct call *call, const struct audience_campaign *c)
{
	struct page_head head = { .place = PLACE_CAMPAIGNS,
				  .title = &words[TITLE],
				  .crumbs = { { "/admin/campaigns", &words[TITLE] } },
				  .has_chart = c->sender > 0,
				  .refresh_s = is_moving(c->state) ? 10 : 0 };
	struct draft draft = { 0 };
	struct page page;

	if (!draft_unpack(c->draft, &draft)) {
		call_problem_page(call, 404, &words[GONE]);
		return;
	}
	head.named = draft.of[DRAFT_NAME];
	page_campaign_place(&head, c);
	page_begin(&page, call, &head);
	show_actions(&page, c, draft.of[DRAFT_AT].len > 0);
	show_facts(&page, c, &draft);
	if (c->sender > 0)
		page_campaign_report(&page, c, &draft);
	page_end(&page, 200);
}

void page_campaign(struct call *call)
{
	struct audience_campaign campaign;

	if (mailing_find(call, &campaign))
		show_one(call, &campaign);
	audience_abort(call->web->reader);
}

void page_campaign_csv(struct call *call)
{
	api_mailing_report_csv(call);
}

/* ---- orders ---- */

static void on_done(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);
	struct page_digits digits;
	struct slice id = page_digits(&digits, order->change.id);

	if (!call_order_is_well(call, base))
		return;
	bringer_wake(call->web->bringer);
	if (!order->change.is_there) {
		call_problem_page(call, 404, &words[GONE]);
	} else if (!order->change.is_done) {
		CALL_REDIRECT(call, TONE_BAD, &words[WRONG_STATE], "/admin/campaigns/{}", id);
	} else if (order->is_stale) {
		CALL_REDIRECT(call, TONE_BAD, page_campaign_changed(), "/admin/campaigns/{}", id);
	} else if (order->is_wrong) {
		/* The editor shows it at the field. */
		CALL_REDIRECT(call, TONE_BAD, NULL, "/admin/campaigns/{}/edit?check=1", id);
	} else {
		CALL_REDIRECT(call, TONE_GOOD, &words[DONE_WORD], "/admin/campaigns/{}", id);
	}
}

static void on_deleted(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_GOOD, &words[DONE_WORD], "/admin/campaigns");
}

static void on_copied(struct call *call, struct call_order *base)
{
	const struct mailing_order *order = container_of(base, struct mailing_order, base);

	if (!call_order_is_well(call, base))
		return;
	if (!order->change.is_done)
		call_problem_page(call, 409, &words[WRONG_STATE]);
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[COPIED], "/admin/campaigns/{}/edit",
			      DIGITS(order->shown.id));
}

void page_campaign_order(struct call *call)
{
	bool deletes = strcmp(call->second, "delete") == 0;
	bool copies = strcmp(call->second, "resend") == 0;
	struct mailing_order *order;
	u32 id = mailing_id(call);
	u32 overrides;
	u64 seen_ms;

	if (id == 0)
		return;
	order = mailing_order_new(call, copies ? "mailing.resend" : "mailing.delete");
	if (!order)
		return;
	order->change.id = id;
	order->base.answer = deletes ? on_deleted : copies ? on_copied : on_done;
	order->base.order.apply = copies ? mailing_apply_resend : mailing_apply_delete;
	if (deletes || copies) {
		call_give_order(call, &order->base);
	} else if (!mailing_order_verb(order, call->second)) {
		mailing_order_free(order);
		call_problem_page(call, 404, NULL);
	} else if (strcmp(call->second, "schedule") == 0 || strcmp(call->second, "resume") == 0) {
		overrides = page_campaign_overrides(call->form, &seen_ms);
		mailing_start(call, order, overrides, seen_ms, page_campaign_stopped);
	} else {
		call_give_order(call, &order->base);
	}
}

static void on_released(struct call *call, struct call_order *base)
{
	if (!call_order_is_well(call, base))
		return;
	bringer_wake(call->web->bringer);
	CALL_REDIRECT(call, TONE_GOOD, &words[RELEASED], "/admin/campaigns");
}

void page_campaigns_release(struct call *call)
{
	struct mailing_order *order = mailing_order_new(call, "hold.release");

	if (!order)
		return;
	order->base.order.apply = mailing_apply_release;
	order->base.answer = on_released;
	call_give_order(call, &order->base);
}
