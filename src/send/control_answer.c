/*
 * Objects of answers, as control/README.md lists them.
 */
#include "base/text.h"
#include "base/utf8.h"
#include "send/control_parts.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 2048 /* longer ones are cut: none in the queue is */

json_t *answer_text_of(struct slice text)
{
	char copy[TEXT_MAX];
	size_t len = text.ptr ? min_size(text.len, sizeof(copy)) : 0;
	json_t *json = NULL;

	if (len == 0 || !memchr(text.ptr, '\0', text.len))
		json = json_stringn(text.ptr ? text.ptr : "", text.len);
	if (json)
		return json;
	for (size_t i = 0; i < len; i++)
		copy[i] = (u8)text.ptr[i] < 0x80 && text.ptr[i] != '\0' ? text.ptr[i] : '?';
	return json_stringn(copy, len);
}

json_t *answer_campaign(struct planner *planner, const struct queue_campaign *c,
			double rate)
{
	u64 over = c->delivered + c->failed + c->cancelled + c->held;

	return json_pack(
		"{s:I, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I,"
		" s:f, s:I, s:I, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:b, s:I, s:I}",
		"id", (json_int_t)c->id, "name", answer_text_of(slice_of(c->name)), "customer",
		c->customer, "state", queue_campaign_state_name(c->state), "total",
		(json_int_t)c->total, "delivered", (json_int_t)c->delivered, "failed",
		(json_int_t)c->failed, "expired", (json_int_t)c->expired, "cancelled",
		(json_int_t)c->cancelled, "queued",
		(json_int_t)(c->total > over ? c->total - over : 0), "deferred",
		(json_int_t)c->deferred, "held", (json_int_t)c->held, "deferrals",
		(json_int_t)c->deferrals, "doubts", (json_int_t)c->doubts, "domains",
		(json_int_t)c->domains, "rate", rate, "created_ms", (json_int_t)c->created_ms,
		"started_ms", (json_int_t)c->started_ms, "finished_ms", (json_int_t)c->finished_ms,
		"kind", queue_campaign_kind_name(c->kind), "list",
		answer_text_of(slice_of(c->list)), "bounced", (json_int_t)c->bounced, "complained",
		(json_int_t)c->complained, "unsubscribed", (json_int_t)c->unsubscribed,
		"deadline_ms", (json_int_t)planner_wall_of_deadline(planner, c->deadline_ms),
		"open", c->is_open, "cursor", (json_int_t)c->cursor, "wanted",
		(json_int_t)planner_campaign_wanted(planner, c));
}

json_t *answer_log_entry(const struct queue_log_entry *e)
{
	char enhanced[24] = "";

	if (e->enhanced[0])
		snprintf(enhanced, sizeof(enhanced), "%u.%u.%u", e->enhanced[0], e->enhanced[1],
			 e->enhanced[2]);
	return json_pack("{s:I, s:I, s:s, s:o, s:i, s:s, s:s, s:i, s:o, s:o, s:I}", "number",
			 (json_int_t)e->number, "time_ms", (json_int_t)e->wall_ms, "outcome",
			 log_outcome_name(e->outcome), "address", answer_text_of(e->address),
			 "code", (int)e->code, "enhanced", enhanced, "class",
			 smtp_class_name(e->reply_class), "attempts", (int)e->attempts, "host",
			 answer_text_of(e->host), "reply", answer_text_of(e->reply), "elapsed_ms",
			 (json_int_t)e->elapsed_ms);
}

json_t *answer_waiting(const struct planner *planner, const struct queue_row *row,
		       const char *outcome)
{
	return json_pack("{s:s, s:o, s:i, s:i, s:o, s:o, s:I}", "outcome", outcome, "address",
			 answer_text_of(row->address), "code", (int)row->last_code, "attempts",
			 (int)row->attempts, "host", answer_text_of(row->host), "reply",
			 answer_text_of(row->reply), "due_ms",
			 (json_int_t)planner_wall_of_due(planner, row->ref.due_ms));
}

const char *campaign_name(struct campaign_names *names, struct queue *queue, u32 id)
{
	struct queue_campaign campaign;
	u32 slot = id % CAMPAIGN_NAMES;

	if (names->kept[slot].id == id)
		return names->kept[slot].name;
	names->kept[slot].id = id;
	names->kept[slot].name[0] = '\0';
	if (queue_campaign_get(queue, id, &campaign) == STORE_OK)
		slice_copy(names->kept[slot].name, sizeof(names->kept[slot].name),
			   slice_of(campaign.name));
	return names->kept[slot].name;
}
