/*
 * What TLS comes to with the domains that want reports about it: counted by day and policy, kept.
 */
#include "delivery/planner_tls.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "dns/dane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX (MX_HOSTS_MAX * DANE_RECORDS_MAX)
#define TURN_TALLIES_MAX 1000

u64 planner_tls_day(const struct planner *planner)
{
	return planner->time.wall_ms / TLS_DAY_MS;
}

void planner_tls_name(char out[TLS_NAME_SIZE], u64 day, const char *domain)
{
	snprintf(out, TLS_NAME_SIZE, TLS_PREFIX "%06llu/%.255s",
		 (unsigned long long)min_u64(day, 999999), domain);
}

bool planner_tls_name_read(struct slice name, u64 *day, struct slice *domain)
{
	*domain = slice_from(name, sizeof(TLS_PREFIX) - 1);
	return slice_to_u64(slice_split(domain, '/'), day) && domain->len > 0;
}

/* ---- tallies of today ---- */

static void mark(struct planner *planner, struct tls_day *one)
{
	struct planner_tls *tls = planner->tls;

	/* One that is being written is written again: what came meanwhile is in memory alone. */
	list_unlink(&one->dirty);
	list_push_back(&tls->dirty, &one->dirty);
	if (tls->write_ns == 0)
		tls->write_ns = planner->now_ns + TLS_WRITE_NS;
}

static struct tls_day *add_day(struct planner *planner, struct slice name)
{
	struct planner_tls *tls = planner->tls;
	struct tls_day *one;

	if (tls->days.count >= TLS_DOMAINS_MAX || tls->bytes >= TLS_BYTES_MAX)
		return NULL;
	one = calloc(1, sizeof(*one) + name.len + 1);
	if (!one)
		return NULL;
	list_init(&one->dirty);
	tls_tally_init(&one->tally);
	memcpy(one->name, name.ptr, name.len);
	if (!map_add(&tls->days, (struct slice){ one->name, name.len }, one)) {
		free(one);
		return NULL;
	}
	tls->bytes += sizeof(*one) + name.len;
	return one;
}

static void forget_days(struct planner_tls *tls)
{
	struct tls_day *one;
	u32 at = 0;

	while ((one = map_next(&tls->days, &at))) {
		list_unlink(&one->dirty);
		tls_tally_done(&one->tally);
		free(one);
	}
	map_done(&tls->days);
	map_init(&tls->days);
	tls->bytes = 0;
	tls->write_ns = 0;
}

/*
 * Under the policy that the domain's answer brought. `failure` NULL: a session that is as it should
 * be. What finds no room is counted as such.
 */
static void count(struct planner *planner, const struct domain *domain,
		  const struct tls_failure *failure)
{
	const struct tls_wish *wish = domain->tls;
	struct tls_day *one = map_find(&planner->tls->days, slice_of(domain->name));
	size_t before;
	int policy;

	if (!one)
		one = add_day(planner, slice_of(domain->name));
	if (!one || planner->tls->bytes >= TLS_BYTES_MAX) {
		metric_add(&planner->m->tls_uncounted, 1);
		return;
	}
	before = one->tally.bytes;
	policy = tls_tally_policy(&one->tally, wish->type, wish->strings, wish->hosts);
	if (policy >= 0 && !failure)
		one->tally.policies[policy].successes++;
	else if (policy < 0 || !tls_tally_failed(&one->tally, (u32)policy, failure))
		metric_add(&planner->m->tls_uncounted, 1);
	slice_copy(one->tally.rua, sizeof(one->tally.rua), slice_of(wish->rua));
	planner->tls->bytes += one->tally.bytes - before;
	mark(planner, one);
}

/* ---- what a domain wants ---- */

static enum tls_policy_type type_of(const struct domain *domain, const struct sts_policy *policy)
{
	const struct demand *demand = domain->demand;

	if (domain->where->limits->tls == CONFIG_TLS_UNPUBLISHED)
		return TLS_POLICY_NONE;
	for (u32 i = 0; demand && i < demand->host_count; i++) {
		switch (demand->hosts[i].level) {
		case DEMAND_TLS:
		case DEMAND_DANE:
		case DEMAND_AWAY:
			return TLS_POLICY_TLSA;
		default:
			break;
		}
	}
	return policy ? TLS_POLICY_STS : TLS_POLICY_NONE;
}

static void add_sts(const struct sts_policy *policy, struct buf *strings, struct buf *hosts)
{
	buf_add_format(strings, "version: STSv1\nmode: %s\n",
		       policy->mode == STS_ENFORCE ? "enforce" : "testing");
	for (u32 at = 0; at < policy->mx_len; at += (u32)strlen(policy->mx + at) + 1) {
		buf_add_format(strings, "mx: %s\n", policy->mx + at);
		buf_add_format(hosts, "%s\n", policy->mx + at);
	}
	buf_add_format(strings, "max_age: %u\n", policy->max_age_s);
}

/* All records of all hosts, each once, in one order: hosts come in another one each time. */
static void add_tlsa(const struct demand *demand, struct buf *strings)
{
	struct slice records[LINES_MAX];
	struct dane_record record;
	size_t count = 0;

	for (u32 i = 0; i < demand->host_count; i++) {
		struct slice packed = demand->hosts[i].tlsa;

		while (count < LINES_MAX) {
			struct slice rest = packed;

			if (!dane_record_next(&rest, &record))
				break;
			records[count++] = slice_first(packed, packed.len - rest.len);
			packed = rest;
		}
	}
	qsort(records, count, sizeof(records[0]), slice_order);
	for (size_t i = 0; i < count; i++) {
		struct slice one = records[i];
		char *hex;

		if ((i > 0 && slice_order(&records[i - 1], &one) == 0) ||
		    !dane_record_next(&one, &record))
			continue;
		buf_add_format(strings, "%u %u %u ", record.usage, record.selector,
			       record.matching);
		hex = buf_reserve(strings, 2 * record.data.len);
		if (!hex)
			return;
		hex_encode(hex, record.data.ptr, record.data.len);
		buf_advance(strings, 2 * record.data.len);
		buf_add_char(strings, '\n');
	}
}

static char *put(char *to, struct slice text, struct slice *at)
{
	if (text.len > 0)
		memcpy(to, text.ptr, text.len);
	*at = (struct slice){ to, text.len };
	to[text.len] = '\0';
	return to + text.len + 1;
}

static struct tls_wish *make_wish(struct planner *planner, const struct domain *domain,
				  const char *rua, const struct sts_policy *policy)
{
	enum tls_policy_type type = type_of(domain, policy);
	struct tls_wish *wish = NULL;
	struct slice kept;
	struct buf strings;
	struct buf hosts;
	char *to;

	/* What is longer than the tally keeps is cut there. */
	buf_init(&strings, TLS_STRINGS_MAX * 4);
	buf_init(&hosts, TLS_STRINGS_MAX);
	if (type == TLS_POLICY_STS)
		add_sts(policy, &strings, &hosts);
	else if (type == TLS_POLICY_TLSA)
		add_tlsa(domain->demand, &strings);
	if (!strings.no_memory && !hosts.no_memory)
		wish = calloc(1, sizeof(*wish) + min_size(strings.len, TLS_STRINGS_MAX) +
					 min_size(hosts.len, TLS_HOSTS_MAX) + strlen(rua) + 3);
	if (wish) {
		wish->bit = domain->tls ? domain->tls->bit :
					  (u8)(planner->tls->bits++ % LEASE_TLS_BITS + 1);
		wish->type = (u8)type;
		to = put(wish->bytes, slice_first(buf_slice(&strings), TLS_STRINGS_MAX),
			 &wish->strings);
		to = put(to, slice_first(buf_slice(&hosts), TLS_HOSTS_MAX), &wish->hosts);
		put(to, slice_of(rua), &kept);
		wish->rua = kept.ptr;
	}
	buf_done(&strings);
	buf_done(&hosts);
	return wish;
}

/* Hosts that no session will go to, as it is. */
static void count_away(struct planner *planner, const struct domain *domain)
{
	const struct demand *demand = domain->demand;
	const enum config_tls tls = domain->where->limits->tls;
	struct tls_failure failure = { .count = 1, .host = "", .reason = "" };
	bool any_dane = false;

	if (tls == CONFIG_TLS_UNPUBLISHED || tls == CONFIG_TLS_NEVER)
		return;
	for (u32 i = 0; demand && i < demand->host_count; i++) {
		any_dane |= demand->hosts[i].level == DEMAND_DANE;
		failure.host = demand->hosts[i].name;
		failure.outcome = TLS_OUTCOME_UNKNOWN;
		if (demand->hosts[i].level == DEMAND_AWAY) {
			failure.outcome = TLS_OUTCOME_DNSSEC_INVALID;
			failure.reason = "TLSA records cannot be had";
		} else if (demand->hosts[i].level == DEMAND_OTHER) {
			failure.outcome = TLS_OUTCOME_VALIDATION;
			failure.reason = "the policy does not name the host";
		}
		if (failure.outcome != TLS_OUTCOME_UNKNOWN)
			count(planner, domain, &failure);
	}
	if (tls == CONFIG_TLS_DANE && !any_dane)
		count(planner, domain,
		      &(struct tls_failure){ .outcome = TLS_OUTCOME_DANE_REQUIRED, .count = 1,
					     .host = "", .reason = "" });
}

void planner_tls_answered(struct planner *planner, struct domain *domain,
			  const struct mx_answer *answer, const struct sts_policy *policy)
{
	struct tls_wish *wish = NULL;

	if (!planner->tls)
		return;
	if (answer->reports_to[0] != '\0') {
		wish = make_wish(planner, domain, answer->reports_to, policy);
		if (!wish)
			metric_add(&planner->m->tls_uncounted, 1);
	}
	free(domain->tls);
	domain->tls = wish;
	if (wish)
		count_away(planner, domain);
}

void planner_tls_not_fetched(struct planner *planner, const struct domain *domain,
			     const struct sts_fetched *fetched)
{
	static const u8 outcomes[] = {
		[STS_TROUBLE_FETCH] = TLS_OUTCOME_STS_FETCH,
		[STS_TROUBLE_POLICY] = TLS_OUTCOME_STS_INVALID,
		[STS_TROUBLE_CERTIFICATE] = TLS_OUTCOME_STS_WEBPKI,
	};
	const struct tls_failure failure = { .outcome = outcomes[fetched->trouble],
					     .count = 1,
					     .host = "",
					     .reason = fetched->why };

	if (planner->tls && domain->tls)
		count(planner, domain, &failure);
}

/* ---- what leases tell ---- */

static const char *host_of(const struct path *path, const struct net_address *address)
{
	for (u32 i = 0; i < path->target_count; i++) {
		const struct path_target *target = &path->targets[i];

		if (net_address_same_host(&target->address, address))
			return path_text(path, path->hosts[target->host]);
	}
	return "";
}

void planner_tls_count(struct planner *planner, const struct lease *lease)
{
	const struct path *path = lease->path;
	const struct lease_tls *told = &lease->tls_failure;
	struct tls_failure failure = { .outcome = told->outcome,
				       .count = told->count,
				       .receiver = told->host,
				       .reason = told->reason };
	const struct domain *domain;

	if (!lease->tls_ok && told->outcome == TLS_OUTCOME_UNKNOWN)
		return;
	domain = map_find(&planner->domains, address_wire_domain(lease->address));
	/* It wants reports no more, or was forgotten since. */
	if (!domain || !domain->tls || !planner->tls)
		return;
	if (lease->tls_ok)
		count(planner, domain, NULL);
	if (told->outcome == TLS_OUTCOME_UNKNOWN)
		return;
	failure.host = host_of(path, &told->host);
	if (told->host.family == 4 && path->has_source4)
		failure.source = path->source4;
	else if (told->host.family == 6 && path->has_source6)
		failure.source = path->source6;
	count(planner, domain, &failure);
}

/* ---- keeping ---- */

static bool write_one(struct planner *planner, const struct tls_day *one)
{
	char name[TLS_NAME_SIZE];
	struct buf text;
	bool ok;

	planner_tls_name(name, planner->tls->day, one->name);
	if (strlen(name) > SETTING_NAME_MAX)
		return true; /* no store has a name that long: its domain gets no report */
	buf_init(&text, TLS_TALLY_TEXT_MAX);
	tls_tally_write(&one->tally, &text);
	/* Without memory it is in the store as it was. */
	ok = text.failed || planner_store_ok(planner, queue_setting_put(planner->queue,
									slice_of(name),
									buf_slice(&text)));
	buf_done(&text);
	return ok;
}

static bool is_over(const struct planner *planner)
{
	return planner_tls_day(planner) != planner->tls->day;
}

bool planner_tls_has_work(const struct planner *planner)
{
	const struct planner_tls *tls = planner->tls;

	if (!tls || planner->careful > 0 || planner->recovering)
		return false;
	return is_over(planner) || planner_tls_send_has_work(planner) ||
	       (tls->write_ns != 0 && planner->now_ns >= tls->write_ns);
}

u64 planner_tls_wait_ns(const struct planner *planner)
{
	const struct planner_tls *tls = planner->tls;
	u64 at = UINT64_MAX;

	if (!tls || planner->careful > 0 || planner->recovering || planner->stopping)
		return UINT64_MAX;
	if (tls->write_ns != 0)
		at = tls->write_ns;
	if (tls->is_waiting)
		at = min_u64(at, tls->look_ns);
	if (tls->posts > 0)
		at = min_u64(at, planner->now_ns + 50 * NS_PER_MS);
	return at > planner->now_ns ? at - planner->now_ns : 0;
}

void planner_tls_write(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;
	struct list *node;

	/* What others need the last room for does not fail for this. */
	if (!tls || planner->careful > 0 || planner->recovering)
		return;
	planner_tls_send_write(planner);
	if (!is_over(planner) && (tls->write_ns == 0 || planner->now_ns < tls->write_ns))
		return;
	for (u32 i = 0; i < TURN_TALLIES_MAX && planner->failed_by == STORE_OK; i++) {
		node = list_pop_front(&tls->dirty);
		if (!node)
			return;
		list_push_back(&tls->writing, node);
		write_one(planner, list_entry(node, struct tls_day, dirty));
	}
}

static bool take_day(struct planner *planner, struct slice name, struct slice value,
		     struct error *error)
{
	struct tls_day *one = add_day(planner, name);

	(void)error;
	if (!one)
		return true;
	/* A record that cannot be read counts for nothing. */
	if (!tls_tally_read(&one->tally, value))
		log_warn("delivery", "what TLS came to is not known", "domain=%.*s",
			 SLICE_FMT(name));
	planner->tls->bytes += one->tally.bytes;
	return true;
}

/* What is kept of the day: of an earlier run, or since the clock was set back. */
static bool load_day(struct planner *planner, struct error *error)
{
	char prefix[TLS_NAME_SIZE];

	planner_tls_name(prefix, planner->tls->day, "");
	return planner_read_settings(planner, slice_of(prefix), take_day, error);
}

/* The day is over, by the calendar or since the clock was set. */
static void begin_day(struct planner *planner)
{
	struct planner_tls *tls = planner->tls;
	struct error error = { "" };

	forget_days(tls);
	tls->day = planner_tls_day(planner);
	tls->is_waiting = true;
	tls->look_ns = planner->now_ns;
	if (!load_day(planner, &error))
		log_warn("delivery", "what TLS came to today is not known", "reason=%s",
			 error.text);
}

void planner_tls_committed(struct planner *planner, bool ok)
{
	struct planner_tls *tls = planner->tls;
	struct list *node;

	if (!tls)
		return;
	planner_tls_send_committed(planner, ok);
	while ((node = list_pop_front(&tls->writing))) {
		if (!ok)
			list_push_back(&tls->dirty, node);
	}
	if (!ok)
		return;
	if (!list_is_empty(&tls->dirty))
		return;
	tls->write_ns = 0;
	if (is_over(planner) && planner->careful == 0 && !planner->recovering)
		begin_day(planner);
}

bool planner_tls_open(struct planner *planner, struct error *error)
{
	struct planner_tls *tls;

	if (!planner->config->tls_report)
		return true;
	tls = planner->tls = calloc(1, sizeof(*tls));
	if (!tls)
		return error_set(error, "out of memory for TLS reports");
	map_init(&tls->days);
	list_init(&tls->dirty);
	list_init(&tls->writing);
	tls->day = planner_tls_day(planner);
	tls->is_waiting = true;
	for (u32 i = 0; i < TLS_SENDS_MAX; i++)
		tls->sends[i].planner = planner;
	return load_day(planner, error);
}

bool planner_tls_keep(struct planner *planner, struct error *error)
{
	if (!planner->tls || list_is_empty(&planner->tls->dirty))
		return true;
	if (planner->broken || planner->recovering)
		return error_set(error, "the queue takes nothing now");
	if (!planner_begin(planner, error))
		return false;
	list_for_each(at, &planner->tls->dirty) {
		if (!write_one(planner, list_entry(at, struct tls_day, dirty)))
			break;
	}
	if (planner->failed_by != STORE_OK || !planner_commit(planner, error)) {
		error_set(error, "the queue: %s", queue_error_text(planner->queue));
		queue_abort(planner->queue);
		return false;
	}
	while (list_pop_front(&planner->tls->dirty))
		;
	planner->tls->write_ns = 0;
	return true;
}

enum store_result planner_tls_next(struct planner *planner, struct slice after, struct slice *name,
				   u64 *day, struct slice *domain, struct slice *value)
{
	enum store_result result =
		queue_setting_next(planner->queue, SLICE(TLS_PREFIX), after, name, value);

	if (result == STORE_OK && !planner_tls_name_read(*name, day, domain))
		*domain = SLICE_NONE;
	return result;
}

void planner_tls_close(struct planner *planner)
{
	struct error error = { "" };

	if (!planner->tls)
		return;
	planner_tls_send_close(planner);
	/* The last ten seconds. */
	if (!planner_tls_keep(planner, &error))
		log_warn("delivery", "what TLS came to in the last seconds is not kept",
			 "reason=%s", error.text);
	forget_days(planner->tls);
	free(planner->tls);
	planner->tls = NULL;
}
