#include "campaign/import_apply.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "campaign/subscription.h"
#include "store/audience_enrolment.h"
#include "store/audience_list.h"

#include <stdio.h>

/* ---- lists that are not there any more ---- */

static bool is_gone(const struct import_apply *apply, u16 list)
{
	for (u32 i = 0; i < apply->gone_count; i++) {
		if (apply->gone[i] == list)
			return true;
	}
	return false;
}

static enum store_result look_at(struct import_apply *apply, struct audience_txn *txn, u16 id)
{
	struct audience_list list;
	enum store_result result;

	if (is_gone(apply, id))
		return STORE_OK;
	result = audience_list_get(txn, id, &list);
	if (result != STORE_NOT_FOUND)
		return result;
	ASSERT(apply->gone_count < array_count(apply->gone));
	apply->gone[apply->gone_count++] = id;
	return STORE_OK;
}

enum store_result import_apply_begin(struct import_apply *apply, struct audience_txn *txn)
{
	const struct import *import = &apply->import;
	enum store_result result = STORE_OK;

	snprintf(apply->by, sizeof(apply->by), "import %u", import->id);
	apply->gone_count = 0;
	for (u32 i = 0; i < import->list_count && result == STORE_OK; i++)
		result = look_at(apply, txn, import->lists[i]);
	for (u32 i = 0; i < import->column_count && result == STORE_OK; i++) {
		if (import->columns[i].target == IMPORT_LIST)
			result = look_at(apply, txn, import->columns[i].id);
	}
	return result;
}

/* ---- reports ---- */

static enum store_result report(struct import_apply *apply, struct audience_txn *txn,
				const struct import_report *found)
{
	if (apply->import.counts.reports++ >= IMPORT_REPORTS_MAX)
		return STORE_OK;
	return import_report_add(txn, apply->import.id, found);
}

static enum store_result report_row(struct import_apply *apply, struct audience_txn *txn,
				    const struct import_row *row)
{
	struct import_counts *counts = &apply->import.counts;
	enum store_result result = STORE_OK;

	counts->values_bad += row->values_bad;
	for (u32 i = 0; i < row->finding_count && result == STORE_OK; i++) {
		enum import_kind kind = (enum import_kind)row->findings[i].kind;

		counts->duplicates += kind == IMPORT_DUPLICATE;
		counts->odd += kind == IMPORT_ADDRESS_ODD;
		counts->bad += import_kind_refuses(kind) && kind != IMPORT_DUPLICATE;
		result = report(apply, txn, &row->findings[i]);
	}
	return result;
}

/* ---- one contact ---- */

/* Joins one list: who left it, or has not confirmed it, is in it again by a new consent alone. */
static void join(struct import_apply *apply, struct buf *lists, u16 list)
{
	const struct contact_member member = { list, MEMBER_ACTIVE,
					       (u32)(apply->now_ms / MS_PER_S) };
	char room[sizeof(apply->lists)];
	struct contact_member known;
	struct slice before = { room, lists->len };

	if (is_gone(apply, list) ||
	    (contact_find_member(buf_slice(lists), list, &known) &&
	     (known.state == MEMBER_ACTIVE || !apply->import.has_consent)))
		return;
	if (lists->len > 0)
		memcpy(room, lists->ptr, lists->len);
	buf_reset(lists);
	contact_add_member(lists, before, &member);
}

/* What counts more wins: the file can stop mail, and a new consent alone lets it go on. */
static void change_state(const struct import_apply *apply, const struct import_row *row,
			 struct contact *contact)
{
	bool renews = apply->import.has_consent;

	if (renews && (contact->state == CONTACT_UNSUBSCRIBED || contact->state == CONTACT_PENDING))
		contact->state = CONTACT_ACTIVE;
	if (row->state > contact->state)
		contact->state = row->state;
	if (renews && row->suppressed == CONTACT_UNSUBSCRIBED)
		return;
	if (row->suppressed > contact->state)
		contact->state = row->suppressed;
}

/* What the row makes of the contact; `contact` has what is there already. False: it is too much. */
static bool change(struct import_apply *apply, const struct import_row *row,
		   struct contact *contact)
{
	struct buf lists = { .ptr = apply->lists,
			     .size = sizeof(apply->lists),
			     .max = sizeof(apply->lists) };
	struct buf values = { .ptr = apply->values,
			      .size = sizeof(apply->values),
			      .max = sizeof(apply->values) };

	buf_add_slice(&lists, contact->lists);
	for (u32 i = 0; i < apply->import.list_count; i++)
		join(apply, &lists, apply->import.lists[i]);
	for (u32 i = 0; i < row->join_count; i++)
		join(apply, &lists, row->joins[i]);
	contact_merge_values(&values, contact->values, row->values);
	change_state(apply, row, contact);
	contact->lists = buf_slice(&lists);
	contact->values = buf_slice(&values);
	return !lists.failed && !values.failed && values.len <= CONTACT_VALUES_MAX;
}

static enum store_result refuse(struct import_apply *apply, struct audience_txn *txn,
				const struct import_row *row, enum import_kind kind)
{
	const struct import_report found = { .line = row->line,
					     .kind = (u8)kind,
					     .problem = (u8)row->suppressed,
					     .text = row->address };

	if (kind == IMPORT_ERASED)
		apply->import.counts.erased++;
	else
		apply->import.counts.bad++;
	return report(apply, txn, &found);
}

static enum store_result note_history(struct import_apply *apply, struct audience_txn *txn,
				      u32 contact, enum history_kind kind)
{
	struct history_event event = { .at_ms = apply->now_ms,
				       .kind = kind,
				       .fields = { slice_of(apply->by) },
				       .field_count = 1 };
	enum store_result result = contact_history_add(txn, contact, &event);

	if (result != STORE_OK || apply->import.consent_source.len == 0)
		return result;
	/* The text stands in the import's record, which outlives what it brought. */
	event.kind = HISTORY_CONSENT;
	event.fields[4] = apply->import.consent_source;
	event.field_count = 5;
	return contact_history_add(txn, contact, &event);
}

/* Who gets no mail is counted, and told of unless the file says so itself. */
static enum store_result report_stopped(struct import_apply *apply, struct audience_txn *txn,
					const struct import_row *row, enum contact_state state)
{
	const struct import_report found = { .line = row->line,
					     .kind = IMPORT_STOPPED,
					     .problem = (u8)state,
					     .text = row->address };

	if (state < CONTACT_BOUNCED)
		return STORE_OK;
	apply->import.counts.stopped++;
	return row->state == state ? STORE_OK : report(apply, txn, &found);
}

/* What the sender does not know yet; `before` is what the audience knew. */
static enum store_result tell(struct audience_txn *txn, const struct import_row *row,
			      const struct contact *before,
			      const struct contact *contact)
{
	struct contact known = *before;

	if (row->suppressed)
		known.state = contact->state >= CONTACT_BOUNCED ? contact->state : row->suppressed;
	return subscription_tell(txn, &known, contact);
}

static enum store_result add(struct import_apply *apply, struct audience_txn *txn,
			     const struct import_row *row)
{
	const struct contact nobody = { .state = CONTACT_ACTIVE };
	struct contact contact = { .state = row->state == CONTACT_PENDING ? CONTACT_PENDING :
									    CONTACT_ACTIVE,
				   .created_ms = apply->now_ms,
				   .changed_ms = apply->now_ms,
				   .address = row->address };
	enum store_result result;
	u64 erased_ms;

	result = erased_find(txn, row->key, &erased_ms);
	if (result == STORE_OK && !apply->import.has_consent)
		return refuse(apply, txn, row, IMPORT_ERASED);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	if (!change(apply, row, &contact))
		return refuse(apply, txn, row, IMPORT_TOO_LARGE);
	apply->import.counts.added++;
	result = report_stopped(apply, txn, row, contact.state);
	if (apply->is_dry || result != STORE_OK)
		return result;
	result = contact_add(txn, &contact, row->key);
	if (result == STORE_OK)
		result = note_history(apply, txn, contact.id, HISTORY_CREATED);
	if (result == STORE_OK)
		result = tell(txn, row, &nobody, &contact);
	if (result == STORE_OK)
		result = import_undo_add(txn, apply->import.id, contact.id,
					 &(struct import_undo){ .after = contact_digest(&contact),
								.sender = row->suppressed });
	return result;
}

static enum store_result put(struct import_apply *apply, struct audience_txn *txn,
			     const struct import_row *row, const struct contact *before,
			     struct contact *contact)
{
	struct slice record = { apply->before, contact_record_size(before) };
	struct import_undo undo = { .before = record, .sender = row->suppressed };
	enum store_result result;

	contact->changed_ms = apply->now_ms;
	apply->import.counts.updated++;
	if (apply->is_dry)
		return STORE_OK;
	result = contact_put(txn, before, contact);
	if (result == STORE_OK)
		result = note_history(apply, txn, contact->id, HISTORY_CHANGED);
	if (result == STORE_OK)
		result = tell(txn, row, before, contact);
	undo.after = contact_digest(contact);
	if (result == STORE_OK)
		result = import_undo_add(txn, apply->import.id, contact->id, &undo);
	return result;
}

/* A copy, for views of the map go with the next write. */
static void copy_contact(struct import_apply *apply, const struct contact *contact,
			 struct contact *copy)
{
	struct slice record = { apply->before, contact_record_size(contact) };

	contact_record_write((u8 *)apply->before, contact);
	ASSERT(contact_record_read(record, copy));
	copy->id = contact->id;
}

static enum store_result update(struct import_apply *apply, struct audience_txn *txn,
				const struct import_row *row, u32 id)
{
	struct contact seen;
	struct contact before;
	struct contact contact;
	enum store_result result = contact_get(txn, id, &seen);

	if (result != STORE_OK)
		return result;
	copy_contact(apply, &seen, &before);
	contact = before;
	if (!change(apply, row, &contact))
		return refuse(apply, txn, row, IMPORT_TOO_LARGE);
	result = report_stopped(apply, txn, row, contact.state);
	if (result != STORE_OK)
		return result;
	/* A consent that only the sender needs to hear of is a change, too. */
	if (!(row->suppressed && contact.state < CONTACT_BOUNCED) &&
	    contact.state == before.state && slice_equal(contact.lists, before.lists) &&
	    slice_equal(contact.values, before.values)) {
		apply->import.counts.same++;
		return STORE_OK;
	}
	return put(apply, txn, row, &before, &contact);
}

static enum store_result apply_row(struct import_apply *apply, struct audience_txn *txn,
				   const struct import_row *row)
{
	enum store_result result = report_row(apply, txn, row);
	u32 id;

	apply->import.counts.rows++;
	if (result != STORE_OK || row->address.len == 0)
		return result;
	apply->import.counts.suppressed += row->suppressed != 0;
	if (row->suppressed && apply->import.skips_suppressed)
		return refuse(apply, txn, row, IMPORT_SUPPRESSED);
	result = contact_find(txn, row->key, &id);
	if (result == STORE_NOT_FOUND)
		return add(apply, txn, row);
	if (result != STORE_OK)
		return result;
	if (apply->import.update == IMPORT_ONLY_NEW) {
		apply->import.counts.known++;
		return STORE_OK;
	}
	return update(apply, txn, row, id);
}

enum store_result import_apply_row(struct import_apply *apply, struct audience_txn *txn,
				   const struct import_row *row)
{
	enum store_result result;

	enrolment_set_quiet(txn, !apply->import.starts_sequences);
	result = apply_row(apply, txn, row);
	enrolment_set_quiet(txn, false);
	return result;
}

/* ---- undoing ---- */

static enum store_result keep(struct import_apply *apply, struct audience_txn *txn,
			      const struct contact *contact)
{
	const struct import_report found = { .line = IMPORT_NO_LINE + contact->id,
					     .kind = IMPORT_KEPT,
					     .text = import_shown(contact->address,
								  IMPORT_REPORT_TEXT_MAX) };

	apply->import.counts.kept++;
	return report(apply, txn, &found);
}

/* The sender's list becomes what it was, too: `was` without the contact is one that gets mail. */
static enum store_result tell_undone(struct audience_txn *txn, const struct import_undo *undo,
				     const struct contact *now, const struct contact *was)
{
	struct contact wanted = *was;

	if (undo->sender)
		wanted.state = now->state >= CONTACT_BOUNCED ? now->state : undo->sender;
	return subscription_tell(txn, now, &wanted);
}

static enum store_result restore(struct import_apply *apply, struct audience_txn *txn,
				 const struct contact *contact, const struct import_undo *undo)
{
	struct slice before = undo->before;
	struct contact now;
	struct contact was;
	enum store_result result;

	/* `before` goes to the room of values first, for both are views. */
	ASSERT(before.len <= sizeof(apply->values));
	memcpy(apply->values, before.ptr, before.len);
	copy_contact(apply, contact, &now);
	if (!contact_record_read((struct slice){ apply->values, before.len }, &was))
		return STORE_FAILED;
	was.id = now.id;
	was.changed_ms = apply->now_ms;
	enrolment_set_quiet(txn, true);
	result = contact_put(txn, &now, &was);
	enrolment_set_quiet(txn, false);
	if (result == STORE_OK)
		result = tell_undone(txn, undo, &now, &was);
	if (result == STORE_OK)
		result = contact_history_add(txn, now.id,
					     &(struct history_event){
						     .at_ms = apply->now_ms,
						     .kind = HISTORY_CHANGED,
						     .fields = { slice_of(apply->by),
							     SLICE("undo") },
						     .field_count = 2 });
	return result;
}

/* One that the import made is gone as if it had never come. */
static enum store_result take_away(struct import_apply *apply, struct audience_txn *txn,
				   const struct contact *contact, const struct import_undo *undo)
{
	char key[ADDRESS_WIRE_MAX];
	struct contact gone;
	struct contact now;
	enum store_result result;

	copy_contact(apply, contact, &now);
	gone = now;
	gone.state = CONTACT_ACTIVE;
	gone.lists = SLICE_NONE;
	result = tell_undone(txn, undo, &now, &gone);
	return result == STORE_OK ?
		       contact_erase(txn, now.id,
				     (struct slice){ key, address_key_of_wire(key, now.address) }) :
		       result;
}

enum store_result import_undo_next(struct import_apply *apply, struct audience_txn *txn,
				   u32 *contact)
{
	struct import_undo undo;
	struct contact now;
	enum store_result result =
		import_undo_after(txn, apply->import.id, *contact, contact, &undo);

	if (result != STORE_OK)
		return result;
	snprintf(apply->by, sizeof(apply->by), "import %u", apply->import.id);
	result = contact_get(txn, *contact, &now);
	if (result == STORE_NOT_FOUND)
		return STORE_OK; /* erased since, which is more than undone */
	if (result != STORE_OK)
		return result;
	if (contact_digest(&now) != undo.after)
		return keep(apply, txn, &now);
	apply->import.counts.undone++;
	return undo.before.len > 0 ? restore(apply, txn, &now, &undo) :
				     take_away(apply, txn, &now, &undo);
}
