/*
 * The start of a campaign: its links are kept, the sender makes an open campaign of it, and its id
 * there is kept, too. Only then the sender is told to start, so that no message of it goes out that
 * nobody here knows of. A crash in between finds the campaign at the sender by its name.
 */
#include "base/log.h"
#include "base/text.h"
#include "campaign/delivery_note.h"
#include "store/audience_campaign_link.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "web/bringer_parts.h"
#include "web/identity.h"

#include <stdio.h>
#include <string.h>

#define AGAIN_NS (10 * NS_PER_S)

void bringer_name(char out[CONTROL_NAME_MAX + 1], u32 id, u64 start_ms, struct slice title)
{
	char number[32];
	size_t room;
	size_t len = 0;

	snprintf(number, sizeof(number), " #%u-%04x", id, (u32)(start_ms / MS_PER_S) & 0xffff);
	room = CONTROL_NAME_MAX - strlen(number);
	/* Whole characters, and none that a line of a terminal has no place for. */
	for (size_t i = 0; i < title.len && len < room; i++)
		out[len++] = (u8)title.ptr[i] < ' ' || title.ptr[i] == 0x7f ? ' ' : title.ptr[i];
	while (len > 0 && len < title.len && ((u8)title.ptr[len] & 0xc0) == 0x80)
		len--;
	memcpy(out + len, number, strlen(number) + 1);
}

/* ---- what is kept of a start ---- */

struct start {
	const struct campaign_rows *rows;
	u32 sender;
	u64 now_ms;
};

static enum store_result put_links(struct audience_txn *txn, u32 id, const struct wrap_links *wrap)
{
	enum store_result result = campaign_links_clear(txn, id);

	for (u32 i = 0; wrap && result == STORE_OK && i < wrap->count; i++)
		result = campaign_link_put(txn, id, i + 1, wrap->urls[i]);
	return result;
}

static enum store_result edit_start(struct campaign_change *change, struct audience_campaign *c,
				    struct audience_txn *txn)
{
	const struct start *start = change->context;
	struct contact contact;
	enum store_result result = contact_before(txn, UINT32_MAX, &contact);

	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	c->last = result == STORE_OK ? contact.id : 0;
	c->state = AUDIENCE_CAMPAIGN_RUNNING;
	c->sender = start->sender;
	c->started_ms = start->now_ms;
	c->changed_ms = start->now_ms;
	c->reason = SLICE("");
	result = delivery_campaign_put(txn, start->sender, c->id);
	return result == STORE_OK ? put_links(txn, c->id, start->rows->issue.wrap) : result;
}

/* ---- at the sender ---- */

static json_t *create_json(const struct campaign_rows *rows, const char *name, const char *list)
{
	const struct issue *issue = &rows->issue;
	struct control_campaign_create create = {
		.name = name,
		.customer = issue->domain,
		.source = issue->whole.len > 0 ? CONTROL_SOURCE_WHOLE : CONTROL_SOURCE_PARTS,
		.source_name = "mail",
		.column_count = issue->column_count,
		.charset = "utf-8",
		.encoding = "auto",
		.kind = "bulk",
		.deadline_ms = rows->plan.deadline_ms,
		.is_open = true,
		.require_unsubscribe = true,
		.list = list,
	};
	char url[1024];

	for (u32 tag = CONTROL_DATA_WHOLE; tag <= CONTROL_DATA_PARTS; tag++)
		create.sizes[tag] = campaign_rows_data(rows, (enum control_data_tag)tag).len;
	for (size_t i = 0; i < issue->column_count; i++)
		create.columns[i] = issue->columns[i].name;
	if (issue->unsubscribe_url.len > 0 &&
	    slice_copy(url, sizeof(url), buf_slice(&issue->unsubscribe_url)))
		create.unsubscribe_url = url;
	return control_create_json(&create);
}

/* Its id there; 0: there is none, or it cannot be asked. */
static u32 find_there(struct bringer *bringer, const char *name)
{
	struct asker_answer answer;
	u32 id = 0;

	if (asker_ask(&bringer->asker,
		      json_pack("{s:s, s:s}", "command", "campaign.status", "name", name),
		      &answer) == ASKER_REPLIED)
		id = (u32)asker_number(json_array_get(answer.items, 0), "id");
	asker_answer_done(&answer);
	return id;
}

static bool give_texts(struct bringer *bringer, const struct campaign_rows *rows,
		       struct asker_answer *answer)
{
	bool ok = true;

	for (u32 i = CONTROL_DATA_WHOLE; i <= CONTROL_DATA_PARTS && ok; i++) {
		enum control_data_tag tag = (enum control_data_tag)i;

		ok = asker_data(&bringer->asker, tag, campaign_rows_data(rows, tag), answer);
	}
	return ok;
}

u32 bringer_make(struct bringer *bringer, struct bringer_work *work, u64 start_ms,
		 const char *list, struct error *error)
{
	char name[CONTROL_NAME_MAX + 1];
	struct asker_answer answer;
	enum asker_end end;
	u32 id = 0;

	bringer_name(name, work->id, start_ms, work->rows.draft.of[DRAFT_NAME]);
	if (asker_begin(&bringer->asker, create_json(&work->rows, name, list), &answer) &&
	    give_texts(bringer, &work->rows, &answer))
		end = asker_end(&bringer->asker, &answer);
	else
		end = answer.code[0] ? ASKER_REFUSED : ASKER_AWAY;
	error->text[0] = '\0';
	if (end == ASKER_REPLIED)
		id = (u32)asker_number(answer.reply, "id");
	else if (end == ASKER_REFUSED && strcmp(answer.code, "conflict") == 0)
		id = find_there(bringer, name);
	else if (end == ASKER_REFUSED && strcmp(answer.code, "full") != 0 &&
		 strcmp(answer.code, "failed") != 0)
		*error = answer.error;
	asker_answer_done(&answer);
	return id;
}

bool bringer_list_name(struct bringer *bringer, u16 id, char out[CONTROL_NAME_MAX + 2])
{
	struct audience_list list;
	bool ok = true;

	out[0] = '\0';
	if (id == 0)
		return true;
	ok = audience_begin_read(bringer->reader) == STORE_OK &&
	     audience_list_get(bringer->reader, id, &list) == STORE_OK &&
	     slice_copy(out, CONTROL_NAME_MAX + 2, list.name);
	audience_abort(bringer->reader);
	return ok;
}

static void give_up(struct bringer *bringer, struct bringer_work *work, const struct error *error)
{
	if (!bringer_set_state(bringer, work->id, 1u << AUDIENCE_CAMPAIGN_SCHEDULED,
			       AUDIENCE_CAMPAIGN_PAUSED, error->text))
		work->next_ns = bringer->now_ns + AGAIN_NS;
	bringer_close_rows(work);
}

/* ---- what DNS says ---- */

static json_t *latest_identity(struct bringer *bringer, struct slice domain)
{
	json_t *latest = NULL;

	if (audience_begin_read(bringer->reader) == STORE_OK)
		latest = identity_latest(bringer->reader, domain);
	audience_abort(bringer->reader);
	return latest;
}

static void explain(const struct bringer_head *head, const json_t *identity, u64 now_ms,
		    struct error *error)
{
	struct buf why;

	buf_init(&why, 64u << 10);
	identity_add_failures(identity, now_ms, &why);
	error_set(error, "receivers would refuse mail of %.*s: %s", SLICE_FMT(head->c.customer),
		  buf_text(&why));
	buf_done(&why);
}

/*
 * Whether receivers can see that its mail is the domain's own: by what was found within a day, else
 * by what DNS says now; and nobody is refused by what it said before. False: not yet, or with
 * `error` set not before somebody has done something.
 */
static bool is_vouched_for(struct bringer *bringer, struct bringer_work *work,
			   const struct bringer_head *head, struct error *error)
{
	struct identity_checker *checker = bringer->params.identity;
	json_t *latest;
	bool is_fresh;
	bool is_aligned;

	error->text[0] = '\0';
	if (!checker || !bringer->params.config->web.check_identity ||
	    (head->c.flags & AUDIENCE_CAMPAIGN_UNVOUCHED))
		return true;
	if (work->asked > 0 && !identity_is_done(checker, work->asked)) {
		work->next_ns = 0;
		return false;
	}
	latest = latest_identity(bringer, head->c.customer);
	is_fresh = identity_is_fresh(latest, bringer->now_ms);
	is_aligned = is_fresh && identity_is_aligned(latest);
	if (!is_aligned && work->asked == 0) {
		work->asked = identity_ask_anew(checker);
		work->next_ns = 0;
	} else {
		/* What could not be found out is asked again a little later. */
		if (is_fresh && !is_aligned)
			explain(head, latest, bringer->now_ms, error);
		work->asked = 0;
	}
	json_decref(latest);
	return is_aligned;
}

void bringer_start(struct bringer *bringer, struct bringer_work *work,
		   const struct bringer_head *head)
{
	struct start start = { .rows = &work->rows, .now_ms = bringer->now_ms };
	struct campaign_change change = { .id = work->id,
					  .from = 1u << AUDIENCE_CAMPAIGN_SCHEDULED,
					  .edit = edit_start,
					  .context = &start };
	char list[CONTROL_NAME_MAX + 2];
	struct error error;

	work->next_ns = bringer->now_ns + AGAIN_NS;
	if (!bringer_open_rows(bringer, work, &error)) {
		if (error.text[0])
			give_up(bringer, work, &error);
		return;
	}
	if (!send_window_is_open(&work->rows.plan.window, &work->rows.plan.zone,
				 bringer->now_ms) ||
	    !bringer_list_name(bringer, work->rows.list, list))
		return;
	if (!is_vouched_for(bringer, work, head, &error)) {
		if (error.text[0])
			give_up(bringer, work, &error);
		return;
	}
	start.sender = bringer_make(bringer, work, head->c.start_ms, list[0] ? list : NULL, &error);
	if (start.sender == 0) {
		if (error.text[0])
			give_up(bringer, work, &error);
		return;
	}
	if (campaign_change_do(&change, bringer->params.scribe, &error) != STORE_OK) {
		log_error("web", "a campaign's start could not be kept", "campaign=%u reason=%s",
			  work->id, error.text);
	} else if (change.is_done) {
		log_info("web", "a campaign starts", "campaign=%u sender=%u", work->id,
			 start.sender);
		bringer->is_busy = true;
	} else { /* cancelled at this very moment */
		bringer_order(bringer, "campaign.cancel", start.sender);
	}
	/* Opened anew, with what the start has fixed. */
	bringer_close_rows(work);
	work->next_ns = 0;
}
