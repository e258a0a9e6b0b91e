/*
 * Between submission.c (what all connections share) and submitter.c (one connection). Nobody else
 * includes this.
 */
#ifndef RECEIVE_SUBMISSION_PARTS_H
#define RECEIVE_SUBMISSION_PARTS_H

#include "base/user_file.h"
#include "io/clerk.h"
#include "base/guard.h"
#include "receive/handover.h"
#include "receive/submission.h"

/* Which file the users were read from: another one is read anew. */
struct user_stamp {
	u64 inode;
	u64 size;
	u64 at_s;
	u64 at_ns;
};

struct submission {
	const struct config *config;
	struct timer_wheel *wheel;
	struct meter *meter;
	struct user_file users;
	struct user_stamp users_stamp;
	struct guard *guard;
	struct clerk *passwords;
	struct clerk *messages;
	struct spool *spool;
	struct handover *handover;
	char nobody[CRYPTO_PASSWORD_TEXT]; /* kept for names that nobody has */
};

/* submission.c: as the file says now; valid until the next call. NULL: nobody. */
const struct user *submission_find_user(struct submission *submission, struct slice name);

#endif
