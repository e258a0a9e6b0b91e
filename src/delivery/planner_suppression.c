/*
 * Addresses that get no mail. They are asked for when recipients come in and again when a row is
 * lent, so that one suppressed in the middle of a campaign gets nothing more; they are added by the
 * transaction that commits the result which tells of a bad mailbox. A set of hashes in memory says
 * for nearly all rows that the store need not be asked.
 *
 * A scope says whose mail an entry is about: everybody's, a customer's, or one list of a customer.
 * Who left a customer's mail, or a list, still gets what he waits for: transactional mail.
 */
#include "delivery/planner_parts.h"
#include "delivery/planner_suppression.h"

#include "base/text.h"
#include "delivery/signal.h"
#include "message/address.h"

#include <stdio.h>
#include <string.h>

#define REASON_TEXT_MAX 320
#define LIST_PREFIX "l/" /* settings that name the scopes of lists */

_Static_assert(sizeof(LIST_PREFIX) - 1 + SUPPRESSION_SCOPE_MAX <= SETTING_NAME_MAX,
	       "every scope of a list can be named");

static struct slice key_of(char room[ADDRESS_WIRE_MAX], struct slice wire)
{
	return (struct slice){ room, address_key_of_wire(room, wire) };
}

struct slice planner_scope_of_list(char room[SUPPRESSION_SCOPE_MAX + 1], struct slice customer,
				   struct slice list)
{
	if (list.len == 0 || customer.len + 1 + list.len > SUPPRESSION_SCOPE_MAX)
		return customer;
	snprintf(room, SUPPRESSION_SCOPE_MAX + 1, "%.*s/%.*s", SLICE_FMT(customer),
		 SLICE_FMT(list));
	return slice_of(room);
}

static bool is_list(struct slice scope)
{
	return slice_find(scope, SLICE("/")) >= 0;
}

/* False: no memory. */
static bool remember(struct planner *planner, struct slice scope, struct slice address)
{
	planner->suppresses_lists |= is_list(scope);
	return id_set_add(&planner->suppressed, queue_suppression_id(scope, address));
}

bool planner_suppressions_open(struct planner *planner, struct error *error)
{
	u8 cursor[SUPPRESSION_CURSOR_SIZE];
	struct queue_suppression s;
	enum store_result result;
	bool has_memory = true;
	bool began = false;

	if (!planner_begin(planner, error))
		return false;
	while (has_memory && (result = queue_suppression_next(planner->queue, cursor, &began,
							      &s)) == STORE_OK)
		has_memory = remember(planner, s.scope, s.address);
	queue_abort(planner->queue);
	if (!has_memory)
		return error_set(error, "out of memory for suppressed addresses");
	return result == STORE_NOT_FOUND ||
	       error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

/* ---- asking ---- */

/* The scopes that a campaign's mail is in. */
struct scopes {
	struct slice scope[3];
	u32 count;
	char room[SUPPRESSION_SCOPE_MAX + 1];
};

static void scopes_of(const struct planner *planner, const struct queue_campaign *campaign,
		      struct scopes *scopes)
{
	const struct slice customer = slice_of(campaign->customer);

	scopes->scope[0] = SLICE_NONE;
	scopes->scope[1] = customer;
	scopes->count = 2;
	if (campaign->list[0] && planner->suppresses_lists)
		scopes->scope[scopes->count++] = planner_scope_of_list(scopes->room, customer,
								       slice_of(campaign->list));
}

/* What is known of the address in one scope. False: nothing. */
static bool known(struct planner *planner, struct slice scope, struct slice address,
		  struct queue_suppression *s)
{
	enum store_result result;

	if (!id_set_has(&planner->suppressed, queue_suppression_id(scope, address)))
		return false;
	result = queue_suppression_get(planner->queue, scope, address, s);
	return result != STORE_NOT_FOUND && planner_store_ok(planner, result);
}

enum store_result planner_find_suppression(struct planner *planner, struct slice scope,
					   struct slice address, struct queue_suppression *s)
{
	if (!id_set_has(&planner->suppressed, queue_suppression_id(scope, address)))
		return STORE_NOT_FOUND;
	return queue_suppression_get(planner->queue, scope, address, s);
}

/* He left, and nothing worse happened. */
static bool is_only_unsubscribed(const struct queue_suppression *s)
{
	for (u32 i = s->event_count; i > 0; i--) {
		if (s->events[i - 1].reason == SUPPRESSION_REMOVED)
			return i < s->event_count;
		if (s->events[i - 1].reason != SUPPRESSION_UNSUBSCRIBE)
			return false;
	}
	return s->event_count > 0;
}

static bool keeps_from(const struct queue_suppression *s, const struct queue_campaign *campaign)
{
	return s->is_active && (campaign->kind == CAMPAIGN_BULK || !is_only_unsubscribed(s));
}

static void describe(const struct queue_suppression *s, struct buf *text)
{
	const struct suppression_event *last = &s->events[s->event_count - 1];
	char date[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(date, last->wall_ms);
	buf_add_format(text, "suppressed since %.10s: %s", date,
		       suppression_reason_name(last->reason));
	if (last->text.len > 0)
		buf_add_format(text, " (%.*s)", SLICE_FMT(last->text));
}

bool planner_is_suppressed(struct planner *planner, const struct queue_campaign *campaign,
			   struct slice wire, struct buf *why)
{
	char room[ADDRESS_WIRE_MAX];
	struct queue_suppression s;
	struct slice address;
	struct scopes scopes;

	if (planner->suppressed.count == 0)
		return false;
	address = key_of(room, wire);
	scopes_of(planner, campaign, &scopes);
	for (u32 i = 0; i < scopes.count; i++) {
		if (!known(planner, scopes.scope[i], address, &s) || !keeps_from(&s, campaign))
			continue;
		if (why && s.event_count > 0)
			describe(&s, why);
		return true;
	}
	return false;
}

bool planner_asks_suppressed(struct planner *planner, const struct queue_campaign *campaign,
			     struct slice wire, struct buf *why)
{
	char room[ADDRESS_WIRE_MAX];
	struct slice address;
	struct scopes scopes;
	struct error ignored;
	bool may_be = false;
	bool is_so;

	if (planner->suppressed.count == 0)
		return false;
	address = key_of(room, wire);
	scopes_of(planner, campaign, &scopes);
	for (u32 i = 0; i < scopes.count && !may_be; i++)
		may_be = id_set_has(&planner->suppressed,
				    queue_suppression_id(scopes.scope[i], address));
	/* Without an answer it goes in: it is asked for again before it is sent. */
	if (!may_be || !planner_begin(planner, &ignored))
		return false;
	is_so = planner_is_suppressed(planner, campaign, wire, why);
	queue_abort(planner->queue);
	return is_so;
}

enum suppressed planner_row_is_suppressed(struct planner *planner,
					  struct planner_campaign *campaign, struct queue_row *row)
{
	char address[ADDRESS_WIRE_MAX + 1];
	enum suppressed answer = SUPPRESSED_NOT;
	struct buf why;

	if (planner->suppressed.count == 0)
		return SUPPRESSED_NOT;
	slice_copy(address, sizeof(address), row->address);
	buf_init(&why, REASON_TEXT_MAX);
	if (planner_is_suppressed(planner, &campaign->record, slice_of(address), &why))
		answer = SUPPRESSED;
	/* The row's slices ended with the question. */
	if (planner->failed_by != STORE_OK ||
	    !planner_store_ok(planner, queue_row_get(planner->queue, &row->ref, row)))
		answer = SUPPRESSED_UNKNOWN;
	if (answer == SUPPRESSED) {
		metric_add(&planner->m->suppressed_rows, 1);
		planner_settle_row(planner, campaign, row, OUTCOME_CANCELLED, 0,
				   (const u16[3]){ 0 }, buf_slice(&why));
	}
	buf_done(&why);
	return answer;
}

/* ---- adding ---- */

struct note {
	struct slice scope;
	struct slice address;
	struct suppression_event event; /* of reason 0: none */
	bool is_active;
	u16 soft;
	u8 strikes;
	u64 struck_ms;
};

/* The newest events stay. */
static void add_event(struct queue_suppression *s, const struct suppression_event *event)
{
	if (s->event_count == SUPPRESSION_EVENTS_MAX) {
		memmove(&s->events[0], &s->events[1],
			(SUPPRESSION_EVENTS_MAX - 1) * sizeof(s->events[0]));
		s->event_count--;
	}
	s->events[s->event_count++] = *event;
}

/* So that what is known of an address can be looked up in every scope. */
static bool note_list(struct planner *planner, struct slice scope)
{
	char name[SETTING_NAME_MAX + 1];

	if (!is_list(scope))
		return true;
	snprintf(name, sizeof(name), LIST_PREFIX "%.*s", SLICE_FMT(scope));
	return planner_store_ok(planner, queue_setting_put(planner->queue, slice_of(name),
							   SLICE_NONE));
}

bool planner_next_list(struct planner *planner, char scope[SUPPRESSION_SCOPE_MAX + 1])
{
	const struct slice prefix = SLICE(LIST_PREFIX);
	char after[SETTING_NAME_MAX + 1] = "";
	struct slice name;
	struct slice value;

	if (scope[0])
		snprintf(after, sizeof(after), LIST_PREFIX "%s", scope);
	if (queue_setting_next(planner->queue, prefix, slice_of(after), &name, &value) != STORE_OK)
		return false;
	slice_copy(scope, SUPPRESSION_SCOPE_MAX + 1, slice_from(name, prefix.len));
	return true;
}

/* Records die with the next operation, and the new one is made of the old one's texts. */
static bool write_note(struct planner *planner, const struct note *note)
{
	char texts[SUPPRESSION_EVENTS_MAX * SUPPRESSION_TEXT_MAX];
	struct queue_suppression s = { 0 };
	size_t used = 0;
	enum store_result result =
		queue_suppression_get(planner->queue, note->scope, note->address, &s);

	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return planner_store_ok(planner, result);
	for (u32 i = 0; i < s.event_count; i++) {
		struct slice *text = &s.events[i].text;

		memcpy(texts + used, text->ptr, text->len);
		*text = (struct slice){ texts + used, text->len };
		used += text->len;
	}
	s.scope = note->scope;
	s.address = note->address;
	s.is_active = note->is_active;
	s.soft = note->soft;
	s.strikes = note->strikes;
	s.struck_ms = note->struck_ms;
	if (note->event.reason)
		add_event(&s, &note->event);
	if (!remember(planner, note->scope, note->address)) {
		planner->failed_by = STORE_FULL;
		return false;
	}
	return planner_store_ok(planner, queue_suppression_put(planner->queue, &s)) &&
	       note_list(planner, note->scope);
}

static struct suppression_event event_of(const struct planner *planner,
					 enum suppression_reason reason,
					 const struct suppression_cause *cause)
{
	return (struct suppression_event){ .wall_ms = planner->time.wall_ms,
					   .campaign = cause->campaign,
					   .reason = (u8)reason,
					   .text = slice_first(cause->text, SUPPRESSION_TEXT_MAX) };
}

bool planner_suppress_address(struct planner *planner, struct slice scope, struct slice address,
			      enum suppression_reason reason, const struct suppression_cause *cause)
{
	const struct note note = { .scope = scope,
				   .address = address,
				   .is_active = true,
				   .event = event_of(planner, reason, cause) };

	return write_note(planner, &note);
}

bool planner_note_bad_mailbox(struct planner *planner, struct slice address,
			      const struct suppression_cause *cause)
{
	const u32 limit = cause->limits->bad_mailbox_strikes;
	const u64 age_ms = planner->time.age_ms;
	struct queue_suppression s = { 0 };
	struct note note = { .address = address, .struck_ms = age_ms };

	if (!planner->config->suppression.hard)
		return true;
	if (limit > 1 && !known(planner, SLICE_NONE, address, &s) &&
	    planner->failed_by != STORE_OK)
		return false;
	/* The wall clock counts for nothing here, and time in which we do not run neither. */
	if (limit > 1 && !s.is_active && s.strikes > 0 &&
	    age_ms - min_u64(age_ms, s.struck_ms) < cause->limits->bad_mailbox_apart_ms)
		return true;
	if (s.is_active || s.strikes + 1u >= limit)
		return planner_suppress_address(planner, SLICE_NONE, address, SUPPRESSION_HARD,
						cause);
	note.soft = s.soft;
	note.strikes = (u8)(s.strikes + 1);
	note.event = event_of(planner, SUPPRESSION_STRIKE, cause);
	return write_note(planner, &note);
}

/* One more that was not final by itself; the last of so many is. */
bool planner_note_soft_failure(struct planner *planner, struct slice address,
			       const struct suppression_cause *cause)
{
	const u32 limit = planner->config->suppression.soft;
	struct queue_suppression s = { 0 };
	struct note note = { .address = address };

	if (limit == 0)
		return true;
	if (known(planner, SLICE_NONE, address, &s) && s.is_active)
		return true;
	if (planner->failed_by != STORE_OK)
		return false;
	if (s.soft + 1u >= limit)
		return planner_suppress_address(planner, SLICE_NONE, address, SUPPRESSION_SOFT,
						cause);
	note.soft = (u16)(s.soft + 1);
	note.strikes = s.strikes;
	note.struck_ms = s.struck_ms;
	return write_note(planner, &note);
}

/* Mail was taken: whatever was counted against the address begins anew. */
static bool forget_failures(struct planner *planner, struct slice address)
{
	const struct note note = { .address = address };
	struct queue_suppression s;

	if (!known(planner, SLICE_NONE, address, &s))
		return planner->failed_by == STORE_OK;
	return s.is_active || (s.soft == 0 && s.strikes == 0) || write_note(planner, &note);
}

const struct config_site *planner_limits_of(struct planner *planner, struct slice wire,
					    struct slice host)
{
	const struct slice name = address_wire_domain(wire);
	const struct domain *domain = map_find(&planner->domains, name);
	char below[ADDRESS_WIRE_MAX + 4];

	if (domain && domain->where)
		return domain->where->limits;
	if (host.len > 0)
		return config_site_of(planner->config, host);
	/* Whose rules are about single mailboxes have their hosts below their own domain. */
	snprintf(below, sizeof(below), "mx.%.*s", SLICE_FMT(name));
	return config_site_of(planner->config, slice_of(below));
}

bool planner_suppress_result(struct planner *planner, const struct lease *lease,
			     enum outcome_action action)
{
	struct suppression_cause cause = { .campaign = lease->ref.id.campaign,
					   .text = { lease->reply, lease->reply_len } };
	char room[ADDRESS_WIRE_MAX];
	struct slice address;

	if (action == OUTCOME_DELIVERED && planner->suppressed.count == 0)
		return true;
	if (action != OUTCOME_DELIVERED && action != OUTCOME_FAILED && action != OUTCOME_EXPIRED)
		return true;
	address = key_of(room, lease->address);
	/* What a crash left belongs to no route any more. */
	cause.limits = lease->route ? lease->route->site->limits
				    : planner_limits_of(planner, lease->address, SLICE_NONE);
	if (action == OUTCOME_DELIVERED)
		return forget_failures(planner, address);
	if (action == OUTCOME_FAILED && signal_is_bad_mailbox(lease))
		return planner_note_bad_mailbox(planner, address, &cause);
	return !signal_is_soft(lease) || planner_note_soft_failure(planner, address, &cause);
}

/* ---- orders ---- */

bool planner_suppress(struct planner *planner, const struct planner_suppress_order *order,
		      u32 count, struct error *error)
{
	bool done = true;

	if (!planner_begin(planner, error))
		return false;
	for (u32 i = 0; done && i < count; i++) {
		const struct note note = {
			.scope = order[i].scope,
			.address = order[i].address,
			.is_active = order[i].reason != SUPPRESSION_REMOVED,
			.event = { .wall_ms = planner->time.wall_ms,
				   .reason = (u8)order[i].reason,
				   .text = slice_first(order[i].text, SUPPRESSION_TEXT_MAX) },
		};

		done = write_note(planner, &note);
	}
	if (done && planner_commit(planner, error))
		return true;
	queue_abort(planner->queue);
	if (planner->failed_by == STORE_FULL)
		queue_grow(planner->queue);
	return error_set(error, "the queue: %s", queue_error_text(planner->queue));
}
