/*
 * MTA-STS policies of recipient domains (RFC 8461). What is known of them is kept among the queue's
 * settings, so that a start finds it. An answer of DNS that announces a policy which is not known
 * waits until that was fetched, a minute at most; the domain's mail waits with it, unless it is
 * known where that goes.
 */
#include "delivery/planner_parts.h"
#include "delivery/planner_tls.h"

#include "base/log.h"
#include "base/text.h"
#include "dns/sts_fetch.h"

#include <stdio.h>
#include <string.h>

#define PREFIX "sts/"
#define NAME_SIZE (256 + sizeof(PREFIX))
#define POLL_NS (50 * NS_PER_MS) /* results are looked for, while some are waited for */
#define PRUNE_LOOKS 4		 /* entries looked at for each that is written */

static u64 now_of(const struct planner *planner)
{
	return planner->time.due_ms;
}

static struct slice name_of(char out[NAME_SIZE], const char *domain)
{
	snprintf(out, NAME_SIZE, PREFIX "%s", domain);
	return slice_of(out);
}

/* False: nothing is known of the domain (what cannot be read counts for nothing). */
static bool load(struct planner *planner, const char *domain, struct sts_entry *entry)
{
	struct slice value = SLICE_NONE;
	char name[NAME_SIZE];
	struct slice key = name_of(name, domain);
	enum store_result result;

	if (!planner->config->dns.mta_sts || key.len > SETTING_NAME_MAX)
		return false;
	result = queue_setting_get(planner->queue, key, &value);
	if (result == STORE_NOT_FOUND || !planner_store_ok(planner, result))
		return false;
	return sts_entry_read(entry, value);
}

/* Entries whose time is over go, a few at a time, round and round. */
static void prune(struct planner *planner)
{
	for (u32 i = 0; i < PRUNE_LOOKS; i++) {
		struct slice name = SLICE_NONE;
		struct slice value = SLICE_NONE;
		struct sts_entry entry;
		enum store_result result =
			queue_setting_next(planner->queue, SLICE(PREFIX),
					   slice_of(planner->sts_pruned), &name, &value);

		if (result == STORE_NOT_FOUND) {
			planner->sts_pruned[0] = '\0';
			return;
		}
		if (!planner_store_ok(planner, result))
			return;
		slice_copy(planner->sts_pruned, sizeof(planner->sts_pruned), name);
		if (sts_entry_read(&entry, value) &&
		    (sts_entry_is_alive(&entry, now_of(planner)) ||
		     now_of(planner) < entry.tried_ms + STS_RETRY_MS))
			continue;
		result = queue_setting_delete(planner->queue, slice_of(planner->sts_pruned));
		if (result != STORE_NOT_FOUND && !planner_store_ok(planner, result))
			return;
	}
}

static void store(struct planner *planner, const char *domain, const struct sts_entry *entry)
{
	char name[NAME_SIZE];
	struct buf text;

	buf_init(&text, STS_ENTRY_TEXT_MAX);
	sts_entry_write(entry, &text);
	/* Without memory it is fetched again with the next answer. */
	if (!text.failed &&
	    planner_store_ok(planner, queue_setting_put(planner->queue, name_of(name, domain),
							buf_slice(&text))))
		prune(planner);
	buf_done(&text);
}

bool planner_sts_policy(struct planner *planner, const char *domain, struct sts_policy *policy)
{
	const struct sts_entry *known = planner->sts_taken;
	struct sts_entry entry;

	if (!known && load(planner, domain, &entry))
		known = &entry;
	if (!known || !sts_entry_is_alive(known, now_of(planner)))
		return false;
	*policy = known->policy;
	return policy->mode != STS_NONE;
}

/* Opened when it is wanted for the first time; one that cannot be had is asked for again. */
static bool open_fetcher(struct planner *planner)
{
	struct error error = { "" };

	if (planner->sts_fetcher)
		return true;
	planner->sts_fetcher = sts_fetcher_open(&error);
	if (!planner->sts_fetcher)
		log_warn("delivery", "MTA-STS policies cannot be fetched", "reason=%s", error.text);
	return planner->sts_fetcher != NULL;
}

bool planner_sts_ask(struct planner *planner, struct domain *domain,
		     const struct mx_answer *answer)
{
	struct sts_entry entry;
	bool known;

	if (answer->status != MX_OK || answer->sts_id[0] == '\0' || planner->stopping)
		return false;
	known = load(planner, domain->name, &entry);
	if (!sts_entry_is_old(known ? &entry : NULL, answer->sts_id, now_of(planner)) ||
	    !open_fetcher(planner))
		return false;
	domain->held = mx_entry_pack(domain->name, answer,
				     planner->now_ns + answer->ttl_s * NS_PER_S);
	if (domain->held &&
	    sts_fetch(planner->sts_fetcher, domain->name, answer->sts_addresses,
		      answer->sts_address_count, (u64)(uintptr_t)domain)) {
		planner->sts_pending++;
		return true;
	}
	mx_entry_drop(domain->held);
	domain->held = NULL;
	metric_add(&planner->m->sts_failed, 1);
	return false;
}

static void take(struct planner *planner, const struct sts_fetched *fetched)
{
	struct domain *domain = (struct domain *)(uintptr_t)fetched->cookie;
	struct sts_entry entry;
	struct mx_answer answer;
	bool is_missed = false;

	planner->sts_pending--;
	mx_entry_unpack(domain->held, &answer, planner->now_ns);
	mx_entry_drop(domain->held);
	domain->held = NULL;
	if (!load(planner, domain->name, &entry))
		memset(&entry, 0, sizeof(entry));
	if (fetched->ok) {
		metric_add(&planner->m->sts_fetched, 1);
		sts_entry_fetched(&entry, answer.sts_id, &fetched->policy, now_of(planner));
	} else {
		metric_add(&planner->m->sts_failed, 1);
		log_info("delivery", "MTA-STS policy not fetched", "domain=%s reason=%s",
			 domain->name, fetched->why);
		sts_entry_failed(&entry, now_of(planner));
		is_missed = true;
	}
	store(planner, domain->name, &entry);
	/* Whether that was written or not: it may have found no room. */
	planner->sts_taken = &entry;
	planner_domain_answered(planner, domain, &answer);
	planner->sts_taken = NULL;
	if (is_missed)
		planner_tls_not_fetched(planner, domain, fetched);
}

void planner_sts_results(struct planner *planner)
{
	struct sts_fetched fetched;

	while (planner->sts_pending > 0 && planner->failed_by == STORE_OK &&
	       sts_next_fetched(planner->sts_fetcher, &fetched))
		take(planner, &fetched);
}

bool planner_sts_has_results(const struct planner *planner)
{
	return planner->sts_pending > 0 && sts_has_fetched(planner->sts_fetcher);
}

u64 planner_sts_wait_ns(const struct planner *planner)
{
	return planner->sts_pending > 0 ? POLL_NS : UINT64_MAX;
}
