/*
 * A change of a user as an order to the scribe, by the page and by the interface for programs: what
 * is refused is the same, and each leaves a line of the audit log.
 */
#ifndef WEB_USER_ORDER_H
#define WEB_USER_ORDER_H

#include "base/invitation.h"
#include "web/call.h"

enum user_change {
	USER_INVITE,
	USER_SAVE, /* what `gives` says */
	USER_BLOCK, /* his sessions end */
	USER_UNBLOCK,
	USER_LINK, /* for a new password */
	USER_END_SESSIONS,
	USER_DELETE,
	USER_CHANGES,
};

/* What a USER_SAVE is to change. */
enum user_given { USER_GIVES_NAME = 1, USER_GIVES_ROLE = 2, USER_GIVES_EXPORT = 4 };

enum user_problem {
	USER_IS_FINE,
	USER_IS_TAKEN, /* there is one with that address */
	USER_IS_TOO_MANY,
	USER_IS_LAST_OWNER, /* there has to be one who can sign in */
};

struct user_order {
	struct call_order base;
	struct call_author author;
	enum user_change change;
	u32 id; /* of whom; of an invited one afterwards, too */
	u32 gives;
	enum account_role role;
	bool may_export;
	char email[ACCOUNT_EMAIL_MAX + 1]; /* lower case; of an invitation */
	char name[ACCOUNT_NAME_MAX + 1];
	/* What came of it: */
	enum user_problem problem; /* nothing was changed, unless it is USER_IS_FINE */
	struct account account; /* as it is then */
	/* user_order.c's own: */
	u8 digest[SESSION_DIGEST];
	char token[INVITATION_TOKEN_SIZE];
};

/* By `email`, or by id when that is SLICE_NONE. False: the call was answered. */
bool user_find(struct call *call, u32 id, struct slice email, struct account *account) MUST_CHECK;

/* NULL: there is no memory, the call was answered. `answer` as of struct call_order. */
struct user_order *user_order_open(struct call *call, enum user_change change,
				   void (*answer)(struct call *call,
						  struct call_order *order)) MUST_CHECK;
/* False: it is no address of somebody who can sign in. */
bool user_order_set_email(struct user_order *order, struct slice email) MUST_CHECK;
/* Instead of giving it (call_give_order). */
void user_order_drop(struct user_order *order);
/*
 * For answer() of USER_INVITE and USER_LINK: adds the link, as the caller reaches us. It is there
 * this one time: of the token nothing is kept.
 */
void user_order_link(const struct user_order *order, const struct call *call, struct buf *out);

#endif
