#include "base/spsc.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stdlib.h>

bool spsc_init(struct spsc *queue, u32 capacity)
{
	ASSERT(capacity > 0 && (capacity & (capacity - 1)) == 0);
	*queue = (struct spsc){ .mask = capacity - 1 };
	queue->items = calloc(capacity, sizeof(void *));
	return queue->items != NULL;
}

void spsc_done(struct spsc *queue)
{
	free(queue->items);
	queue->items = NULL;
}

bool spsc_push(struct spsc *queue, void *item)
{
	u32 tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);

	if (tail - queue->head_seen > queue->mask) {
		queue->head_seen = atomic_load_explicit(&queue->head, memory_order_acquire);
		if (tail - queue->head_seen > queue->mask)
			return false;
	}
	queue->items[tail & queue->mask] = item;
	atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
	return true;
}

void *spsc_pop(struct spsc *queue)
{
	u32 head = atomic_load_explicit(&queue->head, memory_order_relaxed);
	void *item;

	if (head == queue->tail_seen) {
		queue->tail_seen = atomic_load_explicit(&queue->tail, memory_order_acquire);
		if (head == queue->tail_seen)
			return NULL;
	}
	item = queue->items[head & queue->mask];
	atomic_store_explicit(&queue->head, head + 1, memory_order_release);
	return item;
}

bool spsc_is_empty(const struct spsc *queue)
{
	return atomic_load_explicit(&queue->head, memory_order_relaxed) ==
	       atomic_load_explicit(&queue->tail, memory_order_acquire);
}
