/*
 * Who did what in the pages and by the interface for programs: written in the transaction of what
 * was done, kept for AUDIT_KEPT_MS. No personal data of contacts: ids and names of things.
 */
#ifndef STORE_AUDIENCE_AUDIT_H
#define STORE_AUDIENCE_AUDIT_H

#include "store/audience.h"

#define AUDIT_KEPT_MS (400 * 24 * 3600 * 1000ull)
#define AUDIT_TEXT_MAX 400 /* bytes of each text; longer ones are cut */

struct audit_entry {
	u64 at_ms;
	u16 number; /* of several of one moment; given by audit_add */
	struct slice who; /* "user mori@shop.example", "api shop", "console" */
	struct slice from; /* the peer's address; may be empty */
	struct slice action; /* "campaign.start": noun and verb */
	struct slice object; /* "campaign 3 Spring sale"; may be empty */
};

/* Adds one, and removes a few that are too old. */
enum store_result audit_add(struct audience_txn *txn, const struct audit_entry *entry) MUST_CHECK;
/*
 * The last one before that moment and number (UINT64_MAX, 0: the last of all); texts are views.
 */
enum store_result audit_before(struct audience_txn *txn, u64 at_ms, u16 number,
			       struct audit_entry *entry) MUST_CHECK;

/* Where somebody who reads the log is, as text that he brings back: "1780000000000.3". */
#define AUDIT_PLACE_SIZE 32
void audit_place_write(const struct audit_entry *entry, char out[AUDIT_PLACE_SIZE]);
/* For audit_before; an empty text is the end of the log. False: no such place. */
bool audit_place_read(struct slice text, u64 *at_ms, u16 *number) MUST_CHECK;

#endif
