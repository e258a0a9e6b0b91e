/* A segment's contacts as a table to download: for the interface and for pages. */
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/segment_catalog.h"
#include "campaign/segment_walk.h"
#include "web/contact_export.h"
#include "web/page.h"
#include "web/route.h"
#include "web/segment_order.h"
#include "web/setting.h"

#include <stdlib.h>

/* What the stream asks; it decides at the moment at which it began. */
struct chosen {
	struct segment *segment;
	struct time_zone zone;
	struct segment_walk *walk;
};

static void chosen_close(void *owner)
{
	struct chosen *chosen = owner;

	segment_walk_close(chosen->walk);
	segment_free(chosen->segment);
	free(chosen);
}

static bool takes(void *owner, struct audience_txn *txn, const struct contact *contact)
{
	const struct chosen *chosen = owner;
	bool is_good;

	/* When the store fails here it fails for the walk's next contact, too, which tells it. */
	return segment_walk_holds(chosen->walk, txn, contact, &is_good);
}

/* NULL: no memory. Takes the segment. */
static struct chosen *choose(struct segment *segment, const struct time_zone *zone)
{
	struct chosen *chosen = calloc(1, sizeof(*chosen));
	struct segment_clock clock;

	if (!chosen) {
		segment_free(segment);
		return NULL;
	}
	chosen->segment = segment;
	chosen->zone = *zone;
	clock = (struct segment_clock){ clock_wall_ms(), &chosen->zone };
	chosen->walk = segment_walk_open(segment, &clock);
	if (chosen->walk)
		return chosen;
	chosen_close(chosen);
	return NULL;
}

/* The segment of the path. NULL: answered. */
static struct segment *load(struct call *call, struct time_zone *zone)
{
	struct segment_problem problem = { .column = 0 };
	struct segment *segment = NULL;
	enum store_result result = audience_begin_read(call->web->reader);
	u32 id;

	if (!slice_to_u32(slice_of(call->argument), &id))
		id = 0;
	if (result == STORE_OK) {
		setting_zone(call->web->reader, zone);
		segment = segment_load(call->web->reader, id, &result, &problem);
		audience_abort(call->web->reader);
	}
	if (segment)
		return segment;
	segment_refuse(call, result, &problem);
	return NULL;
}

bool contact_export_choose(struct contact_export *what, struct segment *segment,
			   const struct time_zone *zone)
{
	what->takes = takes;
	what->owner_done = chosen_close;
	what->owner = choose(segment, zone);
	return what->owner != NULL;
}

static struct segment *read_text(struct call *call, struct slice text, struct error *error)
{
	struct segment_problem problem = { .column = 0 };
	struct segment_catalog catalog;
	struct segment *segment;
	struct slice why;

	segment_catalog_init(&catalog, call->web->reader);
	segment = segment_of_text(text, &catalog.names, &problem);
	if (segment)
		return segment;
	/* An error is cut where it is full, which may be within a character. */
	why = slice_of(problem.error.text);
	for (u32 i = 0; i < 3 && why.len > 0 && !utf8_is_valid(why); i++)
		why.len--;
	error_set(error, "column %u: %.*s", problem.column, SLICE_FMT(why));
	return NULL;
}

bool contact_export_narrow(struct contact_export *what, struct call *call, struct error *error)
{
	struct slice text = slice_trim(call_query(call, "segment"));
	struct segment *segment;
	struct time_zone zone;

	if (text.len == 0)
		return true;
	if (text.len > SEGMENT_TEXT_MAX)
		return error_set(error, "longer than %d bytes", SEGMENT_TEXT_MAX);
	segment = read_text(call, text, error);
	if (!segment)
		return false;
	setting_zone(call->web->reader, &zone);
	return contact_export_choose(what, segment, &zone) || error_set(error, "no memory");
}

void api_segment_export(struct call *call)
{
	struct contact_export what = { 0 };
	struct segment *segment;
	struct time_zone zone;
	struct nouns *nouns;
	bool good;

	if (!nouns_begin(call, &nouns))
		return;
	good = contact_export_read(&what, call, nouns);
	nouns_end(call, nouns);
	segment = good ? load(call, &zone) : NULL;
	if (!segment)
		return;
	if (contact_export_choose(&what, segment, &zone))
		contact_export_answer(call, &what);
	else
		call_refuse(call, 503, NULL, "no memory");
}
