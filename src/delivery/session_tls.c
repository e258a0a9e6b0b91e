/*
 * How a session is encrypted: what the path demands of its host, what came of that, and what rows
 * are told when it did not come up to the demand. Then nothing is said in the clear, and nothing is
 * delivered there: other hosts are tried, or the rows wait.
 */
#include "delivery/worker_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "delivery/tls_tally.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE (NET_ADDRESS_TEXT_SIZE + 17)
#define TIMED_OUT "timed out"

static u8 host_of(const struct session *session)
{
	return session->path->targets[session->target].host;
}

static enum metrics_policy policy_of(const struct session *session)
{
	return session->path->host_tls[host_of(session)];
}

/* With or without TLS, as it comes. */
static bool may_be_plain(enum metrics_policy policy)
{
	return policy == METRICS_POLICY_NEVER || policy == METRICS_POLICY_OPPORTUNISTIC ||
	       policy == METRICS_POLICY_STS_TESTING || policy == METRICS_POLICY_STS_OTHER;
}

enum smtp_tls_policy session_tls_policy(const struct session *session)
{
	if (!may_be_plain(policy_of(session)))
		return SMTP_TLS_REQUIRED;
	/* A receiver whose handshake failed lately is talked to in plaintext. */
	if (policy_of(session) == METRICS_POLICY_NEVER ||
	    session->route->targets.states[session->target].no_tls)
		return SMTP_TLS_NEVER;
	return SMTP_TLS_OPPORTUNISTIC;
}

static u32 read_records(struct tls_tlsa records[DANE_RECORDS_MAX], struct slice packed)
{
	struct dane_record record;
	u32 count = 0;

	while (count < DANE_RECORDS_MAX && dane_record_next(&packed, &record))
		records[count++] = (struct tls_tlsa){ record.usage, record.selector,
						      record.matching, record.data };
	return count;
}

/*
 * RFC 7672 section 3.2.2, but for the next-hop domain: a session carries the mail of many domains,
 * and a server has no say in who publishes its name; it is the TLSA base domain that its
 * certificate is for.
 */
static void demand_dane(struct tls_peer *peer, const struct demand_host *demanded,
			struct tls_tlsa records[DANE_RECORDS_MAX])
{
	ASSERT(demanded);
	peer->proof = TLS_PROOF_DANE;
	peer->server_name = slice_of(demanded->base);
	peer->other_name = slice_of(demanded->name);
	peer->records = records;
	peer->record_count = read_records(records, demanded->tlsa);
}

void session_start_tls(struct session *session)
{
	const struct path *path = session->path;
	const u8 host = host_of(session);
	const char *name = path_text(path, path->hosts[host]);
	struct tls_peer peer = { .server_name = slice_of(name) };
	struct tls_tlsa records[DANE_RECORDS_MAX];
	char address[NET_ADDRESS_TEXT_SIZE];
	char key[KEY_SIZE];

	net_address_format(address, session_address(session), true);
	snprintf(key, sizeof(key), path->host_proof[host] ? "%s#%llx" : "%s", address,
		 (unsigned long long)path->host_proof[host]);
	peer.session_key = slice_of(key);
	switch (policy_of(session)) {
	case METRICS_POLICY_DANE:
		demand_dane(&peer, demand_of(path->demand, name), records);
		break;
	case METRICS_POLICY_STS:
	case METRICS_POLICY_STS_TESTING:
	case METRICS_POLICY_VERIFY:
		peer.proof = TLS_PROOF_PKIX;
		peer.proof_is_wish = policy_of(session) == METRICS_POLICY_STS_TESTING;
		break;
	default:
		break;
	}
	if (!conn_start_tls(&session->conn, session->worker->tls, &peer))
		smtp_client_tls_failed(&session->client, session->worker->now_ns);
}

static void count_security(struct session *session, enum metrics_security result)
{
	metric_add(&session->worker->params.metrics->security[policy_of(session)][result], 1);
}

void session_tls_note(const struct session *session, struct lease *lease)
{
	const struct tls *tls = session->conn.tls;

	lease->tls = LOG_TLS_NONE;
	if (tls)
		lease->tls = strcmp(tls_version(tls), "TLSv1.3") == 0 ? LOG_TLS_13 : LOG_TLS_12;
	lease->tls_policy = (u8)(policy_of(session) + 1);
	lease->tls_proven = tls && tls_is_proven(tls);
}

void session_tls_ready(struct session *session)
{
	struct metrics_route *m = session_metrics(session);
	enum metrics_tls version = METRICS_TLS_NONE;

	ASSERT(session->conn.tls || may_be_plain(policy_of(session)));
	if (session->conn.tls) {
		version = strcmp(tls_version(session->conn.tls), "TLSv1.3") == 0 ? METRICS_TLS_13 :
										 METRICS_TLS_12;
		metric_add(&m->tls_resumed, tls_was_resumed(session->conn.tls) ? 1 : 0);
	}
	metric_add(&m->tls[version], 1);
	if (!session->conn.tls)
		count_security(session, METRICS_SECURITY_PLAIN);
	else if (tls_is_proven(session->conn.tls))
		count_security(session, METRICS_SECURITY_TLS);
	else
		count_security(session, METRICS_SECURITY_CERTIFICATE);
	session_report_ready(session, policy_of(session));
	session_kernel_weigh(session, 0);
}

void session_tls_failed(struct session *session, bool timed_out)
{
	const struct path *path = session->path;
	const struct tls *tls = session->conn.tls;

	log_info("delivery", "TLS handshake failed", "site=%s host=%s why=%s",
		 path_text(path, path->site), path_text(path, path->hosts[host_of(session)]),
		 timed_out ? TIMED_OUT : conn_why(&session->conn));
	count_security(session, tls && !tls_is_proven(tls) ? METRICS_SECURITY_CERTIFICATE :
							     METRICS_SECURITY_HANDSHAKE);
	session_report_failed(session, tls ? session_tls_flaw(tls) : TLS_OUTCOME_VALIDATION,
			      tls && !timed_out ? tls_reason(tls) : TIMED_OUT);
	session->falls_back = may_be_plain(policy_of(session));
	if (session->falls_back)
		targets_no_tls(&session->route->targets, session_address(session));
}

static const char *who_demands(enum metrics_policy policy)
{
	switch (policy) {
	case METRICS_POLICY_UNUSABLE:
	case METRICS_POLICY_DANE:
		return "the host's TLSA records demand";
	case METRICS_POLICY_STS:
		return "the domain's MTA-STS policy demands";
	default:
		return "the configuration demands";
	}
}

bool session_is_insecure(const struct session *session, const struct smtp_event *event)
{
	if (may_be_plain(policy_of(session)))
		return false;
	return event->failure == SMTP_FAILURE_TLS ||
	       (event->failure == SMTP_FAILURE_TIMEOUT && event->stage == SMTP_STAGE_TLS) ||
	       (event->failure == SMTP_FAILURE_REPLY && event->stage == SMTP_STAGE_STARTTLS);
}

/* RFC 3463 section 3.8: 4.7.4 what is asked for is not supported, 4.7.5 a cryptographic failure. */
void session_note_insecure(struct session *session, const struct smtp_event *event)
{
	const struct path *path = session->path;
	const char *name = path_text(path, path->hosts[host_of(session)]);
	const char *demand = who_demands(policy_of(session));
	u16 detail = 5;
	char words[LEASE_REPLY_MAX];

	if (event->stage == SMTP_STAGE_STARTTLS) {
		count_security(session, METRICS_SECURITY_NO_STARTTLS);
		session_report_failed(session, TLS_OUTCOME_NO_STARTTLS, "");
		snprintf(words, sizeof(words), "%.80s does not offer the TLS that %s", name,
			 demand);
		detail = 4;
	} else if (event->failure == SMTP_FAILURE_TIMEOUT) {
		snprintf(words, sizeof(words), "%.80s: TLS handshake, which %s: timed out", name,
			 demand);
	} else {
		snprintf(words, sizeof(words), "%.80s: TLS handshake, which %s: %s", name, demand,
			 conn_why(&session->conn));
	}
	session_note(session,
		     event->stage == SMTP_STAGE_STARTTLS ? METRICS_FAIL_REFUSED : METRICS_FAIL_TLS,
		     event->stage, NULL, words);
	memcpy(session->route->last_enhanced, (u16[3]){ 4, 7, detail },
	       sizeof(session->route->last_enhanced));
}
