/*
 * Imports that were broken off: erased a slice at a time, in the turns' transactions. Such a
 * campaign is gone for everybody at once, its name is free; what is left of it on the disk is
 * erased by this process or by the next one, which finds it in state IMPORTING.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"

#include <stdlib.h>

void planner_erase(struct planner *planner, u32 campaign)
{
	u32 *erasing = realloc(planner->erasing, (planner->erasing_count + 1) * sizeof(u32));

	if (!erasing)
		CRASH("out of memory for a campaign to erase");
	erasing[planner->erasing_count++] = campaign;
	planner->erasing = erasing;
	planner->must_work = true;
}

bool planner_is_erasing(const struct planner *planner, u32 campaign)
{
	for (u32 i = 0; i < planner->erasing_count; i++) {
		if (planner->erasing[i] == campaign)
			return true;
	}
	return false;
}

bool planner_may_erase(const struct planner *planner)
{
	return planner->erasing_count > 0 && !planner->stopping && planner_may_settle(planner);
}

void planner_erase_some(struct planner *planner)
{
	enum store_result result;
	u32 id;

	planner->erased = false;
	if (!planner_may_erase(planner))
		return;
	id = planner->erasing[planner->erasing_count - 1];
	result = queue_campaign_erase(planner->queue, id, planner_limit(planner, ERASE_RECORDS));
	planner->swept++;
	planner->erased = result == STORE_NOT_FOUND;
	if (result != STORE_NOT_FOUND)
		planner_store_ok(planner, result);
}

void planner_erase_committed(struct planner *planner)
{
	if (!planner->erased)
		return;
	planner->erased = false;
	planner->erasing_count--;
	log_info("delivery", "what was left of an import is erased", "id=%u",
		 planner->erasing[planner->erasing_count]);
}
