#include "campaign/sequence_run.h"

#include "base/calendar.h"
#include "base/text.h"
#include "campaign/segment_catalog.h"
#include "campaign/segment_walk.h"
#include "campaign/send_window.h"
#include "store/audience_campaign.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "store/audience_step_mail.h"

#include <stdlib.h>
#include <string.h>

#define CONDITIONS_MAX (SEQUENCE_STEPS_MAX + 1)
#define SENT_AT_ONCE SEQUENCE_STEPS_MAX
#define SWEEP_FACTOR 10 /* contacts that are asked for a date, for each enrolment of a batch */

/* A segment that steps ask for, ready to be asked. */
struct condition {
	u32 id;
	struct segment *segment;
	struct segment_walk *walk;
};

struct run {
	struct audience_txn *txn;
	struct audience_sequence kept;
	struct sequence sequence;
	struct time_zone zone;
	u64 now_ms;
	u32 most;
	struct condition conditions[CONDITIONS_MAX];
	u32 condition_count;
	const struct contact *contact; /* that is looked at */
	struct sequence_ran *ran;
};

bool sequence_of(const struct audience_sequence *kept, struct time_zone *zone,
		 struct sequence *sequence, struct error *error)
{
	static const enum sequence_start starts[AUDIENCE_SEQUENCE_STARTS] = {
		[AUDIENCE_SEQUENCE_BY_LIST] = SEQUENCE_BY_MOMENT,
		[AUDIENCE_SEQUENCE_BY_EVENT] = SEQUENCE_BY_MOMENT,
		[AUDIENCE_SEQUENCE_BY_DATE] = SEQUENCE_BY_DATE,
		[AUDIENCE_SEQUENCE_YEARLY] = SEQUENCE_YEARLY,
	};
	struct slice name = kept->of[SEQUENCE_ZONE];

	if (!time_zone_find(name.len > 0 ? name : SLICE("UTC"), zone))
		return error_set(error, "there is no time zone %.*s", SLICE_FMT(name));
	*sequence = (struct sequence){ .start = starts[kept->start],
				       .zone = zone,
				       .exit_segment = kept->exit_segment,
				       .late_hours = kept->late_hours,
				       .step_count = kept->step_count };
	memcpy(sequence->steps, kept->steps, sizeof(sequence->steps));
	return sequence_check(sequence, error);
}

/* ---- whether there is anything to do ---- */

static bool is_open(const struct audience_sequence *kept, u64 now_ms)
{
	struct slice name = kept->of[SEQUENCE_ZONE];
	struct send_window window;
	struct time_zone zone;

	return time_zone_find(name.len > 0 ? name : SLICE("UTC"), &zone) &&
	       send_window_read(kept->of[SEQUENCE_DAYS], kept->of[SEQUENCE_HOURS], &window) &&
	       send_window_is_open(&window, &zone, now_ms);
}

static bool is_by_date(const struct audience_sequence *kept)
{
	return kept->start == AUDIENCE_SEQUENCE_BY_DATE || kept->start == AUDIENCE_SEQUENCE_YEARLY;
}

/* The sender has so many to take that more would only wait. */
static bool is_ahead(struct audience_txn *txn, const struct audience_sequence *kept)
{
	struct audience_campaign campaign;
	u64 last;

	for (u32 i = 0; i < kept->step_count; i++) {
		if (step_mail_last(txn, kept->steps[i].id, &last) == STORE_OK &&
		    audience_campaign_get(txn, kept->steps[i].id, &campaign) == STORE_OK &&
		    last > campaign.cursor + SEQUENCE_AHEAD_MAX)
			return true;
	}
	return false;
}

static bool has_due(struct audience_txn *txn, u32 id, u64 now_ms)
{
	const struct enrolment_place first = { 0, 0 };
	struct enrolment_place place;

	return enrolment_next(txn, id, &first, &place) == STORE_OK && place.due_ms <= now_ms;
}

bool sequence_is_due(struct audience_txn *txn, const struct audience_sequence *kept, u64 now_ms)
{
	if (kept->state != AUDIENCE_SEQUENCE_RUNNING || now_ms < CLOCK_EARLIEST_MS ||
	    !is_open(kept, now_ms))
		return false;
	return (is_by_date(kept) && kept->swept < UINT32_MAX) ||
	       kept->looked_contact < UINT32_MAX ||
	       (has_due(txn, kept->id, now_ms) && !is_ahead(txn, kept));
}

/* ---- conditions ---- */

static struct condition *find_condition(struct run *run, u32 id)
{
	for (u32 i = 0; i < run->condition_count; i++) {
		if (run->conditions[i].id == id)
			return &run->conditions[i];
	}
	return NULL;
}

static enum store_result open_condition(struct run *run, u32 id)
{
	const struct segment_clock clock = { run->now_ms, &run->zone };
	struct condition *condition = &run->conditions[run->condition_count];
	struct segment_problem problem = { .error = { "no memory" } };
	enum store_result result = STORE_OK;

	if (id == 0 || find_condition(run, id))
		return STORE_OK;
	*condition = (struct condition){ .id = id };
	run->condition_count++;
	condition->segment = segment_load(run->txn, id, &result, &problem);
	if (condition->segment)
		condition->walk = segment_walk_open(condition->segment, &clock);
	if (condition->walk)
		return STORE_OK;
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	run->ran->is_paused = !error_set(&run->ran->error, "segment %u cannot be asked: %s", id,
					 result == STORE_NOT_FOUND ? "there is none any more"
								   : problem.error.text);
	return STORE_OK;
}

static enum store_result open_conditions(struct run *run)
{
	enum store_result result = open_condition(run, run->sequence.exit_segment);

	for (u32 i = 0; i < run->sequence.step_count && result == STORE_OK; i++)
		result = open_condition(run, run->sequence.steps[i].segment);
	return result;
}

static void close_conditions(struct run *run)
{
	for (u32 i = 0; i < run->condition_count; i++) {
		segment_walk_close(run->conditions[i].walk);
		segment_free(run->conditions[i].segment);
	}
}

static bool is_in(void *owner, u32 segment)
{
	struct run *run = owner;
	struct condition *condition = find_condition(run, segment);
	bool good = true;

	/* A read that fails dooms the transaction: what is decided by it is not kept. */
	return condition && condition->walk &&
	       segment_walk_holds(condition->walk, run->txn, run->contact, &good) && good;
}

/* ---- one enrolment ---- */

static struct sequence_contact known_of(struct run *run, const struct contact *contact)
{
	struct sequence_contact known = {
		.is_reachable = enrolment_is_reachable(contact, run->kept.list),
		.is_in = is_in,
		.owner = run,
	};

	if (is_by_date(&run->kept))
		known.has_date = calendar_parse(
			contact_find_value(contact->values, run->kept.attribute), &known.date);
	return known;
}

/* What came of a look, before any of it is written: the contact is a view until then. */
struct look {
	u32 sent[SENT_AT_ONCE];
	u32 sent_count;
	u32 passed[SENT_AT_ONCE];
	u32 passed_count;
};

static void advance(struct run *run, const struct contact *contact,
		    struct sequence_enrolment *at, struct look *look)
{
	const struct sequence_contact known = known_of(run, contact);
	enum sequence_act act = SEQUENCE_SEND;
	u32 step;

	run->contact = contact;
	look->sent_count = look->passed_count = 0;
	while ((act == SEQUENCE_SEND || act == SEQUENCE_PASS) &&
	       look->sent_count + look->passed_count < SENT_AT_ONCE) {
		act = sequence_advance(&run->sequence, &known, run->now_ms, at, &step);
		if (act == SEQUENCE_SEND)
			look->sent[look->sent_count++] = step;
		else if (act == SEQUENCE_PASS)
			look->passed[look->passed_count++] = step;
	}
	if (act == SEQUENCE_OVER)
		at->due_ms = SEQUENCE_NEVER;
}

static enum store_result keep(struct run *run, u32 contact, const struct look *look)
{
	enum store_result result = STORE_OK;

	for (u32 i = 0; i < look->sent_count && result == STORE_OK; i++)
		result = step_mail_add(run->txn, look->sent[i], contact);
	for (u32 i = 0; i < look->passed_count && result == STORE_OK; i++)
		result = campaign_count_change(run->txn, look->passed[i], CAMPAIGN_PASSED_BY, 0,
					       1);
	run->ran->sent += look->sent_count;
	run->ran->passed += look->passed_count;
	return result;
}

static enum store_result look_at(struct run *run, u32 id)
{
	struct audience_enrolment enrolment;
	struct contact contact;
	struct look look;
	enum store_result result = contact_get(run->txn, id, &contact);

	run->ran->looked++;
	if (result == STORE_NOT_FOUND)
		return enrolments_erase(run->txn, id);
	if (result == STORE_OK)
		result = enrolment_get(run->txn, run->kept.id, id, &enrolment);
	if (result != STORE_OK)
		return result;
	advance(run, &contact, &enrolment.at, &look);
	result = keep(run, id, &look);
	return result == STORE_OK ? enrolment_put(run->txn, &enrolment) : result;
}

static enum store_result look_at_due(struct run *run)
{
	const struct enrolment_place first = { 0, 0 };
	struct enrolment_place place;
	enum store_result result = STORE_OK;

	while (result == STORE_OK && run->ran->looked < run->most) {
		result = enrolment_next(run->txn, run->kept.id, &first, &place);
		if (result != STORE_OK || place.due_ms > run->now_ms)
			break;
		result = look_at(run, place.contact);
	}
	if (result == STORE_OK)
		run->ran->has_more |= run->ran->looked >= run->most;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* ---- looking through many ---- */

/* How far it is now; the rest of the record as it is. */
static enum store_result keep_progress(struct run *run)
{
	struct audience_sequence now;
	enum store_result result = audience_sequence_get(run->txn, run->kept.id, &now);

	if (result != STORE_OK)
		return result;
	now.swept = run->kept.swept;
	now.looked_due_ms = run->kept.looked_due_ms;
	now.looked_contact = run->kept.looked_contact;
	return audience_sequence_put(run->txn, &now);
}

/* Those who wait, in the order of their moments; who moves ahead is looked at twice. */
static enum store_result look_anew(struct run *run)
{
	struct enrolment_place place = { run->kept.looked_due_ms, run->kept.looked_contact };
	enum store_result result = STORE_OK;

	if (run->kept.looked_contact == UINT32_MAX)
		return STORE_OK;
	while (result == STORE_OK && run->ran->looked < run->most) {
		result = enrolment_next(run->txn, run->kept.id, &place, &place);
		if (result == STORE_OK && place.due_ms == SEQUENCE_NEVER &&
		    !is_by_date(&run->kept))
			result = STORE_NOT_FOUND;
		if (result == STORE_OK)
			result = look_at(run, place.contact);
	}
	if (result == STORE_NOT_FOUND)
		place.contact = UINT32_MAX;
	else if (result != STORE_OK)
		return result;
	run->kept.looked_due_ms = place.due_ms;
	run->kept.looked_contact = place.contact;
	run->ran->has_more |= place.contact < UINT32_MAX;
	return keep_progress(run);
}

/* Whoever has a date enters; who is in it already stays as he is. */
static enum store_result sweep(struct run *run)
{
	struct audience_enrolment known;
	struct contact contact;
	enum store_result result = STORE_OK;
	bool entered;

	if (!is_by_date(&run->kept) || run->kept.swept == UINT32_MAX)
		return STORE_OK;
	for (u32 i = 0; i < run->most * SWEEP_FACTOR && result == STORE_OK; i++) {
		result = contact_after(run->txn, run->kept.swept, &contact);
		if (result != STORE_OK)
			break;
		run->kept.swept = contact.id;
		if (!enrolment_is_reachable(&contact, run->kept.list) ||
		    contact_find_value(contact.values, run->kept.attribute).len == 0)
			continue;
		result = enrolment_get(run->txn, run->kept.id, contact.id, &known);
		if (result == STORE_NOT_FOUND)
			result = enrolment_enter(run->txn, run->kept.id, run->kept.swept,
						 run->now_ms, &entered);
	}
	if (result == STORE_NOT_FOUND)
		run->kept.swept = UINT32_MAX;
	else if (result != STORE_OK)
		return result;
	run->ran->has_more |= run->kept.swept < UINT32_MAX;
	return keep_progress(run);
}

/* ---- a batch ---- */

static enum store_result pause(struct run *run)
{
	struct audience_sequence now;
	enum store_result result = audience_sequence_get(run->txn, run->kept.id, &now);

	if (result != STORE_OK)
		return result;
	now.state = AUDIENCE_SEQUENCE_PAUSED;
	now.changed_ms = run->now_ms;
	now.of[SEQUENCE_REASON] = slice_of(run->ran->error.text);
	return audience_sequence_put(run->txn, &now);
}

static enum store_result run_batch(struct run *run)
{
	enum store_result result = run->ran->is_paused ? STORE_OK : open_conditions(run);

	if (result == STORE_OK && !run->ran->is_paused)
		result = sweep(run);
	if (result == STORE_OK && !run->ran->is_paused)
		result = look_anew(run);
	if (result == STORE_OK && !run->ran->is_paused && !is_ahead(run->txn, &run->kept))
		result = look_at_due(run);
	if (result == STORE_OK && run->ran->is_paused)
		result = pause(run);
	return result;
}

enum store_result sequence_run(struct audience_txn *txn, u32 id, u64 now_ms, u32 most,
			       struct sequence_ran *ran)
{
	struct run *run = calloc(1, sizeof(*run));
	enum store_result result;

	*ran = (struct sequence_ran){ 0 };
	if (!run)
		return STORE_FULL;
	run->txn = txn;
	run->now_ms = now_ms;
	run->most = most;
	run->ran = ran;
	result = audience_sequence_get(txn, id, &run->kept);
	if (result == STORE_OK && sequence_is_due(txn, &run->kept, now_ms)) {
		ran->is_paused = !sequence_of(&run->kept, &run->zone, &run->sequence, &ran->error);
		result = run_batch(run);
	}
	close_conditions(run);
	free(run);
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
