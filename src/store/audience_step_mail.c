#include "store/audience_step_mail.h"

#include "store/audience_campaign.h"
#include "store/audience_parts.h"

#define VERSION 1
#define KEY_SIZE 12
#define RECORD_SIZE 5

static struct slice mail_key(u8 key[KEY_SIZE], u32 step, u64 number)
{
	record_put_u64(record_put_u32(key, step), number);
	return env_key(key, KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, enum store_result result, u32 step,
			      struct slice key, struct slice record, struct step_mail *mail)
{
	struct record_reader r = record_reader_of(key);
	u8 version;

	if (result != STORE_OK)
		return result;
	if (record_get_u32(&r) != step)
		return STORE_NOT_FOUND;
	mail->number = record_get_u64(&r);
	if (r.bad)
		return env_damaged(&txn->env, AUDIENCE_STEP_MAIL, key);
	r = record_reader_of(record);
	version = record_get_u8(&r);
	mail->contact = record_get_u32(&r);
	return r.bad || version != VERSION ? env_damaged(&txn->env, AUDIENCE_STEP_MAIL, key)
					   : STORE_OK;
}

enum store_result step_mail_after(struct audience_txn *txn, u32 step, u64 number,
				  struct step_mail *mail)
{
	u8 bytes[KEY_SIZE];
	struct slice key = SLICE_NONE;
	struct slice record = SLICE_NONE;
	enum store_result result = env_after(&txn->env, AUDIENCE_STEP_MAIL,
					     mail_key(bytes, step, number), &key, &record);

	return show(txn, result, step, key, record, mail);
}

enum store_result step_mail_last(struct audience_txn *txn, u32 step, u64 *number)
{
	u8 bytes[KEY_SIZE];
	struct slice key = SLICE_NONE;
	struct slice record = SLICE_NONE;
	struct step_mail mail;
	enum store_result result = env_before(&txn->env, AUDIENCE_STEP_MAIL,
					      mail_key(bytes, step, UINT64_MAX), &key, &record);

	result = show(txn, result, step, key, record, &mail);
	if (result == STORE_OK)
		*number = mail.number;
	return result;
}

enum store_result step_mail_add(struct audience_txn *txn, u32 step, u32 contact)
{
	struct audience_campaign campaign;
	u8 record[RECORD_SIZE];
	u8 key[KEY_SIZE];
	u64 last = 0;
	enum store_result result = step_mail_last(txn, step, &last);

	if (result == STORE_NOT_FOUND) {
		result = audience_campaign_get(txn, step, &campaign);
		last = campaign.cursor;
	}
	if (result != STORE_OK)
		return result;
	record_put_u32(record_put_u8(record, VERSION), contact);
	return env_put(&txn->env, AUDIENCE_STEP_MAIL, mail_key(key, step, last + 1),
		       env_key(record, sizeof(record)));
}

enum store_result step_mail_delete(struct audience_txn *txn, u32 step, u64 number)
{
	u8 key[KEY_SIZE];

	return env_delete(&txn->env, AUDIENCE_STEP_MAIL, mail_key(key, step, number));
}
