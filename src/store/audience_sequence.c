#include "store/audience_sequence.h"

#include "base/buf.h"
#include "base/check.h"
#include "store/audience_parts.h"
#include "store/row_values.h"

#define VERSION 1
#define KEY_SIZE 4
#define HEAD_SIZE (4 + 2 * 2 + 4 * 3 + 8 * 3 + 4 + 8 + 4 + 1)
#define STEP_SIZE (4 + 4 + 4 + 2 + 1 + 4)
#define RECORD_MAX 16384

const char *const audience_sequence_state_names[AUDIENCE_SEQUENCE_STATES] = {
	[0] = "unknown",
	[AUDIENCE_SEQUENCE_DRAFT] = "draft",
	[AUDIENCE_SEQUENCE_RUNNING] = "running",
	[AUDIENCE_SEQUENCE_PAUSED] = "paused",
	[AUDIENCE_SEQUENCE_ARCHIVED] = "archived",
};

const char *const audience_sequence_start_names[AUDIENCE_SEQUENCE_STARTS] = {
	[0] = "unknown",
	[AUDIENCE_SEQUENCE_BY_LIST] = "list",
	[AUDIENCE_SEQUENCE_BY_EVENT] = "event",
	[AUDIENCE_SEQUENCE_BY_DATE] = "date",
	[AUDIENCE_SEQUENCE_YEARLY] = "yearly",
};

static struct slice id_key(u8 key[KEY_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, KEY_SIZE);
}

/* ---- the record ---- */

static void read_step(struct record_reader *r, struct sequence_step *step)
{
	step->id = record_get_u32(r);
	step->days = (i32)record_get_u32(r);
	step->hours = record_get_u32(r);
	step->at_minute = (i32)record_get_u16(r) - 1;
	step->weekdays = record_get_u8(r);
	step->segment = record_get_u32(r);
}

static bool read_record(struct slice record, struct audience_sequence *s)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);

	s->state = record_get_u8(&r);
	s->start = record_get_u8(&r);
	s->tracks = record_get_u8(&r) != 0;
	s->list = record_get_u16(&r);
	s->attribute = record_get_u16(&r);
	s->exit_segment = record_get_u32(&r);
	s->late_hours = record_get_u32(&r);
	s->version = record_get_u32(&r);
	s->created_ms = record_get_u64(&r);
	s->changed_ms = record_get_u64(&r);
	s->started_ms = record_get_u64(&r);
	s->swept = record_get_u32(&r);
	s->looked_due_ms = record_get_u64(&r);
	s->looked_contact = record_get_u32(&r);
	s->step_count = record_get_u8(&r);
	if (version != VERSION || s->step_count > SEQUENCE_STEPS_MAX ||
	    s->state >= AUDIENCE_SEQUENCE_STATES || s->start >= AUDIENCE_SEQUENCE_STARTS)
		return false;
	for (u32 i = 0; i < s->step_count; i++)
		read_step(&r, &s->steps[i]);
	return !r.bad && row_values_unpack(record_get_rest(&r), s->of, SEQUENCE_TEXTS);
}

static u8 *write_head(u8 *at, const struct audience_sequence *s)
{
	at = record_put_u8(at, VERSION);
	at = record_put_u8(record_put_u8(at, (u8)s->state), (u8)s->start);
	at = record_put_u8(at, s->tracks);
	at = record_put_u16(record_put_u16(at, s->list), s->attribute);
	at = record_put_u32(record_put_u32(at, s->exit_segment), s->late_hours);
	at = record_put_u32(at, s->version);
	at = record_put_u64(record_put_u64(at, s->created_ms), s->changed_ms);
	at = record_put_u64(at, s->started_ms);
	at = record_put_u32(at, s->swept);
	at = record_put_u32(record_put_u64(at, s->looked_due_ms), s->looked_contact);
	at = record_put_u8(at, (u8)s->step_count);
	for (u32 i = 0; i < s->step_count; i++) {
		const struct sequence_step *step = &s->steps[i];

		at = record_put_u32(record_put_u32(at, step->id), (u32)step->days);
		at = record_put_u32(at, step->hours);
		at = record_put_u16(at, (u16)(step->at_minute + 1));
		at = record_put_u32(record_put_u8(at, step->weekdays), step->segment);
	}
	return at;
}

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_sequence *sequence)
{
	struct record_reader id = record_reader_of(key);

	if (result != STORE_OK)
		return result;
	sequence->id = record_get_u32(&id);
	if (id.bad || !read_record(record, sequence))
		return env_damaged(&txn->env, AUDIENCE_SEQUENCE, key);
	return STORE_OK;
}

enum store_result audience_sequence_get(struct audience_txn *txn, u32 id,
					struct audience_sequence *sequence)
{
	u8 bytes[KEY_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_SEQUENCE, key, &record);

	return show(txn, result, key, record, sequence);
}

enum store_result audience_sequence_after(struct audience_txn *txn, u32 id,
					  struct audience_sequence *sequence)
{
	u8 bytes[KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_SEQUENCE, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, sequence);
}

static enum store_result give_id(struct audience_txn *txn, struct audience_sequence *sequence)
{
	struct audience_sequence known = { 0 };
	enum store_result result;
	u32 count = 0;

	while ((result = audience_sequence_after(txn, known.id, &known)) == STORE_OK)
		count++;
	if (result != STORE_NOT_FOUND)
		return result;
	return count < SEQUENCES_MAX ? audience_next_id(txn, "sequence", &sequence->id)
				     : STORE_FULL;
}

enum store_result audience_sequence_put(struct audience_txn *txn,
					struct audience_sequence *sequence)
{
	enum store_result result = sequence->id == 0 ? give_id(txn, sequence) : STORE_OK;
	u8 head[HEAD_SIZE + SEQUENCE_STEPS_MAX * STEP_SIZE];
	u8 key[KEY_SIZE];
	struct buf record;

	ASSERT(sequence->step_count <= SEQUENCE_STEPS_MAX);
	if (result != STORE_OK)
		return result;
	txn->triggers_known = false;
	buf_init(&record, RECORD_MAX);
	buf_add(&record, head, (size_t)(write_head(head, sequence) - head));
	row_values_pack(&record, sequence->of, SEQUENCE_TEXTS);
	result = record.failed ? env_no_memory(&txn->env, "a sequence")
			       : env_put(&txn->env, AUDIENCE_SEQUENCE, id_key(key, sequence->id),
					 buf_slice(&record));
	buf_done(&record);
	return result;
}

enum store_result audience_sequence_delete(struct audience_txn *txn, u32 id)
{
	u8 key[KEY_SIZE];

	txn->triggers_known = false;
	return env_delete(&txn->env, AUDIENCE_SEQUENCE, id_key(key, id));
}

/* ---- what they use ---- */

static bool uses_segment(const struct audience_sequence *s, u32 segment)
{
	bool uses = s->exit_segment == segment;

	for (u32 i = 0; i < s->step_count && !uses; i++)
		uses = s->steps[i].segment == segment;
	return uses;
}

static struct slice using(struct audience_txn *txn, u16 list, u16 attribute, u32 segment)
{
	struct audience_sequence s = { 0 };

	while (audience_sequence_after(txn, s.id, &s) == STORE_OK) {
		if (s.state == AUDIENCE_SEQUENCE_ARCHIVED)
			continue;
		if ((list > 0 && s.list == list) || (attribute > 0 && s.attribute == attribute) ||
		    (segment > 0 && uses_segment(&s, segment)))
			return s.of[SEQUENCE_NAME];
	}
	return SLICE_NONE;
}

struct slice audience_sequence_using_list(struct audience_txn *txn, u16 list)
{
	return using(txn, list, 0, 0);
}

struct slice audience_sequence_using_attribute(struct audience_txn *txn, u16 attribute)
{
	return using(txn, 0, attribute, 0);
}

struct slice audience_sequence_using_segment(struct audience_txn *txn, u32 segment)
{
	return using(txn, 0, 0, segment);
}
