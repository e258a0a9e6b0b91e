/*
 * Mail that is about no mail of ours and that a person wrote, or that a person should see: made
 * into a letter for whoever is configured (`receive { forward-to }`), from postmaster of the
 * customer that it came to, so that it aligns, with the mail as it came attached.
 */
#ifndef RECEIVE_FORWARD_H
#define RECEIVE_FORWARD_H

#include "base/buf.h"
#include "base/config.h"
#include "base/error.h"
#include "control/client.h"
#include "receive/finding.h"

#define FORWARD_MAX (8u << 20) /* of a mail beyond, only the header goes along */

/* Why a mail is not handed on. */
enum forward_verdict {
	FORWARD_GO,
	FORWARD_NOT_WANTED, /* nobody is configured */
	FORWARD_MACHINE,    /* what machines write to each other */
	FORWARD_LOOP,       /* it was handed on before, or has been going round */
	FORWARD_TOO_MANY,   /* in this hour */
};
const char *forward_verdict_name(enum forward_verdict verdict); /* "go", "loop", ... */

/* How many may go: a bucket that fills by the hour. */
struct forward_bucket {
	u64 since_ns;
	u32 left;
};
void forward_bucket_init(struct forward_bucket *bucket, u64 now_ns);

enum forward_verdict forward_judge(const struct config *config, const struct envelope *envelope,
				   enum report_kind kind, struct forward_bucket *bucket,
				   u64 now_ns);

/* The customer whose postmaster hands it on. */
const struct config_customer *forward_customer(const struct config *config,
					       const struct envelope *envelope);
/* The letter's source, CRLF line ends. `id` is the file's name. False: no memory. */
bool forward_compose(const struct config *config, const struct envelope *envelope, const char *id,
		     struct buf *out) MUST_CHECK;
/* Sends it as letter.send; what came of it, with the last request's sentence. */
enum control_answer forward_send(struct control_client *client, const struct config *config,
				 const struct envelope *envelope, const char *id,
				 struct error *error) MUST_CHECK;

#endif
