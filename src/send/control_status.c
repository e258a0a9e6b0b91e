/*
 * status: rates, totals, the queue and its sites.
 */
#include "base/version.h"
#include "send/control_parts.h"
#include "send/control_site.h"

#include <stdlib.h>
#include <unistd.h>

#define STATUS_SITES 200 /* the busiest; `queue.list` has them all */

static struct metrics_route sum_all(const struct send_control *control)
{
	const struct metrics *metrics = control->params.metrics;
	u32 count = metrics_route_count(metrics);
	struct metrics_route all = { 0 };
	struct metrics_route one;

	for (u32 i = 0; i < count; i++) {
		metrics_route_sum(metrics, i, &one);
		all.delivered += one.delivered;
		all.failed += one.failed;
		all.deferred += one.deferred;
		all.in_doubt += one.in_doubt;
		all.sessions_open += one.sessions_open;
	}
	return all;
}

u64 control_sessions_open(const struct send_control *control)
{
	return sum_all(control).sessions_open;
}

static bool add_in_flight(void *context, const struct planner_route_status *status)
{
	*(u64 *)context += status->in_flight;
	return true;
}

static u64 in_flight(struct send_control *control)
{
	u64 count = 0;

	planner_routes(control->params.planner, control_now_ns(control), add_in_flight, &count);
	return count;
}

static json_t *queue_json(struct send_control *control, u64 flying)
{
	struct queue *queue = planner_queue(control->params.planner);
	struct queue_stats stats = { 0 };
	u64 waiting;

	if (queue_stats(queue, &stats) != STORE_OK)
		return NULL;
	/* Rows stay in their tables while they are with a worker; most of them come from lanes. */
	waiting = stats.lane_rows > flying ? stats.lane_rows - flying : 0;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "waiting", (json_int_t)waiting,
			 "deferred", (json_int_t)stats.deferred_rows, "in_flight",
			 (json_int_t)flying, "held", (json_int_t)stats.doubt_rows, "map_used",
			 (json_int_t)(stats.pages_used * stats.page_size), "map_max",
			 (json_int_t)control->params.config->queue.map_size_max, "nearly_full",
			 (int)queue_is_nearly_full(queue), "lacks_room",
			 (int)planner_lacks_room(control->params.planner));
}

/* False: the queue cannot be read, which the client has been told. */
static bool campaigns_json(struct control_link *link, json_t **campaigns)
{
	struct queue *queue = planner_queue(link->control->params.planner);
	u64 states[CAMPAIGN_CANCELLED + 1] = { 0 };
	struct queue_campaign campaign = { 0 };
	enum store_result result;

	if (!slice_begin(link))
		return false;
	while ((result = queue_campaign_next(queue, campaign.id, &campaign)) == STORE_OK) {
		if (campaign.state <= CAMPAIGN_CANCELLED)
			states[campaign.state]++;
	}
	if (!slice_end(link, result))
		return false;
	*campaigns = json_pack(
		"{s:I, s:I, s:I, s:I}", "running", (json_int_t)states[CAMPAIGN_RUNNING], "paused",
		(json_int_t)states[CAMPAIGN_PAUSED], "ready", (json_int_t)states[CAMPAIGN_READY],
		"done", (json_int_t)states[CAMPAIGN_DONE]);
	return true;
}

static json_t *sites_json(struct control_link *link, struct site_census *census)
{
	json_t *sites = json_array();

	census_sort_by_rows(census);
	for (u32 i = 0; i < census->count && i < STATUS_SITES; i++)
		json_array_append_new(sites, answer_site(link->control, census->sites[i]));
	return sites;
}

static json_t *rates_json(const struct control_rate *rate)
{
	return json_pack("{s:f, s:f, s:f}", "1m", rate_total(rate, 60), "5m", rate_total(rate, 300),
			 "15m", rate_total(rate, 900));
}

/* What came in about mail that was sent, and how much waits to be read; NULL: no such role. */
static json_t *inbound_json(const struct send_control *control)
{
	const struct control_inbound *told = &control->inbound;
	const struct metrics_planner *m = metrics_planner(control->params.metrics);
	json_t *json;

	if (told->at_ns == 0)
		return NULL;
	json = json_pack("{s:I, s:I, s:I, s:I}", "told_ms",
			 (json_int_t)((control_now_ns(control) - told->at_ns) / NS_PER_MS), "files",
			 (json_int_t)told->files, "bytes", (json_int_t)told->bytes, "oldest_ms",
			 (json_int_t)told->oldest_ms);
	for (u32 i = 0; i < METRICS_REPORTS; i++)
		json_object_set_new(json, metrics_report_names[i],
				    json_integer((json_int_t)metric_get(&m->reports[i])));
	return json;
}

static void reply(struct control_link *link, struct site_census *census)
{
	struct send_control *control = link->control;
	const struct metrics_route all = sum_all(control);
	bool stopping = control->stop_requested || planner_is_stopping(control->params.planner);
	const char *state = stopping ? "stopping" :
			    planner_is_recovering(control->params.planner) ? "recovering" :
									      "running";
	u64 uptime_ms = (control_now_ns(control) - control->opened_ns) / NS_PER_MS;
	u64 flying = in_flight(control);
	/* A session with nothing under way is idle; at most one message is counted for each. */
	u64 busy = min_u64(all.sessions_open, flying);
	json_t *campaigns;

	if (!campaigns_json(link, &campaigns))
		return;
	/* What there was no memory for is NULL, and so is the whole: the connection is closed. */
	link_reply(link,
		   json_pack("{s:s, s:i, s:s, s:I, s:o, s:{s:I, s:I, s:I, s:I}, s:{s:I, s:I, s:I},"
			     " s:o, s:o, s:o, s:o*}",
			     "version", HIKYAKU_VERSION, "pid", (int)getpid(), "state",
			     state, "uptime_ms", (json_int_t)uptime_ms,
			     "rates", rates_json(&control->rate), "totals", "delivered",
			     (json_int_t)all.delivered, "failed", (json_int_t)all.failed,
			     "deferred", (json_int_t)all.deferred, "in_doubt",
			     (json_int_t)all.in_doubt, "sessions", "open",
			     (json_int_t)all.sessions_open, "busy", (json_int_t)busy, "idle",
			     (json_int_t)(all.sessions_open - busy), "queue",
			     queue_json(control, flying), "campaigns", campaigns, "sites",
			     sites_json(link, census), "inbound", inbound_json(control)));
}

/* ---- the stream: counting the deferred rows of sites takes a while ---- */

struct status_stream {
	struct control_stream stream;
	struct site_census census;
};

static bool status_step(struct control_link *link, struct control_stream *stream)
{
	struct status_stream *status = container_of(stream, struct status_stream, stream);
	enum census_result result = census_step(link, &status->census);

	if (result == CENSUS_DONE)
		reply(link, &status->census);
	return result == CENSUS_MORE;
}

static void status_free(struct control_stream *stream)
{
	struct status_stream *status = container_of(stream, struct status_stream, stream);

	census_done(&status->census);
	free(status);
}

void control_status(struct control_link *link, const struct control_request *request)
{
	struct status_stream *status;
	struct error error;

	if (!control_read(request->json, request->command, NULL, 0, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	status = calloc(1, sizeof(*status));
	if (status) {
		status->stream.step = status_step;
		status->stream.free = status_free;
		census_init(&status->census, link->control);
	}
	link_stream(link, status ? &status->stream : NULL);
}
