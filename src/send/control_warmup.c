/*
 * warmup.list, warmup.start, warmup.pause, warmup.skip, warmup.stop: source addresses that are new
 * to their receivers.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <string.h>

struct listing {
	struct control_link *link;
	const char *source; /* NULL: all */
	size_t count;
};

static bool add_status(void *context, const struct planner_warmup_status *status)
{
	struct listing *listing = context;

	if (listing->source && strcmp(listing->source, status->source) != 0)
		return true;
	if (!status->receiver) {
		listing->count++;
		link_item(listing->link,
			  json_pack("{s:s, s:s, s:s}", "source", status->source, "state",
				    !status->is_on ? "off" : status->is_paused ? "paused" : "on",
				    "by", status->by_operator ? "operator" : "configuration"));
		return true;
	}
	link_item(listing->link,
		  json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "source",
			    status->source, "receiver", status->receiver, "state", status->state,
			    "day", (json_int_t)status->day, "days_left",
			    (json_int_t)status->days_left, "quota", (json_int_t)status->quota,
			    "sent", (json_int_t)status->sent, "answers",
			    (json_int_t)status->answers, "refused", (json_int_t)status->refused,
			    "complaints", (json_int_t)status->complaints, "reason",
			    answer_text_of(slice_of(status->reason))));
	return true;
}

void control_warmup_list(struct control_link *link, const struct control_request *request)
{
	struct listing listing = { .link = link };
	const struct control_arg args[] = {
		{ "source", CONTROL_TEXT, false, &listing.source },
	};
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	planner_warmups(link->control->params.planner, add_status, &listing);
	link_reply(link, json_pack("{s:I}", "count", (json_int_t)listing.count));
}

static enum planner_warmup_action action_of(const char *command)
{
	if (strcmp(command, "warmup.start") == 0)
		return PLANNER_WARMUP_START;
	if (strcmp(command, "warmup.pause") == 0)
		return PLANNER_WARMUP_PAUSE;
	return strcmp(command, "warmup.skip") == 0 ? PLANNER_WARMUP_SKIP : PLANNER_WARMUP_STOP;
}

/* The order is committed before it is answered. */
void control_warmup_change(struct control_link *link, const struct control_request *request)
{
	struct planner *planner = link->control->params.planner;
	struct planner_warmup_order order = { .action = action_of(request->command) };
	const char *source = NULL;
	const char *receiver = NULL;
	u64 day = 0;
	const struct control_arg args[] = {
		{ "source", CONTROL_TEXT, true, &source },
		{ "day", CONTROL_NUMBER, false, &day },
		{ "receiver", CONTROL_TEXT, false, &receiver },
	};
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (day > CONTROL_WARMUP_DAY_MAX) {
		link_refuse(link, CONTROL_BAD_REQUEST, "a warm-up begins at day 1 to 100");
		return;
	}
	order.source = slice_of(source);
	order.step = (u32)day;
	order.receiver = slice_of(receiver ? receiver : "");
	log_info("send", "command", "command=%s source=%s day=%u receiver=%s", request->command,
		 source, order.step, receiver ? receiver : "");
	if (planner_warmup_order(planner, &order, &error))
		link_reply(link, json_pack("{s:s}", "source", source));
	else
		link_refuse(link, planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_BAD_REQUEST,
			    error.text);
}
