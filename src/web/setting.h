/*
 * What is set once for the whole service: who sends (Japanese law on specified commercial mail,
 * article 4; CAN-SPAM 15 USC 7704(a)(5)), defaults of campaigns, time zone. Kept as settings of the
 * audience under "web/..."; texts are UTF-8 of at most SETTING_TEXT_MAX bytes.
 */
#ifndef WEB_SETTING_H
#define WEB_SETTING_H

#include "campaign/time_zone.h"
#include "store/audience.h"
#include "web/words.h"

#define SETTING_TEXT_MAX 1000

enum setting {
	SETTING_SENDER_NAME,	/* company or person */
	SETTING_SENDER_ADDRESS, /* postal; several lines */
	SETTING_SENDER_CONTACT, /* URL or mail address for inquiries and complaints */
	SETTING_SENDER_PHONE,
	SETTING_FROM_NAME, /* default From of campaigns */
	SETTING_FROM_ADDRESS,
	SETTING_REPLY_TO,
	SETTING_ZONE, /* by name, "Asia/Tokyo"; empty: by the language */
	SETTING_LANGUAGE, /* of pages for contacts who say nothing: "en", "ja" */
	SETTING_TRACK_OPENS, /* "1" or "0": default of campaigns */
	SETTING_TRACK_CLICKS,
	SETTING_PENDING_DAYS, /* a contact that never confirms goes after them; "0": never */
	SETTINGS,
};

/*
 * A view until the transaction ends; its default when it was never set. For when the store fails:
 * the default, too, since pages can do without.
 */
struct slice setting_get(struct audience_txn *txn, enum setting setting);
enum store_result setting_put(struct audience_txn *txn, enum setting setting,
			      struct slice value) MUST_CHECK;
const char *setting_name(enum setting setting); /* "from-address": also of its field in a form */
/* Whose days and hours count, and that pages show: Tokyo's or UTC when it was never set. */
void setting_zone(struct audience_txn *txn, struct time_zone *zone);
/* NULL: it is good; else what is wrong, for people. */
const struct words *setting_check(enum setting setting, struct slice value) MUST_CHECK;
bool setting_is_on(struct audience_txn *txn, enum setting setting);

#endif
