#include "send/control_site.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define SLICE_LANES 200 /* each takes a few dozen looks into the queue */

void census_init(struct site_census *census, struct send_control *control)
{
	*census = (struct site_census){ .control = control };
	map_init(&census->by_name);
}

void census_done(struct site_census *census)
{
	for (u32 i = 0; i < census->count; i++)
		free(census->sites[i]);
	free(census->sites);
	free(census->lanes);
	map_done(&census->by_name);
}

/* ---- sites ---- */

static bool grow(struct site_census *census)
{
	u32 size = census->size ? census->size * 2 : 64;
	struct site_count **sites = realloc(census->sites, size * sizeof(*sites));

	if (!sites)
		return false;
	census->sites = sites;
	census->size = size;
	return true;
}

/* The count of a site; NULL: not asked for, or no memory (then the census has failed). */
static struct site_count *site_of(struct site_census *census, struct slice name)
{
	struct site_count *site;

	if (census->failed || (census->only.ptr && !slice_equal(census->only, name)))
		return NULL;
	site = map_find(&census->by_name, name);
	if (site)
		return site;
	site = calloc(1, sizeof(*site));
	if (site && (census->count < census->size || grow(census))) {
		slice_copy(site->name, sizeof(site->name), name);
		if (map_add(&census->by_name, slice_of(site->name), site)) {
			census->sites[census->count++] = site;
			return site;
		}
	}
	free(site);
	census->failed = true;
	return NULL;
}

/* ---- what is in memory ---- */

static bool note_route(void *context, const struct planner_route_status *status)
{
	struct site_census *census = context;
	struct site_count *site = site_of(census, slice_of(status->site));

	if (!site)
		return !census->failed;
	site->queued += status->waiting + status->in_flight;
	site->is_suspended |= status->suspended;
	if (status->paused_for_ms > site->paused_ms || !site->reason[0])
		slice_copy(site->reason, sizeof(site->reason), slice_of(status->reason));
	site->paused_ms = max_u64(site->paused_ms, status->paused_for_ms);
	return true;
}

static bool note_lane(void *context, const struct planner_lane_status *status)
{
	struct site_census *census = context;
	struct site_count *site;

	if (census->campaign && census->campaign != status->last.campaign)
		return true;
	site = site_of(census, slice_of(status->site ? status->site : CENSUS_UNKNOWN));
	if (!site)
		return !census->failed;
	if (census->lane_count == census->lanes_size) {
		u32 size = census->lanes_size ? census->lanes_size * 2 : 256;
		struct census_lane *lanes = realloc(census->lanes, size * sizeof(*lanes));

		census->failed = !lanes;
		if (!lanes)
			return false;
		census->lanes = lanes;
		census->lanes_size = size;
	}
	census->lanes[census->lane_count++] = (struct census_lane){ site, status->last };
	return true;
}

/* Also one to which no mail went since the start. */
static bool note_suspended(void *context, const char *name)
{
	struct site_census *census = context;
	struct site_count *site = site_of(census, slice_of(name));

	if (site)
		site->is_suspended = true;
	return !census->failed;
}

/* Rows in memory are not counted by campaign: with that filter only lanes and rows at rest are. */
static void begin(struct site_census *census)
{
	struct planner *planner = census->control->params.planner;

	census->began = true;
	census->at = planner_due_cursor(planner);
	census->at.place = ROW_DEFERRED;
	if (!census->campaign) {
		planner_routes(planner, control_now_ns(census->control), note_route, census);
		planner_suspensions(planner, note_suspended, census);
	}
	planner_lanes(planner, note_lane, census);
}

/* ---- what is in the queue ---- */

static bool has_row_behind(struct queue *queue, const struct row_id *lane, u64 seq,
			   enum store_result *result)
{
	struct row_ref after = { .place = ROW_LANE, .id = *lane };
	struct queue_row row;

	if (seq >= UINT32_MAX || *result == STORE_FULL || *result == STORE_FAILED)
		return false;
	after.id.seq = (u32)seq;
	*result = queue_row_next(queue, &after, 0, &row);
	return *result == STORE_OK;
}

/*
 * Rows of a lane that were not taken yet. They are numbered without gaps, and none of them is gone:
 * so the last one's number is found by halving, whatever the lane's length.
 */
static u64 count_lane(struct queue *queue, const struct row_id *last, enum store_result *result)
{
	u64 first = last->seq;
	u64 low = first;
	u64 high = first + 1;

	if (!has_row_behind(queue, last, low, result))
		return 0;
	while (has_row_behind(queue, last, high, result)) {
		low = high;
		high = first + (high - first) * 2;
	}
	while (high - low > 1) {
		u64 middle = low + (high - low) / 2;

		if (has_row_behind(queue, last, middle, result))
			low = middle;
		else
			high = middle;
	}
	return high - first;
}

static enum store_result count_lanes(struct site_census *census, struct queue *queue)
{
	enum store_result result = STORE_OK;

	for (u32 i = 0; i < SLICE_LANES && census->lanes_done < census->lane_count; i++) {
		struct census_lane *lane = &census->lanes[census->lanes_done++];

		lane->site->queued += count_lane(queue, &lane->last, &result);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result count_deferred(struct site_census *census, struct queue *queue)
{
	struct planner *planner = census->control->params.planner;
	enum store_result result = STORE_OK;
	struct queue_row row;

	for (u32 i = 0; i < SLICE_ROWS && census->seen < CENSUS_ROWS_MAX; i++) {
		const char *name;
		struct site_count *site;

		result = queue_row_next(queue, &census->at, UINT64_MAX, &row);
		if (result != STORE_OK)
			return result;
		census->at = row.ref;
		census->seen++;
		if (census->campaign && row.ref.id.campaign != census->campaign)
			continue;
		name = planner_site_of_domain(planner, address_wire_domain(row.address));
		site = site_of(census, slice_of(name ? name : CENSUS_UNKNOWN));
		if (site)
			site->deferred++;
	}
	return census->seen < CENSUS_ROWS_MAX ? STORE_OK : STORE_NOT_FOUND;
}

enum census_result census_step(struct control_link *link, struct site_census *census)
{
	struct queue *queue = planner_queue(census->control->params.planner);
	enum store_result result;
	bool first = !census->began;

	if (!slice_begin(link))
		return CENSUS_REFUSED;
	if (first) {
		begin(census);
		result = STORE_OK;
	} else if (census->lanes_done < census->lane_count) {
		result = count_lanes(census, queue);
	} else {
		result = count_deferred(census, queue);
	}
	if (!slice_end(link, result))
		return CENSUS_REFUSED;
	if (census->failed) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return CENSUS_REFUSED;
	}
	return result == STORE_OK ? CENSUS_MORE : CENSUS_DONE;
}

/* ---- answers ---- */

static int compare_names(const void *a, const void *b)
{
	const struct site_count *x = *(const struct site_count *const *)a;
	const struct site_count *y = *(const struct site_count *const *)b;

	return strcmp(x->name, y->name);
}

static int compare_rows(const void *a, const void *b)
{
	const struct site_count *x = *(const struct site_count *const *)a;
	const struct site_count *y = *(const struct site_count *const *)b;
	u64 rows_x = x->queued + x->deferred;
	u64 rows_y = y->queued + y->deferred;

	if (rows_x != rows_y)
		return rows_x < rows_y ? 1 : -1;
	return compare_names(a, b);
}

void census_sort_by_rows(struct site_census *census)
{
	if (census->count > 1)
		qsort(census->sites, census->count, sizeof(census->sites[0]), compare_rows);
}

void census_sort_by_name(struct site_census *census)
{
	if (census->count > 1)
		qsort(census->sites, census->count, sizeof(census->sites[0]), compare_names);
}

static u64 sessions_of(const struct metrics *metrics, const char *site)
{
	u32 count = metrics_route_count(metrics);
	struct metrics_route sum;
	u64 sessions = 0;

	for (u32 i = 0; i < count; i++) {
		if (strcmp(metrics_route_site(metrics, i), site) != 0)
			continue;
		metrics_route_sum(metrics, i, &sum);
		sessions += sum.sessions_open;
	}
	return sessions;
}

json_t *answer_site(struct send_control *control, const struct site_count *site)
{
	const struct metrics *metrics = control->params.metrics;
	const char *state = site->is_suspended ? "suspended"
			    : site->paused_ms  ? "backing-off"
					       : "open";
	const char *reason = site->reason;

	if (site->is_suspended)
		reason = "suspended by the operator";
	else if (strcmp(site->name, CENSUS_UNKNOWN) == 0)
		reason = "the receivers of these domains are not known yet";
	else if (!site->paused_ms)
		reason = "";
	return json_pack("{s:s, s:I, s:I, s:I, s:f, s:I, s:s, s:o}", "site", site->name, "queued",
			 (json_int_t)site->queued, "deferred", (json_int_t)site->deferred,
			 "sessions", (json_int_t)sessions_of(metrics, site->name), "rate",
			 rate_site(&control->rate, metrics, site->name), "next_ms",
			 (json_int_t)(site->paused_ms ? clock_wall_ms() + site->paused_ms : 0),
			 "state", state, "reason", answer_text_of(slice_of(reason)));
}
