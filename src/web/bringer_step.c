/*
 * The mails of one step go to the sender, which has an open campaign for the step's text: the body
 * is stored, hashed and signed as a campaign's is, and rows are appended with the number of the
 * last one as the cursor, in one transaction of the sender's. So the cursor there says what was
 * handed over, whatever died between, and what is noted and taken out here follows it.
 *
 * When the text is another one than the sender has (it was edited, a block or an attribute of it
 * was), that campaign is closed, what it had is noted, and the rest goes by a new one.
 */
#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "campaign/delivery_note.h"
#include "control/campaign.h"
#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_campaign_link.h"
#include "store/audience_contact.h"
#include "store/audience_step_mail.h"
#include "web/bringer_parts.h"

#include <string.h>

#define BATCHES 5 /* of one step, before the next one has its turn */
#define BATCH_BYTES (4u << 20)
#define HEARD_S 3600 /* of this mail, not of one before, is what was heard of so lately */
#define STEP (1u << AUDIENCE_CAMPAIGN_STEP)

/* What is handed over of a step, and where things stand. */
struct hand {
	struct bringer *bringer;
	struct bringer_work *work;
	struct bringer_head head;
	u32 sequence;
	u32 digest; /* of the text as it is now */
	u64 there;  /* the sender's cursor */
	u64 wanted;
};

static bool change(struct hand *hand, struct campaign_change *what)
{
	struct error error;

	what->id = hand->work->id;
	what->from = STEP;
	if (campaign_change_do(what, hand->bringer->params.scribe, &error) == STORE_OK)
		return what->is_done;
	log_error("web", "what became of a step could not be kept", "step=%u reason=%s", what->id,
		  error.text);
	return false;
}

/* ---- noting ---- */

struct note {
	const struct campaign_batch *batch;
	const bool *is_skipped; /* by contact of the batch; NULL: none is */
	u32 now_s;
};

/*
 * What is known is about the last mail of the step: a birthday comes again. Its delivery may have
 * been heard of already.
 */
static void begin_activity(struct activity *activity, u32 now_s)
{
	static const enum activity_field kept[] = { ACTIVITY_DELIVERED, ACTIVITY_BOUNCED };
	const struct activity before = *activity;

	if (before.of[ACTIVITY_SENT] > 0)
		*activity = (struct activity){ .of = { 0 } };
	activity->of[ACTIVITY_SENT] = now_s;
	for (size_t i = 0; i < array_count(kept); i++) {
		if (before.of[kept[i]] + HEARD_S > now_s)
			activity->of[kept[i]] = before.of[kept[i]];
	}
}

static enum store_result note_sent(struct audience_txn *txn, u32 step, u32 contact, u32 now_s)
{
	struct activity activity;
	enum store_result result = activity_get(txn, step, contact, &activity);

	if (result != STORE_OK)
		return result;
	begin_activity(&activity, now_s);
	result = activity_put(txn, step, contact, &activity);
	return result == STORE_OK ? behaviour_note_sent(txn, contact, now_s) : result;
}

/* Who is not in the batch could not be reached any more. */
static enum store_result edit_note(struct campaign_change *what, struct audience_campaign *c,
				   struct audience_txn *txn)
{
	const struct note *note = what->context;
	const struct campaign_batch *batch = note->batch;
	enum store_result result = STORE_OK;
	struct step_mail mail;
	i64 all = 0;
	i64 sent = 0;
	u32 at = 0;

	while ((result = step_mail_after(txn, c->id, 0, &mail)) == STORE_OK &&
	       mail.number <= batch->cursor) {
		bool is_there = at < batch->count && batch->contacts[at] == mail.contact;
		bool goes = is_there && !(note->is_skipped && note->is_skipped[at]);

		at += is_there;
		all++;
		sent += goes;
		result = step_mail_delete(txn, c->id, mail.number);
		if (result == STORE_OK && goes)
			result = note_sent(txn, c->id, mail.contact, note->now_s);
		if (result != STORE_OK)
			return result;
	}
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	c->cursor = max_u64(c->cursor, batch->cursor);
	result = campaign_count_change(txn, c->id, CAMPAIGN_RECIPIENTS, 0, all);
	if (result == STORE_OK)
		result = campaign_count_change(txn, c->id, CAMPAIGN_SENT, 0, sent);
	return result == STORE_OK
		       ? campaign_count_change(txn, c->id, CAMPAIGN_SKIPPED, 0, all - sent)
		       : result;
}

static bool note(struct hand *hand, const bool *is_skipped)
{
	struct bringer *bringer = hand->bringer;
	struct note what = { &bringer->batch, is_skipped, (u32)(bringer->now_ms / MS_PER_S) };
	struct campaign_change order = { .edit = edit_note, .context = &what };

	if (!change(hand, &order))
		return false;
	hand->head.c.cursor = max_u64(hand->head.c.cursor, bringer->batch.cursor);
	return true;
}

/* ---- reading what is to go ---- */

/* Who left since then is asked once more: such a one gets nothing. */
static enum store_result add_row(struct hand *hand, u32 id)
{
	struct bringer *bringer = hand->bringer;
	struct campaign_batch *batch = &bringer->batch;
	struct contact contact;
	struct slice values;
	enum store_result result = contact_get(bringer->reader, id, &contact);
	bool good = true;

	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	if (!segment_walk_holds(hand->work->rows.walk, bringer->reader, &contact, &good))
		return good ? STORE_OK : STORE_FAILED;
	values = campaign_rows_values(&hand->work->rows, &contact);
	control_row_add(&batch->rows, contact.address,
			hand->work->rows.values.failed ? SLICE("") : values);
	batch->contacts[batch->count] = id;
	batch->variants[batch->count++] = 0;
	return STORE_OK;
}

/* Those behind what is noted, up to that number. True: there are some. */
static bool fill(struct hand *hand, u64 until, u64 most)
{
	struct bringer *bringer = hand->bringer;
	struct campaign_batch *batch = &bringer->batch;
	struct step_mail mail = { .number = hand->head.c.cursor };
	enum store_result result = audience_begin_read(bringer->reader);

	buf_reset(&batch->rows);
	batch->count = 0;
	batch->cursor = hand->head.c.cursor;
	most = min_u64(most, CAMPAIGN_BATCH_MAX);
	while (result == STORE_OK && batch->count < most && batch->rows.len < BATCH_BYTES) {
		result = step_mail_after(bringer->reader, hand->work->id, mail.number, &mail);
		if (result != STORE_OK || mail.number > until)
			break;
		result = add_row(hand, mail.contact);
		if (result == STORE_OK)
			batch->cursor = mail.number;
	}
	audience_abort(bringer->reader);
	if ((result != STORE_OK && result != STORE_NOT_FOUND) || batch->rows.failed)
		return false;
	return batch->cursor > hand->head.c.cursor;
}

/* ---- at the sender ---- */

/* Up to where the sender stands, all was handed over. */
static bool catch_up(struct hand *hand)
{
	while (hand->head.c.cursor < hand->there) {
		if (!fill(hand, hand->there, UINT64_MAX))
			hand->bringer->batch.cursor = hand->there;
		if (!note(hand, NULL))
			return false;
	}
	return true;
}

static enum store_result edit_forget(struct campaign_change *what, struct audience_campaign *c,
				     struct audience_txn *txn)
{
	const struct hand *hand = what->context;

	(void)txn;
	c->sender = 0;
	c->flags &= ~(u32)AUDIENCE_CAMPAIGN_HELD;
	c->changed_ms = hand->bringer->now_ms;
	return STORE_OK;
}

/* It takes no more; the next mail goes by a new one. */
static bool forget(struct hand *hand)
{
	struct campaign_change order = { .edit = edit_forget, .context = hand };

	if (!change(hand, &order))
		return false;
	hand->head.c.sender = 0;
	hand->head.c.flags &= ~(u32)AUDIENCE_CAMPAIGN_HELD;
	hand->head.c.changed_ms = hand->bringer->now_ms;
	return true;
}

static enum store_result edit_make(struct campaign_change *what, struct audience_campaign *c,
				   struct audience_txn *txn)
{
	const struct hand *hand = what->context;
	const struct wrap_links *wrap = hand->work->rows.issue.wrap;
	enum store_result result;

	c->sender = hand->head.c.sender;
	c->last = hand->digest;
	if (c->started_ms == 0)
		c->started_ms = hand->bringer->now_ms;
	result = delivery_campaign_put(txn, c->sender, c->id);
	for (u32 i = 0; wrap && result == STORE_OK && i < wrap->count; i++)
		result = campaign_link_put(txn, c->id, i + 1, wrap->urls[i]);
	return result;
}

static bool make(struct hand *hand)
{
	struct campaign_change order = { .edit = edit_make, .context = hand };
	char list[CONTROL_NAME_MAX + 2];
	struct error error;

	if (!bringer_list_name(hand->bringer, hand->work->rows.list, list))
		return false;
	hand->head.c.sender = bringer_make(hand->bringer, hand->work, hand->head.c.changed_ms,
					   list[0] ? list : NULL, &error);
	if (hand->head.c.sender == 0) {
		if (error.text[0])
			bringer_pause_sequence(hand->bringer, hand->sequence, error.text);
		return false;
	}
	if (!change(hand, &order))
		return false;
	hand->head.c.last = hand->digest;
	return true;
}

/* The sender pauses, or goes on. */
static void keep_held(struct hand *hand, const json_t *status, bool runs)
{
	bool is_held = hand->head.c.flags & AUDIENCE_CAMPAIGN_HELD;

	if (runs && bringer_is_state(status, "ready"))
		bringer_order(hand->bringer, "campaign.start", hand->head.c.sender);
	/* The flag is first, or who goes on in between would not know that it pauses there. */
	if (!runs && !is_held)
		is_held = bringer_set_flags(hand->bringer, hand->work->id, AUDIENCE_CAMPAIGN_HELD,
					    0);
	if (!runs && is_held && bringer_is_state(status, "running"))
		bringer_order(hand->bringer, "campaign.pause", hand->head.c.sender);
	if (runs && is_held && bringer_is_state(status, "paused"))
		bringer_order(hand->bringer, "campaign.resume", hand->head.c.sender);
	else if (runs && is_held &&
		 !bringer_set_flags(hand->bringer, hand->work->id, 0, AUDIENCE_CAMPAIGN_HELD))
		hand->bringer->is_busy = true;
}

/* Somebody ended it there. */
static void lose(struct hand *hand, const char *reason)
{
	bringer_pause_sequence(hand->bringer, hand->sequence, reason);
	if (!forget(hand))
		hand->bringer->is_busy = true;
}

static void close_there(struct hand *hand)
{
	bringer_order(hand->bringer, "campaign.close", hand->head.c.sender);
}

/* What the sender has is noted. True: it takes more of this text. */
static bool follow(struct hand *hand, bool runs)
{
	bool is_gone;
	json_t *status = bringer_ask_status(hand->bringer, hand->head.c.sender, &is_gone);
	bool is_open = json_is_true(json_object_get(status, "open"));
	bool goes_on = false;

	hand->there = asker_number(status, "cursor");
	hand->wanted = asker_number(status, "wanted");
	if (is_gone)
		lose(hand, "the sender does not know it any more");
	else if (status && catch_up(hand)) {
		if (bringer_is_state(status, "cancelled"))
			lose(hand, "it was cancelled at the sender");
		else if (!is_open && forget(hand))
			goes_on = runs;
		else if (is_open && runs && hand->head.c.last != hand->digest &&
			 !(hand->head.c.flags & AUDIENCE_CAMPAIGN_HELD))
			close_there(hand);
		else if (is_open) {
			keep_held(hand, status, runs);
			goes_on = runs && hand->head.c.last == hand->digest;
		}
	}
	json_decref(status);
	return goes_on;
}

/* ---- handing over ---- */

static u32 digest_of(const struct issue *issue)
{
	struct sha256 sha;
	u8 digest[SHA256_SIZE];
	u32 first;

	sha256_init(&sha);
	sha256_add(&sha, issue->headers.ptr, issue->headers.len);
	sha256_add(&sha, issue->text.ptr, issue->text.len);
	sha256_add(&sha, issue->html.ptr, issue->html.len);
	sha256_add(&sha, issue->whole.ptr, issue->whole.len);
	sha256_add(&sha, issue->unsubscribe_url.ptr, issue->unsubscribe_url.len);
	for (size_t i = 0; i < issue->column_count; i++)
		sha256_add(&sha, issue->columns[i].name, strlen(issue->columns[i].name) + 1);
	sha256_finish(&sha, digest);
	memcpy(&first, digest, sizeof(first));
	return first;
}

static void hand_over(struct hand *hand)
{
	static bool is_skipped[CAMPAIGN_BATCH_MAX]; /* one thread */
	u32 sender = hand->head.c.sender;

	for (u32 i = 0; i < BATCHES && hand->wanted > 0; i++) {
		if (!fill(hand, UINT64_MAX, hand->wanted))
			return;
		if (!bringer_append(hand->bringer, hand->work->id, sender, hand->there,
				    is_skipped, &hand->wanted) ||
		    !note(hand, is_skipped))
			return;
		hand->there = hand->bringer->batch.cursor;
	}
	hand->bringer->is_busy |= hand->wanted > 0;
}

static void work_on(struct hand *hand, bool runs)
{
	hand->digest = digest_of(&hand->work->rows.issue);
	if (hand->head.c.sender > 0 && !follow(hand, runs))
		return;
	if (!runs)
		return;
	if (hand->head.c.sender > 0) {
		hand_over(hand);
		return;
	}
	/* What came before the sender is told to start goes along. */
	if (make(hand) && follow(hand, true) && hand->head.c.sender > 0)
		hand_over(hand);
}

void bringer_step(struct bringer *bringer, u32 sequence, u32 step, bool runs)
{
	struct hand hand = { .bringer = bringer, .work = &bringer->step, .sequence = sequence };
	struct error error;

	bringer->step = (struct bringer_work){ .id = step };
	if (!bringer_read_head(bringer, step, &hand.head) ||
	    hand.head.c.state != AUDIENCE_CAMPAIGN_STEP)
		return;
	if (bringer_open_rows(bringer, &bringer->step, &error))
		work_on(&hand, runs);
	else if (error.text[0] && runs)
		bringer_pause_sequence(bringer, sequence, error.text);
	bringer_close_rows(&bringer->step);
}
