/*
 * Mails that people asked for: to confirm a form, with the form's texts or words of ours; to come
 * to their data; to confirm another address. Given to the sender as a letter each; its key is made
 * of what it is about, so that giving it twice sends it once.
 */
#ifndef WEB_CONFIRM_MAIL_H
#define WEB_CONFIRM_MAIL_H

#include "message/address.h"
#include "store/audience_sender_order.h"
#include "web/call.h"

struct confirm_mail {
	bool is_wanted; /* false: form or contact are gone, or it cannot be sent */
	char key[CONTROL_NAME_MAX + 1];
	char domain[ADDRESS_DOMAIN_MAX + 1];
	struct buf headers;
	struct buf text;
	struct buf recipient;
};

/* Within a reading transaction; all zero before. STORE_OK also when it is not wanted. */
enum store_result confirm_mail_make(struct confirm_mail *mail, struct web *web,
				    struct audience_txn *txn,
				    const struct sender_order *order) MUST_CHECK;
void confirm_mail_ask(const struct confirm_mail *mail, struct exchange *exchange);
void confirm_mail_done(struct confirm_mail *mail);
/* What a token says of an address (LINK_ADDRESS), wire form. */
u64 confirm_mail_hash(struct slice address);

#endif
