/*
 * Long answers: a step at a time from the ring, as long as the client reads what was said before.
 */
#include "base/log.h"
#include "send/control_parts.h"

void stream_drop(struct control_link *link)
{
	struct control_stream *stream = link->stream;

	link->stream = NULL;
	if (stream)
		stream->free(stream);
}

void stream_step(struct control_link *link)
{
	struct control_stream *stream = link->stream;

	if (stream->step(link, stream) || link->is_closing)
		return;
	link->state = LINK_IDLE;
	stream_drop(link);
}

void link_stream(struct control_link *link, struct control_stream *stream)
{
	if (!stream) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	link->stream = stream;
	link->state = LINK_STREAM;
	link_later(link);
}

static void refuse_store(struct control_link *link)
{
	struct error error;

	error_set(&error, "the queue cannot be read: %s",
		  queue_error_text(planner_queue(link->control->params.planner)));
	log_error("send", "the queue cannot be read", "reason=%s", error.text);
	link_refuse(link, CONTROL_FAILED, error.text);
}

bool slice_begin(struct control_link *link)
{
	if (queue_begin(planner_queue(link->control->params.planner)) == STORE_OK)
		return true;
	refuse_store(link);
	return false;
}

bool slice_end(struct control_link *link, enum store_result result)
{
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		refuse_store(link);
	queue_abort(planner_queue(link->control->params.planner));
	return result == STORE_OK || result == STORE_NOT_FOUND;
}
