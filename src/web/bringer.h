/*
 * The bringer: the thread that makes of campaigns what the sender sends. Once a second, and when it
 * is woken, it looks at each campaign that is not over: what is scheduled and due is made at the
 * sender and started, contacts of what runs are brought in batches as the sender wants them, and
 * what somebody ordered (pause, resume, cancel) is carried out.
 *
 * All that it needs to know is on the disk, here and at the sender, where how far the contacts were
 * brought is kept in one transaction with them: it may be killed at any moment, and goes on without
 * leaving anybody out or bringing anybody twice.
 */
#ifndef WEB_BRINGER_H
#define WEB_BRINGER_H

#include "base/config.h"
#include "campaign/link_token.h"
#include "web/scribe.h"

struct bringer;
struct identity_checker;

struct bringer_params {
	const struct config *config;
	struct audience *audience;
	struct scribe *scribe;
	const struct link_keys *links;
	/* NULL: campaigns begin whatever DNS says. */
	struct identity_checker *identity;
};

/* Starts the thread. NULL and a sentence: no memory, no thread. */
struct bringer *bringer_open(const struct bringer_params *params, struct error *error);
/* Waits for what it is at, half a minute at most. NULL is fine. Before the scribe is closed. */
void bringer_close(struct bringer *bringer);
/* Something was changed that it is to look at; any thread. */
void bringer_wake(struct bringer *bringer);

#endif
