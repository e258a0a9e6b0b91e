#include "web/setting.h"

#include "base/text.h"

#include <stdio.h>

#define NAME_SIZE 64
#define ZONE_MAX (14 * 60)

static const struct {
	const char *name;
	const char *otherwise;
} rows[SETTINGS] = {
	[SETTING_SENDER_NAME] = { "sender-name", "" },
	[SETTING_SENDER_ADDRESS] = { "sender-address", "" },
	[SETTING_SENDER_CONTACT] = { "sender-contact", "" },
	[SETTING_SENDER_PHONE] = { "sender-phone", "" },
	[SETTING_FROM_NAME] = { "from-name", "" },
	[SETTING_FROM_ADDRESS] = { "from-address", "" },
	[SETTING_REPLY_TO] = { "reply-to", "" },
	[SETTING_ZONE] = { "zone", "540" },
	[SETTING_LANGUAGE] = { "language", "ja" },
	[SETTING_TRACK_OPENS] = { "track-opens", "1" },
	[SETTING_TRACK_CLICKS] = { "track-clicks", "1" },
};

const char *setting_name(enum setting setting)
{
	return rows[setting].name;
}

static struct slice key_of(char key[NAME_SIZE], enum setting setting)
{
	int len = snprintf(key, NAME_SIZE, "web/%s", rows[setting].name);

	return (struct slice){ key, (size_t)len };
}

struct slice setting_get(struct audience_txn *txn, enum setting setting)
{
	char key[NAME_SIZE];
	struct slice value;

	if (audience_setting_get(txn, key_of(key, setting), &value) != STORE_OK)
		return slice_of(rows[setting].otherwise);
	return value;
}

enum store_result setting_put(struct audience_txn *txn, enum setting setting, struct slice value)
{
	char key[NAME_SIZE];

	return audience_setting_put(txn, key_of(key, setting), value);
}

i32 setting_zone(struct audience_txn *txn)
{
	struct slice text = setting_get(txn, SETTING_ZONE);
	bool is_west = slice_has_prefix(text, SLICE("-"));
	u32 minutes;

	if (!slice_to_u32(slice_from(text, is_west ? 1 : 0), &minutes) || minutes > ZONE_MAX)
		return 0;
	return is_west ? -(i32)minutes : (i32)minutes;
}

bool setting_is_on(struct audience_txn *txn, enum setting setting)
{
	return slice_equal(setting_get(txn, setting), SLICE("1"));
}
