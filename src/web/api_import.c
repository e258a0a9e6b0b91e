/* /api/v1/imports: files of contacts, what is to be done with them, and how far that is. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/field.h"
#include "web/import_file.h"
#include "web/import_job.h"
#include "web/import_json.h"
#include "web/import_preview.h"
#include "web/query.h"
#include "web/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 100

/* ---- showing ---- */

/* False: there is none, and the call is answered. */
static bool find(struct call *call, struct import *import)
{
	enum store_result result = STORE_NOT_FOUND;
	u32 id;

	if (slice_to_u32(slice_of(call->argument), &id))
		result = import_get(call->web->reader, id, import);
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such import");
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "imports cannot be read");
	return result == STORE_OK;
}

void api_imports_list(struct call *call)
{
	struct import import = { .id = UINT32_MAX };
	enum store_result result = STORE_OK;
	u64 before = UINT32_MAX;
	struct nouns *nouns;
	json_t *imports;

	if (!web_query_number(call, SLICE("before"), &before) || !nouns_begin(call, &nouns))
		return;
	imports = json_array();
	import.id = (u32)min_u64(before, UINT32_MAX);
	while (json_array_size(imports) < LIST_MAX &&
	       (result = import_before(call->web->reader, import.id, &import)) == STORE_OK) {
		if (json_array_append_new(imports, import_json(&import, nouns)) != 0)
			break;
	}
	call_answer(call, 200, json_pack("{s:o, s:b}", "imports", imports, "more",
					 (int)(result == STORE_OK)));
	nouns_end(call, nouns);
}

void api_import_show(struct call *call)
{
	struct import import;
	struct nouns *nouns;

	if (!nouns_begin(call, &nouns))
		return;
	if (find(call, &import))
		call_answer(call, 200, import_json(&import, nouns));
	nouns_end(call, nouns);
}

void api_import_preview(struct call *call)
{
	struct import_preview preview = { 0 };
	char path[UPLOAD_PATH_MAX];
	char encoding[32];
	struct import import;
	struct error error;
	struct nouns *nouns;
	enum import_encoding code;

	if (!web_query_text(call, "encoding", encoding, sizeof(encoding)) ||
	    !nouns_begin(call, &nouns))
		return;
	buf_init(&preview.header, 0);
	if (find(call, &import)) {
		code = encoding[0] ? import_encoding_of(slice_of(encoding)) :
				     (enum import_encoding)import.encoding;
		if (!code)
			call_refuse(call, 422, NULL, "this encoding is not known");
		else if (import.file.len == 0 ||
			 !import_file_path(path, call->web->config->web.audience, import.file))
			call_refuse(call, 409, NULL, "the file is not kept any more");
		else if (import_preview_read(&preview, path, code, nouns, &error))
			call_answer(call, 200, preview.json);
		else
			call_refuse(call, 422, NULL, "%s", error.text);
	}
	buf_done(&preview.header);
	nouns_end(call, nouns);
}

/* ---- a new one ---- */

struct add_order {
	struct call_order order;
	char file[IMPORT_FILE_NAME_SIZE];
	struct import import;
	struct buf header;
	char by[128];
	char name[IMPORT_NAME_MAX + 1];
	json_t *preview;
};

static enum store_result add_apply(struct scribe_order *base, struct audience_txn *txn)
{
	struct add_order *order = container_of(base, struct add_order, order.order);

	return import_add(txn, &order->import);
}

static void add_answer(struct call *call, struct call_order *base)
{
	struct add_order *order = container_of(base, struct add_order, order);
	struct nouns *nouns;
	json_t *json;

	if (!call_order_is_well(call, base) || !nouns_begin(call, &nouns))
		return;
	json = import_json(&order->import, nouns);
	if (json)
		json_object_update(json, order->preview);
	buf_add_format(&call->answer_head, "Location: /api/v1/imports/%u\r\n", order->import.id);
	call_answer(call, 201, json);
	nouns_end(call, nouns);
}

static void add_done(struct call_order *base)
{
	struct add_order *order = container_of(base, struct add_order, order);

	if (base->order.result != STORE_OK)
		import_file_delete(base->web->config->web.audience, slice_of(order->file));
	buf_done(&order->header);
	json_decref(order->preview);
}

static bool add_preview(struct add_order *order, const char *path, const struct nouns *nouns,
			struct error *error)
{
	struct import_preview preview = { 0 };
	bool good = import_preview_read(&preview, path,
					(enum import_encoding)order->import.encoding, nouns, error);

	order->header = preview.header;
	order->preview = preview.json;
	order->import.header = buf_slice(&order->header);
	order->import.delimiter = preview.delimiter;
	order->import.column_count = preview.column_count;
	return good;
}

/* The file is taken over; false: the call is answered. */
static bool add_prepare(struct add_order *order, struct call *call)
{
	const char *audience = call->web->config->web.audience;
	struct import *import = &order->import;
	char path[UPLOAD_PATH_MAX];
	struct import_guess guess;
	enum import_reason reason;
	struct nouns *nouns;
	struct error error = { "the path is too long" };
	bool good;

	import->state = IMPORT_UPLOADED;
	import->created_ms = clock_wall_ms();
	import->size = call->upload.size;
	if (!upload_is_open(&call->upload)) {
		call_refuse(call, 422, NULL, "there is no file");
		return false;
	}
	if (!import_file_keep(&call->upload, audience, order->file, &guess, &error)) {
		log_error("web", "a file cannot be kept", "reason=%s", error.text);
		call_refuse(call, 503, NULL, "no room for the file");
		return false;
	}
	import->encoding = (u8)import_guess_say(&guess, &reason);
	import->reason = (u8)reason;
	import->update = IMPORT_FILLED;
	import->by = slice_of(order->by);
	import->name = slice_of(order->name);
	import->file = slice_of(order->file);
	if (!nouns_begin(call, &nouns)) {
		import_file_delete(audience, import->file);
		return false;
	}
	good = import_file_path(path, call->web->config->web.audience, import->file) &&
	       add_preview(order, path, nouns, &error);
	nouns_end(call, nouns);
	if (!good) {
		import_file_delete(audience, import->file);
		call_refuse(call, 422, NULL, "%s", error.text);
	}
	return good;
}

void api_imports_add(struct call *call)
{
	struct add_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	snprintf(order->by, sizeof(order->by), "api %s", call->key.name);
	if (!web_query_text(call, "name", order->name, sizeof(order->name)) ||
	    !add_prepare(order, call)) {
		buf_done(&order->header);
		json_decref(order->preview);
		free(order);
		return;
	}
	order->order.order.apply = add_apply;
	order->order.answer = add_answer;
	order->order.done = add_done;
	call_give_order(call, &order->order);
}

/* ---- what is to be done with it ---- */

enum import_wish { WISH_PLAN, WISH_TRY, WISH_RUN, WISH_CANCEL, WISH_UNDO };

struct change_order {
	struct call_order order;
	enum import_wish wish;
	u32 id;
	struct import_plan plan;
	struct buf header;
	char delimiter;
	const char *refusal; /* why nothing was done */
	char file[IMPORT_FILE_NAME_SIZE]; /* to be deleted */
	struct import import;
	char room[IMPORT_ROOM_SIZE];
};

static bool has_file(const struct import *import)
{
	return import->file.len > 0 &&
	       (import->state == IMPORT_UPLOADED || import->state == IMPORT_TRIED ||
		import->state == IMPORT_FAILED);
}

static enum store_result make_attributes(struct change_order *order, struct audience_txn *txn)
{
	struct import_plan *plan = &order->plan;
	struct attribute known;
	enum store_result result;

	for (u32 i = 0; i < plan->new_count; i++) {
		struct attribute attribute = { .type = plan->news[i].type,
					       .name = slice_of(plan->news[i].name),
					       .label_ja = slice_of(plan->news[i].label_ja) };

		result = attribute_find(txn, attribute.name, &known);
		if (result == STORE_NOT_FOUND)
			result = attribute_add(txn, &attribute);
		else if (result == STORE_OK)
			attribute.id = known.id;
		if (result != STORE_OK)
			return result;
		order->import.columns[plan->news[i].column] =
			(struct import_column){ IMPORT_ATTRIBUTE, attribute.id };
	}
	return STORE_OK;
}

static enum store_result set_plan(struct change_order *order, struct audience_txn *txn)
{
	const struct import_plan *plan = &order->plan;
	struct import *import = &order->import;

	import->state = IMPORT_UPLOADED;
	import->problem = SLICE_NONE;
	if (plan->encoding && plan->encoding != (enum import_encoding)import->encoding) {
		import->encoding = (u8)plan->encoding;
		import->reason = IMPORT_SAID;
	}
	import->delimiter = order->delimiter;
	import->header = buf_slice(&order->header);
	import->update = plan->update;
	import->has_plan = true;
	import->column_count = plan->column_count;
	memcpy(import->columns, plan->columns, sizeof(import->columns));
	import->list_count = plan->list_count;
	memcpy(import->lists, plan->lists, sizeof(import->lists));
	import->has_consent = plan->has_consent;
	import->consent_ms = plan->consent_ms;
	import->consent_source = slice_of(plan->consent_source);
	import->consent_text = slice_of(plan->consent_text);
	return make_attributes(order, txn);
}

static void start(struct import *import, enum import_state state)
{
	import->state = state;
	import->position = 0;
	import->began_ms = clock_wall_ms();
	import->ended_ms = 0;
	import->problem = SLICE_NONE;
	if (state != IMPORT_UNDOING)
		import->counts = (struct import_counts){ 0 };
}

/* What is running stops at its next batch, which finds another state. */
static void cancel(struct change_order *order)
{
	struct import *import = &order->import;

	import->ended_ms = clock_wall_ms();
	if (import->state == IMPORT_TRYING) {
		import->state = IMPORT_UPLOADED;
		import->position = 0;
	} else if (import->state == IMPORT_RUNNING || has_file(import)) {
		import->state = IMPORT_CANCELLED;
		slice_copy(order->file, sizeof(order->file), import->file);
		import->file = SLICE_NONE;
	} else {
		order->refusal = "it is over already";
	}
}

static void undo(struct change_order *order)
{
	struct import *import = &order->import;

	if ((import->state == IMPORT_DONE || import->state == IMPORT_CANCELLED ||
	     import->state == IMPORT_FAILED) &&
	    import->file.len == 0)
		start(import, IMPORT_UNDOING);
	else
		order->refusal = "there is nothing to be undone";
}

static enum store_result change_apply(struct scribe_order *base, struct audience_txn *txn)
{
	struct change_order *order = container_of(base, struct change_order, order.order);
	enum store_result result = import_get(txn, order->id, &order->import);

	order->refusal = NULL;
	order->file[0] = '\0';
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_FAILED : result;
	if (!import_keep(&order->import, order->room))
		return STORE_FAILED;
	switch (order->wish) {
	case WISH_PLAN:
		if (has_file(&order->import))
			result = set_plan(order, txn);
		else
			order->refusal = "it is under way, or over";
		break;
	case WISH_TRY:
	case WISH_RUN:
		if (!has_file(&order->import))
			order->refusal = "it is under way, or over";
		else if (!order->import.has_plan)
			order->refusal = "nobody has said yet what its columns are";
		else
			start(&order->import,
			      order->wish == WISH_TRY ? IMPORT_TRYING : IMPORT_RUNNING);
		break;
	case WISH_CANCEL:
		cancel(order);
		break;
	case WISH_UNDO:
		undo(order);
		break;
	}
	if (result != STORE_OK || order->refusal)
		return result;
	return import_put(txn, &order->import);
}

static bool has_job(const struct change_order *order)
{
	return order->wish == WISH_TRY || order->wish == WISH_RUN || order->wish == WISH_UNDO;
}

static void change_answer(struct call *call, struct call_order *base)
{
	struct change_order *order = container_of(base, struct change_order, order);
	struct nouns *nouns;

	if (!call_order_is_well(call, base))
		return;
	if (order->refusal) {
		call_refuse(call, 409, NULL, "%s", order->refusal);
		return;
	}
	if (!nouns_begin(call, &nouns))
		return;
	call_answer(call, has_job(order) ? 202 : 200, import_json(&order->import, nouns));
	nouns_end(call, nouns);
}

static void change_done(struct call_order *base)
{
	struct change_order *order = container_of(base, struct change_order, order);

	if (base->order.result == STORE_OK && !order->refusal) {
		import_file_delete(base->web->config->web.audience, slice_of(order->file));
		/* Without memory for a job it is done after the next start. */
		if (has_job(order) &&
		    !import_job_give(base->web->jobs, order->id, base->web->config->web.audience))
			log_error("web", "no memory for an import: it waits for a start",
				  "import=%u", order->id);
	}
	buf_done(&order->header);
}

static void give_change(struct call *call, struct change_order *order, enum import_wish wish)
{
	order->wish = wish;
	order->order.order.apply = change_apply;
	order->order.answer = change_answer;
	order->order.done = change_done;
	call_give_order(call, &order->order);
}

static void change(struct call *call, enum import_wish wish)
{
	struct change_order *order = calloc(1, sizeof(*order));
	struct import import = { 0 };
	struct nouns *nouns;
	bool is_there;

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (!nouns_begin(call, &nouns)) {
		free(order);
		return;
	}
	is_there = find(call, &import);
	order->id = import.id;
	nouns_end(call, nouns);
	if (is_there)
		give_change(call, order, wish);
	else
		free(order);
}

void api_import_try(struct call *call)
{
	change(call, WISH_TRY);
}

void api_import_run(struct call *call)
{
	change(call, WISH_RUN);
}

void api_import_cancel(struct call *call)
{
	change(call, WISH_CANCEL);
}

void api_import_undo(struct call *call)
{
	change(call, WISH_UNDO);
}

/* The plan against the file as it is read by it. False: the call is answered. */
static bool check_plan(struct change_order *order, struct call *call, const struct import *import,
		       const struct nouns *nouns)
{
	struct import_preview preview = { .delimiter = order->plan.delimiter };
	enum import_encoding encoding = order->plan.encoding;
	char path[UPLOAD_PATH_MAX];
	struct error error;
	bool good = false;

	buf_init(&preview.header, 0);
	if (!encoding)
		encoding = (enum import_encoding)import->encoding;
	if (import->file.len == 0 ||
	    !import_file_path(path, call->web->config->web.audience, import->file))
		call_refuse(call, 409, NULL, "it is under way, or over");
	else if (!import_preview_read(&preview, path, encoding, nouns, &error))
		call_refuse(call, 422, NULL, "%s", error.text);
	else if (preview.column_count != order->plan.column_count)
		call_refuse(call, 422, "/columns", "the file has %u columns, here are %u",
			    preview.column_count, order->plan.column_count);
	else
		good = true;
	order->header = preview.header;
	order->delimiter = preview.delimiter;
	json_decref(preview.json);
	return good;
}

void api_import_plan(struct call *call)
{
	struct change_order *order = calloc(1, sizeof(*order));
	struct import import = { 0 };
	struct nouns *nouns;
	bool good;

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (!nouns_begin(call, &nouns)) {
		free(order);
		return;
	}
	good = find(call, &import) && import_plan_read(&order->plan, call, call->json, nouns) &&
	       check_plan(order, call, &import, nouns);
	order->id = import.id;
	nouns_end(call, nouns);
	if (good) {
		give_change(call, order, WISH_PLAN);
		return;
	}
	buf_done(&order->header);
	free(order);
}
