#include "hook/batch.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

void hook_batch_init(struct hook_batch *batch)
{
	*batch = (struct hook_batch){ 0 };
	buf_init(&batch->body, HOOK_BODY_MAX);
}

void hook_batch_done(struct hook_batch *batch)
{
	buf_done(&batch->body);
	*batch = (struct hook_batch){ 0 };
}

static u64 number_of(const json_t *item, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(item, name));

	return value > 0 ? (u64)value : 0;
}

static bool is_wanted(const struct config_hook *hook, const json_t *item)
{
	const char *customer = json_string_value(json_object_get(item, "customer"));

	for (size_t i = 0; i < hook->customers.count; i++) {
		if (customer && strcmp(customer, hook->customers.items[i]) == 0)
			return true;
	}
	return hook->customers.count == 0;
}

static json_t *event_of(json_t *item)
{
	char id[48];
	char at[CLOCK_RFC3339_SIZE];
	const u64 time_ms = number_of(item, "time_ms");
	json_t *event;

	snprintf(id, sizeof(id), "%llu-%llu", (unsigned long long)number_of(item, "number"),
		 (unsigned long long)time_ms);
	clock_format_rfc3339(at, time_ms);
	event = json_pack("{s:s, s:O*, s:s}", "id", id, "type", json_object_get(item, "outcome"),
			  "timestamp", at);
	if (event && json_object_update_missing(event, item) == 0)
		return event;
	json_decref(event);
	return NULL;
}

static int add_bytes(const char *bytes, size_t len, void *context)
{
	struct buf *body = context;

	buf_add(body, bytes, len);
	return body->failed ? -1 : 0;
}

/* Takes the reference to `data`. */
static bool write_body(struct hook_batch *batch, const char *type, json_t *data, u64 now_ms)
{
	char at[CLOCK_RFC3339_SIZE];
	json_t *json;
	bool done;

	clock_format_rfc3339(at, now_ms);
	json = json_pack("{s:s, s:s, s:o}", "type", type, "timestamp", at, "data", data);
	done = json && json_dump_callback(json, add_bytes, &batch->body, JSON_COMPACT) == 0;
	json_decref(json);
	return done && !batch->body.failed;
}

bool hook_batch_make(struct hook_batch *batch, const struct config_hook *hook, const json_t *items,
		     u64 upto, u64 now_ms)
{
	json_t *events = json_array();
	u64 first = 0;
	u64 first_ms = 0;
	u64 last = 0;
	size_t i;
	json_t *item;

	buf_reset(&batch->body);
	batch->count = 0;
	batch->upto = upto;
	json_array_foreach ((json_t *)(uintptr_t)items, i, item) {
		if (!is_wanted(hook, item))
			continue;
		if (json_array_append_new(events, event_of(item)) < 0) {
			json_decref(events);
			return false;
		}
		last = number_of(item, "number");
		if (batch->count++ > 0)
			continue;
		first = last;
		first_ms = number_of(item, "time_ms");
	}
	if (batch->count == 0) {
		json_decref(events);
		return true;
	}
	snprintf(batch->id, sizeof(batch->id), "%s.%llu.%llu.%llu", hook->name,
		 (unsigned long long)first, (unsigned long long)last,
		 (unsigned long long)first_ms);
	return write_body(batch, "delivery.batch",
			  json_pack("{s:s, s:o}", "hook", hook->name, "events", events), now_ms);
}

bool hook_batch_make_test(struct hook_batch *batch, const struct config_hook *hook, u64 now_ms)
{
	buf_reset(&batch->body);
	batch->count = 1;
	batch->upto = 0;
	snprintf(batch->id, sizeof(batch->id), "%s.test.%llu", hook->name,
		 (unsigned long long)now_ms);
	return write_body(batch, "test", json_pack("{s:s}", "hook", hook->name), now_ms);
}
