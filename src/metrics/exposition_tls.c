/*
 * What came of TLS, on the page.
 */
#include "metrics/metrics.h"
#include "metrics/metrics_parts.h"

#define NAME "hikyaku_tls_outcomes"

void metrics_add_tls(struct page *page, const struct metrics *metrics)
{
	page_family(page, NAME, COUNTER,
		    "SMTP sessions that wanted TLS, by what came of it, as reports have it.");
	/* The others are of DNS and of policies: no session has them. */
	for (u32 outcome = TLS_OUTCOME_OK; outcome <= TLS_OUTCOME_TLSA_INVALID; outcome++) {
		u64 sum = 0;

		for (u32 w = 0; w < metrics_worker_count(metrics); w++)
			sum += metric_get(&metrics_worker(metrics, w)->tls_outcomes[outcome]);
		page_labelled(page, NAME, COUNTER, "result", tls_outcome_name(outcome), sum);
	}
}
