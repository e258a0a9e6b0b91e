/*
 * A count of rows by site, for status and queue.list. Which lanes and routes there are is noted at
 * the first step; rows of lanes are counted and deferred rows are read in slices. At most
 * CENSUS_ROWS_MAX deferred rows are looked at (those that are due first), so that a look at a huge
 * queue ends soon.
 */
#ifndef SEND_CONTROL_SITE_H
#define SEND_CONTROL_SITE_H

#include "base/map.h"
#include "send/control_parts.h"

#define CENSUS_ROWS_MAX 1000000
/* Stands for the sites of domains whose receivers are not known; no site is named like this. */
#define CENSUS_UNKNOWN "unresolved"

struct site_count {
	char name[256];
	u64 queued;    /* rows of its active lanes, rows that wait in memory or are with a worker */
	u64 deferred;  /* at rest */
	u64 paused_ms; /* backing off for so long; 0: not */
	bool is_suspended;
	char reason[256];
};

struct census_lane {
	struct site_count *site;
	struct row_id last;
};

struct site_census {
	struct send_control *control;
	struct site_count **sites;
	u32 count;
	u32 size;
	struct map by_name;
	struct census_lane *lanes;
	u32 lane_count;
	u32 lanes_size;
	u32 lanes_done;
	struct row_ref at;
	u64 seen;
	bool began;
	bool failed;       /* no memory */
	u32 campaign;      /* only rows of this one; 0: all */
	struct slice only; /* only this site; no pointer: all */
};

enum census_result { CENSUS_MORE, CENSUS_DONE, CENSUS_REFUSED };

void census_init(struct site_census *census, struct send_control *control);
void census_done(struct site_census *census);
/* One slice. REFUSED: the request was. */
enum census_result census_step(struct control_link *link, struct site_census *census);
void census_sort_by_rows(struct site_census *census); /* most rows first */
void census_sort_by_name(struct site_census *census);
json_t *answer_site(struct send_control *control, const struct site_count *site);

#endif
