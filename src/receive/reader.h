/*
 * The thread that reads what came in: file after file of spool/new is judged (finding.h) and told
 * to the sender over its control socket, many by one request, and goes when the sender's answer is
 * there: it is durable then. A file that is told again after a crash is known to the sender by its
 * name. What a person should see is handed on (forward.h).
 *
 * While the sender is away, or has no room, files wait. Others may be read before an older one that
 * the sender could not take alone. A file at which the process ended three times in a row, and one
 * that the sender will never take, is moved to spool/bad.
 */
#ifndef RECEIVE_READER_H
#define RECEIVE_READER_H

#include "base/config.h"
#include "base/error.h"
#include "receive/meter.h"

struct reader;

/* The spool is there already; signals are blocked. All of it outlives the reader. */
struct reader *reader_open(const struct config *config, struct meter *meter,
			   struct error *error) MUST_CHECK;
/* Takes at most as long as the sender takes for an answer; NULL is fine. */
void reader_close(struct reader *reader);
/* There is another file. From any thread. */
void reader_wake(struct reader *reader);

#endif
