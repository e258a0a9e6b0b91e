/*
 * queue.list: sites, or deferred rows; queue.doubt list: rows held in doubt.
 */
#include "base/text.h"
#include "send/control_parts.h"
#include "send/control_site.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 100000

/* ---- what all of them have ---- */

struct row_list {
	struct control_stream stream;
	struct site_census census;
	struct planner_filter filter;
	struct buf address; /* what the filter's texts point to */
	struct buf domain;
	struct row_ref at;
	u64 limit;
	u64 count;
	char after[256]; /* of sites */
	struct campaign_names names;
};

static void list_free(struct control_stream *stream)
{
	struct row_list *list = container_of(stream, struct row_list, stream);

	census_done(&list->census);
	buf_done(&list->address);
	buf_done(&list->domain);
	free(list);
}

static struct row_list *list_make(struct control_link *link,
				  bool (*step)(struct control_link *, struct control_stream *))
{
	struct row_list *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	list->stream = (struct control_stream){ .step = step, .free = list_free };
	buf_init(&list->address, ADDRESS_WIRE_MAX + 1);
	buf_init(&list->domain, ADDRESS_WIRE_MAX + 1);
	census_init(&list->census, link->control);
	return list;
}

/* Reads what the rows must be; refuses the request. */
static bool list_filter(struct control_link *link, struct row_list *list,
			const struct control_selection *selection)
{
	struct address parsed;

	if (!control_find_word(link, selection->campaign, &list->filter.campaign))
		return false;
	if (selection->domain &&
	    !control_domain(link, selection->domain, &list->domain, &list->filter.domain))
		return false;
	if (!selection->address)
		return true;
	if (!control_address(link, selection->address, &parsed, &list->address))
		return false;
	list->filter.address = buf_slice(&list->address);
	return true;
}

static void page_reply(struct control_link *link, u64 count, bool more, const char *next)
{
	link_reply(link, json_pack("{s:I, s:b, s:o}", "count", (json_int_t)count, "more", (int)more,
				   "next", answer_text_of(slice_of(more ? next : ""))));
}

/* ---- rows: deferred, or held ---- */

static json_t *deferred_json(const struct planner *planner, const struct queue_row *row,
			     const char *campaign)
{
	const u64 due_ms = planner_wall_of_due(planner, row->ref.due_ms);

	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:i, s:o, s:o}", "address",
			 answer_text_of(row->address), "campaign",
			 answer_text_of(slice_of(campaign)), "campaign_id",
			 (json_int_t)row->ref.id.campaign, "due_ms", (json_int_t)due_ms,
			 "attempts", (json_int_t)row->attempts, "code", (int)row->last_code,
			 "reason", answer_text_of(row->reply), "host", answer_text_of(row->host));
}

/* `since_ms` is when its attempt began: the row does not say when the doubt was found. */
static json_t *doubt_json(const struct queue_row *row, const char *campaign)
{
	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:o}", "address", answer_text_of(row->address),
			 "campaign", answer_text_of(slice_of(campaign)), "campaign_id",
			 (json_int_t)row->ref.id.campaign, "since_ms", (json_int_t)row->first_ms,
			 "attempts", (json_int_t)row->attempts, "host", answer_text_of(row->host));
}

static void rows_reply(struct control_link *link, const struct row_list *list, bool more)
{
	char next[128];

	if (list->at.place == ROW_DOUBT) {
		link_reply(link, json_pack("{s:I}", "count", (json_int_t)list->count));
		return;
	}
	snprintf(next, sizeof(next), "%" PRIu64 ".%u.%u.%u", list->at.due_ms, list->at.id.campaign,
		 list->at.id.domain, list->at.id.seq);
	page_reply(link, list->count, more, next);
}

static bool rows_step(struct control_link *link, struct control_stream *stream)
{
	struct row_list *list = container_of(stream, struct row_list, stream);
	struct planner *planner = link->control->params.planner;
	struct queue *queue = planner_queue(planner);
	enum store_result result = STORE_OK;
	const char *campaign;
	struct queue_row row;

	if (!slice_begin(link))
		return false;
	for (u32 i = 0;
	     i < SLICE_ROWS && list->count < list->limit && link_unsent(link) < LINK_OUTPUT_SOFT;
	     i++) {
		result = queue_row_next(queue, &list->at, UINT64_MAX, &row);
		if (result != STORE_OK)
			break;
		list->at = row.ref;
		if (!planner_filter_matches(&list->filter, &row))
			continue;
		list->count++;
		campaign = campaign_name(&list->names, queue, row.ref.id.campaign);
		if (list->at.place == ROW_DOUBT)
			link_item(link, doubt_json(&row, campaign));
		else
			link_item(link, deferred_json(planner, &row, campaign));
	}
	if (!slice_end(link, result))
		return false;
	if (result == STORE_OK && list->count < list->limit)
		return true;
	rows_reply(link, list, result == STORE_OK);
	return false;
}

void control_doubt_list(struct control_link *link, const struct control_selection *selection)
{
	struct row_list *list = list_make(link, rows_step);

	if (list) {
		list->at.place = ROW_DOUBT;
		list->limit = UINT64_MAX;
		if (!list_filter(link, list, selection)) {
			list_free(&list->stream);
			return;
		}
	}
	link_stream(link, list ? &list->stream : NULL);
}

/* ---- sites ---- */

static bool sites_reply(struct control_link *link, struct row_list *list)
{
	struct site_census *census = &list->census;
	const char *last = "";
	bool more = false;

	census_sort_by_name(census);
	for (u32 i = 0; i < census->count && !more; i++) {
		const struct site_count *site = census->sites[i];
		bool is_empty = site->queued + site->deferred == 0;

		if (strcmp(site->name, list->after) <= 0 || (list->filter.campaign && is_empty))
			continue;
		more = list->count == list->limit;
		if (more)
			break;
		list->count++;
		last = site->name;
		link_item(link, answer_site(link->control, site));
	}
	page_reply(link, list->count, more, last);
	return false;
}

static bool sites_step(struct control_link *link, struct control_stream *stream)
{
	struct row_list *list = container_of(stream, struct row_list, stream);
	enum census_result result = census_step(link, &list->census);

	if (result == CENSUS_DONE)
		return sites_reply(link, list);
	return result == CENSUS_MORE;
}

static bool sites_begin(struct control_link *link, struct row_list *list, const char *after)
{
	const char *site;
	struct error error;

	list->stream.step = sites_step;
	/* So many fit the output beside one another. */
	list->limit = min_u64(list->limit, LIMIT_DEFAULT);
	list->census.campaign = list->filter.campaign;
	slice_copy(list->after, sizeof(list->after), slice_of(after ? after : ""));
	if (!list->filter.domain.ptr)
		return true;
	site = planner_site_of_domain(link->control->params.planner, list->filter.domain);
	if (!site) {
		error_set(&error, "it is not known yet which site takes the mail of %.*s",
			  SLICE_FMT(list->filter.domain));
		link_refuse(link, CONTROL_NOT_FOUND, error.text);
		return false;
	}
	buf_reset(&list->address);
	buf_add_text(&list->address, site);
	list->census.only = buf_slice(&list->address);
	return true;
}

static bool read_cursor(struct control_link *link, struct row_list *list, const char *after)
{
	struct slice rest = slice_of(after);
	struct row_ref *at = &list->at;

	if (slice_to_u64(slice_split(&rest, '.'), &at->due_ms) &&
	    slice_to_u32(slice_split(&rest, '.'), &at->id.campaign) &&
	    slice_to_u32(slice_split(&rest, '.'), &at->id.domain) && rest.ptr &&
	    slice_to_u32(rest, &at->id.seq))
		return true;
	link_refuse(link, CONTROL_BAD_REQUEST, "queue.list: \"after\" is not what an answer gave");
	return false;
}

void control_queue_list(struct control_link *link, const struct control_request *request)
{
	struct control_selection selection;
	struct row_list *list;
	struct error error;
	bool ok;

	if (!control_read_selection(request,
				    SELECT_CAMPAIGN | SELECT_DOMAIN | SELECT_ROWS | SELECT_PAGE, 0,
				    &selection, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	list = list_make(link, rows_step);
	if (!list) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	list->at.place = ROW_DEFERRED;
	list->limit = min_u64(selection.limit ? selection.limit : LIMIT_DEFAULT, LIMIT_MAX);
	ok = list_filter(link, list, &selection);
	if (ok && !selection.rows)
		ok = sites_begin(link, list, selection.after);
	else if (ok && selection.after)
		ok = read_cursor(link, list, selection.after);
	if (ok)
		link_stream(link, &list->stream);
	else
		list_free(&list->stream);
}
