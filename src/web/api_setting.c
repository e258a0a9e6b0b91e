/* /api/v1/settings: what counts for the whole service. */
#include "base/text.h"
#include "web/field.h"
#include "web/route.h"
#include "web/setting_order.h"

#include <string.h>

#define NAME_SIZE 32

/* "from_address": names in JSON have no hyphens. */
static const char *member_of(enum setting setting, char name[NAME_SIZE])
{
	slice_copy(name, NAME_SIZE, slice_of(setting_name(setting)));
	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : *c;
	return name;
}

static bool is_switch(enum setting setting)
{
	return setting == SETTING_TRACK_OPENS || setting == SETTING_TRACK_CLICKS;
}

/* Within a transaction. */
static json_t *value_json(struct audience_txn *txn, enum setting setting)
{
	struct slice value = setting_get(txn, setting);
	struct time_zone zone;

	if (is_switch(setting))
		return json_boolean(setting_is_on(txn, setting));
	if (setting == SETTING_ZONE) {
		setting_zone(txn, &zone);
		value = slice_of(zone.name);
	}
	return json_stringn(value.ptr, value.len);
}

void api_settings_show(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	char name[NAME_SIZE];
	json_t *json;

	if (!call_is_general(call))
		return;
	if (audience_begin_read(txn) != STORE_OK) {
		audience_abort(txn);
		call_refuse(call, 503, NULL, "settings cannot be read");
		return;
	}
	json = json_object();
	for (u32 i = 0; i < SETTINGS; i++)
		json_object_set_new(json, member_of((enum setting)i, name),
				    value_json(txn, (enum setting)i));
	audience_abort(txn);
	call_answer(call, 200, json);
}

/* ---- changing ---- */

static bool read_value(struct call *call, enum setting setting, const json_t *json,
		       struct slice *value)
{
	char name[NAME_SIZE];
	char pointer[FIELD_POINTER_MAX];
	const struct words *problem = NULL;

	field_pointer(pointer, "", member_of(setting, name));
	if (is_switch(setting) && !json_is_boolean(json)) {
		call_refuse(call, 422, pointer, "%s must be true or false", name);
		return false;
	}
	if (!is_switch(setting) && !json_is_string(json)) {
		call_refuse(call, 422, pointer, "%s must be text", name);
		return false;
	}
	if (is_switch(setting))
		*value = json_is_true(json) ? SLICE("1") : SLICE("0");
	else
		*value = (struct slice){ json_string_value(json), json_string_length(json) };
	problem = setting_check(setting, *value);
	if (problem)
		call_refuse(call, 422, pointer, "%s", problem->text[LANGUAGE_ENGLISH]);
	return !problem;
}

static bool read_change(struct call *call, struct setting_order *order)
{
	char spelled[SETTINGS][NAME_SIZE];
	const char *names[SETTINGS + 1] = { NULL };

	for (u32 i = 0; i < SETTINGS; i++)
		names[i] = member_of((enum setting)i, spelled[i]);
	if (!field_known(call, call->json, "", names))
		return false;
	for (u32 i = 0; i < SETTINGS; i++) {
		const json_t *json = json_object_get(call->json, names[i]);
		struct slice value;

		if (!json)
			continue;
		if (!read_value(call, (enum setting)i, json, &value))
			return false;
		setting_order_add(order, (enum setting)i, value);
	}
	return true;
}

static void on_written(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		api_settings_show(call);
}

void api_settings_change(struct call *call)
{
	struct setting_order *order;

	if (!call_is_general(call))
		return;
	order = setting_order_open(call, on_written);
	if (!order)
		return;
	if (read_change(call, order))
		setting_order_give(order, call);
	else
		setting_order_drop(order);
}
