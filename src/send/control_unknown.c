/* queue.unknown: replies that no pattern knew, the most frequent first. */
#include "base/text.h"
#include "send/control_parts.h"

#include <stdio.h>

static json_t *answer_shape(const struct reply_shape *shape)
{
	char enhanced[24] = "";

	if (shape->enhanced[0])
		snprintf(enhanced, sizeof(enhanced), "%u.%u.%u", shape->enhanced[0],
			 shape->enhanced[1], shape->enhanced[2]);
	return json_pack(
		"{s:I, s:I, s:I, s:i, s:s, s:s, s:o, s:o, s:o}", "count", (json_int_t)shape->count,
		"over", (json_int_t)shape->over, "last_ms", (json_int_t)shape->last_ms, "code",
		(int)shape->code, "enhanced", enhanced, "class", smtp_class_name(shape->class),
		"host", answer_text_of((struct slice){ shape->host, shape->host_len }), "shape",
		answer_text_of((struct slice){ shape->shape, shape->shape_len }), "reply",
		answer_text_of((struct slice){ shape->example, shape->example_len }));
}

/* All of them fit the output at once. */
void control_queue_unknown(struct control_link *link, const struct control_request *request)
{
	const struct reply_tally *tally = planner_unknown_replies(link->control->params.planner);
	const struct reply_shape *shapes[REPLY_TALLY_MAX];
	struct error error;
	u32 count;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	count = reply_tally_sort(tally, shapes);
	for (u32 i = 0; i < count; i++)
		link_item(link, answer_shape(shapes[i]));
	link_reply(link, json_pack("{s:I, s:I}", "count", (json_int_t)count, "total",
				   (json_int_t)tally->total));
}
