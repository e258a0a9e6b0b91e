#include "web/user_order.h"

#include "base/text.h"
#include "message/address.h"

#include <stdlib.h>
#include <string.h>

static const char *const actions[USER_CHANGES] = {
	[USER_INVITE] = "user.invite",	 [USER_SAVE] = "user.change",
	[USER_BLOCK] = "user.block",	 [USER_UNBLOCK] = "user.unblock",
	[USER_LINK] = "user.link",	 [USER_END_SESSIONS] = "user.sessions-end",
	[USER_DELETE] = "user.delete",
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
	explicit_bzero(&account, sizeof(account));
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result add(struct user_order *order, struct audience_txn *txn)
{
	struct account *account = &order->account;
	u32 found;
	enum store_result result = count(txn, &found);

	if (result == STORE_OK)
		result = account_get(txn, slice_of(order->email), account);
	if (result == STORE_OK || (result == STORE_NOT_FOUND && found >= ACCOUNTS_MAX)) {
		order->problem = result == STORE_OK ? USER_IS_TAKEN : USER_IS_TOO_MANY;
		return STORE_OK;
	}
	if (result != STORE_NOT_FOUND)
		return result;
	*account = (struct account){ .role = order->role,
				     .flags = ACCOUNT_IS_INVITED |
					      (order->may_export ? ACCOUNT_MAY_EXPORT : 0u),
				     .made_ms = order->author.now_ms };
	slice_copy(account->email, sizeof(account->email), slice_of(order->email));
	slice_copy(account->name, sizeof(account->name), slice_of(order->name));
	invite(account, order);
	return account_put(txn, account);
}

static void save(struct account *account, const struct user_order *order)
{
	if (order->gives & USER_GIVES_ROLE)
		account->role = order->role;
	if (order->gives & USER_GIVES_EXPORT) {
		account->flags &= (u32)~ACCOUNT_MAY_EXPORT;
		account->flags |= order->may_export ? ACCOUNT_MAY_EXPORT : 0u;
	}
	if (order->gives & USER_GIVES_NAME)
		slice_copy(account->name, sizeof(account->name), slice_of(order->name));
}

static void edit(struct account *account, const struct user_order *order)
{
	switch (order->change) {
	case USER_SAVE: save(account, order); break;
	case USER_BLOCK: account->flags |= ACCOUNT_IS_BLOCKED; break;
	case USER_UNBLOCK: account->flags &= (u32)~ACCOUNT_IS_BLOCKED; break;
	case USER_LINK: invite(account, order); break;
	default: break;
	}
}

static bool is_owner(const struct account *account)
{
	return account->role == ACCOUNT_OWNER && !(account->flags & ACCOUNT_IS_BLOCKED);
}

static enum store_result change(struct user_order *order, struct audience_txn *txn)
{
	struct account *account = &order->account;
	u32 owners = 0;
	enum store_result result = account_get_by_id(txn, order->id, account);
	bool was_owner;

	if (result == STORE_OK)
		result = account_count_owners(txn, &owners);
	if (result != STORE_OK)
		return result;
	was_owner = is_owner(account);
	edit(account, order);
	if (was_owner && owners == 1 && (order->change == USER_DELETE || !is_owner(account))) {
		order->problem = USER_IS_LAST_OWNER;
		return STORE_OK;
	}
	result = order->change == USER_DELETE ? account_delete(txn, account)
					      : account_put(txn, account);
	if (result == STORE_OK &&
	    (order->change == USER_BLOCK || order->change == USER_END_SESSIONS))
		result = account_session_sweep(txn, account->id, UINT64_MAX, NULL);
	return result;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct user_order *order = container_of(scribe_order, struct user_order, base.order);
	enum store_result result;

	order->problem = USER_IS_FINE;
	result = order->change == USER_INVITE ? add(order, txn) : change(order, txn);
	if (result != STORE_OK || order->problem != USER_IS_FINE)
		return result;
	order->id = order->account.id;
	return call_audit(txn, &order->author, actions[order->change],
			  slice_of(order->account.email));
}

static void wipe(struct call_order *base)
{
	struct user_order *order = container_of(base, struct user_order, base);

	explicit_bzero(order->token, sizeof(order->token));
	explicit_bzero(&order->account, sizeof(order->account));
}

bool user_find(struct call *call, u32 id, struct slice email, struct account *account)
{
	enum store_result result = audience_begin_read(call->web->reader);

	if (result == STORE_OK)
		result = email.ptr ? account_get(call->web->reader, email, account)
				   : account_get_by_id(call->web->reader, id, account);
	audience_abort(call->web->reader);
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such user");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "users cannot be read");
	return result == STORE_OK;
}

struct user_order *user_order_open(struct call *call, enum user_change change_kind,
				   void (*answer)(struct call *call, struct call_order *order))
{
	struct user_order *order = calloc(1, sizeof(*order));
	u8 digest[SHA256_SIZE];

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	order->base.order.apply = apply;
	order->base.answer = answer;
	order->base.done = wipe;
	order->change = change_kind;
	order->role = ACCOUNT_VIEWER;
	invitation_make(order->token, digest);
	memcpy(order->digest, digest, SESSION_DIGEST);
	call_author(call, &order->author);
	return order;
}

bool user_order_set_email(struct user_order *order, struct slice email)
{
	struct address address;
	struct error ignored;

	if (!address_parse(&address, email, &ignored) || slice_find_char(email, ' ') >= 0 ||
	    !slice_copy(order->email, sizeof(order->email), email))
		return false;
	ascii_lower_in_place(order->email, email.len);
	return true;
}

void user_order_drop(struct user_order *order)
{
	wipe(&order->base);
	free(order);
}

void user_order_link(const struct user_order *order, const struct call *call, struct buf *out)
{
	const char *url = call->web->config->web.url;
	struct slice host = scgi_head_find(&call->head, SLICE("HTTP_HOST"));

	/* What the request calls us is believed only where nobody has said it. */
	if (url)
		buf_add_text(out, url);
	else
		buf_add_format(out, "https://%.*s", SLICE_FMT(slice_first(host, 300)));
	buf_add_format(out, "/admin/welcome/%s", order->token);
}
