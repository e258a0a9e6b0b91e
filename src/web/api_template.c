/* /api/v1/templates: mails and blocks that are kept, their versions, how they look, a test. */
#include "base/clock.h"
#include "base/text.h"
#include "web/field.h"
#include "web/query.h"
#include "web/route.h"
#include "web/template_call.h"
#include "web/words.h"

#include <stdlib.h>

#define LIST_DEFAULT 100
#define LIST_MAX 500

/* ---- showing ---- */

static void add_texts(json_t *json, const struct audience_template_version *version)
{
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++)
		json_object_set_new(json, template_field_name(i),
				    json_stringn(version->of[i].ptr, version->of[i].len));
}

static json_t *show(const struct audience_template *one)
{
	char created[CLOCK_RFC3339_SIZE];
	char changed[CLOCK_RFC3339_SIZE];

	clock_format_rfc3339(created, one->created_ms);
	clock_format_rfc3339(changed, one->changed_ms);
	return json_pack("{s:I, s:s%, s:s, s:s, s:I, s:s, s:s, s:s%}", "id", (json_int_t)one->id,
			 "name", one->name.ptr, one->name.len, "kind",
			 template_kind_name(one->kind), "language",
			 language_code((enum language)(one->language % LANGUAGES)), "version",
			 (json_int_t)one->version, "created", created, "changed", changed, "by",
			 one->by.ptr, one->by.len);
}

static json_t *show_version(const struct audience_template_version *version, bool whole)
{
	char made[CLOCK_RFC3339_SIZE];
	json_t *json;

	clock_format_rfc3339(made, version->made_ms);
	json = json_pack("{s:I, s:s, s:s%}", "version", (json_int_t)version->number, "made", made,
			 "by", version->by.ptr, version->by.len);
	if (json && whole)
		add_texts(json, version);
	return json;
}

static bool wants(struct call *call, enum audience_template_kind *kind)
{
	static const char *const names[] = { "mail", "block", "transactional" };
	char text[16];

	*kind = AUDIENCE_TEMPLATE_KINDS;
	if (!web_query_text(call, "kind", text, sizeof(text)))
		return false;
	if (!text[0] || template_kind_find(slice_of(text), kind))
		return true;
	call_refuse(call, 400, NULL, "kind is %s, %s or %s", names[0], names[1], names[2]);
	return false;
}

void api_templates_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_template one = { 0 };
	enum audience_template_kind kind;
	enum store_result result;
	u64 after = 0;
	u64 limit = LIST_DEFAULT;
	json_t *items;

	if (!web_query_number(call, SLICE("after"), &after) ||
	    !web_query_number(call, SLICE("limit"), &limit) || !wants(call, &kind))
		return;
	items = json_array();
	one.id = (u32)min_u64(after, UINT32_MAX);
	result = audience_begin_read(txn);
	while (result == STORE_OK && json_array_size(items) < min_u64(limit, LIST_MAX)) {
		result = audience_template_after(txn, one.id, &one);
		if (result == STORE_OK && (kind == AUDIENCE_TEMPLATE_KINDS || kind == one.kind))
			json_array_append_new(items, show(&one));
	}
	audience_abort(txn);
	if (result == STORE_OK || result == STORE_NOT_FOUND) {
		call_answer(call, 200,
			    json_pack("{s:o, s:b}", "templates", items, "more",
				      (int)(result == STORE_OK && json_array_size(items) > 0)));
		return;
	}
	json_decref(items);
	call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
}

void api_template_show(struct call *call)
{
	struct audience_template_version version;
	struct audience_template one;
	json_t *json = NULL;
	bool is_there = template_find(call, 0, &one, &version);

	if (is_there) {
		json = show(&one);
		if (json)
			add_texts(json, &version);
	}
	audience_abort(call->web->reader);
	if (is_there)
		call_answer(call, 200, json);
}

void api_template_versions(struct call *call)
{
	struct audience_template_version version;
	struct audience_template one;
	bool is_there = template_find(call, 0, &one, &version);
	enum store_result result = STORE_OK;
	json_t *items = json_array();

	while (is_there && result == STORE_OK) {
		json_array_append_new(items, show_version(&version, false));
		result = audience_template_version_before(call->web->reader, one.id,
							  version.number, &version);
	}
	audience_abort(call->web->reader);
	if (is_there)
		call_answer(call, 200, json_pack("{s:O}", "versions", items));
	json_decref(items);
}

/* The second number of the path. False: answered. */
static bool read_version(struct call *call, u32 *number)
{
	*number = template_number(call->second);
	if (*number > 0)
		return true;
	call_refuse(call, 404, NULL, "there is no such version of it");
	return false;
}

void api_template_version(struct call *call)
{
	struct audience_template_version version;
	struct audience_template one;
	json_t *json = NULL;
	bool is_there;
	u32 number;

	if (!read_version(call, &number))
		return;
	is_there = template_find(call, number, &one, &version);
	if (is_there)
		json = show_version(&version, true);
	audience_abort(call->web->reader);
	if (is_there)
		call_answer(call, 200, json);
}

/* ---- writing ---- */

static void answer_written(struct call *call, const struct template_order *order)
{
	bool is_new = order->kind == TEMPLATE_ORDER_ADD;

	if (order->kind == TEMPLATE_ORDER_DELETE) {
		call_answer_nothing(call, 204);
		return;
	}
	if (is_new)
		buf_add_format(&call->answer_head, "Location: /api/v1/templates/%u\r\n", order->id);
	call_answer(call, is_new ? 201 : 200,
		    json_pack("{s:I, s:I, s:b}", "id", (json_int_t)order->id, "version",
			      (json_int_t)order->version, "changed", (int)order->is_changed));
}

static void on_written(struct call *call, struct call_order *base)
{
	const struct template_order *order = container_of(base, struct template_order, order);
	char pointer[FIELD_POINTER_MAX];

	if (!call_order_is_well(call, base))
		return;
	switch (order->end) {
	case TEMPLATE_ORDER_NAME_TAKEN:
		call_refuse(call, 409, "/name", "another template has this name");
		break;
	case TEMPLATE_ORDER_TOO_MANY:
		call_refuse(call, 409, NULL, "there are %d templates, which is all there may be",
			    AUDIENCE_TEMPLATES_MAX);
		break;
	case TEMPLATE_ORDER_OUTDATED:
		call_refuse(call, 409, "/version", "it was changed since: version %u is the newest",
			    order->version);
		break;
	case TEMPLATE_ORDER_GONE:
		call_refuse(call, 404, NULL, "there is no such template");
		break;
	case TEMPLATE_ORDER_NO_VERSION:
		call_refuse(call, 404, NULL, "there is no such version of it");
		break;
	case TEMPLATE_ORDER_IN_USE:
		call_refuse(call, 409, order->kind == TEMPLATE_ORDER_SAVE ? "/name" : NULL,
			    "it is used by %s", order->error.text);
		break;
	case TEMPLATE_ORDER_WRONG:
		call_refuse(call, 422,
			    field_pointer(pointer, "", template_field_name(order->field)), "%s",
			    order->error.text);
		break;
	case TEMPLATE_ORDER_DONE:
		answer_written(call, order);
		break;
	}
}

static void give(struct call *call, struct template_order *order)
{
	order->order.answer = on_written;
	call_give_order(call, &order->order);
}

static bool read_head(struct call *call, struct template_order *order)
{
	const char *name = NULL;
	const char *word = NULL;
	enum language language;
	u64 wanted = 0;

	if (!field_text(call, call->json, "", "name", AUDIENCE_TEMPLATE_NAME_MAX, &name) ||
	    !field_number(call, call->json, "", "version", UINT32_MAX, &wanted) ||
	    !field_text(call, call->json, "", "language", 8, &word))
		return false;
	order->wanted = (u32)wanted;
	slice_copy(order->name, sizeof(order->name), slice_of(name ? name : ""));
	if (word && !language_of_code(slice_of(word), &language)) {
		call_refuse(call, 422, "/language", "a template is in \"ja\" or \"en\"");
		return false;
	}
	order->has_language = word != NULL;
	order->language = word ? (u8)language : LANGUAGE_ENGLISH;
	if (!field_text(call, call->json, "", "kind", 32, &word))
		return false;
	order->template_kind = AUDIENCE_TEMPLATE_MAIL;
	if (word && (order->kind != TEMPLATE_ORDER_ADD ||
		     !template_kind_find(slice_of(word), &order->template_kind))) {
		call_refuse(call, 422, "/kind",
			    order->kind == TEMPLATE_ORDER_ADD
				    ? "a template is \"mail\", \"block\" or \"transactional\""
				    : "a template stays of its kind");
		return false;
	}
	return true;
}

/* Sample values may be written as what they are. */
static bool take_text(struct call *call, struct template_order *order,
		      enum audience_template_text text)
{
	const char *name = template_field_name(text);
	const json_t *value = json_object_get(call->json, name);
	char pointer[FIELD_POINTER_MAX];
	char *dumped;
	bool ok;

	if (!value)
		return true;
	if (text == AUDIENCE_TEMPLATE_SAMPLE && json_is_object(value)) {
		dumped = json_dumps(value, JSON_COMPACT);
		ok = dumped && template_order_take(order, text, slice_of(dumped));
		free(dumped);
	} else if (json_is_string(value) || json_is_null(value)) {
		ok = template_order_take(order, text,
					 json_is_null(value)
						 ? SLICE("")
						 : (struct slice){ json_string_value(value),
								   json_string_length(value) });
	} else {
		call_refuse(call, 422, field_pointer(pointer, "", name), "this is text");
		return false;
	}
	if (!ok)
		call_refuse(call, 503, NULL, "no memory");
	return ok;
}

static void write_body(struct call *call, enum template_order_kind kind, u32 id)
{
	static const char *const names[] = { "name",	  "kind", "language", "subject",
					     "preheader", "html", "text",     "sample",
					     "version",	  NULL };
	struct template_order *order;
	char pointer[FIELD_POINTER_MAX];
	bool ok;

	if (!field_known(call, call->json, "", names))
		return;
	order = template_order_new(call, kind);
	if (!order)
		return;
	order->id = id;
	ok = read_head(call, order);
	for (u32 i = 0; ok && i < AUDIENCE_TEMPLATE_TEXTS; i++)
		ok = take_text(call, order, (enum audience_template_text)i);
	if (ok && !template_order_check(order)) {
		call_refuse(call, 422,
			    field_pointer(pointer, "", template_field_name(order->field)), "%s",
			    order->error.text);
		ok = false;
	}
	if (ok)
		give(call, order);
	else
		template_order_free(order);
}

void api_templates_add(struct call *call)
{
	write_body(call, TEMPLATE_ORDER_ADD, 0);
}

static bool read_id(struct call *call, u32 *id)
{
	*id = template_number(call->argument);
	if (*id > 0)
		return true;
	call_refuse(call, 404, NULL, "there is no such template");
	return false;
}

void api_template_change(struct call *call)
{
	u32 id;

	if (read_id(call, &id))
		write_body(call, TEMPLATE_ORDER_SAVE, id);
}

void api_template_delete(struct call *call)
{
	struct template_order *order;
	u32 id;

	if (!read_id(call, &id))
		return;
	order = template_order_new(call, TEMPLATE_ORDER_DELETE);
	if (!order)
		return;
	order->id = id;
	give(call, order);
}

void api_template_restore(struct call *call)
{
	struct template_order *order;
	u32 number;
	u32 id;

	if (!read_id(call, &id) || !read_version(call, &number))
		return;
	order = template_order_new(call, TEMPLATE_ORDER_RESTORE);
	if (!order)
		return;
	order->id = id;
	order->restored = number;
	give(call, order);
}
