#include "web/web.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ready.h"
#include "base/role.h"
#include "base/text.h"
#include "base/thread.h"
#include "metrics/responder.h"
#include "io/clerk.h"
#include "web/bringer.h"
#include "campaign/form_guard.h"
#include "web/call.h"
#include "web/identity.h"
#include "web/image_file.h"
#include "web/import_job.h"
#include "web/link_key.h"
#include "web/password.h"
#include "web/pulse.h"
#include "web/sweeper.h"
#include "web/log_follower.h"
#include "web/teller.h"
#include "web/track.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOB_THREADS 2
#define AUDIENCE_RESERVE (64u << 20) /* bytes */
#define ACCEPT_AGAIN_NS (100 * NS_PER_MS)
#define STOP_TURN_MS 50
#define STOP_PATIENCE_NS (20 * NS_PER_S)
#define CLOSE_TURNS_MAX 1000
#define PASSWORDS_WAITING 16 /* of a thread; beyond, people are asked to come again */
#define CLOSE_TURN_NS (10 * NS_PER_MS)

struct role;

/* A thread with a ring; all of them accept at the one listener. */
struct worker {
	struct role *role;
	struct web web;
	struct ring_accept accept;
	struct timer accept_again;
	pthread_t thread;
	bool accepting;
	bool stopping;
	bool has_ended; /* by the role's lock: its ring is not to be woken any more */
	u64 stop_by_ns;
};

struct role {
	struct config config;
	struct meter meter;
	struct permits permits;
	struct repeats repeats;
	struct doorkeeper doorkeeper;
	struct pulse pulse;
	struct pulse_asker asker; /* of the first worker */
	struct sweeper sweeper;	  /* the same */
	struct audience *audience;
	struct scribe *scribe;
	struct jobs *jobs;
	struct link_keys links;
	struct form_guard form_guard;
	struct teller *teller; /* of the first worker */
	struct bringer *bringer;
	struct log_follower *follower;
	struct identity_checker *identity;
	struct worker workers[METER_WORKERS_MAX];
	u32 worker_count; /* those that run */
	struct metrics_responder *responder; /* of the first one; NULL: none */
	int listener;
	int signal_fd;
	/* Workers tell that they are ready, or could not be; the ring is known by then. */
	pthread_mutex_t lock;
	pthread_cond_t told;
	u32 ready_count;
	bool is_bad;
	struct error error;
	_Atomic u32 signals; /* terminating ones seen */
	_Atomic u32 running; /* workers */
};

/* ---- accepting ---- */

static void start_accepting(struct worker *worker)
{
	worker->accepting = true;
	ring_accept_start(worker->web.ring, &worker->accept, worker->role->listener);
}

static void on_accepted(struct ring_accept *accept, i32 handle)
{
	struct worker *worker = container_of(accept, struct worker, accept);

	if (worker->stopping || worker->web.call_count >= CALLS_MAX ||
	    !call_open(&worker->web, handle)) {
		log_warn("web", "a call is turned away", "calls=%u", worker->web.call_count);
		metric_add(&worker->web.meter->turned_away, 1);
		ring_shut(worker->web.ring, handle);
	}
}

static void on_accept_end(struct ring_accept *accept, i32 result)
{
	struct worker *worker = container_of(accept, struct worker, accept);

	worker->accepting = false;
	if (worker->stopping)
		return;
	log_warn("web", "no calls for a moment", "code=%d", result);
	timer_start(&worker->web.wheel, &worker->accept_again, clock_mono_ns() + ACCEPT_AGAIN_NS);
}

static void on_accept_again(struct timer *timer)
{
	start_accepting(container_of(timer, struct worker, accept_again));
}

/* ---- a worker's life ---- */

/* By the first worker, on its ring. */
static bool open_page(struct role *role, struct web *web, struct error *error)
{
	const char *at_text = role->config.web.metrics;
	struct net_address at;

	if (!at_text)
		return true;
	if (!net_address_parse(&at, slice_of(at_text), true))
		return error_set(error, "metrics: %s is no address", at_text);
	role->meter.audience = role->audience;
	role->meter.reader = web->reader;
	role->meter.config = &role->config;
	role->responder = metrics_responder_open_for(web->ring, &web->wheel, &at, web_meter_expose,
						     &role->meter, error);
	return role->responder != NULL;
}

static bool open_web(struct worker *worker, struct error *error)
{
	struct ring_params params = { .entries = 1024,
				      .files = CALLS_MAX + EXCHANGES_MAX +
					       RESPONDER_CLIENTS_MAX + 8,
				      .accepted = CALLS_MAX + RESPONDER_CLIENTS_MAX + 2,
				      .buffers = 64,
				      .buffer_size = 65536 };
	struct role *role = worker->role;
	struct web *web = &worker->web;

	web->config = &role->config;
	web->meter = &role->meter.workers[worker - role->workers];
	web->permits = &role->permits;
	web->repeats = &role->repeats;
	web->doorkeeper = &role->doorkeeper;
	web->pulse = &role->pulse;
	web->audience = role->audience;
	web->reader = audience_txn_open(role->audience);
	if (!web->reader)
		return error_set(error, "no memory for reading the audience");
	web->ring = ring_open(&params, error);
	if (!web->ring) {
		audience_txn_close(web->reader);
		return false;
	}
	timer_wheel_init(&web->wheel, clock_mono_ns());
	list_init(&web->calls);
	exchange_line_init(&web->line, web->ring, &web->wheel, role->config.control);
	web->links = &role->links;
	web->bringer = role->bringer;
	web->identity = role->identity;
	web->jobs = role->jobs;
	web->form_guard = &role->form_guard;
	scribe_desk_init(&web->desk, role->scribe, web->ring);
	web->clerk = clerk_open(web->ring, PASSWORDS_WAITING, error);
	if (!web->clerk)
		return false;
	web->track = track_open(&web->desk, &web->wheel, web->meter);
	if (!web->track)
		return error_set(error, "no memory for opens and clicks");
	if (worker != role->workers)
		return true;
	role->teller = teller_open(web);
	if (!role->teller)
		return error_set(error, "no memory for telling the sender");
	if (!open_page(role, web, error))
		return false;
	pulse_asker_start(&role->asker, &role->pulse, &web->line, &web->wheel);
	sweeper_start(&role->sweeper, role->jobs, &role->config, &web->wheel);
	return true;
}

static void stop(struct worker *worker, u64 now_ns)
{
	worker->stopping = true;
	worker->stop_by_ns = now_ns + STOP_PATIENCE_NS;
	timer_stop(&worker->web.wheel, &worker->accept_again);
	if (worker->accepting)
		ring_accept_stop(worker->web.ring, &worker->accept);
}

static void run(struct worker *worker)
{
	struct web *web = &worker->web;

	while (!worker->stopping || web->call_count > 0) {
		u64 now_ns = clock_mono_ns();
		u64 next_ns = timer_wheel_next(&web->wheel);
		u32 signals;

		if (worker->stopping)
			next_ns = min_u64(next_ns, worker->stop_by_ns);
		if (next_ns != UINT64_MAX)
			next_ns -= min_u64(now_ns, next_ns);
		ring_turn(web->ring, next_ns);
		scribe_desk_run(&web->desk);
		clerk_finish(web->clerk);
		now_ns = clock_mono_ns();
		timer_wheel_advance(&web->wheel, now_ns);
		signals = worker->role->signals;
		if (signals > 0 && !worker->stopping)
			stop(worker, now_ns);
		if (worker->stopping && (signals > 1 || now_ns >= worker->stop_by_ns))
			break; /* what is left is broken off */
	}
}

static bool is_busy(const struct worker *worker)
{
	return worker->accepting || worker->web.call_count > 0 || worker->web.orders > 0 ||
	       worker->web.line.running_count > 0 || track_is_busy(worker->web.track) ||
	       (worker == worker->role->workers && teller_is_busy(worker->role->teller));
}

static void close_web(struct worker *worker)
{
	struct web *web = &worker->web;

	list_for_each_safe (node, &web->calls)
		call_close(list_entry(node, struct call, node));
	if (worker == worker->role->workers) {
		pulse_asker_stop(&worker->role->asker);
		sweeper_stop(&worker->role->sweeper);
		teller_stop(worker->role->teller);
	}
	for (u32 i = 0; i < CLOSE_TURNS_MAX && is_busy(worker); i++) {
		track_flush(web->track);
		ring_turn(web->ring, CLOSE_TURN_NS);
		scribe_desk_run(&web->desk);
		clerk_finish(web->clerk);
	}
	if (is_busy(worker))
		CRASH("the operations of calls do not end");
	if (web->meter == worker->role->meter.workers) {
		metrics_responder_close(worker->role->responder);
		worker->role->responder = NULL;
		teller_close(worker->role->teller);
	}
	clerk_close(web->clerk);
	ring_turn(web->ring, 0);
	ring_close(web->ring);
	track_close(web->track);
	scribe_desk_done(&web->desk);
	audience_txn_close(web->reader);
}

static void tell(struct role *role, bool is_ready, const struct error *error)
{
	pthread_mutex_lock(&role->lock);
	if (is_ready) {
		role->ready_count++;
		role->running++;
	} else {
		role->is_bad = true;
		role->error = *error;
	}
	pthread_cond_signal(&role->told);
	pthread_mutex_unlock(&role->lock);
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;
	struct error error = { "" };
	bool is_ready = open_web(worker, &error);

	tell(worker->role, is_ready, &error);
	if (!is_ready)
		return NULL;
	start_accepting(worker);
	run(worker);
	pthread_mutex_lock(&worker->role->lock);
	worker->has_ended = true;
	pthread_mutex_unlock(&worker->role->lock);
	close_web(worker);
	worker->role->running--;
	return NULL;
}

/* ---- the role's ---- */

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

static bool open_audience(struct role *role, struct error *error)
{
	const struct config_web *config = &role->config.web;
	struct store_params params = { .path = config->audience,
				       .map_size_max = config->audience_max,
				       .reserve = AUDIENCE_RESERVE };

	role->audience = audience_open(&params, error);
	if (!role->audience)
		return false;
	if (!upload_prepare(config->audience, error))
		return false;
	role->scribe = scribe_open(role->audience, &role->meter.scribe, error);
	return role->scribe &&
	       link_key_open(role->scribe, clock_wall_ms(), &role->links, error);
}

static bool open_bringer(struct role *role, struct error *error)
{
	struct bringer_params params = { .config = &role->config,
					       .audience = role->audience,
					       .scribe = role->scribe,
					       .links = &role->links };

	const struct identity_params identity = { &role->config, role->audience, role->scribe };

	role->identity = identity_checker_open(&identity, error);
	if (!role->identity)
		return false;
	params.identity = role->identity;
	role->bringer = bringer_open(&params, error);
	if (!role->bringer)
		return false;
	role->follower =
		log_follower_open(&role->config, role->audience, role->scribe, error);
	return role->follower != NULL;
}

/* What was under way when the process ended goes on. */
static bool open_jobs(struct role *role, struct error *error)
{
	struct audience_txn *reader;
	bool good;

	role->jobs = jobs_open(role->audience, role->scribe, JOB_THREADS, error);
	if (!role->jobs)
		return false;
	reader = audience_txn_open(role->audience);
	if (!reader)
		return error_set(error, "no memory for reading the audience");
	good = image_files_prepare(role->config.web.audience, reader, error) &&
	       import_jobs_resume(role->jobs, reader, &role->config, error);
	audience_txn_close(reader);
	return good;
}

static u32 workers_wanted(const struct role *role)
{
	u32 wanted = role->config.web.workers;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (wanted == 0)
		wanted = cores > 0 ? (u32)min_u64((u64)cores, METER_WORKERS_MAX) : 1;
	return wanted;
}

/* One at a time: when one cannot be, the others that run are stopped as by a signal. */
static bool start_workers(struct role *role, struct error *error)
{
	u32 wanted = workers_wanted(role);

	role->meter.worker_count = wanted;
	for (u32 i = 0; i < wanted && !role->is_bad; i++) {
		struct worker *worker = &role->workers[i];
		int code;

		worker->role = role;
		worker->accept.accepted = on_accepted;
		worker->accept.end = on_accept_end;
		timer_init(&worker->accept_again, on_accept_again);
		code = thread_start(&worker->thread, worker_main, worker);
		if (code != 0)
			return error_set_errno(error, code, "a thread cannot be started");
		role->worker_count++;
		pthread_mutex_lock(&role->lock);
		while (role->ready_count <= i && !role->is_bad)
			pthread_cond_wait(&role->told, &role->lock);
		pthread_mutex_unlock(&role->lock);
	}
	*error = role->error;
	return !role->is_bad;
}

static void stop_workers(struct role *role)
{
	role->signals++;
	pthread_mutex_lock(&role->lock);
	for (u32 i = 0; i < role->ready_count; i++) {
		if (!role->workers[i].has_ended)
			ring_wake(role->workers[i].web.ring);
	}
	pthread_mutex_unlock(&role->lock);
}

/* Until it is told to stop and the workers have; a second signal breaks off what is left. */
static void wait_for_end(struct role *role)
{
	struct pollfd fds = { .fd = role->signal_fd, .events = POLLIN };

	while (role->running > 0) {
		int ready = poll(&fds, 1, role->signals > 0 ? STOP_TURN_MS : -1);

		if (ready <= 0 || role_take_signals(role->signal_fd) == 0)
			continue;
		if (role->signals == 0) {
			log_info("web", "stopping", "");
			identity_checker_stop(role->identity);
			unlink(role->config.web.listen);
		}
		stop_workers(role);
	}
}

static void close_role(struct role *role)
{
	for (u32 i = 0; i < role->worker_count; i++)
		pthread_join(role->workers[i].thread, NULL);
	if (role->listener >= 0)
		close(role->listener);
	bringer_close(role->bringer);
	jobs_close(role->jobs);
	log_follower_close(role->follower);
	identity_checker_close(role->identity);
	scribe_close(role->scribe);
	audience_close(role->audience);
	doorkeeper_close(&role->doorkeeper);
	config_free(&role->config);
}

static bool open_role(struct role *role, struct error *error)
{
	pthread_mutex_init(&role->lock, NULL);
	pthread_cond_init(&role->told, NULL);
	permits_init(&role->permits, role->config.web.api_keys, role->config.web.rate);
	repeats_init(&role->repeats);
	pulse_init(&role->pulse);
	form_guard_init(&role->form_guard);
	role->listener = -1;
	role->signal_fd = role_watch_signals(error);
	return role->signal_fd >= 0 && doorkeeper_open(&role->doorkeeper, error) &&
	       open_audience(role, error) && open_jobs(role, error) && listen_at(role, error) &&
	       open_bringer(role, error) &&
	       start_workers(role, error);
}

static const char usage[] =
	"usage: hikyaku web [--config FILE]\n\n"
	"The newsletter service and the interface for programs, by SCGI for a web server that has\n"
	"TLS; in the foreground until SIGTERM. See hikyaku.conf(5), section web, and\n"
	"hikyaku-web(8).\n";

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
	if (!open_role(&role, &error)) {
		fprintf(stderr, "hikyaku: web: %s\n", error.text);
		stop_workers(&role);
		close_role(&role);
		return 1;
	}
	log_info("web", "ready", "listen=%s keys=%zu workers=%u", role.config.web.listen,
		 permits_key_count(&role.permits), role.worker_count);
	if (!ready_tell())
		log_warn("web", "the supervisor was not told", "errno=%d", errno);
	wait_for_end(&role);
	close_role(&role);
	log_info("web", "stopped", "");
	return 0;
}
