/*
 * The audience of tests with readers of mail, and what it holds afterwards:
 *
 *   reader_many make FOLDER COUNT   contacts r1@reader.test and so on, in lists 1 and 2, who got
 *                                   campaign 7; prints a line of tokens for each:
 *                                   track unsubscribe unsubscribe-from-list-1 preferences
 *   reader_many show FOLDER ID      what is known of a contact: name=number pairs
 *   reader_many tokens FOLDER ID    a token of each purpose for a contact: purpose=token pairs
 *
 * `web` does not run meanwhile.
 */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/link_token.h"
#include "campaign/sign_up.h"
#include "store/audience_activity.h"
#include "store/audience_attribute.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_campaign_link.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "web/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAMPAIGN 7
#define BATCH 1000

static struct audience *audience;
static struct audience_txn *txn;

static void must(enum store_result result)
{
	if (result == STORE_OK)
		return;
	fprintf(stderr, "reader_many: %s\n", audience_error_text(txn));
	exit(1);
}

static void open_audience(const char *folder)
{
	struct store_params params = { .path = folder, .map_size_max = 4ull << 30 };
	struct error error = { "" };

	audience = audience_open(&params, &error);
	txn = audience ? audience_txn_open(audience) : NULL;
	if (!txn) {
		fprintf(stderr, "reader_many: %s\n", error.text);
		exit(1);
	}
}

/* ---- making ---- */

static void make_links(void)
{
	char url[64];

	must(campaign_link_put(txn, CAMPAIGN, 1, SLICE("https://shop.test/sale?a=1&b=2#top")));
	must(campaign_link_put(txn, CAMPAIGN, 2,
			       SLICE("https://shop.test/{{name}}?who={{email|url}}&x={{none}}")));
	for (u32 number = 3; number <= 12; number++) {
		snprintf(url, sizeof(url), "https://shop.test/%u", number);
		must(campaign_link_put(txn, CAMPAIGN, number, slice_of(url)));
	}
}

static void make_lists(void)
{
	struct attribute name = { .type = ATTRIBUTE_TEXT, .name = SLICE("name") };
	struct audience_list news = { .is_public = true,
				      .name = SLICE("news"),
				      .title = SLICE("お知らせ") };
	struct audience_list shop = { .is_public = true,
				      .name = SLICE("shop"),
				      .title = SLICE("<b>Shop & more</b>") };

	must(attribute_add(txn, &name));
	must(audience_setting_put(txn, SLICE(PREFERENCES_FIELDS), SLICE("1")));
	must(setting_put(txn, SETTING_FROM_NAME, SLICE("飛脚")));
	must(setting_put(txn, SETTING_FROM_ADDRESS, SLICE("news@courier.example")));
	must(audience_list_add(txn, &news));
	must(audience_list_add(txn, &shop));
}

static void make_keys(struct link_keys *keys)
{
	u8 record[LINK_KEYS_RECORD_MAX];
	struct slice bytes = { (const char *)record, 0 };

	link_keys_renew(keys, clock_wall_ms());
	bytes.len = link_keys_write(keys, record);
	must(audience_setting_put(txn, SLICE(LINK_KEYS_SETTING), bytes));
}

static void print_token(const struct link_keys *keys, enum link_purpose purpose, u32 contact,
			u64 extra, char end)
{
	struct link_token token = { purpose, CAMPAIGN, contact, extra, 0 };
	char text[LINK_TOKEN_MAX];

	printf("%.*s%c", (int)link_token_make(keys, &token, text), text, end);
}

static void make_contact(const struct link_keys *keys, u32 number)
{
	char address[64];
	struct buf lists;
	struct buf values;
	struct contact contact = { .state = CONTACT_ACTIVE, .created_ms = 1, .changed_ms = 1 };
	struct activity activity = { { 0 } };

	snprintf(address, sizeof(address), "r%u@reader.test", number);
	buf_init(&lists, 100);
	buf_init(&values, 100);
	for (u16 list = 1; list <= 2; list++) {
		struct buf next = lists;

		buf_init(&lists, 100);
		contact_add_member(&lists, buf_slice(&next),
				   &(struct contact_member){ list, MEMBER_ACTIVE, 1000 });
		buf_done(&next);
	}
	contact_put_value(&values, 1, SLICE("森 太郎"));
	contact.address = slice_of(address);
	contact.lists = buf_slice(&lists);
	contact.values = buf_slice(&values);
	must(contact_add(txn, &contact, contact.address));
	buf_done(&lists);
	buf_done(&values);
	activity.of[ACTIVITY_SENT] = activity.of[ACTIVITY_DELIVERED] = 1000;
	must(activity_put(txn, CAMPAIGN, contact.id, &activity));
	print_token(keys, LINK_TRACK, contact.id, 0, ' ');
	print_token(keys, LINK_UNSUBSCRIBE, contact.id, 0, ' ');
	print_token(keys, LINK_UNSUBSCRIBE, contact.id, 1, ' ');
	print_token(keys, LINK_PREFERENCES, contact.id, 0, '\n');
}

static void make(u32 count)
{
	static struct link_keys keys;

	must(audience_begin(txn));
	make_keys(&keys);
	make_links();
	make_lists();
	for (u32 i = 1; i <= count; i++) {
		make_contact(&keys, i);
		if (i % BATCH == 0) {
			must(audience_commit(txn));
			must(audience_begin(txn));
		}
	}
	must(audience_commit(txn));
}

/* ---- showing ---- */

static void show_activity(u32 id)
{
	static const struct {
		const char *name;
		enum activity_field field;
	} fields[] = {
		{ "opens", ACTIVITY_OPENS },
		{ "clicks", ACTIVITY_CLICKS },
		{ "links", ACTIVITY_LINKS },
		{ "machine_opens", ACTIVITY_MACHINE_OPENS },
		{ "machine_clicks", ACTIVITY_MACHINE_CLICKS },
	};
	struct activity activity;

	must(activity_get(txn, CAMPAIGN, id, &activity));
	for (size_t i = 0; i < array_count(fields); i++)
		printf("%s=%u\n", fields[i].name, activity.of[fields[i].field]);
	printf("unsubscribed=%u\n", activity.of[ACTIVITY_UNSUBSCRIBED] > 0);
}

static void show_contact(u32 id)
{
	struct contact contact;
	struct contact_member member;
	struct history_event event = { .at_ms = UINT64_MAX, .number = UINT16_MAX };
	u32 events = 0;

	must(contact_get(txn, id, &contact));
	printf("state=%d\n", contact.state);
	while (contact_next_member(&contact.lists, &member))
		printf("list%u=%d\n", member.list, member.state);
	while (contact_history_before(txn, id, event.at_ms, event.number, &event) == STORE_OK)
		events++;
	printf("history=%u\n", events);
}

static void show_campaign(void)
{
	static const struct {
		const char *name;
		enum campaign_counted what;
	} counts[] = {
		{ "all_opened", CAMPAIGN_OPENED },
		{ "all_clicks", CAMPAIGN_CLICKS },
		{ "all_machine_opens", CAMPAIGN_MACHINE_OPENS },
		{ "all_opens", CAMPAIGN_OPENS },
		{ "all_unsubscribed", CAMPAIGN_UNSUBSCRIBED },
	};

	for (size_t i = 0; i < array_count(counts); i++) {
		u64 count;

		must(campaign_count_get(txn, CAMPAIGN, counts[i].what, 0, &count));
		printf("%s=%llu\n", counts[i].name, (unsigned long long)count);
	}
}

/* ---- tokens of each purpose ---- */

static void show_tokens(u32 contact)
{
	static const struct {
		const char *name;
		enum link_purpose purpose;
	} purposes[] = {
		{ "track", LINK_TRACK },	     { "unsubscribe", LINK_UNSUBSCRIBE },
		{ "preferences", LINK_PREFERENCES }, { "view", LINK_VIEW },
		{ "confirm", LINK_CONFIRM },	     { "address", LINK_ADDRESS },
		{ "fill", LINK_FILL },		     { "undo", LINK_UNDO },
		{ "data", LINK_DATA },
	};
	struct slice record;
	struct link_keys keys;

	must(audience_setting_get(txn, SLICE(LINK_KEYS_SETTING), &record));
	if (!link_keys_read(&keys, record))
		exit(1);
	for (size_t i = 0; i < array_count(purposes); i++) {
		printf("%s=", purposes[i].name);
		print_token(&keys, purposes[i].purpose, contact, 0, '\n');
	}
}

int main(int argc, char **argv)
{
	u32 number;

	if (argc != 4 || !slice_to_u32(slice_of(argv[3]), &number)) {
		fprintf(stderr, "usage: reader_many make|show|tokens FOLDER NUMBER\n");
		return 2;
	}
	open_audience(argv[2]);
	if (strcmp(argv[1], "make") == 0) {
		make(number);
	} else if (strcmp(argv[1], "tokens") == 0) {
		must(audience_begin_read(txn));
		show_tokens(number);
		audience_abort(txn);
	} else {
		must(audience_begin_read(txn));
		show_contact(number);
		show_activity(number);
		show_campaign();
		audience_abort(txn);
	}
	audience_txn_close(txn);
	audience_close(audience);
	return 0;
}
