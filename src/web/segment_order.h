/* Keeping segments: orders to the scribe, for the interface and for pages. */
#ifndef WEB_SEGMENT_ORDER_H
#define WEB_SEGMENT_ORDER_H

#include "campaign/segment_catalog.h"
#include "web/call.h"

enum segment_order_kind { SEGMENT_ORDER_ADD, SEGMENT_ORDER_CHANGE, SEGMENT_ORDER_DELETE };

/* What an order that went well (call_order_is_well) may have found. */
enum segment_order_end {
	SEGMENT_ORDER_DONE,
	SEGMENT_ORDER_NAME_TAKEN,
	SEGMENT_ORDER_TOO_MANY, /* SEGMENTS_MAX */
	SEGMENT_ORDER_OUTDATED, /* it was changed since the version that was given */
	SEGMENT_ORDER_GONE,
	SEGMENT_ORDER_USED, /* by a sequence: it is not deleted */
};

struct segment_order {
	struct call_order order; /* .answer is the giver's */
	enum segment_order_kind kind;
	struct call_author author;
	u32 id;	     /* of a new one: set by then */
	u32 wanted;  /* the version that is to be changed; 0: any */
	u32 version; /* set by then: that it has now */
	char name[SEGMENT_NAME_MAX + 1]; /* "": stays */
	enum segment_order_end end;
	size_t text_len; /* 0: stays */
	char text[]; /* by ids */
};

/*
 * Levels of groups that a kept segment has at most: fewer than the language has, so that a campaign
 * can join several with its list.
 */
#define SEGMENT_KEPT_DEPTH_MAX 12

/*
 * A new order of the call, to be given by call_give_order once the fields after `text` are set. The
 * segment is settled, or NULL. NULL: no memory, or it is too long or too deep to be kept; the call
 * is not answered.
 */
struct segment_order *segment_order_make(const struct call *call, enum segment_order_kind kind,
					 const struct segment *segment,
					 struct error *error) MUST_CHECK;

/* Answers for a kept segment that segment_load did not give, by what it said. */
void segment_refuse(struct call *call, enum store_result result,
		    const struct segment_problem *problem);

#endif
