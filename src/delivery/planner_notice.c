#include "delivery/planner_notice.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "delivery/planner_letter.h"
#include "message/notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one transaction. Beyond the first, messages go back as headers; at the second it fails. */
#define WHOLE_BYTES_MAX (16u << 20)
#define NOTED_BYTES_MAX (64u << 20)
#define GROUP_MAX 64    /* recipients of one notice */
#define GROUPS_BACK 8   /* looked through for one that a row belongs to */
#define HEADER_MAX (64u << 10)

struct told {
	struct told *next;
	struct notice_recipient recipient;
};

/* Rows of one letter with one fate. */
struct group {
	struct group *before;
	const struct config_customer *customer;
	u32 campaign;
	u32 number;
	u32 first; /* row */
	enum notice_action action;
	struct slice sender;
	struct slice envid;
	struct slice original;
	bool returns_all;
	u64 arrival_ms;
	struct told *told;
	struct told **last;
	size_t count;
};

struct planner_notices {
	struct arena arena;
	struct group *newest;
	u32 forwards_failed; /* rows */
};

/* ---- who wants to know ---- */

static bool wants(const struct letter_row *row, enum letter_notify what)
{
	if (row->notify == 0)
		return what != LETTER_NOTIFY_SUCCESS;
	return !(row->notify & LETTER_NOTIFY_NEVER) && (row->notify & what);
}

/* False: it is gone, or the store failed. */
static bool find_letter(struct planner *planner, const struct row_id *id,
			struct queue_letter *letter)
{
	enum store_result result =
		queue_letter_get(planner->queue, id->campaign, id->domain, letter);

	return result != STORE_NOT_FOUND && planner_store_ok(planner, result);
}

static bool has_sender(const struct queue_letter *letter)
{
	return letter->kind == LETTER_SUBMITTED && letter->sender.len > 0;
}

bool planner_notice_is_late(struct planner *planner, const struct planner_campaign *campaign,
			    const struct row_id *id, struct slice values, u32 flags, u64 *within_ms)
{
	const u64 limit = planner->config->retry.delay_notice_ms;
	struct queue_letter letter;
	struct letter_row row;
	u64 age;

	*within_ms = UINT64_MAX;
	if (campaign->record.kind != CAMPAIGN_LETTERS || limit == 0 || flags & ROW_DELAY_TOLD ||
	    !letter_row_read(values, &row) || !wants(&row, LETTER_NOTIFY_DELAY) ||
	    !find_letter(planner, id, &letter))
		return false;
	age = planner_age_of(planner, letter.age_ms);
	if (age >= limit)
		return true;
	*within_ms = limit - age;
	return false;
}

/* ---- noting ---- */

static struct planner_notices *notices_of(struct planner *planner)
{
	if (planner->notices)
		return planner->notices;
	planner->notices = calloc(1, sizeof(*planner->notices));
	if (!planner->notices)
		CRASH("out of memory for notices");
	arena_init(&planner->notices->arena, HEADER_MAX, NOTED_BYTES_MAX);
	return planner->notices;
}

static enum notice_action action_of(enum outcome_action action)
{
	switch (action) {
	case OUTCOME_DELIVERED:
		/* We hand on no wish for notices, so nothing more will be heard: RFC 3461 5.2.2. */
		return NOTICE_RELAYED;
	case OUTCOME_DEFER:
		return NOTICE_DELAYED;
	default:
		return NOTICE_FAILED;
	}
}

static enum letter_notify wish_of(enum notice_action action)
{
	return action == NOTICE_RELAYED ? LETTER_NOTIFY_SUCCESS :
	       action == NOTICE_DELAYED ? LETTER_NOTIFY_DELAY :
					  LETTER_NOTIFY_FAILURE;
}

/* The message, or as much of its beginning as its header may need. */
static bool take_original(struct planner *planner, struct planner_notices *notices,
			  struct group *group)
{
	struct planner_source source = { 0 };
	struct slice content;
	struct slice text;
	enum store_result result = queue_letter_content_get(planner->queue, group->campaign,
							    group->number, &content);

	if (result != STORE_NOT_FOUND && !planner_store_ok(planner, result))
		return false;
	if (result != STORE_OK || !letter_source_unpack(content, &source))
		return true;
	text = source.whole.len > 0 ? source.whole : source.headers;
	if (!group->returns_all || text.len > NOTICE_ORIGINAL_MAX ||
	    notices->arena.total > WHOLE_BYTES_MAX) {
		group->returns_all = false;
		text = slice_first(text, HEADER_MAX);
	}
	group->original = arena_copy(&notices->arena, text);
	return group->original.ptr != NULL;
}

static struct group *find_group(struct planner_notices *notices, const struct row_id *id,
				enum notice_action action)
{
	struct group *group = notices->newest;

	for (u32 i = 0; group && i < GROUPS_BACK; i++, group = group->before) {
		if (group->campaign == id->campaign && group->number == id->domain &&
		    group->action == action && group->count < GROUP_MAX)
			return group;
	}
	return NULL;
}

static struct group *make_group(struct planner *planner, struct planner_notices *notices,
				const struct planner_campaign *campaign, const struct row_id *id,
				const struct queue_letter *letter, enum notice_action action)
{
	struct group *group = arena_take(&notices->arena, sizeof(*group));

	if (!group)
		return NULL;
	*group = (struct group){
		.before = notices->newest,
		.customer = campaign->customer,
		.campaign = id->campaign,
		.number = id->domain,
		.first = id->seq,
		.action = action,
		.sender = arena_copy(&notices->arena, letter->sender),
		.envid = arena_copy(&notices->arena, letter->envid),
		.returns_all = letter->ret == LETTER_RET_FULL && action == NOTICE_FAILED,
		.arrival_ms = letter->wall_ms,
	};
	group->last = &group->told;
	if (!group->sender.ptr || !group->envid.ptr || !take_original(planner, notices, group))
		return NULL;
	notices->newest = group;
	return group;
}

/* RFC 3463: what the receiver gave, else what the class is about. */
static void fill_status(u16 status[3], const struct planner_fate *fate, enum notice_action action)
{
	static const u16 by_class[SMTP_CLASS_COUNT][2] = {
		[SMTP_CLASS_BAD_MAILBOX] = { 1, 1 },	[SMTP_CLASS_MAILBOX_FULL] = { 2, 2 },
		[SMTP_CLASS_POLICY] = { 7, 1 },		[SMTP_CLASS_CONTENT] = { 6, 0 },
		[SMTP_CLASS_REPUTATION] = { 7, 1 },	[SMTP_CLASS_RATE] = { 4, 5 },
		[SMTP_CLASS_AUTH_FAILURE] = { 7, 0 },	[SMTP_CLASS_DNS] = { 4, 3 },
		[SMTP_CLASS_GREYLISTED] = { 7, 1 },	[SMTP_CLASS_TRANSIENT_HOST] = { 4, 1 },
		[SMTP_CLASS_PROTOCOL] = { 5, 0 },
	};

	status[0] = action == NOTICE_FAILED ? 5 : action == NOTICE_DELAYED ? 4 : 2;
	if (fate->action == OUTCOME_EXPIRED) {
		status[1] = 4;
		status[2] = 7;
	} else if (action == NOTICE_RELAYED) {
		status[1] = status[2] = 0;
	} else if (fate->enhanced[0]) {
		status[1] = fate->enhanced[1];
		status[2] = fate->enhanced[2];
	} else {
		status[1] = by_class[fate->class % SMTP_CLASS_COUNT][0];
		status[2] = by_class[fate->class % SMTP_CLASS_COUNT][1];
	}
}

static bool add_told(struct planner *planner, struct planner_notices *notices, struct group *group,
		     const struct planner_fate *fate, const struct letter_row *row,
		     const struct queue_letter *letter)
{
	struct arena *arena = &notices->arena;
	const u64 age = planner_age_of(planner, fate->since_ms);
	struct told *told = arena_take(arena, sizeof(*told));
	struct notice_recipient *r = told ? &told->recipient : NULL;

	if (!told)
		return false;
	*r = (struct notice_recipient){
		.action = group->action,
		.class = fate->action == OUTCOME_DELIVERED ? SMTP_CLASS_NONE : fate->class,
		.is_expired = fate->action == OUTCOME_EXPIRED,
		.code = fate->code,
		.address = arena_copy(arena, fate->address),
		.original = arena_copy(arena, row->orcpt),
		.host = arena_copy(arena, fate->host),
		.text = arena_copy(arena, fate->text),
		.attempt_ms = planner->time.wall_ms,
		.until_ms = planner->time.wall_ms +
			    (letter->expire_after_ms > age ? letter->expire_after_ms - age : 0),
	};
	fill_status(r->status, fate, group->action);
	*group->last = told;
	group->last = &told->next;
	group->count++;
	return r->address.ptr && r->original.ptr && r->host.ptr && r->text.ptr;
}

bool planner_notice_fate(struct planner *planner, const struct planner_campaign *campaign,
			 const struct planner_fate *fate)
{
	const enum notice_action action = action_of(fate->action);
	struct planner_notices *notices;
	struct queue_letter letter;
	struct letter_row row;
	struct group *group;

	if (campaign->record.kind != CAMPAIGN_LETTERS || !letter_row_read(fate->values, &row))
		return true;
	if (action != NOTICE_FAILED && !wants(&row, wish_of(action)))
		return true;
	if (!find_letter(planner, fate->id, &letter))
		return planner->failed_by == STORE_OK;
	notices = notices_of(planner);
	if (action == NOTICE_FAILED && letter.kind == LETTER_FORWARD)
		notices->forwards_failed++;
	if (!has_sender(&letter) || !wants(&row, wish_of(action)))
		return true;
	group = find_group(notices, fate->id, action);
	if (!group)
		group = make_group(planner, notices, campaign, fate->id, &letter, action);
	if (group && add_told(planner, notices, group, fate, &row, &letter))
		return true;
	/* More than memory is for it: fewer rows are settled by the next transaction. */
	return planner->failed_by == STORE_OK && planner_store_ok(planner, STORE_FULL);
}

bool planner_notice_bounce(struct planner *planner, const struct planner_campaign *campaign,
			   const struct planner_fate *fate)
{
	struct planner_fate whole = *fate;
	char room[LETTER_ROW_LEAST];
	struct buf values = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct queue_letter letter;

	if (campaign->record.kind != CAMPAIGN_LETTERS)
		return true;
	if (!find_letter(planner, fate->id, &letter) || !has_sender(&letter) || letter.is_quiet)
		return planner->failed_by == STORE_OK;
	letter_row_write(&values, &(struct letter_recipient){ 0 });
	whole.values = buf_slice(&values);
	return planner_notice_fate(planner, campaign, &whole);
}

/* ---- telling ---- */

static bool write_group(struct planner *planner, const struct group *group, struct buf *out)
{
	struct notice_recipient recipients[GROUP_MAX];
	const struct notice notice = {
		.host = group->customer->addresses[0].ehlo,
		.domain = group->customer->domain,
		.sender = group->sender,
		.envid = group->envid,
		.original = group->original,
		.returns_all = group->returns_all,
		.language = (enum notice_language)group->customer->notice_language,
		.arrival_ms = group->arrival_ms,
		.date_ms = planner->time.wall_ms,
		.recipients = recipients,
		.count = group->count,
	};
	size_t count = 0;

	for (const struct told *told = group->told; told; told = told->next)
		recipients[count++] = told->recipient;
	return notice_write(&notice, out);
}

static void tell_sender(struct planner *planner, const struct group *group, struct slice whole)
{
	static const char marks[] = { 'f', 'd', 's', 's', 's' };
	const struct planner_options options = { .literal = true };
	const struct letter_recipient to = { .address = group->sender,
					     .notify = LETTER_NOTIFY_NEVER };
	char key[LETTER_KEY_MAX + 1];
	struct letter letter = {
		.customer = slice_of(group->customer->domain),
		.kind = LETTER_NOTICE,
		.source.whole = whole,
		.recipients = &to,
		.recipient_count = 1,
	};
	struct error error = { "" };
	struct buf packed;
	enum letter_result result;

	snprintf(key, sizeof(key), "notice/%u.%u.%u/%c", group->campaign, group->number,
		 group->first, marks[group->action]);
	letter.key = slice_of(key);
	buf_init(&packed, 256);
	planner_options_pack(&options, &packed);
	letter.source.options = buf_slice(&packed);
	result = planner_letter_put(planner, &letter, NULL, &error);
	buf_done(&packed);
	if (result != LETTER_KEPT && planner->failed_by == STORE_OK)
		log_warn("delivery", "a sender is not told what became of a letter",
			 "letter=%u.%u reason=%s", group->campaign, group->number,
			 result == LETTER_KNOWN ? "he was told already" : error.text);
}

/* The people who wrote are strangers, whose own addresses may be forged: the operator is told. */
static void tell_operator(struct planner *planner)
{
	const u32 count = planner->notices->forwards_failed;

	if (count == 0)
		return;
	metric_add(&planner->m->forwards_failed, count);
	log_warn("delivery", "mail for people here could not be handed on", "messages=%u", count);
}

void planner_notices_write(struct planner *planner)
{
	struct planner_notices *notices = planner->notices;
	struct group *group = notices ? notices->newest : NULL;
	struct buf whole;

	if (!notices)
		return;
	for (; group && planner->failed_by == STORE_OK; group = group->before) {
		buf_init(&whole, 2 * NOTICE_ORIGINAL_MAX + group->count * NOTICE_OWN_MAX);
		if (write_group(planner, group, &whole))
			tell_sender(planner, group, buf_slice(&whole));
		else
			planner_store_ok(planner, STORE_FULL);
		buf_done(&whole);
	}
	if (planner->failed_by == STORE_OK)
		tell_operator(planner);
	planner_notices_drop(planner);
}

void planner_notices_drop(struct planner *planner)
{
	if (!planner->notices)
		return;
	planner->notices->newest = NULL;
	planner->notices->forwards_failed = 0;
	arena_reset(&planner->notices->arena);
}

void planner_notices_free(struct planner *planner)
{
	if (planner->notices)
		arena_done(&planner->notices->arena);
	free(planner->notices);
	planner->notices = NULL;
}
