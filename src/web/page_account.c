/* One's own account: name, language, password, sessions. Codes are in page_totp.c. */
#include "base/clock.h"
#include "base/text.h"
#include "web/page.h"
#include "web/password.h"

#include <stdlib.h>

enum word {
	TITLE,
	PROFILE,
	EMAIL,
	NAME,
	LANGUAGE,
	LANGUAGE_BROWSER,
	ENGLISH,
	JAPANESE,
	SAVE,
	SAVED,
	PASSWORD,
	OLD_PASSWORD,
	NEW_PASSWORD,
	AGAIN,
	CHANGE,
	CHANGED,
	WRONG,
	WEAK,
	DIFFERENT,
	CODES,
	CODES_ON,
	CODES_OFF,
	CODES_LINK,
	SESSIONS,
	THIS_ONE,
	END_OTHERS,
	ENDED,
	ROLE,
	LONG_NAME,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "My account", "アカウント" } },
	[PROFILE] = { { "Profile", "プロフィール" } },
	[EMAIL] = { { "E-mail address", "メールアドレス" } },
	[NAME] = { { "Name", "名前" } },
	[LANGUAGE] = { { "Language", "表示言語" } },
	[LANGUAGE_BROWSER] = { { "As the browser wants", "ブラウザーの設定に従う" } },
	[ENGLISH] = { { "English", "English" } },
	[JAPANESE] = { { "日本語", "日本語" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[PASSWORD] = { { "Password", "パスワード" } },
	[OLD_PASSWORD] = { { "Present password", "現在のパスワード" } },
	[NEW_PASSWORD] = { { "New password", "新しいパスワード" } },
	[AGAIN] = { { "The same once more", "新しいパスワード（確認）" } },
	[CHANGE] = { { "Change the password", "パスワードを変更" } },
	[CHANGED] = { { "The password is changed; other sessions have ended.",
			"パスワードを変更しました。他のセッションは終了しました。" } },
	[WRONG] = { { "This is not your password.", "パスワードが正しくありません。" } },
	[WEAK] = { { "Too short, or too easy to guess.", "短すぎるか、推測されやすいパスワードです。" } },
	[DIFFERENT] = { { "This is not the same.", "パスワードが一致しません。" } },
	[CODES] = { { "Two-step sign-in", "2段階認証" } },
	[CODES_ON] = { { "On: a code is asked for at each sign-in.",
			 "有効：ログインのたびにコードが必要です。" } },
	[CODES_OFF] = { { "Off: the password alone is enough.", "無効：パスワードだけでログインできます。" } },
	[CODES_LINK] = { { "Set up", "設定する" } },
	[SESSIONS] = { { "Where you are signed in", "ログイン中の端末" } },
	[THIS_ONE] = { { "this one", "この端末" } },
	[END_OTHERS] = { { "End all others", "他の端末をすべてログアウト" } },
	[ENDED] = { { "Other sessions have ended.", "他のセッションを終了しました。" } },
	[ROLE] = { { "Role", "権限" } },
	[LONG_NAME] = { { "This name is too long.", "名前が長すぎます。" } },
};

const struct words page_role_words[ACCOUNT_OWNER + 1] = {
	[ACCOUNT_VIEWER] = { { "Viewer", "閲覧者" } },
	[ACCOUNT_EDITOR] = { { "Editor", "編集者" } },
	[ACCOUNT_OWNER] = { { "Owner", "管理者" } },
};

struct problems {
	const struct words *name;
	const struct words *old;
	const struct words *fresh;
	const struct words *again;
};

/* ---- the page ---- */

static void show_profile(struct page *page, const struct problems *problems)
{
	const struct web_session *session = &page->call->session;

	page_card_begin(page, &words[PROFILE]);
	page_facts_begin(page);
	page_fact(page, &words[EMAIL]);
	page_cstr(page, session->email);
	page_fact(page, &words[ROLE]);
	page_words(page, &page_role_words[session->role]);
	page_facts_end(page);
	PAGE_HTML(page, "<hr>");
	PAGE_FORM(page, "/admin/account");
	page_field(page, &(struct page_field){ .name = "name",
					       .label = &words[NAME],
					       .value = slice_of(session->name),
					       .error = problems->name,
					       .autocomplete = "name" });
	page_select_begin(page, &(struct page_field){ .name = "language",
						      .label = &words[LANGUAGE] });
	page_option(page, SLICE("0"), &words[LANGUAGE_BROWSER], session->language == 0);
	page_option(page, SLICE("1"), &words[ENGLISH], session->language == 1);
	page_option(page, SLICE("2"), &words[JAPANESE], session->language == 2);
	page_select_end(page);
	page_submit(page, TONE_GOOD, &words[SAVE]);
	page_form_end(page);
	page_card_end(page);
}

static void password_field(struct page *page, const char *name, const struct words *label,
			   const struct words *error)
{
	bool is_old = strcmp(name, "old") == 0;

	page_field(page, &(struct page_field){ .name = name,
					       .label = label,
					       .error = error,
					       .type = "password",
					       .autocomplete = is_old ? "current-password" :
									"new-password",
					       .is_required = true });
}

static void show_password(struct page *page, const struct problems *problems)
{
	bool has_codes = (page->call->session.rights & ACCOUNT_HAS_TOTP) != 0;

	page_card_begin(page, &words[CODES]);
	page_paragraph(page, has_codes ? &words[CODES_ON] : &words[CODES_OFF]);
	PAGE_ACTION(page, &words[CODES_LINK], "/admin/account/codes");
	page_card_end(page);
	page_card_begin(page, &words[PASSWORD]);
	PAGE_FORM(page, "/admin/account/password");
	password_field(page, "old", &words[OLD_PASSWORD], problems->old);
	password_field(page, "new", &words[NEW_PASSWORD], problems->fresh);
	password_field(page, "again", &words[AGAIN], problems->again);
	page_submit(page, TONE_GOOD, &words[CHANGE]);
	page_form_end(page);
	page_card_end(page);
}

static bool show_sessions(struct page *page)
{
	static const struct page_column columns[] = {
		{ { { "Address", "IPアドレス" } }, false },
		{ { { "Browser", "ブラウザー" } }, false },
		{ { { "Since", "開始" } }, false },
		{ { { "Last seen", "最終アクセス" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct call *call = page->call;
	struct account_session session = { .user = 0 };
	enum store_result result = audience_begin_read(call->web->reader);

	page_card_begin(page, &words[SESSIONS]);
	page_table_begin(page, &words[SESSIONS], columns);
	if (result == STORE_OK)
		result = account_session_after(call->web->reader, session.digest, &session);
	while (result == STORE_OK) {
		bool is_this = memcmp(session.digest, call->session.digest, SESSION_DIGEST) == 0;

		if (session.user == call->session.user) {
			page_row_begin(page);
			page_cell_text(page, slice_of(session.address));
			if (is_this) {
				PAGE_HTML(page, " ");
				page_badge(page, TONE_GOOD, &words[THIS_ONE]);
			}
			page_cell_text(page, slice_of(session.agent));
			page_cell_time(page, session.made_ms);
			page_cell_time(page, session.seen_ms);
			page_row_end(page);
		}
		result = account_session_after(call->web->reader, session.digest, &session);
	}
	audience_abort(call->web->reader);
	page_table_end(page);
	PAGE_BUTTON(page, TONE_BAD, &words[END_OTHERS], "/admin/account/sessions/end");
	page_card_end(page);
	return result == STORE_NOT_FOUND;
}

static void show(struct call *call, const struct problems *problems)
{
	bool is_wrong = problems->name || problems->old || problems->fresh || problems->again;
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_ACCOUNT, .title = &words[TITLE] });
	PAGE_HTML(&page, "<div class=\"columns\"><div>");
	show_profile(&page, problems);
	PAGE_HTML(&page, "</div><div>");
	show_password(&page, problems);
	PAGE_HTML(&page, "</div></div>");
	if (show_sessions(&page))
		page_end(&page, is_wrong ? 422 : 200);
	else
		call_refuse(call, 503, NULL, "sessions cannot be read");
}

void page_account(struct call *call)
{
	show(call, &(struct problems){ .name = NULL });
}

/* ---- changes ---- */

enum change { CHANGE_PROFILE, CHANGE_PASSWORD, END_SESSIONS };

struct account_order {
	struct call_order base;
	struct call_author author;
	enum change change;
	char email[ACCOUNT_EMAIL_MAX + 1];
	char name[ACCOUNT_NAME_MAX + 1];
	char kept[CRYPTO_PASSWORD_TEXT];
	u8 language;
	u32 user;
	u8 digest[SESSION_DIGEST];
};

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	static const char *const actions[] = { "user.profile", "user.password", "session.end" };
	struct account_order *order =
		container_of(scribe_order, struct account_order, base.order);
	struct account account;
	enum store_result result = account_get(txn, slice_of(order->email), &account);

	if (result == STORE_OK && account.id != order->user)
		return STORE_NOT_FOUND;
	if (result == STORE_OK && order->change == CHANGE_PROFILE) {
		slice_copy(account.name, sizeof(account.name), slice_of(order->name));
		account.language = order->language;
		result = account_put(txn, &account);
	}
	if (result == STORE_OK && order->change == CHANGE_PASSWORD) {
		slice_copy(account.password, sizeof(account.password), slice_of(order->kept));
		result = account_put(txn, &account);
	}
	if (result == STORE_OK && order->change != CHANGE_PROFILE)
		result = account_session_sweep(txn, order->user, UINT64_MAX, order->digest);
	explicit_bzero(&account, sizeof(account));
	return result == STORE_OK ? call_audit(txn, &order->author, actions[order->change],
					       slice_of(order->email))
				  : result;
}

static void on_written(struct call *call, struct call_order *base)
{
	static const enum word done[] = { SAVED, CHANGED, ENDED };
	const struct account_order *order = container_of(base, struct account_order, base);

	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_GOOD, &words[done[order->change]], "/admin/account");
}

static struct account_order *new_order(struct call *call, enum change change)
{
	struct account_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	order->base.order.apply = apply;
	order->base.answer = on_written;
	order->change = change;
	order->user = call->session.user;
	memcpy(order->digest, call->session.digest, SESSION_DIGEST);
	slice_copy(order->email, sizeof(order->email), slice_of(call->session.email));
	call_author(call, &order->author);
	return order;
}

void page_account_save(struct call *call)
{
	struct slice name = form_text(call->form, "name");
	struct account_order *order;
	u64 language = 0;

	if (!form_number(call->form, "language", &language) || language > LANGUAGES)
		language = 0;
	if (name.len > ACCOUNT_NAME_MAX) {
		show(call, &(struct problems){ .name = &words[LONG_NAME] });
		return;
	}
	order = new_order(call, CHANGE_PROFILE);
	if (!order)
		return;
	slice_copy(order->name, sizeof(order->name), name);
	order->language = (u8)language;
	call_give_order(call, &order->base);
}

void page_sessions_end(struct call *call)
{
	struct account_order *order = new_order(call, END_SESSIONS);

	if (order)
		call_give_order(call, &order->base);
}

static void on_kept(struct call *call, const struct password_work *work)
{
	struct account_order *order = new_order(call, CHANGE_PASSWORD);

	if (!order)
		return;
	slice_copy(order->kept, sizeof(order->kept), slice_of(work->kept));
	call_give_order(call, &order->base);
}

static void on_compared(struct call *call, const struct password_work *work)
{
	if (work->verdict == PASSWORD_RIGHT)
		password_make(call, form_get(call->form, "new"), on_kept);
	else
		show(call, &(struct problems){ .old = &words[WRONG] });
}

void page_password_change(struct call *call)
{
	struct slice email = slice_of(call->session.email);
	struct slice fresh = form_get(call->form, "new");
	struct problems problems = { .name = NULL };
	struct account account;
	enum store_result result;

	if (!password_will_do(fresh, email))
		problems.fresh = &words[WEAK];
	else if (!slice_equal(fresh, form_get(call->form, "again")))
		problems.again = &words[DIFFERENT];
	else if (!doorkeeper_lets(call->web->doorkeeper, call, email))
		problems.old = &words[WRONG];
	if (problems.fresh || problems.again || problems.old) {
		show(call, &problems);
		return;
	}
	result = audience_begin_read(call->web->reader);
	if (result == STORE_OK)
		result = account_get(call->web->reader, email, &account);
	audience_abort(call->web->reader);
	if (result != STORE_OK) {
		call_refuse(call, 503, NULL, "the account cannot be read");
		return;
	}
	password_check(call, form_get(call->form, "old"), account.password, email, on_compared);
	explicit_bzero(&account, sizeof(account));
}
