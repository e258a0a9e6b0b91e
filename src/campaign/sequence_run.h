/*
 * Sequences as they are kept, moved on: whose time has come is looked at by the rules of sequence.h
 * with what the audience knows of the contact, and what comes of it (the enrolment's new state, the
 * mail that is to go) is written by the same transaction. So whatever dies when, a step is either
 * still to be decided or decided once.
 *
 * Only what is due is read: the order of due times is an index. After an edit those who wait are
 * looked at anew, around a date contacts are asked for one when the sequence begins; both go on a
 * batch at a time, and how far they are is kept with the sequence.
 */
#ifndef CAMPAIGN_SEQUENCE_RUN_H
#define CAMPAIGN_SEQUENCE_RUN_H

#include "campaign/sequence.h"

/* Mails of one step that the sender has not taken: beyond, nobody moves on. */
#define SEQUENCE_AHEAD_MAX 5000

/* The rules of a kept sequence; `zone` is filled in and outlives `sequence`. False: a sentence. */
bool sequence_of(const struct audience_sequence *kept, struct time_zone *zone,
		 struct sequence *sequence, struct error *error) MUST_CHECK;

/* Whether sequence_run would find something to do now; also within a transaction that reads. */
bool sequence_is_due(struct audience_txn *txn, const struct audience_sequence *kept, u64 now_ms);

struct sequence_ran {
	u32 looked; /* enrolments and contacts */
	u32 sent;
	u32 passed;
	bool has_more; /* at once */
	bool is_paused; /* its conditions cannot be asked any more: `error` says why */
	struct error error;
};
/* One batch, of `most` enrolments at most. Of a sequence that does not run: nothing. */
enum store_result sequence_run(struct audience_txn *txn, u32 id, u64 now_ms, u32 most,
			       struct sequence_ran *ran) MUST_CHECK;

#endif
