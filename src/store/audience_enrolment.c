#include "store/audience_enrolment.h"

#include "base/check.h"
#include "store/audience_count.h"
#include "store/audience_parts.h"

#define VERSION 1
#define KEY_SIZE 8
#define DUE_KEY_SIZE 16
#define DUE_VERSION 1
#define HEAD_SIZE (2 + 8 * 3 + 4 * 2 + 1)
#define RECORD_MAX (HEAD_SIZE + SEQUENCE_DONE_MAX * 8)

static struct slice enrolment_key(u8 key[KEY_SIZE], u32 contact, u32 sequence)
{
	record_put_u32(record_put_u32(key, contact), sequence);
	return env_key(key, KEY_SIZE);
}

static struct slice due_key(u8 key[DUE_KEY_SIZE], u32 sequence, const struct enrolment_place *place)
{
	record_put_u32(record_put_u64(record_put_u32(key, sequence), place->due_ms),
		       place->contact);
	return env_key(key, DUE_KEY_SIZE);
}

/* ---- reading ---- */

static bool read_record(struct slice record, struct audience_enrolment *e)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);

	e->at = (struct sequence_enrolment){ 0 };
	e->at.state = record_get_u8(&r);
	e->entered_ms = record_get_u64(&r);
	e->at.base_ms = record_get_u64(&r);
	e->at.due_ms = record_get_u64(&r);
	e->at.day = (i32)record_get_u32(&r);
	e->at.step = record_get_u32(&r);
	e->at.done_count = record_get_u8(&r);
	if (version != VERSION || e->at.done_count > SEQUENCE_DONE_MAX)
		return false;
	for (u32 i = 0; i < e->at.done_count; i++) {
		e->at.done[i].id = record_get_u32(&r);
		e->at.done[i].day = (i32)record_get_u32(&r);
	}
	return !r.bad && r.left == 0 && e->at.state >= SEQUENCE_WAITING &&
	       e->at.state <= SEQUENCE_LEFT;
}

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_enrolment *e)
{
	struct record_reader r = record_reader_of(key);

	if (result != STORE_OK)
		return result;
	e->contact = record_get_u32(&r);
	e->sequence = record_get_u32(&r);
	if (r.bad || !read_record(record, e))
		return env_damaged(&txn->env, AUDIENCE_ENROLMENT, key);
	return STORE_OK;
}

enum store_result enrolment_get(struct audience_txn *txn, u32 sequence, u32 contact,
				struct audience_enrolment *enrolment)
{
	u8 bytes[KEY_SIZE];
	struct slice key = enrolment_key(bytes, contact, sequence);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_ENROLMENT, key, &record);

	return show(txn, result, key, record, enrolment);
}

enum store_result enrolment_of_contact(struct audience_txn *txn, u32 contact, u32 sequence,
				       struct audience_enrolment *enrolment)
{
	u8 bytes[KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result = env_after(&txn->env, AUDIENCE_ENROLMENT,
					     enrolment_key(bytes, contact, sequence), &key,
					     &record);

	result = show(txn, result, key, record, enrolment);
	return result == STORE_OK && enrolment->contact != contact ? STORE_NOT_FOUND : result;
}

enum store_result enrolment_next(struct audience_txn *txn, u32 sequence,
				 const struct enrolment_place *after, struct enrolment_place *found)
{
	u8 bytes[DUE_KEY_SIZE];
	struct slice key;
	struct slice value;
	struct record_reader r;
	enum store_result result = env_after(&txn->env, AUDIENCE_ENROLMENT_DUE,
					     due_key(bytes, sequence, after), &key, &value);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != sequence)
		return STORE_NOT_FOUND;
	found->due_ms = record_get_u64(&r);
	found->contact = record_get_u32(&r);
	return r.bad ? env_damaged(&txn->env, AUDIENCE_ENROLMENT_DUE, key) : STORE_OK;
}

/* ---- numbers ---- */

static u32 state_number(u32 sequence, enum sequence_state state)
{
	return sequence * 8 + (u32)state;
}

static enum store_result count_one(struct audience_txn *txn, const struct audience_enrolment *e,
				   i64 change)
{
	enum store_result result = audience_count_change(
		txn, COUNTED_ENROLMENTS, state_number(e->sequence, e->at.state), change);

	if (result == STORE_OK && e->at.state == SEQUENCE_WAITING && e->at.step > 0)
		result = audience_count_change(txn, COUNTED_WAITING, e->at.step, change);
	return result;
}

enum store_result enrolment_count(struct audience_txn *txn, u32 sequence,
				  enum sequence_state state, u64 *count)
{
	return audience_count_get(txn, COUNTED_ENROLMENTS, state_number(sequence, state), count);
}

enum store_result enrolment_count_for(struct audience_txn *txn, u32 step, u64 *count)
{
	return audience_count_get(txn, COUNTED_WAITING, step, count);
}

/* ---- writing ---- */

static enum store_result put_due(struct audience_txn *txn, const struct audience_enrolment *e)
{
	const struct enrolment_place place = { e->at.due_ms, e->contact };
	const u8 value[1] = { DUE_VERSION };
	u8 key[DUE_KEY_SIZE];

	return env_put(&txn->env, AUDIENCE_ENROLMENT_DUE, due_key(key, e->sequence, &place),
		       env_key(value, sizeof(value)));
}

/* What was there, out of the order and the numbers. */
static enum store_result take_out(struct audience_txn *txn, u32 sequence, u32 contact)
{
	struct audience_enrolment old;
	struct enrolment_place place;
	u8 key[DUE_KEY_SIZE];
	enum store_result result = enrolment_get(txn, sequence, contact, &old);

	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result == STORE_OK)
		result = count_one(txn, &old, -1);
	if (result != STORE_OK)
		return result;
	place = (struct enrolment_place){ old.at.due_ms, contact };
	result = env_delete(&txn->env, AUDIENCE_ENROLMENT_DUE, due_key(key, sequence, &place));
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result enrolment_put(struct audience_txn *txn, const struct audience_enrolment *e)
{
	enum store_result result = take_out(txn, e->sequence, e->contact);
	u8 record[RECORD_MAX];
	u8 key[KEY_SIZE];
	u8 *at = record;

	ASSERT(e->at.done_count <= SEQUENCE_DONE_MAX);
	at = record_put_u8(record_put_u8(at, VERSION), (u8)e->at.state);
	at = record_put_u64(record_put_u64(at, e->entered_ms), e->at.base_ms);
	at = record_put_u64(at, e->at.due_ms);
	at = record_put_u32(record_put_u32(at, (u32)e->at.day), e->at.step);
	at = record_put_u8(at, (u8)e->at.done_count);
	for (u32 i = 0; i < e->at.done_count; i++) {
		at = record_put_u32(at, e->at.done[i].id);
		at = record_put_u32(at, (u32)e->at.done[i].day);
	}
	if (result == STORE_OK)
		result = env_put(&txn->env, AUDIENCE_ENROLMENT,
				 enrolment_key(key, e->contact, e->sequence),
				 env_key(record, (size_t)(at - record)));
	if (result == STORE_OK)
		result = put_due(txn, e);
	return result == STORE_OK ? count_one(txn, e, 1) : result;
}

enum store_result enrolments_erase(struct audience_txn *txn, u32 contact)
{
	struct audience_enrolment e;
	enum store_result result;
	u8 key[KEY_SIZE];

	while ((result = enrolment_of_contact(txn, contact, 0, &e)) == STORE_OK) {
		result = take_out(txn, e.sequence, contact);
		if (result == STORE_OK)
			result = env_delete(&txn->env, AUDIENCE_ENROLMENT,
					    enrolment_key(key, contact, e.sequence));
		if (result != STORE_OK)
			return result;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result enrolment_enter(struct audience_txn *txn, u32 sequence, u32 contact, u64 now_ms,
				  bool *entered)
{
	struct audience_enrolment e;
	enum store_result result = enrolment_get(txn, sequence, contact, &e);

	*entered = result == STORE_NOT_FOUND ||
		   (result == STORE_OK && e.at.state == SEQUENCE_LEFT);
	if (result == STORE_NOT_FOUND)
		e = (struct audience_enrolment){ .sequence = sequence,
						 .contact = contact,
						 .entered_ms = now_ms };
	else if (result != STORE_OK || !*entered)
		return result;
	e.at.state = SEQUENCE_WAITING;
	e.at.base_ms = now_ms;
	e.at.due_ms = now_ms;
	return enrolment_put(txn, &e);
}

enum store_result enrolment_touch(struct audience_txn *txn, u32 sequence, u32 contact, u64 now_ms)
{
	struct audience_enrolment e;
	enum store_result result = enrolment_get(txn, sequence, contact, &e);

	if (result != STORE_OK || e.at.due_ms <= now_ms)
		return result;
	e.at.due_ms = now_ms;
	return enrolment_put(txn, &e);
}
