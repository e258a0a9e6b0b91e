#include "init/health.h"

static bool is_well(const struct health_view *view)
{
	return view->data_is_open && view->console_runs &&
	       (!view->is_configured ||
		(view->sender_is_ready && (view->mail_is_tested || !view->is_trial))) &&
	       (!view->has_pages || view->page_is_tested || !view->is_trial);
}

enum health_verdict health_look(struct health *health, const struct health_view *view, u64 now_ms)
{
	if (health->is_decided)
		return HEALTH_WAIT;
	if (!is_well(view) || view->deaths != health->deaths)
		health->well_since_ms = 0;
	health->deaths = view->deaths;
	if (is_well(view) && health->well_since_ms == 0)
		health->well_since_ms = now_ms > 0 ? now_ms : 1;
	if (health->well_since_ms > 0 && now_ms >= health->well_since_ms + HEALTH_STEADY_MS) {
		health->is_decided = true;
		return HEALTH_GOOD;
	}
	if (view->is_trial && now_ms >= HEALTH_PATIENCE_MS) {
		health->is_decided = true;
		return HEALTH_GIVE_UP;
	}
	return HEALTH_WAIT;
}
