/*
 * After a crash. Rows were lent by lease records that are committed before any worker sees them, so
 * only those can have left the machine.
 *
 *   the process died   the journal is current: a slot tells of each row whether the message's end
 *                      was sent and whether an answer came; other rows go again as if nothing was
 *   the machine died   the journal cannot be trusted: every row of a lease record that is still in
 *                      the queue may have been sent, and is in doubt
 */
#include "delivery/planner_notice.h"
#include "delivery/planner_parts.h"

#include "base/log.h"
#include "base/text.h"

#include <string.h>

#define LEASE_BYTES_MAX (TURN_LEASES_MAX * sizeof(struct row_ref))

struct found {
	struct row_ref ref;
	enum smtp_verdict verdict;
	u16 code;
	u64 date_ms;  /* Date of the message, when the journal knows it; else 0 */
	u64 lease_ms; /* wall clock when it was lent, else */
	u8 host[16];
	bool has_host;
};

static bool settle(struct planner *planner, const struct queue_row *row, const struct found *found)
{
	struct lease lease = {
		.ref = row->ref,
		.address = row->address,
		.values = row->values,
		.attempts = row->attempts,
		.flags = row->flags,
		.date_ms = found->date_ms ? found->date_ms : planner_date_of(row, found->lease_ms),
		.since_ms = planner_since_of(planner, row),
		.verdict = found->verdict,
		.code = found->code,
	};
	struct slice words = found->verdict == SMTP_VERDICT_IN_DOUBT ?
				     SLICE("no answer was seen before the sender stopped") :
				     SLICE("answered before the sender was restarted");

	lease_set_reply(&lease, words);
	if (found->has_host) {
		bool v4 = memcmp(found->host + 4, (const u8[12]){ 0 }, 12) == 0;

		lease.host = (struct net_address){ .family = v4 ? 4 : 6, .port = 25 };
		memcpy(lease.host.ip, found->host, sizeof(lease.host.ip));
	}
	return planner_apply_one(planner, &lease);
}

static bool settle_found(struct planner *planner, const struct found *found, u32 *doubts,
			 struct error *error)
{
	struct queue_row row;
	enum store_result result = queue_row_get(planner->queue, &found->ref, &row);
	char copy[ROW_ADDRESS_MAX];
	struct buf values;
	bool ok;

	/* Final already: the crash came between a commit and the freeing of its slots. */
	if (result == STORE_NOT_FOUND)
		return true;
	/* Loading only reads: the row's slices still stand. */
	if (result != STORE_OK || row.address.len > sizeof(copy) ||
	    !planner_campaign_load(planner, found->ref.id.campaign, error))
		return false;
	/* The row is moved and logged: both need its bytes after the store was written to. */
	memcpy(copy, row.address.ptr, row.address.len);
	row.address.ptr = copy;
	buf_init(&values, ROW_VALUES_MAX);
	buf_add_slice(&values, row.values);
	row.values = buf_slice(&values);
	ok = !values.failed && settle(planner, &row, found);
	buf_done(&values);
	*doubts += found->verdict == SMTP_VERDICT_IN_DOUBT;
	return ok;
}

/* A slot that was spoiled names no place that rows are lent from: it tells nothing. */
static bool is_sound(const struct journal_slot *slot)
{
	if (slot->ref.place == ROW_LANE || slot->ref.place == ROW_DEFERRED)
		return true;
	log_error("delivery", "a slot of the journal is damaged", "place=%u", slot->ref.place);
	return false;
}

static bool recover_from_journal(struct planner *planner, u32 *doubts, struct error *error)
{
	for (u32 i = 0; i < journal_slot_count(planner->journal); i++) {
		struct journal_slot *slot = journal_slot(planner->journal, i);
		u32 state = atomic_load_explicit(&slot->state, memory_order_acquire);
		struct found found = { .ref = slot->ref,
				       .verdict = SMTP_VERDICT_IN_DOUBT,
				       .date_ms = slot->date_ms,
				       .has_host = true };

		if ((state != JOURNAL_DOT_SENT && state != JOURNAL_ANSWERED) || !is_sound(slot))
			continue;
		memcpy(found.host, slot->host, sizeof(found.host));
		if (state == JOURNAL_ANSWERED && slot->verdict <= SMTP_VERDICT_IN_DOUBT) {
			found.verdict = slot->verdict;
			found.code = slot->code;
		}
		if (!settle_found(planner, &found, doubts, error))
			return false;
	}
	return true;
}

static bool recover_from_leases(struct planner *planner, u32 *doubts, struct error *error)
{
	struct buf refs;
	u64 number = 0;
	u64 wall_ms;
	bool ok = true;

	buf_init(&refs, LEASE_BYTES_MAX);
	while (ok &&
	       queue_lease_next(planner->queue, number, &number, &wall_ms, &refs) == STORE_OK) {
		size_t count = refs.len / sizeof(struct row_ref);

		for (size_t i = 0; ok && i < count; i++) {
			struct found found = { .verdict = SMTP_VERDICT_IN_DOUBT,
					       .lease_ms = wall_ms };

			memcpy(&found.ref, refs.ptr + i * sizeof(found.ref), sizeof(found.ref));
			ok = settle_found(planner, &found, doubts, error);
		}
	}
	buf_done(&refs);
	return ok;
}

static bool drop_leases(struct planner *planner, struct error *error)
{
	struct buf refs;
	u64 number = 0;
	u64 wall_ms;
	enum store_result result;

	buf_init(&refs, LEASE_BYTES_MAX);
	while ((result = queue_lease_next(planner->queue, number, &number, &wall_ms, &refs)) ==
	       STORE_OK) {
		result = queue_lease_delete(planner->queue, number);
		if (!planner_store_ok(planner, result))
			break;
		planner->batch = number + 1;
	}
	buf_done(&refs);
	if (result != STORE_NOT_FOUND)
		return error_set(error, "lease records: %s", queue_error_text(planner->queue));
	return true;
}

static bool write_notices(struct planner *planner)
{
	planner_notices_write(planner);
	return planner->failed_by == STORE_OK;
}

/* One transaction. What it did in memory is undone when it did not come to be. */
static bool try_to_recover(struct planner *planner, bool current, u32 *doubts, struct error *error)
{
	bool ok;

	*doubts = 0;
	planner->erasing_count = 0;
	planner_notices_drop(planner);
	if (!planner_begin(planner, error))
		return false;
	ok = planner_load_campaigns(planner, error) &&
	     (current ? recover_from_journal(planner, doubts, error) :
			recover_from_leases(planner, doubts, error)) &&
	     drop_leases(planner, error) && write_notices(planner) &&
	     planner_write_campaigns(planner) &&
	     planner_clock_note(planner);
	if (!ok && !error->text[0])
		error_set(error, "recovery: %s", queue_error_text(planner->queue));
	if (!ok)
		queue_abort(planner->queue);
	ok = ok && planner_commit(planner, error);
	ref_queue_done(&planner->touched);
	if (ok)
		planner_clock_noted(planner);
	else
		planner_campaigns_free(planner);
	return ok;
}

/* Nothing was changed, on the disk or in memory. */
static void wait_for_room(struct planner *planner)
{
	planner->full_until_ns = planner->now_ns + NS_PER_S;
	if (planner->recovering)
		return;
	planner->recovering = true;
	metric_add(&planner->m->store_full, 1);
	log_warn("delivery", "no room to note what the last run left: nothing is sent until then",
		 "reason=%s", queue_error_text(planner->queue));
}

bool planner_recover(struct planner *planner, struct error *error)
{
	bool current = journal_is_current(planner->journal);
	u32 doubts = 0;

	/* A map that is opened at the size of its file may have no room for what is to be noted. */
	while (!try_to_recover(planner, current, &doubts, error)) {
		if (planner->failed_by != STORE_FULL)
			return false;
		if (!queue_grow(planner->queue)) {
			wait_for_room(planner);
			return true;
		}
		error->text[0] = '\0';
	}
	planner->recovering = false;
	planner->must_work = true;
	metric_add(&planner->m->recovered_in_doubt, doubts);
	planner_campaigns_committed(planner, true);
	if (doubts > 0)
		log_warn("delivery", "messages are in doubt after a crash",
			 "count=%u machine_crash=%d", doubts, !current);
	return planner_sweeps_load(planner, error) && journal_reset(planner->journal, error);
}
