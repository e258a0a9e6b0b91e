/*
 * What came back of mail that was sent. A token leads to the row, the row's number to its recipient
 * (who the report names is never believed without that), and then log, counters and suppression are
 * written by one transaction. Whatever a message claims, its sender can do no more with it than the
 * recipient of that one row could: stop his own mail.
 */
#include "delivery/inbound.h"

#include "base/log.h"
#include "base/text.h"
#include "delivery/planner_notice.h"
#include "delivery/planner_parts.h"
#include "delivery/planner_suppression.h"
#include "message/address.h"

#include <string.h>

#define LOOKS_MAX 20000 /* records read for one commit to find who a shared mailing was sent to */
#define REPORTS_KEEP_MS (30ull * 86400 * 1000)

_Static_assert(INBOUND_COMPLAINED + 1 == METRICS_REPORTS, "every result is counted");

/* One message of ours that a report is about. */
struct inbound_target {
	struct row_id id;
	bool unsubscribes; /* the address that it came to says so */
	struct queue_campaign campaign; /* as it is stored; one that runs is in memory instead */
	char address[ROW_ADDRESS_MAX + 1]; /* wire form; "": not known */
};

/* ---- which row ---- */

static enum mailing_tag read_address(struct planner *planner, struct slice to,
				     struct inbound_target *target)
{
	const struct config_customer *customer =
		config_customer_of(planner->config, address_wire_domain(to));
	enum mailing_tag tag = MAILING_TAG_NONE;

	if (!customer)
		return MAILING_TAG_NONE;
	if (customer->unsubscribe_mailto)
		tag = mailing_read_unsubscribe(planner->secret,
					       slice_of(customer->unsubscribe_mailto), to,
					       &target->id);
	target->unsubscribes = tag == MAILING_TAG_OURS;
	/* One prefix may be the other's beginning: "bounce-" and "bounce-u-". */
	if (tag != MAILING_TAG_OURS) {
		enum mailing_tag sender = mailing_read_sender(
			planner->secret, slice_of(customer->bounce), to, &target->id);

		tag = sender == MAILING_TAG_NONE ? tag : sender;
	}
	return tag;
}

/*
 * By the address that the report came to; else by what it holds of our message, which only its
 * recipient and the hosts on the way have seen.
 */
static enum mailing_tag find_row(struct planner *planner, const struct inbound_report *report,
				 struct slice to, struct inbound_target *target)
{
	enum mailing_tag tag = read_address(planner, to, target);
	enum mailing_tag other;

	if (tag != MAILING_TAG_NONE)
		return tag;
	tag = mailing_read_message_id(planner->secret, report->message_id, &target->id);
	if (tag == MAILING_TAG_OURS)
		return tag;
	other = read_address(planner, report->mail_from, target);
	target->unsubscribes = false;
	return other == MAILING_TAG_NONE ? tag : other;
}

/* ---- who ---- */

static bool is_named(const struct inbound_person *person, struct slice address)
{
	return slice_equal_nocase(person->address, address) ||
	       slice_equal_nocase(person->original, address);
}

/*
 * What the report says of the row's recipient. Mail is sent on, so it may name another address for
 * him; a report of one row is about that row all the same.
 */
static const struct inbound_person *person_of(const struct inbound_report *report,
					      struct slice address)
{
	for (u32 i = 0; i < report->people_count; i++) {
		if (is_named(&report->people[i], address))
			return &report->people[i];
	}
	for (u32 i = 0; i < report->people_count; i++) {
		if (report->people[i].kind == report->kind)
			return &report->people[i];
	}
	return NULL;
}

/* Of a mailing that was the same for all the row is found by the address that the report names. */
static enum store_result find_person(struct planner *planner, const struct inbound_person *person,
				     u32 *looks, struct inbound_target *target)
{
	struct slice named = person->original.len > 0 ? person->original : person->address;
	struct address parsed;
	struct error ignored;
	struct row_id id = { 0 };
	struct buf wire;
	enum store_result result = STORE_NOT_FOUND;

	if (!address_parse(&parsed, named, &ignored))
		return STORE_NOT_FOUND;
	buf_init(&wire, ADDRESS_WIRE_MAX);
	address_add_wire(&parsed, &wire);
	if (!wire.failed)
		result = queue_recipient_find(planner->queue, target->id.campaign,
					      buf_slice(&wire), looks, &id);
	if (result == STORE_OK) {
		target->id = id;
		result = queue_recipient_get(planner->queue, &id, target->address);
	}
	buf_done(&wire);
	return result;
}

/* ---- what follows ---- */

static enum smtp_class class_of(enum report_reason reason)
{
	switch (reason) {
	case REPORT_REASON_MAILBOX:
	case REPORT_REASON_DOMAIN:
	case REPORT_REASON_DISABLED:
		return SMTP_CLASS_BAD_MAILBOX;
	case REPORT_REASON_FULL:
		return SMTP_CLASS_MAILBOX_FULL;
	case REPORT_REASON_SIZE:
		return SMTP_CLASS_CONTENT;
	case REPORT_REASON_POLICY:
		return SMTP_CLASS_POLICY;
	case REPORT_REASON_EXPIRED:
	case REPORT_REASON_SYSTEM:
		return SMTP_CLASS_TRANSIENT_HOST;
	case REPORT_REASON_NONE:
		break;
	}
	return SMTP_CLASS_UNKNOWN;
}

static bool add_log(struct planner *planner, const struct inbound_target *target,
		    const struct inbound_person *person, enum log_outcome outcome,
		    struct slice words)
{
	struct queue_log_entry entry = { .wall_ms = planner->time.wall_ms,
					 .age_ms = planner->time.age_ms,
					 .id = target->id,
					 .outcome = outcome,
					 .address = slice_of(target->address),
					 .reply = words };

	if (person && outcome == LOG_BOUNCED) {
		entry.code = person->code;
		memcpy(entry.enhanced, person->status, sizeof(entry.enhanced));
		entry.reply_class = (u8)class_of(person->reason);
		entry.host = person->host;
	}
	return planner_store_ok(planner, queue_log_add(planner->queue, &entry));
}

/* One more at the campaign, which may be over for long and not in memory. */
static bool count_at(struct planner *planner, struct inbound_target *target,
		     enum inbound_result result)
{
	struct planner_campaign *loaded = planner_campaign(planner, target->id.campaign);
	struct queue_campaign *c = loaded ? &loaded->record : &target->campaign;

	if (result == INBOUND_BOUNCED)
		c->bounced++;
	else if (result == INBOUND_COMPLAINED)
		c->complained++;
	else if (result == INBOUND_UNSUBSCRIBED)
		c->unsubscribed++;
	else
		return true;
	if (loaded) {
		planner_campaign_touch(loaded);
		return true;
	}
	return planner_store_ok(planner, queue_campaign_put(planner->queue, c));
}

static bool suppress(struct planner *planner, const struct inbound_target *target,
		     const struct inbound_person *person, enum inbound_result result,
		     struct slice words)
{
	char room[ADDRESS_WIRE_MAX];
	char scope[SUPPRESSION_SCOPE_MAX + 1];
	const struct slice wire = slice_of(target->address);
	const struct slice customer = slice_of(target->campaign.customer);
	struct suppression_cause cause = { .campaign = target->id.campaign, .text = words };
	struct slice address;

	if (wire.len == 0)
		return true;
	address = (struct slice){ room, address_key_of_wire(room, wire) };
	if (result == INBOUND_COMPLAINED) {
		planner_warmup_complained(planner, customer, address_wire_domain(wire));
		return planner_suppress_address(planner, customer, address, SUPPRESSION_COMPLAINT,
						&cause);
	}
	if (result == INBOUND_UNSUBSCRIBED)
		return planner_suppress_address(
			planner,
			planner_scope_of_list(scope, customer, slice_of(target->campaign.list)),
			address, SUPPRESSION_UNSUBSCRIBE, &cause);
	if (result != INBOUND_BOUNCED || !person)
		return true;
	cause.limits = planner_limits_of(planner, wire, person->host);
	if (person->kind == REPORT_HARD)
		return planner_note_bad_mailbox(planner, address, &cause);
	return !smtp_class_is_about_recipient(class_of(person->reason)) ||
	       planner_note_soft_failure(planner, address, &cause);
}

/* What a kind of report is when its token is ours. */
static enum inbound_result result_of(const struct inbound_report *report, enum report_kind kind,
				     const struct inbound_target *target)
{
	/*
	 * Whatever a person or his mail program writes there means this; what hosts write about
	 * mail that could not be delivered does not.
	 */
	if (target->unsubscribes && report->form != REPORT_FORM_DSN &&
	    (kind == REPORT_UNKNOWN || kind == REPORT_AUTO_REPLY || kind == REPORT_UNSUBSCRIBE))
		return INBOUND_UNSUBSCRIBED;
	switch (kind) {
	case REPORT_AUTO_REPLY:
		return INBOUND_AUTO_REPLY;
	case REPORT_SOFT:
	case REPORT_HARD:
		return INBOUND_BOUNCED;
	case REPORT_UNSUBSCRIBE:
		return INBOUND_UNSUBSCRIBED;
	case REPORT_COMPLAINT:
		return INBOUND_COMPLAINED;
	case REPORT_NOTICE:
	case REPORT_DELAYED:
		return INBOUND_NOTHING;
	case REPORT_UNKNOWN:
		break;
	}
	return INBOUND_OTHER;
}

static enum log_outcome outcome_of(enum inbound_result result)
{
	return result == INBOUND_BOUNCED      ? LOG_BOUNCED :
	       result == INBOUND_COMPLAINED   ? LOG_COMPLAINED :
	       result == INBOUND_UNSUBSCRIBED ? LOG_UNSUBSCRIBED :
						LOG_AUTO_REPLY;
}

static struct slice words_of(const struct inbound_report *report,
			     const struct inbound_person *person, enum inbound_result result)
{
	if (result == INBOUND_UNSUBSCRIBED)
		return SLICE("by mail");
	if (result == INBOUND_COMPLAINED)
		return report->words;
	return person ? person->words : SLICE_NONE;
}

/* Whoever submitted a single message hears that it came back. */
static bool tell_sender(struct planner *planner, const struct inbound_target *target,
			const struct inbound_person *person, enum inbound_result result,
			struct slice words)
{
	const struct planner_campaign *campaign = planner_campaign(planner, target->id.campaign);
	struct planner_fate fate = {
		.id = &target->id,
		.address = slice_of(target->address),
		.action = OUTCOME_FAILED,
		.since_ms = planner->time.age_ms,
		.text = words,
	};

	if (result != INBOUND_BOUNCED || !person || !campaign)
		return true;
	fate.class = class_of(person->reason);
	fate.code = person->code;
	fate.host = person->host;
	memcpy(fate.enhanced, person->status, sizeof(fate.enhanced));
	return planner_notice_bounce(planner, campaign, &fate);
}

/* A failed store shows at planner->failed_by. */
static enum inbound_result apply(struct planner *planner, const struct inbound_report *report,
				 const struct inbound_person *person, struct inbound_target *target)
{
	enum inbound_result result =
		result_of(report, person ? person->kind : report->kind, target);
	struct slice words = words_of(report, person, result);

	if (result < INBOUND_AUTO_REPLY)
		return result;
	if (add_log(planner, target, person, outcome_of(result), words) &&
	    count_at(planner, target, result) &&
	    suppress(planner, target, person, result, words))
		(void)!tell_sender(planner, target, person, result, words);
	return result;
}

/* ---- one report ---- */

/* Of one recipient's row. */
static enum inbound_result take_row(struct planner *planner, const struct inbound_report *report,
				    struct inbound_target *target)
{
	enum store_result found =
		queue_recipient_get(planner->queue, &target->id, target->address);

	if (found == STORE_NOT_FOUND)
		return INBOUND_UNKNOWN;
	if (!planner_store_ok(planner, found))
		return INBOUND_OTHER;
	return apply(planner, report, person_of(report, slice_of(target->address)), target);
}

/* Of a mailing that was the same for all, and had one envelope sender. */
static enum inbound_result take_shared(struct planner *planner,
				       const struct inbound_report *report,
				       struct inbound_target *shared, u32 *looks)
{
	enum inbound_result best = INBOUND_UNKNOWN;

	if (report->people_count == 0 && report->kind <= REPORT_DELAYED)
		return result_of(report, report->kind, shared);
	for (u32 i = 0; i < report->people_count && planner->failed_by == STORE_OK; i++) {
		const struct inbound_person *person = &report->people[i];
		struct inbound_target target = *shared;
		enum store_result found = find_person(planner, person, looks, &target);
		enum inbound_result result = INBOUND_UNKNOWN;

		if (found == STORE_OK)
			result = apply(planner, report, person, &target);
		else if (found != STORE_NOT_FOUND)
			planner_store_ok(planner, found);
		shared->campaign = target.campaign;
		best = result > best ? result : best;
	}
	return best;
}

static enum inbound_result take_for(struct planner *planner, const struct inbound_report *report,
				    struct slice to, u32 *looks)
{
	struct inbound_target target = { .address = "" };
	enum store_result found;

	switch (find_row(planner, report, to, &target)) {
	case MAILING_TAG_NONE:
		return report->kind == REPORT_NOTICE || report->kind == REPORT_DELAYED ||
				       report->kind == REPORT_AUTO_REPLY
			       ? INBOUND_NOTHING
			       : INBOUND_OTHER;
	case MAILING_TAG_FORGED:
		return INBOUND_FORGED;
	case MAILING_TAG_OURS:
		break;
	}
	found = queue_campaign_get(planner->queue, target.id.campaign, &target.campaign);
	if (found == STORE_NOT_FOUND)
		return INBOUND_UNKNOWN;
	if (!planner_store_ok(planner, found))
		return INBOUND_OTHER;
	return target.id.domain == 0 ? take_shared(planner, report, &target, looks) :
				       take_row(planner, report, &target);
}

static enum inbound_result take(struct planner *planner, const struct inbound_report *report,
				u32 *looks)
{
	enum inbound_result best = INBOUND_OTHER;
	enum store_result known = queue_report_has(planner->queue, report->key);

	if (known != STORE_NOT_FOUND && !planner_store_ok(planner, known))
		return INBOUND_OTHER;
	if (known == STORE_OK)
		return INBOUND_AGAIN;
	for (u32 i = 0; i < report->to_count && planner->failed_by == STORE_OK; i++) {
		enum inbound_result result = take_for(planner, report, report->to[i], looks);

		best = result > best ? result : best;
	}
	/* What changed nothing needs no memory: again it changes nothing. */
	if (planner->failed_by == STORE_OK && best >= INBOUND_AUTO_REPLY)
		planner_store_ok(planner, queue_report_put(planner->queue, report->key,
							   planner->time.age_ms));
	return best;
}

static void tell(struct planner *planner, const struct inbound_report *report,
		 enum inbound_result result)
{
	metric_add(&planner->m->reports[result], 1);
	if (result == INBOUND_FORGED)
		log_warn("delivery", "a report with a forged token", "key=%.*s to=%.*s",
			 SLICE_FMT(report->key), SLICE_FMT(report->to[0]));
	else
		log_info("delivery", "report", "key=%.*s kind=%s form=%s result=%s",
			 SLICE_FMT(report->key), report_kind_name(report->kind),
			 report_form_name(report->form), metrics_report_names[result]);
}

bool planner_inbound(struct planner *planner, const struct inbound_report *const *reports,
		     u32 count, enum inbound_result *results, struct error *error)
{
	u32 looks = LOOKS_MAX;
	bool ok;

	if (!planner_takes_orders(planner, error) || !planner_begin(planner, error))
		return false;
	planner_notices_drop(planner);
	for (u32 i = 0; i < count && planner->failed_by == STORE_OK; i++)
		results[i] = take(planner, reports[i], &looks);
	if (planner->failed_by == STORE_OK)
		planner_notices_write(planner);
	ok = planner->failed_by == STORE_OK && planner_write_campaigns(planner) &&
	     planner_commit(planner, error);
	if (!ok) {
		error_set(error, "the queue: %s", queue_error_text(planner->queue));
		queue_abort(planner->queue);
	}
	planner_campaigns_committed(planner, ok);
	if (!ok && planner->failed_by == STORE_FULL)
		queue_grow(planner->queue);
	for (u32 i = 0; i < count && ok; i++)
		tell(planner, reports[i], results[i]);
	return ok;
}

void planner_inbound_trim(struct planner *planner, u32 limit)
{
	const u64 remember_ms = planner->config->suppression.remember_ms;
	const u64 age_ms = planner->time.age_ms;
	enum store_result recipients = STORE_NOT_FOUND;
	enum store_result reports = STORE_NOT_FOUND;

	if (age_ms <= REPORTS_KEEP_MS || queue_begin(planner->queue) != STORE_OK)
		return;
	reports = queue_reports_trim(planner->queue, age_ms - REPORTS_KEEP_MS, limit);
	if (age_ms > remember_ms)
		recipients = queue_recipients_trim(planner->queue, age_ms - remember_ms, limit);
	if ((reports != STORE_OK && recipients != STORE_OK) ||
	    queue_commit(planner->queue) != STORE_OK)
		queue_abort(planner->queue);
}
