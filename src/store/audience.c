#include "store/audience.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"

#include <stdlib.h>
#include <string.h>

#define SETTING_NAME_MAX 250
#define SETTING_VERSION 1
#define ID_NAME_MAX 64

static const struct env_table tables[AUDIENCE_TABLES] = {
	[AUDIENCE_SETTING] = { "setting", { 0 }, true },
	[AUDIENCE_COUNT] = { "count", { 4, 4 }, false },
	[AUDIENCE_CONTACT] = { "contact", { 4 }, false },
	[AUDIENCE_CONTACT_ADDRESS] = { "contact-address", { 0 }, true },
	[AUDIENCE_HISTORY] = { "history", { 4, 8, 2 }, false },
	[AUDIENCE_LIST] = { "list", { 4 }, false },
	[AUDIENCE_MEMBER] = { "member", { 4, 4 }, false },
	[AUDIENCE_ATTRIBUTE] = { "attribute", { 4 }, false },
	[AUDIENCE_IMPORT] = { "import", { 4 }, false },
	[AUDIENCE_IMPORT_ROW] = { "import-row", { 4, 8 }, false },
	[AUDIENCE_IMPORT_UNDO] = { "import-undo", { 4, 4 }, false },
	[AUDIENCE_SEGMENT] = { "segment", { 4 }, false },
	[AUDIENCE_CAMPAIGN] = { "campaign", { 4 }, false },
	[AUDIENCE_CAMPAIGN_LINK] = { "campaign-link", { 4, 4 }, false },
	[AUDIENCE_CAMPAIGN_COUNT] = { "campaign-count", { 4, 4, 8 }, false },
	[AUDIENCE_ACTIVITY] = { "activity", { 4, 4 }, false },
	[AUDIENCE_BEHAVIOUR] = { "behaviour", { 4 }, false },
	[AUDIENCE_FORM] = { "form", { 4 }, false },
	[AUDIENCE_ASSET] = { "asset", { 8, 8 }, false },
	[AUDIENCE_USER] = { "user", { 0 }, true },
	[AUDIENCE_SESSION] = { "session", { 8, 8 }, false },
	[AUDIENCE_AUDIT] = { "audit", { 8, 2 }, false },
	[AUDIENCE_SENDER_ORDER] = { "sender-order", { 8 }, false },
	[AUDIENCE_SEQUENCE] = { "sequence", { 4 }, false },
	[AUDIENCE_ENROLMENT] = { "enrolment", { 4, 4 }, false },
	[AUDIENCE_ENROLMENT_DUE] = { "enrolment-due", { 4, 8, 4 }, false },
	[AUDIENCE_STEP_MAIL] = { "step-mail", { 4, 8 }, false },
	[AUDIENCE_ERASED] = { "erased", { 8, 8 }, true },
	[AUDIENCE_TEMPLATE] = { "template", { 4 }, false },
	[AUDIENCE_TEMPLATE_NAME] = { "template-name", { 0 }, true },
	[AUDIENCE_TEMPLATE_VERSION] = { "template-version", { 4, 4 }, false },
	[AUDIENCE_CAMPAIGN_TEXT] = { "campaign-text", { 4 }, false },
	[AUDIENCE_ARRIVAL] = { "arrival", { 4, 4, 2, 2 }, false },
};

static const struct env_shape shape = {
	.noun = "audience",
	.tables = tables,
	.table_count = AUDIENCE_TABLES,
	.format_major = 1,
	.format_minor = 0,
};

/* ---- opening ---- */

struct audience *audience_open(const struct store_params *params, struct error *error)
{
	struct audience *audience = calloc(1, sizeof(*audience));
	struct store_params whole = *params;

	if (!audience) {
		error_set(error, "audience %s: out of memory", params->path);
		return NULL;
	}
	whole.map_size = params->map_size_max;
	if (env_open(&audience->env, &shape, &whole, error))
		return audience;
	audience_close(audience);
	return NULL;
}

void audience_close(struct audience *audience)
{
	if (!audience)
		return;
	env_close(&audience->env);
	free(audience);
}

struct audience_txn *audience_txn_open(struct audience *audience)
{
	struct audience_txn *txn = calloc(1, sizeof(*txn));

	if (!txn)
		return NULL;
	txn->audience = audience;
	env_txn_init(&txn->env, &audience->env);
	return txn;
}

void audience_txn_close(struct audience_txn *txn)
{
	if (!txn)
		return;
	audience_abort(txn);
	free(txn);
}

/* ---- transactions ---- */

enum store_result audience_begin_read(struct audience_txn *txn)
{
	txn->count_count = 0;
	return env_begin_read(&txn->env);
}

enum store_result audience_begin(struct audience_txn *txn)
{
	txn->count_count = 0;
	txn->triggers_known = false;
	txn->joins_quietly = false;
	env_forget(&txn->env);
	return env_begin(&txn->env);
}

enum store_result audience_commit(struct audience_txn *txn)
{
	enum store_result result = audience_counts_flush(txn);

	if (result != STORE_OK) {
		audience_abort(txn);
		return result;
	}
	return env_commit(&txn->env);
}

void audience_abort(struct audience_txn *txn)
{
	txn->count_count = 0;
	env_abort(&txn->env);
}

const char *audience_error_text(const struct audience_txn *txn)
{
	return txn->env.error;
}

/* ---- settings ---- */

enum store_result audience_setting_get(struct audience_txn *txn, struct slice name,
				       struct slice *value)
{
	struct slice record;
	struct record_reader r;
	enum store_result result;

	ASSERT(name.len > 0 && name.len <= SETTING_NAME_MAX && name.ptr[0] != '\0');
	result = env_get(&txn->env, AUDIENCE_SETTING, name, &record);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(record);
	if (record_get_u8(&r) != SETTING_VERSION)
		return env_damaged(&txn->env, AUDIENCE_SETTING, name);
	*value = record_get_rest(&r);
	return STORE_OK;
}

enum store_result audience_setting_put(struct audience_txn *txn, struct slice name,
				       struct slice value)
{
	enum store_result result;
	u8 *at;

	ASSERT(name.len > 0 && name.len <= SETTING_NAME_MAX && name.ptr[0] != '\0');
	result = env_reserve(&txn->env, AUDIENCE_SETTING, name, value.len + 1, &at);
	if (result == STORE_OK)
		record_put_bytes(record_put_u8(at, SETTING_VERSION), value);
	return result;
}

enum store_result audience_setting_delete(struct audience_txn *txn, struct slice name)
{
	return env_delete(&txn->env, AUDIENCE_SETTING, name);
}

enum store_result audience_next_id(struct audience_txn *txn, const char *noun, u32 *id)
{
	char name[ID_NAME_MAX] = "id/";
	struct slice record;
	u8 number[4];
	enum store_result result;

	ASSERT(slice_copy(name + 3, sizeof(name) - 3, slice_of(noun)));
	result = audience_setting_get(txn, slice_of(name), &record);
	*id = 0;
	if (result == STORE_OK) {
		struct record_reader r = record_reader_of(record);

		*id = record_get_u32(&r);
		if (r.bad)
			return env_damaged(&txn->env, AUDIENCE_SETTING, slice_of(name));
	} else if (result != STORE_NOT_FOUND) {
		return result;
	}
	ASSERT(*id < UINT32_MAX);
	record_put_u32(number, ++*id);
	return audience_setting_put(txn, slice_of(name), env_key(number, sizeof(number)));
}

/* ---- room ---- */

bool audience_has_room(struct audience *audience)
{
	struct env_stats stats;

	return env_stats(&audience->env, &stats) == MDB_SUCCESS &&
	       env_has_room(&audience->env, stats.pages_used, stats.pages_free);
}

void audience_describe_room(const struct audience *audience, struct error *text)
{
	env_describe_room(&audience->env, text);
}

bool audience_size(const struct audience *audience, struct audience_size *size)
{
	struct env_stats stats;

	if (env_stats(&audience->env, &stats) != MDB_SUCCESS)
		return false;
	*size = (struct audience_size){ stats.pages_used * stats.page_size, stats.map_size };
	return true;
}
