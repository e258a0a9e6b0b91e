#include "web/sequence_json.h"

#include "base/text.h"
#include "campaign/issue.h"
#include "campaign/sequence_text.h"
#include "store/audience_campaign_count.h"
#include "web/noun.h"
#include "web/sequence_order.h"

#include <string.h>

static u64 counted(struct audience_txn *txn, u32 step, enum campaign_counted what)
{
	u64 count;

	return campaign_count_get(txn, step, what, 0, &count) == STORE_OK ? count : 0;
}

static bool set(json_t *json, const char *name, json_t *value)
{
	return json_object_set_new(json, name, value) == 0;
}

static json_t *number_or_null(u64 number)
{
	return number > 0 ? json_integer((json_int_t)number) : json_null();
}

/* ---- steps ---- */

static bool add_texts(json_t *json, const struct draft *draft)
{
	bool ok = true;

	for (u32 i = 0; i < STEP_FIELDS && ok; i++) {
		enum draft_field field = step_field_draft((enum step_field)i);

		if (field < DRAFT_FIELDS && draft->of[field].len > 0)
			ok = set(json, step_field_name(i), noun_text(draft->of[field]));
	}
	return ok;
}

static bool add_step_counts(json_t *json, struct audience_txn *txn, u32 step)
{
	static const struct {
		const char *name;
		enum campaign_counted what;
	} rows[] = {
		{ "sent", CAMPAIGN_SENT },	   { "passed", CAMPAIGN_PASSED_BY },
		{ "delivered", CAMPAIGN_DELIVERED }, { "bounced", CAMPAIGN_BOUNCED },
		{ "opened", CAMPAIGN_OPENED },	   { "clicked", CAMPAIGN_CLICKED },
		{ "unsubscribed", CAMPAIGN_UNSUBSCRIBED },
		{ "complained", CAMPAIGN_COMPLAINED }, { "skipped", CAMPAIGN_SKIPPED },
	};
	json_t *counts = json_object();
	u64 waiting = 0;
	bool ok = enrolment_count_for(txn, step, &waiting) == STORE_OK &&
		  set(counts, "waiting", json_integer((json_int_t)waiting));

	for (size_t i = 0; i < array_count(rows) && ok; i++)
		ok = set(counts, rows[i].name,
			 json_integer((json_int_t)counted(txn, step, rows[i].what)));
	/* Its reference is taken in any case. */
	return set(json, "counts", counts) && ok;
}

json_t *sequence_step_json(struct audience_txn *txn, const struct sequence_step *step, bool whole)
{
	struct audience_campaign campaign;
	struct draft draft;
	struct buf text;
	json_t *json = json_pack("{s:I, s:i, s:I}", "id", (json_int_t)step->id, "wait_days",
				 (int)step->days, "wait_hours", (json_int_t)step->hours);
	bool ok = json != NULL;

	buf_init(&text, 256);
	sequence_add_at(step->at_minute, &text);
	ok = ok && set(json, "at", text.len > 0 ? noun_text(buf_slice(&text)) : json_null());
	buf_reset(&text);
	sequence_add_weekdays(step->weekdays, &text);
	ok = ok && set(json, "weekdays", text.len > 0 ? noun_text(buf_slice(&text)) : json_null());
	buf_done(&text);
	ok = ok && set(json, "segment", number_or_null(step->segment)) &&
	     sequence_step_draft(txn, step->id, &campaign, &draft);
	if (ok && whole)
		ok = add_texts(json, &draft);
	else if (ok)
		ok = set(json, "subject", noun_text(draft.of[DRAFT_SUBJECT]));
	ok = ok && add_step_counts(json, txn, step->id);
	if (ok)
		return json;
	json_decref(json);
	return NULL;
}

/* ---- sequences ---- */

static bool add_texts_of(json_t *json, const struct audience_sequence *s)
{
	static const struct {
		const char *name;
		enum sequence_text text;
	} rows[] = {
		{ "name", SEQUENCE_NAME },	 { "event", SEQUENCE_EVENT },
		{ "zone", SEQUENCE_ZONE },	 { "from", SEQUENCE_FROM },
		{ "reply_to", SEQUENCE_REPLY_TO }, { "days", SEQUENCE_DAYS },
		{ "hours", SEQUENCE_HOURS },	 { "reason", SEQUENCE_REASON },
	};
	bool ok = true;

	for (size_t i = 0; i < array_count(rows) && ok; i++)
		ok = set(json, rows[i].name,
			 s->of[rows[i].text].len > 0 ? noun_text(s->of[rows[i].text])
						     : json_null());
	return ok;
}

static bool add_counts(json_t *json, struct audience_txn *txn, u32 id)
{
	json_t *counts = json_object();
	bool ok = counts != NULL;

	for (u32 i = SEQUENCE_WAITING; i <= SEQUENCE_LEFT && ok; i++) {
		u64 count = 0;

		ok = enrolment_count(txn, id, (enum sequence_state)i, &count) == STORE_OK &&
		     set(counts, enrolment_state_name((enum sequence_state)i),
			 json_integer((json_int_t)count));
	}
	return set(json, "contacts", counts) && ok;
}

json_t *sequence_json(struct audience_txn *txn, const struct audience_sequence *s, bool whole)
{
	json_t *json = json_pack("{s:I, s:s, s:s, s:b, s:I, s:I, s:o, s:o, s:o}", "id",
				 (json_int_t)s->id, "state",
				 audience_sequence_state_names[s->state], "start",
				 audience_sequence_start_names[s->start], "track", (int)s->tracks,
				 "late_hours", (json_int_t)s->late_hours, "version",
				 (json_int_t)s->version, "created", noun_time(s->created_ms),
				 "changed", noun_time(s->changed_ms), "started",
				 noun_time(s->started_ms));
	json_t *steps = json_array();
	bool ok = json && steps && set(json, "list", number_or_null(s->list)) &&
		  set(json, "attribute", number_or_null(s->attribute)) &&
		  set(json, "exit_segment", number_or_null(s->exit_segment)) &&
		  add_texts_of(json, s) && add_counts(json, txn, s->id);

	for (u32 i = 0; i < s->step_count && ok; i++)
		ok = json_array_append_new(steps,
					   sequence_step_json(txn, &s->steps[i], whole)) == 0;
	ok = json && set(json, "steps", steps) && ok;
	if (ok)
		return json;
	json_decref(json);
	return NULL;
}

/* ---- who is in it ---- */

const char *enrolment_state_name(enum sequence_state state)
{
	static const char *const names[] = { "unknown", "waiting", "through", "left" };

	return names[state <= SEQUENCE_LEFT ? state : 0];
}

json_t *enrolment_json(const struct audience_enrolment *e)
{
	bool has_time = e->at.due_ms != SEQUENCE_NEVER;
	json_t *done = json_array();

	for (u32 i = 0; i < e->at.done_count; i++)
		json_array_append_new(done, json_integer((json_int_t)e->at.done[i].id));
	return json_pack("{s:I, s:I, s:s, s:o, s:o, s:o, s:o}", "sequence",
			 (json_int_t)e->sequence, "contact", (json_int_t)e->contact, "state",
			 enrolment_state_name(e->at.state), "entered", noun_time(e->entered_ms),
			 "next_step", number_or_null(e->at.step), "next_at",
			 has_time ? noun_time(e->at.due_ms) : json_null(), "done", done);
}

json_t *enrolments_json(struct audience_txn *txn, u32 contact)
{
	struct audience_enrolment enrolment = { .sequence = 0 };
	struct audience_sequence sequence;
	json_t *list = json_array();
	json_t *one;

	while (enrolment_of_contact(txn, contact, enrolment.sequence, &enrolment) == STORE_OK) {
		one = enrolment_json(&enrolment);
		if (audience_sequence_get(txn, enrolment.sequence, &sequence) == STORE_OK)
			json_object_set_new(one, "name", noun_text(sequence.of[SEQUENCE_NAME]));
		if (json_array_append_new(list, one) != 0)
			break;
	}
	return list;
}

/* ---- finding ---- */

bool sequence_may_see(const struct call *call, const struct audience_sequence *sequence)
{
	struct address address;
	struct error error;

	return !call->key.customer[0] ||
	       (issue_from(sequence->of[SEQUENCE_FROM], &address, &error) &&
		strcmp(address.domain, call->key.customer) == 0);
}

bool sequence_find(struct call *call, struct audience_sequence *sequence)
{
	enum store_result result = audience_begin_read(call->web->reader);
	u32 id = 0;

	if (result == STORE_OK)
		result = slice_to_u32(slice_of(call->argument), &id)
				 ? audience_sequence_get(call->web->reader, id, sequence)
				 : STORE_NOT_FOUND;
	if (result == STORE_OK && sequence_may_see(call, sequence))
		return true;
	if (result == STORE_OK || result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such sequence");
	else
		call_refuse(call, 500, NULL, "%s", audience_error_text(call->web->reader));
	return false;
}

struct sequence_order *sequence_order_of_path(struct call *call, enum sequence_act_kind kind)
{
	struct audience_sequence sequence;
	struct sequence_order *order;
	bool is_there = sequence_find(call, &sequence);

	audience_abort(call->web->reader);
	if (!is_there)
		return NULL;
	order = sequence_order_new(call, kind);
	if (order)
		order->id = sequence.id;
	return order;
}
