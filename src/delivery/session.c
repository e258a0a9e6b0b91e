/*
 * A session: one connection, one SMTP client, the jobs given to it. Everything here runs from the
 * ring's completions and the timer wheel; output and idleness are settled once per turn, when all
 * that a turn brought is in.
 */
#include "delivery/worker_parts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void on_timer(struct timer *timer);
static const struct conn_events events;

struct metrics_route *session_metrics(const struct session *session)
{
	return &session->worker->params.metrics->routes[session->path->site_metrics];
}

static struct session *take_session(struct worker *worker)
{
	struct session *session = worker->free_sessions;

	if (!session)
		return malloc(sizeof(*session));
	worker->free_sessions = session->next_free;
	return session;
}

void session_move(struct session *session, enum session_place place)
{
	list_unlink(&session->node);
	if (session->place == SESSION_HUNGRY)
		session->route->hungry--;
	session->place = (u8)place;
	if (place == SESSION_HUNGRY) {
		session->route->hungry++;
		list_push_back(&session->worker->hungry, &session->node);
	} else if (place == SESSION_PARKED) {
		list_push_back(&session->route->parked, &session->node);
	}
}

void session_free_all(struct worker *worker)
{
	while (worker->free_sessions) {
		struct session *session = worker->free_sessions;

		worker->free_sessions = session->next_free;
		free(session);
	}
}

static void start_client(struct session *session)
{
	const struct path *path = session->path;
	bool v4 = session_address(session)->family == 4;
	const char *ehlo = path_text(path, v4 ? path->ehlo4 : path->ehlo6);
	struct smtp_client_params params = { .ehlo_name = slice_of(ehlo),
					     .tls = session_tls_policy(session),
					     .depth = path->depth,
					     .capability_mask = ~0u,
					     .timeouts = &path->timeouts };

	session->wants_tls = params.tls != SMTP_TLS_NEVER;
	smtp_client_init(&session->client, &params);
}

bool session_open(struct worker *worker, struct worker_route *route, u32 target)
{
	struct path *path = route->targets.path;
	const struct path_target *t = &path->targets[target];
	const struct net_address *from = t->address.family == 4 ?
						 (path->has_source4 ? &path->source4 : NULL) :
						 (path->has_source6 ? &path->source6 : NULL);
	struct session *session = take_session(worker);
	i32 result;

	if (!session)
		return false;
	memset(session, 0, sizeof(*session));
	session->worker = worker;
	session->route = route;
	session->path = path_take(path);
	session->target = (u16)target;
	session->since_ns = worker->now_ns;
	list_init(&session->node);
	list_init(&session->dirty);
	list_init(&session->jobs);
	list_init(&session->finished);
	timer_init(&session->timer, on_timer);
	start_client(session);
	conn_init(&session->conn, worker->ring, &events);
	result = conn_dial(&session->conn, &t->address, from);
	list_push_back(&worker->sessions_all, &session->all);
	worker->sessions++;
	worker->connecting++;
	route->sessions++;
	route->connecting++;
	session->is_opening = true;
	session->is_try = targets_try(&route->targets, target);
	route->tries += session->is_try;
	if (result < 0) {
		session_note(session, METRICS_FAIL_CONNECT, SMTP_STAGE_GREETING, NULL,
			     strerror(-result));
		session_shut(session);
		return true;
	}
	session->timer_ns = worker->now_ns + path->connect_timeout_ns;
	timer_start(&worker->wheel, &session->timer, session->timer_ns);
	return true;
}

void session_make_dirty(struct session *session)
{
	if (!list_is_linked(&session->dirty))
		list_push_back(&session->worker->dirty, &session->dirty);
}

/* No longer one of those being opened; its route, and one that waited for the worker, go on. */
void session_opening_ends(struct session *session)
{
	struct worker *worker = session->worker;
	struct worker_route *route = session->route;
	struct list *node;

	if (!session->is_opening)
		return;
	session->is_opening = false;
	worker->connecting--;
	route->connecting--;
	if (session->is_try) {
		targets_tried(&route->targets, session_address(session));
		route->tries--;
	}
	if (route->ready_count > 0)
		worker_route_due(worker, route);
	node = list_pop_front(&worker->starving);
	if (node)
		list_push_back(&worker->runnable, node);
}

/* ---- the client's events ---- */

static void on_ready(struct session *session)
{
	struct worker *worker = session->worker;
	struct metrics_route *m = session_metrics(session);

	session_opening_ends(session);
	targets_worked(&session->route->targets, session_address(session));
	session->state = SESSION_OPEN;
	session_tls_ready(session);
	metric_add(&m->sessions_opened, 1);
	metric_add(&m->sessions_open, 1);
	metric_observe(&worker->params.metrics->banner, worker->now_ns - session->since_ns);
	session->since_ns = worker->now_ns;
	session_move(session, SESSION_HUNGRY);
}

void session_drain(struct session *session)
{
	struct smtp_event event;

	while (smtp_client_next_event(&session->client, &event)) {
		switch (event.type) {
		case SMTP_EVENT_READY:
			on_ready(session);
			break;
		case SMTP_EVENT_START_TLS:
			session_start_tls(session);
			break;
		case SMTP_EVENT_RECIPIENT:
			session_verdict(session, &event);
			break;
		case SMTP_EVENT_DONE:
			session_job_done(session, event.transaction);
			break;
		case SMTP_EVENT_CLOSE:
			session_over(session, &event);
			break;
		}
	}
	session_make_dirty(session);
}

/* ---- the connection's events ---- */

static struct session *session_of(struct conn *conn)
{
	return container_of(conn, struct session, conn);
}

static void on_connected(struct conn *conn, i32 result)
{
	struct session *session = session_of(conn);
	struct worker *worker = session->worker;

	worker->now_ns = clock_mono_ns();
	if (result < 0) {
		session_note(session, METRICS_FAIL_CONNECT, SMTP_STAGE_GREETING, NULL,
			     strerror(-result));
		session_shut(session);
		return;
	}
	metric_observe(&worker->params.metrics->connect, worker->now_ns - session->since_ns);
	session->since_ns = worker->now_ns;
	session->state = SESSION_GREETING;
	smtp_client_start(&session->client, worker->now_ns);
	session_make_dirty(session);
}

static void on_bytes(struct conn *conn, struct slice bytes)
{
	struct session *session = session_of(conn);

	smtp_client_receive(&session->client, bytes, session->worker->now_ns);
	session_drain(session);
}

static void give_iov_back(struct session *session)
{
	struct worker *worker = session->worker;

	if (!session->iov)
		return;
	*(struct iovec **)(void *)session->iov = worker->free_iovs;
	worker->free_iovs = session->iov;
	session->iov = NULL;
}

/* Drafts whose last byte has left are not needed while the reply is waited for. */
static void free_sent_drafts(struct session *session)
{
	list_for_each(node, &session->jobs) {
		struct job *job = list_entry(node, struct job, node);

		if (!job->transaction.ended)
			break;
		draft_free(session->worker, job->draft);
		job->draft = NULL;
	}
}

static void on_sent(struct conn *conn, i32 result)
{
	struct session *session = session_of(conn);

	session_kernel_joined(session);
	if (result > 0)
		smtp_client_sent(&session->client, (size_t)result, session->worker->now_ns);
	else if (result < 0 && conn_took_nothing(conn))
		smtp_client_sent(&session->client, 0, session->worker->now_ns);
	/* After a short send the client hands out the rest again, from the same drafts. */
	if (result > 0 && (size_t)result == session->send_bytes)
		free_sent_drafts(session);
	give_iov_back(session);
	session_finish_jobs(session);
	session_broken_off(session, result < 0);
	session_drain(session);
}

static void on_tls_ended(struct conn *conn, bool ok)
{
	struct session *session = session_of(conn);

	if (ok) {
		smtp_client_tls_started(&session->client, session->worker->now_ns);
	} else {
		session_tls_failed(session, false);
		smtp_client_tls_failed(&session->client, session->worker->now_ns);
	}
	session_drain(session);
}

static void on_ended(struct conn *conn, i32 result)
{
	struct session *session = session_of(conn);

	(void)result;
	session_break(session, SESSION_CLOSED);
	session_drain(session);
}

static void on_closed(struct conn *conn)
{
	struct session *session = session_of(conn);
	struct worker *worker = session->worker;
	struct worker_route *route = session->route;

	give_iov_back(session);
	session_finish_jobs(session);
	ASSERT(list_is_empty(&session->jobs));
	list_unlink(&session->dirty);
	list_unlink(&session->all);
	path_give(session->path);
	worker->sessions--;
	route->sessions--;
	session->next_free = worker->free_sessions;
	worker->free_sessions = session;
	/* Its place may be wanted by leases that wait. */
	if (route->ready_count > 0 || !list_is_empty(&route->resends))
		worker_route_due(worker, route);
	worker_route_rest(worker, route);
}

static const struct conn_events events = {
	.connected = on_connected,
	.bytes = on_bytes,
	.sent = on_sent,
	.tls_ended = on_tls_ended,
	.ended = on_ended,
	.closed = on_closed,
};

/* ---- once per turn ---- */

/* Its receiver is down by what other sessions met there, and nothing speaks for this one. */
static bool is_shunned(const struct session *session)
{
	const struct targets *targets = &session->route->targets;
	i32 at;

	if (session->useful)
		return false;
	at = targets_find(targets, session_address(session));
	return at >= 0 && !targets_is_up(targets, (u32)at, session->worker->now_ns);
}

/* Its route may have fewer sessions than it has since it was opened. */
static bool is_surplus(const struct session *session)
{
	const struct worker_route *route = session->route;
	const struct path *path = route->targets.path;

	return session->path != path &&
	       route->sessions > path->sessions[session->worker->params.index];
}

bool session_may_take(const struct session *session)
{
	return session->state == SESSION_OPEN && !session->worker->stopping &&
	       !conn_is_mute(&session->conn) && !is_shunned(session) && !is_surplus(session) &&
	       session->messages < session->path->messages_per_session &&
	       smtp_client_may_give(&session->client);
}

static struct iovec *take_iov(struct worker *worker)
{
	struct iovec *iov = worker->free_iovs;

	if (!iov)
		return malloc(SESSION_IOV_MAX * sizeof(*iov));
	worker->free_iovs = *(struct iovec **)(void *)iov;
	return iov;
}

/* The journal learns that a message's end goes out before it does. */
static void note_endings(struct session *session, const struct smtp_output *output)
{
	const struct net_address *to = session_address(session);

	for (u32 i = 0; i < output->ending_count; i++) {
		struct smtp_transaction *transaction = output->ending[i];

		for (u32 k = 0; k < transaction->recipient_count; k++) {
			struct lease *lease = transaction->recipients[k].user;

			if (transaction->recipients[k].verdict != SMTP_VERDICT_NONE)
				continue;
			memcpy(lease->slot->host, to->ip, sizeof(lease->slot->host));
			atomic_store_explicit(&lease->slot->state, JOURNAL_DOT_SENT,
					      memory_order_release);
		}
	}
}

static void send_output(struct session *session)
{
	struct smtp_output output = { .iov_max = SESSION_IOV_MAX };

	if (!conn_may_send(&session->conn) || session_kernel_joins(session))
		return;
	session->iov = take_iov(session->worker);
	if (!session->iov)
		return;
	output.iov = session->iov;
	if (!smtp_client_output(&session->client, &output)) {
		give_iov_back(session);
		return;
	}
	note_endings(session, &output);
	session->send_bytes = output.bytes;
	conn_send(&session->conn, session->iov, output.iov_count);
}

static void quit(struct session *session)
{
	session_move(session, SESSION_NOWHERE);
	smtp_client_quit(&session->client, session->worker->now_ns);
	session_drain(session);
}

/* A session with nothing to do is kept for a while, then says QUIT. */
static void judge_idleness(struct session *session)
{
	bool idle = session->state == SESSION_OPEN && smtp_client_is_idle(&session->client);

	if (!idle) {
		session->idle_until_ns = UINT64_MAX;
		return;
	}
	if (session->worker->stopping || is_shunned(session) ||
	    session->messages >= session->path->messages_per_session ||
	    session->path != session->route->targets.path) {
		quit(session);
		return;
	}
	if (session->idle_until_ns == UINT64_MAX || session->idle_until_ns == 0)
		session->idle_until_ns = session->worker->now_ns + session->path->idle_ns;
}

static void restart_timer(struct session *session)
{
	u64 at = smtp_client_deadline(&session->client);

	if (session->state == SESSION_CONNECTING || session->state == SESSION_CLOSING)
		return;
	if (session->idle_until_ns != 0)
		at = min_u64(at, session->idle_until_ns);
	/* Deadlines mostly move out; a timer that fires early just looks again. */
	if (session->timer_ns <= at && timer_is_running(&session->timer))
		return;
	session->timer_ns = at;
	if (at == UINT64_MAX)
		timer_stop(&session->worker->wheel, &session->timer);
	else
		timer_start(&session->worker->wheel, &session->timer, at);
}

void session_settle(struct session *session)
{
	if (conn_is_mute(&session->conn))
		session_kernel_leave(session);
	if (session->state == SESSION_CLOSING)
		return;
	/*
	 * Able to take messages but on no list: back among the hungry, whom the next turn serves.
	 */
	if (session_may_take(session) && session->place == SESSION_NOWHERE)
		session_move(session, SESSION_HUNGRY);
	judge_idleness(session);
	send_output(session);
	restart_timer(session);
}

static void on_timer(struct timer *timer)
{
	struct session *session = container_of(timer, struct session, timer);
	struct worker *worker = session->worker;

	if (session->state == SESSION_CONNECTING) {
		session_note(session, METRICS_FAIL_TIMEOUT, SMTP_STAGE_GREETING, NULL,
			     "connection timed out");
		session_shut(session);
		return;
	}
	if (worker->now_ns >= session->idle_until_ns && session->idle_until_ns != 0 &&
	    smtp_client_is_idle(&session->client)) {
		quit(session);
		session->idle_until_ns = UINT64_MAX;
	}
	if (worker->now_ns >= smtp_client_deadline(&session->client))
		session_break(session, SESSION_TIMED_OUT);
	session_drain(session);
}
