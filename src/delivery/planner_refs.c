#include "delivery/planner_parts.h"

#include "base/check.h"

#include <stdlib.h>

static bool grow(struct ref_queue *queue)
{
	u32 size = queue->size ? queue->size * 2 : 16;
	struct row_ref *refs = malloc(size * sizeof(*refs));

	if (!refs)
		return false;
	for (u32 i = 0; i < queue->count; i++)
		refs[i] = queue->refs[(queue->first + i) & (queue->size - 1)];
	free(queue->refs);
	queue->refs = refs;
	queue->size = size;
	queue->first = 0;
	return true;
}

bool ref_queue_push(struct ref_queue *queue, const struct row_ref *ref)
{
	if (queue->count == queue->size && !grow(queue))
		return false;
	queue->refs[(queue->first + queue->count++) & (queue->size - 1)] = *ref;
	return true;
}

bool ref_queue_pop(struct ref_queue *queue, struct row_ref *ref)
{
	if (queue->count == 0)
		return false;
	*ref = queue->refs[queue->first];
	queue->first = (queue->first + 1) & (queue->size - 1);
	queue->count--;
	/* A queue that held a burst gives its memory back. */
	if (queue->count == 0 && queue->size > 1024)
		ref_queue_done(queue);
	return true;
}

void ref_queue_done(struct ref_queue *queue)
{
	free(queue->refs);
	*queue = (struct ref_queue){ 0 };
}

static void push(struct ref_queue *queue, const struct row_ref *ref)
{
	if (!ref_queue_push(queue, ref))
		CRASH("out of memory for a row that waits");
}

void planner_row_wait(struct planner *planner, struct ref_queue *queue, const struct row_ref *ref)
{
	push(queue, ref);
	planner->refs_waiting++;
}

bool planner_row_waited(struct planner *planner, struct ref_queue *queue, struct row_ref *ref)
{
	if (!ref_queue_pop(queue, ref))
		return false;
	planner->refs_waiting--;
	return true;
}

void planner_row_touch(struct planner *planner, const struct row_ref *ref)
{
	push(&planner->touched, ref);
}

void planner_rows_again(struct planner *planner, struct ref_queue *queue)
{
	struct row_ref ref;

	while (ref_queue_pop(queue, &ref))
		push(&planner->again, &ref);
}
