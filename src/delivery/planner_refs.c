#include "delivery/planner_parts.h"

#include "base/check.h"

#include <stdlib.h>

static bool grow(struct ref_queue *queue)
{
	u32 size = queue->size ? queue->size * 2 : 4;
	struct waiting_row *rows = malloc(size * sizeof(*rows));

	if (!rows)
		return false;
	for (u32 i = 0; i < queue->count; i++)
		rows[i] = queue->rows[(queue->first + i) & (queue->size - 1)];
	free(queue->rows);
	queue->rows = rows;
	queue->size = size;
	queue->first = 0;
	return true;
}

static void push(struct ref_queue *queue, const struct row_ref *ref, struct domain *domain)
{
	if (queue->count == queue->size && !grow(queue))
		CRASH("out of memory for a row that waits");
	queue->rows[(queue->first + queue->count++) & (queue->size - 1)] =
		(struct waiting_row){ *ref, domain };
}

static bool pop(struct ref_queue *queue, struct waiting_row *row)
{
	if (queue->count == 0)
		return false;
	*row = queue->rows[queue->first];
	queue->first = (queue->first + 1) & (queue->size - 1);
	queue->count--;
	/* A queue that held a burst gives its memory back. */
	if (queue->count == 0 && queue->size > 1024)
		ref_queue_done(queue);
	return true;
}

bool ref_queue_pop(struct ref_queue *queue, struct row_ref *ref)
{
	struct waiting_row row;

	if (!pop(queue, &row))
		return false;
	*ref = row.ref;
	return true;
}

void ref_queue_done(struct ref_queue *queue)
{
	free(queue->rows);
	*queue = (struct ref_queue){ 0 };
}

void planner_row_wait(struct planner *planner, struct ref_queue *queue, const struct row_ref *ref)
{
	push(queue, ref, NULL);
	planner->refs_waiting++;
}

bool planner_row_waited(struct planner *planner, struct ref_queue *queue, struct row_ref *ref)
{
	if (!ref_queue_pop(queue, ref))
		return false;
	planner->refs_waiting--;
	return true;
}

/* ---- at routes ---- */

void planner_row_join(struct planner *planner, struct planner_route *route, enum line_kind line,
		      const struct row_ref *ref, struct domain *domain)
{
	struct route_line *at = &route->lines[line];

	push(&planner_line_share(at, ref->id.campaign)->refs, ref, domain);
	at->ref_count++;
	planner->refs_waiting++;
	domain->routed++;
}

void planner_row_leave_share(struct planner *planner, struct route_line *line,
			     struct route_share *share, struct row_ref *ref,
			     struct domain **domain)
{
	struct waiting_row row = { 0 };
	const bool had = pop(&share->refs, &row);

	ASSERT(had);
	line->ref_count--;
	planner->refs_waiting--;
	*ref = row.ref;
	*domain = row.domain;
	if (--row.domain->routed == 0)
		planner_domain_left(planner, row.domain);
}

bool planner_row_leave(struct planner *planner, struct planner_route *route, enum line_kind line,
		       struct row_ref *ref, struct domain **domain)
{
	list_for_each(node, &route->lines[line].shares) {
		struct route_share *share = list_entry(node, struct route_share, node);

		if (share->refs.count == 0)
			continue;
		planner_row_leave_share(planner, &route->lines[line], share, ref, domain);
		planner_line_judge(share);
		return true;
	}
	return false;
}

/* How many. */
static u32 depart(struct planner *planner, struct ref_queue *queue, struct domain *domain)
{
	const u32 before = queue->count;
	u32 kept = 0;

	for (u32 i = 0; i < queue->count; i++) {
		struct waiting_row *row = &queue->rows[(queue->first + i) & (queue->size - 1)];

		if (row->domain == domain) {
			push(&planner->again, &row->ref, NULL);
			domain->routed--;
		} else {
			queue->rows[(queue->first + kept++) & (queue->size - 1)] = *row;
		}
	}
	queue->count = kept;
	return before - kept;
}

void planner_rows_depart(struct planner *planner, struct planner_route *route,
			 struct domain *domain)
{
	if (domain->routed == 0)
		return;
	for (u32 i = 0; i < LINES; i++) {
		struct route_line *line = &route->lines[i];

		list_for_each_safe(node, &line->shares) {
			struct route_share *share = list_entry(node, struct route_share, node);

			line->ref_count -= depart(planner, &share->refs, domain);
			planner_line_judge(share);
		}
	}
	planner->must_work = true;
}

/* ---- for another placement ---- */

void planner_row_touch(struct planner *planner, const struct row_ref *ref)
{
	if (!planner->at_rest)
		push(&planner->touched, ref, NULL);
}

void planner_rows_again(struct planner *planner, struct ref_queue *queue)
{
	struct row_ref ref;

	while (ref_queue_pop(queue, &ref))
		push(&planner->again, &ref, NULL);
}
