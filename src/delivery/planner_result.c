/*
 * Results: what workers report becomes what the store says. Accounting of routes happens when a
 * lease comes back, once; the store is told within a transaction that may have to be tried again;
 * journal slots are free only after its commit.
 */
#include "delivery/planner_letter.h"
#include "delivery/planner_log.h"
#include "delivery/planner_notice.h"
#include "delivery/planner_parts.h"
#include "delivery/planner_tls.h"
#include "delivery/planner_suppression.h"

#include "base/log.h"
#include "base/text.h"
#include "smtp/reply_wait.h"

#include <stdio.h>
#include <string.h>

#define HOST_TEXT_MAX 320

static void account(struct planner *planner, struct lease *lease)
{
	struct planner_route *route = lease->route;
	struct planner_campaign *campaign = planner_campaign(planner, lease->ref.id.campaign);

	route->in_flight--;
	route->results++;
	route->worker_in_flight[lease->worker]--;
	campaign->leases--;
	planner_reply_judge(planner, lease);
	planner_tls_count(planner, lease);
	if (lease->site_failed)
		planner_route_failed(planner, route, lease);
	else
		planner_route_learn(planner, route, lease);
	if (!lease->site_failed && (lease->verdict == SMTP_VERDICT_ACCEPTED ||
				    lease->verdict == SMTP_VERDICT_PERMANENT))
		planner_route_worked(planner, route);
	planner_route_check(planner, route);
}

void planner_collect_results(struct planner *planner)
{
	for (u32 i = 0; i < planner->params.worker_count; i++) {
		struct worker *worker = planner->params.workers[i];
		struct lease *lease;

		while (planner->result_count < TURN_RESULTS_MAX &&
		       (lease = worker_take_back(worker))) {
			list_init(&lease->node);
			account(planner, lease);
			list_push_back(&planner->results, &lease->node);
			planner->result_count++;
		}
	}
}

/* ---- log entries ---- */

static struct slice host_text(char out[HOST_TEXT_MAX], const struct lease *lease)
{
	char ip[NET_ADDRESS_TEXT_SIZE];

	if (lease->host.family == 0)
		return SLICE_NONE;
	net_address_format(ip, &lease->host, lease->host.port != 25);
	snprintf(out, HOST_TEXT_MAX, "%s [%s]", planner_lease_host(lease), ip);
	return slice_of(out);
}

static bool add_log(struct planner *planner, const struct lease *lease, enum outcome_action action)
{
	char host[HOST_TEXT_MAX];
	struct queue_log_entry entry = {
		.wall_ms = planner->time.wall_ms,
		.age_ms = planner->time.age_ms,
		.id = lease->ref.id,
		.outcome = outcome_log_name(action),
		.code = lease->code,
		.attempts = (u8)min_u32(lease->attempts + 1, 255),
		.reply_class = lease->reply_class,
		.elapsed_ms = lease->elapsed_ms,
		.address = lease->address,
		.host = host_text(host, lease),
		.reply = { lease->reply, lease->reply_len },
	};

	memcpy(entry.enhanced, lease->enhanced, sizeof(entry.enhanced));
	planner_log_facts(&entry, lease);
	return planner_store_ok(planner, queue_log_add(planner->queue, &entry));
}

/* ---- one result ---- */

static void count(struct queue_campaign *c, enum outcome_action action, bool was_deferred)
{
	if (was_deferred && c->deferred > 0)
		c->deferred--;
	switch (action) {
	case OUTCOME_DELIVERED:
		c->delivered++;
		break;
	case OUTCOME_EXPIRED:
		c->expired++;
		c->failed++;
		break;
	case OUTCOME_FAILED:
		c->failed++;
		break;
	case OUTCOME_CANCELLED:
		c->cancelled++;
		break;
	case OUTCOME_DEFER:
		c->deferrals++;
		c->deferred++;
		break;
	case OUTCOME_DOUBT:
		c->doubts++;
		c->deferred++;
		break;
	case OUTCOME_HOLD:
		c->doubts++;
		c->held++;
		break;
	case OUTCOME_RETURN:
		break;
	}
}

/* Of a letter's row that is deferred: see planner_notice_is_late. */
struct lateness {
	bool is_told; /* by this transaction */
	u64 within_ms;
};

static struct lateness lateness_of(struct planner *planner, const struct planner_campaign *campaign,
				   const struct row_id *id, struct slice values, u32 flags)
{
	struct lateness late;

	late.is_told = planner_notice_is_late(planner, campaign, id, values, flags,
					      &late.within_ms);
	return late;
}

/* To the place where the row waits from now on. */
static enum store_result move_row(struct planner *planner, const struct lease *lease,
				  enum outcome_action action, const struct lateness *late)
{
	char host[NET_ADDRESS_TEXT_SIZE] = "";
	u32 attempts = lease->attempts + 1;
	struct queue_row row = {
		.ref = { .id = lease->ref.id, .place = ROW_DEFERRED },
		.attempts = attempts,
		.flags = lease->flags & ~(u32)ROW_IN_DOUBT_NOW,
		.first_ms = lease->date_ms,
		.since_ms = lease->since_ms,
		.last_code = lease->code,
		.address = lease->address,
		.values = lease->values,
		.reply = { lease->reply, lease->reply_len },
	};
	const struct retry_row failure = {
		.class = lease->reply_class,
		.attempts = attempts,
		.age_ms = planner_age_of(planner, lease->since_ms),
		.named_ms = action == OUTCOME_DEFER ? smtp_reply_wait_ms(row.reply) : 0,
	};
	u64 wait = retry_wait_ms(&planner->config->retry, &failure, &planner->random);

	wait = min_u64(wait, late->within_ms);
	if (late->is_told)
		row.flags |= ROW_DELAY_TOLD;
	if (action != OUTCOME_DEFER)
		row.flags |= ROW_WAS_IN_DOUBT;
	if (action == OUTCOME_HOLD)
		row.ref.place = ROW_DOUBT;
	if (action == OUTCOME_DOUBT) {
		row.flags |= ROW_IN_DOUBT_NOW;
		wait = planner->config->queue.in_doubt_delay_ms;
	}
	if (lease->host.family) {
		net_address_format(host, &lease->host, true);
		row.host = slice_of(host);
	}
	if (row.ref.place == ROW_DEFERRED)
		row.ref.due_ms = planner_due_time(planner, planner->time.due_ms + wait);
	return queue_row_move(planner->queue, &lease->ref, &row);
}

/* A letter's row stands among the deferred ones from the beginning. */
static bool was_deferred(const struct planner_campaign *campaign, const struct row_ref *ref,
			 u32 attempts)
{
	return ref->place == ROW_DEFERRED &&
	       (campaign->record.kind != CAMPAIGN_LETTERS || attempts > 0);
}

static bool waits_on(enum outcome_action action)
{
	return action == OUTCOME_DEFER || action == OUTCOME_DOUBT || action == OUTCOME_HOLD;
}

/* What was accepted is not asked for its time: nearly all is. */
static u64 expire_after(struct planner *planner, const struct planner_campaign *campaign,
			const struct lease *lease)
{
	return lease->verdict == SMTP_VERDICT_ACCEPTED ?
		       campaign->record.expire_after_ms :
		       retry_expire_ms(&planner->config->retry, lease->reply_class,
				       planner_expire_after(planner, campaign, &lease->ref.id));
}

/* Counters of the campaign, and of its letter. */
static bool tell_campaign(struct planner *planner, struct planner_campaign *campaign,
			  const struct row_ref *ref, enum outcome_action action, bool deferred)
{
	const bool is_letter = campaign->record.kind == CAMPAIGN_LETTERS;

	planner_campaign_touch(campaign);
	count(&campaign->record, action, deferred);
	return !is_letter || waits_on(action) ||
	       planner_letter_row_over(planner, &ref->id, action);
}

/* Its sender may want to know what became of a letter's row. */
static bool tell_sender(struct planner *planner, const struct planner_campaign *campaign,
			const struct lease *lease, enum outcome_action action)
{
	char ip[NET_ADDRESS_TEXT_SIZE];
	char host[HOST_TEXT_MAX];
	struct planner_fate fate = {
		.id = &lease->ref.id,
		.address = lease->address,
		.values = lease->values,
		.action = action,
		.since_ms = lease->since_ms,
		.class = lease->reply_class,
		.code = lease->verdict == SMTP_VERDICT_LOCAL ? 0 : lease->code,
		.text = { lease->reply, lease->reply_len },
	};

	fate.host = slice_of(planner_lease_host(lease));
	if (fate.host.len == 0 && lease->host.family) {
		net_address_format(ip, &lease->host, false);
		snprintf(host, sizeof(host), "[%s]", ip);
		fate.host = slice_of(host);
	}
	memcpy(fate.enhanced, lease->enhanced, sizeof(fate.enhanced));
	return planner_notice_fate(planner, campaign, &fate);
}

bool planner_apply_one(struct planner *planner, struct lease *lease)
{
	struct planner_campaign *campaign = planner_campaign(planner, lease->ref.id.campaign);
	struct outcome_input input = {
		.verdict = lease->verdict,
		.now_ms = planner->time.age_ms,
		.since_ms = lease->since_ms,
		.expire_after_ms = expire_after(planner, campaign, lease),
		.deadline_ms = campaign->record.deadline_ms,
		.campaign_state = campaign->record.state,
		.doubt_policy = campaign->record.doubt_policy,
		.reply_class = lease->reply_class,
		.blocks_fail = planner->config->retry.blocks_fail,
	};
	enum outcome_action action = outcome_decide(&input);
	struct lateness late = { .within_ms = UINT64_MAX };
	enum store_result result;

	lease->action = (u8)action;
	if (action == OUTCOME_RETURN)
		return true;
	if (action == OUTCOME_DEFER)
		late = lateness_of(planner, campaign, &lease->ref.id, lease->values, lease->flags);
	if (campaign->record.kind == CAMPAIGN_LETTERS && (late.is_told || !waits_on(action)) &&
	    !tell_sender(planner, campaign, lease, action))
		return false;
	result = waits_on(action) ? move_row(planner, lease, action, &late) :
				    queue_row_delete(planner->queue, &lease->ref);
	if (result == STORE_NOT_FOUND)
		log_error("delivery", "a leased row was gone from the queue",
			  "campaign=%u row=%u.%u", lease->ref.id.campaign, lease->ref.id.domain,
			  lease->ref.id.seq);
	else if (!planner_store_ok(planner, result))
		return false;
	if (!add_log(planner, lease, action) || !planner_suppress_result(planner, lease, action))
		return false;
	return tell_campaign(planner, campaign, &lease->ref, action,
			     was_deferred(campaign, &lease->ref, lease->attempts));
}

void planner_apply_results(struct planner *planner)
{
	const u32 limit = planner_limit(planner, TURN_RESULTS_MAX);

	planner->results_applied = 0;
	list_for_each(node, &planner->results) {
		if (planner->results_applied == limit)
			return;
		if (!planner_apply_one(planner, list_entry(node, struct lease, node)))
			return;
		planner->results_applied++;
	}
}

/* ---- after the commit ---- */

static void count_metrics(struct planner *planner, const struct lease *lease)
{
	struct metrics_route *r = &planner->m->routes[lease->path->site_metrics];

	switch ((enum outcome_action)lease->action) {
	case OUTCOME_DELIVERED:
		metric_add(&r->delivered, 1);
		break;
	case OUTCOME_FAILED:
	case OUTCOME_EXPIRED:
		metric_add(&r->failed, 1);
		break;
	case OUTCOME_DEFER:
		metric_add(&r->deferred, 1);
		break;
	case OUTCOME_DOUBT:
	case OUTCOME_HOLD:
		metric_add(&r->in_doubt, 1);
		break;
	default:
		break;
	}
}

static void release(struct planner *planner, struct lease *lease)
{
	u64 batch = lease->batch;

	count_metrics(planner, lease);
	planner_reply_count(planner, lease);
	if (lease->action == OUTCOME_RETURN)
		planner_row_wait(planner, &planner->again, &lease->ref);
	if (--planner->batch_left[batch % BATCHES_MAX] == 0)
		planner->dead_batches[planner->dead_batch_count++] = batch;
	planner_lease_free(planner, lease);
}

void planner_results_committed(struct planner *planner)
{
	struct list *node;

	metric_add(&planner->m->rows_committed, planner->results_applied);
	for (; planner->results_applied > 0; planner->results_applied--) {
		node = list_pop_front(&planner->results);
		release(planner, list_entry(node, struct lease, node));
		planner->result_count--;
	}
}

/* ---- rows that no worker holds ---- */

/* Log and counters of what became of the row at row->ref; `deferred`: it was counted so. */
static bool note_row(struct planner *planner, struct planner_campaign *campaign,
		     const struct queue_row *row, bool deferred, enum outcome_action action,
		     u16 code, const u16 enhanced[3], struct slice text)
{
	struct queue_log_entry entry = {
		.wall_ms = planner->time.wall_ms,
		.age_ms = planner->time.age_ms,
		.id = row->ref.id,
		.outcome = outcome_log_name(action),
		.code = code,
		.enhanced = { enhanced[0], enhanced[1], enhanced[2] },
		.reply_class = planner_class_of_domain(code, enhanced),
		.attempts = (u8)min_u32(row->attempts, 255),
		.address = row->address,
		.reply = text,
	};
	const struct row_ref ref = row->ref;

	if (!planner_store_ok(planner, queue_log_add(planner->queue, &entry)))
		return false;
	if (ref.place == ROW_DOUBT && campaign->record.held > 0)
		campaign->record.held--;
	return tell_campaign(planner, campaign, &ref, action, deferred);
}

/* The same to the sender of a letter, while the row's slices stand. */
static bool tell_of_row(struct planner *planner, const struct planner_campaign *campaign,
			const struct queue_row *row, enum outcome_action action,
			enum smtp_class class, const u16 enhanced[3], struct slice text)
{
	const struct planner_fate fate = {
		.id = &row->ref.id,
		.address = row->address,
		.values = row->values,
		.action = action,
		.since_ms = planner_since_of(planner, row),
		.class = class,
		.enhanced = { enhanced[0], enhanced[1], enhanced[2] },
		.text = text,
	};

	return planner_notice_fate(planner, campaign, &fate);
}

static bool settle_row(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row, enum outcome_action action,
		       enum smtp_class class, u16 code, const u16 enhanced[3], struct slice text)
{
	struct row_ref ref = row->ref;
	enum store_result result;

	planner_row_touch(planner, &ref);
	if (!tell_of_row(planner, campaign, row, action, class, enhanced, text))
		return false;
	if (!note_row(planner, campaign, row, was_deferred(campaign, &ref, row->attempts), action,
		      code, enhanced, text))
		return false;
	result = queue_row_delete(planner->queue, &ref);
	return result == STORE_NOT_FOUND || planner_store_ok(planner, result);
}

bool planner_settle_row(struct planner *planner, struct planner_campaign *campaign,
			const struct queue_row *row, enum outcome_action action, u16 code,
			const u16 enhanced[3], struct slice text)
{
	return settle_row(planner, campaign, row, action, planner_class_of_domain(code, enhanced),
			  code, enhanced, text);
}

bool planner_defer_row(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row, enum smtp_class class, u16 code,
		       struct slice text)
{
	struct queue_row moved = *row;
	struct row_ref from = row->ref;
	const bool deferred = was_deferred(campaign, &from, row->attempts);
	u64 since = planner_since_of(planner, row);
	struct outcome_input input = { .verdict = SMTP_VERDICT_TEMPORARY,
				       .now_ms = planner->time.age_ms,
				       .since_ms = since,
				       .expire_after_ms = retry_expire_ms(
					       &planner->config->retry, class,
					       planner_expire_after(planner, campaign,
								    &row->ref.id)),
				       .deadline_ms = campaign->record.deadline_ms,
				       .campaign_state = campaign->record.state };
	enum outcome_action action = outcome_decide(&input);
	struct retry_row failure = { .class = class, .age_ms = planner_age_of(planner, since) };

	const u16 none[3] = { 0 };
	struct lateness late;
	u64 wait;

	if (action != OUTCOME_DEFER)
		return settle_row(planner, campaign, row, action, class, code, none, text);
	late = lateness_of(planner, campaign, &row->ref.id, row->values, row->flags);
	if (late.is_told && !tell_of_row(planner, campaign, row, action, class, none, text))
		return false;
	if (late.is_told)
		moved.flags |= ROW_DELAY_TOLD;
	planner_row_touch(planner, &from);
	moved.ref.place = ROW_DEFERRED;
	failure.attempts = ++moved.attempts;
	moved.first_ms = planner_date_of(row, planner->time.wall_ms);
	moved.since_ms = since;
	moved.last_code = code;
	moved.reply = text;
	wait = retry_wait_ms(&planner->config->retry, &failure, &planner->random);
	moved.ref.due_ms = planner_due_time(planner, planner->time.due_ms +
							     min_u64(wait, late.within_ms));
	/* The log entry's address is read again: the row's own slices ended with the move. */
	if (!planner_store_ok(planner, queue_row_move(planner->queue, &from, &moved)) ||
	    !planner_store_ok(planner, queue_row_get(planner->queue, &moved.ref, &moved)))
		return false;
	moved.ref = from;
	return note_row(planner, campaign, &moved, deferred, OUTCOME_DEFER, code, none, text);
}
