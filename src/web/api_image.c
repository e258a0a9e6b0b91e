/* /api/v1/images: images for mail, brought as they are or several in a form. */
#include "base/text.h"
#include "web/field.h"
#include "web/image_change.h"
#include "web/image_need.h"
#include "web/image_show.h"
#include "web/query.h"

#include <stdlib.h>

#define LIST_LIMIT 100
#define LIST_MAX 1000
#define SENTENCE_MAX 2000

/* ---- showing ---- */

/* Begins to read. False: the call is answered. */
static bool begin(struct call *call)
{
	if (audience_begin_read(call->web->reader) == STORE_OK)
		return true;
	audience_abort(call->web->reader);
	call_refuse(call, 503, NULL, "images cannot be read");
	return false;
}

/* In the order of their ids; `after` is one. */
void api_images_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	char after[MAIL_IMAGE_ID_TEXT];
	struct audience_asset asset;
	u64 limit = LIST_LIMIT;
	u8 id[ASSET_ID_SIZE];
	enum store_result result;
	json_t *images;

	if (!web_query_text(call, "after", after, sizeof(after)) ||
	    !web_query_number(call, SLICE("limit"), &limit))
		return;
	if (after[0] && !mail_image_id_read(slice_of(after), id)) {
		call_refuse(call, 422, NULL, "after is the id of an image");
		return;
	}
	if (!begin(call))
		return;
	images = json_array();
	result = audience_asset_after(txn, after[0] ? id : NULL, &asset);
	while (result == STORE_OK && json_array_size(images) < min_u64(limit, LIST_MAX)) {
		json_array_append_new(images, image_show_json(call, &asset));
		result = audience_asset_after(txn, asset.id, &asset);
	}
	audience_abort(txn);
	if (result == STORE_OK || result == STORE_NOT_FOUND) {
		call_answer(call, 200, json_pack("{s:o, s:b}", "images", images, "more",
						 (int)(result == STORE_OK)));
		return;
	}
	json_decref(images);
	call_refuse(call, 503, NULL, "images cannot be read");
}

static void answer_one(struct call *call, const u8 id[ASSET_ID_SIZE], u32 status)
{
	struct audience_asset asset;
	enum store_result result;
	json_t *json = NULL;

	if (!begin(call))
		return;
	result = audience_asset_get(call->web->reader, id, &asset);
	if (result == STORE_OK)
		json = image_show_json(call, &asset);
	audience_abort(call->web->reader);
	if (result == STORE_OK)
		call_answer(call, status, json);
	else
		call_refuse(call, result == STORE_NOT_FOUND ? 404 : 503, NULL,
			    "there is no such image");
}

void api_image_show(struct call *call)
{
	u8 id[ASSET_ID_SIZE];

	if (image_id_of(call, id))
		answer_one(call, id, 200);
}

/* ---- bringing ---- */

static void refuse(struct call *call, u32 at, struct slice name, u32 status,
		   const struct words *why)
{
	const char *sentence = why->text[LANGUAGE_ENGLISH];

	(void)at;
	if (name.len > 0)
		call_refuse(call, status, NULL, "%.*s: %s", SLICE_FMT(name), sentence);
	else
		call_refuse(call, status, NULL, "%s", sentence);
}

static void answer_brought(struct call *call, struct image_bring *bring)
{
	bool is_alone = !call->form;
	bool is_new = false;
	char hex[MAIL_IMAGE_ID_TEXT];
	json_t *images;

	if (bring->refusal != IMAGE_TAKEN) {
		call_refuse(call, 507, NULL, "%s",
			    image_refusal_words(bring->refusal)->text[LANGUAGE_ENGLISH]);
		return;
	}
	for (u32 i = 0; i < bring->count; i++)
		is_new |= !bring->of[i].was_known;
	if (is_alone) {
		mail_image_id_text(hex, bring->of[0].asset.id);
		buf_add_format(&call->answer_head, "Location: /api/v1/images/%s\r\n", hex);
		call_answer(call, is_new ? 201 : 200, image_show_json(call, &bring->of[0].asset));
		return;
	}
	images = json_array();
	for (u32 i = 0; i < bring->count; i++)
		json_array_append_new(images, image_show_json(call, &bring->of[i].asset));
	call_answer(call, is_new ? 201 : 200, json_pack("{s:o}", "images", images));
}

/* A text of the query, as of the members of the same names. False: the call is answered. */
static bool query_line(struct call *call, const char *name, char *out, size_t size)
{
	if (!web_query_text(call, name, out, size))
		return false;
	if (!field_has_control(slice_of(out)))
		return true;
	call_refuse(call, 422, NULL, "%s is one line of text", name);
	return false;
}

void api_images_add(struct call *call)
{
	char name[ASSET_NAME_MAX + 1];
	char alt[ASSET_ALT_MAX + 1];

	if (!query_line(call, "name", name, sizeof(name)) ||
	    !query_line(call, "alt", alt, sizeof(alt)))
		return;
	if (call->images->count == 0) {
		call_refuse(call, 422, NULL, "there is no image");
		return;
	}
	if (name[0] && call->images->count == 1)
		slice_copy(call->images->of[0].name, sizeof(call->images->of[0].name),
			   slice_of(name));
	image_bring(call, slice_of(alt), refuse, answer_brought);
}

/* ---- changing ---- */

static void refuse_needed(struct call *call, const char *who)
{
	call_refuse(call, 409, NULL, "it is needed by %s: that would go out without it", who);
}

static void answer_changed(struct call *call, struct image_change *change)
{
	if (change->is_gone)
		call_refuse(call, 404, NULL, "there is no such image");
	else if (change->needed[0])
		refuse_needed(call, change->needed);
	else if (change->deletes)
		call_answer_nothing(call, 204);
	else
		answer_one(call, change->id, 200);
}

void api_image_change(struct call *call)
{
	static const char *const names[] = { "name", "alt", NULL };
	struct image_change *change = image_change_new(call);
	const char *name;
	const char *alt;

	if (!change)
		return;
	if (!field_known(call, call->json, "", names) ||
	    !field_text(call, call->json, "", "name", ASSET_NAME_MAX, &name) ||
	    !field_text(call, call->json, "", "alt", ASSET_ALT_MAX, &alt)) {
		free(change);
		return;
	}
	change->has_name = name && *name;
	change->has_alt = alt != NULL;
	slice_copy(change->name, sizeof(change->name), slice_of(name ? name : ""));
	slice_copy(change->alt, sizeof(change->alt), slice_of(alt ? alt : ""));
	change->answer = answer_changed;
	image_change_give(call, change);
}

/* Within a transaction. False: something has it, and the call is answered. */
static bool is_free(struct call *call, const u8 id[ASSET_ID_SIZE], struct image_uses *uses)
{
	struct buf names;

	image_uses_find(call->web->reader, id, uses);
	if (uses->count == 0)
		return true;
	buf_init(&names, SENTENCE_MAX);
	image_uses_names(uses, &names);
	call_refuse(call, 409, NULL,
		    "it is used by: %.*s. To delete it all the same, say force=yes",
		    SLICE_FMT(buf_slice(&names)));
	buf_done(&names);
	return false;
}

/* False: somebody needs it, or has it and nobody said that this does not matter; it is answered. */
static bool may_go(struct call *call, const u8 id[ASSET_ID_SIZE])
{
	bool is_forced = slice_equal(call_query(call, "force"), SLICE("yes"));
	struct image_uses *uses = calloc(1, sizeof(*uses));
	char needed[USE_NAMES_MAX];
	bool may = false;

	if (!uses) {
		call_refuse(call, 503, NULL, "no memory");
		return false;
	}
	if (begin(call)) {
		if (image_needs(call->web->reader, id, false, needed) != STORE_OK)
			call_refuse(call, 503, NULL, "the store cannot be read");
		else if (needed[0])
			refuse_needed(call, needed);
		else
			may = is_forced || is_free(call, id, uses);
		audience_abort(call->web->reader);
	}
	free(uses);
	return may;
}

void api_image_delete(struct call *call)
{
	struct image_change *change = image_change_new(call);

	if (!change)
		return;
	if (!may_go(call, change->id)) {
		free(change);
		return;
	}
	change->deletes = true;
	change->answer = answer_changed;
	image_change_give(call, change);
}
