#include "campaign/segment.h"

#include <stdlib.h>

#define CHUNK_SIZE 4096
#define MEMORY_MAX (1u << 20)

struct segment *segment_open(void)
{
	struct segment *segment = calloc(1, sizeof(*segment));

	if (segment)
		arena_init(&segment->arena, CHUNK_SIZE, MEMORY_MAX);
	return segment;
}

void segment_free(struct segment *segment)
{
	if (!segment)
		return;
	arena_done(&segment->arena);
	free(segment);
}

struct segment_node *segment_add(struct segment *segment, enum segment_kind kind)
{
	struct segment_node *node;

	if (segment->node_count == SEGMENT_NODES_MAX)
		return NULL;
	node = arena_take(&segment->arena, sizeof(*node));
	if (!node)
		return NULL;
	node->kind = kind;
	segment->node_count++;
	return node;
}

bool segment_make_values(struct segment *segment, struct segment_node *node, size_t count)
{
	node->values = arena_take(&segment->arena, count * sizeof(*node->values));
	node->value_count = node->values ? (u32)count : 0;
	return node->values != NULL;
}

bool segment_set_value(struct segment *segment, struct segment_node *node, size_t index,
		       struct slice value)
{
	node->values[index] = arena_copy(&segment->arena, value);
	return node->values[index].ptr != NULL;
}

struct segment *segment_of_text(struct slice text, const struct segment_names *names,
				struct segment_problem *problem)
{
	struct segment *segment = segment_open();

	if (!segment) {
		*problem = (struct segment_problem){ .column = 1 };
		error_set(&problem->error, "no memory");
		return NULL;
	}
	if (segment_read_text(segment, text, problem) && segment_settle(segment, names, problem))
		return segment;
	problem->node = NULL; /* it goes with the tree */
	segment_free(segment);
	return NULL;
}
