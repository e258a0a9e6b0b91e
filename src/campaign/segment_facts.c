#include "campaign/segment_facts.h"

#include "campaign/segment_program.h"
#include "campaign/segment_words.h"
#include "store/audience_contact.h"

#include <stdlib.h>

#define HISTORY_MAX 1000 /* entries of a contact that are looked at for its consent */

/*
 * From `from` to before `next` there is no entry; at `next` there is one, unless it is UINT32_MAX.
 */
struct window {
	u32 from;
	u32 next;
};

struct activity_window {
	u32 campaign;
	struct window window;
	struct activity activity;
};

struct segment_lookup {
	struct audience_txn *txn;
	enum store_result result;
	struct window window;
	struct behaviour behaviour;
	size_t activity_count;
	struct activity_window activities[]; /* one for each campaign that is asked for */
};

static const struct window nowhere = { UINT32_MAX, 0 };

static bool is_behind(const struct window *window, u32 contact)
{
	return contact < window->from || contact > window->next;
}

/* ---- life ---- */

static struct activity_window *find(struct segment_lookup *lookup, u32 campaign)
{
	for (size_t i = 0; i < lookup->activity_count; i++) {
		if (lookup->activities[i].campaign == campaign)
			return &lookup->activities[i];
	}
	return NULL;
}

struct segment_lookup *segment_lookup_open(const struct segment *segment)
{
	const struct segment_program *program = segment->program;
	struct segment_lookup *lookup =
		calloc(1, sizeof(*lookup) +
				  program->step_count * sizeof(struct activity_window));

	if (!lookup)
		return NULL;
	for (u32 i = 0; i < program->step_count; i++) {
		const struct segment_node *test = program->steps[i].test;

		if (segment_is_behaviour(test->subject) && test->id > 0 && !find(lookup, test->id))
			lookup->activities[lookup->activity_count++].campaign = test->id;
	}
	return lookup;
}

void segment_lookup_close(struct segment_lookup *lookup)
{
	free(lookup);
}

void segment_lookup_begin(struct segment_lookup *lookup, struct audience_txn *txn)
{
	lookup->txn = txn;
	lookup->result = STORE_OK;
	lookup->window = nowhere;
	for (size_t i = 0; i < lookup->activity_count; i++)
		lookup->activities[i].window = nowhere;
}

bool segment_lookup_is_good(const struct segment_lookup *lookup)
{
	return lookup->result == STORE_OK;
}

/* ---- answers ---- */

/* What was found behind contact - 1. False: the store failed. */
static bool move_to(struct segment_lookup *lookup, struct window *window, u32 contact,
		    enum store_result result, u32 found)
{
	*window = nowhere;
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		lookup->result = result;
		return false;
	}
	window->from = contact;
	window->next = result == STORE_OK ? found : UINT32_MAX;
	return true;
}

static void get_behaviour(void *owner, u32 contact, struct behaviour *behaviour)
{
	struct segment_lookup *lookup = owner;
	u32 found = 0;

	*behaviour = (struct behaviour){ 0 };
	if (is_behind(&lookup->window, contact)) {
		enum store_result result =
			behaviour_after(lookup->txn, contact - 1, &found, &lookup->behaviour);

		if (!move_to(lookup, &lookup->window, contact, result, found))
			return;
	}
	if (lookup->window.next == contact)
		*behaviour = lookup->behaviour;
}

static void get_activity(void *owner, u32 campaign, u32 contact, struct activity *activity)
{
	struct segment_lookup *lookup = owner;
	struct activity_window *at = find(lookup, campaign);
	u32 found = 0;

	*activity = (struct activity){ 0 };
	if (is_behind(&at->window, contact)) {
		enum store_result result = activity_after(lookup->txn, campaign, contact - 1,
							  &found, &at->activity);

		if (!move_to(lookup, &at->window, contact, result, found))
			return;
	}
	if (at->window.next == contact)
		*activity = at->activity;
}

static u64 get_consent(void *owner, u32 contact)
{
	struct segment_lookup *lookup = owner;
	struct history_event event = { .at_ms = UINT64_MAX };

	for (u32 i = 0; i < HISTORY_MAX; i++) {
		enum store_result result = contact_history_before(
			lookup->txn, contact, event.at_ms, event.number, &event);

		if (result != STORE_OK) {
			if (result != STORE_NOT_FOUND)
				lookup->result = result;
			return 0;
		}
		if (event.kind == HISTORY_CONSENT || event.kind == HISTORY_CONFIRMED)
			return event.at_ms;
	}
	return 0;
}

struct segment_facts segment_lookup_facts(struct segment_lookup *lookup)
{
	return (struct segment_facts){ lookup, get_behaviour, get_activity, get_consent };
}
