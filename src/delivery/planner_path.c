/*
 * Paths of routes: made from what is known of the site's hosts, its limits, and the customer's
 * source addresses.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/crypto.h"
#include "base/text.h"

#include <assert.h>
#include <string.h>

static_assert(CONFIG_DEPTH_MAX == SMTP_DEPTH_MAX && CONFIG_RECIPIENTS_MAX == SMTP_RECIPIENTS_MAX,
	      "what may be configured is what is done");

/* The address that sockets are bound to; false: the kernel chooses, or there is none. */
static bool is_bound(const struct config_address *address, struct net_address *ip)
{
	return address && address->number != CONFIG_SOURCE_ANY &&
	       net_address_parse(ip, slice_of(address->ip), false);
}

/* What the demand on a host comes to by configuration; METRICS_POLICIES: it must not be used. */
static enum metrics_policy policy_of(enum config_tls tls, enum demand_level level)
{
	static const enum metrics_policy published[] = {
		[DEMAND_NOTHING] = METRICS_POLICY_OPPORTUNISTIC,
		[DEMAND_TLS] = METRICS_POLICY_UNUSABLE,
		[DEMAND_DANE] = METRICS_POLICY_DANE,
		[DEMAND_PKIX] = METRICS_POLICY_STS,
		[DEMAND_WISH] = METRICS_POLICY_STS_TESTING,
		[DEMAND_WISH_OTHER] = METRICS_POLICY_STS_OTHER,
		[DEMAND_AWAY] = METRICS_POLICIES,
		[DEMAND_OTHER] = METRICS_POLICIES,
	};
	const bool is_must = published[level] > METRICS_POLICY_OPPORTUNISTIC &&
			     level != DEMAND_WISH && level != DEMAND_WISH_OTHER;

	switch (tls) {
	case CONFIG_TLS_NEVER:
		return METRICS_POLICY_NEVER;
	case CONFIG_TLS_UNPUBLISHED:
		return METRICS_POLICY_OPPORTUNISTIC;
	case CONFIG_TLS_REQUIRED:
		return is_must ? published[level] : METRICS_POLICY_REQUIRED;
	case CONFIG_TLS_VERIFY:
		return is_must && level != DEMAND_TLS ? published[level] : METRICS_POLICY_VERIFY;
	case CONFIG_TLS_DANE:
		return level == DEMAND_DANE ? published[level] : METRICS_POLICIES;
	default:
		return published[level];
	}
}

/* One number for all that the host has to prove; 0: nothing. */
static u64 proof_of(enum metrics_policy policy, const char *name,
		    const struct demand_host *demanded)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;
	u64 proof;

	if (demanded && policy != METRICS_POLICY_VERIFY)
		return policy >= METRICS_POLICY_DANE ? demanded->id : 0;
	if (policy != METRICS_POLICY_VERIFY)
		return 0;
	sha256_init(&hash);
	sha256_add(&hash, name, strlen(name));
	sha256_finish(&hash, digest);
	memcpy(&proof, digest, sizeof(proof));
	return proof;
}

/* Lists the host; false: what is demanded of it cannot be had, so its addresses are left out. */
static bool add_host(struct path *path, const char *name, enum config_tls tls)
{
	const struct demand_host *demanded = demand_of(path->demand, name);
	enum metrics_policy policy = policy_of(tls, demanded ? demanded->level : DEMAND_NOTHING);
	const u32 index = path->host_count++;

	path->hosts[index] = path_add_text(path, name);
	if (policy == METRICS_POLICIES)
		return false;
	path->host_tls[index] = (u8)policy;
	path->host_proof[index] = proof_of(policy, name, demanded);
	return true;
}

static void add_addresses(struct path *path, const struct mx_answer *answer,
			  const struct mx_host *host, bool v4, bool v6)
{
	const u8 index = (u8)(path->host_count - 1);

	for (u32 i = 0; i < host->address_count; i++) {
		const struct net_address *a = &answer->addresses[host->address_first + i];

		if (!(a->family == 4 ? v4 : v6) || path->target_count == PATH_TARGETS_MAX)
			continue;
		path->targets[path->target_count++] = (struct path_target){
			.address = *a, .preference = host->preference, .host = index
		};
	}
}

static const char *lack_of(enum config_tls tls, const struct path *path, const char *name)
{
	const struct demand_host *demanded = demand_of(path->demand, name);

	if (tls == CONFIG_TLS_DANE)
		return "no mail host has usable TLSA records, as the configuration demands";
	if (demanded && demanded->level == DEMAND_OTHER)
		return "no mail host is one of those that the domain's MTA-STS policy names";
	return "the TLSA records of the mail hosts cannot be had, or DNSSEC says they are forged";
}

/*
 * Hosts and those of their addresses that the customer has a source address for. Returns why, if
 * there are none.
 */
static const char *add_targets(struct path *path, const struct site *site, bool v4, bool v6)
{
	const enum config_tls tls = site->limits->tls;
	const char *lack = "no source address of the customer fits the receiver's addresses";
	struct mx_answer answer;

	if (site->answer) {
		mx_entry_unpack(site->answer, &answer, 0);
		for (u32 h = 0; h < answer.host_count; h++) {
			if (add_host(path, answer.hosts[h].name, tls))
				add_addresses(path, &answer, &answer.hosts[h], v4, v6);
			else
				lack = lack_of(tls, path, answer.hosts[h].name);
		}
		return lack;
	}
	if (!add_host(path, site->name, tls))
		return lack_of(tls, path, site->name);
	path->targets[0] = (struct path_target){ .address = site->relay };
	path->target_count = (site->relay.family == 4 ? v4 : v6) ? 1 : 0;
	return lack;
}

/*
 * Shares the site's sessions out. What is left over goes to workers in turn, from one that follows
 * from the route's name: it is the same one when the route was forgotten and comes back.
 */
static void share_sessions(struct path *path, u32 sessions, u32 workers)
{
	u32 first = 0;

	ASSERT(workers > 0);
	for (const char *c = path_text(path, path->key); *c; c++)
		first = first * 31 + (u8)*c;
	for (u32 i = 0; i < workers; i++)
		path->sessions[i] = sessions / workers;
	for (u32 i = 0; i < sessions % workers; i++)
		path->sessions[(first % workers + i) % workers]++;
}

/*
 * The route's part of what the site takes from all source addresses together: routes with work have
 * equal parts, at least one session each.
 */
static u32 sessions_of(const struct planner_route *route)
{
	const struct config_site *limits = route->site->limits;
	u32 working = 0;
	u32 before = 0;
	u32 part;

	if (limits->total_sessions == 0)
		return limits->sessions;
	list_for_each(node, &route->site->routes) {
		const struct planner_route *other =
			list_entry(node, struct planner_route, of_site);

		if (other == route)
			before = working;
		working += other == route || !list_is_linked(&other->idle);
	}
	ASSERT(working > 0); /* itself, at least */
	part = limits->total_sessions / working + (before < limits->total_sessions % working);
	return min_u32(part > 0 ? part : 1, limits->sessions);
}

static void set_timeouts(struct path *path, const struct config_site *limits)
{
	const u32 rset = smtp_timeouts_usual.ms[SMTP_TIMEOUT_RSET];

	path->connect_timeout_ns = limits->connect_timeout_ms * NS_PER_MS;
	path->timeouts = (struct smtp_timeouts){
		.ms = {
			[SMTP_TIMEOUT_GREETING] = (u32)limits->greeting_timeout_ms,
			[SMTP_TIMEOUT_EHLO] = (u32)limits->ehlo_timeout_ms,
			[SMTP_TIMEOUT_TLS] = (u32)limits->tls_timeout_ms,
			[SMTP_TIMEOUT_MAIL] = (u32)limits->mail_timeout_ms,
			[SMTP_TIMEOUT_RCPT] = (u32)limits->rcpt_timeout_ms,
			[SMTP_TIMEOUT_DATA] = (u32)limits->data_timeout_ms,
			[SMTP_TIMEOUT_BLOCK] = (u32)limits->block_timeout_ms,
			[SMTP_TIMEOUT_DOT] = (u32)limits->dot_timeout_ms,
			[SMTP_TIMEOUT_RSET] = min_u32((u32)limits->mail_timeout_ms, rset),
			[SMTP_TIMEOUT_QUIT] = (u32)limits->quit_timeout_ms,
			[SMTP_TIMEOUT_MESSAGE] = (u32)limits->message_timeout_ms,
		},
	};
}

/*
 * To begin costs a session what the kernel saves with two or three messages of 100 KB, or with
 * fifteen of 8 KB, which few sessions carry: bench/README.md.
 */
#define KERNEL_FROM (64 * 1024)

static u64 kernel_from(enum config_tls_kernel choice)
{
	if (choice == CONFIG_TLS_KERNEL_AUTO)
		return KERNEL_FROM;
	return choice == CONFIG_TLS_KERNEL_ALWAYS ? 0 : UINT64_MAX;
}

static struct path *build_path(struct planner *planner, struct planner_route *route)
{
	const struct config_site *limits = route->site->limits;
	struct path *path = path_make();
	const struct config_address *a4 = route->source4;
	const struct config_address *a6 = route->source6;

	if (!path)
		return NULL;
	path->has_source4 = is_bound(a4, &path->source4);
	path->has_source6 = is_bound(a6, &path->source6);
	path->key = path_add_text(path, route->key);
	path->site = path_add_text(path, route->site->name);
	path->ehlo4 = path_add_text(path, a4 ? a4->ehlo : "");
	path->ehlo6 = path_add_text(path, a6 ? a6->ehlo : "");
	path->site_metrics = route->metrics_slot;
	path->demand = demand_take(route->demand);
	path->raw_dots = limits->odd_dots == CONFIG_DOTS_RAW;
	path->depth = limits->depth;
	path->messages_per_session = limits->messages_per_session;
	path->recipients_per_message = limits->recipients_per_message;
	path->kernel_from = kernel_from(limits->tls_kernel);
	path->idle_ns = limits->idle_ms * NS_PER_MS;
	set_timeouts(path, limits);
	share_sessions(path, sessions_of(route), planner->params.worker_count);
	route->lack = add_targets(path, route->site, a4 != NULL, a6 != NULL);
	return path_fit(path);
}

struct path *planner_route_path(struct planner *planner, struct planner_route *route)
{
	struct path *path;

	if (route->path_version == route->site->version)
		return route->path;
	path = build_path(planner, route);
	if (!path)
		CRASH("out of memory for a path");
	route->path_version = route->site->version;
	if (path->target_count > 0 && route->path && path_same(route->path, path)) {
		path_give(path);
		return route->path;
	}
	path_give(route->path);
	route->path = path->target_count > 0 ? path : NULL;
	if (!route->path)
		path_give(path);
	planner_bounds_set(planner, route);
	return route->path;
}
