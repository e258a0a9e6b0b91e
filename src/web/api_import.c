/* /api/v1/imports: files of contacts, what is to be done with them, and how far that is. */
#include "base/text.h"
#include "web/import_order.h"
#include "web/import_preview.h"
#include "web/page.h"
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

static void answer_brought(struct call *call, const struct import *import, json_t *preview)
{
	struct nouns *nouns;
	json_t *json;

	if (!nouns_begin(call, &nouns))
		return;
	json = import_json(import, nouns);
	if (json)
		json_object_update(json, preview);
	buf_add_format(&call->answer_head, "Location: /api/v1/imports/%u\r\n", import->id);
	call_answer(call, 201, json);
	nouns_end(call, nouns);
}

void api_imports_add(struct call *call)
{
	char by[API_KEY_NAME_MAX + 8];

	snprintf(by, sizeof(by), "api %s", call->key.name);
	import_bring(call, by, call_query(call, "name"), answer_brought);
}

/* ---- what is to be done with it ---- */

static void answer(struct call *call, struct import_change *change)
{
	struct nouns *nouns;

	if (change->refusal) {
		call_refuse(call, 409, NULL, "%s", change->refusal);
		return;
	}
	if (!nouns_begin(call, &nouns))
		return;
	call_answer(call, import_change_has_job(change) ? 202 : 200,
		    import_json(&change->import, nouns));
	nouns_end(call, nouns);
}

static void change(struct call *call, enum import_wish wish)
{
	struct import_change *order = import_change_new(call, answer);
	struct import import = { 0 };
	struct nouns *nouns;
	bool good;

	if (!order)
		return;
	if (!nouns_begin(call, &nouns)) {
		import_change_free(order);
		return;
	}
	good = find(call, &import) &&
	       (wish != WISH_PLAN ||
		(import_plan_read(&order->plan, call, call->json, nouns) &&
		 import_change_check(order, call, &import, nouns)));
	order->id = import.id;
	order->wish = wish;
	nouns_end(call, nouns);
	if (good)
		call_give_order(call, &order->order);
	else
		import_change_free(order);
}

void api_import_plan(struct call *call)
{
	change(call, WISH_PLAN);
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
