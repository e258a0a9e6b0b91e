#include "init/init.h"

#include "base/log.h"
#include "init/slot.h"
#include "init/task.h"

#include <string.h>

#define TEST_PERIOD_MS 15000

void init_read_slot(struct init *init)
{
	struct slot_state state = { 0 };
	struct error error = { "" };

	if (!slot_read(&state, &error)) {
		/* Started without GRUB: nothing to fall back to, nothing to mark. */
		log_info("init", "no slots", "reason=%s", error.text);
		init->health.is_decided = true;
		return;
	}
	if (state.running)
		init->slot[0] = state.running;
	init->is_trial = state.is_trial;
	if (state.is_fallback)
		log_error("init", "the system on trial did not come up: this is the good one",
			  "slot=%c tried=%c", state.running, state.try);
	else
		log_info("init", "slot", "running=%s trial=%d", init->slot, init->is_trial);
}

static void see(const struct init *init, struct health_view *view)
{
	*view = (struct health_view){ .is_trial = init->is_trial,
				      .data_is_open = init->data == INIT_DATA_OPEN,
				      .is_configured = init->supervisor.conditions &
						       SUPERVISOR_CONFIGURED,
				      .mail_is_tested = init->mail_test.is_passed,
				      .has_pages = init->appliance.web_server,
				      .page_is_tested = init->page_test.is_passed,
				      .deaths = init->deaths };
	for (u32 i = 0; i < init->supervisor.count; i++) {
		const struct supervisor_service *service = &init->supervisor.services[i];

		if (service->state != SUPERVISOR_RUNNING)
			continue;
		if (strcmp(service->name, SERVICES_SENDER) == 0)
			view->sender_is_ready = true;
		view->console_runs |= strncmp(service->name, "console-", 8) == 0;
	}
}

/* ---- tests ---- */

static void on_test_line(void *owner, struct slice text)
{
	(void)owner;
	log_info("init", "test", "says=%.*s", SLICE_FMT(text));
}

static void on_test_end(void *owner, int exit_code)
{
	struct init_test *test = owner;

	test->run = NULL;
	test->is_passed = exit_code == 0;
	if (exit_code != 0)
		log_error("init", "a test of the system on trial failed", "exit=%d", exit_code);
}

static void on_test_room(void *owner)
{
	(void)owner;
}

/* Again and again until it is passed. */
static void run_test(struct init *init, struct init_test *test, const char *task, u64 now_ms)
{
	static const struct task_listener listener = { on_test_line, on_test_end, on_test_room };
	struct error error = { "" };

	if (test->is_passed || test->run || now_ms < test->due_ms)
		return;
	test->due_ms = now_ms + TEST_PERIOD_MS;
	test->run = task_start(&init->loop, task, NULL, false, &listener, test, &error);
	if (!test->run)
		log_error("init", "a test is not started", "test=%s reason=%s", task, error.text);
}

static void mark_good(struct init *init)
{
	struct slot_state state = { 0 };
	struct error error = { "" };

	if (!slot_mark_good(&state, &error)) {
		/* An upgrade has the boot partition: it marks the slot by the same word later. */
		log_warn("init", "the slot is not marked good yet", "reason=%s", error.text);
		init->health = (struct health){ 0 };
		return;
	}
	init->is_trial = false;
	log_info("init", "the slot is good", "slot=%s", init->slot);
	init_stage(init, "good");
}

void init_health_turn(struct init *init, u64 now_ms)
{
	struct health_view view;

	if (init->health.is_decided || init->ending != INIT_GOES_ON)
		return;
	see(init, &view);
	if (view.is_trial && view.sender_is_ready)
		run_test(init, &init->mail_test, "selftest", now_ms);
	if (view.is_trial && view.has_pages && view.data_is_open)
		run_test(init, &init->page_test, "page-test", now_ms);
	switch (health_look(&init->health, &view, now_ms)) {
	case HEALTH_WAIT:
		break;
	case HEALTH_GOOD:
		mark_good(init);
		break;
	case HEALTH_GIVE_UP:
		log_error("init", "the system on trial is not well", "slot=%s", init->slot);
		init_end(init, INIT_REBOOTS, "the system on trial is not well");
		break;
	}
}
