/* What an import found in its rows, how contacts were before it, and who asked to be forgotten. */
#include "base/check.h"
#include "base/crypto.h"
#include "base/random.h"
#include "base/text.h"
#include "store/audience_import.h"
#include "store/audience_parts.h"

#define VERSION 1
#define ID_SIZE 4
#define REPORT_KEY_SIZE 12
#define REPORT_RECORD_MAX (5 + IMPORT_REPORT_TEXT_MAX)
#define LINE_SHIFT 8 /* the number of several of a line is below it */
#define UNDO_KEY_SIZE 8
#define UNDO_VERSION 2
#define UNDO_HEAD_SIZE 10
#define ERASED_KEY_SIZE 16
#define ERASED_RECORD_SIZE 9
#define SECRET_SIZE 32
#define SECRET_NAME SLICE("erased/secret")

/* ---- reports ---- */

static struct slice report_key(u8 key[REPORT_KEY_SIZE], u32 import, u64 line, u8 number)
{
	record_put_u64(record_put_u32(key, import), line << LINE_SHIFT | number);
	return env_key(key, REPORT_KEY_SIZE);
}

/*
 * Behind those of its line that are there; a line has fewer than 256 columns with something wrong.
 */
static enum store_result next_number(struct audience_txn *txn, u32 import, u64 line, u8 *number)
{
	u8 bytes[REPORT_KEY_SIZE];
	struct slice key;
	struct slice value;
	struct record_reader r;
	u64 place;
	enum store_result result = env_before(&txn->env, AUDIENCE_IMPORT_ROW,
					      report_key(bytes, import, line + 1, 0), &key, &value);

	*number = 1;
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != import)
		return STORE_OK;
	place = record_get_u64(&r);
	if (place >> LINE_SHIFT == line)
		*number = (u8)(place & 0xff) < 0xff ? (u8)((place & 0xff) + 1) : 0xff;
	return STORE_OK;
}

enum store_result import_report_add(struct audience_txn *txn, u32 import,
				    const struct import_report *report)
{
	u8 record[REPORT_RECORD_MAX];
	u8 bytes[REPORT_KEY_SIZE];
	struct slice text = slice_first(report->text, IMPORT_REPORT_TEXT_MAX);
	u8 *at = record_put_u8(record, VERSION);
	u8 number;
	enum store_result result = next_number(txn, import, report->line, &number);

	if (result != STORE_OK)
		return result;
	at = record_put_u8(at, report->kind);
	at = record_put_u8(at, report->problem);
	at = record_put_u16(at, report->column);
	at = record_put_bytes(at, text);
	return env_put(&txn->env, AUDIENCE_IMPORT_ROW,
		       report_key(bytes, import, report->line, number),
		       env_key(record, (size_t)(at - record)));
}

enum store_result import_report_after(struct audience_txn *txn, u32 import, u64 line, u8 number,
				      struct import_report *report)
{
	u8 bytes[REPORT_KEY_SIZE];
	struct slice key;
	struct slice value;
	struct record_reader r;
	u64 place;
	u8 version;
	enum store_result result = env_after(&txn->env, AUDIENCE_IMPORT_ROW,
					     report_key(bytes, import, line, number), &key, &value);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != import)
		return STORE_NOT_FOUND;
	place = record_get_u64(&r);
	report->line = place >> LINE_SHIFT;
	report->number = (u8)(place & 0xff);
	r = record_reader_of(value);
	version = record_get_u8(&r);
	report->kind = record_get_u8(&r);
	report->problem = record_get_u8(&r);
	report->column = record_get_u16(&r);
	report->text = record_get_rest(&r);
	return r.bad || version != VERSION ? env_damaged(&txn->env, AUDIENCE_IMPORT_ROW, key) :
					     STORE_OK;
}

/* ---- undoing ---- */

static struct slice undo_key(u8 key[UNDO_KEY_SIZE], u32 import, u32 contact)
{
	record_put_u32(record_put_u32(key, import), contact);
	return env_key(key, UNDO_KEY_SIZE);
}

u64 contact_digest(const struct contact *contact)
{
	u8 head[18];
	u8 digest[SHA256_SIZE];
	struct sha256 hash;
	u64 number;

	record_put_u16(record_put_u64(record_put_u64(head, contact->changed_ms),
				      (u64)contact->state),
		       (u16)contact->address.len);
	sha256_init(&hash);
	sha256_add(&hash, head, sizeof(head));
	sha256_add(&hash, contact->address.ptr, contact->address.len);
	sha256_add(&hash, contact->lists.ptr, contact->lists.len);
	sha256_add(&hash, contact->values.ptr, contact->values.len);
	sha256_finish(&hash, digest);
	memcpy(&number, digest, sizeof(number));
	return number;
}

enum store_result import_undo_add(struct audience_txn *txn, u32 import, u32 contact,
				  const struct import_undo *undo)
{
	u8 bytes[UNDO_KEY_SIZE];
	u8 *at;
	enum store_result result =
		env_reserve(&txn->env, AUDIENCE_IMPORT_UNDO, undo_key(bytes, import, contact),
			    UNDO_HEAD_SIZE + undo->before.len, &at);

	if (result != STORE_OK)
		return result;
	at = record_put_u8(record_put_u8(at, UNDO_VERSION), (u8)undo->sender);
	record_put_bytes(record_put_u64(at, undo->after), undo->before);
	return STORE_OK;
}

enum store_result import_undo_after(struct audience_txn *txn, u32 import, u32 contact, u32 *found,
				    struct import_undo *undo)
{
	u8 bytes[UNDO_KEY_SIZE];
	struct slice key;
	struct slice value;
	struct record_reader r;
	u8 version;
	enum store_result result = env_after(&txn->env, AUDIENCE_IMPORT_UNDO,
					     undo_key(bytes, import, contact), &key, &value);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != import)
		return STORE_NOT_FOUND;
	*found = record_get_u32(&r);
	r = record_reader_of(value);
	version = record_get_u8(&r);
	undo->sender = (enum contact_state)record_get_u8(&r);
	undo->after = record_get_u64(&r);
	undo->before = record_get_rest(&r);
	if (r.bad || version != UNDO_VERSION)
		return env_damaged(&txn->env, AUDIENCE_IMPORT_UNDO, key);
	return STORE_OK;
}

enum store_result import_undo_forget(struct audience_txn *txn, u32 contact)
{
	struct slice last;
	struct slice value;
	struct record_reader r;
	enum store_result result = env_last(&txn->env, AUDIENCE_IMPORT, &last, &value);
	u32 id;

	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	r = record_reader_of(last);
	for (id = record_get_u32(&r); id > 0; id--) {
		u8 bytes[UNDO_KEY_SIZE];

		result = env_delete(&txn->env, AUDIENCE_IMPORT_UNDO, undo_key(bytes, id, contact));
		if (result != STORE_OK && result != STORE_NOT_FOUND)
			return result;
	}
	return STORE_OK;
}

/* ---- clearing ---- */

static enum store_result clear_table(struct audience_txn *txn, u32 table, u32 import, u32 max,
				     bool *left)
{
	u8 bytes[ID_SIZE];
	struct slice prefix;
	struct slice key;
	struct slice value;
	enum store_result result = STORE_OK;

	record_put_u32(bytes, import);
	prefix = env_key(bytes, ID_SIZE);
	for (u32 i = 0; i < max; i++) {
		result = env_seek(&txn->env, table, prefix, &key, &value);
		if (result == STORE_NOT_FOUND ||
		    (result == STORE_OK && !slice_has_prefix(key, prefix))) {
			*left = false;
			return STORE_OK;
		}
		if (result == STORE_OK)
			result = env_delete(&txn->env, table, key);
		if (result != STORE_OK)
			return result;
	}
	return STORE_OK;
}

enum store_result import_clear(struct audience_txn *txn, u32 import, bool undo, u32 max, bool *left)
{
	enum store_result result;

	*left = true;
	result = clear_table(txn, AUDIENCE_IMPORT_ROW, import, max, left);
	if (result != STORE_OK || *left || !undo)
		return result;
	*left = true;
	return clear_table(txn, AUDIENCE_IMPORT_UNDO, import, max, left);
}

/* ---- who asked to be forgotten ---- */

/* A hash without a secret could be tried with all addresses that there are. */
static enum store_result erased_key(struct audience_txn *txn, struct slice address, bool makes,
				    u8 key[ERASED_KEY_SIZE])
{
	u8 digest[SHA256_SIZE];
	u8 fresh[SECRET_SIZE];
	struct slice secret;
	enum store_result result = audience_setting_get(txn, SECRET_NAME, &secret);

	if (result == STORE_NOT_FOUND && makes) {
		random_bytes(fresh, sizeof(fresh));
		secret = env_key(fresh, sizeof(fresh));
		result = audience_setting_put(txn, SECRET_NAME, secret);
	}
	if (result != STORE_OK)
		return result;
	hmac_sha256(digest, secret.ptr, secret.len, address.ptr, address.len);
	memcpy(key, digest, ERASED_KEY_SIZE);
	return STORE_OK;
}

enum store_result erased_add(struct audience_txn *txn, struct slice key, u64 at_ms)
{
	u8 bytes[ERASED_KEY_SIZE];
	u8 record[ERASED_RECORD_SIZE];
	enum store_result result = erased_key(txn, key, true, bytes);

	if (result != STORE_OK)
		return result;
	record_put_u64(record_put_u8(record, VERSION), at_ms);
	return env_put(&txn->env, AUDIENCE_ERASED, env_key(bytes, sizeof(bytes)),
		       env_key(record, sizeof(record)));
}

enum store_result erased_find(struct audience_txn *txn, struct slice key, u64 *at_ms)
{
	u8 bytes[ERASED_KEY_SIZE];
	struct slice record;
	struct record_reader r;
	u8 version;
	enum store_result result = erased_key(txn, key, false, bytes);

	if (result == STORE_OK)
		result = env_get(&txn->env, AUDIENCE_ERASED, env_key(bytes, sizeof(bytes)),
				 &record);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(record);
	version = record_get_u8(&r);
	*at_ms = record_get_u64(&r);
	return r.bad || version != VERSION ?
		       env_damaged(&txn->env, AUDIENCE_ERASED, env_key(bytes, sizeof(bytes))) :
		       STORE_OK;
}

enum store_result erased_delete(struct audience_txn *txn, struct slice key)
{
	u8 bytes[ERASED_KEY_SIZE];
	enum store_result result = erased_key(txn, key, false, bytes);

	return result == STORE_OK ?
		       env_delete(&txn->env, AUDIENCE_ERASED, env_key(bytes, sizeof(bytes))) :
		       result;
}
