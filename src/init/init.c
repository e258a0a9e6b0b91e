#include "init/init.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/utf8.h"
#include "init/kernel_file.h"
#include "init/mounts.h"
#include "init/network.h"
#include "init/machine.h"
#include "init/notify.h"
#include "init/seed.h"
#include "init/task.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define TURN_MAX_MS 5000 /* the watchdog and the metrics page want to be looked after */
#define TERMINALS "/sys/class/tty/console/active"

u64 init_now_ms(void)
{
	return clock_mono_ns() / NS_PER_MS;
}

json_t *init_json_text(struct slice text)
{
	char copy[STREAM_LINE_SIZE * 3];
	size_t len = 0;

	for (size_t i = 0; i < text.len && len + 4 < sizeof(copy);) {
		u32 code;
		size_t used = utf8_decode(slice_from(text, i), &code);

		len += utf8_encode(copy + len, used > 0 && code != 0 ? code : 0xfffd);
		i += used > 0 ? used : 1;
	}
	return json_stringn(copy, len);
}

/* ---- services ---- */

static void start_service(struct init *init, struct supervisor_service *service)
{
	struct spawn_plan *plan = services_plan(&init->services, service);
	size_t index = (size_t)(service - init->supervisor.services);
	struct error error = { "" };
	int output = -1;
	pid_t pid;

	if (!cgroup_set(plan->name, &plan->limits, &error))
		log_warn("init", "service without its limits", "service=%s reason=%s",
			 service->name, error.text);
	pid = spawn(plan, &output, &error);
	if (pid < 0)
		log_error("init", "service not started", "service=%s reason=%s", service->name,
			  error.text);
	else
		log_info("init", "service started", "service=%s pid=%d", service->name, (int)pid);
	if (output >= 0)
		init_output_open(init, &init->outputs[index], service->name, output);
	supervisor_started(service, pid > 0 ? pid : 0, init_now_ms());
}

static void run_supervisor(struct init *init)
{
	struct supervisor_service *service;
	enum supervisor_action action;

	while ((action = supervisor_next(&init->supervisor, init_now_ms(), &service)) !=
	       SUPERVISOR_NOTHING) {
		if (action == SUPERVISOR_START)
			start_service(init, service);
		else if (kill(service->pid, action == SUPERVISOR_KILL ? SIGKILL : SIGTERM) < 0)
			log_warn("init", "service not signalled", "service=%s errno=%d",
				 service->name, errno);
	}
}

static void service_exited(struct init *init, struct supervisor_service *service, int status)
{
	char how[SUPERVISOR_EXIT_SIZE];
	u64 now_ms = init_now_ms();
	bool was_asked = service->state == SUPERVISOR_STOPPING;
	u64 lasted_ms = now_ms - service->started_ms;

	supervisor_exit_text(status, how);
	/* What it left behind would hold its ports and files. */
	cgroup_kill(service->name);
	supervisor_exited(service, status, now_ms);
	init->deaths += !was_asked && status != 0;
	init_output_close(&init->outputs[service - init->supervisor.services]);
	if (was_asked || status == 0)
		log_info("init", "service ended", "service=%s how=%s lasted_ms=%llu", service->name,
			 how, (unsigned long long)lasted_ms);
	else
		log_error("init", "service died", "service=%s how=%s lasted_ms=%llu again_ms=%llu",
			  service->name, how, (unsigned long long)lasted_ms,
			  (unsigned long long)service->wait_ms);
}

static void reap(struct init *init)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct supervisor_service *service = supervisor_find_pid(&init->supervisor, pid);

		if (service)
			service_exited(init, service, status);
		else if (!init_data_reaped(init, pid, status))
			(void)task_reaped(pid, status); /* or an orphan, which is all */
	}
}

/* ---- events ---- */

static void on_signal(struct loop_source *source, u32 events)
{
	struct init *init = container_of(source, struct init, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGINT)
			init_end(init, INIT_REBOOTS, "Ctrl-Alt-Del");
		else if (info.ssi_signo == SIGPWR)
			init_end(init, INIT_POWERS_OFF, "power is failing");
	}
	reap(init);
}

static void on_notification(struct loop_source *source, u32 events)
{
	struct init *init = container_of(source, struct init, notifications);
	pid_t pid;

	(void)events;
	while (notify_take(source->fd, &pid)) {
		struct supervisor_service *service = supervisor_find_pid(&init->supervisor, pid);

		if (!service)
			continue;
		supervisor_ready(service, init_now_ms());
		log_info("init", "service ready", "service=%s", service->name);
		if (strcmp(service->name, SERVICES_SENDER) == 0)
			init_stage(init, "sender ready");
	}
}

static void on_network(struct loop_source *source, u32 events)
{
	struct init *init = container_of(source, struct init, network_events);

	(void)events;
	network_run(init->network, init_now_ms());
	init_look_around(init);
}

static bool watch_signals(struct init *init)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGPWR);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Ctrl-Alt-Del is told to us and does not reset the machine. */
	if (reboot(RB_DISABLE_CAD) < 0)
		log_warn("init", "Ctrl-Alt-Del stays as it was", "errno=%d", errno);
	init->signals = (struct loop_source){
		.ready = on_signal,
		.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC),
	};
	return init->signals.fd >= 0 && loop_watch(&init->loop, &init->signals, EPOLLIN);
}

/* ---- start ---- */

/* init's own lines go the way of everybody's. */
static bool open_own_log(struct init *init)
{
	int ends[2];

	init->own.source.fd = -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	log_set_fd(ends[1]);
	init_output_open(init, &init->own, "init", ends[0]);
	return true;
}

static void open_network(struct init *init)
{
	struct error error = { "" };

	network_settings();
	init->network = network_new(&error);
	if (!init->network) {
		log_error("init", "no network", "reason=%s", error.text);
		return;
	}
	init->network_events =
		(struct loop_source){ .ready = on_network, .fd = network_fd(init->network) };
	if (!loop_watch(&init->loop, &init->network_events, EPOLLIN))
		log_error("init", "no network", "reason=%s", strerror(errno));
}

static void open_sockets(struct init *init)
{
	struct error error = { "" };

	init->server = server_open(init, CONTROL_INIT_PATH, &error);
	if (!init->server)
		log_error("init", "no control socket", "reason=%s", error.text);
	init->notifications = (struct loop_source){ .ready = on_notification,
						    .fd = notify_listen(NOTIFY_PATH, &error) };
	if (init->notifications.fd < 0 || !loop_watch(&init->loop, &init->notifications, EPOLLIN))
		log_error("init", "services cannot say that they are ready", "reason=%s",
			  error.text);
}

static void add_services(struct init *init)
{
	struct machine_memory memory;
	char terminals[256];

	machine_memory(&memory);
	supervisor_init(&init->supervisor);
	services_init(&init->services, &init->supervisor, memory.total);
	services_add_consoles(&init->services,
			      kernel_file_read(TERMINALS, terminals, sizeof(terminals)));
}

static void start(struct init *init)
{
	struct error error = { "" };

	mounts_make();
	init->console_fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	init->logbook = logbook_new();
	if (!init->logbook || !loop_open(&init->loop) || !open_own_log(init) ||
	    !watch_signals(init)) {
		dprintf(2, "init: cannot begin: %s\n", strerror(errno));
		init->ending = INIT_REBOOTS;
		init_go(init);
	}
	init_stage(init, "init");
	if (!init_kernel_log_open(init))
		log_warn("init", "the kernel's log is not seen", "errno=%d", errno);
	/* Whether it is a good one is known when the boot partition is there. */
	if (!mounts_boot_word("hikyaku.slot", init->slot, sizeof(init->slot)))
		init->slot[0] = '\0';
	watchdog_open(&init->watchdog);
	button_open(&init->button, &init->loop);
	if (!mounts_harden(&error) || !cgroup_init(&error) || !mounts_seal_root(&error))
		log_warn("init", "the machine is less sealed than it should be", "reason=%s",
			 error.text);
	add_services(init);
	open_sockets(init);
	open_network(init);
	init_open_data(init);
	init_stage(init, "started");
}

/* ---- the loop ---- */

static u64 wait_of(const struct init *init, u64 now_ms)
{
	u64 due = min_u64(supervisor_due_ms(&init->supervisor), init->metrics_due_ms);

	if (init->network)
		due = min_u64(due, network_next_ms(init->network));
	return due > now_ms ? min_u64(due - now_ms, TURN_MAX_MS) : 0;
}

/* Now and then: after a power cut the clock is not far behind. */
static void leave_seed(struct init *init, u64 now_ms)
{
	struct error error = { "" };

	if (init->data != INIT_DATA_OPEN || now_ms < init->seed_due_ms)
		return;
	if (init->seed_due_ms > 0 && !seed_leave(SEED_PATH, &error))
		log_warn("init", "no seed for the next run", "reason=%s", error.text);
	init->seed_due_ms = now_ms + SEED_PERIOD_MS;
}

static void turn(struct init *init)
{
	u64 now_ms = init_now_ms();

	loop_turn(&init->loop, wait_of(init, now_ms));
	now_ms = init_now_ms();
	if (init->network && network_next_ms(init->network) <= now_ms) {
		network_run(init->network, now_ms);
		init_look_around(init);
	}
	if (init->button.is_pressed) {
		init->button.is_pressed = false;
		init_end(init, INIT_POWERS_OFF, "power button");
	}
	run_supervisor(init);
	watchdog_turn(&init->watchdog, now_ms);
	leave_seed(init, now_ms);
	init_metrics_turn(init, now_ms);
	init_health_turn(init, now_ms);
}

int init_main(int argc, char **argv)
{
	static struct init init;
	struct error error = { "" };

	(void)argc;
	(void)argv;
	if (getpid() != 1) {
		fprintf(stderr, "hikyaku init is the first process of the appliance, and this "
				"machine has one\n");
		return 2;
	}
	if (!appliance_defaults(&init.appliance, &error))
		dprintf(2, "init: %s\n", error.text);
	start(&init);
	while (!init_may_go(&init))
		turn(&init);
	init_go(&init);
}
