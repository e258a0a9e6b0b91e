#include "send/send.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/net_address.h"
#include "base/random.h"
#include "base/ready.h"
#include "base/role.h"
#include "base/text.h"
#include "delivery/planner.h"
#include "delivery/worker.h"
#include "io/ring.h"
#include "io/timer.h"
#include "metrics/metrics.h"
#include "metrics/responder.h"
#include "send/control.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_PATIENCE_NS (30 * NS_PER_S)
#define SESSIONS_MAX 60000 /* sockets of one worker's ring; direct descriptors, not open files */

struct sender {
	struct config config;
	struct metrics *metrics;
	struct planner *planner;
	struct ring *ring;
	struct timer_wheel wheel;
	struct send_control *control;
	struct metrics_responder *responder;
	struct worker *workers[PATH_WORKERS_MAX];
	struct worker_thread *threads[PATH_WORKERS_MAX];
	u32 worker_count;
	struct ring_op signal_op;
	struct ring_op resolver_op;
	int signal_fd;
	u32 signals;     /* terminating ones seen */
	bool stopping;
	bool broken_off; /* the second signal, or patience ran out */
	u64 stop_by_ns;
};

/* ---- signals and the resolver's descriptor ---- */

static void on_signal(struct ring_op *op, i32 result)
{
	struct sender *sender = container_of(op, struct sender, signal_op);

	(void)result;
	sender->signals += role_take_signals(sender->signal_fd);
	ring_poll(sender->ring, op, sender->signal_fd);
}

static void on_resolver(struct ring_op *op, i32 result)
{
	struct sender *sender = container_of(op, struct sender, resolver_op);

	(void)result;
	/* The control is closed last and turns the ring then. */
	if (!sender->planner)
		return;
	planner_resolver_ready(sender->planner);
	ring_poll(sender->ring, op, planner_resolver_fd(sender->planner));
}

static bool watch_signals(struct sender *sender, struct error *error)
{
	sender->signal_fd = role_watch_signals(error);
	return sender->signal_fd >= 0;
}

/* ---- open ---- */

static void notify_planner(void *context)
{
	ring_wake(context);
}

static bool start_workers(struct sender *sender, struct error *error)
{
	u32 leases = 1;

	while (leases < sender->config.queue.in_flight)
		leases *= 2;
	for (u32 i = 0; i < sender->worker_count; i++) {
		struct worker_params params = {
			.index = i,
			.sessions_max = SESSIONS_MAX,
			.leases_max = leases,
			.metrics = metrics_worker(sender->metrics, i),
			.notify = notify_planner,
			.context = sender->ring,
		};

		random_bytes(&params.seed, sizeof(params.seed));
		sender->threads[i] = worker_thread_start(&params, &sender->workers[i], error);
		if (!sender->threads[i])
			return false;
	}
	planner_set_workers(sender->planner, sender->workers);
	return true;
}

static bool open_ring(struct sender *sender, struct error *error)
{
	struct ring_params params = {
		.entries = 1024, .files = 512, .accepted = 256, .buffers = 256, .buffer_size = 16384
	};

	sender->ring = ring_open(&params, error);
	timer_wheel_init(&sender->wheel, clock_mono_ns());
	return sender->ring != NULL;
}

static bool open_servers(struct sender *sender, struct error *error)
{
	struct send_control_params params = { .ring = sender->ring,
					      .wheel = &sender->wheel,
					      .planner = sender->planner,
					      .config = &sender->config,
					      .metrics = sender->metrics };
	struct net_address at;

	sender->control = send_control_open(&params, error);
	if (!sender->control)
		return false;
	if (!net_address_parse(&at, slice_of(sender->config.metrics_listen), true))
		return error_set(error, "metrics: listen: %s is no address",
				 sender->config.metrics_listen);
	sender->responder =
		metrics_responder_open(sender->ring, &sender->wheel, &at, sender->metrics, error);
	return sender->responder != NULL;
}

static bool open_planner(struct sender *sender, struct error *error)
{
	struct planner_params params = { .config = &sender->config,
					 .metrics = sender->metrics,
					 .worker_count = sender->worker_count };

	random_bytes(&params.seed, sizeof(params.seed));
	sender->planner = planner_open(&params, error);
	return sender->planner != NULL;
}

static bool open_sender(struct sender *sender, struct error *error)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	sender->worker_count = sender->config.workers ? sender->config.workers :
							(u32)(cores > 0 ? cores : 1);
	sender->worker_count = min_u32(sender->worker_count, PATH_WORKERS_MAX);
	sender->metrics = metrics_open(sender->worker_count);
	if (!sender->metrics)
		return error_set(error, "out of memory for metrics");
	metrics_set_textfiles(sender->metrics, sender->config.metrics_textfiles);
	return watch_signals(sender, error) && open_planner(sender, error) &&
	       open_ring(sender, error) && start_workers(sender, error) &&
	       open_servers(sender, error);
}

/* ---- run ---- */

static void begin_stop(struct sender *sender)
{
	log_info("send", "stopping", "patience_s=%u", (u32)(STOP_PATIENCE_NS / NS_PER_S));
	sender->stopping = true;
	sender->stop_by_ns = clock_mono_ns() + STOP_PATIENCE_NS;
	planner_stop(sender->planner);
	for (u32 i = 0; i < sender->worker_count; i++)
		worker_stop(sender->workers[i], false);
}

static void break_off(struct sender *sender)
{
	log_warn("send", "open transactions are broken off", "");
	sender->broken_off = true;
	for (u32 i = 0; i < sender->worker_count; i++)
		worker_stop(sender->workers[i], true);
}

static bool may_end(const struct sender *sender)
{
	return planner_is_broken(sender->planner) ||
	       (sender->stopping && (planner_is_quiet(sender->planner) ||
				     planner_is_stuck(sender->planner)));
}

static void run(struct sender *sender)
{
	ring_poll(sender->ring, &sender->signal_op, sender->signal_fd);
	ring_poll(sender->ring, &sender->resolver_op, planner_resolver_fd(sender->planner));
	while (!may_end(sender)) {
		u64 now = clock_mono_ns();
		u64 next = timer_wheel_next(&sender->wheel);
		u64 wait = planner_wait_ns(sender->planner, now);

		if (next != UINT64_MAX)
			wait = min_u64(wait, next > now ? next - now : 0);
		ring_turn(sender->ring, wait);
		now = clock_mono_ns();
		timer_wheel_advance(&sender->wheel, now);
		planner_turn(sender->planner, now, clock_wall_ms());
		if (!sender->stopping &&
		    (sender->signals > 0 || send_control_stop_requested(sender->control)))
			begin_stop(sender);
		if (sender->stopping && !sender->broken_off &&
		    (sender->signals > 1 || now > sender->stop_by_ns))
			break_off(sender);
	}
}

/* A queue that failed must be read again from the disk: nothing in memory may be written to it. */
static void end_broken(void)
{
	log_error("send",
		  "the queue cannot be written: ending, to start again from what is on the disk",
		  "");
	_exit(CRASH_EXIT);
}

static void close_sender(struct sender *sender)
{
	for (u32 i = 0; i < sender->worker_count; i++) {
		if (sender->threads[i])
			worker_thread_join(sender->threads[i]);
	}
	send_control_leave_planner(sender->control);
	planner_close(sender->planner);
	sender->planner = NULL;
	/* Last: a client that waits for the end sees it when the queue is closed. */
	send_control_close(sender->control);
	metrics_responder_close(sender->responder);
	ring_close(sender->ring);
	metrics_close(sender->metrics);
	config_free(&sender->config);
}

static const char usage[] =
	"usage: hikyaku send [--config FILE]\n\n"
	"Runs the sender in the foreground until SIGTERM; a second SIGTERM breaks off what\n"
	"is being sent. See hikyaku-send(8) and hikyaku.conf(5).\n";

int send_main(int argc, char **argv)
{
	static struct sender sender;
	struct error error = { "" };
	int code;
	const char *path = role_config_path(argc, argv, usage, &code);

	if (code >= 0)
		return code;
	if (!config_read(&sender.config, path, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return 1;
	}
	umask(027);
	log_set_level((enum log_level)sender.config.log);
	if (!planner_room_check(&sender.config, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		return CRASH_EXIT;
	}
	sender.signal_op.done = on_signal;
	sender.resolver_op.done = on_resolver;
	if (!open_sender(&sender, &error)) {
		fprintf(stderr, "hikyaku: %s\n", error.text);
		/* Workers that did start have nothing yet: the process may simply end. */
		return 1;
	}
	log_info("send", "ready", "workers=%u control=%s metrics=%s", sender.worker_count,
		 sender.config.control, sender.config.metrics_listen);
	if (!ready_tell())
		log_warn("send", "the supervisor was not told", "errno=%d", errno);
	run(&sender);
	if (planner_is_broken(sender.planner))
		end_broken();
	if (planner_is_quiet(sender.planner))
		log_info("send", "stopped", "");
	else
		log_warn("send", "stopped without room for the last results: the next start notes "
				 "them from the journal",
			 "");
	close_sender(&sender);
	return 0;
}
