/*
 * Who is in which sequence, and how far: one record for a sequence and a contact, found by the
 * contact and by the moment at which it is to be looked at again. What becomes of it then is
 * campaign/sequence.h's business.
 *
 * People enter by what happens to contacts: contact_add and contact_put note it in the same
 * transaction (enrolment_foresee, enrolment_follow), whoever calls them. Who becomes a member of
 * the list that starts a sequence enters; who has a date that a sequence is about enters, and is
 * looked at anew when the date changes; who cannot be reached any more is looked at at once, and
 * leaves. A list that was left and is joined again goes on where it was.
 */
#ifndef STORE_AUDIENCE_ENROLMENT_H
#define STORE_AUDIENCE_ENROLMENT_H

#include "store/audience_sequence.h"
#include "store/contact_record.h"

#define SEQUENCE_DONE_MAX 120 /* ids that an enrolment remembers; the oldest go first */
#define SEQUENCE_NEVER UINT64_MAX

enum sequence_state { SEQUENCE_WAITING = 1, SEQUENCE_THROUGH, SEQUENCE_LEFT }; /* stored */

/* A step that was sent or passed by, and for which day (by moment: 0). */
struct sequence_done {
	u32 id;
	i32 day;
};

struct sequence_enrolment {
	enum sequence_state state;
	u64 base_ms; /* what the next wait counts from */
	i32 day;     /* that steps are about, by date */
	u32 step;    /* that it waits for; 0: none */
	u64 due_ms;  /* when to look again; SEQUENCE_NEVER: when something changes */
	u32 done_count;
	struct sequence_done done[SEQUENCE_DONE_MAX];
};

struct audience_enrolment {
	u32 sequence;
	u32 contact;
	u64 entered_ms;
	struct sequence_enrolment at;
};

enum store_result enrolment_get(struct audience_txn *txn, u32 sequence, u32 contact,
				struct audience_enrolment *enrolment) MUST_CHECK;
/* Also a new one. Numbers follow. */
enum store_result enrolment_put(struct audience_txn *txn,
				const struct audience_enrolment *enrolment) MUST_CHECK;
/* The contact's first one with a greater sequence id. NOT_FOUND: there are no more. */
enum store_result enrolment_of_contact(struct audience_txn *txn, u32 contact, u32 sequence,
				       struct audience_enrolment *enrolment) MUST_CHECK;
/* All that there is of a contact that is erased. */
enum store_result enrolments_erase(struct audience_txn *txn, u32 contact) MUST_CHECK;

/* Where an enrolment stands in the order of a sequence: who is due first comes first. */
struct enrolment_place {
	u64 due_ms; /* SEQUENCE_NEVER: those who are through or left, and wait for nothing */
	u32 contact;
};
/* The first one behind `after`, which may be the same. NOT_FOUND: there are no more. */
enum store_result enrolment_next(struct audience_txn *txn, u32 sequence,
				 const struct enrolment_place *after,
				 struct enrolment_place *found) MUST_CHECK;

/* So many of the sequence are in that state; so many wait for the step. */
enum store_result enrolment_count(struct audience_txn *txn, u32 sequence,
				  enum sequence_state state, u64 *count) MUST_CHECK;
enum store_result enrolment_count_for(struct audience_txn *txn, u32 step, u64 *count) MUST_CHECK;

/* Enters at that moment, or comes back when it left; else nothing. *entered: whether it did. */
enum store_result enrolment_enter(struct audience_txn *txn, u32 sequence, u32 contact, u64 now_ms,
				  bool *entered) MUST_CHECK;
/* Is looked at again at once. NOT_FOUND: it is not in it. */
enum store_result enrolment_touch(struct audience_txn *txn, u32 sequence, u32 contact,
				  u64 now_ms) MUST_CHECK;

/* ---- what contacts' changes mean ---- */

/* Whether somebody like this can be reached by a sequence about that list (0: about none). */
bool enrolment_is_reachable(const struct contact *contact, u16 list);

/* Joining a list starts nothing in this transaction from now on (or again): for imports. */
void enrolment_set_quiet(struct audience_txn *txn, bool is_quiet);

struct enrolment_change {
	u32 sequence;
	bool enters; /* else it is looked at again, if it is in it */
};
struct enrolment_changes {
	u32 count;
	struct enrolment_change of[SEQUENCES_MAX];
};
/* Before the contact is written: what follows. `before` NULL: it is a new one. */
enum store_result enrolment_foresee(struct audience_txn *txn, const struct contact *before,
				    const struct contact *contact,
				    struct enrolment_changes *changes) MUST_CHECK;
enum store_result enrolment_follow(struct audience_txn *txn, u32 contact, u64 now_ms,
				   const struct enrolment_changes *changes) MUST_CHECK;

#endif
