#include "web/bringer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "store/audience_hold.h"
#include "web/bringer_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TURN_NS NS_PER_S
#define LOOK_NS (10 * NS_PER_S) /* all campaigns are looked through */
#define QUIET_NS (5 * NS_PER_S) /* one that only waits for the sender's end is asked for again */
#define JUMP_MS 60000
#define STEADY_NS (60 * NS_PER_S)
#define LATE_MS (24 * 3600 * MS_PER_S)
#define WORKS_MAX 1000
#define STATE(name) (1u << AUDIENCE_CAMPAIGN_##name)

/* ---- heads and changes ---- */

bool bringer_read_head(struct bringer *bringer, u32 id, struct bringer_head *head)
{
	bool ok = audience_begin_read(bringer->reader) == STORE_OK &&
		  audience_campaign_get(bringer->reader, id, &head->c) == STORE_OK &&
		  slice_copy(head->customer, sizeof(head->customer), head->c.customer) &&
		  slice_copy(head->reason, sizeof(head->reason), head->c.reason);

	audience_abort(bringer->reader);
	head->c.customer = slice_of(head->customer);
	head->c.reason = slice_of(head->reason);
	head->c.draft = SLICE_NONE;
	return ok;
}

bool bringer_open_rows(struct bringer *bringer, struct bringer_work *work, struct error *error)
{
	struct audience_campaign campaign;
	enum draft_field field;
	bool ok;

	if (work->is_open)
		return true;
	error->text[0] = '\0';
	ok = audience_begin_read(bringer->reader) == STORE_OK &&
	     audience_campaign_get(bringer->reader, work->id, &campaign) == STORE_OK;
	if (ok) {
		work->is_open = true;
		ok = campaign_rows_open(&work->rows, bringer->reader, &campaign,
					&bringer->params.config->web, bringer->params.links,
					CAMPAIGN_ROWS_SENT, &field, error);
		if (!ok) {
			error_prefix(error, "%s", draft_field_name((u32)field));
			bringer_close_rows(work);
		}
	}
	audience_abort(bringer->reader);
	return ok;
}

void bringer_close_rows(struct bringer_work *work)
{
	if (work->is_open)
		campaign_rows_close(&work->rows);
	work->is_open = false;
}

struct new_state {
	enum audience_campaign_state state;
	const char *reason;
	u64 now_ms;
};

static enum store_result edit_state(struct campaign_change *change, struct audience_campaign *c,
				    struct audience_txn *txn)
{
	const struct new_state *to = change->context;

	(void)txn;
	c->state = to->state;
	c->reason = slice_first(slice_of(to->reason), AUDIENCE_CAMPAIGN_REASON_MAX);
	c->changed_ms = to->now_ms;
	if (to->state == AUDIENCE_CAMPAIGN_DONE || to->state == AUDIENCE_CAMPAIGN_CANCELLED)
		c->finished_ms = to->now_ms;
	return STORE_OK;
}

static bool change_do(struct bringer *bringer, struct campaign_change *change)
{
	struct error error;

	if (campaign_change_do(change, bringer->params.scribe, &error) == STORE_OK)
		return change->is_done;
	log_error("web", "a campaign's state could not be kept", "campaign=%u reason=%s",
		  change->id, error.text);
	return false;
}

bool bringer_set_state(struct bringer *bringer, u32 id, u32 from, enum audience_campaign_state to,
		       const char *reason)
{
	struct new_state state = { to, reason, bringer->now_ms };
	struct campaign_change change = {
		.id = id, .from = from, .edit = edit_state, .context = &state
	};

	if (!change_do(bringer, &change))
		return false;
	log_info("web", "campaign", "campaign=%u state=%s reason=%s", id,
		 audience_campaign_state_names[to], reason);
	return true;
}

static enum store_result edit_flags(struct campaign_change *change, struct audience_campaign *c,
				    struct audience_txn *txn)
{
	const u32 *flags = change->context;

	(void)txn;
	c->flags = (c->flags | flags[0]) & ~flags[1];
	return STORE_OK;
}

bool bringer_set_flags(struct bringer *bringer, u32 id, u32 set, u32 clear)
{
	u32 flags[2] = { set, clear };
	struct campaign_change change = {
		.id = id, .from = ~0u, .edit = edit_flags, .context = flags
	};

	return change_do(bringer, &change);
}

/* ---- one campaign ---- */

json_t *bringer_ask_status(struct bringer *bringer, u32 sender, bool *is_gone)
{
	struct asker_answer answer;
	enum asker_end end = asker_ask(&bringer->asker,
				       json_pack("{s:s, s:I}", "command", "campaign.status", "id",
						 (json_int_t)sender),
				       &answer);
	json_t *status = NULL;

	*is_gone = end == ASKER_REFUSED && strcmp(answer.code, "not-found") == 0;
	if (end == ASKER_REPLIED)
		status = json_incref(json_array_get(answer.items, 0));
	asker_answer_done(&answer);
	return status;
}

void bringer_order(struct bringer *bringer, const char *command, u32 sender)
{
	struct asker_answer answer;
	enum asker_end end =
		asker_ask(&bringer->asker,
			  json_pack("{s:s, s:I}", "command", command, "id", (json_int_t)sender),
			  &answer);

	/* What comes next need not wait. */
	bringer->is_busy |= end == ASKER_REPLIED;
	if (end != ASKER_REPLIED)
		log_warn("web", "the sender does not do what was ordered",
			 "command=%s campaign=%u reason=%s", command, sender, answer.error.text);
	asker_answer_done(&answer);
}

bool bringer_is_state(const json_t *status, const char *state)
{
	return strcmp(asker_text(status, "state"), state) == 0;
}

/* Outside of the hours of sending the sender pauses. True: now is outside. */
static bool keep_hours(struct bringer *bringer, struct bringer_work *work,
		       const struct bringer_head *head, const json_t *status)
{
	const struct draft_plan *plan = &work->rows.plan;
	bool is_open = send_window_is_open(&plan->window, &plan->zone, bringer->now_ms);
	bool is_held = head->c.flags & AUDIENCE_CAMPAIGN_HELD;

	if (!is_open && !is_held && bringer_set_flags(bringer, work->id, AUDIENCE_CAMPAIGN_HELD, 0))
		is_held = true;
	if (!is_open && is_held && bringer_is_state(status, "running"))
		bringer_order(bringer, "campaign.pause", head->c.sender);
	if (is_open && is_held && bringer_is_state(status, "paused"))
		bringer_order(bringer, "campaign.resume", head->c.sender);
	else if (is_open && is_held && !bringer_set_flags(bringer, work->id, 0,
							  AUDIENCE_CAMPAIGN_HELD))
		return true;
	return !is_open || is_held;
}

/* What is running here and is not there. True: nothing is to be brought now. */
static bool follow(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head, const json_t *status)
{
	const u32 running = STATE(RUNNING) | STATE(SENDING);
	bool is_set = true;

	if (bringer_is_state(status, "done"))
		is_set = bringer_set_state(bringer, work->id, running, AUDIENCE_CAMPAIGN_DONE, "");
	else if (bringer_is_state(status, "cancelled"))
		is_set = bringer_set_state(bringer, work->id, running, AUDIENCE_CAMPAIGN_CANCELLED,
					   "it was cancelled at the sender");
	else if (head->c.flags & AUDIENCE_CAMPAIGN_RESUMES && bringer_is_state(status, "paused"))
		bringer_order(bringer, "campaign.resume", head->c.sender);
	else if (head->c.flags & AUDIENCE_CAMPAIGN_RESUMES)
		is_set = bringer_set_flags(bringer, work->id, 0, AUDIENCE_CAMPAIGN_RESUMES);
	else if (bringer_is_state(status, "ready"))
		bringer_order(bringer, "campaign.start", head->c.sender);
	else if (keep_hours(bringer, work, head, status))
		return true;
	else if (bringer_is_state(status, "paused"))
		is_set = bringer_set_state(bringer, work->id, running, AUDIENCE_CAMPAIGN_PAUSED,
					   "it was paused at the sender");
	else
		return false;
	work->next_ns = is_set ? 0 : bringer->now_ns + QUIET_NS;
	return true;
}

static void run(struct bringer *bringer, struct bringer_work *work,
		const struct bringer_head *head)
{
	struct error error;
	bool is_gone;
	json_t *status;

	if (!bringer_open_rows(bringer, work, &error)) {
		if (error.text[0] &&
		    !bringer_set_state(bringer, work->id, STATE(RUNNING) | STATE(SENDING),
				       AUDIENCE_CAMPAIGN_PAUSED, error.text))
			work->next_ns = bringer->now_ns + QUIET_NS;
		return;
	}
	status = bringer_ask_status(bringer, head->c.sender, &is_gone);
	if (is_gone && !bringer_set_state(bringer, work->id, STATE(RUNNING) | STATE(SENDING),
					  AUDIENCE_CAMPAIGN_PAUSED,
					  "the sender does not know it any more"))
		work->next_ns = bringer->now_ns + QUIET_NS;
	if (status && !follow(bringer, work, head, status)) {
		if (head->c.state == AUDIENCE_CAMPAIGN_RUNNING)
			bringer_bring(bringer, work, head, status);
		else
			work->next_ns = bringer->now_ns + QUIET_NS;
	}
	json_decref(status);
}

/* Carried out at the sender, too. */
static void pause_there(struct bringer *bringer, struct bringer_work *work,
			const struct bringer_head *head)
{
	bool is_gone;
	json_t *status = bringer_ask_status(bringer, head->c.sender, &is_gone);

	if (status && bringer_is_state(status, "running"))
		bringer_order(bringer, "campaign.pause", head->c.sender);
	else
		work->next_ns = bringer->now_ns + QUIET_NS;
	/* What an operator of the sender ended while it was paused here. */
	if (status && bringer_is_state(status, "cancelled") &&
	    !bringer_set_state(bringer, work->id, STATE(PAUSED), AUDIENCE_CAMPAIGN_CANCELLED,
			       "it was cancelled at the sender"))
		work->next_ns = bringer->now_ns + QUIET_NS;
	json_decref(status);
}

static void cancel_there(struct bringer *bringer, struct bringer_work *work,
			 const struct bringer_head *head)
{
	bool is_gone = true;
	json_t *status =
		head->c.sender ? bringer_ask_status(bringer, head->c.sender, &is_gone) : NULL;
	bool is_over = is_gone || bringer_is_state(status, "cancelled") ||
		       bringer_is_state(status, "done");

	if (status && !is_over)
		bringer_order(bringer, "campaign.cancel", head->c.sender);
	else if (is_over && !bringer_set_state(bringer, work->id, STATE(CANCELLED),
					       AUDIENCE_CAMPAIGN_CANCELLED, ""))
		work->next_ns = bringer->now_ns + QUIET_NS;
	json_decref(status);
}

bool bringer_clock_is_good(const struct bringer *bringer)
{
	return bringer->now_ms >= CLOCK_EARLIEST_MS && bringer->now_ns >= bringer->steady_ns;
}

static void start_when_due(struct bringer *bringer, struct bringer_work *work,
			   const struct bringer_head *head)
{
	if (bringer->now_ms < head->c.start_ms || !bringer_clock_is_good(bringer))
		return;
	if (bringer->now_ms - head->c.start_ms > LATE_MS) {
		if (!bringer_set_state(bringer, work->id, STATE(SCHEDULED),
				       AUDIENCE_CAMPAIGN_PAUSED,
				       "its time came more than a day ago, while this was off"))
			work->next_ns = bringer->now_ns + QUIET_NS;
		return;
	}
	bringer_start(bringer, work, head);
}

static void step(struct bringer *bringer, struct bringer_work *work)
{
	struct bringer_head head;

	if (!bringer_read_head(bringer, work->id, &head))
		return;
	switch (head.c.state) {
	case AUDIENCE_CAMPAIGN_SCHEDULED:
		if (!bringer->is_held)
			start_when_due(bringer, work, &head);
		break;
	case AUDIENCE_CAMPAIGN_RUNNING:
	case AUDIENCE_CAMPAIGN_SENDING:
		if (!bringer->is_held)
			run(bringer, work, &head);
		break;
	case AUDIENCE_CAMPAIGN_PAUSED:
		if (head.c.sender > 0)
			pause_there(bringer, work, &head);
		else
			work->next_ns = bringer->now_ns + QUIET_NS;
		break;
	case AUDIENCE_CAMPAIGN_CANCELLED:
		if (head.c.finished_ms == 0)
			cancel_there(bringer, work, &head);
		break;
	case AUDIENCE_CAMPAIGN_DRAFT:
	case AUDIENCE_CAMPAIGN_DONE:
	case AUDIENCE_CAMPAIGN_STEP:
	case AUDIENCE_CAMPAIGN_STATES:
		break;
	}
}

/* ---- which there are ---- */

static bool is_to_do(const struct audience_campaign *c)
{
	return c->state != AUDIENCE_CAMPAIGN_DRAFT && c->state != AUDIENCE_CAMPAIGN_DONE &&
	       c->state != AUDIENCE_CAMPAIGN_STEP &&
	       !(c->state == AUDIENCE_CAMPAIGN_CANCELLED && c->finished_ms > 0);
}

static struct bringer_work *find_work(struct bringer *bringer, u32 id)
{
	struct bringer_work *work;

	list_for_each(node, &bringer->works) {
		work = list_entry(node, struct bringer_work, node);
		if (work->id == id)
			return work;
	}
	work = calloc(1, sizeof(*work));
	if (!work)
		return NULL; /* looked for again */
	work->id = id;
	list_push_back(&bringer->works, &work->node);
	return work;
}

static void drop_work(struct bringer_work *work)
{
	list_unlink(&work->node);
	bringer_close_rows(work);
	free(work);
}

static void look(struct bringer *bringer)
{
	struct audience_campaign campaign = { 0 };
	u32 count = 0;

	bringer->next_look_ns = bringer->now_ns + LOOK_NS;
	if (audience_begin_read(bringer->reader) != STORE_OK) {
		audience_abort(bringer->reader);
		return;
	}
	if (audience_is_held(bringer->reader, &bringer->is_held) != STORE_OK)
		bringer->is_held = true;
	list_for_each(node, &bringer->works)
		list_entry(node, struct bringer_work, node)->is_seen = false;
	while (count < WORKS_MAX &&
	       audience_campaign_after(bringer->reader, campaign.id, &campaign) == STORE_OK) {
		struct bringer_work *work = is_to_do(&campaign) ? find_work(bringer, campaign.id)
								: NULL;

		if (!work)
			continue;
		work->is_seen = true;
		work->next_ns = 0;
		count++;
	}
	audience_abort(bringer->reader);
	list_for_each_safe(node, &bringer->works) {
		struct bringer_work *work = list_entry(node, struct bringer_work, node);

		if (!work->is_seen)
			drop_work(work);
	}
}

/* ---- the thread ---- */

static void read_clocks(struct bringer *bringer)
{
	i64 apart_ms;

	bringer->now_ns = clock_mono_ns();
	bringer->now_ms = clock_wall_ms();
	apart_ms = (i64)bringer->now_ms - (i64)(bringer->now_ns / NS_PER_MS);
	if (bringer->clock_ms != 0 && (apart_ms - bringer->clock_ms > JUMP_MS ||
				       bringer->clock_ms - apart_ms > JUMP_MS)) {
		log_warn("web", "the clock was set: nothing scheduled starts for a minute", "");
		bringer->steady_ns = bringer->now_ns + STEADY_NS;
	}
	bringer->clock_ms = apart_ms;
}

/* True: to be looked through now. */
static bool wait(struct bringer *bringer)
{
	u64 until_ns = clock_mono_ns() + TURN_NS;
	bool is_woken;

	pthread_mutex_lock(&bringer->lock);
	while (!bringer->is_woken && !bringer->stops && !bringer->is_busy &&
	       thread_wait_until(&bringer->wakes, &bringer->lock, until_ns))
		;
	is_woken = bringer->is_woken;
	bringer->is_woken = false;
	bringer->is_busy = false;
	pthread_mutex_unlock(&bringer->lock);
	return is_woken;
}

static bool has_to_stop(struct bringer *bringer)
{
	bool stops;

	pthread_mutex_lock(&bringer->lock);
	stops = bringer->stops;
	pthread_mutex_unlock(&bringer->lock);
	return stops;
}

static void *bringer_run(void *argument)
{
	struct bringer *bringer = argument;
	bool is_woken = true;

	while (!has_to_stop(bringer)) {
		read_clocks(bringer);
		if (is_woken || bringer->now_ns >= bringer->next_look_ns)
			look(bringer);
		list_for_each(node, &bringer->works) {
			struct bringer_work *work = list_entry(node, struct bringer_work, node);

			if (bringer->now_ns >= work->next_ns && !has_to_stop(bringer))
				step(bringer, work);
		}
		if (!has_to_stop(bringer))
			bringer_steps(bringer);
		is_woken = wait(bringer);
	}
	return NULL;
}

void bringer_wake(struct bringer *bringer)
{
	pthread_mutex_lock(&bringer->lock);
	bringer->is_woken = true;
	pthread_cond_signal(&bringer->wakes);
	pthread_mutex_unlock(&bringer->lock);
}

static void free_bringer(struct bringer *bringer)
{
	list_for_each_safe(node, &bringer->works)
		drop_work(list_entry(node, struct bringer_work, node));
	campaign_batch_done(&bringer->batch);
	asker_done(&bringer->asker);
	audience_txn_close(bringer->reader);
	pthread_cond_destroy(&bringer->wakes);
	pthread_mutex_destroy(&bringer->lock);
	free(bringer);
}

struct bringer *bringer_open(const struct bringer_params *params, struct error *error)
{
	struct bringer *bringer = calloc(1, sizeof(*bringer));
	int code;

	if (!bringer) {
		error_set(error, "no memory for the thread that brings contacts");
		return NULL;
	}
	bringer->params = *params;
	list_init(&bringer->works);
	campaign_batch_init(&bringer->batch);
	asker_init(&bringer->asker, params->config->control);
	pthread_mutex_init(&bringer->lock, NULL);
	thread_condition_init(&bringer->wakes);
	bringer->reader = audience_txn_open(params->audience);
	code = bringer->reader ? thread_start(&bringer->thread, bringer_run, bringer)
			       : ENOMEM;
	if (code == 0)
		return bringer;
	error_set_errno(error, code, "the thread that brings contacts cannot be started");
	free_bringer(bringer);
	return NULL;
}

void bringer_close(struct bringer *bringer)
{
	if (!bringer)
		return;
	pthread_mutex_lock(&bringer->lock);
	bringer->stops = true;
	pthread_cond_signal(&bringer->wakes);
	pthread_mutex_unlock(&bringer->lock);
	pthread_join(bringer->thread, NULL);
	free_bringer(bringer);
}
