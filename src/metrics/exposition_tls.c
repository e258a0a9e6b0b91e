/*
 * What came of TLS, on the page.
 */
#include "metrics/metrics.h"
#include "metrics/metrics_parts.h"

#define NAME "hikyaku_tls_outcomes"

static const char *const kernels[METRICS_KERNELS] = {
	[METRICS_KERNEL_ON] = "on",	      [METRICS_KERNEL_MISSING] = "missing",
	[METRICS_KERNEL_VERSION] = "version", [METRICS_KERNEL_CIPHER] = "cipher",
	[METRICS_KERNEL_KEYS] = "keys",	      [METRICS_KERNEL_REFUSED] = "refused",
	[METRICS_KERNEL_LEFT] = "left",
};
static const char *const senders[2] = { "process", "kernel" };

static u64 sum_of(const struct metrics *metrics, size_t offset)
{
	u64 sum = 0;

	for (u32 w = 0; w < metrics_worker_count(metrics); w++) {
		const char *block = (const char *)metrics_worker(metrics, w);

		sum += metric_get((const u64 *)(const void *)(block + offset));
	}
	return sum;
}

static void add_kernel(struct page *page, const struct metrics *metrics)
{
	page_family(page, "hikyaku_tls_kernel_sessions", COUNTER,
		    "TLS sessions that the kernel was to encrypt, by what came of it.");
	for (u32 i = 0; i < METRICS_KERNELS; i++)
		page_labelled(page, "hikyaku_tls_kernel_sessions", COUNTER, "result", kernels[i],
			      sum_of(metrics, offsetof(struct metrics_worker, tls_kernel[i])));
	page_family(page, "hikyaku_tls_messages", COUNTER,
		    "Messages that were sent over TLS to their end, by who encrypted them.");
	for (u32 i = 0; i < array_count(senders); i++)
		page_labelled(page, "hikyaku_tls_messages", COUNTER, "by", senders[i],
			      sum_of(metrics, offsetof(struct metrics_worker, tls_messages[i])));
}

void metrics_add_tls(struct page *page, const struct metrics *metrics)
{
	add_kernel(page, metrics);
	page_family(page, NAME, COUNTER,
		    "SMTP sessions that wanted TLS, by what came of it, as reports have it.");
	/* The others are of DNS and of policies: no session has them. */
	for (u32 outcome = TLS_OUTCOME_OK; outcome <= TLS_OUTCOME_TLSA_INVALID; outcome++) {
		u64 sum = sum_of(metrics, offsetof(struct metrics_worker, tls_outcomes[outcome]));

		page_labelled(page, NAME, COUNTER, "result", tls_outcome_name(outcome), sum);
	}
}
