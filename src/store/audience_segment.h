/*
 * Segments as they are kept: a name, and the condition as text in which attributes and lists stand
 * by their ids (campaign/segment.h SEGMENT_BY_ID), so that it outlives new names.
 */
#ifndef STORE_AUDIENCE_SEGMENT_H
#define STORE_AUDIENCE_SEGMENT_H

#include "store/audience.h"

#define SEGMENTS_MAX 1000
#define SEGMENT_NAME_MAX 200 /* bytes */
#define SEGMENT_BY_MAX 200   /* bytes */
#define SEGMENT_KEPT_MAX 20000 /* bytes of the condition */

/* Slices are views of the record, or of what is to be kept. */
struct audience_segment {
	u32 id;
	u32 version; /* 1, and one more with each change */
	u64 created_ms;
	u64 changed_ms;
	struct slice by; /* who changed it last: "user mori", "api shop" */
	struct slice name; /* for people; no two have the same */
	struct slice text;
};

enum store_result audience_segment_get(struct audience_txn *txn, u32 id,
				       struct audience_segment *segment) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result audience_segment_after(struct audience_txn *txn, u32 id,
					 struct audience_segment *segment) MUST_CHECK;
/* By name, in any letter case. */
enum store_result audience_segment_find(struct audience_txn *txn, struct slice name,
					struct audience_segment *segment) MUST_CHECK;
enum store_result audience_segment_count(struct audience_txn *txn, u32 *count) MUST_CHECK;

/* A new one: gives it its id. Lengths and number are right; its slices are no views. */
enum store_result audience_segment_add(struct audience_txn *txn,
				       struct audience_segment *segment) MUST_CHECK;
/* In place of the one with its id. */
enum store_result audience_segment_put(struct audience_txn *txn,
				       const struct audience_segment *segment) MUST_CHECK;
enum store_result audience_segment_delete(struct audience_txn *txn, u32 id) MUST_CHECK;

#endif
