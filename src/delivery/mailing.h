/*
 * A mailing: a campaign as the workers need it. Compiled once by the planner, immutable while
 * leases of it are out, shared by all workers. Also where envelope senders and tokens come from.
 */
#ifndef DELIVERY_MAILING_H
#define DELIVERY_MAILING_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"
#include "message/message.h"
#include "store/queue.h"

#define MAILING_SECRET_SIZE 32
#define MAILING_TOKEN_MAX 48 /* text of a token */

/*
 * What a token may be used for; each purpose has its own key, so that one cannot stand for another.
 */
enum mailing_purpose {
	MAILING_BOUNCE = 'b',      /* envelope sender */
	MAILING_UNSUBSCRIBE = 'u', /* {{_token}} */
	MAILING_IDENTITY = 'i',    /* Message-ID */
};

struct mailing {
	u32 campaign;
	struct message *message; /* owned */
	struct message_facts facts;
	char name[64];
	char number[16]; /* the campaign's number as text, for {{_campaign}} */
	char customer[256];
	char bounce[64]; /* prefix of the envelope sender's local part */
	bool has_null_sender; /* of notices: nobody is told when they cannot be delivered */
	bool is_grouped;  /* the same for all: many recipients of it share a transaction */
	u64 date_ms;      /* Date of a grouped mailing: its start, set before any lease is out */
	u8 keys[3][SHA256_SIZE];
	size_t column_count;
};

/*
 * `secret` is the installation's (data/token.key). The message becomes the mailing's. NULL: no
 * memory.
 */
struct mailing *mailing_make(const struct queue_campaign *campaign, struct message *message,
			     size_t column_count, const char *bounce,
			     const u8 secret[MAILING_SECRET_SIZE]);
void mailing_free(struct mailing *mailing);

/*
 * What stands for a row in envelope sender and Message-ID: itself, or its campaign when the message
 * is the same for all.
 */
struct row_id mailing_identity(const struct mailing *mailing, const struct row_id *id);

/*
 * Token of a row for a purpose: 12 bytes of row id and 16 of HMAC-SHA256, in base32 (45
 * characters). The same row has the same tokens for ever. Writes no NUL; returns the length.
 */
size_t mailing_token(const struct mailing *mailing, enum mailing_purpose purpose,
		     const struct row_id *id, char out[MAILING_TOKEN_MAX]);
/* Reads a token back; false when it is not one of this installation for that purpose. */
bool mailing_token_check(const u8 secret[MAILING_SECRET_SIZE], enum mailing_purpose purpose,
			 struct slice token, struct row_id *id) MUST_CHECK;

/*
 * "bounce-<token>@example.jp" appended to `out`: the VERP envelope sender (RFC 5321 section 4.4);
 * nothing for a notice.
 */
void mailing_add_sender(const struct mailing *mailing, const struct row_id *id, struct buf *out);

/* What an address with a token is worth. */
enum mailing_tag {
	MAILING_TAG_NONE,   /* not such an address */
	MAILING_TAG_FORGED, /* looks like one; its token was not made here, so believe nothing */
	MAILING_TAG_OURS,
};
/*
 * Reads back what mailing_add_sender made, from the address that a report was sent to. `recipient`
 * is "local@domain" as RCPT TO has it, without < >; hosts change its letter case, put the local
 * part in quotes and add "+tag" to it, and none of that matters. Whether mail for the domain is
 * taken is the caller's business. `bounce` is the prefix that the customer's configuration has.
 *
 * OURS fills in *id: a row, or {campaign, 0, 0} for a mailing that was the same for all, whose
 * recipient the report itself has to name.
 */
enum mailing_tag mailing_read_sender(const u8 secret[MAILING_SECRET_SIZE], struct slice bounce,
				     struct slice recipient, struct row_id *id) MUST_CHECK;
/*
 * The same for an address of List-Unsubscribe. `mailto` is what the configuration or the campaign
 * has: "leave-{{_token}}@example.jp"; its domain is not looked at. *id is always a row.
 */
enum mailing_tag mailing_read_unsubscribe(const u8 secret[MAILING_SECRET_SIZE],
					  struct slice mailto, struct slice recipient,
					  struct row_id *id) MUST_CHECK;

/*
 * The same for a Message-ID, without < >, of a message that came back: what tells whom a complaint
 * is about, since that goes to one address for all mail. NONE when a template made it.
 */
enum mailing_tag mailing_read_message_id(const u8 secret[MAILING_SECRET_SIZE],
					 struct slice message_id, struct row_id *id) MUST_CHECK;

#endif
