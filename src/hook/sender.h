/*
 * What the role `hook` asks the sender over its control socket: entries of the delivery log, and
 * how far each hook is. Short questions, one after the other; a sender that is not there is looked
 * for again once a second.
 */
#ifndef HOOK_SENDER_H
#define HOOK_SENDER_H

#include "control/client.h"
#include "hook/courier.h"

struct hook_sender {
	const char *path;
	struct control_client *client; /* NULL: not connected */
	u64 next_try_ns;
	bool was_lost; /* said already */
	u64 last;      /* number of the log's newest entry */
};

void hook_sender_init(struct hook_sender *sender, const char *path);
void hook_sender_done(struct hook_sender *sender);
/* Connects when it is time to. False: there is no connection now. */
bool hook_sender_ready(struct hook_sender *sender, u64 now_ns);

/*
 * All of these: false when the connection is gone; who is told so comes again. Refusals are in the
 * log, and as if nothing had been asked.
 */

/* Where the log ends, and what the sender has of each courier; those that are new are made. */
bool hook_sender_look(struct hook_sender *sender, struct courier *couriers, size_t count,
		      u64 now_ns);
/* Entries for a courier's next batch. */
bool hook_sender_fetch(struct hook_sender *sender, struct courier *courier, u64 now_ns);
/* How far it is, and what there is to say. */
bool hook_sender_tell(struct hook_sender *sender, struct courier *courier, u64 now_ns);
bool hook_sender_tell_test(struct hook_sender *sender, struct courier *courier, u64 now_ns);

#endif
