/* What a change of a contact means for the sequences that there are. */
#include "base/text.h"
#include "store/audience_enrolment.h"
#include "store/audience_parts.h"

bool enrolment_is_reachable(const struct contact *contact, u16 list)
{
	struct contact_member member;

	return contact->state == CONTACT_ACTIVE &&
	       (list == 0 || (contact_find_member(contact->lists, list, &member) &&
			      member.state == MEMBER_ACTIVE));
}

void enrolment_set_quiet(struct audience_txn *txn, bool is_quiet)
{
	txn->joins_quietly = is_quiet;
}

/* Once in a transaction that writes contacts, and again when a sequence was written. */
static enum store_result load_triggers(struct audience_txn *txn)
{
	struct audience_sequence s = { 0 };
	enum store_result result;

	if (txn->triggers_known)
		return STORE_OK;
	txn->trigger_count = 0;
	while ((result = audience_sequence_after(txn, s.id, &s)) == STORE_OK) {
		if (s.state != AUDIENCE_SEQUENCE_RUNNING && s.state != AUDIENCE_SEQUENCE_PAUSED)
			continue;
		if (txn->trigger_count < SEQUENCES_MAX)
			txn->triggers[txn->trigger_count++] = (struct audience_trigger){
				s.id, (u8)s.start, s.list, s.attribute
			};
	}
	txn->triggers_known = result == STORE_NOT_FOUND;
	return txn->triggers_known ? STORE_OK : result;
}

static bool same_date(const struct contact *a, const struct contact *b, u16 attribute)
{
	return slice_equal(contact_find_value(a->values, attribute),
			   contact_find_value(b->values, attribute));
}

static void foresee(const struct audience_trigger *trigger, bool is_quiet,
		    const struct contact *before, const struct contact *contact,
		    struct enrolment_changes *changes)
{
	const bool was = before && enrolment_is_reachable(before, trigger->list);
	const bool is = enrolment_is_reachable(contact, trigger->list);
	struct enrolment_change *change = &changes->of[changes->count];
	bool has_date;
	bool is_other;

	*change = (struct enrolment_change){ trigger->sequence, false };
	switch (trigger->start) {
	case AUDIENCE_SEQUENCE_BY_LIST:
		change->enters = !was && is && !is_quiet;
		changes->count += change->enters || (was && !is);
		return;
	case AUDIENCE_SEQUENCE_BY_DATE:
	case AUDIENCE_SEQUENCE_YEARLY:
		has_date = contact_find_value(contact->values, trigger->attribute).len > 0;
		is_other = !before || !same_date(before, contact, trigger->attribute);
		change->enters = is && has_date && (!was || is_other);
		changes->count += change->enters || (was && !is) || (is && is_other);
		return;
	default:
		changes->count += was && !is;
		return;
	}
}

enum store_result enrolment_foresee(struct audience_txn *txn, const struct contact *before,
				    const struct contact *contact,
				    struct enrolment_changes *changes)
{
	enum store_result result = load_triggers(txn);

	changes->count = 0;
	for (u32 i = 0; i < txn->trigger_count && result == STORE_OK; i++)
		foresee(&txn->triggers[i], txn->joins_quietly, before, contact, changes);
	return result;
}

enum store_result enrolment_follow(struct audience_txn *txn, u32 contact, u64 now_ms,
				   const struct enrolment_changes *changes)
{
	enum store_result result = STORE_OK;

	for (u32 i = 0; i < changes->count && result == STORE_OK; i++) {
		const struct enrolment_change *change = &changes->of[i];
		bool entered = false;

		if (change->enters)
			result = enrolment_enter(txn, change->sequence, contact, now_ms, &entered);
		if (result == STORE_OK && !entered)
			result = enrolment_touch(txn, change->sequence, contact, now_ms);
		if (result == STORE_NOT_FOUND)
			result = STORE_OK;
	}
	return result;
}
