/*
 * campaign.status: campaigns as the queue counts them.
 */
#include "base/text.h"
#include "send/control_parts.h"

#include <stdlib.h>

#define STEP_CAMPAIGNS 500

double control_campaign_rate(const struct send_control *control, const struct queue_campaign *c)
{
	return planner_campaign_rate(control->params.planner, c->id);
}

struct list_stream {
	struct control_stream stream;
	u32 after;
	u64 count;
};

static bool list_step(struct control_link *link, struct control_stream *stream)
{
	struct list_stream *list = container_of(stream, struct list_stream, stream);
	struct queue *queue = planner_queue(link->control->params.planner);
	enum store_result result = STORE_OK;
	struct queue_campaign campaign;

	if (!slice_begin(link))
		return false;
	for (u32 i = 0; i < STEP_CAMPAIGNS && result == STORE_OK; i++) {
		result = queue_campaign_next(queue, list->after, &campaign);
		if (result != STORE_OK)
			break;
		list->after = campaign.id;
		if (planner_is_erasing(link->control->params.planner, campaign.id))
			continue;
		list->count++;
		link_item(link, answer_campaign(link->control->params.planner, &campaign,
						control_campaign_rate(link->control, &campaign)));
	}
	if (!slice_end(link, result))
		return false;
	if (result == STORE_OK)
		return true;
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)list->count));
	return false;
}

static void list_free(struct control_stream *stream)
{
	free(container_of(stream, struct list_stream, stream));
}

void control_campaign_status(struct control_link *link, const struct control_request *request)
{
	struct control_campaign_ref ref;
	struct queue_campaign campaign;
	struct list_stream *list;
	struct error error;

	if (!control_read_campaign(request, true, &ref, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (ref.id || ref.name) {
		if (!control_find(link, &ref, &campaign))
			return;
		link_item(link, answer_campaign(link->control->params.planner, &campaign,
						control_campaign_rate(link->control, &campaign)));
		link_reply(link, json_pack("{s:i}", "count", 1));
		return;
	}
	list = calloc(1, sizeof(*list));
	if (list)
		list->stream = (struct control_stream){ .step = list_step, .free = list_free };
	link_stream(link, list ? &list->stream : NULL);
}
