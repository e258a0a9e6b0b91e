/*
 * Submission (RFC 6409): the doors where users hand in mail for others. What is common to all such
 * connections (users, failures, the threads that take what lasts long) is a `struct submission`;
 * what one connection needs beyond a visitor is a `struct submitter`. Messages that are whole stand
 * in a spool of their own, from where handover.h brings them to the sender.
 *
 * A submitter answers the questions of the protocol engine that it was given (server.h): at once,
 * or later, and then it says so by `moved`.
 */
#ifndef RECEIVE_SUBMISSION_H
#define RECEIVE_SUBMISSION_H

#include "base/buf.h"
#include "base/config.h"
#include "base/error.h"
#include "io/ring.h"
#include "io/timer.h"
#include "receive/meter.h"
#include "receive/spool.h"
#include "smtp/server.h"

struct submission;

struct submission_params {
	struct ring *ring;
	struct timer_wheel *wheel;
	const struct config *config; /* with a section submission */
	struct meter *meter;
};

/* Reads the users, opens the spool, starts the threads. Signals are blocked already. */
struct submission *submission_open(const struct submission_params *params, struct error *error)
	MUST_CHECK;
/* No submitter may be there. NULL is fine. */
void submission_close(struct submission *submission);
/* To be called after each ring_turn; NULL is fine. */
void submission_work(struct submission *submission);
/* Where messages go. */
struct spool *submission_spool(struct submission *submission);
/* Another one is durable. */
void submission_has_mail(struct submission *submission);

struct submitter;

struct submitter_params {
	struct submission *submission;
	struct smtp_server *server;
	struct spool_file *file; /* of submission_spool; its commit is begun here */
	struct slice client;	 /* bytes that name it to the guard; copied */
	const char *address;	 /* its text, for the log; copied */
	void (*moved)(void *owner); /* from ring_turn, timers or submission_work */
	void *owner;
};

/* NULL: no memory. */
struct submitter *submitter_open(const struct submitter_params *params) MUST_CHECK;
/* It may not be busy. NULL is fine. */
void submitter_close(struct submitter *submitter);
/* A thread is at work for it, on its file perhaps: neither may go. `moved` tells the end. */
bool submitter_is_busy(const struct submitter *submitter);

void submitter_auth(struct submitter *submitter, const struct smtp_credentials *given);
/*
 * MAIL and RCPT: true with lines of the envelope (submitted.h) added; the caller accepts. False: it
 * is refused already.
 */
bool submitter_mail(struct submitter *submitter, const struct smtp_mail *mail,
		    struct buf *envelope) MUST_CHECK;
bool submitter_rcpt(struct submitter *submitter, const struct smtp_rcpt *rcpt,
		    struct buf *envelope) MUST_CHECK;
/*
 * The content is in the file: it is looked at, and then the file's commit begins, or the message is
 * refused and the file dropped.
 */
void submitter_end(struct submitter *submitter);
/* What the log calls it. */
const char *submitter_user(const struct submitter *submitter);

#endif
