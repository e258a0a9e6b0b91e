/*
 * campaign.append and campaign.close: rows for a campaign that was created open. They are gathered
 * up to the END and stored in one transaction with the cursor, or not at all; so whoever brings
 * them asks after a crash where the cursor stands (campaign.status) and goes on behind it.
 */
#include "base/log.h"
#include "base/text.h"
#include "send/control_parts.h"

#include <stdlib.h>

#define APPENDS_MAX 8 /* at once: each may hold CONTROL_APPEND_BYTES */
#define REASON_MAX 512

struct control_append {
	struct queue_campaign campaign;
	struct control_campaign_append what;
	struct buf bytes; /* rows, as they came: slices point into it */
	size_t column_count;
};

static void free_append(struct control_link *link)
{
	buf_done(&link->append->bytes);
	free(link->append);
	link->append = NULL;
	link->control->append_count--;
}

void control_append_abort(struct control_link *link)
{
	if (link->append)
		free_append(link);
}

/* What the client has sent already is ignored up to its END. */
static void refuse(struct control_link *link, enum control_code code, const char *sentence)
{
	control_append_abort(link);
	link->state = LINK_DRAIN;
	link_refuse(link, code, sentence);
}

/* How many columns the campaign's rows have. False: refused. */
static bool count_columns(struct control_link *link, u32 id, size_t *count)
{
	struct queue *queue = planner_queue(link->control->params.planner);
	struct slice names = SLICE_NONE;
	enum store_result result;

	if (!slice_begin(link))
		return false;
	result = queue_blob_get(queue, id, "columns", &names);
	*count = 0;
	while (result == STORE_OK && names.ptr && names.len > 0) {
		slice_split(&names, '\n');
		*count += 1;
	}
	return slice_end(link, result);
}

static const char *why_not(struct control_link *link, const struct queue_campaign *campaign,
			   struct error *error)
{
	if (!campaign->is_open) {
		error_set(error, "campaign %s is %s and takes no rows", campaign->name,
			  queue_campaign_state_name(campaign->state));
		return error->text;
	}
	if (link->control->append_count >= APPENDS_MAX)
		return "too many appends are under way: try again in a moment";
	return NULL;
}

void control_append_begin(struct control_link *link, const struct control_request *request)
{
	struct control_campaign_append what;
	struct control_campaign_ref ref = { 0 };
	struct control_append *append;
	struct queue_campaign campaign;
	const char *reason;
	struct error error;

	link->state = LINK_DRAIN; /* its rows follow, whatever is said */
	if (!control_read_append(request, &what, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	ref.id = what.id;
	if (!control_find(link, &ref, &campaign))
		return;
	reason = why_not(link, &campaign, &error);
	if (reason) {
		link_refuse(link, campaign.is_open ? CONTROL_FULL : CONTROL_CONFLICT, reason);
		return;
	}
	append = calloc(1, sizeof(*append));
	if (!append) {
		link_refuse(link, CONTROL_FAILED, "out of memory for rows");
		return;
	}
	append->campaign = campaign;
	append->what = what;
	buf_init(&append->bytes, CONTROL_APPEND_BYTES);
	link->append = append;
	link->control->append_count++;
	if (count_columns(link, campaign.id, &append->column_count))
		link->state = LINK_IMPORT;
	else
		free_append(link);
}

void control_append_data(struct control_link *link, struct slice payload)
{
	enum control_data_tag tag;
	struct slice bytes;
	struct error error;

	if (!control_data_open(payload, &tag, &bytes, &error)) {
		refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (tag != CONTROL_DATA_ROWS) {
		refuse(link, CONTROL_BAD_REQUEST, "campaign.append: only rows may come");
		return;
	}
	buf_add_slice(&link->append->bytes, bytes);
	if (link->append->bytes.failed)
		refuse(link, CONTROL_BAD_REQUEST,
		       "campaign.append: too many bytes at once, or no memory for them");
}

/* Told with the reason, as campaign.create does; the rest of the batch is not hurt. */
static bool is_refused(struct control_link *link, const struct planner_recipient *row)
{
	const struct control_append *append = link->append;
	const char *problem = control_row_problem(row, append->column_count);
	struct buf why;
	bool refused = problem != NULL;

	buf_init(&why, REASON_MAX);
	if (problem)
		buf_add_text(&why, problem);
	else
		refused = planner_asks_suppressed(link->control->params.planner, &append->campaign,
						  row->address, &why);
	if (refused)
		link_item(link, json_pack("{s:o, s:o, s:b}", "address",
					  answer_text_of(row->address), "reason",
					  answer_text_of(buf_slice(&why)), "suppressed", !problem));
	buf_done(&why);
	return refused;
}

/* The rows that can be mailed; -1: damaged, or too many. */
static i64 read_rows(struct control_link *link, struct planner_recipient *rows)
{
	struct slice rest = buf_slice(&link->append->bytes);
	enum control_row_result result;
	u32 looked = 0;
	u32 count = 0;

	while ((result = control_row_take(&rest, &rows[count].address, &rows[count].values)) ==
	       CONTROL_ROW) {
		if (++looked > CONTROL_APPEND_ROWS)
			return -1;
		if (!is_refused(link, &rows[count]))
			count++;
	}
	return result == CONTROL_ROWS_END ? (i64)count : -1;
}

static void answer(struct control_link *link, u32 id, bool taken)
{
	const struct control_campaign_ref ref = { .id = id };
	struct planner *planner = link->control->params.planner;
	struct queue_campaign now;

	if (!control_find(link, &ref, &now))
		return;
	link_reply(link, json_pack("{s:b, s:I, s:I, s:I, s:s}", "taken", taken, "cursor",
				   (json_int_t)now.cursor, "total", (json_int_t)now.total, "wanted",
				   (json_int_t)planner_campaign_wanted(planner, &now), "state",
				   queue_campaign_state_name(now.state)));
}

void control_append_end(struct control_link *link)
{
	struct planner *planner = link->control->params.planner;
	struct control_append *append = link->append;
	const u32 id = append->campaign.id;
	/* One more than there may be: where the end is found. */
	struct planner_recipient *rows = calloc(CONTROL_APPEND_ROWS + 1, sizeof(*rows));
	struct planner_batch batch = { .recipients = rows,
				       .after = append->what.after,
				       .cursor = append->what.cursor };
	i64 count = rows ? read_rows(link, rows) : 0;
	struct error error = { "out of memory for rows" };
	bool taken = false;
	bool ok;

	link->state = LINK_IDLE;
	if (count < 0) {
		link_refuse(link, CONTROL_BAD_REQUEST,
			    "campaign.append: the rows are damaged, or more than 10000");
	} else {
		batch.count = (u32)count;
		ok = rows && planner_campaign_append(planner, id, &batch, &taken, &error);
		if (ok)
			answer(link, id, taken);
		else
			link_refuse(link,
				    planner_is_broken(planner) ? CONTROL_FAILED : CONTROL_FULL,
				    error.text);
	}
	free(rows);
	free_append(link);
}

void control_close(struct control_link *link, const struct control_request *request)
{
	struct planner *planner = link->control->params.planner;
	struct control_campaign_ref ref;
	struct queue_campaign campaign;
	struct error error;

	if (!control_read_campaign(request, false, &ref, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!control_find(link, &ref, &campaign))
		return;
	log_info("send", "command", "command=campaign.close campaign=%s id=%u", campaign.name,
		 campaign.id);
	if (planner_campaign_close(planner, campaign.id, &error))
		control_reply_campaign(link, campaign.id);
	else
		link_refuse(link, CONTROL_FAILED, error.text);
}
