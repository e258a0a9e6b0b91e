/* Who did what, the last first. */
#include "base/text.h"
#include "store/audience_audit.h"
#include "web/page.h"

#define SHOWN 50

enum word { TITLE, NOTHING, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Audit log", "操作履歴" } },
	[NOTHING] = { { "Nothing was done yet.", "操作の記録はまだありません。" } },
};

static const struct {
	const char *action;
	struct words words;
} actions[] = {
	{ "session.begin", { { "signed in", "ログイン" } } },
	{ "session.end", { { "ended other sessions", "他のセッションを終了" } } },
	{ "user.profile", { { "changed the profile", "プロフィールを変更" } } },
	{ "user.password", { { "set a password", "パスワードを設定" } } },
	{ "user.codes-on", { { "turned two-step sign-in on", "2段階認証を有効化" } } },
	{ "user.codes-off", { { "turned two-step sign-in off", "2段階認証を無効化" } } },
	{ "user.invite", { { "invited a user", "ユーザーを招待" } } },
	{ "user.change", { { "changed a user", "ユーザーを変更" } } },
	{ "user.block", { { "blocked a user", "ユーザーを停止" } } },
	{ "user.unblock", { { "let a user in again", "ユーザーの停止を解除" } } },
	{ "user.link", { { "made a link for a new password", "パスワード再設定リンクを作成" } } },
	{ "user.sessions-end",
	  { { "signed a user out everywhere", "ユーザーのセッションをすべて終了" } } },
	{ "user.delete", { { "deleted a user", "ユーザーを削除" } } },
	{ "setting.change", { { "changed the settings", "設定を変更" } } },
	{ "mailing.schedule", { { "started a campaign", "キャンペーンを開始" } } },
	{ "mailing.override",
	  { { "started a campaign in spite of what was found",
	      "確認事項があるままキャンペーンを開始" } } },
	{ "mailing.create", { { "made a campaign", "キャンペーンを作成" } } },
	{ "mailing.change", { { "changed a campaign", "キャンペーンを変更" } } },
	{ "mailing.delete", { { "deleted a campaign", "キャンペーンを削除" } } },
	{ "mailing.unschedule", { { "took a campaign's start back", "配信予約を取り消し" } } },
	{ "mailing.pause", { { "paused a campaign", "キャンペーンを一時停止" } } },
	{ "mailing.resume", { { "let a campaign go on", "キャンペーンを再開" } } },
	{ "mailing.cancel", { { "cancelled a campaign", "キャンペーンを中止" } } },
	{ "mailing.resend",
	  { { "made a campaign for those who did not open", "未開封者への再送を作成" } } },
	{ "hold.release", { { "let what a restore held begin", "復元後の配信保留を解除" } } },
	{ "template.add", { { "made a template", "テンプレートを作成" } } },
	{ "template.change", { { "changed a template", "テンプレートを変更" } } },
	{ "template.restore",
	  { { "brought a version of a template back", "テンプレートを以前の版に戻す" } } },
	{ "template.delete", { { "deleted a template", "テンプレートを削除" } } },
	{ "image.add", { { "brought an image", "画像を追加" } } },
	{ "image.change", { { "changed an image's texts", "画像の説明を変更" } } },
	{ "image.delete", { { "deleted an image", "画像を削除" } } },
	{ "sequence.create", { { "made a sequence", "ステップメールを作成" } } },
	{ "sequence.change", { { "changed a sequence", "ステップメールを変更" } } },
	{ "sequence.start", { { "started a sequence", "ステップメールを開始" } } },
	{ "sequence.override",
	  { { "started a sequence in spite of what was found",
	      "確認事項があるままステップメールを開始" } } },
	{ "sequence.pause", { { "paused a sequence", "ステップメールを一時停止" } } },
	{ "sequence.archive", { { "archived a sequence", "ステップメールを終了・保管" } } },
	{ "sequence.delete", { { "deleted a sequence", "ステップメールを削除" } } },
	{ "sequence.enrol",
	  { { "put a contact into a sequence", "連絡先をステップメールに登録" } } },
	{ "sequence.leave",
	  { { "took a contact out of a sequence", "連絡先をステップメールから除外" } } },
	{ "sequence.event", { { "told an event", "イベントを通知" } } },
	{ "segment.add", { { "made a segment", "セグメントを作成" } } },
	{ "segment.change", { { "changed a segment", "セグメントを変更" } } },
	{ "segment.delete", { { "deleted a segment", "セグメントを削除" } } },
	{ "form.change", { { "saved a form", "フォームを保存" } } },
	{ "form.delete", { { "deleted a form", "フォームを削除" } } },
	{ "preferences.change", { { "changed the preferences page", "配信設定ページを変更" } } },
	{ "contact.make", { { "added a contact", "連絡先を追加" } } },
	{ "contact.change", { { "changed a contact", "連絡先を変更" } } },
	{ "contact.erase", { { "erased a contact", "連絡先を消去" } } },
	{ "list.add", { { "made a list", "リストを作成" } } },
	{ "list.change", { { "changed a list", "リストを変更" } } },
	{ "list.delete", { { "deleted a list", "リストを削除" } } },
	{ "attribute.add", { { "made an attribute", "属性を作成" } } },
	{ "attribute.change", { { "changed an attribute", "属性を変更" } } },
	{ "attribute.delete", { { "deleted an attribute", "属性を削除" } } },
	{ "suppression.add", { { "suppressed an address", "配信停止アドレスを追加" } } },
	{ "suppression.remove",
	  { { "took an address off the suppressed ones", "配信停止アドレスを解除" } } },
	{ "import.bring", { { "brought a file of contacts", "ファイルをアップロード" } } },
	{ "import.run", { { "imported contacts", "連絡先を取り込み" } } },
	{ "import.cancel", { { "cancelled an import", "取り込みを中止" } } },
	{ "import.undo", { { "undid an import", "取り込みを取り消し" } } },
	{ "import.discard",
	  { { "discarded a file that nobody imported", "取り込まれなかったファイルを破棄" } } },
	{ "contact.sweep",
	  { { "erased contacts that never confirmed", "登録確認のない連絡先を削除" } } },
};

/* What has no words of its own is shown as it was written. */
static void show_action(struct page *page, struct slice action)
{
	for (size_t i = 0; i < array_count(actions); i++) {
		if (slice_equal(action, slice_of(actions[i].action))) {
			page_words(page, &actions[i].words);
			return;
		}
	}
	page_text(page, action);
}

static void show_entry(struct page *page, const struct audit_entry *entry)
{
	page_row_begin(page);
	page_cell_time(page, entry->at_ms);
	page_cell_text(page, entry->who);
	page_cell_text(page, entry->from);
	page_cell(page);
	show_action(page, entry->action);
	page_cell_text(page, entry->object);
	page_row_end(page);
}

void page_audit(struct call *call)
{
	static const struct page_column columns[] = {
		{ { { "Time", "日時" } }, false },   { { { "Who", "操作者" } }, false },
		{ { { "From", "接続元" } }, false }, { { { "What", "操作" } }, false },
		{ { { "On what", "対象" } }, false }, { { { NULL, NULL } }, false },
	};
	struct audience_txn *txn = call->web->reader;
	struct slice after = SLICE_NONE;
	struct audit_entry entry = { .at_ms = 0 };
	enum store_result result;
	struct page page;
	char place[AUDIT_PLACE_SIZE];
	u32 shown = 0;
	u64 at_ms;
	u16 number;

	if (!audit_place_read(call_query(call, "before"), &at_ms, &number))
		at_ms = UINT64_MAX;
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_AUDIT, .title = &words[TITLE] });
	page_table_begin(&page, &words[TITLE], columns);
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = audit_before(txn, at_ms, number, &entry);
	while (result == STORE_OK && shown < SHOWN) {
		show_entry(&page, &entry);
		shown++;
		at_ms = entry.at_ms;
		number = entry.number;
		result = audit_before(txn, at_ms, number, &entry);
	}
	audience_abort(txn);
	page_table_end(&page);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		call_refuse(call, 503, NULL, "the audit log cannot be read");
		return;
	}
	if (shown == 0)
		page_nothing(&page, &words[NOTHING]);
	if (result == STORE_OK) {
		audit_place_write(&(struct audit_entry){ .at_ms = at_ms, .number = number },
				  place);
		after = slice_of(place);
	}
	page_pager(&page, "/admin/audit?before={}", SLICE_NONE, after);
	page_end(&page, 200);
}
