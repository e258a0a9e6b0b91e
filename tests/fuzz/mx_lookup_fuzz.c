/*
 * One name's whole way through the resolver, with libunbound played by the input: each query gets
 * any result (records of any bytes and lengths, failures, bogus and secure marks), at once, late or
 * never. The answer keeps mx.h's promises, all who wait get it, and every query is ended once.
 */
#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "dns/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#define DATA_MAX 40 /* records of one result */

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct query_on_its_way {
	void *user;
	ub_callback_type callback;
	int type;
	bool pending;
};

static struct query_on_its_way queries[LOOKUP_QUERIES_MAX];
static int query_count;
static struct slice input;

static u8 next_byte(void)
{
	u8 byte = input.len > 0 ? (u8)input.ptr[0] : 0;

	input = slice_from(input, 1);
	return byte;
}

/* ---- in the place of libunbound ---- */

int ub_resolve_async(struct ub_ctx *ctx, const char *name, int type, int class, void *user,
		     ub_callback_type callback, int *id)
{
	(void)ctx;
	ASSERT(class == 1 && name[0] && strlen(name) < 256 && query_count < LOOKUP_QUERIES_MAX);
	if (next_byte() == 0xee)
		return UB_NOMEM;
	*id = query_count;
	queries[query_count++] = (struct query_on_its_way){
		.user = user, .callback = callback, .type = type, .pending = true
	};
	return 0;
}

int ub_cancel(struct ub_ctx *ctx, int id)
{
	(void)ctx;
	ASSERT(id >= 0 && id < query_count && queries[id].pending);
	queries[id].pending = false;
	return 0;
}

void ub_resolve_free(struct ub_result *result)
{
	if (!result)
		return;
	for (size_t i = 0; result->data && result->data[i]; i++)
		free(result->data[i]);
	free(result->data);
	free(result->len);
	free(result);
}

/* ---- answers ---- */

/* MX rdata with a name that can be dialled, else any bytes. */
static size_t record_bytes(u8 *out, int type)
{
	static const char good[] = "\0\x0a\1a\4test\0";
	static const char *const announcements[] = { "\x0dv=STSv1; id=1",
						     "\x1cv=TLSRPTv1; rua=mailto:a@x.b" };
	u8 kind = next_byte();
	size_t len = kind < 0x80 ? (type == 15	 ? sizeof(good) - 1
				    : type == 28 ? 16
				    : type == 52 ? 35
						 : 4)
				 : kind & 0x3f;

	for (size_t i = 0; i < len; i++)
		out[i] = type == 15 && kind < 0x80 ? (u8)good[i] : next_byte();
	if (type == 16 && kind < 0x80) {
		const char *announcement = announcements[kind & 1];

		memcpy(out, announcement, strlen(announcement));
		return strlen(announcement);
	}
	if (type == 52 && kind < 0x80) {
		out[0] = 3;
		out[1] = kind & 1;
		out[2] = 1;
	}
	if (type == 15 && kind < 0x80) {
		out[1] = kind & 15;
		out[3] = (u8)('a' + next_byte() % 26);
	}
	return len;
}

static struct ub_result *make_result(int type)
{
	struct ub_result *result = calloc(1, sizeof(*result));
	static char canonical[] = "Canonical.Test.";
	static char nonsense[] = "not\\.a name";
	u8 flags = next_byte();
	size_t count = next_byte() % DATA_MAX;
	u8 bytes[64];

	ASSERT(result);
	result->bogus = (flags & 7) == 7;
	result->secure = flags >> 3 & 1;
	result->nxdomain = (flags & 0x30) == 0x30;
	result->rcode = result->nxdomain ? 3 : (flags & 0xc0) == 0xc0 ? next_byte() % 16 : 0;
	result->ttl = (int)((u32)next_byte() << (flags % 25));
	result->havedata = count > 0;
	if (flags & 4)
		result->canonname = flags & 2 ? canonical : nonsense;
	if (count == 0 && flags & 1)
		return result;
	result->data = calloc(count + 1, sizeof(char *));
	result->len = calloc(count + 1, sizeof(int));
	ASSERT(result->data && result->len);
	for (size_t i = 0; i < count; i++) {
		size_t len = record_bytes(bytes, type);

		result->data[i] = malloc(len + !len); /* of its own size, for the sanitizer */
		ASSERT(result->data[i]);
		memcpy(result->data[i], bytes, len);
		result->len[i] = (int)len;
	}
	return result;
}

static void answer_one(int id)
{
	struct query_on_its_way *query = &queries[id];
	bool failed = next_byte() == 0xff;

	query->pending = false;
	query->callback(query->user, failed ? UB_SERVFAIL : 0,
			failed ? NULL : make_result(query->type));
}

static bool has_pending(void)
{
	for (int i = 0; i < query_count; i++) {
		if (queries[i].pending)
			return true;
	}
	return false;
}

/* ---- what must hold ---- */

static void check_tlsa(const struct mx_answer *answer, const struct mx_host *host)
{
	struct slice packed = { (const char *)answer->tlsa + host->tlsa_first, host->tlsa_len };
	struct dane_record record;
	u32 count = 0;

	ASSERT(host->dane == DANE_ABSENT || (answer->secure && host->secure));
	ASSERT(host->dane != DANE_FAILED || answer->incomplete);
	ASSERT(host->tlsa_first + host->tlsa_len <= answer->tlsa_used);
	ASSERT(host->tlsa_base[0] == '\0' || mx_name_kind(host->tlsa_base) == MX_NAME_HOST);
	while (dane_record_next(&packed, &record)) {
		ASSERT(dane_record_is_usable(&record));
		count++;
	}
	ASSERT(packed.len == 0 && count <= DANE_RECORDS_MAX);
	ASSERT((host->dane == DANE_USABLE) == (count > 0));
}

static void check_answer(const struct mx_answer *answer, const struct mx_params *params)
{
	u32 at = 0;

	ASSERT(answer->host_count <= MX_HOSTS_MAX && answer->address_count <= MX_ADDRESSES_MAX);
	ASSERT((answer->status == MX_OK) == (answer->host_count > 0));
	ASSERT(answer->ttl_s >= MX_TTL_MIN_S && answer->ttl_s <= MX_TTL_MAX_S);
	for (u32 i = 0; i < answer->host_count; i++) {
		ASSERT(mx_name_kind(answer->hosts[i].name) == MX_NAME_HOST);
		ASSERT(i == 0 || answer->hosts[i].preference >= answer->hosts[i - 1].preference);
		ASSERT(answer->hosts[i].address_count >= 1 && answer->hosts[i].address_first == at);
		at += answer->hosts[i].address_count;
		check_tlsa(answer, &answer->hosts[i]);
	}
	ASSERT(answer->reports_to[0] == '\0' || params->tls_report);
	ASSERT(answer->sts_address_count <= MX_STS_ADDRESSES_MAX);
	ASSERT(answer->sts_address_count == 0 || answer->sts_id[0]);
	for (u32 i = 0; i < answer->sts_address_count; i++)
		ASSERT(!net_address_is_special(&answer->sts_addresses[i]));
	for (u32 i = 0; i < answer->address_count; i++) {
		ASSERT(!net_address_is_special(&answer->addresses[i]));
		ASSERT(answer->addresses[i].family == 4 ? params->ipv4 : params->ipv6);
	}
}

static void check_waiters(struct mx_resolver *r, u32 count)
{
	struct list *node;
	u32 seen = 0;

	while ((node = list_pop_front(&r->ready)) != NULL) {
		struct waiter *waiter = list_entry(node, struct waiter, list);
		struct mx_answer answer;

		ASSERT(waiter->answer && waiter->cookie == seen++);
		mx_entry_unpack(waiter->answer, &answer, 0);
		check_answer(&answer, &r->params);
		mx_entry_drop(waiter->answer);
	}
	ASSERT(seen == count);
}

static void resolve(struct mx_resolver *r, bool addresses_only)
{
	static struct waiter waiters[3];
	struct lookup *lookup = lookup_start(r, "x.test", addresses_only, 0);
	u32 waiter_count = 1 + next_byte() % array_count(waiters);

	if (!lookup)
		return;
	/* Nobody who wants the mail hosts is given addresses of the name itself. */
	ASSERT(lookup_find(r, "x.test") == (addresses_only ? NULL : lookup));
	ASSERT(!lookup_find(r, "y.test"));
	for (u32 i = 0; i < waiter_count; i++) {
		waiters[i] = (struct waiter){ .cookie = i };
		list_push_back(&lookup->waiters, &waiters[i].list);
	}
	while (r->counters.pending > 0) {
		u8 act = next_byte();
		int id = act % LOOKUP_QUERIES_MAX;

		if (act >= 0xf0 || input.len == 0) {
			lookup_give_up(lookup, NS_PER_S);
			break;
		}
		while (has_pending() && !(id < query_count && queries[id].pending))
			id = (id + 1) % LOOKUP_QUERIES_MAX;
		if (has_pending())
			answer_one(id);
		lookup_run_steps(r, NS_PER_S);
	}
	ASSERT(r->counters.pending == 0 && !has_pending() && list_is_empty(&r->running));
	check_waiters(r, waiter_count);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct mx_resolver resolver;
	u8 flags;

	input = (struct slice){ (const char *)data, size };
	query_count = 0;
	flags = next_byte();
	memset(&resolver, 0, sizeof(resolver));
	resolver.params.ipv4 = !(flags & 1);
	resolver.params.ipv6 = !(flags & 2);
	resolver.params.mta_sts = flags & 4;
	resolver.params.tls_report = flags & 8;
	list_init(&resolver.running);
	list_init(&resolver.steps);
	list_init(&resolver.ready);
	random_seed(&resolver.random, flags);
	ASSERT(mx_cache_init(&resolver.cache, 1, 4, 1u << 20));
	resolve(&resolver, (flags & 0x30) == 0x30);
	mx_cache_done(&resolver.cache);
	return 0;
}
