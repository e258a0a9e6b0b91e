#include "web/identity.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define NAME_SIZE 300

json_t *identity_latest(struct audience_txn *txn, struct slice domain)
{
	char name[NAME_SIZE];
	struct slice value;
	int len = snprintf(name, sizeof(name), "identity/%.*s", SLICE_FMT(domain));

	if (len <= 0 || (size_t)len >= sizeof(name) ||
	    audience_setting_get(txn, slice_of(name), &value) != STORE_OK)
		return NULL;
	return json_loadb(value.ptr, value.len, 0, NULL);
}

bool identity_is_fresh(const json_t *result, u64 now_ms)
{
	json_int_t checked_ms = json_integer_value(json_object_get(result, "checked_ms"));

	/* One of the future was made by a clock that was wrong. */
	return checked_ms > 0 && (u64)checked_ms <= now_ms &&
	       now_ms - (u64)checked_ms < IDENTITY_FRESH_MS;
}

bool identity_is_aligned(const json_t *result)
{
	return json_is_true(json_object_get(result, "aligned"));
}

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}

static const json_t *find_check(const json_t *result, const char *name)
{
	const json_t *checks = json_object_get(result, "checks");

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *row = json_array_get(checks, i);

		if (strcmp(text_of(row, "check"), name) == 0)
			return row;
	}
	return NULL;
}

void identity_add_since(json_t *result, const json_t *before)
{
	json_int_t checked_ms = json_integer_value(json_object_get(result, "checked_ms"));
	const json_t *checks = json_object_get(result, "checks");

	for (size_t i = 0; i < json_array_size(checks); i++) {
		json_t *row = json_array_get(checks, i);
		const json_t *was = find_check(before, text_of(row, "check"));
		json_int_t since_ms = json_integer_value(json_object_get(was, "since_ms"));

		if (since_ms == 0 || strcmp(text_of(was, "result"), text_of(row, "result")) != 0)
			since_ms = checked_ms;
		json_object_set_new(row, "since_ms", json_integer(since_ms));
	}
}

bool identity_stops_by(const json_t *check)
{
	const char *name = text_of(check, "check");

	return strcmp(text_of(check, "result"), "fail") == 0 &&
	       (strncmp(name, "SPF ", 4) == 0 || strncmp(name, "DKIM", 4) == 0);
}

bool identity_vouches(const json_t *result, u64 now_ms)
{
	return identity_is_fresh(result, now_ms) && identity_is_aligned(result);
}

void identity_add_failures(const json_t *result, u64 now_ms, struct buf *out)
{
	const json_t *checks = json_object_get(result, "checks");
	bool is_first = true;

	if (!identity_is_fresh(result, now_ms)) {
		buf_add_text(out, "DNS could not be asked");
		return;
	}
	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *row = json_array_get(checks, i);

		if (!identity_stops_by(row))
			continue;
		buf_add_format(out, "%s%s: %s", is_first ? "" : "; ", text_of(row, "check"),
			       text_of(row, "found"));
		is_first = false;
	}
}
