/*
 * What receivers say of a session's messages: noted in the journal and in the leases, which then go
 * back to the planner, or, when a message never left, to the route.
 */
#include "base/clock.h"
#include "base/text.h"
#include "delivery/worker_parts.h"

#include <string.h>

/* Unsent again and again: that is a failure. */
static void give_up(struct lease *lease)
{
	const char *words = lease->failure == SMTP_FAILURE_TIMEOUT ?
				    "timed out again and again before the message was sent" :
				    "connection lost again and again before the message was sent";

	lease->verdict = SMTP_VERDICT_TEMPORARY;
	lease_set_reply(lease, slice_of(words));
}

static void give_back(struct session *session, struct lease *lease)
{
	struct worker *worker = session->worker;

	if (lease->verdict != SMTP_VERDICT_UNSENT || worker->stopping) {
		worker_decided(worker, lease);
		return;
	}
	/* It goes at once over another connection; not so often when that takes minutes each. */
	lease->returns += lease->failure == SMTP_FAILURE_TIMEOUT ? LEASE_RETURNS_MAX / 2 : 1;
	if (lease->returns > LEASE_RETURNS_MAX) {
		give_up(lease);
		worker_decided(worker, lease);
		return;
	}
	lease->verdict = SMTP_VERDICT_NONE;
	worker_route_add(worker, session->route, lease, true);
}

/* Jobs whose memory the kernel may still read stay until the send under way has ended. */
void session_finish_jobs(struct session *session)
{
	struct list *node;

	while ((node = list_pop_front(&session->finished))) {
		struct job *job = list_entry(node, struct job, node);

		for (u32 i = 0; i < job->transaction.recipient_count; i++)
			give_back(session, job->transaction.recipients[i].user);
		job_free(session->worker, job);
	}
}

/* The journal learns what the receiver said, or that the end never left after all. */
static void note_answer(struct lease *lease)
{
	struct journal_slot *slot = lease->slot;

	if (atomic_load_explicit(&slot->state, memory_order_relaxed) != JOURNAL_DOT_SENT ||
	    lease->verdict == SMTP_VERDICT_IN_DOUBT)
		return;
	slot->code = lease->code;
	slot->verdict = (u16)lease->verdict;
	atomic_store_explicit(&slot->state,
			      lease->verdict == SMTP_VERDICT_UNSENT ? JOURNAL_LEASED :
								      JOURNAL_ANSWERED,
			      memory_order_release);
}

static void note_use(struct session *session)
{
	if (session->useful)
		return;
	session->useful = true;
	targets_useful(&session->route->targets, session_address(session));
}

void session_verdict(struct session *session, const struct smtp_event *event)
{
	struct smtp_recipient *recipient = &event->transaction->recipients[event->recipient];
	struct job *job = event->transaction->user;
	struct lease *lease = recipient->user;
	const struct smtp_reply *reply = event->reply;

	session->lost |= recipient->verdict == SMTP_VERDICT_UNSENT;
	if (reply && reply->code != 421 && recipient->verdict != SMTP_VERDICT_LOCAL)
		note_use(session);
	lease->verdict = recipient->verdict;
	lease->stage = event->stage;
	lease->failure = event->failure;
	lease->elapsed_ms = (u32)((session->worker->now_ns - job->given_ns) / NS_PER_MS);
	lease->host = *session_address(session);
	lease->bytes = event->transaction->ended ?
			       (u32)min_u64(event->transaction->size, UINT32_MAX) : 0;
	session_tls_note(session, lease);
	lease->code = reply ? reply->code : 0;
	memset(lease->enhanced, 0, sizeof(lease->enhanced));
	lease_set_reply(lease, reply ? (struct slice){ reply->text, reply->text_len } : SLICE_NONE);
	if (reply)
		memcpy(lease->enhanced, reply->enhanced, sizeof(lease->enhanced));
	note_answer(lease);
	session_report_to(session, lease);
}

void session_job_done(struct session *session, struct smtp_transaction *transaction)
{
	struct worker *worker = session->worker;
	struct job *job = transaction->user;
	struct metrics_route *m = session_metrics(session);

	metric_observe(&worker->params.metrics->transaction, worker->now_ns - job->given_ns);
	if (transaction->ended)
		metric_add(&m->bytes, transaction->size);
	if (transaction->ended && session->conn.tls)
		metric_add(&worker->params.metrics->tls_messages[conn_kernel(&session->conn) ==
								 CONN_KERNEL_ON], 1);
	list_unlink(&job->node);
	list_push_back(&session->finished, &job->node);
	if (!session->conn.sending)
		session_finish_jobs(session);
}
