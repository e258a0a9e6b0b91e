/* /api/v1/users: who may sign in to the pages. */
#include "base/text.h"
#include "web/field.h"
#include "web/route.h"
#include "web/user_order.h"

#include <stdio.h>
#include <string.h>

#define LINK_MAX 1024

/* ---- showing ---- */

static const char *state_of(const struct account *account)
{
	if (account->flags & ACCOUNT_IS_BLOCKED)
		return "blocked";
	return account->flags & ACCOUNT_IS_INVITED ? "invited" : "active";
}

static json_t *user_json(const struct account *account)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:b, s:s, s:b, s:I, s:I}", "id",
			 (json_int_t)account->id, "email", account->email, "name", account->name,
			 "role", invitation_role_names[account->role], "may_export",
			 (account->flags & ACCOUNT_MAY_EXPORT) != 0, "state", state_of(account),
			 "two_step", (account->flags & ACCOUNT_HAS_TOTP) != 0, "made_ms",
			 (json_int_t)account->made_ms, "signed_in_ms",
			 (json_int_t)account->signed_in_ms);
}

void api_users_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct account account;
	enum store_result result;
	json_t *users;

	if (!call_is_general(call))
		return;
	users = json_array();
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = account_after(txn, SLICE(""), &account);
	while (result == STORE_OK) {
		json_array_append_new(users, user_json(&account));
		result = account_after(txn, slice_of(account.email), &account);
	}
	audience_abort(txn);
	explicit_bzero(&account, sizeof(account));
	if (result == STORE_NOT_FOUND) {
		call_answer(call, 200, json_pack("{s:o}", "users", users));
		return;
	}
	json_decref(users);
	call_refuse(call, 503, NULL, "users cannot be read");
}

/* By id or by address. False: the call was answered. */
static bool find(struct call *call, struct account *account)
{
	struct slice who = slice_of(call->argument);
	u32 id = 0;

	if (slice_to_u32(who, &id))
		who = SLICE_NONE;
	return call_is_general(call) && user_find(call, id, who, account);
}

void api_user_show(struct call *call)
{
	struct account account;

	if (!find(call, &account))
		return;
	call_answer(call, 200, user_json(&account));
	explicit_bzero(&account, sizeof(account));
}

/* ---- changing ---- */

/* With the link for choosing a password, which is told this one time. */
static void answer_link(struct call *call, const struct user_order *order)
{
	json_t *json = user_json(&order->account);
	struct buf link;

	buf_init(&link, LINK_MAX);
	user_order_link(order, call, &link);
	if (json_object_set_new(json, "link", json_stringn(link.ptr, link.len)) < 0 ||
	    json_object_set_new(json, "link_until_ms",
				json_integer((json_int_t)order->account.invited_until_ms)) < 0) {
		json_decref(json);
		json = NULL;
	}
	explicit_bzero(link.ptr, link.len);
	buf_done(&link);
	if (order->change == USER_INVITE)
		buf_add_format(&call->answer_head, "Location: /api/v1/users/%u\r\n", order->id);
	call_answer(call, order->change == USER_INVITE ? 201 : 200, json);
}

static void on_written(struct call *call, struct call_order *base)
{
	const struct user_order *order = container_of(base, struct user_order, base);

	if (!call_order_is_well(call, base))
		return;
	if (order->problem == USER_IS_TAKEN)
		call_refuse(call, 409, "/email", "there is a user with this address");
	else if (order->problem == USER_IS_TOO_MANY)
		call_refuse(call, 409, NULL, "there are as many users as there can be");
	else if (order->problem == USER_IS_LAST_OWNER)
		call_refuse(call, 409, order->change == USER_SAVE ? "/role" : NULL,
			    "there has to be an owner who can sign in");
	else if (order->change == USER_INVITE || order->change == USER_LINK)
		answer_link(call, order);
	else if (order->change == USER_DELETE)
		call_answer_nothing(call, 204);
	else
		call_answer(call, 200, user_json(&order->account));
}

static bool read_role(struct call *call, struct user_order *order)
{
	const char *role;

	if (!field_text(call, call->json, "", "role", 16, &role))
		return false;
	for (u32 i = ACCOUNT_VIEWER; role && i <= ACCOUNT_OWNER; i++) {
		if (strcmp(role, invitation_role_names[i]) != 0)
			continue;
		order->role = (enum account_role)i;
		order->gives |= USER_GIVES_ROLE;
		return true;
	}
	if (role)
		call_refuse(call, 422, "/role", "a role is viewer, editor or owner");
	return !role;
}

/* What a new one and a change have in common. False: the call was answered. */
static bool read_profile(struct call *call, struct user_order *order)
{
	const json_t *may_export = json_object_get(call->json, "may_export");
	const char *name;

	if (!field_text(call, call->json, "", "name", ACCOUNT_NAME_MAX, &name) ||
	    !read_role(call, order))
		return false;
	if (may_export && !json_is_boolean(may_export)) {
		call_refuse(call, 422, "/may_export", "may_export must be true or false");
		return false;
	}
	if (name) {
		slice_copy(order->name, sizeof(order->name), slice_of(name));
		order->gives |= USER_GIVES_NAME;
	}
	order->may_export = json_is_true(may_export);
	order->gives |= may_export ? USER_GIVES_EXPORT : 0u;
	return true;
}

static bool read_invitation(struct call *call, struct user_order *order)
{
	static const char *const names[] = { "email", "name", "role", "may_export", NULL };
	const char *email;

	if (!field_known(call, call->json, "", names) ||
	    !field_text(call, call->json, "", "email", ACCOUNT_EMAIL_MAX, &email) ||
	    !read_profile(call, order))
		return false;
	if (!email || !user_order_set_email(order, slice_of(email)))
		call_refuse(call, 422, "/email", "email must be an e-mail address");
	else if (!(order->gives & USER_GIVES_ROLE))
		call_refuse(call, 422, "/role", "a role is viewer, editor or owner");
	else
		return true;
	return false;
}

static bool read_change(struct call *call, struct user_order *order)
{
	static const char *const names[] = { "name", "role", "may_export", NULL };

	return field_known(call, call->json, "", names) && read_profile(call, order);
}

void api_users_invite(struct call *call)
{
	struct user_order *order;

	if (!call_is_general(call))
		return;
	order = user_order_open(call, USER_INVITE, on_written);
	if (!order)
		return;
	if (read_invitation(call, order))
		call_give_order(call, &order->base);
	else
		user_order_drop(order);
}

static void change(struct call *call, enum user_change change_kind)
{
	struct user_order *order;
	struct account account;

	if (!find(call, &account))
		return;
	order = user_order_open(call, change_kind, on_written);
	if (!order)
		return;
	order->id = account.id;
	explicit_bzero(&account, sizeof(account));
	if (change_kind != USER_SAVE || read_change(call, order))
		call_give_order(call, &order->base);
	else
		user_order_drop(order);
}

void api_user_change(struct call *call)
{
	change(call, USER_SAVE);
}

void api_user_delete(struct call *call)
{
	change(call, USER_DELETE);
}

void api_user_block(struct call *call)
{
	change(call, USER_BLOCK);
}

void api_user_unblock(struct call *call)
{
	change(call, USER_UNBLOCK);
}

void api_user_link(struct call *call)
{
	change(call, USER_LINK);
}

void api_user_end_sessions(struct call *call)
{
	change(call, USER_END_SESSIONS);
}
