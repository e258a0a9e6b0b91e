#include "init/init.h"

#include "base/log.h"
#include "init/slot.h"

#include <string.h>

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
