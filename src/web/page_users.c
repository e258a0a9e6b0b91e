/* People who sign in: an owner invites them, gives them roles and rights, keeps them out. */
#include "base/clock.h"
#include "base/invitation.h"
#include "base/text.h"
#include "message/address.h"
#include "web/page.h"

#include <stdlib.h>

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

enum change {
	CHANGE_INVITE,
	CHANGE_SAVE,
	CHANGE_BLOCK,
	CHANGE_UNBLOCK,
	CHANGE_LINK,
	CHANGE_DELETE,
};

struct user_order {
	struct call_order base;
	struct call_author author;
	enum change change;
	u32 id;
	enum account_role role;
	bool may_export;
	const struct words *problem;
	char email[ACCOUNT_EMAIL_MAX + 1];
	char name[ACCOUNT_NAME_MAX + 1];
	u8 digest[SESSION_DIGEST];
	char token[INVITATION_TOKEN_SIZE];
};

static void invite(struct account *account, const struct user_order *order)
{
	memcpy(account->invitation, order->digest, SESSION_DIGEST);
	account->invited_until_ms = order->author.now_ms + INVITATION_AGE_MS;
}

static enum store_result count(struct audience_txn *txn, u32 *found)
{
	struct account account;
	enum store_result result = account_after(txn, SLICE(""), &account);

	for (*found = 0; result == STORE_OK; (*found)++)
		result = account_after(txn, slice_of(account.email), &account);
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result add(struct user_order *order, struct audience_txn *txn)
{
	struct account account;
	u32 found;
	enum store_result result = count(txn, &found);

	if (result == STORE_OK)
		result = account_get(txn, slice_of(order->email), &account);
	if (result == STORE_OK || (result == STORE_NOT_FOUND && found >= ACCOUNTS_MAX)) {
		order->problem = result == STORE_OK ? &words[TAKEN] : &words[FULL];
		return STORE_OK;
	}
	if (result != STORE_NOT_FOUND)
		return result;
	account = (struct account){ .role = order->role,
				    .flags = ACCOUNT_IS_INVITED |
					     (order->may_export ? ACCOUNT_MAY_EXPORT : 0u),
				    .made_ms = order->author.now_ms };
	slice_copy(account.email, sizeof(account.email), slice_of(order->email));
	slice_copy(account.name, sizeof(account.name), slice_of(order->name));
	invite(&account, order);
	result = account_put(txn, &account);
	return result == STORE_OK ? call_audit(txn, &order->author, "user.invite",
					       slice_of(account.email))
				  : result;
}

static void change(struct account *account, const struct user_order *order)
{
	switch (order->change) {
	case CHANGE_SAVE:
		account->role = order->role;
		account->flags &= (u32)~ACCOUNT_MAY_EXPORT;
		account->flags |= order->may_export ? ACCOUNT_MAY_EXPORT : 0u;
		slice_copy(account->name, sizeof(account->name), slice_of(order->name));
		break;
	case CHANGE_BLOCK: account->flags |= ACCOUNT_IS_BLOCKED; break;
	case CHANGE_UNBLOCK: account->flags &= (u32)~ACCOUNT_IS_BLOCKED; break;
	case CHANGE_LINK: invite(account, order); break;
	case CHANGE_INVITE:
	case CHANGE_DELETE: break;
	}
}

static bool is_owner(const struct account *account)
{
	return account->role == ACCOUNT_OWNER && !(account->flags & ACCOUNT_IS_BLOCKED);
}

static enum store_result apply_change(struct user_order *order, struct audience_txn *txn)
{
	static const char *const actions[] = { "user.invite",  "user.change", "user.block",
					       "user.unblock", "user.link",   "user.delete" };
	struct account account;
	u32 owners = 0;
	enum store_result result = account_get_by_id(txn, order->id, &account);
	bool was_owner;

	if (result == STORE_OK)
		result = account_count_owners(txn, &owners);
	if (result != STORE_OK)
		return result;
	was_owner = is_owner(&account);
	change(&account, order);
	if (was_owner && owners == 1 && (order->change == CHANGE_DELETE || !is_owner(&account))) {
		order->problem = &words[LAST_OWNER];
		return STORE_OK;
	}
	result = order->change == CHANGE_DELETE ? account_delete(txn, &account)
						: account_put(txn, &account);
	if (result == STORE_OK && order->change == CHANGE_BLOCK)
		result = account_session_sweep(txn, account.id, UINT64_MAX, NULL);
	if (result == STORE_OK)
		result = call_audit(txn, &order->author, actions[order->change],
				    slice_of(account.email));
	explicit_bzero(&account, sizeof(account));
	return result;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct user_order *order = container_of(scribe_order, struct user_order, base.order);

	order->problem = NULL;
	return order->change == CHANGE_INVITE ? add(order, txn) : apply_change(order, txn);
}

static void wipe(struct call_order *base)
{
	struct user_order *order = container_of(base, struct user_order, base);

	explicit_bzero(order->token, sizeof(order->token));
}

/* The link, once: of the token itself nothing is kept. */
static void show_link(struct call *call, const struct user_order *order)
{
	struct slice host = scgi_head_find(&call->head, SLICE("HTTP_HOST"));
	struct page page;
	struct buf link;

	page_begin(&page, call, &list_head);
	page_card_begin(&page, NULL);
	PAGE_HTML(&page, "<p>");
	PAGE_SENTENCE(&page, &words[LINK], slice_of(order->email));
	PAGE_HTML(&page, "</p>");
	buf_init(&link, 1024);
	buf_add_text(&link, "https://");
	buf_add_slice(&link, slice_first(host, 300));
	buf_add_format(&link, "/admin/welcome/%s", order->token);
	page_copy(&page, buf_slice(&link));
	explicit_bzero(link.ptr, link.len);
	buf_done(&link);
	PAGE_HTML(&page, "<p></p>");
	PAGE_ACTION(&page, &words[BACK], "/admin/users");
	page_card_end(&page);
	page_end(&page, 200);
}

static void on_written(struct call *call, struct call_order *base)
{
	const struct user_order *order = container_of(base, struct user_order, base);

	if (!call_order_is_well(call, base))
		return;
	if (order->problem && order->change == CHANGE_INVITE)
		show_users(call, slice_of(order->email), order->problem);
	else if (order->problem)
		CALL_REDIRECT(call, TONE_BAD, order->problem, "/admin/users/{}",
			      DIGITS(order->id));
	else if (order->change == CHANGE_INVITE || order->change == CHANGE_LINK)
		show_link(call, order);
	else if (order->change == CHANGE_DELETE)
		CALL_REDIRECT(call, TONE_GOOD, &words[DELETED], "/admin/users");
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/users/{}",
			      DIGITS(order->id));
}

static struct user_order *new_order(struct call *call, enum change kind)
{
	struct user_order *order = calloc(1, sizeof(*order));
	u8 digest[SHA256_SIZE];
	u64 role = ACCOUNT_VIEWER;

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	order->base.order.apply = apply;
	order->base.answer = on_written;
	order->base.done = wipe;
	order->change = kind;
	if (form_number(call->form, "role", &role) && role >= ACCOUNT_VIEWER &&
	    role <= ACCOUNT_OWNER)
		order->role = (enum account_role)role;
	else
		order->role = ACCOUNT_VIEWER;
	order->may_export = form_has(call->form, "export");
	if (form_text(call->form, "name").len <= ACCOUNT_NAME_MAX)
		slice_copy(order->name, sizeof(order->name), form_text(call->form, "name"));
	invitation_make(order->token, digest);
	memcpy(order->digest, digest, SESSION_DIGEST);
	call_author(call, &order->author);
	return order;
}

void page_users_invite(struct call *call)
{
	struct slice email = form_text(call->form, "email");
	struct user_order *order;
	struct address address;
	struct error ignored;

	if (!address_parse(&address, email, &ignored) || email.len > ACCOUNT_EMAIL_MAX ||
	    slice_find_char(email, ' ') >= 0) {
		show_users(call, slice_first(email, ACCOUNT_EMAIL_MAX), &words[BAD_EMAIL]);
		return;
	}
	order = new_order(call, CHANGE_INVITE);
	if (!order)
		return;
	slice_copy(order->email, sizeof(order->email), email);
	ascii_lower_in_place(order->email, email.len);
	call_give_order(call, &order->base);
}

/* ---- one user ---- */

/* False: the call was answered. */
static bool find(struct call *call, struct account *account)
{
	enum store_result result = audience_begin_read(call->web->reader);
	u32 id;

	if (!slice_to_u32(slice_of(call->argument), &id))
		id = 0;
	if (result == STORE_OK)
		result = account_get_by_id(call->web->reader, id, account);
	audience_abort(call->web->reader);
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such user");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "users cannot be read");
	return result == STORE_OK;
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
		enum change change;
	} rows[] = { { "save", CHANGE_SAVE },
		     { "block", CHANGE_BLOCK },
		     { "unblock", CHANGE_UNBLOCK },
		     { "link", CHANGE_LINK },
		     { "delete", CHANGE_DELETE } };
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
		slice_copy(order->email, sizeof(order->email), slice_of(account.email));
		call_give_order(call, &order->base);
		return;
	}
	call_refuse(call, 422, NULL, "it is not said what is to be done");
}
