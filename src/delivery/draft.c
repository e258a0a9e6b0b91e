/*
 * From a lease to a transaction: the message is composed for its recipient, all messages of the
 * batch are signed together, then each is given to its session.
 */
#include "delivery/worker_parts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/row_values.h"

#include <stdlib.h>
#include <string.h>

#define SENDER_MAX 400

static struct draft *take_draft(struct worker *worker)
{
	struct draft *draft = worker->free_drafts;

	if (draft) {
		worker->free_drafts = draft->next;
		return draft;
	}
	draft = calloc(1, sizeof(*draft));
	if (!draft)
		return NULL;
	message_composed_init(&draft->composed);
	buf_init(&draft->sender, SENDER_MAX);
	return draft;
}

void draft_free(struct worker *worker, struct draft *draft)
{
	if (!draft)
		return;
	draft->next = worker->free_drafts;
	worker->free_drafts = draft;
}

/* The lease's draft is the caller's from now on; NULL: it has none. */
static struct draft *take_ahead(struct worker *worker, struct lease *lease)
{
	struct draft *draft = lease->draft;

	lease->draft = NULL;
	worker->drafts_ahead -= draft ? 1 : 0;
	return draft;
}

void draft_drop(struct worker *worker, struct lease *lease)
{
	draft_free(worker, take_ahead(worker, lease));
}

static struct job *take_job(struct worker *worker)
{
	struct job *job = worker->free_jobs;

	if (!job)
		return calloc(1, sizeof(*job));
	worker->free_jobs = (struct job *)(void *)job->node.next;
	memset(job, 0, sizeof(*job));
	return job;
}

void job_free(struct worker *worker, struct job *job)
{
	draft_free(worker, job->draft);
	if (job->transaction.recipients != &job->one)
		free(job->transaction.recipients);
	job->node.next = (struct list *)(void *)worker->free_jobs;
	worker->free_jobs = job;
}

void drafts_release(struct worker *worker)
{
	while (worker->free_drafts) {
		struct draft *draft = worker->free_drafts;

		worker->free_drafts = draft->next;
		message_composed_done(&draft->composed);
		buf_done(&draft->sender);
		free(draft);
	}
	while (worker->free_jobs) {
		struct job *job = worker->free_jobs;

		worker->free_jobs = (struct job *)(void *)job->node.next;
		free(job);
	}
	while (worker->free_iovs) {
		struct iovec *iov = worker->free_iovs;

		worker->free_iovs = *(struct iovec **)(void *)iov;
		free(iov);
	}
}

/*
 * Decided before anything was sent: LOCAL, this recipient cannot be served, now or later, and the
 * row fails with these words; TEMPORARY, nothing is wrong but here and now, and it waits as after a
 * receiver's refusal.
 */
static void decide_here(struct worker *worker, struct lease *lease, enum smtp_verdict verdict,
			const char *words)
{
	lease->verdict = verdict;
	lease->stage = SMTP_STAGE_MAIL;
	lease->code = 0;
	memset(lease->enhanced, 0, sizeof(lease->enhanced));
	lease_set_reply(lease, slice_of(words));
	worker_decided(worker, lease);
}

static enum message_result compose(const struct lease *lease, bool eightbit_ok,
				   struct message_composed *composed, struct error *error)
{
	const struct mailing *mailing = lease->mailing;
	struct slice values[MESSAGE_COLUMNS_MAX];
	char token[MAILING_TOKEN_MAX];
	char id[MAILING_TOKEN_MAX];
	struct address address;
	struct message_recipient recipient = {
		.address = &address,
		.values = values,
		.value_count = mailing->column_count,
		.campaign = slice_of(mailing->number),
		.date_ms = mailing->is_grouped ? mailing->date_ms : lease->date_ms,
	};
	struct row_id identity = mailing_identity(mailing, &lease->ref.id);

	if (!address_parse(&address, lease->address, error) ||
	    !row_values_unpack(slice_from(lease->values, lease->values_head), values,
			       mailing->column_count))
		return MESSAGE_BAD_VALUE;
	recipient.token = (struct slice){ token, mailing_token(mailing, MAILING_UNSUBSCRIBE,
							       &lease->ref.id, token) };
	recipient.id =
		(struct slice){ id, mailing_token(mailing, MAILING_IDENTITY, &identity, id) };
	return message_compose(mailing->message, &recipient, eightbit_ok, composed, error);
}

/*
 * The recipients of one transaction: one, or as many of a grouped mailing as wait and are allowed.
 */
static void take_recipients(struct session *session, struct job *job, struct lease *lease)
{
	struct worker_route *route = session->route;
	u32 most = session->path->recipients_per_message;
	u32 count = 0;

	job->transaction.recipients = &job->one;
	if (lease->mailing->is_grouped && most > 1 && route->ready_count > 0)
		job->transaction.recipients = calloc(most, sizeof(*job->transaction.recipients));
	if (!job->transaction.recipients) {
		job->transaction.recipients = &job->one;
		most = 1;
	}
	job->transaction.recipients[count++] =
		(struct smtp_recipient){ .address = lease->address, .user = lease };
	while (job->transaction.recipients != &job->one && count < most && route->ready_count > 0) {
		struct lease *next =
			list_entry(worker_route_next(route)->next, struct lease, node);

		if (next->mailing != lease->mailing)
			break;
		worker_route_pop(route);
		job->transaction.recipients[count++] =
			(struct smtp_recipient){ .address = next->address, .user = next };
	}
	job->transaction.recipient_count = count;
}

static void fill_transaction(struct session *session, struct job *job, struct lease *lease)
{
	struct message_composed *composed = &job->draft->composed;

	job->transaction = (struct smtp_transaction){
		.sender = buf_slice(&job->draft->sender),
		.pieces = composed->pieces,
		.piece_count = composed->piece_count,
		.size = composed->size,
		.eightbit = composed->eightbit,
		.utf8_headers = composed->utf8_headers,
		.raw_dots = session->path->raw_dots,
		.user = job,
	};
	take_recipients(session, job, lease);
}

/* The message and its envelope. Other than MESSAGE_OK: `error` says why there is none. */
static enum message_result write_draft(struct worker *worker, struct draft *draft,
				       const struct lease *lease, bool eightbit_ok,
				       struct error *error)
{
	struct metrics_worker *m = worker->params.metrics;
	struct row_id identity = mailing_identity(lease->mailing, &lease->ref.id);
	enum message_result result = compose(lease, eightbit_ok, &draft->composed, error);

	if (result != MESSAGE_OK)
		return result;
	draft->eightbit_ok = eightbit_ok;
	buf_reset(&draft->sender);
	mailing_add_sender(lease->mailing, &identity, &draft->sender);
	if (draft->sender.no_memory)
		return MESSAGE_NO_MEMORY;
	if (draft->sender.failed) {
		error_set(error, "the envelope's sender is too long");
		return MESSAGE_BAD_VALUE;
	}
	metric_add(&m->messages_composed, 1);
	metric_add(&m->body_bytes_hashed, draft->composed.hashed_bytes);
	metric_add(&m->body_bytes_saved, draft->composed.saved_bytes);
	return MESSAGE_OK;
}

/* The draft of a lease whose session is there. False: the lease is decided. */
static bool fill_draft(struct worker *worker, struct draft *draft, struct lease *lease,
		       bool eightbit_ok)
{
	struct error error = { "the recipient's record is damaged" };
	enum message_result result = write_draft(worker, draft, lease, eightbit_ok, &error);

	if (result == MESSAGE_OK)
		return true;
	if (result == MESSAGE_NO_MEMORY) {
		decide_here(worker, lease, SMTP_VERDICT_TEMPORARY, "out of memory");
		return false;
	}
	metric_add(&worker->params.metrics->bad_values, 1);
	decide_here(worker, lease, SMTP_VERDICT_LOCAL, error.text);
	return false;
}

/* NULL: no memory. */
static struct job *make_job(struct worker *worker)
{
	struct draft *draft = take_draft(worker);
	struct job *job = draft ? take_job(worker) : NULL;

	if (!job) {
		draft_free(worker, draft);
		return NULL;
	}
	job->draft = draft;
	job->transaction.recipients = &job->one;
	list_init(&job->node);
	return job;
}

/* The lease's message for the session, made ahead or now. False: the lease is decided. */
static bool fill_job(struct job *job, struct session *session, struct lease *lease)
{
	struct worker *worker = session->worker;
	bool eightbit_ok = session->client.capabilities & SMTP_CAP_8BITMIME;
	struct draft *ahead = take_ahead(worker, lease);

	job->session = session;
	if (ahead) {
		draft_free(worker, job->draft);
		job->draft = ahead;
	}
	if ((!ahead || ahead->eightbit_ok != eightbit_ok) &&
	    !fill_draft(worker, job->draft, lease, eightbit_ok))
		return false;
	fill_transaction(session, job, lease);
	return true;
}

/* The next hungry session and a lease for it; sessions without one are parked at their route. */
static struct session *next_hungry(struct worker *worker, struct lease **lease)
{
	while (!list_is_empty(&worker->hungry)) {
		struct session *session = list_entry(worker->hungry.next, struct session, node);

		session_move(session, SESSION_NOWHERE);
		session_make_dirty(session);
		if (!session_may_take(session)) {
			/* It was counted on. */
			if (session->route->ready_count > 0)
				worker_route_due(worker, session->route);
			continue;
		}
		*lease = worker_route_pop_for(session->route, session);
		if (*lease)
			return session;
		session_move(session, SESSION_PARKED);
	}
	return NULL;
}

/* Without memory none: the sessions stay hungry. */
static u32 collect(struct worker *worker, struct job **jobs)
{
	u32 count = 0;

	while (count < COMPOSE_BATCH) {
		struct lease *lease;
		struct job *job = make_job(worker);
		struct session *session = job ? next_hungry(worker, &lease) : NULL;

		if (session && fill_job(job, session, lease)) {
			/* Given only after signing, but it must not take more than fits. */
			jobs[count++] = job;
			session->messages++;
			continue;
		}
		if (job)
			job_free(worker, job);
		if (!session)
			break;
		/* That lease is decided; perhaps there is another. */
		session_move(session, SESSION_HUNGRY);
	}
	return count;
}

static void note_refused(struct worker *worker, u64 refused)
{
	if (refused == 0)
		return;
	metric_add(&worker->params.metrics->signatures_refused, refused);
	log_error("delivery", "signatures failed their check and were made again: the processor or "
			      "the memory is faulty",
		  "count=%llu", (unsigned long long)refused);
}

static bool must_sign(const struct message_composed *composed)
{
	return composed->is_signed && !dkim_is_signed(&composed->dkim);
}

/* A draft for a lease that waits. False: this one, or any other, has none for now. */
static bool compose_ahead(struct worker *worker, struct lease *lease, bool eightbit_ok)
{
	struct draft *draft = take_draft(worker);
	struct error error;

	if (!draft)
		return false;
	if (write_draft(worker, draft, lease, eightbit_ok, &error) != MESSAGE_OK ||
	    !must_sign(&draft->composed)) {
		draft_free(worker, draft); /* its own turn will say what is wrong */
		return false;
	}
	lease->draft = draft;
	worker->drafts_ahead++;
	return true;
}

/* Of the route's leases that wait, the next ones without a draft; how many. */
static u32 look_ahead(const struct session *session, struct lease **leases, u32 most)
{
	struct worker *worker = session->worker;
	bool eightbit_ok = session->client.capabilities & SMTP_CAP_8BITMIME;
	u32 count = 0;

	list_for_each(node, worker_route_next(session->route)) {
		struct lease *lease = list_entry(node, struct lease, node);

		if (count == most || worker->drafts_ahead == AHEAD_MAX)
			break;
		if (lease->draft)
			continue;
		if (lease->mailing->is_grouped || !compose_ahead(worker, lease, eightbit_ok))
			break;
		leases[count++] = lease;
	}
	return count;
}

/*
 * Signatures are made several at a time, and a batch that is not full takes as long as one that
 * is. What the hungry sessions leave of it serves the leases that wait behind theirs: many sessions
 * at receivers that take their time come one by one.
 */
static u32 fill_lanes(struct worker *worker, struct job *const *jobs, u32 count, u32 signatures,
		      struct lease **leases)
{
	u32 lanes = dkim_signer_lanes(worker->signer);
	u32 free_lanes = (lanes - signatures % lanes) % lanes;
	u32 found = 0;

	for (u32 i = 0; i < count && found < free_lanes; i++)
		found += look_ahead(jobs[i]->session, leases + found, free_lanes - found);
	return found;
}

/* Signs what is to be signed, all together. */
static void sign(struct worker *worker, struct job **jobs, u32 count)
{
	struct dkim_work *works[COMPOSE_BATCH + DKIM_LANES_MAX];
	struct lease *ahead[DKIM_LANES_MAX];
	u32 ahead_count = 0;
	u32 signatures = 0;
	u64 started;
	u64 each;

	for (u32 i = 0; i < count; i++) {
		if (must_sign(&jobs[i]->draft->composed))
			works[signatures++] = &jobs[i]->draft->composed.dkim;
	}
	if (signatures == 0)
		return;
	ahead_count = fill_lanes(worker, jobs, count, signatures, ahead);
	for (u32 i = 0; i < ahead_count; i++)
		works[signatures++] = &ahead[i]->draft->composed.dkim;
	started = clock_mono_ns();
	if (!dkim_sign(worker->signer, works, signatures))
		log_error("delivery", "DKIM signing failed: messages are deferred", "");
	each = (clock_mono_ns() - started) / signatures;
	for (u32 i = 0; i < signatures; i++)
		metric_observe(&worker->params.metrics->sign, each);
	metric_add(&worker->params.metrics->signatures, signatures);
	metric_add(&worker->params.metrics->signing_rounds, 1);
	note_refused(worker, dkim_signer_take_refused(worker->signer));
	for (u32 i = 0; i < ahead_count; i++) {
		if (!dkim_is_signed(&ahead[i]->draft->composed.dkim))
			draft_drop(worker, ahead[i]);
	}
}

/* Nothing goes out unsigned that should be signed. */
static void put_off(struct worker *worker, struct job *job)
{
	for (u32 i = 0; i < job->transaction.recipient_count; i++)
		decide_here(worker, job->transaction.recipients[i].user, SMTP_VERDICT_TEMPORARY,
			    "DKIM signing failed");
	job->session->messages--;
	job_free(worker, job);
}

static void give(struct worker *worker, struct job *job)
{
	struct session *session = job->session;
	struct message_composed *composed = &job->draft->composed;

	if (composed->is_signed && !dkim_is_signed(&composed->dkim)) {
		put_off(worker, job);
		return;
	}
	message_seal(composed);
	job->given_ns = worker->now_ns;
	session_kernel_weigh(session, composed->size);
	list_push_back(&session->jobs, &job->node);
	smtp_client_give(&session->client, &job->transaction, worker->now_ns);
	/* A message that this receiver cannot take is decided already. */
	session_drain(session);
}

void drafts_run(struct worker *worker)
{
	struct job *jobs[COMPOSE_BATCH];
	u32 count = collect(worker, jobs);

	if (count == 0)
		return;
	sign(worker, jobs, count);
	worker->now_ns = clock_mono_ns();
	for (u32 i = 0; i < count; i++)
		give(worker, jobs[i]);
}
