/*
 * A message that a user handed in, as its file in the spool has it (spool.h): read, and judged. The
 * envelope has more lines than that of mail that comes in:
 *
 *   client 192.0.2.1                  from ann@example.jp
 *   hello laptop                      to bob@example.net
 *   user ann                          notify 6
 *   customer example.jp               orcpt rfc822;bob@example.net
 *   ret 2
 *   envid QQ314159
 *
 * `notify` and `orcpt` belong to the `to` in front of them; they and ret (enum smtp_return) and
 * envid are there when the client said them. Addresses of recipients are in wire form.
 */
#ifndef RECEIVE_SUBMITTED_H
#define RECEIVE_SUBMITTED_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"
#include "base/user_file.h"

#define SUBMITTED_RECIPIENTS_MAX 1000
#define SUBMITTED_FIELDS_MAX 56 /* header fields; the sender adds some and signs at most 64 */
#define SUBMITTED_RECEIVED_MAX 30 /* of them: it goes in circles (RFC 5321 section 6.3) */

struct submitted_recipient {
	struct slice address;
	struct slice orcpt; /* empty: unsaid */
	u8 notify;	    /* enum smtp_notify */
};

/* Views of the file. */
struct submitted {
	struct slice user;
	struct slice customer;
	struct slice from; /* empty: <> */
	struct slice envid;
	u32 ret; /* enum smtp_return */
	struct submitted_recipient recipients[SUBMITTED_RECIPIENTS_MAX];
	u32 recipient_count;
	struct slice received; /* our trace field, with its line end */
	struct slice content;  /* as the client sent it */
};

/* False: it is no such file, or a part of one; the sentence says where. */
bool submitted_read(struct submitted *mail, struct slice file, struct error *error) MUST_CHECK;

/*
 * Whether the content can be sent, and as that user. False: the sentence is for the client, and
 * begins with an enhanced code: "5.6.0 message:3: Subject: it holds a control character". Takes
 * time and several times the content's size of memory; `retry`: only the latter lacked.
 */
bool submitted_check(struct slice content, const struct user *user, bool *retry,
		     struct error *error) MUST_CHECK;

/*
 * Header fields that the message lacks, made from the name of its file, so that they are the same
 * each time it is read: Date (its time) and Message-ID (RFC 6409 section 8.2 and 8.3).
 */
void submitted_add_missing(const struct submitted *mail, struct slice id, struct buf *out);

#endif
