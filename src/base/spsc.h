/*
 * Queue of pointers from exactly one thread to exactly one other, without locks. Capacity is a
 * power of two, fixed at init. What the writer stored before spsc_push is seen by the reader after
 * spsc_pop.
 */
#ifndef BASE_SPSC_H
#define BASE_SPSC_H

#include "base/types.h"

struct spsc {
	void **items;
	u32 mask;
	_Alignas(CACHE_LINE) _Atomic u32 tail; /* written by the writer */
	u32 head_seen;                         /* the writer's last view of head */
	_Alignas(CACHE_LINE) _Atomic u32 head; /* written by the reader */
	u32 tail_seen;                         /* the reader's last view of tail */
};

bool spsc_init(struct spsc *queue, u32 capacity) MUST_CHECK; /* false: no memory */
void spsc_done(struct spsc *queue);

bool spsc_push(struct spsc *queue, void *item) MUST_CHECK; /* false: full */
void *spsc_pop(struct spsc *queue);                        /* NULL: empty */
/* Reader's side; may be stale by what the writer does at this moment. */
bool spsc_is_empty(const struct spsc *queue);

#endif
