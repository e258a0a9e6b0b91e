/*
 * Contacts of a running campaign go to the sender, batch after batch, as many as it wants. It keeps
 * each batch in one transaction with where the walk is, so what it says of that is what counts;
 * what is noted here of who was handed over follows, and after a crash in between the walk over
 * that piece is done again for the notes alone.
 */
#include "base/log.h"
#include "base/text.h"
#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "web/bringer_parts.h"

#include <string.h>

#define BATCHES 5 /* of one campaign, before the next one has its turn */
#define AGAIN_NS (2 * NS_PER_S)
#define WALKS_MAX 200 /* slices of a walk that finds nobody, likewise */

/* ---- noting ---- */

struct note {
	const struct campaign_batch *batch;
	const bool *is_skipped; /* by contact of the batch; NULL: none is */
	u32 now_s;
};

/* What became of it may have been noted before: the sender is quick. */
static enum store_result count_variant(struct audience_txn *txn, u32 campaign,
				       const struct activity *activity)
{
	static const struct {
		enum activity_field field;
		enum campaign_counted what;
	} counted[] = {
		{ ACTIVITY_SENT, CAMPAIGN_VARIANT_SENT },
		{ ACTIVITY_DELIVERED, CAMPAIGN_VARIANT_DELIVERED },
		{ ACTIVITY_BOUNCED, CAMPAIGN_VARIANT_BOUNCED },
		{ ACTIVITY_FIRST_OPEN, CAMPAIGN_VARIANT_OPENED },
		{ ACTIVITY_FIRST_CLICK, CAMPAIGN_VARIANT_CLICKED },
	};
	u32 variant = activity->of[ACTIVITY_VARIANT];
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < array_count(counted) && variant > 0 && result == STORE_OK; i++) {
		if (activity->of[counted[i].field] > 0)
			result = campaign_count_change(txn, campaign, counted[i].what, variant, 1);
	}
	return result;
}

static enum store_result note_one(struct audience_txn *txn, u32 campaign, u32 contact, u32 variant,
				  u32 now_s)
{
	struct activity activity;
	enum store_result result = activity_get(txn, campaign, contact, &activity);

	if (result != STORE_OK || activity.of[ACTIVITY_SENT] > 0)
		return result;
	activity.of[ACTIVITY_SENT] = now_s;
	activity.of[ACTIVITY_VARIANT] = variant;
	result = activity_put(txn, campaign, contact, &activity);
	if (result == STORE_OK)
		result = count_variant(txn, campaign, &activity);
	return result == STORE_OK ? behaviour_note_sent(txn, contact, now_s) : result;
}

static enum store_result edit_note(struct campaign_change *change, struct audience_campaign *c,
				   struct audience_txn *txn)
{
	const struct note *note = change->context;
	const struct campaign_batch *batch = note->batch;
	enum store_result result = STORE_OK;
	i64 skipped = 0;

	/* Noted already, by an order whose answer did not come. */
	if (c->cursor >= batch->cursor)
		return STORE_OK;
	for (u32 i = 0; i < batch->count && result == STORE_OK; i++) {
		if (note->is_skipped && note->is_skipped[i])
			skipped++;
		else
			result = note_one(txn, c->id, batch->contacts[i],
					  batch->variants[i], note->now_s);
	}
	if (result == STORE_OK)
		result = campaign_count_change(txn, c->id, CAMPAIGN_RECIPIENTS, 0, batch->count);
	if (result == STORE_OK)
		result = campaign_count_change(txn, c->id, CAMPAIGN_SENT, 0,
					       (i64)batch->count - skipped);
	if (result == STORE_OK)
		result = campaign_count_change(txn, c->id, CAMPAIGN_SKIPPED, 0, skipped);
	c->cursor = batch->cursor;
	return result;
}

static bool note(struct bringer *bringer, u32 id, const bool *is_skipped)
{
	struct note what = { &bringer->batch, is_skipped, (u32)(bringer->now_ms / MS_PER_S) };
	struct campaign_change change = {
		.id = id, .from = ~0u, .edit = edit_note, .context = &what
	};
	struct error error;

	if (campaign_change_do(&change, bringer->params.scribe, &error) == STORE_OK)
		return true;
	log_error("web", "who was handed to the sender could not be noted",
		  "campaign=%u reason=%s", id, error.text);
	return false;
}

/* ---- walking ---- */

static enum campaign_batch_end fill(struct bringer *bringer, struct bringer_work *work, u64 after,
				    u32 most)
{
	enum campaign_batch_end end = CAMPAIGN_BATCH_FAILED;

	if (audience_begin_read(bringer->reader) == STORE_OK)
		end = campaign_rows_fill(&work->rows, bringer->reader, after, bringer->now_ms,
					 most, &bringer->batch);
	if (end == CAMPAIGN_BATCH_FAILED)
		log_error("web", "contacts cannot be read", "campaign=%u reason=%s", work->id,
			  audience_error_text(bringer->reader));
	audience_abort(bringer->reader);
	return end;
}

/* What the sender has and was not noted: the same walk again. False: to be gone on with later. */
static bool catch_up(struct bringer *bringer, struct bringer_work *work, u64 noted, u64 there)
{
	for (u32 i = 0; i < BATCHES && noted < there; i++) {
		if (fill(bringer, work, noted, CAMPAIGN_BATCH_MAX) == CAMPAIGN_BATCH_FAILED)
			return false;
		/* The sender's batch may have ended where this one does not. */
		while (bringer->batch.cursor > there && bringer->batch.count > 0 &&
		       (noted >> 32 << 32 | bringer->batch.contacts[bringer->batch.count - 1]) >
			       there)
			bringer->batch.count--;
		if (bringer->batch.cursor > there || bringer->batch.cursor <= noted)
			bringer->batch.cursor = there;
		if (!note(bringer, work->id, NULL))
			return false;
		noted = bringer->batch.cursor;
	}
	return noted >= there;
}

/* ---- handing over ---- */

static void mark_skipped(const struct campaign_batch *batch, const json_t *items, bool *is_skipped)
{
	struct slice rest = buf_slice(&batch->rows);
	struct slice address;
	struct slice values;
	size_t refused = 0;

	memset(is_skipped, 0, batch->count * sizeof(*is_skipped));
	/* They are told in the order in which they came. */
	for (u32 i = 0; i < batch->count && refused < json_array_size(items); i++) {
		const char *told = asker_text(json_array_get(items, refused), "address");

		if (control_row_take(&rest, &address, &values) != CONTROL_ROW)
			return;
		if (!slice_equal(address, slice_of(told)))
			continue;
		is_skipped[i] = true;
		refused++;
	}
}

bool bringer_append(struct bringer *bringer, u32 id, u32 sender, u64 after, bool *is_skipped,
		    u64 *wanted)
{
	struct asker_answer answer;
	const struct campaign_batch *batch = &bringer->batch;
	json_t *request = json_pack("{s:s, s:I, s:I, s:I}", "command", "campaign.append", "id",
				    (json_int_t)sender, "after", (json_int_t)after, "cursor",
				    (json_int_t)batch->cursor);
	bool taken = false;

	if (asker_begin(&bringer->asker, request, &answer)) {
		struct slice rest = buf_slice(&batch->rows);
		bool goes_on = true;

		while (goes_on && rest.len > 0) {
			struct slice whole = rest;
			struct slice address;
			struct slice values;
			size_t len = 0;

			/* As many whole rows as a frame has room for. */
			while (control_row_take(&rest, &address, &values) == CONTROL_ROW &&
			       whole.len - rest.len < FRAME_PAYLOAD_MAX - 1)
				len = whole.len - rest.len;
			rest = slice_from(whole, len);
			goes_on = len > 0 && asker_data(&bringer->asker, CONTROL_DATA_ROWS,
							slice_first(whole, len), &answer);
		}
		taken = asker_end(&bringer->asker, &answer) == ASKER_REPLIED &&
			json_is_true(json_object_get(answer.reply, "taken"));
	}
	*wanted = asker_number(answer.reply, "wanted");
	if (taken)
		mark_skipped(batch, answer.items, is_skipped);
	else if (answer.error.text[0])
		log_warn("web", "the sender takes no contacts now", "campaign=%u reason=%s",
			 id, answer.error.text);
	asker_answer_done(&answer);
	return taken;
}

/* The batch with its cursor. True: taken and noted; *wanted is what it wants now. */
static bool append(struct bringer *bringer, struct bringer_work *work, u32 sender, u64 after,
		   u64 *wanted)
{
	static bool is_skipped[CAMPAIGN_BATCH_MAX]; /* one thread */

	return bringer_append(bringer, work->id, sender, after, is_skipped, wanted) &&
	       note(bringer, work->id, is_skipped);
}

/* ---- how many ---- */

/* So many an hour, evenly; after a pause no more than a minute's are caught up with. */
static u64 pace(struct bringer *bringer, struct bringer_work *work, u64 wanted)
{
	const double per_s = (double)work->rows.plan.per_hour / 3600.0;
	double passed_s = (double)(bringer->now_ns - work->paced_ns) / (double)NS_PER_S;

	if (work->rows.plan.per_hour == 0)
		return wanted;
	if (work->paced_ns == 0 || passed_s > 60)
		passed_s = work->paced_ns == 0 ? 1 / per_s : 60;
	work->paced_ns = bringer->now_ns;
	work->may_bring += passed_s * per_s;
	if (work->may_bring > per_s * 60 + 1)
		work->may_bring = per_s * 60 + 1;
	return min_u64(wanted, (u64)work->may_bring);
}

static void close_there(struct bringer *bringer, struct bringer_work *work, u32 sender)
{
	struct asker_answer answer;
	enum asker_end end = asker_ask(&bringer->asker,
				       json_pack("{s:s, s:I}", "command", "campaign.close", "id",
						 (json_int_t)sender),
				       &answer);

	asker_answer_done(&answer);
	if (end == ASKER_REPLIED &&
	    bringer_set_flags(bringer, work->id, AUDIENCE_CAMPAIGN_BROUGHT, 0) &&
	    bringer_set_state(bringer, work->id, 1u << AUDIENCE_CAMPAIGN_RUNNING,
			      AUDIENCE_CAMPAIGN_SENDING, ""))
		return;
	work->next_ns = bringer->now_ns + AGAIN_NS;
}

/* After the deadline nobody is brought any more. */
static bool is_late(const struct bringer *bringer, const struct bringer_work *work)
{
	return work->rows.plan.deadline_ms > 0 &&
	       bringer->now_ms >= work->rows.plan.deadline_ms;
}

/*
 * Up to BATCHES of them behind `there`, where the sender stands. What a walk finds nobody in is
 * told to the sender with the next ones, or at the end.
 */
static enum campaign_batch_end bring(struct bringer *bringer, struct bringer_work *work,
				     u32 sender, u64 there, u64 *wanted)
{
	const struct campaign_batch *batch = &bringer->batch;
	enum campaign_batch_end end = CAMPAIGN_BATCH_MORE;
	u64 at = there;
	u32 batches = 0;

	for (u32 i = 0; i < WALKS_MAX && batches < BATCHES && *wanted > 0; i++) {
		end = fill(bringer, work, at, (u32)min_u64(*wanted, CAMPAIGN_BATCH_MAX));
		if (end == CAMPAIGN_BATCH_FAILED)
			return end;
		at = batch->cursor;
		/* Walks that found nobody are told before the wait, or they would be done again. */
		if (end == CAMPAIGN_BATCH_WAITS)
			return at > there && !append(bringer, work, sender, there, wanted)
				       ? CAMPAIGN_BATCH_FAILED
				       : end;
		if (batch->count == 0 && end == CAMPAIGN_BATCH_MORE && i + 1 < WALKS_MAX)
			continue;
		if (at > there && !append(bringer, work, sender, there, wanted))
			return CAMPAIGN_BATCH_FAILED;
		work->may_bring -= batch->count;
		*wanted = pace(bringer, work, *wanted);
		there = at;
		batches++;
		if (end == CAMPAIGN_BATCH_ENDS)
			break;
	}
	return end;
}

void bringer_bring(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head, const json_t *status)
{
	enum campaign_batch_end end;
	u64 there = asker_number(status, "cursor");
	u64 wanted = pace(bringer, work, asker_number(status, "wanted"));

	if (!catch_up(bringer, work, head->c.cursor, there)) {
		work->next_ns = bringer->now_ns + AGAIN_NS;
		return;
	}
	/* Closed already, and not noted; the sender says the same again. */
	if (is_late(bringer, work) || json_is_false(json_object_get(status, "open"))) {
		close_there(bringer, work, head->c.sender);
		return;
	}
	work->rows.winner = head->c.flags & AUDIENCE_CAMPAIGN_WINNER_A ? DRAFT_VARIANT_A :
			    head->c.flags & AUDIENCE_CAMPAIGN_WINNER_B ? DRAFT_VARIANT_B :
									 0;
	end = bring(bringer, work, head->c.sender, there, &wanted);
	if (end == CAMPAIGN_BATCH_WAITS && bringer_decide(bringer, work, head))
		return;
	if (end == CAMPAIGN_BATCH_ENDS)
		close_there(bringer, work, head->c.sender);
	else if (end == CAMPAIGN_BATCH_MORE && wanted > 0)
		bringer->is_busy = true;
	else
		work->next_ns = bringer->now_ns + NS_PER_S;
}
