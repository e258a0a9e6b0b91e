#include "web/template_order.h"

#include "base/text.h"
#include "base/utf8.h"
#include "web/stored_block.h"
#include "web/template_use.h"
#include "web/use_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (16u << 10)
#define ARENA_MAX (96u << 20)

static const struct field {
	const char *name;
	u32 max; /* bytes */
	bool is_line;
} fields[TEMPLATE_FIELDS_ALL] = {
	[AUDIENCE_TEMPLATE_SUBJECT] = { "subject", 2000, true },
	[AUDIENCE_TEMPLATE_PREHEADER] = { "preheader", 2000, true },
	[AUDIENCE_TEMPLATE_HTML] = { "html", 1u << 20, false },
	[AUDIENCE_TEMPLATE_TEXT] = { "text", 512u << 10, false },
	[AUDIENCE_TEMPLATE_SAMPLE] = { "sample", 64u << 10, false },
	[TEMPLATE_FIELD_NAME] = { "name", AUDIENCE_TEMPLATE_NAME_MAX, true },
};

static const char *const kinds[AUDIENCE_TEMPLATE_KINDS] = {
	[AUDIENCE_TEMPLATE_MAIL] = "mail",
	[AUDIENCE_TEMPLATE_BLOCK] = "block",
	[AUDIENCE_TEMPLATE_PROGRAM] = "transactional",
};

const char *template_field_name(u32 field)
{
	return field < TEMPLATE_FIELDS_ALL ? fields[field].name : NULL;
}

const char *template_kind_name(enum audience_template_kind kind)
{
	return kinds[kind];
}

bool template_kind_find(struct slice name, enum audience_template_kind *kind)
{
	for (u32 i = 1; i < AUDIENCE_TEMPLATE_KINDS; i++) {
		if (slice_equal(name, slice_of(kinds[i]))) {
			*kind = (enum audience_template_kind)i;
			return true;
		}
	}
	return false;
}

/* ---- orders ---- */

static void on_order_done(struct call_order *base)
{
	arena_done(&container_of(base, struct template_order, order)->arena);
}

void template_order_free(struct template_order *order)
{
	on_order_done(&order->order);
	free(order);
}

struct slice template_text(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] > ' ')
			return text;
	}
	return SLICE("");
}

/* Line ends as programs write them, whoever wrote them. */
bool template_order_take(struct template_order *order, enum audience_template_text text,
			 struct slice value)
{
	char *copy = arena_take(&order->arena, value.len + 1);
	size_t len = 0;

	value = template_text(value);
	order->given |= 1u << text;
	for (size_t i = 0; copy && i < value.len; i++) {
		if (value.ptr[i] != '\r' || i + 1 == value.len || value.ptr[i + 1] != '\n')
			copy[len++] = value.ptr[i];
	}
	order->of[text] = (struct slice){ copy, len };
	return copy != NULL;
}

/* ---- what they may be ---- */

enum problem { MISSING, TOO_LONG, CONTROL, NO_NAME, NO_SAMPLE, PROBLEMS };

static bool refuse(struct template_order *order, u32 field, enum problem problem)
{
	static const char *const words[PROBLEMS][2] = {
		[MISSING] = { "this has to be given", "入力してください" },
		[TOO_LONG] = { "this is too long", "長すぎます" },
		[CONTROL] = { "there is a control character, a second line, or what is not UTF-8",
			      "改行・制御文字・UTF-8 でない文字は使えません" },
		[NO_NAME] = { "a name is no number, and has no braces and no white space at its "
			      "ends",
			      "名前には数字だけのもの、波かっこ、前後の空白は使えません" },
		[NO_SAMPLE] = { "sample values are a JSON object: {\"order\": \"A-1\"}",
				"サンプル値は JSON オブジェクトで入力してください: "
				"{\"order\": \"A-1\"}" },
	};

	order->field = field;
	return error_set(&order->error, "%s", words[problem][order->japanese]);
}

static bool is_line(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

static bool is_sample(struct slice text)
{
	json_t *json = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
	bool ok = json_is_object(json);

	json_decref(json);
	return ok;
}

/* It stands between "{{>" and "}}"; a number would be taken for an id. */
static bool is_name(struct slice name)
{
	u64 number;

	return slice_find_char(name, '{') < 0 && slice_find_char(name, '}') < 0 &&
	       !slice_to_u64(name, &number) && slice_trim(name).len == name.len;
}

bool template_order_check(struct template_order *order)
{
	struct slice name = slice_of(order->name);

	if (order->is_name_long)
		return refuse(order, TEMPLATE_FIELD_NAME, TOO_LONG);
	if ((order->kind == TEMPLATE_ORDER_ADD || order->needs_name) && name.len == 0)
		return refuse(order, TEMPLATE_FIELD_NAME, MISSING);
	if (!is_line(name) || !utf8_is_valid(name))
		return refuse(order, TEMPLATE_FIELD_NAME, CONTROL);
	if (!is_name(name))
		return refuse(order, TEMPLATE_FIELD_NAME, NO_NAME);
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++) {
		if (order->of[i].len > fields[i].max)
			return refuse(order, i, TOO_LONG);
		if ((fields[i].is_line && !is_line(order->of[i])) || !utf8_is_valid(order->of[i]))
			return refuse(order, i, CONTROL);
	}
	if (slice_trim(order->of[AUDIENCE_TEMPLATE_SAMPLE]).len > 0 &&
	    !is_sample(order->of[AUDIENCE_TEMPLATE_SAMPLE]))
		return refuse(order, AUDIENCE_TEMPLATE_SAMPLE, NO_SAMPLE);
	return true;
}

/* ---- carrying them out: nothing is written before all of it is known to be right ---- */

static enum store_result look_for_name(struct template_order *order, struct audience_txn *txn)
{
	struct audience_template other;
	enum store_result result;

	if (!order->name[0])
		return STORE_OK;
	result = audience_template_find(txn, slice_of(order->name), &other);
	if (result == STORE_OK && other.id != order->id)
		order->end = TEMPLATE_ORDER_NAME_TAKEN;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* A block is asked for by its name, so that it is known to be open. */
static bool check_body(struct template_order *order, struct stored_blocks *blocks,
		       const struct audience_template *one, struct slice text, bool html)
{
	struct slice expanded;
	struct buf tag;
	bool ok;

	buf_init(&tag, AUDIENCE_TEMPLATE_NAME_MAX + 8);
	buf_add_format(&tag, "{{>%.*s}}", SLICE_FMT(one->name));
	ok = stored_blocks_expand(blocks, html ? "html" : "text",
				  one->kind == AUDIENCE_TEMPLATE_BLOCK ? buf_slice(&tag) : text,
				  html, &expanded, &order->error);
	buf_done(&tag);
	return ok;
}

/* Whether all blocks that are named are there, and none stands in itself. */
static bool check_blocks(struct template_order *order, struct audience_txn *txn,
			 const struct audience_template *one,
			 const struct audience_template_version *version)
{
	struct stored_blocks blocks;

	stored_blocks_init(&blocks, txn, &order->arena);
	if (one->kind == AUDIENCE_TEMPLATE_BLOCK) {
		blocks.instead = one->name;
		blocks.instead_html = version->of[AUDIENCE_TEMPLATE_HTML];
		blocks.instead_text = version->of[AUDIENCE_TEMPLATE_TEXT];
	}
	order->field = AUDIENCE_TEMPLATE_HTML;
	if (!check_body(order, &blocks, one, version->of[AUDIENCE_TEMPLATE_HTML], true))
		return false;
	order->field = AUDIENCE_TEMPLATE_TEXT;
	return check_body(order, &blocks, one, version->of[AUDIENCE_TEMPLATE_TEXT], false);
}

static enum store_result look_for_uses(struct template_order *order, struct audience_txn *txn,
				       const struct audience_template *one)
{
	struct buf who;
	enum store_result result;

	buf_init(&who, USE_NAMES_MAX);
	result = template_uses(txn, one, order->japanese, &who);
	if (result == STORE_OK && who.len > 0) {
		order->end = TEMPLATE_ORDER_IN_USE;
		error_set(&order->error, "%.*s", SLICE_FMT(buf_slice(&who)));
	}
	buf_done(&who);
	return result;
}

static enum store_result audit(const struct template_order *order, struct audience_txn *txn)
{
	static const char *const actions[] = { [TEMPLATE_ORDER_ADD] = "template.add",
					       [TEMPLATE_ORDER_SAVE] = "template.change",
					       [TEMPLATE_ORDER_RESTORE] = "template.restore",
					       [TEMPLATE_ORDER_DELETE] = "template.delete" };
	char object[32];

	snprintf(object, sizeof(object), "template %u", order->id);
	return call_audit(txn, &order->author, actions[order->kind], slice_of(object));
}

static void sign(const struct template_order *order, struct audience_template *one,
		 struct audience_template_version *version)
{
	one->by = slice_first(slice_of(order->author.who), AUDIENCE_TEMPLATE_BY_MAX);
	one->changed_ms = order->author.now_ms;
	version->by = one->by;
	version->made_ms = one->changed_ms;
	version->number = one->version;
}

static enum store_result apply_add(struct template_order *order, struct audience_txn *txn)
{
	struct audience_template one = { .kind = order->template_kind,
					 .language = order->language,
					 .created_ms = order->author.now_ms,
					 .name = slice_of(order->name) };
	struct audience_template_version version;
	u32 count;
	enum store_result result = audience_template_count(txn, &count);

	if (result != STORE_OK)
		return result;
	if (count >= AUDIENCE_TEMPLATES_MAX) {
		order->end = TEMPLATE_ORDER_TOO_MANY;
		return STORE_OK;
	}
	memcpy(version.of, order->of, sizeof(version.of));
	if (!check_blocks(order, txn, &one, &version)) {
		order->end = TEMPLATE_ORDER_WRONG;
		return STORE_OK;
	}
	sign(order, &one, &version);
	result = audience_template_add(txn, &one, &version);
	order->id = one.id;
	order->version = one.version;
	order->is_changed = true;
	return result == STORE_OK ? audit(order, txn) : result;
}

/* What stays is copied: views do not live through a write. */
static bool keep(struct template_order *order, struct audience_template *one,
		 struct audience_template_version *version)
{
	if (order->name[0])
		one->name = slice_of(order->name);
	else
		one->name = arena_copy(&order->arena, one->name);
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++) {
		version->of[i] = arena_copy(&order->arena, version->of[i]);
		if (!version->of[i].ptr)
			return false;
	}
	return one->name.ptr != NULL;
}

/* Puts what is given in place of what is there; whether anything differs. */
static bool change(const struct template_order *order, struct audience_template *one,
		   struct audience_template_version *version)
{
	bool differs = order->name[0] && !slice_equal(one->name, slice_of(order->name));

	if (order->has_language && one->language != order->language) {
		one->language = order->language;
		differs = true;
	}
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++) {
		if (!(order->given >> i & 1))
			continue;
		differs |= !slice_equal(version->of[i], order->of[i]);
		version->of[i] = order->of[i];
	}
	return differs;
}

static enum store_result apply_save(struct template_order *order, struct audience_txn *txn,
				    struct audience_template *one)
{
	bool restores = order->kind == TEMPLATE_ORDER_RESTORE;
	struct audience_template_version version;
	enum store_result result;
	bool renames;

	if (order->wanted != 0 && order->wanted != one->version) {
		order->end = TEMPLATE_ORDER_OUTDATED;
		return STORE_OK;
	}
	result = audience_template_version(txn, one->id,
					   restores ? order->restored : one->version, &version);
	if (result == STORE_NOT_FOUND)
		order->end = TEMPLATE_ORDER_NO_VERSION;
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	renames = order->name[0] && !slice_equal_nocase(one->name, slice_of(order->name));
	if (renames && one->kind == AUDIENCE_TEMPLATE_BLOCK)
		result = look_for_uses(order, txn, one);
	if (result != STORE_OK || order->end != TEMPLATE_ORDER_DONE)
		return result;
	order->is_changed = change(order, one, &version) ||
			    (restores && order->restored != one->version);
	if (!order->is_changed)
		return STORE_OK;
	if (!keep(order, one, &version))
		return STORE_FULL;
	if (!check_blocks(order, txn, one, &version)) {
		order->end = TEMPLATE_ORDER_WRONG;
		return STORE_OK;
	}
	order->version = ++one->version;
	sign(order, one, &version);
	result = audience_template_save(txn, one, &version);
	return result == STORE_OK ? audit(order, txn) : result;
}

static enum store_result apply_delete(struct template_order *order, struct audience_txn *txn,
				      const struct audience_template *one)
{
	enum store_result result = look_for_uses(order, txn, one);

	if (result != STORE_OK || order->end != TEMPLATE_ORDER_DONE)
		return result;
	order->is_changed = true;
	result = audience_template_delete(txn, one->id);
	return result == STORE_OK ? audit(order, txn) : result;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct template_order *order =
		container_of(scribe_order, struct template_order, order.order);
	struct audience_template one;
	enum store_result result;

	/* It may be applied again, to another transaction. */
	if (order->kind == TEMPLATE_ORDER_ADD)
		order->id = 0;
	order->end = TEMPLATE_ORDER_DONE;
	order->is_changed = false;
	result = look_for_name(order, txn);
	if (result != STORE_OK || order->end != TEMPLATE_ORDER_DONE)
		return result;
	if (order->kind == TEMPLATE_ORDER_ADD)
		return apply_add(order, txn);
	result = audience_template_get(txn, order->id, &one);
	if (result == STORE_NOT_FOUND) {
		order->end = TEMPLATE_ORDER_GONE;
		return STORE_OK;
	}
	if (result != STORE_OK)
		return result;
	order->version = one.version;
	return order->kind == TEMPLATE_ORDER_DELETE ? apply_delete(order, txn, &one)
						    : apply_save(order, txn, &one);
}

struct template_order *template_order_new(struct call *call, enum template_order_kind kind)
{
	struct template_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	arena_init(&order->arena, ARENA_CHUNK, ARENA_MAX);
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++)
		order->of[i] = SLICE("");
	order->kind = kind;
	call_author(call, &order->author);
	order->order.order.apply = apply;
	order->order.done = on_order_done;
	return order;
}
