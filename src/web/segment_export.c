/* A segment's contacts as a table to download: for the interface and for pages. */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/import_guess.h"
#include "campaign/segment_walk.h"
#include "web/contact_export.h"
#include "web/query.h"
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

void api_segment_export(struct call *call)
{
	struct contact_export what = { .takes = takes, .owner_done = chosen_close };
	struct segment *segment;
	struct time_zone zone;
	char encoding[16];

	if (!web_query_text(call, "encoding", encoding, sizeof(encoding)))
		return;
	what.is_cp932 = import_encoding_of(slice_of(encoding)) == IMPORT_SHIFT_JIS;
	if (encoding[0] && !what.is_cp932 &&
	    import_encoding_of(slice_of(encoding)) != IMPORT_UTF8) {
		call_refuse(call, 422, NULL, "an export is in utf-8 or cp932");
		return;
	}
	segment = load(call, &zone);
	if (!segment)
		return;
	what.owner = choose(segment, &zone);
	if (what.owner)
		contact_export_answer(call, &what);
	else
		call_refuse(call, 503, NULL, "no memory");
}
