/*
 * The follower: the thread that reads the sender's delivery log, entry after entry, and keeps what
 * it says of contacts and campaigns (campaign/delivery_note.h). How far it is is kept in the same
 * transaction as what it changed, and the sender is told, so that entries wait for it
 * (queue.log-wait): each counts once, whichever side dies.
 */
#ifndef WEB_LOG_FOLLOWER_H
#define WEB_LOG_FOLLOWER_H

#include "base/config.h"
#include "web/scribe.h"

#define LOG_FOLLOWER_READER "newsletters" /* the reader's name at the sender */
#define LOG_FOLLOWER_SETTING "log-position"

struct log_follower;

/* Starts the thread. NULL and a sentence. */
struct log_follower *log_follower_open(const struct config *config, struct audience *audience,
				       struct scribe *scribe, struct error *error);
/* Waits for what it is at, half a minute at most. NULL is fine. Before the scribe is closed. */
void log_follower_close(struct log_follower *follower);

#endif
