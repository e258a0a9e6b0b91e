/*
 * Replies that no pattern knew, counted by shape (smtp/reply_words.h), so that somebody can see
 * which ones are worth a pattern. A fixed number of shapes is kept; a new one takes the place of
 * the rarest and goes on from its count, so that what comes often is never missed ("space saving",
 * Metwally, Agrawal, El Abbadi 2005): a shape came at most `count` and at least count - over times,
 * and whatever came in more than one of REPLY_TALLY_MAX cases is there. Pure.
 */
#ifndef DELIVERY_REPLY_TALLY_H
#define DELIVERY_REPLY_TALLY_H

#include "base/smtp_class.h"
#include "base/types.h"
#include "smtp/reply_words.h"

#define REPLY_TALLY_MAX 64
#define REPLY_EXAMPLE_MAX 200
#define REPLY_HOST_MAX 128

/* A reply as it came. */
struct reply_sample {
	u16 code;
	u16 enhanced[3];
	enum smtp_class class; /* what was guessed */
	u64 wall_ms;
	struct slice text; /* cut at REPLY_EXAMPLE_MAX */
	struct slice host; /* may be empty; cut at REPLY_HOST_MAX */
};

/* One shape with one code; the rest is of the last reply that had them. */
struct reply_shape {
	u64 count;
	u64 over;
	u64 last_ms;
	u16 code;
	u16 enhanced[3];
	u16 shape_len;
	u16 example_len;
	u16 host_len;
	u8 class;
	char shape[SMTP_REPLY_SHAPE_MAX];
	char example[REPLY_EXAMPLE_MAX];
	char host[REPLY_HOST_MAX];
};

struct reply_tally { /* zeroed: empty */
	u64 total;
	u32 count;
	struct reply_shape shapes[REPLY_TALLY_MAX];
};

void reply_tally_note(struct reply_tally *tally, const struct reply_sample *sample);
/* The most frequent first; returns how many. They are valid until the next note. */
u32 reply_tally_sort(const struct reply_tally *tally,
		     const struct reply_shape *out[REPLY_TALLY_MAX]);

#endif
