#include "delivery/worker_parts.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define URGENT_TURNS 8 /* one of them is for leases that are not */

static struct worker_route *make_route(struct worker *worker, const char *key)
{
	struct worker_route *route = calloc(1, sizeof(*route) + strlen(key) + 1);

	if (!route)
		return NULL;
	memcpy(route->key, key, strlen(key) + 1);
	if (!map_add(&worker->routes, slice_of(route->key), route)) {
		free(route);
		return NULL;
	}
	targets_init(&route->targets, (u32)random_below(&worker->random, PATH_HOSTS_MAX));
	list_init(&route->ready);
	list_init(&route->urgent);
	list_init(&route->resends);
	list_init(&route->parked);
	list_init(&route->due);
	list_init(&route->idle);
	list_push_back(&worker->routes_all, &route->all);
	return route;
}

static void free_route(struct worker *worker, struct worker_route *route)
{
	map_remove(&worker->routes, slice_of(route->key));
	list_unlink(&route->all);
	if (list_is_linked(&route->idle))
		worker->routes_idle_count--;
	list_unlink(&route->idle);
	if (worker->last_route == route)
		worker->last_route = NULL;
	list_for_each(node, &route->ready)
		draft_drop(worker, list_entry(node, struct lease, node));
	list_for_each(node, &route->urgent)
		draft_drop(worker, list_entry(node, struct lease, node));
	targets_done(&route->targets);
	free(route);
}

void worker_routes_free(struct worker *worker)
{
	while (!list_is_empty(&worker->routes_all))
		free_route(worker,
			   list_entry(worker->routes_all.next, struct worker_route, all));
	map_done(&worker->routes);
}

static bool is_idle(const struct worker_route *route)
{
	return route->sessions == 0 && route->ready_count == 0 &&
	       list_is_empty(&route->resends) && !list_is_linked(&route->due);
}

void worker_route_rest(struct worker *worker, struct worker_route *route)
{
	if (!is_idle(route) || list_is_linked(&route->idle))
		return;
	list_push_back(&worker->routes_idle, &route->idle);
	worker->routes_idle_count++;
	if (worker->routes_idle_count > WORKER_ROUTES_IDLE_MAX)
		free_route(worker,
			   list_entry(worker->routes_idle.next, struct worker_route, idle));
}

struct worker_route *worker_route_of(struct worker *worker, const struct lease *lease)
{
	const char *key = path_text(lease->path, lease->path->key);
	struct worker_route *route = worker->last_route;

	if (!route || route->targets.path != lease->path)
		route = map_find(&worker->routes, slice_of(key));
	if (!route)
		route = make_route(worker, key);
	if (!route)
		return NULL;
	if (list_is_linked(&route->idle)) {
		list_unlink(&route->idle);
		worker->routes_idle_count--;
	}
	targets_take(&route->targets, lease->path);
	worker->last_route = route;
	return route;
}

void worker_route_due(struct worker *worker, struct worker_route *route)
{
	if (!list_is_linked(&route->due))
		list_push_back(&worker->runnable, &route->due);
}

static void wake(struct worker *worker, struct worker_route *route)
{
	if (list_is_empty(&route->parked))
		worker_route_due(worker, route);
	else
		session_move(list_entry(route->parked.next, struct session, node), SESSION_HUNGRY);
}

static void put(struct worker_route *route, struct lease *lease, bool front)
{
	struct list *list = lease->is_urgent ? &route->urgent : &route->ready;

	if (front)
		list_push_front(list, &lease->node);
	else
		list_push_back(list, &lease->node);
	route->ready_count++;
}

void worker_route_add(struct worker *worker, struct worker_route *route, struct lease *lease,
		      bool front)
{
	i32 target = lease->same_host.family && lease->returns == 0 ?
			     targets_find(&route->targets, &lease->same_host) :
			     -1;

	/* A copy may be with that host already: it alone can tell that this is the same message. */
	if (target >= 0 && targets_is_up(&route->targets, (u32)target, worker->now_ns)) {
		list_push_back(&route->resends, &lease->node);
		worker_route_due(worker, route);
		return;
	}
	put(route, lease, front);
	wake(worker, route);
}

struct list *worker_route_next(struct worker_route *route)
{
	const bool is_bulks = !list_is_empty(&route->ready) &&
			      route->turn % URGENT_TURNS == URGENT_TURNS - 1;

	return is_bulks || list_is_empty(&route->urgent) ? &route->ready : &route->urgent;
}

struct lease *worker_route_pop(struct worker_route *route)
{
	struct list *node = list_pop_front(worker_route_next(route));

	if (node) {
		route->ready_count--;
		route->turn++;
	} else {
		node = list_pop_front(&route->resends);
	}
	return node ? list_entry(node, struct lease, node) : NULL;
}

/* How many of the list. */
static u32 return_recalled(struct worker *worker, struct list *leases)
{
	u32 count = 0;

	list_for_each_safe(node, leases) {
		struct lease *lease = list_entry(node, struct lease, node);

		if (lease->recalls == path_recalls(lease->path))
			continue;
		list_unlink(node);
		lease->verdict = SMTP_VERDICT_UNSENT;
		worker_decided(worker, lease);
		count++;
	}
	return count;
}

void worker_route_heed_recalls(struct worker *worker, struct worker_route *route)
{
	const u32 recalls = path_recalls(route->targets.path);

	if (recalls == route->recalls)
		return;
	route->recalls = recalls;
	route->ready_count -= return_recalled(worker, &route->ready);
	route->ready_count -= return_recalled(worker, &route->urgent);
	return_recalled(worker, &route->resends);
}

struct lease *worker_route_pop_for(struct worker_route *route, const struct session *session)
{
	const struct net_address *host = session_address(session);

	worker_route_heed_recalls(session->worker, route);
	list_for_each(node, &route->resends) {
		struct lease *lease = list_entry(node, struct lease, node);

		if (net_address_same_host(&lease->same_host, host)) {
			list_unlink(node);
			return lease;
		}
	}
	return route->ready_count > 0 ? worker_route_pop(route) : NULL;
}

static bool has_session_to(const struct worker *worker, const struct worker_route *route,
			   const struct net_address *host)
{
	list_for_each(node, &worker->sessions_all) {
		const struct session *session = list_entry(node, struct session, all);

		if (session->route == route && session->state != SESSION_CLOSING &&
		    net_address_same_host(session_address(session), host))
			return true;
	}
	return false;
}

static bool may_open(const struct worker *worker, const struct worker_route *route, u32 quota)
{
	u32 open = route->sessions - route->connecting;
	u32 most = open > ROUTE_CONNECTING_MIN ? open : ROUTE_CONNECTING_MIN;

	return route->sessions < quota && route->connecting < most &&
	       worker->connecting < CONNECTING_MAX;
}

/*
 * Resends wait for a session to their host; one is opened when there is none and a place is free.
 * When that cannot be, they go where the others go. Rare: only after crashes and lost connections.
 */
static void run_resends(struct worker *worker, struct worker_route *route, u32 quota)
{
	list_for_each_safe(node, &route->resends) {
		struct lease *lease = list_entry(node, struct lease, node);
		i32 target = targets_find(&route->targets, &lease->same_host);
		bool up = target >= 0 &&
			  targets_is_up(&route->targets, (u32)target, worker->now_ns);

		if (up && has_session_to(worker, route, &lease->same_host))
			continue;
		if (up && may_open(worker, route, quota) &&
		    session_open(worker, route, (u32)target))
			continue;
		list_unlink(node);
		put(route, lease, true);
	}
	/* Sessions that are parked may be to the very host. */
	while (!list_is_empty(&route->resends) && !list_is_empty(&route->parked))
		wake(worker, route);
}

/* Every address of the route failed: what waits here goes back with the last failure's words. */
static void fail_route(struct worker *worker, struct worker_route *route)
{
	struct lease *lease;

	while ((lease = worker_route_pop(route))) {
		lease->verdict = SMTP_VERDICT_TEMPORARY;
		lease->stage = route->last_stage;
		lease->failure = route->last_failure;
		lease->site_failed = true;
		lease->code = route->last_code;
		memcpy(lease->enhanced, route->last_enhanced, sizeof(lease->enhanced));
		lease->host = route->last_host;
		lease_set_reply(lease, slice_of(route->last_reply));
		worker_route_report_to(route, lease);
		worker_decided(worker, lease);
	}
}

void worker_route_return(struct worker *worker, struct worker_route *route)
{
	struct lease *lease;

	while ((lease = worker_route_pop(route))) {
		lease->verdict = SMTP_VERDICT_UNSENT;
		worker_decided(worker, lease);
	}
}

/* More leases than there are sessions that will come for one: when open, when it is their turn. */
static bool lacks_sessions(const struct worker_route *route)
{
	return route->ready_count > route->connecting - route->tries + route->hungry;
}

static void open_sessions(struct worker *worker, struct worker_route *route, u32 quota)
{
	while (lacks_sessions(route) && may_open(worker, route, quota)) {
		i32 target = targets_choose(&route->targets, worker->now_ns);

		if (target < 0) {
			if (route->sessions == 0)
				fail_route(worker, route);
			return;
		}
		if (!session_open(worker, route, (u32)target)) {
			/* No memory or place, and nobody of its own who would look here again. */
			if (route->sessions == 0)
				worker_route_return(worker, route);
			return;
		}
	}
	/*
	 * When the limit is the worker's, this route goes on when any session is through; when it
	 * is the route's own, when one of its own is (session_opening_ends).
	 */
	if (lacks_sessions(route) && route->sessions < quota &&
	    worker->connecting >= CONNECTING_MAX && !list_is_linked(&route->due))
		list_push_back(&worker->starving, &route->due);
}

void worker_route_run(struct worker *worker, struct worker_route *route)
{
	u32 quota = route->targets.path->sessions[worker->params.index];

	if (worker->stopping)
		return;
	worker_route_heed_recalls(worker, route);
	run_resends(worker, route, quota);
	open_sessions(worker, route, quota);
	worker_route_rest(worker, route);
}

void worker_route_target_failed(struct session *session)
{
	struct worker *worker = session->worker;
	struct worker_route *route = session->route;

	targets_failed(&route->targets, session_address(session), worker->now_ns, &worker->random);
	worker_route_due(worker, route);
}
