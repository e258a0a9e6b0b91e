/*
 * Who handed in a message that the sender then refuses for good (its customer is no more, say) was
 * told that it was taken: he is told by mail that it does not go, with the reason (RFC 3464).
 */
#ifndef RECEIVE_REFUSED_H
#define RECEIVE_REFUSED_H

#include "base/config.h"
#include "control/client.h"
#include "receive/submitted.h"

enum refused_result {
	REFUSED_TOLD,
	REFUSED_NOBODY, /* it had no sender, or the notice cannot be sent either: `error` */
	REFUSED_LATER,  /* the sender is away, or has no room: `error`; the same call again */
};

/*
 * A letter of its own under a key made from `name`, the message's: told once, however often this is
 * called. `client` is at a request's beginning, and so it is behind TOLD; else it is spent.
 */
enum refused_result refused_tell(const struct config *config, struct control_client *client,
				 const struct submitted *mail, const char *name, const char *why,
				 struct error *error) MUST_CHECK;

#endif
