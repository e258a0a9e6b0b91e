#include "web/list_json.h"

#include "base/text.h"
#include "message/list_value.h"

#include <stdio.h>

static bool pack(const json_t *value, struct buf *out, u32 depth);

static void add_plain(const json_t *value, struct buf *out)
{
	char text[LIST_JSON_TEXT_MAX];

	if (json_is_string(value)) {
		buf_add(out, json_string_value(value), json_string_length(value));
		return;
	}
	if (json_is_integer(value))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(value));
	else if (json_is_real(value))
		snprintf(text, sizeof(text), "%.15g", json_real_value(value));
	else if (json_is_boolean(value))
		snprintf(text, sizeof(text), "%s", json_is_true(value) ? "true" : "false");
	else
		return;
	buf_add_text(out, text);
}

static bool pack_array(const json_t *list, struct buf *out, u32 depth)
{
	struct buf item;
	bool done = true;

	buf_init(&item, out->max);
	list_value_begin(out);
	for (size_t i = 0; i < json_array_size(list) && done; i++) {
		buf_reset(&item);
		done = pack(json_array_get(list, i), &item, depth);
		list_value_add(out, buf_slice(&item));
	}
	buf_done(&item);
	return done;
}

static bool pack_object(const json_t *object, struct buf *out, u32 depth)
{
	const char *name;
	json_t *value;
	struct buf item;
	bool done = true;

	buf_init(&item, out->max);
	object_value_begin(out);
	json_object_foreach((json_t *)(uintptr_t)object, name, value) {
		buf_reset(&item);
		done = done && pack(value, &item, depth);
		if (done)
			object_value_add(out, slice_of(name), buf_slice(&item));
	}
	buf_done(&item);
	return done;
}

static bool pack(const json_t *value, struct buf *out, u32 depth)
{
	if (!json_is_array(value) && !json_is_object(value)) {
		add_plain(value, out);
		return !out->failed;
	}
	if (depth == LIST_JSON_DEPTH_MAX)
		return false;
	return (json_is_array(value) ? pack_array : pack_object)(value, out, depth + 1) &&
	       !out->failed;
}

u32 list_json_depth(const json_t *value)
{
	json_t *any = (json_t *)(uintptr_t)value;
	const char *name;
	json_t *item;
	size_t i;
	u32 most = 0;

	if (!json_is_array(value) && !json_is_object(value))
		return 0;
	json_array_foreach(any, i, item) {
		u32 depth = list_json_depth(item);

		most = depth > most ? depth : most;
	}
	json_object_foreach(any, name, item) {
		u32 depth = list_json_depth(item);

		most = depth > most ? depth : most;
	}
	return most + 1;
}

bool list_json_pack(const json_t *value, struct buf *out)
{
	return pack(value, out, 0);
}
