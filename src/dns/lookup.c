#include "dns/lookup.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "dns/record_text.h"
#include "dns/tlsrpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#define TXT_MAX 65536 /* bytes of a record */

enum {
	RCODE_NOERROR = 0,
	RCODE_NXDOMAIN = 3,
};

/* ---- what libunbound found ------------------------------------------------------------------ */

static bool is_failure(int err, const struct ub_result *result)
{
	return err != 0 || !result ||
	       (result->rcode != RCODE_NOERROR && result->rcode != RCODE_NXDOMAIN);
}

static void note_ttl(struct mx_found *found, const struct ub_result *result)
{
	u32 ttl_s = result->ttl > 0 ? (u32)result->ttl : 0;

	found->ttl_s = min_u32(found->ttl_s, ttl_s);
}

/*
 * Keeps the best MX_RECORDS_MAX by preference. Equal ones come in a random order, so that of a
 * domain with more than that nobody is always left out.
 */
static void keep_record(struct lookup *lookup, const struct mx_record *record)
{
	struct mx_found *found = &lookup->found;
	size_t first = 0;
	size_t end;
	size_t at;

	while (first < found->record_count && found->records[first].preference < record->preference)
		first++;
	end = first;
	while (end < found->record_count && found->records[end].preference == record->preference)
		end++;
	at = first + random_below(&lookup->resolver->random, end - first + 1);
	if (at == MX_RECORDS_MAX)
		return;
	if (found->record_count < MX_RECORDS_MAX)
		found->record_count++;
	memmove(&found->records[at + 1], &found->records[at],
		(found->record_count - 1 - at) * sizeof(*record));
	found->records[at] = *record;
}

static void read_mx(struct lookup *lookup, int err, const struct ub_result *result)
{
	struct mx_found *found = &lookup->found;
	struct mx_record record;

	if (result && result->bogus) {
		found->bogus = true;
		return;
	}
	if (is_failure(err, result)) {
		found->failed = true;
		return;
	}
	note_ttl(found, result);
	found->secure = result->secure;
	found->nxdomain = result->nxdomain;
	for (size_t i = 0; result->data && result->data[i]; i++) {
		if (mx_record_read(&record, result->data[i], (size_t)result->len[i]))
			keep_record(lookup, &record);
	}
	/* Records without one that can be read are no reason to try the domain's own address. */
	if (result->havedata && found->record_count == 0)
		found->failed = true;
}

static void read_addresses(struct lookup *lookup, const struct query *query, int err,
			   const struct ub_result *result)
{
	struct host *host = &lookup->hosts[query->host];
	struct mx_found *found = &lookup->found;
	bool v6 = query->type == RR_TYPE_AAAA;
	int length = v6 ? 16 : 4;

	if (result && result->bogus) {
		found->host_bogus[host->record] = true;
		return;
	}
	if (is_failure(err, result)) {
		found->host_failed[host->record] = true;
		return;
	}
	note_ttl(found, result);
	found->host_secure[host->record] &= result->secure != 0;
	for (size_t i = 0; result->data && result->data[i]; i++) {
		struct net_address address = { .family = v6 ? 6 : 4 };

		if (host->count[v6] == MX_HOST_ADDRESSES_MAX)
			break;
		if (result->len[i] != length)
			continue;
		memcpy(address.ip, result->data[i], (size_t)length);
		host->addresses[v6][host->count[v6]++] = address;
	}
	if (result->canonname &&
	    !mx_domain_normalise(host->canonical, slice_of(result->canonname)))
		host->canonical[0] = '\0';
}

/* Keeps what is usable; false: there is no room for a single one of them. */
static bool keep_tlsa(struct mx_found *found, size_t at, const struct ub_result *result)
{
	struct dane_record record;
	u32 usable = 0;
	u32 kept = 0;

	found->host_tlsa_first[at] = found->tlsa_used;
	for (size_t i = 0; result->data && result->data[i]; i++) {
		size_t len;

		if (!dane_record_read(&record, result->data[i], (size_t)result->len[i]) ||
		    !dane_record_is_usable(&record))
			continue;
		usable++;
		if (kept == DANE_RECORDS_MAX)
			continue;
		len = dane_record_pack(found->tlsa + found->tlsa_used,
				       MX_TLSA_BYTES_MAX - found->tlsa_used, &record);
		kept += len > 0;
		found->tlsa_used += (u16)len;
	}
	found->host_tlsa_len[at] = found->tlsa_used - found->host_tlsa_first[at];
	found->host_dane[at] = usable > 0 ? DANE_USABLE : DANE_UNUSABLE;
	return usable == 0 || kept > 0;
}

static void read_tlsa(struct lookup *lookup, const struct query *query, int err,
		      const struct ub_result *result)
{
	struct host *host = &lookup->hosts[query->host];
	struct mx_found *found = &lookup->found;
	const size_t at = host->record;

	if ((result && result->bogus) || is_failure(err, result)) {
		found->host_dane[at] = DANE_FAILED;
		return;
	}
	note_ttl(found, result);
	if (!result->secure)
		return;
	if (!result->havedata) {
		host->tlsa_by_alias = lookup->stage == LOOKUP_TLSA && host->canonical[0];
		return;
	}
	if (lookup->stage == LOOKUP_TLSA)
		memcpy(found->host_tlsa_base[at], host->canonical, sizeof(host->canonical));
	if (!keep_tlsa(found, at, result))
		found->host_dane[at] = DANE_FAILED;
}

static void read_sts_record(struct mx_found *found, struct slice txt)
{
	char id[STS_ID_SIZE];
	enum sts_txt kind = sts_txt_read(id, txt);

	if (kind == STS_TXT_OTHER)
		return;
	found->sts_count++;
	if (kind == STS_TXT_GOOD)
		memcpy(found->sts_id, id, sizeof(id));
}

static void read_reports_record(struct mx_found *found, struct slice txt)
{
	char rua[TLSRPT_RUA_SIZE];
	enum tlsrpt_txt kind = tlsrpt_txt_read(rua, txt);

	if (kind == TLSRPT_TXT_OTHER)
		return;
	found->reports_count++;
	if (kind == TLSRPT_TXT_GOOD)
		memcpy(found->reports_to, rua, sizeof(rua));
}

/* No useful answer is no announcement; what was known of a policy stands all the same. */
static void read_announcement(struct mx_found *found, u8 host, int err,
			      const struct ub_result *result)
{
	struct buf value;

	if (is_failure(err, result) || result->bogus)
		return;
	buf_init(&value, TXT_MAX);
	for (size_t i = 0; result->data && result->data[i]; i++) {
		value.len = 0;
		if (!record_txt_value(&value, (const u8 *)result->data[i], (size_t)result->len[i]))
			continue;
		if (host == LOOKUP_REPORTS)
			read_reports_record(found, buf_slice(&value));
		else
			read_sts_record(found, buf_slice(&value));
	}
	buf_done(&value);
}

static void read_policy_host(struct mx_found *found, u8 type, int err,
			     const struct ub_result *result)
{
	bool v6 = type == RR_TYPE_AAAA;
	int length = v6 ? 16 : 4;

	if (is_failure(err, result) || result->bogus)
		return;
	for (size_t i = 0; result->data && result->data[i]; i++) {
		struct net_address address = { .family = v6 ? 6 : 4 };

		if (found->sts_address_count == MX_STS_ADDRESSES_MAX)
			return;
		if (result->len[i] != length)
			continue;
		memcpy(address.ip, result->data[i], (size_t)length);
		found->sts_addresses[found->sts_address_count++] = address;
	}
}

/* Called by libunbound from ub_process; starts nothing itself. */
static void on_result(void *data, int err, struct ub_result *result)
{
	struct query *query = data;
	struct lookup *lookup = query->lookup;

	query->pending = false;
	lookup->pending--;
	lookup->resolver->is_alive = true;
	if (query->type == RR_TYPE_MX)
		read_mx(lookup, err, result);
	else if (query->type == RR_TYPE_TLSA)
		read_tlsa(lookup, query, err, result);
	else if (query->type == RR_TYPE_TXT)
		read_announcement(&lookup->found, query->host, err, result);
	else if (query->host == LOOKUP_POLICY_HOST)
		read_policy_host(&lookup->found, query->type, err, result);
	else
		read_addresses(lookup, query, err, result);
	ub_resolve_free(result);
	if (lookup->pending == 0)
		list_push_back(&lookup->resolver->steps, &lookup->step);
}

/* ---- the stages of a lookup ----------------------------------------------------------------- */

static bool ask(struct lookup *lookup, const char *name, u8 type, u8 host)
{
	struct query *query = &lookup->queries[lookup->query_count];

	*query = (struct query){ .lookup = lookup, .type = type, .host = host };
	if (ub_resolve_async(lookup->resolver->ctx, name, type, RR_CLASS_IN, query, on_result,
			     &query->id) != 0)
		return false;
	query->pending = true;
	lookup->query_count++;
	lookup->pending++;
	lookup->resolver->counters.queries++;
	return true;
}

/* False: a name that long cannot be. */
static bool prefixed(char out[256], const char *prefix, const char *name)
{
	return snprintf(out, 256, "%s%s", prefix, name) <= MX_NAME_MAX;
}

static void ask_host(struct lookup *lookup, size_t record, const char *name)
{
	const struct mx_params *params = &lookup->resolver->params;
	u8 index = (u8)lookup->host_count++;
	bool asked = true;

	lookup->hosts[index].record = record;
	lookup->found.host_secure[record] = true;
	if (params->ipv6)
		asked = ask(lookup, name, RR_TYPE_AAAA, index);
	if (params->ipv4)
		asked = ask(lookup, name, RR_TYPE_A, index) && asked;
	if (!asked)
		lookup->found.host_failed[record] = true;
}

/* Whom the announced policy is fetched from. Without an address it cannot be: that is all. */
static void ask_policy_host(struct lookup *lookup)
{
	const struct mx_params *params = &lookup->resolver->params;
	char name[256];

	if (lookup->found.sts_count != 1 || lookup->found.sts_id[0] == '\0' ||
	    !prefixed(name, STS_HOST_PREFIX, lookup->name))
		return;
	if (params->ipv4)
		(void)!ask(lookup, name, RR_TYPE_A, LOOKUP_POLICY_HOST);
	if (params->ipv6)
		(void)!ask(lookup, name, RR_TYPE_AAAA, LOOKUP_POLICY_HOST);
}

static void ask_hosts(struct lookup *lookup)
{
	const struct mx_found *found = &lookup->found;

	if (found->bogus || found->failed || found->nxdomain)
		return;
	if (found->record_count == 0)
		ask_host(lookup, 0, lookup->name);
	for (size_t i = 0; i < found->record_count && lookup->host_count < MX_HOSTS_MAX; i++) {
		if (mx_name_kind(found->records[i].name) == MX_NAME_HOST)
			ask_host(lookup, i, found->records[i].name);
	}
}

static const char *name_of(const struct lookup *lookup, const struct host *host)
{
	return lookup->found.record_count == 0 ? lookup->name :
						 lookup->found.records[host->record].name;
}

/*
 * Asked for only where the addresses are secure (RFC 7672 section 2.1.2): name servers that cannot
 * answer for TLSA are mostly those of zones that are not signed.
 */
static void ask_tlsa(struct lookup *lookup, u32 index)
{
	const struct host *host = &lookup->hosts[index];
	const bool at_canonical = lookup->stage == LOOKUP_TLSA && host->canonical[0];
	struct mx_found *found = &lookup->found;
	char name[256];

	if (!found->host_secure[host->record] ||
	    (lookup->stage == LOOKUP_TLSA_ALIAS && !host->tlsa_by_alias))
		return;
	if (!prefixed(name, DANE_PREFIX,
		      at_canonical ? host->canonical : name_of(lookup, host)))
		return;
	if (!ask(lookup, name, RR_TYPE_TLSA, (u8)index))
		found->host_dane[host->record] = DANE_FAILED;
}

static void ask_stage(struct lookup *lookup)
{
	lookup->stage++;
	if (lookup->stage == LOOKUP_ADDRESSES) {
		ask_hosts(lookup);
		ask_policy_host(lookup);
		return;
	}
	for (u32 i = 0; lookup->found.secure && i < lookup->host_count; i++)
		ask_tlsa(lookup, i);
}

static void merge_families(struct lookup *lookup)
{
	struct mx_found *found = &lookup->found;

	for (u32 i = 0; i < lookup->host_count; i++) {
		const struct host *host = &lookup->hosts[i];
		struct net_address *to = found->host_addresses[host->record];
		size_t count = 0;

		for (size_t j = 0; j < MX_HOST_ADDRESSES_MAX; j++) {
			if (j < host->count[1])
				to[count++] = host->addresses[1][j];
			if (j < host->count[0])
				to[count++] = host->addresses[0][j];
		}
		found->host_address_count[host->record] = count;
	}
}

/* Gives the answer to all who wait for it, keeps it, and ends the lookup. */
static void finish(struct lookup *lookup, u64 now_ns)
{
	struct mx_resolver *r = lookup->resolver;
	struct mx_answer answer;
	struct mx_entry *entry;
	struct list *node;

	ASSERT(lookup->pending == 0);
	merge_families(lookup);
	mx_select(&lookup->found, &r->params, slice_of(lookup->name), &answer);
	entry = mx_entry_pack(lookup->name, &answer, now_ns + answer.ttl_s * NS_PER_S);
	if (entry && !lookup->addresses_only)
		mx_cache_put(&r->cache, entry);
	while ((node = list_pop_front(&lookup->waiters)) != NULL) {
		struct waiter *waiter = list_entry(node, struct waiter, list);

		/* Without memory for the answer there is none: mx_next_answer says "temporary". */
		waiter->answer = entry ? mx_entry_hold(entry) : NULL;
		list_push_back(&r->ready, &waiter->list);
	}
	mx_entry_drop(entry);
	list_unlink(&lookup->running);
	list_unlink(&lookup->step);
	r->counters.pending--;
	free(lookup);
}

void lookup_run_steps(struct mx_resolver *r, u64 now_ns)
{
	struct list *node;

	while ((node = list_pop_front(&r->steps)) != NULL) {
		struct lookup *lookup = list_entry(node, struct lookup, step);

		while (lookup->pending == 0 && !lookup->addresses_only &&
		       lookup->stage < LOOKUP_TLSA_ALIAS)
			ask_stage(lookup);
		if (lookup->pending == 0)
			finish(lookup, now_ns);
	}
}

void lookup_give_up(struct lookup *lookup, u64 now_ns)
{
	struct mx_resolver *r = lookup->resolver;

	for (u32 i = 0; i < lookup->query_count; i++) {
		struct query *query = &lookup->queries[i];

		if (!query->pending)
			continue;
		ub_cancel(r->ctx, query->id);
		query->pending = false;
		lookup->pending--;
		if (query->type == RR_TYPE_MX)
			lookup->found.failed = true;
		else if (query->type == RR_TYPE_TLSA)
			lookup->found.host_dane[lookup->hosts[query->host].record] = DANE_FAILED;
		else if (query->type != RR_TYPE_TXT && query->host != LOOKUP_POLICY_HOST)
			lookup->found.host_failed[lookup->hosts[query->host].record] = true;
	}
	r->counters.timeouts++;
	finish(lookup, now_ns);
}

struct lookup *lookup_find(const struct mx_resolver *r, const char *name)
{
	list_for_each(node, &r->running) {
		struct lookup *lookup = list_entry(node, struct lookup, running);

		if (!lookup->addresses_only && strcmp(lookup->name, name) == 0)
			return lookup;
	}
	return NULL;
}

/* The first questions; false: libunbound takes none. */
static bool ask_first(struct lookup *lookup)
{
	const struct mx_params *params = &lookup->resolver->params;
	char txt_name[256];

	if (lookup->addresses_only) {
		lookup->stage = LOOKUP_ADDRESSES;
		ask_host(lookup, 0, lookup->name);
		return lookup->pending > 0;
	}
	if (!ask(lookup, lookup->name, RR_TYPE_MX, 0))
		return false;
	if (params->mta_sts && prefixed(txt_name, STS_TXT_PREFIX, lookup->name))
		(void)!ask(lookup, txt_name, RR_TYPE_TXT, LOOKUP_POLICY_HOST);
	if (params->tls_report && prefixed(txt_name, TLSRPT_TXT_PREFIX, lookup->name))
		(void)!ask(lookup, txt_name, RR_TYPE_TXT, LOOKUP_REPORTS);
	return true;
}

struct lookup *lookup_start(struct mx_resolver *r, const char *name, bool addresses_only,
			    u64 now_ns)
{
	struct lookup *lookup;

	if (r->counters.pending == MX_LOOKUPS_MAX)
		return NULL;
	lookup = calloc(1, sizeof(*lookup));
	if (!lookup)
		return NULL;
	lookup->resolver = r;
	lookup->found.ttl_s = MX_TTL_MAX_S;
	lookup->deadline_ns = now_ns + r->timeout_ns;
	slice_copy(lookup->name, sizeof(lookup->name), slice_of(name));
	list_init(&lookup->waiters);
	list_init(&lookup->step);
	lookup->addresses_only = addresses_only;
	if (!ask_first(lookup)) {
		free(lookup);
		return NULL;
	}
	list_push_back(&r->running, &lookup->running);
	r->counters.pending++;
	return lookup;
}
