/* The first page: how many contacts there are, what the sender does now, what waits for whom. */
#include "base/clock.h"
#include "base/text.h"
#include "store/audience_contact.h"
#include "store/audience_count.h"
#include "web/identity.h"
#include "web/page_sender.h"
#include "web/pulse.h"

#define SITES_SHOWN 12
#define REFRESH_S 60

enum word {
	TITLE,
	CONTACTS,
	CONTACTS_ACTIVE,
	CONTACTS_PENDING,
	CONTACTS_BOUNCED,
	CONTACTS_LEFT,
	CONTACTS_COMPLAINED,
	SENDING,
	RATE,
	WAITING,
	IN_FLIGHT,
	DEFERRED,
	HELD,
	TOTALS,
	DELIVERED,
	FAILED,
	CAME_BACK,
	COMPLAINTS,
	CAMPAIGNS,
	RUNNING,
	PAUSED,
	READY,
	DONE,
	DAY,
	DAY_NOTHING,
	AWAY,
	NO_ROOM,
	NEARLY_FULL,
	NOT_ALIGNED,
	CHECKS_FAIL,
	DNS,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Dashboard", "ダッシュボード" } },
	[CONTACTS] = { { "Contacts", "連絡先" } },
	[CONTACTS_ACTIVE] = { { "Active", "配信可能" } },
	[CONTACTS_PENDING] = { { "Waiting for confirmation", "確認待ち" } },
	[CONTACTS_BOUNCED] = { { "Undeliverable", "不達" } },
	[CONTACTS_LEFT] = { { "Unsubscribed", "配信停止" } },
	[CONTACTS_COMPLAINED] = { { "Complained", "迷惑メール報告" } },
	[SENDING] = { { "Sending now", "現在の送信状況" } },
	[RATE] = { { "Messages per minute", "1分あたりの送信数" } },
	[WAITING] = { { "Waiting", "待機中" } },
	[IN_FLIGHT] = { { "Being sent", "送信中" } },
	[DEFERRED] = { { "To be tried again", "再送待ち" } },
	[HELD] = { { "In doubt, held", "確認待ち（保留）" } },
	[TOTALS] = { { "Since the sender was started", "送信プログラム起動以降" } },
	[DELIVERED] = { { "Delivered", "配信済み" } },
	[FAILED] = { { "Failed", "失敗" } },
	[CAME_BACK] = { { "Came back later", "後から返送" } },
	[COMPLAINTS] = { { "Complaints", "迷惑メール報告" } },
	[CAMPAIGNS] = { { "Mailings in the sender", "送信プログラム内の配信" } },
	[RUNNING] = { { "Running", "実行中" } },
	[PAUSED] = { { "Paused", "一時停止" } },
	[READY] = { { "Ready", "準備完了" } },
	[DONE] = { { "Done", "完了" } },
	[DAY] = { { "The last day, in steps of five minutes", "過去24時間（5分ごと）" } },
	[DAY_NOTHING] = { { "The sender has not been asked yet.", "まだ記録がありません。" } },
	[AWAY] = { { "The sender does not answer at the moment: what it does is not known.",
		     "送信プログラムが応答していません。送信状況を表示できません。" } },
	[NO_ROOM] = { { "The sender's disk is full: sending waits until there is room.",
			"送信用ディスクの空きがありません。空きができるまで送信は停止します。" } },
	[NEARLY_FULL] = { { "The sender's disk is nearly full: nothing more is taken in.",
			    "送信用ディスクの空きが残りわずかです。新しい配信は受け付けません。" } },
	[NOT_ALIGNED] = { { "Receivers refuse mail of {1}: neither SPF nor DKIM vouches for it.",
			    "{1} からのメールはSPF・DKIMのどちらでも認証されないため、受信側に拒否されます。" } },
	[CHECKS_FAIL] = { { "DNS lacks something for {1}.", "{1} のDNS設定に不足があります。" } },
	[DNS] = { { "DNS records", "DNS レコード" } },
};

/* ---- contacts ---- */

struct census {
	u64 of[CONTACT_COMPLAINED + 1];
};

static bool count_contacts(struct call *call, struct census *census)
{
	struct audience_txn *txn = call->web->reader;
	enum store_result result = audience_begin_read(txn);

	*census = (struct census){ { 0 } };
	for (u32 state = CONTACT_PENDING; result == STORE_OK && state <= CONTACT_COMPLAINED;
	     state++)
		result = audience_count_get(txn, COUNTED_CONTACTS, state, &census->of[state]);
	audience_abort(txn);
	return result == STORE_OK;
}

static void show_contacts(struct page *page, const struct census *census)
{
	page_heading(page, &words[CONTACTS]);
	page_tiles_begin(page);
	page_tile(page, &words[CONTACTS_ACTIVE], census->of[CONTACT_ACTIVE]);
	page_tile(page, &words[CONTACTS_PENDING], census->of[CONTACT_PENDING]);
	page_tile(page, &words[CONTACTS_BOUNCED], census->of[CONTACT_BOUNCED]);
	page_tile(page, &words[CONTACTS_LEFT], census->of[CONTACT_UNSUBSCRIBED]);
	page_tile(page, &words[CONTACTS_COMPLAINED], census->of[CONTACT_COMPLAINED]);
	page_tiles_end(page);
}

/* ---- what DNS says of the domains ---- */

static void show_domain(struct page *page, const char *domain, const json_t *result)
{
	bool is_aligned = identity_is_aligned(result);

	if (!result || (is_aligned && page_sender_number(result, "failed") == 0))
		return;
	page_message_begin(page, is_aligned ? TONE_WARNING : TONE_BAD);
	PAGE_SENTENCE(page, &words[is_aligned ? CHECKS_FAIL : NOT_ALIGNED], slice_of(domain));
	PAGE_HTML(page, " ");
	PAGE_LINK(page, &words[DNS], "/admin/dns");
	page_message_end(page);
}

static void show_identity(struct page *page)
{
	const struct config *config = page->call->web->config;
	struct audience_txn *txn = page->call->web->reader;
	enum store_result begun = audience_begin_read(txn);

	for (size_t i = 0; i < config->customer_count && begun == STORE_OK; i++) {
		const char *domain = config->customers[i].domain;
		json_t *result = identity_latest(txn, slice_of(domain));

		show_domain(page, domain, result);
		json_decref(result);
	}
	audience_abort(txn);
}

/* ---- the sender ---- */

static void show_work(struct page *page, const json_t *status)
{
	const json_t *queue = json_object_get(status, "queue");
	const json_t *totals = json_object_get(status, "totals");
	const json_t *inbound = json_object_get(status, "inbound");
	const json_t *campaigns = json_object_get(status, "campaigns");
	double rate = json_real_value(json_object_get(json_object_get(status, "rates"), "1m"));
	u64 over = page_sender_number(totals, "delivered") + page_sender_number(totals, "failed");

	if (json_is_true(json_object_get(queue, "lacks_room")))
		page_message(page, TONE_BAD, &words[NO_ROOM]);
	else if (json_is_true(json_object_get(queue, "nearly_full")))
		page_message(page, TONE_WARNING, &words[NEARLY_FULL]);
	page_heading(page, &words[SENDING]);
	page_tiles_begin(page);
	page_tile(page, &words[RATE], (u64)(rate * 60 + 0.5));
	page_tile(page, &words[WAITING], page_sender_number(queue, "waiting"));
	page_tile(page, &words[IN_FLIGHT], page_sender_number(queue, "in_flight"));
	page_tile(page, &words[DEFERRED], page_sender_number(queue, "deferred"));
	page_tile(page, &words[HELD], page_sender_number(queue, "held"));
	page_tiles_end(page);
	page_heading(page, &words[CAMPAIGNS]);
	page_tiles_begin(page);
	page_tile(page, &words[RUNNING], page_sender_number(campaigns, "running"));
	page_tile(page, &words[PAUSED], page_sender_number(campaigns, "paused"));
	page_tile(page, &words[READY], page_sender_number(campaigns, "ready"));
	page_tile(page, &words[DONE], page_sender_number(campaigns, "done"));
	page_tiles_end(page);
	page_heading(page, &words[TOTALS]);
	page_tiles_begin(page);
	page_tile_share(page, &words[DELIVERED], page_sender_number(totals, "delivered"), over);
	page_tile_share(page, &words[FAILED], page_sender_number(totals, "failed"), over);
	if (inbound) {
		page_tile(page, &words[CAME_BACK], page_sender_number(inbound, "bounced"));
		page_tile(page, &words[COMPLAINTS], page_sender_number(inbound, "complained"));
	}
	page_tiles_end(page);
}

/* Of the receivers with mail: a few. */
static const struct page_sites sites_told = {
	.title = { { "Receivers", "受信側" } },
	.nothing = { { "Nothing waits to be sent.", "送信待ちのメールはありません。" } },
	.reason = { { "Reason", "理由" } },
	.most = SITES_SHOWN,
};

static void show_day(struct page *page)
{
	static const struct page_column columns[] = {
		{ { { "Time", "時刻" } }, false },	     { { { "Delivered", "配信済み" } }, true },
		{ { { "Failed", "失敗" } }, true },	     { { { "Deferred", "再送へ" } }, true },
		{ { { "Came back later", "後から返送" } }, true }, { { { NULL, NULL } }, false },
	};
	static _Thread_local struct pulse_step steps[PULSE_STEPS];
	u32 count = pulse_read(page->call->web->pulse, clock_wall_ms(), steps);

	page_card_begin(page, &words[DAY]);
	if (count == 0) {
		page_nothing(page, &words[DAY_NOTHING]);
		page_card_end(page);
		return;
	}
	page_chart_begin(page, &words[DAY], columns);
	for (u32 i = 0; i < count; i++) {
		page_row_begin(page);
		page_cell_time(page, steps[i].number * PULSE_STEP_MS);
		for (u32 kind = 0; kind < PULSE_KINDS; kind++)
			page_cell_number(page, steps[i].counts[kind]);
		page_row_end(page);
	}
	page_chart_end(page);
	page_card_end(page);
}

static void show(struct call *call, const json_t *status)
{
	struct census census;
	struct page page;

	if (!count_contacts(call, &census)) {
		call_refuse(call, 503, NULL, "contacts cannot be counted");
		return;
	}
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_DASHBOARD,
					.title = &words[TITLE],
					.has_chart = true,
					.refresh_s = REFRESH_S });
	if (!status)
		page_message(&page, TONE_WARNING, &words[AWAY]);
	show_identity(&page);
	show_contacts(&page, &census);
	show_day(&page);
	if (status) {
		show_work(&page, status);
		page_sites(&page, json_object_get(status, "sites"), &sites_told);
	}
	page_end(&page, 200);
}

static void on_status(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	show(call, end == EXCHANGE_REPLIED ? json : NULL);
}

static const struct exchange_events status_events = { NULL, on_status };

void page_dashboard(struct call *call)
{
	if (call_ask(call, &status_events, json_pack("{s:s}", "command", "status")))
		call_ask_end(call);
}
