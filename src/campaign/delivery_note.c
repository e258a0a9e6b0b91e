#include "campaign/delivery_note.h"

#include "base/clock.h"
#include "base/text.h"
#include "campaign/subscription.h"
#include "message/address.h"
#include "store/audience_activity.h"
#include "store/audience_arrival.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS (3600 * MS_PER_S)
#define NAME_MAX_BYTES 250
#define REPLY_MAX 300

enum delivery_outcome delivery_outcome_of(struct slice word)
{
	static const struct {
		const char *word;
		enum delivery_outcome outcome;
	} rows[] = {
		{ "delivered", DELIVERY_DELIVERED },   { "failed", DELIVERY_FAILED },
		{ "expired", DELIVERY_FAILED },	       { "deferred", DELIVERY_DEFERRED },
		{ "cancelled", DELIVERY_CANCELLED },   { "bounced", DELIVERY_BOUNCED },
		{ "complained", DELIVERY_COMPLAINED }, { "unsubscribed", DELIVERY_UNSUBSCRIBED },
	};

	for (size_t i = 0; i < array_count(rows); i++) {
		if (slice_equal(word, slice_of(rows[i].word)))
			return rows[i].outcome;
	}
	return DELIVERY_OTHER;
}

/* ---- numbers that are kept as settings ---- */

static enum store_result get_number(struct audience_txn *txn, const char *name, u32 *number)
{
	struct slice value;
	enum store_result result = audience_setting_get(txn, slice_of(name), &value);

	*number = 0;
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result == STORE_OK && !slice_to_u32(value, number))
		*number = 0;
	return result;
}

static enum store_result put_number(struct audience_txn *txn, const char *name, u32 number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	return audience_setting_put(txn, slice_of(name), slice_of(text));
}

enum store_result delivery_campaign_put(struct audience_txn *txn, u32 sender, u32 campaign)
{
	char name[32];

	snprintf(name, sizeof(name), "sender-campaign/%u", sender);
	return put_number(txn, name, campaign);
}

enum store_result delivery_campaign_get(struct audience_txn *txn, u32 sender, u32 *campaign)
{
	char name[32];

	snprintf(name, sizeof(name), "sender-campaign/%u", sender);
	return get_number(txn, name, campaign);
}

struct slice delivery_site_name(struct audience_txn *txn, u64 number)
{
	char name[40];
	struct slice value;

	snprintf(name, sizeof(name), "site-name/%llu", (unsigned long long)number);
	return audience_setting_get(txn, slice_of(name), &value) == STORE_OK ? value : SLICE("");
}

/* The first ones that mail goes to get a number, so that small receivers are one row. */
static enum store_result site_number(struct audience_txn *txn, struct slice site, u32 *number)
{
	char name[NAME_MAX_BYTES + 1];
	char back[40];
	enum store_result result;

	*number = 0;
	if (site.len == 0 || site.len > NAME_MAX_BYTES - 8)
		return STORE_OK;
	snprintf(name, sizeof(name), "site/%.*s", SLICE_FMT(site));
	result = get_number(txn, name, number);
	if (result != STORE_OK || *number > 0)
		return result;
	result = get_number(txn, "id/site", number);
	if (result != STORE_OK || *number >= DELIVERY_SITES_MAX) {
		*number = 0;
		return result;
	}
	*number += 1;
	snprintf(back, sizeof(back), "site-name/%u", *number);
	result = put_number(txn, "id/site", *number);
	if (result == STORE_OK)
		result = put_number(txn, name, *number);
	return result == STORE_OK ? audience_setting_put(txn, slice_of(back), site) : result;
}

/* ---- days ---- */

/* The setting of the receiver that a domain's mail goes to. False: the name is too long for it. */
static bool domain_setting(struct slice address, char name[NAME_MAX_BYTES + 1])
{
	size_t at = address.len;
	struct slice domain;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	domain = slice_from(address, at);
	if (domain.len == 0 || domain.len > NAME_MAX_BYTES - 12)
		return false;
	snprintf(name, NAME_MAX_BYTES + 1, "domain-site/%.*s", SLICE_FMT(domain));
	ascii_lower_in_place(name, strlen(name));
	return true;
}

static enum store_result learn_domain(struct audience_txn *txn, const char *name, u32 site)
{
	u32 known;
	u32 count;
	enum store_result result = get_number(txn, name, &known);

	if (result != STORE_OK || known == site)
		return result;
	if (known == 0) {
		result = get_number(txn, "id/domain-site", &count);
		if (result != STORE_OK || count >= DELIVERY_DOMAINS_MAX)
			return result;
		result = put_number(txn, "id/domain-site", count + 1);
	}
	return result == STORE_OK ? put_number(txn, name, site) : result;
}

static enum store_result receiver_of(struct audience_txn *txn, const struct delivery_note *note,
				     u32 *site)
{
	char name[NAME_MAX_BYTES + 1];
	bool has_domain = domain_setting(note->address, name);
	enum store_result result;

	*site = 0;
	if (note->site.len == 0)
		return has_domain ? get_number(txn, name, site) : STORE_OK;
	result = site_number(txn, note->site, site);
	if (result != STORE_OK || *site == 0 || !has_domain)
		return result;
	return learn_domain(txn, name, *site);
}

static enum store_result count_day(struct audience_txn *txn, const struct delivery_note *note)
{
	struct arrival arrival = { .day = note->day, .count = 1 };
	enum store_result result;

	switch (note->outcome) {
	case DELIVERY_DELIVERED: arrival.kind = ARRIVAL_DELIVERED; break;
	case DELIVERY_FAILED:
	case DELIVERY_BOUNCED: arrival.kind = ARRIVAL_BOUNCED; break;
	case DELIVERY_DEFERRED: arrival.kind = ARRIVAL_DEFERRED; break;
	case DELIVERY_COMPLAINED: arrival.kind = ARRIVAL_COMPLAINED; break;
	default: return STORE_OK;
	}
	if (arrival.kind == ARRIVAL_BOUNCED || arrival.kind == ARRIVAL_DEFERRED)
		arrival.class = note->class;
	result = receiver_of(txn, note, &arrival.site);
	return result == STORE_OK ? arrival_add(txn, &arrival) : result;
}

/* ---- campaigns ---- */

static enum store_result count(struct audience_txn *txn, u32 campaign, enum campaign_counted what,
			       u64 of)
{
	return campaign == 0 ? STORE_OK : campaign_count_change(txn, campaign, what, of, 1);
}

static enum store_result count_bounce(struct audience_txn *txn, u32 campaign,
				      const struct delivery_note *note)
{
	enum store_result result = count(txn, campaign, CAMPAIGN_BOUNCED, 0);
	u32 site = 0;

	if (result == STORE_OK)
		result = count(txn, campaign, CAMPAIGN_BOUNCED_BY, note->class);
	if (result == STORE_OK && campaign > 0)
		result = site_number(txn, note->site, &site);
	return result == STORE_OK ? count(txn, campaign, CAMPAIGN_SITE_BOUNCED, site) : result;
}

static enum store_result count_delivery(struct audience_txn *txn, u32 campaign,
					const struct delivery_note *note)
{
	enum store_result result = count(txn, campaign, CAMPAIGN_DELIVERED, 0);
	u32 site = 0;

	if (result == STORE_OK)
		result = count(txn, campaign, CAMPAIGN_DELIVERED_IN, note->at_ms / HOUR_MS);
	if (result == STORE_OK && campaign > 0)
		result = site_number(txn, note->site, &site);
	return result == STORE_OK ? count(txn, campaign, CAMPAIGN_SITE_DELIVERED, site) : result;
}

static enum store_result count_for(struct audience_txn *txn, u32 campaign,
				   const struct delivery_note *note)
{
	enum store_result result;

	switch (note->outcome) {
	case DELIVERY_DELIVERED: return count_delivery(txn, campaign, note);
	case DELIVERY_FAILED:
	case DELIVERY_BOUNCED: return count_bounce(txn, campaign, note);
	case DELIVERY_DEFERRED:
		result = count(txn, campaign, CAMPAIGN_DEFERRED, 0);
		return result == STORE_OK
			       ? count(txn, campaign, CAMPAIGN_DEFERRED_BY, note->class)
			       : result;
	case DELIVERY_CANCELLED: return count(txn, campaign, CAMPAIGN_CALLED_OFF, 0);
	default: return STORE_OK; /* once for a contact: below */
	}
}

/* ---- contacts ---- */

/* Once for a contact, of whom it is known which of two subjects it got. */
static enum store_result count_variant(struct audience_txn *txn, u32 campaign,
				       const struct activity *activity, enum activity_field field,
				       enum campaign_counted what)
{
	u32 variant = activity->of[ACTIVITY_VARIANT];

	return variant == 0 || activity->of[field] > 0 ? STORE_OK
						       : count(txn, campaign, what, variant);
}

static enum store_result note_activity(struct audience_txn *txn, u32 campaign, u32 contact,
				       const struct delivery_note *note)
{
	const u32 at_s = (u32)(note->at_ms / MS_PER_S);
	struct activity activity;
	enum store_result result = activity_get(txn, campaign, contact, &activity);

	if (result != STORE_OK)
		return result;
	if (note->outcome == DELIVERY_DELIVERED) {
		result = count_variant(txn, campaign, &activity, ACTIVITY_DELIVERED,
				       CAMPAIGN_VARIANT_DELIVERED);
		activity.of[ACTIVITY_DELIVERED] = at_s;
	} else if (note->outcome == DELIVERY_COMPLAINED) {
		if (activity.of[ACTIVITY_COMPLAINED] == 0)
			result = count(txn, campaign, CAMPAIGN_COMPLAINED, 0);
		activity.of[ACTIVITY_COMPLAINED] = at_s;
	} else if (note->outcome == DELIVERY_FAILED || note->outcome == DELIVERY_BOUNCED) {
		result = count_variant(txn, campaign, &activity, ACTIVITY_BOUNCED,
				       CAMPAIGN_VARIANT_BOUNCED);
		activity.of[ACTIVITY_BOUNCED] = at_s;
	}
	return result == STORE_OK ? activity_put(txn, campaign, contact, &activity) : result;
}

static enum store_result note_behaviour(struct audience_txn *txn, u32 contact,
					const struct delivery_note *note)
{
	const u32 at_s = (u32)(note->at_ms / MS_PER_S);
	struct behaviour behaviour;
	enum store_result result = behaviour_get(txn, contact, &behaviour);

	if (result != STORE_OK)
		return result;
	if (note->outcome == DELIVERY_DELIVERED) {
		behaviour.of[BEHAVIOUR_LAST_DELIVERED] = at_s;
		behaviour.of[BEHAVIOUR_DELIVERED]++;
		behaviour.of[BEHAVIOUR_BOUNCES] = 0;
	} else {
		behaviour.of[BEHAVIOUR_LAST_BOUNCE] = at_s;
		behaviour.of[BEHAVIOUR_BOUNCES]++;
	}
	return behaviour_put(txn, contact, &behaviour);
}

/* A state that says more stays: enum contact_state is in that order. */
static enum store_result set_state(struct audience_txn *txn, u32 id, enum contact_state state,
				   u32 campaign, const struct delivery_note *note)
{
	const bool is_bounce = state == CONTACT_BOUNCED;
	struct history_event event = { .at_ms = note->at_ms,
				       .kind = is_bounce ? HISTORY_BOUNCED : HISTORY_COMPLAINED };
	char number[16];
	struct contact before;
	struct contact contact;
	enum store_result result = contact_get(txn, id, &before);

	if (result != STORE_OK || before.state >= state)
		return result;
	contact = before;
	contact.state = state;
	contact.changed_ms = note->at_ms;
	result = contact_put(txn, &before, &contact);
	snprintf(number, sizeof(number), "%u", campaign);
	if (is_bounce)
		event.fields[event.field_count++] = slice_first(note->reply, REPLY_MAX);
	event.fields[event.field_count++] = slice_of(campaign > 0 ? number : "");
	return result == STORE_OK ? contact_history_add(txn, id, &event) : result;
}

static enum store_result leave(struct audience_txn *txn, u32 contact, u32 campaign,
			       const struct delivery_note *note)
{
	struct subscription_act act = { .contact = contact,
					.campaign = campaign,
					.now_ms = note->at_ms,
					.how = SLICE("mail") };
	struct audience_list list;
	enum store_result result = STORE_OK;
	bool changed;

	if (note->list.len > 0) {
		result = audience_list_find(txn, note->list, &list);
		if (result == STORE_NOT_FOUND)
			return STORE_OK;
		act.list = list.id;
	}
	return result == STORE_OK ? subscription_leave(txn, &act, &changed) : result;
}

static enum store_result note_contact(struct audience_txn *txn, u32 contact, u32 campaign,
				      const struct delivery_note *note)
{
	enum store_result result = STORE_OK;

	if (note->outcome == DELIVERY_DEFERRED || note->outcome == DELIVERY_CANCELLED)
		return STORE_OK;
	if (note->outcome == DELIVERY_UNSUBSCRIBED)
		return leave(txn, contact, campaign, note);
	if (campaign > 0)
		result = note_activity(txn, campaign, contact, note);
	if (result == STORE_OK && note->outcome == DELIVERY_COMPLAINED)
		return set_state(txn, contact, CONTACT_COMPLAINED, campaign, note);
	if (result == STORE_OK)
		result = note_behaviour(txn, contact, note);
	if (result == STORE_OK && note->outcome != DELIVERY_DELIVERED &&
	    note->class == SMTP_CLASS_BAD_MAILBOX)
		result = set_state(txn, contact, CONTACT_BOUNCED, campaign, note);
	return result;
}

enum store_result delivery_note_keep(struct audience_txn *txn, const struct delivery_note *note)
{
	char key[ADDRESS_WIRE_MAX];
	enum store_result result;
	u32 campaign;
	u32 contact;

	if (note->outcome == DELIVERY_OTHER || note->address.len == 0 ||
	    note->address.len > ADDRESS_WIRE_MAX)
		return STORE_OK;
	result = count_day(txn, note);
	if (result == STORE_OK)
		result = delivery_campaign_get(txn, note->sender, &campaign);
	if (result == STORE_OK)
		result = count_for(txn, campaign, note);
	if (result != STORE_OK)
		return result;
	result = contact_find(txn,
			      (struct slice){ key, address_key_of_wire(key, note->address) },
			      &contact);
	/* Of somebody who is no contact, or not any more, the campaign's numbers tell. */
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	return result == STORE_OK ? note_contact(txn, contact, campaign, note) : result;
}
