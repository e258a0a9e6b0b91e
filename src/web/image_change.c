#include "web/image_change.h"

#include "base/log.h"
#include "base/text.h"
#include "web/image_need.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OBJECT_SIZE 64

static const struct words refusals[] = {
	[IMAGE_TAKEN] = { { "", "" } },
	[IMAGE_NO_ROOM] = { { "there is no room for more images: delete some, or have images-max "
			      "raised",
			      "画像の保存容量がいっぱいです。不要な画像を削除するか、"
			      "images-max を大きくしてください" } },
	[IMAGE_TOO_MANY] = { { "there are as many images as there may be: delete some",
			       "画像の数が上限に達しています。不要な画像を削除してください" } },
};

const struct words *image_refusal_words(enum image_refusal refusal)
{
	return &refusals[refusal];
}

static void write_object(char out[OBJECT_SIZE], const u8 id[ASSET_ID_SIZE])
{
	char hex[MAIL_IMAGE_ID_TEXT];

	mail_image_id_text(hex, id);
	snprintf(out, OBJECT_SIZE, "image %s", hex);
}

/* ---- bringing ---- */

static void show_texts(struct image_brought *one)
{
	one->asset.of[ASSET_NAME] = slice_of(one->name);
	one->asset.of[ASSET_ALT] = slice_of(one->alt);
	one->asset.of[ASSET_FILE] = slice_of(one->file);
	one->asset.of[ASSET_BY] = slice_of(one->by);
}

static bool is_there(const char *audience, struct slice file)
{
	char path[UPLOAD_PATH_MAX];

	return image_file_path(path, audience, file) && access(path, F_OK) == 0;
}

/*
 * What is known of it stays, and so does its file, unless that is lost: then this one takes its
 * place. NOT_FOUND: the image is new.
 */
static enum store_result look_up(struct image_bring *bring, struct image_brought *one,
				 struct audience_txn *txn)
{
	const char *audience = bring->order.web->config->web.audience;
	struct audience_asset known;
	enum store_result result = audience_asset_get(txn, one->asset.id, &known);

	one->was_known = false;
	if (result != STORE_OK)
		return result;
	one->was_known = is_there(audience, known.of[ASSET_FILE]);
	slice_copy(one->name, sizeof(one->name), known.of[ASSET_NAME]);
	slice_copy(one->alt, sizeof(one->alt), known.of[ASSET_ALT]);
	slice_copy(one->by, sizeof(one->by), known.of[ASSET_BY]);
	one->asset.created_ms = known.created_ms;
	one->asset.changed_ms = known.changed_ms;
	return STORE_OK;
}

static enum store_result keep(struct image_bring *bring, struct audience_txn *txn,
			      struct image_brought *one)
{
	char object[OBJECT_SIZE];
	enum store_result result = look_up(bring, one, txn);

	if (one->was_known || (result != STORE_OK && result != STORE_NOT_FOUND))
		return result;
	show_texts(one);
	write_object(object, one->asset.id);
	result = audience_asset_put(txn, &one->asset);
	return result == STORE_OK ? call_audit(txn, &bring->author, "image.add", slice_of(object))
				  : result;
}

/* Two of one form may be the same, so each is looked up again when those before it are kept. */
static enum store_result bring_apply(struct scribe_order *base, struct audience_txn *txn)
{
	struct image_bring *bring = container_of(base, struct image_bring, order.order);
	const struct config_web *config = &bring->order.web->config->web;
	struct audience_asset_total total;
	enum store_result result = audience_asset_sum(txn, &total);

	bring->refusal = IMAGE_TAKEN;
	for (u32 i = 0; i < bring->count && result == STORE_OK; i++) {
		struct image_brought *one = &bring->of[i];

		result = look_up(bring, one, txn);
		if (result != STORE_NOT_FOUND)
			continue;
		result = STORE_OK;
		total.count++;
		total.bytes += one->asset.size;
	}
	if (total.bytes > config->images_max)
		bring->refusal = IMAGE_NO_ROOM;
	else if (total.count > ASSETS_MAX)
		bring->refusal = IMAGE_TOO_MANY;
	for (u32 i = 0; i < bring->count && result == STORE_OK && bring->refusal == IMAGE_TAKEN;
	     i++)
		result = keep(bring, txn, &bring->of[i]);
	return result;
}

static void bring_answer(struct call *call, struct call_order *base)
{
	struct image_bring *bring = container_of(base, struct image_bring, order);

	for (u32 i = 0; i < bring->count; i++)
		show_texts(&bring->of[i]);
	if (call_order_is_well(call, base))
		bring->answer(call, bring);
}

/* A file that no record has got goes again. */
static void bring_done(struct call_order *base)
{
	struct image_bring *bring = container_of(base, struct image_bring, order);
	bool is_kept = base->order.result == STORE_OK && bring->refusal == IMAGE_TAKEN;

	for (u32 i = 0; i < bring->count; i++) {
		if (!is_kept || bring->of[i].was_known)
			image_file_delete(base->web->config->web.audience,
					  slice_of(bring->of[i].file));
	}
}

/* What an image is; false: `problem` says why it is none to us. */
static bool read_image(const struct image_upload *upload, struct image_brought *one,
		       enum image_problem *problem)
{
	struct sha256 hash = upload->hash;
	u8 digest[SHA256_SIZE];
	struct image_facts facts;

	*problem = image_reader_end(&upload->reader, &facts);
	if (*problem != IMAGE_GOOD)
		return false;
	sha256_finish(&hash, digest);
	memcpy(one->asset.id, digest, ASSET_ID_SIZE);
	one->asset.kind = (u8)facts.kind;
	one->asset.width = facts.width;
	one->asset.height = facts.height;
	one->asset.size = upload->upload.size;
	slice_copy(one->name, sizeof(one->name), slice_of(upload->name));
	image_file_name(one->file, one->asset.id);
	return true;
}

/* False: one of them is refused, and the call is answered. */
static bool read_all(struct call *call, struct image_bring *bring,
		     void (*refuse)(struct call *call, u32 at, struct slice name, u32 status,
				    const struct words *why))
{
	static const struct words too_large = { { "the image is too large a file: see image-max",
						  "画像のファイルサイズが大きすぎます"
						  "（image-max が上限です）" } };
	static const struct words too_many = { { "too many images at once",
						 "一度に取り込める画像の数を超えています" } };
	struct image_uploads *images = call->images;

	for (u32 i = 0; i < images->count; i++) {
		struct image_brought *one = &bring->of[i];
		struct slice name = slice_of(images->of[i].name);
		enum image_problem problem;

		if (images->of[i].is_too_large) {
			refuse(call, i, name, 413, &too_large);
			return false;
		}
		if (!read_image(&images->of[i], one, &problem)) {
			refuse(call, i, name, 422,
			       &WORDS(image_problem_words(problem, false),
				      image_problem_words(problem, true)));
			return false;
		}
		slice_copy(one->by, sizeof(one->by), slice_of(bring->author.who));
		one->asset.created_ms = bring->author.now_ms;
		one->asset.changed_ms = bring->author.now_ms;
	}
	if (images->is_too_many)
		refuse(call, images->count, SLICE(""), 413, &too_many);
	return !images->is_too_many;
}

/* All files go to their place; false: none is there, the call is answered. */
static bool keep_files(struct call *call, struct image_bring *bring)
{
	const char *audience = call->web->config->web.audience;
	struct image_uploads *images = call->images;
	struct error error;
	bool ok = true;

	for (u32 i = 0; i < images->count && ok; i++) {
		ok = image_file_keep(&images->of[i].upload, audience, slice_of(bring->of[i].file),
				     &error);
		bring->count += ok;
	}
	if (ok && image_files_sync(audience, &error))
		return true;
	for (u32 i = 0; i < bring->count; i++)
		image_file_delete(audience, slice_of(bring->of[i].file));
	log_error("web", "images cannot be kept", "reason=%s", error.text);
	call_refuse(call, 503, NULL, "no room for the images");
	return false;
}

void image_bring(struct call *call, struct slice alt,
		 void (*refuse)(struct call *call, u32 at, struct slice name, u32 status,
				const struct words *why),
		 void (*answer)(struct call *call, struct image_bring *bring))
{
	struct image_bring *bring = calloc(1, sizeof(*bring));

	if (!bring) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	call_author(call, &bring->author);
	bring->answer = answer;
	if (call->images->count == 1)
		slice_copy(bring->of[0].alt, sizeof(bring->of[0].alt), alt);
	if (!read_all(call, bring, refuse) || !keep_files(call, bring)) {
		free(bring);
		return;
	}
	bring->order.order.apply = bring_apply;
	bring->order.answer = bring_answer;
	bring->order.done = bring_done;
	call_give_order(call, &bring->order);
}

/* ---- changing ---- */

static enum store_result change_texts(struct image_change *change, struct audience_txn *txn,
				      struct audience_asset *asset)
{
	char texts[ASSET_TEXTS][ASSET_ALT_MAX + 1] = { "" };

	/* The record's views end with the writing. */
	for (u32 i = 0; i < ASSET_TEXTS; i++) {
		slice_copy(texts[i], sizeof(texts[i]), asset->of[i]);
		asset->of[i] = slice_of(texts[i]);
	}
	if (change->has_name)
		asset->of[ASSET_NAME] = slice_of(change->name);
	if (change->has_alt)
		asset->of[ASSET_ALT] = slice_of(change->alt);
	asset->changed_ms = change->author.now_ms;
	return audience_asset_put(txn, asset);
}

static enum store_result change_apply(struct scribe_order *base, struct audience_txn *txn)
{
	struct image_change *change = container_of(base, struct image_change, order.order);
	struct audience_asset asset;
	enum store_result result = audience_asset_get(txn, change->id, &asset);
	char object[OBJECT_SIZE];

	change->is_gone = result == STORE_NOT_FOUND;
	if (result != STORE_OK)
		return change->is_gone ? STORE_OK : result;
	slice_copy(change->file, sizeof(change->file), asset.of[ASSET_FILE]);
	if (change->deletes)
		result = image_needs(txn, change->id, change->japanese, change->needed);
	if (result != STORE_OK || change->needed[0])
		return result;
	result = change->deletes ? audience_asset_delete(txn, change->id)
				 : change_texts(change, txn, &asset);
	write_object(object, change->id);
	if (result == STORE_OK)
		result = call_audit(txn, &change->author,
				    change->deletes ? "image.delete" : "image.change",
				    slice_of(object));
	return result;
}

static void change_answer(struct call *call, struct call_order *base)
{
	struct image_change *change = container_of(base, struct image_change, order);

	if (call_order_is_well(call, base))
		change->answer(call, change);
}

static void change_done(struct call_order *base)
{
	struct image_change *change = container_of(base, struct image_change, order);

	if (change->deletes && !change->is_gone && !change->needed[0] &&
	    base->order.result == STORE_OK)
		image_file_delete(base->web->config->web.audience, slice_of(change->file));
}

bool image_id_of(struct call *call, u8 id[ASSET_ID_SIZE])
{
	if (mail_image_id_read(slice_of(call->argument), id))
		return true;
	call_refuse(call, 404, NULL, "there is no such image");
	return false;
}

struct image_change *image_change_new(struct call *call)
{
	struct image_change *change = calloc(1, sizeof(*change));

	if (!change) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	if (image_id_of(call, change->id))
		return change;
	free(change);
	return NULL;
}

void image_change_give(struct call *call, struct image_change *change)
{
	call_author(call, &change->author);
	change->order.order.apply = change_apply;
	change->order.answer = change_answer;
	change->order.done = change_done;
	call_give_order(call, &change->order);
}
