#include "campaign/segment_walk.h"

#include "base/check.h"
#include "base/random.h"
#include "campaign/segment_facts.h"
#include "campaign/segment_program.h"
#include "campaign/segment_words.h"
#include "store/audience_campaign_count.h"
#include "store/audience_count.h"

#include <stdlib.h>

#define ANCHORS_MAX 16

struct segment_walk {
	const struct segment *segment;
	struct segment_run *run;
	struct segment_facts facts;
	struct segment_lookup *lookup;
	struct audience_txn *txn;
	bool is_chosen; /* what is walked */
	bool has_anchor;
	struct segment_anchor anchor;
	u64 total;
	u64 seen;
	u32 after;
	u32 left; /* of this slice */
};

struct segment_walk *segment_walk_open(const struct segment *segment,
				       const struct segment_clock *clock)
{
	struct segment_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return NULL;
	walk->segment = segment;
	walk->lookup = segment_lookup_open(segment);
	if (walk->lookup) {
		walk->facts = segment_lookup_facts(walk->lookup);
		walk->run = segment_run_open(segment, clock, &walk->facts);
	}
	if (walk->run)
		return walk;
	segment_walk_close(walk);
	return NULL;
}

void segment_walk_close(struct segment_walk *walk)
{
	if (!walk)
		return;
	segment_run_close(walk->run);
	segment_lookup_close(walk->lookup);
	free(walk);
}

/* ---- what is walked ---- */

static enum store_result count_all(struct audience_txn *txn, u64 *total)
{
	enum store_result result = STORE_OK;
	u64 count;

	*total = 0;
	for (u32 state = CONTACT_PENDING; result == STORE_OK && state <= CONTACT_COMPLAINED;
	     state++) {
		result = audience_count_get(txn, COUNTED_CONTACTS, state, &count);
		*total += result == STORE_OK ? count : 0;
	}
	return result;
}

/* How many entries an index has, whatever they say. */
static enum store_result count_anchor(struct audience_txn *txn,
				      const struct segment_anchor *anchor, u64 *size)
{
	enum store_result result = STORE_OK;
	u64 count;

	*size = 0;
	if (!segment_is_of_list(anchor->subject))
		return campaign_count_get(txn, anchor->id, CAMPAIGN_SENT, 0, size);
	for (u32 state = MEMBER_PENDING; state <= MEMBER_LEFT && result == STORE_OK; state++) {
		result = audience_count_get(txn, COUNTED_MEMBERS, anchor->id * 8 + state, &count);
		*size += result == STORE_OK ? count : 0;
	}
	return result;
}

/* The smallest index, if it is worth it: a contact found by one costs more than the next one. */
static enum store_result choose(struct segment_walk *walk)
{
	struct segment_anchor anchors[ANCHORS_MAX];
	size_t count = segment_anchors(walk->segment, anchors, ANCHORS_MAX);
	enum store_result result = count_all(walk->txn, &walk->total);
	u64 best = walk->total / 2;

	walk->has_anchor = false;
	for (size_t i = 0; i < count && result == STORE_OK; i++) {
		u64 size;

		result = count_anchor(walk->txn, &anchors[i], &size);
		if (result == STORE_OK && size < best) {
			best = size;
			walk->has_anchor = true;
			walk->anchor = anchors[i];
		}
	}
	if (walk->has_anchor)
		walk->total = best;
	walk->is_chosen = result == STORE_OK;
	return result;
}

static bool is_wanted(const struct segment_walk *walk, enum member_state state)
{
	enum segment_subject subject = walk->anchor.subject;

	return state == (subject == SEGMENT_MEMBER ? MEMBER_ACTIVE :
			 subject == SEGMENT_LEFT   ? MEMBER_LEFT :
						     MEMBER_PENDING);
}

/* By the index: an entry that cannot be in the segment is passed by without its contact. */
static enum store_result next_by_anchor(struct segment_walk *walk, struct contact *contact,
					bool *is_there)
{
	struct activity activity;
	enum member_state state;
	enum store_result result;
	u32 id;

	*is_there = true;
	if (segment_is_of_list(walk->anchor.subject)) {
		result = member_after(walk->txn, (u16)walk->anchor.id, walk->after, &id, &state);
		*is_there = result == STORE_OK && is_wanted(walk, state);
	} else {
		result = activity_after(walk->txn, walk->anchor.id, walk->after, &id, &activity);
	}
	if (result != STORE_OK)
		return result;
	walk->after = id;
	if (!*is_there)
		return STORE_OK;
	result = contact_get(walk->txn, id, contact);
	*is_there = result == STORE_OK;
	return result == STORE_NOT_FOUND ? STORE_OK : result; /* erased since */
}

static enum store_result next_contact(struct segment_walk *walk, struct contact *contact,
				      bool *is_there)
{
	enum store_result result;

	if (walk->has_anchor)
		return next_by_anchor(walk, contact, is_there);
	*is_there = true;
	result = contact_after(walk->txn, walk->after, contact);
	if (result == STORE_OK)
		walk->after = contact->id;
	return result;
}

/* ---- slices ---- */

void segment_walk_begin(struct segment_walk *walk, struct audience_txn *txn, u32 after, u32 most)
{
	walk->txn = txn;
	walk->after = after;
	walk->left = most;
	segment_lookup_begin(walk->lookup, txn);
}

enum segment_walk_result segment_walk_next(struct segment_walk *walk, struct contact *contact)
{
	ASSERT(walk->txn);
	if (!walk->is_chosen && choose(walk) != STORE_OK)
		return SEGMENT_WALK_FAILED;
	while (walk->left > 0) {
		bool is_there;
		enum store_result result = next_contact(walk, contact, &is_there);

		if (result == STORE_NOT_FOUND && segment_lookup_is_good(walk->lookup))
			return SEGMENT_WALK_ENDED;
		if (result != STORE_OK)
			return SEGMENT_WALK_FAILED;
		walk->left--;
		walk->seen++;
		if (!is_there || !segment_run_holds(walk->run, contact))
			continue;
		return segment_lookup_is_good(walk->lookup) ? SEGMENT_WALK_FOUND :
							      SEGMENT_WALK_FAILED;
	}
	return segment_lookup_is_good(walk->lookup) ? SEGMENT_WALK_PAUSED : SEGMENT_WALK_FAILED;
}

u32 segment_walk_after(const struct segment_walk *walk)
{
	return walk->after;
}

u64 segment_walk_seen(const struct segment_walk *walk)
{
	return walk->seen;
}

u64 segment_walk_total(const struct segment_walk *walk)
{
	return walk->total;
}

/* ---- others than slices ---- */

bool segment_walk_holds(struct segment_walk *walk, struct audience_txn *txn,
			const struct contact *contact, bool *good)
{
	bool holds;

	segment_walk_begin(walk, txn, contact->id, 0);
	holds = segment_run_holds(walk->run, contact);
	*good = segment_lookup_is_good(walk->lookup);
	return holds && *good;
}

struct segment_run *segment_walk_run(struct segment_walk *walk)
{
	return walk->run;
}

static int ascending(const void *a, const void *b)
{
	u32 left = *(const u32 *)a;
	u32 right = *(const u32 *)b;

	return left < right ? -1 : left > right;
}

/*
 * Ids are given in order, so any of them is as likely as another; those of erased contacts are
 * passed by. In ascending order, so that pages are read once.
 */
bool segment_walk_sample(struct segment_walk *walk, struct audience_txn *txn, u32 size,
			 struct segment_sample *sample)
{
	u32 *ids = calloc(size + 1, sizeof(*ids));
	struct contact contact;
	enum store_result result;
	struct random random;
	u64 seed;
	u32 last;

	*sample = (struct segment_sample){ 0 };
	if (!ids)
		return true; /* a guess that is not there: nothing was seen */
	segment_walk_begin(walk, txn, 0, 0);
	result = count_all(txn, &sample->total);
	if (result == STORE_OK)
		result = contact_before(txn, UINT32_MAX, &contact);
	last = result == STORE_OK ? contact.id : 0;
	random_bytes(&seed, sizeof(seed));
	random_seed(&random, seed);
	for (u32 i = 0; i < size && last > 0; i++)
		ids[i] = 1 + (u32)random_below(&random, last);
	qsort(ids, size, sizeof(*ids), ascending);
	for (u32 i = 0; i < size && result == STORE_OK; i++) {
		result = contact_get(txn, ids[i], &contact);
		if (result == STORE_OK) {
			sample->seen++;
			sample->held += segment_run_holds(walk->run, &contact);
		} else if (result == STORE_NOT_FOUND) {
			result = STORE_OK;
		}
	}
	free(ids);
	return (result == STORE_OK || result == STORE_NOT_FOUND) &&
	       segment_lookup_is_good(walk->lookup);
}
