#include "web/campaign_rows.h"

#include "base/text.h"
#include "campaign/segment_catalog.h"
#include "store/audience_attribute.h"
#include "store/audience_campaign_link.h"
#include "store/audience_campaign_text.h"
#include "store/audience_list.h"
#include "store/row_values.h"
#include "web/draft_fill.h"
#include "web/image_file.h"

#include <stdlib.h>
#include <string.h>

#define LOOKS 20000 /* contacts of one slice */
#define BATCH_BYTES (4u << 20)
#define FILLED_CHUNK (16u << 10)
#define CURSOR_OF(pass, contact) ((u64)(pass) << 32 | (contact))

struct slice campaign_rows_data(const struct campaign_rows *rows, enum control_data_tag tag)
{
	const struct issue *issue = &rows->issue;
	bool is_whole = issue->whole.len > 0;

	if (tag == CONTROL_DATA_WHOLE)
		return buf_slice(&issue->whole);
	if (tag == CONTROL_DATA_HEADERS && !is_whole)
		return buf_slice(&issue->headers);
	if (tag == CONTROL_DATA_TEXT && !is_whole)
		return buf_slice(&issue->text);
	return tag == CONTROL_DATA_HTML && !is_whole ? buf_slice(&issue->html) : SLICE("");
}

/* ---- opening ---- */

/* What stands elsewhere: as it is now, or as it was when the campaign was scheduled. */
static bool fill(struct campaign_rows *rows, struct audience_txn *txn,
		 const struct audience_campaign *campaign, enum draft_field *field,
		 struct error *error)
{
	enum store_result result = STORE_NOT_FOUND;
	struct slice texts;

	if (campaign->state > AUDIENCE_CAMPAIGN_DRAFT)
		result = campaign_text_get(txn, campaign->id, &texts);
	if (result == STORE_NOT_FOUND)
		return draft_fill(&rows->draft, txn, &rows->filled, field, error);
	return (result == STORE_OK && draft_texts_unpack(texts, &rows->filled, &rows->draft)) ||
	       error_set(error, "the campaign's texts cannot be read, or there is no memory");
}

static bool add_condition(struct audience_txn *txn, struct slice number, const char *before,
			  struct buf *text)
{
	struct audience_segment segment;
	u32 id;

	if (!slice_to_u32(number, &id) || audience_segment_get(txn, id, &segment) != STORE_OK)
		return false;
	if (slice_trim(segment.text).len > 0)
		buf_add_format(text, " and %s(%.*s)", before, SLICE_FMT(segment.text));
	return true;
}

/* What is chosen, without what is excluded. */
static bool add_conditions(struct campaign_rows *rows, struct audience_txn *txn, struct buf *text,
			   enum draft_field *field)
{
	struct slice excluded = rows->draft.of[DRAFT_EXCLUDE];

	*field = DRAFT_SEGMENT;
	if (rows->draft.of[DRAFT_SEGMENT].len > 0 &&
	    !add_condition(txn, rows->draft.of[DRAFT_SEGMENT], "", text))
		return false;
	if (slice_trim(rows->draft.of[DRAFT_CONDITION]).len > 0)
		buf_add_format(text, " and (%.*s)", SLICE_FMT(rows->draft.of[DRAFT_CONDITION]));
	*field = DRAFT_EXCLUDE;
	while (excluded.len > 0) {
		if (!add_condition(txn, slice_trim(slice_split(&excluded, ',')), "not ", text))
			return false;
	}
	return true;
}

/* Active ones of the list, and what segments say: one condition. */
static bool open_segment(struct campaign_rows *rows, struct audience_txn *txn,
			 enum draft_field *field, struct error *error)
{
	struct segment_catalog catalog;
	struct segment_problem problem;
	struct buf text;

	buf_init(&text, SEGMENT_TEXT_MAX);
	buf_add_text(&text, "state = active");
	if (rows->list > 0)
		buf_add_format(&text, " and in list #%u", rows->list);
	segment_catalog_init(&catalog, txn);
	error->text[0] = '\0';
	if (!add_conditions(rows, txn, &text, field))
		error_set(error, "there is no such segment any more");
	else if (text.failed)
		error_set(error, "its segments are too long together");
	else
		rows->segment = segment_of_text(buf_slice(&text), &catalog.names, &problem);
	if (!rows->segment && !error->text[0]) {
		*error = problem.error;
		*field = DRAFT_CONDITION;
	}
	buf_done(&text);
	if (!rows->segment)
		return false;
	rows->walk = segment_walk_open(rows->segment, &rows->clock);
	return rows->walk || error_set(error, "no memory for a walk over contacts");
}

/* All attributes, for the issue to choose from. */
static size_t read_attributes(struct audience_txn *txn, struct issue_attribute *all)
{
	struct attribute attribute = { 0 };
	size_t count = 0;

	while (count < ATTRIBUTES_MAX &&
	       attribute_after(txn, attribute.id, &attribute) == STORE_OK)
		all[count++] = (struct issue_attribute){ attribute.name, attribute.id };
	return count;
}

static bool read_list(struct campaign_rows *rows, struct audience_txn *txn,
		      struct issue_facts *facts, struct error *error)
{
	struct audience_list list;
	u32 id;

	if (!slice_to_u32(rows->draft.of[DRAFT_LIST], &id))
		return true;
	if (id > UINT16_MAX || audience_list_get(txn, (u16)id, &list) != STORE_OK)
		return error_set(error, "there is no such list any more");
	rows->list = list.id;
	facts->list_name = list.name;
	facts->list_title = list.title;
	return true;
}

static bool read_zone(struct campaign_rows *rows, struct audience_txn *txn, struct error *error)
{
	struct attribute attribute;

	if (!rows->plan.is_local)
		return true;
	if (attribute_find(txn, rows->draft.of[DRAFT_ZONE_ATTRIBUTE], &attribute) != STORE_OK)
		return error_set(error, "there is no such attribute");
	rows->zone_attribute = attribute.id;
	return true;
}

/* Of a step: those of its texts of before, in mails that people have. False: no memory. */
static bool read_links(const struct campaign_rows *rows, struct audience_txn *txn,
		       struct issue_facts *facts, struct slice **links)
{
	u32 number = 0;

	*links = NULL;
	if (!rows->is_step || !rows->plan.tracks || facts->is_uncounted)
		return true;
	*links = calloc(CAMPAIGN_LINKS_MAX, sizeof(**links));
	facts->links = *links;
	while (*links && facts->link_count < CAMPAIGN_LINKS_MAX &&
	       campaign_link_after(txn, rows->campaign, number, &number,
				   &(*links)[facts->link_count]) == STORE_OK)
		facts->link_count++;
	return *links != NULL;
}

static bool open_issue(struct campaign_rows *rows, struct audience_txn *txn,
		       const struct config_web *config, bool reads_images,
		       enum campaign_rows_use use, enum draft_field *field, struct error *error)
{
	struct image_loader loader = { .txn = txn, .audience = config->audience };
	struct issue_attribute attributes[ATTRIBUTES_MAX];
	struct issue_facts facts = { .base = slice_of(config->url ? config->url : ""),
				     .attributes = attributes,
				     .is_for_pages = use == CAMPAIGN_ROWS_SHOWN,
				     .is_uncounted = use != CAMPAIGN_ROWS_SENT,
				     .image_owner = &loader,
				     .load_image = reads_images ? image_loader_load : NULL };
	enum draft_problem problem = draft_check(&rows->draft, &rows->plan, field);
	struct slice *links;
	bool ok;

	if (problem != DRAFT_GOOD)
		return error_set(error, "%s", draft_problem_words(problem, false));
	*field = DRAFT_LIST;
	if (!read_list(rows, txn, &facts, error))
		return false;
	*field = DRAFT_ZONE_ATTRIBUTE;
	if (!read_zone(rows, txn, error))
		return false;
	facts.attribute_count = read_attributes(txn, attributes);
	if (!read_links(rows, txn, &facts, &links))
		return error_set(error, "no memory for links");
	ok = issue_make(&rows->issue, &rows->draft, &facts, field, error);
	free(links);
	image_loader_done(&loader);
	return ok;
}

bool campaign_rows_open(struct campaign_rows *rows, struct audience_txn *txn,
			const struct audience_campaign *campaign, const struct config_web *config,
			const struct link_keys *keys, enum campaign_rows_use use,
			enum draft_field *field, struct error *error)
{
	memset(rows, 0, sizeof(*rows));
	rows->campaign = campaign->id;
	rows->last = campaign->last;
	rows->is_step = campaign->flags & AUDIENCE_CAMPAIGN_OF_STEP;
	rows->keys = keys;
	buf_init(&rows->record, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	arena_init(&rows->filled, FILLED_CHUNK, DRAFT_FILL_ARENA_MAX);
	buf_init(&rows->values, CONTROL_VALUES_MAX);
	buf_add_slice(&rows->record, campaign->draft);
	*field = DRAFT_NAME;
	if (rows->record.failed || !draft_unpack(buf_slice(&rows->record), &rows->draft))
		return error_set(error, "the draft is damaged, or there is no memory for it");
	if (!fill(rows, txn, campaign, field, error))
		return false;
	if (!open_issue(rows, txn, config, campaign->sender == 0 || rows->is_step, use, field,
			error))
		return false;
	rows->clock = (struct segment_clock){ campaign->start_ms, &rows->plan.zone };
	return open_segment(rows, txn, field, error);
}

void campaign_rows_close(struct campaign_rows *rows)
{
	segment_walk_close(rows->walk);
	segment_free(rows->segment);
	issue_done(&rows->issue);
	buf_done(&rows->record);
	arena_done(&rows->filled);
	buf_done(&rows->values);
	memset(rows, 0, sizeof(*rows));
}

/* ---- values ---- */

static const enum link_purpose purposes[] = {
	[ISSUE_TRACK] = LINK_TRACK,
	[ISSUE_UNSUBSCRIBE] = LINK_UNSUBSCRIBE,
	[ISSUE_PREFERENCES] = LINK_PREFERENCES,
	[ISSUE_VIEW] = LINK_VIEW,
};

static struct slice make_token(const struct campaign_rows *rows, enum issue_column_kind kind,
			       u32 contact, char out[LINK_TOKEN_MAX])
{
	const struct link_token token = {
		.purpose = purposes[kind],
		.campaign = rows->campaign,
		.contact = contact,
		.extra = kind == ISSUE_UNSUBSCRIBE ? rows->list : 0,
	};

	return (struct slice){ out, link_token_make(rows->keys, &token, out) };
}

struct slice campaign_rows_values(struct campaign_rows *rows, const struct contact *contact)
{
	char tokens[ISSUE_VIEW + 1][LINK_TOKEN_MAX];
	struct slice values[ISSUE_COLUMNS_MAX];
	const struct issue *issue = &rows->issue;

	for (size_t i = 0; i < issue->column_count; i++) {
		const struct issue_column *column = &issue->columns[i];

		if (column->kind == ISSUE_VARIANT)
			values[i] = rows->variant == DRAFT_VARIANT_B ? SLICE("b") : SLICE("a");
		else if (column->kind == ISSUE_ATTRIBUTE)
			values[i] = contact_find_value(contact->values, column->attribute);
		else
			values[i] = make_token(rows, column->kind, contact->id,
					       tokens[column->kind]);
		if (!values[i].ptr)
			values[i] = SLICE("");
	}
	buf_reset(&rows->values);
	row_values_pack(&rows->values, values, issue->column_count);
	return buf_slice(&rows->values);
}

/* ---- batches ---- */

void campaign_batch_init(struct campaign_batch *batch)
{
	batch->count = 0;
	buf_init(&batch->rows, BATCH_BYTES + CONTROL_ROW_MAX);
}

void campaign_batch_done(struct campaign_batch *batch)
{
	buf_done(&batch->rows);
}

/* First those who are asked, each with one subject; then the rest, with the better one. */
static u32 ab_pass_of(struct campaign_rows *rows, const struct contact *contact)
{
	rows->variant = draft_variant_of(&rows->plan, rows->campaign, contact->id);
	if (rows->variant > 0)
		return 0;
	rows->variant = rows->winner;
	return 1;
}

/* Whose zone nobody knows goes with the plan's. */
static u32 pass_of(struct campaign_rows *rows, const struct contact *contact)
{
	struct slice name = contact_find_value(contact->values, rows->zone_attribute);
	struct time_zone zone;

	if (rows->plan.ab_share > 0)
		return ab_pass_of(rows, contact);
	if (!rows->plan.is_local)
		return 0;
	if (!name.ptr || name.len == 0 || name.len >= sizeof(rows->zone_name))
		return draft_pass_of(&rows->plan, &rows->plan.zone);
	if (!slice_equal(name, slice_of(rows->zone_name))) {
		bool is_known = time_zone_find(name, &zone);

		rows->zone_pass =
			draft_pass_of(&rows->plan, is_known ? &zone : &rows->plan.zone);
		slice_copy(rows->zone_name, sizeof(rows->zone_name), name);
	}
	return rows->zone_pass;
}

/* A contact whose values do not fit gets none, which its mail has to do with. */
static void add_row(struct campaign_rows *rows, struct campaign_batch *batch,
		    const struct contact *contact)
{
	struct slice values;

	batch->variants[batch->count] = (u8)rows->variant;
	values = campaign_rows_values(rows, contact);
	control_row_add(&batch->rows, contact->address, rows->values.failed ? SLICE("") : values);
	batch->contacts[batch->count++] = contact->id;
}

enum campaign_batch_end campaign_rows_fill(struct campaign_rows *rows, struct audience_txn *txn,
					   u64 after, u64 now_ms, u32 most,
					   struct campaign_batch *batch)
{
	enum segment_walk_result result = SEGMENT_WALK_FOUND;
	const u32 pass = (u32)(after >> 32);
	struct contact contact;

	buf_reset(&batch->rows);
	batch->count = 0;
	batch->cursor = after;
	if (pass >= draft_pass_count(&rows->plan))
		return CAMPAIGN_BATCH_ENDS;
	if (rows->plan.is_local && draft_pass_ms(&rows->plan, pass) > now_ms)
		return CAMPAIGN_BATCH_WAITS;
	if (rows->plan.ab_share > 0 && pass > 0 && rows->winner == 0)
		return CAMPAIGN_BATCH_WAITS;
	most = min_u32(most, CAMPAIGN_BATCH_MAX);
	segment_walk_begin(rows->walk, txn, (u32)after, LOOKS);
	while (batch->count < most && batch->rows.len < BATCH_BYTES) {
		result = segment_walk_next(rows->walk, &contact);
		if (result == SEGMENT_WALK_FOUND && contact.id > rows->last)
			result = SEGMENT_WALK_ENDED;
		if (result != SEGMENT_WALK_FOUND)
			break;
		if (pass_of(rows, &contact) == pass)
			add_row(rows, batch, &contact);
	}
	if (result == SEGMENT_WALK_FAILED || batch->rows.failed)
		return CAMPAIGN_BATCH_FAILED;
	batch->cursor = CURSOR_OF(pass, segment_walk_after(rows->walk));
	if (result == SEGMENT_WALK_ENDED)
		batch->cursor = CURSOR_OF(pass + 1, 0);
	return result == SEGMENT_WALK_ENDED && pass + 1 >= draft_pass_count(&rows->plan)
		       ? CAMPAIGN_BATCH_ENDS
		       : CAMPAIGN_BATCH_MORE;
}
