#include "web/import_order.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "campaign/import_row.h"
#include "web/import_file.h"
#include "web/import_job.h"
#include "web/import_preview.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a new one ---- */

static enum store_result audit(struct audience_txn *txn, const struct call_author *author,
			       const char *action, u32 import)
{
	char object[24];

	snprintf(object, sizeof(object), "import %u", import);
	return call_audit(txn, author, action, slice_of(object));
}

struct add_order {
	struct call_order order;
	char file[IMPORT_FILE_NAME_SIZE];
	struct import import;
	struct buf header;
	char by[128];
	char name[IMPORT_NAME_MAX + 1];
	json_t *preview;
	struct call_author author;
	void (*answer)(struct call *call, const struct import *import, json_t *preview);
};

static enum store_result add_apply(struct scribe_order *base, struct audience_txn *txn)
{
	struct add_order *order = container_of(base, struct add_order, order.order);
	enum store_result result = import_add(txn, &order->import);

	return result == STORE_OK ? audit(txn, &order->author, "import.bring", order->import.id) :
				    result;
}

static void add_answer(struct call *call, struct call_order *base)
{
	struct add_order *order = container_of(base, struct add_order, order);

	if (call_order_is_well(call, base))
		order->answer(call, &order->import, order->preview);
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

void import_bring(struct call *call, const char *by, struct slice name,
		  void (*answer)(struct call *call, const struct import *import, json_t *preview))
{
	struct add_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	slice_copy(order->by, sizeof(order->by), slice_of(by));
	slice_copy(order->name, sizeof(order->name),
		   import_shown(name, sizeof(order->name) - 1));
	order->answer = answer;
	call_author(call, &order->author);
	if (!add_prepare(order, call)) {
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

static bool has_file(const struct import *import)
{
	return import->file.len > 0 &&
	       (import->state == IMPORT_UPLOADED || import->state == IMPORT_TRIED ||
		import->state == IMPORT_FAILED);
}

/* The attribute of column `i`, which somebody else may have made meanwhile. */
static enum store_result make_attribute(struct import *import, struct audience_txn *txn, u32 i)
{
	struct attribute attribute = { .type = (enum attribute_type)import->columns[i].id };
	struct attribute known;
	enum store_result result;

	if (!import_new_name(import, i, &attribute.name, &attribute.label_ja))
		return STORE_FAILED;
	result = attribute_find(txn, attribute.name, &known);
	if (result == STORE_NOT_FOUND)
		result = attribute_add(txn, &attribute);
	else if (result == STORE_OK)
		attribute.id = known.id;
	if (result == STORE_OK)
		import->columns[i] = (struct import_column){ IMPORT_ATTRIBUTE, attribute.id };
	return result;
}

/* Whether those that are still to be made may be: others were made since the plan was. */
static enum store_result count_attributes(const struct import_change *order,
					  struct audience_txn *txn, bool *fits)
{
	u32 count = 0;
	enum store_result result = attribute_count(txn, &count);

	for (u32 i = 0; i < order->import.column_count; i++)
		count += order->import.columns[i].target == IMPORT_NEW;
	*fits = count <= ATTRIBUTES_MAX;
	return result;
}

/* Only now: whoever has tried a file and thinks better of it has changed nothing. */
static enum store_result make_attributes(struct import_change *order, struct audience_txn *txn)
{
	struct import *import = &order->import;
	bool fits;
	enum store_result result = count_attributes(order, txn, &fits);

	if (result == STORE_OK && !fits)
		order->refusal = "there would be too many attributes";
	for (u32 i = 0; i < import->column_count && result == STORE_OK && fits; i++) {
		if (import->columns[i].target == IMPORT_NEW)
			result = make_attribute(import, txn, i);
	}
	return result;
}

static void set_plan(struct import_change *order)
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
	import->news = buf_slice(&order->news);
	import->update = plan->update;
	import->skips_suppressed = plan->skips_suppressed;
	import->has_plan = true;
	import->column_count = plan->column_count;
	memcpy(import->columns, plan->columns, sizeof(import->columns));
	import->list_count = plan->list_count;
	memcpy(import->lists, plan->lists, sizeof(import->lists));
	import->has_consent = plan->has_consent;
	import->starts_sequences = plan->starts_sequences;
	import->consent_ms = plan->consent_ms;
	import->consent_source = slice_of(plan->consent_source);
	import->consent_text = slice_of(plan->consent_text);
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
static void cancel(struct import_change *order)
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

static void undo(struct import_change *order)
{
	struct import *import = &order->import;

	if ((import->state == IMPORT_DONE || import->state == IMPORT_CANCELLED ||
	     import->state == IMPORT_FAILED) &&
	    import->file.len == 0 && !import->is_cleared)
		start(import, IMPORT_UNDOING);
	else
		order->refusal = "there is nothing to be undone";
}

static enum store_result change_apply(struct scribe_order *base, struct audience_txn *txn)
{
	/* A plan and a dry run change nothing that anybody would ask about. */
	static const char *const actions[] = { [WISH_PLAN] = NULL,
					       [WISH_TRY] = NULL,
					       [WISH_RUN] = "import.run",
					       [WISH_CANCEL] = "import.cancel",
					       [WISH_UNDO] = "import.undo" };
	struct import_change *order = container_of(base, struct import_change, order.order);
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
			set_plan(order);
		else
			order->refusal = "it is under way, or over";
		break;
	case WISH_TRY:
	case WISH_RUN:
		if (!has_file(&order->import))
			order->refusal = "it is under way, or over";
		else if (!order->import.has_plan)
			order->refusal = "nobody has said yet what its columns are";
		else if (order->wish == WISH_RUN)
			result = make_attributes(order, txn);
		if (!order->refusal)
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
	result = import_put(txn, &order->import);
	if (result == STORE_OK && actions[order->wish])
		result = audit(txn, &order->author, actions[order->wish], order->id);
	return result;
}

bool import_change_has_job(const struct import_change *change)
{
	return change->wish == WISH_TRY || change->wish == WISH_RUN || change->wish == WISH_UNDO;
}

static void change_answer(struct call *call, struct call_order *base)
{
	struct import_change *order = container_of(base, struct import_change, order);

	if (call_order_is_well(call, base))
		order->answer(call, order);
}

static void change_done(struct call_order *base)
{
	struct import_change *order = container_of(base, struct import_change, order);

	if (base->order.result == STORE_OK && !order->refusal) {
		import_file_delete(base->web->config->web.audience, slice_of(order->file));
		/* Without memory for a job it is done after the next start. */
		if (import_change_has_job(order) &&
		    !import_job_give(base->web->jobs, order->id, base->web->config))
			log_error("web", "no memory for an import: it waits for a start",
				  "import=%u", order->id);
	}
	buf_done(&order->header);
	buf_done(&order->news);
}

struct import_change *import_change_new(struct call *call,
					void (*answer)(struct call *call,
						       struct import_change *change))
{
	struct import_change *change = calloc(1, sizeof(*change));

	if (!change) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	buf_init(&change->header, 0);
	buf_init(&change->news, 2 * IMPORT_NEWS_MAX);
	call_author(call, &change->author);
	change->answer = answer;
	change->order.order.apply = change_apply;
	change->order.answer = change_answer;
	change->order.done = change_done;
	return change;
}

void import_change_free(struct import_change *change)
{
	buf_done(&change->header);
	buf_done(&change->news);
	free(change);
}

bool import_change_check(struct import_change *order, struct call *call,
			 const struct import *import, const struct nouns *nouns)
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
	else if (!import_plan_pack_news(&order->plan, &order->news))
		call_refuse(call, 422, "/columns",
			    "names and labels of new attributes are too long together");
	else
		good = true;
	order->header = preview.header;
	order->delimiter = preview.delimiter;
	json_decref(preview.json);
	return good;
}
