#include "init/supervisor.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

const char *supervisor_state_name(enum supervisor_state state)
{
	static const char *const names[] = { "stopped", "waiting",  "starting",
					     "running", "stopping", "backing-off" };

	return names[state];
}

static void set_state(struct supervisor_service *service, enum supervisor_state state, u64 now_ms)
{
	service->state = state;
	service->since_ms = now_ms;
}

static bool has_process(const struct supervisor_service *service)
{
	return service->pid != 0;
}

/* ---- the table ---- */

void supervisor_init(struct supervisor *supervisor)
{
	*supervisor = (struct supervisor){ 0 };
}

struct supervisor_service *supervisor_add(struct supervisor *supervisor,
					  const struct supervisor_service *service)
{
	struct supervisor_service *added;

	if (supervisor->count == SUPERVISOR_SERVICES_MAX)
		return NULL;
	added = &supervisor->services[supervisor->count++];
	*added = *service;
	added->state = SUPERVISOR_STOPPED;
	added->pid = 0;
	added->last_status = -1;
	return added;
}

struct supervisor_service *supervisor_find(struct supervisor *supervisor, struct slice name)
{
	for (u32 i = 0; i < supervisor->count; i++) {
		if (slice_equal(slice_of(supervisor->services[i].name), name))
			return &supervisor->services[i];
	}
	return NULL;
}

struct supervisor_service *supervisor_find_pid(struct supervisor *supervisor, pid_t pid)
{
	for (u32 i = 0; i < supervisor->count; i++) {
		if (pid > 0 && supervisor->services[i].pid == pid)
			return &supervisor->services[i];
	}
	return NULL;
}

/* ---- wishes ---- */

void supervisor_want(struct supervisor_service *service, bool is_wanted, u64 now_ms)
{
	service->is_wanted = is_wanted;
	if (is_wanted && service->state == SUPERVISOR_STOPPED)
		set_state(service, SUPERVISOR_WAITING, now_ms);
	if (!is_wanted && !has_process(service))
		set_state(service, SUPERVISOR_STOPPED, now_ms);
	if (!is_wanted)
		service->restarts_at_once = false;
}

void supervisor_restart(struct supervisor_service *service, u64 now_ms)
{
	service->is_wanted = true;
	service->wait_ms = 0;
	service->restarts_at_once = has_process(service);
	if (!has_process(service))
		set_state(service, SUPERVISOR_WAITING, now_ms);
}

bool supervisor_kill(struct supervisor_service *service, u64 now_ms)
{
	if (!has_process(service))
		return false;
	if (service->state == SUPERVISOR_STOPPING)
		service->due_ms = now_ms;
	else
		service->must_be_killed = true;
	return true;
}

void supervisor_set_condition(struct supervisor *supervisor, enum supervisor_condition condition,
			      bool holds)
{
	if (holds)
		supervisor->conditions |= condition;
	else
		supervisor->conditions &= ~(u32)condition;
}

/* ---- decisions ---- */

static bool may_run(const struct supervisor *supervisor, const struct supervisor_service *service)
{
	return service->is_wanted && !supervisor->is_ending &&
	       (service->conditions & ~supervisor->conditions) == 0;
}

static enum supervisor_action begin_stop(struct supervisor_service *service, u64 now_ms)
{
	set_state(service, SUPERVISOR_STOPPING, now_ms);
	service->due_ms = now_ms + service->stop_patience_ms;
	service->is_killed = false;
	return SUPERVISOR_TERM;
}

static bool must_stop(const struct supervisor *supervisor, const struct supervisor_service *service)
{
	if (supervisor->is_ending)
		return service->stop_rank <= supervisor->ending_rank;
	/* A condition that is lost does not stop a service: it knows best what it can still do. */
	return !service->is_wanted || service->restarts_at_once;
}

static enum supervisor_action next_of(const struct supervisor *supervisor,
				      struct supervisor_service *service, u64 now_ms)
{
	switch (service->state) {
	case SUPERVISOR_STOPPED:
		return SUPERVISOR_NOTHING;
	case SUPERVISOR_WAITING:
		return may_run(supervisor, service) ? SUPERVISOR_START : SUPERVISOR_NOTHING;
	case SUPERVISOR_BACKING_OFF:
		return now_ms >= service->due_ms && may_run(supervisor, service)
			       ? SUPERVISOR_START
			       : SUPERVISOR_NOTHING;
	case SUPERVISOR_STARTING:
	case SUPERVISOR_RUNNING:
		if (service->must_be_killed) {
			service->must_be_killed = false;
			return SUPERVISOR_KILL;
		}
		return must_stop(supervisor, service) ? begin_stop(service, now_ms)
						      : SUPERVISOR_NOTHING;
	case SUPERVISOR_STOPPING:
		if (service->is_killed || now_ms < service->due_ms)
			return SUPERVISOR_NOTHING;
		service->is_killed = true;
		return SUPERVISOR_KILL;
	}
	return SUPERVISOR_NOTHING;
}

/* Ranks go one after the other: the next is due when nobody of this one or below is left. */
static void advance_rank(struct supervisor *supervisor)
{
	u32 next = UINT32_MAX;

	for (u32 i = 0; i < supervisor->count; i++) {
		const struct supervisor_service *service = &supervisor->services[i];

		if (has_process(service))
			next = min_u32(next, service->stop_rank);
	}
	if (next != UINT32_MAX && next > supervisor->ending_rank)
		supervisor->ending_rank = next;
}

enum supervisor_action supervisor_next(struct supervisor *supervisor, u64 now_ms,
				       struct supervisor_service **service)
{
	if (supervisor->is_ending)
		advance_rank(supervisor);
	for (u32 i = 0; i < supervisor->count; i++) {
		enum supervisor_action action;

		*service = &supervisor->services[i];
		action = next_of(supervisor, *service, now_ms);
		if (action != SUPERVISOR_NOTHING)
			return action;
	}
	*service = NULL;
	return SUPERVISOR_NOTHING;
}

/* ---- events ---- */

static void back_off(struct supervisor_service *service, u64 now_ms)
{
	bool was_steady = service->started_ms + SUPERVISOR_STEADY_MS <= now_ms;

	if (was_steady || service->wait_ms == 0)
		service->wait_ms = SUPERVISOR_WAIT_MIN_MS;
	else
		service->wait_ms = min_u64(service->wait_ms * 2, SUPERVISOR_WAIT_MAX_MS);
	set_state(service, SUPERVISOR_BACKING_OFF, now_ms);
	service->due_ms = now_ms + service->wait_ms;
}

void supervisor_started(struct supervisor_service *service, pid_t pid, u64 now_ms)
{
	ASSERT(!has_process(service));
	service->restarts += service->starts > 0;
	service->starts++;
	service->started_ms = now_ms;
	service->pid = pid;
	if (pid == 0)
		back_off(service, now_ms);
	else
		set_state(service, service->notifies ? SUPERVISOR_STARTING : SUPERVISOR_RUNNING,
			  now_ms);
}

void supervisor_ready(struct supervisor_service *service, u64 now_ms)
{
	if (service->state == SUPERVISOR_STARTING)
		set_state(service, SUPERVISOR_RUNNING, now_ms);
}

void supervisor_exited(struct supervisor_service *service, int status, u64 now_ms)
{
	bool was_asked = service->state == SUPERVISOR_STOPPING;

	service->pid = 0;
	service->last_status = status;
	service->must_be_killed = false;
	if (!service->is_wanted) {
		set_state(service, SUPERVISOR_STOPPED, now_ms);
	} else if (was_asked) {
		service->wait_ms = 0;
		set_state(service, SUPERVISOR_WAITING, now_ms);
	} else {
		back_off(service, now_ms);
	}
	service->restarts_at_once = false;
}

u64 supervisor_due_ms(const struct supervisor *supervisor)
{
	u64 due = SUPERVISOR_NEVER;

	for (u32 i = 0; i < supervisor->count; i++) {
		const struct supervisor_service *service = &supervisor->services[i];

		if ((service->state == SUPERVISOR_BACKING_OFF && may_run(supervisor, service)) ||
		    (service->state == SUPERVISOR_STOPPING && !service->is_killed))
			due = min_u64(due, service->due_ms);
	}
	return due;
}

/* ---- the end ---- */

void supervisor_end(struct supervisor *supervisor)
{
	supervisor->is_ending = true;
	supervisor->ending_rank = 0;
}

bool supervisor_has_ended(const struct supervisor *supervisor)
{
	for (u32 i = 0; i < supervisor->count; i++) {
		if (has_process(&supervisor->services[i]))
			return false;
	}
	return supervisor->is_ending;
}

void supervisor_exit_text(int status, char out[SUPERVISOR_EXIT_SIZE])
{
	if (status == -1)
		snprintf(out, SUPERVISOR_EXIT_SIZE, "never");
	else if (WIFSIGNALED(status))
		snprintf(out, SUPERVISOR_EXIT_SIZE, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(out, SUPERVISOR_EXIT_SIZE, "exit code %d", WEXITSTATUS(status));
}
