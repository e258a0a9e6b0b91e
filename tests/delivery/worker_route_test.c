/* What a worker keeps of the routes it was given leases for. Nobody listens where they lead. */
#include "delivery/worker_parts.h"

#include "base/clock.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUTES 3000
#define AT_ONCE 50

static struct fixture {
	struct metrics *metrics;
	struct worker *worker;
	u16 closed_port;
} f;

/* Of this size no memory is to be had; 0: there is enough. */
static size_t missing;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
	return size > 0 && size == missing ? NULL : __real_malloc(size);
}

static void ignore(void *context)
{
	(void)context;
}

/* A port where connections are refused: bound, and not listening. */
static u16 take_port(int *fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
	return ntohs(address.sin_port);
}

static int port_holder;

static int begin(void **state)
{
	struct worker_params params = { .sessions_max = 64, .leases_max = 1024, .seed = 1,
					.notify = ignore };
	struct error error = { "" };

	(void)state;
	f.metrics = metrics_open(1);
	params.metrics = metrics_worker(f.metrics, 0);
	f.worker = worker_open(&params, &error);
	if (!f.worker)
		fail_msg("%s", error.text);
	f.closed_port = take_port(&port_holder);
	return 0;
}

static int end(void **state)
{
	(void)state;
	worker_close(f.worker);
	metrics_close(f.metrics);
	close(port_holder);
	return 0;
}

/* A path to 127.0.0.1 and, if `hosts` is 2, to 127.0.0.2, too. */
static struct path *path_to(u32 route, u32 hosts)
{
	struct path *path = path_make();
	char key[32];

	assert_non_null(path);
	snprintf(key, sizeof(key), "site-%u", route);
	path->key = path_add_text(path, key);
	path->connect_timeout_ns = 5 * NS_PER_S;
	path->sessions[0] = 4;
	path->ehlo4 = path_add_text(path, "mail.test");
	path->depth = 1;
	path->messages_per_session = 1;
	path->timeouts = smtp_timeouts_usual;
	path->host_count = hosts;
	path->target_count = hosts;
	for (u32 i = 0; i < hosts; i++)
		path->targets[i] = (struct path_target){
			.address = { .family = 4, .port = f.closed_port,
				     .ip = { 127, 0, 0, (u8)(i + 1) } },
			.preference = (u16)i, .host = (u8)i,
		};
	return path_fit(path);
}

static void give_on(struct path *path)
{
	struct lease *lease = calloc(1, sizeof(*lease));

	assert_non_null(lease);
	lease->path = path;
	assert_true(worker_give(f.worker, lease));
}

static void give(u32 route, u32 hosts)
{
	give_on(path_to(route, hosts));
}

/* The lease comes back because no host of its route talks. */
static void wait_back(u32 count)
{
	while (count > 0) {
		struct lease *lease = worker_take_back(f.worker);

		if (!lease) {
			worker_turn(f.worker, 10 * NS_PER_MS);
			continue;
		}
		assert_true(lease->site_failed);
		assert_int_equal(lease->verdict, SMTP_VERDICT_TEMPORARY);
		path_give(lease->path);
		free(lease);
		count--;
	}
}

static u64 failed_sessions(void)
{
	const struct metrics_route *m = &metrics_worker(f.metrics, 0)->routes[METRICS_OTHER];

	return metric_get(&m->sessions_failed[METRICS_FAIL_CONNECT]);
}

static void a_worker_remembers_a_bounded_number_of_routes(void **state)
{
	(void)state;
	for (u32 i = 0; i < ROUTES; i += AT_ONCE) {
		for (u32 k = 0; k < AT_ONCE; k++)
			give(i + k, 1);
		wait_back(AT_ONCE);
		assert_true(f.worker->routes.count <= WORKER_ROUTES_IDLE_MAX + AT_ONCE);
	}
	assert_int_equal(failed_sessions(), ROUTES);
	for (int i = 0; i < 10; i++)
		worker_turn(f.worker, 0);
	assert_int_equal(f.worker->routes.count, WORKER_ROUTES_IDLE_MAX);
	assert_int_equal(f.worker->routes_idle_count, WORKER_ROUTES_IDLE_MAX);
	assert_int_equal(f.worker->sessions, 0);
}

static void every_host_is_tried_before_the_route_has_failed(void **state)
{
	(void)state;
	give(0, 2);
	wait_back(1);
	assert_int_equal(failed_sessions(), 2);
}

static void a_dead_host_is_remembered_when_the_route_comes_back(void **state)
{
	(void)state;
	give(7, 1);
	wait_back(1);
	assert_int_equal(failed_sessions(), 1);
	/* Another path of the same route, as after a new answer of DNS: the host is the same. */
	give(7, 1);
	wait_back(1);
	assert_int_equal(failed_sessions(), 1);
	give(7, 2);
	wait_back(1);
	assert_int_equal(failed_sessions(), 2);
	give(8, 1);
	wait_back(1);
	assert_int_equal(failed_sessions(), 3);
}

static struct worker_route *route_of(const struct path *path)
{
	return map_find(&f.worker->routes, slice_of(path_text(path, path->key)));
}

static void a_route_that_is_used_again_is_not_forgotten(void **state)
{
	struct path *path = path_to(ROUTES, 1);
	struct worker_route *route;
	int silent;

	(void)state;
	give_on(path_take(path));
	wait_back(1);
	route = route_of(path);
	assert_true(list_is_linked(&route->idle));
	/* Later there is somebody, who is silent: the session waits for the greeting. */
	silent = port_holder;
	assert_int_equal(listen(silent, 4), 0);
	route->targets.states[0].down_until_ns = 0;
	give_on(path_take(path));
	while (route->sessions == 0)
		worker_turn(f.worker, 10 * NS_PER_MS);
	assert_false(list_is_linked(&route->idle));
	f.closed_port = take_port(&port_holder);
	for (u32 i = 0; i < ROUTES; i += AT_ONCE) {
		for (u32 k = 0; k < AT_ONCE; k++)
			give(i + k, 1);
		wait_back(AT_ONCE);
	}
	assert_ptr_equal(route_of(path), route);
	assert_int_equal(route->sessions, 1);
	close(silent);
	wait_back(1);
	path_give(path);
}

/* What was given before the stop may be seen after it: the turn that acts on it has looked before. */
static void a_worker_with_a_lease_in_its_inbox_is_not_finished(void **state)
{
	struct lease *lease;

	(void)state;
	worker_stop(f.worker, false);
	worker_turn(f.worker, 0);
	assert_true(worker_is_finished(f.worker));
	give(1, 1);
	assert_false(worker_is_finished(f.worker));
	worker_turn(f.worker, 0);
	assert_true(worker_is_finished(f.worker));
	lease = worker_take_back(f.worker);
	assert_non_null(lease);
	assert_int_equal(lease->verdict, SMTP_VERDICT_UNSENT);
	path_give(lease->path);
	free(lease);
}

/* Nobody of the route's own would look after them later: no session ends there. */
static void leases_go_back_unsent_when_the_first_session_finds_no_memory(void **state)
{
	struct path *path = path_to(5, 1);
	struct lease *lease;

	(void)state;
	missing = sizeof(struct session);
	give_on(path_take(path));
	give_on(path_take(path));
	worker_turn(f.worker, 0);
	missing = 0;
	for (u32 i = 0; i < 2; i++) {
		lease = worker_take_back(f.worker);
		assert_non_null(lease);
		assert_int_equal(lease->verdict, SMTP_VERDICT_UNSENT);
		assert_false(lease->site_failed);
		path_give(lease->path);
		free(lease);
	}
	assert_int_equal(route_of(path)->ready_count, 0);
	assert_true(list_is_linked(&route_of(path)->idle));
	assert_int_equal(failed_sessions(), 0);
	/* Later there is memory, and the route is as good as before. */
	give_on(path);
	wait_back(1);
	assert_int_equal(failed_sessions(), 1);
}

/* They come back in the order in which sessions would have taken them. */
static void leases_that_somebody_waits_for_go_first_but_for_every_eighth(void **state)
{
	struct path *path = path_to(6, 1);
	char order[31] = "";

	(void)state;
	missing = sizeof(struct session);
	for (u32 i = 0; i < 30; i++) {
		struct lease *lease = calloc(1, sizeof(*lease));

		assert_non_null(lease);
		lease->path = path_take(path);
		lease->is_urgent = i >= 20;
		assert_true(worker_give(f.worker, lease));
	}
	worker_turn(f.worker, 0);
	missing = 0;
	for (u32 i = 0; i < 30; i++) {
		struct lease *lease = worker_take_back(f.worker);

		assert_non_null(lease);
		order[i] = lease->is_urgent ? 'u' : '-';
		path_give(lease->path);
		free(lease);
	}
	assert_string_equal(order, "uuuuuuu-uuu-------------------");
	path_give(path);
}

static void give_lent_after(struct path *path, u32 recalls, bool is_urgent)
{
	struct lease *lease = calloc(1, sizeof(*lease));

	assert_non_null(lease);
	lease->path = path_take(path);
	lease->recalls = recalls;
	lease->is_urgent = is_urgent;
	assert_true(worker_give(f.worker, lease));
}

static void what_no_session_has_begun_goes_back_when_the_planner_wants_it(void **state)
{
	struct path *path = path_to(9, 1);
	struct worker_route *route;

	(void)state;
	/* Connections are taken, and nobody speaks. */
	assert_int_equal(listen(port_holder, 8), 0);
	for (u32 i = 0; i < 6; i++)
		give_lent_after(path, 0, i == 0);
	worker_turn(f.worker, 0);
	route = route_of(path);
	assert_int_equal(route->ready_count, 6);
	path_recall(path);
	give_lent_after(path, 1, false);
	worker_turn(f.worker, 0);
	for (u32 i = 0; i < 6; i++) {
		struct lease *lease = worker_take_back(f.worker);

		assert_non_null(lease);
		assert_int_equal(lease->verdict, SMTP_VERDICT_UNSENT);
		assert_int_equal(lease->recalls, 0);
		path_give(lease->path);
		free(lease);
	}
	/* What was lent since stays. */
	assert_null(worker_take_back(f.worker));
	assert_int_equal(route->ready_count, 1);
	close(port_holder);
	f.closed_port = take_port(&port_holder);
	wait_back(1);
	path_give(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_worker_remembers_a_bounded_number_of_routes,
						begin, end),
		cmocka_unit_test_setup_teardown(every_host_is_tried_before_the_route_has_failed,
						begin, end),
		cmocka_unit_test_setup_teardown(a_dead_host_is_remembered_when_the_route_comes_back,
						begin, end),
		cmocka_unit_test_setup_teardown(a_route_that_is_used_again_is_not_forgotten,
						begin, end),
		cmocka_unit_test_setup_teardown(a_worker_with_a_lease_in_its_inbox_is_not_finished,
						begin, end),
		cmocka_unit_test_setup_teardown(
			leases_go_back_unsent_when_the_first_session_finds_no_memory, begin, end),
		cmocka_unit_test_setup_teardown(
			leases_that_somebody_waits_for_go_first_but_for_every_eighth, begin, end),
		cmocka_unit_test_setup_teardown(
			what_no_session_has_begun_goes_back_when_the_planner_wants_it, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
