#include "web/web.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ready.h"
#include "base/role.h"
#include "web/call.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACCEPT_AGAIN_NS (100 * NS_PER_MS)
#define STOP_PATIENCE_NS (20 * NS_PER_S)
#define CLOSE_TURNS_MAX 1000
#define CLOSE_TURN_NS (10 * NS_PER_MS)

struct role {
	struct web web;
	struct config config;
	struct ring_accept accept;
	struct timer accept_again;
	struct ring_op signal_op;
	int listener;
	int signal_fd;
	u32 signals; /* terminating ones seen */
	bool accepting;
	bool stopping;
	u64 stop_by_ns;
};

/* ---- accepting ---- */

static void start_accepting(struct role *role)
{
	role->accepting = true;
	ring_accept_start(role->web.ring, &role->accept, role->listener);
}

static void on_accepted(struct ring_accept *accept, i32 handle)
{
	struct role *role = container_of(accept, struct role, accept);

	if (role->stopping || role->web.call_count >= CALLS_MAX ||
	    !call_open(&role->web, handle)) {
		log_warn("web", "a call is turned away", "calls=%u", role->web.call_count);
		ring_shut(role->web.ring, handle);
	}
}

static void on_accept_end(struct ring_accept *accept, i32 result)
{
	struct role *role = container_of(accept, struct role, accept);

	role->accepting = false;
	if (role->stopping)
		return;
	log_warn("web", "no calls for a moment", "code=%d", result);
	timer_start(&role->web.wheel, &role->accept_again, clock_mono_ns() + ACCEPT_AGAIN_NS);
}

static void on_accept_again(struct timer *timer)
{
	start_accepting(container_of(timer, struct role, accept_again));
}

/* ---- lifecycle ---- */

static void on_signal(struct ring_op *op, i32 result)
{
	struct role *role = container_of(op, struct role, signal_op);

	(void)result;
	role->signals += role_take_signals(role->signal_fd);
	ring_poll(role->web.ring, op, role->signal_fd);
}

static bool open_ring(struct role *role, struct error *error)
{
	struct ring_params params = { .entries = 1024,
				      .files = CALLS_MAX + EXCHANGES_MAX + 8,
				      .accepted = CALLS_MAX + 2,
				      .buffers = 64,
				      .buffer_size = 65536 };
	struct web *web = &role->web;

	web->ring = ring_open(&params, error);
	if (!web->ring)
		return false;
	web->config = &role->config;
	timer_wheel_init(&web->wheel, clock_mono_ns());
	list_init(&web->calls);
	exchange_line_init(&web->line, web->ring, &web->wheel, role->config.control);
	repeats_init(&web->repeats);
	permits_init(&web->permits, role->config.web.api_keys, role->config.web.rate);
	permits_refresh(&web->permits);
	return true;
}

static bool listen_at(struct role *role, struct error *error)
{
	const char *path = role->config.web.listen;
	struct stat st;

	/* A stale socket is replaced; a file that somebody needs is not. */
	if (lstat(path, &st) == 0 && !S_ISSOCK(st.st_mode))
		return error_set(error, "%s is there and is no socket", path);
	role->listener = ring_listen_unix(path);
	if (role->listener < 0)
		return error_set_errno(error, -role->listener, "%s", path);
	return true;
}

static void stop(struct role *role, u64 now_ns)
{
	log_info("web", "stopping", "calls=%u", role->web.call_count);
	role->stopping = true;
	role->stop_by_ns = now_ns + STOP_PATIENCE_NS;
	unlink(role->config.web.listen);
	timer_stop(&role->web.wheel, &role->accept_again);
	if (role->accepting)
		ring_accept_stop(role->web.ring, &role->accept);
}

static void run(struct role *role)
{
	struct web *web = &role->web;

	ring_poll(web->ring, &role->signal_op, role->signal_fd);
	while (!role->stopping || web->call_count > 0) {
		u64 now_ns = clock_mono_ns();
		u64 next_ns = timer_wheel_next(&web->wheel);

		if (role->stopping)
			next_ns = min_u64(next_ns, role->stop_by_ns);
		if (next_ns != UINT64_MAX)
			next_ns -= min_u64(now_ns, next_ns);
		ring_turn(web->ring, next_ns);
		now_ns = clock_mono_ns();
		timer_wheel_advance(&web->wheel, now_ns);
		if (role->signals > 0 && !role->stopping)
			stop(role, now_ns);
		if (role->stopping && (role->signals > 1 || now_ns >= role->stop_by_ns))
			break; /* what is left is broken off */
	}
}

static void close_all(struct role *role)
{
	struct web *web = &role->web;

	list_for_each_safe (node, &web->calls)
		call_close(list_entry(node, struct call, node));
	for (u32 i = 0; i < CLOSE_TURNS_MAX && (role->accepting || web->call_count > 0 ||
						web->line.running_count > 0);
	     i++)
		ring_turn(web->ring, CLOSE_TURN_NS);
	if (role->accepting || web->call_count > 0 || web->line.running_count > 0)
		CRASH("the operations of calls do not end");
	close(role->listener);
	ring_turn(web->ring, 0);
	ring_close(web->ring);
}

static const char usage[] =
	"usage: hikyaku web [--config FILE]\n\n"
	"The interface for programs, by SCGI for a web server that has TLS; in the foreground\n"
	"until SIGTERM. See hikyaku.conf(5), section web, and hikyaku-web(8).\n";

int web_main(int argc, char **argv)
{
	static struct role role;
	struct error error = { "" };
	int code;
	const char *path = role_config_path(argc, argv, usage, &code);

	if (code >= 0)
		return code;
	if (!config_read(&role.config, path, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	umask(027);
	log_set_level((enum log_level)role.config.log);
	role.signal_op.done = on_signal;
	role.accept.accepted = on_accepted;
	role.accept.end = on_accept_end;
	timer_init(&role.accept_again, on_accept_again);
	role.signal_fd = role_watch_signals(&error);
	if (role.signal_fd < 0 || !open_ring(&role, &error) || !listen_at(&role, &error)) {
		fprintf(stderr, "hikyaku: web: %s\n", error.text);
		return 1;
	}
	start_accepting(&role);
	log_info("web", "ready", "listen=%s keys=%zu", role.config.web.listen,
		 role.web.permits.keys.count);
	if (!ready_tell())
		log_warn("web", "the supervisor was not told", "errno=%d", errno);
	run(&role);
	close_all(&role);
	config_free(&role.config);
	log_info("web", "stopped", "");
	return 0;
}
