/*
 * What `check identity` found last, by domain, for the page of metrics: the console tells it and
 * goes away. Bounded: of more than IDENTITY_NOTES_MAX domains the one that was checked longest ago
 * gives way.
 */
#ifndef INIT_IDENTITY_NOTE_H
#define INIT_IDENTITY_NOTE_H

#include "base/buf.h"
#include "base/types.h"

#define IDENTITY_NOTES_MAX 16

struct identity_note {
	char domain[254];
	bool is_aligned; /* SPF or DKIM vouches for its mail */
	u64 failed;      /* checks */
	u64 checked_s;   /* since 1970 */
};

struct identity_notes {
	struct identity_note list[IDENTITY_NOTES_MAX];
	u32 count;
};

/* False: that is no domain name. */
bool identity_notes_set(struct identity_notes *notes, struct slice domain, bool is_aligned,
			u64 failed, u64 now_s) MUST_CHECK;

/* Appends the metrics, in the text format 0.0.4; nothing when nothing was noted. */
void identity_notes_expose(const struct identity_notes *notes, struct buf *page);

#endif
