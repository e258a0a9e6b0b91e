/*
 * What a hook posts: secrets as they stand in their file, signatures that others can check, bodies
 * and ids that do not change when the same entries are posted again.
 */
#include "base/crypto.h"
#include "base/text.h"
#include "hook/batch.h"
#include "hook/secret.h"
#include "hook/signature.h"
#include "store/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* 32 bytes 0, 1, 2, ... and 24 bytes of 7. */
#define SECRET_A "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define SECRET_B "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"

static bool parse(struct hook_secrets *secrets, const char *text)
{
	struct error error = { "" };

	if (hook_secrets_parse(secrets, slice_of(text), &error))
		return true;
	assert_true(error.text[0] != '\0');
	return false;
}

static void a_file_has_one_secret_or_several(void **state)
{
	struct hook_secrets secrets;

	(void)state;
	assert_true(parse(&secrets, SECRET_A));
	assert_int_equal(secrets.count, 1);
	assert_int_equal(secrets.sizes[0], 32);
	assert_int_equal(secrets.bytes[0][31], 31);
	assert_true(parse(&secrets, "# new\r\n" SECRET_A "\r\n\r\n# old\n  " SECRET_B " \n"));
	assert_int_equal(secrets.count, 2);
	assert_int_equal(secrets.sizes[1], 24);
	assert_int_equal(secrets.bytes[1][0], 7);
}

static void what_is_no_secret_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"\n# nothing\n",
		"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"whsec_",
		"whsec_AAEC",
		"whsec_!!!!",
		SECRET_A "\n" SECRET_B "\n" SECRET_A "\n" SECRET_B "\n" SECRET_A,
		SECRET_A "\nnonsense",
	};
	char longest[200] = "whsec_";
	struct hook_secrets secrets;

	(void)state;
	for (size_t i = 0; i < array_count(wrong); i++)
		assert_false(parse(&secrets, wrong[i]));
	memset(longest + 6, 'A', 88);
	assert_false(parse(&secrets, longest));
}

/* By another implementation of HMAC-SHA256. */
static void every_secret_signs(void **state)
{
	struct hook_secrets secrets;
	struct buf out;

	(void)state;
	assert_true(parse(&secrets, SECRET_A "\n" SECRET_B));
	buf_init(&out, 1024);
	hook_sign(&secrets, "crm.1.2.3", 1764500000, SLICE("{}"), &out);
	assert_string_equal(buf_text(&out), "v1,nvaONaG4SaqPFTgNv6+z9rEk3AWh9xQmwUUfgriPSxg= "
					    "v1,jzwDiWWXANNiFG/nMgyOxT/2P+THt9k1fIeGJof9cho=");
	buf_done(&out);
}

static void a_secret_that_is_not_there_is_made_for_its_owner_alone(void **state)
{
	char folder[] = "/tmp/hikyaku-hook-XXXXXX";
	char path[64];
	struct hook_secrets first;
	struct hook_secrets second;
	struct error error;
	struct stat st;
	bool is_new;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/secret", folder);
	assert_true(hook_secrets_load(&first, path, &is_new, &error));
	assert_true(is_new);
	assert_int_equal(first.sizes[0], 32);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(hook_secrets_load(&second, path, &is_new, &error));
	assert_false(is_new);
	assert_memory_equal(&first, &second, sizeof(first));
	unlink(path);
	assert_int_equal(symlink("/nowhere/at/all", path), 0);
	assert_false(hook_secrets_load(&second, path, &is_new, &error));
	unlink(path);
	rmdir(folder);
}

/* ---- bodies ---- */

static json_t *entries(u64 first, u64 last)
{
	json_t *items = json_array();

	for (u64 i = first; i <= last; i++)
		json_array_append_new(
			items, json_pack("{s:I, s:I, s:s, s:s, s:s}", "number", (json_int_t)i,
					 "time_ms", (json_int_t)(1764500000123 + (i64)i), "outcome",
					 i % 2 ? "delivered" : "bounced", "address", "ann@x.test",
					 "customer", i % 2 ? "a.test" : "b.test"));
	return items;
}

static json_t *parsed(const struct hook_batch *batch)
{
	json_t *json = json_loadb(batch->body.ptr, batch->body.len, 0, NULL);

	assert_non_null(json);
	return json;
}

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static void an_event_is_its_entry_with_id_type_and_time(void **state)
{
	const struct config_hook hook = { .name = "crm" };
	struct hook_batch batch;
	json_t *items = entries(4, 5);
	json_t *body;
	const json_t *data;
	const json_t *event;

	(void)state;
	hook_batch_init(&batch);
	assert_true(hook_batch_make(&batch, &hook, items, 9, 1764500001000));
	assert_int_equal(batch.count, 2);
	assert_int_equal(batch.upto, 9);
	assert_string_equal(batch.id, "crm.4.5.1764500000127");
	body = parsed(&batch);
	assert_string_equal(text_of(body, "type"), "delivery.batch");
	assert_string_equal(text_of(body, "timestamp"), "2025-11-30T10:53:21.000Z");
	data = json_object_get(body, "data");
	assert_string_equal(text_of(data, "hook"), "crm");
	assert_int_equal(json_array_size(json_object_get(data, "events")), 2);
	event = json_array_get(json_object_get(data, "events"), 0);
	assert_string_equal(text_of(event, "id"), "4-1764500000127");
	assert_string_equal(text_of(event, "type"), "bounced");
	assert_string_equal(text_of(event, "timestamp"), "2025-11-30T10:53:20.127Z");
	assert_string_equal(text_of(event, "address"), "ann@x.test");
	assert_int_equal(json_integer_value(json_object_get(event, "number")), 4);
	json_decref(body);
	json_decref(items);
	hook_batch_done(&batch);
}

static void the_same_entries_have_the_same_id(void **state)
{
	const struct config_hook hook = { .name = "crm" };
	struct hook_batch batch;
	json_t *items = entries(1, 3);
	char id[HOOK_ID_MAX];

	(void)state;
	hook_batch_init(&batch);
	assert_true(hook_batch_make(&batch, &hook, items, 3, 1764500001000));
	memcpy(id, batch.id, sizeof(id));
	assert_true(hook_batch_make(&batch, &hook, items, 7, 1764599999000));
	assert_string_equal(batch.id, id);
	json_decref(items);
	items = entries(1, 4);
	assert_true(hook_batch_make(&batch, &hook, items, 7, 1764599999000));
	assert_string_not_equal(batch.id, id);
	json_decref(items);
	hook_batch_done(&batch);
}

static void customers_that_are_not_asked_for_are_left_out(void **state)
{
	static const char *const customers[] = { "c.test", "b.test" };
	const struct config_hook hook = { .name = "crm", .customers = { customers, 2 } };
	struct hook_batch batch;
	json_t *items = entries(1, 5);
	json_t *body;

	(void)state;
	hook_batch_init(&batch);
	assert_true(hook_batch_make(&batch, &hook, items, 5, 1764500001000));
	assert_int_equal(batch.count, 2);
	assert_string_equal(batch.id, "crm.2.4.1764500000125");
	body = parsed(&batch);
	assert_int_equal(json_array_size(json_object_get(json_object_get(body, "data"), "events")),
			 2);
	json_decref(body);
	json_decref(items);
	items = entries(3, 3);
	assert_true(hook_batch_make(&batch, &hook, items, 5, 1764500001000));
	assert_int_equal(batch.count, 0);
	json_decref(items);
	hook_batch_done(&batch);
}

static void a_test_is_an_event_of_its_own(void **state)
{
	const struct config_hook hook = { .name = "crm" };
	struct hook_batch batch;
	json_t *body;

	(void)state;
	hook_batch_init(&batch);
	assert_true(hook_batch_make_test(&batch, &hook, 1764500001000));
	body = parsed(&batch);
	assert_string_equal(text_of(body, "type"), "test");
	assert_string_equal(text_of(json_object_get(body, "data"), "hook"), "crm");
	json_decref(body);
	hook_batch_done(&batch);
}

/* Rooms below the store cannot ask it; so this does. */
static void a_hook_may_ask_for_every_outcome_of_the_log(void **state)
{
	u32 count = 0;

	(void)state;
	for (; config_events[count]; count++)
		assert_string_equal(config_events[count], log_outcome_name(count + 1));
	assert_int_equal(count, LOG_OUTCOME_LAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_has_one_secret_or_several),
		cmocka_unit_test(what_is_no_secret_is_refused),
		cmocka_unit_test(every_secret_signs),
		cmocka_unit_test(a_secret_that_is_not_there_is_made_for_its_owner_alone),
		cmocka_unit_test(an_event_is_its_entry_with_id_type_and_time),
		cmocka_unit_test(the_same_entries_have_the_same_id),
		cmocka_unit_test(customers_that_are_not_asked_for_are_left_out),
		cmocka_unit_test(a_test_is_an_event_of_its_own),
		cmocka_unit_test(a_hook_may_ask_for_every_outcome_of_the_log),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
