/* People who sign in: an owner invites them, gives them roles and rights, keeps them out. */
#include "base/text.h"
#include "web/page.h"
#include "web/user_order.h"

#include <string.h>

enum word {
	TITLE,
	INVITE,
	INVITE_HINT,
	EMAIL,
	NAME,
	ROLE,
	MAY_EXPORT,
	SEND_INVITATION,
	LINK,
	BACK,
	TAKEN,
	BAD_EMAIL,
	STATE_INVITED,
	STATE_BLOCKED,
	STATE_ACTIVE,
	STATE_CODES,
	SAVE,
	SAVED,
	BLOCK,
	UNBLOCK,
	DELETE,
	DELETED,
	NEW_LINK,
	END_SESSIONS,
	LAST_OWNER,
	YOU,
	EDIT,
	FULL,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Users", "ユーザー" } },
	[INVITE] = { { "Invite somebody", "ユーザーを招待" } },
	[INVITE_HINT] = { { "You get a link to hand on; it counts once, for seven days.",
			    "招待リンクが表示されます。リンクは7日間有効で、1回だけ使えます。" } },
	[EMAIL] = { { "E-mail address", "メールアドレス" } },
	[NAME] = { { "Name", "名前" } },
	[ROLE] = { { "Role", "権限" } },
	[MAY_EXPORT] = { { "An editor may export personal data",
			   "編集者に個人データのエクスポートを許可する" } },
	[SEND_INVITATION] = { { "Make the link", "リンクを作成" } },
	[LINK] = { { "Give this link to {1}. It is shown this one time.",
		     "このリンクを {1} に渡してください。表示は今回限りです。" } },
	[BACK] = { { "To the users", "ユーザー一覧へ" } },
	[TAKEN] = { { "There is a user with this address.", "このアドレスのユーザーは登録済みです。" } },
	[BAD_EMAIL] = { { "This is no e-mail address.", "メールアドレスの形式が正しくありません。" } },
	[STATE_INVITED] = { { "Invited", "招待中" } },
	[STATE_BLOCKED] = { { "Blocked", "停止中" } },
	[STATE_ACTIVE] = { { "Active", "有効" } },
	[STATE_CODES] = { { "Two-step", "2段階認証" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[BLOCK] = { { "Block", "停止" } },
	[UNBLOCK] = { { "Let in again", "停止を解除" } },
	[DELETE] = { { "Delete", "削除" } },
	[DELETED] = { { "The user is deleted.", "ユーザーを削除しました。" } },
	[NEW_LINK] = { { "Link for a new password", "パスワード再設定リンクを作成" } },
	[END_SESSIONS] = { { "Sign out everywhere", "すべてのセッションを終了" } },
	[LAST_OWNER] = { { "There has to be an owner who can sign in.",
			   "ログインできる管理者が1人以上必要です。" } },
	[YOU] = { { "you", "自分" } },
	[EDIT] = { { "Change", "変更" } },
	[FULL] = { { "There are as many users as there can be.", "ユーザー数が上限に達しています。" } },
};

static const struct page_head list_head = { .place = PLACE_USERS, .title = &words[TITLE] };

/* ---- the list ---- */

static void show_state(struct page *page, const struct account *account)
{
	if (account->flags & ACCOUNT_IS_BLOCKED)
		page_badge(page, TONE_BAD, &words[STATE_BLOCKED]);
	else if (account->flags & ACCOUNT_IS_INVITED)
		page_badge(page, TONE_WARNING, &words[STATE_INVITED]);
	else
		page_badge(page, TONE_GOOD, &words[STATE_ACTIVE]);
	if (account->flags & ACCOUNT_HAS_TOTP) {
		PAGE_HTML(page, " ");
		page_badge(page, TONE_NEUTRAL, &words[STATE_CODES]);
	}
}

static enum store_result show_list(struct page *page)
{
	static const struct page_column columns[] = {
		{ { { "E-mail address", "メールアドレス" } }, false },
		{ { { "Name", "名前" } }, false },
		{ { { "Role", "権限" } }, false },
		{ { { "State", "状態" } }, false },
		{ { { "Last sign-in", "最終ログイン" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct audience_txn *txn = page->call->web->reader;
	struct account account;
	enum store_result result = audience_begin_read(txn);

	page_table_begin(page, &words[TITLE], columns);
	if (result == STORE_OK)
		result = account_after(txn, SLICE(""), &account);
	while (result == STORE_OK) {
		page_row_begin(page);
		page_cell(page);
		PAGE_LINK_TEXT(page, slice_of(account.email), "/admin/users/{}",
			       DIGITS(account.id));
		if (account.id == page->call->session.user) {
			PAGE_HTML(page, " ");
			page_badge(page, TONE_NEUTRAL, &words[YOU]);
		}
		page_cell_text(page, slice_of(account.name));
		page_cell(page);
		page_words(page, &page_role_words[account.role]);
		page_cell(page);
		show_state(page, &account);
		page_cell_time(page, account.signed_in_ms);
		page_row_end(page);
		result = account_after(txn, slice_of(account.email), &account);
	}
	audience_abort(txn);
	page_table_end(page);
	return result;
}

static void role_field(struct page *page, enum account_role role)
{
	page_select_begin(page, &(struct page_field){ .name = "role", .label = &words[ROLE] });
	for (u32 i = ACCOUNT_VIEWER; i <= ACCOUNT_OWNER; i++)
		page_option(page, DIGITS(i), &page_role_words[i], i == role);
	page_select_end(page);
}

static void show_users(struct call *call, struct slice email, const struct words *problem)
{
	struct page page;

	page_begin(&page, call, &list_head);
	if (show_list(&page) != STORE_NOT_FOUND) {
		call_refuse(call, 503, NULL, "users cannot be read");
		return;
	}
	page_card_begin(&page, &words[INVITE]);
	page_paragraph(&page, &words[INVITE_HINT]);
	PAGE_FORM(&page, "/admin/users");
	page_field(&page, &(struct page_field){ .name = "email",
						.label = &words[EMAIL],
						.error = problem,
						.value = email,
						.type = "email",
						.autocomplete = "off",
						.length_max = ACCOUNT_EMAIL_MAX,
						.is_required = true });
	page_field(&page, &(struct page_field){ .name = "name",
						.label = &words[NAME],
						.autocomplete = "off" });
	role_field(&page, ACCOUNT_EDITOR);
	page_check(&page, "export", &words[MAY_EXPORT], false);
	page_submit(&page, TONE_GOOD, &words[SEND_INVITATION]);
	page_form_end(&page);
	page_card_end(&page);
	page_end(&page, problem ? 422 : 200);
}

void page_users(struct call *call)
{
	show_users(call, SLICE(""), NULL);
}

/* ---- changes ---- */

/* The link, once: of the token itself nothing is kept. */
static void show_link(struct call *call, const struct user_order *order)
{
	struct page page;
	struct buf link;

	page_begin(&page, call, &list_head);
	page_card_begin(&page, NULL);
	PAGE_HTML(&page, "<p>");
	PAGE_SENTENCE(&page, &words[LINK], slice_of(order->account.email));
	PAGE_HTML(&page, "</p>");
	buf_init(&link, 1024);
	user_order_link(order, call, &link);
	page_copy(&page, buf_slice(&link));
	explicit_bzero(link.ptr, link.len);
	buf_done(&link);
	PAGE_HTML(&page, "<p></p>");
	PAGE_ACTION(&page, &words[BACK], "/admin/users");
	page_card_end(&page);
	page_end(&page, 200);
}

static const struct words *problem_words(enum user_problem problem)
{
	switch (problem) {
	case USER_IS_FINE: break;
	case USER_IS_TAKEN: return &words[TAKEN];
	case USER_IS_TOO_MANY: return &words[FULL];
	case USER_IS_LAST_OWNER: return &words[LAST_OWNER];
	}
	return NULL;
}

static void on_written(struct call *call, struct call_order *base)
{
	const struct user_order *order = container_of(base, struct user_order, base);
	const struct words *problem = problem_words(order->problem);

	if (!call_order_is_well(call, base))
		return;
	if (problem && order->change == USER_INVITE)
		show_users(call, slice_of(order->email), problem);
	else if (problem)
		CALL_REDIRECT(call, TONE_BAD, problem, "/admin/users/{}", DIGITS(order->id));
	else if (order->change == USER_INVITE || order->change == USER_LINK)
		show_link(call, order);
	else if (order->change == USER_DELETE)
		CALL_REDIRECT(call, TONE_GOOD, &words[DELETED], "/admin/users");
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/users/{}",
			      DIGITS(order->id));
}

/* With what the form says; NULL: answered. */
static struct user_order *new_order(struct call *call, enum user_change change)
{
	struct user_order *order = user_order_open(call, change, on_written);
	u64 role = ACCOUNT_VIEWER;

	if (!order)
		return NULL;
	if (form_number(call->form, "role", &role) && role >= ACCOUNT_VIEWER &&
	    role <= ACCOUNT_OWNER)
		order->role = (enum account_role)role;
	order->gives = USER_GIVES_NAME | USER_GIVES_ROLE | USER_GIVES_EXPORT;
	order->may_export = form_has(call->form, "export");
	if (form_text(call->form, "name").len <= ACCOUNT_NAME_MAX)
		slice_copy(order->name, sizeof(order->name), form_text(call->form, "name"));
	return order;
}

void page_users_invite(struct call *call)
{
	struct slice email = form_text(call->form, "email");
	struct user_order *order = new_order(call, USER_INVITE);

	if (!order)
		return;
	if (user_order_set_email(order, email)) {
		call_give_order(call, &order->base);
		return;
	}
	user_order_drop(order);
	show_users(call, slice_first(email, ACCOUNT_EMAIL_MAX), &words[BAD_EMAIL]);
}

/* ---- one user ---- */

/* False: the call was answered. */
static bool find(struct call *call, struct account *account)
{
	u32 id;

	if (!slice_to_u32(slice_of(call->argument), &id))
		id = 0;
	return user_find(call, id, SLICE_NONE, account);
}

void page_user(struct call *call)
{
	bool is_blocked;
	struct account account;
	struct page page;

	if (!find(call, &account))
		return;
	is_blocked = (account.flags & ACCOUNT_IS_BLOCKED) != 0;
	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_USERS,
					.title = &words[EDIT],
					.named = slice_of(account.email),
					.crumbs = { { "/admin/users", &words[TITLE] } } });
	page_card_begin(&page, NULL);
	PAGE_HTML(&page, "<p>");
	show_state(&page, &account);
	PAGE_HTML(&page, "</p>");
	PAGE_FORM(&page, "/admin/users/{}", DIGITS(account.id));
	page_field(&page, &(struct page_field){ .name = "name",
						.label = &words[NAME],
						.value = slice_of(account.name),
						.autocomplete = "off" });
	role_field(&page, account.role);
	page_check(&page, "export", &words[MAY_EXPORT],
		   (account.flags & ACCOUNT_MAY_EXPORT) != 0);
	page_submit_as(&page, TONE_GOOD, &words[SAVE], "do", SLICE("save"));
	PAGE_HTML(&page, "<hr><div class=\"actions\">");
	page_submit_as(&page, TONE_NEUTRAL, &words[NEW_LINK], "do", SLICE("link"));
	page_submit_as(&page, TONE_NEUTRAL, is_blocked ? &words[UNBLOCK] : &words[BLOCK], "do",
		       is_blocked ? SLICE("unblock") : SLICE("block"));
	page_submit_as(&page, TONE_NEUTRAL, &words[END_SESSIONS], "do", SLICE("sessions"));
	page_submit_as(&page, TONE_BAD, &words[DELETE], "do", SLICE("delete"));
	PAGE_HTML(&page, "</div>");
	page_form_end(&page);
	page_card_end(&page);
	page_end(&page, 200);
	explicit_bzero(&account, sizeof(account));
}

void page_user_change(struct call *call)
{
	static const struct {
		const char *name;
		enum user_change change;
	} rows[] = { { "save", USER_SAVE },	{ "block", USER_BLOCK },
		     { "unblock", USER_UNBLOCK }, { "link", USER_LINK },
		     { "sessions", USER_END_SESSIONS }, { "delete", USER_DELETE } };
	struct slice wanted = form_get(call->form, "do");
	struct account account;
	struct user_order *order;

	if (!find(call, &account))
		return;
	for (size_t i = 0; i < array_count(rows); i++) {
		if (!slice_equal(wanted, slice_of(rows[i].name)))
			continue;
		order = new_order(call, rows[i].change);
		if (!order)
			return;
		order->id = account.id;
		call_give_order(call, &order->base);
		return;
	}
	call_refuse(call, 422, NULL, "it is not said what is to be done");
}
