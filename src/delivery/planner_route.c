/*
 * Routes: one site reached from one source address of one customer, for domains that demand the
 * same of it. Limits, backoff and fairness live here; a route is in planner->ready exactly while it
 * has rows, room and leave to send, and among the idle exactly while nothing points to it. Idle
 * ones are remembered for a while (what their backoff has learned is worth keeping), but never more
 * than ROUTES_IDLE_MAX.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "delivery/signal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_FLIGHT_MIN 64   /* leases per worker and route, so that a small site still pipelines */
#define IN_FLIGHT_MAX 8192
#define PREFETCH 4         /* leases per place in a session: the worker never waits for a commit */
#define PACE_NS (250 * NS_PER_MS)
#define KEEP_NS (3600 * NS_PER_S)  /* an idle route is remembered for so long */
#define KEY_MAX 768

static void on_route_timer(struct timer *timer);

static struct shaper_limits limits_of(const struct planner_route *route)
{
	const struct config_site *site = route->site->limits;

	return (struct shaper_limits){ .sessions = site->sessions,
				       .per_second = site->rate_per_s,
				       .per_minute = site->per_minute,
				       .per_hour = site->per_hour,
				       .per_day = site->per_day,
				       .is_adaptive = site->adaptive };
}

static struct shaper_limits bulk_limits_of(const struct planner_route *route)
{
	return planner_without_reserve(limits_of(route), route->site->limits->reserve_percent);
}

static bool counts_periods(const struct shaper_limits *limits)
{
	return limits->per_minute > 0 || limits->per_hour > 0 || limits->per_day > 0;
}

/* ---- making and forgetting ---- */

static struct planner_route *make_route(struct planner *planner, struct slice key)
{
	struct planner_route *route = calloc(1, sizeof(*route) + key.len + 1);

	if (!route)
		return NULL;
	memcpy(route->key, key.ptr, key.len);
	route->planner = planner;
	list_init(&route->ready);
	list_init(&route->failing);
	list_init(&route->idle);
	counted_init(&route->counted, &route->shaper, route->key);
	planner_lines_init(route);
	timer_init(&route->timer, on_route_timer);
	if (!map_add(&planner->route_map, (struct slice){ route->key, key.len }, route)) {
		free(route);
		return NULL;
	}
	return route;
}

struct planner_route *planner_route(struct planner *planner, const struct domain *domain,
				    const struct config_customer *customer, u32 source,
				    bool undemanded)
{
	const struct config_address *source4 = planner_source_at(customer, source, 4);
	const struct config_address *source6 = planner_source_at(customer, source, 6);
	struct demand *demand = undemanded ? NULL : domain->demand;
	struct site *site = domain->where;
	char key[KEY_MAX];
	struct planner_route *route;
	struct shaper_limits limits;

	snprintf(key, sizeof(key), demand ? "%s\n%s\n%s %s\n%s" : "%s\n%s\n%s %s", site->name,
		 customer->domain, source4 ? source4->ip : "-", source6 ? source6->ip : "-",
		 demand ? demand->id : "");
	route = map_find(&planner->route_map, slice_of(key));
	if (route)
		return route;
	planner_forget_routes(planner);
	route = make_route(planner, slice_of(key));
	if (!route)
		return NULL;
	route->site = site;
	route->demand = demand_take(demand);
	route->customer = customer;
	route->source = source;
	route->source4 = source4;
	route->source6 = source6;
	planner_site_hold(site);
	list_push_back(&site->routes, &route->of_site);
	list_push_back(&planner->routes, &route->all);
	planner->route_count++;
	limits = limits_of(route);
	shaper_init(&route->shaper, &limits, planner->now_ns);
	route->metrics_slot = metrics_route_slot(planner->params.metrics,
						 planner_source_text(route), site->name);
	planner_bounds_set(planner, route);
	return route;
}

bool planner_route_is_of(const struct planner_route *route, const struct domain *domain)
{
	return route->site == domain->where && demand_same(route->demand, domain->demand);
}

static void free_route(struct planner *planner, struct planner_route *route)
{
	timer_stop(&planner->wheel, &route->timer);
	map_remove(&planner->route_map, slice_of(route->key));
	list_unlink(&route->ready);
	list_unlink(&route->counted.node);
	list_unlink(&route->all);
	list_unlink(&route->of_site);
	if (list_is_linked(&route->idle))
		planner->idle_route_count--;
	list_unlink(&route->idle);
	planner->route_count--;
	planner_site_drop(planner, route->site);
	planner_lines_done(route);
	path_give(route->path);
	demand_give(route->demand);
	free(route);
}

static bool has_rows(const struct planner_route *route)
{
	return planner_line_has_rows(&route->lines[LINE_URGENT]) ||
	       planner_line_has_rows(&route->lines[LINE_BULK]);
}

static void judge_idleness(struct planner *planner, struct planner_route *route)
{
	bool idle = !has_rows(route) && route->leases == 0 && !list_is_linked(&route->failing);

	if (idle == list_is_linked(&route->idle))
		return;
	/* Sessions that routes share are shared out anew. */
	if (route->site->limits->total_sessions > 0)
		route->site->version++;
	if (!idle) {
		list_unlink(&route->idle);
		planner->idle_route_count--;
		return;
	}
	route->idle_ns = planner->now_ns;
	list_push_back(&planner->idle_routes, &route->idle);
	planner->idle_route_count++;
}

/* One made anew has no debts: what its limits count must be over before. */
static bool may_forget(const struct planner *planner, const struct planner_route *route)
{
	const struct shaper_limits limits = limits_of(route);
	u64 idle_ns = planner->now_ns - route->idle_ns;

	if (!shaper_has_no_debts(&route->shaper, &limits, planner->now_ns, planner->time.due_ms))
		return false;
	return idle_ns >= KEEP_NS || planner->idle_route_count > ROUTES_IDLE_MAX ||
	       planner->route_count >= ROUTES_MAX;
}

void planner_forget_routes(struct planner *planner)
{
	while (!list_is_empty(&planner->idle_routes) && !planner->keeps_routes) {
		struct planner_route *route =
			list_entry(planner->idle_routes.next, struct planner_route, idle);

		if (!may_forget(planner, route))
			return;
		free_route(planner, route);
	}
}

/* ---- room ---- */

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

/* What may be out at once, results that are not committed yet included. */
static u64 width(struct planner *planner, struct planner_route *route)
{
	const struct config_site *limits = route->site->limits;
	u64 want = (u64)limits->sessions * limits->depth * PREFETCH;
	u32 workers = planner->params.worker_count;

	want = max_u64(want, (u64)IN_FLIGHT_MIN * workers);
	/* A slow disk must not slow a fast route: enough is out to last over several commits. */
	want = max_u64(want, (u64)pace(planner, route) * 2);
	want = min_u64(want, max_u64((u64)IN_FLIGHT_MAX * workers, limits->sessions));
	return min_u64(want, planner->lease_count / 2 + 1);
}

struct route_room planner_route_room(struct planner *planner, struct planner_route *route)
{
	const struct shaper_limits rates = limits_of(route);
	struct route_room room = { 0, 0 };
	u64 want;

	if (planner->stopping || route->site->suspended || route->paused_until_ns > planner->now_ns)
		return room;
	want = route->probing ? 1 : width(planner, route);
	room.all = room.bulk = shaper_room(&route->shaper, &rates, route->in_flight,
					   planner->now_ns, planner->time.due_ms);
	if (counts_periods(&rates)) {
		const struct shaper_limits bulk = bulk_limits_of(route);

		room.bulk = shaper_room(&route->shaper, &bulk, route->in_flight, planner->now_ns,
					planner->time.due_ms);
	}
	room.bulk = want > route->in_flight ? min_u32(room.bulk, (u32)want - route->in_flight) : 0;
	/* What is out already is bulk mail that the worker lets wait. */
	if (!route->probing)
		want += want / 4;
	room.all = want > route->in_flight ? min_u32(room.all, (u32)want - route->in_flight) : 0;
	if (route->is_bounded) {
		room.all = planner_bounds_room(planner, route, false, room.all);
		room.bulk = planner_bounds_room(planner, route, true, room.bulk);
	}
	return room;
}

/* When a route that may not send now may again, without anything having come back. */
static u64 next_ns(const struct planner *planner, const struct planner_route *route)
{
	const bool is_bulk = !planner_line_has_rows(&route->lines[LINE_URGENT]);
	const struct shaper_limits limits = is_bulk ? bulk_limits_of(route) : limits_of(route);
	u64 own_ns;
	u64 shared_ns;

	if (route->paused_until_ns > planner->now_ns)
		return route->paused_until_ns;
	own_ns = shaper_next_ns(&route->shaper, &limits, planner->now_ns, planner->time.due_ms);
	if (!route->is_bounded)
		return own_ns;
	shared_ns = planner_bounds_next_ns(planner, route, is_bulk);
	if (own_ns == SHAPER_NEVER || shared_ns == SHAPER_NEVER)
		return min_u64(own_ns, shared_ns);
	return max_u64(own_ns, shared_ns);
}

/* Whose list of ready routes it belongs to; LINES: none. */
static enum line_kind ready_line(struct planner *planner, struct planner_route *route)
{
	struct route_room room;

	if (!has_rows(route))
		return LINES;
	room = planner_route_room(planner, route);
	if (room.all > 0 && planner_line_has_rows(&route->lines[LINE_URGENT]))
		return LINE_URGENT;
	return room.bulk > 0 && planner_line_has_rows(&route->lines[LINE_BULK]) ? LINE_BULK :
										   LINES;
}

/*
 * Who had the last of what routes share comes behind the others, which wait for the same moment: a
 * tick of the wheel is enough.
 */
static u64 turn_over_ns(struct planner_route *route)
{
	const bool had_some = route->had_some;

	route->had_some = false;
	return had_some ? 2 * NS_PER_MS : 0;
}

void planner_route_check(struct planner *planner, struct planner_route *route)
{
	const enum line_kind line = ready_line(planner, route);
	u64 at_ns;

	judge_idleness(planner, route);
	if (list_is_linked(&route->ready) && line != route->ready_line)
		list_unlink(&route->ready);
	if (line != LINES && !list_is_linked(&route->ready)) {
		list_push_back(&planner->ready[line], &route->ready);
		route->ready_line = (u8)line;
	}
	if (line != LINES || !has_rows(route))
		return;
	/* Of mail that somebody waits for the time may come sooner. */
	if (timer_is_running(&route->timer) && !planner_line_has_rows(&route->lines[LINE_URGENT]))
		return;
	at_ns = next_ns(planner, route);
	if (at_ns != SHAPER_NEVER)
		timer_start(&planner->wheel, &route->timer, at_ns + turn_over_ns(route));
}

static void on_route_timer(struct timer *timer)
{
	struct planner_route *route = container_of(timer, struct planner_route, timer);

	route->planner->must_work = true;
	planner_route_check(route->planner, route);
}

/* ---- what becomes of its rows ---- */

/* Nobody there would talk: the whole route waits, then one row tries the way. */
void planner_route_failed(struct planner *planner, struct planner_route *route,
			  const struct lease *lease)
{
	u64 wait_ms;

	if (route->paused_until_ns > planner->now_ns)
		return;
	route->failures++;
	route->probing = true;
	if (!list_is_linked(&route->failing))
		list_push_back(&planner->failing, &route->failing);
	slice_copy(route->reason, sizeof(route->reason),
		   (struct slice){ lease->reply, lease->reply_len });
	log_warn("delivery", "site does not answer", "site=%s reason=%s failures=%u",
		 route->site->name, route->reason, route->failures);
	wait_ms = retry_route_wait_ms(route->failures, &planner->random);
	route->paused_until_ns = planner->now_ns + wait_ms * NS_PER_MS;
	timer_stop(&planner->wheel, &route->timer);
	planner_route_check(planner, route);
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

void planner_route_forgive(struct planner *planner, struct planner_route *route)
{
	const struct shaper_limits limits = limits_of(route);

	shaper_forgive(&route->shaper, &limits, planner->now_ns);
	route->failures = 0;
	route->paused_until_ns = 0;
	route->reason[0] = '\0';
	timer_stop(&planner->wheel, &route->timer);
	planner_route_check(planner, route);
	planner->must_work = true;
}

static void tell(const struct planner_route *route, const struct lease *lease)
{
	const struct shaper *shaper = &route->shaper;
	const u64 now_ns = route->planner->now_ns;
	const u64 pause_ns = max_u64(shaper->paused_until_ns, now_ns) - now_ns;

	switch (shaper->state) {
	case SHAPER_BROKEN:
		log_error("delivery", "site refuses us: nothing goes there for a while",
			  "site=%s minutes=%llu code=%u reply=%.*s", route->site->name,
			  (unsigned long long)(pause_ns / NS_PER_S / 60), lease->code,
			  (int)lease->reply_len, lease->reply);
		break;
	case SHAPER_SLOWED:
		if (pause_ns == 0) {
			log_info("delivery", "site takes mail again", "site=%s",
				 route->site->name);
			break;
		}
		log_warn("delivery", "site wants less", "site=%s rate=%.2f code=%u reply=%.*s",
			 route->site->name, shaper->rate_high / 2, lease->code,
			 (int)lease->reply_len, lease->reply);
		break;
	default:
		log_info("delivery", "site takes what there is", "site=%s", route->site->name);
		break;
	}
}

bool planner_route_load(struct planner *planner, struct planner_route *route)
{
	const struct shaper_limits limits = limits_of(route);

	if (counts_periods(&limits) && !planner_counts_load(planner, &route->counted))
		return false;
	return planner_bounds_load(planner, route);
}

void planner_route_lent(struct planner *planner, struct planner_route *route, u32 count)
{
	const struct shaper_limits limits = limits_of(route);

	shaper_lent(&route->shaper, count, planner->time.due_ms);
	planner_counts_note(planner, &route->counted, &limits);
	if (!route->is_bounded)
		return;
	planner_bounds_lent(planner, route, count);
	route->had_some = true;
}

void planner_route_unsent(struct planner *planner, struct planner_route *route)
{
	shaper_returned(&route->shaper, 1, planner->time.due_ms);
	if (route->is_bounded)
		planner_bounds_returned(planner, route, 1);
}

/*
 * Rows are lent ahead of what sessions can take. Those would meet the same words, and teach the
 * receiver that we do not listen.
 */
static void recall(struct planner_route *route, const struct lease *lease)
{
	path_recall(lease->path);
	if (route->path && route->path != lease->path)
		path_recall(route->path);
}

void planner_route_learn(struct planner *planner, struct planner_route *route,
			 const struct lease *lease)
{
	const struct shaper_limits limits = limits_of(route);
	const u64 paused_ns = route->shaper.paused_until_ns;
	bool is_news;

	if (lease->verdict == SMTP_VERDICT_NONE || lease->verdict == SMTP_VERDICT_UNSENT) {
		planner_route_unsent(planner, route);
		return;
	}
	if (route->is_bounded)
		planner_bounds_answered(planner, route, lease);
	is_news = shaper_answered(&route->shaper, &limits, signal_of(lease), planner->now_ns);
	if (route->shaper.paused_until_ns > paused_ns)
		recall(route, lease);
	if (!is_news)
		return;
	tell(route, lease);
	if (route->shaper.state == SHAPER_OPEN)
		route->reason[0] = '\0';
	else
		slice_copy(route->reason, sizeof(route->reason),
			   (struct slice){ lease->reply, lease->reply_len });
	timer_stop(&planner->wheel, &route->timer);
}

void planner_routes_free(struct planner *planner)
{
	while (!list_is_empty(&planner->routes)) {
		struct planner_route *route =
			list_entry(planner->routes.next, struct planner_route, all);

		free_route(planner, route);
	}
	map_done(&planner->route_map);
}

/* ---- as operators see them ---- */

void planner_routes(struct planner *planner, u64 now_ns,
		    bool (*visit)(void *context, const struct planner_route_status *status),
		    void *context)
{
	list_for_each(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);
		u64 until_ns = max_u64(route->paused_until_ns, route->shaper.paused_until_ns);
		struct planner_route_status status = {
			.site = route->site->name,
			.rule = route->site->rule->name,
			.customer = route->customer->domain,
			.lanes = route->lane_count,
			.waiting = route->lines[LINE_URGENT].ref_count +
				   route->lines[LINE_BULK].ref_count,
			.in_flight = route->in_flight,
			.sessions_max = route->site->limits->sessions,
			.suspended = route->site->suspended,
		};

		status.pace = shaper_state_name(route->shaper.state);
		status.rate = route->shaper.rate_high > 0 ? route->shaper.rate : 0;
		status.width = (u32)route->shaper.width;
		for (u32 i = 0; i < SHAPER_PERIODS; i++)
			status.used[i] = shaper_used(&route->shaper, i, planner->time.due_ms);
		slice_copy(status.source, sizeof(status.source),
			   slice_of(planner_source_text(route)));
		planner_warmup_tell(route, &status);
		if (until_ns > now_ns)
			status.paused_for_ms = (until_ns - now_ns) / NS_PER_MS;
		slice_copy(status.reason, sizeof(status.reason), slice_of(route->reason));
		if (!visit(context, &status))
			return;
	}
}
