/*
 * Routes: one site reached from one source address of one customer. Limits, backoff and fairness
 * live here; a route is in planner->ready exactly while it has rows, room and leave to send.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_FLIGHT_MIN 64   /* leases per worker and route, so that a small site still pipelines */
#define IN_FLIGHT_MAX 8192
#define PREFETCH 4         /* leases per place in a session: the worker never waits for a commit */
#define PACE_NS (250 * NS_PER_MS)

/* ---- sites ---- */

static struct site *find_site(struct planner *planner, const char *name)
{
	return map_find(&planner->sites, slice_of(name));
}

static bool is_suspended(struct planner *planner, const char *name)
{
	char key[300];
	struct slice value;

	snprintf(key, sizeof(key), "suspended/%s", name);
	return queue_setting_get(planner->queue, slice_of(key), &value) == STORE_OK;
}

static struct site *make_site(struct planner *planner, const char *name, struct slice first_host)
{
	struct site *site = calloc(1, sizeof(*site));

	if (!site)
		return NULL;
	slice_copy(site->name, sizeof(site->name), slice_of(name));
	site->limits = config_site_of(planner->config, first_host);
	site->suspended = is_suspended(planner, name);
	if (!map_add(&planner->sites, slice_of(site->name), site)) {
		free(site);
		return NULL;
	}
	return site;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/*
 * The name of a set of exchangers: its first host (by name) and, when there are more, how many. Two
 * sets that begin alike but differ are told apart by a hash of all names.
 */
static void name_site(char out[256], const struct mx_answer *answer)
{
	const char *names[MX_HOSTS_MAX];
	u32 hash = 2166136261u;

	for (u32 i = 0; i < answer->host_count; i++)
		names[i] = answer->hosts[i].name;
	qsort(names, answer->host_count, sizeof(names[0]), compare_names);
	for (u32 i = 0; i < answer->host_count; i++) {
		for (const char *c = names[i];; c++) {
			hash = (hash ^ (u8)*c) * 16777619u;
			if (!*c)
				break;
		}
	}
	if (answer->host_count == 1)
		snprintf(out, 256, "%s", names[0]);
	else
		snprintf(out, 256, "%.220s+%u.%04x", names[0], answer->host_count - 1,
			 hash & 0xffff);
}

static bool has_address(const struct mx_answer *answer, const struct mx_host *host,
			const struct net_address *address)
{
	for (u32 i = 0; i < host->address_count; i++) {
		if (net_address_equal(&answer->addresses[host->address_first + i], address))
			return true;
	}
	return false;
}

static bool has_host(const struct mx_answer *answer, const struct mx_answer *other,
		     const struct mx_host *host)
{
	for (u32 i = 0; i < answer->host_count; i++) {
		const struct mx_host *mine = &answer->hosts[i];

		if (strcmp(mine->name, host->name) != 0)
			continue;
		if (mine->preference != host->preference ||
		    mine->address_count != host->address_count)
			return false;
		for (u32 k = 0; k < host->address_count; k++) {
			if (!has_address(answer, mine, &other->addresses[host->address_first + k]))
				return false;
		}
		return true;
	}
	return false;
}

/* Order does not count: every answer comes in another one, and sessions need not notice. */
static bool same_exchangers(const struct mx_answer *a, const struct mx_answer *b)
{
	if (a->host_count != b->host_count)
		return false;
	for (u32 i = 0; i < b->host_count; i++) {
		if (!has_host(a, b, &b->hosts[i]))
			return false;
	}
	return true;
}

struct site *planner_site_of_answer(struct planner *planner, const struct mx_answer *answer)
{
	char name[256];
	struct site *site;

	name_site(name, answer);
	site = find_site(planner, name);
	if (!site)
		site = make_site(planner, name, slice_of(answer->hosts[0].name));
	if (!site)
		return NULL;
	if (site->answer && same_exchangers(site->answer, answer))
		return site;
	if (!site->answer)
		site->answer = malloc(sizeof(*site->answer));
	if (!site->answer)
		return NULL;
	*site->answer = *answer;
	site->version++;
	return site;
}

struct site *planner_site_of_relay(struct planner *planner, const char *relay)
{
	struct site *site = find_site(planner, relay);

	if (site)
		return site;
	site = make_site(planner, relay, slice_of(relay));
	if (site && !net_address_parse(&site->relay, slice_of(relay), true))
		CRASH("relay %s passed the configuration's check", relay);
	return site;
}

/* ---- paths ---- */

/* Which of the customer's addresses of a family this route uses; "any" leaves it to the kernel. */
static const struct config_address *source_of(const struct planner_route *route, u8 family,
					      struct net_address *address, bool *bound)
{
	const struct config_customer *customer = route->customer;
	const struct config_address *any = NULL;
	u32 seen = 0;
	u32 count = 0;

	*bound = false;
	for (size_t i = 0; i < customer->address_count; i++) {
		if (strcmp(customer->addresses[i].ip, CONFIG_ANY_ADDRESS) == 0)
			any = &customer->addresses[i];
		else if (net_address_parse(address, slice_of(customer->addresses[i].ip), false) &&
			 address->family == family)
			count++;
	}
	for (size_t i = 0; count > 0 && i < customer->address_count; i++) {
		const struct config_address *a = &customer->addresses[i];

		if (strcmp(a->ip, CONFIG_ANY_ADDRESS) == 0 ||
		    !net_address_parse(address, slice_of(a->ip), false) ||
		    address->family != family)
			continue;
		if (seen++ == route->source % count) {
			*bound = true;
			return a;
		}
	}
	return any;
}

static void add_targets(struct path *path, const struct site *site, bool v4, bool v6)
{
	const struct mx_answer *answer = site->answer;

	if (!answer) {
		slice_copy(path->hosts[0], sizeof(path->hosts[0]), slice_of(site->name));
		path->host_count = 1;
		path->targets[0] = (struct path_target){ .address = site->relay };
		path->target_count = (site->relay.family == 4 ? v4 : v6) ? 1 : 0;
		return;
	}
	path->host_count = answer->host_count;
	for (u32 h = 0; h < answer->host_count; h++) {
		const struct mx_host *host = &answer->hosts[h];

		slice_copy(path->hosts[h], sizeof(path->hosts[h]), slice_of(host->name));
		for (u32 i = 0; i < host->address_count; i++) {
			const struct net_address *a = &answer->addresses[host->address_first + i];

			if (!(a->family == 4 ? v4 : v6) || path->target_count == PATH_TARGETS_MAX)
				continue;
			path->targets[path->target_count++] = (struct path_target){
				.address = *a, .preference = host->preference, .host = (u8)h
			};
		}
	}
}

/* Shares the site's sessions out; what is left over goes to workers in turn, by route. */
static void share_sessions(struct path *path, u32 sessions, u32 workers)
{
	ASSERT(workers > 0);
	for (u32 i = 0; i < workers; i++)
		path->sessions[i] = (u16)(sessions / workers);
	for (u32 i = 0; i < sessions % workers; i++)
		path->sessions[(path->route + i) % workers]++;
}

static enum smtp_tls_policy tls_policy(enum config_tls tls)
{
	switch (tls) {
	case CONFIG_TLS_NEVER:
		return SMTP_TLS_NEVER;
	case CONFIG_TLS_REQUIRED:
		return SMTP_TLS_REQUIRED;
	default:
		return SMTP_TLS_OPPORTUNISTIC;
	}
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

static struct path *build_path(struct planner *planner, struct planner_route *route)
{
	const struct config_site *limits = route->site->limits;
	struct path *path = path_make();
	const struct config_address *a4;
	const struct config_address *a6;

	if (!path)
		return NULL;
	a4 = source_of(route, 4, &path->source4, &path->has_source4);
	a6 = source_of(route, 6, &path->source6, &path->has_source6);
	slice_copy(path->ehlo4, sizeof(path->ehlo4), slice_of(a4 ? a4->ehlo : ""));
	slice_copy(path->ehlo6, sizeof(path->ehlo6), slice_of(a6 ? a6->ehlo : ""));
	slice_copy(path->site, sizeof(path->site), slice_of(route->site->name));
	path->route = route->number;
	path->site_metrics = route->metrics_slot;
	path->tls = tls_policy(limits->tls);
	path->depth = min_u32(limits->depth, SMTP_DEPTH_MAX);
	path->messages_per_session = limits->messages_per_session;
	path->recipients_per_message = limits->recipients_per_message;
	path->idle_ns = limits->idle_ms * NS_PER_MS;
	set_timeouts(path, limits);
	share_sessions(path, limits->sessions, planner->params.worker_count);
	add_targets(path, route->site, a4 != NULL, a6 != NULL);
	return path;
}

/*
 * The current path; made anew only when the answer brought something new. NULL: pauses the route.
 */
struct path *planner_route_path(struct planner *planner, struct planner_route *route)
{
	struct path *path;

	if (route->path && route->path_version == route->site->version)
		return route->path;
	path = build_path(planner, route);
	if (!path)
		return route->path;
	route->path_version = route->site->version;
	if (path->target_count == 0) {
		path_give(path);
		planner_route_pause(
			planner, route, 60 * 1000,
			"no source address of the customer fits the receiver's addresses");
		return NULL;
	}
	if (route->path && path_same(route->path, path)) {
		path_give(path);
		return route->path;
	}
	path_give(route->path);
	route->path = path;
	return path;
}

/* ---- routes ---- */

static void on_route_timer(struct timer *timer);

static const char *source_text(const struct planner_route *route, char out[NET_ADDRESS_TEXT_SIZE])
{
	struct net_address address;
	bool bound;

	if (!source_of(route, 4, &address, &bound))
		source_of(route, 6, &address, &bound);
	if (!bound)
		return CONFIG_ANY_ADDRESS;
	net_address_format(out, &address, false);
	return out;
}

static u32 make_key(char key[600], const struct site *site, const struct config_customer *customer,
		    u32 source)
{
	return (u32)snprintf(key, 600, "%s\n%s\n%u", site->name, customer->domain, source);
}

struct planner_route *planner_route(struct planner *planner, struct site *site,
				    const struct config_customer *customer, u32 source)
{
	char key[600];
	char text[NET_ADDRESS_TEXT_SIZE];
	u32 len = make_key(key, site, customer, source);
	struct planner_route *route = map_find(&planner->route_map, (struct slice){ key, len });

	if (route)
		return route;
	route = calloc(1, sizeof(*route));
	if (!route)
		return NULL;
	memcpy(route->key, key, len);
	route->planner = planner;
	route->site = site;
	route->customer = customer;
	route->source = source;
	route->number = planner->route_count;
	list_init(&route->ready);
	list_init(&route->failing);
	list_init(&route->all);
	list_init(&route->lanes);
	timer_init(&route->timer, on_route_timer);
	route->tokens = 1;
	route->tokens_ns = planner->now_ns;
	if (!map_add(&planner->route_map, (struct slice){ route->key, len }, route)) {
		free(route);
		return NULL;
	}
	planner->route_count++;
	route->metrics_slot =
		metrics_route_slot(planner->params.metrics, source_text(route, text), site->name);
	list_push_back(&planner->routes, &route->all);
	return route;
}

/* Tokens come at the site's rate per second; a tenth of a second's worth may gather. */
static void refill(struct planner *planner, struct planner_route *route)
{
	double rate = route->site->limits->rate_per_s;
	double burst = rate / 10 > 1 ? rate / 10 : 1;
	double gained = (double)(planner->now_ns - route->tokens_ns) / 1e9 * rate;

	route->tokens_ns = planner->now_ns;
	route->tokens = route->tokens + gained > burst ? burst : route->tokens + gained;
}

/* Results of the last full quarter of a second: what the route is able to take. */
static u32 pace(struct planner *planner, struct planner_route *route)
{
	u64 passed = planner->now_ns - route->pace_ns;

	if (passed >= PACE_NS) {
		route->pace = passed < 2 * PACE_NS ? route->results : 0;
		route->results = 0;
		route->pace_ns = planner->now_ns;
	}
	return route->pace;
}

/* Leases that the route may get now. */
u32 planner_route_room(struct planner *planner, struct planner_route *route)
{
	const struct config_site *limits = route->site->limits;
	u64 want = (u64)limits->sessions * min_u32(limits->depth, SMTP_DEPTH_MAX) * PREFETCH;
	u32 workers = planner->params.worker_count;

	if (planner->stopping || route->site->suspended || route->paused_until_ns > planner->now_ns)
		return 0;
	want = max_u64(want, (u64)IN_FLIGHT_MIN * workers);
	/* A slow disk must not slow a fast route: enough is out to last over several commits. */
	want = max_u64(want, (u64)pace(planner, route) * 2);
	want = min_u64(want, max_u64((u64)IN_FLIGHT_MAX * workers, limits->sessions));
	want = min_u64(want, planner->lease_count / 2 + 1);
	if (route->probing)
		want = 1;
	if (limits->rate_per_s > 0) {
		refill(planner, route);
		want = route->tokens >= 1 ? want : 0;
	}
	return want > route->in_flight ? (u32)want - route->in_flight : 0;
}

static bool has_rows(const struct planner_route *route)
{
	return route->refs.count > 0 || !list_is_empty(&route->lanes);
}

void planner_route_check(struct planner *planner, struct planner_route *route)
{
	u32 room = has_rows(route) ? planner_route_room(planner, route) : 0;

	if (room > 0 && !list_is_linked(&route->ready))
		list_push_back(&planner->ready, &route->ready);
	else if (room == 0 && list_is_linked(&route->ready))
		list_unlink(&route->ready);
	if (room > 0 || !has_rows(route) || timer_is_running(&route->timer))
		return;
	if (route->paused_until_ns > planner->now_ns)
		timer_start(&planner->wheel, &route->timer, route->paused_until_ns);
	else if (route->site->limits->rate_per_s > 0 && route->tokens < 1)
		timer_start(&planner->wheel, &route->timer,
			    planner->now_ns + (u64)((1 - route->tokens) * 1e9 /
						    route->site->limits->rate_per_s) + 1);
}

static void on_route_timer(struct timer *timer)
{
	struct planner_route *route = container_of(timer, struct planner_route, timer);

	route->planner->must_work = true;
	planner_route_check(route->planner, route);
}

void planner_route_pause(struct planner *planner, struct planner_route *route, u64 ms,
			 const char *reason)
{
	route->paused_until_ns = planner->now_ns + ms * NS_PER_MS;
	slice_copy(route->reason, sizeof(route->reason), slice_of(reason));
	timer_stop(&planner->wheel, &route->timer);
	planner_route_check(planner, route);
}

/* Nobody there would talk: the whole route waits, then one row tries the way. */
void planner_route_failed(struct planner *planner, struct planner_route *route,
			  const struct lease *lease)
{
	char reason[256];

	if (route->paused_until_ns > planner->now_ns)
		return;
	route->failures++;
	route->probing = true;
	if (!list_is_linked(&route->failing))
		list_push_back(&planner->failing, &route->failing);
	snprintf(reason, sizeof(reason), "%.*s", (int)lease->reply_len, lease->reply);
	log_warn("delivery", "site does not answer", "site=%s reason=%s failures=%u",
		 route->site->name, reason, route->failures);
	planner_route_pause(planner, route, retry_route_wait_ms(route->failures, &planner->random),
			    reason);
}

void planner_route_worked(struct planner *planner, struct planner_route *route)
{
	if (route->failures == 0 && !route->probing)
		return;
	route->failures = 0;
	route->probing = false;
	route->paused_until_ns = 0;
	route->reason[0] = '\0';
	timer_stop(&planner->wheel, &route->timer);
	log_info("delivery", "site answers again", "site=%s", route->site->name);
}

void planner_routes_free(struct planner *planner)
{
	struct list *node;
	struct site *site;
	u32 at = 0;

	while ((node = list_pop_front(&planner->routes))) {
		struct planner_route *route = list_entry(node, struct planner_route, all);

		while ((node = list_pop_front(&route->lanes)))
			free(list_entry(node, struct lane, node));
		ref_queue_done(&route->refs);
		path_give(route->path);
		free(route);
	}
	while ((site = map_next(&planner->sites, &at))) {
		free(site->answer);
		free(site);
	}
	map_done(&planner->sites);
	map_done(&planner->route_map);
}

/* ---- suspension by the operator ---- */

static void check_site_routes(struct planner *planner, const struct site *site)
{
	list_for_each(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);

		if (route->site == site)
			planner_route_check(planner, route);
	}
	planner->must_work = true;
}

static bool set_suspended(struct planner *planner, struct slice name, bool suspended,
			  struct error *error)
{
	struct site *site = map_find(&planner->sites, name);
	char key[300];
	enum store_result result;

	if (name.len == 0 || name.len > 250)
		return error_set(error, "a site's name has 1 to 250 characters");
	if (!planner_begin(planner, error))
		return false;
	snprintf(key, sizeof(key), "suspended/%.*s", SLICE_FMT(name));
	result = suspended ? queue_setting_put(planner->queue, slice_of(key), SLICE("1")) :
			     queue_setting_delete(planner->queue, slice_of(key));
	if (result == STORE_NOT_FOUND) {
		queue_abort(planner->queue);
		return error_set(error, "site %.*s is not suspended", SLICE_FMT(name));
	}
	if (!planner_commit(planner, error))
		return false;
	if (site) {
		site->suspended = suspended;
		check_site_routes(planner, site);
	}
	return true;
}

bool planner_site_suspend(struct planner *planner, struct slice site, struct error *error)
{
	return set_suspended(planner, site, true, error);
}

bool planner_site_resume(struct planner *planner, struct slice site, struct error *error)
{
	return set_suspended(planner, site, false, error);
}

void planner_routes(struct planner *planner, u64 now_ns,
		    bool (*visit)(void *context, const struct planner_route_status *status),
		    void *context)
{
	list_for_each(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);
		struct planner_route_status status = {
			.site = route->site->name,
			.customer = route->customer->domain,
			.lanes = route->lane_count,
			.waiting = route->refs.count,
			.in_flight = route->in_flight,
			.sessions_max = route->site->limits->sessions,
			.suspended = route->site->suspended,
		};

		if (route->paused_until_ns > now_ns)
			status.paused_for_ms = (route->paused_until_ns - now_ns) / NS_PER_MS;
		slice_copy(status.reason, sizeof(status.reason), slice_of(route->reason));
		if (!visit(context, &status))
			return;
	}
}
