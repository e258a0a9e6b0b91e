/*
 * What DNS says of the domains that mail is sent for, as it was last checked
 * (delivery/identity_check.h). A thread asks the sender for keys and addresses, then DNS, and keeps
 * the result of each domain in the audience (setting "identity/" and the domain), where pages and
 * calls read it: every few hours, sooner what failed, and at once when somebody asks.
 *
 * A result is JSON:
 *
 *     {"domain": "example.jp", "checked_ms": 1796000000000, "aligned": true, "failed": 1,
 *      "checks": [{"check": "SPF 192.0.2.10", "result": "fail", "since_ms": 1795990000000,
 *                  "found": "softfail, matched: ~all", "code": "spf-softfail",
 *                  "reason": "spf-matched", "details": ["~all", ""],
 *                  "publish": "example.jp. IN TXT \"v=spf1 ...\"\n  instead of what is there: ...",
 *                  "record": "example.jp. IN TXT \"v=spf1 ...\"",
 *                  "advice": "replace", "advice_text": "instead of what is there: ..."}]}
 *
 * `checked_ms` is a wall clock's, and `since_ms`: the first check that said so. `result` is "pass",
 * "info" (no fault), "warn" or "fail". `found` is in English; identity_words.h says it in other
 * languages by `code`, `reason` and `details`. `publish`, what to do about it, may lack, and may be
 * several lines: the record, then the advice. `aligned`: SPF or DKIM vouches for the domain's mail;
 * without that receivers refuse it, and no campaign begins.
 */
#ifndef WEB_IDENTITY_H
#define WEB_IDENTITY_H

#include "base/config.h"
#include "store/audience.h"
#include "web/scribe.h"

#include <jansson.h>

#define IDENTITY_FRESH_MS (24ull * 3600 * 1000) /* how long a result counts */

struct identity_checker;

struct identity_params {
	const struct config *config;
	struct audience *audience;
	struct scribe *scribe;
};

/* Starts the thread. NULL and a sentence: no memory, no thread. */
struct identity_checker *identity_checker_open(const struct identity_params *params,
					       struct error *error) MUST_CHECK;
/* No question is begun any more, and nobody waits for one; any thread. */
void identity_checker_stop(struct identity_checker *checker);
/* Waits for the question under way, some seconds at most. NULL is fine. Before the scribe. */
void identity_checker_close(struct identity_checker *checker);

/*
 * Asks for a check of all domains that begins from now on, without waiting for it; any thread. The
 * number that it returns is for identity_is_done: whether it has ended, well or not.
 */
u64 identity_ask_anew(struct identity_checker *checker);
bool identity_is_done(struct identity_checker *checker, u64 asked);

/* The last result, within a transaction. NULL: there is none. Owned by the caller. */
json_t *identity_latest(struct audience_txn *txn, struct slice domain) MUST_CHECK;
/* Whether it is of the last day, seen from now; false for NULL. */
bool identity_is_fresh(const json_t *result, u64 now_ms);
bool identity_is_aligned(const json_t *result);
/* Whether mail of the domain may begin by that result: both. */
bool identity_vouches(const json_t *result, u64 now_ms);
/* Of each check since when it says so, by the result before (NULL: there was none). */
void identity_add_since(json_t *result, const json_t *before);
/* Whether it is one of the checks (SPF, DKIM) that decide this, and failed. */
bool identity_stops_by(const json_t *check);
/*
 * What failed of SPF and DKIM, in one line, in English: "SPF 192.0.2.10: fail, ...; DKIM ..."; or
 * that DNS could not be asked, when the result is not fresh.
 */
void identity_add_failures(const json_t *result, u64 now_ms, struct buf *out);

#endif
