#include "delivery/worker_parts.h"

#include "base/check.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define ROUTES_MAX (1u << 20)
#define DOWN_FIRST_NS (10 * NS_PER_S)
#define DOWN_MAX_NS (600 * NS_PER_S)

static bool grow_routes(struct worker *worker, u32 need)
{
	u32 count = worker->route_count ? worker->route_count : 64;
	struct worker_route **routes;

	while (count <= need)
		count *= 2;
	routes = realloc(worker->routes, count * sizeof(struct worker_route *));
	if (!routes)
		return false;
	memset(routes + worker->route_count, 0,
	       (count - worker->route_count) * sizeof(struct worker_route *));
	worker->routes = routes;
	worker->route_count = count;
	return true;
}

static struct worker_route *make_route(struct worker *worker, u32 number)
{
	struct worker_route *route = calloc(1, sizeof(*route));

	if (!route)
		return NULL;
	route->number = number;
	list_init(&route->ready);
	list_init(&route->resends);
	list_init(&route->parked);
	list_init(&route->due);
	worker->routes[number] = route;
	return route;
}

/* A newer path may list other targets: what was learned of the old ones is forgotten. */
static void take_path(struct worker_route *route, struct path *path)
{
	if (route->path == path)
		return;
	path_give(route->path);
	route->path = path_take(path);
	memset(route->down_until_ns, 0, sizeof(route->down_until_ns));
	memset(route->failures, 0, sizeof(route->failures));
	memset(route->no_tls, 0, sizeof(route->no_tls));
}

struct worker_route *worker_route_of(struct worker *worker, const struct lease *lease)
{
	u32 number = lease->path->route;
	struct worker_route *route;

	if (number >= ROUTES_MAX || (number >= worker->route_count && !grow_routes(worker, number)))
		return NULL;
	route = worker->routes[number];
	if (!route)
		route = make_route(worker, number);
	if (route)
		take_path(route, lease->path);
	return route;
}

void worker_route_free(struct worker_route *route)
{
	if (!route)
		return;
	path_give(route->path);
	free(route);
}

/* Which target of the path is this host; -1: none. */
static i32 target_of(const struct worker_route *route, const struct net_address *host)
{
	for (u32 i = 0; i < route->path->target_count; i++) {
		if (net_address_same_host(&route->path->targets[i].address, host))
			return (i32)i;
	}
	return -1;
}

static void wake(struct worker *worker, struct worker_route *route)
{
	struct list *node = list_pop_front(&route->parked);

	if (node) {
		list_entry(node, struct session, node)->parked = false;
		list_push_back(&worker->hungry, node);
	} else if (!list_is_linked(&route->due)) {
		list_push_back(&worker->runnable, &route->due);
	}
}

void worker_route_add(struct worker *worker, struct worker_route *route, struct lease *lease,
		      bool front)
{
	i32 target = lease->same_host.family && lease->returns == 0 ?
			     target_of(route, &lease->same_host) :
			     -1;

	/* A copy may be with that host already: it alone can tell that this is the same message. */
	if (target >= 0 && route->down_until_ns[target] <= worker->now_ns) {
		list_push_back(&route->resends, &lease->node);
		if (!list_is_linked(&route->due))
			list_push_back(&worker->runnable, &route->due);
		return;
	}
	if (front)
		list_push_front(&route->ready, &lease->node);
	else
		list_push_back(&route->ready, &lease->node);
	route->ready_count++;
	wake(worker, route);
}

struct lease *worker_route_pop(struct worker_route *route)
{
	struct list *node = list_pop_front(&route->ready);

	if (node)
		route->ready_count--;
	else
		node = list_pop_front(&route->resends);
	return node ? list_entry(node, struct lease, node) : NULL;
}

struct lease *worker_route_pop_for(struct worker_route *route, const struct session *session)
{
	const struct net_address *host = &session->path->targets[session->target].address;

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
			   u32 target)
{
	list_for_each(node, &worker->sessions_all) {
		const struct session *session = list_entry(node, struct session, all);

		if (session->route == route && session->path == route->path &&
		    session->target == target && session->state != SESSION_CLOSING)
			return true;
	}
	return false;
}

/*
 * Resends wait for a session to their host; one is opened when there is none and a place is free.
 * When that cannot be, they go where the others go. Rare: only after crashes and lost connections.
 */
static void run_resends(struct worker *worker, struct worker_route *route, u32 quota)
{
	list_for_each_safe(node, &route->resends) {
		struct lease *lease = list_entry(node, struct lease, node);
		i32 target = target_of(route, &lease->same_host);
		bool up = target >= 0 && route->down_until_ns[target] <= worker->now_ns;

		if (up && has_session_to(worker, route, (u32)target))
			continue;
		if (up && route->sessions < quota && worker->connecting < CONNECTING_MAX &&
		    session_open(worker, route, (u32)target))
			continue;
		list_unlink(node);
		list_push_front(&route->ready, node);
		route->ready_count++;
	}
	/* Sessions that are parked may be to the very host. */
	while (!list_is_empty(&route->resends) && !list_is_empty(&route->parked))
		wake(worker, route);
}

/*
 * The next target to dial: the best preference that has one that is not down, and among equals each
 * in turn. -1: all are down.
 */
static i32 choose_target(struct worker *worker, struct worker_route *route)
{
	const struct path *path = route->path;
	i32 best = -1;

	for (u32 i = 0; i < path->target_count; i++) {
		u32 at = (route->next_target + i) % path->target_count;

		if (route->down_until_ns[at] > worker->now_ns)
			continue;
		if (best < 0 || path->targets[at].preference < path->targets[best].preference)
			best = (i32)at;
	}
	if (best >= 0)
		route->next_target = (u32)best + 1;
	return best;
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
		lease->reply_len = (u16)strlen(route->last_reply);
		memcpy(lease->reply, route->last_reply, lease->reply_len);
		worker_decided(worker, lease);
	}
}

void worker_route_run(struct worker *worker, struct worker_route *route)
{
	u32 quota = route->path->sessions[worker->params.index];

	if (worker->stopping)
		return;
	run_resends(worker, route, quota);
	/* Leases that a session already being opened will take need no other. */
	while (route->ready_count > route->connecting && route->sessions < quota &&
	       worker->connecting < CONNECTING_MAX) {
		i32 target = choose_target(worker, route);

		if (target < 0) {
			if (route->sessions == 0)
				fail_route(worker, route);
			return;
		}
		if (!session_open(worker, route, (u32)target))
			return;
	}
	/*
	 * The limit of sessions being opened is the worker's: this route goes on when one is
	 * through.
	 */
	if (route->ready_count > route->connecting && route->sessions < quota)
		list_push_back(&worker->starving, &route->due);
}

/* Sessions that were opened together and fail together are one failure of the target. */
static void set_down(struct worker *worker, struct worker_route *route, u32 target)
{
	u64 wait = DOWN_FIRST_NS << min_u32(route->failures[target], 6);

	if (route->down_until_ns[target] > worker->now_ns)
		return;
	if (route->failures[target] < 255)
		route->failures[target]++;
	wait = min_u64(wait, DOWN_MAX_NS);
	route->down_until_ns[target] = worker->now_ns + random_jitter(&worker->random, wait, 20);
}

void worker_route_target_failed(struct worker *worker, struct worker_route *route, u32 target)
{
	set_down(worker, route, target);
	if (!list_is_linked(&route->due))
		list_push_back(&worker->runnable, &route->due);
}

void worker_route_target_worked(struct worker_route *route, u32 target)
{
	route->down_until_ns[target] = 0;
	route->failures[target] = 0;
}
