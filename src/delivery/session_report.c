/*
 * What becomes of TLS, for those domains that want reports about it (RFC 8460): a session counts
 * for a domain when it carries the first of its mail, one that ends for want of TLS for every
 * domain whose mail was waiting. Leases carry it to the planner: it costs a worker a bit and a
 * compare.
 */
#include "delivery/worker_parts.h"

#include "delivery/tls_tally.h"

#include <string.h>

u8 session_tls_flaw(const struct tls *tls)
{
	switch (tls_flaw(tls)) {
	case TLS_FLAW_EXPIRED:
		return TLS_OUTCOME_EXPIRED;
	case TLS_FLAW_NAME:
		return TLS_OUTCOME_HOST_MISMATCH;
	case TLS_FLAW_UNTRUSTED:
		return TLS_OUTCOME_NOT_TRUSTED;
	default:
		return TLS_OUTCOME_VALIDATION;
	}
}

static void note(const struct session *session, u8 outcome)
{
	metric_add(&session->worker->params.metrics->tls_outcomes[outcome], 1);
}

static void set(struct session *session, enum tls_outcome outcome, const char *reason)
{
	session->tls_outcome = (u8)outcome;
	session->tls_reason = reason;
	if (outcome != TLS_OUTCOME_UNKNOWN)
		note(session, (u8)outcome);
}

void session_report_ready(struct session *session, enum metrics_policy policy)
{
	const struct tls *tls = session->conn.tls;

	/* What goes in the clear since a handshake failed was told with that one. */
	if (!tls && session->wants_tls)
		set(session, TLS_OUTCOME_NO_STARTTLS, "");
	else if (!tls)
		set(session, TLS_OUTCOME_UNKNOWN, "");
	else if (!tls_is_proven(tls))
		set(session, session_tls_flaw(tls), tls_reason(tls));
	else if (policy == METRICS_POLICY_UNUSABLE)
		set(session, TLS_OUTCOME_TLSA_INVALID, "no TLSA record can be used");
	else if (policy == METRICS_POLICY_STS_OTHER)
		set(session, TLS_OUTCOME_VALIDATION, "the policy does not name the host");
	else
		set(session, TLS_OUTCOME_OK, "");
}

/* The one that is like it, a free one, or the one that most know of already. */
static struct route_tls *place_for(struct worker_route *route, const struct lease_tls *like)
{
	struct route_tls *best = &route->tls[0];

	for (u32 i = 0; i < ROUTE_TLS_MAX; i++) {
		struct route_tls *one = &route->tls[i];

		if (one->what.outcome == like->outcome && one->what.reason == like->reason &&
		    net_address_same_host(&one->what.host, &like->host))
			return one;
		if (best->what.outcome != TLS_OUTCOME_UNKNOWN &&
		    (one->what.outcome == TLS_OUTCOME_UNKNOWN ||
		     __builtin_popcountll(one->told) > __builtin_popcountll(best->told)))
			best = one;
	}
	return best;
}

void session_report_failed(struct session *session, u8 outcome, const char *reason)
{
	struct lease_tls what = { .outcome = outcome,
				  .count = 1,
				  .host = *session_address(session),
				  .reason = reason };
	struct route_tls *place = place_for(session->route, &what);
	bool is_like = place->what.outcome == outcome && place->what.reason == reason &&
		       net_address_same_host(&place->what.host, &what.host);

	note(session, outcome);
	/* Nobody knows of the earlier ones yet: they are told together. */
	if (is_like && place->told == 0 && place->what.count < UINT16_MAX)
		what.count = (u16)(place->what.count + 1);
	*place = (struct route_tls){ .what = what };
}

static u64 bit_of(const struct lease *lease)
{
	return 1ull << (lease->tls_bit - 1);
}

void worker_route_report_to(struct worker_route *route, struct lease *lease)
{
	if (lease->tls_bit == 0 || lease->tls_failure.outcome != TLS_OUTCOME_UNKNOWN)
		return;
	for (u32 i = 0; i < ROUTE_TLS_MAX; i++) {
		struct route_tls *one = &route->tls[i];

		if (one->what.outcome == TLS_OUTCOME_UNKNOWN || one->told & bit_of(lease))
			continue;
		one->told |= bit_of(lease);
		lease->tls_failure = one->what;
		return;
	}
}

void session_report_to(struct session *session, struct lease *lease)
{
	if (lease->tls_bit == 0 || lease->verdict == SMTP_VERDICT_UNSENT ||
	    lease->verdict == SMTP_VERDICT_LOCAL)
		return;
	if (session->tls_outcome != TLS_OUTCOME_UNKNOWN && !(session->tls_told & bit_of(lease))) {
		session->tls_told |= bit_of(lease);
		if (session->tls_outcome == TLS_OUTCOME_OK)
			lease->tls_ok = true;
		else
			lease->tls_failure = (struct lease_tls){ .outcome = session->tls_outcome,
								 .count = 1,
								 .host = *session_address(session),
								 .reason = session->tls_reason };
	}
	worker_route_report_to(session->route, lease);
}
