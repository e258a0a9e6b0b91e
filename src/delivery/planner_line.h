/*
 * What waits in memory: queues of rows, and the two lines of a route. Shared by planner*.c only.
 */
#ifndef DELIVERY_PLANNER_LINE_H
#define DELIVERY_PLANNER_LINE_H

#include "base/list.h"
#include "base/types.h"
#include "store/queue.h"

struct domain;
struct lane;
struct planner;
struct planner_campaign;
struct planner_route;

/* A row in memory that waits. */
struct waiting_row {
	struct row_ref ref;
	struct domain *domain; /* at a route: its own; else NULL */
};

/* First in, first out; grows. */
struct ref_queue {
	struct waiting_row *rows;
	u32 size; /* power of two or 0 */
	u32 first;
	u32 count;
};

/* Mail that somebody waits for goes before mail that may take its time. */
enum line_kind { LINE_URGENT, LINE_BULK, LINES };

/* What waits at a route of one kind. */
struct route_line {
	struct list shares; /* of campaigns with lanes or rows here; they take turns */
	u32 ref_count;      /* in all of them */
};

/* What waits of one campaign at one route. */
struct route_share {
	struct list node;      /* of its line */
	struct list lanes;     /* they take turns, too */
	struct ref_queue refs; /* due and returned rows */
	u32 campaign;
	u32 turn;      /* rows that were taken since its turn began */
	u32 lane_turn; /* and of its first lane */
};

/* Rows that may be lent; of them, for LINE_BULK. */
struct route_room {
	u32 all;
	u32 bulk;
};

/* ---- planner_refs.c ---- */
bool ref_queue_pop(struct ref_queue *queue, struct row_ref *ref);
void ref_queue_done(struct ref_queue *queue);
/* A row in memory waits in one of the planner's queues and is counted; without memory we crash. */
void planner_row_wait(struct planner *planner, struct ref_queue *queue, const struct row_ref *ref);
bool planner_row_waited(struct planner *planner, struct ref_queue *queue, struct row_ref *ref);
/*
 * The same at a route. The domain is kept, and its answer fresh, while rows of it wait anywhere;
 * the one that a row leaves with is valid until the end of the turn.
 */
void planner_row_join(struct planner *planner, struct planner_route *route, enum line_kind line,
		      const struct row_ref *ref, struct domain *domain);
bool planner_row_leave(struct planner *planner, struct planner_route *route, enum line_kind line,
		       struct row_ref *ref, struct domain **domain);
/* One of that share, which has some; the share stays until planner_line_judge. */
void planner_row_leave_share(struct planner *planner, struct route_line *line,
			     struct route_share *share, struct row_ref *ref,
			     struct domain **domain);
/* All rows of the domain leave the route, to be placed anew. */
void planner_rows_depart(struct planner *planner, struct planner_route *route,
			 struct domain *domain);
/* Rows that wait in `queue` (counted already) wait to be placed anew instead. */
void planner_rows_again(struct planner *planner, struct ref_queue *queue);
/*
 * A row that no worker holds is about to be changed: when the transaction does not come to be it is
 * placed anew. Before anything can fail.
 */
void planner_row_touch(struct planner *planner, const struct row_ref *ref);

/* ---- planner_line.c ---- */
void planner_lines_init(struct planner_route *route);
void planner_lines_done(struct planner_route *route); /* lanes that stand there are freed */
bool planner_line_has_rows(const struct route_line *line);
/* At its route, in the share of its campaign. */
void planner_lane_join(struct planner_route *route, struct lane *lane);
void planner_lane_leave(struct lane *lane);
/* The campaign's; made when there is none. Without memory we crash. */
struct route_share *planner_line_share(struct route_line *line, u32 campaign);
/* When nothing waits in it any more, it is gone. */
void planner_line_judge(struct route_share *share);
/* No more rows of the campaign are to wait at the route. */
bool planner_line_is_full(const struct route_line *line, u32 campaign);
/* The share whose turn it is, and whose turn for one row this is; NULL: nothing waits. */
struct route_share *planner_line_next(struct route_line *line);
/* A lane of the first share that has one; NULL: there is none. */
struct lane *planner_line_lane(struct route_line *line);
/* The next row of a share is to be an old one: both kinds by turns, so that neither starves. */
bool planner_share_wants_old(const struct route_share *share);
/* A row of that lane was lent. */
void planner_lane_took(struct lane *lane);

#endif
