/*
 * Opens and clicks of one request thread on their way to the store: gathered, and given to the
 * scribe in batches, so that a request neither waits for the disk nor costs a commit. A batch is
 * full or TRACK_PATIENCE_NS old when it goes; while one is under way the next one fills. What comes
 * when both are full is dropped and counted: memory is bounded, and readers go on to be answered.
 */
#ifndef WEB_TRACK_H
#define WEB_TRACK_H

#include "campaign/reaction.h"
#include "io/timer.h"
#include "web/meter.h"
#include "web/scribe.h"

#define TRACK_BATCH 8192 /* events; 20 bytes each */
#define TRACK_PATIENCE_NS (200 * NS_PER_MS)

struct track;

/* NULL: no memory. All outlive it. */
struct track *track_open(struct scribe_desk *desk, struct timer_wheel *wheel,
			 struct meter_worker *meter);
/* Nothing of it is under way. NULL is fine. */
void track_close(struct track *track);

void track_add(struct track *track, const struct reaction *reaction);
/* Gives what was gathered to the scribe now, if none is under way. */
void track_flush(struct track *track);
/* Something is under way or gathered. */
bool track_is_busy(const struct track *track);

#endif
