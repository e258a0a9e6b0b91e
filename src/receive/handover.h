/*
 * The thread that brings what users handed in to the sender: file after file of the spool as
 * `letter.send` (control/letter.h), a few at once, under a key made of the file's name, so that one
 * that was brought before a crash is not sent twice. The file goes when the letter is durable
 * there. While the sender is away or has no room, files wait; what it refuses for good is moved to
 * the folder `bad` beside `new`, and the log says why.
 */
#ifndef RECEIVE_HANDOVER_H
#define RECEIVE_HANDOVER_H

#include "base/config.h"
#include "base/error.h"
#include "receive/meter.h"

struct handover;

/* The spool is there already. Signals are blocked. */
struct handover *handover_open(const struct config *config, struct meter *meter,
			       struct error *error) MUST_CHECK;
void handover_close(struct handover *handover); /* takes as long as the sender does; NULL is fine */
/* There is another file. From any thread. */
void handover_wake(struct handover *handover);

#endif
