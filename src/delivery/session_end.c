/*
 * How a session ends: what it could not do and why, what that means for its receiver, and what must
 * be known before its messages are judged.
 */
#include "delivery/worker_parts.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

/*
 * Remembers why the session failed: for the metrics, and for leases that go back for want of a
 * session.
 */
void session_note(struct session *session, enum metrics_session_failure failure,
		  enum smtp_stage stage, const struct smtp_reply *reply, const char *words)
{
	struct worker_route *route = session->route;

	if (session->failure == 0)
		session->failure = (u8)(failure + 1);
	route->last_stage = (u8)stage;
	route->last_failure = SMTP_FAILURE_CLOSED;
	route->last_code = reply ? reply->code : 0;
	memset(route->last_enhanced, 0, sizeof(route->last_enhanced));
	if (reply)
		memcpy(route->last_enhanced, reply->enhanced, sizeof(route->last_enhanced));
	route->last_host = *session_address(session);
	slice_copy(route->last_reply, sizeof(route->last_reply),
		   reply ? (struct slice){ reply->text, reply->text_len } : slice_of(words));
}

/*
 * Other sessions keep away from a receiver that does not talk, falls silent in the middle, or drops
 * whatever it is given: that goes to the next one, or is deferred. Where a handshake failed the
 * next session talks in the clear.
 */
static bool counts_against_target(struct session *session)
{
	const struct net_address *address = session_address(session);
	bool silent = session->failure == METRICS_FAIL_TIMEOUT + 1;
	bool dropped = session->failure && session->lost;

	if (session->state != SESSION_OPEN)
		return session->failure && !session->falls_back;
	if (session->useful || !(silent || dropped))
		return silent;
	return targets_useless(&session->route->targets, address) || silent;
}

/* The end of a session, whatever led to it. Leases are decided already or never were given. */
void session_shut(struct session *session)
{
	struct worker *worker = session->worker;

	if (session->state == SESSION_CLOSING)
		return;
	if (counts_against_target(session))
		worker_route_target_failed(session);
	if (session->state == SESSION_OPEN)
		metric_sub(&session_metrics(session)->sessions_open, 1);
	if (session->failure)
		metric_add(&session_metrics(session)->sessions_failed[session->failure - 1], 1);
	session->state = SESSION_CLOSING;
	session_opening_ends(session);
	session_move(session, SESSION_NOWHERE);
	timer_stop(&worker->wheel, &session->timer);
	conn_close(&session->conn);
}

static enum metrics_session_failure failure_kind(enum smtp_failure failure)
{
	switch (failure) {
	case SMTP_FAILURE_TIMEOUT:
		return METRICS_FAIL_TIMEOUT;
	case SMTP_FAILURE_REPLY:
		return METRICS_FAIL_REFUSED;
	case SMTP_FAILURE_PROTOCOL:
		return METRICS_FAIL_PROTOCOL;
	case SMTP_FAILURE_TLS:
		return METRICS_FAIL_TLS;
	default:
		return METRICS_FAIL_CLOSED;
	}
}

static const char *failure_words(enum smtp_failure failure)
{
	switch (failure) {
	case SMTP_FAILURE_REPLY:
		return "refused the session";
	case SMTP_FAILURE_PROTOCOL:
		return "did not speak SMTP";
	case SMTP_FAILURE_TLS:
		return "TLS handshake failed";
	default:
		return "closed the connection";
	}
}

void session_over(struct session *session, const struct smtp_event *event)
{
	/* Closed while idle or after QUIT harms nobody and is no failure of the receiver. */
	bool harmless = event->failure == SMTP_FAILURE_NONE ||
			(session->state == SESSION_OPEN && event->stage == SMTP_STAGE_IDLE);
	char words[48] = "";

	if (event->failure == SMTP_FAILURE_TIMEOUT && event->stage == SMTP_STAGE_TLS)
		session_tls_failed(session, true);
	if (event->failure == SMTP_FAILURE_TIMEOUT)
		snprintf(words, sizeof(words), "timed out (%s)", smtp_stage_name(event->stage));
	if (!harmless && session_is_insecure(session, event))
		session_note_insecure(session, event);
	else if (!harmless)
		session_note(session, failure_kind(event->failure), event->stage, event->reply,
			     words[0] ? words : failure_words(event->failure));
	session_shut(session);
}

/*
 * The receiver closed the connection, or has had its time. The send under way is stopped first:
 * what the kernel did not take was not sent, and a message that is cut off there is not in doubt.
 */
void session_break(struct session *session, enum session_broken how)
{
	if (session->broken)
		return;
	if (session->iov) {
		session->broken = (u8)how;
		conn_stop_sending(&session->conn);
		return;
	}
	if (how == SESSION_TIMED_OUT)
		smtp_client_tick(&session->client, session->worker->now_ns);
	else
		smtp_client_closed(&session->client, session->worker->now_ns);
}

/* The send under way has ended; a session that waited for that is judged now. */
void session_broken_off(struct session *session, bool lost)
{
	u8 how = session->broken;

	session->broken = 0;
	if (lost && how == SESSION_TIMED_OUT)
		smtp_client_tick(&session->client, session->worker->now_ns);
	if (lost || how == SESSION_CLOSED)
		smtp_client_closed(&session->client, session->worker->now_ns);
}

void sessions_stop(struct worker *worker, bool at_once)
{
	list_for_each_safe(node, &worker->sessions_all) {
		struct session *session = list_entry(node, struct session, all);

		if (session->state == SESSION_CONNECTING || session->state == SESSION_GREETING) {
			session_shut(session);
		} else if (at_once) {
			smtp_client_closed(&session->client, worker->now_ns);
			session_drain(session);
			session_shut(session);
		} else {
			session_make_dirty(session);
		}
	}
}
