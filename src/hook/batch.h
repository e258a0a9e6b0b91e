/*
 * A batch: entries of the delivery log as the body of one post. The same entries make the same id,
 * so a receiver that got them already, and whose answer was lost, can tell.
 *
 *   {"type": "delivery.batch", "timestamp": "2026-11-30T14:05:09.123Z",
 *    "data": {"hook": "crm", "events": [{"id": "4711-1764511509123", "type": "delivered",
 *             "timestamp": "...", "number": 4711, "address": ..., ...}, ...]}}
 *
 * An event has the fields of control/README.md's *log entry*, an id of its own, and its outcome as
 * type.
 */
#ifndef HOOK_BATCH_H
#define HOOK_BATCH_H

#include "base/buf.h"
#include "base/config.h"
#include "base/types.h"

#include <jansson.h>

#define HOOK_BODY_MAX (16u << 20)
#define HOOK_ID_MAX 160

struct hook_batch {
	struct buf body;
	char id[HOOK_ID_MAX];
	u64 count; /* events; 0: nothing is to be posted */
	u64 upto;  /* entries up to here are in it, or were not meant */
};

void hook_batch_init(struct hook_batch *batch);
void hook_batch_done(struct hook_batch *batch);

/*
 * From a list of log entries; those of customers that the hook does not ask for are left out.
 * False: no memory.
 */
bool hook_batch_make(struct hook_batch *batch, const struct config_hook *hook, const json_t *items,
		     u64 upto, u64 now_ms) MUST_CHECK;
/* An event of type "test", with nothing in it. */
bool hook_batch_make_test(struct hook_batch *batch, const struct config_hook *hook,
			  u64 now_ms) MUST_CHECK;

#endif
